//! The bytes that cross the module's border (SPEC §10).

use protocol::DecodeError;
use protocol::envelope::Reader;

use crate::error::ModuleError;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Op {
    /// Begin a session.
    Open = 0x01,
    /// The next chunk of a file.
    Push = 0x02,
    /// End the file; another may follow.
    NextFile = 0x03,
    /// End the run and seal the answer.
    Finish = 0x04,
    /// The next piece of the answer.
    Read = 0x05,
    /// Look at a file's first bytes.
    Preview = 0x06,
    /// Begin a part of a file.
    Part = 0x07,
    /// End the part; the next piece of it.
    HandOver = 0x08,
    /// Take a piece of another instance's part.
    TakeOver = 0x09,
    /// The next piece of the list of rows set aside.
    SetAside = 0x0A,
    /// The answer's copy for the institution's compliance office.
    Copy = 0x0B,
    /// Begin to seal a department's table.
    BaseData = 0x0C,
    /// The next chunk of the table, for the first time.
    BaseDataFirst = 0x0D,
    /// The next chunk of the table, for the second time.
    BaseDataSecond = 0x0E,
    /// What stands before the sealed table.
    BaseDataHead = 0x0F,
    /// Make keys.
    NewKey = 0x10,
    /// Answer a host's challenge.
    SignIn = 0x11,
    /// Sign a document once more.
    CoSign = 0x12,
    /// Say what a document is.
    Inspect = 0x13,
    /// Approve an answer.
    Approve = 0x14,
}

impl Op {
    const ALL: [Self; 20] = [
        Self::Open,
        Self::Push,
        Self::NextFile,
        Self::Finish,
        Self::Read,
        Self::Preview,
        Self::Part,
        Self::HandOver,
        Self::TakeOver,
        Self::SetAside,
        Self::Copy,
        Self::BaseData,
        Self::BaseDataFirst,
        Self::BaseDataSecond,
        Self::BaseDataHead,
        Self::NewKey,
        Self::SignIn,
        Self::CoSign,
        Self::Inspect,
        Self::Approve,
    ];

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|op| *op as u8 == byte)
    }
}

/// A request, wiped when it is dropped: it may hold a passphrase or customers' rows.
pub struct Request(Vec<u8>);

impl Drop for Request {
    fn drop(&mut self) {
        // One fill and not a byte at a time, as `zeroize` does it: requests are most of a row's bytes.
        self.0.fill(0);
        std::hint::black_box(&self.0);
    }
}

impl Request {
    /// Takes the request's bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The operation, and what follows it.
    ///
    /// # Errors
    /// `unknown_operation`.
    pub fn split(&self) -> Result<(Op, &[u8]), ModuleError> {
        let unknown =
            || ModuleError::new("unknown_operation", "request", "the module knows no such operation");
        let (first, rest) = self.0.split_first().ok_or_else(unknown)?;
        Ok((Op::from_byte(*first).ok_or_else(unknown)?, rest))
    }
}

/// The `N` parts of a request, each `u32 length ‖ bytes`.
///
/// # Errors
/// `bad_request` when there are fewer, more, or one is cut short.
pub fn parts<const N: usize>(bytes: &[u8]) -> Result<[&[u8]; N], ModuleError> {
    let mut out: [&[u8]; N] = [&[]; N];
    fill(&mut out, bytes).map_err(|_| malformed())?;
    Ok(out)
}

/// `bad_request`: what the operation does not take so, or not now.
pub fn malformed() -> ModuleError {
    ModuleError::new("bad_request", "request", "the request is not one that this operation takes now")
}

/// The same for any number of parts: one piece of code for all of them.
fn fill<'a>(parts: &mut [&'a [u8]], bytes: &'a [u8]) -> Result<(), DecodeError> {
    let mut reader = Reader(bytes);
    for part in parts {
        let length = u32::from_be_bytes(reader.array("request")?);
        *part = reader.take(usize::try_from(length).unwrap_or(usize::MAX), "request")?;
    }
    reader.end("request")
}

/// Writes a request or a reply of several parts.
pub fn join(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|p| p.len() + 4).sum());
    for part in parts {
        out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

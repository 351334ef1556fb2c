//! Drives instances of the matcher over files (SPEC §10): one instance, or several that share the work on a file.
//!
//! An [`Instance`] takes a request and gives a reply; what it is, a sandbox or a library, is its own business.
//! Read first: [`Instance`] and [`ask`], then [`files`], which is where the work is
//! shared (SPEC §10.1), and [`sheets`], where a second module reads spreadsheets (SPEC §10.2).

pub mod files;
pub mod sheets;

use serde::Deserialize;
use serde_json::{Map, Value};

/// The operations of SPEC §10.
pub mod op {
    /// Begin a session.
    pub const OPEN: u8 = 0x01;
    /// The next chunk of a file.
    pub const PUSH: u8 = 0x02;
    /// End the file.
    pub const NEXT_FILE: u8 = 0x03;
    /// Seal the answer.
    pub const FINISH: u8 = 0x04;
    /// The next piece of the answer.
    pub const READ: u8 = 0x05;
    /// Look at a file's first bytes.
    pub const PREVIEW: u8 = 0x06;
    /// Begin a part of a file.
    pub const PART: u8 = 0x07;
    /// End the part; the next piece of it.
    pub const HAND_OVER: u8 = 0x08;
    /// Take a piece of a part.
    pub const TAKE_OVER: u8 = 0x09;
    /// The next piece of the list of rows set aside.
    pub const SET_ASIDE: u8 = 0x0A;
    /// The answer's copy for the compliance office.
    pub const COPY: u8 = 0x0B;
    /// Begin to seal a department's table.
    pub const BASE_DATA: u8 = 0x0C;
    /// The next chunk of the table, for the first time.
    pub const BASE_DATA_FIRST: u8 = 0x0D;
    /// The next chunk of the table, for the second time.
    pub const BASE_DATA_SECOND: u8 = 0x0E;
    /// What stands before the sealed table.
    pub const BASE_DATA_HEAD: u8 = 0x0F;
    /// Make keys.
    pub const NEW_KEY: u8 = 0x10;
    /// Answer a host's challenge.
    pub const SIGN_IN: u8 = 0x11;
    /// Sign a document once more.
    pub const CO_SIGN: u8 = 0x12;
    /// Say what a document is.
    pub const INSPECT: u8 = 0x13;
    /// Approve an answer.
    pub const APPROVE: u8 = 0x14;
}

/// One instance of the matcher.
pub trait Instance {
    /// One request, one reply. The request is the instance's to wipe.
    ///
    /// # Errors
    /// Why there is no reply; the instance is then of no more use.
    fn call(&mut self, request: Vec<u8>) -> Result<Vec<u8>, String>;
}

impl<T: Instance + ?Sized> Instance for Box<T> {
    fn call(&mut self, request: Vec<u8>) -> Result<Vec<u8>, String> {
        (**self).call(request)
    }
}

/// Why a run ends.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The matcher refuses.
    #[error("{}", .0.message)]
    Refused(Box<Refusal>),
    /// The matcher stopped, or its reply is not as SPEC §10 says.
    #[error("{0}")]
    Stopped(String),
    /// A file can't be read.
    #[error(transparent)]
    File(#[from] std::io::Error),
}

/// The matcher's refusal.
#[derive(Debug, Clone, Deserialize)]
pub struct Refusal {
    /// Stable code.
    pub code: String,
    /// What it is about.
    pub field: String,
    /// One English sentence.
    pub message: String,
    /// Counts that belong to it.
    #[serde(default)]
    pub numbers: Map<String, Value>,
}

/// `op ‖ parts`, each `u32 length ‖ bytes`.
pub fn request(op: u8, parts: &[&[u8]]) -> Vec<u8> {
    // Room for all at once: a growing vector would leave copies of a passphrase behind.
    let mut out = Vec::with_capacity(1 + parts.iter().map(|part| part.len() + 4).sum::<usize>());
    out.push(op);
    for part in parts {
        out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

/// Sends a request and takes the reply apart.
///
/// # Errors
/// [`RunError::Refused`], or [`RunError::Stopped`].
pub fn ask(instance: &mut (impl Instance + ?Sized), request: Vec<u8>) -> Result<Vec<u8>, RunError> {
    let odd = || RunError::Stopped("the module's reply is not as SPEC §10 says".to_owned());
    let mut reply = instance.call(request).map_err(RunError::Stopped)?;
    match reply.first() {
        Some(0) => {
            reply.remove(0);
            Ok(reply)
        }
        Some(1) => {
            let refusal = reply.get(1..).unwrap_or_default();
            Err(RunError::Refused(Box::new(serde_json::from_slice(refusal).map_err(|_| odd())?)))
        }
        _ => Err(odd()),
    }
}

/// Sends a request whose result is JSON.
///
/// # Errors
/// As [`ask`].
pub fn ask_json<T: for<'a> Deserialize<'a>>(
    instance: &mut (impl Instance + ?Sized),
    request: Vec<u8>,
) -> Result<T, RunError> {
    let result = ask(instance, request)?;
    let odd = |_| RunError::Stopped("the module's reply is not as SPEC §10 says".to_owned());
    serde_json::from_slice(&result).map_err(odd)
}

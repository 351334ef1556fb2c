//! One file: begin, push, sheets; then sheet after sheet (SPEC §10.2). An error ends the session.

use serde_json::json;

use crate::book::Book;
use crate::error::ReadError;
use crate::sheet_text::SheetText;

/// Bytes of a file at most; it is held as a whole. A full sheet of XLSX has 50 to 120 MB.
const MAX_FILE: u64 = 160 << 20;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Op {
    /// Begin a file of this length.
    Begin = 0x01,
    /// The next chunk of the file.
    Push = 0x02,
    /// The file is there: what sheets has it?
    Sheets = 0x03,
    /// Begin a sheet.
    Sheet = 0x04,
    /// The next piece of the sheet's text.
    Read = 0x05,
    /// What was in the sheet.
    Ended = 0x06,
}

impl Op {
    /// All of them, as SPEC §10.2 lists them.
    pub const ALL: [Self; 6] = [Self::Begin, Self::Push, Self::Sheets, Self::Sheet, Self::Read, Self::Ended];
}

/// Where a session stands.
#[derive(Default)]
pub enum Session {
    /// Nothing begun.
    #[default]
    Idle,
    /// The file is coming in.
    Taking(Taking),
    /// The file is open.
    Open(Box<Open>),
    /// An error ended it.
    Over,
}

/// A file that is coming in.
pub struct Taking {
    file: Vec<u8>,
    length: usize,
}

/// A file that is open, and perhaps one of its sheets.
pub struct Open {
    book: Book,
    sheet: Option<SheetText>,
}

impl Session {
    /// Carries out one request.
    ///
    /// # Errors
    /// What is wrong, by code; the session is then over.
    pub fn run(&mut self, request: &[u8]) -> Result<Vec<u8>, ReadError> {
        let result = self.step(request);
        if result.is_err() {
            *self = Self::Over;
        }
        result
    }

    fn step(&mut self, request: &[u8]) -> Result<Vec<u8>, ReadError> {
        let unknown = || ReadError::request("there is no such operation");
        let (op, rest) = request.split_first().ok_or_else(unknown)?;
        let op = Op::ALL.into_iter().find(|known| *known as u8 == *op).ok_or_else(unknown)?;
        match (op, &mut *self) {
            (Op::Begin, Self::Idle) => {
                *self = Self::Taking(Taking::new(u64::from_be_bytes(part(rest)?))?);
                Ok(Vec::new())
            }
            (Op::Push, Self::Taking(taking)) => taking.push(rest).map(|()| Vec::new()),
            (Op::Sheets, Self::Taking(taking)) => {
                let book = Book::open(std::mem::take(taking).whole()?)?;
                let sheets = sheets(&book);
                *self = Self::Open(Box::new(Open { book, sheet: None }));
                Ok(sheets)
            }
            (Op::Sheets, Self::Open(open)) => Ok(sheets(&open.book)),
            (Op::Sheet, Self::Open(open)) => open.begin(u32::from_be_bytes(part(rest)?)),
            (Op::Read, Self::Open(open)) => open.sheet.as_mut().ok_or(no_sheet())?.read(),
            (Op::Ended, Self::Open(open)) => open.ended(),
            _ => Err(ReadError::request("not now")),
        }
    }
}

/// The one part of a request: `u32 length ‖ bytes`, of this many bytes.
fn part<const N: usize>(rest: &[u8]) -> Result<[u8; N], ReadError> {
    let bad = ReadError::request("the part has another length");
    let (length, bytes) = rest.split_first_chunk::<4>().ok_or(bad.clone())?;
    if usize::try_from(u32::from_be_bytes(*length)) != Ok(N) {
        return Err(bad);
    }
    bytes.try_into().map_err(|_| bad)
}

fn no_sheet() -> ReadError {
    ReadError::request("no sheet has been begun")
}

fn sheets(book: &Book) -> Vec<u8> {
    let sheets: Vec<_> =
        book.sheets.iter().map(|sheet| json!({ "hidden": sheet.hidden, "name": sheet.name })).collect();
    json!({ "format": book.format, "sheets": sheets }).to_string().into_bytes()
}

impl Default for Taking {
    fn default() -> Self {
        Self { file: Vec::new(), length: usize::MAX }
    }
}

impl Taking {
    /// Room for all at once: a vector that grows would hold the file twice.
    fn new(length: u64) -> Result<Self, ReadError> {
        let too_long = || ReadError::limit("bytes", length, MAX_FILE);
        let length = usize::try_from(length).ok().filter(|_| length <= MAX_FILE).ok_or_else(too_long)?;
        let mut file = Vec::new();
        file.try_reserve_exact(length).map_err(|_| too_long())?;
        Ok(Self { file, length })
    }

    fn push(&mut self, chunk: &[u8]) -> Result<(), ReadError> {
        if chunk.len() > self.length - self.file.len() {
            return Err(ReadError::request("the file is longer than was said"));
        }
        self.file.extend_from_slice(chunk);
        Ok(())
    }

    fn whole(self) -> Result<Vec<u8>, ReadError> {
        if self.file.len() == self.length {
            Ok(self.file)
        } else {
            Err(ReadError::request("the file is shorter than was said"))
        }
    }
}

impl Open {
    fn begin(&mut self, index: u32) -> Result<Vec<u8>, ReadError> {
        self.close();
        let sheet = self.book.sheet(usize::try_from(index).unwrap_or(usize::MAX))?;
        let rows = sheet.declared();
        self.sheet = Some(sheet);
        Ok(json!({ "rows": rows }).to_string().into_bytes())
    }

    fn ended(&mut self) -> Result<Vec<u8>, ReadError> {
        let ended = self.sheet.as_ref().ok_or(no_sheet())?.ended();
        let ended = ended.ok_or(ReadError::request("the sheet has not been read to its end"))?;
        let told = json!({ "full": ended.is_full(), "numbers": ended.numbers, "rows": ended.rows });
        Ok(told.to_string().into_bytes())
    }

    fn close(&mut self) {
        if let Some(sheet) = self.sheet.take() {
            self.book.close(sheet);
        }
    }
}

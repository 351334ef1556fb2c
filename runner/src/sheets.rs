//! Spreadsheets: the reader module makes text of them, sheet after sheet, and the matcher takes each sheet as a file of
//! its own (SPEC §10.2). The reader works on the next piece while the matcher works on this one.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::files::CHUNK;
use crate::{Instance, Refusal, RunError, ask, ask_json, op, request};

/// The operations of SPEC §10.2.
pub mod reader_op {
    /// Begin a file of this length.
    pub const BEGIN: u8 = 0x01;
    /// The next chunk of the file.
    pub const PUSH: u8 = 0x02;
    /// The file is there: what sheets has it?
    pub const SHEETS: u8 = 0x03;
    /// Begin a sheet.
    pub const SHEET: u8 = 0x04;
    /// The next piece of the sheet's text.
    pub const READ: u8 = 0x05;
    /// What was in the sheet.
    pub const ENDED: u8 = 0x06;
}

/// Bytes at the beginning of a file that tell whether it is a spreadsheet.
const SNIFFED: usize = 64;

/// Pieces that may wait for the matcher.
const WAITING_PIECES: usize = 2;

/// What `sheets` says.
#[derive(Debug, Clone, Deserialize)]
pub struct Workbook {
    /// What the file is.
    pub format: String,
    /// Its sheets.
    pub sheets: Vec<Sheet>,
}

/// One sheet.
#[derive(Debug, Clone, Deserialize)]
pub struct Sheet {
    /// Whether the file hides it.
    pub hidden: bool,
    /// Its name.
    pub name: String,
}

/// What `ended` says.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
pub struct Ended {
    /// Whether the sheet ends at the last row that its format has: what came after may be missing.
    pub full: bool,
    /// Cells that look like identity numbers.
    pub numbers: u64,
    /// The last row.
    pub rows: u64,
}

/// What a run says of its spreadsheets, over all files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Files and sheets that were begun.
    pub begun: u64,
    /// Sheets without an identity column.
    pub passed_over: u64,
    /// Hidden sheets that were read.
    pub hidden: u64,
}

impl Tally {
    /// The warnings, by code.
    pub fn warnings(&self) -> impl Iterator<Item = (&'static str, u64)> {
        [("sheet_passed_over", self.passed_over), ("sheet_hidden", self.hidden)]
            .into_iter()
            .filter(|(_, n)| *n > 0)
    }
}

/// Whether the file at `path` is for the reader: an archive, an old spreadsheet, a web page. Bytes decide, not names.
///
/// # Errors
/// When it can't be read.
pub fn is_spreadsheet(path: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    File::open(path)?.take(SNIFFED as u64).read_to_end(&mut beginning)?;
    Ok(begins_as_spreadsheet(&beginning))
}

/// Whether a file that begins so is for the reader.
pub fn begins_as_spreadsheet(beginning: &[u8]) -> bool {
    const MAGIC: [&[u8]; 3] = [b"PK\x03\x04", b"PK\x05\x06", &[0xD0, 0xCF, 0x11, 0xE0]];
    let beginning = beginning.get(..SNIFFED).unwrap_or(beginning);
    // Without the marks and zeros of Unicode encodings.
    let text: Vec<u8> = beginning.iter().copied().filter(|byte| (1..0x80).contains(byte)).collect();
    let text = text.trim_ascii_start();
    MAGIC.iter().any(|magic| beginning.starts_with(magic))
        || text.starts_with(b"<")
        || text.starts_with(b"MIME-Version:")
}

/// Hands a file to a fresh instance of the reader.
///
/// # Errors
/// What the reader refuses it for, and what can't be read.
pub fn open(
    reader: &mut (impl Instance + ?Sized),
    file: &mut dyn Read,
    length: u64,
) -> Result<Workbook, RunError> {
    ask_reader(reader, request(reader_op::BEGIN, &[&length.to_be_bytes()]))?;
    loop {
        let mut push = vec![reader_op::PUSH];
        let chunk = u64::try_from(CHUNK).unwrap_or(u64::MAX);
        if file.take(chunk).read_to_end(&mut push)? == 0 {
            break;
        }
        ask_reader(reader, push)?;
    }
    json(&ask_reader(reader, vec![reader_op::SHEETS])?)
}

/// Reads a sheet of the file that [`open`] handed over, piece after piece, as long as `take` wants more.
///
/// # Errors
/// What the reader refuses the sheet for; `spreadsheet_stopped` when `take` wants no more.
pub fn sheet(
    reader: &mut (impl Instance + ?Sized),
    index: u32,
    take: &mut dyn FnMut(Vec<u8>) -> bool,
) -> Result<Ended, RunError> {
    ask_reader(reader, request(reader_op::SHEET, &[&index.to_be_bytes()]))?;
    loop {
        let piece = ask_reader(reader, vec![reader_op::READ])?;
        if piece.is_empty() {
            return json(&ask_reader(reader, vec![reader_op::ENDED])?);
        }
        if !take(piece) {
            return Err(stopped());
        }
    }
}

/// Lets the matcher read every sheet of the file at `path`, as [`read_from`].
///
/// # Errors
/// As [`read_from`].
pub fn read(
    matcher: &mut (impl Instance + ?Sized),
    reader: &mut (impl Instance + Send + ?Sized),
    path: &Path,
    table: &Value,
    tally: &mut Tally,
    told: &mut dyn FnMut(u64, u64),
) -> Result<(), RunError> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    read_from(matcher, reader, &mut file, length, table, tally, told)
}

/// Lets the matcher read every sheet of a file. A sheet without identity column or rows is passed over, unless something in
/// it looks like an identity number. `table` is the table of the session's options; `told` hears how many of its sheets have been read, and of how many.
///
/// # Errors
/// What the reader refuses the file for, what the matcher refuses a sheet for, and `no_id_column` or `empty_file` for a file that has nothing to match.
pub fn read_from(
    matcher: &mut (impl Instance + ?Sized),
    reader: &mut (impl Instance + Send + ?Sized),
    file: &mut dyn Read,
    length: u64,
    table: &Value,
    tally: &mut Tally,
    told: &mut dyn FnMut(u64, u64),
) -> Result<(), RunError> {
    let workbook = open(reader, file, length)?;
    let before = tally.begun;
    let of = u64::try_from(workbook.sheets.len()).unwrap_or(u64::MAX);
    for (index, of_sheet) in (0_u32..).zip(&workbook.sheets) {
        let (pieces, coming) = sync_channel(WAITING_PIECES);
        let lent = &mut *reader;
        let (matched, ended) = thread::scope(|scope| {
            let reading = scope.spawn(move || hand_over(lent, index, &pieces));
            let matched = take(matcher, coming.iter(), table, tally);
            drop(coming); // a reader that still sends stops
            let ended = reading.join().unwrap_or_else(|_| Err(stopped()));
            (matched, ended)
        });
        match (matched?, ended?) {
            (Some(true), _) => tally.hidden += u64::from(of_sheet.hidden),
            (Some(false), ended) if ended.numbers > 0 => {
                let message = "a sheet without a column of identity numbers has cells that look like some";
                return Err(refused("no_id_column", message, &[("sheet", u64::from(index) + 1)]));
            }
            (Some(false), _) => tally.passed_over += 1,
            (None, _) => {} // nothing in it
        }
        told(u64::from(index) + 1, of);
    }
    match (tally.begun == before, tally.passed_over) {
        (true, 0) => Err(refused("empty_file", "the file has no rows", &[])),
        (true, _) => Err(refused("no_id_column", "no sheet has a column of identity numbers", &[])),
        (false, _) => Ok(()),
    }
}

/// Sends a sheet's pieces on, up to its end. A matcher that takes no more has refused the sheet, and says why.
fn hand_over(
    reader: &mut (impl Instance + ?Sized),
    index: u32,
    pieces: &SyncSender<Vec<u8>>,
) -> Result<Ended, RunError> {
    sheet(reader, index, &mut |piece| pieces.send(piece).is_ok())
}

/// Lets the matcher take a sheet, and says whether it did; none for a sheet without a piece.
fn take(
    matcher: &mut (impl Instance + ?Sized),
    pieces: impl Iterator<Item = Vec<u8>>,
    table: &Value,
    tally: &mut Tally,
) -> Result<Option<bool>, RunError> {
    let mut taken = None;
    for piece in pieces {
        let takes = match taken {
            Some(takes) => takes,
            None => {
                let takes = has_rows(matcher, &piece, table)?;
                if takes {
                    if tally.begun > 0 {
                        ask(matcher, vec![op::NEXT_FILE])?;
                    }
                    tally.begun += 1;
                }
                takes
            }
        };
        taken = Some(takes);
        if takes {
            ask(matcher, [&[op::PUSH], piece.as_slice()].concat())?;
        }
    }
    Ok(taken)
}

/// Whether a sheet that begins so has an identity column, and rows.
fn has_rows(matcher: &mut (impl Instance + ?Sized), piece: &[u8], table: &Value) -> Result<bool, RunError> {
    #[derive(Deserialize)]
    struct Preview {
        problem: Option<Refusal>,
        rows: Vec<Value>,
    }
    let options = table.to_string();
    let preview: Preview = ask_json(matcher, request(op::PREVIEW, &[piece, options.as_bytes()]))?;
    Ok(preview.problem.is_none() && !preview.rows.is_empty())
}

/// Asks the reader. That its instance stops is a refusal of the file: it wanted more memory or time than it may have, or
/// broke on what it read.
fn ask_reader(reader: &mut (impl Instance + ?Sized), request: Vec<u8>) -> Result<Vec<u8>, RunError> {
    ask(reader, request).map_err(|error| match error {
        RunError::Stopped(_) => stopped(),
        error => error,
    })
}

fn stopped() -> RunError {
    refused("spreadsheet_stopped", "the spreadsheet is too large, or not as its format says", &[])
}

fn refused(code: &str, message: &str, numbers: &[(&str, u64)]) -> RunError {
    let numbers: Map<String, Value> =
        numbers.iter().map(|(name, number)| ((*name).to_owned(), Value::from(*number))).collect();
    RunError::Refused(Box::new(Refusal {
        code: code.to_owned(),
        field: "file".to_owned(),
        message: message.to_owned(),
        numbers,
    }))
}

fn json<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<T, RunError> {
    serde_json::from_slice(bytes).map_err(|_| stopped())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_not_names_decide() {
        for yes in [
            &b"PK\x03\x04..."[..],
            &[0xD0, 0xCF, 0x11, 0xE0, 0xA1],
            b"\xEF\xBB\xBF\r\n<HTML>",
            b"\xFF\xFE<\0t\0",
            b"MIME-Version: 1.0\r\n",
        ] {
            assert!(begins_as_spreadsheet(yes), "{yes:?}");
        }
        for no in [&b""[..], "证件号码,余额\n<b>,5\n".as_bytes(), b"name,MIME-Version:", b"PK,5"] {
            assert!(!begins_as_spreadsheet(no), "{no:?}");
        }
    }
}

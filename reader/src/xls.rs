//! XLS (BIFF): `calamine` reads a workbook as a whole; a sheet has at most 65,536 rows.

use std::io::Cursor;

use calamine::{Data, DataRef, Range, Reader, Xls, XlsError};

use crate::archive::Bytes;
use crate::cells;
use crate::compound;
use crate::error::ReadError;
use crate::row::{Row, Rows};

/// The name of the stream that a locked XLSX lies in.
const LOCKED: &str = "EncryptedPackage";

/// An XLS workbook.
pub(crate) struct OldWorkbook(Xls<Cursor<Bytes>>);

impl OldWorkbook {
    pub(crate) fn open(bytes: &Bytes) -> Result<Self, ReadError> {
        let locked: Vec<u8> = LOCKED.encode_utf16().flat_map(u16::to_le_bytes).collect();
        if bytes.as_ref().windows(locked.len()).any(|window| window == locked) {
            return Err(ReadError::password());
        }
        compound::check(bytes.as_ref())?;
        Xls::new(Cursor::new(bytes.clone())).map(Self).map_err(|error| match error {
            XlsError::Password => ReadError::password(),
            // `CfbError` can't be named; another kind of document has no such stream.
            XlsError::Cfb(error) if error.to_string().starts_with("Cannot find") => ReadError::unknown(),
            _ => ReadError::broken(),
        })
    }

    pub(crate) fn sheets(&self) -> &[calamine::Sheet] {
        self.0.sheets_metadata()
    }

    pub(crate) fn sheet(&mut self, name: &str) -> Result<RangeRows, ReadError> {
        let range = self.0.worksheet_range(name).map_err(|_| ReadError::broken())?;
        Ok(RangeRows { range, at: 0 })
    }
}

/// The rows of a sheet that is held.
pub(crate) struct RangeRows {
    range: Range<Data>,
    /// Rows given, of those in the range.
    at: u32,
}

impl Rows for RangeRows {
    fn next(&mut self, row: &mut Row) -> Result<bool, ReadError> {
        let Some(((first, left), (last, right))) = self.range.start().zip(self.range.end()) else {
            return Ok(false);
        };
        let index = first + self.at;
        if index > last {
            return Ok(false);
        }
        self.at += 1;
        row.begin(index);
        for column in left..=right {
            if let Some(value) = self.range.get_value((index, column)) {
                row.set(column, &text_of(value))?;
            }
        }
        Ok(true)
    }

    fn declared(&self) -> Option<u32> {
        self.range.end().map(|(last, _)| last + 1)
    }
}

fn text_of(value: &Data) -> String {
    match value {
        Data::String(text) => text.clone(),
        Data::Int(number) => cells::text_of(&DataRef::Int(*number)),
        Data::Float(number) => cells::text_of(&DataRef::Float(*number)),
        Data::Bool(truth) => cells::text_of(&DataRef::Bool(*truth)),
        Data::DateTime(date) => cells::text_of(&DataRef::DateTime(*date)),
        Data::DateTimeIso(date) => cells::text_of(&DataRef::DateTimeIso(date.clone())),
        Data::DurationIso(text) => text.clone(),
        Data::Error(error) => error.to_string(),
        Data::Empty => String::new(),
        // calamine's own later kinds, of which XLS has none.
        #[expect(unreachable_patterns, reason = "the enumeration may grow")]
        _ => String::new(),
    }
}

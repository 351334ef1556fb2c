//! Delimited text as an office program saves it: UTF-8, GB18030 or UTF-16, with commas, tabs or semicolons.

use encoding_rs::{Encoding, GB18030, UTF_8};

use crate::defect::Code;

/// Bytes of an applicants' file at most: a row of 128 bytes for each person of the largest roster.
pub const MAX_FILE_BYTES: usize = 1 << 27;

/// Bytes of a row at most, as in a customer file.
const MAX_ROW_BYTES: usize = 65_536;

/// Cells of a row at most, as in a customer file.
const MAX_CELLS: usize = 256;

/// Decodes a file strictly: a byte mark decides, else UTF-8, else GB18030. A byte that fits none is refused.
///
/// # Errors
/// The [`Code`] of what is wrong with the file as a whole.
pub fn decode(bytes: &[u8]) -> Result<String, Code> {
    if SPREADSHEETS.iter().any(|magic| bytes.starts_with(magic)) {
        return Err(Code::Spreadsheet);
    }
    if bytes.len() > MAX_FILE_BYTES {
        return Err(Code::FileTooLarge);
    }
    let decoded = match Encoding::for_bom(bytes) {
        Some((encoding, mark)) => strictly(encoding, bytes.get(mark..).unwrap_or_default()),
        None => strictly(UTF_8, bytes).or_else(|| strictly(GB18030, bytes)),
    };
    let text = decoded.filter(|text| !text.contains('\0')).ok_or(Code::Undecodable)?;
    // `\r` alone ends a row, too: so old Macintosh programs write, and files that were put together.
    Ok(if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text })
}

/// First bytes of ZIP (xlsx) and OLE2 (xls).
const SPREADSHEETS: [&[u8]; 2] = [b"PK\x03\x04", b"\xD0\xCF\x11\xE0"];

fn strictly(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    encoding.decode_without_bom_handling_and_without_replacement(bytes).map(String::from)
}

/// One row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The row as a spreadsheet counts them: from 1, empty ones included, a line break in quotes not.
    pub row: u32,
    /// Its cells.
    pub cells: Vec<String>,
    /// Whether text follows the closing quotation mark of a cell with a line break in it, as it does
    /// where a stray mark has met the opening one of a cell further down.
    pub torn: bool,
}

/// Cuts text (as [`decode`] gives it) into records at a delimiter, with the quoting of RFC 4180. Empty
/// records are left out, and counted.
pub struct Records<'t> {
    rest: &'t str,
    delimiter: char,
    row: u32,
}

impl<'t> Records<'t> {
    /// Over `text`, cut at `delimiter`.
    pub fn new(text: &'t str, delimiter: char) -> Self {
        Self { rest: text, delimiter, row: 0 }
    }

    /// Takes the next record off. A quotation mark that nothing closes is an error: what stands below
    /// it, down to the end, would be part of one cell.
    fn cut(&mut self) -> Result<Record, Code> {
        let (begin, mut rest) = (self.rest.len(), self.rest);
        let mut record = Record { row: self.row, cells: Vec::new(), torn: false };
        loop {
            let (mut cell, behind) = match rest.strip_prefix('"') {
                Some(quoted) => unquoted(quoted).ok_or(Code::UnclosedQuote)?,
                None => (String::new(), rest),
            };
            let end = behind.find([self.delimiter, '\n']).unwrap_or(behind.len());
            let (text, next) = behind.split_at(end);
            if begin - next.len() > MAX_ROW_BYTES {
                return Err(Code::RowTooLong);
            }
            if record.cells.len() == MAX_CELLS {
                return Err(Code::TooManyCells);
            }
            record.torn |= cell.contains('\n') && !text.trim().is_empty();
            cell.push_str(text);
            record.cells.push(cell);
            match next.strip_prefix(self.delimiter) {
                Some(next) => rest = next,
                None => {
                    self.rest = next.strip_prefix('\n').unwrap_or(next);
                    return Ok(record);
                }
            }
        }
    }
}

impl Iterator for Records<'_> {
    /// A record, or the row that can't be cut and why. Nothing follows an error.
    type Item = Result<Record, (u32, Code)>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            self.row = self.row.saturating_add(1);
            match self.cut() {
                Ok(record) if record.cells.iter().all(|cell| cell.trim().is_empty()) => {}
                Ok(record) => return Some(Ok(record)),
                Err(code) => {
                    self.rest = "";
                    return Some(Err((self.row, code)));
                }
            }
        }
        None
    }
}

/// What stands before the closing quotation mark, two for one undone, and what follows it. `None` when
/// there is none.
fn unquoted(mut rest: &str) -> Option<(String, &str)> {
    let mut inside = String::new();
    loop {
        let (text, behind) = rest.split_once('"')?;
        inside.push_str(text);
        match behind.strip_prefix('"') {
            Some(more) => {
                inside.push('"');
                rest = more;
            }
            None => return Some((inside, behind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u32, String)> {
        let text = decode(text.as_bytes()).unwrap();
        Records::new(&text, ',').map(|r| r.map(|r| (r.row, r.cells.join("/"))).unwrap()).collect()
    }

    fn refused(text: &str) -> (u32, Code) {
        let mut records = Records::new(text, ',');
        let refused = records.find_map(Result::err).unwrap();
        assert!(records.next().is_none(), "nothing follows an error");
        refused
    }

    #[test]
    fn rows_are_counted_as_a_spreadsheet_does() {
        let expected: Vec<(u32, String)> =
            [(1, "a/b"), (3, "c\nd/e"), (4, "f/"), (6, "g/h")].map(|(n, s)| (n, s.to_owned())).into();
        for end in ["", "\n"] {
            let text = format!("a,b\n\n\"c\nd\",e\nf,\n,\ng,h{end}");
            assert_eq!(rows(&text), expected);
            assert_eq!(rows(&text.replace('\n', "\r\n")), expected);
        }
        assert_eq!(rows("a,b\r\rc,d"), [(1, "a/b".to_owned()), (3, "c/d".to_owned())]);
        assert_eq!(rows("a,b\rc,d\n").len(), 2, "a file with both kinds of line ends");
    }

    #[test]
    fn quotation_marks() {
        assert_eq!(rows("\"a\"\"b\",\"\",c\"d\"\n")[0].1, "a\"b//c\"d\"");
        assert_eq!(refused("a,b\n\nc,\"d\ne,f\n"), (3, Code::UnclosedQuote));
        assert_eq!(refused("a,\""), (1, Code::UnclosedQuote));
        let torn = |text| Records::new(text, ',').next().unwrap().unwrap().torn;
        assert!(torn("a,\"b\nc,\"d\"\n") && torn("a,\"b\n\"c\",d\n"));
        assert!(!torn("a,\"b\nc\" ,d\n") && !torn("\"a\"b,c\n"));
    }

    #[test]
    fn long_rows_and_files_are_refused() {
        let cell = |n: usize| "x".repeat(n);
        assert_eq!(refused(&format!("a\n{},b\n", cell(MAX_ROW_BYTES))), (2, Code::RowTooLong));
        assert_eq!(refused(&format!("a\nb,\"{}\"\n", cell(MAX_ROW_BYTES))), (2, Code::RowTooLong));
        assert_eq!(refused(&",".repeat(MAX_CELLS)), (1, Code::TooManyCells));
        assert_eq!(rows(&format!("{}\na,b\n", cell(MAX_ROW_BYTES))).len(), 2);
        assert_eq!(decode(&vec![b'x'; MAX_FILE_BYTES + 1]), Err(Code::FileTooLarge));
    }

    #[test]
    fn encodings() {
        let text = "姓名,䶮";
        let gb = GB18030.encode(text).0;
        let utf_16: Vec<u8> =
            [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        for bytes in [text.as_bytes(), &["\u{FEFF}", text].concat().into_bytes(), &gb, &utf_16] {
            assert_eq!(decode(bytes).unwrap(), text);
        }
        assert_eq!(decode(b"PK\x03\x04..."), Err(Code::Spreadsheet));
        assert_eq!(decode(b"\xFF\x00\x81"), Err(Code::Undecodable));
        assert_eq!(decode(b"a\0b"), Err(Code::Undecodable));
    }
}

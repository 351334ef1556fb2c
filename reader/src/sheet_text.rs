//! A sheet as delimited text (SPEC §10.2): one line for each of its rows, so that line numbers are the sheet's own.

use crate::error::ReadError;
use crate::row::{Row, Rows};

/// Bytes of a piece; one row more may stand in it.
const PIECE: usize = (1 << 20) - (1 << 18);

/// Rows of a full sheet, of XLS and of all others: an export that ends here was cut.
const FULL: [u32; 2] = [65_536, 1_048_576];

/// Marks the text as UTF-8, whatever encoding a person chose for other files.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// What was in a sheet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The last row with a cell, from 1.
    pub(crate) rows: u32,
    /// Cells that look like an identity number, or like one that a spreadsheet has damaged.
    pub(crate) numbers: u64,
}

impl Ended {
    /// Whether the sheet ends where a sheet must end.
    pub(crate) fn is_full(&self) -> bool {
        FULL.contains(&self.rows)
    }
}

/// A sheet that is being written.
pub(crate) struct SheetText {
    rows: Box<dyn Rows>,
    row: Row,
    /// A row that waits for the empty ones before it.
    waiting: bool,
    begun: bool,
    ended: Ended,
    /// Lines written.
    lines: u32,
    over: bool,
}

impl SheetText {
    pub(crate) fn new(rows: Box<dyn Rows>) -> Self {
        Self {
            rows,
            row: Row::default(),
            waiting: false,
            begun: false,
            ended: Ended::default(),
            lines: 0,
            over: false,
        }
    }

    /// Rows as the file declares.
    pub(crate) fn declared(&self) -> Option<u32> {
        self.rows.declared()
    }

    /// What was in the sheet; none before its end.
    pub(crate) fn ended(&self) -> Option<Ended> {
        self.over.then_some(self.ended)
    }

    /// Where its rows came from.
    pub(crate) fn into_rows(self) -> Box<dyn Rows> {
        self.rows
    }

    /// The next piece; empty at the end.
    pub(crate) fn read(&mut self) -> Result<Vec<u8>, ReadError> {
        let mut out = Vec::with_capacity(PIECE + (1 << 17));
        while out.len() < PIECE && !self.over {
            if !self.waiting {
                self.row.begin(self.lines);
                if !self.rows.next(&mut self.row)? {
                    self.over = true;
                    break;
                }
                if self.row.is_empty() {
                    continue;
                }
                if self.row.index < self.lines {
                    return Err(ReadError::broken()); // rows out of order
                }
                self.waiting = true;
            }
            if !self.begun {
                out.extend_from_slice(MARK);
                self.begun = true;
            }
            let room = u32::try_from(PIECE.saturating_sub(out.len())).unwrap_or(0);
            let gap = self.row.index - self.lines;
            let blank = gap.min(room);
            out.resize(out.len() + usize::try_from(blank).unwrap_or(0), b'\n');
            self.lines += blank;
            if blank == gap {
                self.write_row(&mut out);
                self.lines += 1;
                self.waiting = false;
                self.ended.rows = self.lines;
            }
        }
        Ok(out)
    }

    fn write_row(&mut self, out: &mut Vec<u8>) {
        for (n, cell) in self.row.cells().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            self.ended.numbers += u64::from(looks_like_an_identity_number(cell));
            write_cell(cell, out);
        }
        out.push(b'\n');
    }
}

/// RFC 4180; a line break inside a cell becomes a blank.
fn write_cell(cell: &str, out: &mut Vec<u8>) {
    if !cell.bytes().any(|b| matches!(b, b',' | b'"' | b'\r' | b'\n')) {
        out.extend_from_slice(cell.as_bytes());
        return;
    }
    out.push(b'"');
    let mut after_return = false;
    for byte in cell.bytes() {
        match byte {
            b'\n' if after_return => {}
            b'\r' | b'\n' => out.push(b' '),
            b'"' => out.extend_from_slice(b"\"\""),
            byte => out.push(byte),
        }
        after_return = byte == b'\r';
    }
    out.push(b'"');
}

/// 15 or 18 digits, the last of 18 perhaps an X, or a number of 17 zeros' size. Blanks and marks around do not count.
fn looks_like_an_identity_number(cell: &str) -> bool {
    let kept = |c: &char| c.is_ascii_alphanumeric() || *c == '.' || *c == '+';
    let plain = cell.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if plain.len() > 24 || !plain.chars().all(|c| kept(&c)) {
        return false;
    }
    let digits = plain.bytes().filter(u8::is_ascii_digit).count();
    match plain.len() {
        18 => digits == 18 || (digits == 17 && plain.ends_with(['X', 'x'])),
        15 => digits == 15,
        _ => plain.ends_with("E+17") || plain.ends_with("E+14"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Given(std::vec::IntoIter<(u32, Vec<(u32, &'static str)>)>);

    impl Rows for Given {
        fn next(&mut self, row: &mut Row) -> Result<bool, ReadError> {
            let Some((index, cells)) = self.0.next() else { return Ok(false) };
            row.begin(index);
            cells.iter().try_for_each(|(column, text)| row.set(*column, text))?;
            Ok(true)
        }
    }

    fn sheet(rows: Vec<(u32, Vec<(u32, &'static str)>)>) -> SheetText {
        SheetText::new(Box::new(Given(rows.into_iter())))
    }

    fn all(mut sheet: SheetText) -> (String, Ended) {
        let mut out = Vec::new();
        loop {
            let piece = sheet.read().unwrap();
            assert!(piece.len() <= 1 << 20);
            if piece.is_empty() {
                return (String::from_utf8(out).unwrap(), sheet.ended().unwrap());
            }
            out.extend(piece);
        }
    }

    #[test]
    fn a_line_is_a_row() {
        let rows = vec![(1, vec![(0, "a,b"), (2, "x\r\n\"y\"")]), (4, vec![(0, "11010519491231002X")])];
        let (text, ended) = all(sheet(rows));
        assert_eq!(text, "\u{FEFF}\n\"a,b\",,\"x \"\"y\"\"\"\n\n\n11010519491231002X\n");
        assert_eq!(ended, Ended { rows: 5, numbers: 1 });
    }

    #[test]
    fn a_far_cell_costs_a_line_feed_for_each_row() {
        let (text, ended) = all(sheet(vec![(1_048_575, vec![(0, "x")])]));
        assert_eq!(text.len(), 3 + 1_048_575 + 2);
        assert!(ended.is_full());
        let error = sheet(vec![(1_048_575, vec![(16_383, "x")])]).read().unwrap_err();
        assert_eq!((error.code, error.numbers["row"]), ("too_many_columns", 1_048_576));
        assert_eq!(sheet(vec![(1_048_576, vec![(0, "x")])]).read().unwrap_err().code, "too_many_rows");
    }

    #[test]
    fn rows_out_of_order_are_refused() {
        let rows = vec![(3, vec![(0, "x")]), (2, vec![(0, "y")])];
        assert_eq!(sheet(rows).read().unwrap_err().code, "spreadsheet_broken");
    }

    #[test]
    fn an_empty_sheet_is_empty() {
        assert_eq!(all(sheet(vec![])), (String::new(), Ended::default()));
    }

    #[test]
    fn what_looks_like_an_identity_number() {
        for yes in [
            "11010519491231002X",
            " 110105194912310021\t",
            "=\"11010519491231002x\"",
            "5.1E+17",
            "110105491231002",
        ] {
            assert!(looks_like_an_identity_number(yes), "{yes}");
        }
        for no in ["", "1234.56", "6222021234567890123", "2026-10-31", "说明", "1E+15"] {
            assert!(!looks_like_an_identity_number(no), "{no}");
        }
    }
}

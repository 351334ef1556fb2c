//! Web pages that call themselves spreadsheets: all rows of all tables, as one sheet, which is how a spreadsheet opens them.

use std::io;

use html5gum::{HtmlString, IoReader, Spanned, StartTag, Token, Tokenizer};

use crate::archive::Bytes;
use crate::decode::Utf8;
use crate::error::ReadError;
use crate::row::{Row, Rows};

/// Columns that a cell may span; further ones are empty anyway.
const MAX_SPAN: u32 = 256;

/// The rows of a page.
pub(crate) struct PageRows {
    tokens: Tokenizer<IoReader<Utf8>>,
    /// Place of the next row.
    at: u32,
    column: u32,
    /// Rows that a cell above reaches down into a column.
    reaching: Vec<u32>,
    cell: Option<Cell>,
    in_row: bool,
    over: bool,
}

struct Cell {
    text: String,
    columns: u32,
    rows: u32,
}

impl PageRows {
    pub(crate) fn new(bytes: &Bytes) -> Self {
        Self {
            tokens: Tokenizer::new(IoReader::new(Utf8::of(bytes))),
            at: 0,
            column: 0,
            reaching: Vec::new(),
            cell: None,
            in_row: false,
            over: false,
        }
    }

    /// Ends the cell that is open, and puts it into the row.
    fn end_cell(&mut self, row: &mut Row) -> Result<(), ReadError> {
        let Some(cell) = self.cell.take() else { return Ok(()) };
        row.set(self.column, cell.text.trim_matches(|c: char| c.is_ascii_whitespace()))?;
        for column in self.column..self.column.saturating_add(cell.columns) {
            let at = usize::try_from(column).unwrap_or(usize::MAX);
            if cell.rows > 1 && column < MAX_SPAN {
                if self.reaching.len() <= at {
                    self.reaching.resize(at + 1, 0);
                }
                if let Some(reaching) = self.reaching.get_mut(at) {
                    *reaching = cell.rows;
                }
            }
        }
        self.column = self.column.saturating_add(cell.columns);
        Ok(())
    }

    /// Ends the row that is open; says whether there was one.
    fn end_row(&mut self, row: &mut Row) -> Result<bool, ReadError> {
        self.end_cell(row)?;
        if !std::mem::take(&mut self.in_row) {
            return Ok(false);
        }
        for reaching in &mut self.reaching {
            *reaching = reaching.saturating_sub(1);
        }
        Ok(true)
    }

    fn begin_row(&mut self, row: &mut Row) {
        row.begin(self.at);
        self.at = self.at.saturating_add(1);
        self.column = 0;
        self.in_row = true;
    }

    fn begin_cell(&mut self, tag: &StartTag<()>) {
        // A cell from above stands here.
        while self.reaching.get(usize::try_from(self.column).unwrap_or(usize::MAX)).is_some_and(|n| *n > 0) {
            self.column += 1;
        }
        let span = |name: &[u8]| {
            let value = tag.attributes.get(&HtmlString(name.to_vec()));
            let value =
                value.and_then(|value: &Spanned<HtmlString, ()>| std::str::from_utf8(&value.value).ok());
            value.and_then(|value| value.trim().parse::<u32>().ok()).unwrap_or(1)
        };
        let (columns, rows) = (span(b"colspan").clamp(1, MAX_SPAN), span(b"rowspan").clamp(1, u32::MAX));
        self.cell = Some(Cell { text: String::new(), columns, rows });
    }

    fn add(&mut self, text: &str) {
        if let Some(cell) = &mut self.cell {
            // Line breaks of the source are blanks; one is enough.
            for word in text.split_inclusive([' ', '\t', '\r', '\n']) {
                let (word, blank) = match word.strip_suffix([' ', '\t', '\r', '\n']) {
                    Some(word) => (word, true),
                    None => (word, false),
                };
                cell.text.push_str(word);
                if blank && !cell.text.ends_with(' ') {
                    cell.text.push(' ');
                }
            }
        }
    }

    /// Takes a token; says whether it completes a row.
    fn take(&mut self, token: Token<()>, row: &mut Row) -> Result<bool, ReadError> {
        match token {
            Token::StartTag(tag) => match tag.name.as_slice() {
                b"tr" => {
                    let complete = self.end_row(row)?;
                    if complete {
                        // The next row begins once this one is taken.
                        self.in_row = false;
                        return Ok(true);
                    }
                    self.begin_row(row);
                }
                b"td" | b"th" => {
                    self.end_cell(row)?;
                    if !self.in_row {
                        self.begin_row(row);
                    }
                    self.begin_cell(&tag);
                }
                b"br" | b"p" | b"div" => self.add(" "),
                b"table" => self.reaching.clear(),
                _ => {}
            },
            Token::EndTag(tag) => match tag.name.as_slice() {
                b"td" | b"th" => self.end_cell(row)?,
                b"tr" | b"table" => return self.end_row(row),
                _ => {}
            },
            Token::String(text) => self.add(&String::from_utf8_lossy(&text)),
            _ => {}
        }
        Ok(false)
    }
}

impl Rows for PageRows {
    fn next(&mut self, row: &mut Row) -> Result<bool, ReadError> {
        while !self.over {
            match self.tokens.next() {
                Some(Ok(token)) => {
                    if self.take(token, row)? {
                        return Ok(true);
                    }
                }
                Some(Err(error)) => {
                    let _: io::Error = error;
                    return Err(ReadError::broken());
                }
                None => {
                    self.over = true;
                    return self.end_row(row);
                }
            }
        }
        Ok(false)
    }
}

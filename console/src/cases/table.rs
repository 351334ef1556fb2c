//! Tables that come in by file: a heading that is looked for, columns that are known by it, and a row a record.

use desk::text::{self, Record, Records};

use super::template::Defect;

/// A column: key in the dictionary, heading of the template, whether a cell must be filled.
pub type Column = (&'static str, &'static str, bool);

/// The heading that every such table has.
const KNOWN_BY: &str = "证件号码";
/// Characters of a cell at most.
const LONGEST: usize = 100;

/// A file, taken apart.
pub(crate) struct Table {
    columns: &'static [Column],
    places: Vec<Option<usize>>,
    rows: Vec<Record>,
}

/// A record of a table, whose cells are asked for by column.
pub(crate) struct Line<'a> {
    table: &'a Table,
    record: &'a Record,
}

/// The template of a table as a file.
pub(crate) fn blank(columns: &[Column]) -> String {
    let headings: Vec<&str> = columns.iter().map(|(_, heading, _)| *heading).collect();
    format!("\u{FEFF}{}\r\n", headings.join(","))
}

/// Whether a line of `text` is a table's heading.
pub(crate) fn names_columns(text: &str) -> bool {
    let is_heading = |cell: &str| plain(cell.trim_matches('"')) == KNOWN_BY;
    text.lines().any(|line| line.contains(KNOWN_BY) && line.split(',').any(is_heading))
}

impl Table {
    /// Finds delimiter, heading and columns.
    ///
    /// # Errors
    /// The [`Defect`]s of the file, or of its heading.
    pub(crate) fn read(bytes: &[u8], columns: &'static [Column]) -> Result<Self, Vec<Defect>> {
        let whole = |row, code| vec![Defect { row, field: "column.file", code }];
        let text = text::decode(bytes).map_err(|code| whole(0, file_code(code)))?;
        let first = text.lines().find(|line| line.contains(KNOWN_BY)).unwrap_or("");
        let delimiter = ['\t', ';', ','].into_iter().max_by_key(|d| first.matches(*d).count()).unwrap_or(',');
        let mut records = Vec::new();
        for record in Records::new(&text, delimiter) {
            records.push(record.map_err(|(row, code)| whole(row, file_code(code)))?);
        }
        let is_heading = |record: &Record| record.cells.iter().any(|cell| plain(cell) == KNOWN_BY);
        let at = records.iter().position(is_heading).ok_or_else(|| whole(0, "defect.no_header"))?;
        let rows = records.split_off(at + 1);
        let header = records.pop().ok_or_else(|| whole(0, "defect.no_header"))?;
        let places = places(&header, columns)?;
        if rows.is_empty() {
            return Err(whole(0, "defect.no_rows"));
        }
        Ok(Self { columns, places, rows })
    }

    /// Its records.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.rows.iter().map(|record| Line { table: self, record })
    }
}

impl<'a> Line<'a> {
    /// The row, as a spreadsheet counts them.
    pub(crate) fn row(&self) -> u32 {
        self.record.row
    }

    /// The cell of a column, by its key; empty where there is none.
    pub(crate) fn cell(&self, key: &str) -> &'a str {
        let at = self.table.columns.iter().position(|(column, ..)| *column == key);
        let place = at.and_then(|at| self.table.places.get(at)).copied().flatten();
        place.and_then(|at| self.record.cells.get(at)).map_or("", |cell| unwrapped(cell))
    }

    /// What is wrong whatever the columns mean; whether those in `excused` are filled is looked at elsewhere.
    pub(crate) fn wrong(&self, excused: &[&str]) -> Vec<Defect> {
        let defect = |field, code| Defect { row: self.record.row, field, code };
        let mut defects = Vec::new();
        if self.record.torn || self.record.cells.iter().any(|cell| cell.trim().contains('\n')) {
            defects.push(defect("column.file", "defect.line_break"));
        }
        for (field, _, required) in self.table.columns {
            let text = self.cell(field);
            if text.is_empty() && *required && !excused.contains(field) {
                defects.push(defect(field, "defect.missing"));
            } else if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
                defects.push(defect(field, "defect.bad_text"));
            }
        }
        defects
    }
}

fn places(header: &Record, columns: &[Column]) -> Result<Vec<Option<usize>>, Vec<Defect>> {
    let (mut places, mut defects) = (Vec::new(), Vec::new());
    for (field, heading, required) in columns.iter().copied() {
        let mut found = header.cells.iter().enumerate().filter(|(_, cell)| plain(cell) == heading);
        let place = found.next().map(|(at, _)| at);
        if found.next().is_some() {
            defects.push(Defect { row: header.row, field, code: "defect.ambiguous_column" });
        }
        if place.is_none() && required {
            defects.push(Defect { row: header.row, field, code: "defect.missing_column" });
        }
        places.push(place);
    }
    if defects.is_empty() { Ok(places) } else { Err(defects) }
}

fn file_code(code: desk::defect::Code) -> &'static str {
    use desk::defect::Code;
    match code {
        Code::Spreadsheet => "defect.spreadsheet",
        Code::FileTooLarge => "defect.too_large",
        Code::UnclosedQuote => "defect.unclosed_quote",
        Code::Undecodable => "defect.undecodable",
        _ => "defect.file",
    }
}

fn plain(cell: &str) -> String {
    cell.chars().filter(|c| !c.is_whitespace() && !matches!(c, '*' | '＊' | '\u{FEFF}')).collect()
}

/// A cell without the ways that force a spreadsheet to show text.
fn unwrapped(cell: &str) -> &str {
    let cell = cell.trim();
    let cell = cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or(cell);
    cell.strip_prefix('\'').unwrap_or(cell).trim()
}

//! XML Spreadsheet 2003, which many systems write and call `.xls`.

use crate::archive::Bytes;
use crate::decode::Utf8;
use crate::error::ReadError;
use crate::markup::{Markup, Part, attribute, number};
use crate::number as figures;
use crate::row::{Row, Rows};

fn markup(bytes: &Bytes) -> Markup {
    Markup::new(Box::new(Utf8::of(bytes)))
}

/// Names of the sheets, and whether each is hidden.
pub(crate) fn sheets(bytes: &Bytes) -> Result<Vec<(String, bool)>, ReadError> {
    let mut markup = markup(bytes);
    let mut sheets: Vec<(String, bool)> = Vec::new();
    let mut in_visible = false;
    loop {
        match markup.next()? {
            Part::Begin(element) => match element.local_name().as_ref() {
                "Worksheet" => sheets.push((attribute(&element, "Name")?.unwrap_or_default(), false)),
                "Visible" => in_visible = true,
                _ => {}
            },
            Part::Text(text) if in_visible && text.starts_with("SheetHidden") => {
                if let Some((_, hidden)) = sheets.last_mut() {
                    *hidden = true;
                }
            }
            Part::End(name) if name == "Visible" => in_visible = false,
            Part::Over => return Ok(sheets),
            _ => {}
        }
    }
}

/// The rows of a sheet.
pub(crate) fn sheet(bytes: &Bytes, index: usize) -> Result<XmlRows, ReadError> {
    let mut markup = markup(bytes);
    let mut at = 0;
    loop {
        match markup.next()? {
            Part::Begin(element) if element.local_name().as_ref() == "Worksheet" => {
                if at == index {
                    return Ok(XmlRows { markup, at: 0, over: false });
                }
                at += 1;
            }
            Part::Over => return Err(ReadError::broken()),
            _ => {}
        }
    }
}

/// The rows of a worksheet.
pub(crate) struct XmlRows {
    markup: Markup,
    /// Place of the next row.
    at: u32,
    over: bool,
}

impl Rows for XmlRows {
    fn next(&mut self, row: &mut Row) -> Result<bool, ReadError> {
        loop {
            if self.over {
                return Ok(false);
            }
            match self.markup.next()? {
                Part::Begin(element) if element.local_name().as_ref() == "Row" => {
                    let at = number(&element, "Index", self.at.saturating_add(1))?;
                    row.begin(at.checked_sub(1).ok_or(ReadError::broken())?);
                    self.at = at;
                    return self.cells(row).map(|()| true);
                }
                Part::End(name) if name == "Worksheet" => self.over = true,
                Part::Over => return Err(ReadError::broken()),
                _ => {}
            }
        }
    }
}

impl XmlRows {
    /// Fills the row up to its end.
    fn cells(&mut self, row: &mut Row) -> Result<(), ReadError> {
        let (mut column, mut covered) = (0_u32, 0_u32);
        let (mut kind, mut text) = (None, String::new());
        let (mut in_data, mut in_comment) = (false, false);
        loop {
            match self.markup.next()? {
                Part::Begin(element) => match element.local_name().as_ref() {
                    "Cell" => {
                        let next = number(&element, "Index", column.saturating_add(1))?;
                        column = next.checked_sub(1).ok_or(ReadError::broken())?;
                        covered = number(&element, "MergeAcross", 0)?;
                        (kind, in_data, in_comment) = (None, false, false);
                        text.clear();
                    }
                    "Comment" => in_comment = true,
                    "Data" if !in_comment => {
                        kind = attribute(&element, "Type")?;
                        in_data = true;
                    }
                    _ => {}
                },
                Part::Text(part) if in_data && !in_comment => text.push_str(&part),
                Part::End(name) => match name.as_str() {
                    "Comment" => in_comment = false,
                    "Data" if !in_comment => in_data = false,
                    "Cell" => {
                        row.set(column, &value(kind.as_deref(), &text))?;
                        column = column.saturating_add(1).saturating_add(covered);
                    }
                    "Row" => return Ok(()),
                    _ => {}
                },
                Part::Over => return Err(ReadError::broken()),
                Part::Text(_) => {}
            }
        }
    }
}

fn value(kind: Option<&str>, text: &str) -> String {
    match kind {
        Some("Number") => text.trim().parse().map_or_else(|_| text.to_owned(), figures::text),
        Some("DateTime") => figures::iso_date(text),
        Some("Boolean") => if text == "1" { "TRUE" } else { "FALSE" }.to_owned(),
        _ => text.to_owned(),
    }
}

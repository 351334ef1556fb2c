//! ODS, and OpenDocument in one file: its sheets stand one behind the other in one XML text (OpenDocument 1.2, part 1, §9).

use std::io::Read;

use quick_xml::events::BytesStart;

use crate::archive::{Bytes, Entry};
use crate::decode::Utf8;
use crate::error::ReadError;
use crate::markup::{Markup, Part, attribute, number};
use crate::number as figures;
use crate::row::{MAX_ROWS, Row, Rows};

/// Where the text is.
#[derive(Clone)]
pub(crate) struct OpenDocument {
    bytes: Bytes,
    flat: bool,
}

impl OpenDocument {
    /// An archive, or one XML file (`flat`).
    pub(crate) fn new(bytes: &Bytes, flat: bool) -> Self {
        Self { bytes: bytes.clone(), flat }
    }

    fn markup(&self) -> Result<Markup, ReadError> {
        let text: Box<dyn Read> = if self.flat {
            Box::new(Utf8::of(&self.bytes))
        } else {
            Box::new(Entry::open(&self.bytes, "content.xml")?)
        };
        Ok(Markup::new(text))
    }

    /// A locked document says so in its manifest.
    pub(crate) fn check_lock(&self) -> Result<(), ReadError> {
        let mut manifest = String::new();
        if let Ok(entry) = Entry::open(&self.bytes, "META-INF/manifest.xml") {
            entry.take(1 << 20).read_to_string(&mut manifest).map_err(|_| ReadError::broken())?;
        }
        if manifest.contains("encryption-data") { Err(ReadError::password()) } else { Ok(()) }
    }

    /// Names of the sheets, and whether each is hidden.
    pub(crate) fn sheets(&self) -> Result<Vec<(String, bool)>, ReadError> {
        let mut markup = self.markup()?;
        let (mut sheets, mut hidden, mut style) = (Vec::new(), Vec::new(), None);
        loop {
            match markup.next()? {
                Part::Begin(element) => match element.local_name().as_ref() {
                    "table" => {
                        let name = attribute(&element, "name")?.unwrap_or_default();
                        let style = attribute(&element, "style-name")?;
                        sheets.push((name, style.is_some_and(|style| hidden.contains(&style))));
                    }
                    "style" => style = attribute(&element, "name")?,
                    "table-properties" if attribute(&element, "display")?.as_deref() == Some("false") => {
                        hidden.extend(style.take());
                    }
                    _ => {}
                },
                Part::Over => return Ok(sheets),
                _ => {}
            }
        }
    }

    /// The rows of a sheet.
    pub(crate) fn sheet(&self, index: usize) -> Result<TableRows, ReadError> {
        let mut markup = self.markup()?;
        let mut at = 0;
        loop {
            match markup.next()? {
                Part::Begin(element) if element.local_name().as_ref() == "table" => {
                    if at == index {
                        return Ok(TableRows { markup, at: 0, again: 0, cells: Vec::new(), over: false });
                    }
                    at += 1;
                }
                Part::Over => return Err(ReadError::broken()),
                _ => {}
            }
        }
    }
}

/// The rows of a table.
pub(crate) struct TableRows {
    markup: Markup,
    /// Place of the next row.
    at: u32,
    /// How often `cells` stands there once more.
    again: u32,
    cells: Vec<(u32, String)>,
    over: bool,
}

impl Rows for TableRows {
    fn next(&mut self, row: &mut Row) -> Result<bool, ReadError> {
        while self.again == 0 {
            if self.over {
                return Ok(false);
            }
            match self.markup.next()? {
                Part::Begin(element) if element.local_name().as_ref() == "table-row" => {
                    self.again = number(&element, "number-rows-repeated", 1)?;
                    self.cells = cells(&mut self.markup)?;
                    if self.cells.is_empty() {
                        self.at = self.at.saturating_add(self.again).min(MAX_ROWS);
                        self.again = 0;
                    }
                }
                Part::End(name) if name == "table" => self.over = true,
                Part::Over => return Err(ReadError::broken()),
                _ => {}
            }
        }
        self.again -= 1;
        row.begin(self.at);
        self.at = self.at.saturating_add(1);
        self.cells.iter().try_for_each(|(column, text)| row.set(*column, text))?;
        Ok(true)
    }
}

/// The cells of a row that have a text, up to the row's end.
fn cells(markup: &mut Markup) -> Result<Vec<(u32, String)>, ReadError> {
    let mut cells = Vec::new();
    let mut column = 0_u32;
    loop {
        match markup.next()? {
            Part::Begin(element) => {
                let name = element.local_name();
                if !matches!(name.as_ref(), "table-cell" | "covered-table-cell") {
                    continue;
                }
                let repeated = number(&element, "number-columns-repeated", 1)?;
                let name = name.as_ref().to_owned();
                let value = value(&element)?;
                let shown = shown_text(markup, &name)?;
                let text = value.unwrap_or(shown);
                if !text.is_empty() {
                    // One column more than is taken is enough to be refused.
                    let last = column.saturating_add(repeated.min(257));
                    cells.extend((column..last).map(|column| (column, text.clone())));
                }
                column = column.saturating_add(repeated);
            }
            Part::End(name) if name == "table-row" => return Ok(cells),
            Part::Over => return Err(ReadError::broken()),
            _ => {}
        }
    }
}

/// What the cell holds, where that is not its text.
fn value(element: &BytesStart<'_>) -> Result<Option<String>, ReadError> {
    let number = || -> Result<Option<String>, ReadError> {
        let Some(value) = attribute(element, "value")? else { return Ok(None) };
        Ok(Some(figures::text(value.trim().parse().map_err(|_| ReadError::broken())?)))
    };
    Ok(match attribute(element, "value-type")?.as_deref() {
        Some("float" | "currency" | "percentage") => number()?,
        Some("date") => attribute(element, "date-value")?.map(|date| figures::iso_date(&date)),
        Some("boolean") => attribute(element, "boolean-value")?.map(|truth| truth.to_ascii_uppercase()),
        Some("string") => attribute(element, "string-value")?,
        _ => None,
    })
}

/// The text of a cell up to its end: paragraphs, but no notes and no drawings.
fn shown_text(markup: &mut Markup, cell: &str) -> Result<String, ReadError> {
    let mut text = String::new();
    let mut paragraphs = 0_u32;
    let mut depth = 0_u32;
    // Depth inside a note or a drawing.
    let mut aside = 0_u32;
    loop {
        match markup.next()? {
            Part::Begin(element) => {
                let name = element.name();
                let is_aside = name.as_ref().starts_with("draw:") || name.as_ref() == "office:annotation";
                if aside > 0 || is_aside {
                    aside += 1;
                    continue;
                }
                match element.local_name().as_ref() {
                    "p" => {
                        if paragraphs > 0 {
                            text.push(' ');
                        }
                        paragraphs += 1;
                        depth += 1;
                    }
                    "s" => {
                        let blanks = number(&element, "c", 1)?.min(256);
                        text.extend(std::iter::repeat_n(' ', usize::try_from(blanks).unwrap_or(1)));
                    }
                    "tab" | "line-break" => text.push(' '),
                    _ => {}
                }
            }
            Part::End(_) if aside > 0 => aside -= 1,
            Part::End(name) if name == cell => return Ok(text),
            Part::End(name) if name == "p" => depth = depth.saturating_sub(1),
            Part::Text(part) if aside == 0 && depth > 0 => text.push_str(&part),
            Part::Over => return Err(ReadError::broken()),
            _ => {}
        }
    }
}

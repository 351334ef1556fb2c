//! Spreadsheets that bring a batch in: the template of one, and what was filled in, of which the reader module makes
//! delimited text whose lines are the sheet's own rows.

use desk::text;
use runner::{Instance, RunError, sheets};
use rust_xlsxwriter::{DataValidation, Format, Workbook, XlsxError};
use zeroize::Zeroizing;

use super::table::{Column, names_columns};
use super::template::Defect;
use crate::edge::Modules;

/// Rows of a template that are made ready.
const ROWS: u32 = 10_000;
/// Characters that a column is wide for each character of its heading.
const WIDE: usize = 3;

/// The template of a table as an XLSX file. All its cells are text, so that a number keeps its 18 digits and a day the
/// way it was typed; a column of few `words` offers them, and refuses others; one that is chosen shows its `hint`.
///
/// # Errors
/// Where the library finds something wrong with what is written here.
pub fn blank(
    columns: &[Column],
    words: impl Fn(&str) -> Vec<&'static str>,
    hint: impl Fn(&str) -> &'static str,
) -> Result<Vec<u8>, XlsxError> {
    let text = Format::new().set_num_format("@");
    let heading = text.clone().set_bold();
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (at, (key, name, _)) in (0_u16..).zip(columns) {
        let wide = u16::try_from(WIDE * name.chars().count()).unwrap_or(u16::MAX);
        sheet.set_column_width(at, wide.max(10))?.set_column_format(at, &text)?;
        sheet.write_string_with_format(0, at, *name, &heading)?;
        let offered = words(key);
        let checked = if offered.is_empty() {
            DataValidation::new()
        } else {
            DataValidation::new().allow_list_strings(&offered)?
        };
        let checked = checked.set_input_title(*name)?.set_input_message(hint(key))?;
        sheet.add_data_validation(1, at, ROWS, at, &checked)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    book.save_to_buffer()
}

/// The text of the one sheet that lists people. Sheets without the template's heading are passed over, unless something
/// in them looks like an identity number.
///
/// # Errors
/// What is wrong with the file as a whole.
pub fn text(modules: &dyn Modules, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, Vec<Defect>> {
    let whole = |code| vec![Defect { row: 0, field: "column.file", code }];
    let mut reader = modules.reader().map_err(|_| whole("defect.spreadsheet"))?;
    read(&mut *reader, bytes).map_err(whole)
}

/// The same with a fresh instance of the reader; what is wrong is a key of the dictionary, `defect.…`.
///
/// # Errors
/// What is wrong with the file as a whole.
pub fn read(reader: &mut dyn Instance, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let length = u64::try_from(bytes.len()).map_err(|_| "defect.too_large")?;
    let workbook = sheets::open(reader, &mut &*bytes, length).map_err(|error| code(&error))?;
    let mut people: Option<Zeroizing<Vec<u8>>> = None;
    let mut looks_like_people = false;
    for (index, _) in (0_u32..).zip(&workbook.sheets) {
        let (text, ended) = sheet(reader, index)?;
        if !std::str::from_utf8(&text).is_ok_and(names_columns) {
            looks_like_people |= ended.numbers > 0;
            continue;
        }
        if ended.full {
            return Err("defect.sheet_full");
        }
        if people.replace(text).is_some() {
            return Err("defect.several_sheets");
        }
    }
    match people {
        Some(_) if looks_like_people => Err("defect.stray_sheet"),
        Some(text) => Ok(text),
        None => Err("defect.no_header"),
    }
}

fn sheet(reader: &mut dyn Instance, index: u32) -> Result<(Zeroizing<Vec<u8>>, sheets::Ended), &'static str> {
    let (mut text, mut fits) = (Zeroizing::new(Vec::new()), true);
    let ended = sheets::sheet(reader, index, &mut |piece| {
        let piece = Zeroizing::new(piece);
        fits = text.len() + piece.len() <= text::MAX_FILE_BYTES;
        if fits {
            text.extend_from_slice(&piece);
        }
        fits
    });
    match ended {
        _ if !fits => Err("defect.too_large"),
        Ok(ended) => Ok((text, ended)),
        Err(error) => Err(code(&error)),
    }
}

/// The sentence of what the reader refuses.
fn code(error: &RunError) -> &'static str {
    let RunError::Refused(refusal) = error else { return "defect.spreadsheet_broken" };
    match refusal.code.as_str() {
        "spreadsheet_password" => "defect.spreadsheet_password",
        "spreadsheet_unknown" => "defect.spreadsheet_unknown",
        "spreadsheet_limit"
        | "spreadsheet_stopped"
        | "too_many_rows"
        | "too_many_columns"
        | "line_too_long" => "defect.spreadsheet_limit",
        _ => "defect.spreadsheet_broken",
    }
}

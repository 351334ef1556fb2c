//! A spreadsheet as an import: the reader module makes delimited text of it, whose lines are the sheet's own rows.

use desk::text;
use runner::{Instance, RunError, sheets};
use zeroize::Zeroizing;

use super::table::names_columns;
use super::template::Defect;
use crate::edge::Modules;

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

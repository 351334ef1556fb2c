//! A look at a file before it is read: what the page shows for confirming (SPEC §10, `preview`).

use crate::error::ModuleError;
use crate::layout::{Layout, Sample, TableOptions};
use crate::roles::{self, Role};
use crate::text::SAMPLE_BYTES;

/// Data rows that are shown.
const SHOWN_ROWS: usize = 8;
/// Characters of a cell that are shown.
const SHOWN_CHARS: usize = 40;

protocol::json_reply! {
    /// What the page shows.
    #[derive(Debug)]
    pub struct Preview {
        encoding: &'static str,
        delimiter: String,
        grain: protocol::coverage::Grain,
        /// Which record is the heading, from 1; 0 for none.
        header_row: usize,
        columns: Vec<PreviewColumn>,
        /// First rows; identity numbers, names and accounts masked.
        rows: Vec<Vec<String>>,
        /// Why the file can't be read as it stands, when it can't: the person may still choose columns.
        problem: Option<ModuleError>,
    }
}

protocol::json_reply! {
    #[derive(Debug)]
    struct PreviewColumn {
        heading: String,
        role: Option<Role>,
        ten_thousand: bool,
    }
}

/// Looks at the first bytes of a file; more than 64 KiB are not looked at.
///
/// # Errors
/// As [`Layout::find`], except that a missing identity column still gives a preview.
pub fn preview(bytes: &[u8], options: &TableOptions) -> Result<Preview, ModuleError> {
    let complete = bytes.len() < SAMPLE_BYTES;
    let sample = bytes.get(..SAMPLE_BYTES).unwrap_or(bytes);
    let (layout, problem) = match Layout::find(sample, complete, options) {
        Ok(layout) => (layout, None),
        Err(error) if error.code == "no_id_column" => {
            // Show the table all the same, with its first column standing in for the missing one.
            let stand_in = TableOptions {
                columns: Some(vec![Some(Role::IdNumber)]),
                header_row: Some(options.header_row.unwrap_or(1)),
                ..options.clone()
            };
            (Layout::find(sample, complete, &stand_in)?, Some(error))
        }
        Err(error) => return Err(error),
    };
    let limit = layout.data_from + SHOWN_ROWS;
    let sample = Sample::read(sample, layout.encoding, layout.delimiter, limit, complete);
    let text =
        |field: &Vec<u8>| sample.stage.field_lossy(field).chars().take(SHOWN_CHARS).collect::<String>();
    let shown: Vec<&Vec<Vec<u8>>> = sample.records.iter().skip(layout.data_from).collect();
    let width = shown.iter().map(|r| r.len()).max().unwrap_or(0).max(layout.heading.len());
    let columns: Vec<PreviewColumn> = (0..width)
        .map(|i| {
            let heading = layout.heading.get(i).map(text).unwrap_or_default();
            let (guessed, unit) = roles::guess(&heading);
            let role = match &options.columns {
                Some(columns) => columns.get(i).copied().flatten(),
                None => guessed,
            };
            PreviewColumn { heading, role, ten_thousand: unit == crate::cell::Unit::TenThousand }
        })
        .collect();
    let rows = shown
        .into_iter()
        .map(|record| {
            let cells = record.iter().zip(columns.iter().map(|c| c.role).chain(std::iter::repeat(None)));
            cells.map(|(field, role)| mask(&text(field), role)).collect()
        })
        .collect();
    Ok(Preview {
        encoding: layout.encoding.word(),
        delimiter: layout.delimiter.name(),
        grain: layout.grain,
        header_row: layout.data_from,
        columns,
        rows,
        problem,
    })
}

/// Hides what a person looking over the shoulder should not read: long runs of digits always, names too.
fn mask(text: &str, role: Option<Role>) -> String {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    match role {
        Some(Role::Name) => text.chars().enumerate().map(|(i, c)| if i == 0 { c } else { '*' }).collect(),
        Some(Role::IdNumber | Role::Account) => hide_middle(text),
        _ if digits >= 11 => hide_middle(text),
        _ => text.to_owned(),
    }
}

fn hide_middle(text: &str) -> String {
    let length = text.chars().count();
    let hidden = |i: usize| length > 4 && i >= 4.min(length / 3) && i + 2 < length;
    text.chars().enumerate().map(|(i, c)| if hidden(i) { '*' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::json::ToJson as _;

    #[test]
    fn a_preview_masks_people() {
        let file = "客户名称,证件号码,余额,客户经理\n张三丰,11010519491231002X,12.5,李四\n";
        let json = preview(file.as_bytes(), &TableOptions::default()).unwrap().to_json().to_string();
        assert!(
            json.contains("张**") && json.contains("1101************2X") && json.contains("12.5"),
            "{json}"
        );
        assert!(!json.contains("19491231"));
    }

    #[test]
    fn a_file_without_identity_column_can_still_be_seen() {
        let preview = preview("客户,余额\n张三,5\n".as_bytes(), &TableOptions::default()).unwrap();
        assert_eq!(preview.problem.unwrap().code, "no_id_column");
        assert_eq!(preview.columns.len(), 2);
    }
}

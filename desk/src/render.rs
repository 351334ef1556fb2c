//! Showing a [`ResultTable`]: CSV for spreadsheets, JSON for programs, columns for a screen.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::table::{Entry, ResultRow, ResultTable};

/// Whether a screen shows identity and account numbers in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Masking {
    /// First six and last four characters.
    Masked,
    /// In full.
    Plain,
}

impl ResultTable {
    /// The rows as CSV (RFC 4180, UTF-8 with a byte mark). Texts are quoted, and one that a spreadsheet would take
    /// for a formula gets a leading `'`; numbers stand as they are. It holds personal data in clear.
    pub fn to_csv(&self) -> String {
        let mut out = String::from("\u{FEFF}");
        out.push_str(&CSV_COLUMNS.join(","));
        out.push_str("\r\n");
        for row in &self.rows {
            out.push_str(&csv_cells(row).join(","));
            out.push_str("\r\n");
        }
        out
    }

    /// Rows, coverage and warnings as JSON. It holds personal data in clear.
    ///
    /// # Errors
    /// Never for a table that [`crate::opening::open_answers`] made.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    /// The rows in columns that line up where Han characters are two columns wide, then [`Self::to_summary`].
    pub fn to_screen(&self, masking: Masking) -> String {
        let rows = self.rows.iter().map(|row| screen_cells(row, masking)).collect::<Vec<_>>();
        format!("{}\n{}", columns(&SCREEN_COLUMNS, &rows), self.to_summary())
    }

    /// What each institution looked at, and what is odd about its answer: nobody's data.
    pub fn to_summary(&self) -> String {
        let mut out = String::new();
        for c in &self.coverage {
            let head = format!("{} {}, as of {}", c.institution, harmless(&c.institution_name), c.as_of);
            out.push_str(&match &c.answer {
                None => format!("{head}: no answer yet\n"),
                Some(a) => format!(
                    "{head}: version {}, {} rows read, {} valid, {} set aside, {} not personal\n",
                    a.version,
                    a.statement.rows,
                    a.statement.valid,
                    a.statement.quarantined.values().sum::<u64>(),
                    a.statement.not_personal,
                ),
            });
        }
        for warning in &self.warnings {
            out.push_str(&format!("warning: {warning}\n"));
        }
        out
    }
}

const CSV_COLUMNS: [&str; 24] = [
    "applicant_row",
    "name",
    "id_number",
    "household",
    "institution",
    "institution_name",
    "as_of",
    "found",
    "entry",
    "over_line",
    "kind",
    "currency",
    "minor",
    "amount",
    "accounts",
    "blank",
    "oldest",
    "newest",
    "account",
    "product",
    "status",
    "name_flags",
    "matched",
    "notes",
];

fn csv_cells(row: &ResultRow) -> Vec<String> {
    let text = |text: &str| csv_text(text);
    let number = |n: Option<String>| n.unwrap_or_default();
    vec![
        row.applicant_row.to_string(),
        text(&row.name),
        text(&row.id_number),
        text(&row.household),
        text(row.institution.as_str()),
        text(&row.institution_name),
        text(&row.as_of.to_string()),
        text(found(row)),
        text(entry(row.entry)),
        text(row.over_line.map_or("", yes)),
        text(row.kind.unwrap_or_default()),
        text(&row.currency.map(|c| c.to_string()).unwrap_or_default()),
        number(row.minor.map(|n| n.to_string())),
        number(row.amount.clone()),
        number(row.accounts.map(|n| n.to_string())),
        number(row.blank.map(|n| n.to_string())),
        text(&row.oldest.map(|d| d.to_string()).unwrap_or_default()),
        text(&row.newest.map(|d| d.to_string()).unwrap_or_default()),
        text(row.account.as_deref().unwrap_or_default()),
        text(row.product.as_deref().unwrap_or_default()),
        text(row.status.unwrap_or_default()),
        text(&row.name_flags.join(" ")),
        text(&row.matched.join(" ")),
        text(&row.notes.join(" ")),
    ]
}

/// A quoted text that no spreadsheet takes for a formula (OWASP ASVS 1.2.10).
pub fn csv_text(text: &str) -> String {
    let starts_formula = |c: char| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    let starts_blank = text.starts_with(['\t', '\r', '\n', '\0']);
    let guard = if starts_blank || text.trim_start().starts_with(starts_formula) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

const SCREEN_COLUMNS: [(&str, Align); 12] = [
    ("row", Align::Right),
    ("name", Align::Left),
    ("number", Align::Left),
    ("institution", Align::Left),
    ("record", Align::Left),
    ("kind", Align::Left),
    ("account", Align::Left),
    ("amount", Align::Right),
    ("accounts", Align::Right),
    ("newest", Align::Left),
    ("name check", Align::Left),
    ("notes", Align::Left),
];

fn screen_cells(row: &ResultRow, masking: Masking) -> Vec<String> {
    let masked = |number: &str| match masking {
        Masking::Masked => mask(number),
        Masking::Plain => number.to_owned(),
    };
    let amount = match (&row.amount, row.currency) {
        (Some(amount), Some(currency)) => format!("{amount} {currency}"),
        (None, Some(currency)) => currency.to_string(),
        _ => String::new(),
    };
    let former: Vec<&str> = row.matched.iter().map(String::as_str).filter(|m| *m != "current").collect();
    let record = match row.over_line {
        Some(true) => "over the line",
        Some(false) if row.found == Some(true) => "not over the line",
        _ => found(row),
    };
    let account = row.account.as_deref().map(masked).unwrap_or_default();
    vec![
        row.applicant_row.to_string(),
        row.name.clone(),
        masked(&row.id_number),
        row.institution_name.clone(),
        record.to_owned(),
        row.kind.unwrap_or_default().to_owned(),
        [account.as_str(), row.product.as_deref().unwrap_or_default(), row.status.unwrap_or_default()]
            .join(" "),
        amount,
        row.accounts.map(|n| n.to_string()).unwrap_or_default(),
        row.newest.map(|d| d.to_string()).unwrap_or_default(),
        row.name_flags.join(" "),
        former.iter().chain(&row.notes).copied().collect::<Vec<_>>().join(" "),
    ]
}

fn found(row: &ResultRow) -> &'static str {
    match row.found {
        Some(true) => "found",
        Some(false) => "no record",
        None => "no answer yet",
    }
}

fn entry(entry: Entry) -> &'static str {
    match entry {
        Entry::Outcome => "outcome",
        Entry::Total => "total",
        Entry::Account => "account",
    }
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

/// First six and last four characters; of a short number, the first and last.
fn mask(number: &str) -> String {
    let length = number.chars().count();
    let (first, last) = if length > 10 { (6, 4) } else { (1, 1) };
    let hide = |(at, c)| if at < first || at + last >= length { c } else { '*' };
    number.chars().enumerate().map(hide).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Align {
    Left,
    Right,
}

fn columns(headings: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| harmless(cell)).collect()).collect();
    let widest =
        |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width()).max().unwrap_or(0);
    // A column that is empty everywhere is left out.
    let kept: Vec<(usize, usize, &str, Align)> = headings
        .iter()
        .enumerate()
        .map(|(at, (heading, align))| (at, widest(at), *heading, *align))
        .filter(|(_, width, ..)| *width > 0)
        .map(|(at, width, heading, align)| (at, width.max(heading.width()), heading, align))
        .collect();
    let line = |cell: &dyn Fn(usize, &str) -> String| {
        let cells = kept.iter().map(|(at, width, heading, align)| pad(&cell(*at, heading), *width, *align));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let mut out = line(&|_, heading| heading.to_owned());
    out.push_str(&line(&|at, _| "-".repeat(kept.iter().find(|k| k.0 == at).map_or(0, |k| k.1))));
    for row in &rows {
        out.push_str(&line(&|at, _| row.get(at).cloned().unwrap_or_default()));
    }
    out
}

fn pad(cell: &str, width: usize, align: Align) -> String {
    let space = " ".repeat(width.saturating_sub(cell.width()));
    match align {
        Align::Left => format!("{cell}{space}"),
        Align::Right => format!("{space}{cell}"),
    }
}

/// Trims, and replaces what could steer a terminal or turn the direction of writing: names and products
/// come from elsewhere.
fn harmless(cell: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
            || (c.width() == Some(0) && !matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}'))
    };
    cell.trim().chars().map(|c| if steers(c) { '\u{FFFD}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_a_formula() {
        for text in ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", " =1", "＝1", "＋1", "－1", "＠a", "\0="] {
            assert!(csv_text(text).starts_with("\"'"), "{text:?}");
        }
        assert_eq!(csv_text("a\"b,c\n"), "\"a\"\"b,c\n\"");
        assert_eq!(csv_text("11010519491231002X"), "\"11010519491231002X\"");
    }

    #[test]
    fn masks() {
        assert_eq!(mask("11010519491231002X"), "110105********002X");
        assert_eq!(mask("E12345678"), "E*******8");
        assert_eq!(mask(""), "");
        assert_eq!(mask("1"), "1");
    }

    #[test]
    fn columns_line_up_and_terminals_are_safe() {
        let rows = [vec!["张三".to_owned(), "1".to_owned()], vec!["Li\u{1B}[2J".to_owned(), "20".to_owned()]];
        let text = columns(&[("name", Align::Left), ("n", Align::Right), ("none", Align::Left)], &rows);
        assert_eq!(text, "name     n\n------  --\n张三     1\nLi\u{FFFD}[2J  20\n");
    }
}

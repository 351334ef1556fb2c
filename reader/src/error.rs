//! What the reader says when it refuses a file: a code for the page's dictionary, a sentence, and counts. Never a value
//! from the file, and so never a library's own message.

use std::collections::BTreeMap;

use serde_json::json;

/// Why a file, or a request, is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// Stable code.
    pub code: &'static str,
    /// What it is about.
    pub field: &'static str,
    /// One English sentence.
    pub message: &'static str,
    /// Counts and row numbers that belong to it.
    pub numbers: BTreeMap<&'static str, u64>,
}

impl ReadError {
    const fn of_file(code: &'static str, message: &'static str) -> Self {
        Self { code, field: "file", message, numbers: BTreeMap::new() }
    }

    /// The file is locked with a password.
    pub(crate) const fn password() -> Self {
        Self::of_file("spreadsheet_password", "protected by a password: save a copy without it")
    }

    /// An archive or a container of something else.
    pub(crate) const fn unknown() -> Self {
        Self::of_file("spreadsheet_unknown", "an archive or a document, but no spreadsheet")
    }

    /// Cut short, or not as its format says.
    pub(crate) const fn broken() -> Self {
        Self::of_file("spreadsheet_broken", "the spreadsheet is cut short or damaged")
    }

    /// More than the reader takes; `what` names the limit, in the numbers.
    pub(crate) fn limit(what: &'static str, found: u64, most: u64) -> Self {
        Self::of_file("spreadsheet_limit", "the spreadsheet has more in it than is read: export it as text")
            .with(what, found)
            .with("most", most)
    }

    /// A row with more columns, or longer, than the matcher takes; rows count from 1.
    pub(crate) fn row(code: &'static str, message: &'static str, row: u32) -> Self {
        Self::of_file(code, message).with("row", u64::from(row) + 1)
    }

    /// A request that does not fit here.
    pub(crate) const fn request(message: &'static str) -> Self {
        Self { code: "bad_request", field: "request", message, numbers: BTreeMap::new() }
    }

    fn with(mut self, name: &'static str, number: u64) -> Self {
        self.numbers.insert(name, number);
        self
    }

    /// As SPEC §10 spells an error.
    pub fn json(&self) -> Vec<u8> {
        let Self { code, field, message, numbers } = self;
        json!({ "code": code, "field": field, "message": message, "numbers": numbers })
            .to_string()
            .into_bytes()
    }
}

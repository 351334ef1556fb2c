//! What the module says when it refuses: a code for the page's dictionary, the field, a sentence, and
//! counts. Never a value from a document or a customer file.

use std::collections::BTreeMap;

use protocol::answer_seal::SealError;
use protocol::roster::RosterError;
use protocol::{CheckError, DecodeError};
use rows::CutError;

protocol::json_reply! {
    /// An error reply, SPEC §10.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ModuleError {
        /// Stable code.
        pub code: &'static str,
        /// What the error is about.
        pub field: String,
        /// One English sentence.
        pub message: String,
        /// Counts and row numbers that belong to it.
        pub numbers: BTreeMap<String, u64>,
    }
}

impl ModuleError {
    /// An error without numbers.
    pub fn new(code: &'static str, field: &str, message: impl Into<String>) -> Self {
        Self { code, field: field.to_owned(), message: message.into(), numbers: BTreeMap::new() }
    }

    /// Adds a number.
    pub fn with(mut self, name: &'static str, number: u64) -> Self {
        self.numbers.insert(name.to_owned(), number);
        self
    }

    /// A document that can't be read; `document` stands before the field.
    pub fn decode(document: &str, error: &DecodeError) -> Self {
        Self::new(error.code(), &format!("{document}.{}", error.field()), format!("{document}: {error}"))
    }
}

impl From<CheckError> for ModuleError {
    fn from(error: CheckError) -> Self {
        Self::new(error.code(), error.field(), error.to_string())
    }
}

impl From<RosterError> for ModuleError {
    fn from(error: RosterError) -> Self {
        match error {
            RosterError::Decode(error) => Self::decode("roster", &error),
            RosterError::Check(error) => error.into(),
        }
    }
}

impl From<SealError> for ModuleError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Decode(error) => Self::decode("answer", &error),
            SealError::Check(error) => error.into(),
        }
    }
}

impl From<CutError> for ModuleError {
    fn from(error: CutError) -> Self {
        let (code, message, line) = match error {
            CutError::LineTooLong { line } => (
                "line_too_long",
                "a line is longer than 65,536 bytes: perhaps an unclosed quotation mark",
                line,
            ),
            CutError::TooManyColumns { line } => {
                ("too_many_columns", "a line has more than 256 columns", line)
            }
            CutError::UnclosedQuote { line } => {
                ("unclosed_quote", "the file ends inside a quoted field", line)
            }
        };
        Self::new(code, "file", message).with("line", line)
    }
}

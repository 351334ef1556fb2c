//! The template of an import.

/// One thing to put right in a file: a row, a field and a code. Never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// The row as a spreadsheet counts them; 0 for the file as a whole.
    pub row: u32,
    /// Which column, by its key in the dictionary.
    pub field: &'static str,
    /// What is wrong, by its key in the dictionary.
    pub code: &'static str,
}

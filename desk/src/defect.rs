//! What is wrong with an applicants' file: a row, a field and a code. Never a value.

use std::fmt;

use protocol::subject::Reason;
use serde::{Serialize, Serializer};

/// One thing to put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Defect {
    /// The row as a spreadsheet counts them, the header included; 0 for the file as a whole.
    pub row: u32,
    /// Which column, by the name of its field.
    pub field: &'static str,
    /// What is wrong.
    pub code: Code,
    /// The other row, for a person who stands in two.
    pub other_row: Option<u32>,
}

impl Defect {
    pub(crate) fn new(row: u32, field: &'static str, code: Code) -> Self {
        Self { row, field, code, other_row: None }
    }

    pub(crate) fn duplicate(row: u32, field: &'static str, other_row: u32) -> Self {
        Self { row, field, code: Code::Duplicate, other_row: Some(other_row) }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.row > 0 {
            write!(f, "row {}: ", self.row)?;
        }
        write!(f, "{}: {}", self.field, self.code.sentence())?;
        match self.other_row {
            Some(other) => write!(f, " {other}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Defect {}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Neither UTF-8, GB18030 nor UTF-16.
    Undecodable,
    /// A spreadsheet rather than text.
    Spreadsheet,
    /// Larger than any roster needs.
    FileTooLarge,
    /// A row longer than any person needs.
    RowTooLong,
    /// A row of more cells than any table has.
    TooManyCells,
    /// A quotation mark that nothing closes: the rows below can't be told apart.
    UnclosedQuote,
    /// A quoted cell that holds rows: a stray quotation mark, closed by one further down.
    SwallowedRows,
    /// A line break in a cell that holds one thing.
    LineBreak,
    /// No row that names the columns.
    NoHeader,
    /// The header row lacks this column.
    MissingColumn,
    /// Two columns with a heading of this field.
    AmbiguousColumn,
    /// A header and nothing below it.
    NoRows,
    /// A spreadsheet has rounded the numbers of this column.
    PrecisionLost,
    /// The cell is empty.
    Missing,
    /// The text is too long, or holds control characters.
    BadText,
    /// A name with `?`, `*` or other characters that stand for lost ones.
    WildName,
    /// A company's number.
    NotPersonal,
    /// An identity number that can't be read, and why.
    Number(Reason),
    /// More numbers than an entry can tell apart.
    TooManyNumbers,
    /// No day, or none that exists.
    BadDate,
    /// The authorisation has ended.
    Expired,
    /// The same person stands in an earlier row.
    Duplicate,
    /// Kinds of institutions or a level that nobody knows.
    UnknownScope,
    /// Of a roster that is to be signed: it has another name for this person.
    OtherName,
    /// It takes another number for the current one.
    OtherNumber,
    /// It has a number of this person that is not here.
    MoreNumbers,
    /// It lacks a number of this person that is here.
    FewerNumbers,
    /// It has the former numbers of this person in another order.
    OtherOrder,
    /// It commits to another form, or to another scope of it.
    OtherForm,
}

impl Code {
    /// The stable code.
    pub fn name(self) -> &'static str {
        match self {
            Self::Undecodable => "undecodable",
            Self::Spreadsheet => "spreadsheet",
            Self::FileTooLarge => "file_too_large",
            Self::RowTooLong => "row_too_long",
            Self::TooManyCells => "too_many_cells",
            Self::UnclosedQuote => "unclosed_quote",
            Self::SwallowedRows => "swallowed_rows",
            Self::LineBreak => "line_break",
            Self::NoHeader => "no_header",
            Self::MissingColumn => "missing_column",
            Self::AmbiguousColumn => "ambiguous_column",
            Self::NoRows => "no_rows",
            Self::PrecisionLost => "precision_lost",
            Self::Missing => "missing",
            Self::BadText => "bad_text",
            Self::WildName => "wild_name",
            Self::NotPersonal => "not_personal",
            Self::Number(reason) => reason.name(),
            Self::TooManyNumbers => "too_many_numbers",
            Self::BadDate => "bad_date",
            Self::Expired => "expired",
            Self::Duplicate => "duplicate",
            Self::UnknownScope => "unknown_scope",
            Self::OtherName => "other_name",
            Self::OtherNumber => "other_number",
            Self::MoreNumbers => "more_numbers",
            Self::FewerNumbers => "fewer_numbers",
            Self::OtherOrder => "other_order",
            Self::OtherForm => "other_form",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Undecodable => "is neither UTF-8, GB18030 nor UTF-16 text",
            Self::Spreadsheet => "is a spreadsheet; save it as CSV",
            Self::FileTooLarge => "is larger than 128 MiB",
            Self::RowTooLong => "has a row longer than 65,536 bytes: perhaps a stray quotation mark",
            Self::TooManyCells => "has a row of more than 256 cells",
            Self::UnclosedQuote => {
                "has a quotation mark that nothing closes, and the rows below it can't be told apart"
            }
            Self::SwallowedRows => "a quoted cell holds further rows: look for a stray quotation mark",
            Self::LineBreak => "holds a line break",
            Self::NoHeader => "has no row that names the columns",
            Self::MissingColumn => "there is no such column",
            Self::AmbiguousColumn => "there are two such columns",
            Self::NoRows => "has a header and nothing below it",
            Self::PrecisionLost => {
                "a spreadsheet has rounded these numbers; format the column as text and export again"
            }
            Self::Missing => "is empty",
            Self::BadText => "is too long or holds control characters",
            Self::WildName => "holds ?, * or another character that stands for a lost one",
            Self::NotPersonal => "is a company's number",
            Self::Number(Reason::Empty) => "is empty",
            Self::Number(Reason::Masked) => "is masked; export it in full",
            Self::Number(Reason::Scientific) => {
                "is in scientific notation; format the column as text and export again"
            }
            Self::Number(Reason::Placeholder) => "is a dummy number",
            Self::Number(Reason::Date) => "holds a date that does not exist",
            Self::Number(Reason::CheckDigit) => "has a wrong check character",
            Self::Number(Reason::Length) => "has too few or too many digits",
            Self::Number(Reason::Format) => "has no known form",
            Self::TooManyNumbers => "has more than 8 numbers in all",
            Self::BadDate => "is no day that exists",
            Self::Expired => "lies before the day of the roster",
            Self::Duplicate => "is the same person as in row",
            Self::UnknownScope => "names institutions or a level that are not known",
            Self::OtherName => "is not the name that the roster has",
            Self::OtherNumber => "is not the number that the roster takes for the current one",
            Self::MoreNumbers => "the roster has a number of this person that is not here",
            Self::FewerNumbers => "the roster lacks a number that is here",
            Self::OtherOrder => "stand in another order in the roster",
            Self::OtherForm => "the roster has another form for this person, or another scope of it",
        }
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_defect_names_row_and_field() {
        let number = Defect::new(7, "id_number", Code::Number(Reason::CheckDigit));
        assert_eq!(number.to_string(), "row 7: id_number: has a wrong check character");
        assert_eq!(
            Defect::new(0, "file", Code::Undecodable).to_string(),
            "file: is neither UTF-8, GB18030 nor UTF-16 text"
        );
        let twice = Defect::duplicate(9, "id_number", 4);
        assert_eq!(twice.to_string(), "row 9: id_number: is the same person as in row 4");
        assert_eq!(
            serde_json::to_string(&twice).unwrap(),
            r#"{"row":9,"field":"id_number","code":"duplicate","other_row":4}"#
        );
    }
}

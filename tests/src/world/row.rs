//! One row of a customer file before it is spelled: who it belongs to and what it says.

use serde::Serialize;

use super::money::{AssetKind, Currency};
use super::name::SpelledName;
use super::spelling::SpelledId;

/// Why a row must be set aside (SPEC §3.2 and §5.2), under the names of the coverage statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No number.
    Empty,
    /// A dummy.
    Placeholder,
    /// A day that does not exist.
    Date,
    /// A check character that does not fit.
    CheckDigit,
    /// Too many or too few digits.
    Length,
    /// No number at all.
    Format,
    /// More or fewer cells than the heading has.
    Ragged,
}

/// Whom a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The applicant at this place, by the number of this ordinal.
    Applicant { index: usize, ordinal: u8 },
    /// Somebody nobody asked about.
    Stranger,
    /// A company.
    Company,
    /// Nobody: the row is to be set aside.
    SetAside(Reason),
}

/// What an account or a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) kind: AssetKind,
    pub(super) currency: Currency,
    /// Minor units; `None` where the institution says nothing.
    pub(super) minor: Option<i64>,
}

/// What an institution knows about an account, or about a customer where a row is a customer.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) number: String,
    pub(super) product: &'static str,
    /// One position, or one for each amount column.
    pub(super) positions: Vec<Position>,
    /// Balance date, yyyymmdd.
    pub(super) date: Option<u32>,
    pub(super) status: &'static str,
}

/// A row's cells against the heading's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Whole,
    /// The last three cells are missing.
    Short,
    /// One cell too many, as when a thousands comma is not quoted.
    Long,
}

/// One row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) owner: Owner,
    pub(super) id: SpelledId,
    pub(super) paper: &'static str,
    pub(super) name: SpelledName,
    pub(super) account: Account,
    pub(super) shape: Shape,
}

//! How an institution's files look: a table of choices, one constant an institution.

use super::csv::{Encoding, push_row};
use super::number::Number;
use super::rng::Rng;
use super::row::{Account, Row, Shape};
use super::spelling::Habits;
use super::truth::Grain;

/// An institution's name, its customers and the look of its export.
pub(super) struct Layout {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    /// `bank` or `securities`, SPEC §4.1.
    pub(super) kind: &'static str,
    pub(super) file_name: &'static str,
    pub(super) encoding: Encoding,
    pub(super) grain: Grain,
    pub(super) separator: char,
    pub(super) line_end: &'static str,
    /// Rows above the heading.
    pub(super) titles: &'static [&'static [&'static str]],
    pub(super) heading: &'static [&'static str],
    /// After how many data rows the heading comes again.
    pub(super) heading_again: Option<u64>,
    pub(super) footers: &'static [&'static [&'static str]],
    /// Percent of rows whose cells are all quoted.
    pub(super) quoted_percent: u64,
    pub(super) habits: Habits,
    /// Percent of the applicants who hold something, among those who may.
    pub(super) holders_percent: u64,
    /// Whether the institution can have a customer under such a document.
    pub(super) may_hold: fn(&Number) -> bool,
    /// A customer's accounts, at least one.
    pub(super) accounts: fn(&mut Rng) -> Vec<Account>,
    /// A row's cells in the order of the heading.
    pub(super) cells: fn(&mut Rng, &Row) -> Vec<String>,
}

impl Layout {
    /// What stands before the first data row, without the byte order mark.
    pub(super) fn head(&self) -> String {
        let mut out = String::new();
        for cells in self.titles.iter().copied().chain([self.heading]) {
            push_row(&mut out, cells, self.separator, self.line_end, false);
        }
        out
    }

    /// What stands after the last data row.
    pub(super) fn foot(&self) -> String {
        let mut out = String::new();
        for cells in self.footers {
            push_row(&mut out, cells, self.separator, self.line_end, false);
        }
        out
    }

    /// Whether the heading stands again before data row `n`, counted from 0.
    pub(super) fn heading_before(&self, n: u64) -> bool {
        n > 0 && self.heading_again.is_some_and(|every| n.is_multiple_of(every))
    }

    /// Adds the heading again.
    pub(super) fn push_heading(&self, out: &mut String) {
        push_row(out, self.heading, self.separator, self.line_end, false);
    }

    /// Adds a row, spelled.
    pub(super) fn push(&self, out: &mut String, rng: &mut Rng, row: &Row) {
        let mut cells = (self.cells)(rng, row);
        match row.shape {
            Shape::Whole => {}
            Shape::Short => cells.truncate(self.heading.len().saturating_sub(3)),
            Shape::Long => cells.insert(self.heading.len().saturating_sub(2), "1".to_owned()),
        }
        let quote = rng.percent(self.quoted_percent);
        push_row(out, &cells, self.separator, self.line_end, quote);
    }
}

//! An institution of the world: its export file, and the truth about it.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use super::People;
use super::csv::Encoder;
use super::customers::Customers;
use super::layout::Layout;
use super::rng::Rng;
use super::row::Owner;
use super::truth::Truth;

/// Characters gathered before they are encoded and written.
const BATCH_CHARS: usize = 64 * 1024;

/// An institution with its customer file, which is written anew each time and always the same.
pub struct Institution {
    /// `bank-a`, `bank-b` or `broker-c`.
    pub code: &'static str,
    /// Its name.
    pub name: &'static str,
    /// `bank` or `securities`, SPEC §4.1.
    pub kind: &'static str,
    /// What staff would call the export.
    pub file_name: &'static str,
    /// What is true of the file.
    pub truth: Truth,
    layout: &'static Layout,
    people: Arc<People>,
    seed: u64,
    customers: usize,
}

impl fmt::Debug for Institution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Institution").field("code", &self.code).field("customers", &self.customers).finish()
    }
}

impl Institution {
    pub(super) fn new(seed: u64, layout: &'static Layout, people: Arc<People>, customers: usize) -> Self {
        let mut institution = Self {
            code: layout.code,
            name: layout.name,
            kind: layout.kind,
            file_name: layout.file_name,
            truth: Truth::new(layout.encoding, layout.grain, people.applicants.len()),
            layout,
            people,
            seed,
            customers,
        };
        let mut truth = institution.truth.clone();
        for (n, row) in (0..).zip(institution.rows()) {
            truth.skip("repeated_header", u64::from(layout.heading_before(n)));
            truth.add(&row);
        }
        truth.skip("footer", layout.footers.len() as u64);
        institution.truth = truth;
        institution
    }

    /// The whole file. For large ones see [`write_to`](Self::write_to).
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self.write_to(&mut out) {
            Ok(()) => out,
            Err(_) => Vec::new(), // a vector takes everything
        }
    }

    /// Writes the file piece by piece; memory stays small however many customers there are.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        let mut spelling = Rng::new(self.seed, &format!("{}/cells", self.code));
        let mut text = self.layout.head();
        let mut encoder = Encoder::new(self.layout.encoding);
        out.write_all(self.layout.encoding.mark())?;
        for (n, row) in (0..).zip(self.rows()) {
            if self.layout.heading_before(n) {
                self.layout.push_heading(&mut text);
            }
            self.layout.push(&mut text, &mut spelling, &row);
            if text.len() >= BATCH_CHARS {
                out.write_all(&encoder.encode(&text))?;
                text.clear();
            }
        }
        text.push_str(&self.layout.foot());
        out.write_all(&encoder.encode(&text))
    }

    /// Account number and amounts, in minor units, of each row that belongs to an applicant.
    pub fn accounts_of_applicants(&self) -> impl Iterator<Item = (String, Vec<i64>)> {
        self.rows().filter(|row| matches!(row.owner, Owner::Applicant { .. })).map(|row| {
            let amounts = row.account.positions.iter().filter_map(|position| position.minor).collect();
            (row.account.number, amounts)
        })
    }

    fn rows(&self) -> Customers<'_> {
        let People { applicants, register } = &*self.people;
        Customers::new(self.seed, self.layout, applicants, register, self.customers)
    }
}

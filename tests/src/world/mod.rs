//! A small world for demo, tests and bench: people who applied, institutions with messy exports, and the truth.
//!
//! The truth comes by a path of its own. People and accounts are made first, in canonical form; the truth is added
//! up from them; only then is the spelling messed up on the way into a file. Nothing here uses the product's code
//! for identities, tables or sums, so an agreement between the two means something.
//!
//! Everything follows from one seed, and the dice are written out in `rng.rs`: the same seed gives the same bytes
//! for ever. Read [`applicant`](Applicant) first, then `customers.rs`, which walks through an institution's rows,
//! then `bank_a.rs`, the richest of the three layouts.
#![expect(
    clippy::indexing_slicing,
    reason = "tables and digits of the world's own making, in a crate for tests"
)]

mod applicant;
mod bank_a;
mod bank_b;
mod broker_c;
mod bulk;
mod calendar;
mod csv;
mod customers;
pub mod damaged;
mod defects;
mod institution;
mod layout;
mod money;
mod name;
mod number;
mod rng;
mod row;
mod spelling;
mod truth;

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::sync::Arc;

pub use self::applicant::Applicant;
pub use self::bulk::Bulk;
pub use self::csv::Encoding;
pub use self::defects::{Defect, DefectiveList};
pub use self::institution::Institution;
pub use self::money::{AssetKind, Currency};
pub use self::name::NameFlag;
pub use self::number::{Document, Number};
pub use self::row::Reason;
pub use self::spelling::Normalised;
pub use self::truth::{FileTruth, Grain, HeldAccount, Holding, Total, Truth};

/// The as-of date of the story, yyyymmdd: the day whose property is asked for.
pub const AS_OF: u32 = 20261031;

/// How large a world is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// People on the centre's list.
    pub applicants: usize,
    /// Households they live in.
    pub households: usize,
    /// Customers of each institution; a bank has more rows than that, one for each account.
    pub customers_per_institution: usize,
}

impl Default for Sizes {
    /// The demo's.
    fn default() -> Self {
        Self { applicants: 2_000, households: 800, customers_per_institution: 200_000 }
    }
}

impl Sizes {
    /// Small enough for a test that runs often, large enough for every case to occur.
    pub fn small() -> Self {
        Self { applicants: 300, households: 120, customers_per_institution: 3_000 }
    }
}

/// The people of a world and the numbers they hold.
#[derive(Debug)]
struct People {
    applicants: Vec<Applicant>,
    register: number::Register,
}

/// The world.
#[derive(Debug)]
pub struct World {
    /// `bank-a`, `bank-b`, `broker-c`.
    pub institutions: Vec<Institution>,
    people: Arc<People>,
    seed: u64,
}

impl World {
    /// The world of `seed`. The truth of each institution is ready; its file is written when asked for.
    pub fn new(seed: u64, sizes: Sizes) -> Self {
        let mut register = number::Register::default();
        let applicants = applicant::make(seed, sizes.applicants, sizes.households, &mut register);
        let people = Arc::new(People { applicants, register });
        let institutions = [&bank_a::LAYOUT, &bank_b::LAYOUT, &broker_c::LAYOUT]
            .map(|layout| {
                Institution::new(seed, layout, Arc::clone(&people), sizes.customers_per_institution)
            })
            .into();
        Self { institutions, people, seed }
    }

    /// The people on the centre's list, in its order.
    pub fn applicants(&self) -> &[Applicant] {
        &self.people.applicants
    }

    /// The institution with this code.
    pub fn institution(&self, code: &str) -> Option<&Institution> {
        self.institutions.iter().find(|institution| institution.code == code)
    }

    /// The centre's list: 姓名,证件类型,证件号码,曾用证件号,授权书编号,授权截止,户号,备注 in UTF-8 with a byte order mark.
    pub fn applicants_csv(&self) -> Vec<u8> {
        applicant::list(self.applicants().iter().map(Applicant::cells))
    }

    /// Who holds which numbers, for programs that compare in clear: person,number with a line for each number of each
    /// applicant. A person is the row in [`World::applicants_csv`].
    pub fn numbers_csv(&self) -> String {
        let lines = self.applicants().iter().flat_map(|person| {
            person.numbers().map(move |number| format!("{},{}\r\n", person.row, number.text))
        });
        std::iter::once("person,number\r\n".to_owned()).chain(lines).collect()
    }

    /// The list with `each` mistakes of each kind in it.
    pub fn defective_applicants_csv(&self, each: usize) -> DefectiveList {
        defects::list(self.applicants(), each)
    }

    /// Writes a plain export of `rows` rows of about 80 bytes for measurements: 姓名,证件号码,账号,余额,日期. About
    /// `hits_share` of the rows (0 to 1) belong to applicants, all others to strangers.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn bulk_csv(
        &self,
        rows: u64,
        encoding: Encoding,
        hits_share: f64,
        out: &mut impl Write,
    ) -> io::Result<Bulk> {
        bulk::write(self.seed, self.applicants(), rows, encoding, hits_share, out)
    }
}

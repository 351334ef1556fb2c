//! Step 5: two key officers open the answers ([`opening`]), what they say stands against what the household
//! declared ([`findings`], [`declared`]), the local rules flag and never decide ([`rules`], [`flags`]), and a
//! second person confirms or sends back ([`verdict`]).
//!
//! Reports read [`confirmed`]: what was confirmed, as it was at that moment. Nobody confirms what they entered,
//! accepted, dispatched or opened.

pub mod declared;
pub mod declared_file;
pub mod findings;
pub mod flags;
pub mod opening;
pub mod rules;
pub mod verdict;

pub use findings::{CaseFindings, Entry, Finding, MemberFindings, Outcome, Source};
pub use flags::Flag;
pub use rules::RuleSet;
pub use verdict::{Confirmed, confirmed};

use crate::store::Fault;

/// Why something is not done.
#[derive(Debug)]
pub enum ReviewError {
    /// A rule forbids it: the key of the sentence.
    Rule(&'static str),
    /// Inside.
    Fault(Fault),
}

impl From<Fault> for ReviewError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<sqlx::Error> for ReviewError {
    fn from(error: sqlx::Error) -> Self {
        Self::Fault(error.into())
    }
}

//! Step 5: two key officers open the answers ([`opening`]), what they say stands against what the household
//! declared ([`findings`], [`declared`]), the local rules flag and never decide ([`rules`], [`flags`]), and a
//! second person confirms or sends back ([`verdict`]).
//!
//! Reports read [`confirmed`]: what was confirmed, as it was at that moment. Nobody confirms what they entered,
//! accepted, dispatched or opened.

pub mod declared;
pub mod findings;
pub mod flags;
pub mod rules;
pub mod verdict;

pub use findings::{CaseFindings, Entry, Finding, MemberFindings, Outcome, Source};
pub use flags::Flag;
pub use rules::RuleSet;
pub use verdict::{Confirmed, confirmed};

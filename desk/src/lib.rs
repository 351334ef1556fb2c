//! The centre's private side: who is asked about, and what the answers say. Pure over bytes: files,
//! clock, entropy and screen belong to the callers, the command line and the desk's console.
//!
//! In the order of an exchange: [`agreement_maker`] makes what both sides sign; [`applicants`] reads
//! whom a township asks about and refuses who has no live authorisation; [`roster_maker`] turns them
//! into a roster; [`opening`] opens the answers with the officers' keys and gives a [`table`], which
//! `render` shows. Where a second organisation signs rosters, [`cosigning`] lets it rebuild one from its own list first.
//! [`plan`] knows which slot is which person: read it first if you want to know how
//! an answer about nobody's name finds its way back to a person. [`papers`] are what the centre signs in the end.
//!
//! Values in here are personal data in clear. Errors carry rows, fields and counts, never values.

pub mod agreement_maker;
pub mod applicants;
pub mod cosigning;
pub mod defect;
mod differences;
pub mod disclosed;
mod layout;
pub mod opening;
pub mod papers;
pub mod plan;
pub mod proving;
mod render;
pub mod roster_maker;
pub mod scope;
pub mod table;
pub mod text;
mod ticket;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

pub use applicants::{Applicant, Applicants};
pub use cosigning::{CosignError, Rebuilt};
pub use defect::Defect;
pub use differences::Differences;
pub use opening::{OpenError, Question, open_answers};
pub use plan::{Plan, PlanError};
pub use render::{Masking, csv_text};
pub use roster_maker::{MakeError, RosterRequest, make_roster};
pub use table::ResultTable;

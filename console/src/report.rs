//! Step 6: what a confirmed case says ([`facts`], put together by [`gather`]), as paper ([`paper`], drawn on a
//! [`sheet`] with the machine's [`font`]); issued by the head ([`issue`]); objected to ([`objection`]); what
//! was asked and seen of one person ([`asked`]).
//!
//! Whoever issues has neither entered, accepted, dispatched nor confirmed anything of the case. A report is
//! never changed: another version takes its place, and both are kept.

pub mod asked;
pub mod facts;
pub mod font;
pub mod gather;
pub mod issue;
pub mod objection;
pub mod paper;
pub mod sheet;

use crate::store::Fault;

/// Why something is not done.
#[derive(Debug)]
pub enum ReportError {
    /// A rule forbids it: the key of the sentence.
    Rule(&'static str),
    /// Inside.
    Fault(Fault),
}

impl From<Fault> for ReportError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<sqlx::Error> for ReportError {
    fn from(error: sqlx::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl From<protocol::DecodeError> for ReportError {
    fn from(error: protocol::DecodeError) -> Self {
        Self::Fault(error.into())
    }
}

//! Step 4: agreements with institutions ([`agreement`]), batches of cases ([`batch`]), one roster an institution
//! ([`roster`], of [`lists`] of people): made ([`making`]), sent ([`sending`]), answered ([`answers`]); and what other
//! departments hand over, matched here ([`department`]). Where an agreement asks for it, a second organisation rebuilds
//! and signs a roster before it leaves ([`cosigner`]).
//!
//! Cases that no roster asked about are offered again ([`again`]).
//! The way out is tried with people who do not exist ([`trial`]), and answers with accounts that are known
//! ([`canary`]).
//!
//! Every rule is asked at the moment of dispatch, whatever a screen showed before: is there an agreement in force,
//! is each person's authorisation live and wide enough, was the same asked in the last 60 days.

pub mod again;
pub mod agreement;
pub mod answers;
pub mod batch;
pub mod canary;
pub mod cosigner;
pub mod department;
pub mod error;
pub mod lists;
pub mod making;
pub mod roster;
pub mod sending;
pub mod trial;

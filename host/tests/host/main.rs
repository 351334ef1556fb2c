//! The host over a real connection. What counts as a failure: a document that goes to the wrong party, a
//! refusal that changes what was accepted, an acknowledged answer that is not there afterwards.
//!
//! One program, so that the host is linked once; a file is a theme.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

mod fixture;

mod access;
mod exchange;
mod links;
mod openapi;
mod pages;
mod pieces;
mod process;
mod refusals;
mod uploads;

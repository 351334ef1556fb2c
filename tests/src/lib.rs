//! Whole exchanges through the built artifact: stories, a real browser, hostile inputs.
//!
//! [`world`] makes the data, and knows the truth about it by a path of its own; [`exchange`] sets up a
//! centre and its institutions; [`module`] drives the matcher natively and under wasmtime, [`browser`] in
//! Chromium; [`script`] sends one list of requests to all three; [`vectors`] reads `vectors/`; [`verdict`]
//! holds a result against the truth. The stories are in `tests/tests/`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "test support stops at the first surprise"
)]

pub mod axe;
pub mod blindness;
pub mod browser;
pub mod clerk;
pub mod client;
pub mod codes;
pub mod containment;
pub mod exchange;
pub mod forge;
pub mod module;
pub mod netlog;
pub mod python;
pub mod release;
pub mod script;
pub mod soup;
pub mod spreadsheets;
pub mod strategies;
pub mod vectors;
pub mod verdict;
pub mod world;

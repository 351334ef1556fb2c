//! What the fuzzers feed: one function a target, which panics when a property does not hold.
//!
//! `fuzz/` wraps each in a libFuzzer binary; `tests/replay.rs` feeds the corpora of `fuzz/corpus/` to the same
//! functions on the stable compiler. A target reads several kinds of input where they are alike: the first byte says
//! which one. `docs/AUDIT.md` says which parser is in which target.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a surprise is what a fuzzer looks for"
)]

mod applicants;
mod customer_file;
mod documents;
#[cfg(feature = "http")]
mod http;
mod input;
mod requests;
mod spreadsheet;
mod values;
mod world;

pub use applicants::applicants;
pub use customer_file::customer_file;
pub use documents::documents;
#[cfg(feature = "http")]
pub use http::http;
pub use requests::requests;
pub use spreadsheet::spreadsheet;
pub use values::values;

/// What is fed: it panics when a property does not hold.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its binary and of its corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("applicants", applicants),
    ("customer_file", customer_file),
    ("documents", documents),
    #[cfg(feature = "http")]
    ("http", http),
    ("requests", requests),
    ("spreadsheet", spreadsheet),
    ("values", values),
];

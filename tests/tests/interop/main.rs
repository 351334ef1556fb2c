//! The Python reader and writer of `tests/interop/`, made from `docs/SPEC.md` alone, against the Rust side: what one
//! writes the other reads, and what one refuses the other refuses.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod answers;
mod cosigning;
mod coverage;
mod dice;
mod documents;
mod fixture;
mod headers;
mod random;
mod refusals;
mod slots;
mod subjects;
mod tokens;

//! The documents of Hedui: what a centre asks and an institution answers, byte for byte.
//!
//! Pure computation. No file, clock, network or source of randomness is known here: time and entropy
//! are arguments. Everyone else in the workspace wraps this crate.
//!
//! Read first: [`envelope`] (what every document looks like), then [`subject`] (who is asked about),
//! [`roster`] and [`answer`]. The normative text is `docs/SPEC.md`; section numbers in the docs below
//! are its sections.
//!
//! The feature `seal` adds all that opens or seals: HPKE, the content key, key files and tokens. The
//! host is built without it.

pub mod agreement;
pub mod answer;
#[cfg(feature = "seal")]
pub mod answer_seal;
pub mod authorisation;
#[cfg(feature = "seal")]
pub mod base_data;
pub mod canonical;
pub mod clean;
pub mod copy;
pub mod cosigning;
pub mod coverage;
pub mod envelope;
pub mod error;
#[cfg(feature = "seal")]
pub mod hedge;
pub mod joining;
pub mod json;
#[cfg(feature = "seal")]
pub mod key_file;
pub mod label;
#[cfg(feature = "seal")]
mod lanes;
pub mod log;
pub mod merkle;
pub mod name;
#[cfg(feature = "seal")]
pub mod part_seal;
pub mod proof;
pub mod receipt;
pub mod release;
pub mod roster;
#[cfg(feature = "seal")]
pub mod seal;
pub mod secret;
pub mod slot;
pub mod subject;
#[cfg(feature = "seal")]
pub mod token;
pub mod value;

pub use envelope::{Document, Head};
pub use error::{CheckError, DecodeError};
pub use value::{Code, Date, Digest, PublicKey, SealingKey, Text, Time};

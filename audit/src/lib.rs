//! What a reviewer who trusts nobody checks of a release (SPEC §12, docs/AUDIT.md).
//!
//! Each check returns [`Finding`]s, one for each deviation, with a stable code, the place and a sentence; no
//! finding means that nothing deviates. `hedui audit` calls them and prints; `cargo xtask dist` writes with
//! [`manifest`] and [`source`] what [`folder`] reads, and is built without the feature `run`, which brings
//! wasmtime in.
//!
//! Read first: [`manifest`] (what a release says of itself), [`signatures`] and [`folder`] (whether it is true
//! of these files), [`module`] (what the gate of the crate `sandbox` reads in one), then [`behaviour`] and
//! [`canary`], which run it.

#[cfg(feature = "run")]
pub mod behaviour;
#[cfg(feature = "run")]
pub mod canary;
pub mod finding;
pub mod folder;
pub mod manifest;
pub mod module;
pub mod signatures;
pub mod source;
#[cfg(feature = "run")]
pub mod vectors;

pub use finding::Finding;
pub use manifest::Manifest;

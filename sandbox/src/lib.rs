//! Runs and audits the modules natively (SPEC §10).
//!
//! A module is one `.wasm` file that the page, the offline edition and this crate run byte for byte
//! the same. Nothing here trusts it: [`gate`] reads the file without running it and names whatever
//! is off the allow-list, [`Module::load`] refuses a file with any deviation, and a [`Session`] runs
//! in wasmtime with an empty linker, no WASI, a cap on memory and, where asked for, a limit on time.
//!
//! `hedui match` and the tests call [`Module`]; `hedui audit` and `cargo xtask wasm` call [`gate`], the
//! latter without the feature `run`, which brings wasmtime in.
//! Start with `module.rs`, then `session.rs`; `gate.rs` stands on its own.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use sandbox::{Limits, Metering, Module};
//! use std::time::Duration;
//!
//! let limits = Limits { memory_bytes: 256 << 20, metering: Metering::Deadline(Duration::from_secs(60)) };
//! let module = Module::load(&std::fs::read("matcher.wasm")?, limits)?;
//! let mut session = module.session()?;
//! let reply = session.call(vec![0x04])?;
//! # Ok(()) }
//! ```

pub mod gate;
#[cfg(feature = "run")]
mod limits;
#[cfg(feature = "run")]
mod module;
#[cfg(feature = "run")]
mod session;
#[cfg(feature = "run")]
mod watchdog;

#[cfg(test)]
mod sample;

#[cfg(feature = "run")]
pub use limits::{Limits, Metering};
#[cfg(feature = "run")]
pub use module::{LoadError, Module};
#[cfg(feature = "run")]
pub use session::{Session, SessionError, TrapError};

//! `cargo xtask dist`: what is handed out, in `target/dist`.

use crate::shell::workspace;
use crate::{offline, wasm};
use anyhow::Result;

/// Builds the modules, and the offline edition with them in it.
///
/// # Errors
/// Where something can't be built.
pub(crate) fn run() -> Result<()> {
    wasm::run(&wasm::Args::default())?;
    offline::build(&workspace()?.join(offline::PLACE))?;
    Ok(())
}

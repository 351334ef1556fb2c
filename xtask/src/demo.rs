//! `cargo xtask demo`: builds the module and starts the demo (`tests/src/bin/demo.rs`).

use crate::shell::{FIRST_BUILD, cargo, run, say, workspace};
use crate::wasm;
use anyhow::Result;
use std::env;
use std::process::Command;

/// What the demo takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// End after the check instead of waiting for a browser.
    #[arg(long)]
    exit: bool,
}

/// Builds the module and starts the demo.
pub(crate) fn run_demo(args: &Args) -> Result<()> {
    let root = workspace()?;
    wasm::run(&wasm::Args::default())?;
    say(&format!("builds the demo; {FIRST_BUILD}"));
    // As the tests do: of one package alone, the dependencies have other features, and wasmtime would be
    // built a second time.
    run(cargo(&root).args(["build", "--workspace", "--exclude", "xtask", "--locked", "--bin", "demo"]))?;
    let target = root.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
    say("starts it");
    let mut demo = Command::new(target.join("debug/demo"));
    if args.exit {
        demo.arg("--exit");
    }
    run(&mut demo)
}

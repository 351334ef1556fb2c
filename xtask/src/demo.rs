//! `cargo xtask demo`: builds the module and starts the demo (`tests/src/bin/demo.rs`).

use crate::shell::{cargo, run, say, workspace};
use crate::wasm;
use anyhow::Result;

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
    say("builds and starts the demo");
    let mut demo = cargo(&root);
    demo.args(["run", "--quiet", "--locked", "--package", "e2e", "--bin", "demo", "--"]);
    if args.exit {
        demo.arg("--exit");
    }
    run(&mut demo)
}

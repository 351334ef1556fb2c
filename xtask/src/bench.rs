//! `cargo xtask bench`: builds the module and measures the matching path (`tests/src/bin/bench.rs`).

use crate::shell::{cargo, run, say, workspace};
use crate::{chromium, wasm};
use anyhow::Result;
use std::path::PathBuf;

/// What the bench takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write what is printed as JSON, too.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Builds the module and the bench, optimised, and starts it.
pub(crate) fn run_bench(args: &Args) -> Result<()> {
    let root = workspace()?;
    chromium::present()?;
    wasm::run(&wasm::Args::default())?;
    say("builds and starts the bench");
    let mut bench = cargo(&root);
    bench.args(["run", "--release", "--quiet", "--locked", "--package", "e2e", "--bin", "bench", "--"]);
    if let Some(file) = &args.json {
        bench.arg("--json").arg(std::path::absolute(file)?);
    }
    run(&mut bench)
}

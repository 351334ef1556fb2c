//! `cargo xtask check` and `cargo xtask test`; `cargo xtask ci` is both.

use crate::chromium;
use crate::shell::{cargo, run, say, works, workspace};
use crate::{readme, wasm};
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

/// Builds the module twice, compares the bytes, and runs every test: Rust's, then the independent reader's where it is present.
pub(crate) fn test() -> Result<()> {
    let root = workspace()?;
    chromium::present()?;
    wasm::run(&wasm::Args::reproducible())?;
    say("runs the Rust tests");
    run(cargo(&root).args(["test", "--workspace", "--exclude", "xtask", "--locked"]))?;
    // By itself, as `cargo xtask` was built: among the others its dependencies have more features, and
    // would all be built a second time.
    run(cargo(&root).args(["test", "--package", "xtask", "--locked"]))?;
    interop(&root)
}

/// Format, lints, the README's figures, and the dependencies' licences and sources.
pub(crate) fn check() -> Result<()> {
    let root = workspace()?;
    say("checks the format");
    run(cargo(&root).args(["fmt", "--all", "--check"]))?;
    say("checks the lints");
    run(cargo(&root).args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "--deny",
        "warnings",
    ]))?;
    readme::run(&readme::Args::check())?;
    deny(&root)
}

/// Checks licences, bans and sources of the dependencies. Advisories need a database from the
/// network; `cargo deny check advisories` looks them up where there is one.
fn deny(root: &Path) -> Result<()> {
    if !works(cargo(root).args(["deny", "--version"])) {
        say("installs cargo-deny, once");
        run(cargo(root).args(["install", "cargo-deny", "--locked"]))
            .context("cargo-deny is missing: install it with `cargo install cargo-deny --locked`")?;
    }
    say("checks the dependencies");
    run(cargo(root).args([
        "deny",
        "--locked",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]))
}

/// The reader written from the specification alone, in another language.
fn interop(root: &Path) -> Result<()> {
    let script = root.join("tests/interop/run.sh");
    if !script.exists() {
        say("finds no tests/interop/run.sh, so it leaves the independent reader out");
        return Ok(());
    }
    say("runs the independent reader");
    run(Command::new("bash").arg(script).current_dir(root))
}

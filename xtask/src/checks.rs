//! `cargo xtask check` and `cargo xtask test`; `cargo xtask ci` is both.

use crate::shell::{FIRST_BUILD, cargo, run, say, works, workspace};
use crate::{axe, chromium, crates, debian, guide, office, offline, papers, python, readme, wasm};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the module twice, compares the bytes, and runs every test: Rust's, among which the demo is held
/// against its truth, then the independent reader's; at last the commands of docs/AUDIT.md. What is missing shows before anything is built.
pub(crate) fn test() -> Result<()> {
    let root = workspace()?;
    let reader = reader(&root)?;
    python::present()?;
    chromium::present()?;
    office::present()?;
    papers::present()?;
    // Makes the certificate that the desk is tried with over TLS.
    debian::present("openssl", &["openssl"], || works(Command::new("openssl").arg("version")))?;
    axe::present()?;
    wasm::run(&wasm::Args::reproducible())?;
    offline::build(&root.join(offline::PLACE))?;
    say(&format!("builds and runs the Rust tests; {FIRST_BUILD}"));
    run(cargo(&root).args(["test", "--workspace", "--exclude", "xtask", "--locked"]))?;
    // By itself, as `cargo xtask` was built: among the others its dependencies have more features, and
    // would all be built a second time.
    run(cargo(&root).args(["test", "--package", "xtask", "--locked"]))?;
    say("runs the independent reader");
    run(Command::new("bash").arg(reader).current_dir(&root))?;
    guide::run_guide()
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
    crates::run(&crates::Args::check())?;
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
fn reader(root: &Path) -> Result<PathBuf> {
    let script = root.join("tests/interop/run.sh");
    ensure!(script.is_file(), "{} is missing: it runs the independent reader", script.display());
    Ok(script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_is_not_left_out() {
        assert!(reader(&workspace().unwrap()).is_ok());
        let elsewhere = tempfile::tempdir().unwrap();
        assert!(
            reader(elsewhere.path()).unwrap_err().to_string().contains("tests/interop/run.sh is missing")
        );
    }
}

//! `cargo xtask fuzz`: the parsers under libFuzzer, by cargo-fuzz.
//!
//! The binaries lie in `fuzz/`, a workspace of its own; what they feed is `tests/fuzz`. They are built by the
//! compiler that builds all the rest: `RUSTC_BOOTSTRAP` lets it take the flags that libFuzzer's counters need, so no
//! nightly has to be there (under one it changes nothing). Without a sanitizer, since our own crates forbid `unsafe`;
//! `--sanitizer address` watches the others' as well.
//!
//! New inputs go to `target/fuzz/corpus`; `--minimise` makes `fuzz/corpus` anew out of both, as small as it covers
//! the same. `cargo xtask test` replays it.

use crate::shell::{cargo, run, say, works, workspace};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::Path;
use std::process::Command;

/// What the task takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// One target instead of all, one after another.
    target: Option<String>,
    /// How long each is run.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// `none`, `address`, or another that cargo-fuzz knows.
    #[arg(long, default_value = "none")]
    sanitizer: String,
    /// Instead of a run: keep what covers most in the corpus of the repository.
    #[arg(long)]
    minimise: bool,
}

/// Runs the targets, or makes their corpora small. Stops at the first input that makes one panic; cargo-fuzz says
/// where it lies.
pub(crate) fn run_fuzz(args: &Args) -> Result<()> {
    let root = workspace()?;
    let all = targets(&root)?;
    let chosen = match &args.target {
        Some(name) => vec![name.clone()],
        None => all.clone(),
    };
    if let Some(unknown) = chosen.iter().find(|name| !all.contains(name)) {
        bail!("there is no target {unknown}: there are {}", all.join(", "));
    }
    if !works(cargo(&root).args(["fuzz", "--version"])) {
        say("installs cargo-fuzz, once");
        run(cargo(&root).args(["install", "cargo-fuzz", "--locked"]))
            .context("cargo-fuzz is missing: install it with `cargo install cargo-fuzz --locked`")?;
    }
    for target in chosen {
        if args.minimise { minimise(&root, &target, args)? } else { fuzz(&root, &target, args)? }
    }
    Ok(())
}

/// The names of the binaries in `fuzz/`.
fn targets(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("fuzz/fuzz_targets");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    ensure!(!names.is_empty(), "{} holds no target", folder.display());
    Ok(names)
}

fn fuzz(root: &Path, target: &str, args: &Args) -> Result<()> {
    say(&format!("runs {target} for {} seconds", args.seconds));
    let fresh = root.join("target/fuzz/corpus").join(target);
    fs::create_dir_all(&fresh).with_context(|| format!("cannot make {}", fresh.display()))?;
    let mut command = cargo_fuzz(root, target, args);
    // The first folder is written to, the others are read.
    command.arg(&fresh).arg(root.join("fuzz/corpus").join(target)).arg("--");
    command.arg(format!("-max_total_time={}", args.seconds));
    run(command.args(LIMITS).arg("-print_final_stats=1"))
}

/// What an input may be and take: 16 KiB, a minute, and 4 GiB.
const LIMITS: [&str; 3] = ["-max_len=16384", "-timeout=60", "-rss_limit_mb=4096"];

fn minimise(root: &Path, target: &str, args: &Args) -> Result<()> {
    say(&format!("makes the corpus of {target} small"));
    let kept = root.join("fuzz/corpus").join(target);
    let fresh = root.join("target/fuzz/corpus").join(target);
    let small = root.join("target/fuzz/small").join(target);
    if small.exists() {
        fs::remove_dir_all(&small)?;
    }
    for folder in [&fresh, &small] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut command = cargo_fuzz(root, target, args);
    run(command.args([&small, &kept, &fresh]).args(["--", "-merge=1"]).args(LIMITS))?;
    ensure!(fs::read_dir(&small)?.next().is_some(), "nothing of the corpus of {target} was kept");
    fs::remove_dir_all(&kept)?;
    fs::create_dir_all(&kept)?;
    for entry in fs::read_dir(&small)? {
        let entry = entry?;
        fs::copy(entry.path(), kept.join(entry.file_name()))?;
    }
    Ok(())
}

fn cargo_fuzz(root: &Path, target: &str, args: &Args) -> Command {
    let mut command = cargo(root);
    command.env("RUSTC_BOOTSTRAP", "1").args(["fuzz", "run", "--sanitizer", &args.sanitizer]);
    command.arg("--target-dir").arg(root.join("target/fuzz/build"));
    if target == "http" {
        command.args(["--features", "http"]);
    }
    command.arg(target);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_a_corpus() {
        let root = workspace().unwrap();
        for target in targets(&root).unwrap() {
            assert!(root.join("fuzz/corpus").join(&target).is_dir(), "{target}");
        }
    }
}

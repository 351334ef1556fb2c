//! `cargo xtask crates`: which crates are compiled into each module, in `docs/CRATES.md`.
//!
//! cargo says which they are; `crates/why.txt` says why, by hand, and a crate without a reason fails the check.

use crate::shell::{cargo, cargo_home, read, say, workspace};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Fails where docs/CRATES.md is not what it would be.
    #[arg(long)]
    check: bool,
}

impl Args {
    /// Only holds the document against the crates.
    pub(crate) fn check() -> Self {
        Self { check: true }
    }
}

/// A crate of a module.
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) version: String,
    /// An SPDX expression.
    pub(crate) license: String,
    /// What the lock file holds its download to; `None` for our own.
    pub(crate) checksum: Option<String>,
    pub(crate) why: String,
    /// Lines under its `src` that are neither blank nor comment alone.
    pub(crate) lines: usize,
}

const DOCUMENT: &str = "docs/CRATES.md";
const WHY: &str = include_str!("crates/why.txt");

/// Writes the document, or holds it against what cargo says.
///
/// # Errors
/// Where a crate has no reason, a reason no crate, or the document differs.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root = workspace()?;
    let matcher = of_module(&root, "matcher-wasm")?;
    let reader = of_module(&root, "reader-wasm")?;
    for name in why().keys() {
        let used = matcher.iter().chain(&reader).any(|part| part.name == *name);
        ensure!(used, "xtask/src/crates/why.txt has a reason for {name}, which is in no module");
    }
    let document = document(&matcher, &reader);
    let path = root.join(DOCUMENT);
    if args.check {
        let found = fs::read_to_string(&path).with_context(|| format!("{DOCUMENT} is missing"))?;
        ensure!(found == document, "{DOCUMENT} is not up to date: run `cargo xtask crates`");
        say(&format!("{DOCUMENT} names every crate of the modules"));
        return Ok(());
    }
    fs::write(&path, document).with_context(|| format!("cannot write {DOCUMENT}"))?;
    say(&format!("wrote {DOCUMENT}"));
    Ok(())
}

/// The crates that are compiled into the module of `package`, sorted by name. Macros run while building and are
/// not among them.
pub(crate) fn of_module(root: &Path, package: &str) -> Result<Vec<Crate>> {
    let tree = read(cargo(root).args([
        "tree",
        "--quiet",
        "--locked",
        "--package",
        package,
        "--target",
        "wasm32-unknown-unknown",
        "--edges",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--no-dedupe",
        "--format",
        "{p}|{l}",
    ]))?;
    let lock = fs::read_to_string(root.join("Cargo.lock"))?;
    let (checksums, why) = (checksums(&lock), why());
    let mut lines: Vec<&str> = tree.lines().filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    lines.dedup();
    let mut crates = Vec::new();
    for line in lines {
        let [package, license] = line.split('|').collect::<Vec<_>>()[..] else {
            bail!("cargo tree prints {line:?}");
        };
        let mut words = package.split(' ');
        let (name, version) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let version = version.trim_start_matches('v');
        let why = why
            .get(name)
            .with_context(|| format!("xtask/src/crates/why.txt says nothing of {name} (new in a module?)"))?;
        let checksum = checksums.get(&(name, version)).map(|sum| (*sum).to_owned());
        let folder = match checksum {
            Some(_) => unpacked(name, version)?,
            None => root.join(name),
        };
        crates.push(Crate {
            name: name.to_owned(),
            version: version.to_owned(),
            // Before SPDX, a slash meant "or".
            license: license.replace('/', " OR "),
            checksum,
            why: (*why).to_owned(),
            lines: count(&folder.join("src"))?,
        });
    }
    ensure!(!crates.is_empty(), "cargo names no crate of {package}");
    Ok(crates)
}

fn why() -> BTreeMap<&'static str, &'static str> {
    WHY.lines().filter_map(|line| line.split_once(": ")).collect()
}

/// Checksums of the lock file by name and version.
fn checksums(lock: &str) -> BTreeMap<(&str, &str), &str> {
    let member = |package: &'_ str, name: &str| -> Option<(usize, usize)> {
        let at = package.find(&format!("\n{name} = \""))? + name.len() + 5;
        Some((at, at + package.get(at..)?.find('"')?))
    };
    let packages = lock.split("[[package]]").filter_map(|package| {
        let text = |name: &str| member(package, name).and_then(|(from, to)| package.get(from..to));
        Some(((text("name")?, text("version")?), text("checksum")?))
    });
    packages.collect()
}

/// Where cargo has unpacked a crate.
fn unpacked(name: &str, version: &str) -> Result<PathBuf> {
    let registries =
        fs::read_dir(cargo_home()?.join("registry/src")).context("cargo has unpacked no crate")?;
    let folders = registries.flatten().map(|registry| registry.path().join(format!("{name}-{version}")));
    folders
        .into_iter()
        .find(|folder| folder.is_dir())
        .with_context(|| format!("{name} {version} is not unpacked"))
}

fn count(folder: &Path) -> Result<usize> {
    let mut lines = 0;
    for entry in fs::read_dir(folder).with_context(|| format!("no folder {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            lines += count(&path)?;
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = fs::read_to_string(&path)?;
            let code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
            lines += text.lines().filter(code).count();
        }
    }
    Ok(lines)
}

fn document(matcher: &[Crate], reader: &[Crate]) -> String {
    let mut out = String::from(
        "# Crates inside the modules\n\n\
         Written by `cargo xtask crates` from cargo's own account of what is compiled for the module; `cargo xtask check` \
         holds it\nagainst that, and the reasons are in [`xtask/src/crates/why.txt`](../xtask/src/crates/why.txt). Lines are \
         those under a crate's `src`\nthat are neither blank nor comment alone, its tests and what the linker leaves out \
         among them: what one would have to read at most.\n",
    );
    for (name, crates) in [("matcher.wasm", matcher), ("reader.wasm", reader)] {
        let (own, foreign): (Vec<&Crate>, Vec<&Crate>) =
            crates.iter().partition(|part| part.checksum.is_none());
        let lines = |crates: &[&Crate]| crates.iter().map(|part| part.lines).sum::<usize>();
        let _ = write!(
            out,
            "\n## {name}\n\n{} crates of ours with {} lines, {} of others with {}.\n\n\
             | Crate | Version | Licence | Lines | Why |\n|---|---|---|--:|---|\n",
            own.len(),
            lines(&own),
            foreign.len(),
            lines(&foreign)
        );
        for part in crates {
            let Crate { name, version, license, lines, why, .. } = part;
            let _ = writeln!(out, "| `{name}` | {version} | {license} | {lines} | {why} |");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_s_checksums_are_read() {
        let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"r\"\nchecksum = \"0f\"\n\n\
                    [[package]]\nname = \"own\"\nversion = \"0.1.0\"\n";
        assert_eq!(checksums(lock), BTreeMap::from([(("a", "1.0.0"), "0f")]));
    }

    #[test]
    fn only_code_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("inner")).unwrap();
        fs::write(folder.path().join("a.rs"), "// no\n\n  /// no\nfn yes() {}\n").unwrap();
        fs::write(folder.path().join("inner/b.rs"), "let yes = 1; // also\n").unwrap();
        fs::write(folder.path().join("c.txt"), "no\n").unwrap();
        assert_eq!(count(folder.path()).unwrap(), 2);
    }
}

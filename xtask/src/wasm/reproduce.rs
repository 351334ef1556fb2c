//! The second build: the same sources in another folder, compiled from another CARGO_HOME.

use super::recipe::{self, Built, MODULES, Place};
use crate::shell::read;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Builds a copy of `place` and compares it with `first`, which are all modules in their order.
///
/// # Errors
/// Where the bytes differ, or the copy does not build.
pub(super) fn check(place: &Place, first: &[Built]) -> Result<()> {
    let temporary = tempfile::Builder::new().prefix("hedui ").tempdir()?;
    let folder = temporary.path().canonicalize()?;
    let elsewhere = Place {
        workspace: folder.join("quite another/name"),
        target: folder.join("out"),
        cargo_home: folder.join("home of cargo"),
        offline: true,
    };
    copy_sources(&place.workspace, &elsewhere.workspace)?;
    furnish(&place.cargo_home, &elsewhere.cargo_home)?;
    let kept = place.workspace.join("target/artifact/elsewhere.wasm");
    let _ = fs::remove_file(&kept);
    for (which, first) in MODULES.iter().zip(first) {
        let second = recipe::build(&elsewhere, which)?;
        if second.wasm != first.wasm {
            fs::write(&kept, &second.wasm)?;
            bail!("the second build of the {} has other bytes; it lies in {}", which.name, kept.display());
        }
        if second.js != first.js {
            bail!("the second build of the {} has other glue", which.name);
        }
    }
    Ok(())
}

/// Copies what git tracks or would track.
fn copy_sources(from: &Path, to: &Path) -> Result<()> {
    let list = read(
        Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(from),
    )?;
    for name in list.split_terminator('\0') {
        let source = from.join(name);
        if !source.is_file() {
            continue; // Tracked, and deleted since.
        }
        let copy = to.join(name);
        let parent = copy.parent().context("a file without a folder")?;
        fs::create_dir_all(parent)
            .and_then(|()| fs::copy(&source, &copy))
            .with_context(|| format!("cannot copy {name}"))?;
    }
    Ok(())
}

/// Makes a CARGO_HOME that works without the network: the downloads and the index are the first
/// one's, and cargo unpacks the sources anew, under another path.
fn furnish(from: &Path, to: &Path) -> Result<()> {
    let registry = to.join("registry");
    fs::create_dir_all(&registry)?;
    for part in ["cache", "index"] {
        let source = from.join("registry").join(part);
        if source.exists() {
            link(&source.canonicalize()?, &registry.join(part))?;
        }
    }
    // A mirror is configured here.
    for name in ["config.toml", "config"] {
        if from.join(name).exists() {
            fs::copy(from.join(name), to.join(name))?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn link(source: &Path, link: &Path) -> Result<()> {
    std::os::unix::fs::symlink(source, link).with_context(|| format!("cannot link {}", link.display()))
}

#[cfg(not(unix))]
fn link(_source: &Path, _link: &Path) -> Result<()> {
    bail!("--check-reproducible needs a Unix system")
}

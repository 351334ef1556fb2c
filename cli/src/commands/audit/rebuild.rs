//! `--rebuild`: the module built once more from a source, byte for byte. Of a release, only the files that its
//! list of sources names are taken, each held against its digest; building runs that source's own build tool.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use audit::{Finding, source};
use sandbox::gate;

use crate::failure::Failure;
use crate::files;

/// Builds the module `name` from `source`, and compares. `list` is the release's list of sources.
pub(super) fn check(
    source: &Path,
    name: &str,
    bytes: &[u8],
    list: Option<&[u8]>,
) -> Result<Vec<Finding>, Failure> {
    let source = source.canonicalize().map_err(|error| files::io_failure(source, &error))?;
    let target = source.join("target/audit");
    let copy = target.join("source");
    let mut findings = Vec::new();
    let root = match list {
        Some(list) => {
            // A list with a bad line is a deviation that the folder's check names.
            let Ok(list) = source::read(&String::from_utf8_lossy(list)) else { return Ok(findings) };
            let _ = fs::remove_dir_all(&copy);
            findings = fs::create_dir_all(&copy)
                .and_then(|()| source::copy_listed(&list, &source, &copy))
                .map_err(|error| files::io_failure(&copy, &error))?;
            copy
        }
        None => source.clone(),
    };
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--quiet", "--locked", "--package", "xtask", "--", "wasm"])
        .current_dir(&root)
        .env("CARGO_TARGET_DIR", target.join("tools"))
        .env("HEDUI_WASM_TARGET_DIR", target.join("wasm"))
        .env_remove("CARGO_MANIFEST_DIR")
        // What it prints is no part of this command's result.
        .stdout(std::process::Stdio::null())
        .status();
    let built = match status {
        Ok(status) if status.success() => {
            files::read(&root.join("target/artifact").join(name), files::MODULE).ok()
        }
        Ok(_) => None,
        Err(error) => {
            let message = format!("cargo can't be run ({}); it comes with rustup", error.kind());
            return Err(Failure::new("rebuild", "rebuild", message));
        }
    };
    match built {
        None => {
            findings.push(Finding::new("rebuild_failed", name, "the source does not build to this module"))
        }
        Some(built) if built == bytes => {}
        Some(built) => findings.push(differs(name, bytes, &built)),
    }
    Ok(findings)
}

/// Where the two begin to differ, by section of the audited module.
fn differs(name: &str, bytes: &[u8], built: &[u8]) -> Finding {
    let same = bytes.iter().zip(built).take_while(|(a, b)| a == b).count();
    let place = match gate::section_at(bytes, same) {
        Some(section) => format!("{name}, {section}"),
        None => name.to_owned(),
    };
    let message = format!(
        "the source gives other bytes, from byte {same} on ({} bytes, and the module has {})",
        built.len(),
        bytes.len()
    );
    Finding::new("rebuild_differs", place, message)
}

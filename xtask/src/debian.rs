//! Programs that the tests drive, from Debian's packages.

use crate::shell::{run, say};
use anyhow::{Result, bail};
use std::process::Command;

/// Makes sure that something is there, and installs the packages that bring it where this may.
///
/// # Errors
/// With what to install, where it is missing and can't be installed.
pub(crate) fn present(what: &str, packages: &[&str], found: impl Fn() -> bool) -> Result<()> {
    if found() {
        return Ok(());
    }
    let packages_named = packages.join(" ");
    say(&format!("installs {packages_named} from Debian's packages"));
    let apt = |arguments: &[&str]| run(Command::new("apt-get").args(arguments));
    let installed = apt(&["update", "--quiet"])
        .and_then(|()| apt(&[["install", "--yes", "--quiet"].as_slice(), packages].concat()));
    if installed.is_err() || !found() {
        bail!("{what} is missing: install it as root with `apt-get install {packages_named}`");
    }
    Ok(())
}

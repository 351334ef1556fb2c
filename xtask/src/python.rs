//! The interpreter of the independent reader.

use crate::shell::{run, say, works};
use anyhow::{Result, bail};
use std::env;
use std::process::Command;

/// What the reader's environment is made with: also without Debian's `python3-venv`, `venv` is there and fails.
const CHECK: &str = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))";

/// Makes sure that Python 3.11 can make an environment, and installs Debian's package where it may.
pub(crate) fn present() -> Result<()> {
    if found() {
        return Ok(());
    }
    say("installs python3-venv from Debian's packages");
    let update = run(Command::new("apt-get").args(["update", "--quiet"]));
    let installed = update
        .and_then(|()| run(Command::new("apt-get").args(["install", "--yes", "--quiet", "python3-venv"])));
    if installed.is_err() || !found() {
        bail!(
            "Python 3.11 with venv is missing: install it as root with `apt-get install python3-venv`, or name one with PYTHON"
        );
    }
    Ok(())
}

fn found() -> bool {
    works(Command::new(env::var_os("PYTHON").unwrap_or_else(|| "python3".into())).args(["-c", CHECK]))
}

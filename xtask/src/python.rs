//! The interpreter of the independent reader.

use crate::debian;
use crate::shell::works;
use anyhow::Result;
use std::env;
use std::process::Command;

/// What the reader's environment is made with: also without Debian's `python3-venv`, `venv` is there and fails.
const CHECK: &str = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))";

/// Makes sure that Python 3.11 can make an environment; PYTHON names another one.
pub(crate) fn present() -> Result<()> {
    debian::present("Python 3.11 with venv", &["python3-venv"], found)
}

fn found() -> bool {
    works(Command::new(env::var_os("PYTHON").unwrap_or_else(|| "python3".into())).args(["-c", CHECK]))
}

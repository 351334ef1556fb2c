//! The browser that the tests drive.

use crate::debian;
use crate::shell::works;
use anyhow::Result;
use std::process::Command;

/// Makes sure that Chromium, its driver and a Chinese font are there.
pub(crate) fn present() -> Result<()> {
    debian::present("Chromium", &["chromium", "chromium-driver", "fonts-noto-cjk"], || {
        ["chromium", "chromedriver"].iter().all(|program| works(Command::new(program).arg("--version")))
    })
}

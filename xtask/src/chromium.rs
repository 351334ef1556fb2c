//! The browser that the tests drive.

use crate::shell::{run, say, works};
use anyhow::{Result, bail};
use std::process::Command;

/// Makes sure that Chromium and its driver are there, and installs them from Debian's packages where it may.
pub(crate) fn present() -> Result<()> {
    if found() {
        return Ok(());
    }
    say("installs chromium and chromium-driver from Debian's packages");
    let update = run(Command::new("apt-get").args(["update", "--quiet"]));
    let installed = update.and_then(|()| {
        run(Command::new("apt-get").args([
            "install",
            "--yes",
            "--quiet",
            "chromium",
            "chromium-driver",
            "fonts-noto-cjk",
        ]))
    });
    if installed.is_err() || !found() {
        bail!("Chromium is missing: install it as root with `apt-get install chromium chromium-driver`");
    }
    Ok(())
}

fn found() -> bool {
    ["chromium", "chromedriver"].iter().all(|program| works(Command::new(program).arg("--version")))
}

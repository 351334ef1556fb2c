//! What printed papers need: the Chinese fonts they are set in, and the program that tests read them with.

use crate::shell::{run, say, works};
use anyhow::{Result, bail};
use std::path::Path;
use std::process::Command;

/// Makes sure that both are there, and installs them from Debian's packages where it may.
pub(crate) fn present() -> Result<()> {
    if found() {
        return Ok(());
    }
    say("installs fonts-noto-cjk and poppler-utils from Debian's packages");
    let update = run(Command::new("apt-get").args(["update", "--quiet"]));
    let installed = update.and_then(|()| {
        run(Command::new("apt-get").args(["install", "--yes", "--quiet", "fonts-noto-cjk", "poppler-utils"]))
    });
    if installed.is_err() || !found() {
        bail!("papers can't be tested: install as root with `apt-get install fonts-noto-cjk poppler-utils`");
    }
    Ok(())
}

fn found() -> bool {
    let font = "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc";
    Path::new(font).is_file() && works(Command::new("pdftotext").arg("-v"))
}

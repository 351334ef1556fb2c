//! axe-core, which looks for faults of accessibility in the page's tests, and is nowhere else.

use crate::shell::{read, run, say, workspace};
use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha512};
use std::fs;
use std::process::Command;

/// The version, and the digest that npm's registry states for its package.
const PACKAGE: &str = "axe-core@4.14.1";
const INTEGRITY: &str =
    "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==";

/// Makes sure that `target/axe/axe.min.js` is there.
///
/// # Errors
/// Where npm is missing, can't fetch the package, or brings another one.
pub(crate) fn present() -> Result<()> {
    let folder = workspace()?.join("target/axe");
    let stamp = folder.join("integrity");
    if fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == INTEGRITY) && folder.join("axe.min.js").is_file()
    {
        return Ok(());
    }
    say("fetches axe-core, once");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", "--ignore-scripts", PACKAGE]).current_dir(&folder);
    let name = read(&mut npm)
        .context("npm is missing, or its registry: install it as root with `apt-get install npm`")?;
    let package = folder.join(name.trim());
    let found = format!("sha512-{}", STANDARD.encode(Sha512::digest(fs::read(&package)?)));
    ensure!(found == INTEGRITY, "{PACKAGE} is not the package that is pinned: {found}");
    run(Command::new("tar")
        .arg("-xzf")
        .arg(&package)
        .args(["--strip-components=1", "package/axe.min.js"])
        .current_dir(&folder))?;
    fs::write(&stamp, INTEGRITY)?;
    Ok(())
}

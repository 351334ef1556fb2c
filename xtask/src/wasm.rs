//! `cargo xtask wasm`: the modules as they ship, the matcher and the reader.
//!
//! The recipe (`wasm/recipe.rs`) gives the same bytes on every machine; `--check-reproducible`
//! (`wasm/reproduce.rs`) builds a second time elsewhere and compares. What leaves this command has
//! passed the gate of the crate `sandbox`. The compiler writes into `target/wasm`, or into the folder
//! that `HEDUI_WASM_TARGET_DIR` names.

mod recipe;
mod reproduce;

use crate::shell::{cargo_home, say, workspace};
use anyhow::{Context, Result, bail};
use recipe::{Built, MODULES, Place, Which};
use sandbox::gate::{self, Report};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Builds a second time in another folder with another CARGO_HOME and compares the bytes.
    #[arg(long)]
    check_reproducible: bool,
}

impl Args {
    /// With the second build.
    pub(crate) fn reproducible() -> Self {
        Self { check_reproducible: true }
    }
}

/// Builds the modules, holds each against its allow-list and puts it into `target/artifact`:
/// `matcher.wasm`, its glue `matcher.js`, and `matcher.json` with what the gate read; the reader's likewise.
///
/// # Errors
/// Where the build fails, the gate finds anything, or the second build differs.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root = workspace()?;
    let place = Place {
        target: std::env::var_os("HEDUI_WASM_TARGET_DIR")
            .map_or_else(|| root.join("target/wasm"), |folder| root.join(folder)),
        cargo_home: cargo_home()?,
        workspace: root,
        offline: false,
    };
    let artifact = place.workspace.join("target/artifact");
    fs::create_dir_all(&artifact).with_context(|| format!("cannot make {}", artifact.display()))?;
    let built = MODULES.iter().map(|which| make(which, &place, &artifact)).collect::<Result<Vec<_>>>()?;

    if args.check_reproducible {
        say("builds them again, elsewhere");
        reproduce::check(&place, &built)?;
        say("the second builds have the same bytes");
    }
    Ok(())
}

/// Builds one module, and puts it there if it passes.
fn make(which: &Which, place: &Place, artifact: &Path) -> Result<Built> {
    let name = which.name;
    say(&format!("builds the {name} module"));
    let built = recipe::build(place, which)?;
    let report = gate::inspect(&built.wasm)?;
    print!("{}", table(&report, gzip_size(&built.wasm)));
    if let Err(error) = admit(&built, &report, which, place) {
        // An older module must not pass for this one; the refused one is kept for a look at it.
        for kind in ["wasm", "js", "json"] {
            let _ = fs::remove_file(artifact.join(format!("{name}.{kind}")));
        }
        put(artifact, "refused.wasm", &built.wasm)?;
        return Err(
            error.context(format!("the {name} module is refused; it lies in target/artifact/refused.wasm"))
        );
    }
    let _ = fs::remove_file(artifact.join("refused.wasm"));
    put(artifact, &format!("{name}.wasm"), &built.wasm)?;
    put(artifact, &format!("{name}.js"), built.js.as_bytes())?;
    put(artifact, &format!("{name}.json"), &serde_json::to_vec_pretty(&report)?)?;
    Ok(built)
}

/// Refuses a module off the allow-list, or one that tells where it was built. The gate knows the
/// usual places of builds; this one's it cannot know.
fn admit(built: &Built, report: &Report, which: &Which, place: &Place) -> Result<()> {
    let deviations = report.deviations(&(which.allow)());
    if !deviations.is_empty() {
        bail!("the module {}", gate::sentences(&deviations));
    }
    for folder in [&place.workspace, &place.cargo_home, &place.target] {
        let folder = folder.to_string_lossy();
        if built.wasm.windows(folder.len()).any(|window| window == folder.as_bytes()) {
            bail!("the module holds the host path {folder:?}");
        }
    }
    Ok(())
}

/// Puts a file into `folder` at once, so that nobody reads half of it.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let (file, half) = (folder.join(name), folder.join(format!(".{name}.part")));
    fs::write(&half, bytes)
        .and_then(|()| fs::rename(&half, &file))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// What a person wants to see of the module.
fn table(report: &Report, gzip_size: Option<usize>) -> String {
    let gzip = gzip_size.map_or_else(String::new, |size| format!(", {size} with gzip"));
    let memories: Vec<String> = report.memories.iter().map(memory).collect();
    let exports: Vec<&str> = report.exports.iter().map(|export| export.name.as_str()).collect();
    let imports: Vec<String> =
        report.imports.iter().map(|import| format!("{}.{}", import.module, import.name)).collect();
    let rows = [
        ("size", format!("{} bytes{gzip}", report.size)),
        ("sha256", report.sha256.clone()),
        ("memory", memories.join(", ")),
        ("features", report.features.join(", ")),
        ("exports", exports.join(", ")),
        ("imports", if imports.is_empty() { "none".into() } else { imports.join(", ") }),
    ];
    rows.iter().map(|(name, value)| format!("  {name:<9} {value}\n")).collect()
}

fn memory(limits: &gate::MemoryLimits) -> String {
    let max = limits.max_pages.map_or_else(|| "any number of".into(), |pages| pages.to_string());
    format!("{} to {max} pages of 64 KiB", limits.min_pages)
}

/// The size under `gzip -9`, where the machine has it.
fn gzip_size(bytes: &[u8]) -> Option<usize> {
    let mut gzip = Command::new("gzip")
        .args(["-9", "-n", "-c"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = gzip.stdin.take()?;
    let size = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(bytes));
        gzip.wait_with_output().ok().map(|output| output.stdout.len())
    });
    size.filter(|size| *size > 0)
}

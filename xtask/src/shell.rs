//! Running other programs, and where the workspace lies.

use anyhow::{Context, Result, bail};
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Says what comes next, in one line.
pub(crate) fn say(what: &str) {
    println!("xtask: {what}");
}

/// What to say before a build that may be the first one.
pub(crate) const FIRST_BUILD: &str = "the first time this takes some ten minutes, wasmtime most of it";

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn workspace() -> Result<PathBuf> {
    let here =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let root = here.parent().context("xtask lies in no folder")?;
    root.canonicalize().with_context(|| format!("no folder {}", root.display()))
}

/// The cargo that runs this, to be run in `folder`.
pub(crate) fn cargo(folder: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(folder);
    forget_package(&mut cargo);
    cargo
}

/// Takes out of a command's surroundings what `cargo run` says of this package: build scripts that look at it would
/// build their crates anew, and everything above them, whenever the same is built without `cargo xtask`.
pub(crate) fn forget_package(command: &mut Command) {
    let said = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(said)) {
        command.env_remove(name);
    }
}

/// Where cargo keeps its registries: `CARGO_HOME`, or `.cargo` in the user's home.
pub(crate) fn cargo_home() -> Result<PathBuf> {
    match env::var_os("CARGO_HOME") {
        Some(home) => Ok(home.into()),
        None => Ok(env::home_dir().context("there is no home folder; set CARGO_HOME")?.join(".cargo")),
    }
}

/// Runs `command` with this terminal.
///
/// # Errors
/// Where it cannot be started or fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {}", name(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", line(command));
    }
    Ok(())
}

/// Runs `command` and returns what it prints.
///
/// # Errors
/// Where it cannot be started, fails, or prints something other than UTF-8.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot run {}", name(command)))?;
    if !output.status.success() {
        bail!("{} failed ({})", line(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} prints no UTF-8", name(command)))
}

/// Whether `command` can be run and succeeds; nothing of it is shown.
pub(crate) fn works(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn name(command: &Command) -> String {
    Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn line(command: &Command) -> String {
    let args = command.get_args().map(|arg| format!(" {}", arg.to_string_lossy()));
    std::iter::once(name(command)).chain(args).collect()
}

//! `cargo xtask dist`: the folder of a release, `target/dist` (SPEC §12).
//!
//! Modules, offline edition, specification, threat model, audit guide, bills of
//! materials, list of sources; a manifest that names them all, two signatures over it, and checksums.

mod sbom;
mod sign;

use crate::shell::{read, say, workspace};
use crate::{offline, wasm};
use anyhow::{Context, Result, ensure};
use audit::folder::{CHECKSUMS, PAGE};
use audit::manifest::{self, FileEntry, Manifest, ModuleEntry};
use audit::module;
use audit::source::{self, Source};
use protocol::value::{Digest, Time};
use sandbox::gate;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A publisher's secret key in minisign's format, twice. Unless given, two keys are made for this folder alone
    /// and thrown away; their public halves lie in target/throw-away-keys.
    #[arg(long = "key", num_args = 1)]
    keys: Vec<PathBuf>,
    /// The files whose first lines are the keys' passphrases, in the same order; unless given, they are asked.
    #[arg(long = "passphrase-file", num_args = 1)]
    passphrases: Vec<PathBuf>,
    /// Takes the modules of target/artifact as they are.
    #[arg(long)]
    no_build: bool,
}

/// Documents of a release: where they stand in the repository.
const DOCUMENTS: [&str; 3] = ["docs/SPEC.md", "docs/THREAT-MODEL.md", "docs/AUDIT.md"];

/// Modules of a release, each with the crate that it is compiled from.
const MODULES: [(&str, &str); 2] = [("matcher.wasm", "matcher-wasm"), ("reader.wasm", "reader-wasm")];

/// Makes the folder anew.
///
/// # Errors
/// Where something can't be built, read, signed or written.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root = workspace()?;
    let signers = sign::signers(&args.keys, &args.passphrases, &root.join("target/throw-away-keys"))?;
    if !args.no_build {
        wasm::run(&wasm::Args::default())?;
    }
    let folder = root.join("target/dist");
    offline::build(&root.join(offline::PLACE))?;
    let files = files(&root, &folder)?;
    let manifest = manifest(&root, &files)?.write().context("the manifest has no canonical form")?;

    let mut all: BTreeMap<String, Vec<u8>> = files;
    for (n, signer) in signers.iter().enumerate() {
        all.insert(format!("{}.{}.minisig", manifest::NAME, n + 1), signer.sign(&manifest)?.into_bytes());
    }
    all.insert(manifest::NAME.to_owned(), manifest);
    let sums: Vec<Source> = all.iter().map(|(name, bytes)| (Digest::of(bytes), name.clone())).collect();
    all.insert(CHECKSUMS.to_owned(), source::write(&sums).into_bytes());

    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot empty target/dist")?;
    }
    fs::create_dir_all(&folder)?;
    for (name, bytes) in &all {
        fs::write(folder.join(name), bytes).with_context(|| format!("cannot write {name}"))?;
    }
    say(&format!("wrote {} files into target/dist", all.len()));
    Ok(())
}

/// Everything that the manifest names.
fn files(root: &Path, folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for (name, package) in MODULES {
        let bytes = fs::read(root.join("target/artifact").join(name))
            .with_context(|| format!("target/artifact/{name} is missing: run `cargo xtask wasm`"))?;
        files.insert(name.replace(".wasm", ".cdx.json"), sbom::of_module(root, name, package, &bytes)?);
        files.insert(name.to_owned(), bytes);
    }
    for path in DOCUMENTS {
        let name = path.strip_prefix("docs/").unwrap_or(path);
        files.insert(name.to_owned(), fs::read(root.join(path)).with_context(|| format!("no {path}"))?);
    }
    files.insert(PAGE.to_owned(), fs::read(folder.join(PAGE)).context("the offline edition")?);
    files.insert(source::NAME.to_owned(), source::write(&sources(root)?).into_bytes());
    Ok(files)
}

/// What git tracks or would track, with digests.
fn sources(root: &Path) -> Result<Vec<Source>> {
    let list = read(
        Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root),
    )?;
    let files = list.split_terminator('\0').filter(|name| root.join(name).is_file());
    let sources: Vec<Source> = files
        .map(|name| Ok((Digest::of(&fs::read(root.join(name))?), name.to_owned())))
        .collect::<Result<_>>()?;
    ensure!(!sources.is_empty(), "git knows no source here");
    Ok(sources)
}

fn manifest(root: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<Manifest> {
    let mut modules = Vec::new();
    for (name, _) in MODULES {
        let report = gate::inspect(files.get(name).context("a module")?)?;
        modules.push(ModuleEntry {
            exports: module::exports(&report),
            imports: module::imports(&report),
            name: name.to_owned(),
        });
    }
    let rustc = read(Command::new("rustc").arg("--version").current_dir(root))?;
    Ok(Manifest {
        files: files.iter().map(|(name, bytes)| FileEntry::of(name, bytes)).collect(),
        issued: now()?,
        modules,
        page_sha256: files.get(PAGE).map(|page| Digest::of(page)),
        release: env!("CARGO_PKG_VERSION").parse().context("the version is no release number")?,
        source_sha256: Digest::of(files.get(source::NAME).context("the list of sources")?),
        toolchain: rustc.trim().parse().context("the compiler's name is no text")?,
        r#type: manifest::TYPE.to_owned(),
    })
}

/// Now, or the moment that `SOURCE_DATE_EPOCH` names, with which a folder can be made again to the byte.
fn now() -> Result<Time> {
    let seconds = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(seconds) => seconds.parse().context("SOURCE_DATE_EPOCH is no number of seconds")?,
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
    };
    Time::from_unix(seconds).context("the clock shows no time between 1970 and 2199")
}

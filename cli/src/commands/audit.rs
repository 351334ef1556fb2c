//! `hedui audit`: what a reviewer wants to know of a module or of a whole release, and whether it holds.
//! The checks are the crate `audit`'s; this file reads, runs them in order and prints.

mod rebuild;
mod table;

use std::path::{Path, PathBuf};

use audit::behaviour::Behaviour;
use audit::folder::{Checked, Checks, Expected, Folder};
use audit::module::Kind;
use audit::signatures::ReleaseKey;
use audit::vectors::{self, Session};
use audit::{Finding, behaviour, module};
use clap::Args;
use protocol::Time;
use protocol::value::{Digest, ReleaseNumber};
use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::files;
use crate::output::Output;

/// Bytes of a file of vectors at most.
const VECTORS: u64 = 16 << 20;

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  hedui audit target/dist --key publisher-1.pub --key publisher-2.pub --rebuild ."
)]
pub(crate) struct Arguments {
    /// A module (`matcher.wasm`), or the folder of a release.
    path: PathBuf,
    /// A publisher's public key in minisign's format: a file, or its line of base64. A release needs two.
    #[arg(long = "key")]
    keys: Vec<String>,
    /// The oldest release that will do; unless given, the one of this program.
    #[arg(long, default_value = env!("CARGO_PKG_VERSION"))]
    minimum_release: ReleaseNumber,
    /// Refuse a release that was issued before this moment, YYYY-MM-DDTHH:MM:SSZ.
    #[arg(long)]
    not_before: Option<Time>,
    /// A copy of the source: builds the module from the files that the release lists, and compares the bytes.
    #[arg(long)]
    rebuild: Option<PathBuf>,
    /// A folder with `sessions.json`; unless given, the vectors of this program's release.
    #[arg(long)]
    vectors: Option<PathBuf>,
    /// Read the files only, and run nothing.
    #[arg(long)]
    only_read: bool,
}

/// What was audited, for JSON.
#[derive(Debug, Serialize)]
struct Audited {
    folder: Option<Checked>,
    modules: Vec<Run>,
    deviations: Vec<Finding>,
}

/// A module and how it ran.
#[derive(Debug, Serialize)]
struct Run {
    #[serde(flatten)]
    checks: Checks,
    blake3: String,
    behaviour: Option<Behaviour>,
    rebuilt: Option<bool>,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let path = &arguments.path;
    let audited = if path.is_dir() { folder(arguments)? } else { one_module(arguments)? };
    let json: Value = json!(audited);
    output.say(&table::text(&audited), &json);
    let Some(first) = audited.deviations.first() else { return Ok(()) };
    let message = match audited.deviations.len() {
        1 => format!("there is a deviation: {first}"),
        n => format!("there are {n} deviations, the first: {first}"),
    };
    Err(Failure::new("deviations", "audit", message).of(path))
}

fn folder(arguments: &Arguments) -> Result<Audited, Failure> {
    if arguments.keys.is_empty() {
        let message = "give both publishers' keys, as you have them from elsewhere and not from the release";
        return Err(Failure::option("key", message));
    }
    let keys = arguments.keys.iter().map(|key| release_key(key)).collect::<Result<_, _>>()?;
    let expected =
        Expected { keys, minimum_release: arguments.minimum_release, not_before: arguments.not_before };
    let (folder, mut deviations) =
        Folder::read(&arguments.path).map_err(|error| files::io_failure(&arguments.path, &error))?;
    let (mut checked, found) = folder.check(&expected);
    deviations.extend(found);
    let mut modules = Vec::new();
    for checks in std::mem::take(&mut checked.modules) {
        let Some(bytes) = folder.file(&checks.name) else { continue };
        modules.push(run_module(
            arguments,
            checks,
            bytes,
            folder.file(audit::source::NAME),
            &mut deviations,
        )?);
    }
    Ok(Audited { folder: Some(checked), modules, deviations })
}

fn one_module(arguments: &Arguments) -> Result<Audited, Failure> {
    let path = &arguments.path;
    let bytes = files::read(path, files::MODULE)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // A module by another name is held to the strictest list, the matcher's.
    let kind = Kind::of(&name).unwrap_or(Kind::Matcher);
    let (report, mut deviations) = module::check(&name, kind, &bytes);
    let checks = Checks { name, report };
    let run = run_module(arguments, checks, &bytes, None, &mut deviations)?;
    Ok(Audited { folder: None, modules: vec![run], deviations })
}

/// Runs a module that the gate let pass, and builds it once more where a source is given.
fn run_module(
    arguments: &Arguments,
    checks: Checks,
    bytes: &[u8],
    sources: Option<&[u8]>,
    deviations: &mut Vec<Finding>,
) -> Result<Run, Failure> {
    let name = checks.name.clone();
    let kind = Kind::of(&name).unwrap_or(Kind::Matcher);
    let passed = checks.report.as_ref().is_some_and(|report| report.deviations(&kind.allow()).is_empty());
    let mut behaviour = None;
    if passed && !arguments.only_read && kind == Kind::Matcher {
        let sessions = sessions(arguments.vectors.as_deref())?;
        match behaviour::check(&name, bytes, &sessions) {
            Ok((done, found)) => {
                behaviour = Some(done);
                deviations.extend(found);
            }
            Err(error) => deviations.push(Finding::new("does_not_load", &name, error.to_string())),
        }
    }
    let rebuilt = match &arguments.rebuild {
        Some(source) => {
            let found = rebuild::check(source, &name, bytes, sources)?;
            let same = found.is_empty();
            deviations.extend(found);
            Some(same)
        }
        None => None,
    };
    let blake3 = audit::manifest::FileEntry::of(&name, bytes).blake3.to_string();
    Ok(Run { checks, blake3, behaviour, rebuilt })
}

fn sessions(folder: Option<&Path>) -> Result<Vec<Session>, Failure> {
    let malformed = |error: vectors::Malformed| Failure::new("vectors", "vectors", error.to_string());
    match folder {
        None => vectors::built_in().map_err(malformed),
        Some(folder) => {
            let file = folder.join("sessions.json");
            vectors::read(&files::read(&file, VECTORS)?).map_err(|error| malformed(error).of(&file))
        }
    }
}

/// A key by its line of base64, or in a file.
fn release_key(argument: &str) -> Result<ReleaseKey, Failure> {
    if let Ok(key) = ReleaseKey::read(argument) {
        return Ok(key);
    }
    let path = Path::new(argument);
    let bytes = files::read(path, files::SMALL)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| audit::signatures::NoKey.to_string());
    text.and_then(|text| ReleaseKey::read(text).map_err(|error| error.to_string()))
        .map_err(|error| Failure::new("bad_key", "key", error).of(path))
}

impl Audited {
    /// The digest of the release's list of sources, where there is one.
    fn source(&self) -> Option<Digest> {
        self.folder.as_ref()?.source_sha256
    }
}

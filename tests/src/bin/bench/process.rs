//! Runners that are processes of their own, each for one run: our native program and the peers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use e2e::module::OpenRequest;
use serde::Deserialize;
use serde_json::Value;

use crate::Question;
use crate::files::{Export, Found, Store};
use crate::runner::Outcome;

/// The program of `tests/bench/native.rs`.
#[derive(Debug)]
pub(crate) struct Native {
    program: PathBuf,
    open: PathBuf,
    answer: PathBuf,
}

/// The script `tests/bench/peers.py`.
#[derive(Debug)]
pub(crate) struct Peer {
    python: PathBuf,
    roster: PathBuf,
}

/// What the program prints.
#[derive(Debug, Deserialize)]
struct NativeLine {
    seconds: f64,
    report: Value,
    peak_bytes: u64,
}

/// What the script prints.
#[derive(Debug, Deserialize)]
struct PeerLine {
    seconds: f64,
    peak_bytes: u64,
    version: String,
    #[serde(flatten)]
    found: Found,
}

impl Native {
    /// Puts down the request that begins a session.
    pub(crate) fn new(program: &Path, open: &OpenRequest, store: &Store) -> Self {
        let (request, answer) = (store.path("native.open"), store.path("native.answer"));
        fs::write(&request, open.bytes()).unwrap();
        Self { program: program.to_owned(), open: request, answer }
    }

    /// One run.
    pub(crate) fn run(&self, question: &Question, file: &Export, threads: usize) -> Outcome {
        let mut command = Command::new(&self.program);
        command.args([&self.open, &file.path, &self.answer]).arg(threads.to_string());
        let line: NativeLine = serde_json::from_slice(&output(&mut command)).unwrap();
        let found = question.read(file, &line.report, fs::read(&self.answer).unwrap());
        Outcome {
            seconds: line.seconds,
            peak_bytes: line.peak_bytes,
            found,
            version: None,
            cpu_seconds: None,
        }
    }
}

impl Peer {
    /// Of a Python that has the packages, and of the roster in clear.
    pub(crate) fn new(python: &Path, roster: PathBuf) -> Self {
        Self { python: python.to_owned(), roster }
    }

    /// One run of one of them.
    pub(crate) fn run(&self, name: &'static str, file: &Export, threads: usize) -> Outcome {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/peers.py");
        let mut command = Command::new(&self.python);
        command.arg(script).arg(name).args([&file.path, &self.roster]).arg(threads.to_string());
        let line: PeerLine = serde_json::from_slice(&output(&mut command)).unwrap();
        let PeerLine { seconds, peak_bytes, found, version } = line;
        Outcome { seconds, peak_bytes, found, version: Some((name, version)), cpu_seconds: None }
    }
}

fn output(command: &mut Command) -> Vec<u8> {
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(output.status.success(), "{command:?} failed");
    output.stdout
}

//! Driving the matcher as its runners do: the same requests to the native library and to the built
//! artifact under wasmtime (SPEC §10).

use std::path::PathBuf;
use std::sync::OnceLock;

use matcher::request::join;
use serde_json::{Value, json};

use crate::exchange::{self, Relation};

pub use runner::op;

/// Something that answers requests.
pub trait Runner {
    /// One request, one reply.
    fn send(&mut self, request: Vec<u8>) -> Vec<u8>;

    /// Requests one after another, and the reply to each.
    fn send_all(&mut self, requests: &[Vec<u8>]) -> Vec<Vec<u8>> {
        requests.iter().map(|request| self.send(request.clone())).collect()
    }
}

/// The matcher as a native library.
#[derive(Default)]
pub struct Native(matcher::session::Session);

impl Runner for Native {
    fn send(&mut self, request: Vec<u8>) -> Vec<u8> {
        matcher::run(&mut self.0, request)
    }
}

impl Runner for sandbox::Session {
    fn send(&mut self, request: Vec<u8>) -> Vec<u8> {
        self.call(request).expect("the module does not trap")
    }
}

/// Folder of the built artifact: `target/artifact` of the workspace.
pub fn artifact_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/artifact")
}

/// The built artifact's bytes.
pub fn artifact() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let path = artifact_dir().join("matcher.wasm");
        std::fs::read(path).expect("target/artifact/matcher.wasm is there: run `cargo xtask wasm` first")
    })
}

/// The artifact, compiled once a process and metering fuel.
pub fn wasmtime() -> sandbox::Session {
    static MODULE: OnceLock<sandbox::Module> = OnceLock::new();
    let module = MODULE.get_or_init(|| {
        let limits =
            sandbox::Limits { memory_bytes: 64 << 20, metering: sandbox::Metering::Fuel(u64::MAX / 2) };
        sandbox::Module::load(artifact(), limits).expect("the artifact passes its gate")
    });
    module.session().expect("an instance")
}

/// What `open` takes.
#[derive(Debug, Clone)]
pub struct OpenRequest {
    /// Key file.
    pub key_file: Vec<u8>,
    /// Passphrase.
    pub passphrase: Vec<u8>,
    /// Agreement.
    pub agreement: Vec<u8>,
    /// Roster.
    pub roster: Vec<u8>,
    /// Entropy.
    pub entropy: Vec<u8>,
    /// Options.
    pub options: Value,
}

impl OpenRequest {
    /// As an institution's page would send it at [`exchange::NOW`].
    pub fn new(relation: &Relation) -> Self {
        Self {
            key_file: relation.party.file.clone(),
            passphrase: exchange::PASSPHRASE.to_vec(),
            agreement: relation.agreement.clone(),
            roster: relation.roster.clone(),
            entropy: vec![0x5A; 32],
            options: json!({
                "answer_version": 1,
                "last_serial": 0,
                "module_sha256": exchange::sha256(artifact()),
                "now": exchange::NOW,
            }),
        }
    }

    /// The request's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let options = self.options.to_string();
        let parts: [&[u8]; 6] = [
            &self.key_file,
            &self.passphrase,
            &self.agreement,
            &self.roster,
            &self.entropy,
            options.as_bytes(),
        ];
        request(op::OPEN, &join(&parts))
    }
}

/// `op ‖ rest`
pub fn request(op: u8, rest: &[u8]) -> Vec<u8> {
    [&[op], rest].concat()
}

/// Splits a reply: the result, or the error's JSON.
pub fn reply(bytes: &[u8]) -> Result<Vec<u8>, Value> {
    match bytes.split_first() {
        Some((0, result)) => Ok(result.to_vec()),
        Some((1, error)) => Err(serde_json::from_slice(error).expect("an error is JSON")),
        _ => panic!("a reply has a status"),
    }
}

/// A finished run.
#[derive(Debug, Clone)]
pub struct Run {
    /// The report of `finish`.
    pub report: Value,
    /// The answer document.
    pub answer: Vec<u8>,
}

/// A whole run over one file, pushed in chunks of `chunk` bytes. The error's JSON when a step refuses.
pub fn run(runner: &mut impl Runner, open: &OpenRequest, file: &[u8], chunk: usize) -> Result<Run, Value> {
    reply(&runner.send(open.bytes()))?;
    for piece in file.chunks(chunk) {
        reply(&runner.send(request(op::PUSH, piece)))?;
    }
    finish(runner)
}

/// The end of a run: seal, and read the answer.
pub fn finish(runner: &mut impl Runner) -> Result<Run, Value> {
    let report = reply(&runner.send(request(op::FINISH, &[])))?;
    let report = serde_json::from_slice(&report).expect("a report is JSON");
    let mut answer = Vec::new();
    loop {
        let piece = reply(&runner.send(request(op::READ, &[])))?;
        if piece.is_empty() {
            return Ok(Run { report, answer });
        }
        answer.extend(piece);
    }
}

//! The reader beside the matcher, natively and under wasmtime, over files that real programs wrote.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use desk::opening::{Question, open_answers};
use desk::table::Entry;
use protocol::Document;
use protocol::joining::InstitutionKind;
use runner::sheets::{self, Tally};
use runner::{Instance, RunError, ask, ask_json, op};
use sandbox::gate::Allow;
use sandbox::{Limits, Metering, Module, Session};
use serde_json::{Value, json};

use crate::exchange::{Centre, Relation, Setup};
use crate::module::{Native, OpenRequest, Runner as _, artifact_dir, wasmtime};

/// What the reader may use in tests; its own maximum is 320 MiB.
const LIMITS: Limits = Limits { memory_bytes: 320 << 20, metering: Metering::Fuel(u64::MAX / 2) };

/// A pair of instances: the matcher, and what makes a fresh reader.
pub trait Pair {
    /// The matcher.
    fn matcher(&mut self) -> &mut dyn Instance;
    /// A reader for one file.
    fn reader(&self) -> Box<dyn Instance + Send>;
}

/// Both as native libraries.
#[derive(Default)]
pub struct Libraries(NativeMatcher);

#[derive(Default)]
struct NativeMatcher(Native);

impl Instance for NativeMatcher {
    fn call(&mut self, request: Vec<u8>) -> Result<Vec<u8>, String> {
        Ok(self.0.send(request))
    }
}

/// The reader's session lives on one thread, which answers.
struct NativeReader {
    ask: std::sync::mpsc::Sender<Vec<u8>>,
    hear: std::sync::mpsc::Receiver<Vec<u8>>,
}

impl NativeReader {
    fn start() -> Self {
        let (ask, asked) = std::sync::mpsc::channel::<Vec<u8>>();
        let (tell, hear) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut session = reader::Session::default();
            for request in asked {
                if tell.send(reader::run(&mut session, &request)).is_err() {
                    return;
                }
            }
        });
        Self { ask, hear }
    }
}

impl Instance for NativeReader {
    fn call(&mut self, request: Vec<u8>) -> Result<Vec<u8>, String> {
        self.ask.send(request).map_err(|_| "the reader stopped".to_owned())?;
        self.hear.recv().map_err(|_| "the reader stopped".to_owned())
    }
}

impl Pair for Libraries {
    fn matcher(&mut self) -> &mut dyn Instance {
        &mut self.0
    }

    fn reader(&self) -> Box<dyn Instance + Send> {
        Box::new(NativeReader::start())
    }
}

/// A session of the sandbox, as the runner drives it.
struct Sandboxed {
    session: Session,
    /// Bytes of its linear memory, which never shrinks.
    bytes: Arc<AtomicUsize>,
}

impl Instance for Sandboxed {
    fn call(&mut self, request: Vec<u8>) -> Result<Vec<u8>, String> {
        let reply = self.session.call(request).map_err(|error| error.to_string());
        self.bytes.fetch_max(self.session.memory_bytes(), Ordering::Relaxed);
        reply
    }
}

/// Both as the built artifacts under wasmtime.
pub struct Artifacts {
    matcher: Sandboxed,
    /// Of the largest reader so far.
    reader_bytes: Arc<AtomicUsize>,
}

impl Artifacts {
    /// Bytes of linear memory that the matcher and the reader came to.
    pub fn memory(&self) -> [usize; 2] {
        [&self.matcher.bytes, &self.reader_bytes].map(|bytes| bytes.load(Ordering::Relaxed))
    }
}

impl Default for Artifacts {
    fn default() -> Self {
        let matcher = Sandboxed { session: wasmtime(), bytes: Arc::default() };
        Self { matcher, reader_bytes: Arc::default() }
    }
}

impl Pair for Artifacts {
    fn matcher(&mut self) -> &mut dyn Instance {
        &mut self.matcher
    }

    fn reader(&self) -> Box<dyn Instance + Send> {
        Box::new(Sandboxed { session: reader_session(), bytes: Arc::clone(&self.reader_bytes) })
    }
}

/// A fresh instance of the built reader.
///
/// # Panics
/// When it was not built.
fn reader_session() -> Session {
    static MODULE: OnceLock<Module> = OnceLock::new();
    let module = MODULE.get_or_init(|| {
        let bytes = std::fs::read(artifact_dir().join("reader.wasm"))
            .expect("target/artifact/reader.wasm is there: run `cargo xtask wasm` first");
        Module::load_as(&Allow::reader(), &bytes, LIMITS).expect("the artifact passes its gate")
    });
    module.session().expect("an instance")
}

/// The people of the files, and the roster that asks about ten of them.
pub struct Asked {
    centre: Centre,
    relation: Relation,
    applicants: Vec<u8>,
}

impl Asked {
    /// The first ten of the files' people, and ten others.
    pub fn new() -> Self {
        let applicants = std::fs::read(folder("small").join("applicants.csv")).unwrap();
        let centre = Centre::new(Setup::default());
        let relation = centre.ask("bank-x", InstitutionKind::Bank, 40, &applicants);
        Self { centre, relation, applicants }
    }

    /// How a session about them is opened.
    pub fn open(&self) -> OpenRequest {
        let mut open = OpenRequest::new(&self.relation);
        open.options["table"] = json!({});
        open
    }

    /// What comes of a file, in one line: counts and what the centre reads in the answer, or why it is refused.
    pub fn told(&self, pair: &mut dyn Pair, file: &Path) -> String {
        match run(pair, &self.open(), file) {
            Ok(outcome) => self.judged(&outcome.report, outcome.answer),
            Err((code, numbers)) => Self::refused(&code, &numbers),
        }
    }

    /// The line of a run that came to its end.
    pub fn judged(&self, report: &Value, answer: Vec<u8>) -> String {
        format!("{}; {}", counts(report), self.read(answer))
    }

    /// The line of one that did not.
    pub fn refused(code: &str, numbers: &Value) -> String {
        format!("refused: {code}{}", pairs(numbers))
    }

    /// Of how many applicants the answer says what is true: person `n` has 1000.10 + n 元 on 2026-10-31.
    fn read(&self, answer: Vec<u8>) -> String {
        let agreement = Document::read(&self.relation.agreement).unwrap();
        let question = Question::read(&self.relation.roster, &[agreement], &self.applicants).unwrap();
        let officers: Vec<_> = self.centre.officers.iter().map(|officer| &officer.keys.opening).collect();
        let table =
            open_answers(&[question], vec![answer], &self.centre.party.keys.opening, &officers).unwrap();
        let (mut found, mut right) = (0, 0);
        for row in table.rows.iter().filter(|row| row.entry == Entry::Total) {
            let n = i64::from(row.applicant_row) - 2;
            let date = row.oldest.filter(|oldest| row.newest == Some(*oldest)).map(|date| date.to_string());
            found += 1;
            right += usize::from(
                row.minor == Some(100_010 + 100 * n)
                    && row.accounts == Some(1)
                    && row.name_flags.len() == 1
                    && row.name_flags[0] == "same"
                    && date.as_deref() == Some("2026-10-31"),
            );
        }
        format!("found {found}, {right} of them right")
    }
}

impl Default for Asked {
    fn default() -> Self {
        Self::new()
    }
}

/// What a run over one file comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The report, with the runner's own warnings.
    pub report: Value,
    /// The answer.
    pub answer: Vec<u8>,
}

/// A whole run over one file. The error is the code and the numbers of a refusal.
///
/// # Errors
/// As the modules refuse.
pub fn run(pair: &mut dyn Pair, open: &OpenRequest, file: &Path) -> Result<Outcome, (String, Value)> {
    whole(pair, open, file).map_err(|error| match error {
        RunError::Refused(refusal) => (refusal.code, Value::Object(refusal.numbers)),
        error => (error.to_string(), Value::Null),
    })
}

fn whole(pair: &mut dyn Pair, open: &OpenRequest, file: &Path) -> Result<Outcome, RunError> {
    ask(pair.matcher(), open.bytes())?;
    let mut tally = Tally::default();
    if sheets::is_spreadsheet(file)? {
        let mut reader = pair.reader();
        sheets::read(pair.matcher(), &mut *reader, file, &open.options["table"], &mut tally, &mut |_, _| {})?;
    } else {
        for chunk in std::fs::read(file)?.chunks(1 << 20) {
            ask(pair.matcher(), [&[op::PUSH], chunk].concat())?;
        }
    }
    let mut report: Value = ask_json(pair.matcher(), vec![op::FINISH])?;
    let warnings = tally.warnings().map(|(code, count)| json!({ "code": code, "count": count }));
    report["warnings"].as_array_mut().unwrap().extend(warnings);
    let mut answer = Vec::new();
    loop {
        let piece = ask(pair.matcher(), vec![op::READ])?;
        if piece.is_empty() {
            return Ok(Outcome { report, answer });
        }
        answer.extend(piece);
    }
}

/// A report's counts in one line, without those that are zero.
fn counts(report: &Value) -> String {
    let coverage = &report["coverage"];
    let mut said = format!("{} rows, {} valid", coverage["rows"], coverage["valid"]);
    for name in ["quarantined", "normalised", "skipped"] {
        let counts = pairs(&coverage[name]);
        if !counts.is_empty() {
            said += &format!("; {name}{counts}");
        }
    }
    for warning in report["warnings"].as_array().unwrap() {
        said += &format!("; {} {}", warning["code"].as_str().unwrap(), warning["count"]);
    }
    said
}

fn pairs(numbers: &Value) -> String {
    let members = numbers.as_object().into_iter().flatten();
    members.filter(|(_, n)| **n != 0).map(|(name, n)| format!(" {name} {n}")).collect()
}

/// The folder of the files that `tests/real_files/make.py` makes, made once.
///
/// # Panics
/// With what is missing.
pub fn folder(part: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::create_dir_all(root.join("target")).unwrap();
    let one_at_a_time = File::create(root.join("target/real-files.lock")).unwrap();
    one_at_a_time.lock().unwrap();
    let made = Command::new("bash").arg(root.join("tests/real_files/run.sh")).arg(part).output().unwrap();
    let problem = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "tests/real_files needs python3 with venv, and LibreOffice: {problem}");
    root.join("target/real-files").canonicalize().unwrap()
}

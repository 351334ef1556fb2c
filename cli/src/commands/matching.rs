//! `hedui match`: the institution's side without a browser. The module does the work, in its sandbox;
//! this file carries bytes in and out (SPEC §10).

use std::num::NonZero;
use std::path::PathBuf;
use std::thread::available_parallelism;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use protocol::Document;
use protocol::agreement::Agreement;
use protocol::key_file::Role;
use protocol::roster::Roster;
use protocol::value::Digest;
use runner::files::Task as Size;
use runner::sheets::{self, Tally};
use runner::{RunError, op};
use sandbox::Module;
use sandbox::gate::Allow;
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::files::{self, NewFile};
use crate::modules::{LIMITS, READER_LIMITS, Sandboxed};
use crate::output::Output;
use crate::serials::Serials;
use crate::{edge, keys, modules};

/// Threads at most: more of them would wait for the disk.
const MOST_THREADS: usize = 8;

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  hedui match --roster bank-1-7.roster.hedui --agreement bank.agreement.hedui \
                        --key bank.key.hedui --out bank-1-7.answer.hedui customers-1.csv customers-2.csv"
)]
pub(crate) struct Arguments {
    /// The module; unless given, `matcher.wasm` beside this program or in target/artifact.
    #[arg(long)]
    module: Option<PathBuf>,
    /// The module that reads spreadsheets; unless given, `reader.wasm` beside the other one's places.
    #[arg(long)]
    reader: Option<PathBuf>,
    /// The centre's roster.
    #[arg(long)]
    roster: PathBuf,
    /// The agreement it was made under.
    #[arg(long)]
    agreement: PathBuf,
    /// The institution's key file.
    #[arg(long)]
    key: PathBuf,
    /// A file whose first line is the passphrase; else it is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// Where to write the answer.
    #[arg(long)]
    out: PathBuf,
    /// Where to write the list of rows set aside.
    #[arg(long)]
    set_aside: Option<PathBuf>,
    /// Seal a copy to this key of the institution's compliance office: key file or 64 hexadecimal digits.
    #[arg(long, requires = "copy")]
    compliance_key: Option<String>,
    /// Where to write the copy, which `hedui account` opens.
    #[arg(long, requires = "compliance_key")]
    copy: Option<PathBuf>,
    /// Replace files that are there.
    #[arg(long)]
    force: bool,
    /// Version of the answer; a later one supersedes.
    #[arg(long, default_value_t = 1)]
    answer_version: u32,
    /// The highest serial answered before: an older roster is refused. Unless given, as the file of
    /// serials says.
    #[arg(long)]
    last_serial: Option<u64>,
    /// How many threads read a large file; unless given, one for each processor.
    #[arg(long)]
    threads: Option<NonZero<usize>>,
    /// Where the serials answered are kept; unless given, beside the key file, as KEY.serials.
    #[arg(long)]
    serials: Option<PathBuf>,
    #[command(flatten)]
    table: Table,
    /// The customer exports: delimited text, or spreadsheets (XLSX, XLS, XLSB, ODS, HTML).
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// How the files' tables lie; what is not given is found out by the module.
#[derive(Debug, Args)]
struct Table {
    /// Balance date of rows that carry none, YYYY-MM-DD.
    #[arg(long)]
    balance_date: Option<String>,
    /// A role for each column, empty for none: id_number,name,,amount (SPEC §10).
    #[arg(long, value_delimiter = ',')]
    columns: Option<Vec<String>>,
    /// Currency of rows that carry none.
    #[arg(long)]
    currency: Option<String>,
    /// The character between two cells.
    #[arg(long)]
    delimiter: Option<String>,
    /// utf-8, gb18030, utf-16le or utf-16be.
    #[arg(long)]
    encoding: Option<String>,
    /// What a row stands for: account or customer.
    #[arg(long)]
    grain: Option<String>,
    /// Which row names the columns, from 1; 0 for none.
    #[arg(long)]
    header_row: Option<u32>,
    /// What figures count, as the module names it: one or ten_thousand (万元).
    #[arg(long)]
    unit: Option<String>,
}

impl Table {
    fn options(&self) -> Value {
        let role = |role: &String| if role.is_empty() { Value::Null } else { json!(role) };
        json!({
            "balance_date": self.balance_date,
            "columns": self.columns.as_ref().map(|roles| roles.iter().map(role).collect::<Vec<_>>()),
            "currency": self.currency,
            "delimiter": self.delimiter,
            "encoding": self.encoding,
            "grain": self.grain,
            "header_row": self.header_row,
            "unit": self.unit,
        })
    }
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let mut out = NewFile::create(&arguments.out, arguments.force)?;
    let new_file = |path: &PathBuf| NewFile::create(path, arguments.force);
    let set_aside = arguments.set_aside.as_ref().map(new_file).transpose()?;
    let copy = arguments.copy.as_ref().map(new_file).transpose()?;
    let compliance_key = arguments.compliance_key.as_ref();
    let compliance_key = compliance_key.map(|key| keys::sealing_key(key, &[Role::Compliance])).transpose()?;
    let path = arguments.module.clone().map_or_else(|| found("matcher.wasm", "module"), Ok)?;
    let module = Module::load(&files::read(&path, files::MODULE)?, LIMITS)
        .map_err(|error| Failure::new("module", "module", error.to_string()).of(&path))?;
    let module_sha256 = Digest(module.sha256());
    let key = files::read(&arguments.key, files::SMALL)?;
    let passphrase = keys::passphrase(&arguments.key, arguments.passphrase_file.as_ref())?;
    let agreement = files::read_document(&arguments.agreement)?;
    let roster = files::read_document(&arguments.roster)?;
    let terms =
        Document::<Agreement>::read(&agreement).map_err(|e| Failure::from(e).of(&arguments.agreement))?;
    let serials = Serials::of(&terms.header, arguments.serials.as_ref(), &arguments.key);
    let last_serial = arguments.last_serial.map_or_else(|| serials.highest(), Ok)?;
    let options = json!({
        "answer_version": arguments.answer_version,
        "compliance_key": compliance_key,
        "last_serial": last_serial,
        "module_sha256": module_sha256,
        "now": edge::now()?.unix(),
        "table": arguments.table.options(),
    });
    let entropy = edge::entropy_bytes()?;
    let options = options.to_string();
    let open: [&[u8]; 6] =
        [&key, passphrase.as_ref(), &agreement, &roster, entropy.as_slice(), options.as_bytes()];
    let start = || -> Result<(Sandboxed, Value), Failure> {
        let session = module.session();
        let session =
            session.map_err(|error| Failure::new("module", "module", error.to_string()).of(&path))?;
        let mut instance = Sandboxed(session);
        let task = runner::ask_json(&mut instance, runner::request(op::OPEN, &open)).map_err(failure)?;
        Ok((instance, task))
    };
    let (mut leader, task) = start()?;
    let threads =
        arguments.threads.or(available_parallelism().ok()).map_or(1, NonZero::get).min(MOST_THREADS);
    let size =
        Size::deserialize(&task).map_err(|_| failure(RunError::Stopped("the task has no size".into())))?;
    let helping = if runner::files::are_worth_helpers(&arguments.files, &size) { threads - 1 } else { 0 };
    let mut helpers = std::thread::scope(|scope| {
        let opening: Vec<_> =
            (0..helping).map(|_| scope.spawn(|| start().map(|(helper, _)| helper))).collect();
        let stopped = |_| Err(failure(RunError::Stopped("an instance could not be opened".into())));
        opening.into_iter().map(|helper| helper.join().unwrap_or_else(stopped)).collect::<Result<Vec<_>, _>>()
    })?;

    let tally = read_files(&mut leader, &mut helpers, &size, arguments)?;
    drop(helpers);
    let mut report: Value = runner::ask_json(&mut leader, vec![op::FINISH]).map_err(failure)?;
    if let Some(warnings) = report.get_mut("warnings").and_then(Value::as_array_mut) {
        warnings.extend(tally.warnings().map(|(code, count)| json!({ "code": code, "count": count })));
    }
    read_out(&mut leader, op::READ, &mut out)?;
    if let Some(mut list) = set_aside {
        read_out(&mut leader, op::SET_ASIDE, &mut list)?;
        list.commit()?;
    }
    if let Some(copy) = copy {
        copy.fill(&runner::ask(&mut leader, vec![op::COPY]).map_err(failure)?)?;
    }
    // Before the answer is there: one without a kept serial would let an older roster in.
    serials.keep(Document::<Roster>::read(&roster)?.header.serial)?;
    out.commit()?;
    let json = json!({
        "answer": arguments.out,
        "copy": arguments.copy,
        "module_sha256": module_sha256,
        "report": report,
        "set_aside": arguments.set_aside,
        "task": task,
    });
    output.say(&text(&json), &json);
    Ok(())
}

/// Writes what the module gives piece by piece.
fn read_out(leader: &mut Sandboxed, op: u8, out: &mut NewFile) -> Result<(), Failure> {
    loop {
        let piece = runner::ask(leader, vec![op]).map_err(failure)?;
        if piece.is_empty() {
            return Ok(());
        }
        out.write(&piece)?;
    }
}

fn found(name: &str, option: &str) -> Result<PathBuf, Failure> {
    let missing = || Failure::option(option, &format!("no {name} was found; name it with --{option}"));
    modules::find(name).ok_or_else(missing)
}

/// The reader of spreadsheets, loaded with the first one: most runs have none.
pub(crate) struct Readers<'a> {
    pub(crate) path: Option<&'a PathBuf>,
    pub(crate) module: Option<Module>,
}

impl Readers<'_> {
    /// A fresh instance: one reads one file.
    pub(crate) fn start(&mut self) -> Result<Sandboxed, Failure> {
        let path = self.path.cloned().map_or_else(|| found("reader.wasm", "reader"), Ok)?;
        let failed = |message: String| Failure::new("module", "reader", message).of(&path);
        let module = match self.module.take() {
            Some(module) => module,
            None => Module::load_as(&Allow::reader(), &files::read(&path, files::MODULE)?, READER_LIMITS)
                .map_err(|error| failed(error.to_string()))?,
        };
        let session = module.session().map_err(|error| failed(error.to_string()))?;
        self.module = Some(module);
        Ok(Sandboxed(session))
    }
}

/// The module's refusal with its numbers, or what stopped it.
fn failure(error: RunError) -> Failure {
    match error {
        RunError::Refused(refusal) => {
            let numbers: Vec<String> =
                refusal.numbers.iter().map(|(name, n)| format!("{name} {n}")).collect();
            let message = match numbers.as_slice() {
                [] => refusal.message,
                numbers => format!("{} ({})", refusal.message, numbers.join(", ")),
            };
            Failure::new(&refusal.code, refusal.field, message)
        }
        RunError::Stopped(message) => Failure::new("module", "module", message),
        RunError::File(error) => Failure::new("file", "file", error.to_string()),
    }
}

/// Lets the instances read the files, one after the other.
fn read_files(
    leader: &mut Sandboxed,
    helpers: &mut Vec<Sandboxed>,
    task: &Size,
    arguments: &Arguments,
) -> Result<Tally, Failure> {
    let paths = &arguments.files;
    let size = |path: &PathBuf| path.metadata().map(|m| m.len()).map_err(|e| files::io_failure(path, &e));
    let bar = ProgressBar::new(paths.iter().map(size).sum::<Result<u64, _>>()?);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}") {
        bar.set_style(style);
    }
    let table = arguments.table.options();
    let mut readers = Readers { path: arguments.reader.as_ref(), module: None };
    let mut tally = Tally::default();
    for path in paths {
        let of_file = |error| match error {
            RunError::File(error) => files::io_failure(path, &error),
            error => failure(error).of(path),
        };
        if sheets::is_spreadsheet(path).map_err(|error| files::io_failure(path, &error))? {
            let mut reader = readers.start()?;
            let (before, length) = (bar.position(), size(path)?);
            let told = &mut |done: u64, of: u64| bar.set_position(before + length / of * done);
            sheets::read(leader, &mut reader, path, &table, &mut tally, told).map_err(of_file)?;
            bar.set_position(before + length);
            continue;
        }
        if tally.begun > 0 {
            runner::ask(leader, vec![op::NEXT_FILE]).map_err(failure)?;
        }
        tally.begun += 1;
        runner::files::read(leader, helpers, task, path, &|bytes| bar.inc(bytes)).map_err(of_file)?;
    }
    bar.finish_and_clear();
    Ok(tally)
}

/// The report for a person: counts, never a row.
fn text(json: &Value) -> String {
    let at = |path: &str| json.pointer(path).cloned().unwrap_or_default();
    let plain = |path: &str| at(path).as_str().map_or_else(|| at(path).to_string(), str::to_owned);
    let mut out = format!(
        "answer {} ({} bytes)\ndigest {}\nmodule {}\n{} rows read, {} valid, {} not personal\n",
        plain("/answer"),
        plain("/report/answer_bytes"),
        plain("/report/answer_digest"),
        plain("/module_sha256"),
        plain("/report/coverage/rows"),
        plain("/report/coverage/valid"),
        plain("/report/coverage/not_personal"),
    );
    for (heading, path) in [
        ("set aside", "/report/coverage/quarantined"),
        ("put right", "/report/coverage/normalised"),
        ("skipped", "/report/coverage/skipped"),
    ] {
        for (reason, count) in at(path).as_object().into_iter().flatten() {
            out.push_str(&format!("{heading}: {reason} {count}\n"));
        }
    }
    for warning in at("/report/warnings").as_array().into_iter().flatten() {
        let part = |name: &str| warning.get(name).cloned().unwrap_or_default();
        out.push_str(&format!(
            "warning: {} ({})\n",
            part("code").as_str().unwrap_or_default(),
            part("count")
        ));
    }
    if at("/task/approval_required") == Value::Bool(true) {
        out.push_str("the agreement asks for an approval: `hedui cosign`\n");
    }
    out
}

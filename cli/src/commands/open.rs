//! `hedui open`: answers in, results out.

use std::path::{Path, PathBuf};

use clap::Args;
use desk::{Masking, OpenError, Question, ResultTable, open_answers};
use protocol::Document;
use protocol::agreement::Agreement;
use protocol::key_file::Role;
use protocol::secret::OpeningKey;
use serde_json::json;

use crate::failure::Failure;
use crate::files::{self, NewFile};
use crate::keys;
use crate::output::Output;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hedui open --roster rosters/*.hedui --agreement bank.agreement.hedui \
                        --answer bank-1-7.answer.hedui --applicants applicants.csv --key centre.key.hedui \
                        --officer a.key.hedui --officer b.key.hedui --csv results.csv")]
pub(crate) struct Arguments {
    /// Rosters that were sent out.
    #[arg(long, required = true, num_args = 1..)]
    roster: Vec<PathBuf>,
    /// The agreements they were made under.
    #[arg(long, required = true, num_args = 1..)]
    agreement: Vec<PathBuf>,
    /// Answers; of several versions the highest counts.
    #[arg(long, num_args = 1..)]
    answer: Vec<PathBuf>,
    /// The applicants' file that the rosters were made from.
    #[arg(long)]
    applicants: PathBuf,
    /// The centre's key file.
    #[arg(long)]
    key: PathBuf,
    /// A file whose first line is the centre's passphrase; else it is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// Key files of the officers who open together.
    #[arg(long, required = true, num_args = 1..)]
    officer: Vec<PathBuf>,
    /// Files whose first line is an officer's passphrase: one for each officer, in their order.
    #[arg(long, num_args = 1..)]
    officer_passphrase_file: Vec<PathBuf>,
    /// Write the results as CSV, in clear, instead of showing them.
    #[arg(long)]
    csv: Option<PathBuf>,
    /// Show identity and account numbers in full.
    #[arg(long)]
    unmask: bool,
    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let csv = arguments.csv.as_ref().map(|path| NewFile::create(path, arguments.force)).transpose()?;
    let table = open(arguments)?;
    if let Some(csv) = csv {
        csv.fill(table.to_csv().as_bytes())?;
    }
    if output.json {
        println!("{}", table.to_json()?);
    } else if arguments.csv.is_some() {
        output.say(&table.to_summary(), &json!(null));
    } else {
        let masking = if arguments.unmask { Masking::Plain } else { Masking::Masked };
        output.say(&table.to_screen(masking), &json!(null));
    }
    Ok(())
}

fn open(arguments: &Arguments) -> Result<ResultTable, Failure> {
    let passphrases = &arguments.officer_passphrase_file;
    if !passphrases.is_empty() && passphrases.len() != arguments.officer.len() {
        return Err(Failure::option("officer_passphrase_file", "there must be one for each officer"));
    }
    let mut agreements = Vec::new();
    for path in &arguments.agreement {
        let agreement = Document::<Agreement>::read(&files::read_document(path)?);
        agreements.push(agreement.map_err(|e| Failure::from(e).of(path))?);
    }
    let applicants = files::read_applicants(&arguments.applicants)?;
    let mut questions = Vec::new();
    for path in &arguments.roster {
        let question = Question::read(&files::read_document(path)?, &agreements, &applicants);
        questions.push(question.map_err(|e| told(e, arguments, path))?);
    }
    let answers =
        arguments.answer.iter().map(|path| files::read_document(path)).collect::<Result<Vec<_>, _>>()?;

    let (_, centre) = keys::unlock(&arguments.key, arguments.passphrase_file.as_ref(), &[Role::Centre])?;
    let mut officers = Vec::new();
    for (at, path) in arguments.officer.iter().enumerate() {
        let (_, officer) = keys::unlock(path, passphrases.get(at), &[Role::Officer, Role::Approver])?;
        officers.push(officer);
    }
    let officers: Vec<&OpeningKey> = officers.iter().map(|keys| &keys.opening).collect();
    open_answers(&questions, answers, &centre.opening, &officers)
        .map_err(|e| told(e, arguments, &arguments.applicants))
}

/// Names the file that an error is about: the answer where it says which, else `file`.
fn told(error: OpenError, arguments: &Arguments, file: &Path) -> Failure {
    let answer = match &error {
        OpenError::Applicants(defects) => return Failure::defects(&arguments.applicants, defects.clone()),
        OpenError::Answer { index, .. } | OpenError::Conflict { index, .. } => arguments.answer.get(*index),
        _ => None,
    };
    let plain = matches!(error, OpenError::Officers);
    let failure = Failure::from(error);
    if plain { failure } else { failure.of(answer.map_or(file, PathBuf::as_path)) }
}

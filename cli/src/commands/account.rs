//! `hedui account`: the institution's compliance office reads what an answer disclosed, with the answer's copy.

use std::path::{Path, PathBuf};

use clap::Args;
use desk::disclosed::Disclosed;
use protocol::Document;
use protocol::agreement::Agreement;
use protocol::answer::Answer;
use protocol::answer_seal::{self, SealError};
use protocol::copy::AnswerCopy;
use protocol::key_file::Role;
use protocol::value::PublicKey;
use serde_json::json;

use crate::failure::Failure;
use crate::files::{self, NewFile};
use crate::keys;
use crate::output::Output;

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  hedui account --answer bank-1-7.answer.hedui --copy bank-1-7.copy.hedui \
                        --key compliance.key.hedui --csv disclosed.csv"
)]
pub(crate) struct Arguments {
    /// The answer as it was sent.
    #[arg(long)]
    answer: PathBuf,
    /// Its copy, which `hedui match --copy` or the page wrote beside it.
    #[arg(long)]
    copy: PathBuf,
    /// The compliance office's key file.
    #[arg(long)]
    key: PathBuf,
    /// The agreement: the answer must be signed by its institution.
    #[arg(long)]
    agreement: Option<PathBuf>,
    /// A file whose first line is the passphrase; else it is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// Write totals and accounts as CSV, in clear.
    #[arg(long)]
    csv: Option<PathBuf>,
    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let csv = arguments.csv.as_ref().map(|path| NewFile::create(path, arguments.force)).transpose()?;
    let answer = Document::<Answer>::read(&files::read_document(&arguments.answer)?)
        .map_err(|e| Failure::from(e).of(&arguments.answer))?;
    let copy = Document::<AnswerCopy>::read(&files::read_document(&arguments.copy)?)
        .map_err(|e| Failure::from(e).of(&arguments.copy))?;
    let (digest, signer) = (answer.digest, answer.signers.first().copied());
    if let Some(path) = &arguments.agreement {
        check_signer(path, signer)?;
    }
    let (_, keys) = keys::unlock(&arguments.key, arguments.passphrase_file.as_ref(), &[Role::Compliance])?;
    let opened = answer_seal::open_with_copy(answer, &copy, &keys.opening).map_err(|error| match error {
        SealError::Decode(e) => Failure::from(e).of(&arguments.answer),
        SealError::Check(e) => Failure::from(e).of(&arguments.copy),
    })?;
    let disclosed = Disclosed::of(&opened, digest);
    let mut text = disclosed.to_summary();
    if let Some(signer) = signer {
        text.push_str(&format!("signed by {signer}\n"));
    }
    match csv {
        Some(csv) => csv.fill(disclosed.to_csv().as_bytes())?,
        None => text.push_str(disclosed.to_csv().trim_start_matches('\u{FEFF}')),
    }
    output.say(&text, &json!({ "disclosed": disclosed, "signer": signer }));
    Ok(())
}

fn check_signer(path: &Path, signer: Option<PublicKey>) -> Result<(), Failure> {
    let named = |e| Failure::from(e).of(path);
    let agreement = Document::<Agreement>::read(&files::read_document(path)?).map_err(named)?;
    if signer == Some(agreement.header.institution.signing_key) {
        return Ok(());
    }
    Err(Failure::new(
        "wrong_signer",
        "answer",
        "the answer is not signed by the institution of this agreement",
    )
    .of(path))
}

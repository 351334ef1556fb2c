//! `hedui seal-file`: a department's base data, sealed to the centre.

use std::path::PathBuf;

use clap::Args;
use protocol::CheckError;
use protocol::answer_seal::SealError;
use protocol::base_data::FirstPass;
use protocol::envelope::Head;
use protocol::key_file::Role;
use protocol::value::{Date, Digest};
use serde_json::json;

use crate::commands::agreement;
use crate::failure::Failure;
use crate::files::{self, NewFile};
use crate::output::Output;
use crate::{edge, keys};

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  hedui seal-file --agreement housing.agreement.hedui --key housing.key.hedui \
                        --day 2026-10-31 --out housing.base-data.hedui houses.csv"
)]
pub(crate) struct Arguments {
    /// The agreement that the centre gave to the department.
    #[arg(long)]
    agreement: PathBuf,
    /// The department's key file.
    #[arg(long)]
    key: PathBuf,
    /// A file whose first line is the passphrase; else it is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// The day that the table stands for, YYYY-MM-DD.
    #[arg(long)]
    day: Date,
    /// Where to write the sealed file.
    #[arg(long)]
    out: PathBuf,
    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
    /// The table: delimited text or a spreadsheet, up to 192 MiB.
    file: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let mut out = NewFile::create(&arguments.out, arguments.force)?;
    let now = edge::now()?;
    let agreement = agreement::read_in_force(&arguments.agreement, now)?;
    let (file, keys) =
        keys::unlock(&arguments.key, arguments.passphrase_file.as_ref(), &[Role::Institution])?;
    if file.code != agreement.terms.institution.code {
        let message = "the agreement is with another institution than the key's";
        return Err(
            Failure::new("wrong_institution", "agreement", message.to_owned()).of(&arguments.agreement)
        );
    }
    let refused = |error| refused(error, arguments);
    let length =
        std::fs::metadata(&arguments.file).map_err(|e| files::io_failure(&arguments.file, &e))?.len();
    let mut first =
        FirstPass::begin(&agreement, keys.signing, arguments.day, now, length).map_err(refused)?;
    files::read_through(&arguments.file, |piece| first.push(piece).map_err(refused))?;
    let mut second = first.finish(&edge::entropy()?).map_err(refused)?;
    out.write(&vec![0; second.head_bytes().map_err(refused)?])?;
    files::read_through(&arguments.file, |piece| out.write(&second.push(piece).map_err(refused)?))?;
    loop {
        let padding = second.pad().map_err(refused)?;
        if padding.is_empty() {
            break;
        }
        out.write(&padding)?;
    }
    let head = second.finish().map_err(refused)?;
    out.write_first(&head)?;
    out.commit()?;

    let head = Head::parse(&head)?;
    let bytes = u64::try_from(head.length).unwrap_or(0) + head.body_bytes();
    let digest = Digest::of(&head.pae());
    let text = format!("sealed to {} ({bytes} bytes)\ndigest {digest}", agreement.terms.centre.name);
    output.say(&text, &json!({ "bytes": bytes, "digest": digest, "file": arguments.out }));
    Ok(())
}

/// Which of the files a refusal is about.
fn refused(error: SealError, arguments: &Arguments) -> Failure {
    match error {
        SealError::Decode(error) => Failure::from(error).of(&arguments.file),
        SealError::Check(error @ CheckError::Changed(_)) => Failure::from(error).of(&arguments.file),
        SealError::Check(error @ CheckError::DayToCome) => Failure::from(error),
        SealError::Check(error) => Failure::from(error).of(&arguments.agreement),
    }
}

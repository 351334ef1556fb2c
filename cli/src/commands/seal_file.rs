//! `hedui seal-file`: a department's base data, sealed to the centre.

use std::path::PathBuf;

use clap::Args;
use protocol::answer_seal::SealError;
use protocol::base_data;
use protocol::envelope::Head;
use protocol::key_file::Role;
use protocol::value::{Date, Digest};
use serde_json::json;
use zeroize::Zeroizing;

use crate::commands::agreement;
use crate::failure::Failure;
use crate::files::{self, NewFile};
use crate::output::Output;
use crate::{edge, keys};

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  hedui seal-file --agreement housing.agreement.hedui --key housing.key.hedui \
                        --day 2026-10-31 --out housing.base.hedui houses.csv"
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
    let out = NewFile::create(&arguments.out, arguments.force)?;
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
    let most = u64::try_from(base_data::MAX_FILE_BYTES).unwrap_or(u64::MAX);
    let table = Zeroizing::new(files::read(&arguments.file, most)?);
    let sealed = base_data::seal(&agreement, &keys.signing, arguments.day, now, &table, &edge::entropy()?);
    let sealed = sealed.map_err(|error| match error {
        SealError::Decode(error) => Failure::from(error).of(&arguments.file),
        SealError::Check(error) => Failure::from(error).of(&arguments.agreement),
    })?;
    let digest = Digest::of(&Head::parse(&sealed)?.pae());
    out.fill(&sealed)?;
    let text = format!("sealed to {} ({} bytes)\ndigest {digest}", agreement.terms.centre.name, sealed.len());
    output.say(&text, &json!({ "bytes": sealed.len(), "digest": digest, "file": arguments.out }));
    Ok(())
}

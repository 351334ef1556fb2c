//! `hedui roster cosign`: a second organisation rebuilds a roster from its own list, and signs it when it is the same.

use std::path::PathBuf;

use clap::Args;
use console::cases::workbook;
use desk::{Applicants, CosignError, Rebuilt, cosigning};
use protocol::agreement::AgreementInForce;
use protocol::key_file::Role;
use protocol::roster::Field;
use runner::sheets::begins_as_spreadsheet;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::commands::agreement;
use crate::commands::matching::Readers;
use crate::failure::Failure;
use crate::files::{self, NewFile};
use crate::output::Output;
use crate::parse::word;
use crate::{edge, keys};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The roster, signed by the centre.
    #[arg(long)]
    roster: PathBuf,
    /// The centre's co-signing request that came with it.
    #[arg(long)]
    request: PathBuf,
    /// The agreement that the roster is made under.
    #[arg(long)]
    agreement: PathBuf,
    /// The co-signer's own list of authorised people, as for `hedui roster make`, or the table of the desk's import, as
    /// CSV or spreadsheet. The roster may ask about a part of it.
    #[arg(long)]
    applicants: PathBuf,
    /// The module that reads spreadsheets; unless given, `reader.wasm` where `hedui match` looks for it.
    #[arg(long)]
    reader: Option<PathBuf>,
    /// The co-signer's key file.
    #[arg(long)]
    key: PathBuf,
    /// Where to write the roster with both signatures.
    #[arg(long)]
    out: PathBuf,
    /// A file whose first line is the passphrase; else it is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let now = edge::now()?;
    let out = NewFile::create(&arguments.out, arguments.force)?;
    let agreement = agreement::read_in_force(&arguments.agreement, now)?;
    let roster = files::read_document(&arguments.roster)?;
    let request = files::read_document(&arguments.request)?;
    let (list, left_out) = Applicants::read_partial(&read_list(arguments)?, now.date())
        .map_err(|defects| Failure::defects(&arguments.applicants, defects))?;
    for defect in left_out {
        output.note(&format!("left out: {defect}"));
    }

    let (_, keys) = keys::unlock(&arguments.key, arguments.passphrase_file.as_ref(), &[Role::Cosigner])?;
    let rebuilt = cosigning::rebuild(&roster, &request, &agreement, &list, &keys, now)
        .map_err(|error| refused(error, arguments))?;
    output.note(&summary(&rebuilt, &agreement, list.len()));
    out.fill(&rebuilt.sign()?)?;
    let digest = rebuilt.digest;
    output.say(&format!("signed roster {digest}"), &describe(&rebuilt, &agreement, list.len()));
    Ok(())
}

/// The list as delimited text. Of a spreadsheet the lines are the sheet's own.
fn read_list(arguments: &Arguments) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let path = &arguments.applicants;
    let bytes = Zeroizing::new(files::read_applicants(path)?);
    if !begins_as_spreadsheet(&bytes) {
        return Ok(bytes);
    }
    let mut reader = Readers { path: arguments.reader.as_ref(), module: None }.start()?;
    workbook::read(&mut reader, &bytes).map_err(|key| {
        let code = key.strip_prefix("defect.").unwrap_or(key);
        Failure::new(code, "applicants", "no list of people can be read from this spreadsheet").of(path)
    })
}

/// Names the file that is at fault.
fn refused(error: CosignError, arguments: &Arguments) -> Failure {
    let file = match &error {
        CosignError::Differs(_) => &arguments.applicants,
        CosignError::OtherCosigner => &arguments.agreement,
        error if error.field().starts_with("request") => &arguments.request,
        _ => &arguments.roster,
    };
    Failure::from(error).of(file)
}

fn summary(rebuilt: &Rebuilt<'_>, agreement: &AgreementInForce, on_list: usize) -> String {
    let Rebuilt { roster, people, .. } = rebuilt;
    let fields: Vec<String> = roster.fields.iter().map(word::<Field>).collect();
    format!(
        "the roster is what this list gives\n  centre       {}\n  institution  {}\n  agreement    {}\n  people       {people} \
         of {on_list} on the list\n  level        {}\n  fields       {}\n  purpose      {}\n  law          {}\n  \
         as of        {}\n  answered by  {}",
        agreement.terms.centre.name,
        agreement.terms.institution.name,
        agreement.terms.number,
        word(&roster.level),
        fields.join(", "),
        roster.purpose,
        roster.legal_basis,
        roster.as_of,
        roster.expires,
    )
}

fn describe(rebuilt: &Rebuilt<'_>, agreement: &AgreementInForce, on_list: usize) -> Value {
    let Rebuilt { roster, digest, people, .. } = rebuilt;
    json!({
        "agreement": agreement.terms.number,
        "as_of": roster.as_of,
        "digest": digest,
        "expires": roster.expires,
        "fields": roster.fields,
        "id": roster.id,
        "institution": roster.institution,
        "legal_basis": roster.legal_basis,
        "level": roster.level,
        "on_list": on_list,
        "people": people,
        "purpose": roster.purpose,
    })
}

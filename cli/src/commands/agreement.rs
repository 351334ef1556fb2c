//! `hedui agreement`: what centre and institution sign before anything is asked.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use desk::agreement_maker::{self, Terms};
use protocol::Document;
use protocol::agreement::{Agreement, AgreementInForce};
use protocol::key_file::Role;
use protocol::roster::{Field, Level, PrfName};
use protocol::value::{Date, Digest, Text, Time};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::files::{self, NewFile};
use crate::keys;
use crate::output::Output;
use crate::parse::{one_of, word};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Answer a joining request with an agreement, signed by the centre.
    #[command(
        after_help = "Example:\n  hedui agreement propose --joining bank.joining.hedui --key centre.key.hedui \
                            --number 协-2026-1 --purpose 最低生活保障 --level L1 \
                            --fields name,amount,accounts,balance_date --valid-from 2026-01-01 \
                            --valid-to 2026-12-31 --out bank.proposal.hedui"
    )]
    Propose(Box<Propose>),
    /// Add the institution's signature.
    #[command(
        after_help = "Example:\n  hedui agreement countersign --agreement bank.proposal.hedui --key bank.key.hedui \
                            --out bank.agreement.hedui"
    )]
    Countersign(Countersign),
}

#[derive(Debug, Args)]
pub(crate) struct Propose {
    /// The institution's joining request.
    #[arg(long)]
    joining: PathBuf,
    /// The centre's key file.
    #[arg(long)]
    key: PathBuf,
    /// The agreement's number on paper.
    #[arg(long)]
    number: Text,
    /// What the answers may be used for.
    #[arg(long)]
    purpose: Text,
    /// The highest level that may be asked: L0 (hit or line), L1 (totals), L2 (accounts).
    #[arg(long, value_parser = one_of::<Level>)]
    level: Level,
    /// The most that may be asked: account, accounts, amount, balance_date, name, product, status.
    #[arg(long, value_delimiter = ',', value_parser = one_of::<Field>)]
    fields: Vec<Field>,
    /// How tokens may be made: blake3, hmac-sha256.
    #[arg(long, value_delimiter = ',', value_parser = one_of::<PrfName>, default_value = "blake3")]
    prfs: Vec<PrfName>,
    /// First day, YYYY-MM-DD.
    #[arg(long)]
    valid_from: Date,
    /// Last day, YYYY-MM-DD.
    #[arg(long)]
    valid_to: Date,
    /// Who may approve answers at the institution: key file or 64 hexadecimal digits. With any, each answer needs one.
    #[arg(long)]
    approver: Vec<String>,
    /// Seal answers to this key of the institution's compliance office as well.
    #[arg(long)]
    compliance: Option<String>,
    /// The second organisation that must sign each roster: key file or 64 hexadecimal digits.
    #[arg(long)]
    cosigner: Option<String>,
    /// SHA-256 of the offline page that both sides agreed on.
    #[arg(long)]
    page_sha256: Option<Digest>,
    /// Where to write the proposal.
    #[arg(long)]
    out: PathBuf,
    /// A file whose first line is the passphrase; else it is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Countersign {
    /// The centre's proposal.
    #[arg(long)]
    agreement: PathBuf,
    /// The institution's key file.
    #[arg(long)]
    key: PathBuf,
    /// Where to write the agreement.
    #[arg(long)]
    out: PathBuf,
    /// A file whose first line is the passphrase; else it is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Propose(arguments) => propose(*arguments, output),
        Command::Countersign(arguments) => countersign(&arguments, output),
    }
}

fn propose(arguments: Propose, output: &Output) -> Result<(), Failure> {
    let out = NewFile::create(&arguments.out, arguments.force)?;
    let joining = files::read_document(&arguments.joining)?;
    let terms = Terms {
        approver_keys: arguments
            .approver
            .iter()
            .map(|key| keys::signing_key(key, Role::Approver))
            .collect::<Result<_, _>>()?,
        compliance_key: arguments
            .compliance
            .as_ref()
            .map(|key| keys::sealing_key(key, &[Role::Officer, Role::Approver, Role::Compliance]))
            .transpose()?,
        cosigner_key: arguments.cosigner.as_ref().map(|key| keys::cosigner_key(key)).transpose()?,
        fields: arguments.fields,
        level: arguments.level,
        number: arguments.number,
        page_sha256: arguments.page_sha256,
        prfs: arguments.prfs,
        purpose: arguments.purpose,
        valid_from: arguments.valid_from,
        valid_to: arguments.valid_to,
    };
    let (file, centre) = keys::unlock(&arguments.key, arguments.passphrase_file.as_ref(), &[Role::Centre])?;
    let proposal = agreement_maker::propose(&joining, &file.code, &file.name, &centre, terms)?;
    out.fill(&proposal)?;
    let (text, json) = describe(&proposal, "proposed; the institution countersigns it")?;
    output.say(&text, &json);
    Ok(())
}

fn countersign(arguments: &Countersign, output: &Output) -> Result<(), Failure> {
    let out = NewFile::create(&arguments.out, arguments.force)?;
    let proposal = files::read_document(&arguments.agreement)?;
    // What is signed is shown before the passphrase is asked.
    output.note(&describe(&proposal, "to be signed")?.0);
    let (_, institution) =
        keys::unlock(&arguments.key, arguments.passphrase_file.as_ref(), &[Role::Institution])?;
    let agreement = agreement_maker::countersign(&proposal, &institution)
        .map_err(|e| Failure::from(e).of(&arguments.agreement))?;
    out.fill(&agreement)?;
    let (text, json) = describe(&agreement, "signed by both sides")?;
    output.say(&text, &json);
    Ok(())
}

/// Reads an agreement that is in force.
pub(crate) fn read_in_force(path: &Path, now: Time) -> Result<AgreementInForce, Failure> {
    let document = Document::<Agreement>::read(&files::read_document(path)?);
    let document = document.map_err(|e| Failure::from(e).of(path))?;
    document.check(now.date()).map_err(|e| Failure::from(e).of(path))
}

fn describe(agreement: &[u8], state: &str) -> Result<(String, Value), Failure> {
    let Document { header, digest, signers, .. } = Document::<Agreement>::read(agreement)?;
    let fields: Vec<String> = header.fields.iter().map(word).collect();
    let text = format!(
        "agreement {} between {} and {}: {state}\nlevel {}, fields {}, from {} to {}\ndigest {digest}",
        header.number,
        header.centre.name,
        header.institution.name,
        word(&header.level),
        fields.join(","),
        header.valid_from,
        header.valid_to,
    );
    Ok((text, json!({ "digest": digest, "header": header, "signers": signers })))
}

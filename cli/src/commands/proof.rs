//! `hedui roster prove` and `hedui roster verify`: a slot and the authorisation that it had.

use std::path::PathBuf;

use clap::Args;
use desk::Question;
use desk::proving::Which;
use protocol::Document;
use protocol::agreement::Agreement;
use protocol::key_file::Role;
use protocol::label::Label;
use protocol::proof::Proof;
use protocol::roster::{Roster, read_entries};
use protocol::secret::{OpeningKey, TokenKey};
use protocol::subject::Subject;
use protocol::token::Prf;
use protocol::{CheckError, seal};
use serde_json::json;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::files::{self, NewFile};
use crate::keys;
use crate::output::Output;

#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// The roster that was sent out.
    #[arg(long)]
    roster: PathBuf,
    /// The agreement it was made under.
    #[arg(long)]
    agreement: PathBuf,
    /// The applicants' file that it was made from.
    #[arg(long)]
    applicants: PathBuf,
    /// The centre's key file.
    #[arg(long)]
    key: PathBuf,
    /// The slot, from 0.
    #[arg(long, required_unless_present = "row", conflicts_with = "row")]
    slot: Option<u32>,
    /// Or the applicant's row in the file, as a spreadsheet counts them.
    #[arg(long)]
    row: Option<u32>,
    /// Where to write the proof. It holds the person's number and authorisation in clear.
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
pub(crate) struct Verify {
    /// The roster.
    #[arg(long)]
    roster: PathBuf,
    /// The proof.
    #[arg(long)]
    proof: PathBuf,
    /// Who must have signed the roster: the centre's key file, or 64 hexadecimal digits.
    #[arg(long)]
    centre: Option<String>,
    /// The institution's key file: shows as well that the slot's token is this person's.
    #[arg(long)]
    key: Option<PathBuf>,
    /// A file whose first line is the institution's passphrase; else it is asked.
    #[arg(long, requires = "key")]
    passphrase_file: Option<PathBuf>,
}

pub(crate) fn prove(arguments: &Prove, output: &Output) -> Result<(), Failure> {
    let out = NewFile::create(&arguments.out, arguments.force)?;
    let agreement = Document::<Agreement>::read(&files::read_document(&arguments.agreement)?)
        .map_err(|e| Failure::from(e).of(&arguments.agreement))?;
    let roster = files::read_document(&arguments.roster)?;
    let applicants = files::read_applicants(&arguments.applicants)?;
    let question = Question::read(&roster, &[agreement], &applicants)
        .map_err(|e| Failure::from(e).of(&arguments.roster))?;
    let which = match (arguments.slot, arguments.row) {
        (Some(slot), _) => Which::Slot(slot),
        (None, row) => Which::Row(row.unwrap_or(0)),
    };
    let (_, centre) = keys::unlock(&arguments.key, arguments.passphrase_file.as_ref(), &[Role::Centre])?;
    let proof = question.prove(&centre.opening, which);
    let proof = proof.map_err(|e| Failure::new(e.code(), e.field(), e.to_string()).of(&arguments.roster))?;
    out.fill(&proof.write()?)?;
    let text = format!(
        "slot {} of roster {}\nproof {} (the person's number and authorisation in clear)",
        proof.slot,
        proof.roster,
        arguments.out.display()
    );
    output.say(&text, &json!({ "proof": arguments.out, "roster": proof.roster, "slot": proof.slot }));
    Ok(())
}

pub(crate) fn verify(arguments: &Verify, output: &Output) -> Result<(), Failure> {
    let roster = Document::<Roster>::read(&files::read_document(&arguments.roster)?)
        .map_err(|e| Failure::from(e).of(&arguments.roster))?;
    let proof = Proof::read(&files::read(&arguments.proof, files::SMALL)?)
        .map_err(|e| Failure::from(e).of(&arguments.proof))?;
    let signer = roster.signers.first().copied();
    if let Some(centre) = &arguments.centre
        && signer != Some(keys::signing_key(centre, Role::Centre)?)
    {
        return Err(Failure::from(CheckError::Signer("roster")).of(&arguments.roster));
    }
    let subject = proof
        .verify(&roster.header, &roster.digest)
        .map_err(|e| Failure::new(e.code(), e.field(), e.to_string()).of(&arguments.proof))?;
    let mut checked = vec!["authorisation"];
    if let Some(key) = &arguments.key {
        let (_, keys) = keys::unlock(key, arguments.passphrase_file.as_ref(), &[Role::Institution])?;
        asks_about(&roster, &keys.opening, &subject, proof.slot)
            .map_err(|failure| failure.of(&arguments.roster))?;
        checked.push("token");
    }
    let signers: Vec<String> = roster.signers.iter().map(ToString::to_string).collect();
    let text = format!(
        "slot {} of roster {} had authorisation {}\nroster signed by {}\nchecked: {}{}",
        proof.slot,
        roster.header.id,
        proof.authorisation.escape_debug(),
        signers.join(", "),
        checked.join(", "),
        if checked.len() == 1 {
            " (that the slot's token is this person's only the institution can show: --key)"
        } else {
            ""
        },
    );
    output.say(&text, &json!({
        "authorisation": proof.authorisation, "checked": checked, "roster": roster.digest, "scope": proof.scope,
        "signers": signers, "slot": proof.slot,
    }));
    Ok(())
}

/// Whether the roster's entry for the slot's current number is the person's token: what only the institution can see.
fn asks_about(
    roster: &Document<Roster>,
    institution: &OpeningKey,
    subject: &Subject,
    slot: u32,
) -> Result<(), Failure> {
    let header = &roster.header;
    let info = Label::TokenKey.bytes(&[header.id.as_bytes(), header.agreement.as_bytes()]);
    let key = seal::open(institution, &info, &header.token_key.0, "roster.token_key")?;
    let key: Zeroizing<[u8; 32]> =
        Zeroizing::new(key.as_slice().try_into().map_err(|_| CheckError::Seal("roster.token_key"))?);
    let token = Prf::new(header.prf, TokenKey::from_bytes(&key)).token(subject);
    let entries = read_entries(header, &roster.body)?;
    if entries.iter().any(|entry| entry.is_of(&token.0, slot)) {
        return Ok(());
    }
    let message =
        "the slot's token is not that of the person in the proof: the centre asked about somebody else";
    Err(Failure::new("other_person", "roster.entries", message))
}

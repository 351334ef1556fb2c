//! `hedui roster`: one roster for each agreement, a second organisation's signature, and the proof of what a slot had.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use desk::cosigning::make_request;
use desk::{Applicants, RosterRequest, make_roster};
use protocol::Document;
use protocol::agreement::AgreementInForce;
use protocol::cosigning::CosignerJoining;
use protocol::key_file::{Keys, Role};
use protocol::roster::{Field, Level, Line, PrfName, Roster};
use protocol::value::{Date, ReleaseNumber, SealingKey, Text, Time};
use serde_json::{Value, json};

use crate::commands::{agreement, proof, roster_cosign};
use crate::failure::Failure;
use crate::files::{self, NewFile};
use crate::output::Output;
use crate::parse::{line, one_of};
use crate::{edge, keys};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a roster for each agreement from one file of applicants.
    #[command(
        after_help = "Example:\n  hedui roster make --agreement bank.agreement.hedui --applicants applicants.csv \
                            --key centre.key.hedui --officer a.key.hedui --officer b.key.hedui --officer c.key.hedui \
                            --as-of 2026-11-22 --serial 7 --out rosters"
    )]
    Make(Make),
    /// Rebuild a roster from the co-signer's own list, and sign it when it is the same.
    #[command(
        after_help = "Example:\n  hedui roster cosign --roster bank-1-7.roster.hedui --request bank-1-7.cosign-request.hedui \
                            --agreement bank.agreement.hedui --applicants own.csv --key township.key.hedui \
                            --out bank-1-7.signed.roster.hedui"
    )]
    Cosign(roster_cosign::Arguments),
    /// Prove to an auditor which authorisation a slot had.
    #[command(
        after_help = "Example:\n  hedui roster prove --roster rosters/bank-1-7.roster.hedui --agreement bank.agreement.hedui \
                            --applicants applicants.csv --key centre.key.hedui --row 2 --out slot.proof.hedui"
    )]
    Prove(proof::Prove),
    /// Check such a proof with the roster.
    #[command(
        after_help = "Example:\n  hedui roster verify --roster bank-1-7.roster.hedui --proof slot.proof.hedui \
                            --centre centre.key.hedui"
    )]
    Verify(proof::Verify),
}

#[derive(Debug, Args)]
pub(crate) struct Make {
    /// Agreements that both sides signed.
    #[arg(long, required = true, num_args = 1..)]
    agreement: Vec<PathBuf>,
    /// The applicants' file: CSV with 姓名, 证件号码, 授权书编号 and more.
    #[arg(long)]
    applicants: PathBuf,
    /// Go on with those whose rows are in order; name the others.
    #[arg(long)]
    partial: bool,
    /// The centre's key file.
    #[arg(long)]
    key: PathBuf,
    /// Joining requests of the co-signers that the agreements name: a co-signing request is made for each such roster.
    #[arg(long, num_args = 1..)]
    cosigner: Vec<PathBuf>,
    /// Officers who open the answer: key files or 64 hexadecimal digits. One opens alone; of three, any two together.
    #[arg(long, required = true, num_args = 1..)]
    officer: Vec<String>,
    /// The day whose property is asked for (核对时点), YYYY-MM-DD.
    #[arg(long)]
    as_of: Date,
    /// Rises with each roster to an institution.
    #[arg(long)]
    serial: u64,
    /// Days until the roster may no longer be answered, at most 30.
    #[arg(long, default_value_t = 30)]
    expires_days: u64,
    /// How much is asked; the agreement's level unless given.
    #[arg(long, value_parser = one_of::<Level>)]
    level: Option<Level>,
    /// What is asked; of the agreement's fields, all that the level has, unless given.
    #[arg(long, value_delimiter = ',', value_parser = one_of::<Field>)]
    fields: Option<Vec<Field>>,
    /// At level L0, the line to hold assets against, in the minor unit: CNY:3600000.
    #[arg(long, value_parser = line)]
    line: Option<Line>,
    /// First day of the income period.
    #[arg(long, requires = "income_to")]
    income_from: Option<Date>,
    /// Last day of the income period.
    #[arg(long, requires = "income_from")]
    income_to: Option<Date>,
    /// What the answer is for; the agreement's purpose unless given.
    #[arg(long)]
    purpose: Option<Text>,
    /// The law that permits the question.
    #[arg(long, default_value = "社会救助暂行办法第五十八条")]
    legal_basis: Text,
    /// How tokens are made; the agreement's first way unless given.
    #[arg(long, value_parser = one_of::<PrfName>)]
    prf: Option<PrfName>,
    /// The oldest module release that may answer.
    #[arg(long, default_value = env!("CARGO_PKG_VERSION"))]
    module_minimum: ReleaseNumber,
    /// The folder to write to, made when it is not there.
    #[arg(long)]
    out: PathBuf,
    /// A file whose first line is the passphrase; else it is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// Replace files that are there.
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Make(arguments) => make_all(&arguments, output),
        Command::Cosign(arguments) => roster_cosign::run(&arguments, output),
        Command::Prove(arguments) => proof::prove(&arguments, output),
        Command::Verify(arguments) => proof::verify(&arguments, output),
    }
}

fn make_all(arguments: &Make, output: &Output) -> Result<(), Failure> {
    let now = edge::now()?;
    let applicants = read_applicants(arguments, now, output)?;
    let opening_groups = opening_groups(&arguments.officer)?;
    let joinings =
        arguments.cosigner.iter().map(|path| keys::cosigner(path)).collect::<Result<Vec<_>, _>>()?;
    let mut agreements = Vec::new();
    for path in &arguments.agreement {
        let agreement = agreement::read_in_force(path, now)?;
        let cosigner = cosigner_of(&agreement, &joinings).map_err(|failure| failure.of(path))?;
        agreements.push((path, agreement, cosigner));
    }
    fs::create_dir_all(&arguments.out).map_err(|error| files::io_failure(&arguments.out, &error))?;
    let (_, centre) = keys::unlock(&arguments.key, arguments.passphrase_file.as_ref(), &[Role::Centre])?;

    let mut made = Vec::new();
    for (path, agreement, cosigner) in &agreements {
        let request = request(arguments, agreement, &opening_groups, now)?;
        let maker = Maker { arguments, applicants: &applicants, centre: &centre };
        made.push(maker.make(&request, agreement, *cosigner).map_err(|failure| failure.of(path))?);
    }
    let lines: Vec<String> = made.iter().map(|(text, _)| text.clone()).collect();
    let rosters: Vec<Value> = made.into_iter().map(|(_, json)| json).collect();
    output.say(&lines.join("\n"), &json!({ "applicants": applicants.len(), "rosters": rosters }));
    Ok(())
}

/// The co-signer that the agreement names, if it names one.
fn cosigner_of<'j>(
    agreement: &AgreementInForce,
    joinings: &'j [CosignerJoining],
) -> Result<Option<&'j CosignerJoining>, Failure> {
    let Some(key) = agreement.terms.cosigner_key else { return Ok(None) };
    let message = "the agreement names a co-signer: give its joining request with --cosigner";
    let named = joinings.iter().find(|joining| joining.signing_key == key);
    named.map(Some).ok_or_else(|| Failure::new("missing_cosigner", "cosigner", message))
}

fn read_applicants(arguments: &Make, now: Time, output: &Output) -> Result<Applicants, Failure> {
    let path = &arguments.applicants;
    let bytes = files::read_applicants(path)?;
    if !arguments.partial {
        return Applicants::read(&bytes, now.date()).map_err(|defects| Failure::defects(path, defects));
    }
    let (applicants, refused) =
        Applicants::read_partial(&bytes, now.date()).map_err(|defects| Failure::defects(path, defects))?;
    for defect in refused {
        output.note(&format!("left out: {defect}"));
    }
    Ok(applicants)
}

/// One officer opens alone; of several, any two together.
fn opening_groups(officers: &[String]) -> Result<Vec<Vec<SealingKey>>, Failure> {
    let keys: Vec<SealingKey> = officers
        .iter()
        .map(|officer| keys::sealing_key(officer, &[Role::Officer]))
        .collect::<Result<_, _>>()?;
    match keys.as_slice() {
        [one] => Ok(vec![vec![*one]]),
        [a, b] => Ok(vec![vec![*a, *b]]),
        [a, b, c] => Ok(vec![vec![*a, *b], vec![*a, *c], vec![*b, *c]]),
        _ => Err(Failure::option("officer", "there are one, two or three officers")),
    }
}

fn request(
    arguments: &Make,
    agreement: &AgreementInForce,
    opening_groups: &[Vec<SealingKey>],
    issued: Time,
) -> Result<RosterRequest, Failure> {
    let terms = &agreement.terms;
    let level = arguments.level.unwrap_or(terms.level);
    let agreed = || terms.fields.iter().copied().filter(|field| field.allowed_at(level)).collect();
    let seconds = arguments.expires_days.checked_mul(86_400).and_then(|life| life.checked_add(issued.unix()));
    let expires = seconds.and_then(Time::from_unix);
    Ok(RosterRequest {
        level,
        fields: arguments.fields.clone().unwrap_or_else(agreed),
        line: arguments.line,
        opening_groups: opening_groups.to_vec(),
        serial: arguments.serial,
        issued,
        expires: expires.ok_or_else(|| Failure::option("expires_days", "there is no such day"))?,
        as_of: arguments.as_of,
        income: arguments.income_from.zip(arguments.income_to),
        purpose: arguments.purpose.clone().unwrap_or_else(|| terms.purpose.clone()),
        legal_basis: arguments.legal_basis.clone(),
        prf: arguments.prf.or(terms.prfs.first().copied()).unwrap_or(PrfName::Blake3),
        module_minimum: arguments.module_minimum,
    })
}

/// What all rosters of a run are made from.
struct Maker<'a> {
    arguments: &'a Make,
    applicants: &'a Applicants,
    centre: &'a Keys,
}

impl Maker<'_> {
    /// Makes a roster and, where a second organisation signs it, the request for that one.
    fn make(
        &self,
        request: &RosterRequest,
        agreement: &AgreementInForce,
        cosigner: Option<&CosignerJoining>,
    ) -> Result<(String, Value), Failure> {
        let institution = &agreement.terms.institution;
        let path_of = |what: &str| {
            self.arguments.out.join(format!("{}-{}.{what}.hedui", institution.code, request.serial))
        };
        let path = path_of("roster");
        let out = NewFile::create(&path, self.arguments.force)?;
        let roster = make_roster(request, agreement, self.applicants, self.centre, &edge::entropy()?)?;
        let asked = cosigner.map(|cosigner| {
            let path = path_of("cosign-request");
            let out = NewFile::create(&path, self.arguments.force)?;
            let entropy = edge::entropy()?;
            let (issued, people) = (request.issued, self.applicants);
            let bytes = make_request(&roster, agreement, people, self.centre, cosigner, issued, &entropy)?;
            out.fill(&bytes).map(|()| path)
        });
        let asked = asked.transpose()?;
        out.fill(&roster)?;
        let Document { header, digest, .. } = Document::<Roster>::read(&roster)?;
        let cosign = asked.as_ref().map_or_else(String::new, |path| {
            format!("; the second organisation signs it with `hedui roster cosign` and {}", path.display())
        });
        let text = format!(
            "{}: roster {} for {}, {} applicants in {} slots, expires {}{cosign}",
            path.display(),
            header.id,
            institution.name,
            self.applicants.len(),
            header.slot_count,
            header.expires,
        );
        let json = json!({
            "cosign_request": asked,
            "digest": digest,
            "expires": header.expires,
            "file": path,
            "id": header.id,
            "institution": header.institution,
            "needs_cosignature": asked.is_some(),
            "slot_count": header.slot_count,
        });
        Ok((text, json))
    }
}

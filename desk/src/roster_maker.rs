//! Making rosters (SPEC §4.3): what is asked about whom becomes a signed document that names nobody.

use std::collections::BTreeSet;

use protocol::agreement::AgreementInForce;
use protocol::canonical;
use protocol::envelope::{self, Document};
use protocol::error::{CheckError, DecodeError};
use protocol::hedge::{Stream, Use};
use protocol::key_file::Keys;
use protocol::roster::{Field, KemName, Level, Line, PrfName, Roster, RosterContext, RosterError, SuiteName};
use protocol::seal;
use protocol::secret::Entropy;
use protocol::slot;
use protocol::value::{Base64, Date, Digest, ReleaseNumber, RosterId, SealingKey, Text, Time};
use zeroize::Zeroizing;

use crate::applicants::Applicants;
use crate::layout::{self, EntryRules, Layout};
use crate::ticket::Ticket;

/// What is asked of one institution. [`make_roster`] holds it against the agreement.
#[derive(Debug, Clone)]
pub struct RosterRequest {
    /// How much is asked.
    pub level: Level,
    /// What is asked.
    pub fields: Vec<Field>,
    /// The line of level L0.
    pub line: Option<Line>,
    /// Who together can open the answer.
    pub opening_groups: Vec<Vec<SealingKey>>,
    /// Rises with each roster to this institution.
    pub serial: u64,
    /// Now.
    pub issued: Time,
    /// At most 30 days later.
    pub expires: Time,
    /// The day whose property is asked for (核对时点).
    pub as_of: Date,
    /// First and last day of the income period.
    pub income: Option<(Date, Date)>,
    /// What the answer is for.
    pub purpose: Text,
    /// The law that permits the question.
    pub legal_basis: Text,
    /// How tokens are made.
    pub prf: PrfName,
    /// The oldest module release that may answer.
    pub module_minimum: ReleaseNumber,
}

/// Makes the roster that asks `agreement`'s institution about `applicants`, signed by the centre. Where
/// the agreement names a co-signer, its signature is still to be added.
///
/// # Errors
/// [`MakeError`]; nothing that the institution's side would refuse is ever given out.
pub fn make_roster(
    request: &RosterRequest,
    agreement: &AgreementInForce,
    applicants: &Applicants,
    centre: &Keys,
    entropy: &Entropy,
) -> Result<Vec<u8>, MakeError> {
    let terms = &agreement.terms;
    if centre.opening.public() != terms.centre.sealing_key {
        return Err(MakeError::OtherCentre); // the ticket would open for nobody
    }
    if applicants.is_empty() {
        return Err(MakeError::NoApplicants);
    }
    let repeated = |group: &Vec<SealingKey>| group.iter().collect::<BTreeSet<_>>().len() < group.len();
    if request.opening_groups.iter().any(repeated) {
        return Err(MakeError::RepeatedOfficer);
    }
    // A key that nothing can be sealed to would show only at the institution.
    for key in request.opening_groups.iter().flatten() {
        let mut probe = Stream::new(Use::Roster, entropy, &Digest::of(key.as_bytes()), b"probe");
        seal::seal(key, b"", b"", &mut probe, "opening_groups")?;
    }
    let slot_count = layout::slot_count(applicants).ok_or(MakeError::TooManyApplicants)?;
    let real_count = u32::try_from(applicants.len()).map_err(|_| MakeError::TooManyApplicants)?;

    let mut header = draft(request, agreement, slot_count);
    let everything = [Digest::of(&canonical::encode(&header)?), digest(applicants)];
    let everything = Digest::of(&everything.map(|digest| *digest.as_bytes()).concat());
    // EXPOSE: the hedge mixes the signing key in (SPEC §6.5).
    let mut stream = Stream::new(Use::Roster, entropy, &everything, centre.signing.expose());
    header.id = RosterId(stream.array());
    let ticket = Ticket::make(header.id, agreement.digest, real_count, slot_count, &mut stream)?;

    let layout = Layout::derive(&ticket, applicants.canonical());
    let rules = EntryRules::of(&header);
    let body: Vec<u8> =
        layout.entries(rules).ok_or(MakeError::Entries)?.iter().flat_map(|entry| entry.to_bytes()).collect();
    header.body_sha256 = Digest::of(&body);
    header.authorisations_root = layout.authorisations_root();
    header.token_key = Base64(ticket.sealed_token_key(&terms.institution.sealing_key)?);
    header.ticket = Base64(ticket.seal(&terms.centre.sealing_key, &mut stream)?);

    let roster = envelope::write(&header, &body, &[&centre.signing])?;
    // What would be refused over there is refused here. The co-signer's signature cannot be there yet.
    let context = RosterContext { now: request.issued, last_serial: 0, release: None };
    Document::<Roster>::read(&roster)?.check(&agreement.without_cosigner(), &context)?;
    Ok(roster)
}

/// The header with blanks where the stream is needed first. Members that can't be right are left to the self-check.
fn draft(request: &RosterRequest, agreement: &AgreementInForce, slot_count: u32) -> Roster {
    let entry_count = layout::entry_count(slot_count);
    let mut fields = request.fields.clone();
    fields.sort_unstable();
    fields.dedup();
    Roster {
        agreement: agreement.digest,
        as_of: request.as_of,
        authorisations_root: Digest([0; 32]),
        body_bytes: u64::from(entry_count) * 24,
        body_sha256: Digest([0; 32]),
        entry_count,
        expires: request.expires,
        fields,
        id: RosterId([0; 16]),
        income_from: request.income.map(|(from, _)| from),
        income_to: request.income.map(|(_, to)| to),
        institution: agreement.terms.institution.code.clone(),
        issued: request.issued,
        kem: KemName::X25519,
        legal_basis: request.legal_basis.clone(),
        level: request.level,
        line: request.line,
        module_minimum: request.module_minimum,
        opening_groups: request.opening_groups.clone(),
        prf: request.prf,
        purpose: request.purpose.clone(),
        serial: request.serial,
        slot_count,
        slot_size: u32::try_from(slot::size(request.level)).unwrap_or(0),
        suite: SuiteName::Keyed,
        ticket: Base64(Vec::new()),
        token_key: Base64(Vec::new()),
    }
}

/// A digest over all that a roster takes from its applicants.
fn digest(applicants: &Applicants) -> Digest {
    let mut all = Zeroizing::new(Vec::new());
    for applicant in applicants.canonical() {
        let mut part = |bytes: &[u8]| {
            all.extend_from_slice(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            all.extend_from_slice(bytes);
        };
        part(applicant.name.trimmed().as_bytes());
        part(applicant.authorisation.as_bytes());
        part(applicant.scope.as_bytes());
        part(&[u8::try_from(applicant.numbers.len()).unwrap_or(u8::MAX)]);
        for number in &applicant.numbers {
            part(&[number.subject.kind() as u8, u8::from(number.former)]);
            part(number.subject.number().as_bytes());
        }
    }
    Digest::of(&all)
}

/// Why a roster is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MakeError {
    /// The agreement names another centre's keys.
    #[error("the agreement is not with the centre of this key")]
    OtherCentre,
    /// Nobody to ask about.
    #[error("there is nobody to ask about")]
    NoApplicants,
    /// More than the largest size class has room for.
    #[error("there are more applicants or former numbers than a roster has room for")]
    TooManyApplicants,
    /// An officer stands twice in an opening group, which would need fewer people than it seems.
    #[error("an officer stands twice in an opening group")]
    RepeatedOfficer,
    /// Two numbers have one token (2^-128 a pair): try again with other entropy.
    #[error("the entries do not fit; try again")]
    Entries,
    /// The request is malformed, for example a life over 30 days.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The agreement does not permit it, or a key is no good key.
    #[error(transparent)]
    Check(#[from] CheckError),
}

impl MakeError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OtherCentre => "wrong_centre",
            Self::NoApplicants => "no_rows",
            Self::TooManyApplicants => "too_large",
            Self::RepeatedOfficer => "repeated_officer",
            Self::Entries => "entries",
            Self::Decode(e) => e.code(),
            Self::Check(e) => e.code(),
        }
    }

    /// What the error is about.
    pub fn field(&self) -> String {
        match self {
            Self::OtherCentre => "key".to_owned(),
            Self::NoApplicants | Self::TooManyApplicants => "applicants".to_owned(),
            Self::RepeatedOfficer => "opening_groups".to_owned(),
            Self::Entries => "entries".to_owned(),
            Self::Decode(e) => e.field(),
            Self::Check(e) => e.field().to_owned(),
        }
    }
}

impl From<RosterError> for MakeError {
    fn from(error: RosterError) -> Self {
        match error {
            RosterError::Decode(e) => Self::Decode(e),
            RosterError::Check(e) => Self::Check(e),
        }
    }
}

//! A second organisation's signature on a roster (SPEC §6.8). The centre hands over the roster and a request, which
//! holds what the roster grew from; the co-signer rebuilds the roster from its own list of authorised people, and signs
//! only what its own list gives.
//!
//! [`make_request`] is the centre's side. [`rebuild`] is the co-signer's: it compares entries, commitments and the
//! sealed token key byte for byte, and only what it returns can sign.

use std::collections::HashMap;

use protocol::agreement::AgreementInForce;
use protocol::cosigning::{CheckedRequest, CosignRequest, CosignerJoining, write_commitments};
use protocol::envelope::{self, Document};
use protocol::error::{CheckError, DecodeError};
use protocol::hedge::{Stream, Use};
use protocol::key_file::Keys;
use protocol::label::Label;
use protocol::roster::{AcceptedRoster, Entry, Roster, RosterContext, RosterError};
use protocol::secret::{Entropy, SigningKey, TokenKey};
use protocol::token::Prf;
use protocol::value::{Base64, Digest, Time};

use crate::applicants::{Applicant, Applicants, Number};
use crate::differences::{self, Differences};
use crate::plan::{self, PlanError};
use crate::ticket::Ticket;

/// Makes the request that lets `cosigner` rebuild `roster`, signed by the centre. Nobody else can open it.
/// `applicants` are those that the roster was made from.
///
/// # Errors
/// [`CosignError`] when the agreement names another co-signer, or the roster is not of this centre and these people.
pub fn make_request(
    roster: &[u8],
    agreement: &AgreementInForce,
    applicants: &Applicants,
    centre: &Keys,
    cosigner: &CosignerJoining,
    created: Time,
    entropy: &Entropy,
) -> Result<Vec<u8>, CosignError> {
    if agreement.terms.cosigner_key != Some(cosigner.signing_key) {
        return Err(CosignError::OtherCosigner);
    }
    let accepted = read(roster, agreement, None)?;
    let ticket = Ticket::open(&accepted.roster, &centre.opening)?;
    let layout = plan::rebuild(&accepted, &ticket, applicants.canonical())?;
    let body = write_commitments(&layout.commitments(&layout.salts()));

    let recipient = cosigner.sealing_key;
    let everything = [accepted.digest.as_bytes().as_slice(), recipient.as_bytes()].concat();
    // EXPOSE: the hedge mixes the signing key in (SPEC §6.5).
    let secret = centre.signing.expose();
    let mut stream = Stream::new(Use::CosignRequest, entropy, &Digest::of(&everything), secret);
    let header = CosignRequest {
        agreement: agreement.digest,
        body_bytes: u64::try_from(body.len()).map_err(|_| DecodeError::TooLarge("body"))?,
        body_sha256: Digest::of(&body),
        created,
        recipient,
        roster: accepted.digest,
        seed: Base64(ticket.seal_as(&recipient, &info(&accepted), &mut stream, "seed")?),
        slot_count: ticket.slot_count,
    };
    Ok(envelope::write(&header, &body, &[&centre.signing])?)
}

/// `LABEL("cosign-request", roster digest ‖ agreement digest)`
fn info(roster: &AcceptedRoster) -> Vec<u8> {
    Label::CosignRequest.bytes(&[roster.digest.as_bytes(), roster.roster.agreement.as_bytes()])
}

/// Reads a roster that nobody but the centre has to have signed yet; `now` is its own beginning where none is given.
fn read(
    roster: &[u8],
    agreement: &AgreementInForce,
    now: Option<Time>,
) -> Result<AcceptedRoster, CosignError> {
    let document = Document::<Roster>::read(roster)?;
    let context = RosterContext { now: now.unwrap_or(document.header.issued), last_serial: 0, release: None };
    Ok(document.check(&agreement.without_cosigner(), &context)?)
}

/// A roster that is, byte for byte, what the co-signer's own list gives.
#[derive(Debug)]
pub struct Rebuilt<'k> {
    bytes: Vec<u8>,
    key: &'k SigningKey,
    /// What it asks.
    pub roster: Roster,
    /// Its document digest.
    pub digest: Digest,
    /// How many people it asks about; all of them are on the list.
    pub people: u32,
}

impl Rebuilt<'_> {
    /// The roster with the co-signer's signature.
    ///
    /// # Errors
    /// [`DecodeError::Signers`] when it has that signature already, or four others.
    pub fn sign(&self) -> Result<Vec<u8>, DecodeError> {
        envelope::co_sign(&self.bytes, self.key)
    }
}

/// Rebuilds `roster` from the co-signer's own list, of which it may ask about a part, and compares.
///
/// # Errors
/// [`CosignError`]: what does not belong together, is out of time, is sealed to another key, or differs.
pub fn rebuild<'k>(
    roster: &[u8],
    request: &[u8],
    agreement: &AgreementInForce,
    list: &Applicants,
    cosigner: &'k Keys,
    now: Time,
) -> Result<Rebuilt<'k>, CosignError> {
    let key = &cosigner.signing;
    if agreement.terms.cosigner_key != Some(key.public()) {
        return Err(CosignError::OtherCosigner);
    }
    let accepted = read(roster, agreement, Some(now))?;
    let CheckedRequest { request, commitments } =
        Document::<CosignRequest>::read(request)?.check(&accepted, agreement)?;
    if request.recipient != cosigner.opening.public() {
        return Err(CheckError::Seal("request.recipient").into());
    }
    let (sealed, info) = (&request.seed.0, info(&accepted));
    let ticket = Ticket::open_as(&accepted.roster, sealed, &info, &cosigner.opening, "request.seed")?;

    let seen = Seen::of(&accepted, &ticket);
    let people = seen.of_list(list);
    if plan::rebuild(&accepted, &ticket, people.clone()).is_err() {
        let found = differences::find(&seen, &ticket, &people, &commitments);
        let of_list = found.missing > 0 || !found.rows.is_empty();
        return Err(if of_list { CosignError::Differs(found) } else { CosignError::NotOfItsSeed("entries") });
    }
    // The institution must be given the very key that the entries were made with.
    if ticket.sealed_token_key(&agreement.terms.institution.sealing_key)? != accepted.roster.token_key.0 {
        return Err(CosignError::NotOfItsSeed("token_key"));
    }
    let AcceptedRoster { roster: header, digest, .. } = accepted;
    Ok(Rebuilt { bytes: roster.to_vec(), key, roster: header, digest, people: ticket.real_count })
}

/// A roster as somebody sees it who has its token key.
pub(crate) struct Seen<'r> {
    pub(crate) roster: &'r AcceptedRoster,
    pub(crate) prf: Prf,
    by_token: HashMap<[u8; 16], &'r Entry>,
}

impl<'r> Seen<'r> {
    fn of(roster: &'r AcceptedRoster, ticket: &Ticket) -> Self {
        let prf = Prf::new(roster.roster.prf, TokenKey::from_bytes(&ticket.token_key()));
        let by_token = roster.entries.iter().map(|entry| (entry.token, entry)).collect();
        Self { roster, prf, by_token }
    }

    /// The entries of a person's numbers, `None` for a number that the roster does not have.
    pub(crate) fn entries(&self, person: &Applicant) -> Vec<Option<&'r Entry>> {
        let entry = |number: &Number| self.by_token.get(&self.prf.token(&number.subject).0).copied();
        person.numbers.iter().map(entry).collect()
    }

    /// Who of the list is in the roster, under any number, in the order of current numbers.
    fn of_list<'a>(&self, list: &'a Applicants) -> Vec<&'a Applicant> {
        let asked = |person: &&Applicant| self.entries(person).iter().any(Option::is_some);
        list.canonical().into_iter().filter(asked).collect()
    }
}

/// Why a request is not made, or a roster not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignError {
    /// A document can't be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Documents that do not belong together, a time that has passed, or another's seal.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The centre's own list is not the one that the roster was made from.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The agreement names no co-signer, or another one.
    #[error("the agreement does not name this co-signer")]
    OtherCosigner,
    /// The co-signer's list does not give this roster.
    #[error("{0}")]
    Differs(Differences),
    /// All people agree, and yet the roster is not what its own seed gives.
    #[error("{0} is not what the roster's own seed gives: the centre made it otherwise")]
    NotOfItsSeed(&'static str),
}

impl From<RosterError> for CosignError {
    fn from(error: RosterError) -> Self {
        match error {
            RosterError::Decode(e) => Self::Decode(e),
            RosterError::Check(e) => Self::Check(e),
        }
    }
}

impl CosignError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Decode(e) => e.code(),
            Self::Check(e) => e.code(),
            Self::Plan(e) => e.code(),
            Self::OtherCosigner => "wrong_cosigner",
            Self::Differs(_) => "differs",
            Self::NotOfItsSeed(_) => "not_of_its_seed",
        }
    }

    /// What the error is about.
    pub fn field(&self) -> String {
        match self {
            Self::Decode(e) => e.field(),
            Self::Check(e) => e.field().to_owned(),
            Self::Plan(e) => e.field().to_owned(),
            Self::OtherCosigner => "agreement.cosigner_key".to_owned(),
            Self::Differs(_) => "applicants".to_owned(),
            Self::NotOfItsSeed(field) => format!("roster.{field}"),
        }
    }
}

#[cfg(test)]
mod tests;

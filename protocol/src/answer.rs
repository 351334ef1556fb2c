//! The answer: what an institution found, sealed to the centre's officers (SPEC §4.4).
//!
//! This file is what anyone may know of an answer, the host included. Making and opening one is
//! `answer_seal`, which the host is built without.

use crate::agreement::AgreementInForce;
use crate::coverage::COVERAGE_BYTES;
use crate::envelope::{Header, Verified};
use crate::error::{CheckError, DecodeError};
use crate::roster::Roster;
use crate::value::{Code, Digest, PublicKey, ReleaseNumber, RosterId, Time};

/// Bytes that sealing adds to the coverage statement and to each slot.
pub const TAG_BYTES: usize = 16;

crate::json_object! {
    /// Header of an answer.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Answer {
        /// Bytes of the body.
        pub body_bytes: u64,
        /// Digest of the body.
        pub body_sha256: Digest,
        /// When it was made.
        pub created: Time,
        /// Who made it.
        pub institution: Code,
        /// The release of the module that made it.
        pub module_release: ReleaseNumber,
        /// Digest of the module that made it, as its runner saw it.
        pub module_sha256: Digest,
        /// Document digest of the roster it answers.
        pub roster: Digest,
        /// Identity of the roster it answers.
        pub roster_id: RosterId,
        /// As in the roster.
        pub slot_count: u32,
        /// As in the roster.
        pub slot_size: u32,
        /// A later one supersedes.
        pub version: u32,
    }
}

impl Header for Answer {
    const TYPE: &'static str = "hedui/answer/v1";

    fn body(&self) -> Option<(u64, Digest)> {
        Some((self.body_bytes, self.body_sha256))
    }

    fn validate(&self) -> Result<(), DecodeError> {
        if (1..=999).contains(&self.version) {
            Ok(())
        } else {
            Err(DecodeError::Member("version".to_owned()))
        }
    }
}

/// The lengths of a body's parts: a function of roster and agreement alone, never of what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// All wrapped content keys.
    pub keys_bytes: u64,
    /// The sealed coverage statement.
    pub coverage_bytes: u64,
    /// One sealed slot.
    pub slot_bytes: u64,
    /// Slots.
    pub slot_count: u64,
}

impl Shape {
    /// The shape of every answer to `roster` under `agreement`.
    pub fn of(roster: &Roster, agreement: &AgreementInForce) -> Self {
        let groups = roster.opening_groups.iter().map(Vec::len);
        let all = groups.chain(agreement.terms.compliance_key.iter().map(|_| 1));
        Self {
            keys_bytes: all.map(|keys| 32 + 48 * u64::try_from(keys).unwrap_or(0)).sum(),
            coverage_bytes: bytes(COVERAGE_BYTES + TAG_BYTES),
            slot_bytes: u64::from(roster.slot_size) + bytes(TAG_BYTES),
            slot_count: u64::from(roster.slot_count),
        }
    }

    /// Bytes of the body.
    pub fn body_bytes(&self) -> u64 {
        self.keys_bytes + self.coverage_bytes + self.slot_count * self.slot_bytes
    }
}

fn bytes(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// Who must have signed an answer and what it must look like: all that can be judged without opening it.
///
/// # Errors
/// [`CheckError`] for the first of: signer, institution, roster, shape, approval.
pub fn check(
    answer: &Verified<Answer>,
    roster: &Roster,
    roster_digest: &Digest,
    agreement: &AgreementInForce,
) -> Result<(), CheckError> {
    let (header, terms) = (&answer.header, &agreement.terms);
    if answer.signers.first() != Some(&terms.institution.signing_key) {
        return Err(CheckError::Signer("answer"));
    }
    if header.institution != terms.institution.code {
        return Err(CheckError::WrongInstitution("answer"));
    }
    if header.roster != *roster_digest || header.roster_id != roster.id {
        return Err(CheckError::WrongRoster);
    }
    if header.slot_count != roster.slot_count {
        return Err(CheckError::Shape("answer.slot_count"));
    }
    if header.slot_size != roster.slot_size {
        return Err(CheckError::Shape("answer.slot_size"));
    }
    if header.body_bytes != Shape::of(roster, agreement).body_bytes() {
        return Err(CheckError::Shape("answer.body_bytes"));
    }
    if header.module_release < roster.module_minimum {
        return Err(CheckError::ModuleTooOld(roster.module_minimum.to_string()));
    }
    let approved = |key: &PublicKey| answer.signers.iter().skip(1).any(|signer| signer == key);
    if terms.approval_required && !terms.approver_keys.iter().any(approved) {
        return Err(CheckError::MissingSignature("answer"));
    }
    Ok(())
}

//! The proof that a slot of a roster had an authorisation (SPEC §7.1): a commitment opened against the root that the
//! centre signed. A file of its own, without envelope, since the roster's signature is what it leans on.
//!
//! It holds a person's number in clear: it is for an auditor, not for the institution.

use std::fmt;

use thiserror::Error;

use crate::authorisation::Authorisation;
use crate::canonical;
use crate::error::DecodeError;
use crate::merkle;
use crate::roster::Roster;
use crate::subject::Subject;
use crate::value::Digest;

const TYPE: &str = "hedui/proof/v1";

crate::json_object! {
    /// A proof as it lies on disk.
    #[derive(Clone, PartialEq, Eq)]
    pub struct Proof {
        /// Number of the authorisation form.
        pub authorisation: String,
        /// Kind of the person's current number.
        pub kind: String,
        /// The number.
        pub number: String,
        /// Inclusion path of RFC 9162, nearest sibling first.
        pub path: Vec<Digest>,
        /// Document digest of the roster.
        pub roster: Digest,
        /// The commitment's salt.
        pub salt: Digest,
        /// The authorisation's scope.
        pub scope: String,
        /// The slot.
        pub slot: u32,
        r#type: String,
    }
}

/// Nobody's number prints.
impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proof(slot {}, ..)", self.slot)
    }
}

impl Proof {
    /// The proof that `authorisation` stands in `slot` of the roster with this digest, whose slots commit to `leaves`.
    pub fn make(roster: Digest, slot: u32, authorisation: &Authorisation<'_>, leaves: &[Digest]) -> Self {
        let index = usize::try_from(slot).unwrap_or(usize::MAX);
        Self {
            authorisation: authorisation.number.to_owned(),
            kind: authorisation.subject.kind().name().to_owned(),
            number: authorisation.subject.number().to_owned(),
            path: merkle::path(leaves, index),
            roster,
            salt: Digest(authorisation.salt),
            scope: authorisation.scope.to_owned(),
            slot,
            r#type: TYPE.to_owned(),
        }
    }

    /// Reads a file; a line break at its end is allowed.
    ///
    /// # Errors
    /// [`DecodeError`] when it is no proof of this version.
    pub fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let proof: Self = canonical::decode(bytes.trim_ascii_end())?;
        if proof.r#type == TYPE { Ok(proof) } else { Err(DecodeError::Member("type".to_owned())) }
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// Never for a proof that was read or made.
    pub fn write(&self) -> Result<Vec<u8>, DecodeError> {
        canonical::encode(self)
    }

    /// Holds the proof against a roster whose signatures were checked. Gives the person that the slot asks about.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn verify(&self, roster: &Roster, digest: &Digest) -> Result<Subject, ProofError> {
        if self.roster != *digest {
            return Err(ProofError::OtherRoster);
        }
        let subject = Subject::from_canonical(&self.kind, &self.number).ok_or(ProofError::Number)?;
        let authorisation = Authorisation {
            salt: self.salt.0,
            number: &self.authorisation,
            subject: &subject,
            scope: &self.scope,
        };
        let (slot, count) = (usize::try_from(self.slot), usize::try_from(roster.slot_count));
        let (Ok(slot), Ok(count)) = (slot, count) else { return Err(ProofError::Root) };
        match merkle::root_of_path(&authorisation.commitment(), slot, count, &self.path) {
            Some(root) if root == roster.authorisations_root => Ok(subject),
            _ => Err(ProofError::Root),
        }
    }
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProofError {
    /// It speaks of another roster.
    #[error("the proof is for another roster")]
    OtherRoster,
    /// The number is none of its kind.
    #[error("the number in the proof is no number of its kind")]
    Number,
    /// Slot, authorisation, person, scope, salt or path are not those that the centre committed to.
    #[error("the proof does not lead to what the centre signed")]
    Root,
}

impl ProofError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OtherRoster => "wrong_roster",
            Self::Number => "malformed",
            Self::Root => "not_proven",
        }
    }

    /// What the error is about.
    pub fn field(&self) -> &'static str {
        match self {
            Self::OtherRoster => "proof.roster",
            Self::Number => "proof.number",
            Self::Root => "proof",
        }
    }
}

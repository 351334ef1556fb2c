//! What a second organisation (加签单位) needs to sign a roster with open eyes: its keys, shown to the centre (SPEC §4.11),
//! and the centre's request, which gives it all that the roster grew from (SPEC §4.12).

use crate::agreement::AgreementInForce;
use crate::envelope::{Document, Header};
use crate::error::{CheckError, DecodeError};
use crate::merkle;
use crate::roster::{AcceptedRoster, is_size_class};
use crate::value::{Base64, Code, Digest, PublicKey, SealingKey, Text, Time};

/// Bytes of the sealed seed: encapsulated key (32), seed (32), two counts (8), tag (16).
const SEED_BYTES: usize = 88;
/// Bytes of a commitment.
const COMMITMENT: usize = 32;

crate::json_object! {
    /// Header of a co-signer's joining: it ties the key that requests are sealed to to the one that agreements name.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CosignerJoining {
        /// The co-signer's code.
        pub code: Code,
        /// When it was made.
        pub issued: Time,
        /// Its full name.
        pub name: Text,
        /// Where requests are sealed to.
        pub sealing_key: SealingKey,
        /// What signs rosters, and this document.
        pub signing_key: PublicKey,
    }
}

impl Header for CosignerJoining {
    const TYPE: &'static str = "hedui/cosigner/v1";

    fn validate(&self) -> Result<(), DecodeError> {
        Ok(())
    }
}

impl Document<CosignerJoining> {
    /// The holder of the signing key says which sealing key is its own. Whether that key is the one on paper is for the
    /// agreement, which names it.
    ///
    /// # Errors
    /// [`CheckError::Signer`] when another key signed.
    pub fn check(self) -> Result<CosignerJoining, CheckError> {
        if self.signers.first() == Some(&self.header.signing_key) {
            Ok(self.header)
        } else {
            Err(CheckError::Signer("cosigner"))
        }
    }
}

crate::json_object! {
    /// Header of a co-signing request.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CosignRequest {
        /// Document digest of the agreement.
        pub agreement: Digest,
        /// Bytes of the body: the slots' commitments, 32 each.
        pub body_bytes: u64,
        /// Digest of the body.
        pub body_sha256: Digest,
        /// When it was made.
        pub created: Time,
        /// The co-signer's key that `seed` is sealed to.
        pub recipient: SealingKey,
        /// Document digest of the roster.
        pub roster: Digest,
        /// What the roster grew from, sealed (SPEC §6.8).
        pub seed: Base64,
        /// Slots of the roster.
        pub slot_count: u32,
    }
}

impl Header for CosignRequest {
    const TYPE: &'static str = "hedui/cosign-request/v1";

    fn body(&self) -> Option<(u64, Digest)> {
        Some((self.body_bytes, self.body_sha256))
    }

    fn validate(&self) -> Result<(), DecodeError> {
        let member =
            |good: bool, name: &str| if good { Ok(()) } else { Err(DecodeError::Member(name.to_owned())) };
        member(is_size_class(self.slot_count), "slot_count")?;
        member(self.body_bytes == u64::from(self.slot_count) * 32, "body_bytes")?;
        member(self.seed.0.len() == SEED_BYTES, "seed")
    }
}

/// The body of a request about these slots.
pub fn write_commitments(commitments: &[Digest]) -> Vec<u8> {
    commitments.iter().flat_map(|commitment| commitment.0).collect()
}

/// A request of the right centre, about the roster at hand.
#[derive(Debug)]
pub struct CheckedRequest {
    /// The header.
    pub request: CosignRequest,
    /// The slots' commitments, of which the roster has the root.
    pub commitments: Vec<Digest>,
}

impl Document<CosignRequest> {
    /// Holds a request against the roster and the agreement that lie beside it.
    ///
    /// # Errors
    /// [`CheckError`] for the first of: signer, agreement, roster, slots and commitments.
    pub fn check(
        self,
        roster: &AcceptedRoster,
        agreement: &AgreementInForce,
    ) -> Result<CheckedRequest, CheckError> {
        let Self { header, signers, body, .. } = self;
        if signers.first() != Some(&agreement.terms.centre.signing_key) {
            return Err(CheckError::Signer("request"));
        }
        if header.agreement != agreement.digest {
            return Err(CheckError::Shape("request.agreement"));
        }
        if header.roster != roster.digest {
            return Err(CheckError::Shape("request.roster"));
        }
        let commitments: Vec<Digest> =
            body.as_chunks::<COMMITMENT>().0.iter().map(|bytes| Digest(*bytes)).collect();
        if header.slot_count != roster.roster.slot_count
            || merkle::root(&commitments) != roster.roster.authorisations_root
        {
            return Err(CheckError::Shape("request.commitments"));
        }
        Ok(CheckedRequest { request: header, commitments })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope;
    use crate::secret::SigningKey;

    fn request(slots: u32) -> (CosignRequest, Vec<u8>) {
        let body = vec![7; slots as usize * 32];
        let header = CosignRequest {
            agreement: Digest([1; 32]),
            body_bytes: body.len() as u64,
            body_sha256: Digest::of(&body),
            created: "2026-11-22T08:00:00Z".parse().unwrap(),
            recipient: SealingKey([2; 32]),
            roster: Digest([3; 32]),
            seed: Base64(vec![4; SEED_BYTES]),
            slot_count: slots,
        };
        (header, body)
    }

    #[test]
    fn a_request_has_the_size_of_its_roster() {
        let key = SigningKey::from_seed(&[9; 32]);
        let (header, body) = request(64);
        let written = envelope::write(&header, &body, &[&key]).unwrap();
        assert_eq!(Document::<CosignRequest>::read(&written).unwrap().header, header);
        let refused = |change: fn(&mut CosignRequest)| {
            let mut header = header.clone();
            change(&mut header);
            header.validate().unwrap_err().field()
        };
        assert_eq!(refused(|h| h.slot_count = 65), "slot_count");
        assert_eq!(refused(|h| h.slot_count = 128), "body_bytes");
        assert_eq!(refused(|h| h.seed.0.truncate(87)), "seed");
    }

    #[test]
    fn a_joining_is_signed_by_its_own_key() {
        let (own, other) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
        let header = CosignerJoining {
            code: "township-1".parse().unwrap(),
            issued: "2026-11-22T08:00:00Z".parse().unwrap(),
            name: "城关镇".parse().unwrap(),
            sealing_key: SealingKey([5; 32]),
            signing_key: own.public(),
        };
        let signed = |key| {
            let bytes = envelope::write(&header, b"", &[key]).unwrap();
            Document::<CosignerJoining>::read(&bytes).unwrap().check()
        };
        assert_eq!(signed(&own).unwrap(), header);
        assert_eq!(signed(&other), Err(CheckError::Signer("cosigner")));
    }
}

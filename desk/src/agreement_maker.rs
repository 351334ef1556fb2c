//! Making agreements (SPEC §4.2): the centre proposes, the institution countersigns.

use protocol::agreement::{Agreement, Centre, Institution};
use protocol::envelope::{self, Document};
use protocol::error::{CheckError, DecodeError};
use protocol::joining::JoiningRequest;
use protocol::key_file::Keys;
use protocol::roster::{Field, Level, PrfName, SuiteName};
use protocol::value::{Code, Date, Digest, PublicKey, SealingKey, Text};

/// What the two sides agree on, beside who they are.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The agreement's number on paper.
    pub number: Text,
    /// What the answers may be used for.
    pub purpose: Text,
    /// The highest level that may be asked.
    pub level: Level,
    /// The most that may be asked.
    pub fields: Vec<Field>,
    /// PRFs a roster may use.
    pub prfs: Vec<PrfName>,
    /// First day.
    pub valid_from: Date,
    /// Last day.
    pub valid_to: Date,
    /// Who may approve an answer at the institution. With any, each answer needs an approval.
    pub approver_keys: Vec<PublicKey>,
    /// The answer is sealed to this key of the institution's compliance office as well.
    pub compliance_key: Option<SealingKey>,
    /// The second organisation that must sign each roster.
    pub cosigner_key: Option<PublicKey>,
    /// The offline page both sides agreed on.
    pub page_sha256: Option<Digest>,
}

/// The agreement with the institution of `joining`, signed by the centre.
///
/// # Errors
/// [`AgreementError`] when the request is not the institution's own, or the terms don't fit each other.
pub fn propose(
    joining: &[u8],
    centre_code: &Code,
    centre_name: &Text,
    centre: &Keys,
    terms: Terms,
) -> Result<Vec<u8>, AgreementError> {
    let joining = Document::<JoiningRequest>::read(joining)?.check()?;
    let mut fields = terms.fields;
    fields.sort_unstable();
    fields.dedup();
    let mut prfs = terms.prfs;
    prfs.sort_unstable();
    prfs.dedup();
    let agreement = Agreement {
        approval_required: !terms.approver_keys.is_empty(),
        approver_keys: terms.approver_keys,
        centre: Centre {
            code: centre_code.clone(),
            name: centre_name.clone(),
            sealing_key: centre.opening.public(),
            signing_key: centre.signing.public(),
        },
        compliance_key: terms.compliance_key,
        cosigner_key: terms.cosigner_key,
        fields,
        institution: Institution {
            code: joining.code,
            kind: joining.kind,
            name: joining.name,
            sealing_key: joining.sealing_key,
            signing_key: joining.signing_key,
        },
        level: terms.level,
        number: terms.number,
        page_sha256: terms.page_sha256,
        prfs,
        purpose: terms.purpose,
        suites: vec![SuiteName::Keyed],
        valid_from: terms.valid_from,
        valid_to: terms.valid_to,
    };
    Ok(envelope::write(&agreement, b"", &[&centre.signing])?)
}

/// Adds the institution's signature to a proposal of the centre it names. Whether the terms are the
/// ones on paper is for the person who signs to read.
///
/// # Errors
/// [`AgreementError`] when the centre has not signed, or the keys are not the institution's.
pub fn countersign(proposal: &[u8], institution: &Keys) -> Result<Vec<u8>, AgreementError> {
    let Document { header, signers, .. } = Document::<Agreement>::read(proposal)?;
    if signers.first() != Some(&header.centre.signing_key) {
        return Err(CheckError::Signer("agreement").into());
    }
    let keys = (institution.signing.public(), institution.opening.public());
    if keys != (header.institution.signing_key, header.institution.sealing_key) {
        return Err(CheckError::WrongInstitution("agreement").into());
    }
    Ok(envelope::co_sign(proposal, &institution.signing)?)
}

/// Why an agreement is not made or signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgreementError {
    /// Malformed.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Not by the right party.
    #[error(transparent)]
    Check(#[from] CheckError),
}

impl AgreementError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Decode(e) => e.code(),
            Self::Check(e) => e.code(),
        }
    }

    /// What the error is about.
    pub fn field(&self) -> String {
        match self {
            Self::Decode(e) => e.field(),
            Self::Check(e) => e.field().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn both_sign_and_nobody_else_can() {
        let (centre, bank, other) = (sample::keys(1), sample::keys(2), sample::keys(3));
        let proposal = sample::proposal(&centre, &bank, |_| {});
        let agreement = Document::<Agreement>::read(&proposal).unwrap();
        assert_eq!(
            agreement.check(sample::today()).unwrap_err(),
            CheckError::MissingSignature("agreement"),
            "a proposal is not in force"
        );
        assert_eq!(
            countersign(&proposal, &other).unwrap_err(),
            CheckError::WrongInstitution("agreement").into()
        );
        let signed = countersign(&proposal, &bank).unwrap();
        let in_force = Document::<Agreement>::read(&signed).unwrap().check(sample::today()).unwrap();
        assert_eq!(in_force.terms.institution.signing_key, bank.signing.public());
        assert!(countersign(&signed, &bank).is_err(), "nobody signs twice");
    }

    #[test]
    fn a_request_that_another_signed_is_refused() {
        let (centre, bank, other) = (sample::keys(1), sample::keys(2), sample::keys(3));
        let joining = sample::joining(&bank, &other);
        let made = propose(&joining, &"c".parse().unwrap(), &"c".parse().unwrap(), &centre, sample::terms());
        assert_eq!(made.unwrap_err(), CheckError::Signer("joining request").into());
    }

    #[test]
    fn terms_that_do_not_fit_are_refused() {
        let (centre, bank) = (sample::keys(1), sample::keys(2));
        let joining = sample::joining(&bank, &bank);
        let terms = Terms { level: Level::L0, ..sample::terms() }; // its fields need L1
        let made = propose(&joining, &"c".parse().unwrap(), &"c".parse().unwrap(), &centre, terms);
        assert_eq!(made.unwrap_err().field(), "fields");
    }
}

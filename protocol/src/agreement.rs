//! The agreement (保密协议): what a centre may ask an institution, signed by both (SPEC §4.2).

use crate::envelope::{Document, Header};
use crate::error::{CheckError, DecodeError};
use crate::joining::InstitutionKind;
use crate::roster::{Field, Level, PrfName, SuiteName};
use crate::value::{Code, Date, Digest, PublicKey, SealingKey, Text};

crate::json_object! {
    /// Header of an agreement.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Agreement {
        /// An answer needs a second signature, by one of `approver_keys`.
        pub approval_required: bool,
        /// Who may approve at the institution.
        pub approver_keys: Vec<PublicKey>,
        /// The asking side.
        pub centre: Centre,
        /// The answer is sealed to this key of the institution's compliance office as well.
        pub compliance_key: Option<SealingKey>,
        /// The second organisation that must sign each roster.
        pub cosigner_key: Option<PublicKey>,
        /// The most that may be asked.
        pub fields: Vec<Field>,
        /// The answering side.
        pub institution: Institution,
        /// The highest level that may be asked.
        pub level: Level,
        /// The agreement's number on paper.
        pub number: Text,
        /// The offline page both sides agreed on.
        pub page_sha256: Option<Digest>,
        /// PRFs a roster may use.
        pub prfs: Vec<PrfName>,
        /// What the answers may be used for.
        pub purpose: Text,
        /// Suites a roster may use.
        pub suites: Vec<SuiteName>,
        /// First day.
        pub valid_from: Date,
        /// Last day.
        pub valid_to: Date,
    }
}

crate::json_object! {
    /// The asking side of an agreement.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Centre {
        /// Its code.
        pub code: Code,
        /// Its full name.
        pub name: Text,
        /// Where tickets are sealed to.
        pub sealing_key: SealingKey,
        /// What signs its rosters.
        pub signing_key: PublicKey,
    }
}

crate::json_object! {
    /// The answering side of an agreement.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Institution {
        /// Its code.
        pub code: Code,
        /// What it is.
        pub kind: InstitutionKind,
        /// Its full name.
        pub name: Text,
        /// Where token keys are sealed to.
        pub sealing_key: SealingKey,
        /// What signs its answers.
        pub signing_key: PublicKey,
    }
}

/// Whether a list is sorted without repetition, as lists of names must be.
pub(crate) fn rising<T: Ord>(list: &[T]) -> bool {
    list.is_sorted_by(|a, b| a < b)
}

impl Header for Agreement {
    const TYPE: &'static str = "hedui/agreement/v1";

    fn validate(&self) -> Result<(), DecodeError> {
        let member =
            |good: bool, name: &str| if good { Ok(()) } else { Err(DecodeError::Member(name.to_owned())) };
        member(!self.approval_required || !self.approver_keys.is_empty(), "approver_keys")?;
        member(rising(&self.fields) && self.fields.iter().all(|f| f.allowed_at(self.level)), "fields")?;
        member(!self.prfs.is_empty() && rising(&self.prfs), "prfs")?;
        member(!self.suites.is_empty() && rising(&self.suites), "suites")?;
        member(self.valid_from <= self.valid_to, "valid_to")
    }
}

/// An agreement that both sides signed and that is in force today.
#[derive(Debug, Clone)]
pub struct AgreementInForce {
    /// What was agreed.
    pub terms: Agreement,
    /// Its document digest: rosters name it.
    pub digest: Digest,
}

impl AgreementInForce {
    /// The same terms without a second organisation: what a roster is held against before that one has signed.
    pub fn without_cosigner(&self) -> Self {
        let mut alone = self.clone();
        alone.terms.cosigner_key = None;
        alone
    }
}

impl Document<Agreement> {
    /// # Errors
    /// [`CheckError`] when a signature of either side is missing, or `today` lies outside its days.
    pub fn check(self, today: Date) -> Result<AgreementInForce, CheckError> {
        let Self { header, digest, signers, .. } = self;
        match signers.as_slice() {
            [centre, ..] if *centre != header.centre.signing_key => {
                return Err(CheckError::Signer("agreement"));
            }
            [_, institution, ..] if *institution == header.institution.signing_key => {}
            _ => return Err(CheckError::MissingSignature("agreement")),
        }
        if today < header.valid_from {
            return Err(CheckError::NotYet("agreement"));
        }
        if today > header.valid_to {
            return Err(CheckError::Expired("agreement"));
        }
        Ok(AgreementInForce { terms: header, digest })
    }
}

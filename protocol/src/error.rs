//! Two questions a caller asks: can these bytes be read ([`DecodeError`]), and may this document be
//! used here and now ([`CheckError`]). Neither ever carries a value from the input.

use thiserror::Error;

/// Why bytes are not a document of this version. The order of the variants is the order of the checks (SPEC §2).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The input ends inside the named field.
    #[error("{0} is cut short")]
    Truncated(&'static str),
    /// The named field is longer than the format allows.
    #[error("{0} is too large")]
    TooLarge(&'static str),
    /// Bytes follow the end of the named thing.
    #[error("bytes follow the end of {0}")]
    Trailing(&'static str),
    /// The first line is not a document type.
    #[error("this is not a Hedui document")]
    NotADocument,
    /// A document, but of another kind or an unknown version.
    #[error("this document is not of type {expected}")]
    WrongType {
        /// The type the caller asked for.
        expected: &'static str,
    },
    /// A signature does not hold, or a key is not a good key.
    #[error("signature {0} does not hold")]
    BadSignature(usize),
    /// No signature, too many, or one key twice.
    #[error("wrong number of signatures or signers")]
    Signers,
    /// The header is not canonical JSON (SPEC §2.1).
    #[error("the header is not canonical JSON")]
    NotCanonical,
    /// A member is missing, unknown or malformed.
    #[error("member {0} is missing, unknown or malformed")]
    Member(String),
    /// The body is not the one the header speaks of.
    #[error("the body does not match the header")]
    Body,
    /// The named part of a body is malformed.
    #[error("{0} is malformed")]
    Malformed(&'static str),
}

impl DecodeError {
    /// A stable code for logs, problem documents and the page's dictionary.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Truncated(_) => "truncated",
            Self::TooLarge(_) => "too_large",
            Self::Trailing(_) => "trailing_bytes",
            Self::NotADocument => "not_a_document",
            Self::WrongType { .. } => "wrong_type",
            Self::BadSignature(_) => "bad_signature",
            Self::Signers => "signers",
            Self::NotCanonical => "not_canonical",
            Self::Member(_) => "member",
            Self::Body => "body_mismatch",
            Self::Malformed(_) => "malformed",
        }
    }

    /// The field the error is about, for the reader of an error message.
    pub fn field(&self) -> String {
        match self {
            Self::Truncated(f) | Self::TooLarge(f) | Self::Trailing(f) | Self::Malformed(f) => {
                (*f).to_owned()
            }
            Self::NotADocument | Self::WrongType { .. } => "type".to_owned(),
            Self::BadSignature(n) => format!("signatures[{n}]"),
            Self::Signers => "signatures".to_owned(),
            Self::NotCanonical => "header".to_owned(),
            Self::Member(f) => f.clone(),
            Self::Body => "body".to_owned(),
        }
    }
}

/// Why a well-formed document may not be used here and now.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CheckError {
    /// The first signature is not by the party that has to make this document.
    #[error("{0} is not signed by the expected key")]
    Signer(&'static str),
    /// A second signature that the agreement asks for is not there.
    #[error("{0} lacks a signature")]
    MissingSignature(&'static str),
    /// The document speaks of another institution.
    #[error("{0} is for another institution")]
    WrongInstitution(&'static str),
    /// The document speaks of another agreement.
    #[error("the roster is under another agreement")]
    WrongAgreement,
    /// The answer speaks of another roster.
    #[error("the answer is for another roster")]
    WrongRoster,
    /// The copy speaks of another answer.
    #[error("the copy is of another answer")]
    WrongAnswer,
    /// Base data under an agreement whose institution is none.
    #[error("the agreement is not with a department")]
    NotADepartment,
    /// A table that stands for a day after today.
    #[error("the day has not come yet")]
    DayToCome,
    /// A file that is another one than a moment ago.
    #[error("{0} changed while it was read")]
    Changed(&'static str),
    /// Past its end.
    #[error("{0} has expired")]
    Expired(&'static str),
    /// Before its beginning.
    #[error("{0} is not valid yet")]
    NotYet(&'static str),
    /// An older roster than one already used.
    #[error("a newer roster has been used before: a replay")]
    Replayed,
    /// More than the agreement permits.
    #[error("{0} is more than the agreement permits")]
    NotPermitted(&'static str),
    /// The module is older than the roster allows.
    #[error("the roster asks for module release {0} or newer")]
    ModuleTooOld(String),
    /// Counts or sizes differ from the roster's.
    #[error("{0} differs from the roster")]
    Shape(&'static str),
    /// A seal does not open: the wrong key, or bytes that were changed.
    #[error("{0} does not open with this key")]
    Seal(&'static str),
    /// The entropy argument is all zero or not 32 bytes.
    #[error("the entropy is not 32 bytes, or all zero")]
    Entropy,
    /// A passphrase that does not open the key file.
    #[error("the passphrase does not open this key file")]
    Passphrase,
    /// A passphrase under 8 bytes.
    #[error("the passphrase is shorter than 8 bytes")]
    WeakPassphrase,
}

impl CheckError {
    /// A stable code for logs, problem documents and the page's dictionary.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Signer(_) => "wrong_signer",
            Self::MissingSignature(_) => "missing_signature",
            Self::WrongInstitution(_) => "wrong_institution",
            Self::WrongAgreement => "wrong_agreement",
            Self::WrongRoster => "wrong_roster",
            Self::WrongAnswer => "wrong_answer",
            Self::NotADepartment => "not_a_department",
            Self::DayToCome => "day_to_come",
            Self::Changed(_) => "file_changed",
            Self::Expired(_) => "expired",
            Self::NotYet(_) => "not_yet_valid",
            Self::Replayed => "replayed",
            Self::NotPermitted(_) => "not_permitted",
            Self::ModuleTooOld(_) => "module_too_old",
            Self::Shape(_) => "wrong_shape",
            Self::Seal(_) => "seal",
            Self::Entropy => "entropy",
            Self::Passphrase => "passphrase",
            Self::WeakPassphrase => "weak_passphrase",
        }
    }

    /// The field or document the error is about.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Signer(f)
            | Self::MissingSignature(f)
            | Self::WrongInstitution(f)
            | Self::Changed(f)
            | Self::Expired(f)
            | Self::NotYet(f)
            | Self::NotPermitted(f)
            | Self::Shape(f)
            | Self::Seal(f) => f,
            Self::WrongAgreement => "roster.agreement",
            Self::WrongRoster => "answer.roster",
            Self::WrongAnswer => "copy.answer",
            Self::NotADepartment => "agreement.institution.kind",
            Self::DayToCome => "day",
            Self::Replayed => "roster.serial",
            Self::ModuleTooOld(_) => "roster.module_minimum",
            Self::Entropy => "entropy",
            Self::Passphrase | Self::WeakPassphrase => "passphrase",
        }
    }
}

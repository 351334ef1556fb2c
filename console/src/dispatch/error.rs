//! Why nothing is made, sent or taken.

use protocol::{CheckError, DecodeError};

use crate::relay::RelayError;
use crate::store::Fault;

/// Why nothing is made, sent or taken.
#[derive(Debug)]
pub enum DispatchError {
    /// A rule forbids it: the key of the sentence.
    Rule(&'static str),
    /// The host refuses or can't be reached.
    Relay(RelayError),
    /// Inside.
    Fault(Fault),
}

impl From<Fault> for DispatchError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<sqlx::Error> for DispatchError {
    fn from(error: sqlx::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl From<RelayError> for DispatchError {
    fn from(error: RelayError) -> Self {
        Self::Relay(error)
    }
}

impl From<DecodeError> for DispatchError {
    fn from(_: DecodeError) -> Self {
        Self::Rule("dispatch.unreadable")
    }
}

impl From<CheckError> for DispatchError {
    fn from(error: CheckError) -> Self {
        Self::Rule(match error {
            CheckError::Signer(_) => "dispatch.wrong_signer",
            CheckError::MissingSignature(_) => "dispatch.missing_signature",
            CheckError::WrongRoster => "dispatch.wrong_roster",
            CheckError::WrongInstitution(_) => "dispatch.wrong_institution",
            CheckError::Expired(_) => "dispatch.expired",
            _ => "dispatch.refused",
        })
    }
}

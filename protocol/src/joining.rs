//! The joining request: an institution shows its keys to the centre (SPEC §4.1).

use crate::envelope::{Document, Header};
use crate::error::{CheckError, DecodeError};
use crate::value::{Code, PublicKey, SealingKey, Text, Time};

crate::json_words! {
    /// What an institution is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum InstitutionKind {
        /// A bank.
        Bank = "bank",
        /// A securities firm.
        Securities = "securities",
        /// An insurer.
        Insurance = "insurance",
        /// A payment institution.
        Payment = "payment",
        /// A public authority that holds records.
        Department = "department",
    }
}

crate::json_object! {
    /// Header of a joining request.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct JoiningRequest {
        /// The institution's code.
        pub code: Code,
        /// When it was made.
        pub issued: Time,
        /// What the institution is.
        pub kind: InstitutionKind,
        /// Its full name.
        pub name: Text,
        /// Where rosters' token keys are sealed to.
        pub sealing_key: SealingKey,
        /// What signs its answers, and this request.
        pub signing_key: PublicKey,
    }
}

impl Header for JoiningRequest {
    const TYPE: &'static str = "hedui/joining/v1";

    fn validate(&self) -> Result<(), DecodeError> {
        Ok(())
    }
}

impl Document<JoiningRequest> {
    /// The request shows that its maker holds the key it names. Whether the maker is the institution is
    /// for people: they compare fingerprints on the signed paper.
    ///
    /// # Errors
    /// [`CheckError::Signer`] when another key signed.
    pub fn check(self) -> Result<JoiningRequest, CheckError> {
        if self.signers.first() == Some(&self.header.signing_key) {
            Ok(self.header)
        } else {
            Err(CheckError::Signer("joining request"))
        }
    }
}

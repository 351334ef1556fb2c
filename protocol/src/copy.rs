//! The copy of an answer: what lets the institution's own compliance office open what was disclosed (SPEC §4.7).
//!
//! It holds the answer's content key, sealed to the compliance office, and nothing else of the answer. Making one and
//! opening an answer with it is `answer_seal`.

use crate::envelope::Header;
use crate::error::DecodeError;
use crate::value::{Base64, Code, Digest, SealingKey, Time};

/// Bytes of the sealed content key: encapsulated key (32), content key (32), tag (16).
const CONTENT_KEY_BYTES: usize = 80;

crate::json_object! {
    /// Header of a copy.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct AnswerCopy {
        /// Document digest of the answer.
        pub answer: Digest,
        /// Whom the content key is sealed to.
        pub compliance_key: SealingKey,
        /// The answer's content key, sealed.
        pub content_key: Base64,
        /// When the answer was made.
        pub created: Time,
        /// Who made it.
        pub institution: Code,
        /// Document digest of the roster that the answer answers.
        pub roster: Digest,
    }
}

impl Header for AnswerCopy {
    const TYPE: &'static str = "hedui/copy/v1";

    fn validate(&self) -> Result<(), DecodeError> {
        if self.content_key.0.len() == CONTENT_KEY_BYTES {
            Ok(())
        } else {
            Err(DecodeError::Member("content_key".to_owned()))
        }
    }
}

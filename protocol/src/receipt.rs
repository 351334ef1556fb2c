//! The receipt: the host's word that it holds an answer (SPEC §4.5).

use crate::envelope::Header;
use crate::error::DecodeError;
use crate::value::{Code, Digest, Time};

crate::json_object! {
    /// Header of a receipt.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Receipt {
        /// Document digest of the answer.
        pub answer: Digest,
        /// Bytes of the whole envelope.
        pub answer_bytes: u64,
        /// Who sent it.
        pub institution: Code,
        /// Head of the host's log after this entry.
        pub log_head: Digest,
        /// Sequence number of this entry.
        pub log_position: u64,
        /// When it was complete.
        pub received: Time,
        /// Document digest of the roster it answers.
        pub roster: Digest,
    }
}

impl Header for Receipt {
    const TYPE: &'static str = "hedui/receipt/v1";

    fn validate(&self) -> Result<(), DecodeError> {
        if self.log_position >= 1 { Ok(()) } else { Err(DecodeError::Member("log_position".to_owned())) }
    }
}

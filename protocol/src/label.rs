//! Domain separation: every key and digest has one use, named here (SPEC §1, §11).

/// The use of a key or digest. Bound to version 1 of the protocol by [`Label::bytes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// The token key, sealed to the institution (SPEC §6.2).
    TokenKey,
    /// The centre's own note inside a roster (SPEC §6.3).
    Ticket,
    /// The content key of an answer (SPEC §6.4).
    ContentKey,
    /// What an answer is bound to (SPEC §6.4).
    AnswerBinding,
    /// The commitment of a slot to its authorisation (SPEC §7).
    Authorisation,
    /// An entry of the host's log (SPEC §9).
    Log,
    /// A sign-in to the host (SPEC §9).
    SignIn,
    /// The content key of an answer, for the institution's own compliance office (SPEC §6.6).
    AnswerCopy,
    /// A department's base data (SPEC §6.7).
    BaseData,
    /// What a roster grew from, for the second organisation (SPEC §6.8).
    CosignRequest,
}

impl Label {
    fn name(self) -> &'static str {
        match self {
            Self::TokenKey => "token-key",
            Self::Ticket => "ticket",
            Self::ContentKey => "content-key",
            Self::AnswerBinding => "answer-binding",
            Self::Authorisation => "authorisation",
            Self::Log => "log",
            Self::SignIn => "sign-in",
            Self::AnswerCopy => "answer-copy",
            Self::BaseData => "base-data",
            Self::CosignRequest => "cosign-request",
        }
    }

    /// `LABEL(name, context) = "hedui/v1/" ‖ name ‖ 0x00 ‖ context`
    pub fn bytes(self, context: &[&[u8]]) -> Vec<u8> {
        let mut out = [b"hedui/v1/", self.name().as_bytes(), &[0]].concat();
        for part in context {
            out.extend_from_slice(part);
        }
        out
    }
}

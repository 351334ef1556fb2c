//! The commitment of a slot to the authorisation that allowed it (SPEC §7).

use crate::label::Label;
use crate::subject::Subject;
use crate::value::Digest;

/// What a slot commits to.
#[derive(Debug)]
pub struct Authorisation<'a> {
    /// Hides the rest from whoever sees the commitment.
    pub salt: [u8; 32],
    /// Number of the authorisation form (授权书编号).
    pub number: &'a str,
    /// The person's current number.
    pub subject: &'a Subject,
    /// Institutions and data kinds it allows, as the form says.
    pub scope: &'a str,
}

impl Authorisation<'_> {
    /// `H(LABEL("authorisation", salt ‖ H(number) ‖ H(u8 kind ‖ subject number) ‖ H(scope)))`
    pub fn commitment(&self) -> Digest {
        let subject = [&[self.subject.kind() as u8], self.subject.number().as_bytes()].concat();
        Digest::of(&Label::Authorisation.bytes(&[
            &self.salt,
            Digest::of(self.number.as_bytes()).as_bytes(),
            Digest::of(&subject).as_bytes(),
            Digest::of(self.scope.as_bytes()).as_bytes(),
        ]))
    }
}

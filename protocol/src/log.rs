//! The host's hash-chained log (SPEC §9): who did what when, never who was asked about.

use crate::canonical;
use crate::error::DecodeError;
use crate::label::Label;
use crate::value::{Code, Digest, Time};

crate::json_object! {
    /// One entry.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct LogEntry {
        /// What was done.
        pub action: Code,
        /// Who did it.
        pub actor: Code,
        /// When.
        pub at: Time,
        /// The document it was done with.
        pub object: Option<Digest>,
        /// Digest of the entry before.
        pub previous: Digest,
        /// Counts from 1.
        pub sequence: u64,
    }
}

impl LogEntry {
    /// The head before there is any entry.
    pub const GENESIS: Digest = Digest([0; 32]);

    /// `H(LABEL("log", canonical JSON))`
    ///
    /// # Errors
    /// [`DecodeError::NotCanonical`] when the sequence number is too large for JSON.
    pub fn digest(&self) -> Result<Digest, DecodeError> {
        Ok(Digest::of(&Label::Log.bytes(&[&canonical::encode(self)?])))
    }
}

/// The sequence number of the first entry that does not follow from those before it; `None` when all do.
/// Gives the head as well.
pub fn verify(entries: &[LogEntry]) -> (Digest, Option<u64>) {
    let mut head = LogEntry::GENESIS;
    for (expected, entry) in (1_u64..).zip(entries) {
        if entry.sequence != expected || entry.previous != head {
            return (head, Some(expected));
        }
        match entry.digest() {
            Ok(digest) => head = digest,
            Err(_) => return (head, Some(expected)),
        }
    }
    (head, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_shows_where_it_is() {
        let mut entries: Vec<LogEntry> = Vec::new();
        let mut previous = LogEntry::GENESIS;
        for sequence in 1..=5 {
            let entry = LogEntry {
                action: "answer.received".parse().unwrap(),
                actor: "bank-1".parse().unwrap(),
                at: Time::from_unix(1_800_000_000 + sequence).unwrap(),
                object: None,
                previous,
                sequence,
            };
            previous = entry.digest().unwrap();
            entries.push(entry);
        }
        assert_eq!(verify(&entries), (previous, None));
        let mut edited = entries.clone();
        edited[2].actor = "bank-2".parse().unwrap();
        assert_eq!(verify(&edited).1, Some(4));
        let mut removed = entries.clone();
        removed.remove(1);
        assert_eq!(verify(&removed).1, Some(2));
        assert_ne!(verify(&entries[..4]).0, previous, "a cut end shows in the head");
    }
}

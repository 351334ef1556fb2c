//! From a token to the roster's entry: an open-addressing table keyed by token bytes.

use protocol::roster::Entry;
use protocol::token::Token;

/// The entries of a roster, found by token.
pub struct Lookup {
    entries: Vec<Entry>,
    /// Index of an entry plus one, 0 for an empty place. Tokens are uniform, so their first bytes are the hash.
    places: Vec<u32>,
    mask: u32,
}

impl Lookup {
    /// Builds the table; at most half of its places are taken.
    pub fn new(entries: Vec<Entry>) -> Self {
        let size = entries.len().max(1).next_power_of_two() * 2;
        let mask = u32::try_from(size - 1).unwrap_or(u32::MAX);
        let mut places = vec![0_u32; size];
        for (number, entry) in (1_u32..).zip(&entries) {
            let mut at = hash(&entry.token) & mask;
            while let Some(place) = places.get_mut(index(at)) {
                if *place == 0 {
                    *place = number;
                    break;
                }
                at = (at + 1) & mask;
            }
        }
        Self { entries, places, mask }
    }

    /// The entry of `token`.
    pub fn find(&self, token: &Token) -> Option<&Entry> {
        let mut at = hash(&token.0) & self.mask;
        loop {
            let number = *self.places.get(index(at))?;
            let entry = self.entries.get(index(number.checked_sub(1)?))?;
            if entry.token == token.0 {
                return Some(entry);
            }
            at = (at + 1) & self.mask;
        }
    }
}

fn hash(token: &[u8; 16]) -> u32 {
    let [a, b, c, d, ..] = *token;
    u32::from_be_bytes([a, b, c, d])
}

fn index(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_is_there_and_nothing_else(tokens in proptest::collection::btree_set(any::<[u8; 2]>(), 0..200), other: [u8; 2]) {
            // Tokens of two bytes collide often, which true tokens do not.
            let token = |t: [u8; 2]| { let mut out = [0; 16]; out[..2].copy_from_slice(&t); out };
            let entries: Vec<Entry> = tokens.iter().zip(0..).map(|(t, slot)| Entry { token: token(*t), slot, folded_tag: [0; 2], exact_tag: 0, ordinal: 0 }).collect();
            let lookup = Lookup::new(entries.clone());
            for entry in &entries {
                prop_assert_eq!(lookup.find(&Token(entry.token)), Some(entry));
            }
            prop_assert_eq!(lookup.find(&Token(token(other))).is_some(), tokens.contains(&other));
        }
    }
}

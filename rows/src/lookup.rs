//! From a token to the roster's entry: an open-addressing table keyed by token bytes.

use protocol::roster::Entry;
use protocol::token::Token;

use crate::records::index;

/// Bits of the sieve for each entry: one stranger in thirty-two, or fewer, passes it.
const SIEVE_BITS: usize = 32;

/// Places that are looked at for one token at most.
const MOST_PROBES: usize = 512;

/// The entries of a roster, found by token. Tokens are uniform, so their own bytes are the hash.
pub struct Lookup {
    entries: Vec<Entry>,
    /// A bit is set for each entry. Nearly every row is a stranger's and goes no further than this, which is small
    /// enough to stay near the processor.
    sieve: Vec<u64>,
    /// Index of an entry plus one, 0 for an empty place.
    places: Vec<u32>,
}

impl Lookup {
    /// Builds the table; at most half of its places are taken. None where tokens crowd as those of a PRF do not: of a
    /// million the longest row of taken places is about 70.
    pub fn new(entries: Vec<Entry>) -> Option<Self> {
        let size = entries.len().max(2).next_power_of_two();
        let mut sieve = vec![0_u64; size * SIEVE_BITS / 64];
        let mut places = vec![0_u32; size * 2];
        for (number, entry) in (1_u32..).zip(&entries) {
            let [at, bit] = hashes(&entry.token);
            let word = (bit / 64) & (sieve.len() - 1);
            if let Some(word) = sieve.get_mut(word) {
                *word |= 1 << (bit % 64);
            }
            let mask = places.len() - 1;
            let free =
                (0..MOST_PROBES).map(|step| (at + step) & mask).find(|at| places.get(*at) == Some(&0))?;
            *places.get_mut(free)? = number;
        }
        Some(Self { entries, sieve, places })
    }

    /// The entry of `token`.
    #[inline]
    pub fn find(&self, token: &Token) -> Option<&Entry> {
        let [at, bit] = hashes(&token.0);
        let word = *self.sieve.get((bit / 64) & (self.sieve.len() - 1))?;
        if (word >> (bit % 64)) & 1 == 0 {
            return None;
        }
        self.probe(token, at)
    }

    fn probe(&self, token: &Token, at: usize) -> Option<&Entry> {
        let mask = self.places.len() - 1;
        let mut at = at & mask;
        loop {
            let number = *self.places.get(at)?;
            let entry = self.entries.get(index(number.checked_sub(1)?))?;
            if entry.token == token.0 {
                return Some(entry);
            }
            at = (at + 1) & mask;
        }
    }
}

/// Two hashes: of different bytes, so that they are independent.
#[inline(always)]
fn hashes(token: &[u8; 16]) -> [usize; 2] {
    let [a, b, c, d, e, f, g, h, ..] = *token;
    [[a, b, c, d], [e, f, g, h]].map(|bytes| index(u32::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tokens_chosen_to_crowd_are_refused() {
        let crowded = |count: u32| {
            let token = |n: u32| std::array::from_fn(|i| if i < 12 { 0 } else { n.to_be_bytes()[i - 12] });
            let entry = |n| Entry { token: token(n), slot: n, folded_tag: [0; 2], exact_tag: 0, ordinal: 0 };
            Lookup::new((0..count).map(entry).collect())
        };
        assert!(crowded(512).is_some());
        assert!(crowded(513).is_none());
    }

    proptest! {
        #[test]
        fn finds_what_is_there_and_nothing_else(tokens in proptest::collection::btree_set(any::<[u8; 2]>(), 0..200), other: [u8; 2]) {
            // Tokens of two bytes collide often, which true tokens do not.
            let token = |t: [u8; 2]| { let mut out = [0; 16]; out[..2].copy_from_slice(&t); out };
            let entries: Vec<Entry> = tokens.iter().zip(0..).map(|(t, slot)| Entry { token: token(*t), slot, folded_tag: [0; 2], exact_tag: 0, ordinal: 0 }).collect();
            let lookup = Lookup::new(entries.clone()).unwrap();
            for entry in &entries {
                prop_assert_eq!(lookup.find(&Token(entry.token)), Some(entry));
            }
            prop_assert_eq!(lookup.find(&Token(token(other))).is_some(), tokens.contains(&other));
        }
    }
}

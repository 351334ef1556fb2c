//! The hedged generator (SPEC §6.5): entropy from outside, mixed with everything that will be sealed and
//! with a secret key, so that a repeated seed never repeats a key or nonce for different content.

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};
use zeroize::{Zeroize as _, ZeroizeOnDrop};

use crate::secret::Entropy;
use crate::value::Digest;

/// What the stream is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Content key and encapsulations of an answer.
    Answer,
    /// Keys, decoys and encapsulations of a roster.
    Roster,
    /// Keys and salt of a key file.
    KeyFile,
    /// The identity of a part that one instance of the module hands to another.
    PartId,
    /// The key of such a part.
    PartKey,
    /// The encapsulation of an answer's copy.
    AnswerCopy,
    /// Content key and encapsulation of base data.
    BaseData,
    /// The encapsulation of a co-signing request.
    CosignRequest,
}

/// A deterministic stream of random bytes. Its state gives all of them again, so it is wiped.
pub struct Stream(blake3::OutputReader);

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for Stream {}

impl Stream {
    /// `BLAKE3 derive_key(context) XOF over u8 len(use) ‖ use ‖ seed ‖ everything ‖ secret`
    pub fn new(purpose: Use, seed: &Entropy, everything: &Digest, secret: &[u8]) -> Self {
        let name: &[u8] = match purpose {
            Use::Answer => b"answer",
            Use::Roster => b"roster",
            Use::KeyFile => b"key-file",
            Use::PartId => b"part-id",
            Use::PartKey => b"part-key",
            Use::AnswerCopy => b"answer-copy",
            Use::BaseData => b"base-data",
            Use::CosignRequest => b"cosign-request",
        };
        let mut hasher = blake3::Hasher::new_derive_key("hedui 2026-11-22 hedged generator v1");
        hasher.update(&[u8::try_from(name.len()).unwrap_or(u8::MAX)]);
        hasher.update(name);
        // EXPOSE: the seed is what the stream grows from.
        hasher.update(seed.expose());
        hasher.update(everything.as_bytes());
        hasher.update(secret);
        let stream = Self(hasher.finalize_xof());
        hasher.zeroize(); // the seed and the secret stand in it
        stream
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.0.fill(&mut out);
        out
    }

    /// A number below `bound`, without bias (rejection). `bound` is at least 1.
    pub fn below(&mut self, bound: u32) -> u32 {
        let zone = u32::MAX - u32::MAX % bound.max(1);
        loop {
            let n = u32::from_be_bytes(self.array());
            if n < zone {
                return n % bound.max(1);
            }
        }
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.array()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.array()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}

impl TryCryptoRng for Stream {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_difference_gives_another_stream() {
        let seed = |n| Entropy::new(&[n; 32]).unwrap();
        let first = |u, n, e: &[u8], s: &[u8]| Stream::new(u, &seed(n), &Digest::of(e), s).array::<32>();
        let base = first(Use::Answer, 1, b"a", b"s");
        assert_eq!(base, first(Use::Answer, 1, b"a", b"s"));
        for other in [
            first(Use::Roster, 1, b"a", b"s"),
            first(Use::Answer, 2, b"a", b"s"),
            first(Use::Answer, 1, b"b", b"s"),
            first(Use::Answer, 1, b"a", b"t"),
        ] {
            assert_ne!(base, other);
        }
    }
}

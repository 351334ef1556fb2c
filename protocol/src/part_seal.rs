//! Handing a part of a run from one instance of the module to another (SPEC §10.1).
//!
//! Instances that share the work on a file have the same key file, roster and entropy. What one of them found
//! travels to the one that seals the answer, and whoever carries it can neither read nor change it: pieces of
//! lengths that the roster alone decides, under a key that only those instances can derive.

use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Key, Tag};
use zeroize::Zeroizing;

use crate::error::CheckError;
use crate::hedge::{Stream, Use};
use crate::seal::{self, nonce};
use crate::secret::{Entropy, SigningKey};
use crate::value::Digest;

/// Bytes of the identity that a part's first piece begins with.
pub const ID_BYTES: usize = 32;

/// Bytes that sealing adds to a piece.
pub const TAG_BYTES: usize = 16;

/// The digest of a part's content, which its identity is made of.
pub struct Content(blake3::Hasher);

impl Content {
    /// Begins with the roster that the part is for, and the part's head.
    pub fn new(roster: &Digest, head: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(roster.as_bytes());
        hasher.update(head);
        Self(hasher)
    }

    /// Takes the next slot.
    pub fn add(&mut self, slot: &[u8]) {
        self.0.update(slot);
    }

    /// The digest of all of it.
    pub fn digest(&self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// The key of one part's pieces.
pub struct PartKey {
    cipher: ChaCha20Poly1305,
    roster: Digest,
}

impl PartKey {
    /// The identity of a part with this content: a keyed function of it, so that the same identity, and with it
    /// the same key, never serves two contents (SIV, RFC 5297 §1.3).
    pub fn id(entropy: &Entropy, content: &Digest, signer: &SigningKey) -> [u8; ID_BYTES] {
        // EXPOSE: the hedge mixes the signing key in (SPEC §6.5).
        Stream::new(Use::PartId, entropy, content, signer.expose()).array()
    }

    /// The key of the part with this identity, for an answer to this roster.
    pub fn derive(entropy: &Entropy, id: &[u8; ID_BYTES], signer: &SigningKey, roster: Digest) -> Self {
        // EXPOSE: the hedge mixes the signing key in (SPEC §6.5).
        let mut stream = Stream::new(Use::PartKey, entropy, &Digest(*id), signer.expose());
        let key = Zeroizing::new(stream.array::<32>());
        Self { cipher: ChaCha20Poly1305::new(&Key::from(*key)), roster }
    }

    /// Seals piece `n`, the end of `piece` from `start` on, where it lies.
    pub fn seal(&self, n: u64, piece: &mut Vec<u8>, start: usize) {
        seal::append(&self.cipher, n, self.roster.as_bytes(), piece, start);
    }

    /// Opens piece `n`.
    ///
    /// # Errors
    /// [`CheckError::Seal`] when it is not what such an instance sealed as piece `n` of this part.
    pub fn open(&self, n: u64, piece: &[u8]) -> Result<Zeroizing<Vec<u8>>, CheckError> {
        let bad = CheckError::Seal("part");
        let Some((sealed, tag)) = piece.split_last_chunk::<TAG_BYTES>() else { return Err(bad) };
        let mut clear = Zeroizing::new(sealed.to_vec());
        let opened = self.cipher.decrypt_inout_detached(
            &nonce(n),
            self.roster.as_bytes(),
            clear.as_mut_slice().into(),
            &Tag::from(*tag),
        );
        opened.map(|()| clear).map_err(|_| bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_opens_in_its_place_only() {
        let (entropy, signer) = (Entropy::new(&[3; 32]).unwrap(), SigningKey::from_seed(&[4; 32]));
        let id = PartKey::id(&entropy, &Digest::of(b"content"), &signer);
        assert_ne!(id, PartKey::id(&entropy, &Digest::of(b"other"), &signer));
        let key = |id| PartKey::derive(&entropy, &id, &signer, Digest::of(b"roster"));
        let mut piece = b"head, piece".to_vec();
        key(id).seal(7, &mut piece, 6);
        assert_eq!(piece.len(), 6 + 5 + TAG_BYTES);
        assert_eq!(*key(id).open(7, &piece[6..]).unwrap(), b"piece");
        let mut flipped = piece[6..].to_vec();
        flipped[0] ^= 1;
        let other = PartKey::derive(&entropy, &id, &signer, Digest::of(b"another roster"));
        for refused in [
            key(id).open(8, &piece[6..]),
            key([0; 32]).open(7, &piece[6..]),
            key(id).open(7, &flipped),
            other.open(7, &piece[6..]),
            key(id).open(7, b""),
        ] {
            assert_eq!(refused.unwrap_err(), CheckError::Seal("part"));
        }
    }
}

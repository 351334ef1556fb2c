//! HPKE seals (RFC 9180, base mode) and the nesting that makes an opening group (SPEC §6).

use chacha20poly1305::ChaCha20Poly1305 as PieceCipher;
use chacha20poly1305::aead::AeadInOut as _;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{Kem as _, X25519HkdfSha256 as Kem};
use hpke::{
    Deserializable as _, OpModeR, OpModeS, Serializable as _, single_shot_open, single_shot_seal_with_rng,
};
use zeroize::Zeroizing;

use crate::error::CheckError;
use crate::hedge::Stream;
use crate::label::Label;
use crate::secret::OpeningKey;
use crate::value::SealingKey;

/// What a seal adds to its plaintext: encapsulated key (32) and tag (16).
pub const OVERHEAD: usize = 48;

impl OpeningKey {
    /// A fresh key: `DeriveKeyPair(next 32 bytes)`.
    pub fn make(stream: &mut Stream) -> Self {
        let ikm = Zeroizing::new(stream.array::<32>());
        let (key, _) = Kem::derive_keypair(ikm.as_slice());
        let bytes = Zeroizing::new(<[u8; 32]>::from(key.to_bytes()));
        Self::from_bytes(&bytes)
    }

    /// The key that others seal to.
    pub fn public(&self) -> SealingKey {
        // EXPOSE: the public key is computed from it.
        match <Kem as hpke::Kem>::PrivateKey::from_bytes(self.expose()) {
            Ok(key) => SealingKey(Kem::sk_to_pk(&key).to_bytes().into()),
            Err(_) => SealingKey([0; 32]), // 32 bytes are always an X25519 private key
        }
    }
}

/// `Seal(pk, info, pt) = enc ‖ ct`
///
/// # Errors
/// [`CheckError::Seal`] when `to` is no usable key (a point of small order); `what` names it.
pub fn seal(
    to: &SealingKey,
    info: &[u8],
    plaintext: &[u8],
    stream: &mut Stream,
    what: &'static str,
) -> Result<Vec<u8>, CheckError> {
    let bad = |_| CheckError::Seal(what);
    let key = <Kem as hpke::Kem>::PublicKey::from_bytes(to.as_bytes()).map_err(bad)?;
    let (enc, ciphertext) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeS::Base,
        &key,
        info,
        plaintext,
        b"",
        stream,
    )
    .map_err(bad)?;
    Ok([enc.to_bytes().as_slice(), &ciphertext].concat())
}

/// Opens what [`seal`] made.
///
/// # Errors
/// [`CheckError::Seal`] whatever the cause; `what` names the sealed thing.
pub fn open(
    with: &OpeningKey,
    info: &[u8],
    sealed: &[u8],
    what: &'static str,
) -> Result<Zeroizing<Vec<u8>>, CheckError> {
    let bad = |_| CheckError::Seal(what);
    let (enc, ciphertext) = sealed.split_at_checked(32).ok_or(CheckError::Seal(what))?;
    // EXPOSE: decapsulation needs the private key.
    let key = <Kem as hpke::Kem>::PrivateKey::from_bytes(with.expose()).map_err(bad)?;
    let enc = <Kem as hpke::Kem>::EncappedKey::from_bytes(enc).map_err(bad)?;
    single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(&OpModeR::Base, &key, &enc, info, ciphertext, b"")
        .map(Zeroizing::new)
        .map_err(bad)
}

/// Seals `secret` so that all keys of a group are needed, the first one first (SPEC §6.1).
///
/// # Errors
/// As [`seal`].
pub fn wrap(
    label: Label,
    context: &[u8],
    group: u8,
    keys: &[SealingKey],
    secret: &[u8],
    stream: &mut Stream,
) -> Result<Vec<u8>, CheckError> {
    let mut wrapped = Zeroizing::new(secret.to_vec());
    let mut layers: Vec<(u8, &SealingKey)> = (0_u8..).zip(keys).collect();
    layers.reverse(); // the last key's seal is the innermost
    for (depth, key) in layers {
        let info = label.bytes(&[context, &[group], &[depth]]);
        wrapped = Zeroizing::new(seal(key, &info, &wrapped, stream, "opening_groups")?);
    }
    Ok(wrapped.to_vec())
}

/// Opens what [`wrap`] made; `keys` in the order of the group.
///
/// # Errors
/// [`CheckError::Seal`] when any of the keys is not the right one.
pub fn unwrap(
    label: Label,
    context: &[u8],
    group: u8,
    keys: &[&OpeningKey],
    wrapped: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CheckError> {
    let mut secret = Zeroizing::new(wrapped.to_vec());
    for (depth, key) in (0_u8..).zip(keys) {
        let info = label.bytes(&[context, &[group], &[depth]]);
        secret = open(key, &info, &secret, "content key")?;
    }
    Ok(secret)
}

/// Seals piece `n`, the end of `piece` from `start` on, where it lies, and appends its tag (SPEC §6.4, §6.7, §10.1).
pub(crate) fn append(cipher: &PieceCipher, n: u64, aad: &[u8], piece: &mut Vec<u8>, start: usize) {
    let clear = piece.get_mut(start..).unwrap_or_default();
    // ChaCha20-Poly1305 fails for pieces over 256 GiB only (RFC 8439 §2.8).
    match cipher.encrypt_inout_detached(&nonce(n), aad, clear.into()) {
        Ok(tag) => piece.extend_from_slice(&tag),
        Err(_) => piece.truncate(start),
    }
}

/// The nonce of piece `n` of what is sealed in pieces under a key of its own (SPEC §6.4, §10.1): `0x00000000 ‖ u64 n`.
pub(crate) fn nonce(n: u64) -> chacha20poly1305::Nonce {
    let mut nonce = [0; 12];
    nonce.iter_mut().skip(4).zip(n.to_be_bytes()).for_each(|(o, b)| *o = b);
    nonce.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hedge::Use;
    use crate::secret::Entropy;
    use crate::value::Digest;
    use hex_literal::hex;

    fn stream(n: u8) -> Stream {
        Stream::new(Use::Answer, &Entropy::new(&[n; 32]).unwrap(), &Digest::of(b""), b"")
    }

    /// RFC 9180 A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode. Our own seals have no
    /// aad, so the first encryption of the RFC goes by the same types past [`open`], which must refuse it.
    #[test]
    fn rfc_9180_base_mode() {
        let secret =
            OpeningKey::from_bytes(&hex!("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb"));
        let public = hex!("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a");
        assert_eq!(secret.public().0, public);
        let ikm = hex!("1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df");
        let (derived, _) = Kem::derive_keypair(&ikm);
        assert_eq!(Kem::sk_to_pk(&derived).to_bytes().as_slice(), public);

        let info = hex!("4f6465206f6e2061204772656369616e2055726e");
        let enc = hex!("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a");
        let ciphertext = hex!(
            "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28"
        );
        let encapped = <Kem as hpke::Kem>::EncappedKey::from_bytes(&enc).unwrap();
        let open_with = |aad: &[u8]| {
            single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
                &OpModeR::Base,
                &derived,
                &encapped,
                &info,
                &ciphertext,
                aad,
            )
        };
        assert_eq!(open_with(b"Count-0").unwrap(), b"Beauty is truth, truth beauty");
        assert!(open_with(b"Count-1").is_err());
        let sealed = [enc.as_slice(), &ciphertext].concat();
        assert_eq!(open(&secret, &info, &sealed, "a seal").unwrap_err(), CheckError::Seal("a seal"));
    }

    #[test]
    fn a_group_needs_every_key_in_order() {
        let keys: Vec<OpeningKey> = (1..=3).map(|n| OpeningKey::make(&mut stream(n))).collect();
        let public: Vec<SealingKey> = keys.iter().map(OpeningKey::public).collect();
        let wrapped = wrap(Label::ContentKey, b"c", 0, &public[..2], &[9; 32], &mut stream(4)).unwrap();
        assert_eq!(wrapped.len(), 32 + 2 * OVERHEAD);
        let with = |keys: &[&OpeningKey], group| {
            unwrap(Label::ContentKey, b"c", group, keys, &wrapped).map(|s| s.to_vec())
        };
        assert_eq!(with(&[&keys[0], &keys[1]], 0).unwrap(), [9; 32]);
        for (bad, group) in
            [(vec![&keys[1], &keys[0]], 0), (vec![&keys[0], &keys[2]], 0), (vec![&keys[0], &keys[1]], 1)]
        {
            assert_eq!(with(&bad, group).unwrap_err(), CheckError::Seal("content key"));
        }
        // One key alone takes off one layer and is left with a seal.
        assert_ne!(with(&[&keys[0]], 0).unwrap().len(), 32);
    }

    #[test]
    fn points_of_small_order_are_refused() {
        let mut one = [0; 32];
        one[0] = 1;
        let order_8 = hex!("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");
        for bad in [[0; 32], one, order_8] {
            assert!(seal(&SealingKey(bad), b"", b"x", &mut stream(1), "key").is_err());
        }
    }
}

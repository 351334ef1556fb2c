//! The secret keys. None of them can be printed, compared, cloned or serialised; all are wiped on drop.
//!
//! Every `expose()` in the workspace carries an `// EXPOSE:` line that says why.

use std::fmt;

use ed25519_dalek::Signer as _;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::CheckError;
use crate::label::Label;
use crate::value::{Code, PublicKey};

/// An Ed25519 signing key (RFC 8032).
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key of a 32-byte seed. The seed is the caller's to wipe.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The seed.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The key others check signatures with.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// An Ed25519 signature over `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// Answers a host's challenge (SPEC §9).
    pub fn sign_in(&self, host: &Code, challenge: &[u8; 32]) -> [u8; 64] {
        self.sign(&sign_in_message(host, challenge))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// Checks a signature strictly: canonical encodings, no key of small order (RFC 8032 §5.1.7, `verify_strict`).
pub fn verify(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    ed25519_dalek::VerifyingKey::from_bytes(key.as_bytes())
        .is_ok_and(|key| key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok())
}

/// Checks an institution's or centre's answer to a host's challenge (SPEC §9).
pub fn verify_sign_in(key: &PublicKey, host: &Code, challenge: &[u8; 32], signature: &[u8; 64]) -> bool {
    verify(key, &sign_in_message(host, challenge), signature)
}

/// `LABEL("sign-in", host code ‖ 0x00 ‖ challenge)`
fn sign_in_message(host: &Code, challenge: &[u8; 32]) -> Vec<u8> {
    Label::SignIn.bytes(&[host.as_str().as_bytes(), &[0], challenge])
}

/// An X25519 private key (RFC 7748): opens what was sealed to its [`crate::SealingKey`].
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct OpeningKey([u8; 32]);

impl OpeningKey {
    /// The key of these bytes. The caller's copy is the caller's to wipe.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(*bytes)
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for OpeningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpeningKey(..)")
    }
}

/// The key `K` of one roster's tokens (SPEC §3.4). Fresh for each roster and institution.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct TokenKey([u8; 32]);

impl TokenKey {
    /// The key of these bytes. The caller's copy is the caller's to wipe.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(*bytes)
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(..)")
    }
}

/// 32 bytes of entropy from outside: this crate draws none of its own (SPEC §6.5).
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Entropy([u8; 32]);

impl Entropy {
    /// # Errors
    /// [`CheckError::Entropy`] when there are not 32 bytes, or all are zero: a caller that forgot.
    pub fn new(bytes: &[u8]) -> Result<Self, CheckError> {
        let entropy = Self(bytes.try_into().map_err(|_| CheckError::Entropy)?);
        if entropy.0.ct_eq(&[0; 32]).into() { Err(CheckError::Entropy) } else { Ok(entropy) }
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A leak would be a change of this snapshot.
    #[test]
    fn no_secret_prints() {
        let secret = [0xC5; 32];
        let printed = format!(
            "{:?} {:?} {:?} {:?}",
            SigningKey::from_seed(&secret),
            OpeningKey::from_bytes(&secret),
            TokenKey::from_bytes(&secret),
            Entropy::new(&secret).unwrap(),
        );
        assert_eq!(printed, "SigningKey(..) OpeningKey(..) TokenKey(..) Entropy(..)");
    }

    #[test]
    fn entropy_must_be_there() {
        assert_eq!(Entropy::new(&[0; 32]).unwrap_err(), CheckError::Entropy);
        assert_eq!(Entropy::new(&[1; 31]).unwrap_err(), CheckError::Entropy);
    }

    #[test]
    fn a_small_order_key_signs_nothing() {
        // The identity point, y = 1: with it, an all-zero S verifies any message without a strict check.
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        assert!(!verify(&PublicKey(identity), b"anything", &signature));
    }

    #[test]
    fn a_sign_in_is_for_one_host_and_challenge() {
        let key = SigningKey::from_seed(&[7; 32]);
        let (host, other): (Code, Code) = ("host-1".parse().unwrap(), "host-2".parse().unwrap());
        let signature = key.sign_in(&host, &[9; 32]);
        assert!(verify_sign_in(&key.public(), &host, &[9; 32], &signature));
        assert!(!verify_sign_in(&key.public(), &other, &[9; 32], &signature));
        assert!(!verify_sign_in(&key.public(), &host, &[8; 32], &signature));
    }
}

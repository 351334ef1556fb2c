//! The two signatures of a release, in minisign's format (SPEC §12.2): two people hold a key each, and neither
//! makes a release alone.

use crate::Finding;
use crate::manifest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::{PublicKey, Signature};
use std::fmt;

/// How a signature's file ends.
pub const SUFFIX: &str = ".minisig";

/// A publisher's public key, as `minisign -G` writes it or as its one line of base64.
#[derive(Clone)]
pub struct ReleaseKey {
    key: PublicKey,
    id: [u8; 8],
    bytes: Vec<u8>,
}

/// The text is no public key of minisign's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no public key in minisign's format")]
pub struct NoKey;

impl ReleaseKey {
    /// Reads a key from its line of base64, or from a file's text with the comment above it.
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn read(text: &str) -> Result<Self, NoKey> {
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).ok_or(NoKey)?;
        let key = PublicKey::from_base64(line).map_err(|_| NoKey)?;
        let bytes = STANDARD.decode(line).map_err(|_| NoKey)?;
        let id = bytes.get(2..10).and_then(|id| id.try_into().ok()).ok_or(NoKey)?;
        Ok(Self { key, id, bytes })
    }

    /// The key's number, as minisign prints it.
    pub fn id(&self) -> String {
        format!("{:016X}", u64::from_le_bytes(self.id))
    }
}

impl fmt::Debug for ReleaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReleaseKey({})", self.id())
    }
}

/// A signature's file: its name and what it says.
#[derive(Clone, Debug)]
pub struct SignatureFile {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Holds `signed`, a manifest's bytes, against `keys` and the signatures found beside it: two different keys,
/// and a signature of each. Returns the number of keys whose signature holds.
pub fn check(signed: &[u8], keys: &[ReleaseKey], files: &[SignatureFile]) -> (usize, Vec<Finding>) {
    let mut findings = Vec::new();
    let at = manifest::NAME;
    if keys.len() != 2 {
        let message = format!("a release is checked against two keys, and {} were given", keys.len());
        findings.push(Finding::new("key_count", at, message));
    }
    if let [one, other] = keys
        && one.bytes.get(10..) == other.bytes.get(10..)
    {
        let message = format!("both keys are the same one, {}; a release has two signers", one.id());
        findings.push(Finding::new("same_key_twice", at, message));
    }
    let mut read = Vec::new();
    for file in files {
        match Signature::decode(&file.text) {
            Ok(signature) => read.push((file, signature, signer(&file.text))),
            Err(_) => findings.push(Finding::new(
                "signature_malformed",
                &file.name,
                "the file is no signature in minisign's format",
            )),
        }
    }
    let mut holds = 0;
    for key in keys {
        let own: Vec<_> = read.iter().filter(|(_, _, id)| *id == Some(key.id)).collect();
        if own.is_empty() {
            let message = format!("there is no signature by the key {}", key.id());
            findings.push(Finding::new("signature_missing", at, message));
        }
        // What is signed before hashing (minisign's legacy form) is refused.
        let mut good = false;
        for (file, signature, _) in own {
            match key.key.verify(signed, signature, false) {
                Ok(()) => good = true,
                Err(_) => {
                    let message = format!("the signature by the key {} does not hold", key.id());
                    findings.push(Finding::new("signature_wrong", &file.name, message));
                }
            }
        }
        holds += usize::from(good);
    }
    for (file, _, id) in &read {
        if !keys.iter().any(|key| Some(key.id) == *id) {
            findings.push(Finding::new(
                "signature_foreign",
                &file.name,
                "the signature is by neither of the two keys",
            ));
        }
    }
    (holds, findings)
}

/// The number of the key that a signature names, as minisign prints it; nothing of what is no signature.
pub fn key_id(text: &str) -> Option<String> {
    Signature::decode(text).ok()?;
    Some(format!("{:016X}", u64::from_le_bytes(signer(text)?)))
}

/// The number of the key that a signature names, from its second line.
fn signer(text: &str) -> Option<[u8; 8]> {
    let bytes = STANDARD.decode(text.lines().nth(1)?).ok()?;
    bytes.get(2..10)?.try_into().ok()
}

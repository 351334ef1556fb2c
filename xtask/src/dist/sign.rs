//! Who signs a release: two keys in minisign's format.

use crate::shell::say;
use anyhow::{Context, Result, ensure};
use minisign::{KeyPair, SecretKey, SecretKeyBox};
use std::fs;
use std::path::{Path, PathBuf};

/// What stands beside a signature and is signed with it.
const COMMENT: &str = concat!("hedui ", env!("CARGO_PKG_VERSION"), " release.json");

/// A publisher's key.
pub(super) struct Signer {
    key: SecretKey,
    untrusted_comment: &'static str,
}

impl Signer {
    /// The signature over a manifest, as a file's text.
    pub(super) fn sign(&self, manifest: &[u8]) -> Result<String> {
        let signed = minisign::sign(None, &self.key, manifest, Some(COMMENT), Some(self.untrusted_comment));
        Ok(signed.context("cannot sign")?.into_string())
    }
}

/// The keys in these files; where none are named, two new ones whose public halves go to `throw_away`.
pub(super) fn signers(keys: &[PathBuf], passphrases: &[PathBuf], throw_away: &Path) -> Result<[Signer; 2]> {
    if keys.is_empty() {
        return thrown_away(throw_away);
    }
    let [one, other] = keys else {
        anyhow::bail!("a release has two signers: give --key twice, or not at all")
    };
    ensure!(
        passphrases.is_empty() || passphrases.len() == 2,
        "give --passphrase-file for both keys, or for neither"
    );
    let signer = |path: &PathBuf, n: usize| -> Result<Signer> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let passphrase = passphrases
            .get(n)
            .map(|file| -> Result<String> {
                let text =
                    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
                Ok(text.lines().next().unwrap_or_default().to_owned())
            })
            .transpose()?;
        let key = SecretKeyBox::from_string(&text).and_then(|file| file.into_secret_key(passphrase));
        let key = key.with_context(|| format!("{} is no secret key that opens", path.display()))?;
        Ok(Signer { key, untrusted_comment: "signature of a Hedui release" })
    };
    let signers = [signer(one, 0)?, signer(other, 1)?];
    ensure!(signers[0].key.keynum() != signers[1].key.keynum(), "both keys are the same one");
    Ok(signers)
}

/// Two keys for one folder. Their secret halves are never written.
fn thrown_away(folder: &Path) -> Result<[Signer; 2]> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let make = |n: usize| -> Result<Signer> {
        let pair = KeyPair::generate_unencrypted_keypair().context("cannot make a key")?;
        let comment = "untrusted comment: THROW-AWAY key of a test build, good for nothing else";
        let file = folder.join(format!("throw-away-{n}.pub"));
        fs::write(&file, format!("{comment}\n{}\n", pair.pk.to_base64()))
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(Signer { key: pair.sk, untrusted_comment: "signature by a THROW-AWAY key of a test build" })
    };
    let signers = [make(1)?, make(2)?];
    say("signs with two throw-away keys; their public halves lie in target/throw-away-keys");
    Ok(signers)
}

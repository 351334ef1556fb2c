//! Key files: a party's two secret keys under a passphrase (SPEC §8).

use argon2::{Algorithm, Argon2, ParamsBuilder, Version};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use serde_json::Map;
use zeroize::Zeroizing;

use crate::canonical;
use crate::error::{CheckError, DecodeError};
use crate::hedge::{Stream, Use};
use crate::json::{ToJson as _, Value};
use crate::secret::{Entropy, OpeningKey, SigningKey};
use crate::value::{Base64, Code, Digest, PublicKey, SealingKey, Text};

const TYPE: &str = "hedui/key/v1";
/// Bytes a passphrase has at least.
const SHORTEST_PASSPHRASE: usize = 8;

crate::json_words! {
    /// Whose key it is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Role {
        /// Signs rosters.
        Centre = "centre",
        /// Signs answers.
        Institution = "institution",
        /// Opens answers, alone or with others.
        Officer = "officer",
        /// Approves answers at the institution.
        Approver = "approver",
        /// Opens the copies of answers at the institution.
        Compliance = "compliance",
        /// The second organisation that signs rosters.
        Cosigner = "cosigner",
        /// Signs receipts.
        Host = "host",
        /// Signs releases.
        Publisher = "publisher",
    }
}

crate::json_object! {
    /// Argon2id parameters (RFC 9106).
    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Kdf {
        m_kib: u32,
        name: KdfName,
        p: u32,
        t: u32,
    }
}

crate::json_words! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum KdfName {
        Argon2id = "argon2id",
    }
}

/// What new key files use: 32 MiB and 4 passes, so that the module opens one within its memory.
const NEW: Kdf = Kdf { m_kib: 32_768, name: KdfName::Argon2id, p: 1, t: 4 };

crate::json_object! {
    /// A key file as it lies on disk.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct KeyFile {
        /// Code of its owner.
        pub code: Code,
        kdf: Kdf,
        /// Name of its owner.
        pub name: Text,
        /// Whose key it is.
        pub role: Role,
        salt: Base64,
        sealed: Base64,
        /// The public half of the X25519 key.
        pub sealing_key: SealingKey,
        /// The public half of the Ed25519 key.
        pub signing_key: PublicKey,
        r#type: String,
    }
}

/// Both secret keys of a party.
#[derive(Debug)]
pub struct Keys {
    /// Signs.
    pub signing: SigningKey,
    /// Opens.
    pub opening: OpeningKey,
}

impl KeyFile {
    /// Makes new keys and the file that keeps them.
    ///
    /// # Errors
    /// [`CheckError::WeakPassphrase`].
    pub fn make(
        role: Role,
        code: Code,
        name: Text,
        passphrase: &[u8],
        entropy: &Entropy,
    ) -> Result<(Self, Keys), CheckError> {
        if passphrase.len() < SHORTEST_PASSPHRASE {
            return Err(CheckError::WeakPassphrase);
        }
        let everything = Digest::of(&[code.as_str().as_bytes(), &[0], name.as_str().as_bytes()].concat());
        let mut stream = Stream::new(Use::KeyFile, entropy, &everything, passphrase);
        let seed = Zeroizing::new(stream.array::<32>());
        let keys = Keys { signing: SigningKey::from_seed(&seed), opening: OpeningKey::make(&mut stream) };
        let mut file = Self {
            code,
            kdf: NEW,
            name,
            role,
            salt: Base64(stream.array::<16>().to_vec()),
            sealed: Base64(Vec::new()),
            sealing_key: keys.opening.public(),
            signing_key: keys.signing.public(),
            r#type: TYPE.to_owned(),
        };
        // EXPOSE: this is what the file keeps, under the passphrase.
        let secret = Zeroizing::new([keys.signing.expose().as_slice(), keys.opening.expose()].concat());
        let payload = Payload { msg: &secret, aad: &file.aad().map_err(|_| CheckError::Seal("key file"))? };
        let sealed = file.cipher(passphrase)?.encrypt(&Nonce::default(), payload);
        file.sealed = Base64(sealed.map_err(|_| CheckError::Seal("key file"))?);
        Ok((file, keys))
    }

    /// Reads a file; a line break at its end is allowed, since editors add one.
    ///
    /// # Errors
    /// [`DecodeError`] when it is no key file of this version.
    pub fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let file: Self = canonical::decode(bytes.trim_ascii_end())?;
        let member =
            |good: bool, name: &str| if good { Ok(()) } else { Err(DecodeError::Member(name.to_owned())) };
        member(file.r#type == TYPE, "type")?;
        let kdf = &file.kdf;
        member((8_192..=65_536).contains(&kdf.m_kib) && (1..=16).contains(&kdf.t) && kdf.p == 1, "kdf")?;
        member(file.salt.0.len() == 16, "salt")?;
        member(file.sealed.0.len() == 64 + 16, "sealed")?;
        Ok(file)
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// Never for a file that was read or made.
    pub fn write(&self) -> Result<Vec<u8>, DecodeError> {
        canonical::encode(self)
    }

    /// Opens the file.
    ///
    /// # Errors
    /// [`CheckError::Passphrase`] when the passphrase is wrong or the file was changed.
    pub fn unlock(&self, passphrase: &[u8]) -> Result<Keys, CheckError> {
        let bad = || CheckError::Passphrase;
        let payload = Payload { msg: &self.sealed.0, aad: &self.aad().map_err(|_| bad())? };
        let secret = self.cipher(passphrase)?.decrypt(&Nonce::default(), payload).map_err(|_| bad())?;
        let secret = Zeroizing::new(secret);
        let (seed, rest) = secret.split_first_chunk::<32>().ok_or_else(bad)?;
        let keys = Keys {
            signing: SigningKey::from_seed(seed),
            opening: OpeningKey::from_bytes(rest.first_chunk::<32>().ok_or_else(bad)?),
        };
        if keys.signing.public() == self.signing_key && keys.opening.public() == self.sealing_key {
            Ok(keys)
        } else {
            Err(bad())
        }
    }

    /// The file's canonical JSON without `sealed`.
    fn aad(&self) -> Result<Vec<u8>, DecodeError> {
        let mut public = Map::new();
        if let Value::Object(members) = self.to_json() {
            for (name, member) in members {
                if name != "sealed" {
                    public.insert(name, member);
                }
            }
        }
        canonical::encode(&Value::Object(public))
    }

    fn cipher(&self, passphrase: &[u8]) -> Result<ChaCha20Poly1305, CheckError> {
        let bad = |_| CheckError::Passphrase;
        let mut params = ParamsBuilder::new();
        params.m_cost(self.kdf.m_kib).t_cost(self.kdf.t).p_cost(self.kdf.p).output_len(32);
        let params = params.build().map_err(bad)?;
        let mut memory = Zeroizing::new(vec![argon2::Block::default(); params.block_count()]);
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(passphrase, &self.salt.0, &mut *key, memory.as_mut_slice())
            .map_err(bad)?;
        Ok(ChaCha20Poly1305::new(&Key::from(*key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make() -> KeyFile {
        let entropy = Entropy::new(&[3; 32]).unwrap();
        let (code, name) = ("bank-1".parse().unwrap(), "第一银行".parse().unwrap());
        KeyFile::make(Role::Institution, code, name, b"correct horse", &entropy).unwrap().0
    }

    #[test]
    fn a_file_opens_with_its_passphrase_only() {
        let file = KeyFile::read(&make().write().unwrap()).unwrap();
        assert_eq!(file.unlock(b"correct horse").unwrap().signing.public(), file.signing_key);
        assert_eq!(file.unlock(b"wrong horse").unwrap_err(), CheckError::Passphrase);
    }

    #[test]
    fn a_changed_member_does_not_open() {
        let mut file = make();
        file.name = "第二银行".parse().unwrap();
        assert_eq!(file.unlock(b"correct horse").unwrap_err(), CheckError::Passphrase);
    }

    #[test]
    fn a_costly_or_cut_file_is_refused_before_any_work() {
        let text = String::from_utf8(make().write().unwrap()).unwrap();
        for (from, to, member) in
            [("32768", "99999999", "kdf"), ("\"t\":4", "\"t\":999", "kdf"), ("key/v1", "key/v9", "type")]
        {
            let error = KeyFile::read(text.replace(from, to).as_bytes()).unwrap_err();
            assert_eq!(error, DecodeError::Member(member.to_owned()));
        }
        for cut in 0..text.len() {
            assert!(KeyFile::read(&text.as_bytes()[..cut]).is_err());
        }
    }
}

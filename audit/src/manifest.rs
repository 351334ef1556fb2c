//! The manifest of a release: which files it has, and what they are (SPEC §12.1).

use protocol::canonical;
use protocol::error::DecodeError;
use protocol::value::{Digest, ReleaseNumber, Text, Time};

/// Name of the manifest in the folder of a release.
pub const NAME: &str = "release.json";

/// Type of the manifest.
pub const TYPE: &str = "hedui/manifest/v1";

/// Bytes of a manifest at most.
pub const MAX_BYTES: usize = 1 << 20;

protocol::json_object! {
    /// What the publisher says of a release. It stands in `release.json` as canonical JSON (SPEC §2.1).
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Manifest {
        /// Every file but the manifest itself, its signatures and `SHA256SUMS`; sorted by name.
        pub files: Vec<FileEntry>,
        /// When it was made.
        pub issued: Time,
        /// The modules among the files, sorted by name.
        pub modules: Vec<ModuleEntry>,
        /// SHA-256 of the offline page, `null` when the release has none.
        pub page_sha256: Option<Digest>,
        /// Its number.
        pub release: ReleaseNumber,
        /// SHA-256 of the list of sources, `SOURCES.sha256`.
        pub source_sha256: Digest,
        /// The compiler that gives these bytes.
        pub toolchain: Text,
        /// [`TYPE`].
        pub r#type: String,
    }
}

protocol::json_object! {
    /// One file of a release.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct FileEntry {
        /// BLAKE3 of its bytes.
        pub blake3: Digest,
        /// How many they are.
        pub bytes: u64,
        /// Its name: letters, digits, `.`, `_`, `-`; it stands in the folder itself.
        pub name: String,
        /// SHA-256 of its bytes.
        pub sha256: Digest,
    }
}

protocol::json_object! {
    /// What a module asks for and offers, by name.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ModuleEntry {
        /// Its exports, sorted.
        pub exports: Vec<Text>,
        /// Its imports, `module.name`, sorted.
        pub imports: Vec<Text>,
        /// Its file.
        pub name: String,
    }
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`DecodeError`] names the member that is not as SPEC §12.1 says.
    pub fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_BYTES {
            return Err(DecodeError::TooLarge("manifest"));
        }
        let manifest: Self = canonical::decode(bytes)?;
        let good = |good: bool, member: &str| match good {
            true => Ok(()),
            false => Err(DecodeError::Member(member.to_owned())),
        };
        good(manifest.r#type == TYPE, "type")?;
        let names: Vec<&str> = manifest.files.iter().map(|file| file.name.as_str()).collect();
        good(rising(&names) && names.iter().all(|name| is_name(name)), "files")?;
        let modules: Vec<&str> = manifest.modules.iter().map(|module| module.name.as_str()).collect();
        good(rising(&modules) && modules.iter().all(|name| names.contains(name)), "modules")?;
        Ok(manifest)
    }

    /// Writes it.
    ///
    /// # Errors
    /// [`DecodeError::NotCanonical`] when a number has no canonical form.
    pub fn write(&self) -> Result<Vec<u8>, DecodeError> {
        canonical::encode(self)
    }

    /// The entry of a file.
    pub fn file(&self, name: &str) -> Option<&FileEntry> {
        self.files.iter().find(|file| file.name == name)
    }
}

impl FileEntry {
    /// The entry of a file with these bytes.
    pub fn of(name: &str, bytes: &[u8]) -> Self {
        Self {
            blake3: Digest(*blake3::hash(bytes).as_bytes()),
            bytes: bytes.len() as u64,
            name: name.to_owned(),
            sha256: Digest::of(bytes),
        }
    }
}

/// Whether a file of a release may be called so: nothing that leads out of the folder or hides in it.
pub fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=64).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('.')
}

fn rising(names: &[&str]) -> bool {
    names.windows(2).all(|pair| matches!(pair, [a, b] if a < b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            files: vec![FileEntry::of("a.txt", b"a"), FileEntry::of("matcher.wasm", b"\0asm")],
            issued: "2026-11-26T12:00:00Z".parse().unwrap(),
            modules: vec![ModuleEntry {
                exports: vec!["memory".parse().unwrap()],
                imports: Vec::new(),
                name: "matcher.wasm".to_owned(),
            }],
            page_sha256: None,
            release: "0.1.0".parse().unwrap(),
            source_sha256: Digest::of(b"sources"),
            toolchain: "rustc 1.95.0".parse().unwrap(),
            r#type: TYPE.to_owned(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let manifest = manifest();
        assert_eq!(Manifest::read(&manifest.write().unwrap()).unwrap(), manifest);
    }

    #[test]
    fn each_malformed_member_is_named() {
        let change = |change: &dyn Fn(&mut Manifest)| {
            let mut manifest = manifest();
            change(&mut manifest);
            Manifest::read(&manifest.write().unwrap()).unwrap_err()
        };
        let member = |name: &str| DecodeError::Member(name.to_owned());
        assert_eq!(change(&|m| m.r#type = "hedui/manifest/v2".to_owned()), member("type"));
        assert_eq!(change(&|m| m.files.reverse()), member("files"));
        for name in ["../a", "", ".hidden", "a/b", "a\\b", "名"] {
            assert_eq!(change(&|m| m.files[0].name = name.to_owned()), member("files"), "{name}");
        }
        assert_eq!(change(&|m| m.modules[0].name = "other.wasm".to_owned()), member("modules"));
        let bytes = manifest().write().unwrap();
        for cut in 0..bytes.len() {
            assert!(Manifest::read(&bytes[..cut]).is_err(), "{cut}");
        }
        assert_eq!(Manifest::read(&[&bytes[..], b"\n"].concat()).unwrap_err(), DecodeError::NotCanonical);
    }
}

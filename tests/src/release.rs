//! Releases made for tests: a folder's files with a manifest that fits and two signatures by keys of the test, and
//! ways to change a module in one place.

use std::collections::BTreeMap;
use std::path::Path;

use audit::folder::{CHECKSUMS, Expected, Folder, PAGE};
use audit::manifest::{self, FileEntry, Manifest, ModuleEntry};
use audit::signatures::ReleaseKey;
use audit::{Finding, module, source};
use minisign::KeyPair;
use protocol::value::{Base64, Digest};
use sandbox::gate;

/// The files of a release by name, and the keys that sign it.
pub struct Release {
    /// Its files.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Who signs.
    pub keys: [KeyPair; 2],
    /// Its number.
    pub number: String,
    /// When it was issued.
    pub issued: String,
}

impl Release {
    /// A release with this matcher, signed.
    pub fn of(matcher: &[u8]) -> Self {
        let key = || KeyPair::generate_unencrypted_keypair().unwrap();
        let page = format!("<!doctype html><script>{}</script>", Base64(matcher.to_vec()));
        let files = [
            ("matcher.wasm", matcher.to_vec()),
            ("matcher.cdx.json", b"{}\n".to_vec()),
            (PAGE, page.into_bytes()),
            (source::NAME, source::write(&[(Digest::of(b"a"), "a.rs".to_owned())]).into_bytes()),
            ("SPEC.md", b"# Specification\n".to_vec()),
        ];
        let files = files.map(|(name, bytes)| (name.to_owned(), bytes)).into();
        let mut release = Self {
            files,
            keys: [key(), key()],
            number: env!("CARGO_PKG_VERSION").to_owned(),
            issued: "2026-11-26T12:00:00Z".to_owned(),
        };
        release.sign();
        release
    }

    /// The manifest that fits the files as they are now.
    pub fn manifest(&self) -> Manifest {
        let own = |name: &&String| !name.starts_with(manifest::NAME) && *name != CHECKSUMS;
        let files: Vec<&String> = self.files.keys().filter(own).collect();
        let report = gate::inspect(&self.files["matcher.wasm"]).unwrap();
        Manifest {
            files: files.iter().map(|name| FileEntry::of(name, &self.files[*name])).collect(),
            issued: self.issued.parse().unwrap(),
            modules: vec![ModuleEntry {
                exports: module::exports(&report),
                imports: module::imports(&report),
                name: "matcher.wasm".to_owned(),
            }],
            page_sha256: self.files.get(PAGE).map(|page| Digest::of(page)),
            release: self.number.parse().unwrap(),
            source_sha256: Digest::of(&self.files[source::NAME]),
            toolchain: "rustc 1.95.0".parse().unwrap(),
            r#type: manifest::TYPE.to_owned(),
        }
    }

    /// Writes the manifest anew, signs it with both keys, and makes the checksums fit.
    pub fn sign(&mut self) {
        let manifest = self.manifest();
        self.sign_as(&manifest);
    }

    /// The same with another manifest.
    pub fn sign_as(&mut self, manifest: &Manifest) {
        let manifest = manifest.write().unwrap();
        for n in 0..2 {
            let text = self.signature(n, &manifest);
            self.files.insert(signature_name(n), text.into_bytes());
        }
        self.files.insert(manifest::NAME.to_owned(), manifest);
        self.sum();
    }

    /// The signature of one of the keys over something.
    pub fn signature(&self, key: usize, signed: &[u8]) -> String {
        minisign::sign(None, &self.keys[key].sk, signed, Some("test"), None).unwrap().into_string()
    }

    /// Makes the checksums fit the files.
    pub fn sum(&mut self) {
        self.files.remove(CHECKSUMS);
        let sums: Vec<_> = self.files.iter().map(|(name, bytes)| (Digest::of(bytes), name.clone())).collect();
        self.files.insert(CHECKSUMS.to_owned(), source::write(&sums).into_bytes());
    }

    /// Their public halves, as a reviewer has them.
    pub fn public_keys(&self) -> Vec<ReleaseKey> {
        self.keys.iter().map(|pair| ReleaseKey::read(&pair.pk.to_base64()).unwrap()).collect()
    }

    /// What a reviewer expects who has both keys and this release's number.
    pub fn expected(&self) -> Expected {
        Expected {
            keys: self.public_keys(),
            minimum_release: env!("CARGO_PKG_VERSION").parse().unwrap(),
            not_before: None,
        }
    }

    /// Writes the files into `folder`.
    pub fn write(&self, folder: &Path) {
        for (name, bytes) in &self.files {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    }

    /// What the audit of the folder finds.
    pub fn audit(&self, expected: &Expected) -> Vec<Finding> {
        let folder = tempfile::tempdir().unwrap();
        self.write(folder.path());
        let (folder, mut findings) = Folder::read(folder.path()).unwrap();
        findings.extend(folder.check(expected).1);
        findings
    }
}

/// The file of a signature.
pub fn signature_name(key: usize) -> String {
    format!("{}.{}.minisig", manifest::NAME, key + 1)
}

/// A module as text, to be changed in one place and assembled again.
#[derive(Clone)]
pub struct Text(String);

impl Text {
    /// The text of a module.
    pub fn of(module: &[u8]) -> Self {
        Self(wasmprinter::print_bytes(module).unwrap())
    }

    /// With `from`, which must be there, replaced once.
    #[must_use]
    pub fn replaced(&self, from: &str, to: &str) -> Self {
        assert!(self.0.contains(from), "the module has no {from}");
        Self(self.0.replacen(from, to, 1))
    }

    /// With these fields behind all others.
    #[must_use]
    pub fn with(&self, fields: &str) -> Self {
        let end = self.0.rfind(')').unwrap();
        Self(format!("{}{fields})", &self.0[..end]))
    }

    /// With `body` in the place of `run`, which it can call by the name `RUN`.
    #[must_use]
    pub fn around_run(&self, body: &str) -> Self {
        let function = self.index_of("run");
        let body = body.replace("RUN", &function);
        self.replaced(&format!("(export \"run\" (func {function}))"), "")
            .with(&format!("(func (export \"run\") (param i32 i32) (result i32 i32) {body})"))
    }

    /// The index of an exported function.
    pub fn index_of(&self, export: &str) -> String {
        let start = format!("(export \"{export}\" (func ");
        let at = self.0.find(&start).unwrap() + start.len();
        self.0[at..].split(')').next().unwrap().to_owned()
    }

    /// How many functions there are.
    pub fn functions(&self) -> usize {
        self.0.matches("\n  (func (;").count()
    }

    /// The line of the memory, and its first size in pages.
    pub fn memory(&self) -> (String, String) {
        let line = self.0.lines().find(|line| line.trim_start().starts_with("(memory ")).unwrap().trim();
        let pages = line.split_whitespace().nth(2).unwrap();
        (line.to_owned(), pages.to_owned())
    }

    /// The module.
    pub fn bytes(&self) -> Vec<u8> {
        wat::parse_str(&self.0).unwrap()
    }
}

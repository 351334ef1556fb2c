//! The folder of a release: whether it holds what its manifest says, all of it and nothing else (SPEC §12).

use crate::manifest::{self, FileEntry, Manifest};
use crate::module::{self, Kind};
use crate::signatures::{self, ReleaseKey, SignatureFile};
use crate::{Finding, source};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::value::{Digest, ReleaseNumber, Time};
use sandbox::gate::Report;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

/// Name of the checksums in the folder of a release, for `sha256sum --check`.
pub const CHECKSUMS: &str = "SHA256SUMS";

/// Name of the offline page.
pub const PAGE: &str = "hedui-offline.html";

/// Bytes of a file of a release at most.
const MAX_FILE: u64 = 64 << 20;

/// Files of a release at most.
const MAX_FILES: usize = 256;

/// The files of a folder, by name.
#[derive(Debug)]
pub struct Folder(BTreeMap<String, Vec<u8>>);

/// What the folder has to be, as the reviewer knows it from elsewhere.
#[derive(Debug)]
pub struct Expected {
    /// The publishers' keys, which have to be two.
    pub keys: Vec<ReleaseKey>,
    /// The oldest release that will do.
    pub minimum_release: ReleaseNumber,
    /// A release that was issued before this will not do.
    pub not_before: Option<Time>,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Checked {
    /// Number of the release.
    pub release: Option<ReleaseNumber>,
    /// When it was issued.
    pub issued: Option<Time>,
    /// The compiler it names.
    pub toolchain: Option<String>,
    /// Digest of the list of its sources.
    pub source_sha256: Option<Digest>,
    /// Digest of the offline page in the folder.
    pub page_sha256: Option<Digest>,
    /// Numbers of the keys that were asked for.
    pub keys: Vec<String>,
    /// How many of them signed.
    pub signatures: usize,
    /// How many files the manifest names.
    pub files: usize,
    /// Its modules.
    pub modules: Vec<Checks>,
}

/// A module of the folder.
#[derive(Debug, Serialize)]
pub struct Checks {
    /// Its file.
    pub name: String,
    /// What the gate read.
    pub report: Option<Report>,
}

impl Folder {
    /// Reads every file of a folder.
    ///
    /// # Errors
    /// Where something in it can't be read or is larger than any release.
    pub fn read(path: &Path) -> io::Result<(Self, Vec<Finding>)> {
        let mut files = BTreeMap::new();
        let mut findings = Vec::new();
        for (n, entry) in fs::read_dir(path)?.enumerate() {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if n >= MAX_FILES {
                findings.push(Finding::new(
                    "too_many_files",
                    path.display().to_string(),
                    format!("the folder has more than {MAX_FILES} files"),
                ));
                break;
            }
            if !entry.file_type()?.is_file() {
                findings.push(Finding::new("file_extra", name, "a release holds plain files only"));
                continue;
            }
            let mut bytes = Vec::new();
            fs::File::open(entry.path())?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
            if bytes.len() as u64 > MAX_FILE {
                let message =
                    format!("the file is larger than the {MAX_FILE} bytes of any file of a release");
                findings.push(Finding::new("file_too_large", name, message));
                continue;
            }
            files.insert(name, bytes);
        }
        Ok((Self(files), findings))
    }

    /// The bytes of a file.
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// Holds the folder against its manifest, and the manifest against `expected`.
    pub fn check(&self, expected: &Expected) -> (Checked, Vec<Finding>) {
        let mut findings = Vec::new();
        let mut checked = Checked {
            release: None,
            issued: None,
            toolchain: None,
            source_sha256: None,
            page_sha256: self.file(PAGE).map(Digest::of),
            keys: expected.keys.iter().map(ReleaseKey::id).collect(),
            signatures: 0,
            files: 0,
            modules: Vec::new(),
        };
        let signed = self.file(manifest::NAME);
        if let Some(signed) = signed {
            let (holds, found) = signatures::check(signed, &expected.keys, &self.signatures());
            checked.signatures = holds;
            findings.extend(found);
        }
        // What is said of the files is told apart from who says it: both are named.
        match signed.map(Manifest::read) {
            None => findings.push(Finding::new("manifest_missing", manifest::NAME, "there is no manifest")),
            Some(Err(error)) => {
                findings.push(Finding::new("manifest_malformed", manifest::NAME, error.to_string()));
            }
            Some(Ok(manifest)) => {
                checked.release = Some(manifest.release);
                checked.issued = Some(manifest.issued);
                checked.toolchain = Some(manifest.toolchain.to_string());
                checked.source_sha256 = Some(manifest.source_sha256);
                checked.files = manifest.files.len();
                findings.extend(age(&manifest, expected));
                findings.extend(self.files_as_said(&manifest));
                findings.extend(self.page_as_said(&manifest));
                findings.extend(self.sources_as_said(&manifest));
                for entry in &manifest.modules {
                    let Some(bytes) = self.file(&entry.name) else { continue };
                    let Some(kind) = Kind::of(&entry.name) else {
                        findings.push(Finding::new(
                            "module_unknown",
                            &entry.name,
                            "no allow-list is known for this module",
                        ));
                        continue;
                    };
                    let (report, found) = module::check(&entry.name, kind, bytes);
                    findings.extend(found);
                    if let Some(report) = &report {
                        findings.extend(module_as_said(entry, report));
                    }
                    checked.modules.push(Checks { name: entry.name.clone(), report });
                }
                let listed = |name: &str| manifest.modules.iter().any(|module| module.name == name);
                let unlisted = self.0.keys().filter(|name| name.ends_with(".wasm") && !listed(name));
                findings.extend(unlisted.map(|name| {
                    Finding::new("module_unlisted", name, "the manifest does not name it as a module")
                }));
            }
        }
        findings.extend(self.checksums());
        (checked, findings)
    }

    fn signatures(&self) -> Vec<SignatureFile> {
        let own = |name: &str| name.starts_with(manifest::NAME) && name.ends_with(signatures::SUFFIX);
        let files = self.0.iter().filter(|(name, _)| own(name));
        files
            .map(|(name, bytes)| SignatureFile {
                name: name.clone(),
                text: String::from_utf8_lossy(bytes).into_owned(),
            })
            .collect()
    }

    /// Each file is as the manifest says, none is missing, none is there that it does not name.
    fn files_as_said(&self, manifest: &Manifest) -> Vec<Finding> {
        let mut findings = Vec::new();
        for said in &manifest.files {
            let Some(bytes) = self.file(&said.name) else {
                findings.push(Finding::new("file_missing", &said.name, "the release has it, the folder not"));
                continue;
            };
            let found = FileEntry::of(&said.name, bytes);
            let message = if found.bytes != said.bytes {
                format!("has {} bytes, and the manifest says {}", found.bytes, said.bytes)
            } else if found.sha256 != said.sha256 {
                format!("its SHA-256 is {}, and the manifest says {}", found.sha256, said.sha256)
            } else if found.blake3 != said.blake3 {
                format!("its BLAKE3 is {}, and the manifest says {}", found.blake3, said.blake3)
            } else {
                continue;
            };
            findings.push(Finding::new("file_changed", &said.name, message));
        }
        let own = |name: &str| {
            name == manifest::NAME
                || name == CHECKSUMS
                || (name.starts_with(manifest::NAME) && name.ends_with(signatures::SUFFIX))
        };
        let extra = self.0.keys().filter(|name| manifest.file(name).is_none() && !own(name));
        findings.extend(extra.map(|name| Finding::new("file_extra", name, "the manifest does not name it")));
        findings
    }

    /// The page is the one that the manifest names, and the modules inside it are those beside it.
    fn page_as_said(&self, manifest: &Manifest) -> Vec<Finding> {
        let mut findings = Vec::new();
        let page = self.file(PAGE);
        match (page.map(Digest::of), manifest.page_sha256) {
            (Some(found), Some(said)) if found != said => {
                let message = format!("its SHA-256 is {found}, and the manifest says {said}");
                findings.push(Finding::new("page_changed", PAGE, message));
            }
            (Some(_), None) => {
                findings.push(Finding::new("page_unlisted", PAGE, "the manifest names no page"));
            }
            (None, Some(_)) => {
                findings.push(Finding::new("page_missing", PAGE, "the manifest names a page"));
            }
            _ => {}
        }
        for module in &manifest.modules {
            let (Some(page), Some(bytes)) = (page, self.file(&module.name)) else { continue };
            if !contains(page, STANDARD.encode(bytes).as_bytes()) {
                let message = format!("the page does not hold the bytes of {}", module.name);
                findings.push(Finding::new("page_other_module", PAGE, message));
            }
        }
        findings
    }

    fn sources_as_said(&self, manifest: &Manifest) -> Vec<Finding> {
        let Some(list) = self.file(source::NAME) else {
            return vec![Finding::new("sources_missing", source::NAME, "there is no list of the sources")];
        };
        let mut findings = Vec::new();
        let found = Digest::of(list);
        if found != manifest.source_sha256 {
            let message = format!("its SHA-256 is {found}, and the manifest says {}", manifest.source_sha256);
            findings.push(Finding::new("sources_changed", source::NAME, message));
        }
        if let Err(line) = source::read(&String::from_utf8_lossy(list)) {
            let message = format!("line {line} is not as sha256sum writes it");
            findings.push(Finding::new("sources_malformed", source::NAME, message));
        }
        findings
    }

    /// `SHA256SUMS` says the same as the files do, so that whoever checks only that is not deceived.
    fn checksums(&self) -> Vec<Finding> {
        let Some(list) = self.file(CHECKSUMS) else {
            return vec![Finding::new("checksums_missing", CHECKSUMS, "there are no checksums")];
        };
        let lines = match source::read(&String::from_utf8_lossy(list)) {
            Ok(lines) => lines,
            Err(line) => {
                let message = format!("line {line} is not as sha256sum writes it");
                return vec![Finding::new("checksums_malformed", CHECKSUMS, message)];
            }
        };
        let mut findings = Vec::new();
        for (digest, name) in &lines {
            let message = match self.file(name).map(Digest::of) {
                Some(found) if found == *digest => continue,
                Some(found) => format!("it gives {digest} for {name}, whose SHA-256 is {found}"),
                None => format!("it names {name}, which is not there"),
            };
            findings.push(Finding::new("checksum_mismatch", CHECKSUMS, message));
        }
        let listed = |name: &str| lines.iter().any(|(_, listed)| listed == name);
        let unlisted = self.0.keys().filter(|name| *name != CHECKSUMS && !listed(name));
        findings.extend(
            unlisted
                .map(|name| Finding::new("checksum_missing", CHECKSUMS, format!("it does not name {name}"))),
        );
        findings
    }
}

/// Whether the release is as new as it has to be.
fn age(manifest: &Manifest, expected: &Expected) -> Vec<Finding> {
    let mut findings = Vec::new();
    if manifest.release < expected.minimum_release {
        let message =
            format!("release {} is older than the minimum, {}", manifest.release, expected.minimum_release);
        findings.push(Finding::new("release_older", manifest::NAME, message));
    }
    if let Some(bound) = expected.not_before
        && manifest.issued.unix() < bound.unix()
    {
        let message = format!("it was issued {}, before {bound}", manifest.issued);
        findings.push(Finding::new("issued_before", manifest::NAME, message));
    }
    findings
}

fn module_as_said(said: &manifest::ModuleEntry, report: &Report) -> Vec<Finding> {
    let mut findings = Vec::new();
    if said.exports != module::exports(report) {
        findings.push(Finding::new(
            "exports_not_as_said",
            &said.name,
            "its exports are others than the manifest says",
        ));
    }
    if said.imports != module::imports(report) {
        findings.push(Finding::new(
            "imports_not_as_said",
            &said.name,
            "its imports are others than the manifest says",
        ));
    }
    findings
}

/// Whether `needle` stands in `hay`: compared where its first 16 bytes do.
fn contains(hay: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first_chunk::<16>() else { return false };
    hay.windows(16)
        .enumerate()
        .any(|(at, window)| window == first && hay.get(at..).is_some_and(|rest| rest.starts_with(needle)))
}

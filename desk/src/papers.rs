//! What a centre signs of its own work: the machine-readable copy of a report, and the list of a closed file
//! (SPEC §4.8, §4.9).

use protocol::envelope::Header;
use protocol::value::{Code, Digest, PublicKey, Text, Time};
use protocol::{DecodeError, json_object, json_words};

json_words! {
    /// What a report is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum ReportKind {
        /// 核对报告
        Report = "report",
        /// 中止报告
        Suspension = "suspension",
    }
}

json_object! {
    /// The centre that signs.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Issuer {
        /// Its code.
        pub code: Code,
        /// Its full name.
        pub name: Text,
        /// What signs.
        pub signing_key: PublicKey,
    }
}

json_object! {
    /// Header of a report's signed copy. The body is what the paper says, as JSON.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Report {
        /// Length of the body.
        pub body_bytes: u64,
        /// Digest of the body.
        pub body_sha256: Digest,
        /// Number of the case.
        pub case: Text,
        /// Who signs.
        pub centre: Issuer,
        /// When it was issued.
        pub issued: Time,
        /// Report or suspension report.
        pub kind: ReportKind,
        /// The report's number; its versions share it.
        pub number: Text,
        /// Digest of the paper, a PDF.
        pub pdf_sha256: Digest,
        /// Document digest of the version that this one takes the place of.
        pub supersedes: Option<Digest>,
        /// From 1.
        pub version: u64,
    }
}

impl Header for Report {
    const TYPE: &'static str = "hedui/report/v1";

    fn body(&self) -> Option<(u64, Digest)> {
        Some((self.body_bytes, self.body_sha256))
    }

    fn validate(&self) -> Result<(), DecodeError> {
        let member = |good: bool, name: &str| good.then_some(()).ok_or(DecodeError::Member(name.to_owned()));
        member(self.version >= 1, "version")?;
        member(self.supersedes.is_some() == (self.version > 1), "supersedes")
    }
}

json_object! {
    /// Header of a closed file's list. The body is what `sha256sum` writes and checks: a digest and a name a line.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Archive {
        /// Length of the body.
        pub body_bytes: u64,
        /// Digest of the body.
        pub body_sha256: Digest,
        /// Number of the case.
        pub case: Text,
        /// Who signs.
        pub centre: Issuer,
        /// How many files there are.
        pub files: u64,
        /// Head of the centre's log when it was closed.
        pub log_head: Digest,
        /// Sequence number of that entry.
        pub log_position: u64,
        /// When it was closed.
        pub made: Time,
        /// The file's number.
        pub number: Text,
        /// Document digest of the list that the centre made before this one, of whatever file.
        pub previous: Option<Digest>,
        /// Counts all lists of the centre from 1.
        pub sequence: u64,
        /// From 1: a file that was opened again and closed again has another.
        pub version: u64,
    }
}

impl Header for Archive {
    const TYPE: &'static str = "hedui/archive/v1";

    fn body(&self) -> Option<(u64, Digest)> {
        Some((self.body_bytes, self.body_sha256))
    }

    fn validate(&self) -> Result<(), DecodeError> {
        let member = |good: bool, name: &str| good.then_some(()).ok_or(DecodeError::Member(name.to_owned()));
        member(self.version >= 1, "version")?;
        member(self.sequence >= 1, "sequence")?;
        member(self.previous.is_some() == (self.sequence > 1), "previous")
    }
}

impl Archive {
    /// The list's lines: as many as the header says, sorted by name, each once.
    ///
    /// # Errors
    /// [`DecodeError::Member`] of the body.
    pub fn listed(&self, body: &[u8]) -> Result<Vec<Listed>, DecodeError> {
        let listed = std::str::from_utf8(body).ok().and_then(read_sums);
        let listed = listed.filter(|all| u64::try_from(all.len()) == Ok(self.files));
        let sorted = |all: &Vec<Listed>| all.is_sorted_by(|a, b| a.name < b.name);
        listed.filter(sorted).ok_or_else(|| DecodeError::Member("(body)".to_owned()))
    }
}

/// A line of a closed file's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Its name: `[a-z0-9.-]`, never more than a name.
    pub name: String,
}

/// The body of a list, as `sha256sum` has it: digest, two spaces, name.
pub fn sums(files: &[Listed]) -> String {
    files.iter().map(|file| format!("{}  {}\n", file.sha256, file.name)).collect()
}

/// Reads the body of a list. `None` when a line is not as [`sums`] writes it, or a name could lead elsewhere.
pub fn read_sums(text: &str) -> Option<Vec<Listed>> {
    let line = |line: &str| {
        let (digest, name) = line.split_once("  ")?;
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
        let good = !name.is_empty() && !name.starts_with('.') && name.bytes().all(good);
        Some(Listed { sha256: digest.parse().ok()?, name: good.then(|| name.to_owned())? })
    };
    let files: Vec<Listed> = text.lines().map(line).collect::<Option<_>>()?;
    let mut names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    names.sort_unstable();
    (text == sums(&files) && names.windows(2).all(|pair| pair.first() != pair.last())).then_some(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::envelope::{self, Document};
    use protocol::secret::SigningKey;

    fn issuer(key: &SigningKey) -> Issuer {
        Issuer {
            code: "centre-1".parse().unwrap(),
            name: "核对中心".parse().unwrap(),
            signing_key: key.public(),
        }
    }

    #[test]
    fn a_report_that_was_changed_does_not_read() {
        let key = SigningKey::from_seed(&[7; 32]);
        let body = br#"{"number":"BG2026-000001"}"#;
        let mut header = Report {
            body_bytes: body.len() as u64,
            body_sha256: Digest::of(body),
            case: "HD2026-000001".parse().unwrap(),
            centre: issuer(&key),
            issued: Time::from_unix(1_793_000_000).unwrap(),
            kind: ReportKind::Report,
            number: "BG2026-000001".parse().unwrap(),
            pdf_sha256: Digest::of(b"%PDF"),
            supersedes: None,
            version: 1,
        };
        let document = envelope::write(&header, body, &[&key]).unwrap();
        let read = Document::<Report>::read(&document).unwrap();
        assert_eq!((read.header.clone(), read.body.as_slice()), (header.clone(), body.as_slice()));
        let mut changed = document.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(Document::<Report>::read(&changed).is_err());
        header.version = 2;
        assert!(envelope::write(&header, body, &[&key]).is_err(), "a second version names the first");
    }

    #[test]
    fn sums_read_back_and_lead_nowhere_else() {
        let file = |name: &str| Listed { sha256: Digest::of(name.as_bytes()), name: name.to_owned() };
        let files = vec![file("report-1.pdf"), file("commission.json")];
        assert_eq!(read_sums(&sums(&files)).unwrap(), files);
        for name in ["../x", "a/b", ".hidden", "", "A b", "a\\b", "报告.pdf"] {
            assert!(read_sums(&sums(&[file(name)])).is_none(), "{name}");
        }
        assert!(read_sums(&sums(&[file("a"), file("b"), file("a")])).is_none(), "a name stands once");
        assert!(read_sums(sums(&files).trim_end()).is_none());
    }
}

//! The known answers of `vectors/sessions.json`: sessions of the matcher, requests and what must come of each.
//! An independent implementation made them from SPEC (vectors/README.md).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::value::Digest;
use serde_json::Value;
use std::collections::BTreeMap;

/// The vectors of this program's own release.
const BUILT_IN: &[u8] = include_bytes!("../../vectors/sessions.json");

/// A session and what must come of it.
#[derive(Debug)]
pub struct Session {
    /// Its name; `ok_…` ends well.
    pub name: String,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// One step of a session: requests, and what must come of them.
#[derive(Debug)]
pub struct Step {
    /// The name of its operation.
    pub op: String,
    /// Its requests.
    pub requests: Vec<Vec<u8>>,
    /// What comes of them.
    pub expected: Expected,
    /// The step's byte strings: the members that name a blob, and `passphrase` and `entropy`.
    pub parts: BTreeMap<String, Vec<u8>>,
}

/// What must come of a step.
#[derive(Debug)]
pub enum Expected {
    /// Nothing is refused.
    Taken,
    /// It is refused with this code.
    Code(String),
    /// One reply with this result.
    Result(Vec<u8>),
    /// A report that says at least this.
    Report(Value),
    /// An answer of this length and digest, read to its end.
    Answer {
        /// Its length.
        bytes: u64,
        /// Its SHA-256.
        sha256: Digest,
    },
}

/// Why a file of vectors can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{case}: {what} is missing or malformed")]
pub struct Malformed {
    /// The case, or the file.
    case: String,
    /// The member.
    what: &'static str,
}

/// Those that were built in.
///
/// # Errors
/// As [`read`].
pub fn built_in() -> Result<Vec<Session>, Malformed> {
    read(BUILT_IN)
}

/// Reads a file of sessions.
///
/// # Errors
/// Which member of which case is not as vectors/README.md says.
pub fn read(file: &[u8]) -> Result<Vec<Session>, Malformed> {
    let file: Value = serde_json::from_slice(file).map_err(|_| malformed("sessions.json", "JSON"))?;
    let blobs = blobs(&file)?;
    let cases = list(&file, "cases").ok_or_else(|| malformed("sessions.json", "cases"))?;
    cases
        .iter()
        .map(|case| {
            let name = text(case, "name").ok_or_else(|| malformed("sessions.json", "name"))?.to_owned();
            let steps = list(case, "steps").ok_or_else(|| malformed(&name, "steps"))?;
            let steps = steps.iter().map(|step| read_step(step, &blobs, &name)).collect::<Result<_, _>>()?;
            Ok(Session { name, steps })
        })
        .collect()
}

type Blobs = BTreeMap<String, Vec<u8>>;

/// The byte strings of a file by name: base64, or a change of another one.
fn blobs(file: &Value) -> Result<Blobs, Malformed> {
    let bad = || malformed("sessions.json", "blobs");
    let members = file.get("blobs").and_then(Value::as_object).ok_or_else(bad)?;
    let base64 = |text: &Value| STANDARD.decode(text.as_str()?).ok();
    let mut blobs = Blobs::new();
    for (name, blob) in members.iter().filter(|(_, blob)| blob.is_string()) {
        blobs.insert(name.clone(), base64(blob).ok_or_else(bad)?);
    }
    let changed = |blobs: &Blobs, change: &Value| {
        let number = |member: &str| usize::try_from(change.get(member)?.as_u64()?).ok();
        let (at, drop) = (number("at")?, number("drop")?);
        let bytes = blobs.get(text(change, "of")?)?;
        let head = bytes.get(..at)?;
        let tail = bytes.get(at.checked_add(drop)?..)?;
        Some([head, &base64(change.get("put")?)?, tail].concat())
    };
    for (name, change) in members.iter().filter(|(_, blob)| blob.is_object()) {
        let bytes = changed(&blobs, change).ok_or_else(bad)?;
        blobs.insert(name.clone(), bytes);
    }
    Ok(blobs)
}

fn read_step(step: &Value, blobs: &Blobs, case: &str) -> Result<Step, Malformed> {
    let op = text(step, "op").ok_or_else(|| malformed(case, "op"))?.to_owned();
    let mut parts = BTreeMap::new();
    for (member, value) in step.as_object().into_iter().flatten() {
        let Some(value) = value.as_str() else { continue };
        let bytes = match member.as_str() {
            "op" | "sha256" | "code" | "result" => continue,
            "passphrase" | "host" => Some(value.as_bytes().to_vec()),
            "entropy" | "challenge" | "request" => hex::decode(value).ok(),
            _ => blobs.get(value).cloned(),
        };
        parts.insert(member.clone(), bytes.ok_or_else(|| malformed(case, "a byte string"))?);
    }
    if let Some(options) = step.get("options") {
        parts.insert("options".to_owned(), options.to_string().into_bytes());
    }
    let requests = requests(step, &op, &parts).ok_or_else(|| malformed(case, "a step"))?;
    let expected = expected(step).ok_or_else(|| malformed(case, "what comes of a step"))?;
    Ok(Step { op, requests, expected, parts })
}

/// The operations of SPEC §10 that vectors have, each with the names of its parts.
const OPERATIONS: [(&str, u8, &[&str]); 7] = [
    ("open", 0x01, &["key_file", "passphrase", "agreement", "roster", "entropy", "options"]),
    ("base_data", 0x0C, &["key_file", "passphrase", "agreement", "entropy", "options"]),
    ("new_key", 0x10, &["passphrase", "entropy", "options"]),
    ("sign_in", 0x11, &["key_file", "passphrase", "host", "challenge"]),
    ("co_sign", 0x12, &["key_file", "passphrase", "document"]),
    ("inspect", 0x13, &["document"]),
    ("approve", 0x14, &["key_file", "passphrase", "agreement", "answer"]),
];

/// How often a result of several pieces is asked for; the last reply is empty.
const READS: usize = 3;

fn requests(step: &Value, op: &str, parts: &BTreeMap<String, Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    if let Some((_, code, names)) = OPERATIONS.iter().find(|(name, ..)| *name == op) {
        let parts: Option<Vec<&[u8]>> =
            names.iter().map(|name| parts.get(*name).map(Vec::as_slice)).collect();
        return Some(vec![join(*code, &parts?)]);
    }
    Some(match op {
        "push" => pieces(0x02, step, parts)?,
        "base_data_first" => pieces(0x0D, step, parts)?,
        "base_data_second" => [pieces(0x0E, step, parts)?, vec![vec![0x0E]; READS]].concat(),
        "base_data_head" => vec![vec![0x0F]],
        "next_file" => vec![vec![0x03]],
        "finish" => vec![vec![0x04]],
        "read" => vec![vec![0x05]; READS],
        "read_once" => vec![vec![0x05]],
        "set_aside" => vec![vec![0x0A]; READS],
        "copy" => vec![vec![0x0B]],
        "raw" => vec![parts.get("request")?.clone()],
        _ => return None,
    })
}

/// A file in pieces of `chunk` bytes, each behind `op`.
fn pieces(op: u8, step: &Value, parts: &BTreeMap<String, Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    let chunk = usize::try_from(step.get("chunk")?.as_u64()?).ok().filter(|chunk| *chunk > 0)?;
    Some(parts.get("file")?.chunks(chunk).map(|piece| [&[op], piece].concat()).collect())
}

/// `op ‖ parts`, each `u32 length ‖ bytes` (SPEC §10).
fn join(op: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = vec![op];
    for part in parts {
        out.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

fn expected(step: &Value) -> Option<Expected> {
    Some(if let Some(code) = text(step, "code") {
        Expected::Code(code.to_owned())
    } else if let Some(result) = text(step, "result") {
        Expected::Result(hex::decode(result).ok()?)
    } else if let Some(report) = step.get("report").filter(|report| report.is_object()) {
        Expected::Report(report.clone())
    } else if let Some(sha256) = text(step, "sha256") {
        Expected::Answer { bytes: step.get("bytes")?.as_u64()?, sha256: sha256.parse().ok()? }
    } else {
        Expected::Taken
    })
}

impl Expected {
    /// Holds the replies to a step against this.
    ///
    /// # Errors
    /// What differs, in words that repeat nothing of a reply but its code.
    pub fn check(&self, replies: &[Vec<u8>]) -> Result<(), String> {
        let mut results = Vec::new();
        let mut refused = None;
        for reply in replies {
            match reply.split_first() {
                Some((0, result)) => results.push(result),
                Some((1, error)) => {
                    let error: Value = serde_json::from_slice(error).unwrap_or_default();
                    refused.get_or_insert(text(&error, "code").unwrap_or("(no code)").to_owned());
                }
                _ => return Err("a reply has no status".to_owned()),
            }
        }
        match (self, refused) {
            (Self::Code(code), Some(found)) if *code == found => Ok(()),
            (Self::Code(code), Some(found)) => Err(format!("is refused as {found}, and {code} is due")),
            (Self::Code(code), None) => Err(format!("is taken, and {code} is due")),
            (_, Some(found)) => Err(format!("is refused as {found}")),
            (Self::Taken, None) => Ok(()),
            (Self::Result(due), None) => match results.as_slice() {
                [result] if result == due => Ok(()),
                _ => Err("the result is another one".to_owned()),
            },
            (Self::Report(due), None) => {
                let found: Value = results
                    .first()
                    .and_then(|report| serde_json::from_slice(report).ok())
                    .ok_or("the report is no JSON")?;
                let differs =
                    due.as_object().into_iter().flatten().find(|(name, due)| found.get(name) != Some(due));
                differs.map_or(Ok(()), |(name, _)| Err(format!("the report's {name} is another one")))
            }
            (Self::Answer { bytes, sha256 }, None) => {
                if results.last().is_none_or(|last| !last.is_empty()) {
                    return Err("the answer goes on after its end".to_owned());
                }
                let answer = results.concat();
                if answer.len() as u64 != *bytes {
                    return Err(format!("the answer has {} bytes, and {bytes} are due", answer.len()));
                }
                match Digest::of(&answer) {
                    found if found == *sha256 => Ok(()),
                    found => Err(format!("the answer's SHA-256 is {found}, and {sha256} is due")),
                }
            }
        }
    }
}

fn malformed(case: &str, what: &'static str) -> Malformed {
    Malformed { case: case.to_owned(), what }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

fn list<'a>(value: &'a Value, name: &str) -> Option<&'a [Value]> {
    value.get(name)?.as_array().map(Vec::as_slice).filter(|list| !list.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_vectors_are_read() {
        let sessions = built_in().unwrap();
        assert!(sessions.len() > 150);
        assert!(sessions.iter().filter(|session| session.name.starts_with("ok_")).count() > 40);
        assert!(sessions.iter().all(|session| !session.steps.is_empty()));
    }

    #[test]
    fn what_differs_is_said() {
        let refused =
            |code: &str| [b"\x01".to_vec(), format!(r#"{{"code":"{code}"}}"#).into_bytes()].concat();
        let taken = |result: &[u8]| [b"\0", result].concat();
        let code = Expected::Code("expired".to_owned());
        assert_eq!(code.check(&[refused("expired")]), Ok(()));
        assert_eq!(
            code.check(&[refused("replayed")]).unwrap_err(),
            "is refused as replayed, and expired is due"
        );
        assert_eq!(code.check(&[taken(b"")]).unwrap_err(), "is taken, and expired is due");
        assert_eq!(Expected::Taken.check(&[refused("expired")]).unwrap_err(), "is refused as expired");
        assert!(Expected::Result(b"a".to_vec()).check(&[taken(b"b")]).is_err());
        let report = Expected::Report(serde_json::json!({"rows": 1}));
        assert_eq!(report.check(&[taken(br#"{"rows":1,"more":2}"#)]), Ok(()));
        assert_eq!(report.check(&[taken(br#"{"rows":2}"#)]).unwrap_err(), "the report's rows is another one");
        let answer = Expected::Answer { bytes: 2, sha256: Digest::of(b"ab") };
        assert_eq!(answer.check(&[taken(b"a"), taken(b"b"), taken(b"")]), Ok(()));
        for wrong in [vec![taken(b"ab")], vec![taken(b"abc"), taken(b"")], vec![taken(b"ac"), taken(b"")]] {
            assert!(answer.check(&wrong).is_err());
        }
        assert!(Expected::Taken.check(&[Vec::new()]).is_err());
    }
}

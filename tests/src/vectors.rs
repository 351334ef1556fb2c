//! The files of `vectors/`, which say what must come of them; `tests/interop/make_vectors.py` made them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use matcher::request::join;
use protocol::slot::Slot;
use protocol::value::{Base64, Digest};
use serde_json::{Value, json};

use crate::module::{op, reply, request};
use crate::script::{self, Script};

/// Reads `vectors/NAME`.
///
/// # Panics
/// When it is not there, or does not say what made it.
pub fn file(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors").join(name);
    let file: Value = serde_json::from_slice(&std::fs::read(path).expect("vectors/ is there")).unwrap();
    assert!(file["made_by"].is_string(), "{name} says what made it");
    file
}

/// The cases of one list of a file: more than none.
pub fn list<'a>(file: &'a Value, name: &str) -> &'a [Value] {
    let cases = file[name].as_array().unwrap_or_else(|| panic!("a list {name}"));
    assert!(!cases.is_empty(), "{name} holds nothing");
    cases
}

/// A text of a case.
pub fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_else(|| panic!("a text {name} in {case}"))
}

/// Bytes of a case, in hexadecimal.
pub fn bytes(case: &Value, name: &str) -> Vec<u8> {
    hex::decode(text(case, name)).unwrap()
}

/// The same for a known length.
pub fn array<const N: usize>(case: &Value, name: &str) -> [u8; N] {
    bytes(case, name).try_into().unwrap_or_else(|_| panic!("{N} bytes of {name} in {case}"))
}

/// A slot as the vectors word it: numbers as SPEC §5.1 has them.
pub fn in_numbers(slot: &Slot) -> Value {
    let totals: Vec<Value> = slot
        .totals
        .iter()
        .map(|t| {
            json!({
                "kind": t.kind as u8, "currency": t.currency, "minor": t.minor, "accounts": t.accounts,
                "blank": t.blank, "oldest": t.oldest, "newest": t.newest,
            })
        })
        .collect();
    let accounts: Vec<Value> = slot
        .accounts
        .iter()
        .map(|a| {
            json!({
                "kind": a.kind as u8, "currency": a.currency, "minor": a.minor, "date": a.date,
                "status": a.status as u8, "name_flag": a.name_flag, "ordinal": a.ordinal, "bits": a.bits,
                "account": a.account, "product": a.product,
            })
        })
        .collect();
    json!({
        "outcome": u8::from(slot.found), "name_flags": slot.name_flags,
        "line": slot.over.map_or(0, |over| 1 + u8::from(over)), "ordinals": slot.ordinals, "rows": slot.rows,
        "notes": slot.notes, "totals": totals, "accounts": accounts,
    })
}

/// The byte strings of a file, by name.
#[derive(Debug)]
pub struct Blobs(BTreeMap<String, Vec<u8>>);

impl Blobs {
    /// Those of `file`: as base64, or as a change of another one.
    pub fn of(file: &Value) -> Self {
        let whole = |text: &Value| text.as_str().unwrap().parse::<Base64>().unwrap().0;
        let members = file["blobs"].as_object().unwrap();
        let plain = members.iter().filter(|(_, blob)| blob.is_string());
        let mut blobs: BTreeMap<String, Vec<u8>> =
            plain.map(|(name, blob)| (name.clone(), whole(blob))).collect();
        for (name, change) in members.iter().filter(|(_, blob)| blob.is_object()) {
            let number = |member: &str| usize::try_from(change[member].as_u64().unwrap()).unwrap();
            let mut bytes = blobs[text(change, "of")].clone();
            bytes.splice(number("at")..number("at") + number("drop"), whole(&change["put"]));
            blobs.insert(name.clone(), bytes);
        }
        Self(blobs)
    }

    /// The bytes that member `name` of `case` names.
    pub fn get(&self, case: &Value, name: &str) -> &[u8] {
        &self.0[text(case, name)]
    }
}

/// A session of the module and what must come of its requests.
#[derive(Debug)]
pub struct Session {
    /// The requests.
    pub script: Script,
    /// For each step, how many requests it takes and what they must come to.
    steps: Vec<(usize, Expected)>,
}

#[derive(Debug)]
enum Expected {
    /// Nothing is refused.
    Taken,
    /// The first refusal has this code.
    Code(String),
    /// One reply with this result.
    Result(Vec<u8>),
    /// A report that says at least this.
    Report(Value),
    /// An answer of this length and digest, read to its end.
    Answer { bytes: u64, sha256: String },
}

/// The sessions of `vectors/sessions.json`.
pub fn sessions() -> Vec<Session> {
    let file = file("sessions.json");
    let blobs = Blobs::of(&file);
    list(&file, "cases").iter().map(|case| Session::of(case, &blobs)).collect()
}

impl Session {
    fn of(case: &Value, blobs: &Blobs) -> Self {
        let mut requests = Vec::new();
        let mut steps = Vec::new();
        for step in list(case, "steps") {
            let before = requests.len();
            requests.extend(requests_of(step, blobs));
            steps.push((requests.len() - before, expected(step)));
        }
        Self { script: Script { name: text(case, "name").to_owned(), requests }, steps }
    }

    /// Holds the replies against what must come.
    ///
    /// # Panics
    /// When they differ.
    pub fn check(&self, replies: &[Vec<u8>]) {
        let name = &self.script.name;
        let mut replies = replies.iter().map(|bytes| reply(&script::in_order(bytes)));
        for (n, (count, expected)) in self.steps.iter().enumerate() {
            let replies: Result<Vec<Vec<u8>>, Value> = replies.by_ref().take(*count).collect();
            match (expected, replies) {
                (Expected::Code(code), Err(error)) => assert_eq!(error["code"], **code, "{name}, step {n}"),
                (Expected::Code(code), Ok(_)) => panic!("{name}, step {n}: taken, where {code} is due"),
                (_, Err(error)) => panic!("{name}, step {n}: refused: {error}"),
                (Expected::Taken, Ok(_)) => {}
                (Expected::Result(result), Ok(got)) => {
                    assert_eq!(hex::encode(&got[0]), hex::encode(result), "{name}, step {n}");
                }
                (Expected::Report(report), Ok(got)) => {
                    let got: Value = serde_json::from_slice(&got[0]).unwrap();
                    for (member, value) in report.as_object().unwrap() {
                        // The digest tells least, so it is compared last, with the answer.
                        assert!(
                            member == "answer_digest" || got[member] == *value,
                            "{name}: {member}: {got}"
                        );
                    }
                    assert_eq!(
                        got["answer_digest"], report["answer_digest"],
                        "{name}: what is sealed differs"
                    );
                }
                (Expected::Answer { bytes, sha256 }, Ok(got)) => {
                    assert_eq!(got.last().map(Vec::len), Some(0), "{name}: the answer goes on");
                    let answer = got.concat();
                    assert_eq!(answer.len() as u64, *bytes, "{name}");
                    assert_eq!(Digest::of(&answer).to_string(), *sha256, "{name}");
                }
            }
        }
    }
}

fn expected(step: &Value) -> Expected {
    if step["code"].is_string() {
        Expected::Code(text(step, "code").to_owned())
    } else if step["result"].is_string() {
        Expected::Result(bytes(step, "result"))
    } else if step["report"].is_object() {
        Expected::Report(step["report"].clone())
    } else if step["sha256"].is_string() {
        Expected::Answer { bytes: step["bytes"].as_u64().unwrap(), sha256: text(step, "sha256").to_owned() }
    } else {
        Expected::Taken
    }
}

fn requests_of(step: &Value, blobs: &Blobs) -> Vec<Vec<u8>> {
    let blob = |name: &str| blobs.get(step, name);
    let passphrase = || text(step, "passphrase").as_bytes();
    let options = step["options"].to_string();
    let with = |op: u8, parts: &[&[u8]]| vec![request(op, &join(parts))];
    let pieces = |op: u8| -> Vec<Vec<u8>> {
        let chunk = usize::try_from(step["chunk"].as_u64().unwrap()).unwrap();
        blob("file").chunks(chunk).map(|piece| request(op, piece)).collect()
    };
    match text(step, "op") {
        "open" => with(
            op::OPEN,
            &[
                blob("key_file"),
                passphrase(),
                blob("agreement"),
                blob("roster"),
                &bytes(step, "entropy"),
                options.as_bytes(),
            ],
        ),
        "push" => pieces(op::PUSH),
        "base_data" => with(
            op::BASE_DATA,
            &[blob("key_file"), passphrase(), blob("agreement"), &bytes(step, "entropy"), options.as_bytes()],
        ),
        "base_data_first" => pieces(op::BASE_DATA_FIRST),
        // Then what pads the body, and its end.
        "base_data_second" => {
            [pieces(op::BASE_DATA_SECOND), vec![request(op::BASE_DATA_SECOND, &[]); 3]].concat()
        }
        "base_data_head" => vec![request(op::BASE_DATA_HEAD, &[])],
        "next_file" => vec![request(op::NEXT_FILE, &[])],
        "finish" => vec![request(op::FINISH, &[])],
        "read" => vec![request(op::READ, &[]); 3],
        "set_aside" => vec![request(op::SET_ASIDE, &[]); 3],
        "copy" => vec![request(op::COPY, &[])],
        "approve" => with(op::APPROVE, &[blob("key_file"), passphrase(), blob("agreement"), blob("answer")]),
        "read_once" => vec![request(op::READ, &[])],
        "new_key" => with(op::NEW_KEY, &[passphrase(), &bytes(step, "entropy"), options.as_bytes()]),
        "sign_in" => {
            let (host, challenge) = (text(step, "host").as_bytes(), bytes(step, "challenge"));
            with(op::SIGN_IN, &[blob("key_file"), passphrase(), host, &challenge])
        }
        "co_sign" => with(op::CO_SIGN, &[blob("key_file"), passphrase(), blob("document")]),
        "inspect" => with(op::INSPECT, &[blob("document")]),
        "raw" => vec![bytes(step, "request")],
        other => panic!("a step {other}"),
    }
}

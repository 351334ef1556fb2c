//! SPEC §2 to §4 at random: documents of every kind that no person would think of, good ones and spoilt ones, are
//! judged alike by both sides; of good ones both say the same.

use std::collections::BTreeMap;

use e2e::forge;
use e2e::python::{Python, b64};
use e2e::strategies;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use protocol::agreement::Agreement;
use protocol::answer::Answer;
use protocol::canonical;
use protocol::envelope::{Document, Header};
use protocol::joining::JoiningRequest;
use protocol::receipt::Receipt;
use protocol::release::Release;
use protocol::roster::{self, Roster};
use protocol::secret::SigningKey;
use serde_json::{Value, json};

use crate::dice::Dice;

/// Documents of each kind.
const CASES: usize = 2_000;
/// Documents that are asked about at a time.
const AT_ONCE: usize = 500;

/// What a side says of a document: digest, signers and header, or nothing.
type Word = Option<(Value, Value, Value)>;

fn rust_says<H: Header>(bytes: &[u8], more: fn(&Document<H>) -> bool) -> Word {
    let document = Document::<H>::read(bytes).ok().filter(more)?;
    let signers = document.signers.iter().map(|key| json!(key.to_string())).collect();
    Some((json!(document.digest.to_string()), Value::Array(signers), document.header.to_json()))
}

/// Holds both sides against each other over [`CASES`] documents of one kind.
fn judged_alike<H: Header>(
    seed: u64,
    headers: impl Strategy<Value = (H, Vec<u8>)>,
    more: fn(&Document<H>) -> bool,
) {
    let (mut python, mut dice, mut runner) = (Python::start(), Dice(seed), TestRunner::deterministic());
    let mut seen: BTreeMap<(&str, bool), usize> = BTreeMap::new();
    for _ in 0..CASES / AT_ONCE {
        let documents: Vec<(&str, Vec<u8>)> = (0..AT_ONCE)
            .map(|_| {
                let (header, body) = headers.new_tree(&mut runner).unwrap().current();
                spoilt(&mut dice, H::TYPE, &header.to_json(), body)
            })
            .collect();
        let requests: Vec<Value> =
            documents.iter().map(|(_, bytes)| json!({"op": "read", "document": b64(bytes)})).collect();
        for ((how, bytes), reply) in documents.iter().zip(python.ask_all(&requests)) {
            let theirs = reply
                .get("error")
                .is_none()
                .then(|| (reply["digest"].clone(), reply["signers"].clone(), reply["header"].clone()));
            let ours = rust_says::<H>(bytes, more);
            assert_eq!(ours, theirs, "{} ({how}): {}", H::TYPE, hex::encode(bytes));
            *seen.entry((how, ours.is_some())).or_default() += 1;
        }
    }
    let read = |read: bool| -> usize { seen.iter().filter(|((_, r), _)| *r == read).map(|(_, n)| n).sum() };
    assert!(read(true) > CASES / 5 && read(false) > CASES / 3, "{}: {seen:?}", H::TYPE);
    assert_eq!(seen.get(&("good", false)), None, "{}: what a strategy makes is good", H::TYPE);
}

/// A document of this header and body, or one that something is done to; and what.
fn spoilt(dice: &mut Dice, kind: &str, header: &Value, body: Vec<u8>) -> (&'static str, Vec<u8>) {
    let keys: Vec<SigningKey> = (0..=dice.below(4)).map(|_| SigningKey::from_seed(&dice.bytes())).collect();
    let keys: Vec<&SigningKey> = keys.iter().collect();
    let good = |header: &Value, body: &[u8]| forge::signed(kind, header, body, &keys);
    match dice.below(12) {
        0..=3 => ("good", good(header, &body)),
        4..=7 => {
            let mut header = header.clone();
            for _ in 0..=dice.below(2) {
                another_member(dice, &mut header);
            }
            ("a member", good(&header, &body))
        }
        8 => {
            let mut bytes = good(header, &body);
            let at = dice.below(bytes.len());
            bytes[at] ^= 1 << dice.below(8);
            ("a bit", bytes)
        }
        9 => {
            let mut bytes = good(header, &body);
            bytes.truncate(dice.below(bytes.len()));
            ("a cut", bytes)
        }
        10 => {
            // The body, with its digest put right: in a roster entries are then out of order or out of range.
            let mut body = body;
            if body.is_empty() {
                body = dice.bytes::<24>().to_vec();
            } else {
                let at = dice.below(body.len());
                body[at] = dice.bytes::<1>()[0];
            }
            ("the body", forge::document(kind, header.clone(), &body, &keys))
        }
        _ => {
            let json = String::from_utf8(canonical::encode(header).unwrap()).unwrap();
            let chars: Vec<(usize, char)> = json.char_indices().collect();
            let (at, c) = chars[dice.below(chars.len())];
            let (before, behind) = (&json[..at], &json[at + c.len_utf8()..]);
            let instead = match dice.below(4) {
                0 => String::new(),
                1 => format!("{c}{c}"),
                2 => format!("\\u{:04x}", u32::from(c) & 0xFFFF),
                _ => dice.character().to_string(),
            };
            ("a letter", forge::envelope(kind, format!("{before}{instead}{behind}").as_bytes(), &body, &keys))
        }
    }
}

/// Puts another value in one place of an object, leaves a member out, or adds one.
fn another_member(dice: &mut Dice, value: &mut Value) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let name = members.keys().nth(dice.below(members.len())).unwrap().clone();
            match dice.below(12) {
                0 => drop(members.remove(&name)),
                1 => drop(members.insert("zz".to_owned(), Value::Null)),
                _ => another_member(dice, &mut members[&name]),
            }
        }
        Value::Array(items) if !items.is_empty() && dice.below(3) > 0 => {
            let at = dice.below(items.len());
            match dice.below(4) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                2 => items.reverse(),
                _ => another_member(dice, &mut items[at]),
            }
        }
        Value::String(text) if dice.below(3) > 0 => *text = dice.change(text, 1),
        Value::Number(number) if dice.below(3) > 0 => {
            let n = number.as_u64().unwrap();
            *value = json!(match dice.below(4) {
                0 => n / 2,
                1 => n.saturating_sub(1),
                2 => (n + 1).min((1 << 53) - 1),
                _ => n.saturating_mul(2).min((1 << 53) - 1),
            });
        }
        Value::Bool(word) => *word = !*word,
        _ => {
            *value = match dice.below(10) {
                0 => Value::Null,
                1 => json!(dice.bits() >> 11),
                2 => json!(dice.digits(4)),
                3 => json!(format!("20{}-{}-{}", dice.digits(2), dice.digits(2), dice.digits(2))),
                4 => json!(format!("20{}-11-22T{}:30:{}Z", dice.digits(2), dice.digits(2), dice.digits(2))),
                5 => json!(hex::encode(dice.bytes::<32>())),
                6 => json!(b64(&dice.bytes::<16>())),
                7 => json!([dice.pick(&["name", "amount", "keyed", "blake3", "L1"])]),
                8 => json!(dice.name()),
                _ => {
                    json!(dice.pick(&["L0", "L1", "L2", "bank", "CNY", "hmac-sha256", "1.2.3", "0.0.0", ""]))
                }
            }
        }
    }
}

fn any<H>(_: &Document<H>) -> bool {
    true
}

fn bare<H: std::fmt::Debug>(headers: impl Strategy<Value = H>) -> impl Strategy<Value = (H, Vec<u8>)> {
    headers.prop_map(|header| (header, Vec::new()))
}

#[test]
fn joining_requests() {
    judged_alike::<JoiningRequest>(1, bare(strategies::joining()), any);
}

#[test]
fn agreements() {
    judged_alike::<Agreement>(2, bare(strategies::agreement()), any);
}

/// Rust reads a roster's entries when the roster is accepted, Python with the document.
#[test]
fn rosters() {
    judged_alike::<Roster>(3, strategies::roster(), |document| {
        roster::read_entries(&document.header, &document.body).is_ok()
    });
}

#[test]
fn answers() {
    judged_alike::<Answer>(4, strategies::answer(), any);
}

#[test]
fn receipts() {
    judged_alike::<Receipt>(5, bare(strategies::receipt()), any);
}

#[test]
fn releases() {
    judged_alike::<Release>(6, bare(strategies::release()), any);
}

//! SPEC §2: what one side refuses the other refuses.

use e2e::exchange::{PASSPHRASE, sha256};
use protocol::agreement::Agreement;
use protocol::answer::Answer;
use protocol::canonical;
use protocol::copy::AnswerCopy;
use protocol::cosigning::{CosignRequest, CosignerJoining};
use protocol::envelope::{self, Document, Header as _};
use protocol::joining::JoiningRequest;
use protocol::key_file::KeyFile;
use protocol::receipt::Receipt;
use protocol::release::Release;
use protocol::roster::{self, Roster};
use protocol::secret::SigningKey;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::fixture::{
    Exchange, TINY, copy, cosign_request, cosigner, exchange, hit_only, joining, python_party, receipt,
    release,
};
use e2e::forge;
use e2e::python::{Python, b64};

/// Whether the Rust side reads a document of `kind`.
fn reads(kind: &str, bytes: &[u8]) -> bool {
    match kind {
        JoiningRequest::TYPE => Document::<JoiningRequest>::read(bytes).is_ok(),
        Agreement::TYPE => Document::<Agreement>::read(bytes).is_ok(),
        Roster::TYPE => Document::<Roster>::read(bytes)
            .is_ok_and(|document| roster::read_entries(&document.header, &document.body).is_ok()),
        Answer::TYPE => Document::<Answer>::read(bytes).is_ok(),
        Receipt::TYPE => Document::<Receipt>::read(bytes).is_ok(),
        Release::TYPE => Document::<Release>::read(bytes).is_ok(),
        AnswerCopy::TYPE => Document::<AnswerCopy>::read(bytes).is_ok(),
        CosignerJoining::TYPE => Document::<CosignerJoining>::read(bytes).is_ok(),
        CosignRequest::TYPE => Document::<CosignRequest>::read(bytes).is_ok(),
        "hedui/key/v1" => KeyFile::read(bytes).is_ok_and(|file| file.unlock(PASSPHRASE).is_ok()),
        _ => panic!("{kind}"),
    }
}

fn read_request(kind: &str, bytes: &[u8]) -> Value {
    if kind == "hedui/key/v1" {
        let passphrase = String::from_utf8(PASSPHRASE.to_vec()).unwrap();
        json!({"op": "keyfile_open", "file": String::from_utf8_lossy(bytes), "passphrase": passphrase})
    } else {
        json!({"op": "read", "document": b64(bytes)})
    }
}

/// Which of `variants` each side reads: Rust's word and Python's.
pub(crate) fn verdicts(python: &mut Python, kind: &str, variants: &[Vec<u8>]) -> Vec<(bool, bool)> {
    let requests: Vec<_> = variants.iter().map(|bytes| read_request(kind, bytes)).collect();
    let replies = python.ask_all(&requests);
    variants
        .iter()
        .zip(replies)
        .map(|(bytes, reply)| (reads(kind, bytes), reply.get("error").is_none()))
        .collect()
}

/// A document of each kind and a key file, small.
pub(crate) fn one_of_each(python: &mut Python) -> Vec<(&'static str, Vec<u8>)> {
    let Exchange { relation, answer, .. } = exchange(hit_only(), TINY);
    let key_file = python_party(python, &mut Dice(5), "institution", "bank-a").file;
    vec![
        (JoiningRequest::TYPE, joining(&relation.party)),
        (Agreement::TYPE, relation.agreement),
        (Roster::TYPE, relation.roster),
        (Answer::TYPE, answer),
        (Receipt::TYPE, receipt(&relation.party)),
        (Release::TYPE, release(&relation.party)),
        (AnswerCopy::TYPE, copy(&relation.party)),
        (CosignerJoining::TYPE, cosigner(&relation.party)),
        (CosignRequest::TYPE, cosign_request(&relation.party)),
        ("hedui/key/v1", key_file),
    ]
}

/// The header and body of a document; a key file is all header.
pub(crate) fn parts<'a>(kind: &str, document: &'a [u8]) -> (String, &'a [u8]) {
    if kind == "hedui/key/v1" {
        return (String::from_utf8(document.to_vec()).unwrap(), b"");
    }
    let head = envelope::Head::parse(document).unwrap();
    (String::from_utf8(head.header_json().to_vec()).unwrap(), &document[head.length..])
}

pub(crate) fn rewritten(kind: &str, header: &[u8], body: &[u8]) -> Vec<u8> {
    if kind == "hedui/key/v1" {
        header.to_vec()
    } else {
        forge::envelope(kind, header, body, &[&SigningKey::from_seed(&[9; 32])])
    }
}

#[test]
fn cut_or_flipped_both_refuse() {
    let (mut python, mut dice) = (Python::start(), Dice(6));
    for (kind, document) in one_of_each(&mut python) {
        assert_eq!(verdicts(&mut python, kind, std::slice::from_ref(&document)), [(true, true)], "{kind}");
        let inner = document.len().saturating_sub(300);
        let mut cuts: Vec<usize> =
            (0..document.len().min(1_500)).chain(inner.max(1_500)..document.len()).collect();
        cuts.extend((1_500..inner).step_by(7));
        let cuts: Vec<_> = cuts.into_iter().map(|cut| document[..cut].to_vec()).collect();
        let flips: Vec<_> = (0..300)
            .map(|_| {
                let (at, bit) = (
                    dice.below(document.len()),
                    if kind == "hedui/key/v1" { dice.below(7) } else { dice.below(8) },
                );
                let mut flipped = document.clone();
                flipped[at] ^= 1 << bit;
                flipped
            })
            .collect();
        for variants in [cuts, flips] {
            let read = verdicts(&mut python, kind, &variants);
            assert!(
                read.iter().all(|both| *both == (false, false)),
                "{kind}: {:?}",
                read.iter().position(|b| *b != (false, false))
            );
        }
    }
}

#[test]
fn wrong_envelopes_both_refuse() {
    let mut python = Python::start();
    let keys: Vec<_> = (1..=5).map(|n| SigningKey::from_seed(&[n; 32])).collect();
    for (kind, document) in one_of_each(&mut python).into_iter().filter(|(kind, _)| *kind != "hedui/key/v1") {
        let (json, body) = parts(kind, &document);
        let make = |kind: &str, keys: &[&SigningKey]| forge::envelope(kind, json.as_bytes(), body, keys);
        let all: Vec<_> = keys.iter().collect();
        let good = make(kind, &all[..4]);
        assert_eq!(verdicts(&mut python, kind, &[good]), [(true, true)], "{kind}");
        let one = make(kind, &all[..1]);
        let at = kind.len() + 1 + 4 + json.len() + 1;
        let change = |from: usize, bytes: &[u8]| {
            let mut changed = one.clone();
            changed[from..from + bytes.len()].copy_from_slice(bytes);
            changed
        };
        let mut identity = [0; 32];
        identity[0] = 1;
        let above_order: Vec<u8> = {
            const ORDER: [u8; 32] = [
                0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE,
                0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
            ];
            let mut carry = 0;
            one[at + 64..at + 96]
                .iter()
                .zip(ORDER)
                .map(|(s, o)| {
                    carry += u16::from(*s) + u16::from(o);
                    let low = u8::try_from(carry & 0xFF).unwrap();
                    carry >>= 8;
                    low
                })
                .collect()
        };
        let small_order = [identity.as_slice(), &identity, &[0; 32]].concat();
        let variants = vec![
            make(kind, &[]),
            make(kind, &all),
            make(kind, &[all[0], all[0]]),
            make(kind, &[all[0], all[1], all[0]]),
            make("hedui/probe/v1", &all[..1]),
            make("hedui/receipt/v2", &all[..1]),
            make(&kind.to_uppercase(), &all[..1]),
            make("", &all[..1]),
            make(&"a".repeat(65), &all[..1]),
            [one.as_slice(), b"\n"].concat(),
            [one.as_slice(), &one].concat(),
            change(at, &small_order),
            change(at + 64, &above_order),
            forge::envelope(kind, json.as_bytes(), &[body, b"x"].concat(), &all[..1]),
            forge::envelope(kind, b"", body, &all[..1]),
            forge::envelope(kind, &[b' '; 65_537], body, &all[..1]),
        ];
        for (n, read) in verdicts(&mut python, kind, &variants).into_iter().enumerate() {
            assert_eq!(read, (false, false), "{kind}: variant {n}");
        }
    }
}

#[test]
fn wrong_roster_bodies_both_refuse() {
    let mut python = Python::start();
    let relation = exchange(hit_only(), TINY).relation;
    let (json, body) = parts(Roster::TYPE, &relation.roster);
    let header: Value = serde_json::from_str(&json).unwrap();
    let with_body = |body: &[u8]| {
        let mut header = header.clone();
        header["body_bytes"] = json!(body.len());
        header["body_sha256"] = json!(sha256(body));
        rewritten(Roster::TYPE, &canonical::encode(&header).unwrap(), body)
    };
    let put = |at: usize, bytes: &[u8]| with_body(&[&body[..at], bytes, &body[at + bytes.len()..]].concat());
    assert_eq!(verdicts(&mut python, Roster::TYPE, &[with_body(body)]), [(true, true)]);
    let variants = [
        with_body(&[&body[24..48], &body[..24], &body[48..]].concat()),
        put(24, &body[..24]),
        put(24, &body[..16]),
        put(16, &64_u32.to_be_bytes()),
        put(16, &u32::MAX.to_be_bytes()),
        put(23, &[8]),
        with_body(&body[24..]),
        with_body(&body[1..]),
        with_body(&[body, &[0xFF; 24]].concat()),
        with_body(b""),
    ];
    for (n, read) in verdicts(&mut python, Roster::TYPE, &variants).into_iter().enumerate() {
        assert_eq!(read, (false, false), "variant {n}");
    }
}

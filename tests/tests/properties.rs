//! Properties of every document: what is written is read; what is cut, changed or longer is refused; nothing panics.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::fmt::Debug;

use e2e::{forge, strategies, vectors};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseResult;
use protocol::agreement::Agreement;
use protocol::answer::Answer;
use protocol::canonical;
use protocol::copy::AnswerCopy;
use protocol::cosigning::{CosignRequest, CosignerJoining};
use protocol::coverage::{COVERAGE_BYTES, Coverage};
use protocol::envelope::{self, Document, Header};
use protocol::error::DecodeError;
use protocol::joining::JoiningRequest;
use protocol::key_file::KeyFile;
use protocol::log::{self, LogEntry};
use protocol::receipt::Receipt;
use protocol::release::Release;
use protocol::roster::{self, ENTRY_BYTES, Level, Roster};
use protocol::secret::SigningKey;
use protocol::slot::{self, Slot};
use serde_json::{Map, Value, json};

/// Where a document is hurt.
type Wound = (Index, Index, u8);

fn wound() -> impl Strategy<Value = Wound> {
    (any::<Index>(), any::<Index>(), 0_u8..8)
}

fn keys() -> [SigningKey; 2] {
    [SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32])]
}

/// All that must hold of a document that was written.
fn holds<H: Header + PartialEq + Debug>(header: &H, body: &[u8], (cut, flip, bit): Wound) -> TestCaseResult {
    let [author, second] = keys();
    let document = envelope::write(header, body, &[&author, &second]).unwrap();
    let read = Document::<H>::read(&document).unwrap();
    prop_assert_eq!(&read.header, header);
    prop_assert_eq!(&read.body, body);
    prop_assert_eq!(read.signers, vec![author.public(), second.public()]);

    let cut = cut.index(document.len());
    let error = Document::<H>::read(&document[..cut]).unwrap_err();
    prop_assert!(matches!(error, DecodeError::Truncated(_)), "cut at {}: {:?}", cut, error);
    let mut flipped = document.clone();
    let at = flip.index(flipped.len());
    flipped[at] ^= 1 << bit;
    prop_assert!(Document::<H>::read(&flipped).is_err(), "byte {} is not protected", at);
    let longer = [document.as_slice(), b"\0"].concat();
    prop_assert_eq!(Document::<H>::read(&longer).unwrap_err(), DecodeError::Trailing("body"));

    let original = forge::header(&document);
    for changed in other_members(&original) {
        let under_the_old_signatures = respelled(&document, &changed);
        let error = Document::<H>::read(&under_the_old_signatures).unwrap_err();
        prop_assert_eq!(&error, &DecodeError::BadSignature(0), "{}", changed);
        // Signed anew it is refused, or says exactly what was signed.
        if let Ok(read) = Document::<H>::read(&forge::signed(H::TYPE, &changed, body, &[&author])) {
            prop_assert_eq!(read.header.to_json(), changed);
        }
    }
    Ok(())
}

/// The document with another header between the same signatures and body.
fn respelled(document: &[u8], header: &Value) -> Vec<u8> {
    let line = document.iter().position(|b| *b == b'\n').unwrap() + 1;
    let length = u32::from_be_bytes(document[line..line + 4].try_into().unwrap());
    let rest = &document[line + 4 + usize::try_from(length).unwrap()..];
    let json = canonical::encode(header).unwrap();
    [&document[..line], &u32::try_from(json.len()).unwrap().to_be_bytes(), &json, rest].concat()
}

/// The object with each of its members changed, left out, and one added.
fn other_members(object: &Value) -> Vec<Value> {
    let members = object.as_object().unwrap();
    let with = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut members = members.clone();
        change(&mut members);
        Value::Object(members)
    };
    let mut all = vec![with(&|members| drop(members.insert("zebra".to_owned(), json!(1))))];
    for (name, value) in members {
        all.push(with(&|members| drop(members.remove(name))));
        all.push(with(&|members| drop(members.insert(name.clone(), another(value)))));
    }
    all
}

/// Another value, near by.
fn another(value: &Value) -> Value {
    match value {
        Value::Null => json!("x"),
        Value::Bool(b) => json!(!b),
        Value::Number(n) => json!(n.as_u64().unwrap() ^ 1),
        Value::String(text) => match text.chars().next_back() {
            // Base64 ends in padding, so its beginning is changed.
            Some('=') if text.is_ascii() => {
                json!(format!("{}{}", if text.starts_with('A') { "B" } else { "A" }, &text[1..]))
            }
            Some('0') => json!(format!("{}1", &text[..text.len() - 1])),
            Some(last) => json!(format!("{}0", &text[..text.len() - last.len_utf8()])),
            None => json!("0"),
        },
        Value::Array(items) => items.iter().skip(1).cloned().chain([json!("x")]).collect(),
        Value::Object(members) => {
            let changed = members.iter().map(|(name, value)| (name.clone(), another(value)));
            Value::Object(changed.collect())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn joining_requests(header in strategies::joining(), wound in wound()) {
        holds(&header, b"", wound)?;
    }

    #[test]
    fn agreements(header in strategies::agreement(), wound in wound()) {
        holds(&header, b"", wound)?;
    }

    #[test]
    fn rosters((header, body) in strategies::roster(), wound in wound(), entry: Index, bit in 0_usize..ENTRY_BYTES * 8) {
        holds(&header, &body, wound)?;
        let entries = roster::read_entries(&header, &body).unwrap();
        let again: Vec<u8> = entries.iter().flat_map(roster::Entry::to_bytes).collect();
        prop_assert_eq!(&again, &body);
        // Any other body is refused or reads as what it says.
        let mut changed = body.clone();
        changed[entry.index(entries.len()) * ENTRY_BYTES + bit / 8] ^= 1 << (bit % 8);
        if let Ok(entries) = roster::read_entries(&header, &changed) {
            let again: Vec<u8> = entries.iter().flat_map(roster::Entry::to_bytes).collect();
            prop_assert_eq!(again, changed);
        }
    }

    #[test]
    fn answers((header, body) in strategies::answer(), wound in wound()) {
        holds(&header, &body, wound)?;
    }

    #[test]
    fn receipts(header in strategies::receipt(), wound in wound()) {
        holds(&header, b"", wound)?;
    }

    #[test]
    fn copies(header in strategies::copy(), wound in wound()) {
        holds(&header, b"", wound)?;
    }

    #[test]
    fn co_signers(header in strategies::cosigner(), wound in wound()) {
        holds(&header, b"", wound)?;
    }

    #[test]
    fn co_signing_requests((header, body) in strategies::cosign_request(), wound in wound()) {
        holds(&header, &body, wound)?;
    }

    #[test]
    fn releases(header in strategies::release(), wound in wound()) {
        holds(&header, b"", wound)?;
    }

    #[test]
    fn coverage_statements(statement in strategies::coverage(), at: Index, bit in 0_u8..8, rest in any::<bool>()) {
        let bytes = statement.encode().unwrap();
        prop_assert_eq!(bytes.len(), COVERAGE_BYTES);
        prop_assert_eq!(&Coverage::decode(&bytes).unwrap(), &statement);
        prop_assert!(Coverage::decode(&bytes[..at.index(bytes.len())]).is_err());
        let text = bytes.iter().rposition(|b| *b != 0).unwrap() + 1;
        let mut flipped = bytes.clone();
        flipped[if rest { at.index(bytes.len()) } else { at.index(text) }] ^= 1 << bit;
        if let Ok(read) = Coverage::decode(&flipped) {
            prop_assert_ne!(&read, &statement);
            prop_assert_eq!(read.encode().unwrap(), flipped);
        }
        for changed in other_members(&serde_json::to_value(&statement).unwrap()) {
            let mut bytes = canonical::encode(&changed).unwrap();
            bytes.resize(COVERAGE_BYTES, 0);
            if let Ok(read) = Coverage::decode(&bytes) {
                prop_assert_eq!(serde_json::to_value(&read).unwrap(), changed);
            }
        }
    }

    #[test]
    fn logs(entries in prop::collection::vec(strategies::log_entry(), 1..8), at: Index) {
        let mut chain: Vec<LogEntry> = Vec::new();
        let mut head = LogEntry::GENESIS;
        for (sequence, entry) in (1..).zip(entries) {
            chain.push(LogEntry { previous: head, sequence, ..entry });
            head = chain.last().unwrap().digest().unwrap();
        }
        prop_assert_eq!(log::verify(&chain), (head, None));
        let at = at.index(chain.len());
        let entry = serde_json::to_value(&chain[at]).unwrap();
        prop_assert_eq!(&serde_json::from_value::<LogEntry>(entry.clone()).unwrap(), &chain[at]);
        let mut judged = 0;
        for changed in other_members(&entry) {
            let Ok(other) = serde_json::from_value::<LogEntry>(changed) else { continue };
            let mut chain = chain.clone();
            chain[at] = other;
            prop_assert_ne!(log::verify(&chain), (head, None));
            judged += 1;
        }
        prop_assert!(judged >= 4, "{}", judged);
        chain.remove(at);
        prop_assert_ne!(log::verify(&chain).0, head);
    }

    #[test]
    fn key_files(
        (code, name, salt) in (strategies::code(), strategies::text(), any::<[u8; 16]>()),
        (m_kib, t) in (8_192_u32..=65_536, 1_u32..=16),
        (sealed, keys) in (prop::collection::vec(any::<u8>(), 80), any::<[[u8; 32]; 2]>()),
        cut: Index,
    ) {
        let base64 = |bytes: &[u8]| protocol::value::Base64(bytes.to_vec()).to_string();
        let file = json!({
            "code": code, "kdf": {"m_kib": m_kib, "name": "argon2id", "p": 1, "t": t}, "name": name, "role": "officer",
            "salt": base64(&salt), "sealed": base64(&sealed), "sealing_key": hex::encode(keys[0]),
            "signing_key": hex::encode(keys[1]), "type": "hedui/key/v1",
        });
        let bytes = canonical::encode(&file).unwrap();
        let read = KeyFile::read(&bytes).unwrap();
        prop_assert_eq!(read.write().unwrap(), bytes.clone());
        prop_assert_eq!(&KeyFile::read(&[bytes.as_slice(), b"\r\n"].concat()).unwrap(), &read);
        prop_assert_eq!(KeyFile::read(&bytes[..cut.index(bytes.len())]).unwrap_err(), DecodeError::NotCanonical);
        for changed in other_members(&file) {
            if let Ok(read) = KeyFile::read(&canonical::encode(&changed).unwrap()) {
                prop_assert_eq!(serde_json::to_value(&read).unwrap(), changed);
            }
        }
    }
}

/// Whatever is changed in a key file: it does not open.
#[test]
fn a_changed_key_file_does_not_open() {
    let file = vectors::file("key_files.json");
    let case = &vectors::list(&file, "opened")[0];
    let passphrase = vectors::text(case, "passphrase").as_bytes();
    let original: Value = serde_json::from_str(vectors::text(case, "file")).unwrap();
    let unlock = |file: &Value| {
        let file = KeyFile::read(&canonical::encode(file).unwrap()).map_err(|e| e.code())?;
        file.unlock(passphrase).map(drop).map_err(|e| e.code())
    };
    assert_eq!(unlock(&original), Ok(()));
    let changed = other_members(&original);
    for file in &changed {
        assert!(matches!(unlock(file), Err("member" | "passphrase")), "{file}: {:?}", unlock(file));
    }
    assert!(changed.iter().filter(|file| unlock(file) == Err("passphrase")).count() >= 5);
}

fn of_a_level() -> impl Strategy<Value = (Level, Slot)> {
    strategies::level().prop_flat_map(|level| (Just(level), strategies::slot(level)))
}

proptest! {
    #[test]
    fn slots((level, slot) in of_a_level(), at: Index, bit in 0_u8..8) {
        let mut bytes = vec![0xAA; slot::size(level)];
        slot.encode(level, &mut bytes);
        prop_assert_eq!(&Slot::decode(level, &bytes).unwrap(), &slot);
        prop_assert!(Slot::decode(level, &bytes[..at.index(bytes.len())]).is_err());
        prop_assert!(Slot::decode(level, &[bytes.as_slice(), b"\0"].concat()).is_err());
        // No byte may change without changing what is said.
        bytes[at.index(slot::size(level))] ^= 1 << bit;
        if let Ok(other) = Slot::decode(level, &bytes) {
            prop_assert_ne!(other, slot);
        }
    }

    /// Bytes that look like a document, more or less.
    #[test]
    fn no_reader_panics(
        bytes in prop::collection::vec(any::<u8>(), 0..700),
        json in "[\\[\\]{}\",:0-9a-z\\\\]{0,60}",
        length in prop::option::of(0_u32..100),
    ) {
        for kind in ["joining", "agreement", "roster", "answer", "receipt", "release", "copy", "cosigner", "cosign-request"] {
            let line = format!("hedui/{kind}/v1\n").into_bytes();
            let length = length.unwrap_or(u32::try_from(json.len()).unwrap()).to_be_bytes();
            for document in [bytes.clone(), [&line[..], &bytes].concat(), [&line[..], &length, json.as_bytes(), &[1], &bytes].concat()] {
                let _ = Document::<JoiningRequest>::read(&document);
                let _ = Document::<Agreement>::read(&document);
                let _ = Document::<Roster>::read(&document);
                let _ = Document::<Answer>::read(&document);
                let _ = Document::<Receipt>::read(&document);
                let _ = Document::<Release>::read(&document);
                let _ = Document::<AnswerCopy>::read(&document);
                let _ = Document::<CosignerJoining>::read(&document);
                let _ = Document::<CosignRequest>::read(&document);
            }
        }
        let signed = |header: &str| {
            let pae = format!("DSSEv1 15 hedui/roster/v1 {} {header}", header.len());
            let [key, _] = keys();
            let length = u32::try_from(header.len()).unwrap().to_be_bytes();
            let head = [b"hedui/roster/v1\n", length.as_slice(), header.as_bytes()];
            [&head.concat(), &[1][..], key.public().as_bytes(), &key.sign(pae.as_bytes()), &0_u64.to_be_bytes()].concat()
        };
        let error = Document::<Roster>::read(&signed(&json)).unwrap_err();
        prop_assert!(matches!(error, DecodeError::NotCanonical | DecodeError::Member(_)), "{:?}", error);
        let mut padded = bytes.clone();
        padded.resize(COVERAGE_BYTES, 0);
        let _ = (Coverage::decode(&bytes), Coverage::decode(&padded), KeyFile::read(&bytes), KeyFile::read(json.as_bytes()));
        for level in [Level::L0, Level::L1, Level::L2] {
            let mut slot = bytes.clone();
            slot.resize(slot::size(level), 0);
            let _ = (Slot::decode(level, &bytes), Slot::decode(level, &slot));
        }
    }
}

//! The parts of documents, the log, sign-in and authorisations, and a host's own receipts: the Rust side against the
//! implementation in Python. `interop.rs` has the documents themselves.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use e2e::client::Client;
use e2e::exchange::{self, ALICE, BOB, Centre, HEADING, NOW, Setup};
use e2e::module::{self, Native, OpenRequest, artifact_dir};
use e2e::python::Python;
use e2e::{strategies, vectors};
use host::Config;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use protocol::authorisation::Authorisation;
use protocol::coverage::Coverage;
use protocol::joining::InstitutionKind;
use protocol::log::{self, LogEntry};
use protocol::receipt::Receipt;
use protocol::roster::{self, Level, Roster};
use protocol::secret::SigningKey;
use protocol::slot::{self, Slot};
use protocol::subject::{self, Hint, Outcome};
use protocol::value::{Base64, Digest, Time};
use protocol::{Document, merkle};
use serde_json::{Value, json};

/// `count` values, the same each time.
fn some<S: Strategy>(strategy: S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

fn b64(bytes: &[u8]) -> String {
    Base64(bytes.to_vec()).to_string()
}

/// Asks all and holds each reply against what is expected.
fn alike(asked: Vec<(Value, Value)>) {
    let (requests, expected): (Vec<Value>, Vec<Value>) = asked.into_iter().unzip();
    for ((request, expected), reply) in requests.iter().zip(expected).zip(Python::start().ask_all(&requests))
    {
        assert_eq!(reply, expected, "{request}");
    }
}

#[test]
fn slots_of_every_level() {
    let mut asked = Vec::new();
    for level in [Level::L0, Level::L1, Level::L2] {
        for slot in some(strategies::slot(level), 60) {
            let mut bytes = vec![0; slot::size(level)];
            slot.encode(level, &mut bytes);
            let request = json!({"op": "slot_write", "level": level, "slot": vectors::in_numbers(&slot)});
            asked.push((request, json!({"bytes": hex::encode(bytes)})));
        }
    }
    alike(asked);
}

/// A slot with any one byte changed: both read it, or neither.
#[test]
fn changed_slots_are_judged_alike() {
    let (mut requests, mut ours) = (Vec::new(), Vec::new());
    for level in [Level::L0, Level::L1, Level::L2] {
        let changes = (strategies::slot(level), any::<prop::sample::Index>(), any::<u8>());
        for (slot, at, byte) in some(changes, 400) {
            let mut bytes = vec![0; slot::size(level)];
            slot.encode(level, &mut bytes);
            // Most bytes of a slot are zero padding; half of the changes go to its beginning.
            let at = if byte & 1 == 0 { at.index(bytes.len()) } else { at.index(bytes.len().min(120)) };
            bytes[at] = byte;
            ours.push(Slot::decode(level, &bytes).ok());
            requests.push(json!({"op": "slot_read", "level": level, "bytes": hex::encode(bytes)}));
        }
    }
    let replies = Python::start().ask_all(&requests);
    for ((request, ours), theirs) in requests.iter().zip(&ours).zip(&replies) {
        assert_eq!(ours.is_some(), theirs.get("error").is_none(), "{theirs}: {request}");
        let Some(slot) = ours else { continue };
        assert_eq!(theirs["rows"], slot.rows);
        assert_eq!(theirs["totals"].as_array().unwrap().len(), slot.totals.len());
        assert_eq!(theirs["accounts"].as_array().unwrap().len(), slot.accounts.len());
    }
    let read = ours.iter().filter(|slot| slot.is_some()).count();
    assert!(read > 100 && ours.len() - read > 100, "{read} of {} are read", ours.len());
}

#[test]
fn coverage_statements() {
    let statements = some(strategies::coverage(), 100);
    alike(
        statements
            .iter()
            .map(|statement: &Coverage| {
                let request = json!({"op": "coverage_read", "bytes": b64(&statement.encode().unwrap())});
                (request, json!({"coverage": statement}))
            })
            .collect(),
    );
}

fn chain(entries: Vec<LogEntry>) -> Vec<LogEntry> {
    let mut previous = LogEntry::GENESIS;
    let chained = (1..).zip(entries).map(|(sequence, entry)| {
        let entry = LogEntry { previous, sequence, ..entry };
        previous = entry.digest().unwrap();
        entry
    });
    chained.collect()
}

#[test]
fn logs() {
    let entries = chain(some(strategies::log_entry(), 60));
    let mut asked: Vec<(Value, Value)> = entries
        .iter()
        .map(|entry| {
            (json!({"op": "log_digest", "entry": entry}), json!({"digest": entry.digest().unwrap()}))
        })
        .collect();
    for count in [0, 1, 7, 60] {
        let head = log::verify(&entries[..count]).0;
        asked.push((json!({"op": "log_head", "entries": &entries[..count]}), json!({"head": head})));
    }
    alike(asked);

    let mut swapped = entries.clone();
    swapped.swap(3, 4);
    let mut edited = entries.clone();
    edited[9].object = Some(Digest::of(b"another"));
    for broken in [swapped, edited, entries[1..].to_vec()] {
        assert!(log::verify(&broken).1.is_some());
        let reply = Python::start().ask_all(&[json!({"op": "log_head", "entries": broken})]).remove(0);
        assert!(matches!(reply["field"].as_str(), Some("sequence" | "previous")), "{reply}");
    }
}

#[test]
fn sign_ins() {
    let cases = (any::<[u8; 32]>(), strategies::code(), any::<[u8; 32]>());
    alike(
        some(cases, 100)
            .into_iter()
            .map(|(seed, host, challenge)| {
                let request = json!({
                    "op": "sign_in", "signing_seed": hex::encode(seed), "host": host, "challenge": hex::encode(challenge),
                });
                let signature = SigningKey::from_seed(&seed).sign_in(&host, &challenge);
                (request, json!({"signature": hex::encode(signature)}))
            })
            .collect(),
    );
}

#[test]
fn authorisations() {
    let cells = ["11010519491231002X", "H12345678", "USA123456789012", "E12345678", "12345678"];
    let cases = (any::<[u8; 32]>(), ".{0,30}", ".{0,30}", prop::sample::select(cells.to_vec()));
    alike(
        some(cases, 100)
            .into_iter()
            .map(|(salt, number, scope, cell)| {
                let Outcome::Subjects((subject, _)) = subject::read(cell, Hint::None).0 else {
                    panic!("{cell}")
                };
                let authorisation = Authorisation { salt, number: &number, subject: &subject, scope: &scope };
                let request = json!({
                    "op": "commitment", "salt": hex::encode(salt), "authorisation": number, "scope": scope,
                    "kind": subject.kind().name(), "number": subject.number(),
                });
                (request, json!({"commitment": authorisation.commitment()}))
            })
            .collect(),
    );

    let mut asked = Vec::new();
    for leaves in some(prop::collection::vec(strategies::digest(), 1..70), 12) {
        let root = merkle::root(&leaves);
        asked.push((json!({"op": "merkle_root", "leaves": leaves}), json!({"root": root})));
        for index in [0, leaves.len() / 2, leaves.len() - 1] {
            let path = merkle::path(&leaves, index);
            asked.push((
                json!({"op": "merkle_path", "leaves": leaves, "index": index}),
                json!({"path": path}),
            ));
            let climb = json!({
                "op": "merkle_root_from_path", "leaf": leaves[index], "index": index, "count": leaves.len(), "path": path,
            });
            asked.push((climb, json!({"root": root})));
        }
    }
    alike(asked);
}

/// Python opens the token key that the desk sealed, and finds the applicants' tokens in the roster with it.
#[test]
fn token_keys() {
    for prf in [protocol::roster::PrfName::Blake3, protocol::roster::PrfName::HmacSha256] {
        let (_, relation, _) = exchange::ask_about(Setup { prf, ..Setup::default() }, &[ALICE, BOB]);
        // EXPOSE: Python opens with the same key.
        let private = hex::encode(relation.party.keys.opening.expose());
        let mut python = Python::start();
        let request =
            json!({"op": "open_token_key", "roster": b64(&relation.roster), "sealing_private": private});
        let key = python.ask_all(&[request])[0]["token_key"].clone();
        let read = Document::<Roster>::read(&relation.roster).unwrap();
        let entries = roster::read_entries(&read.header, &read.body).unwrap();
        for (_, number) in [ALICE, BOB] {
            let request =
                json!({"op": "token", "prf": prf, "key": key, "kind": "resident", "number": number});
            let token = python.ask_all(&[request])[0]["token"].clone();
            let found = entries.iter().filter(|entry| json!(hex::encode(entry.token)) == token).count();
            assert_eq!(found, 1, "{number}");
        }
    }
}

/// What the centre proves of its slots, Python holds against the roster; and refuses what was changed.
#[test]
fn proofs_of_slots() {
    let (centre, relation, applicants) = exchange::ask_about(Setup::default(), &[ALICE, BOB]);
    let agreement = Document::<protocol::agreement::Agreement>::read(&relation.agreement).unwrap();
    let question = desk::Question::read(&relation.roster, &[agreement], &applicants).unwrap();
    let roster = b64(&relation.roster);
    let mut python = Python::start();
    let mut ask = |proof: &str| {
        python.ask_all(&[json!({"op": "proof_verify", "roster": roster, "proof": proof})]).remove(0)
    };
    let mut proven = 0;
    for slot in 0..64 {
        let Ok(proof) = question.prove(&centre.party.keys.opening, desk::proving::Which::Slot(slot)) else {
            continue;
        };
        let text = String::from_utf8(proof.write().unwrap()).unwrap();
        let said = ask(&text);
        assert!([ALICE.1, BOB.1].iter().any(|number| said["number"] == **number), "{said}");
        assert_eq!(said["authorisation"], proof.authorisation);
        let elsewhere = text.replace(&format!("\"slot\":{slot}"), &format!("\"slot\":{}", (slot + 1) % 64));
        assert_eq!(ask(&elsewhere)["field"], "path");
        let other = text.replace(&proof.number, "110105199003072311");
        assert_eq!(ask(&other)["field"], "path");
        proven += 1;
    }
    assert_eq!(proven, 2);
}

/// A real host's receipt and log, as Python reads them.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_s_receipt_and_log() {
    let folder = tempfile::tempdir().unwrap();
    let csv = format!("姓名,证件类型,证件号码,授权书编号\n{},居民身份证,{},SQ-1\n", ALICE.0, ALICE.1);
    let centre = Centre::new(Setup::default());
    let mut relation = centre.ask("bank-x", InstitutionKind::Bank, 1, csv.as_bytes());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let issued = Time::from_unix(now.max(NOW) - 60).unwrap();
    relation.roster = centre.roster(&relation.agreement, csv.as_bytes(), 1, issued, 1);
    let config = Config {
        data_dir: folder.path().join("data"),
        listen: "127.0.0.1:0".parse().unwrap(),
        code: "host-1".parse().unwrap(),
        centre_keys: vec![centre.party.keys.signing.public()],
        web_dir: None,
        artifact_dir: Some(artifact_dir()),
    };
    let running = host::serve(config, std::future::pending()).await.unwrap();
    let url = format!("http://{}", running.address());
    let api = Client::sign_in(&url, &centre.party.keys).await;
    api.post("agreements", relation.agreement.clone()).await;
    api.post("rosters", relation.roster.clone()).await;

    let mut open = OpenRequest::new(&relation);
    open.options["now"] = json!(issued.unix() + 1);
    let file = format!("{HEADING}张三,{},5,2026-10-31\n", ALICE.1);
    let answer = module::run(&mut Native::default(), &open, file.as_bytes(), 99).unwrap().answer;
    let bank = Client::sign_in(&url, &relation.party.keys).await;
    let digest = Document::<Roster>::read(&relation.roster).unwrap().digest;
    let receipt = bank.post(&format!("rosters/{digest}/answers"), answer.clone()).await;

    let mut python = Python::start();
    let read = Document::<Receipt>::read(&receipt).unwrap();
    let said = python.ask_all(&[json!({"op": "read", "document": b64(&receipt)})]).remove(0);
    assert_eq!(said["header"], serde_json::to_value(&read.header).unwrap(), "{said}");
    assert_eq!((&said["digest"], &said["signers"]), (&json!(read.digest), &json!(read.signers)));
    assert_eq!(said["header"]["answer_bytes"], answer.len());
    let answered = python.ask_all(&[json!({"op": "read", "document": b64(&answer)})]).remove(0);
    assert_eq!(said["header"]["answer"], answered["digest"]);

    let log = api.get_json("log?after=0").await;
    let entries = log["entries"].as_array().unwrap();
    let position = usize::try_from(read.header.log_position).unwrap();
    assert!(entries.len() >= position && position >= 3, "{log}");
    let head = python.ask_all(&[json!({"op": "log_head", "entries": &entries[..position]})]).remove(0);
    assert_eq!(head, json!({"head": read.header.log_head}), "{log}");
}

//! The known answers of `vectors/`, which the Python implementation made from `docs/SPEC.md`, natively and, where
//! the module has a part in them, under wasmtime; `runners.rs` has Chromium. A failure is any difference.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use desk::papers;
use e2e::module::{self, Native, Runner as _};
use e2e::vectors::{self, Blobs, array, file, list, text};
use protocol::agreement::Agreement;
use protocol::answer::Answer;
use protocol::answer_seal::SealError;
use protocol::authorisation::Authorisation;
use protocol::base_data::{self, BaseData};
use protocol::copy::AnswerCopy;
use protocol::cosigning::{CosignRequest, CosignerJoining};
use protocol::coverage::Coverage;
use protocol::envelope::{Document, Header};
use protocol::joining::JoiningRequest;
use protocol::key_file::KeyFile;
use protocol::log::{self, LogEntry};
use protocol::merkle;
use protocol::name::Name;
use protocol::proof::Proof;
use protocol::receipt::Receipt;
use protocol::release::Release;
use protocol::roster::{self, Level, PrfName, Roster};
use protocol::secret::{Entropy, OpeningKey, SigningKey, TokenKey, verify_sign_in};
use protocol::slot::{self, Slot};
use protocol::subject::{self, Hint, Kind, Outcome, Subject};
use protocol::token::{Prf, Token};
use protocol::value::{Code, Digest, Time};
use serde_json::{Value, json};

fn prf(case: &Value) -> Prf {
    let name: PrfName = serde_json::from_value(case["prf"].clone()).unwrap();
    Prf::new(name, TokenKey::from_bytes(&array(case, "key")))
}

/// A subject by way of a cell: there is no other way to one.
fn subject(case: &Value) -> Subject {
    let hint = match text(case, "kind") {
        "passport" => Hint::Passport,
        "officer" => Hint::Officer,
        _ => Hint::None,
    };
    let Outcome::Subjects((subject, None)) = subject::read(text(case, "number"), hint).0 else {
        panic!("{case} is one subject")
    };
    assert_eq!((subject.kind().name(), subject.number()), (text(case, "kind"), text(case, "number")));
    subject
}

#[test]
fn tokens_and_name_tags() {
    let file = file("tokens.json");
    let mut kinds: Vec<u8> = Vec::new();
    for case in list(&file, "tokens") {
        let subject = subject(case);
        assert_eq!(hex::encode(prf(case).token(&subject).0), text(case, "token"), "{case}");
        kinds.push(subject.kind() as u8);
    }
    for kind in
        [Kind::Resident, Kind::PermanentOld, Kind::Passport, Kind::HkMoPermit, Kind::TwPermit, Kind::Officer]
    {
        assert!(kinds.contains(&(kind as u8)), "{kind:?}");
    }
    let cases = list(&file, "name_tags");
    for case in cases {
        let (prf, token) = (prf(case), Token(array(case, "token")));
        let name = Name::read(text(case, "name"));
        assert_eq!(name.is_none(), case["wild"].as_bool().unwrap(), "{case}");
        let Some(name) = name else { continue };
        let tags = prf.name_tags(&token, &name);
        assert_eq!((name.folded(), name.trimmed()), (text(case, "folded"), text(case, "trimmed")));
        assert_eq!(hex::encode(tags.folded), text(case, "folded_tag"), "{case}");
        assert_eq!(hex::encode(tags.exact), text(case, "exact_tag"), "{case}");
        // The customers of `flags` are the names of the list itself, in its order.
        let flags = case["flags"].as_array().unwrap();
        for (flag, customer) in flags.iter().zip(cases) {
            let theirs = Name::read(text(customer, "name")).map(|name| prf.name_tags(&token, &name));
            assert_eq!(tags.compare(theirs) as u8, flag.as_u64().unwrap() as u8, "{case}: {customer}");
        }
        assert!(flags.len() > 10);
    }
}

/// Digest, signers and header of a document, or the code of its refusal; of a roster the entries are read too.
fn read<H: Header>(
    document: &[u8],
    also: impl Fn(&Document<H>) -> Result<(), protocol::DecodeError>,
) -> Value {
    match Document::<H>::read(document).and_then(|read| also(&read).map(|()| read)) {
        Ok(read) => json!({"digest": read.digest, "signers": read.signers, "header": read.header.to_json()}),
        Err(error) => json!({"code": error.code()}),
    }
}

fn read_as(kind: &str, document: &[u8]) -> Value {
    match kind {
        JoiningRequest::TYPE => read::<JoiningRequest>(document, |_| Ok(())),
        Agreement::TYPE => read::<Agreement>(document, |_| Ok(())),
        Roster::TYPE => {
            read::<Roster>(document, |read| roster::read_entries(&read.header, &read.body).map(drop))
        }
        Answer::TYPE => read::<Answer>(document, |_| Ok(())),
        AnswerCopy::TYPE => read::<AnswerCopy>(document, |_| Ok(())),
        CosignerJoining::TYPE => read::<CosignerJoining>(document, |_| Ok(())),
        CosignRequest::TYPE => read::<CosignRequest>(document, |_| Ok(())),
        Receipt::TYPE => read::<Receipt>(document, |_| Ok(())),
        papers::Report::TYPE => read::<papers::Report>(document, |_| Ok(())),
        papers::Archive::TYPE => {
            read::<papers::Archive>(document, |read| read.header.listed(&read.body).map(drop))
        }
        BaseData::TYPE => read::<BaseData>(document, |_| Ok(())),
        Release::TYPE => read::<Release>(document, |_| Ok(())),
        other => panic!("{other}"),
    }
}

#[test]
fn documents() {
    let file = file("documents.json");
    let blobs = Blobs::of(&file);
    let mut ok = 0;
    for case in list(&file, "cases") {
        let (kind, document) = (text(case, "type"), blobs.get(case, "document"));
        for (member, value) in read_as(kind, document).as_object().unwrap() {
            assert_eq!(case[member], *value, "{}: {member}", text(case, "name"));
        }
        if case["code"].is_null() {
            ok += 1;
            for cut in 0..document.len() {
                assert_eq!(read_as(kind, &document[..cut])["code"], "truncated", "{kind} cut at {cut}");
            }
        }
    }
    assert!(ok >= 15 && list(&file, "cases").len() > 350, "{ok}");
}

#[test]
fn base_data() {
    let file = file("base_data.json");
    let blobs = Blobs::of(&file);
    for case in list(&file, "sealed") {
        let created: Time = text(case, "created").parse().unwrap();
        let agreement = Document::<Agreement>::read(blobs.get(case, "agreement")).unwrap();
        let length = usize::try_from(case["length"].as_u64().unwrap()).unwrap();
        let table: Vec<u8> = vectors::bytes(case, "repeat").into_iter().cycle().take(length).collect();
        let sealed = base_data::seal(
            &agreement.check(created.date()).unwrap(),
            &SigningKey::from_seed(&array(case, "signing_seed")),
            text(case, "day").parse().unwrap(),
            created,
            &table,
            &Entropy::new(&vectors::bytes(case, "entropy")).unwrap(),
        )
        .unwrap();
        assert_eq!(sealed.len() as u64, case["bytes"].as_u64().unwrap(), "{length}");
        assert_eq!(Digest::of(&sealed).to_string(), text(case, "sha256"), "{length}");
    }
    let opened = |case: &Value| {
        let document = Document::read(blobs.get(case, "document")).unwrap();
        base_data::open(document, &OpeningKey::from_bytes(&array(case, "sealing_private")))
    };
    for case in list(&file, "opened") {
        assert_eq!(*opened(case).unwrap(), vectors::bytes(case, "file"));
    }
    for case in list(&file, "refused") {
        let code = match opened(case).map(drop) {
            Err(SealError::Decode(error)) => error.code(),
            Err(SealError::Check(error)) => error.code(),
            Ok(()) => "opened",
        };
        assert_eq!(code, text(case, "code"), "{}", text(case, "name"));
    }
    assert!(list(&file, "sealed").len() > 4 && list(&file, "refused").len() > 8);
}

#[test]
fn slots() {
    let file = file("slots.json");
    let blobs = Blobs::of(&file);
    let level = |case: &Value| -> Level { serde_json::from_value(case["level"].clone()).unwrap() };
    for case in list(&file, "slots") {
        let slot = Slot::decode(level(case), blobs.get(case, "bytes")).unwrap();
        assert_eq!(vectors::in_numbers(&slot), case["slot"]);
        let mut again = vec![0xAA; slot::size(level(case))];
        slot.encode(level(case), &mut again);
        assert_eq!(again, blobs.get(case, "bytes"));
    }
    for case in list(&file, "refused") {
        assert!(Slot::decode(level(case), blobs.get(case, "bytes")).is_err(), "{}", text(case, "bytes"));
    }
}

#[test]
fn coverage_statements() {
    let file = file("coverage.json");
    let blobs = Blobs::of(&file);
    for case in list(&file, "statements") {
        let coverage = Coverage::decode(blobs.get(case, "bytes")).unwrap();
        assert_eq!(serde_json::to_value(&coverage).unwrap(), case["statement"]);
        assert_eq!(coverage.encode().unwrap(), blobs.get(case, "bytes"));
    }
    for case in list(&file, "refused") {
        assert!(Coverage::decode(blobs.get(case, "bytes")).is_err(), "{}", text(case, "bytes"));
    }
}

#[test]
fn key_files() {
    let vectors = file("key_files.json");
    let unlock = |case: &Value| {
        let file = KeyFile::read(text(case, "file").as_bytes()).map_err(|e| e.code())?;
        let keys = file.unlock(text(case, "passphrase").as_bytes()).map_err(|e| e.code())?;
        Ok((file, keys))
    };
    for case in list(&vectors, "opened") {
        let (file, keys) = unlock(case).unwrap_or_else(|code: &str| panic!("{code}"));
        assert_eq!(file.write().unwrap(), text(case, "file").as_bytes());
        assert_eq!(file.code.as_str(), text(case, "code"));
        assert_eq!(json!(file.role), case["role"]);
        // EXPOSE: the keys of a vector are no secret.
        assert_eq!(*keys.signing.expose(), array(case, "signing_seed"));
        // EXPOSE: the same.
        assert_eq!(*keys.opening.expose(), array(case, "sealing_private"));
        assert_eq!(file.signing_key.to_string(), text(case, "signing_key"));
        assert_eq!(keys.opening.public().to_string(), text(case, "sealing_key"));
    }
    for case in list(&vectors, "refused") {
        assert_eq!(unlock(case).map(drop), Err(text(case, "code")), "{}", text(case, "name"));
    }
}

#[test]
fn log_and_sign_in() {
    let file = file("log.json");
    let mut entries: Vec<LogEntry> = Vec::new();
    for case in list(&file, "chain") {
        let entry: LogEntry = serde_json::from_value(case["entry"].clone()).unwrap();
        assert_eq!(entry.digest().unwrap().to_string(), text(case, "digest"));
        entries.push(entry);
        let (head, wrong) = log::verify(&entries);
        assert_eq!((head.to_string().as_str(), wrong), (text(case, "head"), None));
    }
    for case in list(&file, "sign_in") {
        let key = SigningKey::from_seed(&array(case, "signing_seed"));
        let (host, challenge): (Code, [u8; 32]) =
            (text(case, "host").parse().unwrap(), array(case, "challenge"));
        assert_eq!(key.public().to_string(), text(case, "signing_key"));
        assert_eq!(hex::encode(key.sign_in(&host, &challenge)), text(case, "signature"));
        assert!(verify_sign_in(&key.public(), &host, &challenge, &array(case, "signature")));
    }
}

#[test]
fn authorisations() {
    let file = file("authorisations.json");
    for case in list(&file, "commitments") {
        let authorisation = Authorisation {
            salt: array(case, "salt"),
            number: text(case, "authorisation"),
            subject: &subject(case),
            scope: text(case, "scope"),
        };
        assert_eq!(authorisation.commitment().to_string(), text(case, "commitment"));
    }
    let mut paths = 0;
    for case in list(&file, "trees") {
        let leaves: Vec<Digest> = serde_json::from_value(case["leaves"].clone()).unwrap();
        let root = merkle::root(&leaves);
        assert_eq!(root.to_string(), text(case, "root"));
        for (index, path) in case["paths"].as_object().unwrap() {
            let index: usize = index.parse().unwrap();
            let path: Vec<Digest> = serde_json::from_value(path.clone()).unwrap();
            assert_eq!(merkle::path(&leaves, index), path);
            assert_eq!(merkle::root_of_path(&leaves[index], index, leaves.len(), &path), Some(root));
            paths += 1;
        }
    }
    assert!(paths > 10, "{paths}");
}

#[test]
fn proofs_of_slots() {
    let documents = file("documents.json");
    let case = list(&documents, "cases").iter().find(|case| case["name"] == "ok_roster").unwrap();
    let roster = Blobs::of(&documents).get(case, "document").to_vec();
    let mut roster = Document::<Roster>::read(&roster).unwrap().header;
    let file = file("authorisations.json");
    let mut ok = 0;
    for case in list(&file, "proofs") {
        let name = text(case, "name");
        roster.authorisations_root = Digest(array(case, "root"));
        roster.slot_count = u32::try_from(case["slot_count"].as_u64().unwrap()).unwrap();
        let outcome = match Proof::read(text(case, "proof").as_bytes()) {
            Ok(proof) => proof
                .verify(&roster, &Digest(array(case, "roster")))
                .map(|subject| assert_eq!(subject.number(), proof.number, "{name}"))
                .map_err(|error| error.code()),
            Err(error) => Err(error.code()),
        };
        match case["code"].as_str() {
            Some(code) => assert_eq!(outcome, Err(code), "{name}"),
            None => {
                assert_eq!(outcome, Ok(()), "{name}");
                let proof = Proof::read(text(case, "proof").as_bytes()).unwrap();
                assert_eq!(proof.write().unwrap(), text(case, "proof").trim_end().as_bytes());
                ok += 1;
            }
        }
    }
    assert!(ok == 3 && list(&file, "proofs").len() > 20, "{ok}");
}

#[test]
fn sessions_natively_and_under_wasmtime() {
    let mut ok = 0;
    let sessions = vectors::sessions();
    for session in &sessions {
        session.check(&Native::default().send_all(&session.script.requests));
        session.check(&module::wasmtime().send_all(&session.script.requests));
        ok += usize::from(session.script.name.starts_with("ok_"));
    }
    assert!(ok > 40 && sessions.len() - ok > 100, "{ok} of {} sessions are taken", sessions.len());
}

#[test]
fn every_session_has_a_name_of_its_own_that_says_its_outcome() {
    let mut names: Vec<String> = vectors::sessions().into_iter().map(|session| session.script.name).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(names.iter().all(|name| name.starts_with("ok_") || name.starts_with("bad_")));
}

//! Bad inputs. A failure is one that gets through, one that is refused for another reason than its own, or one about
//! which two runners say different things.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use desk::{OpenError, Question, open_answers};
use e2e::exchange::{self, ALICE, BOB, Centre, HEADING, NOW, Relation, Setup, ask_about};
use e2e::forge;
use e2e::module::{self, Native, OpenRequest, Runner as _};
use e2e::script::{self, Everywhere, Script};
use e2e::world::damaged::{self, Outcome};
use protocol::Document;
use protocol::agreement::Agreement;
use protocol::answer::Answer;
use protocol::joining::InstitutionKind;
use protocol::key_file::KeyFile;
use protocol::roster::{Level, Roster};
use protocol::secret::SigningKey;
use serde_json::{Value, json};

const DAY: u64 = 86_400;

fn small_file() -> Vec<u8> {
    format!("{HEADING}张三,11010519491231002X,5,2026-10-31\n").into_bytes()
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}

/// Requests to open that must be refused, or not, and their code.
struct Doors {
    base: OpenRequest,
    doors: Vec<(&'static str, &'static str, OpenRequest)>,
}

impl Doors {
    fn add(&mut self, name: &'static str, code: &'static str, change: impl FnOnce(&mut OpenRequest)) {
        let mut open = self.base.clone();
        change(&mut open);
        self.doors.push((name, code, open));
    }
}

fn doors(centre: &Centre, relation: &Relation, applicants: &[u8]) -> Doors {
    let elsewhere = centre.ask("bank-y", InstitutionKind::Bank, 2, applicants);
    let mut doors = Doors { base: OpenRequest::new(relation), doors: Vec::new() };
    let (theirs, ours) = (&centre.party.keys.signing, &relation.party.keys.signing);
    let stranger = SigningKey::from_seed(&[99; 32]);
    let last = relation.roster.len() - 1;
    doors.add("as it should be", "accepted", |_| {});
    doors.add("roster longer", "trailing_bytes", |o| o.roster.extend(b"x"));
    doors.add("agreement longer", "trailing_bytes", |o| o.agreement.extend(b"x"));
    doors.add("roster is the agreement", "wrong_type", |o| o.roster = o.agreement.clone());
    doors.add("roster is no document", "not_a_document", |o| o.roster = b"not a document\n".to_vec());
    doors.add("roster's body", "body_mismatch", |o| o.roster = flipped(&o.roster, last));
    doors.add("roster's signature", "bad_signature", |o| o.roster = flipped(&o.roster, 200));
    doors.add("agreement's signature", "bad_signature", |o| o.agreement = flipped(&o.agreement, 200));
    doors.add("roster of another", "wrong_institution", |o| o.roster = elsewhere.roster.clone());
    doors.add("agreement of another", "wrong_institution", |o| o.agreement = elsewhere.agreement.clone());
    doors.add("key of another", "wrong_institution", |o| o.key_file = elsewhere.party.file.clone());
    doors.add("roster too late", "expired", |o| o.options["now"] = json!(NOW + 21 * DAY));
    doors.add("roster too soon", "not_yet_valid", |o| o.options["now"] = json!(NOW - DAY));
    doors.add("roster used before", "replayed", |o| o.options["last_serial"] = json!(2));
    doors.add("option of another kind", "bad_option", |o| o.options["now"] = json!("geheim"));
    doors.add("passphrase", "passphrase", |o| o.passphrase = b"wrong passphrase".to_vec());
    doors.add("key file cut", "not_canonical", |o| o.key_file.truncate(40));
    doors.add("key file changed", "passphrase", |o| {
        let text = String::from_utf8(o.key_file.clone()).unwrap();
        o.key_file = text.replacen("\"institution\"", "\"approver\"", 1).into_bytes();
    });
    doors.add("no entropy", "entropy", |o| o.entropy = vec![0; 32]);
    let older = centre.roster(&relation.agreement, applicants, 1, exchange::now(), 9);
    doors.add("another roster of the same serial", "accepted", |o| o.roster = older);

    doors.add("roster of version 2", "wrong_type", |o| o.roster = forge::version_2(&o.roster, &[theirs]));
    doors.add("agreement of version 2", "wrong_type", |o| {
        o.agreement = forge::version_2(&o.agreement, &[theirs, ours]);
    });
    doors.add("key file of version 2", "member", |o| {
        let text = String::from_utf8(o.key_file.clone()).unwrap();
        o.key_file = text.replace("hedui/key/v1", "hedui/key/v2").into_bytes();
    });
    let mut roster = |name, code, member: &str, value: Value, key: &SigningKey| {
        doors.add(name, code, |o| o.roster = forge::with(&o.roster, member, value, &[key]));
    };
    roster("roster by another", "wrong_signer", "serial", json!(1), &stranger);
    roster("roster under another agreement", "wrong_agreement", "agreement", json!("00".repeat(32)), theirs);
    roster("roster asks another PRF", "not_permitted", "prf", json!("hmac-sha256"), theirs);
    roster("roster asks a newer module", "module_too_old", "module_minimum", json!("9.0.0"), theirs);
    roster("roster of 128 slots", "malformed", "slot_count", json!(128), theirs);
    roster("roster of 65 slots", "member", "slot_count", json!(65), theirs);
    roster("roster's slots too large", "member", "slot_size", json!(2_640), theirs);
    roster("roster says more", "member", "zebra", json!(1), theirs);
    roster("roster's token key", "seal", "id", json!("00".repeat(16)), theirs);
    doors.add("roster unsigned", "signers", |o| o.roster = forge::with(&o.roster, "serial", json!(1), &[]));
    doors.add("agreement by one", "missing_signature", |o| {
        o.agreement = forge::with(&o.agreement, "number", json!("7"), &[theirs]);
    });
    doors
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_documents_each_get_their_own_error() {
    let everywhere = Everywhere::start().await;
    let (centre, relation, applicants) = ask_about(Setup::default(), &[ALICE]);
    let doors = doors(&centre, &relation, &applicants).doors;
    for (name, code, open) in &doors {
        let replies = everywhere.play(&Script::run(*name, open, &small_file(), 1_000)).await;
        assert_eq!(script::code(&replies), *code, "{name}: {:?}", script::refusal(&replies));
        let said = script::refusal(&replies).unwrap_or_default().to_string();
        assert!(!said.contains("geheim") && !said.contains("passphrase,"), "{name}: {said}");
    }
    assert!(doors.len() > 30);
}

#[test]
fn a_document_cut_at_any_byte_is_truncated() {
    let (_, relation, _) = ask_about(Setup::at(Level::L0), &[ALICE]);
    let base = OpenRequest::new(&relation);
    let code = |open: &OpenRequest| script::code(&Native::default().send_all(&[open.bytes()]));
    for cut in 0..base.roster.len() {
        let open = OpenRequest { roster: base.roster[..cut].to_vec(), ..base.clone() };
        assert_eq!(code(&open), "truncated", "roster at {cut}");
    }
    for cut in 0..base.agreement.len() {
        let open = OpenRequest { agreement: base.agreement[..cut].to_vec(), ..base.clone() };
        assert_eq!(code(&open), "truncated", "agreement at {cut}");
    }
    // A key file has no length before it: what is cut is no JSON.
    for cut in 0..base.key_file.len() {
        let open = OpenRequest { key_file: base.key_file[..cut].to_vec(), ..base.clone() };
        assert_eq!(code(&open), "not_canonical", "key file at {cut}");
        assert_eq!(KeyFile::read(&base.key_file[..cut]).unwrap_err().code(), "not_canonical");
    }
    // Nor has the request itself.
    let whole = base.bytes();
    for cut in 1..whole.len() {
        assert_eq!(
            script::code(&Native::default().send_all(&[whole[..cut].to_vec()])),
            "bad_request",
            "{cut}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_and_foreign_files_are_refused_by_name() {
    let everywhere = Everywhere::start().await;
    let (_, relation, _) = ask_about(Setup::default(), &[ALICE]);
    let open = OpenRequest::new(&relation);
    let files = damaged::all(7, 400);
    for file in &files {
        let script = Script::run(file.name, &open, &file.bytes, 50_000);
        let replies = everywhere.play(&script).await;
        match file.outcome {
            Outcome::Refused(code) => assert_eq!(script::code(&replies), code, "{}", file.name),
            Outcome::Read { rows, valid } => {
                let coverage = script::report(&replies)["coverage"].clone();
                assert_eq!(
                    (&coverage["rows"], &coverage["valid"]),
                    (&json!(rows), &json!(valid)),
                    "{}",
                    file.name
                );
                let full = script::report(&replies)["warnings"].to_string().contains("sheet_full");
                assert_eq!(full, file.name == "sheet_full", "{}", file.name);
            }
        }
    }
    assert!(files.len() > 10, "{}", files.len());
    for (text, code) in [("", "empty_file"), (HEADING, "empty_file"), ("户名,余额\n张三,5\n", "no_id_column")]
    {
        let replies = everywhere.play(&Script::run(code, &open, text.as_bytes(), 1)).await;
        assert_eq!(script::code(&replies), code);
    }
}

/// The desk: a question that is ready, and an answer to it.
struct Desk {
    centre: Centre,
    relation: Relation,
    applicants: Vec<u8>,
    question: Question,
    answer: Vec<u8>,
}

impl Desk {
    fn new(setup: Setup) -> Self {
        let (centre, relation, applicants) = ask_about(setup, &[ALICE, BOB]);
        let run =
            module::run(&mut Native::default(), &OpenRequest::new(&relation), &small_file(), 99).unwrap();
        let agreement = Document::<Agreement>::read(&relation.agreement).unwrap();
        let question = Question::read(&relation.roster, &[agreement], &applicants).unwrap();
        Self { centre, relation, applicants, question, answer: run.answer }
    }

    fn code(&self, answer: Vec<u8>) -> String {
        let officer = &self.centre.officers[0].keys.opening;
        let opened = open_answers(
            std::slice::from_ref(&self.question),
            vec![answer],
            &self.centre.party.keys.opening,
            &[officer],
        );
        opened.map_or_else(|error| error.code().to_owned(), |_| "opened".to_owned())
    }

    fn asking(&self, roster: &[u8]) -> Result<Question, OpenError> {
        let agreement = Document::<Agreement>::read(&self.relation.agreement).unwrap();
        Question::read(roster, &[agreement], &self.applicants)
    }
}

#[test]
fn bad_answers_each_get_their_own_error_at_the_desk() {
    let desk = Desk::new(Setup::at(Level::L0));
    let (bank, centre) = (&desk.relation.party.keys.signing, &desk.centre.party.keys.signing);
    let good = &desk.answer;
    assert_eq!(desk.code(good.clone()), "opened");
    for cut in 0..good.len() {
        assert_eq!(desk.code(good[..cut].to_vec()), "truncated", "{cut}");
    }
    let with = |member: &str, value: Value| desk.code(forge::with(good, member, value, &[bank]));
    assert_eq!(with("version", json!(2)), "seal", "the version is part of what is sealed");
    assert_eq!(with("slot_count", json!(128)), "wrong_shape");
    assert_eq!(with("slot_count", json!(32)), "wrong_shape");
    assert_eq!(with("slot_size", json!(592)), "wrong_shape");
    assert_eq!(with("institution", json!("bank-y")), "wrong_institution");
    assert_eq!(with("roster", json!("00".repeat(32))), "wrong_roster");
    assert_eq!(with("roster_id", json!("00".repeat(16))), "wrong_roster");
    assert_eq!(with("module_release", json!("0.0.9")), "module_too_old");
    assert_eq!(with("version", json!(0)), "member");
    assert_eq!(with("zebra", json!(null)), "member");
    assert_eq!(desk.code(forge::version_2(good, &[bank])), "wrong_type");
    assert_eq!(desk.code(forge::with(good, "version", json!(1), &[centre])), "wrong_signer");
    assert_eq!(desk.code(forge::with(good, "version", json!(1), &[bank, bank])), "signers");
    assert_eq!(desk.code(flipped(good, 200)), "bad_signature");
    assert_eq!(desk.code(flipped(good, good.len() - 1)), "body_mismatch");
    assert_eq!(desk.code([good.as_slice(), b"x"].concat()), "trailing_bytes");
    assert_eq!(desk.code(desk.relation.roster.clone()), "wrong_type");
    let body = forge::body(good);
    let with_body =
        |body: &[u8]| desk.code(forge::document("hedui/answer/v1", forge::header(good), body, &[bank]));
    assert_eq!(with_body(body), "opened");
    assert_eq!(with_body(&body[..body.len() - 32]), "wrong_shape", "one slot fewer");
    assert_eq!(with_body(&[body, &[0; 32]].concat()), "wrong_shape", "one slot more");
    assert_eq!(with_body(&flipped(body, body.len() - 1)), "seal");
    assert_eq!(with_body(&flipped(body, 0)), "seal");
    let swapped =
        [&body[..body.len() - 64], &body[body.len() - 32..], &body[body.len() - 64..body.len() - 32]];
    assert_eq!(with_body(&swapped.concat()), "seal", "two slots changed places");
}

#[test]
fn bad_rosters_and_agreements_each_get_their_own_error_at_the_desk() {
    let desk = Desk::new(Setup::at(Level::L0));
    let (centre, bank) = (&desk.centre.party.keys.signing, &desk.relation.party.keys.signing);
    let roster = &desk.relation.roster;
    let code =
        |roster: &[u8]| desk.asking(roster).map_or_else(|e| e.code().to_owned(), |_| "asked".to_owned());
    assert_eq!(code(roster), "asked");
    for cut in (0..roster.len()).step_by(7) {
        assert_eq!(code(&roster[..cut]), "truncated", "{cut}");
    }
    let with = |member: &str, value: Value| code(&forge::with(roster, member, value, &[centre]));
    assert_eq!(with("slot_count", json!(128)), "malformed");
    assert_eq!(with("slot_count", json!(63)), "member");
    assert_eq!(with("level", json!("L1")), "member", "the slots' size is L0's");
    assert_eq!(with("institution", json!("bank-y")), "wrong_institution");
    assert_eq!(with("agreement", json!("00".repeat(32))), "wrong_agreement");
    assert_eq!(with("prf", json!("hmac-sha256")), "not_permitted");
    assert_eq!(code(&forge::with(roster, "serial", json!(1), &[bank])), "wrong_signer");
    assert_eq!(code(&forge::version_2(roster, &[centre])), "wrong_type");
    assert_eq!(code(&flipped(roster, 200)), "bad_signature");

    let agreement = &desk.relation.agreement;
    let code = |agreement: &[u8]| match Document::<Agreement>::read(agreement) {
        Ok(agreement) => match Question::read(roster, &[agreement], &desk.applicants) {
            Ok(_) => "asked",
            Err(error) => error.code(),
        }
        .to_owned(),
        Err(error) => error.code().to_owned(),
    };
    assert_eq!(code(agreement), "asked");
    assert_eq!(code(&forge::version_2(agreement, &[centre, bank])), "wrong_type");
    assert_eq!(code(&forge::with(agreement, "number", json!("7"), &[centre, bank])), "wrong_agreement");
    let number = forge::header(agreement)["number"].clone();
    assert_eq!(code(&forge::with(agreement, "number", number.clone(), &[centre])), "missing_signature");
    assert_eq!(code(&forge::with(agreement, "number", number, &[bank, centre])), "wrong_signer");
}

#[test]
fn every_kind_of_document_is_refused_as_another_version() {
    let desk = Desk::new(Setup::at(Level::L0));
    let key = SigningKey::from_seed(&[7; 32]);
    let two = |document: &[u8]| forge::version_2(document, &[&key]);
    assert_eq!(Document::<Roster>::read(&two(&desk.relation.roster)).unwrap_err().code(), "wrong_type");
    assert_eq!(Document::<Agreement>::read(&two(&desk.relation.agreement)).unwrap_err().code(), "wrong_type");
    assert_eq!(Document::<Answer>::read(&two(&desk.answer)).unwrap_err().code(), "wrong_type");
}

//! What the institution does with its answer before it leaves: the list of rows set aside, the copy for its own compliance
//! office, the approval (SPEC §4.7, §10). What counts as a failure: a byte of the answer that depends on any of it, a
//! copy that another key opens, a row that is missing from the list, an approval by somebody who may not.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use e2e::exchange::{ALICE, BOB, HEADING, PASSPHRASE, Party, Relation, Setup, ask_about};
use e2e::module::{self, Native, OpenRequest, Runner, op, reply, request};
use e2e::python::{Python, b64, from_b64, private, seed_of};
use matcher::request::join;
use protocol::answer::Answer;
use protocol::answer_seal::{self, SealError};
use protocol::copy::AnswerCopy;
use protocol::envelope::{self, Document, Head};
use protocol::key_file::Role;
use protocol::roster::Level;
use protocol::{CheckError, DecodeError};
use serde_json::json;

/// The answer, and what op gives after it.
fn finished(runner: &mut impl Runner, open: &OpenRequest, file: &str, op: u8) -> (Vec<u8>, Vec<u8>) {
    let answer = module::run(runner, open, file.as_bytes(), 1 << 16).unwrap().answer;
    (answer, reply(&runner.send(request(op, &[]))).unwrap())
}

fn compliance() -> Party {
    Party::new(Role::Compliance, "bank-x-compliance", 77)
}

fn with_copy(relation: &Relation) -> OpenRequest {
    let mut open = OpenRequest::new(relation);
    open.options["compliance_key"] = json!(compliance().keys.opening.public());
    open
}

fn file() -> String {
    format!(
        "{HEADING}张三,{},12.34,2026-10-31\n李四,,1,2026-10-31\n王五,110105194912310021,1,2026-10-31\n",
        ALICE.1
    )
}

#[test]
fn the_list_of_rows_set_aside_follows_the_answer() {
    let (_, relation, _) = ask_about(Setup::default(), &[ALICE, BOB]);
    let open = OpenRequest::new(&relation);
    let mut runner = module::wasmtime();
    let early = reply(&runner.send(request(op::SET_ASIDE, &[]))).unwrap_err();
    assert_eq!(early["code"], "not_finished");
    let (answer, list) = finished(&mut runner, &open, &file(), op::SET_ASIDE);
    let expected = "file,row,reason,number\n1,3,empty,\n1,4,check_digit,110*************21\n";
    assert_eq!(String::from_utf8(list).unwrap(), expected);
    assert!(reply(&runner.send(request(op::SET_ASIDE, &[]))).unwrap().is_empty(), "it has an end");
    assert_eq!(finished(&mut Native::default(), &open, &file(), op::SET_ASIDE), (answer, expected.into()));
}

#[test]
fn a_copy_opens_the_answer_for_the_compliance_office_alone() {
    let mut python = Python::start();
    let office = compliance();
    for level in [Level::L0, Level::L1, Level::L2] {
        for officers in [1, 3] {
            let (_, relation, _) = ask_about(Setup { officers, ..Setup::at(level) }, &[ALICE, BOB]);
            let (answer, copy) = finished(&mut module::wasmtime(), &with_copy(&relation), &file(), op::COPY);
            let plain =
                module::run(&mut Native::default(), &OpenRequest::new(&relation), file().as_bytes(), 99);
            assert!(plain.unwrap().answer == answer, "the answer does not show whether there is a copy");
            assert_eq!(finished(&mut Native::default(), &with_copy(&relation), &file(), op::COPY).1, copy);

            let read = |answer: &[u8]| Document::<Answer>::read(answer).unwrap();
            let copied = Document::<AnswerCopy>::read(&copy).unwrap();
            let opened = answer_seal::open_with_copy(read(&answer), &copied, &office.keys.opening).unwrap();
            assert_eq!(opened.slots.iter().filter(|slot| slot.found).count(), 1);
            assert_eq!(opened.coverage.rows, 3);
            let asked = json!({
                "op": "open_copy", "answer": b64(&answer), "copy": b64(&copy),
                "sealing_private": private(&office.keys.opening),
            });
            let theirs = python.ask(&asked);
            assert_eq!(theirs["coverage"], serde_json::to_value(&opened.coverage).unwrap());
            let [found] = theirs["slots"].as_array().unwrap().as_slice() else { panic!("{theirs}") };
            let at = usize::try_from(found["slot"].as_u64().unwrap()).unwrap();
            assert!(opened.slots[at].found);

            // Python makes the same copy, to the byte.
            let made = python.ask(&json!({
                "op": "make_copy", "answer": b64(&answer), "copy": b64(&copy),
                "sealing_private": private(&office.keys.opening), "compliance_key": office.keys.opening.public(),
                "entropy": "5a".repeat(32), "signing_seed": seed_of(&relation.party.keys.signing),
            }));
            assert!(from_b64(made["document"].as_str().unwrap()) == copy);

            // Nobody else opens it, and it opens nothing else.
            let other = answer_seal::open_with_copy(read(&answer), &copied, &relation.party.keys.opening);
            assert_eq!(other.unwrap_err(), SealError::Check(CheckError::Seal("copy")));
            let mut later = with_copy(&relation);
            later.options["answer_version"] = json!(2);
            let later = module::run(&mut Native::default(), &later, file().as_bytes(), 99).unwrap().answer;
            let wrong = answer_seal::open_with_copy(read(&later), &copied, &office.keys.opening);
            assert_eq!(wrong.unwrap_err(), SealError::Check(CheckError::WrongAnswer));
            let forged = envelope::write(&copied.header, b"", &[&office.keys.signing]).unwrap();
            let forged = Document::<AnswerCopy>::read(&forged).unwrap();
            let wrong = answer_seal::open_with_copy(read(&answer), &forged, &office.keys.opening);
            assert_eq!(wrong.unwrap_err(), SealError::Check(CheckError::Signer("copy")));
            let mut moved = copied.header.clone();
            moved.answer = read(&later).digest;
            let moved = envelope::write(&moved, b"", &[&relation.party.keys.signing]).unwrap();
            let moved = Document::<AnswerCopy>::read(&moved).unwrap();
            let wrong = answer_seal::open_with_copy(read(&later), &moved, &office.keys.opening);
            assert_eq!(wrong.unwrap_err(), SealError::Check(CheckError::Seal("copy")));
        }
    }
}

#[test]
fn a_copy_must_be_asked_for_with_a_good_key() {
    let (_, relation, _) = ask_about(Setup::default(), &[ALICE]);
    let mut runner = Native::default();
    module::run(&mut runner, &OpenRequest::new(&relation), file().as_bytes(), 99).unwrap();
    let none = reply(&runner.send(request(op::COPY, &[]))).unwrap_err();
    assert_eq!((&none["code"], &none["field"]), (&json!("no_copy"), &json!("compliance_key")));
    for (key, code) in
        [("00".repeat(32), "seal"), ("0g".repeat(32), "bad_option"), ("00".repeat(31), "bad_option")]
    {
        let mut open = OpenRequest::new(&relation);
        open.options["compliance_key"] = json!(key);
        assert_eq!(reply(&Native::default().send(open.bytes())).unwrap_err()["code"], code);
    }
}

/// The cost of an answer with its copy is that of any other: what was found does not show in it.
#[test]
fn a_copy_costs_the_same_whatever_was_found() {
    let file = format!("{HEADING}张三,{},12.34,2026-10-31\n王五,110105194912310021,1,2026-10-31\n", ALICE.1);
    let cost = |people: &[(&str, &str)]| {
        let (_, relation, _) = ask_about(Setup::default(), people);
        let mut runner = module::wasmtime();
        reply(&runner.send(with_copy(&relation).bytes())).unwrap();
        reply(&runner.send(request(op::PUSH, file.as_bytes()))).unwrap();
        reply(&runner.send(request(op::NEXT_FILE, &[]))).unwrap();
        let before = runner.fuel_used().unwrap();
        let answer = module::finish(&mut runner).unwrap().answer.len();
        let after = [op::SET_ASIDE, op::COPY].map(|op| reply(&runner.send(request(op, &[]))).unwrap().len());
        (answer, after, runner.fuel_used().unwrap() - before)
    };
    assert_eq!(cost(&[ALICE]), cost(&[BOB]));
}

#[test]
fn an_approval_is_what_a_co_signature_is() {
    let (_, relation, _) = ask_about(Setup { approval: true, ..Setup::default() }, &[ALICE]);
    let answer = module::run(&mut Native::default(), &OpenRequest::new(&relation), file().as_bytes(), 99)
        .unwrap()
        .answer;
    let approve = |key_file: &[u8], passphrase: &[u8], agreement: &[u8], answer: &[u8]| {
        let asked = request(op::APPROVE, &join(&[key_file, passphrase, agreement, answer]));
        let native = reply(&Native::default().send(asked.clone()));
        assert_eq!(native, reply(&module::wasmtime().send(asked)));
        native
    };
    let key = relation.approver.file.as_slice();
    let approved = approve(key, PASSPHRASE, &relation.agreement, &answer).unwrap();
    assert!(approved == envelope::co_sign(&answer, &relation.approver.keys.signing).unwrap());
    let cut = Head::parse(&answer).unwrap().length;
    let head = approve(key, PASSPHRASE, &relation.agreement, &answer[..cut]).unwrap();
    assert!([&head, &answer[cut..]].concat() == approved, "the head alone will do");

    let refused = |key_file: &[u8], passphrase: &[u8], agreement: &[u8], answer: &[u8]| {
        let error = approve(key_file, passphrase, agreement, answer).unwrap_err();
        (error["code"].as_str().unwrap().to_owned(), error["field"].as_str().unwrap().to_owned())
    };
    let said = |code: &str, field: &str| (code.to_owned(), field.to_owned());
    let agreement = relation.agreement.as_slice();
    let mut flipped = answer.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let (_, other, _) = ask_about(Setup::default(), &[ALICE]);
    assert_eq!(
        refused(&relation.party.file, PASSPHRASE, agreement, &answer),
        said("not_an_approver", "key file")
    );
    assert_eq!(refused(key, PASSPHRASE, &other.agreement, &answer), said("not_an_approver", "key file"));
    assert_eq!(refused(key, b"another passphrase", agreement, &answer), said("passphrase", "passphrase"));
    assert_eq!(refused(key, PASSPHRASE, agreement, &approved), said("signers", "answer.signatures"));
    assert_eq!(refused(key, PASSPHRASE, agreement, &flipped), said("body_mismatch", "answer.body"));
    assert_eq!(
        refused(key, PASSPHRASE, agreement, &answer[..answer.len() - 1]),
        said("truncated", "answer.body")
    );
    assert_eq!(
        refused(key, PASSPHRASE, agreement, &[&answer[..], b"x"].concat()),
        said("trailing_bytes", "answer.body")
    );
    assert_eq!(refused(key, PASSPHRASE, agreement, &relation.roster), said("wrong_type", "answer.type"));
    assert_eq!(refused(key, PASSPHRASE, &answer, &answer), said("wrong_type", "agreement.type"));
    // Another institution's answer, signed by itself.
    let read = Document::<Answer>::read(&answer).unwrap();
    let foreign = envelope::write(&read.header, &read.body, &[&relation.approver.keys.signing]).unwrap();
    assert_eq!(refused(key, PASSPHRASE, agreement, &foreign), said("wrong_signer", "answer"));
    assert_eq!(Document::<Answer>::read(&answer[..cut]).unwrap_err(), DecodeError::Truncated("body"));
}

#[test]
fn the_module_makes_keys_for_approver_and_compliance() {
    for (role, word) in [(Role::Approver, "approver"), (Role::Compliance, "compliance")] {
        let options =
            json!({"code": "bank-x-2", "kind": null, "name": "某人", "now": e2e::exchange::NOW, "role": word}).to_string();
        let asked = request(op::NEW_KEY, &join(&[PASSPHRASE, &[9; 32], options.as_bytes()]));
        let parts = reply(&module::wasmtime().send(asked)).unwrap();
        let [file, joining] = matcher::request::parts::<2>(&parts).unwrap();
        let file = protocol::key_file::KeyFile::read(file).unwrap();
        assert_eq!((file.role, joining), (role, b"".as_slice()));
        file.unlock(PASSPHRASE).unwrap();
    }
}

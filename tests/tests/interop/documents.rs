//! SPEC §4: documents made here and read there, and the other way.

use e2e::exchange::{PASSPHRASE, Party, Relation, Setup, in_force, now, sha256};
use e2e::module::{self, Native};
use protocol::agreement::Agreement;
use protocol::answer::Answer;
use protocol::copy::AnswerCopy;
use protocol::cosigning::{CosignRequest, CosignerJoining};
use protocol::envelope::{Document, Header};
use protocol::joining::JoiningRequest;
use protocol::receipt::Receipt;
use protocol::release::Release;
use protocol::roster::{Roster, RosterContext};
use serde_json::{Value, json};

use crate::answers::open_alike;
use crate::dice::Dice;
use crate::fixture::{
    Exchange, TINY, copy, cosign_request, cosigner, exchange, full, hit_only, joining, open_request,
    python_party, receipt, release,
};
use e2e::python::{Python, b64, from_b64, private, seed_of};

/// Both sides read the document and say the same of it.
fn read_alike<H: Header>(python: &mut Python, bytes: &[u8]) {
    let read = Document::<H>::read(bytes).unwrap();
    let reply = python.ask(&json!({"op": "read", "document": b64(bytes)}));
    assert_eq!(reply["type"], H::TYPE);
    assert_eq!(reply["digest"], read.digest.to_string());
    assert_eq!(reply["signers"], serde_json::to_value(&read.signers).unwrap());
    assert_eq!(reply["header"], read.header.to_json());
    assert_eq!(
        reply["body_sha256"],
        serde_json::to_value(read.header.body().map(|(_, digest)| digest)).unwrap()
    );
}

#[test]
fn what_rust_writes_python_reads() {
    let mut python = Python::start();
    for setup in [hit_only(), Setup::default(), full()] {
        let Exchange { centre, relation, answer, .. } = exchange(setup, TINY);
        let joining = joining(&relation.party);
        read_alike::<JoiningRequest>(&mut python, &joining);
        read_alike::<Agreement>(&mut python, &relation.agreement);
        read_alike::<Roster>(&mut python, &relation.roster);
        read_alike::<Answer>(&mut python, &answer);
        read_alike::<Receipt>(&mut python, &receipt(&relation.party));
        read_alike::<Release>(&mut python, &release(&relation.party));
        read_alike::<AnswerCopy>(&mut python, &copy(&relation.party));
        read_alike::<CosignerJoining>(&mut python, &cosigner(&relation.party));
        read_alike::<CosignRequest>(&mut python, &cosign_request(&relation.party));
        python.ask(&json!({"op": "check_parties", "joining": b64(&joining)}));
        python.ask(&json!({
            "op": "check_parties", "agreement": b64(&relation.agreement), "roster": b64(&relation.roster),
            "answer": b64(&answer),
        }));
        for party in [&centre.party, &relation.party, &relation.approver, &centre.officers[0]] {
            let reply = python.ask(&json!({
                "op": "keyfile_open", "file": String::from_utf8(party.file.clone()).unwrap() + "\n",
                "passphrase": String::from_utf8(PASSPHRASE.to_vec()).unwrap(),
            }));
            assert_eq!(reply["code"], party.code);
            assert_eq!(reply["signing_seed"], seed_of(&party.keys.signing));
            assert_eq!(reply["sealing_private"], private(&party.keys.opening));
        }
        let ticket = python.ask(&json!({
            "op": "open_ticket", "roster": b64(&relation.roster), "sealing_private": private(&centre.party.keys.opening),
        }));
        assert_eq!(ticket["slots"], Document::<Roster>::read(&relation.roster).unwrap().header.slot_count);
    }
}

#[test]
fn what_python_writes_rust_reads() {
    let (mut python, mut dice) = (Python::start(), Dice(4));
    let [centre, bank, cosigner, approver, compliance, officer, host, publisher] =
        ["centre", "institution", "cosigner", "approver", "officer", "officer", "host", "publisher"]
            .map(|role| python_party(&mut python, &mut dice, role, role));
    let write = |python: &mut Python, kind: &str, header: Value, signers: &[&Party]| {
        let seeds: Vec<_> = signers.iter().map(|party| seed_of(&party.keys.signing)).collect();
        python.document(
            &json!({"op": "write", "type": kind, "header": header, "body": "", "signing_seeds": seeds}),
        )
    };
    let identity = |party: &Party| {
        json!({
            "code": party.code, "name": "名称 \"\\/\u{7FF}", "sealing_key": party.keys.opening.public(),
            "signing_key": party.keys.signing.public(),
        })
    };
    let with = |mut object: Value, members: Value| {
        object.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        object
    };

    let header = with(identity(&bank), json!({"issued": "2199-12-31T23:59:59Z", "kind": "department"}));
    let joining = write(&mut python, "hedui/joining/v1", header, &[&bank]);
    Document::<JoiningRequest>::read(&joining).unwrap().check().unwrap();
    let header = json!({
        "answer": sha256(b"a"), "answer_bytes": (1_u64 << 53) - 1, "institution": "bank.1_-", "log_head": sha256(b"b"),
        "log_position": 1, "received": "1970-01-01T00:00:00Z", "roster": sha256(b"c"),
    });
    let receipt = write(&mut python, "hedui/receipt/v1", header, &[&host]);
    assert_eq!(Document::<Receipt>::read(&receipt).unwrap().signers, [host.keys.signing.public()]);
    let header = json!({
        "exports": ["a", "b", "é"], "imports": [], "issued": "2026-02-28T00:00:00Z", "module_blake3": sha256(b"a"),
        "module_bytes": 0, "module_sha256": sha256(b"b"), "page_sha256": null, "release": "0.0.65535",
        "source_sha256": sha256(b"c"), "toolchain": "",
    });
    let release = write(&mut python, "hedui/release/v1", header, &[&publisher]);
    Document::<Release>::read(&release).unwrap();

    for (level, prf, approval) in
        [("L0", "blake3", true), ("L1", "hmac-sha256", false), ("L2", "blake3", false)]
    {
        let header = json!({
            "approval_required": approval, "approver_keys": [approver.keys.signing.public()],
            "centre": identity(&centre), "compliance_key": compliance.keys.opening.public(),
            "cosigner_key": cosigner.keys.signing.public(),
            "fields": ["account", "accounts", "amount", "balance_date", "name", "product", "status"],
            "institution": with(identity(&bank), json!({"kind": "bank"})), "level": "L2", "number": "№ 7",
            "page_sha256": null, "prfs": ["blake3", "hmac-sha256"], "purpose": "社会救助", "suites": ["keyed"],
            "valid_from": "2026-11-22", "valid_to": "2026-11-22",
        });
        let agreement = write(&mut python, "hedui/agreement/v1", header, &[&centre, &bank]);
        let people: Vec<_> = (0..70).map(|n| (dice.resident(), format!("张{n}"))).collect();
        let entries = (0..).zip(&people).map(|(slot, (number, name))| {
            json!({"kind": "resident", "number": number, "name": name, "slot": slot, "ordinal": 0})
        });
        let fields = if level == "L0" {
            json!(["name"])
        } else {
            json!(["accounts", "amount", "balance_date", "name"])
        };
        let header = json!({
            "as_of": "2026-10-31", "expires": "2026-12-22T08:00:00Z", "fields": fields, "id": hex::encode(dice.bytes::<16>()),
            "income_from": "2026-01-01", "income_to": "2026-01-01", "issued": "2026-11-22T08:00:00Z",
            "legal_basis": "办法", "level": level,
            "line": if level == "L0" { json!({"currency": "CNY", "minor": 5_000}) } else { Value::Null },
            "module_minimum": "0.1.0",
            "opening_groups": [[officer.keys.opening.public(), centre.keys.opening.public()], [approver.keys.opening.public()]],
            "prf": prf, "purpose": "社会救助", "serial": 1,
        });
        let roster = python.document(&json!({
            "op": "make_roster", "agreement": b64(&agreement), "header": header, "token_key": hex::encode(dice.bytes::<32>()),
            "entries": entries.collect::<Vec<_>>(), "entropy": hex::encode(dice.bytes::<32>()),
            "signing_seeds": [seed_of(&centre.keys.signing), seed_of(&cosigner.keys.signing)],
        }));
        let context = RosterContext { now: now(), last_serial: 0, release: None };
        let accepted =
            Document::<Roster>::read(&roster).unwrap().check(&in_force(&agreement), &context).unwrap();
        assert_eq!((accepted.roster.slot_count, accepted.entries.len()), (128, 160));

        let mut file = "姓名,证件号码,账号,余额,日期\n".to_owned();
        for (n, (number, name)) in people.iter().enumerate().step_by(2) {
            file.push_str(&format!("{name},{number},6222{n:012},{n}.5,2026-10-31\n"));
        }
        let request = open_request(&bank.file, &agreement, &roster);
        let mut answer = module::run(&mut Native::default(), &request, file.as_bytes(), 100).unwrap().answer;
        if approval {
            answer = from_b64(
                python.ask(&json!({
                    "op": "cosign", "document": b64(&answer), "signing_seed": seed_of(&approver.keys.signing),
                }))["document"]
                    .as_str()
                    .unwrap(),
            );
        }
        let relation = Relation {
            party: python_party(&mut python, &mut dice, "institution", "x"),
            approver: python_party(&mut python, &mut dice, "approver", "y"),
            agreement,
            roster,
        };
        for group in [vec![&officer, &centre], vec![&approver], vec![&compliance]] {
            let keys: Vec<_> = group.iter().map(|party| &party.keys.opening).collect();
            let found = open_alike(&mut python, &answer, &relation, &keys, accepted.roster.level);
            assert_eq!(found, 35);
        }
    }
}

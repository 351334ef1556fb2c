//! SPEC §6.8: a roster that the Rust side made, rebuilt by the Python side from the list alone.

use desk::Applicants;
use desk::agreement_maker::{self, Terms};
use desk::cosigning::{make_request, rebuild};
use e2e::exchange::{Centre, Party, Setup, date, in_force, now, text};
use e2e::python::{Python, b64, private};
use protocol::cosigning::CosignerJoining;
use protocol::envelope::Document;
use protocol::key_file::Role;
use protocol::roster::{Field, Level, PrfName, Roster};
use protocol::secret::Entropy;
use serde_json::{Value, json};

use crate::fixture::joining;

/// A list with former numbers, kinds of several numbers, and names that fold.
const LIST: [(&str, &str, &str, &str); 5] = [
    ("张三", "11010519491231002X", "", "bank:L1"),
    ("欧阳·娜娜", "440524188001010014", "H12345678；440524800101001", "bank,securities:L1"),
    ("Chan, Tai-Man", "E12345678", "", "bank:L1"),
    (" 李　四 ", "440524198001010021", "K87654321", ""),
    ("王五", "12345678", "", "bank:L2"),
];

fn agreement(centre: &Centre, bank: &Party, township: &Party, setup: &Setup) -> Vec<u8> {
    let terms = Terms {
        number: text("协-1"),
        purpose: text("社会救助"),
        level: setup.level,
        fields: setup.fields.clone(),
        prfs: vec![setup.prf],
        valid_from: date("2026-01-01"),
        valid_to: date("2036-12-31"),
        approver_keys: Vec::new(),
        compliance_key: None,
        cosigner_key: Some(township.keys.signing.public()),
        page_sha256: None,
    };
    let (code, keys) = (centre.party.code.parse().unwrap(), &centre.party.keys);
    let proposal = agreement_maker::propose(&joining(bank), &code, &text("核对中心"), keys, terms).unwrap();
    agreement_maker::countersign(&proposal, &bank.keys).unwrap()
}

/// Numbers as they are read, for the other side to work on.
fn people(list: &Applicants) -> Vec<Value> {
    let numbers = |applicant: &desk::Applicant| -> Vec<Value> {
        let number = |number: &desk::applicants::Number| {
            json!([number.subject.kind().name(), number.subject.number()])
        };
        applicant.numbers.iter().map(number).collect()
    };
    let one = |applicant: &desk::Applicant| {
        json!({
            "numbers": numbers(applicant), "name": applicant.name.trimmed(), "form": applicant.authorisation,
            "scope": applicant.scope,
        })
    };
    list.iter().map(one).collect()
}

#[test]
fn python_rebuilds_what_rust_made() {
    let mut python = Python::start();
    let bank = Party::new(Role::Institution, "bank-a", 1);
    let township = Party::new(Role::Cosigner, "township", 61);
    let mut rows = String::from("姓名,证件类型,证件号码,授权书编号,授权范围,曾用证件号\n");
    for (n, (name, number, former, scope)) in LIST.into_iter().enumerate() {
        let kind = if number.len() == 8 { "台胞证" } else { "" };
        rows += &format!("\"{name}\",{kind},{number},SQ-{n},\"{scope}\",{former}\n");
    }
    let own = Applicants::read(rows.as_bytes(), now().date()).unwrap();
    let all = vec![Field::Accounts, Field::Amount, Field::BalanceDate, Field::Name];
    for (prf, fields) in [
        (PrfName::Blake3, all.clone()),
        (PrfName::HmacSha256, all),
        (PrfName::Blake3, vec![Field::Amount]), // tags that stand for no name
    ] {
        let setup = Setup { level: Level::L1, fields, prf, ..Setup::default() };
        let agreement = {
            let centre = Centre::new(setup.clone());
            agreement(&centre, &bank, &township, &setup)
        };
        let centre = Centre::new(setup);
        let roster = centre.roster(&agreement, rows.as_bytes(), 1, now(), 3);
        let cosigner = CosignerJoining {
            code: township.code.parse().unwrap(),
            issued: now(),
            name: text("城关镇"),
            sealing_key: township.keys.opening.public(),
            signing_key: township.keys.signing.public(),
        };
        let (in_force, entropy) = (in_force(&agreement), Entropy::new(&[9; 32]).unwrap());
        let keys = &centre.party.keys;
        let request = make_request(&roster, &in_force, &own, keys, &cosigner, now(), &entropy).unwrap();
        assert_eq!(rebuild(&roster, &request, &in_force, &own, &township.keys, now()).unwrap().people, 5);

        let mut ask = json!({
            "op": "rebuild_roster", "roster": b64(&roster), "request": b64(&request), "agreement": b64(&agreement),
            "sealing_private": private(&township.keys.opening), "people": people(&own),
        });
        let header = Document::<Roster>::read(&roster).unwrap().header;
        let reply = python.ask(&ask);
        assert_eq!(reply["real"], 5);
        assert_eq!(reply["body_sha256"], header.body_sha256.to_string());
        assert_eq!(reply["authorisations_root"], header.authorisations_root.to_string());
        assert_eq!(reply["token_key"], b64(&header.token_key.0));
        ask["people"][0]["form"] = json!("SQ-9");
        assert_ne!(python.ask(&ask)["authorisations_root"], header.authorisations_root.to_string());
    }
}

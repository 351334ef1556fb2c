//! An exchange made by the Rust side, and documents of every kind.

use e2e::exchange::{Centre, PASSPHRASE, Party, Relation, Setup, now, sha256, text};
use e2e::module::{self, Native, OpenRequest};
use e2e::world::{Sizes, World};
use protocol::copy::AnswerCopy;
use protocol::cosigning::{CosignRequest, CosignerJoining, write_commitments};
use protocol::envelope;
use protocol::joining::{InstitutionKind, JoiningRequest};
use protocol::key_file::KeyFile;
use protocol::receipt::Receipt;
use protocol::release::Release;
use protocol::roster::{Field, Level, PrfName};
use protocol::value::{Base64, Digest};
use serde_json::json;

use crate::dice::Dice;
use e2e::python::{Python, private, seed_of};

/// An exchange from the joining request to the receipt, all made by the Rust side.
pub(crate) struct Exchange {
    pub(crate) centre: Centre,
    pub(crate) relation: Relation,
    pub(crate) answer: Vec<u8>,
    pub(crate) run: module::Run,
}

pub(crate) fn exchange(setup: Setup, sizes: Sizes) -> Exchange {
    let world = World::new(7, sizes);
    let institution = world.institution("bank-a").unwrap();
    let centre = Centre::new(setup);
    let relation = centre.ask("bank-a", InstitutionKind::Bank, 1, &world.applicants_csv());
    let request = open_request(&relation.party.file, &relation.agreement, &relation.roster);
    let run = module::run(&mut Native::default(), &request, &institution.bytes(), 65_536).unwrap();
    let answer = if centre.setup.approval {
        envelope::co_sign(&run.answer, &relation.approver.keys.signing).unwrap()
    } else {
        run.answer.clone()
    };
    Exchange { centre, relation, answer, run }
}

pub(crate) const ENTROPY: [u8; 32] = [0x5A; 32];

pub(crate) fn open_request(file: &[u8], agreement: &[u8], roster: &[u8]) -> OpenRequest {
    OpenRequest {
        key_file: file.to_vec(),
        passphrase: PASSPHRASE.to_vec(),
        agreement: agreement.to_vec(),
        roster: roster.to_vec(),
        entropy: ENTROPY.to_vec(),
        options: json!({
            "answer_version": 1, "last_serial": 0, "module_sha256": sha256(b"a module"), "now": now().unix(),
        }),
    }
}

pub(crate) fn full() -> Setup {
    let fields = vec![
        Field::Account,
        Field::Accounts,
        Field::Amount,
        Field::BalanceDate,
        Field::Name,
        Field::Product,
        Field::Status,
    ];
    Setup { level: Level::L2, fields, prf: PrfName::HmacSha256, officers: 3, approval: true }
}

pub(crate) fn hit_only() -> Setup {
    Setup { level: Level::L0, fields: vec![Field::Name], ..Setup::default() }
}

pub(crate) const TINY: Sizes = Sizes { applicants: 40, households: 16, customers_per_institution: 400 };

pub(crate) fn joining(party: &Party) -> Vec<u8> {
    let header = JoiningRequest {
        code: party.code.parse().unwrap(),
        issued: now(),
        kind: InstitutionKind::Securities,
        name: text("某某证券 \"A\\B\" \u{7FFF}\u{2028}😀"),
        sealing_key: party.keys.opening.public(),
        signing_key: party.keys.signing.public(),
    };
    envelope::write(&header, b"", &[&party.keys.signing]).unwrap()
}

pub(crate) fn receipt(party: &Party) -> Vec<u8> {
    let header = Receipt {
        answer: Digest::of(b"answer"),
        answer_bytes: 1 << 40,
        institution: "bank-a".parse().unwrap(),
        log_head: Digest::of(b"head"),
        log_position: 3,
        received: now(),
        roster: Digest::of(b"roster"),
    };
    envelope::write(&header, b"", &[&party.keys.signing]).unwrap()
}

pub(crate) fn copy(party: &Party) -> Vec<u8> {
    let header = AnswerCopy {
        answer: Digest::of(b"answer"),
        compliance_key: party.keys.opening.public(),
        content_key: Base64(vec![7; 80]),
        created: now(),
        institution: "bank-a".parse().unwrap(),
        roster: Digest::of(b"roster"),
    };
    envelope::write(&header, b"", &[&party.keys.signing]).unwrap()
}

pub(crate) fn cosigner(party: &Party) -> Vec<u8> {
    let header = CosignerJoining {
        code: party.code.parse().unwrap(),
        issued: now(),
        name: text("某某镇 \"A\\B\""),
        sealing_key: party.keys.opening.public(),
        signing_key: party.keys.signing.public(),
    };
    envelope::write(&header, b"", &[&party.keys.signing]).unwrap()
}

pub(crate) fn cosign_request(party: &Party) -> Vec<u8> {
    let body = write_commitments(&[Digest::of(b"commitment"); 64]);
    let header = CosignRequest {
        agreement: Digest::of(b"agreement"),
        body_bytes: body.len() as u64,
        body_sha256: Digest::of(&body),
        created: now(),
        recipient: party.keys.opening.public(),
        roster: Digest::of(b"roster"),
        seed: Base64(vec![7; 88]),
        slot_count: 64,
    };
    envelope::write(&header, &body, &[&party.keys.signing]).unwrap()
}

pub(crate) fn release(party: &Party) -> Vec<u8> {
    let header = Release {
        exports: vec![text("abi_version"), text("memory"), text("run")],
        imports: Vec::new(),
        issued: now(),
        module_blake3: Digest::of(b"blake3"),
        module_bytes: 400_000,
        module_sha256: Digest::of(b"module"),
        page_sha256: Some(Digest::of(b"page")),
        release: "1.65535.0".parse().unwrap(),
        source_sha256: Digest::of(b"source"),
        toolchain: text("rustc 1.95.0"),
    };
    envelope::write(&header, b"", &[&party.keys.signing]).unwrap()
}

/// Keys that Python keeps in a file and Rust unlocks.
pub(crate) fn python_party(python: &mut Python, dice: &mut Dice, role: &str, code: &str) -> Party {
    let request = json!({
        "op": "keyfile_write", "code": code, "name": format!("{code} 的密钥"), "role": role,
        "signing_seed": hex::encode(dice.bytes::<32>()), "sealing_private": hex::encode(dice.bytes::<32>()),
        "salt": hex::encode(dice.bytes::<16>()), "passphrase": String::from_utf8(PASSPHRASE.to_vec()).unwrap(),
        "kdf": {"m_kib": 8192, "name": "argon2id", "p": 1, "t": 1},
    });
    let file = python.ask(&request)["file"].as_str().unwrap().as_bytes().to_vec();
    let keys = KeyFile::read(&file).unwrap().unlock(PASSPHRASE).unwrap();
    assert_eq!(seed_of(&keys.signing), request["signing_seed"]);
    assert_eq!(private(&keys.opening), request["sealing_private"]);
    assert!(KeyFile::read(&[&file, b"\r\n \n".as_slice()].concat()).is_ok());
    assert!(KeyFile::read(&file).unwrap().unlock(b"another passphrase").is_err());
    Party { file, code: code.to_owned(), keys }
}

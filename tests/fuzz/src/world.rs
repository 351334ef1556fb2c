//! The fixed surroundings of a target: keys, an agreement and a roster that asks about three people.

use protocol::Document;
use protocol::agreement::{Agreement, AgreementInForce, Centre, Institution};
use protocol::answer::Answer;
use protocol::copy::AnswerCopy;
use protocol::joining::InstitutionKind;
use protocol::roster::{AcceptedRoster, Entry, Field, KemName, Level, PrfName, Roster, SuiteName};
use protocol::secret::{SigningKey, TokenKey};
use protocol::slot;
use protocol::token::Prf;
use protocol::value::{Base64, Digest, RosterId, SealingKey, Time};

/// 2026-11-22T08:00:00Z.
pub(crate) const NOW: u64 = 1_795_334_400;

/// Who is asked about.
pub(crate) const PEOPLE: [&str; 3] = ["11010519491231002X", "440524188001010014", "110105199003072311"];

pub(crate) fn now() -> Time {
    Time::from_unix(NOW).unwrap()
}

pub(crate) fn key(n: u8) -> SigningKey {
    SigningKey::from_seed(&[n; 32])
}

pub(crate) fn prf() -> Prf {
    Prf::new(PrfName::Blake3, TokenKey::from_bytes(&[7; 32]))
}

pub(crate) fn every_field(level: Level) -> Vec<Field> {
    use Field::{Account, Accounts, Amount, BalanceDate, Name, Product, Status};
    let every = [Account, Accounts, Amount, BalanceDate, Name, Product, Status];
    every.into_iter().filter(|field| field.allowed_at(level)).collect()
}

/// Terms that permit whatever a roster may ask; the centre signs with key 1, the institution with key 2.
pub(crate) fn terms() -> Agreement {
    let sealing_key = SealingKey([1; 32]);
    Agreement {
        approval_required: false,
        approver_keys: Vec::new(),
        centre: Centre {
            code: "centre".parse().unwrap(),
            name: "核对中心".parse().unwrap(),
            sealing_key,
            signing_key: key(1).public(),
        },
        compliance_key: None,
        cosigner_key: None,
        fields: every_field(Level::L2),
        institution: Institution {
            code: "bank".parse().unwrap(),
            kind: InstitutionKind::Bank,
            name: "银行".parse().unwrap(),
            sealing_key,
            signing_key: key(2).public(),
        },
        level: Level::L2,
        number: "2026-1".parse().unwrap(),
        page_sha256: None,
        prfs: vec![PrfName::Blake3, PrfName::HmacSha256],
        purpose: "核对".parse().unwrap(),
        suites: vec![SuiteName::Keyed],
        valid_from: "2026-01-01".parse().unwrap(),
        valid_to: "2027-12-31".parse().unwrap(),
    }
}

pub(crate) fn in_force(digest: Digest) -> AgreementInForce {
    AgreementInForce { terms: terms(), digest }
}

/// An answer without slots that a copy belongs to, by the same institution.
pub(crate) fn answer(copy: &AnswerCopy) -> Document<Answer> {
    let level = Level::L1;
    let header = Answer {
        body_bytes: 80 + 4_112,
        body_sha256: Digest([0; 32]),
        created: copy.created,
        institution: copy.institution.clone(),
        module_release: "0.1.0".parse().unwrap(),
        module_sha256: Digest([0; 32]),
        roster: copy.roster,
        roster_id: RosterId([0; 16]),
        slot_count: 0,
        slot_size: u32::try_from(slot::size(level)).unwrap(),
        version: 1,
    };
    Document { header, digest: copy.answer, signers: vec![key(1).public()], body: vec![0; 80 + 4_112] }
}

/// A roster that asks everything of `level` about [`PEOPLE`], as it is after its checks.
pub(crate) fn roster(level: Level) -> AcceptedRoster {
    let prf = prf();
    let mut entries: Vec<Entry> = PEOPLE
        .iter()
        .zip(0..)
        .map(|(number, slot)| Entry {
            token: prf.resident_token(number.as_bytes().try_into().unwrap()).0,
            slot,
            folded_tag: [0; 2],
            exact_tag: 0,
            ordinal: 0,
        })
        .collect();
    entries.sort_by_key(|entry| entry.token);
    let roster = Roster {
        agreement: Digest([3; 32]),
        as_of: "2026-10-31".parse().unwrap(),
        authorisations_root: Digest([0; 32]),
        body_bytes: 72,
        body_sha256: Digest([0; 32]),
        entry_count: 3,
        expires: Time::from_unix(NOW + 86_400).unwrap(),
        fields: every_field(level),
        id: RosterId([0; 16]),
        income_from: None,
        income_to: None,
        institution: "bank".parse().unwrap(),
        issued: now(),
        kem: KemName::X25519,
        legal_basis: "-".parse().unwrap(),
        level,
        line: None,
        module_minimum: "0.1.0".parse().unwrap(),
        opening_groups: Vec::new(),
        prf: PrfName::Blake3,
        purpose: "-".parse().unwrap(),
        serial: 1,
        slot_count: 64,
        slot_size: u32::try_from(slot::size(level)).unwrap(),
        suite: SuiteName::Keyed,
        ticket: Base64(Vec::new()),
        token_key: Base64(Vec::new()),
    };
    AcceptedRoster { roster, digest: Digest([4; 32]), entries }
}

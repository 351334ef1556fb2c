//! Parties, agreements and people for the tests.

use protocol::agreement::{Agreement, AgreementInForce};
use protocol::envelope::{self, Document};
use protocol::hedge::{Stream, Use};
use protocol::joining::{InstitutionKind, JoiningRequest};
use protocol::key_file::Keys;
use protocol::roster::{Field, Level, PrfName};
use protocol::secret::{Entropy, OpeningKey, SigningKey};
use protocol::value::{Date, Digest, SealingKey, Time};

use crate::agreement_maker::{self, Terms};
use crate::applicants::Applicants;
use crate::roster_maker::RosterRequest;

pub(crate) fn today() -> Date {
    "2026-11-22".parse().unwrap()
}

pub(crate) fn now() -> Time {
    "2026-11-22T08:00:00Z".parse().unwrap()
}

pub(crate) fn entropy(n: u8) -> Entropy {
    Entropy::new(&[n; 32]).unwrap()
}

pub(crate) fn keys(n: u8) -> Keys {
    let mut stream = Stream::new(Use::KeyFile, &entropy(n), &Digest::of(b""), b"");
    Keys { signing: SigningKey::from_seed(&stream.array()), opening: OpeningKey::make(&mut stream) }
}

/// A joining request of `of`, signed by `signer`.
pub(crate) fn joining(of: &Keys, signer: &Keys) -> Vec<u8> {
    let request = JoiningRequest {
        code: "bank-1".parse().unwrap(),
        issued: now(),
        kind: InstitutionKind::Bank,
        name: "第一银行".parse().unwrap(),
        sealing_key: of.opening.public(),
        signing_key: of.signing.public(),
    };
    envelope::write(&request, b"", &[&signer.signing]).unwrap()
}

pub(crate) fn terms() -> Terms {
    Terms {
        number: "协-1".parse().unwrap(),
        purpose: "最低生活保障".parse().unwrap(),
        level: Level::L1,
        fields: vec![Field::Name, Field::Amount, Field::Accounts, Field::BalanceDate],
        prfs: vec![PrfName::Blake3],
        valid_from: "2026-01-01".parse().unwrap(),
        valid_to: "2026-12-31".parse().unwrap(),
        approver_keys: Vec::new(),
        compliance_key: None,
        cosigner_key: None,
        page_sha256: None,
    }
}

pub(crate) fn proposal(centre: &Keys, bank: &Keys, change: impl FnOnce(&mut Terms)) -> Vec<u8> {
    let mut terms = terms();
    change(&mut terms);
    let (code, name) = ("centre-1".parse().unwrap(), "核对中心".parse().unwrap());
    agreement_maker::propose(&joining(bank, bank), &code, &name, centre, terms).unwrap()
}

pub(crate) fn signed(centre: &Keys, bank: &Keys, change: impl FnOnce(&mut Terms)) -> Document<Agreement> {
    let signed = agreement_maker::countersign(&proposal(centre, bank, change), bank).unwrap();
    Document::read(&signed).unwrap()
}

pub(crate) fn agreement(centre: &Keys, bank: &Keys) -> AgreementInForce {
    signed(centre, bank, |_| {}).check(today()).unwrap()
}

pub(crate) fn request(opening_groups: Vec<Vec<SealingKey>>) -> RosterRequest {
    RosterRequest {
        level: Level::L1,
        fields: vec![Field::Name, Field::Amount, Field::Accounts, Field::BalanceDate],
        line: None,
        opening_groups,
        serial: 1,
        issued: now(),
        expires: Time::from_unix(now().unix() + 30 * 86_400).unwrap(),
        as_of: today(),
        income: None,
        purpose: "最低生活保障".parse().unwrap(),
        legal_basis: "社会救助暂行办法第五十八条".parse().unwrap(),
        prf: PrfName::Blake3,
        module_minimum: "0.1.0".parse().unwrap(),
    }
}

/// The n-th citizen: a valid number.
pub(crate) fn number(n: u32) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let body = format!("110105{}0101{:03}", 1900 + n / 1000, n % 1000);
    let sum: u32 = body.bytes().zip(WEIGHTS).map(|(b, w)| u32::from(b - b'0') * w).sum();
    format!("{body}{}", char::from(b"10X98765432"[(sum % 11) as usize]))
}

/// A file of `people` people; every third has a former number when `former` is set.
pub(crate) fn csv(people: u32, former: bool) -> String {
    let row = |n: u32| {
        let former = if former && n.is_multiple_of(3) { number(50_000 + n) } else { String::new() };
        format!("张{n},{},授-{n},户-{},{former}\n", number(n), n / 3)
    };
    "姓名,身份证号,授权书编号,户号,曾用号码\n".to_owned() + &(1..=people).map(row).collect::<String>()
}

pub(crate) fn applicants(people: u32, former: bool) -> Applicants {
    Applicants::read(csv(people, former).as_bytes(), today()).unwrap()
}

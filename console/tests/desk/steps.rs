//! What an office does from a file to a roster on its way, and who it does it with: shared by the stories.

use std::sync::OnceLock;

use console::Centre;
use desk::agreement_maker::{self, Terms};
use protocol::envelope;
use protocol::hedge::{Stream, Use};
use protocol::joining::{InstitutionKind, JoiningRequest};
use protocol::key_file::{KeyFile, Keys, Role as KeyRole};
use protocol::roster::{Field, Level, PrfName};
use protocol::secret::{Entropy, OpeningKey, SigningKey};
use protocol::{Digest, Time};

use crate::office::{Office, Person};

pub(crate) const CENTRE_PASSPHRASE: &str = "centre's words";

/// The centre's key file, and the centre with its keys.
pub(crate) fn the_centre() -> (Vec<u8>, Centre) {
    let (file, seed, opening) = centre_secrets();
    let keys = Keys { signing: SigningKey::from_seed(seed), opening: OpeningKey::from_bytes(opening) };
    let (code, name) = ("centre-1".parse().unwrap(), "核对中心".parse().unwrap());
    (file.clone(), Centre { code, name, keys })
}

fn centre_secrets() -> &'static (Vec<u8>, [u8; 32], [u8; 32]) {
    static MADE: OnceLock<(Vec<u8>, [u8; 32], [u8; 32])> = OnceLock::new();
    MADE.get_or_init(|| {
        let entropy = Entropy::new(&[1; 32]).unwrap();
        let (code, name) = ("centre-1".parse().unwrap(), "核对中心".parse().unwrap());
        let made =
            KeyFile::make(KeyRole::Centre, code, name, CENTRE_PASSPHRASE.as_bytes(), &entropy).unwrap();
        // EXPOSE: a test's own key, kept so that its passphrase costs once.
        (made.0.write().unwrap(), *made.1.signing.expose(), *made.1.opening.expose())
    })
}

/// Keys of the `n`th party.
pub(crate) fn keys(n: u8) -> Keys {
    let entropy = Entropy::new(&[n; 32]).unwrap();
    let mut stream = Stream::new(Use::KeyFile, &entropy, &Digest::of(b""), b"");
    Keys { signing: SigningKey::from_seed(&stream.array()), opening: OpeningKey::make(&mut stream) }
}

pub(crate) fn agreement(change: impl FnOnce(&mut Terms)) -> Vec<u8> {
    agreement_with("bank-1", "第一银行", change)
}

/// An agreement with an institution; all have the same keys.
pub(crate) fn agreement_with(code: &str, name: &str, change: impl FnOnce(&mut Terms)) -> Vec<u8> {
    let bank = keys(2);
    let request = JoiningRequest {
        code: code.parse().unwrap(),
        issued: Time::from_unix(1_793_000_000).unwrap(),
        kind: InstitutionKind::Bank,
        name: name.parse().unwrap(),
        sealing_key: bank.opening.public(),
        signing_key: bank.signing.public(),
    };
    let joining = envelope::write(&request, b"", &[&bank.signing]).unwrap();
    let mut terms = Terms {
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
    };
    change(&mut terms);
    let (code, name) = ("centre-1".parse().unwrap(), "核对中心".parse().unwrap());
    let proposal = agreement_maker::propose(&joining, &code, &name, &the_centre().1.keys, terms).unwrap();
    agreement_maker::countersign(&proposal, &bank).unwrap()
}

/// The n-th citizen: a valid number.
pub(crate) fn number(n: u32) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let (area, n) = (110_105 + n / 70_000, n % 70_000);
    let body = format!("{area}{}0101{:03}", 1930 + n / 1000, n % 1000);
    let sum: u32 = body.bytes().zip(WEIGHTS).map(|(b, w)| u32::from(b - b'0') * w).sum();
    format!("{body}{}", char::from(b"10X98765432"[(sum % 11) as usize]))
}

pub(crate) const NAMES: [&str; 4] = ["欧阳建国", "司徒美兰", "诸葛小平", "慕容志强"];

/// One household of `people` for each of `households`.
pub(crate) fn file(households: u32, people: u32) -> String {
    let mut text = console::cases::template::blank();
    for household in 0..households {
        for member in 0..people {
            let n = household * people + member;
            let name = NAMES[n as usize % NAMES.len()];
            let relation = if member == 0 { "户主" } else { "子女" };
            text.push_str(&format!(
                "WT-1,H-{household},城关镇,,新申请,2026-10-20,2026-04-01,2026-09-30,{name},,{},,{relation},共同生活,SQ-{n},本人,2026-10-01,银行、证券,合计\n",
                number(n)
            ));
        }
    }
    text
}

pub(crate) async fn import(person: &mut Person<'_>, text: &str) -> String {
    let reply = person.upload("/import", &[], ("file", "a.csv", text.as_bytes())).await;
    let at = reply.location().to_owned();
    assert!(at.starts_with("/import/"), "{}", reply.text);
    loop {
        let page = person.get(&at).await;
        if page.headers.get("refresh").is_none() {
            return page.text;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

pub(crate) async fn count(office: &Office, what: &'static str) -> i64 {
    sqlx::query_scalar(what).fetch_one(office.console.store().read()).await.unwrap()
}

/// Dispatches to every institution that is offered.
pub(crate) async fn dispatch(person: &mut Person<'_>, batch: &str, level: &str) -> crate::office::Reply {
    let one_time = person.one_time();
    let fields = [("institution", "1"), ("level", level), ("one_time", one_time.as_str())];
    person.post(&format!("{batch}/dispatch"), &fields).await
}

pub(crate) async fn make_batch(person: &mut Person<'_>) -> String {
    let fields = [("as_of", "2026-10-20"), ("from", "2026-04-01"), ("to", "2026-09-30")];
    let reply = person.post("/batches", &fields).await;
    assert!(reply.location().starts_with("/batches/"), "{}", reply.text);
    reply.location().to_owned()
}

pub(crate) async fn agree(person: &mut Person<'_>, change: impl FnOnce(&mut Terms)) -> crate::office::Reply {
    let document = agreement(change);
    person.upload("/institutions", &[], ("agreement", "bank.agreement.hedui", &document)).await
}

/// Another person accepts all that waits, and confirms the agreements.
pub(crate) async fn second(other: &mut Person<'_>) {
    let accepted = other.post("/cases/accept", &[]).await;
    assert_eq!(accepted.location(), "/cases?state=received", "{}", accepted.text);
    for id in 1..=2 {
        let path = format!("/agreements/{id}/confirm");
        other.post(&path, &[]).await;
    }
}

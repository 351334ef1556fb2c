//! SPEC §4.4 and §6.4: answers sealed on one side and opened on the other.

use desk::agreement_maker::{self, Terms};
use e2e::exchange::{Centre, Party, Relation, Setup, date, in_force, now, text};
use e2e::world::{Sizes, World};
use protocol::answer::Answer;
use protocol::answer_seal::{self, Maker, OpenedAnswer, SealedAnswer, Slots};
use protocol::envelope::{self, Document};
use protocol::key_file::Role;
use protocol::roster::{Level, PrfName, Roster, RosterContext};
use protocol::secret::{Entropy, OpeningKey};
use protocol::slot::{self, Slot};
use protocol::value::Digest;
use serde_json::{Value, json};

use crate::fixture::{ENTROPY, Exchange, TINY, exchange, full, hit_only, joining};
use e2e::python::{Python, b64, private, seed_of};

/// Opens with the Rust side.
pub(crate) fn open(answer: &[u8], relation: &Relation, keys: &[&OpeningKey]) -> OpenedAnswer {
    let roster = Document::<Roster>::read(&relation.roster).unwrap();
    let answer = Document::<Answer>::read(answer).unwrap();
    answer_seal::open(answer, &roster.header, &roster.digest, &in_force(&relation.agreement), keys).unwrap()
}

fn open_answer(answer: &[u8], relation: &Relation, keys: &[&OpeningKey]) -> Value {
    let keys: Vec<_> = keys.iter().map(|key| private(key)).collect();
    json!({
        "op": "open_answer", "answer": b64(answer), "roster": b64(&relation.roster),
        "agreement": b64(&relation.agreement), "officer_keys": keys,
    })
}

pub(crate) fn slot_bytes(slot: &Slot, level: Level) -> Vec<u8> {
    let mut bytes = vec![0; slot::size(level)];
    slot.encode(level, &mut bytes);
    bytes
}

/// Both sides open the answer and find the same; gives the number of applicants found.
pub(crate) fn open_alike(
    python: &mut Python,
    answer: &[u8],
    relation: &Relation,
    keys: &[&OpeningKey],
    level: Level,
) -> usize {
    let opened = open(answer, relation, keys);
    let reply = python.ask(&open_answer(answer, relation, keys));
    assert_eq!(reply["coverage"], serde_json::to_value(&opened.coverage).unwrap());
    let found: Vec<_> = (0..).zip(&opened.slots).filter(|(_, slot)| **slot != Slot::default()).collect();
    assert_eq!(reply["slots"].as_array().unwrap().len(), found.len());
    for ((index, slot), reply) in found.iter().zip(reply["slots"].as_array().unwrap()) {
        assert_eq!(reply["slot"], json!(index));
        assert_eq!(reply["bytes"], hex::encode(slot_bytes(slot, level)));
        assert_eq!(reply["outcome"], if slot.found { "found" } else { "no_record" });
        assert_eq!(reply["rows"], slot.rows);
        let ordinals: Vec<u8> = (0..8).filter(|i| slot.ordinals >> i & 1 == 1).collect();
        assert_eq!(reply["ordinals"], json!(ordinals));
        let totals: Vec<_> = slot
            .totals
            .iter()
            .map(|t| json!([t.currency, t.minor, t.accounts, t.blank, t.oldest, t.newest]))
            .collect();
        let theirs: Vec<_> = reply["totals"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| json!([t["currency"], t["minor"], t["accounts"], t["blank"], t["oldest"], t["newest"]]))
            .collect();
        assert_eq!(theirs, totals);
        let accounts: Vec<_> =
            slot.accounts.iter().map(|a| json!([a.account, a.product, a.minor, a.date])).collect();
        let theirs: Vec<_> = reply["accounts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| json!([a["account"], a["product"], a["minor"], a["date"]]))
            .collect();
        assert_eq!(theirs, accounts);
    }
    opened.slots.iter().filter(|slot| slot.found).count()
}

#[test]
fn python_opens_what_rust_sealed() {
    let mut python = Python::start();
    for setup in [hit_only(), Setup::default(), full()] {
        let Exchange { centre, relation, answer, .. } = exchange(setup, Sizes::small());
        let officers: Vec<_> = centre.officers.iter().map(|officer| &officer.keys.opening).collect();
        let groups: Vec<Vec<&OpeningKey>> = match officers.as_slice() {
            [a, b, c] => vec![vec![a, b], vec![a, c], vec![b, c]],
            alone => vec![alone.to_vec()],
        };
        for group in groups {
            let found = open_alike(&mut python, &answer, &relation, &group, centre.setup.level);
            assert!(found > 20, "{found} applicants found");
        }
        let too_few: Vec<&OpeningKey> =
            if officers.len() == 3 { vec![officers[1]] } else { vec![&relation.party.keys.opening] };
        let refused = python.ask_all(&[open_answer(&answer, &relation, &too_few)]).remove(0);
        assert_eq!(refused["field"], "officer_keys");
    }
}

/// Slots that lie in memory, in clear.
struct Clear(Vec<u8>, usize);

impl Slots for Clear {
    fn write(&self, index: u32, out: &mut [u8]) {
        out.copy_from_slice(self.0.chunks(self.1).nth(usize::try_from(index).unwrap()).unwrap());
    }
}

#[test]
fn both_seal_the_same_answer_to_the_byte() {
    let mut python = Python::start();
    for (setup, with_others) in
        [(hit_only(), false), (Setup::default(), true), (full(), false), (full(), true)]
    {
        let Exchange { centre, mut relation, run, .. } = exchange(setup, TINY);
        let keys: Vec<_> = match centre.officers.as_slice() {
            [a, _, c] => vec![&a.keys.opening, &c.keys.opening],
            all => vec![&all[0].keys.opening],
        };
        let level = centre.setup.level;
        let unapproved = Document::<Answer>::read(&run.answer).unwrap();
        let approved = envelope::co_sign(&run.answer, &relation.approver.keys.signing).unwrap();
        let opened = open(&approved, &relation, &keys);
        if with_others {
            relation = ask_with_others(&centre, relation);
        }
        let slots: Vec<u8> = opened.slots.iter().flat_map(|slot| slot_bytes(slot, level)).collect();
        let roster = Document::<Roster>::read(&relation.roster).unwrap();
        let terms = in_force(&relation.agreement);
        let context = RosterContext { now: now(), last_serial: 0, release: None };
        let accepted = roster.check(&terms, &context).unwrap();
        let maker = Maker {
            key: &relation.party.keys.signing,
            created: unapproved.header.created,
            version: unapproved.header.version,
            module_release: unapproved.header.module_release,
            module_sha256: unapproved.header.module_sha256,
        };
        let entropy = Entropy::new(&ENTROPY).unwrap();
        let clear = Clear(slots.clone(), slot::size(level));
        let mut sealed =
            SealedAnswer::make(&accepted, &terms, &maker, &opened.coverage, clear, &entropy).unwrap();
        let mut ours = Vec::new();
        loop {
            let piece = sealed.read();
            if piece.is_empty() {
                break;
            }
            ours.extend(piece);
        }
        let theirs = python.document(&json!({
            "op": "make_answer", "roster": b64(&relation.roster), "agreement": b64(&relation.agreement),
            "created": maker.created, "module_release": maker.module_release.to_string(),
            "module_sha256": maker.module_sha256, "version": maker.version,
            "coverage": serde_json::to_value(&opened.coverage).unwrap(), "slots": b64(&slots),
            "entropy": hex::encode(ENTROPY), "signing_seed": seed_of(maker.key),
        }));
        assert!(ours == theirs, "the bytes differ");
        assert!(with_others || run.answer == theirs, "the bytes differ from the session's");
    }
}

/// The same question under an agreement with a compliance office and a second organisation.
fn ask_with_others(centre: &Centre, relation: Relation) -> Relation {
    let (compliance, cosigner) =
        (Party::new(Role::Officer, "compliance", 60), Party::new(Role::Cosigner, "second", 61));
    let terms = Terms {
        number: text("保密-2026-2"),
        purpose: text("社会救助家庭经济状况核对"),
        level: Level::L2,
        fields: full().fields,
        prfs: vec![PrfName::Blake3, PrfName::HmacSha256],
        valid_from: date("2026-11-22"),
        valid_to: date("2026-11-22"),
        approver_keys: Vec::new(),
        compliance_key: Some(compliance.keys.opening.public()),
        cosigner_key: Some(cosigner.keys.signing.public()),
        page_sha256: Some(Digest::of(b"page")),
    };
    let code = centre.party.code.parse().unwrap();
    let proposal = agreement_maker::propose(
        &joining(&relation.party),
        &code,
        &text("核对中心"),
        &centre.party.keys,
        terms,
    )
    .unwrap();
    let agreement = agreement_maker::countersign(&proposal, &relation.party.keys).unwrap();
    let applicants = World::new(7, TINY).applicants_csv();
    let roster = centre.roster(&agreement, &applicants, 2, now(), 1);
    let roster = envelope::co_sign(&roster, &cosigner.keys.signing).unwrap();
    Relation { agreement, roster, ..relation }
}

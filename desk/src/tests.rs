//! Whole exchanges at the desk: rosters made, answered by hand-made slots, opened.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use protocol::agreement::AgreementInForce;
use protocol::answer_seal::{Maker, SealError, SealedAnswer, Slots};
use protocol::coverage::{Coverage, Encoding};
use protocol::envelope::{self, Document};
use protocol::error::CheckError;
use protocol::hedge::{Stream, Use};
use protocol::key_file::Keys;
use protocol::label::Label;
use protocol::roster::{AcceptedRoster, Field, Level, Line, Roster, RosterContext, read_entries};
use protocol::seal;
use protocol::secret::TokenKey;
use protocol::slot::{AssetKind, Slot, Total};
use protocol::token::Prf;
use protocol::value::{Currency, Digest, SealingKey};

use crate::applicants::Applicants;
use crate::sample::{self, entropy, keys};
use crate::table::{Entry, WarningCode};
use crate::{MakeError, Masking, OpenError, PlanError, Question, RosterRequest, make_roster, open_answers};

/// Everyone in a story: the centre, the bank, three officers.
struct Cast {
    centre: Keys,
    bank: Keys,
    officers: [Keys; 3],
}

impl Cast {
    fn new() -> Self {
        Self { centre: keys(1), bank: keys(2), officers: [keys(11), keys(12), keys(13)] }
    }

    fn agreement(&self) -> AgreementInForce {
        sample::agreement(&self.centre, &self.bank)
    }

    fn officer(&self, n: usize) -> SealingKey {
        self.officers[n].opening.public()
    }

    fn one_group(&self) -> Vec<Vec<SealingKey>> {
        vec![vec![self.officer(0)]]
    }

    fn pairs(&self) -> Vec<Vec<SealingKey>> {
        [(0, 1), (0, 2), (1, 2)].map(|(a, b)| vec![self.officer(a), self.officer(b)]).into()
    }

    fn roster(&self, applicants: &Applicants, request: &RosterRequest, n: u8) -> Vec<u8> {
        make_roster(request, &self.agreement(), applicants, &self.centre, &entropy(n)).unwrap()
    }

    fn question(&self, roster: &[u8], csv: &str) -> Result<Question, OpenError> {
        let agreement = sample::signed(&self.centre, &self.bank, |_| {});
        Question::read(roster, &[agreement], csv.as_bytes())
    }

    /// What the bank's module does: opens the token key and answers for its customers.
    fn answer(&self, roster: &[u8], bank: &Bank) -> Vec<u8> {
        let agreement = self.agreement();
        let document = Document::<Roster>::read(roster).unwrap();
        let context = RosterContext { now: sample::now(), last_serial: 0, release: None };
        let accepted = document.check(&agreement, &context).unwrap();
        let slots = bank.slots(&accepted, &agreement, &self.bank);
        let maker = Maker {
            key: &self.bank.signing,
            created: sample::now(),
            version: bank.version,
            module_release: "0.1.0".parse().unwrap(),
            module_sha256: Digest::of(b"module"),
        };
        let mut sealed =
            SealedAnswer::make(&accepted, &agreement, &maker, &coverage(), slots, &entropy(99)).unwrap();
        let mut out = Vec::new();
        loop {
            let piece = sealed.read();
            if piece.is_empty() {
                return out;
            }
            out.extend(piece);
        }
    }
}

fn coverage() -> Coverage {
    Coverage {
        balance_date: None,
        columns: vec!["id_number".into()],
        encoding: Encoding::Utf8,
        files: Vec::new(),
        grain: Default::default(),
        normalised: BTreeMap::new(),
        not_personal: 1,
        quarantined: BTreeMap::from([("empty".to_owned(), 2)]),
        rows: 10,
        skipped: BTreeMap::new(),
        valid: 7,
    }
}

/// A bank whose customers are numbers, each with a deposit.
struct Bank {
    customers: BTreeMap<String, i64>,
    version: u32,
    /// Answers for this many slots that none of its customers has.
    invented: usize,
}

struct Found(BTreeMap<u32, Slot>);

impl Slots for Found {
    fn write(&self, index: u32, out: &mut [u8]) {
        let level = if out.len() == 16 { Level::L0 } else { Level::L1 };
        self.0.get(&index).cloned().unwrap_or_default().encode(level, out);
    }
}

impl Bank {
    fn of(customers: impl IntoIterator<Item = (String, i64)>) -> Self {
        Self { customers: customers.into_iter().collect(), version: 1, invented: 0 }
    }

    fn slots(&self, accepted: &AcceptedRoster, agreement: &AgreementInForce, keys: &Keys) -> Found {
        let roster = &accepted.roster;
        let info = Label::TokenKey.bytes(&[roster.id.as_bytes(), agreement.digest.as_bytes()]);
        let key = seal::open(&keys.opening, &info, &roster.token_key.0, "token key").unwrap();
        let prf = Prf::new(roster.prf, TokenKey::from_bytes(key.as_slice().try_into().unwrap()));
        let entries: BTreeMap<[u8; 16], _> = accepted.entries.iter().map(|e| (e.token, e)).collect();
        let mut slots = BTreeMap::new();
        for (number, minor) in &self.customers {
            let subject = protocol::subject::resident(number.as_bytes().try_into().unwrap());
            let Some(entry) = entries.get(&prf.token(&subject).0) else { continue };
            let total = Total {
                kind: AssetKind::Deposit,
                currency: Currency::CNY,
                minor: *minor,
                accounts: 1,
                blank: 0,
                oldest: 20_261_031,
                newest: 20_261_101,
            };
            let slot: &mut Slot = slots.entry(entry.slot).or_default();
            slot.found = true;
            slot.ordinals |= 1 << entry.ordinal;
            if roster.level > Level::L0 {
                slot.totals.push(total);
            }
        }
        let honest = slots.len();
        for index in 0..roster.slot_count {
            if slots.len() < honest + self.invented {
                slots.entry(index).or_insert(Slot { found: true, ..Slot::default() });
            }
        }
        Found(slots)
    }
}

fn entries(roster: &[u8]) -> (Roster, Vec<protocol::roster::Entry>) {
    let document = Document::<Roster>::read(roster).unwrap();
    let entries = read_entries(&document.header, &document.body).unwrap();
    (document.header, entries)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn every_finding_arrives_at_its_applicant(people in 1_u32..150, seed in 1_u8.., former: bool, order: bool) {
        let cast = Cast::new();
        let mut csv = sample::csv(people, former);
        let applicants = Applicants::read(csv.as_bytes(), sample::today()).unwrap();
        let roster = cast.roster(&applicants, &sample::request(cast.one_group()), seed);
        // Every second applicant is a customer, some under the former number only; so are strangers.
        let customer = |n: u32| {
            let n_known = if former && n.is_multiple_of(3) { 50_000 + n } else { n };
            (sample::number(n_known), i64::from(n) - 40)
        };
        let known: Vec<u32> = (1..=people).filter(|n| n.is_multiple_of(2)).collect();
        let strangers = (0..50).map(|n| (sample::number(90_000 + n), 1));
        let bank = Bank::of(known.iter().map(|n| customer(*n)).chain(strangers));
        let answer = cast.answer(&roster, &bank);

        if order {
            // The order of the file says nothing about who is in it.
            let (header, rows) = csv.split_once('\n').unwrap();
            let mut rows: Vec<&str> = rows.lines().collect();
            rows.reverse();
            csv = format!("{header}\n{}\n", rows.join("\n"));
        }
        let question = cast.question(&roster, &csv).unwrap();
        let officer = &cast.officers[0].opening;
        let table = open_answers(&[question], vec![answer], &cast.centre.opening, &[officer]).unwrap();
        prop_assert_eq!(table.rows.len(), people as usize);
        prop_assert_eq!(&table.warnings, &[]);
        prop_assert!(table.rows.is_sorted_by_key(|row| row.applicant_row));
        for row in &table.rows {
            let n: u32 = row.name.trim_start_matches('张').parse().unwrap();
            prop_assert_eq!(&row.id_number, &sample::number(n));
            let expected = known.contains(&n).then(|| i64::from(n) - 40);
            prop_assert_eq!((row.found, row.minor), (Some(expected.is_some()), expected));
            let with = if former && n.is_multiple_of(3) { "former:1" } else { "current" };
            prop_assert_eq!(row.matched.first().map(String::as_str), expected.map(|_| with));
        }
    }

    #[test]
    fn rosters_of_a_class_look_alike(people in 1_u32..=128, former: bool, seed in 1_u8..) {
        let cast = Cast::new();
        let request = sample::request(cast.pairs());
        let first = cast.roster(&sample::applicants(people, former), &request, seed);
        let (header, found) = entries(&first);
        let class = people.next_power_of_two().max(64);
        prop_assert!(header.slot_count == class || former && header.slot_count == 2 * class);
        prop_assert_eq!(found.len(), header.slot_count as usize * 5 / 4);
        let pairs: BTreeSet<(u32, u8)> = found.iter().map(|e| (e.slot, e.ordinal)).collect();
        prop_assert_eq!(pairs.len(), found.len(), "a slot's ordinals differ");
        for slot in 0..header.slot_count {
            let used = found.iter().filter(|e| e.slot == slot).count();
            prop_assert!((1..=8).contains(&used));
            prop_assert!((0..used).all(|ordinal| pairs.contains(&(slot, ordinal as u8))));
        }
        // A full roster of the class has the same length to the byte.
        let full = cast.roster(&sample::applicants(header.slot_count, false), &request, seed);
        prop_assert_eq!(first.len(), full.len());
    }
}

#[test]
fn two_rosters_of_the_same_people_share_nothing() {
    let cast = Cast::new();
    let (applicants, request) = (sample::applicants(40, true), sample::request(cast.one_group()));
    let tokens = |n| entries(&cast.roster(&applicants, &request, n)).1.into_iter().map(|e| e.token).collect();
    let (one, two): (BTreeSet<_>, BTreeSet<_>) = (tokens(1), tokens(2));
    assert!(one.is_disjoint(&two));
    assert_eq!(one, tokens(1), "the same inputs give the same roster");
    // The same entropy for another request gives another key all the same.
    let later = RosterRequest { serial: 2, ..request };
    let three = entries(&cast.roster(&applicants, &later, 1)).1.into_iter().map(|e| e.token).collect();
    assert!(one.is_disjoint(&three));
}

#[test]
fn what_nobody_asks_is_not_sent() {
    let cast = Cast::new();
    let applicants = sample::applicants(1, false);
    let request = RosterRequest { fields: vec![Field::Amount], ..sample::request(cast.one_group()) };
    let (header, found) = entries(&cast.roster(&applicants, &request, 1));
    let info = Label::TokenKey.bytes(&[header.id.as_bytes(), header.agreement.as_bytes()]);
    let key = seal::open(&cast.bank.opening, &info, &header.token_key.0, "token key").unwrap();
    let prf = Prf::new(header.prf, TokenKey::from_bytes(key.as_slice().try_into().unwrap()));
    let person = applicants.iter().next().unwrap();
    let token = prf.token(person.current().unwrap());
    let entry = found.iter().find(|e| e.token == token.0).unwrap();
    assert_ne!(entry.folded_tag, prf.name_tags(&token, &person.name).folded);
}

#[test]
fn any_two_of_three_officers_open_and_none_alone() {
    let cast = Cast::new();
    let csv = sample::csv(3, false);
    let roster = cast.roster(&sample::applicants(3, false), &sample::request(cast.pairs()), 1);
    let answer = cast.answer(&roster, &Bank::of([(sample::number(2), 500)]));
    let [a, b, c] = &cast.officers;
    let open = |officers: &[&Keys]| {
        let keys: Vec<_> = officers.iter().map(|k| &k.opening).collect();
        let question = cast.question(&roster, &csv).unwrap();
        open_answers(&[question], vec![answer.clone()], &cast.centre.opening, &keys)
    };
    for pair in [[a, b], [b, a], [a, c], [b, c]] {
        assert_eq!(open(&pair).unwrap().rows[1].minor, Some(500));
    }
    for alone in [a, b, c] {
        assert_eq!(open(&[alone]).unwrap_err(), OpenError::Officers);
    }
    assert_eq!(open(&[&cast.centre, &cast.bank]).unwrap_err(), OpenError::Officers);
}

#[test]
fn the_latest_version_counts() {
    let cast = Cast::new();
    let csv = sample::csv(1, false);
    let roster = cast.roster(&sample::applicants(1, false), &sample::request(cast.one_group()), 1);
    let version = |version, minor| {
        let bank = Bank { version, ..Bank::of([(sample::number(1), minor)]) };
        cast.answer(&roster, &bank)
    };
    let open = |answers| {
        let question = cast.question(&roster, &csv).unwrap();
        open_answers(&[question], answers, &cast.centre.opening, &[&cast.officers[0].opening])
    };
    let table = open(vec![version(2, 20), version(1, 10), version(2, 20)]).unwrap();
    let answer = table.coverage[0].answer.clone().unwrap();
    assert_eq!((table.rows[0].minor, answer.version, answer.superseded), (Some(20), 2, 1));
    let conflict = open(vec![version(2, 20), version(2, 30)]).unwrap_err();
    assert_eq!(conflict, OpenError::Conflict { index: 0, other: 1, version: 2 });

    let nothing = open(Vec::new()).unwrap();
    assert_eq!(nothing.rows[0].found, None, "no answer is not the answer `no record`");
    assert!(nothing.to_screen(Masking::Masked).contains("no answer yet"));
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let cast = Cast::new();
    let (csv, applicants) = (sample::csv(9, true), sample::applicants(9, true));
    let request = sample::request(cast.one_group());
    let (roster, other) = (cast.roster(&applicants, &request, 1), cast.roster(&applicants, &request, 2));
    let bank = Bank::of([(sample::number(1), 1)]);
    let open = |roster: &[u8], csv: &str, answer: Vec<u8>, centre: &Keys| {
        let question = cast.question(roster, csv)?;
        open_answers(&[question], vec![answer], &centre.opening, &[&cast.officers[0].opening])
    };
    let good = || cast.answer(&roster, &bank);
    assert!(open(&roster, &csv, good(), &cast.centre).is_ok());

    let error = open(&roster, &csv, cast.answer(&other, &bank), &cast.centre).unwrap_err();
    assert_eq!(error, OpenError::Answer { index: 0, error: CheckError::WrongRoster.into() });

    let error = open(&roster, &csv, good(), &keys(5)).unwrap_err();
    assert_eq!(error, PlanError::Ticket(CheckError::Seal("ticket")).into());

    for (from, to, expected) in [
        ("授-3,", "授-33,", PlanError::OtherApplicants),
        (sample::number(3).as_str(), sample::number(400).as_str(), PlanError::OtherApplicants),
        (sample::number(50_003).as_str(), sample::number(50_004).as_str(), PlanError::OtherNumbers),
        ("张3,", "章3,", PlanError::OtherNumbers),
    ] {
        let error = open(&roster, &csv.replace(from, to), good(), &cast.centre).unwrap_err();
        assert_eq!(error, expected.into());
    }
    let shorter = sample::csv(8, true);
    assert_eq!(open(&roster, &shorter, good(), &cast.centre).unwrap_err(), PlanError::OtherApplicants.into());

    // Another bank signs, a bit flips, the agreement is another one.
    let mut forged = Cast::new();
    forged.bank.signing = keys(6).signing;
    let error = open(&roster, &csv, forge(&forged, &good()), &cast.centre).unwrap_err();
    assert_eq!(error, OpenError::Answer { index: 0, error: CheckError::Signer("answer").into() });
    let mut flipped = good();
    *flipped.last_mut().unwrap() ^= 1;
    assert!(matches!(
        open(&roster, &csv, flipped, &cast.centre).unwrap_err(),
        OpenError::Answer { index: 0, error: SealError::Decode(_) }
    ));
    let agreement = sample::signed(&cast.centre, &cast.bank, |t| t.number = "协-2".parse().unwrap());
    let error = Question::read(&roster, &[agreement], csv.as_bytes()).unwrap_err();
    assert_eq!(error, CheckError::WrongAgreement.into());
}

/// The same answer under another signature.
fn forge(cast: &Cast, answer: &[u8]) -> Vec<u8> {
    let document = Document::<protocol::answer::Answer>::read(answer).unwrap();
    envelope::write(&document.header, &document.body, &[&cast.bank.signing]).unwrap()
}

#[test]
fn an_answer_for_nobody_is_reported() {
    let cast = Cast::new();
    let roster = cast.roster(&sample::applicants(4, false), &sample::request(cast.one_group()), 1);
    let bank = Bank { invented: 60, ..Bank::of([(sample::number(1), 1)]) };
    let question = cast.question(&roster, &sample::csv(4, false)).unwrap();
    let officer = &cast.officers[0].opening;
    let answers = vec![cast.answer(&roster, &bank)];
    let table = open_answers(&[question], answers, &cast.centre.opening, &[officer]).unwrap();
    assert_eq!(table.warnings.len(), 1);
    assert_eq!(table.warnings[0].code, WarningCode::DecoyAnswered);
    assert!(table.warnings[0].count >= 57);
}

#[test]
fn what_the_agreement_does_not_permit_is_not_signed() {
    let cast = Cast::new();
    let (applicants, good) = (sample::applicants(2, false), sample::request(cast.one_group()));
    let make = |request: RosterRequest| {
        let made = make_roster(&request, &cast.agreement(), &applicants, &cast.centre, &entropy(1));
        made.map(drop).unwrap_err()
    };
    let with = |change: &dyn Fn(&mut RosterRequest)| {
        let mut request = good.clone();
        change(&mut request);
        let error = make(request);
        (error.code(), error.field())
    };
    let is = |code: &'static str, field: &str| (code, field.to_owned());
    assert_eq!(with(&|r| r.level = Level::L2), is("not_permitted", "roster.level"));
    assert_eq!(with(&|r| r.fields.push(Field::Product)), is("member", "fields"));
    assert_eq!(with(&|r| r.prf = protocol::roster::PrfName::HmacSha256), is("not_permitted", "roster.prf"));
    assert_eq!(with(&|r| r.serial = 0), is("member", "serial"));
    assert_eq!(with(&|r| r.expires = r.issued), is("member", "expires"));
    assert_eq!(with(&|r| r.line = Some(Line { currency: Currency::CNY, minor: 1 })), is("member", "line"));
    assert_eq!(with(&|r| r.opening_groups.clear()), is("member", "opening_groups"));
    assert_eq!(
        with(&|r| r.opening_groups[0].push(cast.officer(0))),
        is("repeated_officer", "opening_groups")
    );
    let no_key = SealingKey([0; 32]);
    assert_eq!(with(&|r| r.opening_groups[0].push(no_key)), is("seal", "opening_groups"));
}

#[test]
fn another_centre_makes_no_roster() {
    let cast = Cast::new();
    let applicants = sample::applicants(2, false);
    let request = sample::request(cast.one_group());
    let error = make_roster(&request, &cast.agreement(), &applicants, &keys(5), &entropy(1)).unwrap_err();
    assert_eq!(error, MakeError::OtherCentre);
    let half = Keys { signing: keys(5).signing, opening: keys(1).opening };
    let error = make_roster(&request, &cast.agreement(), &applicants, &half, &entropy(1)).unwrap_err();
    assert_eq!(error, CheckError::Signer("roster").into());
}

#[test]
fn a_co_signed_roster_needs_both() {
    let (cast, township) = (Cast::new(), keys(7));
    let signed =
        || sample::signed(&cast.centre, &cast.bank, |t| t.cosigner_key = Some(township.signing.public()));
    let agreement = signed().check(sample::today()).unwrap();
    let (csv, request) = (sample::csv(2, false), sample::request(cast.one_group()));
    let roster =
        make_roster(&request, &agreement, &sample::applicants(2, false), &cast.centre, &entropy(1)).unwrap();
    let read = |roster: &[u8]| Question::read(roster, &[signed()], csv.as_bytes());
    assert_eq!(read(&roster).unwrap_err(), CheckError::MissingSignature("roster").into());
    assert!(read(&envelope::co_sign(&roster, &township.signing).unwrap()).is_ok());
}

#[test]
fn many_former_numbers_choose_the_next_class() {
    let cast = Cast::new();
    let row = |n: u32| {
        let former: Vec<String> = (1..8).map(|i| sample::number(50_000 + 8 * n + i)).collect();
        format!("张{n},{},授-{n},{}\n", sample::number(n), former.join("；"))
    };
    let csv = "姓名,身份证号,授权书编号,曾用号码\n".to_owned() + &(1..=60).map(row).collect::<String>();
    let applicants = Applicants::read(csv.as_bytes(), sample::today()).unwrap();
    let roster = cast.roster(&applicants, &sample::request(cast.one_group()), 1);
    // 420 further numbers need 4·420 slots.
    assert_eq!(entries(&roster).0.slot_count, 2048);
    assert!(cast.question(&roster, &csv).is_ok());
}

#[test]
fn an_authorisation_may_end_before_the_answer_is_opened() {
    let cast = Cast::new();
    let csv = format!("姓名,身份证号,授权书编号,授权截止\n张1,{},授-1,2026-11-22\n", sample::number(1));
    let applicants = Applicants::read(csv.as_bytes(), sample::today()).unwrap();
    let roster = cast.roster(&applicants, &sample::request(cast.one_group()), 1);
    assert!(cast.question(&roster, &csv).is_ok());
}

#[test]
fn a_table_shows_itself_three_ways() {
    let cast = Cast::new();
    let csv = format!("姓名,身份证号,授权书编号,户号\n李四,{},授-1,=1+1\n", sample::number(1));
    let applicants = Applicants::read(csv.as_bytes(), sample::today()).unwrap();
    let roster = cast.roster(&applicants, &sample::request(cast.one_group()), 1);
    let answer = cast.answer(&roster, &Bank::of([(sample::number(1), -123_456)]));
    let question = cast.question(&roster, &csv).unwrap();
    let table =
        open_answers(&[question], vec![answer], &cast.centre.opening, &[&cast.officers[0].opening]).unwrap();
    assert_eq!(table.rows[0].entry, Entry::Total);

    let number = sample::number(1);
    let lines: Vec<String> = table.to_csv().lines().map(str::to_owned).collect();
    assert!(lines[0].starts_with("\u{FEFF}applicant_row,name,id_number,"));
    assert_eq!(
        lines[1],
        format!(
            "2,\"李四\",\"{number}\",\"'=1+1\",\"bank-1\",\"第一银行\",\"2026-11-22\",\"found\",\"total\",\"\",\
             \"deposit\",\"CNY\",-123456,-1234.56,1,0,\"2026-10-31\",\"2026-11-01\",\"\",\"\",\"\",\"\",\"current\",\"\""
        )
    );
    let json: serde_json::Value = serde_json::from_str(&table.to_json().unwrap()).unwrap();
    assert_eq!(json["rows"][0]["id_number"], number.as_str());
    assert_eq!(json["rows"][0]["minor"], -123_456);
    assert_eq!(json["rows"][0]["found"], true);
    assert_eq!(json["coverage"][0]["answer"]["statement"]["valid"], 7);
    let screen = table.to_screen(Masking::Masked);
    assert!(
        screen.contains("-1234.56 CNY") && screen.contains("10 rows read, 7 valid, 2 set aside"),
        "{screen}"
    );
    assert!(!screen.contains(&number) && table.to_screen(Masking::Plain).contains(&number));
    assert!(!format!("{table:?}").contains(&number), "nothing personal is printed by accident");
}

#[test]
fn level_0_says_over_or_not() {
    let cast = Cast::new();
    let line = Line { currency: Currency::CNY, minor: 100 };
    let request = RosterRequest {
        level: Level::L0,
        fields: vec![],
        line: Some(line),
        ..sample::request(cast.one_group())
    };
    let roster = cast.roster(&sample::applicants(2, false), &request, 1);
    let accepted = {
        let context = RosterContext { now: sample::now(), last_serial: 0, release: None };
        Document::<Roster>::read(&roster).unwrap().check(&cast.agreement(), &context).unwrap()
    };
    let bank = Bank::of([(sample::number(1), 1)]);
    let mut found = bank.slots(&accepted, &cast.agreement(), &cast.bank);
    found.0.values_mut().for_each(|slot| slot.over = Some(true));
    for index in 0..64 {
        found.0.entry(index).or_insert(Slot { over: Some(false), ..Slot::default() });
    }
    let maker = Maker {
        key: &cast.bank.signing,
        created: accepted.roster.expires,
        version: 1,
        module_release: "0.1.0".parse().unwrap(),
        module_sha256: Digest::of(b"module"),
    };
    let answer = SealedAnswer::make(&accepted, &cast.agreement(), &maker, &coverage(), found, &entropy(9))
        .unwrap()
        .read();
    let question = cast.question(&roster, &sample::csv(2, false)).unwrap();
    let table =
        open_answers(&[question], vec![answer], &cast.centre.opening, &[&cast.officers[0].opening]).unwrap();
    let rows: Vec<_> = table.rows.iter().map(|r| (r.found, r.over_line)).collect();
    assert_eq!(rows, [(Some(true), Some(true)), (Some(false), Some(false))]);
    assert_eq!(table.warnings.iter().map(|w| w.code).collect::<Vec<_>>(), [WarningCode::Late]);
}

#[test]
fn a_seed_never_serves_two_uses() {
    let draw = |purpose| Stream::new(purpose, &entropy(1), &Digest::of(b""), b"").array::<32>();
    assert_ne!(draw(Use::Roster), draw(Use::Answer));
}

#[test]
fn an_answer_that_says_too_much_is_reported_and_cut() {
    let cast = Cast::new();
    let request = RosterRequest { fields: vec![Field::Accounts], ..sample::request(cast.one_group()) };
    let roster = cast.roster(&sample::applicants(2, false), &request, 1);
    let question = cast.question(&roster, &sample::csv(2, false)).unwrap();
    // This bank's answer carries amounts and dates all the same.
    let answers = vec![cast.answer(&roster, &Bank::of([(sample::number(1), 5)]))];
    let officer = &cast.officers[0].opening;
    let table = open_answers(&[question], answers, &cast.centre.opening, &[officer]).unwrap();
    assert_eq!(table.warnings[0].code, WarningCode::NotAsked);
    let row = &table.rows[0];
    assert_eq!((row.accounts, row.minor, row.blank, row.newest), (Some(1), None, None, None));
}

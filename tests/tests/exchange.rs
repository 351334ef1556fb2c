//! One real exchange, and what must hold of it. A failure is: an applicant's holding that is missed or
//! wrong, an answer whose shape, cost or bytes tell of matches, one runner that disagrees with another,
//! or a bad input that gets through, panics or is named by its value.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use e2e::exchange::{self, ALICE, BOB, Centre, HEADING, Relation, Setup, ask_about, open};
use e2e::module::{self, Native, OpenRequest, Run, Runner as _, op, reply, request};
use e2e::verdict;
use e2e::world::{Sizes, World};
use protocol::Document;
use protocol::answer::Answer;
use protocol::answer_seal;
use protocol::joining::InstitutionKind;
use protocol::roster::{Field, Level, PrfName, Roster, RosterContext};
use serde_json::Value;

fn kind(code: &str) -> InstitutionKind {
    if code.starts_with("broker") { InstitutionKind::Securities } else { InstitutionKind::Bank }
}

fn code(result: Result<Run, Value>) -> String {
    match result {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error["code"].as_str().unwrap().to_owned(),
    }
}

#[test]
fn every_institution_s_answer_equals_the_truth() {
    let world = World::new(7, Sizes::small());
    let centre = Centre::new(Setup::default());
    let applicants = world.applicants_csv();
    for (seed, institution) in (1_u8..).zip(&world.institutions) {
        let relation = centre.ask(institution.code, kind(institution.code), seed, &applicants);
        let file = institution.bytes();
        let run = module::run(&mut module::wasmtime(), &OpenRequest::new(&relation), &file, 1 << 20).unwrap();

        let table = open(&centre, &relation, &applicants, vec![run.answer], &[0]).unwrap();
        let verdict = verdict::compare(&table, institution);
        assert_eq!((verdict.missed, verdict.wrong), (0, 0), "{}: {verdict:?}", institution.code);
        assert_eq!(verdict.found, institution.truth.found(), "{}", institution.code);
        assert!(verdict.found > 10);

        let truth = serde_json::to_value(&institution.truth.file).unwrap();
        for member in
            ["encoding", "rows", "valid", "not_personal", "quarantined", "skipped", "normalised", "grain"]
        {
            assert_eq!(run.report["coverage"][member], truth[member], "{} {member}", institution.code);
        }
    }
}

#[test]
fn at_every_level_the_slots_say_the_truth_and_no_more() {
    let world = World::new(7, Sizes::small());
    let applicants = world.applicants_csv();
    let list = desk::Applicants::read(&applicants, exchange::now().date()).unwrap();
    for level in [Level::L0, Level::L1, Level::L2] {
        let centre = Centre::new(Setup::at(level));
        for (seed, institution) in (1_u8..).zip(&world.institutions) {
            let relation = centre.ask(institution.code, kind(institution.code), seed, &applicants);
            let open = OpenRequest::new(&relation);
            let run = module::run(&mut Native::default(), &open, &institution.bytes(), 9_999).unwrap();

            let agreement = exchange::in_force(&relation.agreement);
            let context = RosterContext { now: exchange::now(), last_serial: 0, release: None };
            let roster =
                Document::<Roster>::read(&relation.roster).unwrap().check(&agreement, &context).unwrap();
            let answer = Document::<Answer>::read(&run.answer).unwrap();
            let officer = &centre.officers[0].keys.opening;
            let opened =
                answer_seal::open(answer, &roster.roster, &roster.digest, &agreement, &[officer]).unwrap();
            let plan = desk::Plan::rebuild(&roster, &centre.party.keys.opening, &list).unwrap();
            let rows: Vec<Option<u32>> =
                plan.slots().map(|slot| slot.map(|applicant| applicant.row)).collect();

            let verdict = verdict::compare_slots(&opened.slots, &rows, &roster.roster, institution);
            assert_eq!(
                (verdict.missed, verdict.wrong),
                (0, 0),
                "{} {level:?}: {verdict:?}",
                institution.code
            );
            assert_eq!(verdict.found, institution.truth.found(), "{} {level:?}", institution.code);
            let accounts: usize = opened.slots.iter().map(|slot| slot.accounts.len()).sum();
            assert_eq!(accounts > 100, level == Level::L2, "{accounts} accounts");
        }
    }
}

#[test]
fn native_and_wasmtime_give_the_same_bytes_however_the_file_is_cut() {
    let world = World::new(7, Sizes::small());
    let applicants = world.applicants_csv();
    for prf in [PrfName::Blake3, PrfName::HmacSha256] {
        let centre = Centre::new(Setup { prf, ..Setup::default() });
        for (seed, institution) in (1_u8..).zip(&world.institutions) {
            let open =
                OpenRequest::new(&centre.ask(institution.code, kind(institution.code), seed, &applicants));
            let file = institution.bytes();
            let whole = module::run(&mut Native::default(), &open, &file, usize::MAX).unwrap();
            for chunk in [7, 997, 65_536] {
                let cut = module::run(&mut Native::default(), &open, &file, chunk).unwrap();
                assert!(cut.answer == whole.answer, "{} in chunks of {chunk}", institution.code);
            }
            let sandboxed = module::run(&mut module::wasmtime(), &open, &file, 50_000).unwrap();
            assert!(sandboxed.answer == whole.answer, "{} under wasmtime", institution.code);
            assert_eq!(sandboxed.report, whole.report);
        }
    }
}

#[test]
fn shape_and_cost_say_nothing_of_matches() {
    let people: Vec<(String, String)> = World::new(7, Sizes::small())
        .applicants()
        .iter()
        .take(60)
        .map(|a| (a.name.clone(), a.number.text.clone()))
        .collect();
    let plain: Vec<&(String, String)> = people.iter().filter(|(_, n)| n.len() == 18).collect();
    let known: Vec<(&str, &str)> = plain.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let mut file = String::from(HEADING);
    for (name, number) in &known {
        file += &format!("{name},{number},1.00,2026-10-31\n");
    }
    // The file stays; the rosters ask about people who are all in it, half of them, or none.
    let strangers: Vec<(String, String)> = World::new(99, Sizes::small())
        .applicants()
        .iter()
        .filter(|a| a.number.text.clone().len() == 18)
        .take(known.len())
        .map(|a| (a.name.clone(), a.number.text.clone()))
        .collect();
    let strangers: Vec<(&str, &str)> = strangers.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let half = known.len() / 2;
    let mixed: Vec<(&str, &str)> = known[..half].iter().chain(&strangers[half..]).copied().collect();
    for level in [Level::L0, Level::L1, Level::L2] {
        let fields = if level == Level::L0 { vec![Field::Name] } else { Setup::default().fields };
        let measured: Vec<(usize, u64)> = [known.clone(), mixed.clone(), strangers.clone()]
            .into_iter()
            .map(|people| {
                let setup = Setup { level, fields: fields.clone(), ..Setup::default() };
                let (_, relation, _) = ask_about(setup, &people);
                let mut runner = module::wasmtime();
                reply(&runner.send(OpenRequest::new(&relation).bytes())).unwrap();
                reply(&runner.send(request(op::PUSH, file.as_bytes()))).unwrap();
                // Closing the file costs by what was found (THREAT-MODEL); `finish` would do it by itself.
                reply(&runner.send(request(op::NEXT_FILE, &[]))).unwrap();
                let before = runner.fuel_used().unwrap();
                let run = module::finish(&mut runner).unwrap();
                (run.answer.len(), runner.fuel_used().unwrap() - before)
            })
            .collect();
        assert_eq!(measured[0], measured[1], "{level:?}: all were found, half of them");
        assert_eq!(measured[0], measured[2], "{level:?}: all were found, none");
    }
}

#[test]
fn reading_a_large_answer_takes_no_more_memory() {
    let sizes = Sizes { applicants: 4_500, households: 1_500, customers_per_institution: 100 };
    let world = World::new(5, sizes);
    let centre = Centre::new(Setup::at(Level::L2));
    let relation = centre.ask("bank-x", InstitutionKind::Bank, 1, &world.applicants_csv());
    for next_file in [false, true] {
        let mut runner = module::wasmtime();
        reply(&runner.send(OpenRequest::new(&relation).bytes())).unwrap();
        reply(&runner.send(request(op::PUSH, world.institutions[0].bytes().as_slice()))).unwrap();
        if next_file {
            reply(&runner.send(request(op::NEXT_FILE, &[]))).unwrap();
        }
        reply(&runner.send(request(op::FINISH, &[]))).unwrap();
        let before = runner.memory_bytes();
        let mut pieces = 0;
        while !reply(&runner.send(request(op::READ, &[]))).unwrap().is_empty() {
            pieces += 1;
        }
        assert!(pieces >= 20, "{pieces}");
        assert_eq!(runner.memory_bytes(), before);
    }
}

#[test]
fn a_repeated_seed_gives_unrelated_ciphertext() {
    let (_, relation, _) = ask_about(Setup::default(), &[ALICE]);
    let (_, other, _) = ask_about(Setup::default(), &[BOB]);
    let file = |amount: &str| format!("{HEADING}张三,11010519491231002X,{amount},2026-10-31\n");
    let answer = |relation: &Relation, amount: &str| {
        module::run(&mut Native::default(), &OpenRequest::new(relation), file(amount).as_bytes(), 99)
            .unwrap()
            .answer
    };
    let base = answer(&relation, "1.00");
    assert_eq!(base, answer(&relation, "1.00"), "the same inputs give the same bytes");
    for other in [answer(&relation, "2.00"), answer(&other, "1.00")] {
        assert_eq!(base.len(), other.len());
        // Unrelated bytes agree once in 256; a keystream used twice would agree nearly everywhere.
        let body = 64 * 608; // the sealed slots
        let same = base.iter().rev().zip(other.iter().rev()).take(body).filter(|(a, b)| a == b).count();
        assert!(same < body / 100, "{same} of {body} bytes agree");
    }
    let mut open = OpenRequest::new(&relation);
    open.entropy = vec![0; 32];
    assert_eq!(code(module::run(&mut Native::default(), &open, file("1").as_bytes(), 99)), "entropy");
}

#[test]
fn two_of_three_officers_open_and_one_does_not() {
    let (centre, relation, applicants) = ask_about(Setup { officers: 3, ..Setup::default() }, &[ALICE]);
    let file = format!("{HEADING}张三,11010519491231002X,5,2026-10-31\n");
    let run = module::run(&mut Native::default(), &OpenRequest::new(&relation), file.as_bytes(), 99).unwrap();
    for pair in [[0, 1], [0, 2], [1, 2], [2, 0]] {
        let table = open(&centre, &relation, &applicants, vec![run.answer.clone()], &pair).unwrap();
        assert!(table.rows.iter().any(|r| r.minor == Some(500)), "{pair:?}");
    }
    for one in 0..3 {
        assert!(open(&centre, &relation, &applicants, vec![run.answer.clone()], &[one]).is_err());
    }
}

#[test]
fn bad_answers_each_get_their_own_error() {
    let (centre, relation, applicants) = ask_about(Setup::default(), &[ALICE]);
    let file = format!("{HEADING}张三,11010519491231002X,5,2026-10-31\n");
    let answer = module::run(&mut Native::default(), &OpenRequest::new(&relation), file.as_bytes(), 99)
        .unwrap()
        .answer;
    let refused = |answers: Vec<Vec<u8>>| {
        open(&centre, &relation, &applicants, answers, &[0]).unwrap_err().code().to_owned()
    };

    let other_roster = centre.roster(&relation.agreement, &applicants, 2, exchange::now(), 9);
    let mut other = OpenRequest::new(&relation);
    other.roster = other_roster;
    let other = module::run(&mut Native::default(), &other, file.as_bytes(), 99).unwrap().answer;
    assert_eq!(refused(vec![other]), "wrong_roster");

    let mut flipped = answer.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert_eq!(refused(vec![flipped]), "body_mismatch");
    assert_eq!(refused(vec![answer[..answer.len() - 1].to_vec()]), "truncated");
    assert_eq!(refused(vec![relation.roster.clone()]), "wrong_type");

    // The same answer twice is one answer; another with the same version is a conflict.
    assert!(open(&centre, &relation, &applicants, vec![answer.clone(), answer.clone()], &[0]).is_ok());
    let again = module::run(
        &mut Native::default(),
        &OpenRequest::new(&relation),
        file.replace(",5,", ",6,").as_bytes(),
        99,
    );
    assert!(open(&centre, &relation, &applicants, vec![answer, again.unwrap().answer], &[0]).is_err());
}

#[test]
fn an_answer_that_needs_approval_is_refused_without_it() {
    let (centre, relation, applicants) = ask_about(Setup { approval: true, ..Setup::default() }, &[ALICE]);
    let file = format!("{HEADING}张三,11010519491231002X,5,2026-10-31\n");
    let answer = module::run(&mut Native::default(), &OpenRequest::new(&relation), file.as_bytes(), 99)
        .unwrap()
        .answer;
    let error = open(&centre, &relation, &applicants, vec![answer.clone()], &[0]).unwrap_err();
    assert_eq!(error.code(), "missing_signature");
    let by_themselves = protocol::envelope::co_sign(&answer, &centre.party.keys.signing).unwrap();
    assert!(open(&centre, &relation, &applicants, vec![by_themselves], &[0]).is_err());
    let approved = protocol::envelope::co_sign(&answer, &relation.approver.keys.signing).unwrap();
    assert!(open(&centre, &relation, &applicants, vec![approved], &[0]).is_ok());
}

#[test]
fn memory_does_not_grow_with_the_file() {
    let world = World::new(7, Sizes::small());
    let centre = Centre::new(Setup::default());
    let relation = centre.ask("bank-x", InstitutionKind::Bank, 1, &world.applicants_csv());
    let memory = |rows: u64| {
        let mut file = Vec::new();
        world.bulk_csv(rows, e2e::world::Encoding::Utf8, 0.5, &mut file).unwrap();
        let mut runner = module::wasmtime();
        module::run(&mut runner, &OpenRequest::new(&relation), &file, 1 << 20).unwrap();
        runner.memory_bytes()
    };
    let (small, large) = (memory(60_000), memory(240_000));
    assert_eq!(small, large);
    assert!(large < 64 << 20, "{large}");
}

#[test]
fn what_is_not_asked_is_not_answered() {
    let setup = Setup { fields: vec![Field::Accounts], ..Setup::default() };
    let (centre, relation, applicants) = ask_about(setup, &[ALICE]);
    // The day is not the roster's, which stands in every row of the table.
    let file = format!("{HEADING}王五,11010519491231002X,5.55,2026-10-30\n");
    let run = module::run(&mut Native::default(), &OpenRequest::new(&relation), file.as_bytes(), 99).unwrap();
    let table = open(&centre, &relation, &applicants, vec![run.answer], &[0]).unwrap();
    let json = serde_json::to_string(&table).unwrap();
    let row = table.rows.iter().find(|r| r.kind.is_some()).unwrap();
    assert_eq!(row.accounts, Some(1));
    assert!(row.minor.unwrap_or(0) == 0 && row.newest.is_none() && row.name_flags.is_empty(), "{row:?}");
    for what in ["555", "5.55", "2026-10-30", "20261030", "different", "王五"] {
        assert!(!json.contains(what), "{what} is not asked for: {json}");
    }
}

/// Numbers that were counted through are refused by the module itself, before it seals anything; an export of a county
/// whose days are all busy is not, nor is one with a single crowded day.
#[test]
fn an_enumeration_is_refused_and_a_busy_county_is_not() {
    let (centre, relation, applicants) = ask_about(Setup::default(), &[ALICE]);
    let number = |day: u32, sequence: u32| {
        let digits = format!("3412211974{day:04}{sequence:03}");
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        let sum: u32 =
            digits.bytes().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
        format!("{digits}{}", char::from(b"10X98765432"[sum as usize % 11]))
    };
    let days: Vec<u32> = (1..=12).flat_map(|month| (2..=28).map(move |day| month * 100 + day)).collect();
    let file = |people: &[(u32, u32)]| {
        let rows = people
            .iter()
            .map(|(day, sequence)| format!("某某,{},1.00,2026-10-31\n", number(*day, *sequence)));
        format!("{HEADING}张三,11010519491231002X,5,2026-10-31\n{}", rows.collect::<String>())
    };
    let run = |people: &[(u32, u32)]| {
        module::run(&mut module::wasmtime(), &OpenRequest::new(&relation), file(people).as_bytes(), 1 << 20)
    };

    let swept: Vec<(u32, u32)> = days.iter().take(40).flat_map(|day| (0..1_000).map(|n| (*day, n))).collect();
    assert_eq!(code(run(&swept)), "enumeration");
    let backwards: Vec<(u32, u32)> = swept.iter().rev().copied().collect();
    assert_eq!(code(run(&backwards)), "enumeration");
    // The error ends the session: nothing can be read after it, and it names no number.
    let mut runner = module::wasmtime();
    reply(&runner.send(OpenRequest::new(&relation).bytes())).unwrap();
    let refused = file(&swept)
        .into_bytes()
        .chunks(1 << 20)
        .find_map(|chunk| reply(&runner.send(request(op::PUSH, chunk))).err());
    let refused = refused.unwrap();
    assert_eq!(refused["field"], "id_number");
    assert!(
        refused["numbers"]["dense_days"].as_u64().unwrap() >= 16 && !refused.to_string().contains("341221")
    );
    for op in [op::FINISH, op::READ, op::SET_ASIDE] {
        assert!(reply(&runner.send(request(op, &[]))).is_err());
    }

    // 110 births on each of 324 days, in one county, everyone a customer with two accounts; and one day with a thousand.
    let mut busy: Vec<(u32, u32)> =
        days.iter().flat_map(|day| (0..110).map(|n| (*day, n * 9 % 1_000))).collect();
    busy.extend(busy.clone());
    busy.extend((0..1_000).map(|n| (215, n)));
    let run = run(&busy).unwrap();
    assert_eq!(run.report["coverage"]["valid"].as_u64().unwrap(), busy.len() as u64 + 1);
    let table = open(&centre, &relation, &applicants, vec![run.answer], &[0]).unwrap();
    assert!(table.rows.iter().any(|row| row.minor == Some(500)));
}

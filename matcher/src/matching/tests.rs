//! The short way and the long way give the same: findings byte for byte, counts, errors.

use proptest::prelude::*;
use protocol::agreement::{Agreement, Centre, Institution};
use protocol::answer_seal::Slots as _;
use protocol::roster::{Entry, Field, KemName, Level, PrfName, Roster, SuiteName};
use protocol::secret::TokenKey;
use protocol::slot;
use protocol::value::{Base64, Digest, PublicKey, RosterId, SealingKey, Time};

use super::*;

const PEOPLE: [&str; 4] =
    ["11010519491231002X", "440524188001010014", "110105199003072311", "110105491231002"];

fn prf() -> Prf {
    Prf::new(PrfName::Blake3, TokenKey::from_bytes(&[7; 32]))
}

fn roster(level: Level) -> AcceptedRoster {
    let mut entries: Vec<Entry> = PEOPLE[..3]
        .iter()
        .zip(0..)
        .map(|(number, slot)| Entry {
            token: prf().resident_token(number.as_bytes().try_into().unwrap()).0,
            slot,
            folded_tag: [0; 2],
            exact_tag: 0,
            ordinal: 0,
        })
        .collect();
    entries.sort_by_key(|e| e.token);
    let day = |unix| Time::from_unix(unix).unwrap();
    let roster = Roster {
        agreement: Digest([0; 32]),
        as_of: "2026-10-31".parse().unwrap(),
        authorisations_root: Digest([0; 32]),
        body_bytes: 72,
        body_sha256: Digest([0; 32]),
        entry_count: 3,
        expires: day(1_800_000_000),
        fields: [Field::Account, Field::Accounts, Field::Amount, Field::BalanceDate, Field::Name]
            .into_iter()
            .filter(|field| field.allowed_at(level))
            .collect(),
        id: RosterId([0; 16]),
        income_from: None,
        income_to: None,
        institution: "bank".parse().unwrap(),
        issued: day(1_799_000_000),
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
    AcceptedRoster { roster, digest: Digest([0; 32]), entries }
}

fn agreement() -> AgreementInForce {
    let (signing_key, sealing_key) = (PublicKey([1; 32]), SealingKey([1; 32]));
    let terms = Agreement {
        approval_required: false,
        approver_keys: Vec::new(),
        centre: Centre {
            code: "centre".parse().unwrap(),
            name: "-".parse().unwrap(),
            sealing_key,
            signing_key,
        },
        compliance_key: None,
        cosigner_key: None,
        fields: Vec::new(),
        institution: Institution {
            code: "bank".parse().unwrap(),
            kind: InstitutionKind::Bank,
            name: "-".parse().unwrap(),
            sealing_key,
            signing_key,
        },
        level: Level::L2,
        number: "-".parse().unwrap(),
        page_sha256: None,
        prfs: Vec::new(),
        purpose: "-".parse().unwrap(),
        suites: Vec::new(),
        valid_from: "2026-01-01".parse().unwrap(),
        valid_to: "2027-01-01".parse().unwrap(),
    };
    AgreementInForce { terms, digest: Digest([0; 32]) }
}

/// Coverage, warnings, the list of rows set aside, the slots.
type Outcome = Result<(Coverage, Vec<Warning>, String, Vec<Vec<u8>>), ModuleError>;

/// All that a run gives, over a file in chunks of `chunk` bytes.
fn run(file: &[u8], chunk: usize, level: Level) -> Outcome {
    let roster = roster(level);
    let mut matching = Matching::new(&roster, &agreement(), prf(), TableOptions::default()).unwrap();
    for piece in file.chunks(chunk) {
        matching.push(piece)?;
    }
    let Finished { coverage, warnings, set_aside, slots, .. } = matching.finish()?;
    let mut slot = vec![0; slot::size(level)];
    let slots = (0..4).map(|index| {
        slots.write(index, &mut slot);
        slot.clone()
    });
    Ok((coverage, warnings, String::from_utf8(set_aside.list()).unwrap(), slots.collect()))
}

/// More rows than are looked at closely, so that the short way is open behind them.
fn beginning() -> String {
    let mut file = String::from("姓名,证件类型,证件号码,账号,余额,日期\n");
    for i in 0..2_100 {
        file.push_str(&format!("某人,身份证,11010519491231002X,6217{i:04},{i}.25,2026-10-31\n"));
    }
    file
}

fn any_row() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        6 => proptest::sample::select(PEOPLE.to_vec()).prop_map(str::to_owned),
        2 => "[0-9]{17}[0-9X]",
        1 => proptest::sample::select(PEOPLE.to_vec()).prop_map(|n| format!("\"{n}\"")),
        1 => proptest::sample::select(vec!["", " 11010519491231002x", "91350100M000100Y43", "1*****9X", "合计"]).prop_map(str::to_owned),
    ];
    let kind = proptest::sample::select(vec!["身份证", "", "营业执照", "护照"]);
    let amount = proptest::sample::select(vec!["1.5", "-3", "\"1,000.00\"", "", "?"]);
    let end = proptest::sample::select(vec!["\n", "\r\n", ",\n", ",x\n", "\r", "\n\n", "\"\n\n"]);
    (number, kind, amount, end).prop_map(|(number, kind, amount, end)| {
        let end = if end.starts_with('"') { "\n\n" } else { end };
        format!("某人,{kind},{number},62170001,{amount},2026-10-31{end}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// In chunks shorter than a line no row goes the short way; in one piece nearly all do.
    #[test]
    fn the_short_way_gives_what_the_long_way_gives(rows in proptest::collection::vec(any_row(), 0..120), chunk in 20_usize..40) {
        let file = [beginning(), rows.concat()].concat();
        for level in [Level::L0, Level::L1, Level::L2] {
            let short = run(file.as_bytes(), usize::MAX, level);
            let pieces = run(file.as_bytes(), 70_001, level);
            prop_assert_eq!(&pieces, &short);
            if level == Level::L1 {
                prop_assert_eq!(&run(file.as_bytes(), chunk, level), &short);
            }
        }
    }
}

#[test]
fn hits_of_the_short_way_are_found() {
    let mut file = beginning();
    for number in PEOPLE {
        file.push_str(&format!("某人,身份证,{number},6217,100.00,2026-10-31\n"));
    }
    let (coverage, _, _, slots) = run(file.as_bytes(), usize::MAX, Level::L1).unwrap();
    assert_eq!((coverage.rows, coverage.valid), (2_104, 2_104));
    let rows = |slot: usize| slot::Slot::decode(Level::L1, &slots[slot]).unwrap().rows;
    assert_eq!([rows(0), rows(1), rows(2), rows(3)], [2_102, 1, 1, 0]);
}

#[test]
fn rows_set_aside_are_listed_where_they_stand() {
    let mut file = beginning();
    file.push_str(
        "某人,身份证,11010519491231002Y,1,1,2026-10-31\n\n\"某\n人\",身份证,,1,1,2026-10-31\n某人,身份证\n",
    );
    file.push_str("某人,身份证,110105194912310021,1,1,2026-10-31\n");
    let (coverage, _, list, _) = run(file.as_bytes(), usize::MAX, Level::L1).unwrap();
    let expected = "file,row,reason,number\n1,2102,format,110*************2*\n1,2105,empty,\n1,2106,ragged,\n\
                    1,2107,check_digit,110*************21\n";
    assert_eq!(list, expected);
    assert_eq!(coverage.quarantined.values().sum::<u64>(), 4);
    // The beginning of the file is line 1 of a second one again.
    let roster = roster(Level::L0);
    let mut matching = Matching::new(&roster, &agreement(), prf(), TableOptions::default()).unwrap();
    for _ in 0..2 {
        matching
            .push(&[beginning().as_bytes(), "某人,身份证,x,1,1,2026-10-31\n".as_bytes()].concat())
            .unwrap();
        matching.end_file().unwrap();
    }
    let list = matching.finish().unwrap().set_aside.list();
    assert_eq!(list, b"file,row,reason,number\n1,2102,format,*\n2,2102,format,*\n");
}

/// What every instance of a split run knows.
fn seals() -> (protocol::secret::Entropy, protocol::secret::SigningKey) {
    (protocol::secret::Entropy::new(&[9; 32]).unwrap(), protocol::secret::SigningKey::from_seed(&[8; 32]))
}

/// The pieces of the part that another instance makes of `stretch`.
fn part(file: &[u8], stretch: &[u8], last: bool, level: Level) -> Result<Vec<Vec<u8>>, ModuleError> {
    let roster = roster(level);
    let (entropy, signer) = seals();
    let mut helper = Matching::new(&roster, &agreement(), prf(), TableOptions::default()).unwrap();
    helper.begin_part(&file[..SAMPLE_BYTES])?;
    for piece in stretch.chunks(50_000) {
        helper.push(piece)?;
    }
    let (head, beside, findings) = helper.end_part(last)?;
    let mut part = crate::part::SealedPart::make(&head, &beside, findings, roster.digest, &entropy, &signer)?;
    let mut pieces = Vec::new();
    loop {
        let piece = part.read();
        if piece.is_empty() {
            return Ok(pieces);
        }
        pieces.push(piece);
    }
}

/// The same run, with all from `at` on (behind a line break) read by another instance in two parts. A part that
/// can't be made or does not join on is pushed.
fn run_split(file: &[u8], at: usize, level: Level) -> (Outcome, Vec<usize>) {
    let roster = roster(level);
    let (entropy, signer) = seals();
    let behind = |at: usize| file[at..].iter().position(|b| *b == b'\n').map_or(file.len(), |n| at + n + 1);
    let first = behind(at);
    let second = behind((first + file.len()) / 2);
    let mut lengths = Vec::new();
    let mut go = || {
        let mut leader = Matching::new(&roster, &agreement(), prf(), TableOptions::default()).unwrap();
        leader.push(&file[..first])?;
        assert!(leader.progress().may_split);
        for (stretch, last) in [(first..second, false), (second..file.len(), true)] {
            let joined = match part(file, &file[stretch.clone()], last, level) {
                Ok(pieces) => {
                    lengths.extend(pieces.iter().map(Vec::len));
                    let open =
                        |piece: &[u8]| crate::part::PartTaker::begin(piece, roster.digest, &entropy, &signer);
                    let mut joined = Ok(());
                    for piece in &pieces {
                        joined = leader.take_over(piece, open)?;
                        if joined.is_err() {
                            break;
                        }
                    }
                    joined.is_ok()
                }
                Err(_) => false,
            };
            if !joined {
                leader.push(&file[stretch])?;
            }
        }
        let Finished { coverage, warnings, set_aside, slots, .. } = leader.finish()?;
        let mut slot = vec![0; slot::size(level)];
        let slots = (0..4).map(|index| {
            slots.write(index, &mut slot);
            slot.clone()
        });
        Ok((coverage, warnings, String::from_utf8(set_aside.list()).unwrap(), slots.collect()))
    };
    let outcome = go();
    (outcome, lengths)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Wherever the file is split, and whatever stands there: the answer is that of one instance.
    #[test]
    fn parts_give_what_one_instance_gives(rows in proptest::collection::vec(any_row(), 1..150), at in 0.0..1.0_f64, quoted: bool) {
        let mut file = [beginning(), rows.concat()].concat();
        if quoted {
            file.push_str("某人,身份证,440524188001010014,\"6217\n\n\n\n0001\",1.00,2026-10-31\n");
        }
        let from = beginning().len() - 1;
        let at = from + ((file.len() - from - 1) as f64 * at) as usize;
        for level in [Level::L0, Level::L1, Level::L2] {
            let (split, _) = run_split(file.as_bytes(), at, level);
            prop_assert_eq!(split, run(file.as_bytes(), usize::MAX, level));
        }
    }
}

#[test]
fn a_part_s_shape_says_nothing_of_what_was_found() {
    let rows = |number: &str| format!("某人,身份证,{number},6217,100.00,2026-10-31\n").repeat(500);
    let at = beginning().len() - 1;
    for level in [Level::L0, Level::L1, Level::L2] {
        let split = |number| run_split([beginning(), rows(number)].concat().as_bytes(), at, level).1;
        let (found, not_found) = (split("440524188001010014"), split("110101199001011237"));
        assert_eq!(found, not_found);
        assert!(!found.is_empty());
    }
}

/// All numbers that an area has for `days` days, as a file.
fn counted_through(days: std::ops::Range<u32>) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let numbers = days.flat_map(|day| (0..1_000).map(move |n| format!("340421{}{n:03}", 19_900_302 + day)));
    let rows = numbers.map(|number| {
        let sum: u32 = number.bytes().zip(WEIGHTS).map(|(d, w)| u32::from(d - b'0') * w).sum();
        let check = char::from(b"10X98765432"[(sum % 11) as usize]);
        format!("某人,身份证,{number}{check},6217,1.00,2026-10-31\n")
    });
    rows.collect()
}

#[test]
fn numbers_counted_through_are_refused_whoever_reads_them() {
    let code = |outcome: Outcome| outcome.map_or_else(|error| error.code, |_| "good");
    let (few, many) = (counted_through(0..12), counted_through(0..20));
    let whole = |rows: &str| [&beginning(), rows].concat();
    assert_eq!(code(run(whole(&few).as_bytes(), 70_001, Level::L1)), "good", "too few to tell");
    assert_eq!(code(run(whole(&many).as_bytes(), 70_001, Level::L1)), "enumeration");
    assert_eq!(code(run(whole(&many).as_bytes(), 30, Level::L0)), "enumeration", "the long way");
    let spelled = many.replace(",340421", ",'340421");
    assert_eq!(code(run(whole(&spelled).as_bytes(), usize::MAX, Level::L0)), "enumeration", "the odd way");
    // Neither part is enough; both together are.
    let (outcome, pieces) = run_split(whole(&many).as_bytes(), beginning().len() - 1, Level::L0);
    assert_eq!(code(outcome), "enumeration");
    assert!(pieces.len() >= 4, "both parts were taken over");
    assert_eq!(code(run_split(whole(&few).as_bytes(), beginning().len() - 1, Level::L0).0), "good");
    // Nor is one file, of two.
    let roster = roster(Level::L0);
    let mut matching = Matching::new(&roster, &agreement(), prf(), TableOptions::default()).unwrap();
    matching.push(whole(&few).as_bytes()).unwrap();
    matching.end_file().unwrap();
    let error = matching.push(whole(&counted_through(12..20)).as_bytes()).unwrap_err();
    assert_eq!(
        (error.code, error.field.as_str(), error.numbers["dense_days"] >= 16),
        ("enumeration", "id_number", true)
    );
}

#[test]
fn a_foreign_or_changed_part_is_refused() {
    let file = [beginning(), "某人,身份证,440524188001010014,6217,100.00,2026-10-31\n".to_owned()].concat();
    let (file, at) = (file.as_bytes(), beginning().len());
    let roster = roster(Level::L1);
    let pieces = part(file, &file[at..], true, Level::L1).unwrap();
    let (entropy, signer) = seals();
    let other = protocol::secret::SigningKey::from_seed(&[1; 32]);
    let mut flipped = pieces.clone();
    flipped[1][5] ^= 1;
    let again = [pieces[0].clone(), pieces[1].clone(), pieces[1].clone()].to_vec();
    for (pieces, signer, code) in [
        (&pieces, &signer, "good"),
        (&pieces, &other, "part_broken"),
        (&flipped, &signer, "part_broken"),
        (&again, &signer, "part_broken"),
        (&pieces[..1].to_vec(), &signer, "part_order"),
    ] {
        let mut leader = Matching::new(&roster, &agreement(), prf(), TableOptions::default()).unwrap();
        leader.push(&file[..at]).unwrap();
        let open = |piece: &[u8]| crate::part::PartTaker::begin(piece, roster.digest, &entropy, signer);
        let taken =
            pieces.iter().try_for_each(|piece| leader.take_over(piece, open).map(|joined| joined.unwrap()));
        let outcome = taken.and_then(|()| leader.finish().map(drop));
        assert_eq!(outcome.map_or_else(|e| e.code, |()| "good"), code);
    }
}

//! The world against itself: what the truth says, and what a plain reading of the finished files finds.

mod files;
mod pins;
mod recount;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::*;

fn world() -> World {
    World::new(7, Sizes::small())
}

/// The check character by the weights of GB 11643, another formula than the one the numbers were made with.
fn fits_mod_11_2(number: &str) -> bool {
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: usize =
        number.bytes().zip(weights).map(|(digit, weight)| usize::from(digit - b'0') * weight).sum();
    number.len() == 18 && number.as_bytes()[17] == b"10X98765432"[sum % 11]
}

/// The check character of a unified social credit code by the weights of GB 32100.
fn fits_mod_31_3(code: &str) -> bool {
    let alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    let weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
    let sum: usize = code.chars().zip(weights).map(|(c, weight)| alphabet.find(c).unwrap() * weight).sum();
    code.chars().nth(17) == alphabet.chars().nth((31 - sum % 31) % 31)
}

#[test]
fn every_number_is_valid_and_nobody_else_s() {
    let world = World::new(3, Sizes { applicants: 2_000, households: 800, customers_per_institution: 10 });
    let mut seen = HashSet::new();
    let mut kinds: BTreeMap<Document, usize> = BTreeMap::new();
    for number in world.applicants().iter().flat_map(Applicant::numbers) {
        *kinds.entry(number.document).or_default() += 1;
        assert!(seen.insert(&number.text), "two people hold one number");
        if number.document == Document::Resident {
            assert!(fits_mod_11_2(&number.text), "{}", number.text);
            let year: u32 = number.text[6..10].parse().unwrap();
            assert!((1896..=2025).contains(&year));
        }
    }
    assert_eq!(kinds.len(), 6, "{kinds:?}");
    let old: Vec<String> =
        world.applicants().iter().flat_map(Applicant::numbers).filter_map(Number::old15).collect();
    assert_eq!(old.iter().collect::<HashSet<_>>().len(), old.len(), "a 15-digit number means two people");

    let starts = |start: &str| {
        world
            .applicants()
            .iter()
            .any(|a| a.number.document == Document::Resident && a.number.text.starts_with(start))
    };
    assert!(["510322", "81", "82", "83", "9", "65"].iter().all(|start| starts(start)));
    let centenarians = world
        .applicants()
        .iter()
        .filter(|a| a.number.is_citizen() && a.number.text[14..17] >= *"996" && a.number.old15().is_some());
    let centuries: BTreeSet<&str> = centenarians.map(|a| &a.number.text[6..8]).collect();
    assert_eq!(centuries, BTreeSet::from(["18", "19"]));
    let household_count = world.applicants().iter().map(|a| &a.household).collect::<HashSet<_>>().len();
    assert_eq!(household_count, 800);
    assert!(world.applicants().iter().any(|a| a.name.contains('·')));
    assert!("䶮㛃𫖯".chars().all(|rare| world.applicants().iter().any(|a| a.name.contains(rare))));
}

#[test]
fn every_case_of_the_domain_occurs() {
    let world = world();
    let mut normalised = BTreeSet::new();
    let mut reasons = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    let mut currencies = BTreeSet::new();
    let (mut flags, mut ordinals, mut blanks, mut negative, mut no_date) = (0, 0, 0, 0, 0);
    for institution in &world.institutions {
        let truth = &institution.truth;
        let share = truth.found() * 100 / world.applicants().len();
        assert!((28..=46).contains(&share), "{}: {share} %", institution.code);
        normalised.extend(truth.file.normalised.keys().copied());
        reasons.extend(truth.file.quarantined.keys().copied());
        for holding in &truth.holdings {
            flags |= holding.name_flags;
            ordinals |= holding.ordinals;
            assert_eq!(holding.found, holding.rows > 0);
            for total in &holding.totals {
                kinds.insert(total.kind);
                currencies.insert(total.currency);
                blanks += total.blank;
                negative += u64::from(total.minor < 0);
                no_date += u64::from(total.oldest == 0);
            }
        }
    }
    assert_eq!(normalised.len(), 8, "{normalised:?}");
    assert_eq!(reasons.len(), 7, "{reasons:?}");
    assert_eq!(kinds.len(), 12, "{kinds:?}");
    assert_eq!(currencies.len(), 4, "{currencies:?}");
    assert_eq!((flags, ordinals), (0b1111, 0b11));
    assert!(blanks > 0 && negative > 0 && no_date > 0, "{blanks} {negative} {no_date}");
}

#[test]
fn counts_add_up() {
    let world = World::new(1, Sizes { customers_per_institution: 60_000, ..Sizes::small() });
    for institution in &world.institutions {
        let file = &institution.truth.file;
        assert_eq!(file.rows, file.valid + file.not_personal + file.quarantined.values().sum::<u64>());
        let again = file.skipped.get("repeated_header").copied().unwrap_or_default();
        assert_eq!(again, if institution.code == "bank-a" { (file.rows - 1) / 50_000 } else { 0 });
        let found: u64 = institution.truth.holdings.iter().map(|h| h.rows).sum();
        assert!(found > 0 && found < file.valid);
    }
    let bank = &world.institution("bank-a").unwrap().truth.file;
    assert_eq!(bank.skipped.get("footer"), Some(&2));
    assert_eq!(bank.quarantined.get(&Reason::Placeholder), Some(&120), "two strangers in a thousand");
    assert!(world.institution("bank-z").is_none());
}

#[test]
fn the_truth_is_json() {
    let world = world();
    let json = serde_json::to_value(&world.institution("bank-a").unwrap().truth).unwrap();
    assert_eq!(json["file"]["encoding"], "gb18030");
    assert_eq!(json["file"]["grain"], "account");
    assert!(json["file"]["quarantined"]["check_digit"].as_u64().unwrap() > 0);
    assert!(json["file"]["normalised"]["upgraded15"].as_u64().unwrap() > 0);
    let found = json["holdings"].as_array().unwrap().iter().find(|h| h["found"] == true).unwrap();
    assert!(found["totals"][0]["kind"].is_string() && found["totals"][0]["minor"].is_i64());
    assert_eq!(found["totals"][0]["currency"].as_str().unwrap().len(), 3);
    assert_eq!(serde_json::to_value(AssetKind::CreditCard).unwrap(), "credit_card");
}

#[test]
fn a_folded_name_may_look_the_same() {
    let holding = |name_flags| Holding { name_flags, ..Holding::default() };
    assert!(holding(0b0100).allows_name_flags(0b0100) && holding(0b0100).allows_name_flags(0b0010));
    assert!(holding(0b1100).allows_name_flags(0b1110));
    assert!(!holding(0b0010).allows_name_flags(0b0100) && !holding(0b0100).allows_name_flags(0b1000));
}

//! The other files: the list with defects, bulk exports, damaged exports.

use std::io::Read;

use encoding_rs::GB18030;

use super::recount::parse;
use super::*;
use crate::world::damaged::Outcome;

#[test]
fn gb18030_comes_back() {
    let bytes = world().institution("bank-a").unwrap().bytes();
    let (text, bad) = GB18030.decode_without_bom_handling(&bytes);
    assert!(!bad && "䶮㛃𫖯·\u{A0}\u{3000}￥".chars().all(|c| text.contains(c)));
    assert!(!text.contains("&#"), "a character had no place in the encoding");
    assert_eq!(&*GB18030.encode(&text).0, &bytes[..]);
}

#[test]
fn the_list_says_who_applied() {
    let world = world();
    let text = String::from_utf8(world.applicants_csv()).unwrap();
    let records = parse(text.strip_prefix('\u{FEFF}').unwrap(), ',');
    assert_eq!(records[0].join(","), "姓名,证件类型,证件号码,曾用证件号,授权书编号,授权截止,户号,备注");
    assert_eq!(records.len(), world.applicants().len() + 1);
    for (record, person) in records[1..].iter().zip(world.applicants()) {
        assert_eq!((record.len(), &record[0], &record[4]), (8, &person.name, &person.authorisation));
        assert_eq!(record[3], person.former.iter().map(|n| n.text.as_str()).collect::<String>());
    }
}

#[test]
fn defects_are_where_they_are_said_to_be() {
    let world = world();
    let list = world.defective_applicants_csv(5);
    assert_eq!(list.defects.len(), 20);
    let text = String::from_utf8(list.bytes).unwrap();
    let records = parse(text.strip_prefix('\u{FEFF}').unwrap(), ',');
    assert_eq!(records.len(), list.rows + 1);
    let by_authorisation = |record: &[String]| {
        world
            .applicants()
            .iter()
            .find(|person| person.authorisation == record[4])
            .map(|person| person.number.text.clone())
    };
    for (row, defect) in &list.defects {
        let record = &records[*row];
        match defect {
            Defect::NoAuthorisation => assert_eq!(record[4], ""),
            Defect::Expired => assert_eq!(record[5], "2020-06-30"),
            Defect::BadNumber => {
                assert!(!fits_mod_11_2(&record[2]) && by_authorisation(record) != Some(record[2].clone()))
            }
            Defect::Duplicate => {
                assert_eq!(by_authorisation(record), Some(record[2].clone()));
                assert_eq!(records[..*row].iter().filter(|earlier| earlier[4] == record[4]).count(), 1);
            }
        }
    }
    let bad: HashSet<usize> = list.defects.iter().map(|(row, _)| *row).collect();
    let good = (1..records.len()).filter(|row| !bad.contains(row)).map(|row| &records[row]);
    assert!(good.clone().all(|record| !record[4].is_empty() && record[5] != "2020-06-30"));
    assert_eq!(good.clone().map(|record| &record[4]).collect::<HashSet<_>>().len(), good.count());
    assert_eq!(world.defective_applicants_csv(1_000_000).rows, 375, "as many as there is room for");
}

#[test]
fn bulk_is_plain() {
    let world = world();
    let numbers: HashSet<&str> =
        world.applicants().iter().map(|person| person.number.text.as_str()).collect();
    for (share, low, high) in [(0.0, 0, 0), (0.1, 800, 1_200), (1.0, 10_000, 10_000)] {
        let mut bytes = Vec::new();
        let bulk = world.bulk_csv(10_000, Encoding::Utf8, share, &mut bytes).unwrap();
        assert_eq!((bulk.rows, bulk.bytes), (10_000, bytes.len() as u64));
        assert!((low..=high).contains(&bulk.hits), "{} hits", bulk.hits);
        assert!((74..=84).contains(&(bulk.bytes / bulk.rows)), "{} bytes a row", bulk.bytes / bulk.rows);
        let records = parse(&String::from_utf8(bytes).unwrap(), ',');
        assert!(records.iter().all(|record| record.len() == 5));
        assert!(records[1..].iter().all(|record| fits_mod_11_2(&record[1])));
        let hits = || records.iter().filter(|record| numbers.contains(record[1].as_str()));
        let people: HashSet<&str> = hits().map(|record| record[1].as_str()).collect();
        let fen: u64 = hits().map(|record| record[3].replace('.', "").parse::<u64>().unwrap()).sum();
        assert_eq!((hits().count() as u64, people.len() as u64, fen), (bulk.hits, bulk.people, bulk.fen));
    }
    let mut wide = Vec::new();
    let bulk = world.bulk_csv(100, Encoding::Utf16Le, 0.5, &mut wide).unwrap();
    assert_eq!((bulk.bytes, &wide[..2]), (wide.len() as u64, &b"\xFF\xFE"[..]));
    let mut chinese = Vec::new();
    world.bulk_csv(100, Encoding::Gb18030, 0.5, &mut chinese).unwrap();
    assert!(GB18030.decode_without_bom_handling_and_without_replacement(&chinese).is_some());
}

#[test]
fn damage_is_as_described() {
    let numbers = |damaged: &damaged::Damaged| -> Vec<String> {
        let text = String::from_utf8(damaged.bytes.clone()).unwrap();
        parse(&text, ',').into_iter().skip(1).map(|mut record| record.swap_remove(1)).collect()
    };
    let figures = |damaged: &damaged::Damaged| -> Vec<u64> {
        let all = numbers(damaged);
        assert!(all.iter().any(|number| number.ends_with('X') && fits_mod_11_2(number)));
        all.iter().filter_map(|number| number.parse().ok()).collect()
    };
    let excel = figures(&damaged::excel_damaged(1, 500));
    assert!(excel.len() > 400 && excel.iter().all(|n| n.is_multiple_of(1_000) && n.ilog10() == 17));
    let float = figures(&damaged::float_damaged(1, 500));
    assert!(float.len() > 400 && float.iter().all(|n| n.is_multiple_of(16) && n.ilog10() == 17));
    assert!(float.iter().any(|n| !n.is_multiple_of(1_000)));
    let scientific = numbers(&damaged::scientific(1, 100));
    assert!(scientific.iter().filter(|number| number.len() == 11 && number.ends_with("E+17")).count() > 80);
    assert!(
        numbers(&damaged::masked(1, 100))
            .iter()
            .all(|number| number.matches('*').count() == 10 && number.len() == 18)
    );
    assert!(numbers(&damaged::cut_to_17(1, 100)).iter().all(|number| number.len() == 17));
    assert!(
        numbers(&damaged::wrong_column(1, 200)).iter().filter(|number| fits_mod_11_2(number)).count() < 40
    );
}

#[test]
fn every_damaged_file_has_a_name_of_its_own() {
    let all = damaged::all(1, 200);
    assert_eq!(all.iter().map(|file| file.name).collect::<HashSet<_>>().len(), all.len());
    for file in &all {
        match file.outcome {
            Outcome::Refused(code) => assert!(!code.is_empty() && code.is_ascii()),
            Outcome::Read { rows, valid } => assert!(valid <= rows),
        }
    }
    let quotes = |name: &str| {
        all.iter().find(|f| f.name == name).unwrap().bytes.iter().filter(|b| **b == b'"').count()
    };
    assert_eq!((quotes("unclosed_quote"), quotes("unclosed_quote_at_end")), (1, 1));
    let broken = &all.iter().find(|file| file.name == "undecodable").unwrap().bytes;
    assert!(GB18030.decode_without_bom_handling_and_without_replacement(broken).is_none());
    let mut first = [0; 4_096];
    let mut line = damaged::long_line(1 << 40);
    line.read_exact(&mut first).unwrap();
    assert!(first.ends_with(b"7777"));
    let length = std::io::copy(&mut damaged::long_line(1_000_000), &mut std::io::sink()).unwrap();
    assert!((1_000_000..1_000_100).contains(&length));
}

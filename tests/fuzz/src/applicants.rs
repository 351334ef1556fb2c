//! The applicants' table of the desk.

use desk::{Applicants, Defect};
use protocol::value::Date;

/// A file that a township hands over.
///
/// # Panics
/// When both readings disagree, one number stands for two people, or a defect tells a value.
pub fn applicants(data: &[u8]) {
    let today: Date = "2026-11-22".parse().unwrap();
    let whole = Applicants::read(data, today);
    match Applicants::read_partial(data, today) {
        Ok((people, defects)) => {
            assert_eq!(whole.is_ok(), defects.is_empty(), "a file is read whole where nothing is wrong");
            let mut numbers: Vec<_> = people
                .iter()
                .flat_map(|person| &person.numbers)
                .map(|number| number.subject.clone())
                .collect();
            let all = numbers.len();
            numbers.sort_by(|a, b| (a.kind() as u8, a.number()).cmp(&(b.kind() as u8, b.number())));
            numbers.dedup();
            assert_eq!(numbers.len(), all, "no number stands for two people, or twice for one");
            defects.iter().for_each(tells_no_number);
        }
        Err(defects) => {
            assert!(!defects.is_empty());
            assert_eq!(whole.err(), Some(defects.clone()));
            defects.iter().for_each(tells_no_number);
        }
    }
}

/// Rows are counted in seven digits at most; whatever has more is someone's.
fn tells_no_number(defect: &Defect) {
    let text = defect.to_string();
    let longest = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
    assert!(longest < 8, "a defect tells a number");
}

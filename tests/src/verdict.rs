//! Holding a result table against the world's truth: what was found, missed, wrong.

use std::collections::BTreeMap;

use desk::ResultTable;
use desk::table::Entry;

use crate::world::Institution;

/// How an institution's answer compares with the truth. `missed` and `wrong` must be 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Verdict {
    /// Applicants found who hold something there.
    pub found: usize,
    /// Applicants who hold something there and were not found.
    pub missed: usize,
    /// Applicants found who hold nothing there, or with another total, count or date than the truth.
    pub wrong: usize,
}

type Key = (String, String);
type Figures = (i64, u64, u64, u32, u32);

/// Compares one institution's rows of `table` with its truth, at level L1 with all fields asked.
pub fn compare(table: &ResultTable, institution: &Institution) -> Verdict {
    let mut answered: BTreeMap<u32, (bool, BTreeMap<Key, Figures>)> = BTreeMap::new();
    for row in table.rows.iter().filter(|row| row.institution.as_str() == institution.code) {
        let entry = answered.entry(row.applicant_row).or_default();
        entry.0 |= row.found == Some(true);
        if let (Entry::Total, Some(kind), Some(currency)) = (row.entry, row.kind, row.currency) {
            let number = |date: Option<protocol::Date>| date.map_or(0, protocol::Date::number);
            let figures = (
                row.minor.unwrap_or(0),
                row.accounts.unwrap_or(0).into(),
                row.blank.unwrap_or(0).into(),
                number(row.oldest),
                number(row.newest),
            );
            entry.1.insert((kind.to_owned(), currency.to_string()), figures);
        }
    }
    let mut verdict = Verdict::default();
    for holding in &institution.truth.holdings {
        // The desk counts rows as a spreadsheet does: the heading is row 1.
        let row = u32::try_from(holding.row + 1).unwrap();
        let (found, totals) = answered.remove(&row).unwrap_or_default();
        let word = |value: &dyn erased::Json| value.word();
        let truth: BTreeMap<Key, Figures> = holding
            .totals
            .iter()
            .map(|t| ((word(&t.kind), word(&t.currency)), (t.minor, t.accounts, t.blank, t.oldest, t.newest)))
            .collect();
        match (holding.found, found) {
            (true, false) => verdict.missed += 1,
            (false, true) => verdict.wrong += 1,
            (false, false) => {}
            (true, true) if totals == truth => verdict.found += 1,
            (true, true) => verdict.wrong += 1,
        }
    }
    verdict.wrong += answered.values().filter(|(found, _)| *found).count();
    verdict
}

/// The word a truth's value has in JSON: the truth is kept free of the product's types on purpose.
mod erased {
    pub(super) trait Json {
        fn word(&self) -> String;
    }
    impl<T: serde::Serialize> Json for T {
        fn word(&self) -> String {
            match serde_json::to_value(self) {
                Ok(serde_json::Value::String(word)) => word,
                _ => panic!("a word"),
            }
        }
    }
}

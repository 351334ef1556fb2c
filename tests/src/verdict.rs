//! Holding a result against the world's truth: what was found, missed, wrong. [`compare`] takes the desk's table, as
//! people read it; [`compare_slots`] the opened slots, which say more.

use std::collections::BTreeMap;

use desk::ResultTable;
use desk::table::Entry;
use protocol::roster::{Field, Level, Roster};
use protocol::slot::{self, Slot, account_bit, note};

use crate::world::{Holding, Institution};

/// How an institution's answer compares with the truth. `missed` and `wrong` must be 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Verdict {
    /// Applicants found who hold something there.
    pub found: usize,
    /// Applicants who hold something there and were not found.
    pub missed: usize,
    /// Applicants found who hold nothing there, or with another total, count, date, name flag or number than the
    /// truth.
    pub wrong: usize,
}

type Key = (String, String);
type Figures = (i64, u64, u64, u32, u32);

/// What a table says of one applicant.
#[derive(Debug, Default)]
struct Answered {
    found: bool,
    totals: BTreeMap<Key, Figures>,
    name_flags: u8,
    ordinals: u8,
}

/// Compares one institution's rows of `table` with its truth, at level L1 with all fields asked.
pub fn compare(table: &ResultTable, institution: &Institution) -> Verdict {
    let mut answered: BTreeMap<u32, Answered> = BTreeMap::new();
    for row in table.rows.iter().filter(|row| row.institution.as_str() == institution.code) {
        let entry = answered.entry(row.applicant_row).or_default();
        entry.found |= row.found == Some(true);
        entry.name_flags |= row.name_flags.iter().map(|flag| bit_of(flag)).sum::<u8>();
        entry.ordinals |= row.matched.iter().map(|number| 1 << ordinal_of(number)).sum::<u8>();
        if let (Entry::Total, Some(kind), Some(currency)) = (row.entry, row.kind, row.currency) {
            let number = |date: Option<protocol::Date>| date.map_or(0, protocol::Date::number);
            let figures = (
                row.minor.unwrap_or(0),
                row.accounts.unwrap_or(0).into(),
                row.blank.unwrap_or(0).into(),
                number(row.oldest),
                number(row.newest),
            );
            entry.totals.insert((kind.to_owned(), currency.to_string()), figures);
        }
    }
    let mut verdict = Verdict::default();
    for holding in &institution.truth.holdings {
        let said = answered.remove(&applicant_row(holding)).unwrap_or_default();
        let right = said.totals == totals(holding)
            && holding.allows_name_flags(said.name_flags)
            && said.ordinals == holding.ordinals;
        verdict.add(holding.found, said.found, right);
    }
    verdict.wrong += answered.values().filter(|said| said.found).count();
    verdict
}

/// Compares the slots of an opened answer with the truth: `rows` says which row of the applicants' file each slot is
/// about, and what is not asked must not be there.
pub fn compare_slots(
    slots: &[Slot],
    rows: &[Option<u32>],
    roster: &Roster,
    institution: &Institution,
) -> Verdict {
    let mut verdict = Verdict::default();
    let mut judged = 0;
    for (slot, row) in slots.iter().zip(rows) {
        let Some(row) = row else {
            verdict.wrong += usize::from(*slot != Slot::default());
            continue;
        };
        let holdings = &institution.truth.holdings;
        let holding = holdings.iter().find(|holding| applicant_row(holding) == *row).unwrap();
        verdict.add(holding.found, slot.found, says(slot, holding, roster));
        judged += 1;
    }
    assert_eq!(judged, institution.truth.holdings.len(), "every applicant has a slot");
    verdict
}

/// Whether a slot says all that is true and asked, and nothing else.
fn says(slot: &Slot, holding: &Holding, roster: &Roster) -> bool {
    let asked = |field| roster.fields.contains(&field);
    let names =
        if asked(Field::Name) { holding.allows_name_flags(slot.name_flags) } else { slot.name_flags == 0 };
    let head = names && slot.ordinals == holding.ordinals && slot.over.is_none();
    if roster.level == Level::L0 {
        return head && slot.rows == 0 && slot.notes == 0 && slot.totals.is_empty();
    }
    let figures = |t: &slot::Total| (t.minor, t.accounts.into(), t.blank.into(), t.oldest, t.newest);
    let said: BTreeMap<Key, Figures> = slot
        .totals
        .iter()
        .map(|t| ((t.kind.name().to_owned(), t.currency.to_string()), figures(t)))
        .collect();
    let cut = slot.notes & note::ACCOUNTS_CUT != 0;
    let head = head && u64::from(slot.rows) == holding.rows && said == totals(holding);
    let accounts = match roster.level {
        Level::L2 => has_accounts(slot, holding) && cut == (holding.accounts.len() > slot::MAX_ACCOUNTS),
        _ => slot.accounts.is_empty(),
    };
    head && accounts
}

/// Whether the account list is the truth's: numbers, kinds, amounts, dates and ordinals.
fn has_accounts(slot: &Slot, holding: &Holding) -> bool {
    let mut left: Vec<_> = holding
        .accounts
        .iter()
        .map(|a| (a.number.clone(), word(&a.kind), word(&a.currency), a.minor, a.date, a.ordinal))
        .collect();
    let said = slot.accounts.iter().map(|a| {
        let minor = (a.bits & account_bit::AMOUNT_EMPTY == 0).then_some(a.minor);
        let kind = a.kind.name().to_owned();
        (a.account.clone(), kind, a.currency.to_string(), minor, a.date, a.ordinal)
    });
    let all = said.into_iter().all(|account| match left.iter().position(|other| *other == account) {
        Some(at) => {
            left.swap_remove(at);
            true
        }
        None => false,
    });
    all && slot.accounts.len() == holding.accounts.len().min(slot::MAX_ACCOUNTS)
}

impl Verdict {
    fn add(&mut self, is_there: bool, found: bool, right: bool) {
        match (is_there, found) {
            (true, false) => self.missed += 1,
            (true, true) if right => self.found += 1,
            (true, true) | (false, true) => self.wrong += 1,
            (false, false) => self.wrong += usize::from(!right),
        }
    }
}

/// The desk counts rows as a spreadsheet does: the heading is row 1.
fn applicant_row(holding: &Holding) -> u32 {
    u32::try_from(holding.row + 1).unwrap()
}

fn totals(holding: &Holding) -> BTreeMap<Key, Figures> {
    let all = holding.totals.iter();
    all.map(|t| ((word(&t.kind), word(&t.currency)), (t.minor, t.accounts, t.blank, t.oldest, t.newest)))
        .collect()
}

/// The bit of a name flag by its name in a table.
fn bit_of(flag: &str) -> u8 {
    let names = ["not_compared", "same", "same_folded", "different"];
    1 << names.iter().position(|name| *name == flag).expect("a name flag")
}

/// The ordinal of a number by its name in a table: `current` or `former:` and the ordinal.
fn ordinal_of(number: &str) -> u8 {
    number.strip_prefix("former:").map_or(0, |ordinal| ordinal.parse().unwrap())
}

fn word(value: &dyn erased::Json) -> String {
    value.word()
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

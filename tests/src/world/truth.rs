//! What is true of a file, added up from the rows before they were spelled.

use std::collections::BTreeMap;

use serde::Serialize;

use super::csv::Encoding;
use super::money::{AssetKind, Currency};
use super::name::NameFlag;
use super::row::{Owner, Reason, Row};
use super::spelling::Normalised;

/// The truth about one institution's file. Serialises to JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// About the file as a whole: what the coverage statement must say (SPEC §5.2).
    pub file: FileTruth,
    /// One for each applicant, in the order of the list, those not found included.
    pub holdings: Vec<Holding>,
}

/// Counts over a whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileTruth {
    /// The file's encoding: `utf-8` or `gb18030`.
    pub encoding: &'static str,
    /// What a row stands for.
    pub grain: Grain,
    /// Data rows: valid, not personal and set aside.
    pub rows: u64,
    /// Rows of persons.
    pub valid: u64,
    /// Rows of companies.
    pub not_personal: u64,
    /// Rows set aside. A reason that does not occur is not in the map.
    pub quarantined: BTreeMap<Reason, u64>,
    /// Rows that are no data: `footer`, `repeated_header`. Those that do not occur are not in the map.
    pub skipped: BTreeMap<&'static str, u64>,
    /// Rows in which a cleaning step changed something; only persons' rows are untidy here.
    pub normalised: BTreeMap<Normalised, u64>,
}

/// What a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grain {
    /// An account with one amount: an empty one counts as blank.
    Account,
    /// A customer with several amount columns: an empty one adds nothing.
    Customer,
}

/// What an applicant has at one institution.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Holding {
    /// The applicant's row in the list, from 1.
    pub row: usize,
    /// Whether the institution has a row of this person.
    pub found: bool,
    /// How many.
    pub rows: u64,
    /// A bit for each [`NameFlag`] that the rows lead to, as in a slot.
    pub name_flags: u8,
    /// A bit for each ordinal under which rows were found.
    pub ordinals: u8,
    /// By kind and currency, in the order of SPEC §5.1.
    pub totals: Vec<Total>,
    /// The accounts behind them, in the order of the file.
    #[serde(skip)]
    pub accounts: Vec<HeldAccount>,
}

/// One account, or what a customer has of one kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct HeldAccount {
    /// Its number, empty where the institution gives none.
    pub number: String,
    /// The kind.
    pub kind: AssetKind,
    /// The currency.
    pub currency: Currency,
    /// Minor units; `None` where the cell is empty.
    pub minor: Option<i64>,
    /// Balance date as yyyymmdd, 0 for none.
    pub date: u32,
    /// The ordinal of the number it was found under.
    pub ordinal: u8,
}

/// What a person has of one kind in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Total {
    /// The kind.
    pub kind: AssetKind,
    /// The currency.
    pub currency: Currency,
    /// Sum in minor units.
    pub minor: i64,
    /// Rows that added to it.
    pub accounts: u64,
    /// Those of them without an amount.
    pub blank: u64,
    /// Oldest balance date as yyyymmdd, 0 for none.
    pub oldest: u32,
    /// Newest balance date.
    pub newest: u32,
}

impl Holding {
    /// Whether the name flags `seen` in an answer fit the truth. They may differ in one way: the tags are short
    /// (SPEC §3.5), so one folded name in 256 looks the same to the character.
    pub fn allows_name_flags(&self, seen: u8) -> bool {
        let folded = 1 << NameFlag::Folded as u8;
        let same = 1 << NameFlag::Same as u8;
        let chance = self.name_flags & folded != 0;
        seen == self.name_flags
            || chance && (seen == self.name_flags | same || seen == (self.name_flags & !folded) | same)
    }

    fn add(&mut self, row: &Row, ordinal: u8, grain: Grain) {
        self.found = true;
        self.rows += 1;
        self.name_flags |= 1 << row.name.flag as u8;
        self.ordinals |= 1 << ordinal;
        for position in &row.account.positions {
            if position.minor.is_none() && grain == Grain::Customer {
                continue;
            }
            self.accounts.push(HeldAccount {
                number: row.account.number.clone(),
                kind: position.kind,
                currency: position.currency,
                minor: position.minor,
                date: row.account.date.unwrap_or(0),
                ordinal,
            });
            let total = self.total(position.kind, position.currency);
            total.accounts += 1;
            match position.minor {
                Some(minor) => total.minor += minor,
                None => total.blank += 1,
            }
            if let Some(date) = row.account.date {
                total.oldest = if total.oldest == 0 { date } else { total.oldest.min(date) };
                total.newest = total.newest.max(date);
            }
        }
    }

    fn total(&mut self, kind: AssetKind, currency: Currency) -> &mut Total {
        let at = match self.totals.binary_search_by_key(&(kind, currency), |t| (t.kind, t.currency)) {
            Ok(at) => at,
            Err(at) => {
                let empty = Total { kind, currency, minor: 0, accounts: 0, blank: 0, oldest: 0, newest: 0 };
                self.totals.insert(at, empty);
                at
            }
        };
        &mut self.totals[at]
    }
}

impl Truth {
    pub(super) fn new(encoding: Encoding, grain: Grain, applicants: usize) -> Self {
        let holding = |index| Holding { row: index + 1, ..Holding::default() };
        Self {
            file: FileTruth {
                encoding: encoding.name(),
                grain,
                rows: 0,
                valid: 0,
                not_personal: 0,
                quarantined: BTreeMap::new(),
                skipped: BTreeMap::new(),
                normalised: BTreeMap::new(),
            },
            holdings: (0..applicants).map(holding).collect(),
        }
    }

    /// How many applicants were found.
    pub fn found(&self) -> usize {
        self.holdings.iter().filter(|h| h.found).count()
    }

    pub(super) fn add(&mut self, row: &Row) {
        let file = &mut self.file;
        file.rows += 1;
        match row.owner {
            Owner::Applicant { index, ordinal } => {
                file.valid += 1;
                self.holdings[index].add(row, ordinal, file.grain);
            }
            Owner::Stranger => file.valid += 1,
            Owner::Company => file.not_personal += 1,
            Owner::SetAside(reason) => *file.quarantined.entry(reason).or_default() += 1,
        }
        for what in &row.id.counted {
            *file.normalised.entry(*what).or_default() += 1;
        }
    }

    pub(super) fn skip(&mut self, what: &'static str, count: u64) {
        if count > 0 {
            *self.file.skipped.entry(what).or_default() += count;
        }
    }
}

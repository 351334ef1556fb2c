//! What an institution disclosed in an answer, as its own compliance office reads it with the answer's copy (SPEC §4.7).
//!
//! A slot has a number and no name: whom the centre asked about the institution does not know, and this does not tell.

use protocol::answer_seal::OpenedAnswer;
use protocol::coverage::Coverage;
use protocol::slot;
use protocol::value::{Code, Currency, Date, Digest, Time};
use serde::Serialize;

use crate::render::csv_text;
use crate::table::{bits, decimal};

/// An answer in clear. A member that the roster did not ask for is empty or zero in it (SPEC §4.3.1).
#[derive(Serialize)]
pub struct Disclosed {
    /// The institution.
    pub institution: Code,
    /// Document digest of the answer.
    pub answer: Digest,
    /// Document digest of the roster.
    pub roster: Digest,
    /// Version of the answer.
    pub version: u32,
    /// When the answer was made.
    pub created: Time,
    /// Slots of the answer, of which most stand for nobody or for no customer.
    pub slots: usize,
    /// What the institution looked at.
    pub statement: Coverage,
    /// The slots that say something.
    pub found: Vec<FoundSlot>,
}

/// A slot that says something.
#[derive(Serialize)]
pub struct FoundSlot {
    /// Its number, from 0.
    pub slot: usize,
    /// Whether there is a record.
    pub found: bool,
    /// Level L0: whether the assets are over the line.
    pub over_line: Option<bool>,
    /// Customer rows found.
    pub rows: u32,
    /// What could not be read or did not fit.
    pub notes: Vec<&'static str>,
    /// Totals.
    pub totals: Vec<DisclosedTotal>,
    /// Accounts.
    pub accounts: Vec<DisclosedAccount>,
}

/// The sum of one asset kind in one currency.
#[derive(Serialize)]
pub struct DisclosedTotal {
    /// Asset kind.
    pub kind: &'static str,
    /// Currency.
    pub currency: Currency,
    /// In the currency's minor unit.
    pub minor: i64,
    /// Accounts that add to it.
    pub accounts: u16,
    /// Oldest balance date.
    pub oldest: Option<Date>,
    /// Newest balance date.
    pub newest: Option<Date>,
}

/// One account.
#[derive(Serialize)]
pub struct DisclosedAccount {
    /// Asset kind.
    pub kind: &'static str,
    /// Currency.
    pub currency: Currency,
    /// In the currency's minor unit.
    pub minor: i64,
    /// Balance date.
    pub date: Option<Date>,
    /// Account number.
    pub account: String,
    /// Product name.
    pub product: String,
    /// Account state.
    pub status: &'static str,
}

impl Disclosed {
    /// What `opened` says; `answer` is its document digest.
    pub fn of(opened: &OpenedAnswer, answer: Digest) -> Self {
        let header = &opened.header;
        let found = opened.slots.iter().enumerate().filter(|(_, slot)| slot.found || slot.over == Some(true));
        Self {
            institution: header.institution.clone(),
            answer,
            roster: header.roster,
            version: header.version,
            created: header.created,
            slots: opened.slots.len(),
            statement: opened.coverage.clone(),
            found: found.map(|(number, slot)| FoundSlot::of(number, slot)).collect(),
        }
    }

    /// A line for each total and account, and one for each slot without any, as CSV (RFC 4180, UTF-8 with a byte mark).
    /// It holds personal data in clear.
    pub fn to_csv(&self) -> String {
        let mut out = String::from(
            "\u{FEFF}slot,entry,rows,over_line,kind,currency,minor,amount,accounts,oldest,newest,account,product,status,notes\r\n",
        );
        let date = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
        for found in &self.found {
            let line = found.over_line.map_or("", |over| if over { "yes" } else { "no" });
            let mut row = |entry: &str, cells: [String; 10]| {
                let head =
                    [found.slot.to_string(), entry.to_owned(), found.rows.to_string(), line.to_owned()];
                let all: Vec<String> = head.into_iter().chain(cells).collect();
                out.push_str(&format!("{},{}\r\n", all.join(","), csv_text(&found.notes.join(" "))));
            };
            if found.totals.is_empty() && found.accounts.is_empty() {
                row("outcome", std::array::from_fn(|_| String::new()));
            }
            for total in &found.totals {
                let DisclosedTotal { kind, currency, minor, accounts, oldest, newest } = total;
                let (amount, none) = (decimal(*minor, *currency), String::new);
                let counted = [accounts.to_string(), date(*oldest), date(*newest), none(), none(), none()];
                let [a, b, c, d, e, f] = counted;
                row(
                    "total",
                    [csv_text(kind), currency.to_string(), minor.to_string(), amount, a, b, c, d, e, f],
                );
            }
            for account in &found.accounts {
                let DisclosedAccount { kind, currency, minor, date: day, account, product, status } = account;
                let amount = decimal(*minor, *currency);
                let [day, newest] = [date(*day), date(*day)];
                let texts = [csv_text(account), csv_text(product), csv_text(status)];
                let [account, product, status] = texts;
                row(
                    "account",
                    [
                        csv_text(kind),
                        currency.to_string(),
                        minor.to_string(),
                        amount,
                        String::new(),
                        day,
                        newest,
                        account,
                        product,
                        status,
                    ],
                );
            }
        }
        out
    }

    /// Counts for a person, without anybody's data.
    pub fn to_summary(&self) -> String {
        let (totals, accounts) = (
            self.found.iter().map(|slot| slot.totals.len()).sum::<usize>(),
            self.found.iter().map(|slot| slot.accounts.len()).sum::<usize>(),
        );
        format!(
            "{} disclosed on {}, version {}, to roster {}\nanswer {}\n{} rows read, {} valid\n\
             {} of {} slots say something: {totals} totals, {accounts} accounts\n",
            self.institution,
            self.created,
            self.version,
            self.roster,
            self.answer,
            self.statement.rows,
            self.statement.valid,
            self.found.len(),
            self.slots,
        )
    }
}

impl FoundSlot {
    fn of(number: usize, slot: &slot::Slot) -> Self {
        let totals = slot.totals.iter().map(|total| DisclosedTotal {
            kind: total.kind.name(),
            currency: total.currency,
            minor: total.minor,
            accounts: total.accounts,
            oldest: Date::from_number(total.oldest),
            newest: Date::from_number(total.newest),
        });
        let accounts = slot.accounts.iter().map(|account| DisclosedAccount {
            kind: account.kind.name(),
            currency: account.currency,
            minor: account.minor,
            date: Date::from_number(account.date),
            account: account.account.clone(),
            product: account.product.clone(),
            status: account.status.name(),
        });
        Self {
            slot: number,
            found: slot.found,
            over_line: slot.over,
            rows: slot.rows,
            notes: bits(slot.notes, &slot::note::NAMES),
            totals: totals.collect(),
            accounts: accounts.collect(),
        }
    }
}

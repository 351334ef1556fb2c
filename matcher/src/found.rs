//! What was found for one applicant while rows still come, and how instances that share the work add it up.
//!
//! All of it is independent of the order of rows: sums, the earliest and latest of dates, the lists that sort first.

use protocol::DecodeError;
use protocol::envelope::Reader;
use protocol::name::NameFlag;
use protocol::roster::Level;
use protocol::slot::{ACCOUNT, Account, AssetKind, MAX_ACCOUNTS, MAX_TOTALS, account_bit, note};
use protocol::value::{Currency, Date};

use crate::cell::Cell;
use crate::findings::Asset;

const HEAD: usize = 32;
const SUM: usize = 36;

/// What a refusal names.
const WHAT: &str = "part";

/// No sum of a part comes near: 2^32 rows of 2^8 amounts of 2^63. Added up, parts stay within 128 bits.
const MOST: u128 = 1 << 112;

/// Bytes of what was found for a slot, between instances.
pub(crate) fn bytes(level: Level) -> usize {
    match level {
        Level::L0 => HEAD,
        Level::L1 => HEAD + MAX_TOTALS * SUM,
        Level::L2 => HEAD + MAX_TOTALS * SUM + MAX_ACCOUNTS * ACCOUNT,
    }
}

/// What decides how much is kept.
pub(crate) struct Scope {
    pub(crate) level: Level,
    /// The currency of the roster's line.
    pub(crate) line: Option<Currency>,
}

/// What was found for one applicant. None of it prints.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) name_flags: u8,
    pub(crate) ordinals: u8,
    pub(crate) rows: u32,
    pub(crate) notes: u8,
    /// Assets in the line's currency.
    pub(crate) in_line: i128,
    /// The [`MAX_TOTALS`] that sort first by kind and currency.
    pub(crate) totals: Vec<((AssetKind, Currency), Sum)>,
    /// The [`MAX_ACCOUNTS`] that sort first by their bytes; at L2 only.
    pub(crate) accounts: Vec<([u8; ACCOUNT], Account)>,
}

/// One total.
#[derive(Default)]
pub(crate) struct Sum {
    pub(crate) minor: i128,
    pub(crate) accounts: u32,
    pub(crate) blank: u32,
    pub(crate) oldest: u32,
    pub(crate) newest: u32,
}

impl Sum {
    fn merge(&mut self, more: &Self) {
        self.minor += more.minor;
        self.accounts = self.accounts.saturating_add(more.accounts);
        self.blank = self.blank.saturating_add(more.blank);
        self.oldest = if self.oldest == 0 || more.oldest == 0 {
            self.oldest.max(more.oldest)
        } else {
            self.oldest.min(more.oldest)
        };
        self.newest = self.newest.max(more.newest);
    }
}

impl Found {
    /// Takes note of a row.
    pub(crate) fn row(&mut self, flag: NameFlag, ordinal: u8) {
        self.name_flags |= 1 << flag as u8;
        self.ordinals |= 1 << (ordinal & 7);
        self.rows = self.rows.saturating_add(1);
    }

    /// Adds one asset of a row.
    pub(crate) fn add(&mut self, asset: &Asset, flag: NameFlag, ordinal: u8, scope: &Scope) {
        self.notes |= asset.notes;
        let mut sum = Sum { accounts: u32::from(asset.accounts), ..Sum::default() };
        let mut bits = 0;
        let minor = match asset.amount {
            Cell::Value(minor) => minor,
            Cell::Empty => {
                sum.blank = 1;
                bits |= account_bit::AMOUNT_EMPTY;
                0
            }
            Cell::Unreadable => {
                self.notes |= note::AMOUNT_UNREADABLE;
                bits |= account_bit::AMOUNT_UNREADABLE;
                0
            }
        };
        sum.minor = i128::from(minor);
        let date = match asset.date {
            Cell::Value(date) => {
                (sum.oldest, sum.newest) = (date, date);
                date
            }
            Cell::Empty => {
                bits |= account_bit::DATE_MISSING;
                0
            }
            Cell::Unreadable => {
                self.notes |= note::DATE_UNREADABLE;
                bits |= account_bit::DATE_MISSING;
                0
            }
        };
        if !asset.kind.is_liability() && scope.line == Some(asset.currency) {
            self.in_line += sum.minor;
        }
        if scope.level >= Level::L1 {
            self.keep_total((asset.kind, asset.currency), &sum);
        }
        if scope.level >= Level::L2 {
            self.keep_account(Account {
                kind: asset.kind,
                currency: asset.currency,
                minor,
                date,
                status: asset.status,
                name_flag: flag as u8,
                ordinal,
                bits,
                account: asset.account.clone(),
                product: asset.product.clone(),
            });
        }
    }

    /// Adds to a total. Of more than fit, those that sort first are kept; one that has left never comes back,
    /// because those before it stay.
    fn keep_total(&mut self, key: (AssetKind, Currency), sum: &Sum) {
        let at = self.totals.partition_point(|(other, _)| *other < key);
        match self.totals.get_mut(at) {
            Some((other, total)) if *other == key => total.merge(sum),
            _ => {
                let mut total = Sum::default();
                total.merge(sum);
                self.totals.insert(at, (key, total));
            }
        }
        if self.totals.len() > MAX_TOTALS {
            self.notes |= note::TOTALS_CUT;
            self.totals.truncate(MAX_TOTALS);
        }
    }

    /// Keeps the accounts that sort first, as many as a slot has room for.
    fn keep_account(&mut self, account: Account) {
        let key = account.to_bytes();
        let at = self.accounts.partition_point(|(other, _)| *other <= key);
        self.accounts.insert(at, (key, account));
        if self.accounts.len() > MAX_ACCOUNTS {
            self.notes |= note::ACCOUNTS_CUT;
            self.accounts.truncate(MAX_ACCOUNTS);
        }
    }

    /// Adds what another instance found.
    pub(crate) fn merge(&mut self, more: Self) {
        self.name_flags |= more.name_flags;
        self.ordinals |= more.ordinals;
        self.rows = self.rows.saturating_add(more.rows);
        self.notes |= more.notes;
        self.in_line += more.in_line;
        for (key, sum) in &more.totals {
            self.keep_total(*key, sum);
        }
        for (_, account) in more.accounts {
            self.keep_account(account);
        }
    }

    /// Writes it over the beginning of `out`, which is zero and has [`bytes`] of this level: name flags, ordinals,
    /// notes, numbers of totals and accounts, 3 bytes of zero, rows u32, 4 of zero, the assets in the line's currency
    /// i128; each total as kind, currency, minor i128, accounts, blank, oldest, newest u32; each account as in a slot.
    pub(crate) fn write(&self, level: Level, out: &mut [u8]) {
        let count = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
        let mut to = out.iter_mut();
        let mut put = |bytes: &[u8]| bytes.iter().zip(to.by_ref()).for_each(|(b, o)| *o = *b);
        put(&[
            self.name_flags,
            self.ordinals,
            self.notes,
            count(self.totals.len()),
            count(self.accounts.len()),
        ]);
        put(&[0; 3]);
        put(&self.rows.to_be_bytes());
        put(&[0; 4]);
        put(&self.in_line.to_be_bytes());
        if level == Level::L0 {
            return;
        }
        for ((kind, currency), sum) in &self.totals {
            put(&[*kind as u8]);
            put(&currency.0);
            put(&sum.minor.to_be_bytes());
            for number in [sum.accounts, sum.blank, sum.oldest, sum.newest] {
                put(&number.to_be_bytes());
            }
        }
        put(&vec![0; (MAX_TOTALS - self.totals.len()) * SUM]);
        for (key, _) in &self.accounts {
            put(key);
        }
    }

    /// Reads what [`Found::write`] wrote; nothing where no row was found.
    ///
    /// # Errors
    /// When it is not that.
    pub(crate) fn read(level: Level, bytes: &[u8]) -> Result<Option<Self>, DecodeError> {
        let Some(found) = Self::parse(level, bytes)? else { return Ok(None) };
        let mut again = vec![0; bytes.len()];
        found.write(level, &mut again);
        if found.is_sound() && again == bytes { Ok(Some(found)) } else { Err(DecodeError::Malformed(WHAT)) }
    }

    /// The same of what this instance wrote.
    ///
    /// # Errors
    /// When it did not.
    pub(crate) fn parse(level: Level, bytes: &[u8]) -> Result<Option<Self>, DecodeError> {
        let mut r = Reader(bytes);
        let [name_flags, ordinals, notes, totals, accounts, ..] = r.array::<8>(WHAT)?;
        let rows = u32::from_be_bytes(r.array(WHAT)?);
        r.take(4, WHAT)?;
        let in_line = i128::from_be_bytes(r.array(WHAT)?);
        if rows == 0 {
            return if bytes.iter().all(|b| *b == 0) { Ok(None) } else { Err(DecodeError::Malformed(WHAT)) };
        }
        let mut found = Self { name_flags, ordinals, rows, notes, in_line, ..Self::default() };
        if level >= Level::L1 {
            let mut area = Reader(r.take(MAX_TOTALS * SUM, WHAT)?);
            for _ in 0..totals {
                let [kind] = area.array(WHAT)?;
                let kind = AssetKind::from_byte(kind).ok_or(DecodeError::Malformed(WHAT))?;
                let currency = Currency(area.array(WHAT)?);
                let minor = i128::from_be_bytes(area.array(WHAT)?);
                let mut next = || area.array(WHAT).map(u32::from_be_bytes);
                let (accounts, blank, oldest, newest) = (next()?, next()?, next()?, next()?);
                found.totals.push(((kind, currency), Sum { minor, accounts, blank, oldest, newest }));
            }
        }
        if level >= Level::L2 {
            let mut area = Reader(r.take(MAX_ACCOUNTS * ACCOUNT, WHAT)?);
            for _ in 0..accounts {
                let account = Account::read(&mut area)?;
                found.accounts.push((account.to_bytes(), account));
            }
        }
        Ok(Some(found))
    }

    /// Whether rows can have come to this: what is not so must not reach a slot, where nobody could read it.
    fn is_sound(&self) -> bool {
        let day = |number: u32| number == 0 || Date::from_number(number).is_some();
        let fits = |sum: i128| sum.unsigned_abs() < MOST;
        let total = |((_, currency), sum): &((AssetKind, Currency), Sum)| {
            currency.0.iter().all(u8::is_ascii_uppercase)
                && fits(sum.minor)
                && day(sum.oldest)
                && day(sum.newest)
        };
        self.name_flags <= 0b1111
            && self.notes <= note::ALL
            && fits(self.in_line)
            && self.totals.iter().all(total)
            && self.totals.is_sorted_by(|(a, _), (b, _)| a < b)
            && self.accounts.is_sorted_by(|(a, _), (b, _)| a <= b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runners reckon with these (`runner/src/files.rs`, `web/worker.js`).
    #[test]
    fn sizes_are_those_of_the_specification() {
        assert_eq!([Level::L0, Level::L1, Level::L2].map(bytes), [32, 896, 2_944]);
    }

    /// What no rows come to is refused where it is read: the slot that it would give could not be read.
    #[test]
    fn what_no_rows_come_to_is_refused() {
        let asset = Asset {
            kind: AssetKind::Deposit,
            currency: Currency::CNY,
            amount: Cell::Value(5),
            date: Cell::Value(20_261_031),
            accounts: 1,
            notes: 0,
            status: protocol::slot::Status::Active,
            account: "6217".to_owned(),
            product: String::new(),
        };
        let mut found = Found::default();
        found.row(NameFlag::Same, 0);
        found.add(&asset, NameFlag::Same, 0, &Scope { level: Level::L2, line: None });
        let mut good = vec![0; bytes(Level::L2)];
        found.write(Level::L2, &mut good);
        assert!(Found::read(Level::L2, &good).unwrap().is_some());
        let total = HEAD;
        let wounds = [
            (0, 0x80, "a name flag"),
            (2, 0xFF, "a note"),
            (3, 9, "more totals than there are"),
            (5, 1, "what is left free"),
            (12, 1, "what is left free"),
            (16, 0x7F, "a sum out of range"),
            (total + 1, 0, "a currency"),
            (total + 4, 0x7F, "a sum out of range"),
            (total + 31, 99, "a day"),
            (total + SUM, 1, "a total that is not counted"),
            (good.len() - 1, 1, "an account that is not counted"),
        ];
        for (at, byte, what) in wounds {
            let mut bad = good.clone();
            bad[at] = byte;
            assert!(Found::read(Level::L2, &bad).is_err(), "{what}");
        }
        let mut nobody = vec![0; bytes(Level::L2)];
        assert!(Found::read(Level::L2, &nobody).unwrap().is_none());
        nobody[0] = 1;
        assert!(Found::read(Level::L2, &nobody).is_err(), "something found in no row");
    }
}

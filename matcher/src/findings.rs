//! What was found, slot by slot, and the clear slots that are sealed from it (SPEC §5.1).
//!
//! Sums do not depend on the order of rows. Once [`Findings::close`] has run, writing a slot is one copy of fixed length
//! whether something was found or not; and all that was found lies in two blocks, in which [`ClearSlots::wipe`] goes from
//! slot to slot in the same way.

use std::fmt;

use crate::cell::Cell;
use crate::found::{self, Found, Scope};
use protocol::DecodeError;
use protocol::answer_seal::Slots;
use protocol::name::NameFlag;
use protocol::roster::{Field, Level, Roster};
use protocol::slot::{self, Account, AssetKind, Slot, Total, account_bit, note};
use protocol::value::Currency;

/// One asset of a customer row that matched. Printing shows kind and currency only.
#[derive(Clone)]
pub struct Asset {
    /// What it is.
    pub kind: AssetKind,
    /// In which currency.
    pub currency: Currency,
    /// The amount's cell.
    pub amount: Cell<i64>,
    /// The balance date's cell, or the declared date.
    pub date: Cell<u32>,
    /// Accounts this row stands for.
    pub accounts: u16,
    /// Notes that belong to it.
    pub notes: u8,
    /// State of the account.
    pub status: slot::Status,
    /// Account number, cut to its place.
    pub account: String,
    /// Product name, cut to its place.
    pub product: String,
}

impl fmt::Debug for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asset({} {}, ..)", self.kind.name(), self.currency)
    }
}

/// All that was found for one roster.
pub struct Findings {
    level: Level,
    fields: Vec<Field>,
    line: Option<protocol::roster::Line>,
    /// While rows come; once a file is closed it is empty.
    found: Vec<Found>,
    slots: ClearSlots,
}

/// The slots in clear, and what they were made of.
pub struct ClearSlots {
    size: usize,
    /// For each slot its place among those of `clear` and of `kept`; 0 is that of the empty slot.
    places: Vec<u32>,
    clear: Wiped,
    /// What was found, as [`Findings::write_part`] writes it.
    kept: Wiped,
    /// Bytes of a part of it.
    part: usize,
}

/// What is wiped when it is dropped.
#[derive(Default)]
struct Wiped(Vec<u8>);

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.fill(0);
        // Nobody reads the zeros; this keeps them from being left out.
        std::hint::black_box(&mut self.0);
    }
}

impl Findings {
    /// Nothing found yet.
    pub fn new(roster: &Roster) -> Self {
        let slots = usize::try_from(roster.slot_count).unwrap_or(0);
        Self {
            level: roster.level,
            fields: roster.fields.clone(),
            line: roster.line,
            found: Vec::new(),
            slots: ClearSlots {
                size: slot::size(roster.level),
                places: vec![0; slots],
                clear: Wiped::default(),
                kept: Wiped::default(),
                part: found::bytes(roster.level),
            },
        }
    }

    /// Adds a customer row that matched `ordinal` of `slot`.
    pub fn add(&mut self, slot: u32, ordinal: u8, flag: NameFlag, assets: &[Asset]) {
        let scope = Scope { level: self.level, line: self.line.map(|line| line.currency) };
        let Some(found) = self.found_at(slot) else { return };
        found.row(flag, ordinal);
        for asset in assets {
            found.add(asset, flag, ordinal, &scope);
        }
    }

    /// Bytes of what [`Findings::write_part`] writes for a slot: they depend on the level alone.
    pub fn part_bytes(&self) -> usize {
        self.slots.part
    }

    /// Slots of the roster.
    pub fn slot_count(&self) -> u32 {
        u32::try_from(self.slots.places.len()).unwrap_or(u32::MAX)
    }

    /// Writes what was found for slot `index`, for another instance to add ([`Findings::add_part`]).
    pub fn write_part(&self, index: u32, out: &mut [u8]) {
        out.fill(0);
        let Some(at) = self.place(index) else { return };
        if let Some(found) = self.found.get(at) {
            found.write(self.level, out);
        } else if let Some(kept) = self.slots.kept.0.chunks_exact(self.slots.part).nth(at + 1) {
            out.copy_from_slice(kept);
        }
    }

    /// Adds what another instance found for slot `index`.
    ///
    /// # Errors
    /// When the bytes are not as [`Findings::write_part`] writes them.
    pub fn add_part(&mut self, index: u32, bytes: &[u8]) -> Result<(), DecodeError> {
        if let Some(more) = Found::read(self.level, bytes)?
            && let Some(found) = self.found_at(index)
        {
            found.merge(more);
        }
        Ok(())
    }

    /// Where what was found for a slot lies.
    fn place(&self, slot: u32) -> Option<usize> {
        let place = *self.slots.places.get(usize::try_from(slot).ok()?)?;
        usize::try_from(place).ok()?.checked_sub(1)
    }

    /// What was found for a slot; nothing yet where it is the first.
    fn found_at(&mut self, slot: u32) -> Option<&mut Found> {
        self.take_up();
        let place = self.slots.places.get_mut(usize::try_from(slot).ok()?)?;
        if *place == 0 {
            self.found.push(Found::default());
            *place = u32::try_from(self.found.len()).unwrap_or(0);
        }
        self.found.get_mut(usize::try_from(*place).ok()?.checked_sub(1)?)
    }

    /// Makes the clear slots, and one block of all that was found. May run again after more rows.
    pub fn close(&mut self) {
        self.take_up();
        let mut clear = Wiped(vec![0; self.slots.size * (self.found.len() + 1)]);
        let mut parts = clear.0.chunks_exact_mut(self.slots.size);
        if let Some(empty) = parts.next() {
            let over = self.line.map(|_| false);
            Slot { over, ..Slot::default() }.encode(self.level, empty);
        }
        for (found, part) in self.found.iter().zip(parts) {
            self.clear_slot(found).encode(self.level, part);
        }
        self.slots.clear = clear;
        let mut kept = Wiped(vec![0; self.slots.part * (self.found.len() + 1)]);
        for (found, part) in self.found.iter().zip(kept.0.chunks_exact_mut(self.slots.part).skip(1)) {
            found.write(self.level, part);
        }
        self.slots.kept = kept;
        self.found = Vec::new();
    }

    /// Takes up again what an earlier file's [`Findings::close`] put away.
    fn take_up(&mut self) {
        if self.slots.kept.0.is_empty() {
            return;
        }
        let kept = std::mem::take(&mut self.slots.kept);
        for part in kept.0.chunks_exact(self.slots.part).skip(1) {
            #[expect(clippy::expect_used, reason = "written by `close`, which writes what can be read")]
            self.found.push(Found::parse(self.level, part).expect("what was kept").unwrap_or_default());
        }
    }

    /// The slots as they were when the last file was closed.
    pub fn into_slots(self) -> ClearSlots {
        self.slots
    }

    fn asked(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }

    /// The slot with what was asked for and nothing else: level and fields are enforced here.
    fn clear_slot(&self, found: &Found) -> Slot {
        let asked = |field| self.asked(field);
        let amounts = asked(Field::Amount);
        let mut notes = found.notes;
        let over = self.line.map(|line| found.in_line > i128::from(line.minor));
        let totals: Vec<Total> = found
            .totals
            .iter()
            .map(|((kind, currency), sum)| {
                let minor = i64::try_from(sum.minor).unwrap_or_else(|_| {
                    notes |= note::SUM_OUT_OF_RANGE;
                    if sum.minor < 0 { i64::MIN } else { i64::MAX }
                });
                Total {
                    kind: *kind,
                    currency: *currency,
                    minor: if amounts { minor } else { 0 },
                    accounts: if asked(Field::Accounts) { capped(sum.accounts) } else { 0 },
                    blank: if amounts { capped(sum.blank) } else { 0 },
                    oldest: if asked(Field::BalanceDate) { sum.oldest } else { 0 },
                    newest: if asked(Field::BalanceDate) { sum.newest } else { 0 },
                }
            })
            .collect();
        if self.level == Level::L0 {
            notes = 0;
        }
        if !amounts {
            notes &= !(note::AMOUNT_UNREADABLE | note::SUM_OUT_OF_RANGE);
        }
        if !asked(Field::BalanceDate) {
            notes &= !note::DATE_UNREADABLE;
        }
        // Leaving members out may change the order.
        let mut accounts: Vec<Account> = Vec::new();
        for account in found.accounts.iter().map(|(_, a)| self.clear_account(a)) {
            let key = account.to_bytes();
            accounts.insert(accounts.partition_point(|other| other.to_bytes() <= key), account);
        }
        Slot {
            found: true,
            name_flags: if asked(Field::Name) { found.name_flags } else { 0 },
            over,
            ordinals: found.ordinals,
            rows: if self.level == Level::L0 { 0 } else { found.rows },
            notes,
            totals,
            accounts,
        }
    }

    fn clear_account(&self, account: &Account) -> Account {
        let asked = |field| self.asked(field);
        let mut bits = account.bits;
        if !asked(Field::Amount) {
            bits &= !(account_bit::AMOUNT_EMPTY | account_bit::AMOUNT_UNREADABLE);
        }
        if !asked(Field::BalanceDate) {
            bits &= !account_bit::DATE_MISSING;
        }
        Account {
            minor: if asked(Field::Amount) { account.minor } else { 0 },
            date: if asked(Field::BalanceDate) { account.date } else { 0 },
            status: if asked(Field::Status) { account.status } else { slot::Status::Unknown },
            name_flag: if asked(Field::Name) { account.name_flag } else { 0 },
            account: if asked(Field::Account) { account.account.clone() } else { String::new() },
            product: if asked(Field::Product) { account.product.clone() } else { String::new() },
            bits,
            ..*account
        }
    }
}

fn capped(n: u32) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

impl ClearSlots {
    /// Wipes all that was found. A slot that stands for nothing found costs the same as another; and the blocks are not
    /// given back before the session ends, since the allocator would wipe them once more by their length.
    pub fn wipe(&mut self) {
        for place in &self.places {
            let place = usize::try_from(*place).unwrap_or(0);
            for (block, size) in [(&mut self.clear, self.size), (&mut self.kept, self.part)] {
                if let Some(bytes) = block.0.get_mut(place * size..(place + 1) * size) {
                    bytes.fill(0);
                    // Nobody reads the zeros; this keeps them from being left out.
                    std::hint::black_box(bytes);
                }
            }
        }
    }
}

impl Slots for ClearSlots {
    fn write(&self, index: u32, out: &mut [u8]) {
        let place = usize::try_from(index).ok().and_then(|i| self.places.get(i)).copied().unwrap_or(0);
        let start = usize::try_from(place).unwrap_or(0) * self.size;
        if let Some(clear) = self.clear.0.get(start..start + self.size)
            && clear.len() == out.len()
        {
            out.copy_from_slice(clear);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};
    use protocol::json;
    use protocol::slot::{ACCOUNT_BYTES, PRODUCT_BYTES, Status, cut_text};
    use serde_json::json;

    fn roster(level: &str, fields: &[&str]) -> Roster {
        let (digest, date, time) = ("00".repeat(32), "2026-11-22", "2026-11-22T08:00:00Z");
        json::read(&json!({
            "agreement": digest, "as_of": date, "authorisations_root": digest, "body_bytes": 0,
            "body_sha256": digest, "entry_count": 64, "expires": time, "fields": fields, "id": "00".repeat(16),
            "income_from": null, "income_to": null, "institution": "bank-1", "issued": time,
            "kem": "x25519-hkdf-sha256", "legal_basis": "", "level": level,
            "line": if level == "L0" { json!({"currency": "CNY", "minor": 5}) } else { json!(null) },
            "module_minimum": "0.1.0", "opening_groups": [], "prf": "blake3", "purpose": "", "serial": 1,
            "slot_count": 64, "slot_size": 0, "suite": "keyed", "ticket": "", "token_key": "",
        }))
        .unwrap()
    }

    /// One of each: a value, nothing, something else.
    fn cell<T: Copy + std::fmt::Debug + 'static>(
        value: impl Strategy<Value = T> + 'static,
    ) -> impl Strategy<Value = Cell<T>> {
        (value, 0_u8..4).prop_map(|(value, n)| match n {
            0 => Cell::Empty,
            1 => Cell::Unreadable,
            _ => Cell::Value(value),
        })
    }

    fn any_asset() -> impl Strategy<Value = Asset> {
        (
            (select(AssetKind::ALL.to_vec()), select(vec![Currency::CNY, Currency::UNKNOWN])),
            (cell(any::<i64>()), cell(select(vec![19_500_101, 20_240_229, 21_991_231])), any::<u16>()),
            select(vec![0, note::PRODUCT_UNKNOWN, note::CURRENCY_UNKNOWN]),
            select(vec![Status::Unknown, Status::Frozen]),
            (any::<String>(), any::<String>()),
        )
            .prop_map(
                |((kind, currency), (amount, date, accounts), notes, status, (account, product))| {
                    let account = cut_text(account.trim(), ACCOUNT_BYTES).to_owned();
                    let product = cut_text(product.trim(), PRODUCT_BYTES).to_owned();
                    Asset { kind, currency, amount, date, accounts, notes, status, account, product }
                },
            )
    }

    proptest! {
        #[test]
        fn whatever_is_found_can_be_read(
            level in select(vec!["L0", "L1", "L2"]),
            fields in subsequence(
                vec!["account", "accounts", "amount", "balance_date", "name", "product", "status"], 0..=7),
            rows in proptest::collection::vec(
                (0_u32..3, 0_u8..8, 0_usize..4, proptest::collection::vec(any_asset(), 0..4)), 0..80),
        ) {
            const FLAGS: [NameFlag; 4] =
                [NameFlag::NotCompared, NameFlag::Same, NameFlag::SameFolded, NameFlag::Different];
            let roster = roster(level, &fields);
            let mut findings = Findings::new(&roster);
            for (slot, ordinal, flag, assets) in &rows {
                findings.add(*slot, *ordinal, FLAGS[*flag], assets);
            }
            findings.close();
            let slots = findings.into_slots();
            for index in 0..4 {
                let mut clear = vec![0; slot::size(roster.level)];
                slots.write(index, &mut clear);
                let read = Slot::decode(roster.level, &clear).unwrap();
                prop_assert_eq!(read.found, rows.iter().any(|(slot, ..)| *slot == index));
            }
        }

        /// What a file's end puts away is taken up again by the next row, and by an instance that adds up parts.
        #[test]
        fn closing_between_files_changes_nothing(
            level in select(vec!["L0", "L1", "L2"]),
            rows in proptest::collection::vec(
                (0_u32..3, 0_u8..8, proptest::collection::vec(any_asset(), 0..4), any::<bool>()), 0..40),
        ) {
            let roster = roster(level, &["account", "accounts", "amount", "balance_date", "name", "product", "status"]);
            let (mut once, mut often) = (Findings::new(&roster), Findings::new(&roster));
            for (slot, ordinal, assets, close) in &rows {
                once.add(*slot, *ordinal, NameFlag::Same, assets);
                often.add(*slot, *ordinal, NameFlag::Same, assets);
                if *close {
                    often.close();
                }
            }
            let mut parts = [vec![0; once.part_bytes()], vec![0; once.part_bytes()]];
            for index in 0..4 {
                once.write_part(index, &mut parts[0]);
                often.write_part(index, &mut parts[1]);
                prop_assert!(parts[0] == parts[1]);
            }
            once.close();
            often.close();
            prop_assert!(once.found.is_empty() && once.slots.clear.0 == often.slots.clear.0);
            let mut slots = once.into_slots();
            slots.wipe();
            let left = slots.clear.0.iter().skip(slots.size).chain(&slots.kept.0);
            prop_assert!(left.copied().all(|byte| byte == 0));
        }
    }
}

//! Answers in clear: what one slot says of one applicant (SPEC §5.1).

use std::fmt;

use crate::envelope::Reader;
use crate::error::DecodeError;
use crate::roster::Level;
use crate::value::{Currency, Date};

/// Totals a slot has room for.
pub const MAX_TOTALS: usize = 24;
/// Accounts a slot has room for.
pub const MAX_ACCOUNTS: usize = 32;
/// Bytes of an account number that are kept.
pub const ACCOUNT_BYTES: usize = 24;
/// Bytes of a product name that are kept.
pub const PRODUCT_BYTES: usize = 20;

const HEAD: usize = 16;
const TOTAL: usize = 24;
/// Bytes of an account.
pub const ACCOUNT: usize = 64;

/// Bytes of a slot of this level.
pub fn size(level: Level) -> usize {
    match level {
        Level::L0 => HEAD,
        Level::L1 => HEAD + MAX_TOTALS * TOTAL,
        Level::L2 => HEAD + MAX_TOTALS * TOTAL + MAX_ACCOUNTS * ACCOUNT,
    }
}

/// The level whose slots have this size.
pub fn level_of_size(bytes: u32) -> Option<Level> {
    let bytes = usize::try_from(bytes).ok()?;
    [Level::L0, Level::L1, Level::L2].into_iter().find(|level| size(*level) == bytes)
}

/// Kinds of asset, and of liability (from 129 up), which are never netted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum AssetKind {
    /// 存款
    Deposit = 1,
    /// 理财
    Wealth = 2,
    /// 基金
    Fund = 3,
    /// 债券
    Bond = 4,
    /// 股票市值
    Stock = 5,
    /// 资金余额
    Cash = 6,
    /// 保险
    Insurance = 7,
    /// 贵金属
    Metal = 8,
    /// Not known.
    Other = 9,
    /// 贷款
    Loan = 129,
    /// 信用卡
    CreditCard = 130,
    /// 融资负债
    Margin = 131,
}

impl AssetKind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Deposit,
        Self::Wealth,
        Self::Fund,
        Self::Bond,
        Self::Stock,
        Self::Cash,
        Self::Insurance,
        Self::Metal,
        Self::Other,
        Self::Loan,
        Self::CreditCard,
        Self::Margin,
    ];

    /// The name in result tables and column roles.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Wealth => "wealth",
            Self::Fund => "fund",
            Self::Bond => "bond",
            Self::Stock => "stock",
            Self::Cash => "cash",
            Self::Insurance => "insurance",
            Self::Metal => "metal",
            Self::Other => "other",
            Self::Loan => "loan",
            Self::CreditCard => "credit_card",
            Self::Margin => "margin",
        }
    }

    /// Whether it is owed rather than owned.
    pub fn is_liability(self) -> bool {
        self as u8 > 128
    }

    /// The kind of this number.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|k| *k as u8 == byte)
    }
}

/// The state of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Status {
    /// No state given, or one that is not known.
    #[default]
    Unknown = 0,
    /// 正常
    Active = 1,
    /// 销户
    Closed = 2,
    /// 睡眠
    Dormant = 3,
    /// 冻结
    Frozen = 4,
}

impl Status {
    /// The name in result tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Active => "active",
            Self::Closed => "closed",
            Self::Dormant => "dormant",
            Self::Frozen => "frozen",
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Unknown, Self::Active, Self::Closed, Self::Dormant, Self::Frozen]
            .into_iter()
            .find(|s| *s as u8 == byte)
    }
}

/// Notes of a slot, a bit each (SPEC §5.1, offset 10).
pub mod note {
    /// More totals than fit.
    pub const TOTALS_CUT: u8 = 1;
    /// More accounts than fit.
    pub const ACCOUNTS_CUT: u8 = 2;
    /// An amount could not be read.
    pub const AMOUNT_UNREADABLE: u8 = 4;
    /// A sum left the range of i64.
    pub const SUM_OUT_OF_RANGE: u8 = 8;
    /// A date could not be read.
    pub const DATE_UNREADABLE: u8 = 16;
    /// A product is not known.
    pub const PRODUCT_UNKNOWN: u8 = 32;
    /// A currency is not known.
    pub const CURRENCY_UNKNOWN: u8 = 64;
    /// All of them.
    pub const ALL: u8 = 127;

    /// Names of the notes in result tables, bit 0 first.
    pub const NAMES: [&str; 7] = [
        "totals_cut",
        "accounts_cut",
        "amount_unreadable",
        "sum_out_of_range",
        "date_unreadable",
        "product_unknown",
        "currency_unknown",
    ];
}

/// Bits of an account (SPEC §5.1).
pub mod account_bit {
    /// The amount's cell was empty.
    pub const AMOUNT_EMPTY: u8 = 1;
    /// The amount could not be read.
    pub const AMOUNT_UNREADABLE: u8 = 2;
    /// No balance date, or one that could not be read.
    pub const DATE_MISSING: u8 = 4;
    /// All of them.
    pub const ALL: u8 = 7;
}

/// What an institution found about one applicant. The default is "no record". Printing shows counts only.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Slot {
    /// Whether there is a record.
    pub found: bool,
    /// Name flags seen, bit i for flag i.
    pub name_flags: u8,
    /// Over the line, where the roster draws one.
    pub over: Option<bool>,
    /// Which of the applicant's numbers matched, bit i for ordinal i.
    pub ordinals: u8,
    /// Customer rows found.
    pub rows: u32,
    /// See [`note`].
    pub notes: u8,
    /// Totals, sorted by kind and currency.
    pub totals: Vec<Total>,
    /// Accounts, sorted by their bytes.
    pub accounts: Vec<Account>,
}

/// The sum of one asset kind in one currency. Printing shows these two only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// What it is.
    pub kind: AssetKind,
    /// In which currency.
    pub currency: Currency,
    /// In the currency's minor unit.
    pub minor: i64,
    /// Rows that added to it.
    pub accounts: u16,
    /// Those of them whose amount was empty.
    pub blank: u16,
    /// Oldest balance date, `yyyymmdd`, 0 for none.
    pub oldest: u32,
    /// Newest balance date, `yyyymmdd`, 0 for none.
    pub newest: u32,
}

/// One account. Printing shows kind and currency only.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// What it is.
    pub kind: AssetKind,
    /// In which currency.
    pub currency: Currency,
    /// In the currency's minor unit.
    pub minor: i64,
    /// Balance date, `yyyymmdd`, 0 for none.
    pub date: u32,
    /// Its state.
    pub status: Status,
    /// The name flag of this row, 0…3.
    pub name_flag: u8,
    /// Which of the applicant's numbers this row has.
    pub ordinal: u8,
    /// See [`account_bit`].
    pub bits: u8,
    /// Account number, at most [`ACCOUNT_BYTES`] bytes.
    pub account: String,
    /// Product name, at most [`PRODUCT_BYTES`] bytes.
    pub product: String,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (totals, accounts) = (self.totals.len(), self.accounts.len());
        write!(f, "Slot(found: {}, {totals} totals, {accounts} accounts, ..)", self.found)
    }
}

impl fmt::Debug for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Total({} {}, ..)", self.kind.name(), self.currency)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({} {}, ..)", self.kind.name(), self.currency)
    }
}

impl Account {
    /// The 64 bytes of the account; accounts are sorted by them.
    pub fn to_bytes(&self) -> [u8; ACCOUNT] {
        let mut out = [0; ACCOUNT];
        let mut w = Writer(out.iter_mut());
        w.put(&[self.kind as u8]);
        w.put(&self.currency.0);
        w.put(&self.minor.to_be_bytes());
        w.put(&self.date.to_be_bytes());
        w.put(&[self.status as u8, self.name_flag, self.ordinal, self.bits]);
        w.put_padded(self.account.as_bytes(), ACCOUNT_BYTES);
        w.put_padded(self.product.as_bytes(), PRODUCT_BYTES);
        out
    }

    /// Reads what [`Account::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] or [`DecodeError::Truncated`] with the field's name.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            kind: read_kind(r)?,
            currency: read_currency(r)?,
            minor: i64::from_be_bytes(r.array("slot.account")?),
            date: read_date(r)?,
            status: Status::from_byte(byte(r)?).ok_or(DecodeError::Malformed("slot.account.status"))?,
            name_flag: read_up_to(3, r, "slot.account.name_flag")?,
            ordinal: read_up_to(7, r, "slot.account.ordinal")?,
            bits: read_up_to(account_bit::ALL, r, "slot.account.bits")?,
            account: read_text(r.take(ACCOUNT_BYTES, "slot.account")?)?,
            product: read_text(r.take(PRODUCT_BYTES, "slot.account")?)?,
        })
    }
}

impl Total {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            kind: read_kind(r)?,
            currency: read_currency(r)?,
            minor: i64::from_be_bytes(r.array("slot.total")?),
            accounts: u16::from_be_bytes(r.array("slot.total")?),
            blank: u16::from_be_bytes(r.array("slot.total")?),
            oldest: read_date(r)?,
            newest: read_date(r)?,
        })
    }
}

impl Slot {
    /// Writes the slot over `out`, which is all of a slot's bytes; what does not fit the level is left out.
    pub fn encode(&self, level: Level, out: &mut [u8]) {
        out.fill(0);
        let (totals, accounts): (&[Total], &[Account]) = match level {
            Level::L0 => (&[], &[]),
            Level::L1 => (&self.totals, &[]),
            Level::L2 => (&self.totals, &self.accounts),
        };
        let totals = totals.get(..MAX_TOTALS).unwrap_or(totals);
        let accounts = accounts.get(..MAX_ACCOUNTS).unwrap_or(accounts);
        let mut w = Writer(out.iter_mut());
        w.put(&[
            u8::from(self.found),
            self.name_flags,
            self.over.map_or(0, |o| 1 + u8::from(o)),
            self.ordinals,
        ]);
        w.put(&self.rows.to_be_bytes());
        w.put(&[count(totals.len()), count(accounts.len()), self.notes, 0, 0, 0, 0, 0]);
        for t in totals {
            w.put(&[t.kind as u8]);
            w.put(&t.currency.0);
            w.put(&t.minor.to_be_bytes());
            w.put(&t.accounts.to_be_bytes());
            w.put(&t.blank.to_be_bytes());
            w.put(&t.oldest.to_be_bytes());
            w.put(&t.newest.to_be_bytes());
        }
        w.put_padded(&[], (MAX_TOTALS - totals.len()) * TOTAL);
        for a in accounts {
            w.put(&a.to_bytes());
        }
    }

    /// Reads a slot: every value must be one that SPEC §5.1 names, totals and accounts in their order, and every
    /// byte as [`Slot::encode`] writes it. Whether it says more than was asked is the reader's question.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] or [`DecodeError::Truncated`] with the part's name.
    pub fn decode(level: Level, bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader(bytes);
        let found = match byte(&mut r)? {
            0 => false,
            1 => true,
            _ => return Err(DecodeError::Malformed("slot.outcome")),
        };
        let name_flags = read_up_to(0b1111, &mut r, "slot.name_flags")?;
        let over = match byte(&mut r)? {
            0 => None,
            1 => Some(false),
            2 => Some(true),
            _ => return Err(DecodeError::Malformed("slot.line")),
        };
        let ordinals = byte(&mut r)?;
        let rows = u32::from_be_bytes(r.array("slot.rows")?);
        let [total_count, account_count] = r.array("slot")?;
        let notes = read_up_to(note::ALL, &mut r, "slot.notes")?;
        r.take(5, "slot")?;
        let mut totals = Vec::new();
        let mut accounts = Vec::new();
        if level >= Level::L1 {
            let mut area = Reader(r.take(MAX_TOTALS * TOTAL, "slot.totals")?);
            for _ in 0..total_count {
                totals.push(Total::read(&mut area)?);
            }
        }
        if level >= Level::L2 {
            let mut area = Reader(r.take(MAX_ACCOUNTS * ACCOUNT, "slot.accounts")?);
            for _ in 0..account_count {
                accounts.push(Account::read(&mut area)?);
            }
        }
        r.end("slot")?;
        if !totals.is_sorted_by(|a, b| (a.kind, a.currency) < (b.kind, b.currency)) {
            return Err(DecodeError::Malformed("slot.totals"));
        }
        if !accounts.is_sorted_by_key(Account::to_bytes) {
            return Err(DecodeError::Malformed("slot.accounts"));
        }
        let slot = Self { found, name_flags, over, ordinals, rows, notes, totals, accounts };
        let mut again = vec![0; size(level)];
        slot.encode(level, &mut again);
        if again == bytes { Ok(slot) } else { Err(DecodeError::Malformed("slot")) }
    }
}

fn count(n: usize) -> u8 {
    u8::try_from(n).unwrap_or(u8::MAX)
}

fn byte(r: &mut Reader<'_>) -> Result<u8, DecodeError> {
    r.array::<1>("slot").map(|[b]| b)
}

/// A byte in which 0 to `most` are values.
fn read_up_to(most: u8, r: &mut Reader<'_>, field: &'static str) -> Result<u8, DecodeError> {
    byte(r).and_then(|b| if b <= most { Ok(b) } else { Err(DecodeError::Malformed(field)) })
}

/// `yyyymmdd`, 0 for none.
fn read_date(r: &mut Reader<'_>) -> Result<u32, DecodeError> {
    let number = u32::from_be_bytes(r.array("slot.date")?);
    if number == 0 || Date::from_number(number).is_some() {
        Ok(number)
    } else {
        Err(DecodeError::Malformed("slot.date"))
    }
}

fn read_currency(r: &mut Reader<'_>) -> Result<Currency, DecodeError> {
    let code = r.array("slot.currency")?;
    if code.iter().all(u8::is_ascii_uppercase) {
        Ok(Currency(code))
    } else {
        Err(DecodeError::Malformed("slot.currency"))
    }
}

fn read_kind(r: &mut Reader<'_>) -> Result<AssetKind, DecodeError> {
    AssetKind::from_byte(byte(r)?).ok_or(DecodeError::Malformed("slot.kind"))
}

fn read_text(padded: &[u8]) -> Result<String, DecodeError> {
    // What follows the first zero byte is padding: zero as well, or the slot is not what would be written.
    let text = padded.split(|b| *b == 0).next().unwrap_or_default();
    String::from_utf8(text.to_vec()).map_err(|_| DecodeError::Malformed("slot.text"))
}

/// Cuts `text` to at most `max` bytes, at a character; a U+0000 ends it, as zero bytes fill its place.
pub fn cut_text(text: &str, max: usize) -> &str {
    let text = text.split('\0').next().unwrap_or_default();
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}

struct Writer<'a>(std::slice::IterMut<'a, u8>);

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) {
        bytes.iter().zip(self.0.by_ref()).for_each(|(b, o)| *o = *b);
    }

    fn put_padded(&mut self, bytes: &[u8], width: usize) {
        let kept = bytes.get(..width).unwrap_or(bytes);
        self.put(kept);
        self.0.by_ref().take(width - kept.len()).for_each(|o| *o = 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_slot() -> impl Strategy<Value = Slot> {
        let kind = proptest::sample::select(AssetKind::ALL.to_vec());
        let currency = proptest::sample::select(vec![Currency::CNY, Currency::UNKNOWN, Currency(*b"AAA")]);
        let date = proptest::sample::select(vec![0, 19_000_101, 20_240_229, 21_991_231]);
        let total = (kind.clone(), currency.clone(), any::<i64>(), any::<u16>(), date.clone(), date.clone())
            .prop_map(|(kind, currency, minor, n, oldest, newest)| Total {
                kind,
                currency,
                minor,
                accounts: n,
                blank: n / 2,
                oldest,
                newest,
            });
        let account =
            (kind, currency, any::<i64>(), date, "[0-9]{0,24}", "[存款A]{0,6}", (0_u8..4, 0_u8..8, 0_u8..8))
                .prop_map(|(kind, currency, minor, date, account, product, (name_flag, ordinal, bits))| {
                    Account {
                        kind,
                        currency,
                        minor,
                        date,
                        status: Status::Frozen,
                        name_flag,
                        ordinal,
                        bits,
                        account,
                        product,
                    }
                });
        (
            proptest::collection::vec(total, 0..=MAX_TOTALS),
            proptest::collection::vec(account, 0..=MAX_ACCOUNTS),
            (0_u8..16, any::<u8>(), any::<u32>(), 0_u8..=note::ALL),
            any::<Option<bool>>(),
        )
            .prop_map(|(mut totals, mut accounts, (name_flags, ordinals, rows, notes), over)| {
                totals.sort_by_key(|t| (t.kind, t.currency));
                totals.dedup_by_key(|t| (t.kind, t.currency));
                accounts.sort_by_key(Account::to_bytes);
                Slot { found: true, name_flags, over, ordinals, rows, notes, totals, accounts }
            })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(slot in any_slot()) {
            let mut bytes = vec![0xAA; size(Level::L2)];
            slot.encode(Level::L2, &mut bytes);
            prop_assert_eq!(Slot::decode(Level::L2, &bytes).unwrap(), slot);
        }

        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..700)) {
            for level in [Level::L0, Level::L1, Level::L2] {
                let _ = Slot::decode(level, &bytes);
            }
        }
    }

    #[test]
    fn sizes_are_those_of_the_specification() {
        assert_eq!([Level::L0, Level::L1, Level::L2].map(size), [16, 592, 2640]);
    }

    #[test]
    fn a_lower_level_says_less() {
        let slot = Slot {
            found: true,
            totals: vec![Total {
                kind: AssetKind::Deposit,
                currency: Currency::CNY,
                minor: 5,
                accounts: 1,
                blank: 0,
                oldest: 0,
                newest: 0,
            }],
            ..Slot::default()
        };
        let mut bytes = vec![0; size(Level::L0)];
        slot.encode(Level::L0, &mut bytes);
        assert_eq!(Slot::decode(Level::L0, &bytes).unwrap(), Slot { found: true, ..Slot::default() });
    }

    #[test]
    fn bad_values_are_named() {
        let total = Total {
            kind: AssetKind::Deposit,
            currency: Currency::CNY,
            minor: 5,
            accounts: 1,
            blank: 0,
            oldest: 20_260_228,
            newest: 20_260_228,
        };
        let account = Account {
            kind: AssetKind::Deposit,
            currency: Currency::CNY,
            minor: 5,
            date: 20_260_228,
            status: Status::Active,
            name_flag: 1,
            ordinal: 0,
            bits: 0,
            account: "1".to_owned(),
            product: "1".to_owned(),
        };
        let slot = Slot {
            found: true,
            totals: vec![total, Total { kind: AssetKind::Fund, ..total }],
            accounts: vec![account.clone(), Account { account: "2".to_owned(), ..account }],
            ..Slot::default()
        };
        let mut good = vec![0; size(Level::L2)];
        slot.encode(Level::L2, &mut good);
        assert_eq!(Slot::decode(Level::L2, &good).unwrap(), slot);
        let no_day = 20_260_229_u32.to_be_bytes();
        let (totals, accounts) = (HEAD, HEAD + MAX_TOTALS * TOTAL);
        for (at, bytes, name) in [
            (0, &[2][..], "slot.outcome"),
            (1, &[16], "slot.name_flags"),
            (2, &[3], "slot.line"),
            (8, &[1], "slot"),
            (8, &[25], "slot.kind"),
            (9, &[1], "slot"),
            (9, &[33], "slot.kind"),
            (10, &[128], "slot.notes"),
            (11, &[1], "slot"),
            (totals, &[10], "slot.kind"),
            (totals, &[3], "slot.totals"),
            (totals, &[4], "slot.totals"),
            (totals + 1, b"cny", "slot.currency"),
            (totals + 16, &no_day, "slot.date"),
            (totals + 20, &no_day, "slot.date"),
            (totals + 2 * TOTAL, &[1], "slot"),
            (accounts, &[2], "slot.accounts"),
            (accounts + 12, &no_day, "slot.date"),
            (accounts + 16, &[5], "slot.account.status"),
            (accounts + 17, &[4], "slot.account.name_flag"),
            (accounts + 18, &[8], "slot.account.ordinal"),
            (accounts + 19, &[8], "slot.account.bits"),
            (accounts + 20, &[0xFF], "slot.text"),
            (accounts + 22, b"1", "slot"),
            (accounts + 2 * ACCOUNT, &[1], "slot"),
        ] {
            let mut bad = good.clone();
            bad[at..at + bytes.len()].copy_from_slice(bytes);
            assert_eq!(Slot::decode(Level::L2, &bad), Err(DecodeError::Malformed(name)), "byte {at}");
        }
    }

    #[test]
    fn a_text_is_cut_at_a_character() {
        assert_eq!(cut_text("一二三", 8), "一二");
        assert_eq!(cut_text("a\0b", 8), "a");
    }
}

//! Reading the cells beside the identity number: amounts, dates, currencies, products, states (SPEC §5.3).
//!
//! Each reader says "empty", "unreadable" or a value. None of them guesses.

use std::fmt;

use protocol::slot::{AssetKind, Status};
use protocol::value::{Currency, Date};

/// What a cell holds. Its value does not print.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cell<T> {
    /// Nothing; not zero.
    Empty,
    /// Something that is no such value.
    Unreadable,
    /// The value.
    Value(T),
}

impl<T> fmt::Debug for Cell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "Empty",
            Self::Unreadable => "Unreadable",
            Self::Value(_) => "Value(..)",
        })
    }
}

protocol::json_words! {
    /// What the figures of a column count.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub enum Unit {
        /// 元: one unit of the currency.
        #[default]
        One = "one",
        /// 万元: ten thousand.
        TenThousand = "ten_thousand",
    }
}

impl Unit {
    fn exponent(self) -> u32 {
        match self {
            Self::One => 0,
            Self::TenThousand => 4,
        }
    }
}

/// Blank-free, half-width, without what stands around a figure.
fn tidy(text: &str) -> String {
    text.chars()
        .filter(|c| {
            !c.is_whitespace() && !matches!(c, '\u{200B}'..='\u{200F}' | '\u{FEFF}' | '\'' | '\u{2019}')
        })
        .map(|c| match c {
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            c => c,
        })
        .collect()
}

/// Reads an amount into the currency's minor unit. Digits below the minor unit are cut off.
pub fn amount(text: &str, unit: Unit, currency: Currency) -> Cell<i64> {
    let text = tidy(text);
    let text = text.strip_prefix("=\"").and_then(|t| t.strip_suffix('"')).unwrap_or(&text);
    if text.bytes().all(|b| b == b'-') {
        return Cell::Empty; // nothing, or the dashes that stand for nothing
    }
    let (text, bracketed) = match text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let mut rest = text;
    let mut minus = bracketed;
    let mut signs = u32::from(bracketed);
    // Sign and currency mark may stand in either order: -￥5, ￥-5.
    for _ in 0..2 {
        if let Some(after) = rest.strip_prefix(['-', '+']) {
            minus |= rest.starts_with('-');
            signs += 1;
            rest = after;
        }
        rest = ["\u{A5}", "\u{FFE5}", "$", "CNY", "RMB", "USD", "HKD", "EUR", "JPY", "GBP"]
            .iter()
            .find_map(|mark| rest.strip_prefix(mark))
            .unwrap_or(rest);
    }
    rest = rest.strip_suffix('元').unwrap_or(rest);
    if let Some(before) = rest.strip_suffix('-') {
        minus = true;
        signs += 1;
        rest = before;
    }
    if signs > 1 {
        return Cell::Unreadable;
    }
    match magnitude(rest, currency.exponent() + unit.exponent()) {
        Some(value) => Cell::Value(if minus { -value } else { value }),
        None => Cell::Unreadable,
    }
}

/// Digits, thousands commas in their places, a point: the value times 10^exponent.
fn magnitude(text: &str, exponent: u32) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let groups: Vec<&str> = whole.split(',').collect();
    let grouped = groups.len() == 1
        || (groups.first().is_some_and(|g| (1..=3).contains(&g.len()))
            && groups.iter().skip(1).all(|g| g.len() == 3));
    if !grouped || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let mut value: i64 = 0;
    let push = |value: i64, b: u8| {
        let digit = b.is_ascii_digit().then(|| i64::from(b - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    };
    for b in groups.concat().bytes() {
        value = push(value, b)?;
    }
    let mut places = fraction.bytes();
    for _ in 0..exponent {
        value = push(value, places.next().unwrap_or(b'0'))?;
    }
    places.all(|b| b.is_ascii_digit()).then_some(value)
}

/// Reads a balance date, `yyyymmdd` as a number. Years 1950 to 2199.
pub fn date(text: &str) -> Cell<u32> {
    let text = tidy(text);
    let text = text.strip_prefix("=\"").and_then(|t| t.strip_suffix('"')).unwrap_or(&text);
    if text.is_empty() || text.bytes().all(|b| b == b'-') {
        return Cell::Empty;
    }
    let found = compact_date(text).or_else(|| spelled_date(text)).or_else(|| serial_date(text));
    match found.filter(|d| d.number() >= 19_500_101) {
        Some(date) => Cell::Value(date.number()),
        None => Cell::Unreadable,
    }
}

/// `20261031`, and with a time `20261031235959`.
fn compact_date(text: &str) -> Option<Date> {
    let good = matches!(text.len(), 8 | 12 | 14) && text.bytes().all(|b| b.is_ascii_digit());
    if !good {
        return None;
    }
    Date::from_number(text.get(..8)?.parse().ok()?)
}

/// `2026-10-31`, `2026/1/5`, `2026.10.31`, `2026年10月31日`, each with or without a time behind.
fn spelled_date(text: &str) -> Option<Date> {
    let mut numbers = [0_u32; 3];
    let mut rest = text;
    for (i, number) in numbers.iter_mut().enumerate() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let expected = if i == 0 { 4..=4 } else { 1..=2 };
        if !expected.contains(&digits) && i < 2 {
            return None;
        }
        // The day may run into the time once blanks are gone: "2026-10-3100:00:00".
        let (figures, after) = rest.split_at_checked(if i == 2 { digits.min(2) } else { digits })?;
        *number = figures.parse().ok()?;
        rest = match i {
            0 => after.strip_prefix(['-', '/', '.', '年'])?,
            1 => after.strip_prefix(['-', '/', '.', '月'])?,
            _ => after.strip_prefix('日').unwrap_or(after),
        };
    }
    let time = rest.strip_prefix('T').unwrap_or(rest);
    let good = time.bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.' | b'Z' | b'+' | b'-'));
    let [y, m, d] = numbers;
    if good && (time.is_empty() || time.contains(':')) {
        Date::from_number(y * 10_000 + m * 100 + d)
    } else {
        None
    }
}

/// A spreadsheet's day number in the 1900 system: five digits, 1954 to 2119.
fn serial_date(text: &str) -> Option<Date> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let serial: i64 = whole.parse().ok().filter(|n| (20_000..=80_000).contains(n))?;
    Date::from_days(serial - 25_569) // day 25,569 is 1970-01-01
}

/// Reads a currency cell. Codes and names that are not known are not guessed at.
pub fn currency(text: &str) -> Cell<Currency> {
    let text = tidy(text).to_ascii_uppercase();
    if text.is_empty() {
        return Cell::Empty;
    }
    let code = match text.as_str() {
        "人民币" | "人民币元" | "CNY" | "RMB" | "156" | "01" | "001" | "元" => b"CNY",
        "美元" | "USD" | "840" | "14" | "014" => b"USD",
        "港币" | "港元" | "HKD" | "344" | "13" | "013" => b"HKD",
        "欧元" | "EUR" | "978" | "38" | "038" => b"EUR",
        "日元" | "日圆" | "JPY" | "392" | "27" | "027" => b"JPY",
        "英镑" | "GBP" | "826" | "12" | "012" => b"GBP",
        "澳大利亚元" | "澳元" | "AUD" | "036" | "29" | "029" => b"AUD",
        "加拿大元" | "加元" | "CAD" | "124" | "28" | "028" => b"CAD",
        "瑞士法郎" | "CHF" | "756" | "15" | "015" => b"CHF",
        "新加坡元" | "新元" | "SGD" | "702" | "18" | "018" => b"SGD",
        "韩元" | "KRW" | "410" => b"KRW",
        "澳门元" | "澳门币" | "MOP" | "446" | "81" | "081" => b"MOP",
        "新台币" | "TWD" | "901" => b"TWD",
        "泰铢" | "泰国铢" | "THB" | "764" | "84" | "084" => b"THB",
        "卢布" | "RUB" | "643" => b"RUB",
        "新西兰元" | "NZD" | "554" | "87" | "087" => b"NZD",
        "越南盾" | "VND" | "704" => b"VND",
        _ => return Cell::Unreadable,
    };
    Cell::Value(Currency(*code))
}

/// What a product or account-type cell says the account is. First that applies.
pub fn product(text: &str) -> Cell<AssetKind> {
    let text = tidy(text).to_ascii_lowercase();
    if text.is_empty() {
        return Cell::Empty;
    }
    let words: [(AssetKind, &[&str]); 11] = [
        (AssetKind::CreditCard, &["信用卡", "贷记卡", "credit card"]),
        (AssetKind::Margin, &["融资", "融券"]),
        (AssetKind::Loan, &["贷款", "透支", "按揭", "loan"]),
        (AssetKind::Bond, &["国债", "债券", "bond"]), // before 储蓄: 储蓄国债
        (
            AssetKind::Deposit,
            &[
                "存款",
                "活期",
                "定期",
                "储蓄",
                "整存",
                "零存",
                "存本取息",
                "定活",
                "通知",
                "借记卡",
                "存单",
                "存折",
                "deposit",
                "saving",
            ],
        ),
        (AssetKind::Wealth, &["理财", "wealth"]),
        (AssetKind::Fund, &["基金", "fund"]),
        (AssetKind::Stock, &["股票", "stock"]),
        (AssetKind::Insurance, &["保险", "insurance"]),
        (AssetKind::Metal, &["贵金属", "黄金", "白银", "积存金", "gold"]),
        (AssetKind::Cash, &["资金账户", "保证金", "资金"]),
    ];
    let found = words.iter().find(|(_, words)| words.iter().any(|w| text.contains(w)));
    found.map_or(Cell::Unreadable, |(kind, _)| Cell::Value(*kind))
}

/// What a state cell says.
pub fn status(text: &str) -> Status {
    let text = tidy(text).to_ascii_lowercase();
    let holds = |words: &[&str]| words.iter().any(|w| text.contains(w));
    if holds(&["销户", "注销", "已销", "关闭", "closed"]) {
        Status::Closed
    } else if holds(&["冻结", "止付", "frozen"]) {
        Status::Frozen
    } else if holds(&["睡眠", "久悬", "不动", "休眠", "dormant"]) {
        Status::Dormant
    } else if holds(&["正常", "活动", "有效", "active", "normal"]) {
        Status::Active
    } else {
        Status::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts() {
        for (text, value) in [
            ("1234.56", 123_456),
            ("1,234.56", 123_456),
            ("￥1,234.5", 123_450),
            ("¥ 12", 1_200),
            ("１２．３０元", 1_230),
            ("(12.30)", -1_230),
            ("（12.30）", -1_230),
            ("-12.3", -1_230),
            ("12.3-", -1_230),
            ("￥-5", -500),
            ("0", 0),
            (".5", 50),
            ("12.349", 1_234),
            ("=\"7.10\"", 710),
        ] {
            assert_eq!(amount(text, Unit::One, Currency::CNY), Cell::Value(value), "{text}");
        }
        for text in ["", " ", "-", "--", "—"] {
            assert_eq!(amount(text, Unit::One, Currency::CNY), Cell::Empty, "{text}");
        }
        for text in [
            "1,23",
            "12,34.5",
            "abc",
            "1.2E+05",
            "1.2.3",
            "--5",
            "(-5)",
            "99999999999999999999",
            "1 234x",
            ".",
        ] {
            assert_eq!(amount(text, Unit::One, Currency::CNY), Cell::Unreadable, "{text}");
        }
        assert_eq!(amount("1.5", Unit::TenThousand, Currency::CNY), Cell::Value(1_500_000));
        assert_eq!(amount("1500", Unit::One, Currency(*b"JPY")), Cell::Value(1_500));
    }

    #[test]
    fn dates() {
        for text in [
            "20261031",
            "2026-10-31",
            "2026/10/31",
            "2026.10.31",
            "2026年10月31日",
            "2026-10-31 23:59:59",
            "2026-10-31T00:00:00Z",
            "20261031235959",
            "46326",
            "２０２６１０３１",
        ] {
            assert_eq!(date(text), Cell::Value(20_261_031), "{text}");
        }
        assert_eq!(date("2026/1/5"), Cell::Value(20_260_105));
        assert_eq!(date(""), Cell::Empty);
        for text in
            ["20261301", "10/31/2026", "2026-02-30", "31.10.2026", "yesterday", "1899-01-01", "2026-10-315"]
        {
            assert_eq!(date(text), Cell::Unreadable, "{text}");
        }
    }

    #[test]
    fn words() {
        assert_eq!(currency("人民币"), Cell::Value(Currency::CNY));
        assert_eq!(currency("usd"), Cell::Value(Currency(*b"USD")));
        assert_eq!(currency("贝壳"), Cell::Unreadable);
        assert_eq!(product("结构性存款"), Cell::Value(AssetKind::Deposit));
        assert_eq!(product("储蓄国债（电子式）"), Cell::Value(AssetKind::Bond));
        assert_eq!(product("个人住房贷款"), Cell::Value(AssetKind::Loan));
        assert_eq!(product("神秘产品"), Cell::Unreadable);
        assert_eq!(status("正常"), Status::Active);
        assert_eq!(status("已销户"), Status::Closed);
    }

    proptest! {
        #[test]
        fn any_amount_comes_back(minor in -999_999_999_999_i64..999_999_999_999) {
            let sign = if minor < 0 { "-" } else { "" };
            let (whole, cents) = (minor.unsigned_abs() / 100, minor.unsigned_abs() % 100);
            let digits = whole.to_string();
            let commas = digits.as_bytes().rchunks(3).rev().map(|g| std::str::from_utf8(g).unwrap()).collect::<Vec<_>>().join(",");
            for text in [format!("{sign}{digits}.{cents:02}"), format!("{sign}￥{commas}.{cents:02}"), format!("{sign}{commas}.{cents:02}000")] {
                prop_assert_eq!(amount(&text, Unit::One, Currency::CNY), Cell::Value(minor));
            }
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = (amount(&text, Unit::TenThousand, Currency::CNY), date(&text), currency(&text), product(&text), status(&text));
        }
    }
}

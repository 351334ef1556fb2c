//! Asset kinds, currencies, products, and how exports write amounts and dates (domain §3.3).

use serde::Serialize;

use super::calendar;
use super::name::fullwidth;
use super::rng::Rng;

/// The asset kinds of SPEC §5.1 in its order; names as in files and result tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AssetKind {
    /// 1.
    Deposit = 1,
    /// 2.
    Wealth = 2,
    /// 3.
    Fund = 3,
    /// 4.
    Bond = 4,
    /// 5.
    Stock = 5,
    /// 6, cash in a securities account.
    Cash = 6,
    /// 7.
    Insurance = 7,
    /// 8.
    Metal = 8,
    /// 9, products nobody knows.
    Other = 9,
    /// 129, a liability.
    Loan = 129,
    /// 130, a liability.
    CreditCard = 130,
    /// 131, a liability.
    Margin = 131,
}

/// The currencies of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// Renminbi.
    Cny,
    /// Hong Kong dollar.
    Hkd,
    /// Yen, which has no minor unit.
    Jpy,
    /// US dollar.
    Usd,
}

impl Currency {
    /// What the currency column says.
    pub(super) fn cell(self, rng: &mut Rng) -> &'static str {
        match self {
            Self::Cny => rng.pick(&["人民币", "人民币", "人民币", "CNY", "RMB"]),
            Self::Hkd => rng.pick(&["港币", "HKD"]),
            Self::Jpy => rng.pick(&["日元", "JPY"]),
            Self::Usd => rng.pick(&["美元", "USD"]),
        }
    }
}

/// A product name with what it is.
pub(super) type Product = (&'static str, AssetKind);

/// What a city's commercial bank sells; the first ones are what most people have.
pub(super) const CITY_PRODUCTS: [Product; 18] = [
    ("个人活期存款", AssetKind::Deposit),
    ("个人活期储蓄存款", AssetKind::Deposit),
    ("整存整取定期存款", AssetKind::Deposit),
    ("定期一本通储蓄", AssetKind::Deposit),
    ("结构性存款2026年第12期", AssetKind::Deposit),
    ("天天盈开放式理财", AssetKind::Wealth),
    ("稳健180天理财产品", AssetKind::Wealth),
    ("货币市场基金", AssetKind::Fund),
    ("混合型证券投资基金A", AssetKind::Fund),
    ("凭证式国债2024年第3期", AssetKind::Bond),
    ("储蓄国债（电子式）", AssetKind::Bond), // the word for deposits stands in it
    ("企业债券", AssetKind::Bond),
    ("账户贵金属", AssetKind::Metal),
    ("积存黄金", AssetKind::Metal),
    ("分红型两全保险", AssetKind::Insurance),
    ("个人住房贷款", AssetKind::Loan),
    ("标准信用卡", AssetKind::CreditCard),
    ("公务贷记卡", AssetKind::CreditCard),
];
/// A product that no list of words explains.
pub(super) const UNKNOWN_PRODUCT: Product = ("惠民收付易", AssetKind::Other);

/// What a rural bank keeps.
pub(super) const RURAL_PRODUCTS: [Product; 6] = [
    ("活期存款", AssetKind::Deposit),
    ("定期存款", AssetKind::Deposit),
    ("储蓄", AssetKind::Deposit),
    ("理财", AssetKind::Wealth),
    ("贷款", AssetKind::Loan),
    ("保险", AssetKind::Insurance),
];

/// An amount in minor units: many small ones, few large ones.
pub(super) fn amount(rng: &mut Rng) -> i64 {
    let digits = match rng.below(100) {
        0..6 => return 0,
        6..30 => 4,
        30..60 => 6,
        60..85 => 7,
        85..97 => 8,
        _ => 9,
    };
    i64::try_from(rng.below(10_u64.pow(digits))).unwrap_or(0)
}

/// One of the ways to write an amount of `currency`; `None` is an amount that is not there.
pub(super) fn spell_amount(rng: &mut Rng, minor: Option<i64>, currency: Currency) -> String {
    let Some(minor) = minor else {
        return rng.pick(&["", "", "-", " - "]).to_owned();
    };
    let plain = plain_amount(minor.unsigned_abs(), currency);
    if minor < 0 {
        return if rng.one_in(2) { format!("({})", grouped(&plain)) } else { format!("-{plain}") };
    }
    match rng.below(20) {
        0..4 => grouped(&plain),
        4 if currency == Currency::Cny => format!("￥{}", grouped(&plain)), // U+FFE5
        5 if currency == Currency::Cny => format!("¥{plain}"),              // U+00A5
        6 => plain.chars().map(fullwidth).collect(),
        7 => grouped(&plain).chars().map(fullwidth).collect(),
        8 => format!(" {plain} "),
        9 => plain.strip_suffix(".00").unwrap_or(&plain).to_owned(),
        10 if plain.contains('.') => plain.strip_suffix('0').unwrap_or(&plain).to_owned(),
        _ => plain,
    }
}

/// An amount as a program writes it: two decimals, or none for a currency without a minor unit.
pub(super) fn plain_amount(minor: u64, currency: Currency) -> String {
    match currency {
        Currency::Jpy => minor.to_string(),
        _ => format!("{}.{:02}", minor / 100, minor % 100),
    }
}

fn grouped(plain: &str) -> String {
    let whole = plain.split('.').next().unwrap_or_default();
    let mut out = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + plain.strip_prefix(whole).unwrap_or_default()
}

/// One of the ways to write a date; `None` is a date that is not there.
pub(super) fn spell_date(rng: &mut Rng, date: Option<u32>) -> String {
    let Some(date) = date else { return String::new() };
    let (year, month, day) = calendar::parts(date);
    match rng.below(20) {
        0..10 => date.to_string(),
        10..13 => format!("{year}/{month}/{day}"),
        13..15 => format!("{year}/{month:02}/{day:02}"),
        15..17 => format!("{year}年{month}月{day}日"),
        17..19 => calendar::iso(date),
        _ => format!("{} 23:59:59", calendar::iso(date)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups() {
        for (plain, with) in
            [("0.05", "0.05"), ("999.00", "999.00"), ("1000.00", "1,000.00"), ("1234567", "1,234,567")]
        {
            assert_eq!(grouped(plain), with);
        }
        assert_eq!(plain_amount(5, Currency::Cny), "0.05");
        assert_eq!(plain_amount(500, Currency::Jpy), "500");
    }

    #[test]
    fn an_unknown_product_holds_no_known_word() {
        for word in [
            "存款",
            "储蓄",
            "理财",
            "基金",
            "国债",
            "债券",
            "贵金属",
            "黄金",
            "保险",
            "贷款",
            "信用卡",
            "贷记卡",
        ] {
            assert!(!UNKNOWN_PRODUCT.0.contains(word));
        }
    }
}

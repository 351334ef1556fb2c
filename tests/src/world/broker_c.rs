//! `broker-c`, a securities firm: UTF-8, tabs, one row a customer with a column for each kind of asset.

use super::calendar;
use super::csv::Encoding;
use super::layout::Layout;
use super::money::{self, AssetKind, Currency};
use super::rng::Rng;
use super::row::{Account, Position, Row};
use super::spelling::Habits;
use super::truth::Grain;

pub(super) const LAYOUT: Layout = Layout {
    code: "broker-c",
    name: "蜀南证券",
    kind: "securities",
    file_name: "khzc_20261030.txt",
    encoding: Encoding::Utf8,
    grain: Grain::Customer,
    separator: '\t',
    line_end: "\n",
    titles: &[],
    heading: &[
        "客户姓名",
        "证件类型",
        "证件编号",
        "一码通账户",
        "股票市值",
        "基金市值",
        "资金余额",
        "融资负债",
        "市值日期",
    ],
    heading_again: None,
    footers: &[],
    quoted_percent: 0,
    habits: Habits { old15_percent: 2, messy_percent: 10, tabs: false, both_forms: false, kinds: true },
    holders_percent: 32,
    may_hold: |_| true,
    accounts,
    cells,
};

/// The last trading day before the as-of date.
const PRICES_OF: u32 = 20261030;

fn accounts(rng: &mut Rng) -> Vec<Account> {
    let mut position = |kind, percent| {
        let minor = rng.percent(percent).then(|| money::amount(rng));
        Position { kind, currency: Currency::Cny, minor }
    };
    let positions = vec![
        position(AssetKind::Stock, 75),
        position(AssetKind::Fund, 35),
        position(AssetKind::Cash, 90),
        position(AssetKind::Margin, 5),
    ];
    let date = if rng.one_in(50) { 20261001 + rng.between(7, 28) } else { PRICES_OF };
    let number = format!("18{}", rng.digits(10));
    vec![Account { number, product: "", positions, date: Some(date), status: "" }]
}

fn cells(rng: &mut Rng, row: &Row) -> Vec<String> {
    let account = &row.account;
    let mut cells =
        vec![row.name.cell.clone(), row.paper.to_owned(), row.id.cell.clone(), account.number.clone()];
    cells.extend(account.positions.iter().map(|p| money::spell_amount(rng, p.minor, p.currency)));
    cells.push(account.date.map(calendar::iso).unwrap_or_default());
    cells
}

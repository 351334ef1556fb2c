//! `bank-a`, a city's commercial bank: GB18030, one row an account, everything a core system's report can do
//! to a table.

use super::AS_OF;
use super::csv::Encoding;
use super::layout::Layout;
use super::money::{self, AssetKind, CITY_PRODUCTS, Currency, UNKNOWN_PRODUCT};
use super::rng::Rng;
use super::row::{Account, Position, Row};
use super::spelling::Habits;
use super::truth::Grain;

pub(super) const LAYOUT: Layout = Layout {
    code: "bank-a",
    name: "川江城市商业银行",
    kind: "bank",
    file_name: "个人客户账户余额_20261031.csv",
    encoding: Encoding::Gb18030,
    grain: Grain::Account,
    separator: ',',
    line_end: "\r\n",
    titles: &[
        &["川江城市商业银行个人客户账户余额清单"],
        &["机构：富顺支行", "", "", "统计日期：2026年10月31日", "", "", "", "", ""],
    ],
    heading: &[
        "客户名称",
        "证件类型",
        "证件号码",
        "账号",
        "产品名称",
        "币种",
        "账户余额",
        "余额日期",
        "账户状态",
    ],
    heading_again: Some(50_000),
    footers: &[
        &["合计", "", "", "", "", "", "8,317,204,553.18", "", ""],
        &["制表人：李静", "", "复核人：王建国", "", "", "", "", "", ""],
    ],
    quoted_percent: 10,
    habits: Habits { old15_percent: 4, messy_percent: 25, tabs: true, both_forms: false, kinds: true },
    holders_percent: 43,
    may_hold: |_| true,
    accounts,
    cells,
};

fn accounts(rng: &mut Rng) -> Vec<Account> {
    let count = 1 + usize::from(rng.percent(22)) + usize::from(rng.percent(8)) + usize::from(rng.percent(3));
    (0..count).map(|_| account(rng)).collect()
}

fn account(rng: &mut Rng) -> Account {
    let (product, kind) = match rng.below(100) {
        0..2 => UNKNOWN_PRODUCT,
        2..65 => rng.pick(&CITY_PRODUCTS[..5]),
        _ => rng.pick(&CITY_PRODUCTS),
    };
    let currency = match rng.below(100) {
        0..4 if kind == AssetKind::Deposit => Currency::Usd,
        4..7 if kind == AssetKind::Deposit => Currency::Hkd,
        7..10 if kind == AssetKind::Deposit => Currency::Jpy,
        _ => Currency::Cny,
    };
    let status = rng.pick(&["正常", "正常", "正常", "正常", "正常", "正常", "睡眠户", "冻结", "销户"]);
    let minor = match rng.below(100) {
        0..4 => None,
        4 if kind == AssetKind::Deposit => Some(-money::amount(rng)),
        _ if status == "销户" => Some(0),
        _ => Some(money::amount(rng)),
    };
    let date = match rng.below(100) {
        0..88 => Some(AS_OF),
        88..99 => Some(20260901 + rng.between(0, 29)),
        _ => None,
    };
    let positions = vec![Position { kind, currency, minor }];
    Account { number: format!("6217{}", rng.digits(15)), product, positions, date, status }
}

fn cells(rng: &mut Rng, row: &Row) -> Vec<String> {
    let account = &row.account;
    let (currency, minor) = match account.positions.first() {
        Some(position) => (position.currency, position.minor),
        None => (Currency::Cny, None),
    };
    vec![
        row.name.cell.clone(),
        row.paper.to_owned(),
        row.id.cell.clone(),
        account.number.clone(),
        account.product.to_owned(),
        currency.cell(rng).to_owned(),
        money::spell_amount(rng, minor, currency),
        money::spell_date(rng, account.date),
        account.status.to_owned(),
    ]
}

//! `bank-b`, a rural commercial bank: UTF-8, one row an account, many numbers from before 1999.

use super::AS_OF;
use super::csv::Encoding;
use super::layout::Layout;
use super::money::{self, Currency, RURAL_PRODUCTS};
use super::number::Document;
use super::rng::Rng;
use super::row::{Account, Position, Row};
use super::spelling::Habits;
use super::truth::Grain;

pub(super) const LAYOUT: Layout = Layout {
    code: "bank-b",
    name: "富顺农村商业银行",
    kind: "bank",
    file_name: "nsh_balance_20261031.csv",
    encoding: Encoding::Utf8Bom,
    grain: Grain::Account,
    separator: ',',
    line_end: "\r\n",
    titles: &[],
    heading: &["户名", "身份证号码", "账户类型", "余额(元)", "日期"],
    heading_again: None,
    footers: &[&["合计", "", "", "5,120,778,019.44", ""]],
    quoted_percent: 0,
    habits: Habits { old15_percent: 25, messy_percent: 8, tabs: true, both_forms: true, kinds: false },
    holders_percent: 42,
    may_hold: |number| matches!(number.document, Document::Resident | Document::PermanentOld),
    accounts,
    cells,
};

fn accounts(rng: &mut Rng) -> Vec<Account> {
    let count = 1 + usize::from(rng.percent(35)) + usize::from(rng.percent(15));
    (0..count).map(|_| account(rng)).collect()
}

fn account(rng: &mut Rng) -> Account {
    let (product, kind) =
        if rng.percent(75) { rng.pick(&RURAL_PRODUCTS[..3]) } else { rng.pick(&RURAL_PRODUCTS) };
    let minor = (!rng.one_in(30)).then(|| money::amount(rng));
    let date = (!rng.one_in(200)).then(|| if rng.one_in(12) { 20261001 + rng.between(0, 29) } else { AS_OF });
    let positions = vec![Position { kind, currency: Currency::Cny, minor }];
    Account { number: String::new(), product, positions, date, status: "" }
}

fn cells(rng: &mut Rng, row: &Row) -> Vec<String> {
    let account = &row.account;
    let minor = account.positions.first().and_then(|position| position.minor);
    let amount = match rng.below(10) {
        0 => money::spell_amount(rng, minor, Currency::Cny),
        _ => minor.map(|m| money::plain_amount(m.unsigned_abs(), Currency::Cny)).unwrap_or_default(),
    };
    let date = account.date.map(|d| d.to_string()).unwrap_or_default();
    vec![row.name.cell.clone(), row.id.cell.clone(), account.product.to_owned(), amount, date]
}

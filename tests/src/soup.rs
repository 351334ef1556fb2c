//! Customer files that nobody meant: strategies (proptest) for tables of odd cells in odd encodings, cut, repeated and
//! broken, and for the options they are read with.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

const HEADINGS: [&str; 7] = [
    "姓名,证件类型,证件号码,账号,币种,账户余额,余额日期,产品名称,账户状态",
    "证件号码",
    "id,balance,balance",
    "姓名,证件号码,存款余额（万元）,贷款余额,账户数",
    "某某银行客户表\n姓名,身份证号,余额",
    "张三,11010519491231002X,5",
    "",
];

const CELLS: [&str; 40] = [
    "",
    " ",
    "张三",
    "11010519491231002X",
    "１１０１０５１９４９１２３１００２Ｘ",
    "=\"11010519491231002X\"",
    "110105491231002",
    "440524188001010014",
    "110105200101996",
    "H1234567801",
    "E12345678",
    "南字第01234567号",
    "91350100M000100Y43",
    "1.10105E+17",
    "110105********002X",
    "99999999999999999999999999999999999999999",
    "-9223372036854775808",
    "92233720368547758.07",
    "(1,234.56)",
    "1e308",
    "￥1,00.5元",
    "0.000000000000000000000000000000000001",
    "20261031",
    "2026-02-30",
    "99999",
    "2026年13月45日 99:99",
    "JPY",
    "人民币",
    "没有这种货币",
    "合计",
    "打印日期：2026-11-01",
    "护照",
    "营业执照",
    "\"",
    "\"\"",
    "\"a,b\r\nc\"",
    "\u{FEFF}",
    "\u{FFFD}\u{E000}",
    "\0",
    "😀\u{202E}é",
];

/// Some cells, some of them random.
fn rows() -> impl Strategy<Value = Vec<Vec<String>>> {
    let cell = prop_oneof![
        6 => select(CELLS.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[0-9X*=\"' .,E+-]{0,24}",
    ];
    vec(vec(cell, 0..12), 0..12)
}

/// A file: text in some encoding, repeated until it passes the sample now and then, with bytes changed.
pub fn file() -> impl Strategy<Value = Vec<u8>> {
    let text = (
        select(HEADINGS.to_vec()),
        rows(),
        select(vec![",", "\t", ";", "|", "|!", "^", "\u{1B}"]),
        select(vec!["\n", "\r\n", "\r", ""]),
    );
    let text = text.prop_map(|(heading, rows, delimiter, end)| {
        let mut text = heading.replace(',', delimiter) + end;
        for row in rows {
            text += &(row.join(delimiter) + end);
        }
        text
    });
    let again = prop_oneof![3 => Just(0_usize), 1 => Just(66_000), 1 => Just(140_000)];
    let wounds = vec((any::<Index>(), any::<u8>()), 0..6);
    let file = (text, 0_u8..7, again, wounds, option::of(any::<Index>())).prop_map(
        |(text, encoding, least, wounds, cut)| {
            let body = text.lines().skip(1).collect::<Vec<_>>().join("\n") + "\n";
            let copies = least / body.len().max(1) + usize::from(least > 0);
            let mut bytes = encode(&[text, body.repeat(copies)].concat(), encoding);
            for (at, byte) in wounds {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                }
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len() + 1));
            }
            bytes
        },
    );
    prop_oneof![8 => file, 1 => vec(any::<u8>(), 0..2_000), 1 => vec(any::<u8>(), 65_000..70_000)]
}

fn encode(text: &str, encoding: u8) -> Vec<u8> {
    let little = || text.encode_utf16().flat_map(u16::to_le_bytes);
    match encoding {
        0 | 1 => text.as_bytes().to_vec(),
        2 => [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        3 => encoding_rs::GB18030.encode(text).0.into_owned(),
        4 => little().collect(),
        5 => [0xFF, 0xFE].into_iter().chain(little()).collect(),
        _ => [0xFE, 0xFF].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect(),
    }
}

/// The member `table` of the options of `open`, mostly left to be found out.
pub fn table() -> impl Strategy<Value = Value> {
    let roles = [
        "id_number",
        "id_kind",
        "name",
        "account",
        "account_count",
        "currency",
        "balance_date",
        "product",
        "status",
        "amount",
        "amount:deposit",
        "amount:loan",
    ];
    let columns = option::weighted(0.3, vec(option::of(select(roles.to_vec())), 0..300));
    let delimiter =
        option::weighted(0.2, select(vec![",", "\t", "|", "|!", "\"", "\n", "，", "", "ab", "\0"]));
    let encoding = option::weighted(0.2, select(vec!["utf-8", "gb18030", "utf-16le", "utf-16be", "latin-1"]));
    let header_row = option::weighted(0.3, prop_oneof![0_u64..4, Just(31), Just(u64::MAX >> 11)]);
    let grain = option::weighted(0.2, select(vec!["account", "customer"]));
    let unit = option::weighted(0.2, select(vec!["one", "ten_thousand", "?"]));
    let rest = (
        option::weighted(0.2, select(vec!["2026-10-31", "2026-02-30"])),
        option::weighted(0.2, select(vec!["CNY", "JPY", "cny"])),
    );
    (columns, delimiter, encoding, header_row, grain, unit, rest).prop_map(
        |(columns, delimiter, encoding, header_row, grain, unit, (balance_date, currency))| {
            json!({
                "balance_date": balance_date, "columns": columns, "currency": currency, "delimiter": delimiter,
                "encoding": encoding, "grain": grain, "header_row": header_row, "unit": unit,
            })
        },
    )
}

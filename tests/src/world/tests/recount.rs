//! A plain reader, written for this world only, reads the finished files back and must find the truth.

use encoding_rs::{GB18030, UTF_8};

use super::*;

/// Fields of each record, RFC 4180.
pub(super) fn parse(text: &str, separator: char) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let (mut record, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            '\r' if !quoted => {}
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            c if c == separator && !quoted => record.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    assert!(!quoted && field.is_empty() && record.is_empty(), "the file ends inside a record");
    records
}

pub(super) fn text(institution: &Institution) -> String {
    let bytes = institution.bytes();
    let encoding = if institution.code == "bank-a" { GB18030 } else { UTF_8 };
    let (text, bad) = encoding.decode_with_bom_removal(&bytes);
    assert!(!bad);
    text.into_owned()
}

fn half(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(c as u32 - 0xFEE0).unwrap(),
        c => c,
    }
}

/// Letters, digits and Han characters of a number, X for what looks like it.
fn number(cell: &str) -> String {
    let x = |c| if matches!(c, '×' | 'Х' | '*') { 'X' } else { c };
    let upper = cell.chars().map(half).map(x).flat_map(char::to_uppercase);
    upper.filter(|c| c.is_alphanumeric() && !"第字号".contains(*c)).collect()
}

fn minor(cell: &str, currency: Currency) -> Option<i64> {
    let tidy: String = cell.chars().map(half).filter(|c| c.is_ascii_digit() || ".-(".contains(*c)).collect();
    let digits: String = tidy.chars().filter(|c| !"-(".contains(*c)).collect();
    let (whole, cents) = digits.split_once('.').unwrap_or((&digits, ""));
    let value: i64 = match currency {
        Currency::Jpy => whole.parse().ok()?,
        _ => format!("{whole}{cents:0<2}").parse::<i64>().ok().filter(|_| !whole.is_empty())?,
    };
    Some(if tidy.contains(['-', '(']) { -value } else { value })
}

fn date(cell: &str) -> u32 {
    let day = cell.split(' ').next().unwrap();
    let parts: Vec<u32> = day.split(|c: char| !c.is_ascii_digit()).filter_map(|p| p.parse().ok()).collect();
    match parts[..] {
        [] => 0,
        [whole] => whole,
        [y, m, d] => y * 10_000 + m * 100 + d,
        _ => panic!("{cell}"),
    }
}

fn kind(product: &str) -> AssetKind {
    let words = [
        (AssetKind::Bond, &["国债", "债券"][..]),
        (AssetKind::Deposit, &["活期存款", "活期储蓄", "定期存款", "结构性存款", "储蓄"]),
        (AssetKind::Wealth, &["理财"]),
        (AssetKind::Fund, &["基金"]),
        (AssetKind::Metal, &["贵金属", "黄金"]),
        (AssetKind::Insurance, &["保险"]),
        (AssetKind::Loan, &["贷款"]),
        (AssetKind::CreditCard, &["信用卡", "贷记卡"]),
    ];
    let found = words.iter().find(|(_, words)| words.iter().any(|word| product.contains(word)));
    found.map_or(AssetKind::Other, |(kind, _)| *kind)
}

fn currency(cell: &str) -> Currency {
    match cell {
        "人民币" | "CNY" | "RMB" => Currency::Cny,
        "港币" | "HKD" => Currency::Hkd,
        "日元" | "JPY" => Currency::Jpy,
        "美元" | "USD" => Currency::Usd,
        other => panic!("{other}"),
    }
}

fn flag(cell: &str, name: &str) -> NameFlag {
    let fold = |text: &str| {
        let kept: String = text.chars().map(half).take_while(|c| *c != '(').collect();
        let mut letters: Vec<char> =
            kept.chars().flat_map(char::to_uppercase).filter(|c| c.is_alphanumeric()).collect();
        if letters.iter().all(char::is_ascii) {
            letters.sort_unstable();
        }
        letters
    };
    if cell.is_empty() || cell.contains(['?', '\u{E123}', '□', '*']) {
        NameFlag::NotCompared
    } else if cell.trim() == name {
        NameFlag::Same
    } else if fold(cell) == fold(name) {
        NameFlag::Folded
    } else {
        NameFlag::Different
    }
}

/// Every way to write the numbers of the applicants, after [`number`].
fn directory(applicants: &[Applicant]) -> BTreeMap<String, (usize, u8)> {
    let mut all = BTreeMap::new();
    for (index, person) in applicants.iter().enumerate() {
        for (ordinal, number) in (0..).zip(person.numbers()) {
            let mut spelled = vec![number.text.clone()];
            spelled.extend(number.old15());
            if matches!(number.document, Document::HkMoPermit | Document::TwPermit) {
                spelled.extend((1..=4).map(|n| format!("{}0{n}", number.text)));
            }
            for text in spelled {
                assert_eq!(all.insert(text, (index, ordinal)), None);
            }
        }
    }
    all
}

fn is_citizen(number: &str) -> bool {
    match number.len() {
        15 => true,
        18 => {
            number[..17].bytes().all(|b| b.is_ascii_digit())
                && fits_mod_11_2(number)
                && &number[10..12] <= "12"
        }
        _ => false,
    }
}

/// Reads one institution's file and adds up what it says about each applicant.
fn recount(world: &World, institution: &Institution) {
    let separator = if institution.code == "broker-c" { '\t' } else { ',' };
    let mut records = parse(&text(institution), separator).into_iter();
    let heading = records
        .by_ref()
        .find(|r| {
            r.iter().any(|h| h.contains("证件号码") || h.contains("证件编号") || h.contains("身份证号码"))
        })
        .unwrap();
    let column = |names: &[&str]| heading.iter().position(|h| names.contains(&h.as_str()));
    let id_at = column(&["证件号码", "证件编号", "身份证号码"]).unwrap();
    let amounts: Vec<(usize, Option<AssetKind>)> = (0..)
        .zip(&heading)
        .filter_map(|(i, h)| match h.as_str() {
            "账户余额" | "余额(元)" => Some((i, None)),
            "股票市值" => Some((i, Some(AssetKind::Stock))),
            "基金市值" => Some((i, Some(AssetKind::Fund))),
            "资金余额" => Some((i, Some(AssetKind::Cash))),
            "融资负债" => Some((i, Some(AssetKind::Margin))),
            _ => None,
        })
        .collect();
    let date_at = column(&["余额日期", "日期", "市值日期"]).unwrap();
    let directory = directory(world.applicants());
    let mut holdings: Vec<Holding> =
        (1..=world.applicants().len()).map(|row| Holding { row, ..Holding::default() }).collect();
    let (mut valid, mut companies, mut ragged, mut set_aside) = (0, 0, 0, 0);
    for record in records {
        if record == heading || record[0] == "合计" || record[0].starts_with("制表人") {
            continue;
        }
        let id = number(&record[id_at]);
        if record.len() != heading.len() {
            ragged += 1;
        } else if let Some((index, ordinal)) = directory.get(&id) {
            valid += 1;
            let holding = &mut holdings[*index];
            holding.found = true;
            holding.rows += 1;
            holding.ordinals |= 1 << ordinal;
            holding.name_flags |= 1 << flag(&record[0], &world.applicants()[*index].name) as u8;
            for (at, fixed) in &amounts {
                let currency = column(&["币种"]).map_or(Currency::Cny, |at| currency(&record[at]));
                let amount = minor(&record[*at], currency);
                if fixed.is_some() && amount.is_none() {
                    continue;
                }
                let kind = fixed.unwrap_or_else(|| kind(&record[column(&["产品名称", "账户类型"]).unwrap()]));
                let day = date(&record[date_at]);
                holding.accounts.push(HeldAccount {
                    number: column(&["账号", "一码通账户"]).map_or_else(String::new, |at| record[at].clone()),
                    kind,
                    currency,
                    minor: amount,
                    date: day,
                    ordinal: *ordinal,
                });
                let fresh = Total { kind, currency, minor: 0, accounts: 0, blank: 0, oldest: 0, newest: 0 };
                let at = holding.totals.iter().position(|t| t.kind == kind && t.currency == currency);
                let at = at.unwrap_or_else(|| {
                    holding.totals.push(fresh);
                    holding.totals.len() - 1
                });
                let total = &mut holding.totals[at];
                total.accounts += 1;
                total.blank += u64::from(amount.is_none());
                total.minor += amount.unwrap_or(0);
                if day > 0 {
                    total.newest = total.newest.max(day);
                    total.oldest = if total.oldest == 0 { day } else { total.oldest.min(day) };
                }
            }
        } else if is_citizen(&id) {
            valid += 1;
        } else if id.len() == 18 && id.bytes().any(|b| b.is_ascii_alphabetic() && b != b'X') {
            assert!(fits_mod_31_3(&id), "{id}");
            companies += 1;
        } else {
            set_aside += 1;
        }
    }
    for holding in &mut holdings {
        holding.totals.sort_by_key(|t| (t.kind, t.currency));
    }
    let file = &institution.truth.file;
    assert_eq!((file.valid, file.not_personal), (valid, companies), "{}", institution.code);
    assert_eq!(file.quarantined.get(&Reason::Ragged), Some(&ragged));
    assert_eq!(file.quarantined.values().sum::<u64>(), ragged + set_aside);
    for (found, truth) in holdings.iter().zip(&institution.truth.holdings) {
        assert_eq!(found, truth, "{}, {}", institution.code, world.applicants()[truth.row - 1].name);
    }
}

#[test]
fn the_files_say_what_the_truth_says() {
    for seed in [1, 7, 42] {
        let world = World::new(seed, Sizes::small());
        for institution in &world.institutions {
            recount(&world, institution);
        }
    }
}

/// The counters of cleaning, from the look of the cells alone.
#[test]
fn the_mess_is_counted() {
    let world = world();
    for institution in &world.institutions {
        let separator = if institution.code == "broker-c" { '\t' } else { ',' };
        let id_at = if institution.code == "bank-b" { 1 } else { 2 };
        let records = parse(&text(institution), separator);
        let cells: Vec<&str> = records.iter().filter_map(|r| r.get(id_at)).map(String::as_str).collect();
        let count = |what: fn(&str) -> bool| cells.iter().filter(|cell| what(cell)).count() as u64;
        let truth = |what| institution.truth.file.normalised.get(&what).copied().unwrap_or_default();
        assert_eq!(count(|c| c.starts_with("=\"") || c.starts_with(['\'', '’'])), truth(Normalised::Wrapped));
        assert_eq!(count(|c| c.contains(['Ｘ', 'ｘ', '１', '０'])), truth(Normalised::Fullwidth));
        assert_eq!(
            count(|c| c.contains(|c: char| c.is_ascii_lowercase() || c == 'ｘ')),
            truth(Normalised::Lowercase)
        );
        assert_eq!(count(|c| c.ends_with('*')), truth(Normalised::Star));
        assert_eq!(count(|c| c.contains(['×', 'Х'])), truth(Normalised::Lookalike));
        let blank = |c: char| c.is_whitespace() || matches!(c, '-' | '\u{200B}' | '\u{FEFF}');
        assert_eq!(cells.iter().filter(|c| c.contains(blank)).count() as u64, truth(Normalised::Spaces));
        let old = |c: &str| number(c).len() == 15 && number(c).bytes().all(|b| b.is_ascii_digit());
        assert_eq!(cells.iter().filter(|c| old(c)).count() as u64, truth(Normalised::Upgraded15));
        let reissued = |c: &str| {
            matches!((number(c).len(), number(c).as_bytes()[0]), (11, b'H' | b'M') | (10, b'0'..=b'9'))
        };
        assert_eq!(
            cells.iter().filter(|c| !c.is_empty() && reissued(c)).count() as u64,
            truth(Normalised::Reissue)
        );
    }
}

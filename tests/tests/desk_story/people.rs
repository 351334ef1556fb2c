//! Who is asked about: households of the world's applicants, as a clerk enters them, and what is true of them. The
//! truth comes from the world, never from the desk.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use e2e::world::{Applicant, Currency, Total, World};

/// A household of the world.
#[derive(Clone)]
pub(crate) struct Household {
    pub(crate) number: String,
    pub(crate) members: Vec<Applicant>,
}

const OFFICES: [&str; 4] = ["城关镇", "东街街道", "赵化镇", "童寺镇"];
const TASKS: [&str; 4] = ["新申请", "新申请", "年度复核", "定期复核"];
const CLASSES: [&str; 3] = ["B类", "A类", "C类"];
const HEADINGS: &str = "委托书编号,户号,乡镇街道,户类别,任务类型,核对时点,收入起,收入止,姓名,证件类型,证件号码,曾用证件号,与户主关系,人员范围,授权书编号,授权方式,签署日期,授权单位,授权级别";

impl Household {
    fn all(world: &World) -> Vec<Self> {
        let mut by_number: BTreeMap<&str, Vec<Applicant>> = BTreeMap::new();
        for applicant in world.applicants() {
            by_number.entry(&applicant.household).or_default().push(applicant.clone());
        }
        let whole = |(number, members): (&str, Vec<Applicant>)| Self { number: number.to_owned(), members };
        by_number.into_iter().map(whole).collect()
    }

    /// The first of two or three people who live together, of whom two institutions know something, and every amount. Their names fit a
    /// cell of the paper: poppler tells a longer one in pieces.
    pub(crate) fn with_figures(world: &World) -> Self {
        let fits = |household: &Self| {
            let known = |code: &str| household.members.iter().any(|m| !totals(world, code, m).is_empty());
            let all = || household.members.iter().flat_map(|m| all_totals(world, m));
            (2..=3).contains(&household.members.len())
                && household
                    .members
                    .iter()
                    .all(|m| m.number.text.len() == 18 && m.name.chars().count() < 5 && m.former.is_empty())
                && known("bank-a")
                && (known("bank-b") || known("broker-c"))
                && all().count() >= 3
                && all().all(|(_, total)| total.blank == 0 && total.minor > 100)
        };
        Self::all(world).into_iter().find(fits).expect("the world has such a household")
    }

    /// Its figures, as papers spell them.
    pub(crate) fn figures(&self, world: &World) -> Vec<String> {
        self.members.iter().flat_map(|m| all_totals(world, m)).map(|(_, total)| spelled(&total)).collect()
    }

    /// How a member is related to the head of the household.
    pub(crate) fn relation(at: usize) -> &'static str {
        ["户主", "配偶", "子女", "子女"].get(at).copied().unwrap_or("其他")
    }

    /// Holds the text of a report against the truth: names, numbers, and each figure, no more and no fewer.
    pub(crate) fn is_true_in(&self, world: &World, text: &str) {
        let all = squeezed(text);
        for member in &self.members {
            assert!(all.contains(&squeezed(&member.name)), "{} not in {text}", member.name);
            assert!(all.contains(&member.number.text), "{} not in {text}", member.number.text);
        }
        let (_, findings) = text.split_once("四、核对结果").expect("the findings have a heading");
        let (findings, sums) = findings.split_once("合计：").expect("and a sum");
        let mut said = figures(findings);
        let mut truth = self.figures(world);
        said.sort();
        truth.sort();
        assert_eq!(said, truth, "the figures on the paper are the world's: {text}");
        for member in &self.members {
            for (institution, total) in all_totals(world, member) {
                let begins: String = institution.chars().take(4).collect();
                let figure = spelled(&total);
                let of_it = |line: &str| squeezed(line).contains(&begins) && squeezed(line).contains(&figure);
                assert!(findings.lines().any(of_it), "{institution} {figure} in one line: {findings}");
            }
        }
        let (sums, _) = sums.split_once('。').unwrap();
        let mut by_kind: BTreeMap<(String, String), Total> = BTreeMap::new();
        for (_, total) in self.members.iter().flat_map(|member| all_totals(world, member)) {
            let key = (format!("{:?}", total.kind), format!("{:?}", total.currency));
            by_kind.entry(key).and_modify(|sum| sum.minor += total.minor).or_insert(total);
        }
        let (mut said, mut truth): (_, Vec<String>) =
            (figures(sums), by_kind.values().map(spelled).collect());
        said.sort();
        truth.sort();
        assert_eq!(said, truth, "and so are the sums: {text}");
    }
}

/// What an institution's truth says of somebody.
fn totals(world: &World, code: &str, who: &Applicant) -> Vec<Total> {
    world.institution(code).unwrap().truth.holdings[who.row - 1].totals.clone()
}

/// The same of all institutions, with their names.
fn all_totals(world: &World, who: &Applicant) -> Vec<(&'static str, Total)> {
    let of = |institution: &'_ e2e::world::Institution| {
        let name = institution.name;
        totals(world, institution.code, who).into_iter().map(move |total| (name, total)).collect::<Vec<_>>()
    };
    world.institutions.iter().flat_map(of).collect()
}

/// An amount as the paper spells it, without spaces.
fn spelled(total: &Total) -> String {
    let (digits, before) = match total.currency {
        Currency::Jpy => (0, "JPY"),
        Currency::Usd => (2, "USD"),
        Currency::Hkd => (2, "HKD"),
        _ => (2, ""),
    };
    let all = format!("{:0>width$}", total.minor.unsigned_abs(), width = digits + 1);
    let (whole, part) = all.split_at(all.len() - digits);
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let part = if part.is_empty() { String::new() } else { format!(".{part}") };
    format!("{before}{grouped}{part}")
}

/// The amounts in a text: figures with a point and two places, or with a currency before them.
pub(crate) fn figures(text: &str) -> Vec<String> {
    let parts: Vec<&str> = text.split(|c: char| c.is_whitespace() || "；：。".contains(c)).collect();
    let plain = |part: &str| part.chars().all(|c| c.is_ascii_digit() || ",.-−".contains(c));
    let mut found = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let before = at.checked_sub(1).map_or("", |at| parts[at]);
        let currency = before.len() == 3 && before.bytes().all(|b| b.is_ascii_uppercase());
        let amount = part.rsplit_once('.').is_some_and(|(_, places)| places.len() == 2);
        if !part.is_empty() && plain(part) && (amount || currency) {
            found.push(format!("{}{part}", if currency { before } else { "" }));
        }
    }
    found
}

/// The import's file: every household of the world but `not`, or the first `most` of them.
pub(crate) fn import_file(world: &World, not: &Household, most: usize) -> Vec<u8> {
    let rest = Household::all(world).into_iter().filter(|household| household.number != not.number);
    delimited(rest.enumerate().take(most).flat_map(|(n, household)| rows(n, &household)))
}

/// A file of one household.
pub(crate) fn file_of(household: &Household) -> Vec<u8> {
    delimited(rows(0, household).into_iter())
}

fn delimited(rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut text = format!("\u{FEFF}{HEADINGS}\r\n");
    for cells in rows {
        let quoted: Vec<String> =
            cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        text.push_str(&quoted.join(","));
        text.push_str("\r\n");
    }
    text.into_bytes()
}

/// The rows of a household in daily care whose members let departments be asked.
pub(crate) fn rows_for_departments(household: &Household) -> Vec<Vec<String>> {
    let mut rows = rows(0, household);
    for cells in &mut rows {
        (cells[4], cells[17]) = ("年度复核".to_owned(), "银行、部门".to_owned());
    }
    rows
}

/// The same as the township has them itself.
pub(crate) fn own_list(household: &Household) -> Vec<u8> {
    delimited(rows_for_departments(household).into_iter())
}

/// A template of the desk's as a spreadsheet, with these rows in it.
pub(crate) fn filled(template: Vec<u8>, rows: Vec<Vec<String>>) -> Vec<u8> {
    let mut sheet = String::new();
    for (row, cells) in rows.into_iter().enumerate() {
        sheet.push_str(&format!("<row r=\"{}\">", row + 2));
        for (column, cell) in (b'A'..).zip(cells) {
            let at = char::from(column);
            sheet.push_str(&format!("<c r=\"{at}{}\" t=\"inlineStr\"><is><t>{cell}</t></is></c>", row + 2));
        }
        sheet.push_str("</row>");
    }
    let mut read = zip::ZipArchive::new(std::io::Cursor::new(template)).unwrap();
    let mut written = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for at in 0..read.len() {
        let mut part = read.by_index(at).unwrap();
        let name = part.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).unwrap();
        if name == "xl/worksheets/sheet1.xml" {
            let text = String::from_utf8(bytes).unwrap();
            let (before, after) = text.split_once("</sheetData>").expect("the template has a heading");
            bytes = format!("{before}{sheet}</sheetData>{after}").into_bytes();
        }
        written.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        written.write_all(&bytes).unwrap();
    }
    written.finish().unwrap().into_inner()
}

/// A row a member, in the order of the headings.
fn rows(n: usize, household: &Household) -> Vec<Vec<String>> {
    let one = |(at, who): (usize, &Applicant)| {
        let ring = if at > 2 { "赡养义务" } else { "共同生活" };
        let former: Vec<&str> = who.former.iter().map(|number| number.text.as_str()).collect();
        vec![
            format!("WT-2026-{:04}", n + 1),
            household.number.clone(),
            OFFICES[n % OFFICES.len()].to_owned(),
            CLASSES[n % CLASSES.len()].to_owned(),
            TASKS[n % TASKS.len()].to_owned(),
            "2026-10-31".to_owned(),
            "2026-05-01".to_owned(),
            "2026-10-31".to_owned(),
            who.name.clone(),
            who.number.paper().to_owned(),
            who.number.text.clone(),
            former.join(";"),
            Household::relation(at).to_owned(),
            ring.to_owned(),
            who.authorisation.clone(),
            "本人".to_owned(),
            "2026-10-12".to_owned(),
            "银行、证券".to_owned(),
            "合计".to_owned(),
        ]
    };
    household.members.iter().enumerate().map(one).collect()
}

/// A text without the spaces that a page's layout brings.
pub(crate) fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

/// The text of a PDF, by poppler.
pub(crate) fn text_of(pdf: &[u8]) -> String {
    let mut program = Command::new("pdftotext")
        .args(["-layout", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("pdftotext: {error}; install poppler-utils"));
    let (mut stdin, pdf) = (program.stdin.take().unwrap(), pdf.to_vec());
    let writer = std::thread::spawn(move || stdin.write_all(&pdf));
    let output = program.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

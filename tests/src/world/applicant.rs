//! The people who applied, and the centre's list of them (issue text: 姓名, 证件类型, 证件号码, …).

use serde::Serialize;

use super::calendar;
use super::csv::{Encoding, push_row};
use super::name;
use super::number::{self, Document, Number, Register};
use super::rng::Rng;
use super::spelling::{self, Habits};

/// One person who authorised the check.
#[derive(Debug, Clone, Serialize)]
pub struct Applicant {
    /// Row in [`World::applicants_csv`](super::World::applicants_csv), the first data row being 1.
    pub row: usize,
    /// Name as in the list.
    pub name: String,
    /// The current number, ordinal 0.
    pub number: Number,
    /// Earlier numbers, ordinals from 1.
    pub former: Vec<Number>,
    /// 户号.
    pub household: String,
    /// 授权书编号.
    pub authorisation: String,
    /// 授权截止 as yyyymmdd, where the authorisation has an end.
    pub valid_to: Option<u32>,
    /// 证件号码 as the list spells it.
    pub(super) cell: String,
    note: &'static str,
}

impl Applicant {
    /// All numbers in the order of their ordinals.
    pub fn numbers(&self) -> impl Iterator<Item = &Number> {
        std::iter::once(&self.number).chain(&self.former)
    }

    pub(super) fn cells(&self) -> [String; 8] {
        [
            self.name.clone(),
            self.number.paper().to_owned(),
            self.cell.clone(),
            self.former.iter().map(|n| n.text.as_str()).collect::<Vec<_>>().join(";"),
            self.authorisation.clone(),
            self.valid_to.map(calendar::iso).unwrap_or_default(),
            self.household.clone(),
            self.note.to_owned(),
        ]
    }
}

/// The columns of the list.
pub(super) const HEADER: [&str; 8] =
    ["姓名", "证件类型", "证件号码", "曾用证件号", "授权书编号", "授权截止", "户号", "备注"];

/// The list as bytes: UTF-8 with a byte order mark, as Excel writes "CSV UTF-8".
pub(super) fn list(rows: impl Iterator<Item = [String; 8]>) -> Vec<u8> {
    let mut text = String::new();
    push_row(&mut text, &HEADER, ',', "\r\n", false);
    for cells in rows {
        push_row(&mut text, &cells, ',', "\r\n", false);
    }
    Encoding::Utf8Bom.file(&text)
}

/// `count` people in `households` households, none of whose numbers is another's.
pub(super) fn make(seed: u64, count: usize, households: usize, register: &mut Register) -> Vec<Applicant> {
    let mut rng = Rng::new(seed, "applicants");
    let mut sizes = vec![1_usize; households.max(1).min(count)];
    for _ in sizes.len()..count {
        let at = rng.index(sizes.len());
        sizes[at] += 1;
    }
    let mut people = Vec::with_capacity(count);
    for (household, size) in sizes.into_iter().enumerate() {
        let area = number::area(&mut rng);
        let surname = name::surname(&mut rng);
        for _ in 0..size {
            people.push(person(&mut rng, people.len(), household, area, surname, register));
        }
    }
    people
}

/// Person `index`. One index in 128 for each rare kind of document, so that a small world has them too.
fn person(
    rng: &mut Rng,
    index: usize,
    household: usize,
    area: u32,
    surname: &str,
    register: &mut Register,
) -> Applicant {
    let place = index % 128;
    let surname = if rng.percent(60) { surname } else { name::surname(rng) };
    let name = match place {
        20 | 21 | 40 => name::latin(rng),
        _ if index % 32 == 17 => name::uyghur(rng),
        _ if index % 64 == 9 => name::rare(rng, surname),
        _ => name::chinese(rng, surname),
    };
    let area = if index % 96 == 17 { rng.pick(&number::XINJIANG) } else { area };
    let number = register.fresh(|| match place {
        5..=7 => permit(rng, [810_000, 820_000, 830_000][place - 5]),
        20 => foreigner(rng),
        21 => permanent_old(rng),
        40 => plain(Document::Passport, rng.digits(9)),
        41 => plain(Document::Passport, format!("E{}", rng.digits(8))),
        60 => plain(Document::HkMoPermit, format!("H{}", rng.digits(8))),
        61 => plain(Document::HkMoPermit, format!("M{}", rng.digits(8))),
        80 => plain(Document::TwPermit, rng.digits(8)),
        100 => plain(Document::Officer, format!("{}{}", rng.pick(&["南", "北", "海", "空"]), rng.digits(8))),
        110 => Number::resident(area, number::birthday(rng, 1918, 1926), rng.between(996, 999)),
        111 if index < 256 => {
            Number::resident(area, number::birthday(rng, 1896, 1899), rng.between(996, 999))
        }
        _ => citizen(rng, area),
    });
    let former = match place {
        20 => vec![register.fresh(|| permanent_old(rng))],
        41 => vec![register.fresh(|| plain(Document::Passport, format!("G{}", rng.digits(8))))],
        30 | 70 | 90 => vec![register.fresh(|| citizen(rng, area))],
        _ => Vec::new(),
    };
    let cell = list_cell(rng, index, &number);
    Applicant {
        row: index + 1,
        name,
        number,
        former,
        household: format!("H{:05}", household + 1),
        authorisation: format!("SQ5103222026{:06}", index + 1),
        valid_to: rng.percent(30).then_some(20361231),
        cell,
        note: rng.pick(&["", "", "", "", "低保,在册", "残疾二级", "户主外出务工\n电话联系"]),
    }
}

/// The number as the centre typed it: nearly always tidy, sometimes the old 15 digits.
fn list_cell(rng: &mut Rng, index: usize, number: &Number) -> String {
    let centenarian = number.text.get(14..17).is_some_and(|sequence| sequence >= "996");
    if index % 40 == 13 && !centenarian {
        return spelling::old15(number).cell;
    }
    let habits = Habits { old15_percent: 0, messy_percent: 3, tabs: true, kinds: true, both_forms: false };
    spelling::spell(rng, number, habits).cell
}

/// A mainland citizen of any age, not a centenarian by sequence.
pub(super) fn citizen(rng: &mut Rng, area: u32) -> Number {
    let (from, to) = match rng.below(100) {
        0..8 => (1918, 1940),
        8..75 => (1941, 1990),
        75..90 => (1991, 2010),
        _ => (2011, 2025),
    };
    Number::resident(area, number::birthday(rng, from, to), rng.between(1, 995))
}

fn permit(rng: &mut Rng, area: u32) -> Number {
    Number::resident(area, number::birthday(rng, 1940, 2015), rng.between(1, 995))
}

/// A new permanent-resident card: 9, place of application, country, then as a citizen's number.
fn foreigner(rng: &mut Rng) -> Number {
    let country = rng.pick(&[840, 826, 276, 392, 643]);
    Number::resident(951_000 + country, number::birthday(rng, 1940, 2005), rng.between(1, 995))
}

fn permanent_old(rng: &mut Rng) -> Number {
    plain(Document::PermanentOld, format!("{}{}", rng.pick(&["USA", "GBR", "DEU", "JPN"]), rng.digits(12)))
}

fn plain(document: Document, text: String) -> Number {
    Number { document, text }
}

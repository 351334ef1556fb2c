//! The template of an import: a row a person, with the commission and the authorisation it belongs to. A file is
//! read as a whole: either every row is in order, or all that is wrong comes back at once.

use std::collections::{BTreeMap, HashMap};

use desk::scope;
use protocol::value::Date;

use super::authorisation;
use super::case::New as NewCase;
use super::person;
use super::table::{self, Column, Line, Table};

/// Bytes of a file at most.
pub const MAX_BYTES: usize = 64 << 20;

/// One thing to put right in a file: a row, a field and a code. Never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// The row as a spreadsheet counts them; 0 for the file as a whole.
    pub row: u32,
    /// Which column, by its key in the dictionary.
    pub field: &'static str,
    /// What is wrong, by its key in the dictionary.
    pub code: &'static str,
}

/// The columns.
pub const COLUMNS: [Column; 19] = [
    ("column.commission", "委托书编号", true),
    ("column.household", "户号", true),
    ("column.office", "乡镇街道", true),
    ("column.class", "户类别", false),
    ("column.task", "任务类型", true),
    ("column.as_of", "核对时点", true),
    ("column.income_from", "收入起", false),
    ("column.income_to", "收入止", false),
    ("column.name", "姓名", true),
    ("column.id_type", "证件类型", false),
    ("column.number", "证件号码", true),
    ("column.former", "曾用证件号", false),
    ("column.relation", "与户主关系", true),
    ("column.ring", "人员范围", true),
    ("column.authorisation", "授权书编号", true),
    ("column.form", "授权方式", true),
    ("column.signed", "签署日期", true),
    ("column.kinds", "授权单位", true),
    ("column.level", "授权级别", true),
];

/// A row that is in order.
pub struct Row {
    /// As a spreadsheet counts them.
    pub row: u32,
    /// The person.
    pub person: person::Read,
    /// Relation to the head of the household.
    pub relation: String,
    /// 1 or 2.
    pub ring: i64,
    /// The authorisation.
    pub authorisation: authorisation::New,
}

/// One household of one commission.
pub struct Household {
    /// The case to be.
    pub case: NewCase,
    /// Its members.
    pub members: Vec<Row>,
}

/// The template as a file.
pub fn blank() -> String {
    table::blank(&COLUMNS)
}

/// Reads a file.
///
/// # Errors
/// All defects, in the order of the rows.
pub fn read(bytes: &[u8]) -> Result<Vec<Household>, Vec<Defect>> {
    let table = Table::read(bytes, &COLUMNS)?;
    let mut defects = Vec::new();
    let mut households: BTreeMap<(String, String), Household> = BTreeMap::new();
    let mut numbers: HashMap<(String, String, protocol::subject::Subject), u32> = HashMap::new();
    let mut forms: HashMap<String, (u32, protocol::subject::Subject)> = HashMap::new();
    for line in table.lines() {
        match read_line(&line) {
            Err(found) => defects.extend(found),
            Ok((case, row)) => {
                let mut wrong = |field, code| defects.push(Defect { row: row.row, field, code });
                for subject in &row.person.subjects {
                    let key = (case.commission.clone(), case.household.clone(), subject.clone());
                    if numbers.insert(key, row.row).is_some() {
                        wrong("column.number", "defect.duplicate");
                    }
                }
                if let Some(subject) = row.person.subjects.first() {
                    let form =
                        forms.entry(row.authorisation.number.clone()).or_insert((row.row, subject.clone()));
                    if form.1 != *subject {
                        wrong("column.authorisation", "defect.other_person");
                    }
                }
                let key = (case.commission.clone(), case.household.clone());
                let household = households
                    .entry(key)
                    .or_insert_with(|| Household { case: case.clone_of(), members: Vec::new() });
                if !household.case.agrees(&case) {
                    wrong("column.household", "defect.household_differs");
                }
                household.members.push(row);
            }
        }
    }
    if defects.is_empty() { Ok(households.into_values().collect()) } else { Err(defects) }
}

impl NewCase {
    fn clone_of(&self) -> Self {
        Self {
            commission: self.commission.clone(),
            household: self.household.clone(),
            office: self.office.clone(),
            class: self.class.clone(),
            task: self.task.clone(),
            as_of: self.as_of,
            income: self.income,
        }
    }

    fn agrees(&self, other: &Self) -> bool {
        (&self.office, &self.class, &self.task, self.as_of, self.income)
            == (&other.office, &other.class, &other.task, other.as_of, other.income)
    }
}

/// Reads a row.
fn read_line(line: &Line<'_>) -> Result<(NewCase, Row), Vec<Defect>> {
    // Of a person it is said in `person::read`.
    let mut defects = line.wrong(&["column.name", "column.number"]);
    let mut wrong =
        |field: &'static str, code: &'static str| defects.push(Defect { row: line.row(), field, code });
    let cell = |name: &str| line.cell(name);
    let mut day = |field: &'static str| {
        let read = read_day(cell(field));
        if read.is_none() && !cell(field).is_empty() {
            wrong(field, "defect.bad_date");
        }
        read
    };
    let (as_of, signed) = (day("column.as_of"), day("column.signed"));
    let (from, to) = (day("column.income_from"), day("column.income_to"));
    let mut word = |field: &'static str, words: &[(&str, &'static str)]| {
        let text = cell(field);
        let found = words.iter().find(|(word, code)| *word == text || *code == text).map(|(_, code)| *code);
        if found.is_none() && !text.is_empty() {
            wrong(field, "defect.unknown_word");
        }
        found
    };
    let task = word("column.task", &TASK_WORDS);
    let ring = word("column.ring", &RING_WORDS);
    let form = word("column.form", &FORM_WORDS);
    let class = word("column.class", &CLASS_WORDS);
    let (kinds, level) = (scope::read_kinds(cell("column.kinds")), scope::read_level(cell("column.level")));
    for (field, known) in [("column.kinds", kinds.is_some()), ("column.level", level.is_some())] {
        if !known && !cell(field).is_empty() {
            wrong(field, "defect.unknown_word");
        }
    }
    if from.is_some() != to.is_some() {
        wrong("column.income_to", "defect.half_period");
    }
    let person = person::read(
        cell("column.name"),
        cell("column.id_type"),
        cell("column.number"),
        cell("column.former"),
    );
    if let Err(found) = &person {
        found.iter().for_each(|(field, code)| wrong(field, code));
    }
    let (Ok(person), Some(as_of), Some(signed), Some(task), Some(ring), Some(form), Some(level), Some(kinds)) =
        (person, as_of, signed, task, ring, form, level, kinds)
    else {
        return Err(defects);
    };
    if !defects.is_empty() {
        return Err(defects);
    }
    let own = |field: &str| cell(field).to_owned();
    let case = NewCase {
        commission: own("column.commission"),
        household: own("column.household"),
        office: own("column.office"),
        class: class.unwrap_or("B").to_owned(),
        task: task.to_owned(),
        as_of,
        income: from.zip(to),
    };
    let authorisation = authorisation::New {
        number: own("column.authorisation"),
        form: form.to_owned(),
        kinds,
        level,
        signer: String::new(),
        signed,
        until: None,
    };
    let ring = if ring == "1" { 1 } else { 2 };
    Ok((case, Row { row: line.row(), person, relation: own("column.relation"), ring, authorisation }))
}

/// The words of a column that has few; none for a column of any text.
pub fn words(column: &str) -> Vec<&'static str> {
    let words: &[(&'static str, &str)] = match column {
        "column.task" => &TASK_WORDS,
        "column.ring" => &RING_WORDS,
        "column.form" => &FORM_WORDS,
        "column.level" => return scope::level_words().to_vec(),
        "column.class" => &CLASS_WORDS,
        _ => &[],
    };
    words.iter().map(|(word, _)| *word).collect()
}

const TASK_WORDS: [(&str, &str); 4] =
    [("新申请", "new"), ("年度复核", "yearly"), ("定期复核", "periodic"), ("投诉举报", "complaint")];
const RING_WORDS: [(&str, &str); 3] = [("共同生活", "1"), ("赡养义务", "2"), ("赡养抚养扶养义务", "2")];
const FORM_WORDS: [(&str, &str); 3] = [("本人", "own"), ("监护人", "guardian"), ("代理人", "agent")];
const CLASS_WORDS: [(&str, &str); 3] = [("A类", "A"), ("B类", "B"), ("C类", "C")];

pub(crate) fn read_day(cell: &str) -> Option<Date> {
    let parts: Vec<&str> =
        cell.split(['-', '/', '.', '年', '月', '日']).filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [whole] if whole.len() == 8 => Date::from_number(whole.parse().ok()?),
        [y, m, d] if y.len() == 4 && m.len() <= 2 && d.len() <= 2 => {
            let number = |text: &str| text.parse::<u32>().ok();
            Date::from_number(number(y)? * 10_000 + number(m)? * 100 + number(d)?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "WT-1,H-1,城关镇,,新申请,2026-10-31,,,张三,,11010519491231002X,,户主,共同生活,SQ-1,本人,2026-10-01,银行、证券,合计";

    fn file(rows: &[&str]) -> Vec<u8> {
        (blank() + &rows.join("\n")).into_bytes()
    }

    fn defects(rows: &[&str]) -> Vec<(u32, &'static str, &'static str)> {
        let found = read(&file(rows)).err().unwrap_or_default();
        found.into_iter().map(|d| (d.row, d.field, d.code)).collect()
    }

    #[test]
    fn households_are_put_together() {
        let second = GOOD.replace("张三", "李四").replace("11010519491231002X", "440524188001010014");
        let second = second.replace("户主", "配偶").replace("SQ-1", "SQ-2");
        let households = read(&file(&[GOOD, &second])).ok().unwrap();
        assert_eq!(households.len(), 1);
        assert_eq!(households[0].members.len(), 2);
        let gb = encoding_rs::GB18030.encode(&String::from_utf8(file(&[GOOD])).unwrap()[3..]).0.into_owned();
        assert_eq!(read(&gb).ok().unwrap().len(), 1);
    }

    #[test]
    fn all_defects_come_at_once() {
        let two =
            GOOD.replace("11010519491231002X", "110105194912310021").replace("2026-10-31", "2026-13-01");
        let three = GOOD.replace("银行、证券", "当铺").replace("WT-1", "").replace("共同生活", "邻居");
        let four = GOOD.replace("张三", "李四").replace("11010519491231002X", "440524188001010014");
        assert_eq!(
            defects(&[GOOD, &two, &three, &four, GOOD]),
            [
                (3, "column.as_of", "defect.bad_date"),
                (3, "column.number", "defect.check_digit"),
                (4, "column.commission", "defect.missing"),
                (4, "column.ring", "defect.unknown_word"),
                (4, "column.kinds", "defect.unknown_word"),
                (5, "column.authorisation", "defect.other_person"),
                (6, "column.number", "defect.duplicate"),
            ]
        );
        assert_eq!(defects(&[]), [(0, "column.file", "defect.no_rows")]);
        assert_eq!(read(b"a,b\n1,2").err().unwrap()[0].code, "defect.no_header");
        assert_eq!(read(b"PK\x03\x04").err().unwrap()[0].code, "defect.spreadsheet");
        let broken = GOOD.replace("户主", "\"户主\n李四,440524188001010014\"");
        assert_eq!(defects(&[&broken])[0], (2, "column.file", "defect.line_break"));
    }
}

//! The applicants (核对对象): read from the file that a township or a case system hands over.
//!
//! A person without a live authorisation never reaches a roster, and is named by row number rather
//! than dropped in silence.

use std::collections::HashMap;
use std::fmt;

use protocol::name::Name;
use protocol::subject::{self, Hint, Outcome, Subject};
use protocol::value::{Date, Text};

use crate::defect::{Code, Defect};
use crate::scope;
use crate::text::{self, Record, Records};

pub use crate::text::MAX_FILE_BYTES;

/// Numbers a slot can tell apart (SPEC §4.3: ordinals 0 … 7).
pub const MAX_NUMBERS: usize = 8;

/// A person who applied, or a member of the household, with a live authorisation.
pub struct Applicant {
    /// Row of the file, as a spreadsheet counts them.
    pub row: u32,
    /// The name, fit for comparing.
    pub name: Name,
    /// The current number, then what else the person's records may stand under.
    pub numbers: Vec<Number>,
    /// Number of the authorisation form (授权书编号).
    pub authorisation: String,
    /// Institutions and data kinds that the form allows; empty when the file has no such column. Of the desk's own
    /// import table, where two columns say it, [`scope::text`] of them.
    pub scope: String,
    /// The household's number; empty when the file has no such column.
    pub household: String,
}

/// One of an applicant's numbers. Its place in [`Applicant::numbers`] is its ordinal in a roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// What it is.
    pub subject: Subject,
    /// Whether it is one of the numbers the person had before.
    pub former: bool,
}

impl Applicant {
    /// The current number; of two readings of an old number, the likelier.
    pub fn current(&self) -> Option<&Subject> {
        self.numbers.first().map(|n| &n.subject)
    }
}

impl fmt::Debug for Applicant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Applicant(row {}, ..)", self.row)
    }
}

/// All applicants of a file. No number stands for two of them.
#[derive(Debug)]
pub struct Applicants(Vec<Applicant>);

impl Applicants {
    /// Reads a file and refuses it with all its defects when it has any. An authorisation must not have
    /// ended before `today`.
    ///
    /// # Errors
    /// All [`Defect`]s, in the order of the rows.
    pub fn read(bytes: &[u8], today: Date) -> Result<Self, Vec<Defect>> {
        let (applicants, defects) = Self::read_partial(bytes, today)?;
        if defects.is_empty() { Ok(applicants) } else { Err(defects) }
    }

    /// Reads a file; those who may be asked about go on, the others are returned beside them. Of one
    /// person in two rows the first goes on.
    ///
    /// # Errors
    /// The [`Defect`]s that concern the file or a column as a whole.
    pub fn read_partial(bytes: &[u8], today: Date) -> Result<(Self, Vec<Defect>), Vec<Defect>> {
        let whole = |code| vec![Defect::new(0, "file", code)];
        let text = text::decode(bytes).map_err(whole)?;
        let Table { columns, records } = Table::read(&text)?;
        if records.is_empty() {
            return Err(whole(Code::NoRows));
        }
        check_precision(&columns, &records)?;

        let (mut people, mut defects): (Vec<Applicant>, Vec<Defect>) = (Vec::new(), Vec::new());
        let mut rows_by_number: HashMap<Subject, u32> = HashMap::new();
        for record in &records {
            let person = match columns.read(record, today) {
                Ok(person) => person,
                Err(found) => {
                    defects.extend(found);
                    continue;
                }
            };
            if let Some(first) = person.numbers.iter().find_map(|n| rows_by_number.get(&n.subject)) {
                defects.push(Defect::duplicate(person.row, Column::IdNumber.name(), *first));
                continue;
            }
            rows_by_number.extend(person.numbers.iter().map(|n| (n.subject.clone(), person.row)));
            people.push(person);
        }
        Ok((Self(people), defects))
    }

    /// The applicants in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Applicant> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The applicants in the order of their current numbers: the same whatever the order of the file.
    pub(crate) fn canonical(&self) -> Vec<&Applicant> {
        let mut all: Vec<&Applicant> = self.0.iter().collect();
        all.sort_by_key(|a| a.current());
        all
    }
}

/// The columns that are read; any other is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    IdType,
    IdNumber,
    Authorisation,
    AuthorisedUntil,
    Scope,
    ScopeKinds,
    ScopeLevel,
    Household,
    Former,
}

impl Column {
    const ALL: [Self; 10] = [
        Self::Name,
        Self::IdType,
        Self::IdNumber,
        Self::Authorisation,
        Self::AuthorisedUntil,
        Self::Scope,
        Self::ScopeKinds,
        Self::ScopeLevel,
        Self::Household,
        Self::Former,
    ];
    const REQUIRED: [Self; 3] = [Self::Name, Self::IdNumber, Self::Authorisation];

    fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::IdType => "id_type",
            Self::IdNumber => "id_number",
            Self::Authorisation => "authorisation",
            Self::AuthorisedUntil => "authorised_until",
            Self::Scope => "scope",
            Self::ScopeKinds => "scope_kinds",
            Self::ScopeLevel => "scope_level",
            Self::Household => "household",
            Self::Former => "former_numbers",
        }
    }

    /// Headings as they stand after [`plain_heading`].
    fn headings(self) -> &'static [&'static str] {
        match self {
            Self::Name => &["姓名", "名字", "name"],
            Self::IdType => &["证件类型", "证件种类", "idtype"],
            Self::IdNumber => &["证件号码", "证件号", "身份证号", "身份证号码", "公民身份号码", "idnumber"],
            Self::Authorisation => &["授权书编号", "授权编号", "authorisation", "authorization"],
            Self::AuthorisedUntil => {
                &["授权截止", "授权截止日期", "授权到期", "授权有效期至", "authoriseduntil"]
            }
            Self::Scope => &["授权范围", "scope"],
            Self::ScopeKinds => &["授权单位"],
            Self::ScopeLevel => &["授权级别"],
            Self::Household => &["户号", "家庭编号", "household"],
            Self::Former => &["曾用证件号", "曾用证件号码", "曾用号码", "formernumbers"],
        }
    }

    fn of_heading(cell: &str) -> Option<Self> {
        let heading = plain_heading(cell);
        Self::ALL.into_iter().find(|column| column.headings().contains(&heading.as_str()))
    }
}

/// A heading without white space, `_`, `-`, `*` and a last part in brackets, in lower case.
fn plain_heading(cell: &str) -> String {
    let cell = cell.trim();
    let bracket = if cell.ends_with([')', '）']) { cell.rfind(['(', '（']) } else { None };
    let kept = bracket.and_then(|at| cell.get(..at)).unwrap_or(cell);
    kept.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '*' | '＊' | '\u{FEFF}'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// How many records may stand before the header: titles, notes.
const HEADER_WITHIN: usize = 20;

/// What may stand between two cells.
const DELIMITERS: [char; 3] = [',', '\t', ';'];

/// A file taken apart: its columns, and the records below the header.
struct Table {
    columns: Columns,
    records: Vec<Record>,
}

impl Table {
    /// Finds delimiter and header, and cuts the records below.
    fn read(text: &str) -> Result<Self, Vec<Defect>> {
        let refused = |(row, code)| vec![Defect::new(row, "file", code)];
        let mut best: Option<(usize, char, u32)> = None;
        let mut broken = None;
        for delimiter in DELIMITERS {
            for record in Records::new(text, delimiter).take(HEADER_WITHIN) {
                match record {
                    Ok(Record { row, cells, .. }) => {
                        let known = cells.iter().filter(|cell| Column::of_heading(cell).is_some()).count();
                        if known > best.map_or(1, |(most, ..)| most) {
                            best = Some((known, delimiter, row));
                        }
                    }
                    Err(error) => broken = broken.or(Some(error)),
                }
            }
        }
        let Some((_, delimiter, header_row)) = best else {
            return Err(refused(broken.unwrap_or((0, Code::NoHeader))));
        };
        let mut records =
            Records::new(text, delimiter).skip_while(|r| matches!(r, Ok(r) if r.row < header_row));
        let header = records.next().transpose().map_err(refused)?;
        let header = header.ok_or_else(|| refused((0, Code::NoHeader)))?;
        let records: Vec<Record> = records.collect::<Result<_, _>>().map_err(refused)?;

        let columns = Columns::find(header.row, &header.cells)?;
        let width = header.cells.len();
        let swallowed = std::iter::once(&header)
            .chain(&records)
            .filter(|record| columns.swallowed(record, delimiter, width))
            .map(|record| Defect::new(record.row, "file", Code::SwallowedRows));
        let swallowed: Vec<Defect> = swallowed.collect();
        if swallowed.is_empty() { Ok(Self { columns, records }) } else { Err(swallowed) }
    }
}

/// Where in a record each column stands.
struct Columns(Vec<(Column, usize)>);

impl Columns {
    fn find(row: u32, headings: &[String]) -> Result<Self, Vec<Defect>> {
        let known = |(at, cell): (usize, &String)| Column::of_heading(cell).map(|column| (column, at));
        let found: Vec<(Column, usize)> = headings.iter().enumerate().filter_map(known).collect();
        let mut defects = Vec::new();
        for column in Column::ALL {
            let code = match found.iter().filter(|(c, _)| *c == column).count() {
                0 if Column::REQUIRED.contains(&column) => Code::MissingColumn,
                0 | 1 => continue,
                _ => Code::AmbiguousColumn,
            };
            defects.push(Defect::new(row, column.name(), code));
        }
        if defects.is_empty() { Ok(Self(found)) } else { Err(defects) }
    }

    /// The cell of `column`; empty when there is no such column or the record ends before it.
    fn cell<'a>(&self, cells: &'a [String], column: Column) -> &'a str {
        let at = self.0.iter().find(|(c, _)| *c == column).map(|(_, at)| *at);
        at.and_then(|at| cells.get(at)).map_or("", |cell| unwrapped(cell))
    }

    fn has(&self, column: Column) -> bool {
        self.0.iter().any(|(c, _)| *c == column)
    }

    /// What the form allows: its own cell, or what the two columns of the desk's import table say.
    fn scope(&self, cells: &[String]) -> Result<String, Code> {
        let whole = self.cell(cells, Column::Scope);
        let in_two = self.has(Column::ScopeKinds) && self.has(Column::ScopeLevel);
        if whole.is_empty() && in_two {
            let (kinds, level) = (self.cell(cells, Column::ScopeKinds), self.cell(cells, Column::ScopeLevel));
            return scope::text(kinds, level).ok_or(Code::UnknownScope);
        }
        if is_text(whole) { Ok(whole.to_owned()) } else { Err(Code::BadText) }
    }

    /// Whether a cell of the record holds rows that belong below it. People would be lost in it without
    /// a word, so this is asked of every column, and of every line break that may have come of a stray
    /// quotation mark.
    fn swallowed(&self, record: &Record, delimiter: char, width: usize) -> bool {
        let broken = record.cells.iter().any(|cell| cell.contains('\n'));
        let former = self.0.iter().find(|(c, _)| *c == Column::Former).map(|(_, at)| *at);
        let holds_rows = |(at, cell): (usize, &String)| {
            cell.contains('\n')
                && if former == Some(at) {
                    // Several numbers may stand on a line each; nothing else may.
                    cell.split(is_separator)
                        .any(|part| !part.is_empty() && digits_in(part) < DIGITS_OF_A_NUMBER)
                } else {
                    cell.split('\n').any(|line| looks_like_a_row(line, delimiter, width))
                }
        };
        let longer = record.cells.iter().skip(width).any(|cell| !cell.trim().is_empty());
        record.torn || (broken && longer) || record.cells.iter().enumerate().any(holds_rows)
    }

    /// Reads one person, or gives all that is wrong with the row.
    fn read(&self, Record { row, cells, .. }: &Record, today: Date) -> Result<Applicant, Vec<Defect>> {
        let one_line = Column::ALL.into_iter().filter(|column| *column != Column::Former);
        let mut defects: Vec<Defect> = one_line
            .filter(|column| self.cell(cells, *column).contains('\n'))
            .map(|column| Defect::new(*row, column.name(), Code::LineBreak))
            .collect();
        if !defects.is_empty() {
            return Err(defects);
        }
        let mut wrong = |column: Column, code| defects.push(Defect::new(*row, column.name(), code));

        let name_cell = self.cell(cells, Column::Name);
        let name = Name::read(name_cell);
        if name_cell.is_empty() {
            wrong(Column::Name, Code::Missing);
        } else if name.is_none() {
            wrong(Column::Name, Code::WildName);
        } else if !is_text(name_cell) {
            wrong(Column::Name, Code::BadText);
        }

        let mut numbers: Vec<Number> = Vec::new();
        let hint = Hint::read(self.cell(cells, Column::IdType));
        if let Err(code) = add_number(&mut numbers, self.cell(cells, Column::IdNumber), hint, false) {
            wrong(Column::IdNumber, code);
        }
        for former in self.cell(cells, Column::Former).split(is_separator).filter(|part| !part.is_empty()) {
            if let Err(code) = add_number(&mut numbers, former, Hint::None, true) {
                wrong(Column::Former, code);
            }
        }
        if numbers.len() > MAX_NUMBERS {
            wrong(Column::Former, Code::TooManyNumbers);
        }

        match self.cell(cells, Column::Authorisation) {
            "" => wrong(Column::Authorisation, Code::Missing),
            number if !is_text(number) => wrong(Column::Authorisation, Code::BadText),
            _ => {}
        }
        match read_until(self.cell(cells, Column::AuthorisedUntil)) {
            Ok(Some(last)) if last < today => wrong(Column::AuthorisedUntil, Code::Expired),
            Ok(_) => {}
            Err(code) => wrong(Column::AuthorisedUntil, code),
        }
        let scope = self.scope(cells).unwrap_or_else(|code| {
            wrong(Column::Scope, code);
            String::new()
        });
        if !is_text(self.cell(cells, Column::Household)) {
            wrong(Column::Household, Code::BadText);
        }

        match name {
            Some(name) if defects.is_empty() => Ok(Applicant {
                row: *row,
                name,
                numbers,
                authorisation: self.cell(cells, Column::Authorisation).to_owned(),
                scope,
                household: self.cell(cells, Column::Household).to_owned(),
            }),
            _ => Err(defects),
        }
    }
}

/// A cell without the ways that force a spreadsheet to show text: white space, `="…"`, a leading `'`.
fn unwrapped(cell: &str) -> &str {
    let cell = cell.trim();
    let cell = cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or(cell);
    cell.strip_prefix('\'').unwrap_or(cell).trim()
}

/// Digits that the shortest identity number has (officers').
const DIGITS_OF_A_NUMBER: usize = 6;

fn digits_in(text: &str) -> usize {
    text.chars().filter(|c| matches!(c, '0'..='9' | '０'..='９')).count()
}

/// Whether a cell has the look of an identity number, a damaged one too: many digits and no words.
fn looks_like_a_number(cell: &str) -> bool {
    let of_a_number = |c: char| {
        c.is_ascii_alphanumeric()
            || c.is_whitespace()
            || matches!(c, '０'..='９' | '"' | '=' | '\'' | '*' | '-' | '字' | '第' | '号')
    };
    digits_in(cell) >= DIGITS_OF_A_NUMBER && cell.chars().all(of_a_number)
}

/// Whether a line of a cell is a row of a table so wide, or the beginning of one with a number in it.
fn looks_like_a_row(line: &str, delimiter: char, width: usize) -> bool {
    let mut cells = line.split(delimiter);
    let count = cells.clone().count();
    count >= width || (count > 1 && cells.any(looks_like_a_number))
}

fn is_text(cell: &str) -> bool {
    cell.parse::<Text>().is_ok()
}

/// What stands between several former numbers.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, ';' | '；' | '、' | ',' | '，' | '/' | '|')
}

/// Adds the subjects of a cell that are not among the numbers yet.
fn add_number(numbers: &mut Vec<Number>, cell: &str, hint: Hint, former: bool) -> Result<(), Code> {
    match subject::read(cell, hint).0 {
        Outcome::Subjects((first, second)) => {
            for subject in [Some(first), second].into_iter().flatten() {
                if numbers.iter().all(|n| n.subject != subject) {
                    numbers.push(Number { subject, former });
                }
            }
            Ok(())
        }
        Outcome::NotPersonal => Err(Code::NotPersonal),
        Outcome::Quarantine(reason) => Err(Code::Number(reason)),
    }
}

/// The last day of an authorisation. None is given where it ends with an event (domain §1.4).
fn read_until(cell: &str) -> Result<Option<Date>, Code> {
    if matches!(cell, "" | "长期" | "无") {
        return Ok(None);
    }
    let day = cell.strip_suffix('日').unwrap_or(cell);
    let parts: Vec<&str> = day.split(['-', '/', '.', '年', '月']).collect();
    let number = match parts.as_slice() {
        [whole] if whole.len() == 8 => digits(whole),
        [year, month, day] if year.len() == 4 && month.len() <= 2 && day.len() <= 2 => {
            let (year, month, day) = (digits(year), digits(month), digits(day));
            year.zip(month).zip(day).map(|((year, month), day)| year * 10_000 + month * 100 + day)
        }
        _ => None,
    };
    number.and_then(Date::from_number).map(Some).ok_or(Code::BadDate)
}

fn digits(text: &str) -> Option<u32> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Refuses a column of numbers that a spreadsheet has rounded (domain §3.1): 15 digits kept shows as
/// `000` at the end, a float64 as multiples of 16. By chance, the one is 1 in 1,000 a row, the other 1 in 16.
fn check_precision(columns: &Columns, records: &[Record]) -> Result<(), Vec<Defect>> {
    let whole = |record: &Record| {
        let cell = columns.cell(&record.cells, Column::IdNumber);
        if cell.len() == 18 && cell.bytes().all(|b| b.is_ascii_digit()) {
            cell.parse::<u64>().ok()
        } else {
            None
        }
    };
    let numbers: Vec<u64> = records.iter().filter_map(whole).collect();
    let zeros = numbers.len() >= 2 && numbers.iter().all(|n| n % 1_000 == 0);
    let float64 = numbers.len() >= 5 && numbers.iter().all(|n| n % 16 == 0);
    if zeros || float64 {
        return Err(vec![Defect::new(0, Column::IdNumber.name(), Code::PrecisionLost)]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "\
核对对象名单,,,,,,,
姓名,证件类型,身份证号码（必填）,授权书编号,授权截止,户号,曾用证件号,备注
张　三,居民身份证,11010519491231002X,SQ-1,2026年12月31日,H1,,x
李四,,'440524188001010014,SQ-2,,H1,110105491231002；E12345678,
";

    fn today() -> Date {
        "2026-11-22".parse().unwrap()
    }

    fn defects(text: &str) -> Vec<(u32, &'static str, &'static str)> {
        let found = match Applicants::read_partial(text.as_bytes(), today()) {
            Ok((_, found)) | Err(found) => found,
        };
        found.into_iter().map(|d| (d.row, d.field, d.code.name())).collect()
    }

    #[test]
    fn a_township_file_is_read() {
        let text = GOOD.replace("110105491231002；", ""); // in GOOD it is 张三's own old number
        for bytes in [
            text.clone().into_bytes(),
            text.replace(',', "\t").into_bytes(),
            text.replace(',', ";").into_bytes(),
            encoding_rs::GB18030.encode(&text).0.into_owned(),
        ] {
            let applicants = Applicants::read(&bytes, today()).unwrap();
            let seen: Vec<_> = applicants
                .iter()
                .map(|a| {
                    (a.row, a.name.folded(), a.authorisation.as_str(), a.household.as_str(), a.numbers.len())
                })
                .collect();
            assert_eq!(seen, [(3, "张三", "SQ-1", "H1", 1), (4, "李四", "SQ-2", "H1", 2)]);
            let second = applicants.iter().nth(1).unwrap();
            assert_eq!(second.current().unwrap().number(), "440524188001010014");
            assert!(second.numbers[1].former && !second.numbers[0].former);
        }
    }

    #[test]
    fn all_defects_are_given_at_once() {
        let text = "name,id number,authorisation,授权截止,former_numbers,授权书编号\n";
        assert_eq!(defects(text), [(0, "file", "no_rows")].map(|_| (1, "authorisation", "ambiguous_column")));
        assert_eq!(defects("name,id number\n1,2\n"), [(1, "authorisation", "missing_column")]);
        assert_eq!(defects("a,b\n1,2\n"), [(0, "file", "no_header")]);
        assert_eq!(defects("姓名,证件号码,授权编号\n"), [(0, "file", "no_rows")]);
        let text = "\
姓名,证件号码,授权编号,授权到期,曾用号码
张三,11010519491231002X,,,
李四,110105194912310021,A,2026-11-21,1
王?,,A,2026-02-30,
,91110000MA0000001X,B,长期,
赵六,440524188001010014,C,2026-11-22,110105491231002
钱七,11010519491231002X,D,,
孙八,44052418800101001*,E,,
";
        assert_eq!(
            defects(text),
            [
                (2, "authorisation", "missing"),
                (3, "id_number", "check_digit"),
                (3, "former_numbers", "placeholder"),
                (3, "authorised_until", "expired"),
                (4, "name", "wild_name"),
                (4, "id_number", "empty"),
                (4, "authorised_until", "bad_date"),
                (5, "name", "missing"),
                (5, "id_number", "not_personal"),
                (7, "id_number", "duplicate"),
                (8, "id_number", "check_digit"),
            ]
        );
        let all = Applicants::read(text.as_bytes(), today()).unwrap_err();
        assert_eq!(all.iter().find_map(|d| d.other_row), Some(6), "both rows of a duplicate are named");
        let (live, refused) = Applicants::read_partial(text.as_bytes(), today()).unwrap();
        assert_eq!((live.iter().map(|a| a.row).collect::<Vec<_>>(), refused), (vec![6], all));
    }

    /// Nobody is lost in a cell: a stray quotation mark is named, with its row, closed or not.
    #[test]
    fn a_stray_quotation_mark_swallows_nobody() {
        let head = "姓名,证件号码,授权编号,备注\n";
        let [alice, bob, carol] =
            ["张三,11010519491231002X,A-1,", "李四,440524188001010014,A-2,", "王五,44052419800101001X,A-3,"];
        let refused = |rows: &str| defects(&format!("{head}{rows}\n"));
        // Nothing closes it.
        for rows in [
            format!("{alice}\"住院\n{bob}\n{carol}"),
            format!("{alice}\n{bob}\"\n{carol}"),
            format!("{alice}\n{bob}\n\"{carol}"),
        ] {
            let row = 2 + rows.split('"').next().unwrap().matches('\n').count();
            assert_eq!(refused(&rows), [(u32::try_from(row).unwrap(), "file", "unclosed_quote")], "{rows}");
        }
        // A later one does, wherever it stands.
        let bare = "周六,,A-4,";
        for rows in [
            format!("{alice}\"住院\n{bob}\"低保\"\n{carol}"), // the opening mark of a good cell
            format!("{alice}\"住院\n{bob}低保\"\n{carol}"),   // another stray one, at the end of a cell
            format!("{alice}\"住院\n{bob}\n{carol}\""),       // the same, two rows down
            format!("{alice}\"住院\n{bare}\"低保\"\n{bob}"),  // a row without a number
            format!("{alice}\"住院\n{bare}\"\n{bob}"),
            format!("{alice}\"住院\n\"李四\",440524188001010014,A-2,\n{carol}"), // quoted names
            format!("{alice}\"住院\n李四\",440524188001010014,A-2,\n{carol}"),
            format!("{alice}\"住院\n李四,\"440524188001010014\",A-2,\n{carol}"), // quoted numbers
            format!("{alice}\"住院\n李四,440524188001010014\",A-2,\n{carol}"),
            format!("{alice}\"住院\n李四,44052\",A-2,\n{carol}"),
            format!("{alice}\"住院\n李四,南字第1234567号\",A-2,\n{carol}"),
            format!("{alice}\"\n{bob}\"\n{carol}"),
            "\"张三\n李四,440524188001010014,A-2,\n\",11010519491231002X,A-1".to_owned(),
            format!("张三,11010519491231002X,\"A-1,\n{bob}\n王五,44052419800101001X,A-3\","),
        ] {
            assert_eq!(refused(&rows), [(2, "file", "swallowed_rows")], "{rows}");
        }
        // The heading's row may swallow people, too.
        let text = format!("姓名,证件号码,授权编号,\"备注\n{alice}\n{bob}\"\n{carol}\n");
        assert_eq!(defects(&text), [(1, "file", "swallowed_rows")]);
        let text = format!("姓名,证件号码,授权编号,曾用号码\n{alice}\"E12345678\n{bob}\"\n{carol}\n");
        assert_eq!(defects(&text), [(2, "file", "swallowed_rows")]);
    }

    /// A township's copy of what it handed to the desk is an applicants' file as well.
    #[test]
    fn the_desks_import_table_is_read() {
        let head = "委托书编号,户号,姓名,证件号码,曾用证件号,授权书编号,授权方式,授权单位,授权级别";
        let row = |kinds: &str, level: &str| {
            format!("{head}\nWT-1,H-1,张三,11010519491231002X,,SQ-1,本人,{kinds},{level}\n")
        };
        let scope = |text: &str| Applicants::read(text.as_bytes(), today()).unwrap().0.remove(0).scope;
        assert_eq!(scope(&row("证券、银行", "合计")), "bank,securities:L1");
        assert_eq!(defects(&row("当铺", "合计")), [(2, "scope", "unknown_scope")]);
        let own =
            "姓名,证件号码,授权书编号,授权单位,授权级别,授权范围\n张三,11010519491231002X,A,银行,合计,存款\n";
        assert_eq!(scope(own), "存款", "a cell for the whole of it comes first");
        let half = "姓名,证件号码,授权书编号,授权单位\n张三,11010519491231002X,A,当铺\n";
        assert_eq!(scope(half), "", "one of the two columns is another file's");
    }

    #[test]
    fn line_breaks_stand_where_several_things_may() {
        let one = |cells: &str| defects(&format!("姓名,证件号码,授权编号,曾用号码,备注\n{cells}\n"));
        assert_eq!(one("张三,11010519491231002X,A,\"E12345678\nG12345678\",\"住院,2025\n低保\""), []);
        assert_eq!(one("张三,11010519491231002X,A,,\"住院,电话 13800138000\n低保\""), []);
        assert_eq!(one("\"张三\n\",11010519491231002X,A,,"), [], "at the end it means nothing");
        assert_eq!(one("\"张三\n李四\",11010519491231002X,A,,"), [(2, "name", "line_break")]);
        assert_eq!(one("张三,\"110105194912\n31002X\",A,,"), [(2, "id_number", "line_break")]);
        assert_eq!(one("张三,11010519491231002X,\"A\nB\",,"), [(2, "authorisation", "line_break")]);
    }

    #[test]
    fn an_authorisation_lives_through_its_last_day() {
        let on = |day: &str| {
            let text = format!("姓名,证件号码,授权编号,授权截止\n张三,11010519491231002X,A,{day}\n");
            defects(&text).first().map(|d| d.2)
        };
        for live in ["2026-11-22", "20261122", "2026/11/22", "2026.12.1", "2026年11月22日", "长期", ""] {
            assert_eq!(on(live), None, "{live}");
        }
        assert_eq!(on("2026-11-21"), Some("expired"));
        for bad in ["2026-13-01", "soon", "2026-11", "20261", "2026-11-22-1", "+026-11-22"] {
            assert_eq!(on(bad), Some("bad_date"), "{bad}");
        }
    }

    #[test]
    fn rounded_numbers_are_refused_as_a_column() {
        let row = |n: u64| format!("张三,{n},A\n");
        let file = |numbers: &[u64]| {
            "姓名,证件号码,授权编号\n".to_owned() + &numbers.iter().map(|n| row(*n)).collect::<String>()
        };
        let zeros = file(&[440_524_188_001_010_000, 110_105_194_912_310_000]);
        assert_eq!(defects(&zeros), [(0, "id_number", "precision_lost")]);
        let float64: Vec<u64> = (0..5).map(|i| 440_524_188_001_010_016 + 32 * i).collect();
        assert_eq!(defects(&file(&float64)), [(0, "id_number", "precision_lost")]);
    }

    #[test]
    fn nothing_personal_is_printed() {
        let applicants = Applicants::read_partial(GOOD.as_bytes(), today()).unwrap().0;
        let printed = format!("{applicants:?}");
        assert_eq!(printed, "Applicants([Applicant(row 3, ..)])");
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400), tail in any::<String>()) {
            let _ = Applicants::read(&bytes, today());
            let _ = Applicants::read(format!("姓名,证件号码,授权编号,授权截止,曾用号码\n{tail}").as_bytes(), today());
        }
    }
}

//! Declarations by file: a row an item, for many households at once. All of a file is taken, or nothing, and then all
//! that is wrong with it comes back.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use protocol::Time;
use protocol::slot::AssetKind;
use protocol::subject::{self, Hint, Outcome, Subject};
use protocol::value::Date;
use sqlx::Row as _;

use super::declared::{self, Declared};
use crate::cases::case::State;
use crate::cases::table::{self, Column, Line, Table};
use crate::cases::template::{Defect, read_day};
use crate::staff::Clerk;
use crate::store::{Action, Fault, Object, Store, Write};
use crate::words::Words;

/// The columns.
pub const COLUMNS: [Column; 7] = [
    ("column.commission", "委托书编号", true),
    ("column.household", "户号", true),
    ("column.number", "证件号码", true),
    ("column.asset", "资产类型", true),
    ("column.amount", "申报金额", true),
    ("column.institution", "机构", false),
    ("column.date", "日期", false),
];

/// A row that is in order.
pub struct Row {
    row: u32,
    commission: String,
    household: String,
    subject: Subject,
    item: Declared,
}

/// The template as a file.
pub fn blank() -> String {
    table::blank(&COLUMNS)
}

/// The words of a column that has few; none for a column of any text.
pub fn words(column: &str) -> Vec<&'static str> {
    let kinds = AssetKind::ALL.into_iter().filter(|kind| !kind.is_liability());
    if column == "column.asset" {
        kinds.map(|kind| Words::Chinese.of("asset", kind.name())).collect()
    } else {
        Vec::new()
    }
}

/// Reads a file.
///
/// # Errors
/// All defects, in the order of the rows.
pub fn read(bytes: &[u8]) -> Result<Vec<Row>, Vec<Defect>> {
    let table = Table::read(bytes, &COLUMNS)?;
    let (mut good, mut defects) = (Vec::new(), Vec::new());
    for line in table.lines() {
        match row(&line) {
            Ok(row) => good.push(row),
            Err(found) => defects.extend(found),
        }
    }
    if defects.is_empty() { Ok(good) } else { Err(defects) }
}

fn row(line: &Line<'_>) -> Result<Row, Vec<Defect>> {
    let mut defects = line.wrong(&[]);
    let mut wrong = |field, code| defects.push(Defect { row: line.row(), field, code });
    let cell = |name: &str| line.cell(name);
    let (number, kind, amount, date) =
        (cell("column.number"), cell("column.asset"), cell("column.amount"), cell("column.date"));
    let subject = match subject::read(number, Hint::None).0 {
        _ if number.is_empty() => None,
        Outcome::Subjects((one, _)) => Some(one),
        Outcome::NotPersonal => {
            wrong("column.number", "defect.not_personal");
            None
        }
        Outcome::Quarantine(reason) => {
            wrong("column.number", crate::cases::person::defect_of(reason));
            None
        }
    };
    let named = |known: &AssetKind| {
        !known.is_liability() && (known.name() == kind || Words::Chinese.of("asset", known.name()) == kind)
    };
    let known = AssetKind::ALL.into_iter().find(named);
    if known.is_none() && !kind.is_empty() {
        wrong("column.asset", "defect.unknown_word");
    }
    let minor = crate::pages::money::read(amount);
    if minor.is_none() && !amount.is_empty() {
        wrong("column.amount", "defect.amount");
    }
    let day = read_day(date);
    if day.is_none() && !date.is_empty() {
        wrong("column.date", "defect.bad_date");
    }
    let (Some(subject), Some(kind), Some(minor), true) = (subject, known, minor, defects.is_empty()) else {
        return Err(defects);
    };
    Ok(Row {
        row: line.row(),
        commission: cell("column.commission").to_owned(),
        household: cell("column.household").to_owned(),
        subject,
        item: item(kind, minor, cell("column.institution"), day),
    })
}

fn item(kind: AssetKind, minor: i64, institution: &str, date: Option<Date>) -> Declared {
    Declared { id: 0, kind: kind.name().to_owned(), minor, institution: institution.to_owned(), date }
}

/// Keeps what was read, or gives all that the database has against it; then nothing has changed.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn keep(
    store: &Store,
    rows: Vec<Row>,
    clerk: &Clerk,
    now: Time,
) -> Result<Result<usize, Vec<Defect>>, Fault> {
    let mut write = store.write().await?;
    let (mut defects, mut cases, count) = (Vec::new(), HashMap::new(), rows.len());
    let mut known: HashMap<i64, BTreeMap<i64, Vec<Declared>>> = HashMap::new();
    for row in rows {
        let mut wrong = |field, code| defects.push(Defect { row: row.row, field, code });
        let key = (row.commission.clone(), row.household.clone());
        let case = match cases.get(&key) {
            Some(known) => *known,
            None => {
                let found = find_case(&mut write, &row).await?;
                cases.insert(key, found);
                found
            }
        };
        let Some((case, open)) = case else {
            wrong("column.household", "defect.unknown_household");
            continue;
        };
        if !open {
            wrong("column.commission", "defect.too_late");
            continue;
        }
        let index = store.vault().subject_index(&row.subject);
        let person: Option<i64> = sqlx::query_scalar(
            "SELECT members.person FROM members JOIN person_numbers ON person_numbers.person = members.person \
             WHERE case_id = ? AND number_index = ?",
        )
        .bind(case)
        .bind(index)
        .fetch_optional(write.connection())
        .await?;
        let before = match known.entry(case) {
            Entry::Occupied(read) => read.into_mut(),
            Entry::Vacant(new) => new.insert(declared::of_case(store, case).await?),
        };
        let told =
            |person: &i64| before.get(person).is_some_and(|all| all.iter().any(|one| same(one, &row.item)));
        match person {
            None => wrong("column.number", "defect.no_member"),
            // The file, or its row, was here before.
            Some(person) if told(&person) => wrong("column.amount", "defect.declared_already"),
            Some(person) => {
                declared::declare(&mut write, case, person, row.item, clerk, now).await?;
            }
        }
    }
    if !defects.is_empty() {
        return Ok(Err(defects));
    }
    write.log(Action("declaration.imported"), &clerk.code, now, Object::Nothing).await?;
    write.commit().await?;
    Ok(Ok(count))
}

fn same(one: &Declared, other: &Declared) -> bool {
    (&one.kind, one.minor, &one.institution, one.date)
        == (&other.kind, other.minor, &other.institution, other.date)
}

/// The case of a row, and whether its declaration may still be entered.
async fn find_case(write: &mut Write, row: &Row) -> Result<Option<(i64, bool)>, Fault> {
    let found = sqlx::query(
        "SELECT cases.id, state FROM cases JOIN households ON households.id = household \
         WHERE commission = ? AND households.number = ?",
    )
    .bind(&row.commission)
    .bind(&row.household)
    .fetch_optional(write.connection())
    .await?;
    let Some(found) = found else { return Ok(None) };
    let state = State::read(found.try_get("state")?).ok_or(Fault::Stored("cases.state"))?;
    Ok(Some((found.try_get("id")?, super::declared::may_change(state))))
}

//! What a household declared (申报), and what the rules leave out of account, with its evidence.

use std::collections::BTreeMap;
use std::fmt;

use protocol::Time;
use protocol::value::Date;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;

use crate::cases::case::State;
use crate::staff::Clerk;
use crate::store::{Action, Column, Fault, Json, Object, Store, Write, unix};

const DECLARED: Column<Json<Declared>> = Column::new("declarations.declared");
const EXCLUDED: Column<Json<Excluded>> = Column::new("exclusions.excluded");

/// An item of a declaration, in yuan's minor unit.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// The row; 0 before it is kept.
    #[serde(default)]
    pub id: i64,
    /// Asset kind, as SPEC §5.1 names it.
    pub kind: String,
    /// Amount in fen.
    pub minor: i64,
    /// Where, as it was declared; may be empty.
    pub institution: String,
    /// The day it was declared for, where it says one.
    pub date: Option<Date>,
}

/// What a rule leaves out of account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    /// The row; 0 before it is kept. Its evidence are the scans of kind `evidence` that it owns.
    #[serde(default)]
    pub id: i64,
    /// A code of the rule set's exclusions.
    pub reason: String,
    /// Its name when this was entered.
    pub title: String,
    /// Amount in fen.
    pub minor: i64,
    /// What was said of it.
    pub note: String,
    /// Digest of the evidence, in hexadecimal.
    pub evidence_sha256: String,
}

impl fmt::Debug for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Declared({}, ..)", self.kind)
    }
}

impl fmt::Debug for Excluded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Excluded({}, ..)", self.reason)
    }
}

/// What was declared in a case, by person.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn of_case(store: &Store, case: i64) -> Result<BTreeMap<i64, Vec<Declared>>, Fault> {
    let rows = sqlx::query("SELECT id, person, sealed FROM declarations WHERE case_id = ? ORDER BY id")
        .bind(case)
        .fetch_all(store.read())
        .await?;
    let mut all: BTreeMap<i64, Vec<Declared>> = BTreeMap::new();
    for row in rows {
        let id = row.try_get("id")?;
        let Json(declared) = store.open_cell(&DECLARED, id, &row, "sealed")?;
        all.entry(row.try_get("person")?).or_default().push(Declared { id, ..declared });
    }
    Ok(all)
}

/// What is left out of account in a case, by person.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn exclusions(store: &Store, case: i64) -> Result<BTreeMap<i64, Vec<Excluded>>, Fault> {
    let rows = sqlx::query("SELECT id, person, sealed FROM exclusions WHERE case_id = ? ORDER BY id")
        .bind(case)
        .fetch_all(store.read())
        .await?;
    let mut all: BTreeMap<i64, Vec<Excluded>> = BTreeMap::new();
    for row in rows {
        let id = row.try_get("id")?;
        let Json(excluded) = store.open_cell(&EXCLUDED, id, &row, "sealed")?;
        all.entry(row.try_get("person")?).or_default().push(Excluded { id, ..excluded });
    }
    Ok(all)
}

/// Whether what a household declared may still be entered or struck in a case of this state.
pub fn may_change(state: State) -> bool {
    matches!(state, State::Received | State::Returned | State::Accepted | State::Matching | State::Matched)
}

/// Keeps an item of a declaration.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn declare(
    write: &mut Write,
    case: i64,
    person: i64,
    declared: Declared,
    clerk: &Clerk,
    now: Time,
) -> Result<i64, Fault> {
    let id = write.next_id("declarations").await?;
    sqlx::query(
        "INSERT INTO declarations (id, case_id, person, sealed, entered_by, entered) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(case)
    .bind(person)
    .bind(write.seal(&DECLARED, id, &Json(declared))?)
    .bind(clerk.id)
    .bind(unix(now))
    .execute(write.connection())
    .await?;
    write.log(Action("declaration.added"), &clerk.code, now, Object::Row("case", case)).await?;
    Ok(id)
}

/// Strikes an item of a case's declaration; `false` when there is none.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn strike(write: &mut Write, case: i64, id: i64, clerk: &Clerk, now: Time) -> Result<bool, Fault> {
    let done = sqlx::query("DELETE FROM declarations WHERE id = ? AND case_id = ?")
        .bind(id)
        .bind(case)
        .execute(write.connection())
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    write.log(Action("declaration.struck"), &clerk.code, now, Object::Row("case", case)).await?;
    Ok(true)
}

/// Keeps what a rule leaves out of account; the caller keeps its evidence as a scan.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn exclude(
    write: &mut Write,
    case: i64,
    person: i64,
    excluded: Excluded,
    clerk: &Clerk,
    now: Time,
) -> Result<i64, Fault> {
    let id = write.next_id("exclusions").await?;
    sqlx::query(
        "INSERT INTO exclusions (id, case_id, person, reason, sealed, entered_by, entered) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(case)
    .bind(person)
    .bind(excluded.reason.clone())
    .bind(write.seal(&EXCLUDED, id, &Json(excluded))?)
    .bind(clerk.id)
    .bind(unix(now))
    .execute(write.connection())
    .await?;
    write.log(Action("exclusion.added"), &clerk.code, now, Object::Row("case", case)).await?;
    Ok(id)
}

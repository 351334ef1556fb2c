//! Rosters as they are kept: one an institution, and what was asked about whom.

use protocol::Time;
use protocol::value::Digest;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::store::{Columns as _, Fault, Store};

/// A roster as the board shows it.
#[derive(Debug)]
pub struct Roster {
    /// The row.
    pub id: i64,
    /// The batch.
    pub batch: i64,
    /// The institution's code.
    pub institution: String,
    /// The institution's name.
    pub name: String,
    /// Whether it is a department whose table is matched here.
    pub is_department: bool,
    /// Rises with each roster to the institution.
    pub serial: i64,
    /// What names it everywhere.
    pub digest: Digest,
    /// `L0`, `L1` or `L2`.
    pub level: String,
    /// How many people it asks about.
    pub people: i64,
    /// `unsigned`, `ready`, `sent`, `answered` or `void`.
    pub state: String,
    /// `host` or `file`.
    pub way: Option<String>,
    /// When it was sent.
    pub sent: Option<Time>,
    /// Until when it may be answered.
    pub expires: Time,
    /// The agreement.
    pub agreement: i64,
    /// The highest version of an answer; 0 where there is none.
    pub answers: i64,
    /// Whether its answer was given up.
    pub closed: bool,
    /// The account that made it.
    pub made_by: Option<String>,
}

// Not the documents: a list of twenty would read hundreds of megabytes.
const SELECT: &str = "SELECT rosters.id, batch, serial, digest, level, people, state, way, sent, expires, agreement, \
    closed, institutions.code, institutions.name, \
    EXISTS (SELECT 1 FROM departments WHERE departments.institution = rosters.institution) AS is_department, \
    (SELECT coalesce(max(version), 0) FROM answers WHERE roster = rosters.id) AS answers, \
    (SELECT code FROM staff WHERE id = rosters.made_by) AS maker \
    FROM rosters JOIN institutions ON institutions.id = rosters.institution";

fn from_row(row: &SqliteRow) -> Result<Roster, Fault> {
    Ok(Roster {
        id: row.try_get("id")?,
        batch: row.try_get("batch")?,
        institution: row.try_get("code")?,
        name: row.try_get("name")?,
        is_department: row.try_get("is_department")?,
        serial: row.try_get("serial")?,
        digest: row.digest("digest")?,
        level: row.try_get("level")?,
        people: row.try_get("people")?,
        state: row.try_get("state")?,
        way: row.try_get("way")?,
        sent: row.optional_time("sent")?,
        expires: row.time("expires")?,
        agreement: row.try_get("agreement")?,
        answers: row.try_get("answers")?,
        closed: row.try_get::<Option<i64>, _>("closed")?.is_some(),
        made_by: row.try_get("maker")?,
    })
}

/// The rosters of a batch.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn of_batch(store: &Store, batch: i64) -> Result<Vec<Roster>, Fault> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE batch = ? ORDER BY code, serial")))
        .bind(batch)
        .fetch_all(store.read())
        .await?;
    rows.iter().map(from_row).collect()
}

/// One roster.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn find(store: &Store, id: i64) -> Result<Option<Roster>, Fault> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE rosters.id = ?")))
        .bind(id)
        .fetch_optional(store.read())
        .await?;
    row.as_ref().map(from_row).transpose()
}

/// The document of a roster.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn document(store: &Store, id: i64) -> Result<Vec<u8>, Fault> {
    Ok(sqlx::query_scalar("SELECT document FROM rosters WHERE id = ?")
        .bind(id)
        .fetch_one(store.read())
        .await?)
}

/// Who was left out of a batch, by institution and reason.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn left_out(store: &Store, batch: i64) -> Result<Vec<(String, String, i64, i64)>, Fault> {
    let rows = sqlx::query(
        "SELECT institutions.name, left_out.code, person, case_id FROM left_out \
         JOIN institutions ON institutions.id = left_out.institution WHERE batch = ? \
         ORDER BY institutions.code, left_out.code, person LIMIT 500",
    )
    .bind(batch)
    .fetch_all(store.read())
    .await?;
    let one = |row: &SqliteRow| {
        Ok((row.try_get("name")?, row.try_get("code")?, row.try_get("person")?, row.try_get("case_id")?))
    };
    rows.iter().map(one).collect()
}

/// A question that was asked about a person.
#[derive(Debug)]
pub struct Question {
    /// When.
    pub issued: Time,
    /// Whom.
    pub institution: String,
    /// How much.
    pub level: String,
    /// For which case.
    pub case: Option<String>,
    /// Which authorisation allowed it.
    pub authorisation: String,
    /// Its state.
    pub state: String,
}

/// Every question about a person: "who asked about me".
///
/// # Errors
/// [`Fault`] of the database.
pub async fn about(store: &Store, person: i64) -> Result<Vec<Question>, Fault> {
    let rows = sqlx::query(
        "SELECT rosters.issued, rosters.level, rosters.state, institutions.name, cases.number AS case_number, \
         authorisations.number AS authorisation FROM roster_people JOIN rosters ON rosters.id = roster \
         JOIN institutions ON institutions.id = rosters.institution JOIN cases ON cases.id = roster_people.case_id \
         JOIN authorisations ON authorisations.id = roster_people.authorisation \
         WHERE roster_people.person = ? ORDER BY rosters.issued DESC, rosters.id DESC",
    )
    .bind(person)
    .fetch_all(store.read())
    .await?;
    let one = |row: &SqliteRow| {
        Ok(Question {
            issued: row.time("issued")?,
            institution: row.try_get("name")?,
            level: row.try_get("level")?,
            case: row.try_get("case_number")?,
            authorisation: row.try_get("authorisation")?,
            state: row.try_get("state")?,
        })
    };
    rows.iter().map(one).collect()
}

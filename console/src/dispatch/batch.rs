//! Batches: cases that are asked about together, and who of them goes on an institution's roster.

use std::collections::{BTreeSet, HashSet};

use protocol::Time;
use protocol::roster::Level;
use protocol::value::Date;
use serde::Deserialize;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::again;
use super::agreement::Institution;
use crate::cases::authorisation::Grant;
use crate::cases::case::State;
use crate::staff::Clerk;
use crate::store::{Action, Columns as _, Fault, Object, Store, Write, unix};

/// Days within which nobody is asked about twice at one institution, but for a complaint (domain, feature 27).
pub const GUARD_DAYS: i64 = 60;

/// A batch.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The row.
    pub id: i64,
    /// Its number.
    pub number: String,
    /// Day of property.
    pub as_of: Date,
    /// Income period.
    pub income: Option<(Date, Date)>,
    /// Whether a roster of it is out.
    pub dispatched: bool,
    /// Whether it is about people who do not exist ([`super::trial`]).
    pub trial: bool,
    /// When it was made.
    pub made: Time,
    /// Cases in it.
    pub cases: i64,
}

fn from_row(row: &SqliteRow) -> Result<Batch, Fault> {
    Ok(Batch {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        as_of: row.day("as_of")?,
        income: row.optional_day("income_from")?.zip(row.optional_day("income_to")?),
        dispatched: row.try_get::<String, _>("state")? == "dispatched",
        trial: row.try_get("trial")?,
        made: row.time("made")?,
        cases: row.try_get("cases")?,
    })
}

const SELECT: &str =
    "SELECT batches.*, (SELECT count(*) FROM batch_cases WHERE batch = batches.id) AS cases FROM batches";

/// A page of the list, newest first, and how many there are.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn list(store: &Store, skip: i64, limit: i64) -> Result<(Vec<Batch>, i64), Fault> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} ORDER BY id DESC LIMIT ? OFFSET ?")))
        .bind(limit)
        .bind(skip)
        .fetch_all(store.read())
        .await?;
    let total = sqlx::query_scalar("SELECT count(*) FROM batches").fetch_one(store.read()).await?;
    Ok((rows.iter().map(from_row).collect::<Result<_, _>>()?, total))
}

/// One batch.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn find(store: &Store, id: i64) -> Result<Option<Batch>, Fault> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = ?")))
        .bind(id)
        .fetch_optional(store.read())
        .await?;
    row.as_ref().map(from_row).transpose()
}

/// A day of property and income period under which accepted cases wait for a batch, and how many.
#[derive(Debug)]
pub struct Waiting {
    /// Day of property.
    pub as_of: Date,
    /// Income period.
    pub income: Option<(Date, Date)>,
    /// Accepted cases in no batch, and those that a review sent back.
    pub cases: i64,
}

/// What waits for a batch.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn waiting(store: &Store, now: Time) -> Result<Vec<Waiting>, Fault> {
    let (today, since) = again::guard(now);
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT as_of, income_from, income_to, count(*) AS cases FROM cases WHERE {} \
         GROUP BY as_of, income_from, income_to ORDER BY as_of, income_from",
        again::offered()
    )))
    .bind(today)
    .bind(since)
    .fetch_all(store.read())
    .await?;
    let one = |row: &SqliteRow| {
        Ok(Waiting {
            as_of: row.day("as_of")?,
            income: row.optional_day("income_from")?.zip(row.optional_day("income_to")?),
            cases: row.try_get("cases")?,
        })
    };
    rows.iter().map(one).collect()
}

/// Puts all cases of a day and a period that are offered to it into a new batch: accepted and in none yet, sent back
/// by a review, or in one that asked about nobody of them and askable now ([`again`]).
/// `None` when there is none.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn make(
    write: &mut Write,
    as_of: Date,
    income: Option<(Date, Date)>,
    clerk: &Clerk,
    now: Time,
) -> Result<Option<i64>, Fault> {
    let (today, since) = again::guard(now);
    let year = now.date().number() / 10_000;
    let id = write.next_id("batches").await?;
    let running = write.next_id(&format!("batch-number-{year}")).await?;
    sqlx::query(
        "INSERT INTO batches (id, number, as_of, income_from, income_to, state, made_by, made) \
         VALUES (?, ?, ?, ?, ?, 'open', ?, ?)",
    )
    .bind(id)
    .bind(format!("PC{year}-{running:04}"))
    .bind(as_of.number())
    .bind(income.map(|(from, _)| from.number()))
    .bind(income.map(|(_, to)| to.number()))
    .bind(clerk.id)
    .bind(unix(now))
    .execute(write.connection())
    .await?;
    // A case that is stuck may be one that a review sent back: those whom it named are asked about anew.
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "UPDATE requeries SET batch = NULL WHERE batch = (SELECT max(batch) FROM batch_cases \
         WHERE case_id = requeries.case_id) AND case_id IN (SELECT id FROM cases WHERE as_of = ?3 \
         AND income_from IS ?4 AND income_to IS ?5 AND {})",
        again::offered()
    )))
    .bind(today)
    .bind(since)
    .bind(as_of.number())
    .bind(income.map(|(from, _)| from.number()))
    .bind(income.map(|(_, to)| to.number()))
    .execute(write.connection())
    .await?;
    let done = sqlx::query(sqlx::AssertSqlSafe(format!(
        "INSERT INTO batch_cases (batch, case_id) SELECT ?3, id FROM cases WHERE as_of = ?4 \
         AND income_from IS ?5 AND income_to IS ?6 AND {}",
        again::offered()
    )))
    .bind(today)
    .bind(since)
    .bind(id)
    .bind(as_of.number())
    .bind(income.map(|(from, _)| from.number()))
    .bind(income.map(|(_, to)| to.number()))
    .execute(write.connection())
    .await?;
    if done.rows_affected() == 0 {
        return Ok(None);
    }
    sqlx::query(
        "UPDATE requeries SET batch = ?1 WHERE batch IS NULL \
         AND case_id IN (SELECT case_id FROM batch_cases WHERE batch = ?1)",
    )
    .bind(id)
    .execute(write.connection())
    .await?;
    write.log(Action("batch.made"), &clerk.code, now, Object::Row("batch", id)).await?;
    Ok(Some(id))
}

/// Who goes on a roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The person.
    pub person: i64,
    /// For which case.
    pub case: i64,
    /// The authorisation that allows it.
    pub authorisation: i64,
}

/// Who does not, and why (`left_out.…` in the dictionary).
#[derive(Debug)]
pub struct LeftOut {
    /// The person.
    pub person: i64,
    /// For which case.
    pub case: i64,
    /// Why.
    pub code: &'static str,
}

/// Divides the people of a batch for one institution: as the database says at this moment. Of a case that a review
/// sent back, only those it named are asked about, and they whenever they were asked about last.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn divide(
    write: &mut Write,
    batch: i64,
    institution: &Institution,
    level: Level,
    now: Time,
) -> Result<(Vec<Asked>, Vec<LeftOut>), Fault> {
    let today = now.date();
    let since = unix(now) - GUARD_DAYS * 86_400;
    let recently: HashSet<i64> = sqlx::query_scalar(
        "SELECT person FROM roster_people JOIN rosters ON rosters.id = roster \
         WHERE institution = ? AND rosters.state <> 'void' AND issued > ?",
    )
    .bind(institution.id)
    .bind(since)
    .fetch_all(write.connection())
    .await?
    .into_iter()
    .collect();
    let cases: Vec<i64> =
        sqlx::query_scalar("SELECT case_id FROM batch_cases WHERE batch = ? ORDER BY case_id")
            .bind(batch)
            .fetch_all(write.connection())
            .await?;
    let sent_back = sent_back(write, batch).await?;
    let again: BTreeSet<i64> = sent_back.iter().map(|(case, ..)| *case).collect();
    let (mut asked, mut left_out) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for part in cases.chunks(CASES_AT_ONCE) {
        let members = members(write, batch, part).await?;
        for member in read(&members)? {
            let Member { person, case, .. } = member;
            let named = sent_back.contains(&(case, person, institution.id));
            if again.contains(&case) && !named {
                continue;
            }
            let under_way = matches!(State::read(member.state), Some(State::Accepted | State::Matching));
            let is_recent = recently.contains(&person) && member.task != "complaint" && !named;
            let code = match member.grant()? {
                _ if !under_way => Some("stopped"),
                None => Some("no_authorisation"),
                Some(grant) if grant.end_code == Some("withdrawn") => Some("withdrawn"),
                Some(grant) if !grant.is_live(today) => Some("ended"),
                Some(grant) if !grant.covers(&institution.kind) => Some("out_of_scope"),
                Some(grant) if super::agreement::level(grant.level)? < level => Some("over_level"),
                Some(_) if is_recent => Some("asked_recently"),
                Some(_) if seen.contains(&person) => Some("twice"),
                Some(_) => None,
            };
            match (code, member.authorisation) {
                (None, Some(authorisation)) => {
                    seen.insert(person);
                    asked.push(Asked { person, case, authorisation });
                }
                (code, _) => {
                    left_out.push(LeftOut { person, case, code: code.unwrap_or("no_authorisation") });
                }
            }
        }
    }
    Ok((asked, left_out))
}

/// Cases of one statement.
const CASES_AT_ONCE: usize = 1_000;

/// A member of a batch's case, with what allows a question.
#[derive(Deserialize)]
struct Member<'a> {
    person: i64,
    case: i64,
    state: &'a str,
    task: &'a str,
    authorisation: Option<i64>,
    kinds: Option<&'a str>,
    level: Option<&'a str>,
    signed: Option<u32>,
    until: Option<u32>,
    end_code: Option<&'a str>,
}

impl Member<'_> {
    fn grant(&self) -> Result<Option<Grant<'_>>, Fault> {
        let (Some(kinds), Some(level), Some(signed)) = (self.kinds, self.level, self.signed) else {
            return Ok(None);
        };
        let day = |number| Date::from_number(number).ok_or(Fault::Stored("authorisations"));
        let until = self.until.map(day).transpose()?;
        Ok(Some(Grant { kinds, level, signed: day(signed)?, until, end_code: self.end_code }))
    }
}

/// The members of some of a batch's cases, which are in order: lists of [`Member`]'s fields, in JSON. A row for each
/// would take the driver longer than the query.
async fn members(write: &mut Write, batch: i64, cases: &[i64]) -> Result<String, Fault> {
    let rows = sqlx::query_scalar(
        "SELECT json_group_array(json_array(members.person, members.case_id, cases.state, cases.task, \
         authorisations.id, kinds, level, signed, until, end_code) ORDER BY members.case_id, members.id) \
         FROM batch_cases JOIN cases ON cases.id = batch_cases.case_id \
         JOIN members ON members.case_id = cases.id \
         LEFT JOIN authorisations ON authorisations.id = members.authorisation \
         WHERE batch_cases.batch = ? AND batch_cases.case_id BETWEEN ? AND ?",
    )
    .bind(batch)
    .bind(cases.first())
    .bind(cases.last())
    .fetch_one(write.connection())
    .await?;
    Ok(rows)
}

fn read(members: &str) -> Result<Vec<Member<'_>>, Fault> {
    serde_json::from_str(members).map_err(|_| Fault::Stored("members"))
}

/// Whom reviews sent back into this batch: case, person, institution.
async fn sent_back(write: &mut Write, batch: i64) -> Result<BTreeSet<(i64, i64, i64)>, Fault> {
    let rows = sqlx::query("SELECT case_id, person, institution FROM requeries WHERE batch = ?")
        .bind(batch)
        .fetch_all(write.connection())
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("case_id")?, row.try_get("person")?, row.try_get("institution")?)))
        .collect()
}

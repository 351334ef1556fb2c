//! Cases that went into a batch and on no roster of it, because everybody in them was left out. They lie in no
//! silence: they are listed with the reasons, and offered to the next batch from the day on which somebody in them
//! can be asked about.

use protocol::Time;
use sqlx::Row as _;

use super::batch::GUARD_DAYS;
use crate::store::{Fault, Store, unix};

/// The batch a case went into last.
const LAST: &str = "(SELECT max(batch) FROM batch_cases WHERE case_id = cases.id)";

/// SQL: a case of which all were left out of its last batch's rosters, and about which no answer is waited for.
fn stuck() -> String {
    format!(
        "(cases.id IN (SELECT case_id FROM left_out) AND cases.state IN ('accepted', 'matching') \
         AND EXISTS (SELECT 1 FROM left_out WHERE case_id = cases.id AND batch = {LAST}) \
         AND NOT EXISTS (SELECT 1 FROM requeries WHERE case_id = cases.id AND batch IS NULL) \
         AND NOT EXISTS (SELECT 1 FROM roster_people JOIN rosters ON rosters.id = roster \
         WHERE roster_people.case_id = cases.id AND rosters.state <> 'void' AND (rosters.batch = {LAST} \
         OR (rosters.state IN ('unsigned', 'ready', 'sent') AND rosters.closed IS NULL))))"
    )
}

/// SQL: somebody of a case may be asked about at some institution. `?1` today, `?2` since when nobody is asked about
/// twice.
const ASKABLE: &str = "EXISTS (SELECT 1 FROM members JOIN authorisations ON authorisations.id = members.authorisation \
    JOIN institutions ON instr(',' || kinds || ',', ',' || institutions.kind || ',') > 0 \
    JOIN agreements ON agreements.institution = institutions.id AND agreements.confirmed IS NOT NULL \
    AND agreements.valid_from <= ?1 AND agreements.valid_to >= ?1 \
    WHERE members.case_id = cases.id AND end_code IS NULL AND signed <= ?1 AND (until IS NULL OR until >= ?1) \
    AND (cases.task = 'complaint' OR NOT EXISTS (SELECT 1 FROM roster_people JOIN rosters ON rosters.id = roster \
    WHERE roster_people.person = members.person AND rosters.institution = institutions.id \
    AND rosters.state <> 'void' AND issued > ?2)))";

/// SQL: a case that the next batch takes: accepted and in none, sent back by a review, or stuck and askable again.
/// Binds as [`ASKABLE`].
pub(super) fn offered() -> String {
    format!(
        "((cases.state = 'accepted' AND (NOT EXISTS (SELECT 1 FROM batch_cases WHERE case_id = cases.id) \
         OR EXISTS (SELECT 1 FROM requeries WHERE case_id = cases.id AND batch IS NULL))) \
         OR ({} AND {ASKABLE}))",
        stuck()
    )
}

/// What [`ASKABLE`] binds: today, and since when nobody is asked about twice.
pub(super) fn guard(now: Time) -> (u32, i64) {
    (now.date().number(), unix(now) - GUARD_DAYS * 86_400)
}

/// A case that no roster asked about.
#[derive(Debug)]
pub struct Stuck {
    /// The case.
    pub case: i64,
    /// Its number.
    pub number: Option<String>,
    /// The township.
    pub office: String,
    /// The batch it went into last.
    pub batch: i64,
    /// That batch's number.
    pub batch_number: String,
    /// Why, each reason once (`left_out.…` in the dictionary).
    pub reasons: Vec<String>,
    /// Whether the next batch takes it.
    pub offered: bool,
}

/// The cases that no roster asked about, the longest first; at most `limit`, and how many there are.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn list(store: &Store, now: Time, limit: i64) -> Result<(Vec<Stuck>, i64), Fault> {
    let (today, since) = guard(now);
    let stuck = stuck();
    let query = format!(
        "SELECT cases.id, cases.number, cases.office, {ASKABLE} AS offered, batches.id AS batch, \
         batches.number AS batch_number, (SELECT group_concat(DISTINCT code) FROM left_out \
         WHERE case_id = cases.id AND batch = batches.id) AS reasons FROM cases JOIN batches ON batches.id = {LAST} \
         WHERE {stuck} ORDER BY offered DESC, batches.id, cases.id LIMIT ?3"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(today)
        .bind(since)
        .bind(limit)
        .fetch_all(store.read())
        .await?;
    let total: i64 =
        sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM cases WHERE {stuck}")))
            .fetch_one(store.read())
            .await?;
    let mut all = Vec::new();
    for row in rows {
        let reasons: String = row.try_get("reasons")?;
        all.push(Stuck {
            case: row.try_get("id")?,
            number: row.try_get("number")?,
            office: row.try_get("office")?,
            batch: row.try_get("batch")?,
            batch_number: row.try_get("batch_number")?,
            reasons: reasons.split(',').map(str::to_owned).collect(),
            offered: row.try_get("offered")?,
        });
    }
    Ok((all, total))
}

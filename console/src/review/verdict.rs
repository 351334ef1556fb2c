//! What the second person says: confirmed, or to be asked once more. A confirmation keeps what it confirmed.

use std::fmt;

use protocol::Time;
use protocol::value::Digest;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::findings::{self, CaseFindings, Signed};
use super::flags::Flag;
use super::rules::RuleSet;
use crate::store::{Column, Columns as _, Fault, Json, Store};

pub(crate) const CONTENT: Column<Json<Content>> = Column::new("reviews.content");

/// What was confirmed, as it is kept. The salt makes its digest, which stands in the log, tell nothing.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) salt: String,
    pub(crate) findings: CaseFindings,
    pub(crate) rules: RuleSet,
    pub(crate) flags: Vec<Flag>,
}

/// What a second person confirmed. Personal data in clear.
#[derive(Clone)]
pub struct Confirmed {
    /// The review's row.
    pub review: i64,
    /// Digest of what was confirmed: SHA-256 over its JSON, salt included. It stands in the log.
    pub digest: Digest,
    /// Who confirmed.
    pub by: Signed,
    /// When.
    pub at: Time,
    /// What was found, by whom it was opened, what was declared.
    pub findings: CaseFindings,
    /// The rules that held.
    pub rules: RuleSet,
    /// What they gave to look at.
    pub flags: Vec<Flag>,
}

impl fmt::Debug for Confirmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Confirmed(review {}, ..)", self.review)
    }
}

/// The last confirmation of a case, when it was not sent back since. After an objection there may be several;
/// each report names its own, see [`of_review`].
///
/// # Errors
/// [`Fault`] of the database.
pub async fn confirmed(store: &Store, case: i64) -> Result<Option<Confirmed>, Fault> {
    let row = sqlx::query("SELECT * FROM reviews WHERE case_id = ? ORDER BY id DESC LIMIT 1")
        .bind(case)
        .fetch_optional(store.read())
        .await?;
    match row {
        Some(row) => read(store, &row).await,
        None => Ok(None),
    }
}

/// The confirmation of a row of `reviews`; `None` when there is none, or it sent the case back.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn of_review(store: &Store, review: i64) -> Result<Option<Confirmed>, Fault> {
    let row =
        sqlx::query("SELECT * FROM reviews WHERE id = ?").bind(review).fetch_optional(store.read()).await?;
    match row {
        Some(row) => read(store, &row).await,
        None => Ok(None),
    }
}

async fn read(store: &Store, row: &SqliteRow) -> Result<Option<Confirmed>, Fault> {
    if row.try_get::<String, _>("outcome")? != "confirmed" {
        return Ok(None);
    }
    let review = row.try_get("id")?;
    let Json(content) = store.open_cell(&CONTENT, review, row, "content_sealed")?;
    Ok(Some(Confirmed {
        review,
        digest: row.digest("digest")?,
        by: findings::signed(store, row.try_get("staff")?).await?,
        at: row.time("at")?,
        findings: content.findings,
        rules: content.rules,
        flags: content.flags,
    }))
}

//! What the second person says: confirmed, or to be asked once more. A confirmation keeps what it confirmed.

use std::collections::BTreeSet;
use std::fmt;

use protocol::Time;
use protocol::value::Digest;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::ReviewError;
use super::findings::{self, CaseFindings, Outcome, Signed};
use super::flags::{self, Flag};
use super::rules::{self, RuleSet};
use crate::cases::case::{self, Case, State};
use crate::staff::Clerk;
use crate::store::{Action, Column, Columns as _, Fault, Json, Object, Store, unix};

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

/// A case as it stands now, with what its figures give to look at.
#[derive(Debug)]
pub struct Draft {
    /// What was found.
    pub findings: CaseFindings,
    /// The rules that hold.
    pub rules: RuleSet,
    /// What they give to look at.
    pub flags: Vec<Flag>,
}

impl Draft {
    /// Reads it.
    ///
    /// # Errors
    /// [`Fault`] of the database.
    pub async fn read(store: &Store, case: &Case, now: Time) -> Result<Self, Fault> {
        let findings = findings::of_case(store, case, now).await?;
        let rules = rules::current(store, now.date()).await?;
        let flags = flags::of(&findings, &rules);
        Ok(Self { findings, rules, flags })
    }

    /// A keyed digest: whoever confirms says with it what was on the screen.
    ///
    /// # Errors
    /// Never for what was read.
    pub fn seen(&self, store: &Store) -> Result<String, Fault> {
        let all = serde_json::to_vec(&(&self.findings, &self.rules, &self.flags));
        let all = zeroize::Zeroizing::new(all.map_err(|_| Fault::Stored("reviews.content"))?);
        Ok(hex::encode(store.vault().blind("review", &all)))
    }
}

/// Whether a clerk had a hand in a case: entered, accepted, dispatched or opened anything of it. Reviews are no hand.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn had_a_hand(store: &Store, case: i64, clerk: &Clerk) -> Result<bool, Fault> {
    let hands: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT DISTINCT person_index FROM staff WHERE id IN (\
         SELECT entered_by FROM cases WHERE id = ?1 UNION SELECT accepted_by FROM cases WHERE id = ?1 \
         UNION SELECT staff FROM events WHERE case_id = ?1 AND action NOT LIKE 'review.%' \
         UNION SELECT authorisations.entered_by FROM members JOIN authorisations \
         ON authorisations.id = members.authorisation WHERE case_id = ?1 \
         UNION SELECT entered_by FROM declarations WHERE case_id = ?1 \
         UNION SELECT entered_by FROM exclusions WHERE case_id = ?1 \
         UNION SELECT made_by FROM rosters WHERE id IN (SELECT roster FROM roster_people WHERE case_id = ?1) \
         UNION SELECT first_officer FROM openings JOIN answers ON answers.id = answer \
         WHERE answers.roster IN (SELECT roster FROM roster_people WHERE case_id = ?1) \
         UNION SELECT second_officer FROM openings JOIN answers ON answers.id = answer \
         WHERE answers.roster IN (SELECT roster FROM roster_people WHERE case_id = ?1))",
    )
    .bind(case)
    .fetch_all(store.read())
    .await?;
    Ok(hands.iter().any(|hand| clerk.same_person(hand)))
}

/// A second person confirms what stands in a case. `seen` is [`Draft::seen`] of what was on the screen.
///
/// # Errors
/// [`ReviewError`]; then nothing has changed.
pub async fn confirm(
    store: &Store,
    case: i64,
    seen: &str,
    clerk: &Clerk,
    now: Time,
) -> Result<i64, ReviewError> {
    // Nobody else writes from here on, so what is read now is what is confirmed.
    let mut write = store.write().await?;
    let one = case::find_in(&mut write, case).await?.ok_or(ReviewError::Rule("refused.not_found"))?;
    if one.state != State::Matched {
        return Err(ReviewError::Rule("review.not_now"));
    }
    if had_a_hand(store, case, clerk).await? {
        return Err(ReviewError::Rule("review.own_work"));
    }
    let draft = Draft::read(store, &one, now).await?;
    if draft.findings.sources.iter().any(|source| source.outcome == Outcome::Unopened) {
        return Err(ReviewError::Rule("review.unopened"));
    }
    if seen.is_empty() {
        return Err(ReviewError::Rule("review.not_looked"));
    }
    if draft.seen(store)? != seen {
        return Err(ReviewError::Rule("review.changed"));
    }
    let content = Content {
        salt: hex::encode(*store.random::<16>()?),
        findings: draft.findings,
        rules: draft.rules,
        flags: draft.flags,
    };
    let version = content.rules.version;
    let json = serde_json::to_vec(&content).map_err(|_| Fault::Stored("reviews.content"))?;
    let json = zeroize::Zeroizing::new(json);
    let digest = Digest::of(&json);
    let id = write.next_id("reviews").await?;
    sqlx::query(
        "INSERT INTO reviews (id, case_id, outcome, staff, at, rule_set, digest, content_sealed) \
         VALUES (?, ?, 'confirmed', ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(case)
    .bind(clerk.id)
    .bind(unix(now))
    .bind(version)
    .bind(digest.as_bytes().as_slice())
    .bind(write.seal(&CONTENT, id, &Json(content))?)
    .execute(write.connection())
    .await?;
    case::advance(&mut write, &one, &[State::Matched], State::Reviewed).await?;
    case::note(&mut write, case, Action("review.confirmed"), None, clerk, now).await?;
    write.log(Action("review.confirmed"), &clerk.code, now, Object::Document("review", id, digest)).await?;
    write.commit().await?;
    Ok(id)
}

/// Sends a case back: the persons named are asked about once more, each at the institutions named, with the next
/// batch and whatever was asked in the last 60 days.
///
/// # Errors
/// [`ReviewError`]; then nothing has changed.
pub async fn send_back(
    store: &Store,
    case: i64,
    whom: &BTreeSet<(i64, i64)>,
    why: &str,
    clerk: &Clerk,
    now: Time,
) -> Result<i64, ReviewError> {
    let mut write = store.write().await?;
    let one = case::find_in(&mut write, case).await?.ok_or(ReviewError::Rule("refused.not_found"))?;
    if whom.is_empty() {
        return Err(ReviewError::Rule("review.nobody"));
    }
    if !case::advance(&mut write, &one, &[State::Matched, State::Reviewed], State::Accepted).await? {
        return Err(ReviewError::Rule("review.not_now"));
    }
    let id = write.next_id("reviews").await?;
    sqlx::query("INSERT INTO reviews (id, case_id, outcome, staff, at) VALUES (?, ?, 'requery', ?, ?)")
        .bind(id)
        .bind(case)
        .bind(clerk.id)
        .bind(unix(now))
        .execute(write.connection())
        .await?;
    for (person, institution) in whom {
        let row = write.next_id("requeries").await?;
        let done = sqlx::query(
            "INSERT INTO requeries (id, review, case_id, person, institution) SELECT ?1, ?2, ?3, ?4, ?5 \
             WHERE EXISTS (SELECT 1 FROM members WHERE case_id = ?3 AND person = ?4) \
             AND EXISTS (SELECT 1 FROM institutions WHERE id = ?5)",
        )
        .bind(row)
        .bind(id)
        .bind(case)
        .bind(person)
        .bind(institution)
        .execute(write.connection())
        .await?;
        if done.rows_affected() == 0 {
            return Err(ReviewError::Rule("review.nobody"));
        }
    }
    case::note(&mut write, case, Action("review.sent-back"), Some(why), clerk, now).await?;
    write.commit().await?;
    Ok(id)
}

/// What a second person said, for a list.
#[derive(Debug)]
pub struct Past {
    /// `confirmed` or `requery`.
    pub outcome: String,
    /// Who.
    pub by: Signed,
    /// When.
    pub at: Time,
    /// Digest of what was confirmed, in hexadecimal.
    pub digest: Option<String>,
}

/// All that was said of a case, oldest first.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn past(store: &Store, case: i64) -> Result<Vec<Past>, Fault> {
    let rows = sqlx::query("SELECT outcome, staff, at, digest FROM reviews WHERE case_id = ? ORDER BY id")
        .bind(case)
        .fetch_all(store.read())
        .await?;
    let mut all = Vec::new();
    for row in rows {
        all.push(Past {
            outcome: row.try_get("outcome")?,
            by: findings::signed(store, row.try_get("staff")?).await?,
            at: row.time("at")?,
            digest: row.try_get::<Option<Vec<u8>>, _>("digest")?.map(hex::encode),
        });
    }
    Ok(all)
}

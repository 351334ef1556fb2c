//! Takes answers in, sealed as they come, and moves the cases on about which none is waited for any more.

use protocol::agreement::Agreement as Terms;
use protocol::answer::{self, Answer};
use protocol::envelope::{Head, Verified};
use protocol::roster::Roster as Header;
use protocol::slot::level_of_size;
use protocol::value::Digest;
use protocol::{Document, Time};
use serde::Deserialize;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::agreement;
use super::error::DispatchError;
use super::roster::{Roster, document, of_batch};
use super::sending::relay_of;
use crate::cases::case::{self, State};
use crate::console::Console;
use crate::relay::{Place, Relay};
use crate::staff::Clerk;
use crate::store::{Action, Columns as _, Fault, Object, Store, Write, unix};

#[derive(Deserialize)]
struct AnswerRow {
    digest: Digest,
}

/// What came of a fetch.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// Answers that are new.
    pub taken: usize,
    /// Answers that were refused.
    pub refused: usize,
}

/// Fetches what the host has for the rosters of a batch. An answer that is refused is noted and does not keep
/// the others.
///
/// # Errors
/// [`DispatchError`]; what was fetched before stays.
pub async fn fetch(console: &Console, batch: i64, clerk: &Clerk) -> Result<Fetched, DispatchError> {
    let (keys, url) = relay_of(console)?;
    let relay = Relay::sign_in(url, keys).await?;
    let mut fetched = Fetched::default();
    for roster in of_batch(console.store(), batch).await? {
        if roster.way.as_deref() != Some("host") || !matches!(roster.state.as_str(), "sent" | "answered") {
            continue;
        }
        for AnswerRow { digest } in relay.list::<AnswerRow>(&Place::Answers(&roster.digest)).await? {
            let known: Option<i64> = sqlx::query_scalar(
                "SELECT id FROM answers WHERE digest = ?1 UNION ALL SELECT id FROM refusals WHERE digest = ?1",
            )
            .bind(digest.as_bytes().as_slice())
            .fetch_optional(console.store().read())
            .await?;
            if known.is_some() {
                continue;
            }
            let document = relay.document("answers", &digest).await?;
            match take_answer(console, &roster, &document, "host", clerk).await {
                Ok(()) => fetched.taken += 1,
                Err(DispatchError::Rule(_)) => fetched.refused += 1,
                Err(other) => return Err(other),
            }
        }
    }
    Ok(fetched)
}

/// Takes an answer in, sealed as it is: signed by the institution, to this roster, with the approval that the
/// agreement asks for. One of the institution that can't be taken, of a level above the agreed one say, is noted as
/// refused. When a batch's last roster is answered, its cases are matched.
///
/// # Errors
/// [`DispatchError`].
pub async fn take_answer(
    console: &Console,
    roster: &Roster,
    bytes: &[u8],
    way: &'static str,
    clerk: &Clerk,
) -> Result<(), DispatchError> {
    let (store, now) = (console.store(), console.now()?);
    let verified: Verified<Answer> = Head::parse(bytes)?.verify()?;
    let header = Document::<Header>::read(&document(store, roster.id).await?)?.header;
    let day = header.issued.date();
    let terms = Document::<Terms>::read(&agreement::document(store, roster.agreement).await?)?.check(day)?;
    if let Err(error) = answer::check(&verified, &header, &roster.digest, &terms) {
        let above = level_of_size(verified.header.slot_size).is_some_and(|level| level > header.level);
        // Only what the institution signed says something of the institution.
        if verified.signers.first() == Some(&terms.terms.institution.signing_key) {
            let code = if above { "over_level" } else { "not_fit" };
            refuse_answer(console, roster, &verified.digest, code, clerk).await?;
        }
        return Err(if above { DispatchError::Rule("dispatch.answer_over_level") } else { error.into() });
    }
    // The body's digest stands in the signed header; reading the document holds them against each other.
    let version = i64::from(verified.header.version);
    let digest = Document::<Answer>::read(bytes)?.digest;

    let mut write = store.write().await?;
    let taken: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT digest FROM answers WHERE roster = ? AND version = ?")
            .bind(roster.id)
            .bind(version)
            .fetch_optional(write.connection())
            .await?;
    match taken {
        Some(same) if same == digest.as_bytes() => return Ok(()),
        Some(_) => return Err(DispatchError::Rule("dispatch.version_taken")),
        None => {}
    }
    let done =
        sqlx::query("UPDATE rosters SET state = 'answered' WHERE id = ? AND state IN ('sent', 'answered')")
            .bind(roster.id)
            .execute(write.connection())
            .await?;
    if done.rows_affected() == 0 {
        return Err(DispatchError::Rule("dispatch.not_now"));
    }
    let id = write.next_id("answers").await?;
    sqlx::query("INSERT INTO answers (id, roster, version, digest, received, way, document) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(id)
        .bind(roster.id)
        .bind(version)
        .bind(digest.as_bytes().as_slice())
        .bind(unix(now))
        .bind(way)
        .bind(bytes)
        .execute(write.connection())
        .await?;
    write.log(Action("answer.taken"), &clerk.code, now, Object::Document("answer", id, digest)).await?;
    finish(&mut write, roster.batch, clerk, now).await?;
    write.commit().await?;
    Ok(())
}

/// Notes an answer that was not taken.
async fn refuse_answer(
    console: &Console,
    roster: &Roster,
    digest: &Digest,
    code: &'static str,
    clerk: &Clerk,
) -> Result<(), Fault> {
    let now = console.now()?;
    let mut write = console.store().write().await?;
    let known: Option<i64> = sqlx::query_scalar("SELECT id FROM refusals WHERE digest = ? AND roster = ?")
        .bind(digest.as_bytes().as_slice())
        .bind(roster.id)
        .fetch_optional(write.connection())
        .await?;
    if known.is_some() {
        return Ok(());
    }
    let id = write.next_id("refusals").await?;
    sqlx::query("INSERT INTO refusals (id, roster, digest, code, at, staff) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(id)
        .bind(roster.id)
        .bind(digest.as_bytes().as_slice())
        .bind(code)
        .bind(unix(now))
        .bind(clerk.id)
        .execute(write.connection())
        .await?;
    write.log(Action("answer.refused"), &clerk.code, now, Object::Row("refusal", id)).await?;
    write.commit().await
}

/// An answer that was refused, when it came or when it was opened.
#[derive(Debug)]
pub struct RefusedAnswer {
    /// The institution's name.
    pub institution: String,
    /// Its digest.
    pub digest: Digest,
    /// Why (`answer_refused.…` in the dictionary).
    pub code: String,
    /// When.
    pub at: Time,
}

/// The answers to a batch's rosters that were refused.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn refused(store: &Store, batch: i64) -> Result<Vec<RefusedAnswer>, Fault> {
    let rows = sqlx::query(
        "SELECT institutions.name, refusals.digest, refusals.code, refusals.at FROM refusals \
         JOIN rosters ON rosters.id = refusals.roster JOIN institutions ON institutions.id = rosters.institution \
         WHERE rosters.batch = ?1 UNION ALL \
         SELECT institutions.name, answers.digest, openings.code, openings.at FROM openings \
         JOIN answers ON answers.id = openings.answer JOIN rosters ON rosters.id = answers.roster \
         JOIN institutions ON institutions.id = rosters.institution \
         WHERE rosters.batch = ?1 AND openings.code IS NOT NULL ORDER BY 4",
    )
    .bind(batch)
    .fetch_all(store.read())
    .await?;
    let one = |row: &SqliteRow| {
        Ok(RefusedAnswer {
            institution: row.try_get("name")?,
            digest: row.digest("digest")?,
            code: row.try_get("code")?,
            at: row.time("at")?,
        })
    };
    rows.iter().map(one).collect()
}

/// Moves the cases of a batch on about which no answer is waited for any more, here or in another batch.
pub(super) async fn finish(write: &mut Write, batch: i64, clerk: &Clerk, now: Time) -> Result<(), Fault> {
    const WAITING: &str = "rosters.state IN ('unsigned', 'ready', 'sent') AND rosters.closed IS NULL";
    let waiting: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "SELECT count(*) FROM rosters WHERE batch = ? AND {WAITING}"
    )))
    .bind(batch)
    .fetch_one(write.connection())
    .await?;
    if waiting > 0 {
        return Ok(());
    }
    let cases: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "SELECT case_id FROM batch_cases JOIN cases ON cases.id = case_id \
         WHERE batch_cases.batch = ? AND cases.state = 'matching' AND NOT EXISTS (SELECT 1 FROM roster_people \
         JOIN rosters ON rosters.id = roster WHERE roster_people.case_id = cases.id AND {WAITING})"
    )))
    .bind(batch)
    .fetch_all(write.connection())
    .await?;
    case::advance_all(write, &cases, [State::Matching, State::Matched], Action("case.matched"), clerk, now)
        .await
}

//! The append-only, hash-chained log (SPEC §9). Its entries have room for a code, a time and a digest, and
//! for nothing else.

use axum::extract::{Query, State as Host};
use axum::response::{IntoResponse as _, Response};
use protocol::log::{LogEntry, verify};
use protocol::{Code, Digest, Time, canonical};
use serde::{Deserialize, Serialize};

use crate::party::Centre;
use crate::problem::{Fault, Refusal};
use crate::state::{StartError, State};
use crate::store::{Columns as _, Store, Write, integer};

/// Entries of one reply.
const PAGE: i64 = 1000;

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    AgreementAccepted,
    RosterAccepted,
    RosterFetched,
    AnswerReceived,
}

impl Action {
    fn code(self) -> &'static str {
        match self {
            Self::AgreementAccepted => "agreement.accepted",
            Self::RosterAccepted => "roster.accepted",
            Self::RosterFetched => "roster.fetched",
            Self::AnswerReceived => "answer.received",
        }
    }
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// Its sequence number.
    pub(crate) position: u64,
    /// The head once it is there.
    pub(crate) head: Digest,
}

/// Appends an entry in the transaction of the change that it speaks of.
pub(crate) async fn append(
    write: &mut Write,
    action: Action,
    actor: &Code,
    at: Time,
    object: Digest,
) -> Result<Place, Fault> {
    let last = sqlx::query("SELECT sequence, digest FROM log ORDER BY sequence DESC LIMIT 1")
        .fetch_optional(write.connection())
        .await?;
    let (sequence, previous) = match last {
        Some(row) => (row.number("sequence")? + 1, row.digest("digest")?),
        None => (1, LogEntry::GENESIS),
    };
    let action = action.code().parse().map_err(Fault::Own)?;
    let entry = LogEntry { action, actor: actor.clone(), at, object: Some(object), previous, sequence };
    let head = entry.digest().map_err(Fault::Own)?;
    let json = canonical::encode(&entry).map_err(Fault::Own)?;
    sqlx::query("INSERT INTO log (sequence, digest, entry) VALUES (?, ?, ?)")
        .bind(integer(sequence))
        .bind(head.as_bytes().as_slice())
        .bind(String::from_utf8_lossy(&json).into_owned())
        .execute(write.connection())
        .await?;
    Ok(Place { position: sequence, head })
}

/// Checks the whole chain, and that it reaches as far as the records that name its entries.
pub(crate) async fn check(store: &Store) -> Result<(), StartError> {
    let rows = sqlx::query("SELECT entry FROM log ORDER BY sequence")
        .fetch_all(store.read())
        .await
        .map_err(Fault::from)?;
    let entries = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    if let (_, Some(at_fault)) = verify(&entries) {
        return Err(StartError::Log(at_fault));
    }
    let recorded: i64 = sqlx::query_scalar(
        "SELECT coalesce(max(position), 0) FROM (SELECT position FROM agreements \
         UNION ALL SELECT position FROM rosters UNION ALL SELECT position FROM answers)",
    )
    .fetch_one(store.read())
    .await
    .map_err(Fault::from)?;
    let recorded = u64::try_from(recorded).unwrap_or(0);
    let logged = u64::try_from(entries.len()).unwrap_or(u64::MAX);
    if recorded > logged { Err(StartError::LogCut(logged + 1)) } else { Ok(()) }
}

fn entry(row: &sqlx::sqlite::SqliteRow) -> Result<LogEntry, Fault> {
    canonical::decode(row.text("entry")?.as_bytes()).map_err(|_| Fault::Stored("log entry"))
}

#[derive(Deserialize)]
pub(crate) struct After {
    #[serde(default)]
    after: u64,
}

#[derive(Serialize)]
struct Reply {
    entries: Vec<LogEntry>,
    head: Digest,
    length: u64,
}

/// `GET /api/v1/log?after=N`
pub(crate) async fn read(
    Host(state): Host<State>,
    _: Centre,
    query: Result<Query<After>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(After { after }) = query.map_err(|_| Refusal::Field("after"))?;
    // The head first: entries only ever follow, so a reply never lacks one that its head speaks of.
    let last = sqlx::query("SELECT sequence, digest FROM log ORDER BY sequence DESC LIMIT 1")
        .fetch_optional(state.store.read())
        .await?;
    let (length, head) = match last {
        Some(row) => (row.number("sequence")?, row.digest("digest")?),
        None => (0, LogEntry::GENESIS),
    };
    let rows =
        sqlx::query("SELECT entry FROM log WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?")
            .bind(integer(after))
            .bind(integer(length))
            .bind(PAGE)
            .fetch_all(state.store.read())
            .await?;
    let entries = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    Ok(axum::Json(Reply { entries, head, length }).into_response())
}

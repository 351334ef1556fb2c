//! Answers as the host keeps them: listed, handed out, and vouched for by a receipt. How one comes in is
//! [`crate::upload`].

use axum::extract::State as Host;
use axum::response::{IntoResponse as _, Response};
use protocol::{Code, Digest, Time};
use serde::Serialize;
use sqlx::sqlite::SqliteRow;

use crate::blobs::Kind;
use crate::document::{DocumentId, file};
use crate::party::Party;
use crate::problem::{Fault, Refusal};
use crate::rosters;
use crate::state::State;
use crate::store::Columns as _;

#[derive(Serialize)]
struct Summary {
    digest: Digest,
    roster: Digest,
    institution: Code,
    version: u64,
    bytes: u64,
    received: Time,
    log_position: u64,
}

/// `GET /api/v1/rosters/{digest}/answers`
pub(crate) async fn list(
    Host(state): Host<State>,
    party: Party,
    DocumentId(roster): DocumentId,
) -> Result<Response, Refusal> {
    let kept = rosters::find_for(&state, &party, &roster).await?;
    let rows = sqlx::query("SELECT * FROM answers WHERE roster = ? ORDER BY version")
        .bind(roster.as_bytes().as_slice())
        .fetch_all(state.store.read())
        .await?;
    let summary = |row: &SqliteRow| -> Result<Summary, Fault> {
        Ok(Summary {
            digest: row.digest("digest")?,
            roster,
            institution: kept.institution.clone(),
            version: row.number("version")?,
            bytes: row.number("bytes")?,
            received: row.time("received")?,
            log_position: row.number("position")?,
        })
    };
    Ok(axum::Json(rows.iter().map(summary).collect::<Result<Vec<_>, _>>()?).into_response())
}

/// The answer of a path, when `party` may see it.
async fn find_for(state: &State, party: &Party, digest: &Digest) -> Result<SqliteRow, Refusal> {
    let row = sqlx::query(
        "SELECT answers.*, rosters.institution_key FROM answers \
         JOIN rosters ON rosters.digest = answers.roster WHERE answers.digest = ?",
    )
    .bind(digest.as_bytes().as_slice())
    .fetch_optional(state.store.read())
    .await?
    .ok_or(Refusal::NotFound)?;
    if party.may_see(&row.key("institution_key")?) { Ok(row) } else { Err(Refusal::NotFound) }
}

/// `GET /api/v1/answers/{digest}`
pub(crate) async fn fetch(
    Host(state): Host<State>,
    party: Party,
    DocumentId(digest): DocumentId,
) -> Result<Response, Refusal> {
    let row = find_for(&state, &party, &digest).await?;
    let blob = row.text("blob")?.parse().map_err(|_| Fault::Stored("blob"))?;
    let body = state.blobs.stream(Kind::Answer, &blob).await?;
    Ok(file("answer", &digest, row.number("bytes")?, body))
}

/// `GET /api/v1/answers/{digest}/receipt`
pub(crate) async fn receipt(
    Host(state): Host<State>,
    party: Party,
    DocumentId(digest): DocumentId,
) -> Result<Response, Refusal> {
    let row = find_for(&state, &party, &digest).await?;
    Ok(receipt_file(&digest, row.bytes("receipt")?))
}

/// A receipt as a reply.
pub(crate) fn receipt_file(answer: &Digest, receipt: Vec<u8>) -> Response {
    let bytes = u64::try_from(receipt.len()).unwrap_or(u64::MAX);
    file("receipt", answer, bytes, receipt.into())
}

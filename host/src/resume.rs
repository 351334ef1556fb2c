//! An answer in pieces, which goes on where its connection broke.
//!
//! ```text
//! head ── verify, check ──▶ how far it has come ◀──┐
//! piece at that place ── kept as it arrives ───────┘ after a cut: the head again
//! the last piece ── verify, check, digest ──▶ what a single upload ends with (upload.rs)
//! ```
//!
//! Nothing is accepted before it is whole, and a whole one passes the same checks as one that came at once.
//! The client keeps no state but the answer itself: it is known by its document digest.

use axum::extract::{Query, State as Host};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use protocol::answer::Answer;
use protocol::envelope::Head;
use protocol::{DecodeError, Digest};
use serde::{Deserialize, Serialize};

use crate::answers::receipt_file;
use crate::body::{DocumentBody, Intake};
use crate::document::{DocumentId, complete};
use crate::party::{Institution, Party};
use crate::problem::Refusal;
use crate::rosters;
use crate::state::State;
use crate::upload::{judge, receipt_of, record};

/// How far an upload has come.
#[derive(Serialize)]
struct Progress {
    /// The answer's document digest.
    upload: Digest,
    /// Length of the whole envelope.
    bytes: u64,
    /// Length of what is there.
    received: u64,
}

/// `POST /api/v1/rosters/{digest}/uploads`: the answer's head begins an upload, or finds it again.
pub(crate) async fn begin(
    Host(state): Host<State>,
    Institution(party): Institution,
    DocumentId(roster): DocumentId,
    DocumentBody(bytes): DocumentBody,
) -> Result<Response, Refusal> {
    let kept = rosters::find_for(&state, &party, &roster).await?;
    let head = Head::parse(&bytes)?;
    if head.length != bytes.len() {
        return Err(DecodeError::Trailing("head").into());
    }
    let answer = head.verify::<Answer>()?;
    if let Some(receipt) = receipt_of(&state, &answer.digest, &roster).await? {
        return Ok(receipt_file(&answer.digest, receipt));
    }
    judge(&state, &answer, &kept, &roster).await?;

    let turn = state.uploads.begin(&party.key, Some(answer.digest)).ok_or(Refusal::TooManyUploads)?;
    let partial = state.partials.of(&party.key, &answer.digest);
    let known = partial.exists();
    if !known {
        let under_way = |digest: &Digest| state.uploads.under_way(&party.key, digest);
        state.partials.make_room(&party.key, under_way)?;
    }
    let received = partial.begin(&bytes).await?;
    drop(turn);
    let status = if known { StatusCode::OK } else { StatusCode::CREATED };
    let progress = Progress { upload: answer.digest, bytes: whole(&head), received };
    Ok((status, axum::Json(progress)).into_response())
}

#[derive(Deserialize)]
pub(crate) struct At {
    offset: u64,
}

/// `POST /api/v1/uploads/{digest}?offset=N`: the next piece. The last one is answered with the receipt.
pub(crate) async fn piece(
    Host(state): Host<State>,
    Institution(party): Institution,
    DocumentId(upload): DocumentId,
    query: Result<Query<At>, axum::extract::rejection::QueryRejection>,
    intake: Intake,
) -> Result<Response, Refusal> {
    let Query(At { offset }) = query.map_err(|_| Refusal::Field("offset"))?;
    // A task of its own: what came before a cut is on the disk before anyone else may go on.
    complete(async move { take(&state, &party, &upload, offset, intake).await }).await
}

async fn take(
    state: &State,
    party: &Party,
    upload: &Digest,
    offset: u64,
    mut intake: Intake,
) -> Result<Response, Refusal> {
    let _turn = state.uploads.begin(&party.key, Some(*upload)).ok_or(Refusal::TooManyUploads)?;
    let partial = state.partials.of(&party.key, upload);
    let (head, _) = partial.head().await?.ok_or(Refusal::NotFound)?;
    let bytes = whole(&head);
    let mut growing = partial.grow().await?;
    if growing.received != offset {
        return Err(Refusal::UploadOffset(growing.received));
    }
    let ended = loop {
        match intake.next().await {
            Ok(Some(piece)) => {
                let after = growing.received + u64::try_from(piece.len()).unwrap_or(u64::MAX);
                if after > bytes {
                    break Err(DecodeError::Trailing("body").into());
                }
                growing.push(&piece).await?;
            }
            Ok(None) => break Ok(()),
            Err(refusal) => break Err(refusal),
        }
    };
    let received = growing.finish().await?;
    ended?;
    if received < bytes {
        return Ok(axum::Json(Progress { upload: *upload, bytes, received }).into_response());
    }

    // Whole. Time has passed since it began, and another may have come in: everything is judged again.
    let answer = head.verify::<Answer>()?;
    let roster = answer.header.roster;
    let kept = rosters::find_for(state, party, &roster).await?;
    judge(state, &answer, &kept, &roster).await?;
    let Some(arrived) = partial.complete(head.length, &answer.header.body_sha256).await? else {
        partial.discard()?;
        return Err(DecodeError::Body.into());
    };
    record(state, party, answer, arrived).await
}

/// Length of the envelope that this is the head of.
fn whole(head: &Head) -> u64 {
    u64::try_from(head.length).unwrap_or(u64::MAX) + head.body_bytes()
}

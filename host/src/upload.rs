//! How an answer comes in: its head is judged before its body is taken, its body goes to the disk as it
//! arrives, and only a whole one is recorded.
//!
//! ```text
//! head ── verify, check ──▶ body ── length, digest ──▶ one transaction: log, answer, receipt
//! ```
//!
//! Whatever fails on the way leaves what was accepted before as it was, and the same upload may be tried again.
//! A client on a line that breaks sends it in pieces instead: [`crate::resume`].

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State as Host;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use protocol::answer::{self, Answer};
use protocol::envelope::{self, Head, MAX_HEAD, Verified};
use protocol::receipt::Receipt;
use protocol::{CheckError, DecodeError, Digest, PublicKey};
use sha2::{Digest as _, Sha256};

use crate::agreements;
use crate::answers::receipt_file;
use crate::blobs::{Complete, Incoming, Kind};
use crate::body::Intake;
use crate::document::{DocumentId, complete};
use crate::log::{self, Action};
use crate::party::{Institution, Party};
use crate::problem::{Fault, Refusal};
use crate::rosters::{self, Kept};
use crate::state::State;
use crate::store::{Columns as _, integer};

/// Uploads that one institution may have under way at once.
const MAX_UPLOADS: usize = 4;

/// Answers to one roster: the first, and more corrections than anyone makes.
const MAX_ANSWERS: i64 = 100;

/// `POST /api/v1/rosters/{digest}/answers`
pub(crate) async fn receive(
    Host(state): Host<State>,
    Institution(party): Institution,
    DocumentId(digest): DocumentId,
    mut intake: Intake,
) -> Result<Response, Refusal> {
    let kept = rosters::find_for(&state, &party, &digest).await?;
    let longest = u64::try_from(MAX_HEAD).unwrap_or(u64::MAX) + kept.answer_bytes;
    if intake.declared.is_some_and(|declared| declared > longest) {
        return Err(Refusal::BodyTooLarge(longest));
    }
    let _turn = state.uploads.begin(&party.key, None).ok_or(Refusal::TooManyUploads)?;

    let (head, beginning) = read_head(&mut intake).await?;
    let answer = head.verify::<Answer>()?;
    if let Some(receipt) = receipt_of(&state, &answer.digest, &digest).await? {
        return Ok(receipt_file(&answer.digest, receipt));
    }
    judge(&state, &answer, &kept, &digest).await?;

    let arrived = read_body(&state, &head, &answer.header.body_sha256, beginning, &mut intake).await?;
    complete(async move { record(&state, &party, answer, arrived).await }).await
}

/// Reads until the head is whole, and gives what came with it: the head and the beginning of the body.
async fn read_head(intake: &mut Intake) -> Result<(Head, Bytes), Refusal> {
    let mut begun = Vec::new();
    loop {
        match Head::parse(&begun) {
            Ok(head) => return Ok((head, begun.into())),
            Err(error @ DecodeError::Truncated(_)) => match intake.next().await? {
                Some(piece) if begun.len() <= MAX_HEAD => begun.extend_from_slice(&piece),
                _ => return Err(error.into()),
            },
            Err(error) => return Err(error.into()),
        }
    }
}

/// The receipt given for an answer to this roster before.
pub(crate) async fn receipt_of(
    state: &State,
    answer: &Digest,
    roster: &Digest,
) -> Result<Option<Vec<u8>>, Fault> {
    let row = sqlx::query("SELECT receipt FROM answers WHERE digest = ? AND roster = ?")
        .bind(answer.as_bytes().as_slice())
        .bind(roster.as_bytes().as_slice())
        .fetch_optional(state.store.read())
        .await?;
    row.map(|row| row.bytes("receipt")).transpose()
}

/// All that can be said against an answer by its head.
pub(crate) async fn judge(
    state: &State,
    answer: &Verified<Answer>,
    kept: &Kept,
    roster: &Digest,
) -> Result<(), Refusal> {
    let now = state.now()?;
    if now >= kept.roster.expires {
        return Err(CheckError::Expired("roster").into());
    }
    let agreement = agreements::in_force(state, &kept.roster.agreement, now.date()).await?;
    let agreement = agreement.ok_or(Fault::Stored("agreement"))?;
    answer::check(answer, &kept.roster, roster, &agreement)?;

    let versions: Vec<i64> = sqlx::query_scalar("SELECT version FROM answers WHERE roster = ?")
        .bind(roster.as_bytes().as_slice())
        .fetch_all(state.store.read())
        .await?;
    if versions.contains(&i64::from(answer.header.version)) {
        return Err(Refusal::VersionTaken);
    }
    if i64::try_from(versions.len()).unwrap_or(i64::MAX) >= MAX_ANSWERS {
        return Err(Refusal::TooManyAnswers);
    }
    Ok(())
}

/// Takes the body to the disk. Dropping what it returns, or this future, removes the file.
async fn read_body(
    state: &State,
    head: &Head,
    expected: &Digest,
    beginning: Bytes,
    intake: &mut Intake,
) -> Result<Complete, Refusal> {
    let whole = u64::try_from(head.length).unwrap_or(u64::MAX) + head.body_bytes();
    match intake.declared {
        Some(declared) if declared < whole => return Err(DecodeError::Truncated("body").into()),
        Some(declared) if declared > whole => return Err(DecodeError::Trailing("body").into()),
        _ => {}
    }
    let mut incoming: Incoming = state.blobs.begin(state.random()?).await?;
    let mut body = Sha256::new();
    body.update(beginning.get(head.length..).unwrap_or_default());
    let mut received = u64::try_from(beginning.len()).unwrap_or(u64::MAX);
    incoming.push(beginning).await?;
    while received <= whole
        && let Some(piece) = intake.next().await?
    {
        received += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        body.update(&piece);
        incoming.push(piece).await?;
    }
    if received < whole {
        return Err(DecodeError::Truncated("body").into());
    }
    if received > whole {
        return Err(DecodeError::Trailing("body").into());
    }
    if Digest(body.finalize().into()) != *expected {
        return Err(DecodeError::Body.into());
    }
    Ok(incoming.finish().await?)
}

/// Log entry, answer and receipt, together or not at all.
pub(crate) async fn record(
    state: &State,
    party: &Party,
    answer: Verified<Answer>,
    arrived: Complete,
) -> Result<Response, Refusal> {
    let Verified { header, digest, .. } = answer;
    let mut write = state.store.write().await?;
    // The same answer, or another of this version, may have come in while this body did.
    let taken = sqlx::query("SELECT digest, receipt FROM answers WHERE roster = ? AND version = ?")
        .bind(header.roster.as_bytes().as_slice())
        .bind(i64::from(header.version))
        .fetch_optional(write.connection())
        .await?;
    if let Some(row) = taken {
        state.blobs.discard(&arrived).await?;
        let same = row.digest("digest")? == digest;
        return if same {
            Ok(receipt_file(&digest, row.bytes("receipt")?))
        } else {
            Err(Refusal::VersionTaken)
        };
    }
    state.blobs.keep(Kind::Answer, &arrived).await?;
    let now = state.now()?;
    let place = log::append(&mut write, Action::AnswerReceived, &party.code, now, digest).await?;
    let receipt = Receipt {
        answer: digest,
        answer_bytes: arrived.bytes,
        institution: header.institution,
        log_head: place.head,
        log_position: place.position,
        received: now,
        roster: header.roster,
    };
    let receipt = envelope::write(&receipt, b"", &[&state.key]).map_err(Fault::Own)?;
    sqlx::query(
        "INSERT INTO answers (digest, position, roster, version, received, blob, bytes, receipt) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(digest.as_bytes().as_slice())
    .bind(integer(place.position))
    .bind(header.roster.as_bytes().as_slice())
    .bind(i64::from(header.version))
    .bind(integer(now.unix()))
    .bind(arrived.name.to_string())
    .bind(integer(arrived.bytes))
    .bind(receipt.as_slice())
    .execute(write.connection())
    .await?;
    write.commit().await?;
    Ok((StatusCode::CREATED, receipt_file(&digest, receipt)).into_response())
}

/// Uploads under way, by institution: how many, and which of those that come in pieces.
#[derive(Debug, Clone, Default)]
pub(crate) struct Uploads(Arc<Mutex<HashMap<PublicKey, UnderWay>>>);

#[derive(Debug, Default)]
struct UnderWay {
    count: usize,
    pieces: HashSet<Digest>,
}

impl Uploads {
    /// A place for one more; for the next piece of an upload, only while no other piece of it comes in.
    pub(crate) fn begin(&self, key: &PublicKey, piece_of: Option<Digest>) -> Option<Turn> {
        let mut institutions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = institutions.entry(*key).or_default();
        if under_way.count >= MAX_UPLOADS || piece_of.is_some_and(|upload| !under_way.pieces.insert(upload)) {
            return None;
        }
        under_way.count += 1;
        Some(Turn { uploads: self.clone(), key: *key, piece_of })
    }

    /// Whether a piece of this upload is coming in.
    pub(crate) fn under_way(&self, key: &PublicKey, upload: &Digest) -> bool {
        let institutions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        institutions.get(key).is_some_and(|under_way| under_way.pieces.contains(upload))
    }
}

/// One upload's place, given back on drop.
pub(crate) struct Turn {
    uploads: Uploads,
    key: PublicKey,
    piece_of: Option<Digest>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut institutions = self.uploads.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(under_way) = institutions.get_mut(&self.key) {
            under_way.count -= 1;
            if let Some(upload) = self.piece_of {
                under_way.pieces.remove(&upload);
            }
            if under_way.count == 0 {
                institutions.remove(&self.key);
            }
        }
    }
}

//! Rosters: handed in by the centre, judged by their agreement, fetched by the institution that each is for.

use axum::body::Bytes;
use axum::extract::State as Host;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use protocol::agreement::AgreementInForce;
use protocol::answer::Shape;
use protocol::envelope::Head;
use protocol::roster::{AcceptedRoster, Field, Level, Roster, RosterContext, RosterError};
use protocol::value::RosterId;
use protocol::{CheckError, Code, Date, Digest, Document, PublicKey, Time, canonical};
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use tokio::task::spawn_blocking;

use crate::agreements;
use crate::blobs::Kind;
use crate::body::DocumentBody;
use crate::document::{DocumentId, complete, file};
use crate::log::{self, Action};
use crate::party::{Centre, Party, Role};
use crate::problem::{Fault, Refusal};
use crate::state::State;
use crate::store::{Columns as _, integer};

#[derive(Serialize)]
struct Accepted {
    digest: Digest,
    id: RosterId,
}

/// `POST /api/v1/rosters`
pub(crate) async fn accept(
    Host(state): Host<State>,
    _: Centre,
    DocumentBody(bytes): DocumentBody,
) -> Result<Response, Refusal> {
    let now = state.now()?;
    let (document, bytes) = spawn_blocking(move || (Document::<Roster>::read(&bytes), bytes)).await?;
    let document = document?;
    if let Some(row) = find(&state, &document.digest).await? {
        let known = Accepted { digest: document.digest, id: row.roster.id };
        return Ok((StatusCode::OK, axum::Json(known)).into_response());
    }
    let agreement = agreements::in_force(&state, &document.header.agreement, now.date()).await?;
    let agreement = agreement.ok_or(Refusal::UnknownAgreement)?;
    // Serials are compared below, inside the transaction.
    let context = RosterContext { now, last_serial: 0, release: None };
    let checked = spawn_blocking(move || {
        let accepted = document.check(&agreement, &context)?;
        Ok::<_, RosterError>((accepted, agreement))
    });
    let (accepted, agreement) = checked.await??;
    complete(async move { record(&state, accepted, &agreement, bytes, now).await }).await
}

/// Log entry and roster, together or not at all.
async fn record(
    state: &State,
    accepted: AcceptedRoster,
    agreement: &AgreementInForce,
    bytes: Bytes,
    now: Time,
) -> Result<Response, Refusal> {
    let AcceptedRoster { roster, digest, .. } = accepted;
    let terms = &agreement.terms;
    let head = bytes.slice(..Head::parse(&bytes)?.length);
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let mut write = state.store.write().await?;
    let newest: Option<Vec<u8>> = sqlx::query_scalar(
        "SELECT digest FROM rosters WHERE centre_key = ? AND institution = ? AND serial >= ? LIMIT 1",
    )
    .bind(terms.centre.signing_key.as_bytes().as_slice())
    .bind(terms.institution.code.as_str())
    .bind(integer(roster.serial))
    .fetch_optional(write.connection())
    .await?;
    let reply = Accepted { digest, id: roster.id };
    match newest {
        Some(same) if same == digest.as_bytes() => {
            return Ok((StatusCode::OK, axum::Json(reply)).into_response());
        }
        Some(_) => return Err(CheckError::Replayed.into()),
        None => {}
    }
    let blob = state.blobs.put(Kind::Roster, bytes).await?;
    let place = log::append(&mut write, Action::RosterAccepted, &terms.centre.code, now, digest).await?;
    sqlx::query(
        "INSERT INTO rosters (digest, position, agreement, centre_key, institution, institution_key, \
         serial, head, blob, bytes, answer_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(digest.as_bytes().as_slice())
    .bind(integer(place.position))
    .bind(roster.agreement.as_bytes().as_slice())
    .bind(terms.centre.signing_key.as_bytes().as_slice())
    .bind(terms.institution.code.as_str())
    .bind(terms.institution.signing_key.as_bytes().as_slice())
    .bind(integer(roster.serial))
    .bind(head.as_ref())
    .bind(blob.to_string())
    .bind(integer(length))
    .bind(integer(Shape::of(&roster, agreement).body_bytes()))
    .execute(write.connection())
    .await?;
    write.commit().await?;
    Ok((StatusCode::CREATED, axum::Json(reply)).into_response())
}

/// A roster as the host keeps it.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) roster: Roster,
    pub(crate) institution: Code,
    pub(crate) institution_key: PublicKey,
    centre_key: PublicKey,
    pub(crate) answer_bytes: u64,
    blob: Digest,
    bytes: u64,
    fetched: Option<Time>,
}

impl Kept {
    fn read(row: &SqliteRow) -> Result<Self, Fault> {
        let header = Head::parse(&row.bytes("head")?).and_then(|head| canonical::decode(head.header_json()));
        Ok(Self {
            roster: header.map_err(|_| Fault::Stored("roster head"))?,
            institution: row.code("institution")?,
            institution_key: row.key("institution_key")?,
            centre_key: row.key("centre_key")?,
            answer_bytes: row.number("answer_bytes")?,
            blob: row.text("blob")?.parse().map_err(|_| Fault::Stored("blob"))?,
            bytes: row.number("bytes")?,
            fetched: row.optional_time("fetched")?,
        })
    }
}

async fn find(state: &State, digest: &Digest) -> Result<Option<Kept>, Fault> {
    let row = sqlx::query("SELECT * FROM rosters WHERE digest = ?")
        .bind(digest.as_bytes().as_slice())
        .fetch_optional(state.store.read())
        .await?;
    row.as_ref().map(Kept::read).transpose()
}

/// The roster of a path, when `party` may see it; else it is not found, whether it is there or not.
pub(crate) async fn find_for(state: &State, party: &Party, digest: &Digest) -> Result<Kept, Refusal> {
    let kept = find(state, digest).await?.filter(|kept| party.may_see(&kept.institution_key));
    kept.ok_or(Refusal::NotFound)
}

#[derive(Serialize)]
struct Summary {
    digest: Digest,
    id: RosterId,
    agreement: Digest,
    centre_key: PublicKey,
    institution: Code,
    as_of: Date,
    level: Level,
    fields: Vec<Field>,
    issued: Time,
    expires: Time,
    serial: u64,
    slot_count: u32,
    slot_size: u32,
    bytes: u64,
    answer_bytes: u64,
    fetched: Option<Time>,
    answered: Vec<u32>,
}

/// `GET /api/v1/rosters`
pub(crate) async fn list(Host(state): Host<State>, party: Party) -> Result<Response, Refusal> {
    let rows = sqlx::query(
        "SELECT rosters.*, (SELECT coalesce(group_concat(version), '') FROM answers \
         WHERE roster = rosters.digest) AS answered FROM rosters ORDER BY position",
    )
    .fetch_all(state.store.read())
    .await?;
    let mut summaries = Vec::new();
    for row in rows {
        let kept = Kept::read(&row)?;
        if party.may_see(&kept.institution_key) {
            summaries.push(summary(&row, kept)?);
        }
    }
    Ok(axum::Json(summaries).into_response())
}

fn summary(row: &SqliteRow, kept: Kept) -> Result<Summary, Fault> {
    let mut answered: Vec<u32> = row.text("answered")?.split(',').filter_map(|n| n.parse().ok()).collect();
    answered.sort_unstable();
    let roster = kept.roster;
    Ok(Summary {
        digest: row.digest("digest")?,
        id: roster.id,
        agreement: roster.agreement,
        centre_key: kept.centre_key,
        institution: kept.institution,
        as_of: roster.as_of,
        level: roster.level,
        fields: roster.fields,
        issued: roster.issued,
        expires: roster.expires,
        serial: roster.serial,
        slot_count: roster.slot_count,
        slot_size: roster.slot_size,
        bytes: kept.bytes,
        answer_bytes: kept.answer_bytes,
        fetched: kept.fetched,
        answered,
    })
}

/// `GET /api/v1/rosters/{digest}`. That an institution has it is logged, once.
pub(crate) async fn fetch(
    Host(state): Host<State>,
    party: Party,
    DocumentId(digest): DocumentId,
) -> Result<Response, Refusal> {
    let kept = find_for(&state, &party, &digest).await?;
    if party.role == Role::Institution && kept.fetched.is_none() {
        let (state, now) = (state.clone(), state.now()?);
        complete(async move { Ok(note_fetched(&state, &party, &digest, now).await?) }).await?;
    }
    let body = state.blobs.stream(Kind::Roster, &kept.blob).await?;
    Ok(file("roster", &digest, kept.bytes, body))
}

async fn note_fetched(state: &State, party: &Party, digest: &Digest, now: Time) -> Result<(), Fault> {
    let mut write = state.store.write().await?;
    let updated = sqlx::query("UPDATE rosters SET fetched = ? WHERE digest = ? AND fetched IS NULL")
        .bind(integer(now.unix()))
        .bind(digest.as_bytes().as_slice())
        .execute(write.connection())
        .await?;
    if updated.rows_affected() == 1 {
        log::append(&mut write, Action::RosterFetched, &party.code, now, *digest).await?;
        write.commit().await?;
    }
    Ok(())
}

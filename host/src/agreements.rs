//! Agreements: what both sides signed. The host keeps them to know whom it serves and to judge rosters and
//! answers by.

use axum::extract::State as Host;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use protocol::agreement::{Agreement, AgreementInForce};
use protocol::joining::InstitutionKind;
use protocol::roster::{Field, Level};
use protocol::value::Text;
use protocol::{CheckError, Code, Date, Digest, Document, PublicKey, Time};
use serde::Serialize;
use sqlx::sqlite::SqliteRow;

use crate::body::DocumentBody;
use crate::document::{DocumentId, complete, file};
use crate::log::{self, Action};
use crate::party::{Centre, Party};
use crate::problem::{Fault, Refusal};
use crate::state::State;
use crate::store::{Columns as _, integer};

#[derive(Serialize)]
struct Accepted {
    digest: Digest,
}

/// `POST /api/v1/agreements`
pub(crate) async fn accept(
    Host(state): Host<State>,
    _: Centre,
    DocumentBody(bytes): DocumentBody,
) -> Result<Response, Refusal> {
    let now = state.now()?;
    let agreement = Document::<Agreement>::read(&bytes)?.check(now.date())?;
    if !state.config.centre_keys.contains(&agreement.terms.centre.signing_key) {
        return Err(CheckError::Signer("agreement").into());
    }
    complete(async move {
        let AgreementInForce { terms, digest } = agreement;
        let mut write = state.store.write().await?;
        let known: Option<i64> = sqlx::query_scalar("SELECT position FROM agreements WHERE digest = ?")
            .bind(digest.as_bytes().as_slice())
            .fetch_optional(write.connection())
            .await?;
        if known.is_some() {
            return Ok((StatusCode::OK, axum::Json(Accepted { digest })).into_response());
        }
        let place =
            log::append(&mut write, Action::AgreementAccepted, &terms.centre.code, now, digest).await?;
        sqlx::query(
            "INSERT INTO agreements \
             (digest, position, accepted, centre, centre_key, institution, institution_key, document) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(digest.as_bytes().as_slice())
        .bind(integer(place.position))
        .bind(integer(now.unix()))
        .bind(terms.centre.code.as_str())
        .bind(terms.centre.signing_key.as_bytes().as_slice())
        .bind(terms.institution.code.as_str())
        .bind(terms.institution.signing_key.as_bytes().as_slice())
        .bind(bytes.as_ref())
        .execute(write.connection())
        .await?;
        write.commit().await?;
        Ok((StatusCode::CREATED, axum::Json(Accepted { digest })).into_response())
    })
    .await
}

#[derive(Serialize)]
struct Summary {
    digest: Digest,
    number: Text,
    centre: Code,
    centre_name: Text,
    institution: Code,
    institution_name: Text,
    kind: InstitutionKind,
    level: Level,
    fields: Vec<Field>,
    valid_from: Date,
    valid_to: Date,
    approval_required: bool,
    accepted: Time,
}

/// `GET /api/v1/agreements`
pub(crate) async fn list(Host(state): Host<State>, party: Party) -> Result<Response, Refusal> {
    let rows =
        sqlx::query("SELECT digest, accepted, institution_key, document FROM agreements ORDER BY position")
            .fetch_all(state.store.read())
            .await?;
    let mut summaries = Vec::new();
    for row in rows {
        if party.may_see(&row.key("institution_key")?) {
            summaries.push(summary(&row)?);
        }
    }
    Ok(axum::Json(summaries).into_response())
}

fn summary(row: &SqliteRow) -> Result<Summary, Fault> {
    let terms = read(row)?.header;
    Ok(Summary {
        digest: row.digest("digest")?,
        number: terms.number,
        centre: terms.centre.code,
        centre_name: terms.centre.name,
        institution: terms.institution.code,
        institution_name: terms.institution.name,
        kind: terms.institution.kind,
        level: terms.level,
        fields: terms.fields,
        valid_from: terms.valid_from,
        valid_to: terms.valid_to,
        approval_required: terms.approval_required,
        accepted: row.time("accepted")?,
    })
}

fn read(row: &SqliteRow) -> Result<Document<Agreement>, Fault> {
    Document::read(&row.bytes("document")?).map_err(|_| Fault::Stored("agreement"))
}

/// `GET /api/v1/agreements/{digest}`
pub(crate) async fn fetch(
    Host(state): Host<State>,
    party: Party,
    DocumentId(digest): DocumentId,
) -> Result<Response, Refusal> {
    let row = sqlx::query("SELECT institution_key, document FROM agreements WHERE digest = ?")
        .bind(digest.as_bytes().as_slice())
        .fetch_optional(state.store.read())
        .await?
        .ok_or(Refusal::NotFound)?;
    if !party.may_see(&row.key("institution_key")?) {
        return Err(Refusal::NotFound);
    }
    let document = row.bytes("document")?;
    let length = u64::try_from(document.len()).unwrap_or(u64::MAX);
    Ok(file("agreement", &digest, length, document.into()))
}

/// An agreement that rosters and answers may be judged by today.
pub(crate) async fn in_force(
    state: &State,
    digest: &Digest,
    today: Date,
) -> Result<Option<AgreementInForce>, Refusal> {
    let row = sqlx::query("SELECT document FROM agreements WHERE digest = ?")
        .bind(digest.as_bytes().as_slice())
        .fetch_optional(state.store.read())
        .await?;
    let Some(row) = row else { return Ok(None) };
    let agreement = read(&row)?.check(today)?;
    let centre: &PublicKey = &agreement.terms.centre.signing_key;
    // A centre's key that the operator has struck out since.
    if !state.config.centre_keys.contains(centre) {
        return Err(CheckError::Signer("agreement").into());
    }
    Ok(Some(agreement))
}

//! Who asks. A handler that takes a [`Centre`], an [`Institution`] or a [`Party`] is one that such a party
//! has signed in to; without the value, what needs it does not compile.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use protocol::{Code, PublicKey};
use serde::Serialize;

use crate::problem::{Fault, Refusal};
use crate::sign_in;
use crate::state::State;
use crate::store::Columns as _;

/// The two sides of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    Centre,
    Institution,
}

/// Either side.
#[derive(Debug, Clone)]
pub(crate) struct Party {
    pub(crate) role: Role,
    pub(crate) code: Code,
    pub(crate) key: PublicKey,
}

impl Party {
    /// Whether it may see what belongs to the institution of `key`.
    pub(crate) fn may_see(&self, key: &PublicKey) -> bool {
        match self.role {
            Role::Centre => true,
            Role::Institution => self.key == *key,
        }
    }
}

/// A centre.
#[derive(Debug)]
pub(crate) struct Centre;

/// An institution.
#[derive(Debug)]
pub(crate) struct Institution(pub(crate) Party);

impl FromRequestParts<State> for Party {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Refusal> {
        let bearer = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = bearer.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Refusal::NotSignedIn)?;
        let key = sign_in::holder(state, token, state.now()?).await?.ok_or(Refusal::NotSignedIn)?;
        // Asked each time: a centre's key that the operator has struck out signs nothing in from then on.
        who_is(state, &key).await?.ok_or(Refusal::NotSignedIn)
    }
}

impl FromRequestParts<State> for Centre {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Refusal> {
        let party = Party::from_request_parts(parts, state).await?;
        if party.role == Role::Centre { Ok(Self) } else { Err(Refusal::WrongRole) }
    }
}

impl FromRequestParts<State> for Institution {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Refusal> {
        let party = Party::from_request_parts(parts, state).await?;
        if party.role == Role::Institution { Ok(Self(party)) } else { Err(Refusal::WrongRole) }
    }
}

/// Whose key this is: a centre's by configuration, an institution's by an accepted agreement.
pub(crate) async fn who_is(state: &State, key: &PublicKey) -> Result<Option<Party>, Fault> {
    if state.config.centre_keys.contains(key) {
        let row =
            sqlx::query("SELECT centre FROM agreements WHERE centre_key = ? ORDER BY position DESC LIMIT 1")
                .bind(key.as_bytes().as_slice())
                .fetch_optional(state.store.read())
                .await?;
        let code = match row {
            Some(row) => row.code("centre")?,
            None => unnamed(key)?,
        };
        return Ok(Some(Party { role: Role::Centre, code, key: *key }));
    }
    let row = sqlx::query(
        "SELECT institution FROM agreements WHERE institution_key = ? ORDER BY position DESC LIMIT 1",
    )
    .bind(key.as_bytes().as_slice())
    .fetch_optional(state.store.read())
    .await?;
    row.map(|row| Ok(Party { role: Role::Institution, code: row.code("institution")?, key: *key }))
        .transpose()
}

/// A centre's code before its first agreement says what it is.
fn unnamed(key: &PublicKey) -> Result<Code, Fault> {
    let code = format!("centre-{}", key.to_string().get(..8).unwrap_or_default());
    code.parse().map_err(|_| Fault::Stored("centre"))
}

//! Request bodies: their type and size are held against the route before a byte is read, and a client
//! that stalls or drips is given up on.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};

use crate::problem::Refusal;
use crate::state::{Patience, State};

/// What a route takes, as [`crate::app`] says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// No body.
    Nothing,
    /// A JSON object of at most so many bytes.
    Json(u64),
    /// A document of at most so many bytes.
    Document(u64),
    /// A document as long as the roster says.
    Answer,
}

impl Takes {
    fn content_type(self) -> &'static str {
        if matches!(self, Self::Json(_)) { "application/json" } else { "application/octet-stream" }
    }

    fn max_bytes(self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Json(max) | Self::Document(max) => max,
            Self::Answer => u64::MAX,
        }
    }
}

/// A body that comes in piece by piece.
#[derive(Debug)]
pub(crate) struct Intake {
    body: Body,
    patience: Patience,
    started: Instant,
    received: u64,
    /// What the client says the whole length is.
    pub(crate) declared: Option<u64>,
}

impl Intake {
    /// The next piece; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            let earned = self.received / u64::from(self.patience.bytes_per_second.max(1));
            let end = self.patience.body + std::time::Duration::from_secs(earned);
            let left = end.saturating_sub(self.started.elapsed()).min(self.patience.piece);
            match timeout(left, self.body.frame()).await {
                Err(_) => return Err(Refusal::Slow),
                Ok(None) => return Ok(None),
                Ok(Some(Err(_))) => return Err(Refusal::Cut),
                Ok(Some(Ok(frame))) => {
                    // Trailers are no data.
                    if let Ok(data) = frame.into_data() {
                        self.received += u64::try_from(data.len()).unwrap_or(u64::MAX);
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    async fn collect(mut self, max_bytes: u64) -> Result<Bytes, Refusal> {
        let mut all = Vec::with_capacity(usize::try_from(self.declared.unwrap_or(0)).unwrap_or(0));
        while let Some(piece) = self.next().await? {
            if self.received > max_bytes {
                return Err(Refusal::BodyTooLarge(max_bytes));
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.into())
    }
}

impl FromRequest<State> for Intake {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &State) -> Result<Self, Refusal> {
        let takes = takes(&request);
        if !has_type(request.headers(), takes.content_type()) {
            return Err(Refusal::ContentType(takes.content_type()));
        }
        let declared = content_length(request.headers());
        if declared.is_some_and(|length| length > takes.max_bytes()) {
            return Err(Refusal::BodyTooLarge(takes.max_bytes()));
        }
        let patience = state.fittings.patience;
        Ok(Self { body: request.into_body(), patience, started: Instant::now(), received: 0, declared })
    }
}

/// A whole document.
#[derive(Debug)]
pub(crate) struct DocumentBody(pub(crate) Bytes);

impl FromRequest<State> for DocumentBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &State) -> Result<Self, Refusal> {
        let max_bytes = takes(&request).max_bytes();
        Intake::from_request(request, state).await?.collect(max_bytes).await.map(Self)
    }
}

/// A JSON object with exactly the members of `T`, which are texts: their meaning is read one by one, so
/// that a refusal names the member.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<State> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &State) -> Result<Self, Refusal> {
        let DocumentBody(bytes) = DocumentBody::from_request(request, state).await?;
        // An object first: serde would read a struct from a list as well.
        let object: serde_json::Map<_, _> =
            serde_json::from_slice(&bytes).map_err(|_| Refusal::Field("body"))?;
        serde_json::from_value(object.into()).map(Self).map_err(|_| Refusal::Field("body"))
    }
}

fn takes(request: &Request) -> Takes {
    request.extensions().get().copied().unwrap_or(Takes::Nothing)
}

pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the content type is `want`, whatever parameters follow it.
fn has_type(headers: &HeaderMap, want: &str) -> bool {
    let stated = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    stated.split(';').next().is_some_and(|stated| stated.trim().eq_ignore_ascii_case(want))
}

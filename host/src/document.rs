//! What the routes of all documents share: their identity in a path, the reply that hands one out, and
//! changes that a lost connection does not leave half done.

use axum::body::Body;
use axum::extract::{FromRequestParts, Path};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use protocol::Digest;

use crate::problem::Refusal;
use crate::state::State;

/// The `{digest}` of a path. Anything but 64 lower-case hexadecimal digits names nothing.
#[derive(Debug)]
pub(crate) struct DocumentId(pub(crate) Digest);

impl FromRequestParts<State> for DocumentId {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Refusal> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.ok().and_then(|Path(text)| text.parse().ok()).map(Self).ok_or(Refusal::NotFound)
    }
}

/// A document as a reply: bytes to save, under a name that we make.
pub(crate) fn file(kind: &str, digest: &Digest, bytes: u64, body: Body) -> Response {
    let short = digest.to_string();
    let name = format!("attachment; filename=\"{kind}-{}.hedui\"", short.get(..16).unwrap_or_default());
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, bytes.to_string()),
        (header::CONTENT_DISPOSITION, name),
    ];
    (headers, body).into_response()
}

/// Runs a change to its end even when the client goes away: a request is dropped with its connection, a
/// task of its own is not.
pub(crate) async fn complete<T: Send + 'static>(
    change: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::spawn(change).await?
}

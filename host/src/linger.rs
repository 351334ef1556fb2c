//! Lets a client that is still sending read why it was refused.
//!
//! Closing a connection with unread bytes in it resets it, and the client may never see the reply. So what
//! is left of a refused body is read and thrown away before the reply goes out, within limits. A body that
//! declares more than the limit is not waited for.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State as Host};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use crate::body::content_length;
use crate::state::State;

/// An ordinary answer fits.
const MAX_BYTES: u64 = 64 << 20;

/// The layer.
pub(crate) async fn layer(Host(state): Host<State>, request: Request, next: Next) -> Response {
    let declared = content_length(request.headers());
    let asks_first = request.headers().contains_key(header::EXPECT);
    let mut left = None;
    let request = request.map(|body| {
        let shared = Shared(Arc::new(Mutex::new(Watched { body, touched: false })));
        left = Some(shared.clone());
        Body::new(shared)
    });
    let response = next.run(request).await;
    if let Some(mut shared) = left
        && (response.status().is_client_error() && response.status() != StatusCode::REQUEST_TIMEOUT)
        && declared.is_none_or(|length| length <= MAX_BYTES)
        // A client that waits for "100 Continue" has sent nothing yet, and need not.
        && (shared.touched() || !asks_first)
    {
        let _ = timeout(state.fittings.patience.linger, discard(&mut shared)).await;
    }
    response
}

async fn discard(body: &mut Shared) {
    let mut discarded = 0;
    while discarded < MAX_BYTES
        && let Some(Ok(frame)) = body.frame().await
    {
        discarded += frame.data_ref().map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX));
    }
}

struct Watched {
    body: Body,
    touched: bool,
}

/// A body that both the handler and the layer hold; they never read at the same time.
#[derive(Clone)]
struct Shared(Arc<Mutex<Watched>>);

impl Shared {
    fn with<T>(&self, f: impl FnOnce(&mut Watched) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn touched(&self) -> bool {
        self.with(|watched| watched.touched)
    }
}

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.with(|watched| {
            watched.touched = true;
            Pin::new(&mut watched.body).poll_frame(context)
        })
    }

    fn is_end_stream(&self) -> bool {
        self.with(|watched| watched.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.with(|watched| watched.body.size_hint())
    }
}

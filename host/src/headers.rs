//! The headers of every reply, in one table (docs: threat model, "Delivery").
//!
//! A handler marks its reply with a [`Kind`]; whatever is not marked is data. They are added outside of
//! everything else, so that refusals carry them too.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

/// What a reply is to a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// JSON, documents and refusals.
    Data,
    /// An HTML page.
    Page,
    /// An HTML page whose every script tag carries `integrity`.
    PinnedPage,
    /// The script of a Worker: the only place where a customer file is read.
    Worker,
    /// A script, style sheet, image or module that a page asks for.
    Asset,
}

type Table = &'static [(&'static str, &'static str)];

/// On every reply.
const EVERY: Table = &[
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    // Ignored on plain HTTP; in effect once a proxy puts TLS in front.
    ("strict-transport-security", "max-age=31536000"),
];

const DATA: Table = &[
    ("cache-control", "no-store"),
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
];

const PAGE: Table = &[
    ("cache-control", "no-cache"),
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         worker-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types loader",
    ),
    ("connection-allowlist", "(response-origin)"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    (
        "permissions-policy",
        "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), clipboard-read=(), \
         display-capture=(), encrypted-media=(), fullscreen=(), gamepad=(), geolocation=(), gyroscope=(), \
         hid=(), idle-detection=(), local-fonts=(), magnetometer=(), microphone=(), midi=(), \
         otp-credentials=(), payment=(), picture-in-picture=(), publickey-credentials-get=(), \
         screen-wake-lock=(), serial=(), storage-access=(), usb=(), window-management=(), \
         xr-spatial-tracking=()",
    ),
];

const PINNED: Table = &[("integrity-policy", "blocked-destinations=(script)")];

const WORKER: Table = &[
    ("cache-control", "no-cache"),
    // It imports nothing and fetches nothing: bytes come in by message, and nothing at all gets out.
    ("content-security-policy", "default-src 'none'; script-src 'wasm-unsafe-eval'"),
    ("connection-allowlist", "()"),
    ("cross-origin-embedder-policy", "require-corp"),
];

const ASSET: Table = &[
    ("cache-control", "no-cache"),
    // For whoever opens one as a page, or starts a Worker from a script that is not meant as one.
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    ("cross-origin-embedder-policy", "require-corp"),
];

/// All headers of a kind of reply.
pub fn of(kind: Kind) -> impl Iterator<Item = (&'static str, &'static str)> {
    let tables: [Table; 3] = match kind {
        Kind::Data => [EVERY, DATA, &[]],
        Kind::Page => [EVERY, PAGE, &[]],
        Kind::PinnedPage => [EVERY, PAGE, PINNED],
        Kind::Worker => [EVERY, WORKER, &[]],
        Kind::Asset => [EVERY, ASSET, &[]],
    };
    tables.into_iter().flatten().copied()
}

/// The layer that adds them.
pub(crate) async fn add(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let kind = response.extensions().get().copied().unwrap_or(Kind::Data);
    for (name, value) in of(kind) {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

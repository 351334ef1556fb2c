//! The relay between a centre and its institutions: hands out rosters, collects answers, can read neither.
//!
//! It holds agreements, sealed rosters, sealed answers, receipts and a hash-chained log. The crate that it
//! reads documents with is built without the feature `seal`, so nothing that opens one is linked in, and
//! `tests/host/links.rs` keeps it so.
//!
//! Read first: [`app`] below, which shows every route and what it takes; then `upload.rs`, the one path
//! that matters most: how an answer comes in, is recorded and receipted. `party.rs` says who may do what,
//! `problem.rs` how a refusal looks, `headers.rs` what a browser is told.
//!
//! | File | |
//! |---|---|
//! | `state.rs`, `clock.rs`, `host_key.rs` | configuration, and what all requests share |
//! | `store.rs`, `blobs.rs`, `migrations/` | SQLite, and the files beside it |
//! | `sign_in.rs`, `party.rs` | who asks |
//! | `agreements.rs`, `rosters.rs`, `answers.rs`, `upload.rs`, `resume.rs`, `partial.rs`, `document.rs` | the documents |
//! | `log.rs` | the chain |
//! | `body.rs`, `linger.rs`, `problem.rs`, `headers.rs`, `pages.rs`, `serve.rs` | HTTP |
//!
//! ```no_run
//! # async fn run(config: host::Config) -> Result<(), Box<dyn std::error::Error>> {
//! let running = host::serve(config, async { let _ = tokio::signal::ctrl_c().await; }).await?;
//! println!("listening on {}, receipts signed by {}", running.address(), running.key());
//! running.finished().await?;
//! # Ok(())
//! # }
//! ```

mod agreements;
mod answers;
mod blobs;
mod body;
mod clock;
mod document;
pub mod headers;
mod host_key;
mod linger;
mod log;
mod pages;
mod partial;
mod party;
mod problem;
mod resume;
mod rosters;
mod serve;
mod sign_in;
mod state;
mod store;
mod upload;

use axum::extract::State as Host;
use axum::handler::Handler;
use axum::http::header;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::{self, MethodRouter};
use axum::{Extension, Router};
use protocol::envelope::MAX_HEAD;
use tower_http::catch_panic::CatchPanicLayer;

pub use body::Takes;
pub use clock::{Clock, Randomness, SystemClock, SystemRandomness};
pub use problem::{Fault, Refusal};
pub use serve::{Running, serve, serve_state};
pub use state::{Config, Fittings, Inner, Patience, StartError, State};

/// The description of the API for other programs (OpenAPI 3.1). A test holds it against [`routes`].
pub const OPENAPI: &str = include_str!("../openapi.json");

const JSON: Takes = Takes::Json(16 << 10);
const AGREEMENT: Takes = Takes::Document(128 << 10);
const ROSTER: Takes = Takes::Document(64 << 20);
const HEAD: Takes = Takes::Document(MAX_HEAD as u64);

/// Every route of the API, and what it takes.
pub fn routes() -> Vec<Route> {
    vec![
        get("/health", health),
        get("/api/v1/openapi.json", openapi),
        post("/api/v1/sign-in/challenge", JSON, sign_in::challenge),
        post("/api/v1/sign-in", JSON, sign_in::sign_in),
        get("/api/v1/agreements", agreements::list),
        post("/api/v1/agreements", AGREEMENT, agreements::accept),
        get("/api/v1/agreements/{digest}", agreements::fetch),
        get("/api/v1/rosters", rosters::list),
        post("/api/v1/rosters", ROSTER, rosters::accept),
        get("/api/v1/rosters/{digest}", rosters::fetch),
        get("/api/v1/rosters/{digest}/answers", answers::list),
        post("/api/v1/rosters/{digest}/answers", Takes::Answer, upload::receive),
        post("/api/v1/rosters/{digest}/uploads", HEAD, resume::begin),
        post("/api/v1/uploads/{digest}", Takes::Answer, resume::piece),
        get("/api/v1/answers/{digest}", answers::fetch),
        get("/api/v1/answers/{digest}/receipt", answers::receipt),
        get("/api/v1/log", log::read),
    ]
}

/// The service: the routes, the page, and the layers around them, the outermost last.
pub fn app(state: State) -> Router {
    let api = routes().into_iter().fold(Router::new(), |router, route| {
        router.route(route.path, route.handler.layer(Extension(route.takes)))
    });
    api.fallback(pages::page)
        .method_not_allowed_fallback(async || Refusal::Method)
        .layer(CatchPanicLayer::custom(|_| Refusal::Internal(Fault::Panic).into_response()))
        .layer(from_fn_with_state(state.clone(), linger::layer))
        .layer(from_fn(headers::add))
        .with_state(state)
}

/// One route.
#[derive(Debug, Clone)]
pub struct Route {
    /// `GET` (which answers `HEAD` too) or `POST`.
    pub method: &'static str,
    /// The path, with `{digest}` for a document's digest.
    pub path: &'static str,
    /// The body that it takes.
    pub takes: Takes,
    handler: MethodRouter<State>,
}

fn get<H: Handler<T, State>, T: 'static>(path: &'static str, handler: H) -> Route {
    Route { method: "GET", path, takes: Takes::Nothing, handler: routing::get(handler) }
}

fn post<H: Handler<T, State>, T: 'static>(path: &'static str, takes: Takes, handler: H) -> Route {
    Route { method: "POST", path, takes, handler: routing::post(handler) }
}

async fn health(Host(state): Host<State>) -> Result<impl IntoResponse, Refusal> {
    sqlx::query("SELECT 1").execute(state.store.read()).await?;
    let (code, key) = (state.config.code.as_str(), state.public_key());
    Ok(axum::Json(serde_json::json!({ "status": "ok", "code": code, "key": key })))
}

async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}

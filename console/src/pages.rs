//! The pages: HTML made on the server, with forms and links, usable without a script.
//!
//! `routes` has the table of all routes with the roles that may use each, and the gate before them; a
//! handler that is in no table can't be reached. `layout` is what stands around every page, `form` reads what
//! was sent. The other files are an area each, with a `routes` function that adds its own.

pub mod form;
pub mod layout;
pub mod money;
pub mod problem;
pub mod routes;

mod account;
mod archive;
mod batches;
mod canaries;
mod cases;
mod cosigners;
mod counters;
mod declared;
mod departments;
mod door;
mod file;
mod holidays;
mod home;
mod import;
mod institutions;
mod logbook;
mod notices;
mod officers;
mod people;
mod rechecks;
mod reports;
mod review;
mod rules;
mod settings;
mod stuck;
mod trials;
mod work;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};

use crate::console::Console;
use routes::{Allow, Routes};

/// The whole console.
pub fn app(console: &Console) -> Router {
    all(console)
        .into_router()
        .fallback(|| async { problem::Refusal::NotFound })
        .layer(middleware::from_fn_with_state(console.clone(), routes::guard))
        .layer(middleware::from_fn_with_state(console.clone(), headers))
        .with_state(console.clone())
}

/// Every route with who may use it: the table that tests hold against the one written by hand.
pub fn table(console: &Console) -> Vec<(Method, &'static str, Allow)> {
    all(console).into_table()
}

fn all(console: &Console) -> Routes {
    let routes = Routes::new(console);
    let routes = routes
        .get("/style.css", Allow::Anyone, || async {
            ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../assets/style.css")).into_response()
        })
        .get("/icon.svg", Allow::Anyone, || async {
            ([(CONTENT_TYPE, "image/svg+xml")], include_str!("../assets/icon.svg")).into_response()
        });
    let routes = door::routes(routes);
    let routes = home::routes(routes);
    let routes = people::routes(routes);
    let routes = cases::routes(routes);
    let routes = import::routes(routes);
    let routes = declared::routes(routes);
    let routes = institutions::routes(routes);
    let routes = cosigners::routes(routes);
    let routes = departments::routes(routes);
    let routes = batches::routes(routes);
    let routes = officers::routes(routes);
    let routes = review::routes(routes);
    let routes = rules::routes(routes);
    let routes = reports::routes(routes);
    let routes = archive::routes(routes);
    let routes = rechecks::routes(routes);
    let routes = notices::routes(routes);
    let routes = counters::routes(routes);
    let routes = work::routes(routes);
    let routes = holidays::routes(routes);
    let routes = settings::routes(routes);
    let routes = stuck::routes(routes);
    let routes = trials::routes(routes);
    let routes = canaries::routes(routes);
    let routes = account::routes(routes);
    logbook::routes(routes)
}

const HEADERS: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cache-control", "no-store"),
    ("x-frame-options", "DENY"),
];

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// The headers of every reply; nothing of a page stays in the browser's cache.
async fn headers(
    axum::extract::State(console): axum::extract::State<Console>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    if console.is_secure() {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(HeaderName::from_static("strict-transport-security"), year);
    }
    response
}

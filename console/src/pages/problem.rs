//! What is refused, and how it is told: one `match` from cause to status and sentence. Causes inside go to the
//! program's own log under a number; a person sees the number.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;

use super::layout::View;
use crate::store::Fault;

/// Why a request is not done.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// There is no such page or record, or it is not for this account.
    NotFound,
    /// The role does not fit.
    Forbidden,
    /// The session is over.
    SignedOut,
    /// Asked by a name that is not ours.
    WrongName,
    /// A change that does not come from a page of ours.
    CrossSite,
    /// What was sent can't be read.
    Malformed,
    /// A rule forbids it: the key of the sentence in the dictionary.
    Key(&'static str),
    /// Something is wrong inside.
    Fault(Arc<Fault>),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(Arc::new(fault))
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Fault::from(error).into()
    }
}

/// Refuses by a rule.
///
/// # Errors
/// Always.
pub fn refuse<T>(key: &'static str) -> Result<T, Refusal> {
    Err(Refusal::Key(key))
}

/// Rides on a reply until it is known in which language to tell it.
#[derive(Debug, Clone)]
pub(super) struct Told {
    status: StatusCode,
    key: &'static str,
    number: Option<String>,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, key) = match &self {
            Self::NotFound => (StatusCode::NOT_FOUND, "refused.not_found"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "refused.forbidden"),
            Self::SignedOut => (StatusCode::UNAUTHORIZED, "refused.signed_out"),
            Self::WrongName => (StatusCode::MISDIRECTED_REQUEST, "refused.wrong_name"),
            Self::CrossSite => (StatusCode::FORBIDDEN, "refused.cross_site"),
            Self::Malformed => (StatusCode::BAD_REQUEST, "refused.malformed"),
            Self::Key(key) => (StatusCode::CONFLICT, *key),
            Self::Fault(_) => (StatusCode::INTERNAL_SERVER_ERROR, "refused.fault"),
        };
        let number = match &self {
            Self::Fault(fault) => {
                let mut bytes = [0; 4];
                let _ = getrandom::fill(&mut bytes);
                let number = hex::encode(bytes);
                // A fault says what could not be read or written, never what stood there.
                eprintln!("hedui desk: fault {number} {}", told(fault));
                Some(number)
            }
            _ => None,
        };
        let mut response = status.into_response();
        response.extensions_mut().insert(Told { status, key, number });
        response
    }
}

/// A fault without any value: SQLite's messages may quote one.
fn told(fault: &Fault) -> String {
    match fault {
        Fault::Database(sqlx::Error::Database(error)) => {
            format!("the database refuses, code {}", error.code().unwrap_or_default())
        }
        other => other.to_string(),
    }
}

impl Told {
    pub(super) fn page(&self, view: &View) -> Response {
        let t = view.words;
        let page = view.page(
            t.t("refused.title"),
            &html! {
                section.error role="alert" {
                    h2 { (t.t("refused.title")) }
                    p.remedy { (t.of_key(self.key)) }
                    @if let Some(number) = &self.number {
                        p.code { (t.fill("refused.number", &[("n", number)])) }
                    }
                    p.actions {
                        @if view.is_change && view.back != "/" { a.button.second href=(view.back) { (t.t("form.back")) } }
                        a href="/" { (t.t("refused.home")) }
                    }
                }
            },
        );
        (self.status, page).into_response()
    }
}

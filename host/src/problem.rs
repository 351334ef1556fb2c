//! Every refusal, and what it looks like outside: `application/problem+json` (RFC 9457).
//!
//! A problem names the field and never the value. What went wrong inside is a [`Fault`]: the client learns
//! a code, the operator finds the cause under the same code on standard error.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::roster::RosterError;
use protocol::{CheckError, DecodeError};
use serde::Serialize;

/// Why a request is refused. The message is the problem's `detail`.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The document can't be read.
    #[error("{0}")]
    Decode(DecodeError),
    /// The document may not be used here and now.
    #[error("{0}")]
    Check(CheckError),
    /// No token, or one that is not valid (any more).
    #[error("sign in first: the token is missing or no longer valid")]
    NotSignedIn,
    /// A challenge, signature or key that does not sign anybody in.
    #[error("this challenge and signature sign nobody in")]
    SignIn,
    /// Signed in, but this is for the other side.
    #[error("this route is for the other side of the exchange")]
    WrongRole,
    /// No such thing, or not for the party that asks.
    #[error("there is no such thing, or it is not yours")]
    NotFound,
    /// The path is there, the method is not.
    #[error("this path does not take this method")]
    Method,
    /// The body is not of the type that the route takes.
    #[error("the body must be {0}")]
    ContentType(&'static str),
    /// The body is larger than the route, or the roster, allows.
    #[error("the body may have {0} bytes")]
    BodyTooLarge(u64),
    /// This member of a JSON body, or parameter of the query, is missing or malformed.
    #[error("{0} is missing or malformed")]
    Field(&'static str),
    /// The client took too long.
    #[error("the body came too slowly; nothing of it was kept")]
    Slow,
    /// The connection broke inside the body.
    #[error("the connection broke inside the body; nothing of it was kept")]
    Cut,
    /// The roster was made under an agreement that this host does not hold.
    #[error("the roster names an agreement that this host does not hold")]
    UnknownAgreement,
    /// Another answer has this version already.
    #[error("another answer to this roster has this version: a correction needs a higher one")]
    VersionTaken,
    /// The roster has as many answers as a host keeps.
    #[error("this roster has as many answers as the host keeps")]
    TooManyAnswers,
    /// The institution has as many uploads under way as a host allows.
    #[error("other uploads of this institution are under way: wait for them")]
    TooManyUploads,
    /// A piece of an upload that does not begin where the last one ended.
    #[error("the upload has come to byte {0}: go on from there")]
    UploadOffset(u64),
    /// The host's own trouble.
    #[error("the host failed ({}): try again, then tell its operator", .0.code())]
    Internal(Fault),
}

/// The host's own trouble.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// SQLite.
    #[error("store: {0}")]
    Store(#[from] sqlx::Error),
    /// The tables can't be brought up to date.
    #[error("migration: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The blobs.
    #[error("blob: {0}")]
    Blob(#[from] object_store::Error),
    /// A file.
    #[error("file: {0}")]
    File(#[from] std::io::Error),
    /// What was stored does not read back.
    #[error("stored {0} does not read back")]
    Stored(&'static str),
    /// A document of our own can't be written.
    #[error("own document: {0}")]
    Own(DecodeError),
    /// The clock is outside the years 1970 to 2199.
    #[error("the clock is wrong")]
    Clock,
    /// The operating system gives no random bytes.
    #[error("no randomness")]
    Randomness,
    /// A task ended early.
    #[error("task: {0}")]
    Task(#[from] tokio::task::JoinError),
    /// A handler panicked.
    #[error("a handler panicked")]
    Panic,
}

impl Fault {
    /// A stable code for the log.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(_) | Self::Migration(_) | Self::Stored(_) => "store",
            Self::Blob(_) | Self::File(_) => "blob",
            Self::Own(_) => "own_document",
            Self::Clock => "clock",
            Self::Randomness => "randomness",
            Self::Task(_) | Self::Panic => "task",
        }
    }
}

impl Refusal {
    /// Status, code and field of every refusal.
    fn parts(&self) -> (StatusCode, &'static str, Option<String>) {
        use StatusCode as S;
        let field = |name: &str| Some(name.to_owned());
        match self {
            Self::Decode(error) => (S::BAD_REQUEST, error.code(), Some(error.field())),
            Self::Check(error @ CheckError::Replayed) => (S::CONFLICT, error.code(), field(error.field())),
            Self::Check(error) => (S::UNPROCESSABLE_ENTITY, error.code(), field(error.field())),
            Self::NotSignedIn => (S::UNAUTHORIZED, "not_signed_in", field("authorization")),
            Self::SignIn => (S::UNAUTHORIZED, "sign_in_refused", field("signature")),
            Self::WrongRole => (S::FORBIDDEN, "wrong_role", None),
            Self::NotFound => (S::NOT_FOUND, "not_found", None),
            Self::Method => (S::METHOD_NOT_ALLOWED, "method_not_allowed", None),
            Self::ContentType(_) => (S::UNSUPPORTED_MEDIA_TYPE, "content_type", field("content-type")),
            Self::BodyTooLarge(_) => (S::PAYLOAD_TOO_LARGE, "body_too_large", field("body")),
            Self::Field(name) => (S::BAD_REQUEST, "bad_field", field(name)),
            Self::Slow => (S::REQUEST_TIMEOUT, "too_slow", field("body")),
            Self::Cut => (S::BAD_REQUEST, "cut", field("body")),
            Self::UnknownAgreement => {
                (S::UNPROCESSABLE_ENTITY, "unknown_agreement", field("roster.agreement"))
            }
            Self::VersionTaken => (S::CONFLICT, "version_taken", field("answer.version")),
            Self::TooManyAnswers => (S::CONFLICT, "too_many_answers", field("answer.version")),
            Self::TooManyUploads => (S::TOO_MANY_REQUESTS, "too_many_uploads", None),
            Self::UploadOffset(_) => (S::CONFLICT, "upload_offset", field("offset")),
            Self::Internal(_) => (S::INTERNAL_SERVER_ERROR, "internal", None),
        }
    }
}

/// The members of a problem document.
#[derive(Serialize)]
struct Problem {
    r#type: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    field: Option<String>,
    detail: String,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Self::Internal(fault) = &self {
            eprintln!("hedui-host: internal code={} cause={fault}", fault.code());
        }
        let (status, code, field) = self.parts();
        let detail = self.to_string();
        let title = status.canonical_reason().unwrap_or("Error");
        let r#type = format!("urn:hedui:problem:{code}");
        let problem = Problem { r#type, title, status: status.as_u16(), code, field, detail };
        let json = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/problem+json")], json).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<CheckError> for Refusal {
    fn from(error: CheckError) -> Self {
        Self::Check(error)
    }
}

impl From<RosterError> for Refusal {
    fn from(error: RosterError) -> Self {
        match error {
            RosterError::Decode(error) => Self::Decode(error),
            RosterError::Check(error) => Self::Check(error),
        }
    }
}

impl<E: Into<Fault>> From<E> for Refusal {
    fn from(fault: E) -> Self {
        Self::Internal(fault.into())
    }
}

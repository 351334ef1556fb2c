//! Talking to a host (`host/openapi.json`): sign-in by key, documents up and down. What it says is not
//! trusted: replies have a largest size, and a document must be the one that was asked for.
//!
//! Plain http, as the host itself speaks it; documents are signed and sealed, but a token is not. Where the
//! host is not on this computer, a proxy that speaks TLS stands before either.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use protocol::envelope::Head;
use protocol::key_file::Keys;
use protocol::value::{Base64, Code, Digest};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::failure::Failure;
use crate::files;

/// Bytes of a list or a problem at most.
const LIST: u64 = 16 << 20;
/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(20);
/// Longest wait for one whole request and its reply.
const WHOLE: Duration = Duration::from_secs(1_800);

/// A party that is signed in.
pub(crate) struct Relay {
    runtime: Runtime,
    /// Host and port.
    authority: String,
    token: Option<String>,
}

/// Where documents are, under `/api/v1`.
pub(crate) enum Place<'a> {
    Agreements,
    Rosters,
    /// The answers to a roster.
    Answers(&'a Digest),
}

impl Place<'_> {
    fn path(&self) -> String {
        match self {
            Self::Agreements => "agreements".to_owned(),
            Self::Rosters => "rosters".to_owned(),
            Self::Answers(roster) => format!("rosters/{roster}/answers"),
        }
    }
}

#[derive(Deserialize)]
struct Challenge {
    challenge: Base64,
    host: Code,
}

#[derive(Deserialize)]
struct SignedIn {
    token: String,
}

/// A refusal (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    code: String,
    field: Option<String>,
    detail: String,
}

impl Relay {
    /// Signs in with a key (SPEC §9): challenge, signature, short-lived token.
    pub(crate) fn sign_in(url: &str, keys: &Keys) -> Result<Self, Failure> {
        let authority = url.strip_prefix("http://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        let authority =
            authority.filter(|rest| !rest.is_empty() && !rest.contains(['/', '@', '?', '#', ' ']));
        let authority = authority
            .ok_or_else(|| Failure::option("host", "write http://HOST:PORT; TLS is left to a proxy"))?;
        let authority =
            if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|_| Failure::new("start", "host", "no runtime could be started"))?;
        let mut relay = Self { runtime, authority, token: None };

        let key = keys.signing.public().to_string();
        let asked: Challenge = relay.post_json("sign-in/challenge", &json!({ "key": key }))?;
        let challenge: [u8; 32] = asked.challenge.0.try_into().map_err(|_| odd())?;
        let signature = Base64(keys.signing.sign_in(&asked.host, &challenge).to_vec());
        let signed = json!({ "key": key, "challenge": Base64(challenge.to_vec()), "signature": signature });
        relay.token = Some(relay.post_json::<SignedIn>("sign-in", &signed)?.token);
        Ok(relay)
    }

    /// Hands a document in; gives what the host replies.
    pub(crate) fn post(&self, place: &Place<'_>, document: Vec<u8>) -> Result<Vec<u8>, Failure> {
        self.call(Method::POST, &place.path(), Some("application/octet-stream"), document, LIST)
    }

    /// What is there.
    pub(crate) fn list<T: DeserializeOwned>(&self, place: &Place<'_>) -> Result<Vec<T>, Failure> {
        let json = self.call(Method::GET, &place.path(), None, Vec::new(), LIST)?;
        serde_json::from_slice(&json).map_err(|_| odd())
    }

    /// A document by its digest: it must be the one, and its signatures must hold.
    pub(crate) fn document(&self, kind: &str, digest: &Digest) -> Result<Vec<u8>, Failure> {
        let bytes = self.call(Method::GET, &format!("{kind}/{digest}"), None, Vec::new(), files::LARGEST)?;
        let head = Head::parse(&bytes)?;
        head.signers()?;
        if Digest::of(&head.pae()) == *digest { Ok(bytes) } else { Err(odd()) }
    }

    fn post_json<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, Failure> {
        let body = body.to_string().into_bytes();
        let reply = self.call(Method::POST, path, Some("application/json"), body, LIST)?;
        serde_json::from_slice(&reply).map_err(|_| odd())
    }

    fn call(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: Vec<u8>,
        most: u64,
    ) -> Result<Vec<u8>, Failure> {
        let mut request = Request::builder().method(method).uri(format!("/api/v1/{path}"));
        request = request.header(HOST, &self.authority);
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|_| odd())?;
        let whole = async { timeout(WHOLE, self.exchange(request, most)).await };
        let (good, reply) = self.runtime.block_on(whole).map_err(|_| unreachable())??;
        if good {
            return Ok(reply);
        }
        let problem: Problem = serde_json::from_slice(&reply).map_err(|_| odd())?;
        Err(Failure::new(
            &plain(&problem.code),
            plain(&problem.field.unwrap_or_default()),
            plain(&problem.detail),
        ))
    }

    /// Whether the host agrees, and the reply's body.
    async fn exchange(&self, request: Request<Full<Bytes>>, most: u64) -> Result<(bool, Vec<u8>), Failure> {
        let stream = timeout(CONNECT, TcpStream::connect(&self.authority)).await;
        let stream = stream.map_err(|_| unreachable())?.map_err(|_| unreachable())?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|_| unreachable())?;
        tokio::spawn(connection);
        let reply = sender.send_request(request).await.map_err(|_| unreachable())?;
        let good = reply.status().is_success();
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let body = Limited::new(reply.into_body(), most).collect().await;
        let body = body.map_err(|_| Failure::new("cut", "host", "the reply broke off, or is too large"))?;
        Ok((good, body.to_bytes().to_vec()))
    }
}

fn unreachable() -> Failure {
    Failure::new("host_unreachable", "host", "the host can't be reached, or does not answer")
}

fn odd() -> Failure {
    Failure::new("host_reply", "host", "the host's reply is not as its description says")
}

/// A host's words on a terminal: short, and without control characters.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

//! Talking to a host (`host/openapi.json`): sign-in by key, documents up and down. What it says is not trusted:
//! replies have a largest size, and a document must be the one that was asked for. The command line uses it, too.
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
use protocol::DecodeError;
use protocol::envelope::Head;
use protocol::key_file::Keys;
use protocol::value::{Base64, Code, Digest};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// Bytes of a list or a problem at most.
const LIST: u64 = 16 << 20;
/// Bytes of any document at most.
const LARGEST: u64 = 1 << 30;
/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(20);
/// Longest wait for one whole request and its reply.
const WHOLE: Duration = Duration::from_secs(1_800);

/// Bytes of a piece of an answer.
const PIECE: usize = 1 << 20;
/// What a line that broke looks like.
const BROKEN: [&str; 5] = ["host_unreachable", "cut", "too_slow", "upload_offset", "too_many_uploads"];
/// How long is waited before each next try.
const WAITS: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// A party that is signed in.
#[derive(Debug)]
pub struct Relay {
    /// Host and port.
    authority: String,
    token: Option<String>,
}

/// Where documents are, under `/api/v1`.
#[derive(Debug)]
pub enum Place<'a> {
    /// Agreements.
    Agreements,
    /// Rosters.
    Rosters,
    /// The answers to a roster.
    Answers(&'a Digest),
}

/// Why the host did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RelayError {
    /// A stable code; the host's own where it refused.
    pub code: String,
    /// What it is about.
    pub field: String,
    /// A sentence.
    pub message: String,
}

impl RelayError {
    fn new(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), field: "host".to_owned(), message: message.to_owned() }
    }
}

impl From<DecodeError> for RelayError {
    fn from(error: DecodeError) -> Self {
        Self { code: error.code().to_owned(), field: error.field(), message: error.to_string() }
    }
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

/// How far an answer has come.
#[derive(Deserialize)]
struct Upload {
    upload: Digest,
    received: u64,
}

/// Where sending got to.
enum Sent {
    /// To the end.
    Receipt(Vec<u8>),
    /// Further than before, and then something broke.
    Further,
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
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn sign_in(url: &str, keys: &Keys) -> Result<Self, RelayError> {
        let authority = url.strip_prefix("http://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        let authority =
            authority.filter(|rest| !rest.is_empty() && !rest.contains(['/', '@', '?', '#', ' ']));
        let bad = || RelayError::new("bad_option", "write http://HOST:PORT; TLS is left to a proxy");
        let authority = authority.ok_or_else(bad)?;
        let authority =
            if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
        let mut relay = Self { authority, token: None };

        let key = keys.signing.public().to_string();
        let asked: Challenge = relay.post_json("sign-in/challenge", &json!({ "key": key })).await?;
        let challenge: [u8; 32] = asked.challenge.0.try_into().map_err(|_| odd())?;
        let signature = Base64(keys.signing.sign_in(&asked.host, &challenge).to_vec());
        let signed = json!({ "key": key, "challenge": Base64(challenge.to_vec()), "signature": signature });
        relay.token = Some(relay.post_json::<SignedIn>("sign-in", &signed).await?.token);
        Ok(relay)
    }

    /// Hands a document in; gives what the host replies.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn post(&self, place: &Place<'_>, document: Vec<u8>) -> Result<Vec<u8>, RelayError> {
        self.call(Method::POST, &place.path(), Some("application/octet-stream"), document, LIST).await
    }

    /// Sends an answer in pieces; gives the receipt. Where the line breaks it waits, asks how far the answer has come, and
    /// goes on from there.
    ///
    /// # Errors
    /// [`RelayError`]: a refusal, or a line that stays broken. What has arrived by then need not be sent again.
    pub async fn send(&self, roster: &Digest, answer: &[u8]) -> Result<Vec<u8>, RelayError> {
        let (mut waits, mut furthest) = (WAITS.iter(), 0);
        loop {
            let error = match self.go_on(roster, answer, &mut furthest).await {
                Ok(Sent::Receipt(receipt)) => return Ok(receipt),
                Ok(Sent::Further) => {
                    waits = WAITS.iter();
                    continue;
                }
                Err(error) => error,
            };
            match waits.next().filter(|_| BROKEN.contains(&error.code.as_str())) {
                Some(wait) => sleep(*wait).await,
                None => return Err(error),
            }
        }
    }

    /// Asks how far an answer has come and sends pieces from there on, until something breaks.
    async fn go_on(&self, roster: &Digest, answer: &[u8], furthest: &mut u64) -> Result<Sent, RelayError> {
        const BYTES: Option<&str> = Some("application/octet-stream");
        let head = answer.get(..Head::parse(answer)?.length).unwrap_or_default().to_vec();
        let begin = format!("rosters/{roster}/uploads");
        let mut reply = self.call(Method::POST, &begin, BYTES, head, LIST).await?;
        let before = *furthest;
        // A receipt is an envelope, and no JSON.
        while let Ok(Upload { upload, received }) = serde_json::from_slice(&reply) {
            *furthest = received.max(*furthest);
            let rest = usize::try_from(received).ok().and_then(|at| answer.get(at..)).ok_or_else(odd)?;
            let piece = rest.get(..PIECE).unwrap_or(rest).to_vec();
            let next = format!("uploads/{upload}?offset={received}");
            match self.call(Method::POST, &next, BYTES, piece, LIST).await {
                Ok(received) => reply = received,
                Err(_) if *furthest > before => return Ok(Sent::Further),
                Err(error) => return Err(error),
            }
        }
        Ok(Sent::Receipt(reply))
    }

    /// What is there.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn list<T: DeserializeOwned>(&self, place: &Place<'_>) -> Result<Vec<T>, RelayError> {
        let json = self.call(Method::GET, &place.path(), None, Vec::new(), LIST).await?;
        serde_json::from_slice(&json).map_err(|_| odd())
    }

    /// A document by its digest: it must be the one, and its signatures must hold.
    ///
    /// # Errors
    /// [`RelayError`].
    pub async fn document(&self, kind: &str, digest: &Digest) -> Result<Vec<u8>, RelayError> {
        let bytes = self.call(Method::GET, &format!("{kind}/{digest}"), None, Vec::new(), LARGEST).await?;
        let head = Head::parse(&bytes)?;
        head.signers()?;
        if Digest::of(&head.pae()) == *digest { Ok(bytes) } else { Err(odd()) }
    }

    async fn post_json<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, RelayError> {
        let body = body.to_string().into_bytes();
        let reply = self.call(Method::POST, path, Some("application/json"), body, LIST).await?;
        serde_json::from_slice(&reply).map_err(|_| odd())
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: Vec<u8>,
        most: u64,
    ) -> Result<Vec<u8>, RelayError> {
        let mut request = Request::builder().method(method).uri(format!("/api/v1/{path}"));
        request = request.header(HOST, &self.authority);
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|_| odd())?;
        let (good, reply) =
            timeout(WHOLE, self.exchange(request, most)).await.map_err(|_| unreachable())??;
        if good {
            return Ok(reply);
        }
        let problem: Problem = serde_json::from_slice(&reply).map_err(|_| odd())?;
        Err(RelayError {
            code: plain(&problem.code),
            field: plain(&problem.field.unwrap_or_default()),
            message: plain(&problem.detail),
        })
    }

    /// Whether the host agrees, and the reply's body.
    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        most: u64,
    ) -> Result<(bool, Vec<u8>), RelayError> {
        let stream = timeout(CONNECT, TcpStream::connect(&self.authority)).await;
        let stream = stream.map_err(|_| unreachable())?.map_err(|_| unreachable())?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|_| unreachable())?;
        tokio::spawn(connection);
        let reply = sender.send_request(request).await.map_err(|_| unreachable())?;
        let good = reply.status().is_success();
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let body = Limited::new(reply.into_body(), most).collect().await;
        let body = body.map_err(|_| RelayError::new("cut", "the reply broke off, or is too large"))?;
        Ok((good, body.to_bytes().to_vec()))
    }
}

fn unreachable() -> RelayError {
    RelayError::new("host_unreachable", "the host can't be reached, or does not answer")
}

fn odd() -> RelayError {
    RelayError::new("host_reply", "the host's reply is not as its description says")
}

/// A host's words on a screen: short, and without control characters.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

//! The host's routes, called without a network: a few requests to a host that holds one agreement and one roster.
//!
//! An input that the host keeps something of makes a new host for the next one, so that every input meets the same.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use protocol::Document;
use protocol::answer::{Answer, Shape};
use protocol::envelope::{co_sign, write};
use protocol::roster::{Entry, Level, Roster};
use protocol::secret::SigningKey;
use protocol::value::{Base64, Digest, SealingKey, Time};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::input::Input;
use crate::world;

/// Requests that one input makes at most.
const MOST_REQUESTS: usize = 4;

/// A request is: its method and who sends it, its route, what follows the path, its content type, and its body.
///
/// # Panics
/// When the host fails, or a refusal is not worded as one.
pub fn http(data: &[u8]) {
    let host = HOST.with(|host| host.borrow_mut().take()).unwrap_or_else(Host::start);
    let mut input = Input(data);
    for _ in 0..MOST_REQUESTS {
        if input.is_empty() {
            break;
        }
        let request = host.request(&mut input);
        host.send(request);
    }
    if !host.has_kept_something() {
        HOST.with(|kept| *kept.borrow_mut() = Some(host));
    }
}

thread_local! {
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
}

struct Host {
    service: TowerToHyperService<axum::Router>,
    runtime: Runtime,
    tokens: [String; 2],
    digests: [String; 3],
    kept: std::cell::Cell<bool>,
    /// Last, so that it outlives the store.
    _directory: tempfile::TempDir,
}

struct Clock;

impl host::Clock for Clock {
    fn now(&self) -> Option<Time> {
        Some(world::now())
    }
}

/// The same bytes for every host, so that an input means the same each time.
struct Dice(AtomicU64);

impl host::Randomness for Dice {
    fn fill(&self, bytes: &mut [u8]) -> Option<()> {
        for chunk in bytes.chunks_mut(32) {
            let Digest(random) = Digest::of(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            chunk.copy_from_slice(random.get(..chunk.len())?);
        }
        Some(())
    }
}

impl Host {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (centre, bank) = (world::key(1), world::key(2));
        let config = host::Config {
            data_dir: directory.path().join("data"),
            listen: "127.0.0.1:0".parse().unwrap(),
            code: "host-1".parse().unwrap(),
            centre_keys: vec![centre.public()],
            web_dir: None,
            artifact_dir: None,
        };
        let fittings = host::Fittings {
            clock: Box::new(Clock),
            randomness: Box::new(Dice(AtomicU64::new(0))),
            patience: host::Patience::default(),
        };
        let state = runtime.block_on(host::State::open_with(config, fittings)).unwrap();
        let mut host = Self {
            service: TowerToHyperService::new(host::app(state)),
            runtime,
            tokens: [String::new(), String::new()],
            digests: documents().map(|(_, digest)| digest.to_string()),
            kept: std::cell::Cell::new(false),
            _directory: directory,
        };
        let [(agreement, _), (roster, _), (answer, _)] = documents();
        host.tokens[0] = host.sign_in(&centre);
        host.post("agreements", 0, agreement);
        host.post("rosters", 0, roster);
        host.tokens[1] = host.sign_in(&bank);
        let path = format!("rosters/{}/answers", host.digests[1]);
        host.post(&path, 1, answer);
        host.kept.set(false);
        host
    }

    fn sign_in(&self, key: &SigningKey) -> String {
        let ask = |path: &str, body: Value| -> Value {
            let request = Request::post(format!("/api/v1/{path}"))
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string()))
                .unwrap();
            serde_json::from_slice(&self.send(request)).unwrap()
        };
        let key_text = key.public().to_string();
        let challenge = ask("sign-in/challenge", json!({ "key": key_text }));
        let challenge = challenge["challenge"].as_str().unwrap();
        let bytes = challenge.parse::<Base64>().unwrap().0;
        let signature = key.sign_in(&"host-1".parse().unwrap(), &bytes.try_into().unwrap());
        let signature = Base64(signature.to_vec()).to_string();
        let reply =
            ask("sign-in", json!({ "key": key_text, "challenge": challenge, "signature": signature }));
        reply["token"].as_str().unwrap().to_owned()
    }

    fn post(&self, path: &str, who: usize, document: &[u8]) {
        let request = Request::post(format!("/api/v1/{path}"))
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.tokens[who]))
            .body(Body::from(document.to_vec()))
            .unwrap();
        self.send(request);
        assert!(self.kept.get(), "the host takes its own documents");
    }

    fn has_kept_something(&self) -> bool {
        self.kept.get()
    }

    fn request(&self, input: &mut Input<'_>) -> Request<Body> {
        let (how, route) = (input.byte(), usize::from(input.byte()));
        let (behind, kind) = (input.piece(), input.byte());
        let [agreement, roster, answer] = &self.digests;
        let paths = [
            "/health",
            "/api/v1/openapi.json",
            "/api/v1/sign-in/challenge",
            "/api/v1/sign-in",
            "/api/v1/agreements",
            &format!("/api/v1/agreements/{agreement}"),
            "/api/v1/agreements/",
            "/api/v1/rosters",
            &format!("/api/v1/rosters/{roster}"),
            &format!("/api/v1/rosters/{roster}/answers"),
            "/api/v1/rosters/",
            &format!("/api/v1/answers/{answer}"),
            &format!("/api/v1/answers/{answer}/receipt"),
            "/api/v1/answers/",
            "/api/v1/log",
            "/api/v1/log?from=",
            "/",
            &format!("/api/v1/rosters/{roster}/uploads"),
            &format!("/api/v1/uploads/{}", corrected().1),
            &format!("/api/v1/uploads/{}?offset=", corrected().1),
            "/api/v1/uploads/",
        ];
        let behind = String::from_utf8_lossy(behind);
        let path = format!("{}{behind}", paths[route % paths.len()]);
        let types = ["application/json", "application/octet-stream", "text/plain", ""];
        let mut request = Request::new(Body::from(body(how >> 4, input)));
        // What hyper would not let through reaches no handler.
        *request.uri_mut() = path.parse().unwrap_or(Uri::from_static("/health"));
        *request.method_mut() =
            [Method::GET, Method::POST, Method::HEAD, Method::PUT][usize::from(how) % 4].clone();
        let mut set = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                request.headers_mut().insert(name, value);
            }
        };
        set(header::CONTENT_TYPE, types[usize::from(kind) % types.len()]);
        match how >> 2 & 3 {
            0 => {}
            1 => set(header::AUTHORIZATION, &format!("Bearer {}", self.tokens[0])),
            2 => set(header::AUTHORIZATION, &format!("Bearer {}", self.tokens[1])),
            _ => set(header::AUTHORIZATION, &behind),
        }
        if kind & 4 != 0 {
            set(header::CONTENT_LENGTH, &behind);
        }
        if kind & 8 != 0 {
            set(header::RANGE, &behind);
            set(header::IF_NONE_MATCH, &behind);
        }
        request
    }

    fn send(&self, request: Request<Body>) -> Bytes {
        let writes = request.method() == Method::POST && !request.uri().path().contains("challenge");
        let path = request.uri().path().to_owned();
        self.runtime.block_on(async {
            let response = self.service.call(request).await.unwrap();
            let status = response.status();
            let kind = response.headers().get(header::CONTENT_TYPE).cloned();
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            assert!(!status.is_server_error(), "the host fails on {path}");
            if (status.is_client_error() || status.is_redirection()) && !bytes.is_empty() {
                assert_eq!(kind.unwrap(), "application/problem+json", "{path}");
                let problem: Value = serde_json::from_slice(&bytes).expect("a refusal is JSON");
                assert_eq!(problem["status"], status.as_u16());
                assert!(problem["code"].as_str().is_some_and(|code| !code.is_empty()));
            }
            if writes && status.is_success() {
                self.kept.set(true);
            }
            bytes
        })
    }
}

/// A body: as it stands, or one of the documents with a header of the input, signed again.
fn body(how: u8, input: &mut Input<'_>) -> Vec<u8> {
    let bytes = input.piece();
    match how & 15 {
        0..=3 => bytes.to_vec(),
        4 => documents()[0].0.to_vec(),
        5 => documents()[1].0.to_vec(),
        6 => documents()[2].0.to_vec(),
        // The answer that corrects the other: its head begins an upload, pieces of it go on.
        8 => corrected().0[..corrected().2].to_vec(),
        9 => {
            let (start, end) = (Input(bytes).u16(), Input(bytes.get(2..).unwrap_or_default()).u16());
            let answer = corrected().0;
            answer.get(usize::from(start)..usize::from(end).min(answer.len())).unwrap_or_default().to_vec()
        }
        _ => {
            // A good roster or answer with another header.
            let (kind, header) = bytes.split_first().unwrap_or((&0, &[]));
            let again = if kind % 2 == 0 {
                protocol::canonical::decode(header)
                    .ok()
                    .and_then(|header: Roster| write(&header, &entries(), &[&world::key(1)]).ok())
            } else {
                protocol::canonical::decode(header).ok().and_then(|mut header: Answer| {
                    let body = vec![0; usize::try_from(header.body_bytes.min(1 << 17)).unwrap()];
                    (header.body_bytes, header.body_sha256) = (body.len() as u64, Digest::of(&body));
                    write(&header, &body, &[&world::key(2)]).ok()
                })
            };
            again.unwrap_or_default()
        }
    }
}

/// An entry for each slot and a second one for every fourth; they stand for nobody.
fn entries() -> Vec<u8> {
    let entry = |n: u32| {
        let mut token = [0; 16];
        token[..4].copy_from_slice(&n.to_be_bytes());
        Entry { token, slot: n % 64, folded_tag: [1; 2], exact_tag: 2, ordinal: u8::from(n >= 64) }
    };
    (0..80).flat_map(|n| entry(n).to_bytes()).collect()
}

/// A second version of the answer, which no host has yet: its bytes, its digest, and the length of its head.
fn corrected() -> (&'static [u8], Digest, usize) {
    use std::sync::OnceLock;
    static ANSWER: OnceLock<(Vec<u8>, Digest, usize)> = OnceLock::new();
    let (bytes, digest, head) = ANSWER.get_or_init(|| {
        let first = Document::<Answer>::read(documents()[2].0).unwrap();
        let header = Answer { version: 2, ..first.header };
        let bytes = write(&header, &first.body, &[&world::key(2)]).unwrap();
        let digest = Document::<Answer>::read(&bytes).unwrap().digest;
        let head = bytes.len() - first.body.len();
        (bytes, digest, head)
    });
    (bytes, *digest, *head)
}

/// The agreement, the roster and an answer that every host here begins with, and their digests.
fn documents() -> [(&'static [u8], Digest); 3] {
    use std::sync::OnceLock;
    static DOCUMENTS: OnceLock<[(Vec<u8>, Digest); 3]> = OnceLock::new();
    let documents = DOCUMENTS.get_or_init(|| {
        let (centre, bank) = (world::key(1), world::key(2));
        let agreement = co_sign(&write(&world::terms(), b"", &[&centre]).unwrap(), &bank).unwrap();
        let agreement_digest = Document::<protocol::agreement::Agreement>::read(&agreement).unwrap().digest;
        let body = entries();
        let level = Level::L0;
        let roster = Roster {
            agreement: agreement_digest,
            body_bytes: body.len() as u64,
            body_sha256: Digest::of(&body),
            entry_count: 80,
            opening_groups: vec![vec![SealingKey([1; 32])]],
            ticket: Base64(vec![6; 40]),
            token_key: Base64(vec![9; 80]),
            ..world::roster(level).roster
        };
        let bytes = write(&roster, &body, &[&centre]).unwrap();
        let roster_digest = Document::<Roster>::read(&bytes).unwrap().digest;
        let shape = Shape::of(&roster, &world::in_force(agreement_digest));
        let body = vec![0; usize::try_from(shape.body_bytes()).unwrap()];
        let answer = Answer {
            body_bytes: shape.body_bytes(),
            body_sha256: Digest::of(&body),
            created: world::now(),
            institution: roster.institution.clone(),
            module_release: roster.module_minimum,
            module_sha256: Digest([0; 32]),
            roster: roster_digest,
            roster_id: roster.id,
            slot_count: roster.slot_count,
            slot_size: roster.slot_size,
            version: 1,
        };
        let answer = write(&answer, &body, &[&bank]).unwrap();
        let answer_digest = Document::<Answer>::read(&answer).unwrap().digest;
        [(agreement, agreement_digest), (bytes, roster_digest), (answer, answer_digest)]
    });
    documents.each_ref().map(|(bytes, digest)| (bytes.as_slice(), *digest))
}

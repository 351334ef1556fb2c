//! A host in a temporary directory, a clock that a test sets, the parties, their documents, and an HTTP
//! client small enough to misbehave with.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use host::{Clock, Config, Fittings, Patience, Running, StartError, State};
use protocol::agreement::{Agreement, AgreementInForce, Centre, Institution};
use protocol::answer::{Answer, Shape};
use protocol::envelope::{co_sign, write};
use protocol::joining::InstitutionKind;
use protocol::roster::{Entry, Field, KemName, Level, PrfName, Roster, SuiteName};
use protocol::secret::SigningKey;
use protocol::value::{Base64, RosterId};
use protocol::{Code, Digest, Document, PublicKey, SealingKey, Time};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// 2026-11-22T08:00:00Z, unless a test says otherwise.
pub(crate) const NOW: u64 = 1_795_334_400;
pub(crate) const HOUR: u64 = 3600;
pub(crate) const DAY: u64 = 24 * HOUR;

pub(crate) fn code(text: &str) -> Code {
    text.parse().unwrap()
}

pub(crate) fn time(unix: u64) -> Time {
    Time::from_unix(unix).unwrap()
}

#[derive(Clone)]
struct SetClock(Arc<AtomicU64>);

impl Clock for SetClock {
    fn now(&self) -> Option<Time> {
        Time::from_unix(self.0.load(Ordering::SeqCst))
    }
}

/// Somebody with a key.
pub(crate) struct Actor {
    pub(crate) code: Code,
    pub(crate) key: SigningKey,
}

impl Actor {
    fn new(name: &str, seed: u8) -> Self {
        Self { code: code(name), key: SigningKey::from_seed(&[seed; 32]) }
    }
}

pub(crate) struct Actors {
    pub(crate) centre: Actor,
    pub(crate) bank: Actor,
    pub(crate) other: Actor,
    pub(crate) stranger: Actor,
}

pub(crate) fn actors() -> Actors {
    Actors {
        centre: Actor::new("centre", 1),
        bank: Actor::new("bank", 2),
        other: Actor::new("other-bank", 3),
        stranger: Actor::new("stranger", 4),
    }
}

pub(crate) struct TestHost {
    pub(crate) directory: TempDir,
    pub(crate) address: SocketAddr,
    pub(crate) key: PublicKey,
    clock: SetClock,
    runtime: Runtime,
    running: Option<(Running, oneshot::Sender<()>)>,
}

pub(crate) fn config(data_dir: PathBuf) -> Config {
    Config {
        data_dir,
        listen: "127.0.0.1:0".parse().unwrap(),
        code: code("host-1"),
        centre_keys: vec![actors().centre.key.public()],
        web_dir: None,
        artifact_dir: None,
    }
}

/// Short enough for a test that waits for the end of it.
fn patience() -> Patience {
    Patience {
        head: Duration::from_secs(2),
        piece: Duration::from_millis(400),
        body: Duration::from_secs(20),
        linger: Duration::from_secs(1),
        ..Patience::default()
    }
}

impl TestHost {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config = config(directory.path().join("data"));
        change(&mut config);
        let runtime = Runtime::new().unwrap();
        let clock = SetClock(Arc::new(AtomicU64::new(NOW)));
        let (running, stop) = runtime.block_on(run(config, clock.clone())).unwrap();
        let (address, key) = (running.address(), running.key());
        Self { directory, address, key, clock, runtime, running: Some((running, stop)) }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub(crate) fn set_now(&self, unix: u64) {
        self.clock.0.store(unix, Ordering::SeqCst);
    }

    pub(crate) fn stop(&mut self) {
        let (running, stop) = self.running.take().unwrap();
        stop.send(()).unwrap();
        self.runtime.block_on(running.finished()).unwrap();
    }

    pub(crate) fn try_start_again(&mut self) -> Result<(), StartError> {
        let (running, stop) = self.runtime.block_on(run(config(self.data()), self.clock.clone()))?;
        self.address = running.address();
        self.running = Some((running, stop));
        Ok(())
    }

    pub(crate) fn restart(&mut self) {
        self.stop();
        self.try_start_again().unwrap();
    }

    pub(crate) fn client(&self) -> Client {
        Client { address: self.address, token: None }
    }

    pub(crate) fn signed_in(&self, actor: &Actor) -> Client {
        Client { token: Some(self.client().sign_in(actor)), ..self.client() }
    }

    /// Both agreements handed in, one roster to each bank.
    pub(crate) fn with_rosters(&self) -> World {
        let Actors { centre, bank, other, .. } = actors();
        let as_centre = self.signed_in(&centre);
        let [agreement, other_agreement] = [&bank, &other].map(|bank| agreement(&centre, bank));
        for bytes in [&agreement, &other_agreement] {
            assert_eq!(as_centre.post("/api/v1/agreements", bytes).status, 201);
        }
        let roster = roster(&agreement, &bank, 1);
        let other_roster = self::roster(&other_agreement, &other, 1);
        for bytes in [&roster, &other_roster] {
            assert_eq!(as_centre.post("/api/v1/rosters", bytes).status, 201);
        }
        World {
            as_bank: self.signed_in(&bank),
            as_other: self.signed_in(&other),
            as_centre,
            bank,
            other,
            agreement,
            roster,
            other_roster,
        }
    }
}

async fn run(config: Config, clock: SetClock) -> Result<(Running, oneshot::Sender<()>), StartError> {
    let fittings = Fittings { clock: Box::new(clock), patience: patience(), ..Fittings::default() };
    let state = State::open_with(config, fittings).await?;
    let (stop, stopped) = oneshot::channel();
    let running = host::serve_state(state, async { drop(stopped.await) }).await?;
    Ok((running, stop))
}

pub(crate) struct World {
    pub(crate) as_centre: Client,
    pub(crate) as_bank: Client,
    pub(crate) as_other: Client,
    pub(crate) bank: Actor,
    pub(crate) other: Actor,
    pub(crate) agreement: Vec<u8>,
    pub(crate) roster: Vec<u8>,
    pub(crate) other_roster: Vec<u8>,
}

impl World {
    pub(crate) fn answers_path(&self) -> String {
        format!("/api/v1/rosters/{}/answers", roster_digest(&self.roster))
    }

    pub(crate) fn answer(&self, version: u32) -> Vec<u8> {
        answer(&self.roster, &self.agreement, &self.bank, version, |_| {})
    }
}

pub(crate) fn terms(centre: &Actor, bank: &Actor) -> Agreement {
    Agreement {
        approval_required: false,
        approver_keys: Vec::new(),
        centre: Centre {
            code: centre.code.clone(),
            name: "核对中心".parse().unwrap(),
            sealing_key: SealingKey([7; 32]),
            signing_key: centre.key.public(),
        },
        compliance_key: None,
        cosigner_key: None,
        fields: vec![Field::Name],
        institution: Institution {
            code: bank.code.clone(),
            kind: InstitutionKind::Bank,
            name: "银行".parse().unwrap(),
            sealing_key: SealingKey([8; 32]),
            signing_key: bank.key.public(),
        },
        level: Level::L1,
        number: "2026-1".parse().unwrap(),
        page_sha256: None,
        prfs: vec![PrfName::Blake3],
        purpose: "社会救助家庭经济状况核对".parse().unwrap(),
        suites: vec![SuiteName::Keyed],
        valid_from: time(NOW - 100 * DAY).date(),
        valid_to: time(NOW + 300 * DAY).date(),
    }
}

pub(crate) fn agreement(centre: &Actor, bank: &Actor) -> Vec<u8> {
    sign_agreement(&terms(centre, bank), centre, bank)
}

pub(crate) fn sign_agreement(terms: &Agreement, centre: &Actor, bank: &Actor) -> Vec<u8> {
    co_sign(&write(terms, b"", &[&centre.key]).unwrap(), &bank.key).unwrap()
}

pub(crate) fn agreement_digest(bytes: &[u8]) -> Digest {
    Document::<Agreement>::read(bytes).unwrap().digest
}

pub(crate) fn roster_digest(bytes: &[u8]) -> Digest {
    Document::<Roster>::read(bytes).unwrap().digest
}

pub(crate) fn answer_digest(bytes: &[u8]) -> Digest {
    protocol::Head::parse(bytes).unwrap().verify::<Answer>().unwrap().digest
}

pub(crate) fn roster(agreement: &[u8], bank: &Actor, serial: u64) -> Vec<u8> {
    roster_with(agreement, bank, serial, |_| {})
}

/// Signed by the centre, 80 entries that stand for nobody.
pub(crate) fn roster_with(
    agreement: &[u8],
    bank: &Actor,
    serial: u64,
    change: impl FnOnce(&mut Roster),
) -> Vec<u8> {
    let body = entries(64);
    let mut header = Roster {
        agreement: agreement_digest(agreement),
        as_of: time(NOW - 30 * DAY).date(),
        authorisations_root: Digest([5; 32]),
        body_bytes: body.len() as u64,
        body_sha256: Digest::of(&body),
        entry_count: 80,
        expires: time(NOW + 10 * DAY),
        fields: vec![Field::Name],
        id: RosterId([serial as u8; 16]),
        income_from: None,
        income_to: None,
        institution: bank.code.clone(),
        issued: time(NOW - DAY),
        kem: KemName::X25519,
        legal_basis: "社会救助暂行办法".parse().unwrap(),
        level: Level::L1,
        line: None,
        module_minimum: "0.1.0".parse().unwrap(),
        opening_groups: vec![vec![SealingKey([1; 32]), SealingKey([2; 32])]],
        prf: PrfName::Blake3,
        purpose: "核对".parse().unwrap(),
        serial,
        slot_count: 64,
        slot_size: 592,
        suite: SuiteName::Keyed,
        ticket: Base64(vec![6; 40]),
        token_key: Base64(vec![9; 80]),
    };
    change(&mut header);
    let mut body = body;
    if header.slot_count != 64 {
        body = entries(header.slot_count);
        header.entry_count = header.slot_count / 4 * 5;
        (header.body_bytes, header.body_sha256) = (body.len() as u64, Digest::of(&body));
    }
    write(&header, &body, &[&actors().centre.key]).unwrap()
}

/// An entry for each of `slots`, and a second one for every fourth.
fn entries(slots: u32) -> Vec<u8> {
    let entry = |n: u32| {
        let mut token = [0; 16];
        token[..4].copy_from_slice(&n.to_be_bytes());
        Entry { token, slot: n % slots, folded_tag: [1; 2], exact_tag: 2, ordinal: u8::from(n >= slots) }
    };
    (0..slots / 4 * 5).flat_map(|n| entry(n).to_bytes()).collect()
}

/// The right shape, and bytes that no one could open: the host can't tell.
pub(crate) fn answer(
    roster: &[u8],
    agreement: &[u8],
    bank: &Actor,
    version: u32,
    change: impl FnOnce(&mut Answer),
) -> Vec<u8> {
    let roster = Document::<Roster>::read(roster).unwrap();
    // For its length alone: whether it is in force is the host's question.
    let Document { header: terms, digest, .. } = Document::<Agreement>::read(agreement).unwrap();
    let length = Shape::of(&roster.header, &AgreementInForce { terms, digest }).body_bytes();
    let body: Vec<u8> = (0..length).map(|n| (n % 251) as u8 ^ version as u8).collect();
    let mut header = Answer {
        body_bytes: length,
        body_sha256: Digest::of(&body),
        created: time(NOW),
        institution: bank.code.clone(),
        module_release: "0.1.0".parse().unwrap(),
        module_sha256: Digest([4; 32]),
        roster: roster.digest,
        roster_id: roster.header.id,
        slot_count: roster.header.slot_count,
        slot_size: roster.header.slot_size,
        version,
    };
    change(&mut header);
    let mut bytes = protocol::envelope::write_head(&header, &[&bank.key]).unwrap();
    bytes.extend_from_slice(&body);
    bytes
}

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) token: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Status and code of a refusal, whose document must be whole.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let json = self.json();
        let code = json["code"].as_str().unwrap().to_owned();
        assert_eq!(json["status"], self.status);
        assert_eq!(json["type"], format!("urn:hedui:problem:{code}"));
        assert!(json["title"].is_string() && json["detail"].is_string());
        assert!(json["field"].is_string() || json["field"].is_null());
        (self.status, code)
    }
}

impl Client {
    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], b"")
    }

    /// A document.
    pub(crate) fn post(&self, path: &str, body: &[u8]) -> Reply {
        self.send("POST", path, &[("content-type", "application/octet-stream")], body)
    }

    pub(crate) fn post_json(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let length = body.len().to_string();
        let mut all = headers.to_vec();
        if method == "POST" {
            all.push(("content-length", &length));
        }
        let mut stream = self.begin(method, path, &all);
        // A refusal may come before all is sent.
        let _ = stream.write_all(body);
        finish(stream)
    }

    /// Sends a head, and leaves the body to the caller.
    pub(crate) fn begin(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        if let Some(token) = &self.token {
            head += &format!("authorization: Bearer {token}\r\n");
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all((head + "\r\n").as_bytes()).unwrap();
        stream
    }

    pub(crate) fn challenge(&self, actor: &Actor) -> [u8; 32] {
        let reply = self.post_json("/api/v1/sign-in/challenge", &json!({ "key": actor.key.public() }));
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.json()["host"], "host-1");
        STANDARD.decode(reply.json()["challenge"].as_str().unwrap()).unwrap().try_into().unwrap()
    }

    pub(crate) fn sign_in_with(&self, actor: &Actor, challenge: &[u8; 32], signature: &[u8; 64]) -> Reply {
        let (challenge, signature) = (STANDARD.encode(challenge), STANDARD.encode(signature));
        let body = json!({ "key": actor.key.public(), "challenge": challenge, "signature": signature });
        self.post_json("/api/v1/sign-in", &body)
    }

    pub(crate) fn sign_in(&self, actor: &Actor) -> String {
        let challenge = self.challenge(actor);
        let reply = self.sign_in_with(actor, &challenge, &actor.key.sign_in(&code("host-1"), &challenge));
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["token"].as_str().unwrap().to_owned()
    }
}

/// Reads the reply to its end.
pub(crate) fn finish(mut stream: TcpStream) -> Reply {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let split = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("a reply");
    let head = String::from_utf8(bytes[..split].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap()).map(|(n, v)| (n.to_owned(), v.to_owned()));
    let reply = Reply { status, headers: headers.collect(), body: bytes[split + 4..].to_vec() };
    if let Some(length) = reply.header("content-length") {
        assert_eq!(length, reply.body.len().to_string(), "the reply is cut short");
    }
    reply
}

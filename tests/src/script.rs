//! Sessions whose requests are all known beforehand, so that the very same list goes to every runner:
//! the native library, wasmtime and Chromium.

use protocol::value::Digest;
use serde_json::Value;

use crate::browser::Browser;
use crate::module::{self, Native, OpenRequest, Runner, op, reply, request};

/// `read` is asked this often: enough for the answers here, and at least one reply more, which is empty.
const READS: usize = 4;

/// The requests of one session, in their order.
#[derive(Debug, Clone)]
pub struct Script {
    /// What it is about.
    pub name: String,
    /// The requests.
    pub requests: Vec<Vec<u8>>,
}

impl Script {
    /// A whole run over one file in chunks of `chunk` bytes. Where a step is refused, the rest is as well.
    pub fn run(name: impl Into<String>, open: &OpenRequest, file: &[u8], chunk: usize) -> Self {
        let mut requests = vec![open.bytes()];
        requests.extend(file.chunks(chunk).map(|piece| request(op::PUSH, piece)));
        requests.push(request(op::FINISH, &[]));
        requests.extend(vec![request(op::READ, &[]); READS]);
        Self { name: name.into(), requests }
    }
}

/// What the first refusal among `replies` says; `None` when there is none.
pub fn refusal(replies: &[Vec<u8>]) -> Option<Value> {
    replies.iter().find_map(|bytes| reply(bytes).err())
}

/// The code of the first refusal, or `accepted`.
pub fn code(replies: &[Vec<u8>]) -> String {
    refusal(replies).map_or("accepted".to_owned(), |error| error["code"].as_str().unwrap().to_owned())
}

/// The answer document of a [`Script::run`] that was not refused.
///
/// # Panics
/// When a step was refused.
pub fn answer(replies: &[Vec<u8>]) -> Vec<u8> {
    let pieces: Vec<Vec<u8>> =
        replies[replies.len() - READS..].iter().map(|bytes| reply(bytes).unwrap()).collect();
    assert!(pieces[READS - 1].is_empty(), "the answer is read to its end");
    pieces.concat()
}

/// The report of a [`Script::run`] that was not refused.
pub fn report(replies: &[Vec<u8>]) -> Value {
    serde_json::from_slice(&reply(&replies[replies.len() - READS - 1]).unwrap()).unwrap()
}

/// All three runners.
pub struct Everywhere(Browser);

impl Everywhere {
    /// Starts Chromium; the others need no start.
    pub async fn start() -> Self {
        let browser = Browser::start().await;
        browser.matcher().await;
        Self(browser)
    }

    /// Plays the script on each runner and gives the replies, which must be the same to the byte.
    ///
    /// # Panics
    /// When they are not.
    pub async fn play(&self, script: &Script) -> Vec<Vec<u8>> {
        let native = Native::default().send_all(&script.requests);
        let wasmtime = module::wasmtime().send_all(&script.requests);
        let chromium = self.0.play(&script.requests).await;
        assert_eq!((native.len(), native.len()), (wasmtime.len(), chromium.len()), "{}", script.name);
        for (n, native) in native.iter().enumerate() {
            let [wasmtime, chromium] = [&wasmtime[n], &chromium[n]];
            assert!(
                wasmtime == chromium,
                "{}: reply {n} differs: {:?}",
                script.name,
                said(wasmtime, chromium)
            );
            assert!(
                in_order(native) == in_order(wasmtime),
                "{}: reply {n} differs: {:?}",
                script.name,
                said(native, wasmtime)
            );
        }
        native
    }
}

/// Two replies in words, for a message.
fn said(one: &[u8], other: &[u8]) -> [String; 2] {
    [one, other].map(|reply| {
        format!("{}: {}", Digest::of(reply), String::from_utf8_lossy(&reply[..reply.len().min(300)]))
    })
}

/// A reply whose JSON, if it is any, has its members in order. In the order of the artifact's replies they always are;
/// natively `serde_json` keeps another one as soon as any crate of the build asks it to (`preserve_order`).
pub fn in_order(reply: &[u8]) -> Vec<u8> {
    let json = reply.get(1..).and_then(|json| serde_json::from_slice::<Value>(json).ok());
    let canonical = json.filter(Value::is_object).and_then(|json| protocol::canonical::encode(&json).ok());
    match (reply.first(), canonical) {
        (Some(status), Some(json)) => [&[*status], json.as_slice()].concat(),
        _ => reply.to_vec(),
    }
}

//! Uploads that stop, drip, lie about their length or never end.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use protocol::{Digest, Head};

use crate::fixture::*;

const OCTETS: (&str, &str) = ("content-type", "application/octet-stream");

fn incoming(host: &TestHost) -> usize {
    std::fs::read_dir(host.data().join("blobs/incoming")).map_or(0, Iterator::count)
}

/// The host notices a lost connection on its own; give it a moment.
fn soon(mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(5) {
        if condition() {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    false
}

#[test]
fn an_interrupted_upload_leaves_nothing_and_the_next_succeeds() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let path = world.answers_path();
    let answer = world.answer(1);
    let length = answer.len().to_string();
    let head = Head::parse(&answer).unwrap().length;
    for cut in [0, 10, head - 1, head, head + 1, answer.len() / 2, answer.len() - 1] {
        let mut stream = world.as_bank.begin("POST", &path, &[OCTETS, ("content-length", &length)]);
        stream.write_all(&answer[..cut]).unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
    }
    assert!(soon(|| incoming(&host) == 0), "partial files are dropped");
    assert_eq!(world.as_bank.get(&path).json(), serde_json::json!([]));
    assert_eq!(world.as_centre.get("/api/v1/log").json()["length"], 4);
    // The cut uploads may count as being under way for a moment longer: 429, and the client tries again.
    let mut status = 0;
    assert!(soon(|| {
        status = world.as_bank.post(&path, &answer).status;
        status != 429
    }));
    assert_eq!(status, 201);
    assert_eq!(world.as_bank.get(&format!("/api/v1/answers/{}", answer_digest(&answer))).body, answer);
}

#[test]
fn a_body_in_chunks_is_taken_like_any_other() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let answer = world.answer(1);
    let send = |bytes: &[u8]| {
        let chunked = ("transfer-encoding", "chunked");
        let mut stream = world.as_bank.begin("POST", &world.answers_path(), &[OCTETS, chunked]);
        for chunk in bytes.chunks(997) {
            if write!(stream, "{:x}\r\n", chunk.len()).and_then(|()| stream.write_all(chunk)).is_err() {
                break;
            }
            let _ = stream.write_all(b"\r\n");
        }
        let _ = stream.write_all(b"0\r\n\r\n");
        finish(stream)
    };
    assert_eq!(send(&answer[..answer.len() - 1]).problem().1, "truncated");
    assert_eq!(send(&[&answer[..], b"x"].concat()).problem().1, "trailing_bytes");
    assert_eq!(send(&[&answer[..], &vec![0; 3_000_000]].concat()).problem().1, "trailing_bytes");
    assert_eq!(send(&answer).status, 201);
}

#[test]
fn a_giant_is_refused_by_its_declared_length() {
    let host = TestHost::start();
    let world = host.with_rosters();
    for (path, client) in [
        (world.answers_path().as_str(), &world.as_bank),
        ("/api/v1/rosters", &world.as_centre),
        ("/api/v1/agreements", &world.as_centre),
    ] {
        let start = Instant::now();
        let stream = client.begin("POST", path, &[OCTETS, ("content-length", "10000000000")]);
        assert_eq!(finish(stream).problem(), (413, "body_too_large".to_owned()), "{path}");
        assert!(start.elapsed() < Duration::from_secs(2), "at once");
    }
    let json = ("content-type", "application/json");
    let stream = host.client().begin("POST", "/api/v1/sign-in", &[json, ("content-length", "16385")]);
    assert_eq!(finish(stream).problem().1, "body_too_large");
}

#[test]
fn a_client_that_stalls_is_given_up_on() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let answer = world.answer(1);
    let length = answer.len().to_string();
    for sent in [0, 100, answer.len() - 1] {
        let mut stream =
            world.as_bank.begin("POST", &world.answers_path(), &[OCTETS, ("content-length", &length)]);
        stream.write_all(&answer[..sent]).unwrap();
        assert_eq!(finish(stream).problem(), (408, "too_slow".to_owned()), "after {sent} bytes");
    }
    assert!(soon(|| incoming(&host) == 0));
}

#[test]
fn a_head_that_does_not_end_is_given_up_on() {
    let host = TestHost::start();
    let start = Instant::now();
    let mut stream = TcpStream::connect(host.address).unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n").unwrap();
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply);
    assert!(!reply.starts_with(b"HTTP/1.1 200"));
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_client_that_asks_first_sends_nothing_in_vain() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let answer = world.answer(1);
    let length = answer.len().to_string();
    let headers = [OCTETS, ("content-length", &length), ("expect", "100-continue")];
    // Refused before the body: the reply comes at once, without "100 Continue".
    let stream = host.client().begin("POST", &world.answers_path(), &headers);
    assert_eq!(finish(stream).problem().1, "not_signed_in");
    // Else it is asked to go on.
    let mut stream = world.as_bank.begin("POST", &world.answers_path(), &headers);
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&answer).unwrap();
    assert_eq!(finish(stream).status, 201);
}

#[test]
fn a_refused_upload_reads_its_refusal_after_sending_everything() {
    let host = TestHost::start();
    let world = host.with_rosters();
    // Megabytes follow a head that is refused at once: the reply must not be lost in a reset.
    let bytes = [&b"no document\n"[..], &vec![7; 40_000]].concat();
    for _ in 0..20 {
        assert_eq!(world.as_bank.post(&world.answers_path(), &bytes).problem().1, "not_a_document");
    }
    assert_eq!(host.client().post("/api/v1/rosters", &vec![7; 8_000_000]).problem().1, "not_signed_in");
}

#[test]
fn one_answer_sent_many_times_at_once_is_recorded_once() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let path = world.answers_path();
    let answer = world.answer(1);
    let rival = crate::fixture::answer(&world.roster, &world.agreement, &world.bank, 1, |a| {
        a.module_sha256 = Digest([9; 32]);
    });
    let replies: Vec<Reply> = thread::scope(|scope| {
        let senders: Vec<_> = [&answer, &rival, &answer, &rival]
            .map(|bytes| scope.spawn(|| world.as_bank.post(&path, bytes)))
            .into_iter()
            .collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    let accepted: Vec<&Reply> = replies.iter().filter(|reply| reply.status < 300).collect();
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
    assert!(accepted.iter().all(|reply| reply.body == accepted[0].body));
    assert!(
        replies.iter().filter(|reply| reply.status >= 300).all(|reply| reply.problem().1 == "version_taken")
    );
    assert_eq!(world.as_bank.get(&path).json().as_array().unwrap().len(), 1);
    assert_eq!(world.as_centre.get("/api/v1/log").json()["length"], 5);
    assert_eq!(incoming(&host), 0);
}

#[test]
fn an_institution_has_four_uploads_at_once() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let answer = world.answer(1);
    let length = answer.len().to_string();
    let begin = || {
        let mut stream =
            world.as_bank.begin("POST", &world.answers_path(), &[OCTETS, ("content-length", &length)]);
        stream.write_all(&answer[..answer.len() - 10]).unwrap();
        stream
    };
    let open: Vec<_> = (0..4).map(|_| begin()).collect();
    assert!(soon(|| incoming(&host) == 4));
    assert_eq!(
        world.as_bank.post(&world.answers_path(), &answer).problem(),
        (429, "too_many_uploads".to_owned())
    );
    // Another bank is not held up.
    let path = format!("/api/v1/rosters/{}/answers", roster_digest(&world.other_roster));
    assert_eq!(world.as_other.post(&path, &answer).problem().1, "wrong_signer");
    drop(open);
    assert!(soon(|| world.as_bank.post(&world.answers_path(), &answer).status == 201));
}

//! The host as a process of its own: `kill -9`, memory, two on one directory.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use protocol::roster::{Level, Roster};

use crate::fixture::*;

pub(crate) fn spawn(data: &std::path::Path) -> (Child, Client) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hedui-host"))
        .args(["--code", "host-1", "--listen", "127.0.0.1:0"])
        .args(["--centre", &actors().centre.key.public().to_string()])
        .arg("--data")
        .arg(data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.split(' ').next().unwrap().strip_prefix("http://").unwrap();
    let client = Client { address: address.parse().unwrap(), token: None };
    (child, client)
}

#[test]
fn a_killed_host_has_kept_what_it_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let Actors { centre, bank, .. } = actors();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let today = time(now).date();
    let mut terms = terms(&centre, &bank);
    (terms.valid_from, terms.valid_to) = (today, time(now + DAY).date());
    let agreement = sign_agreement(&terms, &centre, &bank);
    let current = |roster: &mut Roster| (roster.issued, roster.expires) = (time(now), time(now + DAY));

    let (mut child, client) = spawn(&data);
    let as_centre = Client { token: Some(client.sign_in(&centre)), ..client };
    assert_eq!(as_centre.post("/api/v1/agreements", &agreement).status, 201);
    let roster = roster_with(&agreement, &bank, 1, current);
    assert_eq!(as_centre.post("/api/v1/rosters", &roster).status, 201);
    let path = format!("/api/v1/rosters/{}/answers", roster_digest(&roster));
    let answer_of = |version| answer(&roster, &agreement, &bank, version, |_| {});

    let mut client = as_centre;
    for version in 1..=3 {
        let as_bank = Client { token: Some(client.sign_in(&bank)), ..client };
        let answer = answer_of(version);
        let receipt = as_bank.post(&path, &answer);
        assert_eq!(receipt.status, 201, "{receipt:?}");

        // Another one is half way in when the power goes.
        let next = answer_of(version + 1);
        let length = next.len().to_string();
        let headers = [("content-type", "application/octet-stream"), ("content-length", length.as_str())];
        let mut cut = as_bank.begin("POST", &path, &headers);
        cut.write_all(&next[..next.len() / 2]).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();

        (child, client) = spawn(&data);
        let as_bank = Client { token: as_bank.token, ..client.clone() };
        let again = as_bank.post(&path, &answer);
        assert_eq!((again.status, again.body), (200, receipt.body));
        let listed = as_bank.get(&path).json();
        assert_eq!(listed.as_array().unwrap().len(), version as usize);
        let digest = answer_digest(&answer);
        assert_eq!(as_bank.get(&format!("/api/v1/answers/{digest}")).body, answer);
        assert!(!data.join("blobs/incoming").exists(), "what was half way in is gone");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The most memory that a process has had, in bytes.
fn peak_memory(child: &Child) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

#[test]
fn a_large_answer_does_not_fill_memory() {
    let directory = tempfile::tempdir().unwrap();
    let Actors { centre, bank, .. } = actors();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut terms = terms(&centre, &bank);
    terms.level = Level::L2;
    (terms.valid_from, terms.valid_to) = (time(now).date(), time(now + DAY).date());
    let agreement = sign_agreement(&terms, &centre, &bank);
    let roster = roster_with(&agreement, &bank, 1, |roster| {
        (roster.issued, roster.expires) = (time(now), time(now + DAY));
        (roster.level, roster.slot_size, roster.slot_count) = (Level::L2, 2640, 32_768);
    });

    let (mut child, client) = spawn(directory.path());
    let as_centre = Client { token: Some(client.sign_in(&centre)), ..client };
    assert_eq!(as_centre.post("/api/v1/agreements", &agreement).status, 201);
    assert_eq!(as_centre.post("/api/v1/rosters", &roster).status, 201);
    let before = peak_memory(&child);
    let answer = answer(&roster, &agreement, &bank, 1, |_| {});
    assert!(answer.len() > 80 << 20);
    let as_bank = Client { token: Some(as_centre.sign_in(&bank)), ..as_centre };
    let path = format!("/api/v1/rosters/{}/answers", roster_digest(&roster));
    assert_eq!(as_bank.post(&path, &answer).status, 201);
    let fetched = as_bank.get(&format!("/api/v1/answers/{}", answer_digest(&answer)));
    assert!(fetched.body == answer);
    let grown = peak_memory(&child) - before;
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(grown < 32 << 20, "{grown} bytes more");
}

/// Bodies without end: in chunks, so that no length is declared. Only a roster is read whole before it is
/// judged, up to the 64 MiB it may have.
#[test]
fn a_body_without_end_does_not_fill_memory() {
    let directory = tempfile::tempdir().unwrap();
    let Actors { centre, bank, .. } = actors();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut terms = terms(&centre, &bank);
    (terms.valid_from, terms.valid_to) = (time(now).date(), time(now + DAY).date());
    let agreement = sign_agreement(&terms, &centre, &bank);
    let roster = roster_with(&agreement, &bank, 1, |roster| {
        (roster.issued, roster.expires) = (time(now), time(now + DAY));
    });
    let (mut child, client) = spawn(directory.path());
    let as_centre = Client { token: Some(client.sign_in(&centre)), ..client.clone() };
    assert_eq!(as_centre.post("/api/v1/agreements", &agreement).status, 201);
    assert_eq!(as_centre.post("/api/v1/rosters", &roster).status, 201);
    let as_bank = Client { token: Some(client.sign_in(&bank)), ..client.clone() };
    let answers = format!("/api/v1/rosters/{}/answers", roster_digest(&roster));
    // An answer whose head is good, and whose body goes on for ever.
    let answer = answer(&roster, &agreement, &bank, 1, |answer| answer.created = time(now));

    let octets = "application/octet-stream";
    let start = peak_memory(&child);
    for (client, path, kind, begun, code) in [
        (&client, "/api/v1/sign-in", "application/json", &b"{"[..], "body_too_large"),
        (&client, "/api/v1/rosters", octets, b"", "not_signed_in"),
        (&as_centre, "/api/v1/agreements", octets, b"", "body_too_large"),
        (&as_bank, answers.as_str(), octets, &answer, "trailing_bytes"),
        (&as_bank, answers.as_str(), octets, b"hedui/answer/v1\n\0\0\xFF\xFF{", "signers"),
    ] {
        assert_eq!(endless(client, path, kind, begun), code, "{path}");
        let grown = peak_memory(&child) - start;
        assert!(grown < 16 << 20, "{path}: {grown} bytes more");
    }
    // Many at once, each declaring all that it may have, and then waiting.
    let length = (64 << 20).to_string();
    let headers = [("content-type", octets), ("content-length", length.as_str())];
    let waiting: Vec<_> = (0..50).map(|_| as_centre.begin("POST", "/api/v1/rosters", &headers)).collect();
    assert_eq!(as_bank.get("/api/v1/rosters").status, 200, "others are served meanwhile");
    let grown = peak_memory(&child) - start;
    assert!(grown < 32 << 20, "{grown} bytes more");
    drop(waiting);
    // A roster is gathered whole. A vector that grows has the old and the new one for a moment.
    assert_eq!(endless(&as_centre, "/api/v1/rosters", octets, b""), "body_too_large");
    let grown = peak_memory(&child) - start;
    assert!(grown < 224 << 20, "{grown} bytes more");
    assert_eq!(as_bank.post(&answers, &answer).status, 201);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Sends 150 MB in chunks, of which a host that has refused throws away what still comes, and gives the
/// refusal's code.
fn endless(client: &Client, path: &str, kind: &str, begun: &[u8]) -> String {
    let mut stream = client.begin("POST", path, &[("content-type", kind), ("transfer-encoding", "chunked")]);
    let mut send = |bytes: &[u8]| {
        write!(stream, "{:x}\r\n", bytes.len())
            .and_then(|()| stream.write_all(bytes))
            .and_then(|()| stream.write_all(b"\r\n"))
            .is_ok()
    };
    let chunk = vec![b'x'; 1 << 20];
    let _ = (begun.is_empty() || send(begun)) && (0..150).all(|_| send(&chunk)) && send(b"");
    finish(stream).problem().1
}

#[test]
fn two_hosts_do_not_share_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let (mut child, _) = spawn(directory.path());
    let second = Command::new(env!("CARGO_BIN_EXE_hedui-host"))
        .args(["--code", "host-1", "--listen", "127.0.0.1:0"])
        .args(["--centre", &actors().centre.key.public().to_string()])
        .arg("--data")
        .arg(directory.path())
        .output()
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("another host"));
}

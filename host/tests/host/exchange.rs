//! The whole way of an answer, and what is left of it afterwards.

use protocol::log::{LogEntry, verify};
use protocol::receipt::Receipt;
use protocol::{Digest, Document};
use serde_json::{Value, json};

use crate::fixture::*;

fn log(client: &Client) -> (Vec<LogEntry>, Digest) {
    let json = client.get("/api/v1/log").json();
    let entries: Vec<LogEntry> = serde_json::from_value(json["entries"].clone()).unwrap();
    let head: Digest = serde_json::from_value(json["head"].clone()).unwrap();
    assert_eq!(json["length"], entries.len());
    assert_eq!(verify(&entries), (head, None));
    (entries, head)
}

#[test]
fn from_agreement_to_receipt() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let roster = roster_digest(&world.roster);

    // The bank finds its agreement and its roster, and nothing of the other bank.
    let agreements = world.as_bank.get("/api/v1/agreements").json();
    let agreement = agreement_digest(&world.agreement);
    assert_eq!(agreements.as_array().unwrap().len(), 1);
    assert_eq!(agreements[0]["digest"], agreement.to_string());
    assert_eq!(agreements[0]["institution"], "bank");
    assert_eq!(world.as_bank.get(&format!("/api/v1/agreements/{agreement}")).body, world.agreement);

    let mut listed = world.as_bank.get("/api/v1/rosters").json();
    let expected = json!([{
        "digest": roster, "id": "01".repeat(16), "agreement": agreement,
        "centre_key": actors().centre.key.public(), "institution": "bank",
        "as_of": "2026-10-23", "level": "L1", "fields": ["name"],
        "issued": "2026-11-21T08:00:00Z", "expires": "2026-12-02T08:00:00Z",
        "serial": 1, "slot_count": 64, "slot_size": 592, "bytes": world.roster.len(),
        // One group of two keys, the coverage statement, 64 slots (SPEC §4.4).
        "answer_bytes": (32 + 48 * 2) + (4096 + 16) + 64 * (592 + 16),
        "fetched": null, "answered": [],
    }]);
    assert_eq!(listed, expected);
    let fetched = world.as_bank.get(&format!("/api/v1/rosters/{roster}"));
    assert_eq!(fetched.body, world.roster);
    assert_eq!(fetched.header("content-type"), Some("application/octet-stream"));
    let name = format!("attachment; filename=\"roster-{}.hedui\"", &roster.to_string()[..16]);
    assert_eq!(fetched.header("content-disposition"), Some(name.as_str()));

    // It answers.
    let answer = world.answer(1);
    let digest = answer_digest(&answer);
    let sent = world.as_bank.post(&world.answers_path(), &answer);
    assert_eq!(sent.status, 201, "{sent:?}");
    let receipt = Document::<Receipt>::read(&sent.body).unwrap();
    assert_eq!(receipt.signers, [host.key]);
    assert_eq!(receipt.header.answer, digest);
    assert_eq!(receipt.header.answer_bytes, answer.len() as u64);
    assert_eq!(receipt.header.roster, roster);
    assert_eq!(receipt.header.institution, world.bank.code);
    assert_eq!(receipt.header.received, time(NOW));

    // The log says so, with codes and digests alone.
    let (entries, head) = log(&world.as_centre);
    let actions: Vec<(&str, &str)> = entries.iter().map(|e| (e.action.as_str(), e.actor.as_str())).collect();
    assert_eq!(
        actions,
        [
            ("agreement.accepted", "centre"),
            ("agreement.accepted", "centre"),
            ("roster.accepted", "centre"),
            ("roster.accepted", "centre"),
            ("roster.fetched", "bank"),
            ("answer.received", "bank"),
        ]
    );
    assert_eq!((receipt.header.log_position, receipt.header.log_head), (6, head));
    assert_eq!(entries[5].object, Some(digest));
    let rest = world.as_centre.get("/api/v1/log?after=5").json();
    assert_eq!(rest["entries"].as_array().unwrap().len(), 1);

    // The centre finds and fetches it.
    listed = world.as_centre.get("/api/v1/rosters").json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[0]["answered"], json!([1]));
    assert_eq!(listed[0]["fetched"], "2026-11-22T08:00:00Z");
    let answers = world.as_centre.get(&world.answers_path()).json();
    assert_eq!(
        answers,
        json!([{
            "digest": digest, "roster": roster, "institution": "bank", "version": 1,
            "bytes": answer.len(), "received": "2026-11-22T08:00:00Z", "log_position": 6,
        }])
    );
    for client in [&world.as_centre, &world.as_bank] {
        assert_eq!(client.get(&format!("/api/v1/answers/{digest}")).body, answer);
        assert_eq!(client.get(&format!("/api/v1/answers/{digest}/receipt")).body, sent.body);
    }
}

#[test]
fn the_same_answer_again_gets_the_same_receipt() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let answer = world.answer(1);
    let first = world.as_bank.post(&world.answers_path(), &answer);
    let before = log(&world.as_centre);
    host.set_now(NOW + HOUR / 10);
    let again = world.as_bank.post(&world.answers_path(), &answer);
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.body, again.body);
    assert_eq!(log(&world.as_centre), before);

    // Even when the roster has expired since: the receipt is for what was accepted in time.
    host.set_now(NOW + 20 * DAY);
    let late = host.signed_in(&world.bank).post(&world.answers_path(), &answer);
    assert_eq!((late.status, late.body), (200, first.body));
}

#[test]
fn a_correction_has_a_higher_version() {
    let host = TestHost::start();
    let world = host.with_rosters();
    for version in [1, 2, 10] {
        assert_eq!(world.as_bank.post(&world.answers_path(), &world.answer(version)).status, 201);
    }
    let other =
        answer(&world.roster, &world.agreement, &world.bank, 2, |a| a.module_sha256 = Digest([9; 32]));
    let reply = world.as_bank.post(&world.answers_path(), &other);
    assert_eq!(reply.problem(), (409, "version_taken".to_owned()));
    assert_eq!(world.as_bank.get("/api/v1/rosters").json()[0]["answered"], json!([1, 2, 10]));
}

#[test]
fn the_same_agreement_or_roster_again_changes_nothing() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let before = log(&world.as_centre);
    let agreement = world.as_centre.post("/api/v1/agreements", &world.agreement);
    assert_eq!(
        (agreement.status, agreement.json()),
        (200, json!({ "digest": agreement_digest(&world.agreement) }))
    );
    let roster = world.as_centre.post("/api/v1/rosters", &world.roster);
    let expected = json!({ "digest": roster_digest(&world.roster), "id": "01".repeat(16) });
    assert_eq!((roster.status, roster.json()), (200, expected));
    assert_eq!(log(&world.as_centre), before);
}

#[test]
fn a_roster_that_is_fetched_twice_is_logged_once() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let path = format!("/api/v1/rosters/{}", roster_digest(&world.roster));
    for _ in 0..3 {
        assert_eq!(world.as_bank.get(&path).status, 200);
        assert_eq!(world.as_centre.get(&path).status, 200);
    }
    let (entries, _) = log(&world.as_centre);
    assert_eq!(entries.iter().filter(|e| e.action.as_str() == "roster.fetched").count(), 1);
}

#[test]
fn a_restart_keeps_everything() {
    let mut host = TestHost::start();
    let world = host.with_rosters();
    let answer = world.answer(1);
    let receipt = world.as_bank.post(&world.answers_path(), &answer).body;
    let paths = [
        "/api/v1/agreements".to_owned(),
        "/api/v1/rosters".to_owned(),
        "/api/v1/log".to_owned(),
        format!("/api/v1/rosters/{}", roster_digest(&world.roster)),
        format!("/api/v1/answers/{}", answer_digest(&answer)),
        "/health".to_owned(),
    ];
    let read = |client: &Client| paths.iter().map(|path| client.get(path).body).collect::<Vec<_>>();
    let before = read(&world.as_centre);
    host.restart();
    // The session as well: a token is good for its ten minutes.
    let again = Client { address: host.address, ..world.as_centre.clone() };
    assert_eq!(read(&again), before);
    let again = Client { address: host.address, ..world.as_bank.clone() };
    assert_eq!(again.post(&world.answers_path(), &answer).body, receipt);
}

#[test]
fn health_says_whose_receipts_these_are() {
    let host = TestHost::start();
    let expected: Value = json!({ "status": "ok", "code": "host-1", "key": host.key });
    assert_eq!(host.client().get("/health").json(), expected);
}

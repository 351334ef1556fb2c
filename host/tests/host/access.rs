//! Who may do what: every route against every party, sign-in, and the log that nobody may edit.

use host::{StartError, State};
use protocol::Digest;
use serde_json::json;

use crate::fixture::*;

/// Route by route: nobody, the centre, the bank it belongs to, the other bank.
const EXPECTED: [(&str, &str, [u16; 4]); 17] = [
    ("GET", "/health", [200; 4]),
    ("GET", "/api/v1/openapi.json", [200; 4]),
    ("POST", "/api/v1/sign-in/challenge", [400; 4]),
    ("POST", "/api/v1/sign-in", [400; 4]),
    ("GET", "/api/v1/agreements", [401, 200, 200, 200]),
    ("POST", "/api/v1/agreements", [401, 400, 403, 403]),
    ("GET", "/api/v1/agreements/{digest}", [401, 200, 200, 404]),
    ("GET", "/api/v1/rosters", [401, 200, 200, 200]),
    ("POST", "/api/v1/rosters", [401, 400, 403, 403]),
    ("GET", "/api/v1/rosters/{digest}", [401, 200, 200, 404]),
    ("GET", "/api/v1/rosters/{digest}/answers", [401, 200, 200, 404]),
    ("POST", "/api/v1/rosters/{digest}/answers", [401, 403, 400, 404]),
    ("POST", "/api/v1/rosters/{digest}/uploads", [401, 403, 400, 404]),
    ("POST", "/api/v1/uploads/{digest}", [401, 403, 400, 400]),
    ("GET", "/api/v1/answers/{digest}", [401, 200, 200, 404]),
    ("GET", "/api/v1/answers/{digest}/receipt", [401, 200, 200, 404]),
    ("GET", "/api/v1/log", [401, 200, 403, 403]),
];

#[test]
fn every_route_against_every_party() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let answer = world.answer(1);
    assert_eq!(world.as_bank.post(&world.answers_path(), &answer).status, 201);
    let routes = host::routes();
    assert_eq!(routes.len(), EXPECTED.len(), "a route without a row here is a route nobody thought about");
    for route in routes {
        let row = EXPECTED.iter().find(|(method, path, _)| (*method, *path) == (route.method, route.path));
        let (_, _, expected) = row.expect("a row for every route");
        let digest = match route.path {
            path if path.contains("/agreements/") => agreement_digest(&world.agreement),
            path if path.contains("/answers/{") => answer_digest(&answer),
            _ => roster_digest(&world.roster),
        };
        let path = route.path.replace("{digest}", &digest.to_string());
        let content_type = match route.takes {
            host::Takes::Json(_) => "application/json",
            _ => "application/octet-stream",
        };
        let clients = [&host.client(), &world.as_centre, &world.as_bank, &world.as_other];
        for (client, status) in clients.into_iter().zip(expected) {
            let reply = client.send(route.method, &path, &[("content-type", content_type)], b"");
            assert_eq!(reply.status, *status, "{} {path}", route.method);
            if reply.status >= 400 {
                reply.problem();
            }
        }
        // What is not there looks as what is not yours.
        if path != route.path && route.method == "GET" {
            let nothing = route.path.replace("{digest}", &Digest([0; 32]).to_string());
            assert_eq!(world.as_other.get(&nothing).body, world.as_other.get(&path).body);
        }
    }
}

#[test]
fn other_methods_are_refused() {
    let host = TestHost::start();
    let world = host.with_rosters();
    for route in host::routes() {
        let path = route.path.replace("{digest}", &roster_digest(&world.roster).to_string());
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
            let reply = world.as_centre.send(method, &path, &[], b"");
            assert_eq!(reply.problem(), (405, "method_not_allowed".to_owned()), "{method} {path}");
            assert!(
                reply.header("allow").is_some_and(|allow| allow.contains(route.method)),
                "{method} {path}"
            );
        }
    }
}

#[test]
fn lists_show_what_is_ones_own() {
    let host = TestHost::start();
    let world = host.with_rosters();
    for path in ["/api/v1/agreements", "/api/v1/rosters"] {
        let whose = |client: &Client| -> Vec<String> {
            let list = client.get(path).json();
            let items = list.as_array().unwrap().iter();
            items.map(|item| item["institution"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(whose(&world.as_bank), ["bank"]);
        assert_eq!(whose(&world.as_other), ["other-bank"]);
        assert_eq!(whose(&world.as_centre), ["bank", "other-bank"]);
    }
}

#[test]
fn sign_in_says_who_one_is() {
    let host = TestHost::start();
    let world = host.with_rosters();
    for (actor, role, code_) in [(&actors().centre, "centre", "centre"), (&world.bank, "institution", "bank")]
    {
        let challenge = host.client().challenge(actor);
        let signature = actor.key.sign_in(&code("host-1"), &challenge);
        let reply = host.client().sign_in_with(actor, &challenge, &signature).json();
        assert_eq!((reply["role"].as_str(), reply["code"].as_str()), (Some(role), Some(code_)));
        assert_eq!(reply["expires"], "2026-11-22T08:10:00Z");
    }
    // Before its first agreement a centre has no code but its key.
    let fresh = TestHost::start();
    let centre = actors().centre;
    let challenge = fresh.client().challenge(&centre);
    let reply =
        fresh.client().sign_in_with(&centre, &challenge, &centre.key.sign_in(&code("host-1"), &challenge));
    assert_eq!(reply.json()["code"], format!("centre-{}", &centre.key.public().to_string()[..8]));
}

#[test]
fn what_signs_nobody_in() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let (client, here) = (host.client(), code("host-1"));
    let refused = |reply: Reply| assert_eq!(reply.problem(), (401, "sign_in_refused".to_owned()));

    // A stranger gets a challenge like anybody, and no token for it.
    let stranger = actors().stranger;
    let challenge = client.challenge(&stranger);
    refused(client.sign_in_with(&stranger, &challenge, &stranger.key.sign_in(&here, &challenge)));

    let bank = &world.bank;
    let challenge = client.challenge(bank);
    let signature = bank.key.sign_in(&here, &challenge);
    // Signed for another host, by another key, over another challenge, or with a made-up challenge.
    refused(client.sign_in_with(bank, &challenge, &bank.key.sign_in(&code("host-2"), &challenge)));
    refused(client.sign_in_with(bank, &challenge, &world.other.key.sign_in(&here, &challenge)));
    refused(client.sign_in_with(bank, &client.challenge(bank), &signature));
    refused(client.sign_in_with(bank, &[7; 32], &bank.key.sign_in(&here, &[7; 32])));
    // Another party's challenge.
    let others = client.challenge(&world.other);
    refused(client.sign_in_with(bank, &others, &bank.key.sign_in(&here, &others)));
    // None of that used it up; it works once.
    assert_eq!(client.sign_in_with(bank, &challenge, &signature).status, 200);
    refused(client.sign_in_with(bank, &challenge, &signature));
    // It lives for two minutes.
    let challenge = client.challenge(bank);
    let signature = bank.key.sign_in(&here, &challenge);
    host.set_now(NOW + 120);
    refused(client.sign_in_with(bank, &challenge, &signature));
    host.set_now(NOW + 119);
    assert_eq!(client.sign_in_with(bank, &challenge, &signature).status, 200);
    // Used up, it does not come back when its session is forgotten.
    host.set_now(NOW + 119 + 601);
    host.signed_in(bank);
    refused(client.sign_in_with(bank, &challenge, &signature));

    for (body, field) in [
        (json!({}), "key"),
        (json!({ "key": "AB" }), "key"),
        (json!({ "key": bank.key.public(), "challenge": "?" }), "challenge"),
        (json!({ "key": bank.key.public(), "challenge": "AAAA", "signature": "" }), "challenge"),
        (json!([]), "body"),
        (json!({ "key": bank.key.public(), "more": 1 }), "body"),
    ] {
        let reply = client.post_json("/api/v1/sign-in", &body);
        assert_eq!((reply.problem().1.as_str(), reply.json()["field"].as_str()), ("bad_field", Some(field)));
    }
}

#[test]
fn a_token_ends_after_ten_minutes_and_is_not_stored() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let token = world.as_bank.token.clone().unwrap();
    assert_eq!(token.len(), 64);
    host.set_now(NOW + 599);
    assert_eq!(world.as_bank.get("/api/v1/rosters").status, 200);
    host.set_now(NOW + 600);
    assert_eq!(world.as_bank.get("/api/v1/rosters").problem(), (401, "not_signed_in".to_owned()));
    for bad in ["", "x", &token[..63], &token.to_uppercase(), &"0".repeat(64)] {
        let client = Client { token: Some(bad.to_owned()), ..host.client() };
        assert_eq!(client.get("/api/v1/rosters").status, 401);
    }
    let raw: Vec<u8> =
        (0..64).step_by(2).map(|i| u8::from_str_radix(&token[i..i + 2], 16).unwrap()).collect();
    for entry in std::fs::read_dir(host.data()).unwrap().map(Result::unwrap).filter(|e| e.path().is_file()) {
        let bytes = std::fs::read(entry.path()).unwrap();
        assert!(!bytes.windows(32).any(|window| window == raw), "{:?}", entry.path());
        assert!(!bytes.windows(64).any(|window| window == token.as_bytes()), "{:?}", entry.path());
    }
}

#[test]
fn the_key_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut host = TestHost::start();
    let file = host.data().join("host.key");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(host.data()).unwrap().permissions().mode() & 0o777, 0o700);
    host.stop();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(host.try_start_again(), Err(StartError::KeyOpenToOthers)));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&file, "short").unwrap();
    assert!(matches!(host.try_start_again(), Err(StartError::KeyMalformed)));
}

#[test]
fn an_edited_log_is_noticed() {
    /// What somebody with the file in hand does; the triggers of the table are no obstacle to them.
    fn edit(host: &TestHost, statement: &'static str) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let path = format!("sqlite://{}", host.data().join("host.sqlite").display());
            let pool = sqlx::SqlitePool::connect(&path).await.unwrap();
            assert!(sqlx::query(statement).execute(&pool).await.is_err(), "the table itself refuses");
            for drop in ["DROP TRIGGER log_is_never_changed", "DROP TRIGGER log_is_never_shortened"] {
                sqlx::query(drop).execute(&pool).await.unwrap();
            }
            let mut connection = pool.acquire().await.unwrap();
            sqlx::query("PRAGMA foreign_keys = OFF").execute(&mut *connection).await.unwrap();
            sqlx::query(statement).execute(&mut *connection).await.unwrap();
            drop(connection);
            pool.close().await;
        });
    }
    type Noticed = fn(&StartError) -> bool;
    let cases: [(&'static str, Noticed); 3] = [
        ("UPDATE log SET entry = replace(entry, 'centre', 'centra') WHERE sequence = 2", |e| {
            matches!(e, StartError::Log(3))
        }),
        ("DELETE FROM log WHERE sequence = 2", |e| matches!(e, StartError::Log(2))),
        ("DELETE FROM log WHERE sequence = 4", |e| matches!(e, StartError::LogCut(4))),
    ];
    for (statement, noticed) in cases {
        let mut host = TestHost::start();
        host.with_rosters();
        host.stop();
        edit(&host, statement);
        let error = host.try_start_again().unwrap_err();
        assert!(noticed(&error), "{statement}: {error}");
    }
}

/// A centre's key that the operator struck out signs nothing in, and its agreements carry nothing more.
#[test]
fn a_centre_that_is_struck_out_is_out() {
    let mut host = TestHost::start();
    let world = host.with_rosters();
    host.stop();
    let mut config = config(host.data());
    config.centre_keys = vec![actors().stranger.key.public()];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let running = runtime.block_on(async {
        let state = State::open(config).await.unwrap();
        host::serve_state(state, std::future::pending()).await.unwrap()
    });
    let client = Client { address: running.address(), ..world.as_centre.clone() };
    assert_eq!(client.get("/api/v1/rosters").status, 401);
}

//! The description says what the router does.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::fixture::TestHost;

#[test]
fn every_route_is_described_and_every_description_has_a_route() {
    let description: Value = serde_json::from_str(host::OPENAPI).unwrap();
    assert_eq!(description["openapi"], "3.1.0");
    let routes: BTreeSet<(String, String)> =
        host::routes().iter().map(|r| (r.path.to_owned(), r.method.to_lowercase())).collect();
    let mut described = BTreeSet::new();
    for (path, operations) in description["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            described.insert((path.clone(), method.clone()));
            assert!(operation["responses"]["default"].is_object(), "{method} {path}");
        }
    }
    assert_eq!(routes, described);
}

#[test]
fn every_reference_leads_somewhere() {
    fn check(value: &Value, whole: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get("$ref") {
                    assert!(whole.pointer(&target[1..]).is_some(), "{target}");
                }
                members.values().for_each(|member| check(member, whole));
            }
            Value::Array(items) => items.iter().for_each(|item| check(item, whole)),
            _ => {}
        }
    }
    let description: Value = serde_json::from_str(host::OPENAPI).unwrap();
    check(&description, &description);
}

/// The members of every reply, by the schema that describes it.
#[test]
fn replies_have_the_described_members() {
    let host = TestHost::start();
    let world = host.with_rosters();
    assert_eq!(world.as_bank.post(&world.answers_path(), &world.answer(1)).status, 201);
    let second = world.answer(2);
    let head = &second[..protocol::Head::parse(&second).unwrap().length];
    let upload = world.as_bank.post(&world.answers_path().replace("answers", "uploads"), head).json();
    let description: Value = serde_json::from_str(host::OPENAPI).unwrap();
    let required = |schema: &str| -> BTreeSet<String> {
        let names = description["components"]["schemas"][schema]["required"].as_array().unwrap();
        names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let members =
        |value: &Value| -> BTreeSet<String> { value.as_object().unwrap().keys().cloned().collect() };
    let centre = &world.as_centre;
    for (value, schema) in [
        (&centre.get("/health").json(), "Health"),
        (&centre.get("/api/v1/agreements").json()[0], "AgreementSummary"),
        (&centre.get("/api/v1/rosters").json()[0], "RosterSummary"),
        (&centre.get(&world.answers_path()).json()[0], "AnswerSummary"),
        (&upload, "Upload"),
        (&centre.get("/api/v1/log").json(), "Log"),
        (&centre.get("/api/v1/log").json()["entries"][0], "LogEntry"),
        (&centre.get("/nowhere").json(), "Problem"),
        (&centre.post("/api/v1/agreements", &world.agreement).json(), "AcceptedAgreement"),
        (&centre.post("/api/v1/rosters", &world.roster).json(), "AcceptedRoster"),
    ] {
        assert_eq!(members(value), required(schema), "{schema}");
    }
    assert_eq!(centre.get("/api/v1/openapi.json").json(), description);
}

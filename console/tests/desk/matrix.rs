//! Roles and routes. The table is written here by hand and held against the router's own: a route that is not
//! listed fails, and so does one that lets in another role than listed.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use console::staff::Role;

use crate::office::{Office, Person};

/// Letters of those who may pass: o operator, r reviewer, h head, k key officer, a auditor, s administrator;
/// `*` whoever reaches the address, `+` whoever has given a password.
const MATRIX: &[(&str, &str, &str)] = &[
    ("GET", "/style.css", "*"),
    ("GET", "/icon.svg", "*"),
    ("GET", "/sign-in", "*"),
    ("POST", "/sign-in", "*"),
    ("POST", "/language", "*"),
    ("POST", "/sign-out", "+"),
    ("GET", "/set-up", "+"),
    ("POST", "/set-up", "+"),
    ("GET", "/", "orhkas"),
    ("GET", "/staff", "s"),
    ("POST", "/staff", "s"),
    ("GET", "/staff/{id}", "s"),
    ("POST", "/staff/{id}", "s"),
    ("POST", "/staff/{id}/reset", "s"),
    ("GET", "/people", "orhka"),
    ("GET", "/people/new", "o"),
    ("POST", "/people", "o"),
    ("GET", "/people/{id}", "orhka"),
    ("POST", "/people/{id}/unmask", "orhka"),
    ("GET", "/people/{id}/questions", "orhka"),
    ("POST", "/authorisations/{id}/scan", "o"),
    ("POST", "/authorisations/{id}/end", "o"),
    ("POST", "/scans/{id}", "orhka"),
    ("POST", "/find", "orhka"),
    ("GET", "/cases", "orhka"),
    ("GET", "/cases/new", "o"),
    ("POST", "/cases", "o"),
    ("POST", "/cases/accept", "o"),
    ("GET", "/cases/{id}", "orhka"),
    ("POST", "/cases/{id}/members", "o"),
    ("POST", "/cases/{id}/scan", "o"),
    ("POST", "/cases/{id}/accept", "o"),
    ("POST", "/cases/{id}/return", "o"),
    ("POST", "/cases/{id}/again", "o"),
    ("POST", "/cases/{id}/suspend", "o"),
    ("POST", "/cases/{id}/resume", "o"),
    ("POST", "/cases/{id}/terminate", "o"),
    ("GET", "/import", "o"),
    ("GET", "/import/template.csv", "o"),
    ("GET", "/import/template.xlsx", "o"),
    ("POST", "/import", "o"),
    ("GET", "/import/{id}", "o"),
    ("GET", "/work/{id}", "orhka"),
    ("GET", "/departments", "orhka"),
    ("POST", "/departments", "o"),
    ("GET", "/departments/{id}/agreement", "o"),
    ("POST", "/rosters/{id}/base-data", "o"),
    ("GET", "/institutions", "orhka"),
    ("POST", "/institutions", "o"),
    ("POST", "/agreements/{id}/confirm", "orh"),
    ("POST", "/cosigners", "o"),
    ("POST", "/cosigners/{id}/confirm", "orh"),
    ("GET", "/batches", "orhka"),
    ("POST", "/batches", "o"),
    ("GET", "/batches/{id}", "orhka"),
    ("POST", "/batches/{id}/dispatch", "o"),
    ("POST", "/batches/{id}/fetch", "o"),
    ("POST", "/rosters/{id}/send", "o"),
    ("POST", "/rosters/{id}/close", "o"),
    ("POST", "/rosters/{id}/file", "o"),
    ("POST", "/rosters/{id}/cosign-request", "o"),
    ("POST", "/rosters/{id}/cosigned", "o"),
    ("POST", "/rosters/{id}/answer", "o"),
    ("GET", "/openings", "orhka"),
    ("GET", "/openings/{id}", "orhka"),
    ("POST", "/openings/{id}/unlock", "k"),
    ("POST", "/openings/{id}/withdraw", "k"),
    ("GET", "/openings/{id}/progress/{of}", "k"),
    ("GET", "/reviews", "orhka"),
    ("GET", "/reviews/{id}", "orhka"),
    ("POST", "/reviews/{id}/unmask", "rha"),
    ("POST", "/reviews/{id}/declared", "o"),
    ("POST", "/reviews/{id}/strike", "o"),
    ("POST", "/reviews/{id}/excluded", "o"),
    ("POST", "/reviews/{id}/confirm", "r"),
    ("POST", "/reviews/{id}/back", "r"),
    ("GET", "/rules", "orhka"),
    ("GET", "/rules/edit", "h"),
    ("POST", "/rules", "h"),
    ("GET", "/reports", "orhka"),
    ("GET", "/reports/{id}", "orhka"),
    ("POST", "/reports/{id}/pdf", "orhka"),
    ("POST", "/reports/{id}/copy", "orhka"),
    ("GET", "/cases/{id}/report", "orhka"),
    ("POST", "/cases/{id}/report", "h"),
    ("POST", "/cases/{id}/suspension-report", "h"),
    ("POST", "/cases/{id}/objection", "o"),
    ("POST", "/objections/{id}/finding", "o"),
    ("POST", "/objections/{id}/evidence", "o"),
    ("POST", "/objections/{id}/withdraw", "o"),
    ("POST", "/people/{id}/questions/pdf", "orhka"),
    ("GET", "/archive", "orhka"),
    ("GET", "/archive/{id}", "orhka"),
    ("POST", "/archive/{id}/check", "orhka"),
    ("POST", "/archive/{id}/export", "oh"),
    ("POST", "/cases/{id}/archive", "o"),
    ("GET", "/destroy", "orhka"),
    ("POST", "/destroy", "o"),
    ("GET", "/destroy/{id}", "orhka"),
    ("POST", "/destroy/{id}/carry-out", "h"),
    ("POST", "/destroy/{id}/drop", "oh"),
    ("GET", "/rechecks", "orhka"),
    ("POST", "/rechecks", "o"),
    ("GET", "/households/{id}", "orhka"),
    ("POST", "/households/{id}/class", "o"),
    ("POST", "/households/{id}/grant", "o"),
    ("POST", "/households/{id}/end", "o"),
    ("GET", "/notices", "orhka"),
    ("POST", "/notices", "o"),
    ("GET", "/notices/{id}", "orhka"),
    ("POST", "/notices/{id}/pdf", "o"),
    ("GET", "/counters", "orhka"),
    ("GET", "/holidays", "ohs"),
    ("POST", "/holidays", "hs"),
    ("POST", "/holidays/days", "hs"),
    ("GET", "/settings", "s"),
    ("POST", "/settings", "s"),
    ("GET", "/left-out", "orhka"),
    ("GET", "/declared", "o"),
    ("GET", "/declared/template.csv", "o"),
    ("GET", "/declared/template.xlsx", "o"),
    ("POST", "/declared", "o"),
    ("GET", "/trials", "orhka"),
    ("POST", "/trials", "o"),
    ("GET", "/trials/{id}", "orhka"),
    ("GET", "/trials/{id}/customers.csv", "o"),
    ("GET", "/trials/{id}/applicants.csv", "o"),
    ("GET", "/canaries", "rha"),
    ("POST", "/canaries", "h"),
    ("POST", "/canaries/{id}/confirm", "rh"),
    ("POST", "/canaries/{id}/end", "h"),
    ("GET", "/log", "ash"),
];

const ROLES: [(char, Role); 6] = [
    ('o', Role::Operator),
    ('r', Role::Reviewer),
    ('h', Role::Head),
    ('k', Role::Officer),
    ('a', Role::Auditor),
    ('s', Role::Administrator),
];

#[tokio::test]
async fn every_route_lets_in_whom_the_table_says() {
    let office = Office::open().await;
    let listed: BTreeMap<(&str, &str), &str> =
        MATRIX.iter().map(|(method, path, who)| ((*method, *path), *who)).collect();
    let table = console::pages::table(&office.console);
    for (method, path, _) in &table {
        assert!(listed.contains_key(&(method.as_str(), *path)), "{method} {path} is not in the matrix");
    }
    assert_eq!(table.len(), listed.len(), "the matrix lists a route that is not there");

    let mut people = Vec::new();
    for (letter, role) in ROLES {
        people.push((letter, office.person(&format!("p-{letter}"), &[role]).await));
    }
    let mut tried = 0;
    for ((method, path), who) in listed {
        if who == "*" {
            continue;
        }
        let address = path.replace("{id}", "999999").replace("{of}", "999999");
        let mut stranger = Person::nobody(&office);
        let reply = try_it(&mut stranger, method, &address).await;
        let turned_away = if method == "GET" {
            reply.location() == "/sign-in"
        } else {
            reply.status == StatusCode::UNAUTHORIZED
        };
        assert!(turned_away, "{method} {path} lets a stranger in: {}", reply.status);
        for (letter, person) in &mut people {
            if path == "/sign-out" {
                continue; // each would be out
            }
            let reply = try_it(person, method, &address).await;
            let may = who == "+" || who.contains(*letter);
            assert_eq!(
                reply.status != StatusCode::FORBIDDEN,
                may,
                "{method} {path} for {letter}: {}",
                reply.status
            );
            assert_ne!(reply.status, StatusCode::INTERNAL_SERVER_ERROR, "{method} {path} for {letter}");
            tried += 1;
        }
    }
    assert!(tried > 40);
}

async fn try_it(person: &mut Person<'_>, method: &str, address: &str) -> crate::office::Reply {
    let mut request = person.request(method.parse::<Method>().unwrap(), address);
    if method == "POST" {
        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    person.send(request.body(Body::empty()).unwrap()).await
}

//! What `docs/THREAT-MODEL.md` and `docs/AUDIT.md` lean on exists: each test they name, each file they lead to, and
//! a row for each item of the reviewer's checklist.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::path::PathBuf;

fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(docs().join(name)).unwrap()
}

/// The links of a document: text and target.
fn links(text: &str) -> Vec<(&str, &str)> {
    let mut links = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("](") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        let label = before.rfind('[').map_or("", |start| &before[start + 1..]);
        let target = after.split(')').next().unwrap();
        links.push((label, target));
        rest = after;
    }
    links
}

#[test]
fn every_named_test_exists() {
    let mut functions = 0;
    for document in ["THREAT-MODEL.md", "AUDIT.md"] {
        for (label, target) in links(&read(document)) {
            if target.starts_with("http") || target.starts_with('#') {
                continue;
            }
            let path = docs().join(target.split('#').next().unwrap());
            assert!(path.exists(), "{document}: {target} is not there");
            let Some(function) = label.strip_prefix('`').and_then(|label| label.strip_suffix('`')) else {
                continue;
            };
            let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if path.extension().is_some_and(|kind| kind == "rs") && function.chars().all(is_name) {
                let source = std::fs::read_to_string(&path).unwrap();
                assert!(source.contains(&format!("fn {function}(")), "{document}: no {function} in {target}");
                functions += 1;
            }
        }
    }
    assert!(functions > 80, "{functions} functions are named");
}

#[test]
fn every_item_of_the_checklist_has_its_row() {
    let text = read("AUDIT.md");
    let rows: Vec<(usize, &str)> = text
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            Some((cells.next()?.trim().parse().ok()?, line))
        })
        .collect();
    assert_eq!(rows.iter().map(|(n, _)| *n).collect::<Vec<_>>(), (1..=40).collect::<Vec<_>>());
    for (n, row) in rows {
        let shown = row.contains("](../") || row.contains("`cargo ") || row.contains("`hedui ");
        assert!(shown || row.contains("not built yet"), "row {n} shows nothing and does not say so");
    }
}

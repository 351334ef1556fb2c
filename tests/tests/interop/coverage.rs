//! SPEC §5.2: other coverage statements.

use protocol::canonical;
use protocol::clean::Normalised;
use protocol::coverage::{self, Coverage};
use protocol::subject;
use serde_json::{Value, json};

use crate::headers::changed_members;
use e2e::python::{Python, b64};

#[test]
fn another_coverage_statement_is_judged_alike() {
    let mut python = Python::start();
    let statement = json!({
        "balance_date": "2026-11-22", "columns": ["amount:fund", "id_number", "name"], "encoding": "gb18030",
        "files": [{"bytes": 1_000, "rows": 9}, {"bytes": 20, "rows": 3}], "grain": "account",
        "normalised": {"spaces": 2, "upgraded15": 1}, "not_personal": 1, "quarantined": {"ragged": 2}, "rows": 12,
        "skipped": {"blank": 1}, "valid": 9,
    });
    let with = |name: &str, member: Value| {
        let mut changed = statement.clone();
        changed[name] = member;
        changed
    };
    let mut statements = vec![statement.clone()];
    changed_members(&statement, &mut statements, &|value| value);
    let names = coverage::COLUMN_ROLES
        .into_iter()
        .chain(Normalised::ALL.map(Normalised::name))
        .chain(subject::Reason::ALL.map(subject::Reason::name))
        .chain([
            "ragged",
            "undecodable",
            "blank",
            "footer",
            "repeated_header",
            "amount:other",
            "amount:",
            "utf-8",
            "utf-16le",
            "utf-16be",
            "utf-16",
            "UTF-8",
            "customer",
            "household",
            "",
        ]);
    for name in names {
        for object in ["normalised", "quarantined", "skipped"] {
            statements.push(with(object, json!({ name: 2 })));
        }
        statements.push(with("columns", json!([name])));
        statements.push(with("columns", json!(["id_number", name])));
        statements.push(with("encoding", json!(name)));
        statements.push(with("grain", json!(name)));
    }
    let mut padded: Vec<Vec<u8>> =
        statements.iter().filter_map(|statement| canonical::encode(statement).ok()).collect();
    padded.iter_mut().for_each(|bytes| bytes.resize(4_096, 0));
    padded.push(vec![0; 4_096]);
    padded.push(padded[0][1..].to_vec());
    padded.push([padded[0].as_slice(), &[0]].concat());
    padded.push([&padded[0][..4_095], b" "].concat());
    let requests: Vec<_> =
        padded.iter().map(|bytes| json!({"op": "coverage_read", "bytes": b64(bytes)})).collect();
    let replies = python.ask_all(&requests);
    let mut read = [0, 0];
    for (bytes, reply) in padded.iter().zip(replies) {
        let rust = Coverage::decode(bytes).is_ok();
        read[usize::from(rust)] += 1;
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(rust, reply.get("error").is_none(), "Rust reads: {rust}: {}", text.trim_end_matches('\0'));
    }
    assert!(read[0] > 300 && read[1] > 50, "{read:?}");
}

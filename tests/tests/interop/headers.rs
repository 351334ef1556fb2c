//! SPEC §2.1: other spellings and other members of a header.

use protocol::canonical;
use serde_json::{Value, json};

use crate::refusals::{one_of_each, parts, rewritten, verdicts};
use e2e::python::Python;

#[test]
fn other_spellings_both_refuse() {
    let mut python = Python::start();
    for (kind, document) in one_of_each(&mut python) {
        let (json, body) = parts(kind, &document);
        let members: serde_json::Map<String, Value> = serde_json::from_str(&json).unwrap();
        let (first, value) = members.iter().next().unwrap();
        let (first, value) = (format!("\"{first}\""), value.to_string());
        let inside = &json[1..json.len() - 1];
        let escaped = |c: char| json.replacen(&format!("\"{c}"), &format!("\"\\u{:04x}", u32::from(c)), 1);
        let letter = first.chars().nth(1).unwrap();
        let mut variants = vec![
            format!(" {json}"),
            format!("\u{FEFF}{json}"),
            format!("{json}\0"),
            format!("{{{inside} }}"),
            format!("{{ {inside}}}"),
            format!("{{{inside},}}"),
            format!("{{{inside},{first}:{value}}}"),
            format!("{{{first}:{value},{inside}}}"),
            format!("{{{inside},\"zz\":{}{}}}", "[".repeat(8), "]".repeat(8)),
            format!("[{json}]"),
            "{}".to_owned(),
            "[]".to_owned(),
            "null".to_owned(),
            json.replacen(':', ": ", 1),
            json.replacen(',', ", ", 1),
            json.replacen(',', ",\n", 1),
            json.replacen('"', "'", 2),
            json.replacen("\":\"", "\":\"\\/", 1),
            escaped(letter),
            format!(
                "{{{}}}",
                members.iter().rev().map(|(k, v)| format!("\"{k}\":{v}")).collect::<Vec<_>>().join(",")
            ),
        ];
        if kind != "hedui/key/v1" {
            variants.push(format!("{json} "));
            variants.push(format!("{json}\n"));
        }
        if let Some((name, number)) = members.iter().find(|(_, v)| v.is_u64()) {
            for other in [
                format!("{number}.0"),
                format!("{number}e0"),
                format!("0{number}"),
                format!("-{number}"),
                format!("\"{number}\""),
            ] {
                variants.push(json.replacen(
                    &format!("\"{name}\":{number}"),
                    &format!("\"{name}\":{other}"),
                    1,
                ));
            }
        }
        variants.retain(|variant| *variant != json);
        assert!(variants.len() >= 19, "{kind}: {}", variants.len());
        let documents: Vec<_> =
            variants.iter().map(|header| rewritten(kind, header.as_bytes(), body)).collect();
        for (variant, read) in variants.iter().zip(verdicts(&mut python, kind, &documents)) {
            assert_eq!(read, (false, false), "{kind}: {variant}");
        }
        let again = rewritten(kind, json.as_bytes(), body);
        assert_eq!(verdicts(&mut python, kind, &[again]), [(true, true)], "{kind}");
    }
}

/// Every way to put another value in one place of `value`.
pub(crate) fn changed_members(value: &Value, out: &mut Vec<Value>, put: &dyn Fn(Value) -> Value) {
    let others = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(999),
        json!((1_u64 << 53) - 1),
        json!(""),
        json!("x"),
        json!("\u{7}"),
        json!("L1"),
        json!("name"),
        json!("2026-02-29"),
        json!("1970-01-01"),
        json!("2026-11-22T08:00:00Z"),
        json!("AAAA"),
        json!("00".repeat(32)),
        json!([]),
        json!({}),
        json!([[]]),
        json!(["name"]),
        json!(["name", "name"]),
        json!("x".repeat(1_025)),
        json!("1.0.65536"),
    ];
    out.extend(others.into_iter().map(put));
    match value {
        Value::Object(members) => {
            let with = |name: &str, member: Option<Value>| {
                let mut members = members.clone();
                match member {
                    Some(member) => members.insert(name.to_owned(), member),
                    None => members.remove(name),
                };
                put(Value::Object(members))
            };
            out.push(with("zz", Some(Value::Null)));
            out.push(put(members.values().cloned().collect()));
            for (name, member) in members {
                out.push(with(name, None));
                changed_members(member, out, &|member| with(name, Some(member)));
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                let with = |new: Vec<Value>| put(Value::Array([&items[..i], &new, &items[i + 1..]].concat()));
                out.push(with(vec![]));
                out.push(with(vec![item.clone(), item.clone()]));
                changed_members(item, out, &|item| with(vec![item]));
            }
        }
        Value::String(word) if word.is_ascii() => out.push(put(json!({ word: null }))),
        _ => {}
    }
}

#[test]
fn another_member_is_judged_alike() {
    let mut python = Python::start();
    let mut differ = Vec::new();
    for (kind, document) in one_of_each(&mut python) {
        let (json, body) = parts(kind, &document);
        let mut headers = Vec::new();
        changed_members(&serde_json::from_str(&json).unwrap(), &mut headers, &|value| value);
        let headers: Vec<_> = headers.iter().map(|header| canonical::encode(header).unwrap()).collect();
        let documents: Vec<_> = headers.iter().map(|header| rewritten(kind, header, body)).collect();
        let read = verdicts(&mut python, kind, &documents);
        assert!(read.iter().filter(|both| **both == (false, false)).count() > 100, "{kind}");
        for (header, (rust, python)) in headers.iter().zip(read).filter(|(_, (rust, python))| rust != python)
        {
            let header = String::from_utf8_lossy(header);
            differ.push(format!("{kind}: Rust reads: {rust}, Python reads: {python}: {header}"));
        }
    }
    assert!(differ.is_empty(), "{} are judged differently:\n{}", differ.len(), differ.join("\n"));
}

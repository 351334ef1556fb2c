//! The gate against modules that are off in one way each.

use super::*;
use crate::sample;

fn deviations(bytes: &[u8]) -> Vec<Deviation> {
    inspect(bytes).unwrap().deviations(&Allow::matcher())
}

/// An echo module with one more field, and what the gate finds in it.
fn with(fields: &str) -> Vec<Deviation> {
    deviations(&sample::with("local.get 0 local.get 1", fields))
}

/// The echo module's text with `from` replaced, and what the gate finds in it.
fn replaced(from: &str, to: &str) -> Vec<Deviation> {
    let text = r#"(module
        (func (export "abi_version") (result i32) i32.const 1)
        (func (export "__wbindgen_malloc") (param i32 i32) (result i32) i32.const 1024)
        (func (export "__wbindgen_free") (param i32 i32 i32))
        (func (export "run") (param i32 i32) (result i32 i32) local.get 0 local.get 1)
        (memory (export "memory") 1 16))"#;
    assert!(text.contains(from), "{from}");
    deviations(&wat::parse_str(text.replace(from, to)).unwrap())
}

#[test]
fn a_module_with_the_contracts_face_passes() {
    let bytes = sample::with(
        "local.get 0 local.get 1",
        r#"(global (export "__abort_handler") i32 i32.const 8)
           (global (export "__instance_terminated") i32 i32.const 12)
           (data (i32.const 8) "/src/protocol/src/seal.rs")"#,
    );
    let report = inspect(&bytes).unwrap();
    assert_eq!(report.deviations(&Allow::matcher()), []);
    assert_eq!(report.size, bytes.len());
    assert_eq!(report.memories, [MemoryLimits { min_pages: 1, max_pages: Some(16) }]);
    assert_eq!(report.features, ["multivalue"]);
    assert_eq!(report.data, DataSize { segments: 1, bytes: 25 });
    assert_eq!(
        report.exports.iter().find(|export| export.name == "run").unwrap().form,
        "(func (param i32 i32) (result i32 i32))"
    );
}

#[test]
fn the_report_serialises() {
    let json = serde_json::to_value(inspect(&sample::echo()).unwrap()).unwrap();
    assert_eq!(json["memories"][0]["max_pages"], 16);
    assert_eq!(json["imports"], serde_json::json!([]));
    let deviation = Deviation::ExportMissing { name: "run".into() };
    assert_eq!(
        serde_json::to_value(deviation).unwrap(),
        serde_json::json!({"deviation": "export_missing", "name": "run"})
    );
}

#[test]
fn imports() {
    let found = replaced("(module", r#"(module (import "env" "now" (func (result i64)))"#);
    assert_eq!(found, [Deviation::ImportPresent { module: "env".into(), name: "now".into() }]);
    assert_eq!(sentences(&found), "imports env.now");
}

#[test]
fn another_export() {
    let found = with(r#"(func (export "peek") (param i32))"#);
    let expected = Deviation::ExportNotAllowed { name: "peek".into(), form: "(func (param i32))".into() };
    assert_eq!(found, [expected]);
}

#[test]
fn an_export_of_another_type() {
    let found = replaced(
        "(export \"abi_version\") (result i32) i32.const 1",
        "(export \"abi_version\") (result i64) i64.const 1",
    );
    let expected = Deviation::ExportForm {
        name: "abi_version".into(),
        form: "(func (result i64))".into(),
        expected: "(func (result i32))".into(),
    };
    assert_eq!(found, [expected]);
    let found = with(r#"(global (export "__abort_handler") (mut i32) i32.const 8)"#);
    assert!(found.iter().any(|found| matches!(found, Deviation::ExportForm { .. })), "{found:?}");
}

#[test]
fn a_missing_export() {
    assert_eq!(
        replaced("(func (export \"__wbindgen_free\")", "(func"),
        [Deviation::ExportMissing { name: "__wbindgen_free".into() }]
    );
}

#[test]
fn memories() {
    assert_eq!(replaced("1 16)", "1)"), [Deviation::NoMemoryMaximum]);
    assert_eq!(
        replaced("1 16)", "1 4097)"),
        [Deviation::MemoryMaximumTooLarge { max_pages: 4097, allowed: 4096 }]
    );
    assert_eq!(replaced("1 16)", "1 4096)"), []);
    assert_eq!(
        replaced("(memory (export \"memory\") 1 16)", ""),
        [Deviation::ExportMissing { name: "memory".into() }, Deviation::MemoryCount { found: 0 }]
    );
    assert_eq!(
        with("(memory 1 1)"),
        [Deviation::MemoryCount { found: 2 }, Deviation::FeatureNotAllowed { feature: "multimemory".into() }]
    );
}

#[test]
fn features() {
    for (fields, feature) in [
        ("(func (param externref))", "reference-types"),
        ("(func $f return_call $f)", "tail-call"),
        ("(tag)", "exception-handling"),
        (
            "(func (param v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))",
            "relaxed-simd",
        ),
    ] {
        let expected = Deviation::FeatureNotAllowed { feature: feature.into() };
        assert!(with(fields).contains(&expected), "{feature}: {:?}", with(fields));
    }
    assert_eq!(with("(func (param v128))"), []);
}

#[test]
fn a_start_function() {
    assert_eq!(with("(func) (start 4)"), [Deviation::StartFunction]);
}

#[test]
fn custom_sections() {
    assert_eq!(
        with(r#"(@custom "producers" "") (@custom "note" "built in /home/ann/hedui")"#),
        [
            Deviation::CustomSection { name: "producers".into() },
            Deviation::CustomSection { name: "note".into() },
            Deviation::HostPath {
                path: "/home/ann/hedui".into(),
                place: "custom section \"note\"".into(),
                offset: offset(
                    r#"(@custom "producers" "") (@custom "note" "built in /home/ann/hedui")"#,
                    "/home"
                ),
            },
        ]
    );
    // Names of functions make a section as well.
    assert_eq!(with("(func $named)"), [Deviation::CustomSection { name: "name".into() }]);
}

/// Where `text` stands in the echo module with these fields.
fn offset(fields: &str, text: &str) -> usize {
    let bytes = sample::with("local.get 0 local.get 1", fields);
    bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap()
}

#[test]
fn host_paths() {
    let fields = r#"(data (i32.const 0) "xx") (data (i32.const 8) "at /home/ann/hedui/src/lib.rs\00")"#;
    let found = with(fields);
    let expected = Deviation::HostPath {
        path: "/home/ann/hedui/src/lib.rs".into(),
        place: "data segment 1".into(),
        offset: offset(fields, "/home"),
    };
    assert_eq!(found, [expected]);
    assert_eq!(found[0].place().as_deref(), Some("data segment 1"));
}

#[test]
fn addresses() {
    let fields = r#"(data (i32.const 8) "to https://example.org/x and 192.0.2.7")"#;
    let expected = |address: &str| Deviation::Address {
        address: address.into(),
        place: "data segment 0".into(),
        offset: offset(fields, address),
    };
    assert_eq!(with(fields), [expected("https://example.org/x"), expected("192.0.2.7")]);
}

#[test]
fn the_code_is_the_one_that_json_has() {
    let one_of_each = [
        replaced("(module", r#"(module (import "env" "now" (func (result i64)))"#),
        with(r#"(func (export "peek") (param i32))"#),
        with(r#"(memory 1 1) (func) (start 4) (@custom "note" "/home/a example.org")"#),
        replaced("1 16)", "1)"),
        replaced("1 16)", "1 4097)"),
        replaced("(func (export \"__wbindgen_free\")", "(func"),
        replaced(
            "(export \"abi_version\") (result i32) i32.const 1",
            "(export \"abi_version\") (result i64) i64.const 1",
        ),
        vec![Deviation::TooLarge { size: 2, max_size: 1 }],
    ]
    .concat();
    let mut codes: Vec<&str> = one_of_each.iter().map(Deviation::code).collect();
    for deviation in &one_of_each {
        assert_eq!(serde_json::to_value(deviation).unwrap()["deviation"], deviation.code());
    }
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), 13, "{codes:?}");
}

#[test]
fn a_large_file() {
    let data = format!(r#"(data (i32.const 8) "{}")"#, "x".repeat(400_000));
    let found = with(&data);
    assert!(matches!(found[..], [Deviation::TooLarge { size: 400_001.., max_size: 400_000 }]), "{found:?}");
}

#[test]
fn no_module_at_all() {
    for bytes in [&b""[..], b"\0asm", b"\0asm\x01\0\0\0\xff", b"<html>"] {
        assert!(matches!(inspect(bytes), Err(GateError::Invalid { .. })), "{bytes:?}");
    }
}

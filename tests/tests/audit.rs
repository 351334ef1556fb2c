//! The audit of a release: clean on the shipped artifact, and on each that was tampered with a finding that names
//! what and where. A failure is a tampered release that passes, or a finding that names something else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use audit::folder::{CHECKSUMS, PAGE};
use audit::vectors::{self, Session};
use audit::{Finding, behaviour, manifest, source};
use e2e::module::artifact;
use e2e::release::{Release, Text, signature_name};
use std::collections::BTreeMap;

/// Code and place of each finding.
fn said(findings: &[Finding]) -> Vec<(&str, &str)> {
    findings.iter().map(|finding| (finding.code, finding.place.as_str())).collect()
}

/// Some sessions that end well, enough to see what a module does.
fn some() -> Vec<Session> {
    let names = ["ok_l1_blake3_one_officer", "ok_l2_hmac_two_of_three", "ok_sign_in"];
    let sessions = vectors::built_in().unwrap();
    let some: Vec<Session> = sessions.into_iter().filter(|s| names.contains(&s.name.as_str())).collect();
    assert_eq!(some.len(), names.len());
    some
}

#[test]
fn the_shipped_artifact_is_clean() {
    let release = Release::of(artifact());
    assert_eq!(release.audit(&release.expected()), []);

    let sessions = vectors::built_in().unwrap();
    let (done, findings) = behaviour::check("matcher.wasm", artifact(), &sessions).unwrap();
    assert_eq!(findings, []);
    assert_eq!((done.passed, done.same), (done.vectors, done.repeated));
    assert!(done.vectors > 150 && done.repeated > 40, "{done:?}");
    assert!(done.fuel > 0 && done.most_memory_bytes <= 64 << 20, "{done:?}");
    assert!(done.canary.secrets > 100 && done.canary.seen_open > 0, "{done:?}");
}

/// Modules that whoever makes the release has tampered with: manifest, signatures and checksums fit.
#[test]
fn a_tampered_module_is_named_even_where_everything_is_signed() {
    let whole = Text::of(artifact());
    let (memory, first) = whole.memory();
    let data = |text: &str| whole.with(&format!("(data (i32.const 8) \"{text}\")"));
    let cases: Vec<(&str, Text, Said<'_>)> = vec![
        ("unchanged", whole.clone(), &[]),
        (
            "another export",
            whole.with(&format!("(export \"peek\" (func {}))", whole.index_of("abi_version"))),
            &[("export_not_allowed", "matcher.wasm, export section")],
        ),
        (
            "a missing export",
            whole.replaced(&format!("(export \"abi_version\" (func {}))", whole.index_of("abi_version")), ""),
            &[("export_missing", "matcher.wasm, export section")],
        ),
        (
            "a start function",
            whole.with(&format!("(func) (start {})", whole.functions())),
            &[("start_function", "matcher.wasm, start section")],
        ),
        (
            "a larger memory",
            whole.replaced(&memory, &format!("(memory {first} 8192)")),
            &[("memory_maximum_too_large", "matcher.wasm, memory section")],
        ),
        (
            "a memory without a maximum",
            whole.replaced(&memory, &format!("(memory {first})")),
            &[("no_memory_maximum", "matcher.wasm, memory section")],
        ),
        (
            "a second memory",
            whole.with("(memory 1 1)"),
            &[("memory_count", "matcher.wasm, memory section"), ("feature_not_allowed", "matcher.wasm")],
        ),
        (
            "a forbidden feature",
            whole.with("(func (param externref))"),
            &[("feature_not_allowed", "matcher.wasm")],
        ),
        (
            "names of functions",
            whole.with("(func $named)"),
            &[("custom_section", "matcher.wasm, custom section \"name\"")],
        ),
        (
            "producers",
            whole.with("(@custom \"producers\" \"\")"),
            &[("custom_section", "matcher.wasm, custom section \"producers\"")],
        ),
        (
            "an unknown section",
            whole.with("(@custom \"note\" \"hello\")"),
            &[("custom_section", "matcher.wasm, custom section \"note\"")],
        ),
        ("a URL", data("https://collect.example.org/x"), &[("address", "matcher.wasm, data segment N")]),
        ("a machine's name", data("collect.example.org"), &[("address", "matcher.wasm, data segment N")]),
        ("an address in numbers", data("192.0.2.7"), &[("address", "matcher.wasm, data segment N")]),
        ("a host path", data("/home/ann/x.rs"), &[("host_path", "matcher.wasm, data segment N")]),
    ];
    for (name, text, expected) in cases {
        let release = Release::of(&text.bytes());
        let found = release.audit(&release.expected());
        let last = gate_segments(&text).to_string();
        let found: Vec<(&str, String)> = found
            .iter()
            .map(|f| (f.code, f.place.replace(&format!("segment {last}"), "segment N")))
            .collect();
        let found: Vec<(&str, &str)> = found.iter().map(|(code, place)| (*code, place.as_str())).collect();
        assert_eq!(found, expected, "{name}");
    }
}

/// The index of a module's last data segment.
fn gate_segments(text: &Text) -> usize {
    sandbox::gate::inspect(&text.bytes()).unwrap().data.segments - 1
}

#[test]
fn an_import_is_named() {
    // An imported global moves the others by one, so that more than the import is off.
    let text = Text::of(artifact())
        .replaced("(module\n", "(module\n  (import \"env\" \"now\" (global (mut i32)))\n");
    let release = Release::of(&text.bytes());
    let found = release.audit(&release.expected());
    assert!(found.iter().any(|f| f.message == "the module imports env.now"), "{found:?}");
    assert!(said(&found).contains(&("import_present", "matcher.wasm, import section")), "{found:?}");
}

#[test]
fn a_module_that_keeps_what_it_was_given_is_named() {
    let text = Text::of(artifact()).around_run(
        "(local i32)
         (if (i32.eq (i32.load8_u (local.get 0)) (i32.const 1)) (then
           (local.set 2 (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))
           (memory.copy (local.get 2) (local.get 0) (local.get 1))))
         (call RUN (local.get 0) (local.get 1))",
    );
    let (done, found) = behaviour::check("matcher.wasm", &text.bytes(), &some()).unwrap();
    assert_eq!(done.passed, 3, "{found:?}");
    let place = "matcher.wasm, vector ok_l1_blake3_one_officer";
    let passphrase = "1 × passphrase still in linear memory after the session ended";
    assert!(found.contains(&Finding::new("secret_left", place, passphrase)), "{found:?}");
    assert!(found.iter().all(|finding| finding.code == "secret_left"), "{found:?}");
}

#[test]
fn a_module_that_looks_at_its_circumstances_is_named() {
    // Where it may have 94 MiB it says something else.
    let text = Text::of(artifact()).around_run(
        "(local i32 i32)
         (call RUN (local.get 0) (local.get 1))
         (local.set 3) (local.set 2)
         (if (i32.ne (memory.grow (i32.const 1500)) (i32.const -1)) (then
           (i32.store8 (local.get 2) (i32.const 1))))
         (local.get 2) (local.get 3)",
    );
    let (done, found) = behaviour::check("matcher.wasm", &text.bytes(), &some()).unwrap();
    assert_eq!(done.passed, 3, "{found:?}");
    let places: Vec<(&str, &str)> = said(&found);
    let expected = ["ok_l1_blake3_one_officer", "ok_l2_hmac_two_of_three", "ok_sign_in"]
        .map(|name| ("not_deterministic", format!("matcher.wasm, vector {name}")));
    let expected: Vec<(&str, &str)> = expected.iter().map(|(code, place)| (*code, place.as_str())).collect();
    assert_eq!(places, expected, "{found:?}");
}

#[test]
fn a_changed_byte_of_code_or_data_shows_in_what_the_module_does() {
    let whole = Text::of(artifact());
    let second = whole.clone().around_run("unreachable");
    let (_, found) = behaviour::check("matcher.wasm", &second.bytes(), &some()).unwrap();
    assert!(said(&found).contains(&("trap", "matcher.wasm, vector ok_sign_in, step 1")), "{found:?}");

    // One bit of SHA-256's first round constant, 0x428a2f98.
    let mut bytes = artifact().to_vec();
    let at = bytes.windows(4).position(|window| window == 0x428a_2f98_u32.to_le_bytes()).unwrap();
    bytes[at] ^= 1;
    let place = sandbox::gate::section_at(artifact(), at).unwrap();
    assert!(place.starts_with("data segment") || place.starts_with("code section, function"), "{place}");
    let (_, found) = behaviour::check("matcher.wasm", &bytes, &some()).unwrap();
    assert!(found.iter().any(|finding| finding.code == "vector"), "{found:?}");
}

/// Codes and places that a case is due to be told of.
type Said<'a> = &'a [(&'a str, &'a str)];

/// A change of a release's files after it was signed.
type Change<'a> = &'a dyn Fn(&mut Release);

#[test]
fn a_tampered_folder_is_named() {
    let matcher = artifact();
    let flip = |release: &mut Release, name: &str| {
        let bytes = release.files.get_mut(name).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    };
    let changed = ("file_changed", "SPEC.md");
    let sums = ("checksum_mismatch", CHECKSUMS);
    let cases: &[(&str, Change<'_>, Said<'_>)] = &[
        ("a document changed", &|release| flip(release, "SPEC.md"), &[changed, sums]),
        (
            "the same, and the checksums made to fit",
            &|release| {
                flip(release, "SPEC.md");
                release.sum();
            },
            &[changed],
        ),
        (
            "the bill of materials changed",
            &|release| {
                flip(release, "matcher.cdx.json");
                release.sum();
            },
            &[("file_changed", "matcher.cdx.json")],
        ),
        (
            "the page changed",
            &|release| {
                release.files.get_mut(PAGE).unwrap().push(b'\n');
                release.sum();
            },
            &[("file_changed", PAGE), ("page_changed", PAGE)],
        ),
        (
            "the page holds another module",
            &|release| {
                release.files.insert(PAGE.to_owned(), b"<!doctype html>".to_vec());
                release.sign();
            },
            &[("page_other_module", PAGE)],
        ),
        (
            "the list of sources changed",
            &|release| {
                release.files.get_mut(source::NAME).unwrap().push(b'\n');
                release.sum();
            },
            &[
                ("file_changed", source::NAME),
                ("sources_changed", source::NAME),
                ("sources_malformed", source::NAME),
            ],
        ),
        (
            "a file too many",
            &|release| {
                release.files.insert("run-me.sh".to_owned(), b"#!/bin/sh".to_vec());
            },
            &[("file_extra", "run-me.sh"), ("checksum_missing", CHECKSUMS)],
        ),
        (
            "a file too few",
            &|release| {
                release.files.remove("SPEC.md");
            },
            &[("file_missing", "SPEC.md"), sums],
        ),
        (
            "a checksum changed",
            &|release| {
                let sums = String::from_utf8(release.files[CHECKSUMS].clone()).unwrap();
                let digest = sums[..64].to_owned();
                release
                    .files
                    .insert(CHECKSUMS.to_owned(), sums.replace(&digest, &"0".repeat(64)).into_bytes());
            },
            &[sums],
        ),
        (
            "an older release",
            &|release| {
                "0.0.9".clone_into(&mut release.number);
                release.sign();
            },
            &[("release_older", manifest::NAME)],
        ),
        (
            "one signature only",
            &|release| {
                release.files.remove(&signature_name(1));
                release.sum();
            },
            &[("signature_missing", manifest::NAME)],
        ),
        (
            "a signature over something else",
            &|release| {
                let text = release.signature(0, b"something else");
                release.files.insert(signature_name(0), text.into_bytes());
                release.sum();
            },
            &[("signature_wrong", "release.json.1.minisig")],
        ),
        (
            "a signature that is none",
            &|release| {
                release.files.insert(signature_name(0), b"none".to_vec());
                release.sum();
            },
            &[("signature_malformed", "release.json.1.minisig"), ("signature_missing", manifest::NAME)],
        ),
        (
            "a manifest changed",
            &|release| {
                let mut manifest = release.manifest();
                manifest.toolchain = "rustc 1.96.0".parse().unwrap();
                release.files.insert(manifest::NAME.to_owned(), manifest.write().unwrap());
                release.sum();
            },
            &[("signature_wrong", "release.json.1.minisig"), ("signature_wrong", "release.json.2.minisig")],
        ),
        (
            "a manifest that says other exports",
            &|release| {
                let mut manifest = release.manifest();
                manifest.modules[0].exports.pop();
                release.sign_as(&manifest);
            },
            &[("exports_not_as_said", "matcher.wasm")],
        ),
        (
            "no manifest",
            &|release| {
                release.files.remove(manifest::NAME);
                release.sum();
            },
            &[("manifest_missing", manifest::NAME)],
        ),
    ];
    for (name, change, expected) in cases {
        let mut release = Release::of(matcher);
        change(&mut release);
        let found = release.audit(&release.expected());
        assert_eq!(said(&found), *expected, "{name}: {found:?}");
    }
}

#[test]
fn the_keys_must_be_two_and_the_right_ones() {
    let release = Release::of(artifact());
    let [one, other] = &release.public_keys()[..] else { panic!("two keys") };
    let stranger = &Release::of(artifact()).public_keys()[0];
    let with = |keys: &[&audit::signatures::ReleaseKey]| {
        let mut expected = release.expected();
        expected.keys = keys.iter().map(|key| (*key).clone()).collect();
        release.audit(&expected).into_iter().map(|finding| finding.code).collect::<Vec<_>>()
    };
    assert_eq!(with(&[other, one]), Vec::<&str>::new());
    assert_eq!(with(&[one, one]), ["same_key_twice", "signature_foreign"]);
    assert_eq!(with(&[one]), ["key_count", "signature_foreign"]);
    assert_eq!(with(&[one, stranger]), ["signature_missing", "signature_foreign"]);
}

#[test]
fn a_release_from_before_a_moment_is_refused() {
    let release = Release::of(artifact());
    let mut expected = release.expected();
    expected.not_before = Some("2026-11-26T12:00:00Z".parse().unwrap());
    assert_eq!(release.audit(&expected), []);
    expected.not_before = Some("2026-11-26T12:00:01Z".parse().unwrap());
    assert_eq!(said(&release.audit(&expected)), [("issued_before", manifest::NAME)]);
}

#[test]
fn a_changed_module_file_is_named_with_its_digests() {
    let mut release = Release::of(artifact());
    let bytes = release.files.get_mut("matcher.wasm").unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let found = release.audit(&release.expected());
    let by_code: BTreeMap<&str, &Finding> = found.iter().map(|finding| (finding.code, finding)).collect();
    assert!(by_code["file_changed"].message.starts_with("its SHA-256 is "), "{found:?}");
    assert_eq!(by_code["file_changed"].place, "matcher.wasm");
    assert!(
        by_code.contains_key("checksum_mismatch") && by_code.contains_key("page_other_module"),
        "{found:?}"
    );
}

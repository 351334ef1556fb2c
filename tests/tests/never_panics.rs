//! Nothing that is sent to the module makes it panic (natively) or trap (under wasmtime), and how a file is cut into
//! chunks changes nothing.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::sync::OnceLock;

use e2e::module::{self, Native, Runner, op, reply, request};
use e2e::{script, soup, vectors};
use matcher::request::join;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseResult;
use serde_json::{Value, json};

/// The parts of an `open` that is taken: all fields of level L2, over people whom the soup speaks of.
fn parts() -> &'static [Vec<u8>; 6] {
    static PARTS: OnceLock<[Vec<u8>; 6]> = OnceLock::new();
    PARTS.get_or_init(|| {
        let sessions = vectors::sessions();
        let session = sessions.iter().find(|s| s.script.name == "ok_l2_blake3_two_of_three").unwrap();
        matcher::request::parts::<6>(&session.script.requests[0][1..]).unwrap().map(<[u8]>::to_vec)
    })
}

fn open_with(table: &Value) -> Vec<u8> {
    let mut parts = parts().clone();
    let mut options: Value = serde_json::from_slice(&parts[5]).unwrap();
    options["table"] = table.clone();
    parts[5] = options.to_string().into_bytes();
    request(op::OPEN, &join(&parts.each_ref().map(Vec::as_slice)))
}

/// A reply is a result, or an error with its four members.
fn well_formed(bytes: &[u8]) -> TestCaseResult {
    if let Err(error) = reply(bytes) {
        let members: Vec<&String> = error.as_object().unwrap().keys().collect();
        prop_assert_eq!(members, ["code", "field", "message", "numbers"]);
        prop_assert!(!error["code"].as_str().unwrap().is_empty());
    }
    Ok(())
}

/// A whole session over `files`: the reply of each step but those of `push`, which tell of the chunks; the first
/// refusal stands for what follows it.
fn session(
    runner: &mut impl Runner,
    table: &Value,
    files: &[Vec<u8>],
    chunk: usize,
) -> Result<Vec<Vec<u8>>, TestCaseError> {
    let mut kept = Vec::new();
    let mut steps = vec![open_with(table)];
    for file in files {
        steps.extend(file.chunks(chunk).map(|piece| request(op::PUSH, piece)));
        steps.push(request(op::NEXT_FILE, &[]));
    }
    steps.push(request(op::FINISH, &[]));
    steps.extend(vec![request(op::READ, &[]); 2]);
    for step in steps {
        let push = step[0] == op::PUSH;
        let got = script::in_order(&runner.send(step));
        well_formed(&got)?;
        let refused = got[0] == 1;
        if refused || !push {
            kept.push(got);
        }
        if refused {
            break;
        }
    }
    Ok(kept)
}

/// What a report says adds up.
fn adds_up(report: &[u8]) -> TestCaseResult {
    let coverage = serde_json::from_slice::<Value>(report).unwrap()["coverage"].clone();
    let aside: u64 = coverage["quarantined"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    let placed = coverage["valid"].as_u64().unwrap() + coverage["not_personal"].as_u64().unwrap() + aside;
    prop_assert_eq!(coverage["rows"].as_u64(), Some(placed));
    Ok(())
}

fn any_request() -> impl Strategy<Value = Vec<u8>> {
    let ops =
        vec![0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x11, 0x12, 0x13, 0x7F];
    let op = prop::sample::select(ops);
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    let json = prop::sample::select(vec![
        "{}",
        "null",
        "[",
        "{\"now\":1}",
        "{\"code\":\"a\",\"kind\":null,\"name\":\"\",\"now\":0,\"role\":\"officer\"}",
    ]);
    // 0 to 5: part n of a good request to open; else random bytes, or options.
    let part = (0_usize..12, bytes(), json).prop_map(|(n, bytes, json)| match n {
        0..=5 => parts()[n].clone(),
        6..=9 => bytes,
        _ => json.as_bytes().to_vec(),
    });
    let of_parts = prop::collection::vec(part, 0..8)
        .prop_map(|parts| join(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>()));
    (op, prop_oneof![of_parts, bytes()]).prop_map(|(op, rest)| request(op, &rest))
}

/// A good request to open with bytes changed.
fn hurt_open() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec((any::<Index>(), any::<u8>()), 1..4).prop_map(|wounds| {
        let mut request = open_with(&Value::Null);
        for (at, byte) in wounds {
            let at = 1 + at.index(request.len() - 1);
            request[at] = byte;
        }
        request
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn requests_natively(requests in prop::collection::vec(prop_oneof![any_request(), hurt_open()], 1..6)) {
        for got in Native::default().send_all(&requests) {
            well_formed(&got)?;
        }
    }

    #[test]
    fn files_natively(
        table in soup::table(),
        files in prop::collection::vec(soup::file(), 1..3),
        chunk in prop_oneof![1_usize..9, 60_000_usize..70_000, Just(1_000)],
    ) {
        // A chunk of few bytes would be slow over a long file.
        let chunk = if files.iter().map(Vec::len).sum::<usize>() > 60_000 { chunk.max(997) } else { chunk };
        let cut = session(&mut Native::default(), &table, &files, chunk)?;
        let whole = session(&mut Native::default(), &table, &files, usize::MAX)?;
        prop_assert!(cut == whole, "cuts change something: {:?}", (cut.last().map(|r| reply(r)), whole.last().map(|r| reply(r))));
        if let [.., report, _, _] = whole.as_slice() && whole.last().unwrap()[0] == 0 && whole.len() == files.len() + 4 {
            adds_up(&reply(report).unwrap())?;
        }
    }

    #[test]
    fn previews_natively(table in soup::table(), file in soup::file()) {
        let options = table.to_string();
        well_formed(&Native::default().send(request(op::PREVIEW, &join(&[&file, options.as_bytes()]))))?;
        well_formed(&Native::default().send(request(op::PREVIEW, &join(&[&file, b"null"]))))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn everything_under_wasmtime(
        requests in prop::collection::vec(prop_oneof![any_request(), hurt_open()], 1..4),
        table in soup::table(),
        files in prop::collection::vec(soup::file(), 1..3),
    ) {
        let in_order = |replies: Vec<Vec<u8>>| replies.iter().map(|reply| script::in_order(reply)).collect::<Vec<_>>();
        let natively = in_order(Native::default().send_all(&requests));
        prop_assert!(in_order(module::wasmtime().send_all(&requests)) == natively);
        let whole = session(&mut Native::default(), &table, &files, 7_919)?;
        prop_assert!(session(&mut module::wasmtime(), &table, &files, 7_919)? == whole);
        let preview = request(op::PREVIEW, &join(&[&files[0], table.to_string().as_bytes()]));
        let natively = script::in_order(&Native::default().send(preview.clone()));
        prop_assert!(script::in_order(&module::wasmtime().send(preview)) == natively);
    }
}

/// The soup is not so odd that nothing of it is read.
#[test]
fn some_of_it_is_read() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let (mut read, mut long) = (0, 0);
    for _ in 0..100 {
        let file = soup::file().new_tree(&mut runner).unwrap().current();
        long += usize::from(file.len() > 65_536);
        let replies = session(&mut Native::default(), &json!({}), &[file], usize::MAX).unwrap();
        read += usize::from(replies.last().unwrap()[0] == 0);
    }
    assert!(read > 15 && long > 10, "{read} of 100 files are read, {long} are longer than the sample");
}

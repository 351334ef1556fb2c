//! A line of a gigabyte. What counts as a failure: that it is taken, that it is refused late or under another code,
//! or that the memory it needs grows with it. All of it is pushed, whatever the replies: a runner may not stop.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use e2e::exchange::{ALICE, HEADING, Setup, ask_about};
use e2e::module::{self, Native, OpenRequest, Runner, op, reply, request};

const CHUNK: usize = 1 << 20;
/// Chunks of a whole gigabyte.
const ALL: usize = 1 << 10;
/// Chunks where the form is a variant of another.
const SOME: usize = 8;

/// A file that begins with `start` and goes on with `again` for ever.
struct Form {
    name: &'static str,
    start: Vec<u8>,
    again: Vec<u8>,
    chunks: usize,
}

fn forms() -> Vec<Form> {
    let heading = HEADING.as_bytes();
    let gb = |text: &str| encoding_rs::GB18030.encode(text).0.into_owned();
    let utf16 = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let good = "张三,11010519491231002X,1.00,2026-10-31\n".repeat(3_000);
    let long = gb("㛃");
    assert_eq!(long.len(), 4);
    let form = |name, start, again: &[u8], chunks| Form { name, start, again: again.to_vec(), chunks };
    vec![
        form("no line break at all", vec![], b"7", ALL),
        form("one quoted cell that never ends", b"\"".to_vec(), b"a,b\n", ALL),
        form("UTF-16 below the heading", [b"\xFF\xFE".to_vec(), utf16(HEADING)].concat(), b"\x20\x4E", ALL),
        form("GB18030 below the heading", gb(HEADING), b"\xB0\xA1", ALL),
        form("after 3,000 good rows", [heading, good.as_bytes()].concat(), b"7", ALL),
        form("below the heading", heading.to_vec(), b"7", SOME),
        form("a quoted cell below the heading", [heading, b"\""].concat(), b"7\r\n", SOME),
        form("a quoted cell after good rows", [heading, good.as_bytes(), b"\""].concat(), b"\"\",\n", SOME),
        form("UTF-16, no line break", vec![], b"7\0", SOME),
        form("GB18030, no line break", vec![], b"\xB0\xA1", SOME),
        form("GB18030 in four bytes, cut by each chunk", gb(&format!("{HEADING}x")), &long, SOME),
    ]
}

/// Pushes all of it; gives how many bytes were taken before the refusal, and its code.
fn push_all(runner: &mut impl Runner, form: &Form) -> (usize, String) {
    let start = reply(&runner.send(request(op::PUSH, &form.start)));
    assert!(start.is_ok(), "{}: {start:?}", form.name);
    let chunk: Vec<u8> = form.again.iter().copied().cycle().take(CHUNK).collect();
    let chunk = request(op::PUSH, &chunk);
    let (mut taken, mut refused) = (form.start.len(), None);
    for _ in 0..form.chunks {
        match (reply(&runner.send(chunk.clone())), &refused) {
            (Ok(_), None) => taken += CHUNK,
            (Ok(_), Some(code)) => panic!("{}: taken after {code}", form.name),
            (Err(error), None) => refused = Some(error["code"].as_str().unwrap().to_owned()),
            (Err(error), Some(_)) => assert_eq!(error["code"], "not_open", "{}", form.name),
        }
    }
    (taken, refused.unwrap_or_else(|| panic!("{}: all of it was taken", form.name)))
}

fn held(form: &Form, (taken, code): (usize, String)) {
    assert_eq!(code, "line_too_long", "{}", form.name);
    // Refused with the first chunk: no byte of it was taken.
    assert_eq!(taken, form.start.len(), "{}", form.name);
}

#[test]
fn natively() {
    let (_, relation, _) = ask_about(Setup::default(), &[ALICE]);
    for form in forms() {
        let mut runner = Native::default();
        reply(&runner.send(OpenRequest::new(&relation).bytes())).unwrap();
        held(&form, push_all(&mut runner, &form));
    }
}

#[test]
fn under_wasmtime() {
    let (_, relation, _) = ask_about(Setup::default(), &[ALICE]);
    for form in forms() {
        let mut runner = module::wasmtime();
        reply(&runner.send(OpenRequest::new(&relation).bytes())).unwrap();
        let before = runner.memory_bytes();
        held(&form, push_all(&mut runner, &form));
        assert_eq!(runner.memory_bytes(), before, "{}: memory grows", form.name);
    }
}

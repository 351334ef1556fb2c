//! The spreadsheet reader's border: XLSX, XLS, ODS, web pages and XML that call themselves spreadsheets.
//!
//! The libraries beneath may stop over a broken file: that ends the reader's sandbox, and the runner says so. Such a
//! panic is passed over here; one of our own is not.

use std::cell::Cell;
use std::io::{self, Write as _};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use reader::{Op, Session};
use serde_json::Value;

use crate::input::Input;

/// Sheets that are looked at, and pieces of each.
const MOST_SHEETS: u32 = 4;
const MOST_PIECES: usize = 64;

/// Files of an archive that an input may bring, each with what stands there where it brings none.
const FILES: [(&str, &str); 8] = [
    ("[Content_Types].xml", ""),
    ("xl/workbook.xml", WORKBOOK),
    ("xl/_rels/workbook.xml.rels", RELATIONS),
    ("xl/worksheets/sheet1.xml", ""),
    ("xl/sharedStrings.xml", ""),
    ("xl/styles.xml", ""),
    ("content.xml", ""),
    ("mimetype", ""),
];

const WORKBOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>"#;

const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;

/// A file, in chunks of the length that the first byte says. Where that is odd, what follows are the files of an
/// archive, which is put together here, since a byte changed in one would break its checksum.
///
/// # Panics
/// When our own code does, or a reply is not one.
pub fn spreadsheet(data: &[u8]) {
    let mut input = Input(data);
    let first = input.byte();
    let chunk = usize::from(first) * 16 + 1;
    let file = if first % 2 == 1 { archive(&mut input) } else { input.0.to_vec() };
    listen();
    OURS.set(false);
    let done = panic::catch_unwind(AssertUnwindSafe(|| read(&file, chunk)));
    assert!(done.is_ok() || !OURS.get(), "the reader panics");
}

/// The files that the input brings, behind their place in [`FILES`] and their length; then those that it does not.
fn archive(input: &mut Input<'_>) -> Vec<u8> {
    let mut contents = FILES.map(|(_, usual)| usual.as_bytes());
    while !input.is_empty() {
        let place = usize::from(input.byte()) % FILES.len();
        contents[place] = input.piece();
    }
    let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for ((name, _), bytes) in FILES.iter().zip(contents).filter(|(_, bytes)| !bytes.is_empty()) {
        zip.start_file(*name, stored).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn read(file: &[u8], chunk: usize) {
    let mut session = Session::default();
    if ask(&mut session, Op::Begin, Some(&u64::try_from(file.len()).unwrap().to_be_bytes())).is_none() {
        return;
    }
    let mut whole = file;
    while !whole.is_empty() {
        let (piece, rest) = whole.split_at(chunk.min(whole.len()));
        whole = rest;
        if send(&mut session, &[&[Op::Push as u8], piece].concat()).is_none() {
            return;
        }
    }
    let mut ask = |op: Op, part: Option<&[u8]>| ask(&mut session, op, part);
    let Some(sheets) = ask(Op::Sheets, None) else { return };
    let sheets: Value = serde_json::from_slice(&sheets).expect("a list of sheets is JSON");
    let count = u32::try_from(sheets["sheets"].as_array().expect("a list of sheets").len()).unwrap();
    for index in 0..count.min(MOST_SHEETS) {
        if ask(Op::Sheet, Some(&index.to_be_bytes())).is_none() {
            return;
        }
        for _ in 0..MOST_PIECES {
            let Some(piece) = ask(Op::Read, None) else { return };
            assert!(piece.len() <= 1 << 20, "a piece has 1 MiB at most");
            std::str::from_utf8(&piece).expect("a sheet's text is UTF-8");
            if piece.is_empty() {
                let told = ask(Op::Ended, None).expect("a sheet that was read to its end has ended");
                let _: Value = serde_json::from_slice(&told).expect("what is told is JSON");
                break;
            }
        }
    }
}

/// An operation, with one part or none.
fn ask(session: &mut Session, op: Op, part: Option<&[u8]>) -> Option<Vec<u8>> {
    let part = part.map(|part| [&u32::try_from(part.len()).unwrap().to_be_bytes(), part].concat());
    send(session, &[&[op as u8], part.unwrap_or_default().as_slice()].concat())
}

/// A result, or nothing for a refusal, which is an error with its four members.
fn send(session: &mut Session, request: &[u8]) -> Option<Vec<u8>> {
    let reply = reader::run(session, request);
    match reply.split_first() {
        Some((0, result)) => Some(result.to_vec()),
        Some((1, error)) => {
            let error: Value = serde_json::from_slice(error).expect("an error is JSON");
            let members: Vec<&String> = error.as_object().unwrap().keys().collect();
            assert_eq!(members, ["code", "field", "message", "numbers"]);
            None
        }
        _ => panic!("a reply has a status"),
    }
}

thread_local! {
    static OURS: Cell<bool> = const { Cell::new(false) };
}

/// Before a panic is told on, here that of a library is kept quiet. Where one of the standard library's functions
/// stops, the place that called it counts, which is a library's or ours.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let file = panic.location().map_or("", |place| place.file());
            if !(file.contains("/registry/src/") || file.contains("/rustc/") || file.contains("/library/")) {
                OURS.set(true);
                before(panic);
            }
        }));
    });
}

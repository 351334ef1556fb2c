//! The border of the module: any requests, in any order, and parts of a run.

use std::sync::OnceLock;

use matcher::findings::Findings;
use matcher::part::{Beside, PartTaker};
use matcher::request::join;
use matcher::session::Session;
use protocol::answer_seal::Slots as _;
use protocol::part_seal::{ID_BYTES, PartKey};
use protocol::roster::Level;
use protocol::secret::{Entropy, OpeningKey};
use protocol::slot::{self, Slot};
use protocol::value::Base64;
use rows::Density;
use serde_json::{Value, json};

use crate::input::Input;
use crate::world;

/// Bytes of a part's head (SPEC §10.1).
const HEAD_BYTES: usize = 2_048;

/// Requests that one input makes at most: opening takes milliseconds.
const MOST_REQUESTS: usize = 24;

/// The first byte says what follows: pieces of a part, sealed here, with rows set aside and a sample of numbers or
/// without; or requests, each an operation and a piece.
///
/// # Panics
/// When a reply is not one.
pub fn requests(data: &[u8]) {
    let mut input = Input(data);
    match input.byte() % 8 {
        0 => part(&mut input, false),
        4 => part(&mut input, true),
        _ => border(&mut input),
    }
}

fn border(input: &mut Input<'_>) {
    let mut session = Session::default();
    let mut opened = false;
    for _ in 0..MOST_REQUESTS {
        if input.is_empty() {
            break;
        }
        let op = input.byte();
        let bytes = input.piece();
        let request = match op {
            // A good request to open, with this table.
            0xF0 if !opened => {
                opened = true;
                open(bytes)
            }
            // The same with one part in place of its own.
            0xF1 => {
                let (which, part) = bytes.split_first().unwrap_or((&0, &[]));
                open_with(usize::from(*which) % 6, part)
            }
            // Two parts: those of a preview.
            0xF2 => {
                let (file, options) = bytes.split_at(bytes.len() / 2);
                [&[0x06], join(&[file, options]).as_slice()].concat()
            }
            // One part: those of `inspect`, `part` and `hand over`.
            0xF3..=0xF5 => {
                [&[[0x13, 0x07, 0x08][usize::from(op - 0xF3)]], join(&[bytes]).as_slice()].concat()
            }
            // A good request to open, with this table, and a copy is asked for.
            0xF6 if !opened => {
                opened = true;
                open_for_copy(bytes)
            }
            // A second signature under an answer of the input.
            0xF7 => {
                let [key_file, passphrase, agreement, ..] = parts();
                [&[0x14], join(&[key_file, passphrase, agreement, bytes]).as_slice()].concat()
            }
            // A table of so many bytes is sealed; the passes over it are operations as they come.
            0xF8 if !opened => {
                opened = true;
                base_data(bytes.len())
            }
            // New keys cost 32 MiB each; that they are made is tested elsewhere.
            0x10 => [&[0x10], bytes.get(..8).unwrap_or(bytes)].concat(),
            op => [&[op], bytes].concat(),
        };
        well_formed(&matcher::run(&mut session, request));
    }
}

/// A reply is a result, or an error with its four members.
fn well_formed(reply: &[u8]) {
    match reply.split_first() {
        Some((0, _)) => {}
        Some((1, error)) => {
            let error: Value = serde_json::from_slice(error).expect("an error is JSON");
            let members: Vec<&String> = error.as_object().unwrap().keys().collect();
            assert_eq!(members, ["code", "field", "message", "numbers"]);
            assert!(!error["code"].as_str().unwrap().is_empty());
        }
        _ => panic!("a reply has a status"),
    }
}

/// The parts of an `open` that is taken; its key file costs as little as one may.
fn parts() -> &'static [Vec<u8>; 6] {
    static PARTS: OnceLock<[Vec<u8>; 6]> = OnceLock::new();
    let names = ["key_file", "passphrase", "agreement", "roster", "entropy", "options"];
    PARTS.get_or_init(|| parts_of("ok_l2_blake3_one_officer", names))
}

/// A request to seal a table of so many bytes.
fn base_data(length: usize) -> Vec<u8> {
    static PARTS: OnceLock<[Vec<u8>; 5]> = OnceLock::new();
    let names = ["key_file", "passphrase", "agreement", "entropy", "options"];
    let [key_file, passphrase, agreement, entropy, options] =
        PARTS.get_or_init(|| parts_of("ok_base_data_one_byte", names));
    let mut options: Value = serde_json::from_slice(options).unwrap();
    options["length"] = json!(length);
    let options = options.to_string();
    [&[0x0C], join(&[key_file, passphrase, agreement, entropy, options.as_bytes()]).as_slice()].concat()
}

/// The parts of a session's first request, out of the vectors.
fn parts_of<const N: usize>(case: &str, names: [&str; N]) -> [Vec<u8>; N] {
    let file: Value = serde_json::from_str(include_str!("../../../vectors/sessions.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    let step = &cases.iter().find(|other| other["name"] == case).unwrap()["steps"][0];
    names.map(|name| {
        let text = step[name].as_str().unwrap_or_default();
        match name {
            "passphrase" => text.as_bytes().to_vec(),
            "entropy" => text.as_bytes().chunks(2).map(hex).collect(),
            "options" => step[name].to_string().into_bytes(),
            _ => blob(&file["blobs"], text),
        }
    })
}

/// A blob: base64, or a change of another one (vectors/README.md).
fn blob(blobs: &Value, name: &str) -> Vec<u8> {
    let whole = |text: &Value| text.as_str().unwrap().parse::<Base64>().unwrap().0;
    match &blobs[name] {
        change @ Value::Object(_) => {
            let number = |member: &str| usize::try_from(change[member].as_u64().unwrap()).unwrap();
            let mut bytes = blob(blobs, change["of"].as_str().unwrap());
            bytes.splice(number("at")..number("at") + number("drop"), whole(&change["put"]));
            bytes
        }
        text => whole(text),
    }
}

fn hex(digits: &[u8]) -> u8 {
    u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap()
}

fn open(table: &[u8]) -> Vec<u8> {
    let mut options: Value = serde_json::from_slice(&parts()[5]).unwrap();
    options["table"] = serde_json::from_slice(table).unwrap_or(json!(null));
    open_with(5, options.to_string().as_bytes())
}

/// To the key of some other vector: nothing here opens the copy.
fn open_for_copy(table: &[u8]) -> Vec<u8> {
    let mut options: Value = serde_json::from_slice(&parts()[5]).unwrap();
    options["table"] = serde_json::from_slice(table).unwrap_or(json!(null));
    options["compliance_key"] = json!(hex_of(&OpeningKey::from_bytes(&[6; 32]).public().0));
    open_with(5, options.to_string().as_bytes())
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn open_with(which: usize, part: &[u8]) -> Vec<u8> {
    let mut parts: [&[u8]; 6] = parts().each_ref().map(Vec::as_slice);
    parts[which] = part;
    [&[0x01], join(&parts).as_slice()].concat()
}

/// A part that another instance would have sealed: its head is JSON of the input, behind it, where they are `beside`,
/// rows set aside and a sample of numbers; then what it found, slot by slot.
fn part(input: &mut Input<'_>, beside: bool) {
    let level = [Level::L0, Level::L1, Level::L2][usize::from(input.byte()) % 3];
    let roster = world::roster(level);
    let (entropy, signer) = (Entropy::new(&[9; 32]).unwrap(), world::key(2));
    let begin = |piece: &[u8]| PartTaker::begin(piece, roster.digest, &entropy, &signer);
    let _ = begin(input.0);

    let id = [5; ID_BYTES];
    let key = PartKey::derive(&entropy, &id, &signer, roster.digest);
    let mut first = [id.as_slice(), input.piece()].concat();
    // The head has a fixed length; a longer piece brings what stands beside it as well.
    if first.len() < ID_BYTES + HEAD_BYTES {
        first.resize(ID_BYTES + HEAD_BYTES, 0);
        let (rows, sample): (&[u8], &[u8]) =
            if beside { (input.piece(), input.piece()) } else { (&[], &[0]) };
        first.extend_from_slice(&u32::try_from(rows.len()).unwrap().to_be_bytes());
        first.extend_from_slice(rows);
        first.extend_from_slice(sample);
    }
    key.seal(0, &mut first, ID_BYTES);
    let Ok((mut taker, head, Beside { set_aside, density })) = begin(&first) else { return };
    let _ = head.damage.judge();
    sampled(&density);
    let list = String::from_utf8(set_aside.list()).expect("the list of rows is text");
    assert!(list.lines().all(|line| line.split(',').count() == 4), "each row has its four cells");

    let mut findings = Findings::new(&roster.roster);
    let slots = usize::try_from(findings.slot_count()).unwrap();
    let mut piece = input.0.to_vec();
    piece.resize(slots * findings.part_bytes(), 0);
    key.seal(1, &mut piece, 0);
    let mut twice = piece.clone();
    if taker.add(&piece, &mut findings).is_ok() {
        twice[0] ^= 1;
        assert!(taker.add(&twice, &mut findings).is_err(), "a changed piece is refused");
        findings.close();
        let slots = findings.into_slots();
        for index in 0..4 {
            let mut slot = vec![0; slot::size(level)];
            slots.write(index, &mut slot);
            Slot::decode(level, &slot).expect("whatever is found can be read");
        }
    }
}

/// A sample has one spelling once it was read; added to itself it stays, and added up in either order it is the same.
fn sampled(density: &Density) {
    let bytes = density.to_bytes();
    let again = || Density::from_bytes(&bytes).expect("a sample that was read can be read again");
    assert_eq!(again().to_bytes(), bytes);
    let mut twice = again();
    twice.append(&again());
    assert_eq!(twice.to_bytes(), bytes);
    let mut other = Density::default();
    for number in world::PEOPLE {
        other.see(number.as_bytes().try_into().unwrap());
    }
    let mut ours = again();
    ours.append(&other);
    other.append(density);
    assert_eq!(ours.to_bytes(), other.to_bytes());
    assert_eq!(ours.judge(), other.judge());
}

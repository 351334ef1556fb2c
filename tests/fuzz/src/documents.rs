//! Envelopes, the header and body of each document, and key files.

use matcher::keys;
use matcher::request::join;
use protocol::agreement::Agreement;
use protocol::answer::{self, Answer};
use protocol::answer_seal;
use protocol::canonical;
use protocol::copy::AnswerCopy;
use protocol::cosigning::{CosignRequest, CosignerJoining};
use protocol::envelope::{self, Document, Head, Header};
use protocol::joining::JoiningRequest;
use protocol::key_file::KeyFile;
use protocol::log::LogEntry;
use protocol::proof::Proof;
use protocol::receipt::Receipt;
use protocol::release::Release;
use protocol::roster::{Roster, RosterContext};
use protocol::secret::OpeningKey;
use protocol::value::Digest;

use crate::input::Input;
use crate::world;

/// The first byte says what follows: 0 an envelope as it is; 1 to 6 the header of a document, behind its length, and
/// its body, which are signed here; 7 a log entry; 8 a key file; 9 canonical JSON; 10 the header of a copy
/// as of a document; 11 the proof of a slot; 12 and 13 the header of a co-signer's joining and of its request.
///
/// # Panics
/// When what is read is not written as it stood, or a signed document is not read.
pub fn documents(data: &[u8]) {
    let mut input = Input(data);
    match input.byte() % 14 {
        0 => framing(input.0),
        1 => drop(signed::<JoiningRequest>(&mut input, |_, _| {}).map(Document::<JoiningRequest>::check)),
        2 => drop(
            signed::<Agreement>(&mut input, |_, _| {}).map(|document| document.check(world::now().date())),
        ),
        3 => roster(&mut input),
        4 => answered(&mut input),
        5 => drop(signed::<Receipt>(&mut input, |_, _| {})),
        6 => drop(signed::<Release>(&mut input, |_, _| {})),
        7 => {
            if let Ok(entry) = canonical::decode::<LogEntry>(input.0) {
                assert_eq!(
                    canonical::encode(&entry).unwrap(),
                    input.0,
                    "a log entry is written as it was read"
                );
                entry.digest().unwrap();
            }
        }
        8 => key_file(input.0),
        10 => copied(&mut input),
        11 => proof(input.0),
        12 => drop(signed::<CosignerJoining>(&mut input, |_, _| {}).map(Document::<CosignerJoining>::check)),
        13 => drop(signed::<CosignRequest>(&mut input, |request, body| {
            request.body_bytes = body.len() as u64;
            request.body_sha256 = Digest::of(body);
        })),
        _ => {
            if let Ok(value) = canonical::parse(input.0) {
                let written = canonical::write(&value, canonical::MAX_DEPTH).unwrap();
                assert_eq!(written, input.0, "canonical JSON has one spelling");
            }
        }
    }
}

/// Whatever the bytes are, each reader gives a document or an error.
fn framing(bytes: &[u8]) {
    let _ = keys::inspect(&join(&[bytes]));
    every_reader(bytes);
    let Ok(head) = Head::parse(bytes) else { return };
    assert_eq!(head.encode().unwrap(), bytes[..head.length], "a head is written as it was read");
    if head.signers().is_ok()
        && let Ok(more) = envelope::co_sign(bytes, &world::key(9))
    {
        let again = Head::parse(&more).unwrap();
        assert_eq!(again.pae(), head.pae(), "a signature changes nothing that is signed");
        again.signers().unwrap();
    }
}

fn every_reader(bytes: &[u8]) {
    let _ = Document::<JoiningRequest>::read(bytes);
    let _ = Document::<Agreement>::read(bytes);
    let _ = Document::<Roster>::read(bytes);
    let _ = Document::<Answer>::read(bytes);
    let _ = Document::<AnswerCopy>::read(bytes);
    let _ = Document::<CosignerJoining>::read(bytes);
    let _ = Document::<CosignRequest>::read(bytes);
    let _ = Document::<Receipt>::read(bytes);
    let _ = Document::<Release>::read(bytes);
}

/// A header as it stands and a body: where they are good, signed, read again and compared.
fn signed<H: Header + PartialEq + std::fmt::Debug>(
    input: &mut Input<'_>,
    put_right: impl FnOnce(&mut H, &[u8]),
) -> Option<Document<H>> {
    let json = input.piece();
    let body = input.0;
    let mut header: H = canonical::decode(json).ok()?;
    assert_eq!(canonical::encode(&header).unwrap(), json, "a header is written as it was read");
    put_right(&mut header, body);
    let body = if header.body().is_some() { body } else { &[] };
    let bytes = envelope::write(&header, body, &[&world::key(1), &world::key(2)]).ok()?;
    let document = Document::<H>::read(&bytes).unwrap();
    assert_eq!(document.header, header);
    assert_eq!(document.body, body);
    let _ = keys::inspect(&join(&[&bytes])).unwrap();
    Some(document)
}

fn roster(input: &mut Input<'_>) {
    let document = signed::<Roster>(input, |roster, body| {
        roster.body_bytes = body.len() as u64;
        roster.body_sha256 = Digest::of(body);
        if roster.entry_count as usize * 24 != body.len() {
            roster.entry_count = u32::try_from(body.len() / 24).unwrap_or(u32::MAX);
        }
    });
    let Some(document) = document else { return };
    let agreement = world::in_force(document.header.agreement);
    let context = RosterContext { now: document.header.issued, last_serial: 0, release: None };
    if let Ok(accepted) = document.check(&agreement, &context) {
        let body: Vec<u8> = accepted.entries.iter().flat_map(|entry| entry.to_bytes()).collect();
        assert_eq!(Digest::of(&body), accepted.roster.body_sha256, "entries are written as they were read");
        let _ = rows::Lookup::new(accepted.entries);
    }
}

fn answered(input: &mut Input<'_>) {
    let document = signed::<Answer>(input, |answer, body| {
        answer.body_bytes = body.len() as u64;
        answer.body_sha256 = Digest::of(body);
    });
    let Some(document) = document else { return };
    let bytes = envelope::write(&document.header, &document.body, &[&world::key(2)]).unwrap();
    let head = Head::parse(&bytes).unwrap().verify::<Answer>().unwrap();
    let roster = world::roster(protocol::roster::Level::L1);
    let _ = answer::check(&head, &roster.roster, &roster.digest, &world::in_force(roster.roster.agreement));
}

/// A copy, and the answer that it says it is of: it opens nothing, since no content key is in it.
fn copied(input: &mut Input<'_>) {
    let Some(copy) = signed::<AnswerCopy>(input, |_, _| {}) else { return };
    let (answer, key) = (world::answer(&copy.header), OpeningKey::from_bytes(&[8; 32]));
    assert!(answer_seal::open_with_copy(answer, &copy, &key).is_err(), "what is sealed to nobody opens");
}

fn proof(bytes: &[u8]) {
    let Ok(proof) = Proof::read(bytes) else { return };
    assert_eq!(proof.write().unwrap(), bytes.trim_ascii_end(), "a proof is written as it was read");
    let roster = world::roster(protocol::roster::Level::L1);
    assert!(proof.verify(&roster.roster, &roster.digest).is_err(), "a root of zeros is the root of nothing");
    let mut named = proof.clone();
    named.roster = roster.digest;
    assert!(named.verify(&roster.roster, &roster.digest).is_err(), "a root of zeros is the root of nothing");
}

fn key_file(bytes: &[u8]) {
    let Ok(file) = KeyFile::read(bytes) else { return };
    assert_eq!(file.write().unwrap(), bytes.trim_ascii_end(), "a key file is written as it was read");
    // To try a passphrase takes some milliseconds at least, and that is for few.
    let cheap = bytes.windows(12).any(|part| part == b"\"m_kib\":8192")
        && bytes.windows(6).any(|part| part == b"\"t\":1}");
    if cheap && Digest::of(bytes).0[0] < 4 {
        let _ = file.unlock(b"correct horse battery");
    }
}

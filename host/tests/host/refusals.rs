//! Every refusal with its code, and that none of them changes what was accepted before.

use protocol::agreement::Agreement;
use protocol::answer::Answer;
use protocol::envelope::{co_sign, write};
use protocol::roster::{Field, Level, Roster};
use protocol::secret::SigningKey;
use protocol::{Digest, Head};

use crate::fixture::*;

/// What a client can see of the host's state.
fn seen(world: &World) -> [Vec<u8>; 4] {
    let centre = &world.as_centre;
    [
        centre.get("/api/v1/log").body,
        centre.get("/api/v1/agreements").body,
        centre.get("/api/v1/rosters").body,
        centre.get(&world.answers_path()).body,
    ]
}

fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.problem(), (status, code.to_owned()), "{}", String::from_utf8_lossy(&reply.body));
}

#[test]
fn answers() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let path = world.answers_path();
    let accepted = world.answer(1);
    assert_eq!(world.as_bank.post(&path, &accepted).status, 201);
    let before = seen(&world);

    let changed = |change: fn(&mut Answer)| answer(&world.roster, &world.agreement, &world.bank, 2, change);
    let by =
        |actor: &Actor| answer(&world.roster, &world.agreement, actor, 2, |a| a.institution = code("bank"));
    let good = changed(|_| {});
    let head = Head::parse(&good).unwrap().length;
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let with = |bytes: &[u8], more: &[u8]| [bytes, more].concat();

    let cases: Vec<(&str, Vec<u8>, u16, &str, &str)> = vec![
        ("nothing", Vec::new(), 400, "truncated", "type"),
        ("not a document", b"{\"hello\":1}".to_vec(), 400, "not_a_document", "type"),
        ("a line that does not end", vec![b'a'; 40_000], 400, "not_a_document", "type"),
        ("cut in the head", good[..head - 50].to_vec(), 400, "truncated", "signature"),
        ("a roster", world.roster.clone(), 400, "wrong_type", "type"),
        ("a bad signature", flipped(head - 20), 400, "bad_signature", "signatures[0]"),
        ("a changed header", flipped(100), 400, "bad_signature", "signatures[0]"),
        ("another body", flipped(head), 400, "body_mismatch", "body"),
        ("another last byte", flipped(good.len() - 1), 400, "body_mismatch", "body"),
        ("too short", good[..good.len() - 1].to_vec(), 400, "truncated", "body"),
        ("no body", good[..head].to_vec(), 400, "truncated", "body"),
        ("too long", with(&good, b"x"), 400, "trailing_bytes", "body"),
        ("signed by the other bank", by(&world.other), 422, "wrong_signer", "answer"),
        ("signed by a stranger", by(&actors().stranger), 422, "wrong_signer", "answer"),
        (
            "for the other bank",
            changed(|a| a.institution = code("other-bank")),
            422,
            "wrong_institution",
            "answer",
        ),
        ("to another roster", changed(|a| a.roster = Digest([1; 32])), 422, "wrong_roster", "answer.roster"),
        ("of another roster's id", changed(|a| a.roster_id.0[0] ^= 1), 422, "wrong_roster", "answer.roster"),
        ("of 128 slots", changed(|a| a.slot_count = 128), 422, "wrong_shape", "answer.slot_count"),
        ("of larger slots", changed(|a| a.slot_size = 2640), 422, "wrong_shape", "answer.slot_size"),
        ("of another length", changed(|a| a.body_bytes -= 1), 422, "wrong_shape", "answer.body_bytes"),
        (
            "by an old module",
            changed(|a| a.module_release = "0.0.9".parse().unwrap()),
            422,
            "module_too_old",
            "roster.module_minimum",
        ),
    ];
    for (name, bytes, status, code, field) in &cases {
        let reply = world.as_bank.post(&path, bytes);
        assert_eq!(reply.problem(), (*status, (*code).to_owned()), "{name}");
        assert_eq!(reply.json()["field"], *field, "{name}");
    }
    let taken = answer(&world.roster, &world.agreement, &world.bank, 1, |a| a.created = time(NOW - 60));
    refused(&world.as_bank.post(&path, &taken), 409, "version_taken");

    // Someone else's roster, or none, is not found.
    let others = format!("/api/v1/rosters/{}/answers", roster_digest(&world.other_roster));
    refused(&world.as_bank.post(&others, &good), 404, "not_found");
    refused(&world.as_other.post(&path, &good), 404, "not_found");
    refused(
        &world.as_bank.post(&format!("/api/v1/rosters/{}/answers", Digest([3; 32])), &good),
        404,
        "not_found",
    );

    refused(&world.as_centre.post(&path, &good), 403, "wrong_role");
    refused(&host.client().post(&path, &good), 401, "not_signed_in");
    let json = [("content-type", "application/json")];
    refused(&world.as_bank.send("POST", &path, &json, &good), 415, "content_type");

    assert_eq!(seen(&world), before);
    assert!(std::fs::read_dir(host.data().join("blobs/incoming")).map_or(0, Iterator::count) == 0);

    // After all that, a good one is still taken.
    assert_eq!(world.as_bank.post(&path, &good).status, 201);
}

#[test]
fn an_expired_roster_or_agreement_takes_no_answer() {
    let host = TestHost::start();
    let world = host.with_rosters();
    host.set_now(NOW + 10 * DAY);
    let as_bank = host.signed_in(&world.bank);
    let reply = as_bank.post(&world.answers_path(), &world.answer(1));
    refused(&reply, 422, "expired");
    assert_eq!(reply.json()["field"], "roster");
    host.set_now(NOW + 10 * DAY - 1);
    let as_bank = host.signed_in(&world.bank);
    assert_eq!(as_bank.post(&world.answers_path(), &world.answer(1)).status, 201);

    // An agreement that ends before the roster does.
    let host = TestHost::start();
    let Actors { centre, bank, .. } = actors();
    let mut ending = terms(&centre, &bank);
    ending.valid_to = time(NOW + DAY).date();
    let agreement = sign_agreement(&ending, &centre, &bank);
    let roster = roster(&agreement, &bank, 1);
    let as_centre = host.signed_in(&centre);
    assert_eq!(as_centre.post("/api/v1/agreements", &agreement).status, 201);
    assert_eq!(as_centre.post("/api/v1/rosters", &roster).status, 201);
    host.set_now(NOW + 2 * DAY);
    let path = format!("/api/v1/rosters/{}/answers", roster_digest(&roster));
    let answer = answer(&roster, &agreement, &bank, 1, |_| {});
    let reply = host.signed_in(&bank).post(&path, &answer);
    refused(&reply, 422, "expired");
    assert_eq!(reply.json()["field"], "agreement");
}

#[test]
fn an_answer_that_needs_approval_waits_for_it() {
    let host = TestHost::start();
    let Actors { centre, bank, .. } = actors();
    let (approver, compliance) = (SigningKey::from_seed(&[77; 32]), protocol::SealingKey([6; 32]));
    let mut terms = terms(&centre, &bank);
    terms.approval_required = true;
    terms.approver_keys = vec![approver.public()];
    terms.compliance_key = Some(compliance);
    let agreement = sign_agreement(&terms, &centre, &bank);
    let roster = roster(&agreement, &bank, 1);
    let as_centre = host.signed_in(&centre);
    assert_eq!(as_centre.post("/api/v1/agreements", &agreement).status, 201);
    assert_eq!(as_centre.post("/api/v1/rosters", &roster).status, 201);
    let as_bank = host.signed_in(&bank);
    let path = format!("/api/v1/rosters/{}/answers", roster_digest(&roster));
    let alone = answer(&roster, &agreement, &bank, 1, |_| {});
    refused(&as_bank.post(&path, &alone), 422, "missing_signature");
    let approved = co_sign(&alone, &approver).unwrap();
    let reply = as_bank.post(&path, &approved);
    assert_eq!(reply.status, 201);
    // The digest does not change with a signature: the same answer, with or without, is the one accepted.
    assert_eq!(as_bank.post(&path, &alone).body, reply.body);
    assert_eq!(as_bank.get(&format!("/api/v1/answers/{}", answer_digest(&alone))).body, approved);
}

#[test]
fn rosters() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let second = roster(&world.agreement, &world.bank, 5);
    assert_eq!(world.as_centre.post("/api/v1/rosters", &second).status, 201);
    let before = seen(&world);
    let changed =
        |serial, change: fn(&mut Roster)| roster_with(&world.agreement, &world.bank, serial, change);
    let good = changed(6, |_| {});
    let head = Head::parse(&good).unwrap().length;
    let mut disordered = good.clone();
    disordered[head + 24] ^= 1;
    let cases: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        ("serial going down", changed(4, |_| {}), 409, "replayed"),
        ("serial standing still", changed(5, |r| r.serial = 5), 200, ""),
        ("another of the same serial", changed(5, |r| r.id.0[0] = 99), 409, "replayed"),
        ("expired", changed(6, |r| r.expires = time(NOW)), 422, "expired"),
        ("of tomorrow", changed(6, |r| r.issued = time(NOW + DAY)), 422, "not_yet_valid"),
        ("for another bank", changed(6, |r| r.institution = code("other-bank")), 422, "wrong_institution"),
        ("under no agreement", changed(6, |r| r.agreement = Digest([1; 32])), 422, "unknown_agreement"),
        (
            "of a level that was not agreed",
            changed(6, |r| (r.level, r.slot_size) = (Level::L2, 2640)),
            422,
            "not_permitted",
        ),
        (
            "of a field that was not agreed",
            changed(6, |r| r.fields = vec![Field::Amount]),
            422,
            "not_permitted",
        ),
        ("with a changed body", disordered, 400, "body_mismatch"),
        ("cut", good[..good.len() - 1].to_vec(), 400, "truncated"),
        ("with a tail", [&good[..], b"x"].concat(), 400, "trailing_bytes"),
        ("an agreement", world.agreement.clone(), 400, "wrong_type"),
    ];
    for (name, bytes, status, code) in &cases {
        let reply = world.as_centre.post("/api/v1/rosters", bytes);
        assert_eq!(reply.status, *status, "{name}");
        if !code.is_empty() {
            assert_eq!(reply.problem().1, *code, "{name}");
        }
    }
    // Signed by the bank, not by the centre.
    let head = Head::parse(&good).unwrap();
    let header: Roster = protocol::canonical::decode(head.header_json()).unwrap();
    let by_bank = write(&header, &good[head.length..], &[&world.bank.key]).unwrap();
    refused(&world.as_centre.post("/api/v1/rosters", &by_bank), 422, "wrong_signer");
    refused(&world.as_bank.post("/api/v1/rosters", &good), 403, "wrong_role");
    refused(&host.client().post("/api/v1/rosters", &good), 401, "not_signed_in");
    assert_eq!(seen(&world), before);
    assert_eq!(world.as_centre.post("/api/v1/rosters", &good).status, 201);
}

#[test]
fn agreements() {
    let host = TestHost::start();
    let Actors { centre, bank, stranger, .. } = actors();
    let client = host.signed_in(&centre);
    let good = terms(&centre, &bank);
    let changed = |change: fn(&mut Agreement)| {
        let mut terms = good.clone();
        change(&mut terms);
        sign_agreement(&terms, &centre, &bank)
    };
    // A centre that this host does not serve, with a bank of its own.
    let foreign = agreement(&stranger, &bank);
    let cases: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        ("without the bank", write(&good, b"", &[&centre.key]).unwrap(), 422, "missing_signature"),
        ("without the centre", write(&good, b"", &[&bank.key]).unwrap(), 422, "wrong_signer"),
        ("bank first", write(&good, b"", &[&bank.key, &centre.key]).unwrap(), 422, "wrong_signer"),
        ("run out", changed(|t| t.valid_to = time(NOW - DAY).date()), 422, "expired"),
        ("not begun", changed(|t| t.valid_from = time(NOW + DAY).date()), 422, "not_yet_valid"),
        ("of a centre not served here", foreign, 422, "wrong_signer"),
        ("too large", vec![b'x'; (128 << 10) + 1], 413, "body_too_large"),
        ("empty", Vec::new(), 400, "truncated"),
    ];
    for (name, bytes, status, code) in cases {
        let reply = client.post("/api/v1/agreements", &bytes);
        assert_eq!(reply.problem(), (status, code.to_owned()), "{name}");
    }
    assert_eq!(client.get("/api/v1/log").json()["length"], 0);
}

/// The document under another type, signed for it.
fn of_type(document: &[u8], kind: &str, signers: &[&SigningKey]) -> Vec<u8> {
    let head = Head::parse(document).unwrap();
    let header = head.header_json();
    let signed = [format!("DSSEv1 {} {kind} {} ", kind.len(), header.len()).as_bytes(), header].concat();
    let mut bytes = format!("{kind}\n").into_bytes();
    bytes.extend(u32::try_from(header.len()).unwrap().to_be_bytes());
    bytes.extend(header);
    bytes.push(u8::try_from(signers.len()).unwrap());
    for signer in signers {
        bytes.extend(signer.public().as_bytes());
        bytes.extend(signer.sign(&signed));
    }
    bytes.extend(head.body_bytes().to_be_bytes());
    bytes.extend(&document[head.length..]);
    bytes
}

/// What a document is, who sends it, the path, its bytes, and who signs it.
type Sent<'w> = (&'static str, &'w Client, String, Vec<u8>, Vec<&'w SigningKey>);

/// A good document for each of a host's three routes.
fn documents<'w>(world: &'w World, centre: &'w Actor) -> [Sent<'w>; 3] {
    let answer = world.answer(1);
    let next = roster(&world.agreement, &world.bank, 2);
    let mut terms = terms(centre, &world.bank);
    terms.number = "2026-2".parse().unwrap();
    let agreement = sign_agreement(&terms, centre, &world.bank);
    [
        ("answer", &world.as_bank, world.answers_path(), answer, vec![&world.bank.key]),
        ("roster", &world.as_centre, "/api/v1/rosters".to_owned(), next, vec![&centre.key]),
        (
            "agreement",
            &world.as_centre,
            "/api/v1/agreements".to_owned(),
            agreement,
            vec![&centre.key, &world.bank.key],
        ),
    ]
}

#[test]
fn another_version_and_a_bad_signature_have_codes_of_their_own() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let centre = actors().centre;
    let before = seen(&world);
    for (name, client, path, good, signers) in documents(&world, &centre) {
        assert!(
            of_type(&good, &format!("hedui/{name}/v1"), &signers) == good,
            "{name}: signed as it should be"
        );
        for kind in [format!("hedui/{name}/v2"), format!("hedui/{name}/v0"), format!("hedui/{name}")] {
            let reply = client.post(&path, &of_type(&good, &kind, &signers));
            refused(&reply, 400, "wrong_type");
            assert_eq!(reply.json()["field"], "type", "{kind}");
        }
        // One bit of each signature, of each key, and of what is signed.
        let head = Head::parse(&good).unwrap();
        let signatures = head.length - 8 - 96 * signers.len();
        for (at, _) in signers.iter().enumerate() {
            for byte in [0, 31, 32, 63, 64, 95] {
                let mut bytes = good.clone();
                bytes[signatures + 96 * at + byte] ^= 1;
                let reply = client.post(&path, &bytes);
                refused(&reply, 400, "bad_signature");
                assert_eq!(reply.json()["field"], format!("signatures[{at}]"), "{name}: byte {byte}");
            }
        }
        let mut bytes = good.clone();
        bytes[signatures - 20] ^= 1; // in the header
        refused(&client.post(&path, &bytes), 400, "bad_signature");
    }
    assert_eq!(seen(&world), before);
    for (name, client, path, good, _) in documents(&world, &centre) {
        assert_eq!(client.post(&path, &good).status, 201, "{name}");
    }
}

/// Cut anywhere, a document is cut short, and nothing of it stays. Heads at every byte; of the bodies, which
/// are nothing but bytes to a host, at every so many, and at the last hundred.
#[test]
fn a_document_cut_anywhere_is_refused() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let centre = actors().centre;
    let before = seen(&world);
    let mut tried = 0;
    for (name, client, path, good, _) in documents(&world, &centre) {
        let head = Head::parse(&good).unwrap().length;
        let last = good.len().saturating_sub(100).max(head)..good.len();
        let step = (good.len() - head) / 100 + 1;
        for cut in (0..head).chain((head..good.len()).step_by(step)).chain(last) {
            let reply = client.post(&path, &good[..cut]);
            assert_eq!(reply.problem(), (400, "truncated".to_owned()), "{name} cut at {cut}");
            tried += 1;
        }
    }
    assert!(tried > 3_000, "{tried} cuts");
    assert_eq!(seen(&world), before);
    let incoming = host.data().join("blobs/incoming");
    assert_eq!(std::fs::read_dir(incoming).map_or(0, Iterator::count), 0, "nothing half is left");
    for (name, client, path, good, _) in documents(&world, &centre) {
        assert_eq!(client.post(&path, &good).status, 201, "{name}");
    }
}

#[test]
fn a_refusal_never_repeats_what_was_sent() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let secret = "110101199003078515";
    let mut replies = vec![
        world.as_bank.post(&world.answers_path(), secret.as_bytes()),
        world.as_bank.get(&format!("/api/v1/rosters/{secret}")),
        world.as_centre.get(&format!("/api/v1/log?after={secret}x")),
        world.as_centre.get(&format!("/{secret}")),
        host.client().send(
            "POST",
            "/api/v1/sign-in",
            &[("content-type", "application/json")],
            secret.as_bytes(),
        ),
    ];
    for member in ["key", "challenge", secret] {
        replies.push(host.client().post_json("/api/v1/sign-in", &serde_json::json!({ member: secret })));
    }
    for reply in replies {
        assert!(reply.problem().0 >= 400);
        assert!(!String::from_utf8_lossy(&reply.body).contains(secret), "{reply:?}");
    }
}

//! Answers that come in pieces. What counts as a failure: a byte that has to be sent twice though it had arrived; one
//! answer made of two; anything accepted that a single upload would refuse; room taken without bound.

use std::fs::File;
use std::io::Write as _;
use std::net::{Shutdown, TcpStream};
use std::process::Child;
use std::time::{Duration, Instant, SystemTime};

use protocol::{Digest, Head};

use crate::fixture::*;
use crate::process::spawn;

const OCTETS: (&str, &str) = ("content-type", "application/octet-stream");

fn head_of(answer: &[u8]) -> &[u8] {
    &answer[..Head::parse(answer).unwrap().length]
}

fn uploads_path(roster: &[u8]) -> String {
    format!("/api/v1/rosters/{}/uploads", roster_digest(roster))
}

fn piece_path(answer: &[u8], offset: usize) -> String {
    format!("/api/v1/uploads/{}?offset={offset}", answer_digest(answer))
}

/// Begins, or finds again; gives how far it has come.
fn begin(client: &Client, roster: &[u8], answer: &[u8]) -> usize {
    let reply = client.post(&uploads_path(roster), head_of(answer));
    assert!(matches!(reply.status, 200 | 201), "{reply:?}");
    let json = reply.json();
    assert_eq!(json["bytes"], answer.len());
    assert_eq!(json["upload"], answer_digest(answer).to_string());
    usize::try_from(json["received"].as_u64().unwrap()).unwrap()
}

/// A piece that the host has taken up, of which only `sent` bytes have come.
fn under_way(client: &Client, roster: &[u8], answer: &[u8], offset: usize, sent: usize) -> TcpStream {
    let length = (answer.len() - offset).to_string();
    let headers = [OCTETS, ("content-length", length.as_str())];
    for _ in 0..100 {
        let mut stream = client.begin("POST", &piece_path(answer, offset), &headers);
        stream.write_all(&answer[offset..offset + sent]).unwrap();
        // Asking takes the place for a moment: a piece that comes just then is turned away, and is sent again.
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        while stream.peek(&mut [0]).is_err() {
            if client.post(&uploads_path(roster), head_of(answer)).status == 429 {
                stream.set_read_timeout(None).unwrap();
                return stream;
            }
        }
    }
    panic!("the host does not take the piece up");
}

/// Sends a piece whose connection breaks inside it.
fn cut(client: &Client, roster: &[u8], answer: &[u8], offset: usize, sent: usize) {
    under_way(client, roster, answer, offset, sent).shutdown(Shutdown::Both).unwrap();
}

/// The host notices a lost connection on its own: what came is there, and the place is free, a moment later.
fn until(mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(10), "it does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn partials(host: &TestHost) -> usize {
    let root = host.data().join("blobs/partial");
    let parties = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    parties.map(|party| std::fs::read_dir(party).unwrap().count()).sum()
}

#[test]
fn an_answer_goes_on_where_it_was_cut() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let answer = world.answer(1);
    let head = head_of(&answer).len();
    let mut received = begin(&world.as_bank, &world.roster, &answer);
    assert_eq!(received, head);
    for sent in [0, 1, 1_000, 20_000] {
        cut(&world.as_bank, &world.roster, &answer, received, sent);
        let expected = received + sent;
        until(|| {
            let reply = world.as_bank.post(&uploads_path(&world.roster), head_of(&answer));
            reply.status == 200 && reply.json()["received"] == expected
        });
        received = expected;
    }
    // A piece anywhere else is refused, and says nothing of the one that is there.
    for wrong in [0, head, received - 1, received + 1] {
        let reply = world.as_bank.post(&piece_path(&answer, wrong), &answer[wrong..]);
        assert_eq!(reply.problem(), (409, "upload_offset".to_owned()));
    }
    assert_eq!(
        world.as_bank.get(&world.answers_path()).json(),
        serde_json::json!([]),
        "nothing is accepted yet"
    );

    let middle = received + (answer.len() - received) / 2;
    let reply = world.as_bank.post(&piece_path(&answer, received), &answer[received..middle]);
    assert_eq!((reply.status, reply.json()["received"].as_u64().unwrap()), (200, middle as u64));
    let receipt = world.as_bank.post(&piece_path(&answer, middle), &answer[middle..]);
    assert_eq!(receipt.status, 201, "{receipt:?}");
    assert_eq!(world.as_bank.get(&format!("/api/v1/answers/{}", answer_digest(&answer))).body, answer);
    assert_eq!(partials(&host), 0);
    // Begun again, or sent at once again: the same receipt.
    let again = world.as_bank.post(&uploads_path(&world.roster), head_of(&answer));
    assert_eq!((again.status, &again.body), (200, &receipt.body));
    assert_eq!(world.as_bank.post(&world.answers_path(), &answer).body, receipt.body);
    assert_eq!(world.as_bank.post(&piece_path(&answer, 0), &answer).problem().1, "not_found");
}

#[test]
fn what_a_single_upload_refuses_is_refused_in_pieces() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let path = uploads_path(&world.roster);
    let good = world.answer(1);
    let wrong = |change: fn(&mut protocol::answer::Answer)| {
        answer(&world.roster, &world.agreement, &world.bank, 1, change)
    };
    let post = |bytes: &[u8]| world.as_bank.post(&path, bytes).problem().1;
    assert_eq!(post(head_of(&wrong(|a| a.slot_count = 128))), "wrong_shape");
    assert_eq!(post(head_of(&wrong(|a| a.institution = code("other-bank")))), "wrong_institution");
    assert_eq!(post(&good), "trailing_bytes");
    assert_eq!(post(&[&good[..], &vec![0; 80_000]].concat()), "body_too_large");
    assert_eq!(post(&good[..head_of(&good).len() + 1]), "trailing_bytes");
    assert_eq!(post(&good[..head_of(&good).len() - 1]), "truncated");
    let mut forged = head_of(&good).to_vec();
    let last = forged.len() - 10;
    forged[last] ^= 1;
    assert_eq!(post(&forged), "bad_signature");
    assert_eq!(partials(&host), 0);
    // Only the institution itself, and only what it began.
    assert_eq!(world.as_other.post(&path, head_of(&good)).problem().1, "not_found");
    assert_eq!(world.as_centre.post(&path, head_of(&good)).problem().1, "wrong_role");
    assert_eq!(host.client().post(&path, head_of(&good)).problem().1, "not_signed_in");
    let received = begin(&world.as_bank, &world.roster, &good);
    assert_eq!(world.as_other.post(&piece_path(&good, received), b"x").problem().1, "not_found");

    // A body that is not the one the head speaks of is thrown away whole.
    let mut body = good[received..].to_vec();
    body[7] ^= 1;
    assert_eq!(world.as_bank.post(&piece_path(&good, received), &body).problem().1, "body_mismatch");
    assert_eq!(partials(&host), 0);
    // One byte too many is not taken.
    let received = begin(&world.as_bank, &world.roster, &good);
    let long = [&good[received..], b"x"].concat();
    assert_eq!(world.as_bank.post(&piece_path(&good, received), &long).problem().1, "trailing_bytes");
    // The roster expires meanwhile.
    let received = begin(&world.as_bank, &world.roster, &good);
    host.set_now(NOW + 11 * DAY);
    let later = host.signed_in(&world.bank);
    assert_eq!(later.post(&piece_path(&good, received), &good[received..]).problem().1, "expired");
    assert_eq!(later.get(&world.answers_path()).json(), serde_json::json!([]));
}

#[test]
fn two_answers_at_once_do_not_mix_and_one_place_takes_one_piece() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let [one, two] = [world.answer(1), world.answer(2)];
    let at = [&one, &two].map(|answer| begin(&world.as_bank, &world.roster, answer));
    // A connection that is still open holds the place of its upload, and no other.
    let mut open = under_way(&world.as_bank, &world.roster, &one, at[0], 500);
    assert_eq!(
        world.as_bank.post(&piece_path(&one, at[0]), &one[at[0]..]).problem(),
        (429, "too_many_uploads".to_owned())
    );
    assert_eq!(world.as_bank.post(&piece_path(&two, at[1]), &two[at[1]..]).status, 201);
    open.write_all(&one[at[0] + 500..]).unwrap();
    assert_eq!(finish(open).status, 201);
    for answer in [&one, &two] {
        assert_eq!(&world.as_bank.get(&format!("/api/v1/answers/{}", answer_digest(answer))).body, answer);
    }
}

#[test]
fn one_answer_by_two_senders_is_recorded_once() {
    let host = TestHost::start();
    let world = host.with_rosters();
    let answer = world.answer(1);
    let rival = crate::fixture::answer(&world.roster, &world.agreement, &world.bank, 1, |a| {
        a.module_sha256 = Digest([9; 32]);
    });
    let at = [&answer, &rival].map(|bytes| begin(&world.as_bank, &world.roster, bytes));
    assert_eq!(world.as_bank.post(&piece_path(&answer, at[0]), &answer[at[0]..]).status, 201);
    let late = world.as_bank.post(&piece_path(&rival, at[1]), &rival[at[1]..]);
    assert_eq!(late.problem(), (409, "version_taken".to_owned()));
    assert_eq!(world.as_bank.get(&world.answers_path()).json().as_array().unwrap().len(), 1);
}

#[test]
fn partial_answers_are_bounded_and_cleaned() {
    let mut host = TestHost::start();
    let world = host.with_rosters();
    let answers: Vec<Vec<u8>> = (1..=6).map(|version| world.answer(version)).collect();
    for answer in &answers {
        begin(&world.as_bank, &world.roster, answer);
        // Which was left alone longest must show in the times of files.
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(partials(&host), 4);
    let first = world.as_bank.post(&piece_path(&answers[0], 0), b"x");
    assert_eq!(first.problem().1, "not_found", "the one longest left alone went");
    let head = head_of(&answers[5]).len();
    assert_eq!(begin(&world.as_bank, &world.roster, &answers[5]), head);

    // Nobody comes back: after a day they go, at a start at the latest.
    let root = host.data().join("blobs/partial");
    for party in std::fs::read_dir(&root).unwrap() {
        for file in std::fs::read_dir(party.unwrap().path()).unwrap() {
            let old = SystemTime::now() - Duration::from_secs(25 * 3600);
            File::options().append(true).open(file.unwrap().path()).unwrap().set_modified(old).unwrap();
        }
    }
    host.restart();
    assert_eq!(partials(&host), 0);
}

#[test]
fn a_killed_host_goes_on_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let Actors { centre, bank, .. } = actors();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let mut terms = terms(&centre, &bank);
    (terms.valid_from, terms.valid_to) = (time(now).date(), time(now + DAY).date());
    let agreement = sign_agreement(&terms, &centre, &bank);
    let (mut child, mut client): (Child, Client) = spawn(&data);
    let as_centre = Client { token: Some(client.sign_in(&centre)), ..client.clone() };
    assert_eq!(as_centre.post("/api/v1/agreements", &agreement).status, 201);
    let roster = roster_with(&agreement, &bank, 1, |roster| {
        (roster.issued, roster.expires) = (time(now), time(now + DAY));
    });
    assert_eq!(as_centre.post("/api/v1/rosters", &roster).status, 201);
    let answer = answer(&roster, &agreement, &bank, 1, |_| {});

    let mut as_bank = Client { token: Some(client.sign_in(&bank)), ..client.clone() };
    let mut received = begin(&as_bank, &roster, &answer);
    for _ in 0..3 {
        // A whole piece is on the disk when it is acknowledged; half of another one is under way.
        let reply = as_bank.post(&piece_path(&answer, received), &answer[received..received + 5_000]);
        assert_eq!(reply.status, 200);
        received += 5_000;
        let length = (answer.len() - received).to_string();
        let headers = [OCTETS, ("content-length", length.as_str())];
        let mut half = as_bank.begin("POST", &piece_path(&answer, received), &headers);
        half.write_all(&answer[received..received + 2_000]).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        (child, client) = spawn(&data);
        as_bank = Client { token: as_bank.token, ..client.clone() };
        let there = begin(&as_bank, &roster, &answer);
        assert!((received..=received + 2_000).contains(&there), "{there} after {received} were acknowledged");
        received = there;
    }
    assert_eq!(as_bank.post(&piece_path(&answer, received), &answer[received..]).status, 201);
    assert_eq!(as_bank.get(&format!("/api/v1/answers/{}", answer_digest(&answer))).body, answer);
    child.kill().unwrap();
    child.wait().unwrap();
}

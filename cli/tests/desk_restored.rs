//! The drill: a desk with findings, reports, closed files and scans is backed up while it is open, restored into an
//! empty folder with the key that lies elsewhere, and used. What counts as a failure: a page that does not open, a
//! paper or an exported file that differs by a byte, a log that does not follow from itself, an exported file that
//! `hedui inspect` does not accept.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    dead_code,
    reason = "helpers of tests, which stop at the first surprise"
)]

#[path = "../../console/tests/desk/bank.rs"]
mod bank;
#[path = "../../console/tests/desk/office.rs"]
mod office;
#[path = "../../console/tests/desk/steps.rs"]
mod steps;

use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use axum::http::StatusCode;
use bank::{KEY_PASSPHRASE, Odd, Officer, answer, deposits, hand_in, key_file};
use console::staff::Role;
use office::{Office, Person};
use protocol::key_file::Role as KeyRole;
use serde_json::Value;
use steps::{NAMES, agree, dispatch, file, import, make_batch, number, second, the_centre};

fn hedui(words: &[&str], paths: &[(&str, &Path)]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hedui"));
    command.args(words).arg("--json");
    for (flag, path) in paths {
        command.arg(flag).arg(path);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn export(person: &mut Person<'_>) -> Vec<u8> {
    let one_time = person.one_time();
    let reply = person.post("/archive/1/export", &[("one_time", &one_time)]).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.bytes
}

const PAGES: [&str; 14] = [
    "/",
    "/people",
    "/people/1",
    "/people/1/questions",
    "/cases",
    "/cases/1",
    "/cases/1/report",
    "/batches/1",
    "/openings/1",
    "/reviews/1",
    "/reports/1",
    "/archive/1",
    "/rechecks",
    "/counters",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_desk_is_the_desk() {
    let office = Office::with(|config| config.centre = Some(the_centre().1)).await;
    let mut officers = [Officer::new(&office, "my01", 21).await, Officer::new(&office, "my02", 22).await];
    let mut maker = office.person("jb01", &[Role::Operator]).await;
    let mut other = office.person("jb02", &[Role::Operator]).await;
    let mut reviewer = office.person("fh01", &[Role::Reviewer]).await;
    let mut head = office.person("qp01", &[Role::Head]).await;
    assert!(import(&mut maker, &file(2, 2)).await.contains("id=\"done\""));
    agree(&mut maker, |_| {}).await;
    second(&mut other).await;
    let batch = make_batch(&mut maker).await;
    assert_eq!(dispatch(&mut maker, &batch, "L1").await.location(), batch);
    assert_eq!(other.post("/rosters/1/file", &[]).await.status, StatusCode::OK);
    let found = |who: &str| (who == number(0)).then(|| deposits(1_234_567, 20_261_020));
    let bytes = answer(&office, 1, Odd::default(), &found).await;
    assert_eq!(hand_in(&mut other, 1, &bytes).await.location(), batch);
    officers[0].unlock(&batch).await;
    officers[1].open(&batch).await;
    let page = reviewer.post("/reviews/1/unmask", &[]).await;
    let seen = page.between("name=\"seen\" value=\"", "\"");
    reviewer.post("/reviews/1/confirm", &[("seen", &seen)]).await;
    let scan = b"\xFF\xD8\xFF a scan";
    maker.upload("/authorisations/1/scan", &[], ("scan", "a.jpg", scan)).await;
    let one_time = head.one_time();
    let issued = head.post("/cases/1/report", &[("one_time", &one_time)]).await;
    assert_eq!(issued.location(), "/reports/1", "{}", issued.text);
    assert_eq!(maker.post("/cases/1/archive", &[]).await.location(), "/archive/1");
    let (paper, exported) = (maker.post("/reports/1/pdf", &[]).await.bytes, export(&mut maker).await);

    // Away, sealed, while the desk is open.
    let elsewhere = tempfile::tempdir().unwrap();
    let at = |name: &str| elsewhere.path().join(name);
    std::fs::write(at("backup.key.hedui"), key_file(KeyRole::Officer, "bf01", 31).write().unwrap()).unwrap();
    std::fs::write(at("words"), KEY_PASSPHRASE).unwrap();
    let sealed = at("desk.backup.hedui");
    hedui(
        &["desk", "backup"],
        &[("--data", &office.data()), ("--to", &at("backup.key.hedui")), ("--out", &sealed)],
    );
    let clear = std::fs::read(&sealed).unwrap();
    for needle in
        NAMES.map(str::to_owned).into_iter().chain([number(0), "12,345.67".to_owned(), "SQLite".to_owned()])
    {
        assert!(!clear.windows(needle.len()).any(|window| window == needle.as_bytes()), "{needle}");
    }
    // What the old desk does from here on is not in it.
    maker.post("/people/1/unmask", &[]).await;

    let folder = at("empty");
    let restored = hedui(
        &["desk", "restore"],
        &[
            ("--backup", &sealed),
            ("--key", &at("backup.key.hedui")),
            ("--passphrase-file", &at("words")),
            ("--data", &folder),
        ],
    );
    let verified = hedui(&["desk", "verify"], &[("--data", &folder)]);
    assert_eq!(restored, verified);
    assert!(
        verified["entries"].as_u64().unwrap() > 40 && verified["checkpoints"].as_u64().unwrap() >= 2,
        "{verified}"
    );

    let new = office.reopened(&folder).await;
    let mut people = Vec::new();
    for person in [&maker, &other, &reviewer, &head, &officers[0].person] {
        let mut one = Person {
            office: &new,
            code: person.code.clone(),
            cookie: String::new(),
            secret: person.secret.clone(),
        };
        one.sign_in().await;
        people.push(one);
    }
    for path in PAGES {
        for person in &mut people {
            let page = person.get(path).await;
            assert_eq!(page.status, StatusCode::OK, "{path} for {}", person.code);
            assert!(!page.text.contains(NAMES[0]) && !page.text.contains(&number(0)), "{path}");
        }
    }
    let maker = &mut people[0];
    assert_eq!(maker.post("/reports/1/pdf", &[]).await.bytes, paper);
    assert_eq!(maker.post("/scans/1", &[]).await.bytes, scan);
    assert!(maker.post("/archive/1/check", &[]).await.text.contains("id=\"sound\""));
    let again = export(maker).await;
    assert!(again == exported, "the exported file differs");
    // The work goes on where it stood: the second household's review, and the next number.
    let page = people[2].post("/reviews/2/unmask", &[]).await;
    let seen = page.between("name=\"seen\" value=\"", "\"");
    people[2].post("/reviews/2/confirm", &[("seen", &seen)]).await;
    let one_time = people[3].one_time();
    let next = people[3].post("/cases/2/report", &[("one_time", &one_time)]).await;
    assert_eq!(next.location(), "/reports/2", "{}", next.text);
    let numbers = steps::count(&new, "SELECT count(*) FROM reports WHERE number = 'BG2026-000002'").await;
    assert_eq!(numbers, 1);

    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(again)).unwrap();
    std::fs::create_dir(at("file")).unwrap();
    for n in 0..zip.len() {
        let mut entry = zip.by_index(n).unwrap();
        let name = entry.name().unwrap().rsplit('/').next().unwrap().to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        std::fs::write(at("file").join(name), bytes).unwrap();
    }
    let inspected = hedui(&["inspect", at("file").to_str().unwrap()], &[]);
    assert_eq!(inspected["type"], "hedui/archive/v1");
    assert!(inspected["papers"].as_u64().unwrap() >= 8, "{inspected}");
}

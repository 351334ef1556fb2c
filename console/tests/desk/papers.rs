//! Steps 6 and 7 over HTTP. What counts as a failure: a report with another figure, name or number than was found;
//! one issued by whoever had a hand in it, or twice, or with a hole in the numbers; a version that is lost when
//! another takes its place; a closed file that was changed and still passes; one that one person alone destroys,
//! or before its time; anything of a bank's on a public notice; a name or number on a screen unasked, or on the disk.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use axum::http::StatusCode;
use console::report::facts::Facts;
use console::staff::Role;
use desk::agreement_maker::Terms;
use desk::papers::{Archive, Report, ReportKind, read_sums};
use protocol::{Digest, Document};

use crate::at_rest;
use crate::bank::{Odd, Officer, answer, deposits, hand_in};
use crate::office::{Office, Person, Reply};
use crate::steps::{NAMES, agree, count, dispatch, file, import, make_batch, number, second, the_centre};

/// A desk whose cases a second person has confirmed: the first person has 12,345.67 yuan at a bank.
pub(crate) struct Desk<'o> {
    pub(crate) office: &'o Office,
    pub(crate) maker: Person<'o>,
    pub(crate) other: Person<'o>,
    pub(crate) reviewer: Person<'o>,
    pub(crate) head: Person<'o>,
}

pub(crate) const DAY: u64 = 86_400;
pub(crate) const FOUND: &str = "12,345.67";

impl<'o> Desk<'o> {
    pub(crate) async fn reviewed(office: &'o Office, file: &str) -> Self {
        let (mut desk, batch, [mut first, mut second]) = Self::asked(office, file).await;
        let found = |who: &str| (who == number(0)).then(|| deposits(1_234_567, 20_261_020));
        let bytes = answer(office, 1, Odd { set_aside: 20, ..Odd::default() }, &found).await;
        assert_eq!(hand_in(&mut desk.other, 1, &bytes).await.location(), batch);
        first.unlock(&batch).await;
        second.open(&batch).await;
        let cases = count(office, "SELECT count(*) FROM cases").await;
        for case in 1..=cases {
            desk.confirm(case).await;
        }
        desk
    }

    pub(crate) async fn asked(office: &'o Office, file: &str) -> (Self, String, [Officer<'o>; 2]) {
        Self::asked_at(office, file, "L1", |_| {}).await
    }

    /// Asked at a level, under an agreement that was changed.
    pub(crate) async fn asked_at(
        office: &'o Office,
        file: &str,
        level: &str,
        change: impl FnOnce(&mut Terms),
    ) -> (Self, String, [Officer<'o>; 2]) {
        // Key officers first: answers will be sealed to them.
        let officers = [Officer::new(office, "my01", 21).await, Officer::new(office, "my02", 22).await];
        let mut maker = office.person("jb01", &[Role::Operator]).await;
        let mut other = office.person("jb02", &[Role::Operator]).await;
        let reviewer = office.person("fh01", &[Role::Reviewer]).await;
        let head = office.person("qp01", &[Role::Head]).await;
        assert!(import(&mut maker, file).await.contains("id=\"done\""));
        agree(&mut maker, change).await;
        second(&mut other).await;
        let batch = make_batch(&mut maker).await;
        assert_eq!(dispatch(&mut maker, &batch, level).await.location(), batch);
        assert_eq!(other.post("/rosters/1/file", &[]).await.status, StatusCode::OK);
        (Self { office, maker, other, reviewer, head }, batch, officers)
    }

    pub(crate) async fn confirm(&mut self, case: i64) {
        let page = self.reviewer.post(&format!("/reviews/{case}/unmask"), &[]).await;
        let seen = page.between("name=\"seen\" value=\"", "\"");
        let done = self.reviewer.post(&format!("/reviews/{case}/confirm"), &[("seen", &seen)]).await;
        assert_eq!(done.location(), format!("/reviews/{case}"), "{}", done.text);
    }

    pub(crate) async fn issue(&mut self, case: i64) -> Reply {
        issue(&mut self.head, case).await
    }

    /// Time goes by, and everybody signs in again.
    pub(crate) async fn later(&mut self, days: u64) {
        self.office.clock.forward(days * DAY);
        for person in [&mut self.maker, &mut self.other, &mut self.reviewer, &mut self.head] {
            person.sign_in().await;
        }
    }
}

pub(crate) async fn centre() -> Office {
    Office::with(|config| {
        config.centre = Some(the_centre().1);
    })
    .await
}

async fn issue(person: &mut Person<'_>, case: i64) -> Reply {
    let one_time = person.one_time();
    person.post(&format!("/cases/{case}/report"), &[("one_time", &one_time)]).await
}

/// The text of a PDF, by poppler.
pub(crate) fn text_of(pdf: &[u8]) -> String {
    let mut program = Command::new("pdftotext")
        .args(["-layout", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("pdftotext: {error}; install poppler-utils"));
    let (mut stdin, pdf) = (program.stdin.take().unwrap(), pdf.to_vec());
    let writer = std::thread::spawn(move || stdin.write_all(&pdf));
    let output = program.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// All that may not stand on a screen or the disk.
fn needles() -> Vec<String> {
    let people = (0..8).map(number).chain(NAMES.map(str::to_owned));
    people.collect()
}

pub(crate) fn assert_masked(path: &str, page: &Reply) {
    assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
    for needle in needles() {
        assert!(!page.text.contains(&needle), "{path} shows {needle}");
    }
}

pub(crate) fn on_disk(office: &Office, more: &[&str]) -> Vec<String> {
    let all = needles();
    let all: Vec<&str> = all.iter().map(String::as_str).chain(more.iter().copied()).collect();
    at_rest::found(office, &all)
}

#[tokio::test]
async fn the_head_issues_a_report_with_the_true_figures() {
    let office = centre().await;
    let mut desk = Desk::reviewed(&office, &file(2, 2)).await;
    let draft = desk.head.get("/cases/1/report").await;
    assert_masked("/cases/1/report", &draft);
    assert!(draft.text.contains(FOUND) && draft.text.contains("欧＊＊＊"), "{}", draft.text);
    let wrong = desk.head.post("/cases/1/report", &[("one_time", "000000")]).await;
    assert_eq!(wrong.status, StatusCode::CONFLICT);
    assert_eq!(count(&office, "SELECT count(*) FROM reports").await, 0, "not without a fresh code");

    let issued = desk.issue(1).await;
    assert_eq!(issued.location(), "/reports/1", "{}", issued.text);
    assert_masked("/reports/1", &desk.other.get("/reports/1").await);
    assert_masked("/reports", &desk.other.get("/reports").await);
    let pdf = desk.maker.post("/reports/1/pdf", &[]).await;
    assert_eq!(pdf.headers["content-type"], "application/pdf");
    let text = text_of(&pdf.bytes);
    let (first, second_one) = (number(0), number(1));
    for wanted in [
        "BG2026-000001",
        "HD2026-000001",
        NAMES[0],
        NAMES[1],
        &first,
        &second_one,
        "第一银行",
        FOUND,
        "2026-10-20",
        "1000 行，隔离 20 行",
    ] {
        assert!(text.contains(wanted), "{wanted} not in {text}");
    }
    assert!(!text.contains(NAMES[2]), "nobody of another household");

    let copy = desk.maker.post("/reports/1/copy", &[]).await;
    let copy = Document::<Report>::read(&copy.bytes).unwrap();
    assert_eq!(copy.signers, [the_centre().1.keys.signing.public()]);
    assert_eq!(copy.header.pdf_sha256, Digest::of(&pdf.bytes), "the copy names the paper");
    assert_eq!((copy.header.kind, copy.header.version), (ReportKind::Report, 1));
    let facts = Facts::from_json(&copy.body).unwrap();
    assert_eq!(facts.findings[0].minor, Some(1_234_567));
    assert_eq!(facts.hands.opened, ["my01", "my02"]);
    assert_eq!((facts.hands.confirmed.as_str(), facts.hands.issued.as_str()), ("fh01", "qp01"));

    let again = desk.issue(1).await;
    assert!(again.status == StatusCode::CONFLICT, "issued once: {}", again.text);
    let looked = desk.other.get("/people/1/questions").await.text;
    assert_eq!(looked.matches("打开报告原文").count(), 2, "both looks are told: {looked}");
    assert_eq!(on_disk(&office, &[FOUND, "1234567", "12345.67"]), [""; 0]);
    office.console.store().close().await;
    console::store::verify::verify(&office.data()).await.unwrap();
}

#[tokio::test]
async fn nobody_issues_their_own_work_and_no_number_is_lost() {
    let office = centre().await;
    let mut desk = Desk::reviewed(&office, &file(2, 1)).await;
    // Other accounts of whoever entered, accepted and confirmed.
    for of in ["jb01", "jb02", "fh01"] {
        let mut own = office.person_numbered(&format!("qp-{of}"), &[Role::Head], of).await;
        let refused = issue(&mut own, 1).await;
        assert!(refused.text.contains("不能由您出具"), "{of}: {}", refused.text);
    }
    let early = desk.head.post("/cases/1/suspension-report", &[("one_time", &desk.head.one_time())]).await;
    assert!(early.text.contains("没有中止"), "{}", early.text);
    assert_eq!(desk.issue(2).await.location(), "/reports/1");
    assert_eq!(desk.issue(1).await.location(), "/reports/2");
    assert_eq!(
        count(&office, "SELECT count(*) FROM reports WHERE number IN ('BG2026-000001', 'BG2026-000002')")
            .await,
        2,
        "refusals spend no number"
    );
}

#[tokio::test]
async fn without_a_confirmation_nothing_is_issued() {
    let office = centre().await;
    let (mut desk, ..) = Desk::asked(&office, &file(1, 1)).await;
    let refused = desk.issue(1).await;
    assert!(refused.text.contains("还没有第二人复核"), "{}", refused.text);
    assert_eq!(count(&office, "SELECT count(*) FROM reports").await, 0);
}

#[tokio::test]
async fn an_objection_leads_to_another_version_and_the_old_one_is_kept() {
    let office = centre().await;
    let mut desk = Desk::reviewed(&office, &file(1, 2)).await;
    let ground = [("person", "1"), ("ground", "存款是卖房治病的钱")];
    let early = desk.maker.post("/cases/1/objection", &ground).await;
    assert!(early.text.contains("还没有可以提出异议的报告"), "{}", early.text);
    desk.issue(1).await;
    let first = desk.maker.post("/reports/1/pdf", &[]).await.bytes;
    let stranger = desk.maker.post("/cases/1/objection", &[("person", "999"), ("ground", "x")]).await;
    assert!(stranger.text.contains("不是本业务的家庭成员"), "{}", stranger.text);
    let pdf = b"%PDF-1.7 evidence that nobody may read on the disk";
    let entered = desk.maker.upload("/cases/1/objection", &ground, ("evidence", "a.pdf", pdf)).await;
    assert_eq!(entered.location(), "/cases/1/report", "{}", entered.text);
    // Ten working days from Monday 2026-10-26.
    assert_eq!(count(&office, "SELECT due FROM objections").await, 20_261_109);
    assert_eq!(count(&office, "SELECT due FROM cases WHERE state = 'matched'").await, 20_261_109);
    assert_masked("/cases/1/report", &desk.maker.get("/cases/1/report").await);
    let twice = desk.maker.post("/cases/1/objection", &ground).await;
    assert_eq!(twice.status, StatusCode::CONFLICT, "one at a time");

    assert!(desk.issue(1).await.text.contains("还没有第二人复核"));
    desk.confirm(1).await;
    assert!(desk.issue(1).await.text.contains("请先填写异议的复核情况"));
    desk.maker.post("/objections/1/finding", &[("outcome", "证据属实，金额无误")]).await;
    desk.later(1).await;
    assert_eq!(desk.issue(1).await.location(), "/reports/2");
    let page = desk.other.get("/reports").await.text;
    assert!(page.contains("第 2 版") && page.contains("已有新版"), "{page}");
    assert_eq!(desk.other.post("/reports/1/pdf", &[]).await.bytes, first, "the old version is what it was");
    let text = text_of(&desk.other.post("/reports/2/pdf", &[]).await.bytes);
    for wanted in ["BG2026-000001", "第 2 版", "YY2026-00001", "针对第 1 版", "证据属实，金额无误", FOUND]
    {
        assert!(text.contains(wanted), "{wanted} not in {text}");
    }
    let copy = async |person: &mut Person<'_>, id: u32| {
        let copy = person.post(&format!("/reports/{id}/copy"), &[]).await;
        Document::<Report>::read(&copy.bytes).unwrap()
    };
    let (one, two) = (copy(&mut desk.other, 1).await, copy(&mut desk.other, 2).await);
    assert_eq!((one.header.supersedes, two.header.supersedes), (None, Some(one.digest)));
    assert_eq!(count(&office, "SELECT count(*) FROM objections WHERE state = 'answered'").await, 1);
    assert_eq!(on_disk(&office, &["卖房治病", "证据属实", "nobody may read", FOUND]), [""; 0]);
}

#[tokio::test]
async fn a_suspension_has_a_report_of_its_own() {
    let office = centre().await;
    let mut desk = Desk::reviewed(&office, &file(1, 1)).await;
    desk.maker.post("/cases/1/suspend", &[("why", "等待补充授权材料")]).await;
    let suspend = async |person: &mut Person<'_>| {
        let one_time = person.one_time();
        person.post("/cases/1/suspension-report", &[("one_time", &one_time)]).await
    };
    let mut own = office.person_numbered("qp-jb01", &[Role::Head], "jb01").await;
    assert!(suspend(&mut own).await.text.contains("不能由您出具"));
    assert_eq!(suspend(&mut desk.head).await.location(), "/reports/1");
    assert_eq!(suspend(&mut desk.head).await.status, StatusCode::CONFLICT, "one for each suspension");
    let text = text_of(&desk.head.post("/reports/1/pdf", &[]).await.bytes);
    assert!(text.contains("中止报告") && text.contains("ZZ2026-000001") && text.contains("等待补充授权材料"));
    assert!(!text.contains(FOUND), "{text}");
    desk.maker.post("/cases/1/resume", &[]).await;
    assert_eq!(desk.issue(1).await.location(), "/reports/2", "and the report after it");
}

/// Unpacks an export into a folder.
pub(crate) fn unpack(zip: &[u8], to: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip.to_vec())).unwrap();
    let mut files = BTreeMap::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let name = file.name().unwrap().into_owned();
        let (_, name) = name.split_once('/').unwrap();
        let (name, mut bytes) = (name.to_owned(), Vec::new());
        file.read_to_end(&mut bytes).unwrap();
        std::fs::write(to.join(&name), &bytes).unwrap();
        files.insert(name, bytes);
    }
    files
}

pub(crate) async fn export(person: &mut Person<'_>, id: i64) -> Reply {
    let one_time = person.one_time();
    person.post(&format!("/archive/{id}/export"), &[("one_time", &one_time)]).await
}

#[tokio::test]
async fn a_closed_file_is_bound_checked_and_exported() {
    let office = centre().await;
    let file = file(2, 1).replace("WT-1,H-0", "=WT(1),H-0").replace("WT-1,H-1", "=WT(1),H-1");
    let mut desk = Desk::reviewed(&office, &file).await;
    let scan = b"\xFF\xD8\xFF a scan";
    desk.maker.upload("/authorisations/1/scan", &[], ("scan", "a.jpg", scan)).await;
    let paper = b"%PDF-1.7 the commission's paper";
    let added = desk.maker.upload("/cases/1/scan", &[], ("scan", "b.pdf", paper)).await;
    assert_eq!(added.location(), "/cases/1", "{}", added.text);
    assert_eq!(desk.maker.post("/cases/1/archive", &[]).await.status, StatusCode::CONFLICT, "not issued yet");
    desk.issue(1).await;
    desk.issue(2).await;
    for case in 1..=2 {
        let closed = desk.maker.post(&format!("/cases/{case}/archive"), &[]).await;
        assert_eq!(closed.location(), format!("/archive/{case}"), "{}", closed.text);
    }
    for path in ["/archive", "/archive/1", "/destroy"] {
        assert_masked(path, &desk.other.get(path).await);
    }
    assert!(desk.other.post("/archive/1/check", &[]).await.text.contains("id=\"sound\""));
    let without = desk.maker.post("/archive/1/export", &[("one_time", "000000")]).await;
    assert_eq!(without.status, StatusCode::CONFLICT);

    let folder = tempfile::tempdir().unwrap();
    let files = unpack(&export(&mut desk.maker, 1).await.bytes, folder.path());
    let list = Document::<Archive>::read(&files["archive.hedui"]).unwrap();
    assert_eq!(list.signers, [the_centre().1.keys.signing.public()]);
    assert_eq!(list.body, files["SHA256SUMS"], "the list in clear is the signed one");
    let listed = read_sums(std::str::from_utf8(&list.body).unwrap()).unwrap();
    assert_eq!(listed.len() + 2, files.len());
    for file in &listed {
        assert_eq!(Digest::of(&files[&file.name]), file.sha256, "{}", file.name);
    }
    // Anybody's own tool says the same.
    let mut sums = Command::new("sha256sum");
    assert!(
        sums.args(["-c", "--strict", "--quiet", "SHA256SUMS"])
            .current_dir(folder.path())
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(files["commission-1.pdf"], paper);
    assert_eq!(files["authorisation-1-1.jpg"], scan);
    assert!(text_of(&files["bg2026-000001-1.pdf"]).contains(FOUND));
    let report = Document::<Report>::read(&files["bg2026-000001-1.report.hedui"]).unwrap();
    assert_eq!(report.header.pdf_sha256, Digest::of(&files["bg2026-000001-1.pdf"]));
    let commission: serde_json::Value = serde_json::from_slice(&files["commission.json"]).unwrap();
    assert_eq!(commission["members"][0]["name"], NAMES[0]);
    assert_eq!(commission["commission"], "=WT(1)");
    let index = String::from_utf8(files["index.csv"].clone()).unwrap();
    assert!(index.lines().skip(1).all(|line| line.starts_with("\"DA2026-")), "{index}");
    // Lists name each other in turn.
    let second = unpack(&export(&mut desk.maker, 2).await.bytes, folder.path());
    let second = Document::<Archive>::read(&second["archive.hedui"]).unwrap();
    assert_eq!((list.header.previous, second.header.previous), (None, Some(list.digest)));
    assert_eq!(on_disk(&office, &[FOUND, "12345.67", "1234567"]), [""; 0]);

    // A paper that goes, or is another's, shows.
    let mut write = office.console.store().write().await.unwrap();
    sqlx::query("DELETE FROM scans WHERE id = 1").execute(write.connection()).await.unwrap();
    write.commit().await.unwrap();
    assert!(desk.other.post("/archive/1/check", &[]).await.text.contains("不一致"));
    assert!(export(&mut desk.maker, 1).await.text.contains("不一致"), "and does not leave the house");
    assert!(
        desk.other.post("/archive/2/check", &[]).await.text.contains("id=\"sound\""),
        "the other is whole"
    );
    // The auditor may not take it out.
    let mut auditor = office.person("sj01", &[Role::Auditor]).await;
    assert_eq!(export(&mut auditor, 2).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_file_is_destroyed_by_two_persons_when_its_time_is_over() {
    let office = centre().await;
    let mut desk = Desk::reviewed(&office, &file(2, 1)).await;
    for case in 1..=2 {
        desk.issue(case).await;
        desk.maker.post(&format!("/cases/{case}/archive"), &[]).await;
    }
    desk.maker.post("/households/1/grant", &[("from", "2026-11-01"), ("amount", "850")]).await;
    desk.maker.post("/households/2/grant", &[("from", "2026-11-01"), ("amount", "850")]).await;
    desk.later(6 * 365).await;
    assert!(
        desk.maker.post("/destroy", &[]).await.text.contains("没有到期的档案"),
        "both are assisted still"
    );
    desk.maker.post("/households/1/end", &[("last", "2029-09-30")]).await;
    let mut both = office.person("jb-qp", &[Role::Operator, Role::Head]).await;
    assert_eq!(both.post("/destroy", &[]).await.location(), "/destroy/1");
    let carry_out = async |person: &mut Person<'_>| {
        let one_time = person.one_time();
        person.post("/destroy/1/carry-out", &[("one_time", &one_time)]).await
    };
    assert!(carry_out(&mut both).await.text.contains("须由另一人销毁"));
    let mut own = office.person_numbered("qp-own", &[Role::Head], "jb-qp").await;
    assert!(carry_out(&mut own).await.text.contains("须由另一人销毁"), "whatever the account");
    assert_eq!(count(&office, "SELECT count(*) FROM reports WHERE pdf_sealed IS NULL").await, 0);
    // Between proposal and destruction, a household that is assisted again keeps its file.
    desk.maker.post("/households/1/grant", &[("from", "2030-01-01")]).await;
    assert!(carry_out(&mut desk.head).await.text.contains("未到期"));
    desk.maker.post("/households/1/end", &[("last", "2029-09-30")]).await;
    let done = carry_out(&mut desk.head).await;
    assert_eq!(done.location(), "/destroy/1", "{}", done.text);
    assert_eq!(carry_out(&mut desk.head).await.status, StatusCode::CONFLICT, "once");

    assert!(desk.other.post("/reports/1/pdf", &[]).await.text.contains("已按规定销毁"));
    assert!(export(&mut desk.maker, 1).await.text.contains("已按规定销毁"));
    assert!(desk.other.post("/find", &[("number", &number(0))]).await.text.contains("没有这个证件号码"));
    for what in [
        "person_numbers WHERE person = 1",
        "findings WHERE case_id = 1",
        "archive_files WHERE archive = 1",
        "reviews WHERE case_id = 1 AND content_sealed IS NOT NULL",
    ] {
        let left: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {what}")))
            .fetch_one(office.console.store().read())
            .await
            .unwrap();
        assert_eq!(left, 0, "{what}");
    }
    // The other household's file is whole, and the roster they shared as well.
    assert!(desk.other.post("/archive/2/check", &[]).await.text.contains("id=\"sound\""));
    assert_eq!(desk.other.post("/find", &[("number", &number(1))]).await.location(), "/people/2");
    for path in [
        "/people/1",
        "/people/1/questions",
        "/cases/1",
        "/reports/1",
        "/archive/1",
        "/destroy/1",
        "/reports",
        "/archive",
    ] {
        assert_eq!(desk.other.get(path).await.status, StatusCode::OK, "{path} can still be looked at");
    }
    assert_eq!(count(&office, "SELECT count(*) FROM rosters WHERE document <> X''").await, 1);
    office.console.store().close().await;
    console::store::verify::verify(&office.data()).await.unwrap();
}

#[tokio::test]
async fn who_is_due_is_checked_again() {
    let office = centre().await;
    let mut desk = Desk::reviewed(&office, &file(2, 2)).await;
    desk.issue(1).await;
    desk.issue(2).await;
    assert_eq!(count(&office, "SELECT count(*) FROM households WHERE next_check IS NOT NULL").await, 0);
    for household in 1..=2 {
        desk.maker
            .post(&format!("/households/{household}/grant"), &[("from", "2026-11-01"), ("amount", "850.50")])
            .await;
    }
    // B: half a year after the day of property, 2026-10-20.
    assert_eq!(count(&office, "SELECT next_check FROM households WHERE id = 1").await, 20_270_420);
    desk.maker.post("/households/2/class", &[("class", "C"), ("months", "1")]).await;
    assert_eq!(count(&office, "SELECT next_check FROM households WHERE id = 2").await, 20_261_120);
    assert!(desk.maker.post("/rechecks", &[]).await.text.contains("没有到期"));
    desk.later(30).await;
    let page = desk.maker.get("/rechecks?state=due").await;
    assert_masked("/rechecks", &page);
    assert!(page.text.contains("H-1") && !page.text.contains("H-0"), "{}", page.text);
    assert_eq!(desk.maker.post("/rechecks", &[]).await.location(), "/cases?state=received");
    assert_eq!(count(&office, "SELECT count(*) FROM members WHERE case_id = 3").await, 2);
    assert_eq!(count(&office, "SELECT household FROM cases WHERE id = 3 AND task = 'periodic'").await, 2);
    assert!(desk.maker.post("/rechecks", &[]).await.text.contains("没有到期"), "one case at a time");
    let own = desk.maker.post("/cases/3/accept", &[]).await;
    assert_eq!(own.status, StatusCode::CONFLICT, "another person accepts it");
    assert_eq!(desk.other.post("/cases/3/accept", &[]).await.location(), "/cases/3");

    // Assistance ends, and what allowed the questions with it.
    desk.maker.post("/households/1/end", &[("last", "2026-11-20")]).await;
    assert_eq!(count(&office, "SELECT count(*) FROM authorisations WHERE end_code = 'left'").await, 2);
    assert_eq!(count(&office, "SELECT count(*) FROM authorisations WHERE end_code IS NULL").await, 2);
    assert_masked("/households/1", &desk.maker.get("/households/1").await);
    assert!(
        desk.maker
            .post("/households/1/grant", &[("from", "2026-11-01"), ("amount", "1e9")])
            .await
            .text
            .contains("金额填写不正确")
    );
    assert_eq!(on_disk(&office, &["850.50", "85050"]), [""; 0]);
}

#[tokio::test]
async fn a_public_notice_says_nothing_of_a_bank() {
    let office = centre().await;
    let mut desk = Desk::reviewed(&office, &file(2, 2)).await;
    desk.issue(1).await;
    desk.issue(2).await;
    let notice =
        [("office", "城关镇"), ("first", "2026-11-02"), ("last", "2026-11-08"), ("contact", "0000-1234567")];
    assert!(
        desk.maker.post("/notices", &notice).await.text.contains("没有可以公示的家庭"),
        "nobody is assisted yet"
    );
    desk.maker.post("/households/1/grant", &[("from", "2026-10-01"), ("amount", "850")]).await;
    let made = desk.maker.post("/notices", &notice).await;
    assert_eq!(made.location(), "/notices/1", "{}", made.text);
    assert_masked("/notices/1", &desk.other.get("/notices/1").await);
    assert_masked("/notices", &desk.other.get("/notices").await);
    let text = text_of(&desk.maker.post("/notices/1/pdf", &[]).await.bytes);
    for wanted in ["公示", "GS2026-0001", NAMES[0], "850.00", "2026-11-08", "0000-1234567"] {
        assert!(text.contains(wanted), "{wanted} not in {text}");
    }
    let (first, second_one) = (number(0), number(1));
    for never in [FOUND, "第一银行", first.as_str(), second_one.as_str(), NAMES[1], NAMES[2], "SQ-", "BG2026"]
    {
        assert!(!text.contains(never), "{never} in {text}");
    }
    let backwards = [("office", "城关镇"), ("first", "2026-11-08"), ("last", "2026-11-02"), ("contact", "x")];
    assert!(desk.maker.post("/notices", &backwards).await.text.contains("早于第一天"));
}

#[tokio::test]
async fn counters_add_up_and_are_drawn() {
    let office = centre().await;
    let mut desk = Desk::reviewed(&office, &file(3, 2)).await;
    desk.issue(1).await;
    desk.issue(2).await;
    desk.maker.post("/cases/3/suspend", &[("why", "等待材料")]).await;
    desk.maker.post("/cases/1/objection", &[("person", "1"), ("ground", "有误")]).await;
    let counted =
        console::counters::count(office.console.store(), "", office.console.today().unwrap()).await.unwrap();
    let total = &counted.total;
    assert_eq!((total.received, total.accepted, total.reports), (3, 3, 2));
    assert_eq!((total.people, total.asked), (6, 6));
    assert_eq!((total.suspended, total.suspended_per_mille()), (1, Some(333)));
    assert_eq!((total.objections, total.objection_per_mille()), (1, Some(500)));
    assert_eq!(counted.months.len(), 12);
    assert_eq!(counted.months.last().unwrap().1, *total, "all of it this month");
    assert_eq!(counted.offices.len(), 1);
    let page = desk.other.get("/counters").await;
    assert_masked("/counters", &page);
    assert_eq!(page.text.matches("<svg viewBox").count(), 4, "{}", page.text);
    assert!(page.text.contains("50.0%") && page.text.contains("33.3%"));
    let nowhere = console::counters::count(office.console.store(), "别处", office.console.today().unwrap())
        .await
        .unwrap();
    assert_eq!(nowhere.total, console::counters::Counts::default());
    // A report after its last day is late.
    desk.maker.post("/cases/3/resume", &[]).await;
    desk.later(60).await;
    assert_eq!(desk.issue(3).await.location(), "/reports/3");
    let counted =
        console::counters::count(office.console.store(), "", office.console.today().unwrap()).await.unwrap();
    assert_eq!((counted.total.late, counted.overdue), (1, 1), "and the objection's re-check is overdue");
}

#[tokio::test]
async fn who_asked_about_me_can_be_taken_along() {
    let office = centre().await;
    let mut desk = Desk::reviewed(&office, &file(1, 2)).await;
    desk.issue(1).await;
    desk.other.post("/reports/1/pdf", &[]).await;
    desk.maker.post("/cases/1/archive", &[]).await;
    export(&mut desk.maker, 1).await;
    desk.maker.upload("/authorisations/1/scan", &[], ("scan", "a.pdf", b"%PDF-1.7 a form")).await;
    assert_eq!(desk.other.post("/scans/1", &[]).await.status, StatusCode::OK);
    let page = desk.other.get("/people/1/questions").await;
    assert_masked("/people/1/questions", &page);
    // Who looked at figures or at the form stands there too.
    for look in ["查看核对结果", "fh01", "查看扫描件"] {
        assert!(page.text.contains(look), "{look} not in {}", page.text);
    }
    assert!(page.text.contains("BG2026-000001") && page.text.contains("导出档案"), "{}", page.text);
    let text = text_of(&desk.other.post("/people/1/questions/pdf", &[]).await.bytes);
    let mine = number(0);
    for wanted in [
        "个人信息查询情况",
        NAMES[0],
        &mine,
        "第一银行",
        "SQ-0",
        "HD2026-000001",
        "BG2026-000001",
        "打开报告原文",
        "导出档案",
        "DA2026-000001",
        "jb02",
    ] {
        assert!(text.contains(wanted), "{wanted} not in {text}");
    }
    assert!(!text.contains(NAMES[1]) && !text.contains(FOUND), "nobody else's: {text}");
    assert!(text.contains("查看完整信息"), "the print itself is a look");
}

#[tokio::test]
async fn lists_sort_filter_and_turn_pages() {
    let office = centre().await;
    let mut desk = Desk::reviewed(&office, &file(30, 1)).await;
    for case in 1..=30 {
        assert_eq!(desk.issue(case).await.location(), format!("/reports/{case}"));
        desk.maker.post(&format!("/cases/{case}/archive"), &[]).await;
    }
    desk.later(0).await;
    for path in ["/reports", "/archive"] {
        let first = desk.other.get(&format!("{path}?sort=number")).await.text;
        assert!(
            first.contains("-000001") && first.contains("-000025") && !first.contains("-000026"),
            "{first}"
        );
        let second = desk.other.get(&format!("{path}?sort=number&page=2")).await.text;
        assert!(second.contains("-000026") && second.contains("-000030") && !second.contains("-000025"));
        let down = desk.other.get(&format!("{path}?sort=-number")).await.text;
        assert!(down.contains("-000030") && !down.contains("-000005"));
        for filter in ["q=HD2026-000007", "office=%E5%88%AB%E5%A4%84", "q=%25", "sort=;DROP%20TABLE"] {
            let page = desk.other.get(&format!("{path}?{filter}")).await;
            assert_eq!(page.status, StatusCode::OK, "{path}?{filter}");
        }
        let one = desk.other.get(&format!("{path}?q=HD2026-000007")).await.text;
        assert!(one.contains("HD2026-000007") && !one.contains("HD2026-000008"));
        assert!(
            desk.other
                .get(&format!("{path}?office=%E5%88%AB%E5%A4%84"))
                .await
                .text
                .contains("class=\"empty\"")
        );
    }
    let households = desk.other.get("/rechecks?q=H-2&sort=number").await.text;
    assert!(households.contains("H-29") && !households.contains(">H-3<"));
}

//! `hedui desk serve` is killed again and again, at random points of an import, a dispatch, an opening, the issuing of
//! a report or the closing of a file, and started again. What counts as a failure: something that was confirmed is gone; something is there by halves or twice; the
//! log does not follow from itself.

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

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bank::{KEY_PASSPHRASE, Odd, Officer, answer, deposits, hand_in};
use console::staff::{Role, totp};
use console::store::verify;
use office::{Office, PASSPHRASE, Person};
use protocol::Time;
use protocol::value::Date;
use steps::{CENTRE_PASSPHRASE, agree, number, second, the_centre};

const KILLS: usize = 160;
const HOUSEHOLDS: u32 = 60;
const PEOPLE: u32 = 2 * HOUSEHOLDS;
/// Cases of a round that get as far as a closed file.
const REPORTS: i64 = 2;

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Time::from_unix(since.as_secs()).unwrap()
}

fn day(from_today: i64) -> Date {
    Date::from_days(now().date().days() + from_today).unwrap()
}

/// `hedui desk serve` on the office's data, until it is killed.
struct Desk {
    process: Child,
    address: String,
}

impl Desk {
    fn serve(office: &Office) -> Self {
        let file = |name: &str, bytes: &[u8]| {
            let path = office.folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let mut process = Command::new(env!("CARGO_BIN_EXE_hedui"))
            .args(["desk", "serve", "--json", "--listen", "127.0.0.1:0"])
            .arg("--data")
            .arg(office.data())
            .arg("--passphrase-file")
            .arg(file("desk.txt", PASSPHRASE))
            .arg("--key")
            .arg(file("centre.key.hedui", &the_centre().0))
            .arg("--key-passphrase-file")
            .arg(file("centre.txt", CENTRE_PASSPHRASE.as_bytes()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        while !said.contains('}') {
            assert!(out.read_line(&mut said).unwrap() > 0, "it says where it listens");
        }
        let address = said.split("http://").nth(1).unwrap().split('"').next().unwrap().to_owned();
        Self { process, address }
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A reply, or nothing where the desk died before it was whole.
struct Reply {
    location: String,
    head: String,
    body: String,
}

fn ask(address: &str, cookie: &str, method: &str, path: &str, kind: &str, body: &[u8]) -> Option<Reply> {
    let mut stream = TcpStream::connect(address).ok()?;
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\nsec-fetch-site: same-origin\r\n\
         cookie: desk={cookie}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).ok()?;
    let reply = String::from_utf8_lossy(&reply).into_owned();
    let (head, body) = reply.split_once("\r\n\r\n")?;
    let location = head.lines().find_map(|line| line.strip_prefix("location: ")).unwrap_or("");
    Some(Reply { location: location.to_owned(), head: head.to_owned(), body: body.to_owned() })
}

fn upload(fields: &[(&str, &str)], name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend(part.bytes());
    }
    let part = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n");
    body.extend(part.bytes());
    body.extend_from_slice(bytes);
    body.extend(b"\r\n--edge--\r\n");
    body
}

const MULTIPART: &str = "multipart/form-data; boundary=edge";
const FORM: &str = "application/x-www-form-urlencoded";

/// Looks at a page until it does not ask to be looked at again.
fn wait(address: &str, cookie: &str, path: &str) -> Option<Reply> {
    loop {
        let page = ask(address, cookie, "GET", path, FORM, b"")?;
        if !page.head.lines().any(|line| line.starts_with("refresh:")) {
            return Some(page);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What the desk is killed at.
const KINDS: [&str; 5] = ["import", "dispatch", "opening", "issuing", "closing"];

/// What is done again and again until it is done, and killed in between.
struct Risk<'o> {
    office: &'o Office,
    kills: usize,
    /// How many of the kills came before the desk had said that it is done, by kind.
    cut: [usize; KINDS.len()],
    random: u64,
    /// How long the last one that was done took, by kind.
    took: [Duration; KINDS.len()],
}

/// The four people of the office whose work is killed.
struct Staff<'o> {
    maker: Person<'o>,
    other: Person<'o>,
    reviewer: Person<'o>,
    head: Person<'o>,
}

impl Risk<'_> {
    fn random(&mut self, below: u64) -> u64 {
        // xorshift64 (Marsaglia 2003); the seed is printed.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below.max(1)
    }

    /// Does `what`, kills the desk at a random point, and gives whether the desk had said that it is done.
    async fn take(&mut self, kind: usize, what: impl FnOnce(&str) -> bool + Send + 'static) -> bool {
        let desk = Desk::serve(self.office);
        let address = desk.address.clone();
        let begun = Instant::now();
        let work = std::thread::spawn(move || (what(&address), begun.elapsed()));
        // Up to a quarter beyond what it took last time: some kills come after the word, and it must hold.
        let most = u64::try_from(self.took[kind].as_micros()).unwrap() * 5 / 4;
        let pause = self.random(most);
        tokio::time::sleep(Duration::from_micros(pause)).await;
        desk.kill();
        let (done, elapsed) = work.join().unwrap();
        self.kills += 1;
        if done {
            self.took[kind] = elapsed;
        } else {
            self.cut[kind] += 1;
            self.took[kind] += self.took[kind] / 20; // a point that is never reached would never be tried
        }
        self.sound().await;
        done
    }

    async fn count(&self, what: &'static str) -> i64 {
        sqlx::query_scalar(what).fetch_one(self.office.console.store().read()).await.unwrap()
    }

    async fn logged(&self, action: &str) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM log WHERE instr(entry, ?) > 0")
            .bind(format!("\"action\":\"{action}\""))
            .fetch_one(self.office.console.store().read())
            .await
            .unwrap()
    }

    /// Nothing by halves, nothing twice.
    async fn sound(&self) {
        verify::verify(&self.office.data()).await.unwrap();
        for (what, query) in [
            (
                "a commission by halves",
                "SELECT count(*) FROM (SELECT commission, count(*) AS n FROM cases GROUP BY commission HAVING n <> 60)",
            ),
            (
                "a household by halves",
                "SELECT count(*) FROM cases WHERE (SELECT count(*) FROM members WHERE case_id = cases.id) <> 2",
            ),
            (
                "a person twice",
                "SELECT count(*) FROM (SELECT person, count(*) AS n FROM members GROUP BY person HAVING n > 1)",
            ),
            (
                "a roster by halves",
                "SELECT count(*) FROM rosters WHERE people <> (SELECT count(*) FROM roster_people WHERE roster = rosters.id)",
            ),
            (
                "a roster twice",
                "SELECT count(*) FROM (SELECT batch, institution, count(*) AS n FROM rosters GROUP BY 1, 2 HAVING n > 1)",
            ),
            (
                "somebody asked about twice",
                "SELECT count(*) FROM (SELECT person, count(*) AS n FROM roster_people GROUP BY 1 HAVING n > 1)",
            ),
            (
                "an opening by halves",
                "SELECT count(*) FROM openings JOIN answers ON answers.id = answer JOIN rosters ON rosters.id = answers.roster \
                 WHERE people <> (SELECT count(*) FROM findings WHERE opening = openings.id)",
            ),
            (
                "a case before its roster",
                "SELECT count(*) FROM cases WHERE state = 'matching' AND id NOT IN (SELECT case_id FROM roster_people)",
            ),
            (
                "a second number or version",
                "SELECT count(*) FROM (SELECT case_id, count(*) AS n FROM reports GROUP BY 1 HAVING n > 1)",
            ),
            (
                "a hole in the reports' numbers",
                "SELECT count(*) FROM reports WHERE CAST(substr(number, 8) AS INTEGER) <> id OR version <> 1",
            ),
            (
                "a number that was spent on nothing",
                "SELECT count(*) FROM sequences WHERE name LIKE 'report-number-BG-%' \
                 AND next <> 1 + (SELECT count(*) FROM reports)",
            ),
            (
                "a report without its paper, its copy or its signed checkpoint",
                "SELECT count(*) FROM reports WHERE pdf_sealed IS NULL OR document_sealed IS NULL OR NOT EXISTS \
                 (SELECT 1 FROM log JOIN checkpoints ON checkpoints.sequence = log.sequence \
                 WHERE kind = 'report' AND object = reports.id)",
            ),
            (
                "a case that is issued without a report, or the other way round",
                "SELECT count(*) FROM cases WHERE (state IN ('issued', 'archived')) <> (id IN (SELECT case_id FROM reports))",
            ),
            (
                "a file closed twice, or out of turn",
                "SELECT count(*) FROM archives WHERE version <> 1 OR sequence <> id OR CAST(substr(number, 8) AS INTEGER) <> id",
            ),
            (
                "a file by halves",
                "SELECT count(*) FROM archives WHERE files <> (SELECT count(*) FROM archive_files WHERE archive = archives.id)",
            ),
            (
                "a case that is archived without a file, or the other way round",
                "SELECT count(*) FROM cases WHERE (state = 'archived') <> (id IN (SELECT case_id FROM archives))",
            ),
        ] {
            assert_eq!(self.count(query).await, 0, "{what}, after {} kills", self.kills);
        }
        // Each change has its entry, and each entry its change.
        assert_eq!(self.logged("case.received").await, self.count("SELECT count(*) FROM cases").await);
        assert_eq!(self.logged("roster.made").await, self.count("SELECT count(*) FROM rosters").await);
        assert_eq!(self.logged("answer.opened").await, 2 * self.count("SELECT count(*) FROM openings").await);
        // One of the report and one of its case.
        assert_eq!(self.logged("report.issued").await, 2 * self.count("SELECT count(*) FROM reports").await);
        assert_eq!(self.logged("case.archived").await, self.count("SELECT count(*) FROM archives").await);
    }
}

/// The households of a round: people whom no other round has.
fn households(round: u32) -> String {
    let mut text = console::cases::template::blank();
    for n in 0..PEOPLE {
        let person = round * PEOPLE + n;
        let (household, relation) = (n / 2, if n % 2 == 0 { "户主" } else { "子女" });
        text.push_str(&format!(
            "WT-{round},H-{round}-{household},城关镇,,新申请,{},,,欧阳建国,,{},,{relation},共同生活,SQ-{person},本人,{},银行,合计\n",
            day(-5),
            number(person),
            day(-30),
        ));
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_desk_has_kept_what_it_confirmed_and_repeats_nothing() {
    let office = Office::with(|config| config.centre = Some(the_centre().1)).await;
    // One-time codes turn the clock on: begin a while ago, so that sessions never lie ahead of the desk's own clock.
    office.clock.set(now().unix() - 600);
    let mut staff = Staff {
        maker: office.person("jb01", &[Role::Operator]).await,
        other: office.person("jb02", &[Role::Operator]).await,
        reviewer: office.person("fh01", &[Role::Reviewer]).await,
        head: office.person("qp01", &[Role::Head]).await,
    };
    let officers = [Officer::new(&office, "my01", 21).await, Officer::new(&office, "my02", 22).await];
    office.clock.set(now().unix());
    let agreed = agree(&mut staff.maker, |t| (t.valid_from, t.valid_to) = (day(-10), day(300))).await;
    assert_eq!(agreed.location(), "/institutions", "{}", agreed.text);

    let seed = (now().unix() << 20) | 1;
    println!("seed {seed}");
    let begin = Duration::from_millis(400);
    let mut risk =
        Risk { office: &office, kills: 0, cut: [0; KINDS.len()], random: seed, took: [begin; KINDS.len()] };
    let mut round = 0;
    while risk.kills < KILLS {
        one_round(&mut risk, round, &mut staff, &officers).await;
        round += 1;
    }
    let cut: usize = risk.cut.iter().sum();
    println!(
        "{} kills, {cut} of them before the desk had said that it was done ({KINDS:?}: {:?}), {round} rounds",
        risk.kills, risk.cut
    );
    assert!(cut >= KILLS / 10, "kills came too late to tell anything");
    for (kind, cut) in KINDS.iter().zip(risk.cut) {
        assert!(cut > 0, "no kill came before the end of the {kind}");
    }
    let people = i64::from(round * PEOPLE);
    assert_eq!(risk.count("SELECT count(*) FROM people").await, people);
    assert_eq!(risk.count("SELECT count(*) FROM findings").await, people);
    assert_eq!(risk.count("SELECT count(*) FROM openings").await, i64::from(round));
    assert_eq!(risk.logged("import.done").await, i64::from(round));
    let issued = i64::from(round) * REPORTS;
    assert_eq!(risk.count("SELECT count(*) FROM reports").await, issued);
    assert_eq!(risk.count("SELECT count(*) FROM archives").await, issued);
}

async fn one_round(risk: &mut Risk<'_>, round: u32, staff: &mut Staff<'_>, officers: &[Officer<'_>; 2]) {
    let Staff { maker, other, .. } = staff;
    let office = risk.office;
    let done = async |query: &'static str| -> i64 {
        sqlx::query_scalar(query).fetch_one(office.console.store().read()).await.unwrap()
    };
    let rounds = i64::from(round) + 1;

    // Import.
    while done("SELECT count(DISTINCT commission) FROM cases").await < rounds {
        let (cookie, body) = (maker.cookie.clone(), upload(&[], "file", households(round).as_bytes()));
        let said = risk
            .take(0, move |address| {
                let begun = ask(address, &cookie, "POST", "/import", MULTIPART, &body);
                let Some(begun) = begun.filter(|reply| !reply.location.is_empty()) else { return false };
                wait(address, &cookie, &begun.location).is_some_and(|page| page.body.contains("id=\"done\""))
            })
            .await;
        let kept = done("SELECT count(DISTINCT commission) FROM cases").await == rounds;
        assert!(kept || !said, "an import that was confirmed is gone");
    }

    office.clock.set(now().unix());
    second(other).await;
    let as_of = day(-5).to_string();
    let batch = maker.post("/batches", &[("as_of", &as_of)]).await.location().to_owned();
    assert!(batch.starts_with("/batches/"));

    // Dispatch.
    while done("SELECT count(*) FROM rosters").await < rounds {
        codes_again(office).await;
        let (cookie, board, path) = (maker.cookie.clone(), batch.clone(), format!("{batch}/dispatch"));
        let body = format!("institution=1&level=L1&one_time={}", totp::code_at(&maker.secret, now()));
        let said = risk
            .take(1, move |address| {
                let begun = ask(address, &cookie, "POST", &path, FORM, body.as_bytes());
                let Some(begun) = begun.filter(|reply| reply.location.starts_with("/work/")) else {
                    return false;
                };
                wait(address, &cookie, &begun.location).is_some_and(|page| page.location == board)
            })
            .await;
        let kept = done("SELECT count(*) FROM rosters").await == rounds;
        assert!(kept || !said, "a dispatch that was confirmed is gone");
    }

    office.clock.set(now().unix());
    let roster = rounds;
    let sent = other.post(&format!("/rosters/{roster}/file"), &[]).await;
    assert!(sent.status.is_success(), "{}", sent.text);
    let found = |_: &str| Some(deposits(1_234_567, day(-5).number()));
    let bytes = answer(office, roster, Odd::default(), &found).await;
    assert_eq!(hand_in(other, roster, &bytes).await.location(), batch);

    // Opening.
    let path = batch.replace("batches", "openings");
    while done("SELECT count(*) FROM openings").await < rounds {
        let unlock = |officer: &Officer<'_>| {
            (officer.person.cookie.clone(), upload(&[("passphrase", KEY_PASSPHRASE)], "key", &officer.file))
        };
        let (first, second) = (unlock(&officers[0]), unlock(&officers[1]));
        let path = path.clone();
        let said = risk
            .take(2, move |address| {
                let at = format!("{path}/unlock");
                let mut last = None;
                for (cookie, body) in [&first, &second] {
                    last = ask(address, cookie, "POST", &at, MULTIPART, body);
                }
                let Some(last) = last.filter(|reply| reply.location.contains("progress")) else {
                    return false;
                };
                wait(address, &second.0, &last.location).is_some_and(|page| page.location == path)
            })
            .await;
        let kept = done("SELECT count(*) FROM openings").await == rounds;
        assert!(kept || !said, "an opening that was confirmed is gone");
    }
    for _ in 0..REPORTS {
        one_report(risk, staff).await;
    }
}

/// The same half minute's code once more: this test is faster than the clock.
async fn codes_again(office: &Office) {
    let mut write = office.console.store().write().await.unwrap();
    sqlx::query("UPDATE staff SET totp_last_step = 0").execute(write.connection()).await.unwrap();
    write.commit().await.unwrap();
}

/// One case on from its answer: confirmed, issued, closed.
async fn one_report(risk: &mut Risk<'_>, staff: &mut Staff<'_>) {
    let office = risk.office;
    office.clock.set(now().unix());
    let case = risk.count("SELECT min(id) FROM cases WHERE state = 'matched'").await;
    let page = staff.reviewer.post(&format!("/reviews/{case}/unmask"), &[]).await;
    let seen = page.between("name=\"seen\" value=\"", "\"");
    let confirmed = staff.reviewer.post(&format!("/reviews/{case}/confirm"), &[("seen", &seen)]).await;
    assert_eq!(confirmed.location(), format!("/reviews/{case}"), "{}", confirmed.text);

    for (kind, step, table) in [(3, "report", "reports"), (4, "archive", "archives")] {
        let kept = async || -> bool {
            let query = format!("SELECT count(*) FROM {table} WHERE case_id = ?");
            let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
                .bind(case)
                .fetch_one(office.console.store().read())
                .await
                .unwrap();
            count == 1
        };
        while !kept().await {
            codes_again(office).await;
            let who = if step == "report" { &staff.head } else { &staff.maker };
            let (cookie, path) = (who.cookie.clone(), format!("/cases/{case}/{step}"));
            let body = format!("one_time={}", totp::code_at(&who.secret, now()));
            let said = risk
                .take(kind, move |address| {
                    let reply = ask(address, &cookie, "POST", &path, FORM, body.as_bytes());
                    reply.is_some_and(|reply| !reply.location.is_empty())
                })
                .await;
            assert!(kept().await || !said, "what was confirmed is gone: {step}");
        }
    }
}

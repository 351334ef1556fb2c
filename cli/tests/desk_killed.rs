//! `hedui desk serve` is killed a hundred times, at random points of an import, a dispatch or an opening, and started
//! again. What counts as a failure: something that was confirmed is gone; something is there by halves or twice; the
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

const KILLS: usize = 100;
const HOUSEHOLDS: u32 = 60;
const PEOPLE: u32 = 2 * HOUSEHOLDS;

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

/// What is done again and again until it is done, and killed in between.
struct Risk<'o> {
    office: &'o Office,
    kills: usize,
    /// How many of the kills came before the desk had said that it is done.
    cut: usize,
    random: u64,
    /// How long the last one that was done took, by kind.
    took: [Duration; 3],
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
            self.cut += 1;
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
        ] {
            assert_eq!(self.count(query).await, 0, "{what}, after {} kills", self.kills);
        }
        // Each change has its entry, and each entry its change.
        assert_eq!(self.logged("case.received").await, self.count("SELECT count(*) FROM cases").await);
        assert_eq!(self.logged("roster.made").await, self.count("SELECT count(*) FROM rosters").await);
        assert_eq!(self.logged("answer.opened").await, 2 * self.count("SELECT count(*) FROM openings").await);
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
    let mut maker = office.person("jb01", &[Role::Operator]).await;
    let mut other = office.person("jb02", &[Role::Operator]).await;
    let officers = [Officer::new(&office, "my01", 21).await, Officer::new(&office, "my02", 22).await];
    office.clock.set(now().unix());
    let agreed = agree(&mut maker, |t| (t.valid_from, t.valid_to) = (day(-10), day(300))).await;
    assert_eq!(agreed.location(), "/institutions", "{}", agreed.text);

    let seed = (now().unix() << 20) | 1;
    println!("seed {seed}");
    let begin = Duration::from_millis(400);
    let mut risk = Risk { office: &office, kills: 0, cut: 0, random: seed, took: [begin; 3] };
    let mut round = 0;
    while risk.kills < KILLS {
        one_round(&mut risk, round, &mut maker, &mut other, &officers).await;
        round += 1;
    }
    println!(
        "{} kills, {} of them before the desk had said that it was done, {round} rounds",
        risk.kills, risk.cut
    );
    assert!(risk.cut >= KILLS / 10, "kills came too late to tell anything");
    let people = i64::from(round * PEOPLE);
    assert_eq!(risk.count("SELECT count(*) FROM people").await, people);
    assert_eq!(risk.count("SELECT count(*) FROM findings").await, people);
    assert_eq!(risk.count("SELECT count(*) FROM openings").await, i64::from(round));
    assert_eq!(risk.logged("import.done").await, i64::from(round));
}

async fn one_round(
    risk: &mut Risk<'_>,
    round: u32,
    maker: &mut Person<'_>,
    other: &mut Person<'_>,
    officers: &[Officer<'_>; 2],
) {
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
        let mut write = office.console.store().write().await.unwrap();
        // The same half minute's code once more: this test is faster than the clock.
        sqlx::query("UPDATE staff SET totp_last_step = 0").execute(write.connection()).await.unwrap();
        write.commit().await.unwrap();
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
}

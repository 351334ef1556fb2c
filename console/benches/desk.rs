//! `cargo xtask bench desk`: 100,000 persons in 40,000 households, from the file to an opened answer, over the console's
//! own pages. Prints what each step took beside what it may take, and ends with 1 when one took more.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    dead_code,
    clippy::print_stdout,
    missing_docs,
    reason = "it stops at the first surprise"
)]

#[path = "../tests/desk/bank.rs"]
mod bank;
#[path = "../tests/desk/office.rs"]
mod office;
#[path = "../tests/desk/steps.rs"]
mod steps;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bank::{Odd, Officer, answer, deposits, hand_in};
use console::staff::Role;
use office::{Office, Person};
use steps::{agreement_with, count, import, make_batch, number, the_centre};

const HOUSEHOLDS: u32 = 40_000;
const PEOPLE: u32 = 100_000;
const INSTITUTIONS: u32 = 20;

/// What was measured, and what it may be at most.
struct Figure {
    what: String,
    measured: f64,
    most: Option<f64>,
    unit: &'static str,
}

impl Figure {
    fn seconds(what: &str, begun: Instant, most: Option<f64>) -> Self {
        Self { what: what.to_owned(), measured: begun.elapsed().as_secs_f64(), most, unit: "s" }.told()
    }

    fn told(self) -> Self {
        let bound = self.most.map(|most| format!("at most {most} {}", self.unit)).unwrap_or_default();
        let memory = most_memory();
        println!("{:<58} {:>10.2} {:<4} {bound:<16} {memory:>6.0} MiB", self.what, self.measured, self.unit);
        self
    }

    fn holds(&self) -> bool {
        self.most.is_none_or(|most| self.measured <= most)
    }
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let figures = runtime.block_on(measure());
    let missed: Vec<&str> = figures.iter().filter(|f| !f.holds()).map(|f| f.what.as_str()).collect();
    if !missed.is_empty() {
        println!("over the bound: {}", missed.join(", "));
        std::process::exit(1);
    }
}

async fn measure() -> Vec<Figure> {
    let office = Office::with(|config| config.centre = Some(the_centre().1)).await;
    let mut maker = office.person("jb01", &[Role::Operator]).await;
    let mut other = office.person("jb02", &[Role::Operator]).await;
    let mut reviewer = office.person("fh01", &[Role::Reviewer]).await;
    let mut officers = [Officer::new(&office, "my01", 21).await, Officer::new(&office, "my02", 22).await];
    let mut figures = Vec::new();

    let file = file();
    let begun = Instant::now();
    let page = import(&mut maker, &file).await;
    assert!(page.contains("id=\"done\""), "{page}");
    drop(file);
    figures.push(Figure::seconds("import of 100,000 persons in 40,000 households", begun, Some(60.0)));
    assert_eq!(count(&office, "SELECT count(*) FROM people").await, i64::from(PEOPLE));

    let begun = Instant::now();
    assert_eq!(other.post("/cases/accept", &[]).await.location(), "/cases?state=received");
    figures.push(Figure::seconds("acceptance of 40,000 cases", begun, None));
    for n in 1..=INSTITUTIONS {
        let document = agreement_with(&format!("bank-{n}"), &format!("第{n}银行"), |_| {});
        maker.upload("/institutions", &[], ("agreement", "a", &document)).await;
        other.post(&format!("/agreements/{n}/confirm"), &[]).await;
    }
    let batch = make_batch(&mut maker).await;

    let one_time = maker.one_time();
    let ids: Vec<String> = (1..=INSTITUTIONS).map(|n| n.to_string()).collect();
    let mut fields: Vec<(&str, &str)> = ids.iter().map(|id| ("institution", id.as_str())).collect();
    fields.extend([("level", "L1"), ("one_time", one_time.as_str())]);
    let begun = Instant::now();
    let sent = maker.post(&format!("{batch}/dispatch"), &fields).await;
    assert_eq!(sent.location(), batch, "{}", sent.text);
    figures.push(Figure::seconds("rosters for 20 institutions", begun, Some(30.0)));
    assert_eq!(count(&office, "SELECT count(*) FROM rosters").await, i64::from(INSTITUTIONS));

    let begun = Instant::now();
    drop(other.post("/rosters/1/file", &[]).await);
    figures.push(Figure::seconds("a roster as a file", begun, None));
    // Every third has an account.
    let found = |who: &str| who.ends_with(['3', '6', '9']).then(|| deposits(1_234_567, 20_261_020));
    let bytes = answer(&office, 1, Odd::default(), &found).await;
    let megabytes = bytes.len() / 1_000_000;
    let begun = Instant::now();
    assert_eq!(hand_in(&mut other, 1, &bytes).await.location(), batch);
    figures.push(Figure::seconds(&format!("an answer taken in ({megabytes} MB)"), begun, None));
    drop(bytes);
    officers[0].unlock(&batch).await;
    let begun = Instant::now();
    let [_, second] = &mut officers;
    let done = second.open(&batch).await;
    assert_eq!(done.location(), "/openings/1", "{}", done.text);
    figures.push(Figure::seconds("an answer about 100,000 persons opened", begun, Some(5.0)));
    assert_eq!(count(&office, "SELECT count(*) FROM findings").await, i64::from(PEOPLE));

    figures.push(lists(&mut reviewer).await);
    figures.push(memory());
    figures
}

/// The slowest of all list pages, at their beginning, their end and in every order.
async fn lists(person: &mut Person<'_>) -> Figure {
    let mut slowest = (0.0, String::new());
    for path in [
        "/",
        "/people",
        "/people?page=4000",
        "/people?sort=number",
        "/people?sort=-person&page=2000",
        "/people?q=SQ-99",
        "/people?state=live&page=3999",
        "/cases",
        "/cases?page=1600",
        "/cases?sort=number",
        "/cases?sort=-household&page=800",
        "/cases?sort=office&page=1600",
        "/cases?sort=due",
        "/cases?state=matching&page=1600",
        "/cases?q=H-39",
        "/cases?state=overdue",
        "/cases/40000",
        "/batches",
        "/batches/1",
        "/institutions",
        "/openings",
        "/openings/1",
        "/reviews",
        "/reviews?state=accepted",
        "/reviews/40000",
        "/rules",
    ] {
        let begun = Instant::now();
        let page = person.get(path).await;
        let took = begun.elapsed().as_secs_f64() * 1_000.0;
        assert!(page.status.is_success(), "{path}: {}", page.status);
        if took > 100.0 {
            println!("  {path}: {took:.0} ms");
        }
        if took > slowest.0 {
            slowest = (took, path.to_owned());
        }
    }
    let what = format!("the slowest page: {}", slowest.1);
    Figure { what, measured: slowest.0, most: Some(200.0), unit: "ms" }.told()
}

/// The most memory that this process has had since it was asked last, in MiB; the clients' part is in it.
fn most_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    let most = kib / 1_024.0;
    MOST_MEMORY.fetch_max(most as u64, Ordering::Relaxed);
    // proc(5): 5 sets the peak back to what is used now.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    most
}

/// The most of all, in MiB.
static MOST_MEMORY: AtomicU64 = AtomicU64::new(0);

fn memory() -> Figure {
    most_memory();
    let measured = MOST_MEMORY.load(Ordering::Relaxed) as f64;
    Figure { what: "most memory".to_owned(), measured, most: Some(1_024.0), unit: "MiB" }.told()
}

/// The import's file: households of two and three.
fn file() -> String {
    let mut text = console::cases::template::blank();
    let (mut person, mut household) = (0, 0);
    while household < HOUSEHOLDS {
        for member in 0..2 + household % 2 {
            let relation = if member == 0 { "户主" } else { "子女" };
            text.push_str(&format!(
                "WT-1,H-{household},城关镇,,新申请,2026-10-20,2026-04-01,2026-09-30,欧阳建国,,{},,{relation},共同生活,SQ-{person},本人,2026-10-01,银行、证券,合计\n",
                number(person)
            ));
            person += 1;
        }
        household += 1;
    }
    assert_eq!(person, PEOPLE);
    text
}

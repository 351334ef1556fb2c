//! How the page feels: from a cold load to the first click, from each click to what is seen of it, and whether it can be
//! used while it matches. `cargo xtask bench page` starts it and shows the JSON that it writes.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench says what it does"
)]
#![expect(clippy::unwrap_used, reason = "the bench stops at the first surprise")]

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use e2e::browser::Browser;
use e2e::clerk::{Clerk, Office, web_dir};
use e2e::world::Encoding;
use serde_json::{Value, json};

/// Rows of the customer file.
const ROWS: u64 = 1_000_000;
/// Part of them that are about applicants.
const HITS_SHARE: f64 = 0.01;
/// How often everything is measured, each time in a browser without a cache.
const ROUNDS: usize = 5;

/// Notes when the page could first be used; from each click to the frame after the page's first change; tasks of the main
/// thread over 50 ms, which is what the browser calls long; and the longest time in which it did nothing else.
const WATCH: &str = "
    const noted = { idle: null, clicks: [], tasks: [], gap: 0 };
    window.noted = noted;
    let clicked = null;
    new MutationObserver(() => {
      if (document.body?.dataset.state === 'idle') noted.idle ??= performance.now();
      if (!clicked) return;
      const { id, at } = clicked;
      clicked = null;
      requestAnimationFrame(() => setTimeout(() => noted.clicks.push({ id, ms: performance.now() - at })));
    }).observe(document, { subtree: true, childList: true, attributes: true });
    addEventListener('click', (event) => { clicked = { id: event.target.id, at: performance.now() }; }, true);
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) noted.tasks.push({ at: startTime, ms: duration });
    }).observe({ type: 'longtask', buffered: true });
    window.watchGaps = () => {
      let last = performance.now();
      noted.from = last;
      const tick = () => {
        const now = performance.now();
        noted.gap = Math.max(noted.gap, now - last);
        last = now;
        if (document.body.dataset.step !== 'send') setTimeout(tick, 1);
        else noted.to = now;
      };
      tick();
    };
";

#[tokio::main]
async fn main() {
    let out = std::env::args().nth(1).expect("the file to write to");
    let office = Office::new("bank-a");
    let file = office.folder().join("customers.csv");
    write_customers(&office, &file);
    let url = office.serve(&web_dir()).await;
    let mut rounds = Vec::new();
    for round in 1..=ROUNDS {
        let (noted, paint) = measure(&office, &url, &file).await;
        println!("round {round}: usable after {} ms", noted["idle"]);
        rounds.push(json!({ "noted": noted, "first_paint": paint }));
    }
    let json = json!({ "rows": ROWS, "rounds": rounds });
    fs::write(out, serde_json::to_vec_pretty(&json).unwrap()).unwrap();
}

/// One clerk's way from a cold load to the answer.
async fn measure(office: &Office, url: &str, file: &Path) -> (Value, Value) {
    let browser = Browser::start().await;
    browser.run_first(WATCH).await;
    let clerk = Clerk { browser: &browser, office };
    clerk.open(&format!("{url}/")).await;
    let paint = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null";
    let paint = browser.run(paint, Vec::new()).await;
    clerk.unlock().await;
    browser.click("#sign-in").await;
    browser.until("body[data-state=idle] #pick-1").await;
    browser.click("#pick-1").await;
    browser.until("body[data-state=idle] #to-files").await;
    clerk.pick_customers(file).await;
    browser.run("window.watchGaps()", Vec::new()).await;
    clerk.run().await;
    browser.until("#save").await;
    // One more turn for the observers.
    browser.run_async("setTimeout(arguments[0], 200)", Vec::new()).await;
    (browser.run("return window.noted", Vec::new()).await, paint)
}

fn write_customers(office: &Office, path: &Path) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    office.world.bulk_csv(ROWS, Encoding::Utf8, HITS_SHARE, &mut file).unwrap();
    file.flush().unwrap();
}

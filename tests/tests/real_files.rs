//! Files as LibreOffice, SheetJS, openpyxl, xlsxwriter, xlwt and pandas write them, through both modules. What counts as a failure:
//! a row lost in silence, a figure or date that is not the file's, a file read though it can't be read rightly.
//!
//! `tests/real_files/make.py` makes them: forty people, of whom the roster asks about ten, and ten more whom nobody has.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::path::Path;

use e2e::browser::Browser;
use e2e::clerk::{Clerk, Office, confirm_units, web_dir};
use e2e::spreadsheets::{Artifacts, Asked, Libraries, folder};
use protocol::value::Base64;
use serde_json::{Value, json};

/// A file, and what comes of it: counts and what the centre reads, or the refusal.
type Case = (&'static str, &'static str);

#[path = "real_files/cases.rs"]
mod cases;
use cases::CASES;

#[test]
fn wasmtime_reads_each_as_it_is_or_refuses_it_by_name() {
    holds(|_| true, |asked, file| asked.told(&mut Artifacts::default(), file));
}

/// But for the hostile ones: only the sandbox bounds what a library takes for those.
#[test]
fn libraries_read_the_same() {
    holds(|name| !name.starts_with("bad_"), |asked, file| asked.told(&mut Libraries::default(), file));
}

fn holds(wanted: impl Fn(&str) -> bool, told: impl Fn(&Asked, &Path) -> String) {
    let asked = Asked::new();
    let outcomes = CASES.iter().filter(|(name, _)| wanted(name)).map(|(name, expected)| {
        let outcome = told(&asked, &folder("small").join(name));
        (*name, outcome, *expected)
    });
    judge(outcomes);
}

fn judge(outcomes: impl Iterator<Item = (&'static str, String, &'static str)>) {
    let wrong: Vec<String> = outcomes
        .filter(|(_, outcome, expected)| outcome != expected)
        .map(|(name, outcome, _)| format!("    (\"{name}\", \"{outcome}\"),"))
        .collect();
    assert!(wrong.is_empty(), "otherwise than expected:\n{}", wrong.join("\n"));
}

/// The page's own Workers: the same counts, and the centre reads the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_s_workers_read_the_same() {
    let asked = Asked::new();
    let office = Office::new("bank-a");
    let url = office.serve(&web_dir()).await;
    let browser = Browser::start().await;
    Clerk { browser: &browser, office: &office }.open(&format!("{url}/")).await;
    let mut outcomes = Vec::new();
    for (name, expected) in CASES {
        outcomes.push((*name, in_workers(&browser, &asked, &folder("small").join(name)).await, *expected));
    }
    judge(outcomes.into_iter());
}

async fn in_workers(browser: &Browser, asked: &Asked, file: &Path) -> String {
    let stage = "
        document.getElementById('stage')?.remove();
        document.body.append(Object.assign(document.createElement('input'), { type: 'file', id: 'stage' }));
    ";
    browser.run(stage, Vec::new()).await;
    browser.fill("#stage", file.to_str().unwrap()).await;
    let run = "
        const [open, done] = arguments;
        const bytes = (text) => Uint8Array.fromBase64(text);
        (async () => {
          const { Matcher } = await import(new URL('./matcher.js', location.href).href);
          const matcher = new Matcher();
          await matcher.load();
          await matcher.ask('unlock', { keyFile: bytes(open.key), passphrase: bytes(open.passphrase) });
          const { roster, agreement } = open;
          const asked = { files: [document.getElementById('stage').files[0]], roster: bytes(roster), agreement: bytes(agreement), options: open.options };
          const { report, answer } = await matcher.run(asked, () => {}).finally(() => setTimeout(() => matcher.stop()));
          return { report, answer: new Uint8Array(await answer.arrayBuffer()).toBase64() };
        })().then(done, (error) => done({ code: error.code ?? String(error), numbers: error.numbers ?? {} }));
    ";
    let open = asked.open();
    let text = |bytes: &[u8]| Base64(bytes.to_vec()).to_string();
    let open = json!({
        "key": text(&open.key_file), "passphrase": text(&open.passphrase), "roster": text(&open.roster),
        "agreement": text(&open.agreement), "options": open.options,
    });
    let said: Value = browser.run_async(run, vec![open]).await;
    match said["answer"].as_str() {
        Some(answer) => asked.judged(&said["report"], answer.parse::<Base64>().unwrap().0),
        None => Asked::refused(said["code"].as_str().unwrap(), &said["numbers"]),
    }
}

/// A clerk's way with files that other programs wrote: to the last step, or to an error that says what to do.
#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_brings_them_through_the_page() {
    let office = Office::new("bank-a");
    let browser = Browser::start().await;
    let clerk = Clerk { browser: &browser, office: &office };
    clerk.open(&format!("{}/", office.serve(&web_dir()).await)).await;
    clerk.unlock().await;
    clerk.pick_files().await;
    browser.click("body[data-state=idle] #to-files").await;
    for (name, rows) in [
        ("lo.xls", 40),
        ("lo.xlsx", 40),
        ("lo.ods", 40),
        ("lo.html", 40),
        ("lo_gb18030.csv", 40),
        ("several_sheets.xlsx", 40),
        ("titles_and_footers.xls", 40),
    ] {
        browser.until("body[data-state=idle][data-step=files]").await;
        clerk.choose("#customer-files", &folder("small").join(name)).await;
        browser.until("body[data-state=idle] #columns").await;
        browser.screenshot(&format!("real-{name}")).await;
        clerk.run().await;
        assert_eq!(browser.text("#count-valid").await, rows.to_string(), "{name}");
        browser.click("#edit").await;
    }
    for (name, code) in [
        ("numbers_excel.xlsx", "column_scientific"),
        ("bad_password.xlsx", "spreadsheet_password"),
        ("bad_bomb.xlsx", "spreadsheet_limit"),
        ("bad_entities.xlsx", "spreadsheet_broken"),
    ] {
        browser.until("body[data-step=files]").await;
        clerk.choose("#customer-files", &folder("small").join(name)).await;
        let refused = format!("body[data-state=error] #error[data-code={code}]");
        browser.until("body[data-state=idle] #columns, body[data-state=error]").await;
        if browser.run("return document.body.dataset.state", Vec::new()).await == "idle" {
            confirm_units(&browser).await;
            browser.click("#run").await;
        }
        browser.until(&refused).await;
        browser.screenshot(&format!("real-{name}")).await;
    }
}

/// A full sheet of a million rows: all of them, within 400 MiB, both modules together.
#[test]
fn a_full_sheet_is_read_within_its_memory() {
    let asked = Asked::new();
    let mut artifacts = Artifacts::default();
    let told = asked.told(&mut artifacts, &folder("full").join("full.xlsx"));
    assert!(told.starts_with("1048575 rows, "), "{told}");
    assert!(told.contains("sheet_full 1"), "{told}");
    let bytes = artifacts.memory();
    println!("{} MiB in the matcher, {} MiB in the reader", bytes[0] >> 20, bytes[1] >> 20);
    assert!(bytes.iter().sum::<usize>() < 400 << 20, "{bytes:?}");
}

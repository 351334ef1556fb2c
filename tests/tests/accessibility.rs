//! The page for somebody who does not see it, or uses no mouse: axe-core over every step, in both languages. What counts
//! as a failure: a fault that it calls serious or critical.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of a test"
)]

use e2e::browser::Browser;
use e2e::clerk::{Clerk, Office, confirm_units, offline_page, web_dir};
use e2e::module::artifact_dir;
use serde_json::Value;

/// axe-core, in a browser.
struct Axe<'a> {
    browser: &'a Browser,
    source: String,
    faults: Vec<String>,
    looked: usize,
}

impl<'a> Axe<'a> {
    fn new(browser: &'a Browser) -> Self {
        let path = artifact_dir().join("../axe/axe.min.js");
        let source =
            std::fs::read_to_string(path).expect("target/axe is there: `cargo xtask test` fetches it");
        Self { browser, source, faults: Vec::new(), looked: 0 }
    }

    /// Looks at the page as it is, and gives how many serious and critical faults there are, which it keeps.
    async fn look(&mut self, place: &str) -> usize {
        let check = format!(
            "{}; const done = arguments[0];
             axe.run(document, {{ resultTypes: ['violations'] }}).then((found) => done({{ passes: found.passes.length, faults:
               found.violations.filter(({{ impact }}) => ['serious', 'critical'].includes(impact))
                 .flatMap(({{ id, impact, nodes }}) => nodes.map(({{ target }}) => `${{id}} (${{impact}}) ${{target}}`)) }}),
               (error) => done(String(error)));",
            self.source
        );
        let found = self.browser.run_async(&check, Vec::new()).await;
        assert!(
            found["passes"].as_u64().unwrap_or_else(|| panic!("{place}: {found}")) > 10,
            "{place}: {found}"
        );
        let faults: Vec<String> = serde_json::from_value(found["faults"].clone()).unwrap();
        self.looked += 1;
        self.faults.extend(faults.iter().map(|fault| format!("{place}: {fault}")));
        faults.len()
    }

    /// In Chinese and in English; ends in Chinese.
    async fn both(&mut self, place: &str) {
        let other = "document.getElementById('language').click()";
        self.look(place).await;
        self.browser.run(other, Vec::new()).await;
        self.browser.until("html[lang=en]").await;
        self.look(&format!("{place}, English")).await;
        self.browser.run(other, Vec::new()).await;
        self.browser.until("html[lang=zh-CN]").await;
    }

    fn has_none(self) {
        println!("{} views", self.looked);
        assert!(self.faults.is_empty(), "{}", self.faults.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_the_served_page() {
    let office = Office::new("bank-a");
    let browser = Browser::start().await;
    let (clerk, mut axe) = (Clerk { browser: &browser, office: &office }, Axe::new(&browser));
    let url = office.serve(&web_dir()).await;
    clerk.open(&format!("{url}/")).await;
    steps(clerk, &mut axe, "served").await;
    browser.click("#send").await;
    browser.until("body[data-state=sent] #receipt .good").await;
    axe.both("served: sent").await;
    clerk.open(&format!("{url}/audit.html")).await;
    axe.both("served: audit").await;
    axe.has_none();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_the_offline_edition() {
    let office = Office::new("bank-a");
    let browser = Browser::start().await;
    let (clerk, mut axe) = (Clerk { browser: &browser, office: &office }, Axe::new(&browser));
    clerk.open(&offline_page()).await;
    steps(clerk, &mut axe, "offline").await;
    browser.page.goto("about:blank").await.unwrap();
    clerk.open(&format!("{}#audit", offline_page())).await;
    axe.both("offline: audit").await;
    axe.has_none();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_found() {
    let office = Office::new("bank-a");
    let browser = Browser::start().await;
    Clerk { browser: &browser, office: &office }.open(&offline_page()).await;
    browser.run("document.querySelector('label[for=passphrase]').remove()", Vec::new()).await;
    let mut axe = Axe::new(&browser);
    assert!(axe.look("without a label").await > 0);
    assert!(axe.faults.iter().any(|fault| fault.contains("label (critical)")), "{:?}", axe.faults);
}

/// From the first step to the last, an error on the way.
async fn steps(clerk: Clerk<'_>, axe: &mut Axe<'_>, name: &str) {
    let browser = clerk.browser;
    axe.both(&format!("{name}: unlock")).await;
    browser.click("#first-time summary").await;
    axe.both(&format!("{name}: first time")).await;
    browser.click("#first-time summary").await;
    browser.click("#unlock").await;
    browser.until("body[data-state=error] #error").await;
    axe.both(&format!("{name}: an error")).await;
    clerk.unlock().await;
    axe.both(&format!("{name}: task")).await;
    clerk.pick_files().await;
    axe.both(&format!("{name}: task picked")).await;
    clerk.pick_customers(&clerk.office.customers()).await;
    axe.both(&format!("{name}: files")).await;
    confirm_units(browser).await;
    axe.both(&format!("{name}: units confirmed")).await;
    hold_the_run(browser).await;
    browser.click("#run").await;
    browser.until("body[data-state=busy][data-step=run]").await;
    axe.both(&format!("{name}: run")).await;
    browser.run("window.heldRun()", Vec::new()).await;
    browser.until("body[data-state=idle][data-step=send]").await;
    axe.both(&format!("{name}: send")).await;
}

/// Keeps the run from beginning until `heldRun()` is called: else it would be over before anybody looks.
async fn hold_the_run(browser: &Browser) {
    let script = "
        const post = Worker.prototype.postMessage;
        Worker.prototype.postMessage = function (message, transfer) {
          if (message.ask !== 'run') return post.call(this, message, transfer);
          window.heldRun = () => post.call(this, message, transfer);
        };
    ";
    assert_eq!(browser.run(script, Vec::new()).await, Value::Null);
}

//! The page for somebody who does not see it, or uses no mouse: axe-core over every step, in both languages. What counts
//! as a failure: a fault that it calls serious or critical.

use e2e::axe::Axe;
use e2e::browser::Browser;
use e2e::clerk::{Clerk, Office, confirm_units, offline_page, web_dir};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_the_served_page() {
    let office = Office::new("bank-a");
    let browser = Browser::start().await;
    let (clerk, mut axe) = (Clerk { browser: &browser, office: &office }, Axe::new());
    let url = office.serve(&web_dir()).await;
    clerk.open(&format!("{url}/")).await;
    steps(clerk, &mut axe, "served").await;
    browser.click("#send").await;
    browser.until("body[data-state=sent] #receipt .good").await;
    both(&mut axe, &browser, "served: sent").await;
    clerk.open(&format!("{url}/audit.html")).await;
    both(&mut axe, &browser, "served: audit").await;
    axe.has_none();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_the_offline_edition() {
    let office = Office::new("bank-a");
    let browser = Browser::start().await;
    let (clerk, mut axe) = (Clerk { browser: &browser, office: &office }, Axe::new());
    clerk.open(&offline_page()).await;
    steps(clerk, &mut axe, "offline").await;
    browser.page.goto("about:blank").await.unwrap();
    clerk.open(&format!("{}#audit", offline_page())).await;
    both(&mut axe, &browser, "offline: audit").await;
    axe.has_none();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_s_steps() {
    let office = Office::new("bank-a");
    let housing = office.centre.department("housing", 60);
    let browser = Browser::start().await;
    let (clerk, mut axe) = (Clerk { browser: &browser, office: &office }, Axe::new());
    clerk.open(&format!("{}/", office.serve(&web_dir()).await)).await;
    clerk.unlock_with(&housing.party).await;
    clerk.pick_agreement(&housing.agreement).await;
    both(&mut axe, &browser, "department: table").await;
    // No column of identity numbers: the page doubts that it is the right file.
    clerk.pick_table(&office.save("notes.csv", "名称,备注\n甲,乙\n".as_bytes()), "2026-10-31").await;
    both(&mut axe, &browser, "department: table picked").await;
    browser.click("#seal").await;
    browser.until("body[data-state=idle] #sealed").await;
    both(&mut axe, &browser, "department: sealed").await;
    axe.has_none();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_found() {
    let office = Office::new("bank-a");
    let browser = Browser::start().await;
    Clerk { browser: &browser, office: &office }.open(&offline_page()).await;
    browser.run("document.querySelector('label[for=passphrase]').remove()", Vec::new()).await;
    let mut axe = Axe::new();
    assert!(axe.look(&browser, "without a label").await > 0);
    assert!(axe.faults().iter().any(|fault| fault.contains("label (critical)")), "{:?}", axe.faults());
}

/// From the first step to the last, an error on the way.
async fn steps(clerk: Clerk<'_>, axe: &mut Axe, name: &str) {
    let browser = clerk.browser;
    both(axe, browser, &format!("{name}: unlock")).await;
    browser.click("#first-time summary").await;
    both(axe, browser, &format!("{name}: first time")).await;
    browser.click("#first-time summary").await;
    browser.click("#unlock").await;
    browser.until("body[data-state=error] #error").await;
    both(axe, browser, &format!("{name}: an error")).await;
    clerk.unlock().await;
    both(axe, browser, &format!("{name}: task")).await;
    clerk.pick_files().await;
    both(axe, browser, &format!("{name}: task picked")).await;
    clerk.pick_customers(&clerk.office.customers()).await;
    both(axe, browser, &format!("{name}: files")).await;
    confirm_units(browser).await;
    both(axe, browser, &format!("{name}: units confirmed")).await;
    hold_the_run(browser).await;
    browser.click("#run").await;
    browser.until("body[data-state=busy][data-step=run]").await;
    both(axe, browser, &format!("{name}: run")).await;
    browser.run("window.heldRun()", Vec::new()).await;
    browser.until("body[data-state=idle][data-step=send]").await;
    both(axe, browser, &format!("{name}: send")).await;
}

/// In Chinese and in English; ends in Chinese.
async fn both(axe: &mut Axe, browser: &Browser, place: &str) {
    let other = "document.getElementById('language').click()";
    axe.look(browser, place).await;
    browser.run(other, Vec::new()).await;
    browser.until("html[lang=en]").await;
    axe.look(browser, &format!("{place}, English")).await;
    browser.run(other, Vec::new()).await;
    browser.until("html[lang=zh-CN]").await;
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

//! What the page does not take, and how it says so.

use e2e::browser::Browser;
use e2e::clerk::confirm_units;
use e2e::client::Client;
use e2e::module::{self, Native, OpenRequest};
use e2e::world::damaged::{self, Damaged};
use protocol::{Digest, Head};
use serde_json::json;

use crate::office::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_excel_damaged_file_is_explained() {
    let office = Office::open("bank-b").await;
    let browser = Browser::start().await;
    let cases = [
        (damaged::excel_damaged(7, 200), "column_trailing_zeros", "9-excel-damaged"),
        (damaged::float_damaged(7, 200), "column_multiples", "9-float-damaged"),
    ];
    for (damaged, code, picture) in cases {
        explained(&office, &browser, &damaged, code, picture).await;
    }
}

async fn explained(office: &Office, browser: &Browser, damaged: &Damaged, code: &str, picture: &str) {
    let file = office.save(damaged.file_name, &damaged.bytes);
    office.go_to_files(browser).await;
    choose(browser, "#customer-files", &file).await;
    browser.until("body[data-state=idle] #run").await;
    confirm_units(browser).await;
    browser.click("#run").await;
    let error = browser.until(&format!("body[data-state=error] #error[data-code={code}]")).await;
    assert!(error.is_displayed().await.unwrap());
    let said = error.text().await.unwrap();
    for part in sentence("zh", code) {
        assert!(said.contains(&part), "{part} is not in: {said}");
    }
    // The picture of it: what was, what became of it, and where they begin to differ; then the way out, step by step.
    let shown = "return [...document.querySelectorAll('.damage dd')].map((dd) => [dd.textContent, dd.querySelector('mark').textContent])";
    let shown = browser.run(shown, Vec::new()).await;
    assert_eq!(shown[0][0], "110105194912310374");
    assert_ne!(shown[0][1], shown[1][1]);
    assert_eq!(browser.run("return document.querySelectorAll('.damage ol li').length", Vec::new()).await, 3);
    in_both_languages(browser, picture).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_roster_is_refused_once_a_newer_one_is_answered() {
    let office = Office::open("bank-b").await;
    let browser = Browser::start().await;
    let page = format!("{}/", office.url);
    browser.page.goto(&page).await.unwrap();
    browser.until("body[data-state=idle][data-step=unlock]").await;
    office.unlock(&browser).await;
    office.drop_roster(&browser, &office.relation.roster).await;
    browser.until("body[data-state=idle] #to-files").await;

    // A newer one is answered, by somebody else at the same institution.
    let (applicants, issued) = (office.world.applicants_csv(), office.relation_issued());
    let newer = office.centre.roster(&office.relation.agreement, &applicants, 2, issued, 41);
    office.api.post("rosters", newer.clone()).await;
    let mut open = OpenRequest::new(&office.relation);
    open.roster = newer.clone();
    open.options["now"] = json!(issued.unix() + 30);
    let run = module::run(&mut Native::default(), &open, &office.institution().bytes(), 1 << 16).unwrap();
    let bank = Client::sign_in(&office.url, &office.relation.party.keys).await;
    let digest = Digest::of(&Head::parse(&newer).unwrap().pae());
    bank.post(&format!("rosters/{digest}/answers"), run.answer).await;

    browser.click("#other-task").await;
    browser.until("body[data-state=idle] #open-task").await;
    browser.click("#open-task").await;
    browser.until("body[data-state=error] #error[data-code=replayed]").await;
    in_both_languages(&browser, "10-replayed").await;
    // From the list no other way, and the newer one may be answered again.
    browser.click("#pick-1").await;
    browser.until("body[data-state=error] #error[data-code=replayed]").await;
    browser.click("#pick-2").await;
    browser.until("body[data-state=idle] #to-files").await;

    // A page that was closed has forgotten everything; the host has not.
    browser.page.goto("about:blank").await.unwrap();
    browser.page.goto(&page).await.unwrap();
    browser.until("body[data-state=idle][data-step=unlock]").await;
    office.unlock(&browser).await;
    office.drop_roster(&browser, &office.relation.roster).await;
    browser.until("body[data-state=error] #error[data-code=replayed]").await;
}

/// Three sparse gigabytes where a key file is asked for, and where a roster is.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_too_large_for_what_it_should_be_is_not_read() {
    let office = Office::open("bank-b").await;
    let large = office.save("large.hedui", b"");
    std::fs::File::create(&large).unwrap().set_len(3 << 30).unwrap();
    let browser = Browser::start().await;
    browser.page.goto(format!("{}/", office.url)).await.unwrap();
    browser.until("body[data-state=idle][data-step=unlock]").await;
    choose(&browser, "#key-file", &large).await;
    browser.until("body[data-state=error] #error[data-code=file_too_large]").await;
    office.unlock(&browser).await;
    choose(&browser, "#roster-file", &large).await;
    choose(&browser, "#agreement-file", &large).await;
    browser.click("#open-task").await;
    browser.until("body[data-state=error] #error[data-code=file_too_large]").await;
}

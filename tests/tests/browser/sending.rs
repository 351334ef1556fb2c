//! How an answer leaves, and what stays of it.

use e2e::browser::Browser;
use e2e::clerk::confirm_units;
use e2e::python::Python;
use serde_json::{Value, json};

use crate::office::*;

/// Up to the step where an answer is sent.
async fn matched(office: &Office, browser: &Browser) {
    office.go_to_files(browser).await;
    let file = office.save(office.institution().file_name, &office.institution().bytes());
    choose(browser, "#customer-files", &file).await;
    confirm_units(browser).await;
    browser.click("#run").await;
    browser.until("body[data-state=idle][data-step=send]").await;
}

/// Half of a piece arrives, then the line breaks twice: the page goes on from what the host has, and sends no byte of it again.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_cut_goes_on_where_it_stopped() {
    let office = Office::open("bank-b").await;
    let browser = Browser::start().await;
    matched(&office, &browser).await;
    let script = "
        const fetched = window.fetch;
        window.pieces = [];
        let broken = 0;
        window.fetch = async (address, options) => {
          const offset = new URL(address).searchParams.get('offset');
          if (offset === null) return fetched(address, options);
          window.pieces.push([Number(offset), options.body.size]);
          if (broken++ >= 2) return fetched(address, options);
          await fetched(address, { ...options, body: options.body.slice(0, options.body.size >> 1) });
          throw new TypeError('the line broke');
        };
    ";
    browser.run(script, Vec::new()).await;
    browser.click("#send").await;
    browser.until("body[data-state=sent] #receipt .good").await;
    let pieces: Vec<(u64, u64)> =
        serde_json::from_value(browser.run("return window.pieces", Vec::new()).await).unwrap();
    assert!(pieces.len() >= 3, "{pieces:?}");
    for pair in pieces.windows(2).take(2) {
        assert_eq!(pair[1].0, pair[0].0 + pair[0].1 / 2, "{pieces:?}");
    }
    let answers = office.answers().await;
    assert_eq!(answers.len(), 1);
    let verdict = office.verdict(answers);
    assert_eq!((verdict.missed, verdict.wrong), (0, 0));
}

/// The institution's log: continued from the file that the clerk kept, refused where that was altered, and checked by the
/// independent reader.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_continued_and_its_chain_is_checked() {
    let office = Office::open("bank-b").await;
    let browser = Browser::start().await;
    matched(&office, &browser).await;
    office.saved(&browser, "#save").await;
    browser.click("body[data-state=idle] #send").await;
    browser.until("body[data-state=sent] #save-log").await;
    in_both_languages(&browser, "6-sent-log").await;
    let log = String::from_utf8(office.saved(&browser, "#save-log").await).unwrap();
    let entries: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| entries.iter().map(|entry| entry[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("action"), [json!("saved"), json!("sent")]);
    assert_eq!(of("sequence"), [json!(1), json!(2)]);
    assert_eq!(of("receipt")[0], Value::Null);
    assert_eq!(entries[1]["answer"], browser.text("#answer-digest").await.replace(' ', ""));
    let first = office.save("first.log", log.as_bytes());

    // The next answer, a correction, goes behind it.
    browser.page.goto("about:blank").await.unwrap();
    office.go_to_files(&browser).await;
    choose(&browser, "#customer-files", &office.folder.path().join(office.institution().file_name)).await;
    confirm_units(&browser).await;
    browser.until("#answer-version").await.clear().await.unwrap();
    browser.fill("#answer-version", "2").await;
    browser.click("#run").await;
    browser.until("body[data-state=idle][data-step=send]").await;
    browser.click("#send").await;
    browser.until("body[data-state=sent] #log-file").await;
    let altered = log.replacen("\"version\":1", "\"version\":3", 1);
    let cut: String = log.lines().skip(1).map(|line| format!("{line}\n")).collect();
    for bad in [altered, cut, log.trim_end().to_owned()] {
        browser.fill("#log-file", office.save("bad.log", bad.as_bytes()).to_str().unwrap()).await;
        browser.until("#error[data-code=log_broken]").await;
        browser.fill("#log-file", first.to_str().unwrap()).await;
        browser.until("body[data-state=sent] #log-checked[data-entries='2']").await;
    }
    in_both_languages(&browser, "6-sent-log-continued").await;
    let log = office.saved(&browser, "#save-log").await;
    assert_eq!(log.iter().filter(|byte| **byte == b'\n').count(), 3);
    let log = String::from_utf8(log).unwrap();
    let mut python = Python::start();
    let mut read =
        |text: &str| python.ask_all(&[json!({ "op": "institution_log_check", "text": text })]).remove(0);
    assert_eq!(read(&log)["entries"], 3);
    for bad in [
        log.replacen("\"version\":1", "\"version\":3", 1),
        log.lines().skip(1).map(|line| format!("{line}\n")).collect(),
        log.trim_end().to_owned(),
    ] {
        assert!(read(&bad)["error"].is_string(), "{bad}");
    }
}

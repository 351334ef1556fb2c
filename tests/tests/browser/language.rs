//! Every sentence in both languages.

use e2e::browser::Browser;
use e2e::codes;
use e2e::world::damaged::{self, Outcome};

use crate::office::*;

#[tokio::test(flavor = "multi_thread")]
async fn both_dictionaries_have_the_same_keys_and_figures() {
    let office = Office::open("bank-b").await;
    let browser = Browser::start().await;
    browser.page.goto(format!("{}/", office.url)).await.unwrap();
    browser.until("body[data-state=idle]").await;
    let script = "
        const done = arguments[0];
        const lines = (node, path) => typeof node === 'string'
          ? [`${path} ${(node.match(/\\{\\w+\\}/g) ?? []).sort().join('')}`]
          : Object.entries(node).flatMap(([key, child]) => lines(child, `${path}/${key}`));
        Promise.all(['zh', 'en'].map((language) => import(`/strings.${language}.js`)))
          .then((modules) => done(modules.map((module) => lines(module.default, '').sort())), (e) => done(String(e)));
    ";
    let found = browser.run_async(script, Vec::new()).await;
    let lines =
        |n: usize| -> Vec<String> { serde_json::from_value(found[n].clone()).expect("two dictionaries") };
    let (zh, en) = (lines(0), lines(1));
    assert!(zh.len() > 300, "{} entries", zh.len());
    assert_eq!(zh, en);
    let has_a_sentence = |code: &str| zh.iter().any(|line| line.starts_with(&format!("/error/{code}/0 ")));
    for file in damaged::all(7, 40) {
        if let Outcome::Refused(code) = file.outcome {
            assert!(has_a_sentence(code), "{code} has no sentence");
        }
    }
    // Every code that module, host and page give, as their sources have it.
    let codes = codes::all();
    assert!(
        codes.len() > 60 && codes.contains("column_masked") && codes.contains("version_taken"),
        "{codes:?}"
    );
    let silent: Vec<&String> = codes.iter().filter(|code| !has_a_sentence(code)).collect();
    assert!(silent.is_empty(), "without a sentence in web/strings.*.js: {silent:?}");
}

//! A clerk's way from the key to the receipt.

use std::collections::BTreeMap;
use std::path::Path;

use e2e::browser::Browser;
use e2e::clerk::confirm_units;
use e2e::exchange::{PASSPHRASE, Setup};
use e2e::module::{self, Runner as _, artifact_dir};
use protocol::Document;
use protocol::joining::JoiningRequest;
use protocol::key_file::KeyFile;
use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::office::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_sends_an_answer() {
    let office = Office::open("bank-a").await;
    let file = office.save(office.institution().file_name, &office.institution().bytes());
    let browser = Browser::start().await;
    browser.save_into(office.folder.path()).await;

    browser.page.goto(format!("{}/", office.url)).await.unwrap();
    browser.until("body[data-state=idle][data-step=unlock]").await;
    in_both_languages(&browser, "1-unlock").await;
    browser.click("#first-time summary").await;
    in_both_languages(&browser, "1-unlock-first-time").await;
    browser.click("#first-time summary").await;
    office.unlock(&browser).await;
    in_both_languages(&browser, "2-task").await;
    assert_eq!(leaves(&browser).await, "signIn");

    browser.click("#sign-in").await;
    browser.until("body[data-state=idle] #pick-1").await;
    in_both_languages(&browser, "2-task-rosters").await;
    browser.click("#pick-1").await;
    browser.until("body[data-state=idle] #to-files").await;
    in_both_languages(&browser, "2-task-picked").await;
    assert_eq!(leaves(&browser).await, "nothing");
    browser.click("#to-files").await;

    browser.until("body[data-state=idle][data-step=files]").await;
    choose(&browser, "#customer-files", &file).await;
    browser.until("body[data-state=idle] #columns").await;
    in_both_languages(&browser, "3-files").await;
    for role in ["id_number", "name", "account", "product", "balance_date"] {
        let chosen = "return [...document.querySelectorAll('#columns select')].map((s) => s.value)";
        let chosen = browser.run(chosen, Vec::new()).await;
        assert!(chosen.as_array().unwrap().contains(&role.into()), "no column is taken as {role}: {chosen}");
    }

    // 元 or 万元 is confirmed before anything runs.
    browser.click("#run").await;
    browser.until("body[data-state=error] #error[data-code='files.needUnit']").await;
    confirm_units(&browser).await;
    browser.until("body[data-state=idle] #units-settled").await;
    in_both_languages(&browser, "3-files-settled").await;

    hold_the_run(&browser).await;
    browser.click("#run").await;
    browser.until("body[data-state=busy][data-step=run]").await;
    in_both_languages(&browser, "4-run").await;
    browser.run("window.heldRun()", Vec::new()).await;

    browser.until("body[data-state=idle][data-step=send]").await;
    in_both_languages(&browser, "5-send").await;
    assert_eq!(leaves(&browser).await, "answer");
    let truth = &office.institution().truth.file;
    assert_eq!(
        tally(&browser, "dl.numbers dd", "id").await,
        json!({
            "count-rows": truth.rows,
            "count-valid": truth.valid,
            "count-notPersonal": truth.not_personal,
            "count-quarantined": truth.quarantined.values().sum::<u64>(),
        })
    );
    assert_eq!(tally(&browser, "#quarantined li", "data-key").await, json!(truth.quarantined));
    assert_eq!(tally(&browser, "#normalised li", "data-key").await, json!(truth.normalised));
    assert_eq!(tally(&browser, "#skipped li", "data-key").await, json!(truth.skipped));
    // A module of an earlier release keeps no list.
    if !String::from_utf8_lossy(&module::wasmtime().send(vec![0x0A])).contains("unknown_operation") {
        let list = String::from_utf8(office.saved(&browser, "#save-set-aside").await).unwrap();
        the_list_holds(&list, &json!(truth.quarantined));
    }
    assert!(office.answers().await.is_empty(), "nothing has been sent yet");

    browser.click("#send").await;
    browser.until("body[data-state=sent] #receipt .good").await;
    in_both_languages(&browser, "6-sent").await;

    let answers = office.answers().await;
    assert_eq!(answers.len(), 1);
    let verdict = office.verdict(answers);
    println!("{} rows: {verdict:?}", truth.rows);
    assert!(verdict.found > 0);
    assert_eq!((verdict.missed, verdict.wrong), (0, 0));

    browser.click("#again").await;
    browser.until("body[data-state=idle] #ended").await;
    browser.screenshot("7-ended").await;
    browser.page.goto(format!("{}/audit.html", office.url)).await.unwrap();
    browser.until("body[data-state=idle] #no-imports").await;
    in_both_languages(&browser, "8-audit").await;
}

/// The rows that were set aside, as many for each reason as there are, and no number that could be read.
fn the_list_holds(list: &str, quarantined: &Value) {
    let mut lines = list.trim_start_matches('\u{FEFF}').lines();
    assert_eq!(lines.next(), Some("file,row,reason,number"));
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for line in lines {
        let [file, row, reason, number] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert_eq!(file, "1");
        assert!(row.parse::<u64>().unwrap() > 1, "{line}");
        let digits = number.chars().filter(char::is_ascii_digit).count();
        assert!(digits <= 5, "{line}");
        *found.entry(reason.to_owned()).or_default() += 1;
    }
    assert_eq!(json!(found), *quarantined);
}

/// The first time: the key is made in the page, and what was saved is all that the centre and the clerk need.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_made_in_the_page_joins_and_opens_its_roster() {
    let office = Office::open("bank-b").await;
    let browser = Browser::start().await;
    browser.save_into(office.folder.path()).await;
    let page = format!("{}/", office.url);
    browser.page.goto(&page).await.unwrap();
    browser.until("body[data-state=idle][data-step=unlock]").await;
    browser.click("#first-time summary").await;
    let passphrase = "four words of horses";
    for (css, text) in [
        ("#new-name", "某县农村商业银行"),
        ("#new-code", "rural-9"),
        ("#new-passphrase", passphrase),
        ("#new-passphrase-again", "another one here"),
    ] {
        browser.fill(css, text).await;
    }
    browser.click("#make-key").await;
    browser.until("body[data-state=error] #error[data-code='unlock.differ']").await;
    for css in ["#new-passphrase", "#new-passphrase-again"] {
        browser.fill(css, passphrase).await;
    }
    browser.click("#make-key").await;
    browser.until("body[data-state=idle] #save-key").await;
    in_both_languages(&browser, "1-unlock-made").await;
    let key_file = office.saved(&browser, "#save-key").await;
    let joining = office.saved(&browser, "#save-joining").await;
    browser.click("#use-key").await;
    browser.until("body[data-state=idle] #key-file + label .name").await;
    browser.fill("#passphrase", passphrase).await;
    browser.click("#unlock").await;
    browser.until("body[data-state=idle][data-step=task]").await;

    // The centre's side: the joining request becomes an agreement, which the institution signs with that key.
    let request = Document::<JoiningRequest>::read(&joining).unwrap().header;
    assert_eq!((request.code.as_str(), request.name.as_str()), ("rural-9", "某县农村商业银行"));
    let keys = KeyFile::read(&key_file).unwrap().unlock(passphrase.as_bytes()).unwrap();
    let agreement = office.centre.agree(&joining, &keys);
    let applicants = office.world.applicants_csv();
    let roster = office.centre.roster(&agreement, &applicants, 1, office.relation_issued(), 41);
    choose(&browser, "#roster-file", &office.save("new.roster.hedui", &roster)).await;
    choose(&browser, "#agreement-file", &office.save("new.agreement.hedui", &agreement)).await;
    browser.click("#open-task").await;
    browser.until("body[data-state=idle] #to-files").await;
}

/// Both documents dropped at once, the customer file dropped too, and a host that knows nobody here: the answer is saved.
#[tokio::test(flavor = "multi_thread")]
async fn files_dropped_give_a_saved_answer_with_no_host() {
    let office = Office::open_with("bank-b", Setup::default(), false, &artifact_dir()).await;
    let browser = Browser::start().await;
    browser.save_into(office.folder.path()).await;
    browser.page.goto(format!("{}/", office.url)).await.unwrap();
    browser.until("body[data-state=idle][data-step=unlock]").await;
    office.unlock(&browser).await;
    let roster = office.save("a.roster.hedui", &office.relation.roster);
    let agreement = office.save("a.agreement.hedui", &office.relation.agreement);
    drop_on(&browser, "#agreement-file", &[&roster, &agreement]).await;
    browser.until("#roster-file + label .name").await;
    browser.until("#agreement-file + label .name").await;
    browser.click("#open-task").await;
    browser.click("body[data-state=idle] #to-files").await;
    browser.until("body[data-state=idle][data-step=files]").await;
    let file = office.save(office.institution().file_name, &office.institution().bytes());
    drop_on(&browser, "#customer-files", &[&file]).await;
    confirm_units(&browser).await;
    browser.click("#run").await;
    browser.until("body[data-state=idle][data-step=send]").await;
    browser.click("#send").await;
    browser.until("body[data-state=error] #error[data-code=sign_in_refused]").await;
    let answer = office.saved(&browser, "#save").await;
    browser.until("#save-log").await;
    let verdict = office.verdict(vec![answer]);
    assert!(verdict.found > 0);
    assert_eq!((verdict.missed, verdict.wrong), (0, 0));
}

/// No pointer: Tab, the space bar, Enter and letters, from the key to the receipt. (Files are given to their choosers once
/// the focus is on them: the dialog is the system's.)
#[tokio::test(flavor = "multi_thread")]
async fn keys_alone_take_every_step() {
    let office = Office::open("bank-b").await;
    let browser = Browser::start().await;
    browser.page.goto(format!("{}/", office.url)).await.unwrap();
    browser.until("body[data-state=idle][data-step=unlock]").await;
    let key = office.save("bank-b.key.hedui", &office.relation.party.file);
    tab_to(&browser, "key-file").await.send_keys(key.to_str().unwrap()).await.unwrap();
    browser.until("body[data-state=idle] #key-file + label .name").await;
    let passphrase = tab_to(&browser, "passphrase").await;
    passphrase.send_keys(std::str::from_utf8(PASSPHRASE).unwrap()).await.unwrap();
    passphrase.send_keys(Key::Enter + "").await.unwrap();
    browser.until("body[data-state=idle][data-step=task]").await;
    tab_to(&browser, "sign-in").await.send_keys(Key::Enter + "").await.unwrap();
    browser.until("body[data-state=idle] #pick-1").await;
    tab_to(&browser, "pick-1").await.send_keys(Key::Enter + "").await.unwrap();
    browser.until("body[data-state=idle] #to-files").await;
    tab_to(&browser, "to-files").await.send_keys(Key::Space + "").await.unwrap();
    browser.until("body[data-state=idle][data-step=files]").await;
    let file = office.save(office.institution().file_name, &office.institution().bytes());
    tab_to(&browser, "customer-files").await.send_keys(file.to_str().unwrap()).await.unwrap();
    browser.until("body[data-state=idle] #columns").await;
    let open = "return [...document.querySelectorAll('.unit input[id$=one]')].map((input) => input.id)";
    for id in browser.run(open, Vec::new()).await.as_array().unwrap() {
        tab_to(&browser, id.as_str().unwrap()).await.send_keys(Key::Space + "").await.unwrap();
        browser.until(&format!("body[data-state=idle] .unit.settled #{}", id.as_str().unwrap())).await;
    }
    tab_to(&browser, "run").await.send_keys(Key::Enter + "").await.unwrap();
    browser.until("body[data-state=idle][data-step=send]").await;
    tab_to(&browser, "send").await.send_keys(Key::Enter + "").await.unwrap();
    browser.until("body[data-state=sent] #receipt .good").await;
    tab_to(&browser, "again").await.send_keys(Key::Enter + "").await.unwrap();
    browser.until("body[data-state=idle] #ended").await;
}

/// Presses Tab until an element has the focus, which must show.
async fn tab_to(browser: &Browser, id: &str) -> WebElement {
    for _ in 0..80 {
        let element = browser.page.active_element().await.unwrap();
        if element.attr("id").await.unwrap().as_deref() == Some(id) {
            return element;
        }
        // To whatever has the focus: a chooser of files would take keys for the name of one.
        browser.page.action_chain().send_keys(Key::Tab + "").perform().await.unwrap();
    }
    panic!("Tab does not come to {id}");
}

/// Drops files on the place of a chooser.
async fn drop_on(browser: &Browser, css: &str, files: &[&Path]) {
    let stage = "
        const input = Object.assign(document.createElement('input'), { type: 'file', multiple: true, id: 'stage' });
        document.documentElement.append(input);
    ";
    browser.run(stage, Vec::new()).await;
    let paths: Vec<&str> = files.iter().map(|path| path.to_str().unwrap()).collect();
    browser.fill("#stage", &paths.join("\n")).await;
    let dropped = "
        const stage = document.getElementById('stage');
        const dataTransfer = new DataTransfer();
        for (const file of stage.files) dataTransfer.items.add(file);
        stage.remove();
        const zone = document.querySelector(arguments[0]).closest('.picker');
        zone.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    ";
    browser.run(dropped, vec![css.into()]).await;
}

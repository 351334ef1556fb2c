//! The second person.

use std::path::Path;

use e2e::browser::Browser;
use e2e::clerk::confirm_units;
use e2e::exchange::{PASSPHRASE, Setup};
use e2e::module::artifact_dir;
use protocol::Head;

use crate::office::*;

async fn office_that_approves() -> Office {
    Office::open_with("bank-b", Setup { approval: true, ..Setup::default() }, true, &artifact_dir()).await
}

async fn matched(office: &Office, browser: &Browser) {
    office.go_to_files(browser).await;
    let file = office.save(office.institution().file_name, &office.institution().bytes());
    choose(browser, "#customer-files", &file).await;
    confirm_units(browser).await;
    browser.click("#run").await;
    browser.until("body[data-state=idle][data-step=send] #approval").await;
}

async fn passphrase(browser: &Browser, css: &str, file: &Path, picker: &str) {
    choose(browser, picker, file).await;
    browser.until(&format!("body[data-state=idle] {picker} + label .name")).await;
    browser.fill(css, std::str::from_utf8(PASSPHRASE).unwrap()).await;
}

/// In the clerk's seat, with a key of their own. Nobody else's key does, and nothing can be sent before.
#[tokio::test(flavor = "multi_thread")]
async fn an_approver_signs_in_the_clerk_s_seat() {
    let office = office_that_approves().await;
    let browser = Browser::start().await;
    matched(&office, &browser).await;
    in_both_languages(&browser, "5-approval").await;
    let count = "return document.querySelectorAll('#send').length";
    assert_eq!(browser.run(count, Vec::new()).await, 0);

    let own = office.save("own.key.hedui", &office.relation.party.file);
    choose(&browser, "#approver-key", &own).await;
    browser.until("body[data-state=error] #error[data-code=wrong_role]").await;
    let stranger = e2e::exchange::Party::new(protocol::key_file::Role::Approver, "stranger", 99);
    let stranger = office.save("stranger.key.hedui", &stranger.file);
    passphrase(&browser, "#approver-passphrase", &stranger, "#approver-key").await;
    browser.click("#approve").await;
    browser.until("body[data-state=error] #error[data-code=not_an_approver]").await;
    let approver = office.save("approver.key.hedui", &office.relation.approver.file);
    passphrase(&browser, "#approver-passphrase", &approver, "#approver-key").await;
    browser.click("#approve").await;
    browser.until("body[data-state=idle] #approved").await;
    in_both_languages(&browser, "5-approved").await;
    browser.click("#send").await;
    browser.until("body[data-state=sent] #receipt .good").await;
    let answers = office.answers().await;
    let signers = Head::parse(&answers[0]).unwrap().signers().unwrap();
    assert_eq!(signers[1..], [office.relation.approver.keys.signing.public()]);
    let verdict = office.verdict(answers);
    assert_eq!((verdict.missed, verdict.wrong), (0, 0));
}

/// At another computer: the answer goes there as a file, unsigned, and comes back signed.
#[tokio::test(flavor = "multi_thread")]
async fn an_approver_signs_at_another_computer() {
    let office = office_that_approves().await;
    let (unsigned, signed);
    {
        let clerk = Browser::start().await;
        matched(&office, &clerk).await;
        clerk.click("#approve-elsewhere summary").await;
        unsigned = office.saved(&clerk, "#save").await;
    }
    {
        let approver = Browser::start().await;
        approver.save_into(office.folder.path()).await;
        approver.page.goto(format!("{}/", office.url)).await.unwrap();
        approver.until("body[data-state=idle][data-step=unlock]").await;
        let key = office.save("approver.key.hedui", &office.relation.approver.file);
        passphrase(&approver, "#passphrase", &key, "#key-file").await;
        approver.click("#unlock").await;
        approver.until("body[data-state=idle][data-step=approve]").await;
        choose(&approver, "#answer-file", &office.save("b.answer.hedui", &unsigned)).await;
        choose(&approver, "#agreement-file", &office.save("b.agreement.hedui", &office.relation.agreement))
            .await;
        approver.click("#look").await;
        approver.until("body[data-state=idle] #answer-digest").await;
        assert_eq!(leaves(&approver).await, "nothing");
        in_both_languages(&approver, "11-approver").await;
        approver.click("#approve").await;
        approver.until("body[data-state=idle] #approved").await;
        signed = office.saved(&approver, "#save-approved").await;
    }
    assert_eq!(Head::parse(&signed).unwrap().signers().unwrap().len(), 2);
    assert_eq!(signed.len(), unsigned.len() + 96);

    // The clerk's page takes back what was approved, and no other answer.
    let clerk = Browser::start().await;
    matched(&office, &clerk).await;
    clerk.click("#approve-elsewhere summary").await;
    choose(&clerk, "#approved-file", &office.save("signed.answer.hedui", &signed)).await;
    clerk.until("body[data-state=error] #error[data-code='approve.other']").await;
}

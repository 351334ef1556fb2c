//! Several files, spreadsheets, settings that are kept.

use e2e::browser::Browser;
use e2e::clerk::confirm_units;
use serde_json::{Value, json};

use crate::office::*;

const ONE: &str = "姓名,证件号码,存款余额,余额日期\n张三,11010519491231002X,100.5,2026-10-31\n李四,440524188001010014,1,2026-10-31\n";
const OTHER: &str = "身份证号|客户名称|理财余额（万元）|截止日期\n11010519491231002X|张三|1.5|2026-10-31\n";

async fn give(browser: &Browser, files: &[std::path::PathBuf]) {
    let paths: Vec<&str> = files.iter().map(|path| path.to_str().unwrap()).collect();
    browser.fill("#customer-files", &paths.join("\n")).await;
}

async fn found(browser: &Browser, n: usize) -> String {
    browser.text(&format!("#found-{n}")).await
}

/// Each file is read as it is: its own encoding, separator, columns and units. The same one twice is noticed by what it
/// holds, not by its name, and one that can't be read keeps all from running.
#[tokio::test(flavor = "multi_thread")]
async fn several_files_are_each_read_as_they_are() {
    let office = Office::open("bank-b").await;
    let browser = Browser::start().await;
    office.go_to_files(&browser).await;
    let one = office.save("deposits.csv", ONE.as_bytes());
    let (gb, _, _) = encoding_rs::GB18030.encode(OTHER);
    let other = office.save("wealth.txt", &gb);
    // Of the same length, and not the same.
    let near = office.save("near.csv", ONE.replace("100.5", "200.5").as_bytes());
    let again = office.save("copy of deposits.csv", ONE.as_bytes());
    let bad = office.save("bad.csv", b"%PDF-1.7 nothing else\n");
    give(&browser, &[one, other, near, again, bad]).await;
    browser.until("body[data-state=error] #error[data-code=pdf_file]").await;
    assert!(found(&browser, 0).await.contains("UTF-8"));
    let wealth = found(&browser, 1).await;
    assert!(wealth.contains("GB18030") && wealth.contains('|'), "{wealth}");
    in_both_languages(&browser, "3-files-several").await;
    browser.click("#drop-4").await;
    browser.until("body[data-state=idle] #twins-meant").await;

    confirm_units(&browser).await;
    browser.click("#run").await;
    // The second file has columns of its own, and it is shown.
    browser.until("body[data-state=error] #error[data-code='files.needUnit']").await;
    let ten = "body[data-state=error] .unit input[id$=ten_thousand]";
    let means = browser.text(".unit label:last-of-type small").await;
    assert!(means.contains("15,000.00"), "{means}");
    browser.click(ten).await;
    browser.until("body[data-state=idle] #units-settled").await;
    browser.click("#run").await;
    browser.until("body[data-state=error] #error[data-code='files.needTwins']").await;
    browser.click("#drop-3").await;
    browser.until("body[data-state=idle] #drop-2").await;
    let twins = browser.run("return document.querySelectorAll('#twins-meant').length", Vec::new()).await;
    assert_eq!(twins, 0);
    // What was settled is asked again when the files are others: nothing is taken over in silence.
    confirm_units(&browser).await;
    browser.click("#show-1").await;
    browser.click("body[data-state=idle] .unit input[id$=ten_thousand]").await;
    browser.until("body[data-state=idle] #units-settled").await;
    browser.click("#run").await;
    browser.until("body[data-state=idle][data-step=send]").await;
    assert_eq!(
        tally(&browser, "dl.numbers dd", "id").await,
        json!({ "count-rows": 5, "count-valid": 5, "count-notPersonal": 0, "count-quarantined": 0 })
    );
}

/// A profile is saved without data, recognised next time, refused for other headings, and read strictly.
#[tokio::test(flavor = "multi_thread")]
async fn settings_are_kept_in_a_file_and_recognised() {
    let office = Office::open("bank-b").await;
    let browser = Browser::start().await;
    office.go_to_files(&browser).await;
    let file =
        office.save("a.csv", "客户,号码,数额,日子\n张三,11010519491231002X,1.5,2026-10-31\n".as_bytes());
    give(&browser, std::slice::from_ref(&file)).await;
    browser.until("body[data-state=idle] #columns").await;
    for (column, role) in [(1, "id_number"), (2, "amount:deposit"), (3, "balance_date"), (0, "name")] {
        let choose = "
            const select = document.getElementById(arguments[0]);
            select.value = arguments[1];
            select.dispatchEvent(new Event('change'));
        ";
        browser.run(choose, vec![format!("role-{column}").into(), role.into()]).await;
        browser
            .until(&format!("body[data-state=idle] #role-{column} option[value='{role}'][selected]"))
            .await;
    }
    browser.click("[id$=ten_thousand]").await;
    browser.until("body[data-state=idle] #units-settled").await;
    let profile = office.saved(&browser, "#save-profile").await;
    let text = String::from_utf8(profile.clone()).unwrap();
    assert!(!text.contains("张三") && !text.contains("1101") && !text.contains("1.5"), "{text}");
    let read: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["headings"], json!(["客户", "号码", "数额", "日子"]));
    assert_eq!(read["columns"], json!(["name", "id_number", "amount:deposit", "balance_date"]));

    // Next month: chosen together.
    let profile = office.save("bank.profile.hedui", &profile);
    browser.page.goto("about:blank").await.unwrap();
    office.go_to_files(&browser).await;
    let next = office.save("b.csv", "客户,号码,数额,日子\n李四,440524188001010014,2,2026-10-31\n".as_bytes());
    give(&browser, &[next, profile.clone()]).await;
    browser.until("body[data-state=idle] #profile[data-fits=true]").await;
    browser.until("#units-settled").await;
    in_both_languages(&browser, "3-files-profile").await;
    browser.click("#run").await;
    browser.until("body[data-state=idle][data-step=send]").await;
    browser.click("#edit").await;

    // Other headings: said, and nothing taken over.
    let other = office.save("c.csv", ONE.as_bytes());
    browser.until("body[data-state=idle][data-step=files]").await;
    give(&browser, &[other, profile]).await;
    browser.until("body[data-state=idle] #profile[data-fits=false]").await;
    assert_eq!(browser.run("return document.querySelectorAll('.unit.settled').length", Vec::new()).await, 0);

    let mut tampered = read;
    tampered["more"] = json!(1);
    for bad in [tampered.to_string(), text.replace("号码", "11010519491231002X"), "{}".to_owned()] {
        give(&browser, &[office.save("bad.profile.hedui", bad.as_bytes())]).await;
        browser.until("body[data-state=error] #error[data-code=profile_file]").await;
        give(&browser, std::slice::from_ref(&file)).await;
        browser.until("body[data-state=idle] #columns").await;
    }
}

/// At any time: nothing is left of the run, and what was chosen is still chosen.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_cancelled_and_taken_up_again() {
    let office = Office::open("bank-b").await;
    let browser = Browser::start().await;
    office.go_to_files(&browser).await;
    let mut rows = ONE.to_owned();
    let line = "李四,440524188001010014,1,2026-10-31\n";
    rows.extend(std::iter::repeat_n(line, 600_000));
    give(&browser, &[office.save("large.csv", rows.as_bytes())]).await;
    confirm_units(&browser).await;
    browser.click("#run").await;
    browser.click("body[data-step=run] #cancel").await;
    browser.until("body[data-state=idle][data-step=unlock] .notice").await;
    in_both_languages(&browser, "4-cancelled").await;
    let passphrase = std::str::from_utf8(e2e::exchange::PASSPHRASE).unwrap();
    browser.fill("#passphrase", passphrase).await;
    browser.click("#unlock").await;
    browser.until("body[data-state=idle][data-step=files] #units-settled").await;
    browser.click("#run").await;
    browser.until("body[data-state=idle][data-step=send]").await;
    assert_eq!(tally(&browser, "#count-rows", "id").await, json!({ "count-rows": 600_002 }));
}

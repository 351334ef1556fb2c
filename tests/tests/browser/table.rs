//! A department seals its table.

use e2e::browser::Browser;
use e2e::clerk::{Clerk, Office, web_dir};
use e2e::exchange::{ALICE, Department};
use e2e::netlog::{self, NetLog};
use e2e::python::{Python, b64, private};
use protocol::base_data::{self, BaseData};
use protocol::{CheckError, Document};
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

use crate::office::{choose, in_both_languages, leaves};

const DAY: &str = "2026-10-31";

/// A workbook of one sheet, all of it text.
fn workbook(rows: &[[&str; 3]]) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (at, row) in (0_u32..).zip(rows) {
        sheet.write_row(at, 0, row.iter().copied()).unwrap();
    }
    book.save_to_buffer().unwrap()
}

/// The centre opens what was saved, to the byte; nobody else does.
fn opens(office: &Office, housing: &Department, sealed: &[u8], table: &[u8]) {
    let read = || Document::<BaseData>::read(sealed).unwrap();
    let header = read().header;
    assert_eq!(
        (header.day.to_string().as_str(), header.institution.as_str()),
        (DAY, housing.party.code.as_str())
    );
    assert_eq!(read().signers, [housing.party.keys.signing.public()]);
    let centre = &office.centre.party.keys.opening;
    assert!(*base_data::open(read(), centre).unwrap() == *table);
    for other in [&housing.party.keys.opening, &office.relation.party.keys.opening] {
        assert_eq!(base_data::open(read(), other).unwrap_err(), CheckError::Seal("recipient").into());
    }
    assert!(!sealed.windows(18).any(|window| window == ALICE.1.as_bytes()));
}

/// From the key to the saved file, wrong turns on the way. The page asks for nothing but itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_department_seals_its_table() {
    let office = Office::new("bank-b");
    let (folder, log) = (tempfile::tempdir().unwrap(), office.folder().join("net.json"));
    let browser = Browser::start_with(&[netlog::argument(&log)]).await;
    browser.save_into(folder.path()).await;
    let (clerk, housing) =
        (Clerk { browser: &browser, office: &office }, office.centre.department("housing", 60));
    let url = office.serve(&web_dir()).await;
    clerk.open(&format!("{url}/")).await;
    clerk.unlock_with(&housing.party).await;

    // A bank's agreement leads nowhere here, nor does another department's.
    let agreement = office.save("bank.agreement.hedui", &office.relation.agreement);
    choose(&browser, "#department-file", &agreement).await;
    browser.until("body[data-state=error] #error[data-code=not_a_department]").await;
    in_both_languages(&browser, "12-no-department").await;
    let tax = office.centre.department("tax", 61);
    choose(&browser, "#department-file", &office.save("tax.agreement.hedui", &tax.agreement)).await;
    browser.until("body[data-state=error] #error[data-code=wrong_institution]").await;

    clerk.pick_agreement(&housing.agreement).await;
    assert_eq!(leaves(&browser).await, "nothing");
    browser.click("#seal").await;
    browser.until("body[data-state=error] #error[data-code='table.needFile']").await;
    // What the centre could not match is said before it travels.
    choose(&browser, "#table-file", &office.save("notes.csv", "名称,备注\n甲,乙\n".as_bytes())).await;
    browser.until("body[data-state=idle] #doubt[data-code=no_id_column]").await;
    in_both_languages(&browser, "12-table-doubt").await;
    choose(&browser, "#table-file", &office.save("empty.csv", b"")).await;
    browser.until("body[data-state=error] #error[data-code=empty_file]").await;

    let table = workbook(&[["姓名", "证件号码", "面积"], [ALICE.0, ALICE.1, "88.5"]]);
    choose(&browser, "#table-file", &office.save("houses.xlsx", &table)).await;
    browser.until("body[data-state=idle] #table-file + label .name").await;
    let doubt = "return document.getElementById('doubt')?.textContent ?? null";
    assert_eq!(browser.run(doubt, Vec::new()).await, Value::Null);
    browser.click("#seal").await;
    browser.until("body[data-state=error] #error[data-code='table.needDay']").await;
    clerk.table_day("2199-12-31").await;
    browser.click("#seal").await;
    browser.until("body[data-state=error] #error[data-code=day_to_come]").await;
    clerk.table_day(DAY).await;
    in_both_languages(&browser, "12-table").await;
    browser.click("#seal").await;
    browser.until("body[data-state=idle] #sealed").await;
    assert_eq!(leaves(&browser).await, "nothing");
    in_both_languages(&browser, "12-table-sealed").await;
    let name = browser.until("#save").await.attr("download").await.unwrap().unwrap();
    assert_eq!(name, "housing-2026-10-31.base-data.hedui");
    let sealed = clerk.saved("#save", folder.path()).await;
    opens(&office, &housing, &sealed, &table);
    let digest = Document::<BaseData>::read(&sealed).unwrap().digest.to_string();
    assert_eq!(browser.text("#sealed-digest").await.replace(' ', ""), digest);

    // So does the other implementation.
    let asked = json!({
        "op": "open_base_data", "document": b64(&sealed),
        "sealing_private": private(&office.centre.party.keys.opening),
    });
    assert_eq!(Python::start().ask(&asked), json!({ "file": b64(&table) }));

    browser.click("#again").await;
    browser.until("body[data-state=idle] #ended").await;
    browser.end().await;
    let log = NetLog::read(&log);
    assert!(log.outward().len() > 10, "the log has what the page loads");
    let own = |address: &&&String| address.starts_with(&url) && !address.contains("/api/");
    let other: Vec<_> = log.outward().into_iter().filter(|address| !own(&address)).collect();
    assert!(other.is_empty(), "{other:?}");
}

/// The ordinary place leads to the same, and a table of several pieces is read twice to its end.
#[tokio::test(flavor = "multi_thread")]
async fn a_department_s_agreement_alone_leads_to_the_table() {
    let office = Office::new("bank-b");
    let folder = tempfile::tempdir().unwrap();
    let browser = Browser::start().await;
    browser.save_into(folder.path()).await;
    let (clerk, housing) =
        (Clerk { browser: &browser, office: &office }, office.centre.department("housing", 60));
    clerk.open(&format!("{}/", office.serve(&web_dir()).await)).await;
    clerk.unlock_with(&housing.party).await;
    let agreement = office.save("housing.agreement.hedui", &housing.agreement);
    choose(&browser, "#agreement-file", &agreement).await;
    browser.until("body[data-state=idle][data-step=table]").await;
    browser.click("#back").await;
    browser.until("body[data-state=idle][data-step=task]").await;
    clerk.pick_agreement(&housing.agreement).await;

    let line = format!("{},{},88.5\n", ALICE.0, ALICE.1);
    let table = format!("姓名,证件号码,面积\n{}", line.repeat(300_000));
    assert!(table.len() > 3 * (2 << 20));
    clerk.pick_table(&office.save("houses.csv", table.as_bytes()), DAY).await;
    browser.click("#seal").await;
    browser.until("body[data-state=idle] #sealed").await;
    opens(&office, &housing, &clerk.saved("#save", folder.path()).await, table.as_bytes());

    // Another one follows under the same agreement.
    browser.click("#other-table").await;
    clerk.pick_table(&office.save("small.csv", line.as_bytes()), DAY).await;
    browser.click("#seal").await;
    browser.until("body[data-state=idle] #sealed").await;
}

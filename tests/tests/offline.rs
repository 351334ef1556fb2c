//! The offline edition, from `file://` with the network cut. What counts as a failure: a request that asks for a
//! network; an answer that differs from wasmtime's by a byte; somebody missed or wrong at the desk; a word about a
//! customer, or the passphrase, on the disk afterwards.

#![expect(clippy::unwrap_used, reason = "helpers of a test")]

use std::time::SystemTime;

use e2e::blindness::Words;
use e2e::browser::Browser;
use e2e::clerk::{Clerk, Office, offline_page};
use e2e::exchange::{PASSPHRASE, Party};
use e2e::module::{self, OpenRequest, artifact};
use e2e::netlog::{self, NetLog};
use protocol::agreement::Agreement;
use protocol::base_data;
use protocol::joining::JoiningRequest;
use protocol::key_file::KeyFile;
use protocol::secret::Entropy;
use protocol::{Digest, Document, Time};
use serde_json::{Value, json};

/// No name is known, and whatever wants a connection gets it from a proxy that isn't there, on this computer too.
const CUT: [&str; 3] = [
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=127.0.0.1:1",
    "--proxy-bypass-list=<-loopback>",
];

/// What the browser draws in place of chance: 32 bytes of this.
const DRAWN: u8 = 0x5A;

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_story_with_the_network_cut() {
    let mut office = Office::new("bank-a");
    let (folder, log) = (tempfile::tempdir().unwrap(), office.folder().join("net.json"));
    let arguments = CUT.map(str::to_owned).into_iter().chain([netlog::argument(&log)]);
    let browser = Browser::start_with(&arguments.collect::<Vec<_>>()).await;
    browser.save_into(folder.path()).await;

    // The first time: keys made in the page, which wasmtime's neighbours can open.
    Clerk { browser: &browser, office: &office }.open(&offline_page()).await;
    assert_eq!(browser.text("#module-digest").await.replace(' ', ""), Digest::of(artifact()).to_string());
    let (key, joining) = first_time(&browser, &office, folder.path()).await;
    let file = KeyFile::read(&key).unwrap();
    let keys = file.unlock(PASSPHRASE).unwrap();
    let request = Document::<JoiningRequest>::read(&joining).unwrap().header;
    assert_eq!(request.signing_key, keys.signing.public());
    let party = Party { file: key, code: "bank-a".to_owned(), keys };
    office.relation = office.centre.ask_joined(party, &joining, 40, &office.world.applicants_csv());

    // With those: a whole answer, whose chance and clock are known.
    let clerk = Clerk { browser: &browser, office: &office };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    browser.run_first(&known_chance_and_clock(now)).await;
    browser.page.goto("about:blank").await.unwrap();
    clerk.open(&offline_page()).await;
    clerk.unlock().await;
    assert_eq!(browser.text("#leaves strong").await, "无");
    clerk.pick_files().await;
    clerk.pick_customers(&office.customers()).await;
    clerk.run().await;
    let truth = &office.institution().truth.file;
    let shown = browser.run(
        "return ['rows', 'valid', 'notPersonal', 'quarantined'].map((id) => document.getElementById(`count-${id}`).textContent)",
        Vec::new(),
    );
    let shown: Vec<String> = serde_json::from_value(shown.await).unwrap();
    let shown: Vec<u64> = shown.iter().map(|n| n.replace(',', "").parse().unwrap()).collect();
    let set_aside = truth.quarantined.values().sum::<u64>();
    assert_eq!(shown, [truth.rows, truth.valid, truth.not_personal, set_aside]);
    browser.screenshot("offline-5-send").await;
    let answer = clerk.saved("#save", folder.path()).await;
    let options = browser.run("return window.asked", Vec::new()).await;

    // The same session under wasmtime gives the same bytes.
    let mut open = OpenRequest::new(&office.relation);
    open.entropy = vec![DRAWN; 32];
    open.options = options;
    assert_eq!(open.options["now"], json!(now));
    let run = module::run(&mut module::wasmtime(), &open, &office.institution().bytes(), 1 << 16).unwrap();
    assert!(run.answer == answer, "{} bytes under wasmtime, {} in the page", run.answer.len(), answer.len());

    let verdict = office.verdict(vec![answer]);
    println!("{verdict:?}");
    assert!(verdict.found > 0);
    assert_eq!((verdict.missed, verdict.wrong), (0, 0));

    // A department's table, to the byte what the library makes of it.
    let housing = office.centre.department("housing", 60);
    browser.page.goto("about:blank").await.unwrap();
    clerk.open(&offline_page()).await;
    clerk.unlock_with(&housing.party).await;
    clerk.pick_agreement(&housing.agreement).await;
    clerk.pick_table(&office.customers(), "2026-10-31").await;
    browser.click("#seal").await;
    browser.until("body[data-state=idle] #sealed").await;
    browser.screenshot("offline-12-table-sealed").await;
    let sealed = clerk.saved("#save", folder.path()).await;
    let now = Time::from_unix(now).unwrap();
    let agreement = Document::<Agreement>::read(&housing.agreement).unwrap().check(now.date()).unwrap();
    let (key, day) = (&housing.party.keys.signing, "2026-10-31".parse().unwrap());
    let chance = Entropy::new(&[DRAWN; 32]).unwrap();
    let due = base_data::seal(&agreement, key, day, now, &office.institution().bytes(), &chance).unwrap();
    assert!(sealed == due, "{} bytes in the page, {} are due", sealed.len(), due.len());

    // The second page of the same file: the module's digest and the policy in force.
    browser.page.goto("about:blank").await.unwrap();
    clerk.open(&format!("{}#audit", offline_page())).await;
    browser.until("#no-imports").await;
    assert!(browser.text("main").await.contains("connect-src 'none'"));
    browser.screenshot("offline-8-audit").await;

    // What a page asks for shows in the log: one without a policy does.
    browser.page.goto("data:text/html,<title>x</title>").await.unwrap();
    browser
        .run_async("fetch('http://outward.invalid/').catch(() => {}).then(arguments[0])", Vec::new())
        .await;

    let profile = browser.end().await;
    let log = NetLog::read(&log);
    assert!(log.events > 100, "a log of {} events", log.events);
    assert_eq!(log.outward(), ["http://outward.invalid/"]);

    let search = words(&office).search(profile.path());
    println!("{} words in {} files, {} bytes", search.words, search.files.len(), search.bytes);
    assert!(search.files.len() > 20 && search.words > 1_000);
    assert!(search.found_nothing(), "{} and {} short ones", search.hits, search.short_hits);
}

/// The search above sees what a page puts into the profile.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_stores_is_found_in_the_profile() {
    let office = Office::new("bank-a");
    let browser = Browser::start().await;
    Clerk { browser: &browser, office: &office }.open(&offline_page()).await;
    let number = office.world.applicants()[0].numbers().next().unwrap().text.clone();
    browser.run("localStorage.setItem('last', arguments[0])", vec![number.into()]).await;
    // It is written in the background.
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    let profile = browser.end().await;
    assert!(!words(&office).search(profile.path()).found_nothing());
}

/// What must not be on the disk: the passphrase, and people and accounts.
fn words(office: &Office) -> Words {
    let mut words = Words::of(&office.world, &[office.institution()]);
    words.text(std::str::from_utf8(PASSPHRASE).unwrap());
    words
}

/// Makes keys, saves key file and joining request, and gives both.
async fn first_time(browser: &Browser, office: &Office, folder: &std::path::Path) -> (Vec<u8>, Vec<u8>) {
    let passphrase = std::str::from_utf8(PASSPHRASE).unwrap();
    browser.click("#first-time summary").await;
    browser.fill("#new-name", office.institution().name).await;
    browser.fill("#new-code", "bank-a").await;
    browser.fill("#new-passphrase", passphrase).await;
    browser.fill("#new-passphrase-again", passphrase).await;
    browser.click("#make-key").await;
    browser.until("body[data-state=idle] #save-key").await;
    let clerk = Clerk { browser, office };
    (clerk.saved("#save-key", folder).await, clerk.saved("#save-joining", folder).await)
}

/// Lets the Worker draw known bytes, sets the clock, and keeps the options of the run.
fn known_chance_and_clock(now: u64) -> String {
    format!(
        "const chance = 'crypto.getRandomValues = (bytes) => bytes.fill({DRAWN});\\n';
         const Plain = Blob;
         globalThis.Blob = class extends Plain {{
           constructor(parts, options) {{
             super(options?.type === 'text/javascript' ? [chance, ...parts] : parts, options);
           }}
         }};
         Date.now = () => {now} * 1000;
         const post = Worker.prototype.postMessage;
         Worker.prototype.postMessage = function (message, transfer) {{
           if (message.ask === 'run') window.asked = message.options;
           return post.call(this, message, transfer);
         }};"
    )
}

/// The page asks for nothing that its policy refuses.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_page_is_refused_by_its_policy() {
    let office = Office::new("bank-a");
    let browser = Browser::start().await;
    browser
        .run_first("window.refused = []; addEventListener('securitypolicyviolation', (e) => refused.push(`${e.violatedDirective} ${e.blockedURI}`));")
        .await;
    for page in [offline_page(), format!("{}#audit", offline_page())] {
        browser.page.goto("about:blank").await.unwrap();
        Clerk { browser: &browser, office: &office }.open(&page).await;
        assert_eq!(browser.run("return window.refused", Vec::new()).await, Value::Array(Vec::new()));
        // What is refused shows: the page may not even fetch itself.
        browser.run_async("fetch(location.href).catch(() => {}).then(arguments[0])", Vec::new()).await;
        let refused = browser.run("return window.refused", Vec::new()).await;
        assert!(refused[0].as_str().unwrap().starts_with("connect-src"), "{refused}");
    }
}

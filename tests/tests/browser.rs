//! The module and the page in Chromium. What counts as a failure: one byte of an answer that depends on who
//! ran the module; a clerk's path through the page at whose end somebody is missed or somebody is wrong; a
//! damaged file that is taken, or refused without saying what happened to it.
//!
//! Each step leaves a picture in `target/screens`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which stop at the first surprise"
)]

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use desk::opening::{Question, open_answers};
use e2e::browser::Browser;
use e2e::client::Client;
use e2e::codes;
use e2e::exchange::{Centre, PASSPHRASE, Relation, Setup};
use e2e::module::{self, Native, OpenRequest, artifact_dir};
use e2e::verdict::{self, Verdict};
use e2e::world::damaged::{self, Outcome};
use e2e::world::{Institution, Sizes, World};
use host::Config;
use protocol::roster::Roster;
use protocol::{Digest, Document, Head, Time};
use serde_json::{Value, json};
use tempfile::TempDir;

#[tokio::test(flavor = "multi_thread")]
async fn same_bytes_native_wasmtime_chromium() {
    let world = World::new(7, Sizes::small());
    let centre = Centre::new(Setup::default());
    let browser = Browser::start().await;
    for (institution, seed) in world.institutions.iter().zip(30..) {
        let relation = ask(&centre, &world, institution, seed);
        let (open, file) = (OpenRequest::new(&relation), institution.bytes());

        let native = module::run(&mut Native::default(), &open, &file, file.len()).unwrap();
        let wasmtime = module::run(&mut module::wasmtime(), &open, &file, 7_919).unwrap();
        let chromium = module::run(&mut browser.matcher().await, &open, &file, 100_003).unwrap();

        assert!(native.answer == wasmtime.answer, "{}: wasmtime", institution.code);
        assert!(native.answer == chromium.answer, "{}: Chromium", institution.code);
        assert_eq!(native.report, wasmtime.report);
        assert_eq!(native.report, chromium.report);
        assert_eq!(native.report["answer_bytes"], native.answer.len());
        println!("{}: {} bytes in, {} bytes out", institution.code, file.len(), native.answer.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_sends_an_answer() {
    let office = Office::open("bank-a").await;
    let file = office.save(office.institution().file_name, &office.institution().bytes());
    let browser = Browser::start().await;

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

#[tokio::test(flavor = "multi_thread")]
async fn an_excel_damaged_file_is_explained() {
    let office = Office::open("bank-b").await;
    let damaged = damaged::excel_damaged(7, 200);
    let file = office.save(damaged.file_name, &damaged.bytes);
    let browser = Browser::start().await;

    browser.page.goto(format!("{}/", office.url)).await.unwrap();
    browser.until("body[data-state=idle][data-step=unlock]").await;
    office.unlock(&browser).await;
    office.drop_roster(&browser, &office.relation.roster).await;
    browser.click("body[data-state=idle] #to-files").await;
    choose(&browser, "#customer-files", &file).await;
    browser.click("body[data-state=idle] #run").await;
    let error = browser.until("body[data-state=error] #error[data-code=column_trailing_zeros]").await;
    assert!(error.is_displayed().await.unwrap());
    let said = error.text().await.unwrap();
    for part in sentence("zh", "column_trailing_zeros") {
        assert!(said.contains(&part), "{part} is not in: {said}");
    }
    in_both_languages(&browser, "9-excel-damaged").await;
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

/// A host that serves the page, an agreement and a roster on it, and the files a clerk has.
struct Office {
    url: String,
    world: World,
    centre: Centre,
    relation: Relation,
    api: Client,
    folder: TempDir,
}

impl Office {
    /// Everything is dated by the real clock, as the browser's is.
    async fn open(code: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = World::new(7, Sizes::small());
        let centre = Centre::new(Setup::default());
        let mut relation = ask(&centre, &world, world.institution(code).unwrap(), 40);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let issued = Time::from_unix(now - 60).unwrap();
        relation.roster = centre.roster(&relation.agreement, &world.applicants_csv(), 1, issued, 40);

        let config = Config {
            data_dir: folder.path().join("data"),
            listen: "127.0.0.1:0".parse().unwrap(),
            code: "host-1".parse().unwrap(),
            centre_keys: vec![centre.party.keys.signing.public()],
            web_dir: Some(web_dir()),
            artifact_dir: Some(artifact_dir()),
        };
        let running = host::serve(config, std::future::pending()).await.unwrap();
        let url = format!("http://{}", running.address());
        let api = Client::sign_in(&url, &centre.party.keys).await;
        api.post("agreements", relation.agreement.clone()).await;
        api.post("rosters", relation.roster.clone()).await;
        Self { url, world, centre, relation, api, folder }
    }

    /// When the roster on the host was issued.
    fn relation_issued(&self) -> Time {
        Document::<Roster>::read(&self.relation.roster).unwrap().header.issued
    }

    fn institution(&self) -> &Institution {
        self.world.institution(&self.relation.party.code).unwrap()
    }

    /// Puts a file where the clerk finds it.
    fn save(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The clerk's first step.
    async fn unlock(&self, browser: &Browser) {
        let key = self.save(&format!("{}.key.hedui", self.relation.party.code), &self.relation.party.file);
        choose(browser, "#key-file", &key).await;
        browser.until("body[data-state=idle] #key-file + label .name").await;
        browser.fill("#passphrase", std::str::from_utf8(PASSPHRASE).unwrap()).await;
        browser.click("#unlock").await;
        browser.until("body[data-state=idle][data-step=task]").await;
    }

    /// The clerk's second step, from files.
    async fn drop_roster(&self, browser: &Browser, roster: &[u8]) {
        choose(browser, "#roster-file", &self.save("a.roster.hedui", roster)).await;
        let agreement = self.save("a.agreement.hedui", &self.relation.agreement);
        choose(browser, "#agreement-file", &agreement).await;
        browser.click("#open-task").await;
    }

    /// The answers that the centre finds on the host.
    async fn answers(&self) -> Vec<Vec<u8>> {
        let rosters = self.api.get_json("rosters").await;
        let roster = rosters[0]["digest"].as_str().unwrap();
        let mut answers = Vec::new();
        for row in self.api.get_json(&format!("rosters/{roster}/answers")).await.as_array().unwrap() {
            answers.push(self.api.get(&format!("answers/{}", row["digest"].as_str().unwrap())).await);
        }
        answers
    }

    /// What the centre reads, against the truth.
    fn verdict(&self, answers: Vec<Vec<u8>>) -> Verdict {
        let agreement = Document::read(&self.relation.agreement).unwrap();
        let question =
            Question::read(&self.relation.roster, &[agreement], &self.world.applicants_csv()).unwrap();
        let officers: Vec<_> = self.centre.officers.iter().map(|officer| &officer.keys.opening).collect();
        let table = open_answers(&[question], answers, &self.centre.party.keys.opening, &officers).unwrap();
        verdict::compare(&table, self.institution())
    }
}

fn ask(centre: &Centre, world: &World, institution: &Institution, seed: u8) -> Relation {
    let kind = serde_json::from_value(institution.kind.into()).unwrap();
    centre.ask(institution.code, kind, seed, &world.applicants_csv())
}

fn web_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../web")
}

/// Gives a file to a chooser, whose dialog would show it.
async fn choose(browser: &Browser, css: &str, path: &Path) {
    let accept = browser.until(css).await.attr("accept").await.unwrap().unwrap();
    let path = path.to_str().unwrap();
    assert!(accept.split(',').any(|ending| path.ends_with(ending)), "{css} would hide {path}");
    browser.fill(css, path).await;
}

/// What the page says leaves the building at this step.
async fn leaves(browser: &Browser) -> String {
    browser.until("#leaves").await.attr("data-leaves").await.unwrap().unwrap()
}

/// A picture in Chinese and one in English. Ends in Chinese.
async fn in_both_languages(browser: &Browser, name: &str) {
    browser.screenshot(name).await;
    let other = "document.getElementById('language').click()"; // without a pointer that stays on it
    browser.run(other, Vec::new()).await;
    browser.until("html[lang=en]").await;
    browser.screenshot(&format!("{name}-en")).await;
    browser.run(other, Vec::new()).await;
    browser.until("html[lang=zh-CN]").await;
}

/// Figures that the page shows, by an attribute of what shows them.
async fn tally(browser: &Browser, css: &str, attribute: &str) -> Value {
    let script = "
        const [css, attribute] = arguments;
        const figure = (element) => Number(element.textContent.match(/[\\d,]+(?=\\D*$)/)[0].replaceAll(',', ''));
        const shown = [...document.querySelectorAll(css)];
        return Object.fromEntries(shown.map((element) => [element.getAttribute(attribute), figure(element)]));
    ";
    browser.run(script, vec![css.into(), attribute.into()]).await
}

/// Keeps the page from handing the next run to the Worker until `heldRun()` is called: else it would be over
/// before a picture of it is taken.
async fn hold_the_run(browser: &Browser) {
    let script = "
        const post = Worker.prototype.postMessage;
        Worker.prototype.postMessage = function (message) {
          if (message.ask !== 'run') return post.call(this, message);
          window.heldRun = () => post.call(this, message);
        };
    ";
    browser.run(script, Vec::new()).await;
}

/// The sentence of an error in the dictionary, cut at its figures.
fn sentence(language: &str, code: &str) -> Vec<String> {
    let dictionary = std::fs::read_to_string(web_dir().join(format!("strings.{language}.js"))).unwrap();
    let (_, rest) = dictionary.split_once(&format!("{code}: ['")).unwrap();
    let (sentence, _) = rest.split_once('\'').unwrap();
    let parts = sentence.split(['{', '}']).step_by(2).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

//! An office: a host that serves the page, the files that a clerk has, and the clerk's steps.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use desk::opening::{Question, open_answers};
use e2e::browser::Browser;
use e2e::clerk::whole;
use e2e::client::Client;
use e2e::exchange::{Centre, PASSPHRASE, Relation, Setup};
use e2e::module::artifact_dir;
use e2e::verdict::{self, Verdict};
use e2e::world::{Institution, Sizes, World};
use host::Config;
use protocol::roster::Roster;
use protocol::{Document, Time};
use serde_json::Value;
use tempfile::TempDir;

/// A host that serves the page, an agreement and a roster on it, and the files a clerk has.
pub(crate) struct Office {
    pub(crate) url: String,
    pub(crate) world: World,
    pub(crate) centre: Centre,
    pub(crate) relation: Relation,
    pub(crate) api: Client,
    pub(crate) folder: TempDir,
}

impl Office {
    /// An ordinary one.
    pub(crate) async fn open(code: &str) -> Self {
        Self::open_with(code, Setup::default(), true, &artifact_dir()).await
    }

    /// Everything is dated by the real clock, as the browser's is. A host that does not know the institution is as good
    /// as none.
    pub(crate) async fn open_with(code: &str, setup: Setup, known: bool, artifacts: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = World::new(7, Sizes::small());
        let centre = Centre::new(setup);
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
            artifact_dir: Some(artifacts.to_owned()),
        };
        let running = host::serve(config, std::future::pending()).await.unwrap();
        let url = format!("http://{}", running.address());
        let api = Client::sign_in(&url, &centre.party.keys).await;
        if known {
            api.post("agreements", relation.agreement.clone()).await;
            api.post("rosters", relation.roster.clone()).await;
        }
        Self { url, world, centre, relation, api, folder }
    }

    /// When the roster on the host was issued.
    pub(crate) fn relation_issued(&self) -> Time {
        Document::<Roster>::read(&self.relation.roster).unwrap().header.issued
    }

    pub(crate) fn institution(&self) -> &Institution {
        self.world.institution(&self.relation.party.code).unwrap()
    }

    /// Puts a file where the clerk finds it.
    pub(crate) fn save(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The clerk's first step.
    pub(crate) async fn unlock(&self, browser: &Browser) {
        let key = self.save(&format!("{}.key.hedui", self.relation.party.code), &self.relation.party.file);
        choose(browser, "#key-file", &key).await;
        browser.until("body[data-state=idle] #key-file + label .name").await;
        browser.fill("#passphrase", std::str::from_utf8(PASSPHRASE).unwrap()).await;
        browser.click("#unlock").await;
        browser.until("body[data-state=idle][data-step=task]").await;
    }

    /// The clerk's second step, from files.
    pub(crate) async fn drop_roster(&self, browser: &Browser, roster: &[u8]) {
        choose(browser, "#roster-file", &self.save("a.roster.hedui", roster)).await;
        let agreement = self.save("a.agreement.hedui", &self.relation.agreement);
        choose(browser, "#agreement-file", &agreement).await;
        browser.click("#open-task").await;
    }

    /// From the page's address to the step where files are chosen.
    pub(crate) async fn go_to_files(&self, browser: &Browser) {
        browser.save_into(self.folder.path()).await;
        browser.page.goto(format!("{}/", self.url)).await.unwrap();
        browser.until("body[data-state=idle][data-step=unlock]").await;
        self.unlock(browser).await;
        self.drop_roster(browser, &self.relation.roster).await;
        browser.click("body[data-state=idle] #to-files").await;
        browser.until("body[data-state=idle][data-step=files]").await;
    }

    /// Clicks what saves a file and reads it, once it is whole.
    pub(crate) async fn saved(&self, browser: &Browser, css: &str) -> Vec<u8> {
        let name = browser.until(css).await.attr("download").await.unwrap().unwrap();
        let path = self.folder.path().join(&name);
        let _ = std::fs::remove_file(&path);
        browser.click(css).await;
        let start = Instant::now();
        while !path.exists() {
            assert!(start.elapsed() < Duration::from_secs(60), "{css} saves no {name}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        whole(&path).await
    }

    /// The answers that the centre finds on the host.
    pub(crate) async fn answers(&self) -> Vec<Vec<u8>> {
        let rosters = self.api.get_json("rosters").await;
        let roster = rosters[0]["digest"].as_str().unwrap();
        let mut answers = Vec::new();
        for row in self.api.get_json(&format!("rosters/{roster}/answers")).await.as_array().unwrap() {
            answers.push(self.api.get(&format!("answers/{}", row["digest"].as_str().unwrap())).await);
        }
        answers
    }

    /// What the centre reads, against the truth.
    pub(crate) fn verdict(&self, answers: Vec<Vec<u8>>) -> Verdict {
        let agreement = Document::read(&self.relation.agreement).unwrap();
        let question =
            Question::read(&self.relation.roster, &[agreement], &self.world.applicants_csv()).unwrap();
        let officers: Vec<_> = self.centre.officers.iter().map(|officer| &officer.keys.opening).collect();
        let table = open_answers(&[question], answers, &self.centre.party.keys.opening, &officers).unwrap();
        verdict::compare(&table, self.institution())
    }
}

pub(crate) fn ask(centre: &Centre, world: &World, institution: &Institution, seed: u8) -> Relation {
    let kind = serde_json::from_value(institution.kind.into()).unwrap();
    centre.ask(institution.code, kind, seed, &world.applicants_csv())
}

pub(crate) fn web_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../web")
}

/// Gives a file to a chooser, whose dialog would show it.
pub(crate) async fn choose(browser: &Browser, css: &str, path: &Path) {
    let accept = browser.until(css).await.attr("accept").await.unwrap().unwrap();
    let path = path.to_str().unwrap();
    assert!(accept.split(',').any(|ending| path.ends_with(ending)), "{css} would hide {path}");
    browser.fill(css, path).await;
}

/// What the page says leaves the building at this step.
pub(crate) async fn leaves(browser: &Browser) -> String {
    browser.until("#leaves").await.attr("data-leaves").await.unwrap().unwrap()
}

/// A picture in Chinese and one in English. Ends in Chinese.
pub(crate) async fn in_both_languages(browser: &Browser, name: &str) {
    browser.screenshot(name).await;
    let other = "document.getElementById('language').click()"; // without a pointer that stays on it
    browser.run(other, Vec::new()).await;
    browser.until("html[lang=en]").await;
    browser.screenshot(&format!("{name}-en")).await;
    browser.run(other, Vec::new()).await;
    browser.until("html[lang=zh-CN]").await;
}

/// Figures that the page shows, by an attribute of what shows them.
pub(crate) async fn tally(browser: &Browser, css: &str, attribute: &str) -> Value {
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
pub(crate) async fn hold_the_run(browser: &Browser) {
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
pub(crate) fn sentence(language: &str, code: &str) -> Vec<String> {
    let dictionary = std::fs::read_to_string(web_dir().join(format!("strings.{language}.js"))).unwrap();
    let (_, rest) = dictionary.split_once(&format!("{code}: ['")).unwrap();
    let (sentence, _) = rest.split_once('\'').unwrap();
    let parts = sentence.split(['{', '}']).step_by(2).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

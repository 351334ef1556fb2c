//! What a clerk does: an office with its files, and the way through the page.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use desk::opening::{Question, open_answers};
use host::Config;
use protocol::{Document, Time};
use tempfile::TempDir;

use crate::browser::Browser;
use crate::client::Client;
use crate::exchange::{Centre, PASSPHRASE, Party, Relation, Setup};
use crate::module::artifact_dir;
use crate::verdict::{self, Verdict};
use crate::world::{Institution, Sizes, World};

/// An institution with an agreement and a roster, and the folder that its clerk finds files in.
pub struct Office {
    /// Who is asked about, and what the institution holds.
    pub world: World,
    /// Who asks.
    pub centre: Centre,
    /// What passes between them.
    pub relation: Relation,
    folder: TempDir,
}

impl Office {
    /// Everything is dated by the real clock, as the browser's is.
    pub fn new(code: &str) -> Self {
        let world = World::new(7, Sizes::small());
        let mut centre = Centre::new(Setup::default());
        centre.issued = a_minute_ago();
        let kind = serde_json::from_value(world.institution(code).unwrap().kind.into()).unwrap();
        let relation = centre.ask(code, kind, 40, &world.applicants_csv());
        Self { world, centre, relation, folder: tempfile::tempdir().unwrap() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The institution.
    pub fn institution(&self) -> &Institution {
        self.world.institution(&self.relation.party.code).unwrap()
    }

    /// Puts a file where the clerk finds it.
    pub fn save(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The customer file.
    pub fn customers(&self) -> PathBuf {
        self.save(self.institution().file_name, &self.institution().bytes())
    }

    /// Serves a page from `web` at a host that holds agreement and roster; ends with the runtime. Gives its address.
    pub async fn serve(&self, web: &Path) -> String {
        let config = Config {
            data_dir: tempfile::tempdir_in(self.folder()).unwrap().keep(),
            listen: "127.0.0.1:0".parse().unwrap(),
            code: "host-1".parse().unwrap(),
            centre_keys: vec![self.centre.party.keys.signing.public()],
            web_dir: Some(web.to_owned()),
            artifact_dir: Some(artifact_dir()),
        };
        let running = host::serve(config, std::future::pending()).await.unwrap();
        let url = format!("http://{}", running.address());
        let api = Client::sign_in(&url, &self.centre.party.keys).await;
        api.post("agreements", self.relation.agreement.clone()).await;
        api.post("rosters", self.relation.roster.clone()).await;
        url
    }

    /// What the centre reads in `answers`, against the truth.
    pub fn verdict(&self, answers: Vec<Vec<u8>>) -> Verdict {
        let agreement = Document::read(&self.relation.agreement).unwrap();
        let applicants = self.world.applicants_csv();
        let question = Question::read(&self.relation.roster, &[agreement], &applicants).unwrap();
        let officers: Vec<_> = self.centre.officers.iter().map(|officer| &officer.keys.opening).collect();
        let table = open_answers(&[question], answers, &self.centre.party.keys.opening, &officers).unwrap();
        verdict::compare(&table, self.institution())
    }
}

/// A clerk before a browser.
#[derive(Clone, Copy)]
pub struct Clerk<'a> {
    /// The browser.
    pub browser: &'a Browser,
    /// The files.
    pub office: &'a Office,
}

impl Clerk<'_> {
    /// Opens the page.
    pub async fn open(&self, url: &str) {
        self.browser.page.goto(url).await.unwrap();
        self.browser.until("body[data-state=idle]").await;
    }

    /// Step 1.
    pub async fn unlock(&self) {
        self.unlock_with(&self.office.relation.party).await;
    }

    /// The same with somebody else's key.
    pub async fn unlock_with(&self, party: &Party) {
        let key = self.office.save(&format!("{}.key.hedui", party.code), &party.file);
        self.choose("#key-file", &key).await;
        self.browser.until("body[data-state=idle] #key-file + label .name").await;
        self.browser.fill("#passphrase", std::str::from_utf8(PASSPHRASE).unwrap()).await;
        self.browser.click("#unlock").await;
        self.browser.until("body[data-state=idle][data-step=task]").await;
    }

    /// Step 2, from files.
    pub async fn pick_files(&self) {
        let Relation { roster, agreement, .. } = &self.office.relation;
        self.choose("#roster-file", &self.office.save("a.roster.hedui", roster)).await;
        self.choose("#agreement-file", &self.office.save("a.agreement.hedui", agreement)).await;
        self.browser.click("#open-task").await;
        self.browser.until("body[data-state=idle] #to-files").await;
    }

    /// Step 2 of a department: its agreement alone.
    pub async fn pick_agreement(&self, agreement: &[u8]) {
        self.choose("#department-file", &self.office.save("department.agreement.hedui", agreement)).await;
        self.browser.until("body[data-state=idle][data-step=table]").await;
    }

    /// Step 3 of a department, up to the button: the table, and the day that it stands for.
    pub async fn pick_table(&self, file: &Path, day: &str) {
        self.choose("#table-file", file).await;
        self.browser.until("body[data-state=idle] #table-file + label .name").await;
        self.table_day(day).await;
    }

    /// The day alone. What keys a date field takes depends on the computer's language.
    pub async fn table_day(&self, day: &str) {
        let script = "
            const box = document.getElementById('table-day');
            box.value = arguments[0];
            box.dispatchEvent(new Event('change'));
        ";
        self.browser.run(script, vec![day.into()]).await;
    }

    /// Step 3, up to the columns.
    pub async fn pick_customers(&self, file: &Path) {
        self.browser.click("body[data-state=idle] #to-files").await;
        self.browser.until("body[data-state=idle][data-step=files]").await;
        self.choose("#customer-files", file).await;
        self.browser.until("body[data-state=idle] #columns").await;
    }

    /// Step 4, to its end.
    pub async fn run(&self) {
        confirm_units(self.browser).await;
        self.browser.click("body[data-state=idle] #run").await;
        self.browser.until("body[data-state=idle][data-step=send]").await;
    }

    /// Clicks what saves a file, and reads it from `folder` once it is whole.
    pub async fn saved(&self, css: &str, folder: &Path) -> Vec<u8> {
        let before = names(folder);
        self.browser.click(css).await;
        let until = Instant::now() + Duration::from_secs(60);
        while Instant::now() < until {
            let new =
                names(folder).into_iter().find(|name| !before.contains(name) && name.ends_with(".hedui"));
            if let Some(name) = new {
                return whole(&folder.join(name)).await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{css} saves nothing");
    }

    /// Gives a file to a chooser.
    pub async fn choose(&self, css: &str, path: &Path) {
        self.browser.fill(css, path.to_str().unwrap()).await;
    }
}

/// A file that a browser is saving, once nothing more comes: its name is there before its bytes are.
pub async fn whole(path: &Path) -> Vec<u8> {
    let mut before = Vec::new();
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = std::fs::read(path).unwrap();
        if !now.is_empty() && now == before {
            return now;
        }
        before = now;
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn a_minute_ago() -> Time {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    Time::from_unix(now - 60).unwrap()
}

/// The page as it is served.
pub fn web_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../web")
}

/// Address of the offline edition.
///
/// # Panics
/// When it was not built.
pub fn offline_page() -> String {
    let path = artifact_dir().join("../dist/hedui-offline.html");
    let path =
        path.canonicalize().expect("target/dist/hedui-offline.html is there: run `cargo xtask dist` first");
    format!("file://{}", path.display())
}

/// Says 元 of every column of amounts that is open.
pub async fn confirm_units(browser: &Browser) {
    let script = "
        const open = [...document.querySelectorAll('.unit:not(.settled) input[id$=one]')];
        open[0]?.click();
        return open.length;
    ";
    loop {
        browser.until("body:not([data-state=busy]) #columns").await;
        if browser.run(script, Vec::new()).await == 0 {
            return;
        }
    }
}

//! What the staff do, page by page. Whoever sits before the browser changes by the session's cookie, as if each had
//! a computer of their own.

mod archive;
mod cosigner;
pub(crate) mod department;
mod known;
mod stopped;
mod trial;
mod years;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use console::staff::totp;
use desk::agreement_maker::Terms;
use e2e::blindness::Words;
use e2e::browser::Browser;
use e2e::clerk::whole;
use e2e::world::Sizes;
use serde_json::{Value, json};

use crate::banks::Bank;
use crate::desk::{Desk, KEY_PASSPHRASE};
use crate::people::{self, Household};
use crate::screens::Tour;

const PASSWORD: &str = "tuesday-lamp-7";
/// Scans: what a file begins with says what it is.
const AUTHORISATION: &[u8] = b"%PDF-1.7 an authorisation, signed by hand";
pub(crate) const COMMISSION: &[u8] = b"%PDF-1.7 a commission with the township's seal";
pub(crate) const EVIDENCE: &[u8] = b"%PDF-1.7 a bank's letter that nobody else may read";
const HANDWRITING: [&str; 3] = ["signed by hand", "the township's seal", "nobody else may read"];

/// Who works there: account, name, staff number, role.
const STAFF: [(&str, &str, &str, &str); 8] = [
    ("jb01", "李经办", "2001", "operator"),
    ("jb02", "周受理", "2002", "operator"),
    ("fh01", "陈复核", "2003", "reviewer"),
    ("qp01", "赵签批", "2004", "head"),
    ("my01", "钱钥甲", "2005", "officer"),
    ("my02", "孙钥乙", "2006", "officer"),
    ("my03", "吴钥丙", "2007", "officer"),
    ("sj01", "郑审计", "2008", "auditor"),
];

/// Who signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cast {
    /// All.
    Everybody,
    /// Those without whom nothing gets done.
    Staff,
}

/// An account's authenticator and session.
#[derive(Default)]
struct Seat {
    secret: Vec<u8>,
    cookie: String,
}

/// A desk, a browser, and who sits before it.
pub(crate) struct Story {
    pub(crate) desk: Desk,
    browser: Browser,
    tour: Option<Tour>,
    seats: BTreeMap<&'static str, Seat>,
    banks: Vec<Bank>,
    /// What no page shows unasked: names and numbers.
    secret: Vec<String>,
}

impl Story {
    /// From an empty folder until everybody has signed in.
    pub(crate) async fn begin(sizes: Sizes, cast: Cast, pictures: bool) -> Self {
        let (desk, first) = Desk::open(sizes).await;
        let browser = Browser::start().await;
        browser.save_into(&desk.clerk()).await;
        let secret = desk.world.applicants().iter();
        let secret = secret.flat_map(|who| {
            std::iter::once(who.name.clone()).chain(who.numbers().map(|number| number.text.clone()))
        });
        let secret = secret.collect();
        let tour = pictures.then(|| Tour::new("desk"));
        let mut story = Self { desk, browser, tour, seats: BTreeMap::new(), banks: Vec::new(), secret };
        story.set_up("gl01", &first).await;
        for (code, name, number, role) in STAFF {
            if cast == Cast::Staff && code == "sj01" {
                continue;
            }
            let first = story.add_account((code, name, number, role)).await;
            if cast == Cast::Everybody || code != "my03" {
                story.set_up(code, &first).await;
            }
        }
        story.sit("gl01").await;
        story.show_at("/staff", "accounts").await;
        story.show_at("/staff/2", "account").await;
        story.show_at("/settings", "settings").await;
        story
    }

    /// A desk with three households, none of them accepted yet.
    pub(crate) async fn imported(cast: Cast) -> Self {
        let story = Self::begin(Sizes::small(), cast, false).await;
        let household = Household::with_figures(&story.desk.world);
        let first = people::file_of(&household);
        let others = people::import_file(&story.desk.world, &household, 2);
        story.sit("jb01").await;
        for (name, bytes) in [("one.csv", first), ("two.csv", others)] {
            story.upload_import(name, &bytes).await;
            story.browser.until("#done").await;
        }
        story
    }

    /// A desk whose first case a second person has confirmed.
    pub(crate) async fn reviewed(cast: Cast) -> Self {
        let mut story = Self::imported(cast).await;
        let household = Household::with_figures(&story.desk.world);
        story.sit("jb02").await;
        story.accept_all().await;
        story.agree(&["bank-a", "bank-b", "broker-c"], |_| {}).await;
        let batch = story.dispatch().await;
        story.send_and_answer(&batch).await;
        story.unlock(&batch).await;
        story.review(&household).await;
        story
    }

    // Sitting down.

    /// The administrator adds an account, and is told its first password.
    async fn add_account(&mut self, (code, name, number, role): (&'static str, &str, &str, &str)) -> String {
        self.sit("gl01").await;
        self.speak(if code == "jb02" { "en" } else { "zh" }).await;
        self.go("/staff").await;
        for (css, text) in [("#code", code), ("#name", name), ("#number", number)] {
            self.browser.fill(css, text).await;
        }
        if let Some(at) = code.strip_prefix("my0") {
            let at: usize = at.parse().unwrap();
            let key = self.desk.centre.officers[at - 1].keys.opening.public().to_string();
            self.browser.fill("#officer_key", &key).await;
        }
        self.browser.click(&format!("input[name=role][value={role}]")).await;
        self.press("#add").await;
        let first = self.browser.text("#first-password").await;
        if let ("jb01" | "jb02", Some(tour)) = (code, &mut self.tour) {
            let name =
                if code == "jb01" { tour.next("first-password") } else { tour.again_as("first-password") };
            tour.picture(&self.browser, &name, if code == "jb01" { "zh" } else { "en" }).await;
        }
        self.speak("zh").await;
        first
    }

    /// The first sign-in: authenticator and own password.
    async fn set_up(&mut self, code: &'static str, first: &str) {
        self.leave().await;
        self.go("/sign-in").await;
        if code == "gl01" {
            self.show("sign-in").await;
        }
        self.browser.fill("#code", code).await;
        self.browser.fill("#password", first).await;
        self.press("#sign-in").await;
        let secret = totp::secret_of(&self.browser.text("#secret").await).unwrap();
        if code == "gl01" {
            self.show("set-up").await;
        }
        self.browser.fill("#password", PASSWORD).await;
        self.browser.fill("#again", PASSWORD).await;
        self.browser.fill("#one_time", &self.desk.one_time(&secret)).await;
        self.press("#set-up").await;
        self.browser.until("nav").await;
        self.seats.insert(code, Seat { secret, cookie: self.cookie().await });
    }

    /// Signs in once more, after a session has ended.
    async fn sign_in(&mut self, code: &'static str) {
        self.leave().await;
        self.go("/sign-in").await;
        self.browser.fill("#code", code).await;
        self.browser.fill("#password", PASSWORD).await;
        self.browser.fill("#one_time", &self.one_time(code)).await;
        self.press("#sign-in").await;
        self.browser.until("nav").await;
        self.seats.get_mut(code).unwrap().cookie = self.cookie().await;
    }

    /// Who sits there from now on.
    async fn sit(&self, code: &str) {
        let parameters = json!({
            "name": "desk", "value": self.seats[code].cookie, "url": self.desk.url, "httpOnly": true, "sameSite": "Strict",
        });
        self.browser.command("Network.setCookie", parameters).await;
    }

    async fn leave(&self) {
        let parameters = json!({ "name": "desk", "url": self.desk.url });
        self.browser.command("Network.deleteCookies", parameters).await;
    }

    async fn cookie(&self) -> String {
        let all = self.browser.command("Network.getCookies", json!({ "urls": [self.desk.url] })).await;
        let found = all["cookies"].as_array().unwrap().iter().find(|cookie| cookie["name"] == "desk");
        found.expect("a session")["value"].as_str().unwrap().to_owned()
    }

    fn one_time(&self, code: &str) -> String {
        self.desk.one_time(&self.seats[code].secret)
    }

    // Getting about.

    async fn go(&self, path: &str) {
        self.browser.page.goto(format!("{}{path}", self.desk.url)).await.unwrap();
        self.browser.until("main").await;
    }

    /// Clicks what leads to another page, and waits for that page.
    async fn press(&self, css: &str) {
        self.browser.run("document.documentElement.dataset.left = 'yes'", Vec::new()).await;
        self.browser.click(css).await;
        self.browser.until("html:not([data-left]) main").await;
    }

    /// Fills what is not typed letter by letter: days, choices.
    async fn set(&self, css: &str, value: &str) {
        self.browser.until(css).await;
        let script = "document.querySelector(arguments[0]).value = arguments[1]";
        self.browser.run(script, vec![css.into(), value.into()]).await;
    }

    async fn fill_file(&self, css: &str, name: &str, bytes: &[u8]) {
        let path = self.desk.save(name, bytes);
        self.browser.fill(css, path.to_str().unwrap()).await;
    }

    async fn source(&self) -> String {
        self.browser.page.source().await.unwrap()
    }

    async fn sees(&self, text: &str) {
        let source = self.source().await;
        assert!(source.contains(text), "{text} is not on the page: {source}");
    }

    async fn is_there(&self, css: &str) -> bool {
        let script = "return document.querySelector(arguments[0]) !== null";
        self.browser.run(script, vec![css.into()]).await == Value::Bool(true)
    }

    /// Presses what is refused, and reads why.
    async fn is_refused(&self, css: &str, why: &str) {
        self.press(css).await;
        let said = self.browser.text("section.error .remedy").await;
        assert!(said.contains(why), "{said}");
    }

    async fn path(&self) -> String {
        self.browser.page.current_url().await.unwrap().path().to_owned()
    }

    /// Waits for a page that long work leads to.
    async fn arrives(&self, path: &str) {
        let begun = Instant::now();
        while self.path().await != path {
            assert!(begun.elapsed() < Duration::from_secs(120), "not at {path}: {}", self.source().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.browser.until("main").await;
    }

    /// Clicks what saves a file, and reads it.
    async fn saved(&self, css: &str) -> (String, Vec<u8>) {
        let before = names(&self.desk.clerk());
        self.browser.click(css).await;
        let begun = Instant::now();
        loop {
            let new = names(&self.desk.clerk()).into_iter().find(|name| {
                !before.contains(name) && !name.ends_with(".crdownload") && !name.starts_with('.')
            });
            if let Some(name) = new {
                let path = self.desk.clerk().join(&name);
                let bytes = whole(&path).await;
                // Another of its name would be saved over it, and not be seen.
                std::fs::remove_file(path).unwrap();
                return (name, bytes);
            }
            assert!(
                begun.elapsed() < Duration::from_secs(120),
                "{css} saves nothing: {}",
                self.source().await
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A paper that a button opens in a window of its own, whose files a driver does not get to see: what that window
    /// is sent.
    async fn opened(&self, css: &str) -> Vec<u8> {
        self.browser.until(css).await;
        let script = "const { form } = document.querySelector(arguments[0]); return form.target === '_blank' ? form.action : null";
        let action = self.browser.run(script, vec![css.into()]).await;
        let cookie = format!("desk={}", self.cookie().await);
        let request = reqwest::Client::new().post(action.as_str().expect("a window of its own"));
        let request = request.header("Cookie", cookie).header("Origin", &self.desk.url);
        let reply = request.send().await.unwrap().error_for_status().unwrap();
        assert_eq!(reply.headers()["content-type"], "application/pdf");
        reply.bytes().await.unwrap().to_vec()
    }

    // Looking.

    async fn assert_masked(&self) {
        let source = self.source().await;
        for secret in &self.secret {
            assert!(!source.contains(secret), "{secret} is shown unasked: {source}");
        }
    }

    async fn speak(&self, language: &str) {
        let parameters = json!({
            "name": "language", "value": language, "url": self.desk.url, "httpOnly": true, "sameSite": "Strict",
        });
        self.browser.command("Network.setCookie", parameters).await;
    }

    /// A page that shows nobody: a picture in Chinese and, by the button for it, one in English.
    async fn show(&mut self, name: &str) {
        self.assert_masked().await;
        let Some(tour) = &mut self.tour else { return };
        let name = tour.next(name);
        tour.picture(&self.browser, &name, "zh").await;
        self.other_language("en").await;
        self.assert_masked().await;
        if let Some(tour) = &mut self.tour {
            tour.picture(&self.browser, &name, "en").await;
        }
        self.other_language("zh-CN").await;
    }

    async fn other_language(&self, tag: &str) {
        let before = self.path().await;
        self.press("form[action='/language'] button").await;
        self.browser.until(&format!("html[lang={tag}]")).await;
        assert_eq!(self.path().await, before, "the same page in the other language");
    }

    /// A page in a story that has no pictures otherwise.
    async fn show_one(&mut self, walk: &'static str, path: &str, name: &str) {
        self.take_pictures(walk);
        self.show_at(path, name).await;
        self.tour.take().unwrap().end();
    }

    async fn show_at(&mut self, path: &str, name: &str) {
        self.go(path).await;
        self.show(name).await;
    }

    /// A page that comes of pressing a button, in both languages; `comes` is what it is known by.
    async fn show_after(&mut self, path: &str, css: &str, name: &str, comes: &str, masked: bool) {
        let name = self.tour.as_mut().map(|tour| tour.next(name));
        for language in ["en", "zh"] {
            if language == "en" && name.is_none() {
                continue;
            }
            self.speak(language).await;
            self.go(path).await;
            self.press(css).await;
            self.browser.until(comes).await;
            if masked {
                self.assert_masked().await;
            }
            if let (Some(name), Some(tour)) = (&name, &mut self.tour) {
                tour.picture(&self.browser, name, language).await;
            }
        }
    }

    /// The page in a narrow window.
    async fn show_narrow(&mut self, name: &str) {
        if let Some(tour) = &mut self.tour {
            let name = tour.again_as(name);
            self.browser.screenshot_at(1_024, &name).await;
        }
    }

    /// A paper's pages among the pictures.
    pub(crate) fn draw(&self, name: &str, pdf: &[u8]) {
        if let Some(tour) = &self.tour {
            tour.paper(name, pdf);
        }
    }

    // Step 1 and 2: authorisation, commission.

    /// Each member's authorisation by form, with a scan.
    pub(crate) async fn authorise(&mut self, household: &Household) {
        self.sit("jb01").await;
        self.show_at("/", "home-empty").await;
        self.show_at("/people", "people-empty").await;
        self.show_at("/people/new", "authorisation").await;
        for (at, who) in household.members.iter().enumerate() {
            self.go("/people/new").await;
            let number = &who.number.text;
            for (css, text) in
                [("#name", &who.name), ("#number", number), ("#authorisation", &who.authorisation)]
            {
                self.browser.fill(css, text).await;
            }
            self.set("#signed", "2026-10-12").await;
            self.fill_file("#scan", &format!("scan-{at}.pdf"), AUTHORISATION).await;
            if at == 0 {
                // Nothing was ticked: the form comes back, and says what is missing.
                self.press("#save").await;
                self.sees("没有填写").await;
                self.fill_file("#scan", &format!("scan-{at}.pdf"), AUTHORISATION).await;
            }
            for kind in ["bank", "securities"] {
                self.browser.click(&format!("input[name=kinds][value={kind}]")).await;
            }
            self.press("#save").await;
            assert_eq!(self.path().await, format!("/people/{}", at + 1));
        }
        self.show_at("/people/1", "person").await;
        self.show_after("/people/1", "#unmask", "person-unmasked", "p.notice", false).await;
        self.sees(&household.members[0].name).await;
        self.sees(&household.members[0].number.text).await;
    }

    /// The commission by form; it comes back once, with what it lacks, and is put right.
    pub(crate) async fn commission(&mut self, household: &Household) {
        self.sit("jb01").await;
        self.show_at("/cases/new", "commission").await;
        for (css, text) in
            [("#commission", "WT-2026-0000"), ("#office", "城关镇"), ("#household", &household.number)]
        {
            self.browser.fill(css, text).await;
        }
        for (css, day) in
            [("#as_of", "2026-10-31"), ("#income_from", "2026-05-01"), ("#income_to", "2026-10-31")]
        {
            self.set(css, day).await;
        }
        self.press("#save").await;
        assert_eq!(self.path().await, "/cases/1");
        self.sit("jb02").await;
        self.show_at("/cases/1", "case-defective").await;
        self.browser.fill("#note", "请补齐家庭成员").await;
        self.press("#return").await;
        self.sit("jb01").await;
        self.show_at("/cases/1", "case-returned").await;
        for (at, who) in household.members.iter().enumerate() {
            self.browser.fill("#authorisation", &who.authorisation).await;
            self.browser.fill("#relation", Household::relation(at)).await;
            self.press("#add-member").await;
        }
        self.fill_file("form[action='/cases/1/scan'] input", "commission.pdf", COMMISSION).await;
        self.press("form[action='/cases/1/scan'] button").await;
        self.press("#again").await;
    }

    async fn upload_import(&self, name: &str, bytes: &[u8]) {
        self.go("/import").await;
        self.fill_file("#file", name, bytes).await;
        self.press("#import").await;
    }

    /// All other households by file: a bad one, of which nothing is taken, and a good one.
    pub(crate) async fn import(&mut self, household: &Household) {
        self.sit("jb01").await;
        self.show_at("/import", "import").await;
        let good = people::import_file(&self.desk.world, household, usize::MAX);
        let text = String::from_utf8(good.clone()).unwrap();
        let bad = text.replacen("银行、证券", "当铺", 3).replacen("本人", "邻居", 1).replacen(
            "2026-10-31",
            "昨天",
            1,
        );
        self.upload_import("bad.csv", bad.as_bytes()).await;
        self.browser.until("#defects").await;
        self.show("import-defects").await;
        self.upload_import("good.csv", &good).await;
        // How far it is: the page comes before the end, as a rule.
        if let Some(tour) = &mut self.tour {
            let name = tour.next("import-under-way");
            self.browser.screenshot(&name).await;
        }
        self.browser.until("#done").await;
        self.show("import-done").await;
    }

    // Step 3: acceptance.

    /// Another person accepts what is in order.
    pub(crate) async fn accept(&mut self, household: &Household) {
        self.sit("jb01").await;
        self.go("/cases/1").await;
        assert!(self.is_there("#own").await && !self.is_there("#accept").await, "not one's own");
        self.is_refused_at("/cases", "#accept-all", "须由另一人受理").await;
        self.sit("jb02").await;
        self.show_at("/cases/1", "case-in-order").await;
        self.press("#accept").await;
        self.show("case-accepted").await;
        self.accept_all().await;
        self.show_at("/cases?state=accepted", "cases").await;
        self.show_narrow("cases-1024").await;
        self.list_sorts_filters_and_turns(household).await;
        self.show_at("/people", "people").await;
        self.show_narrow("people-1024").await;
        self.show_at("/", "home").await;
    }

    /// Accepts what is in order and others have entered; the work goes on beside the page.
    async fn accept_all(&self) {
        self.go("/cases").await;
        self.press("#accept-all").await;
        // Back at the list of what waits, from which they are gone.
        self.arrives("/cases").await;
        self.browser.until("p.empty").await;
    }

    async fn is_refused_at(&mut self, path: &str, css: &str, why: &str) {
        self.show_after(path, css, "refused", "section.error", true).await;
        let said = self.browser.text("section.error .remedy").await;
        assert!(said.contains(why), "{said}");
    }

    /// By the headings and links of the list alone.
    async fn list_sorts_filters_and_turns(&self, household: &Household) {
        self.go("/cases?state=accepted").await;
        let column = async |n: u32| -> Vec<String> {
            let script = "return [...document.querySelectorAll(`tbody tr > :nth-child(${arguments[0]})`)].map((cell) => cell.textContent)";
            serde_json::from_value(self.browser.run(script, vec![n.into()]).await).unwrap()
        };
        self.press("thead a[href*='sort=household']").await;
        assert!(self.is_there("th[aria-sort=ascending]").await);
        let first = column(3).await;
        assert_eq!(first.len(), 25, "a page");
        assert!(first.is_sorted(), "{first:?}");
        self.press("a[rel=next]").await;
        let second = column(3).await;
        assert!(second.is_sorted() && second[0] > first[24], "{second:?}");
        self.press("thead a[href*='sort=-household']").await;
        assert!(column(3).await.is_sorted_by(|a, b| a >= b));
        self.browser.fill("#q", &household.number).await;
        self.press(".filter button").await;
        assert_eq!(column(3).await, [household.number.as_str()]);
    }

    // Step 4: agreements, batches, rosters, answers.

    /// An operator registers agreements, another person confirms them.
    pub(crate) async fn agree(&mut self, codes: &[&'static str], change: impl Fn(&mut Terms)) {
        for code in codes {
            let bank = Bank::agree(&self.desk, code, &change);
            self.sit("jb01").await;
            self.go("/institutions").await;
            self.fill_file("#agreement", &format!("{code}.agreement.hedui"), &bank.agreement).await;
            self.press("#add-agreement").await;
            self.sees("须由另一人").await;
            self.banks.push(bank);
        }
        self.sit("jb02").await;
        self.show_at("/institutions", "institutions-unconfirmed").await;
        while self.is_there("button.confirm").await {
            self.press("button.confirm").await;
        }
        self.show("institutions").await;
    }

    /// The head's local rules.
    pub(crate) async fn rules(&mut self) {
        self.sit("qp01").await;
        self.show_at("/rules", "rules-none").await;
        self.show_at("/rules/edit", "rules-edit").await;
        for (css, text) in [
            ("#title", "富顺县低保边缘家庭财产认定办法"),
            ("#from", "2026-01-01"),
            ("#line-0", "货币财产"),
            ("#base-0", "680"),
            ("#times-0", "36"),
            ("#exclusion-0", "因病出售唯一住房所得"),
            ("#currency-0", "USD"),
            ("#rate-0", "7.1"),
            ("#rate-date-0", "2026-10-31"),
        ] {
            self.set(css, text).await;
        }
        for kind in ["deposit", "wealth", "stock", "fund", "cash"] {
            let css = format!("input[name=kinds-0][value={kind}]");
            if self.is_there(&css).await {
                self.browser.click(&css).await;
            }
        }
        self.press("#save").await;
        self.show("rules").await;
        self.show_at("/holidays", "holidays").await;
        self.show_at("/canaries", "known-accounts").await;
    }

    /// A batch, and a roster for each institution that is ticked.
    pub(crate) async fn dispatch(&mut self) -> String {
        self.sit("jb01").await;
        self.show_at("/batches", "batches-waiting").await;
        self.press("button.make").await;
        let batch = self.path().await;
        self.show("batch").await;
        self.browser.fill("#one_time", &self.one_time("jb01")).await;
        self.press("#dispatch").await;
        self.arrives(&batch).await;
        self.show("board-made").await;
        assert!(!self.is_there("button.send").await, "whoever made a roster does not send it");
        batch
    }

    /// Another person sends two rosters by the host and one on a stick, and takes the answers.
    pub(crate) async fn send_and_answer(&mut self, batch: &str) {
        self.sit("jb02").await;
        self.show_at(batch, "board-ready").await;
        self.press("form[action='/rosters/1/send'] button").await;
        self.press("form[action='/rosters/3/send'] button").await;
        let (_, roster) = self.saved("form[action='/rosters/2/file'] button").await;
        self.show_at(batch, "board-sent").await;
        let [a, b, c] = self.banks.as_slice() else { panic!("three institutions") };
        a.answer_on_host(&self.desk).await;
        c.answer_on_host(&self.desk).await;
        let answer = b.answer(&self.desk, roster);
        self.hand_in(2, &answer).await;
        self.press("#fetch").await;
        self.show("board-answered").await;
        self.show_narrow("board-1024").await;
        let left = "return [...document.querySelectorAll('tbody .tag.good')].length";
        assert!(self.browser.run(left, Vec::new()).await.as_u64().unwrap() >= 3, "all have answered");
        self.show_at("/batches", "batches").await;
        self.show_at("/left-out", "left-out").await;
    }

    async fn hand_in(&self, roster: u32, answer: &[u8]) {
        let form = format!("form[action='/rosters/{roster}/answer']");
        self.fill_file(&format!("{form} input"), "an.answer.hedui", answer).await;
        self.press(&format!("{form} button")).await;
    }

    // Step 5: opening and review.

    async fn give_key(&self, n: usize) {
        let officer = &self.desk.centre.officers[n];
        self.fill_file("#key", &format!("officer-{n}.key.hedui"), &officer.file).await;
        self.browser.fill("#passphrase", KEY_PASSPHRASE).await;
        self.press("#unlock").await;
    }

    /// Two key officers, each with the own key.
    pub(crate) async fn unlock(&mut self, batch: &str) {
        let opening = batch.replace("batches", "openings");
        self.sit("my01").await;
        self.show_at("/openings", "openings").await;
        self.show_at(&opening, "opening").await;
        self.give_key(0).await;
        self.browser.until("#first").await;
        self.show("opening-first-key").await;
        self.sit("my02").await;
        self.show_at(&opening, "opening-second-key").await;
        self.give_key(1).await;
        self.browser.until(".sheet td code").await;
        assert_eq!(self.path().await, opening);
        self.show("opened").await;
    }

    /// What was declared is entered; somebody who had no hand in it looks, and confirms.
    pub(crate) async fn review(&mut self, household: &Household) {
        self.sit("jb01").await;
        self.go("/reviews/1").await;
        self.browser.fill("#amount", "3,000").await;
        self.browser.fill("#institution", "川江城市商业银行").await;
        self.set("#date", "2026-10-12").await;
        self.press("#declare").await;
        self.show("review-operator").await;
        self.sit("fh01").await;
        self.show_at("/reviews", "reviews").await;
        self.show_at("/reviews/1", "review-masked").await;
        assert!(!self.is_there("#confirm").await, "nobody confirms unseen");
        self.show_after("/reviews/1", "#unmask", "review-unmasked", "p.notice", false).await;
        self.show_narrow("review-unmasked-1024").await;
        for who in &household.members {
            self.sees(&who.name).await;
            self.sees(&who.number.text).await;
        }
        self.press("#confirm").await;
        assert_eq!(self.path().await, "/reviews/1");
        self.show("review-confirmed").await;
    }

    // Step 6: report, objection.

    /// The head issues the report.
    pub(crate) async fn issue(&mut self, _: &Household) {
        self.sit("qp01").await;
        self.show_at("/reports", "reports-waiting").await;
        self.show_at("/cases/1/report", "report-draft").await;
        self.browser.fill("#one_time", &self.one_time("qp01")).await;
        self.press("#issue").await;
        assert!(self.path().await.starts_with("/reports/"), "{}", self.source().await);
        self.show("report").await;
        self.show_at("/reports", "reports").await;
    }

    /// The head can't, and is told why.
    pub(crate) async fn issue_is_refused(&mut self, _: &Household, why: &str) {
        self.sit("qp01").await;
        self.go("/cases/1/report").await;
        if self.is_there("#issue").await {
            self.browser.fill("#one_time", &self.one_time("qp01")).await;
            self.press("#issue").await;
        }
        self.sees(why).await;
    }

    /// A report's paper, saved.
    pub(crate) async fn paper(&mut self, report: u32) -> Vec<u8> {
        self.sit("qp01").await;
        self.go(&format!("/reports/{report}")).await;
        self.opened("#pdf").await
    }

    /// Somebody of the household objects, with evidence.
    pub(crate) async fn object(&mut self, household: &Household, ground: &str) {
        self.sit("jb01").await;
        self.go("/cases/1/report").await;
        self.fill_file("#evidence", "letter.pdf", EVIDENCE).await;
        self.browser.fill("#ground", ground).await;
        self.press("#object button").await;
        self.assert_masked().await;
        self.sees(ground).await;
        assert!(!household.members.is_empty());
    }

    /// What the re-check has shown.
    pub(crate) async fn find_on_objection(&mut self, _: &Household, outcome: &str) {
        self.sit("jb01").await;
        self.go("/cases/1/report").await;
        self.browser.fill("#outcome", outcome).await;
        self.press("#found").await;
    }

    // The end.

    /// Searches all that the desk has written, while it runs and when it has ended.
    pub(crate) async fn end(mut self, typed: &[&str]) {
        self.browser.page.goto("about:blank").await.unwrap();
        let world = &self.desk.world;
        let mut words = Words::of(world, &world.institutions.iter().collect::<Vec<_>>());
        Household::with_figures(world).figures(world).iter().for_each(|figure| words.text(figure));
        let own = [PASSWORD, KEY_PASSPHRASE, "3,000.00", "850.00"];
        let names = STAFF.iter().map(|(_, name, ..)| *name);
        let all = typed.iter().copied().chain(HANDWRITING).chain(own).chain(names);
        all.filter(|word| word.len() >= 6).for_each(|word| words.text(word));
        let data = self.desk.kept().join("data");
        assert!(data.join("desk.sqlite-wal").exists(), "its log is among what is searched");
        for ended in [false, true] {
            if ended {
                self.desk.close().await;
            }
            for folder in [self.desk.kept(), self.desk.host_folder()] {
                let search = words.search(&folder);
                assert!(search.bytes > 10_000 && search.words > 1_000, "{search:?}");
                assert!(search.found_nothing(), "{search:?}");
            }
        }
        assert!(self.desk.kept().join("log").exists());
        if let Some(tour) = self.tour.take() {
            tour.end();
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

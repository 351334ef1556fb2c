//! A real browser: Chromium, driven through chromedriver over plain http on this computer.
//!
//! [`Browser`] holds both programs and an empty profile, and ends all three with itself. [`Chromium`] is
//! the matcher in it, as a [`Runner`] like the others.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use protocol::value::Base64;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::error::WebDriverErrorInner;
use thirtyfour::prelude::*;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, MutexGuard};

use crate::module::{self, Runner};

/// Longest wait for a change of the page. Nothing takes nearly that long; it is there so that a test ends.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often the page is looked at meanwhile.
const GLANCE: Duration = Duration::from_millis(50);

/// Width and height of the window, in pixels.
const WINDOW: (u32, u32) = (1_360, 900);

const ARGUMENTS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// Chromium with an empty profile.
#[derive(Debug)]
pub struct Browser {
    /// The session. The first field, so that Chromium ends before chromedriver does.
    pub page: WebDriver,
    _chromedriver: Chromedriver,
    profile: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Browser {
    /// Starts both programs. One browser at a time: a second one waits until the first has ended.
    ///
    /// # Panics
    /// With what to install, when one of them is missing.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with further arguments for Chromium.
    ///
    /// # Panics
    /// With what to install, when one of the programs is missing.
    pub async fn start_with(arguments: &[String]) -> Self {
        static TURN: Mutex<()> = Mutex::const_new(());
        let turn = TURN.lock().await;
        let profile = tempfile::tempdir().unwrap();
        let (chromedriver, port) = Chromedriver::start(&program(&["chromedriver"]));
        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_binary(program(&["chromium", "chromium-browser"]).to_str().unwrap()).unwrap();
        for argument in ARGUMENTS.iter().copied().chain(arguments.iter().map(String::as_str)) {
            wanted.add_arg(argument).unwrap();
        }
        wanted.add_arg(&format!("--user-data-dir={}", profile.path().display())).unwrap();
        wanted.add_arg(&format!("--window-size={},{}", WINDOW.0, WINDOW.1)).unwrap();
        let page = WebDriver::new(format!("http://127.0.0.1:{port}"), wanted).await.expect("a session");
        page.set_script_timeout(PATIENCE).await.unwrap();
        Self { page, _chromedriver: chromedriver, profile, _turn: turn }
    }

    /// Ends Chromium, so that it writes what it keeps, and gives its profile.
    pub async fn end(self) -> TempDir {
        let Self { page, profile, .. } = self;
        page.quit().await.unwrap();
        profile
    }

    /// A command of Chromium's developer tools.
    pub async fn command(&self, name: &str, parameters: Value) -> Value {
        self.page.cdp().send_raw(name, parameters).await.unwrap()
    }

    /// Lets every page that is loaded from now on run this first, whatever its policy is.
    pub async fn run_first(&self, source: &str) {
        self.command("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source })).await;
    }

    /// Where saved files go from now on.
    pub async fn save_into(&self, folder: &Path) {
        let parameters = json!({ "behavior": "allow", "downloadPath": folder });
        self.command("Browser.setDownloadBehavior", parameters).await;
    }

    /// Waits for an element.
    ///
    /// # Panics
    /// With what the page says is wrong, when the element doesn't come.
    pub async fn until(&self, css: &str) -> WebElement {
        let query = self.page.query(By::Css(css)).wait(PATIENCE, GLANCE);
        match query.first_opt().await.unwrap() {
            Some(element) => element,
            None => {
                let says = self.run("return document.getElementById('error')?.textContent", Vec::new()).await;
                let state = self.run("return JSON.stringify(document.body.dataset)", Vec::new()).await;
                panic!("{css} does not come; the page is at {state} and says {says}");
            }
        }
    }

    /// Waits for an element and clicks it.
    pub async fn click(&self, css: &str) {
        self.with(css, async |element| element.click().await).await;
    }

    /// Waits for an input and types into it; into a chooser of files, a path.
    pub async fn fill(&self, css: &str, text: &str) {
        self.with(css, async |element| element.send_keys(text).await).await;
    }

    /// Waits for an element and reads what a person sees of it.
    pub async fn text(&self, css: &str) -> String {
        self.with(css, async |element| element.text().await).await
    }

    /// Does something with an element, and with the one in its place when the page draws it anew meanwhile.
    async fn with<T>(&self, css: &str, act: impl AsyncFn(WebElement) -> WebDriverResult<T>) -> T {
        loop {
            match act(self.until(css).await).await {
                Err(error) if matches!(*error, WebDriverErrorInner::StaleElementReference(..)) => {}
                acted => return acted.unwrap(),
            }
        }
    }

    /// Runs the body of a function in the page and gives what it returns.
    pub async fn run(&self, body: &str, arguments: Vec<Value>) -> Value {
        self.page.execute(body, arguments).await.unwrap().json().clone()
    }

    /// The same for one that ends by calling its last argument.
    pub async fn run_async(&self, body: &str, arguments: Vec<Value>) -> Value {
        self.page.execute_async(body, arguments).await.unwrap().json().clone()
    }

    /// A picture of the whole page, as `target/screens/NAME.png`.
    pub async fn screenshot(&self, name: &str) {
        self.screenshot_at(WINDOW.0, name).await;
    }

    /// The same in a window of this width.
    pub async fn screenshot_at(&self, width: u32, name: &str) {
        let screens = module::artifact_dir().join("../screens");
        std::fs::create_dir_all(&screens).unwrap();
        self.resize(width, WINDOW.1).await;
        let height = "return document.documentElement.scrollHeight + outerHeight - innerHeight";
        let height = self.run(height, Vec::new()).await.as_u64().unwrap();
        self.resize(width, u32::try_from(height).unwrap()).await;
        self.page.screenshot(&screens.join(format!("{name}.png"))).await.unwrap();
        self.resize(WINDOW.0, WINDOW.1).await;
    }

    async fn resize(&self, width: u32, height: u32) {
        self.page.set_window_rect(0, 0, width, height).await.unwrap();
    }

    /// A fresh instance of the built artifact, on an empty page.
    pub async fn matcher(&self) -> Chromium<'_> {
        self.page.goto("about:blank").await.unwrap();
        let module = Base64(module::artifact().to_vec()).to_string();
        let started = self.run_async(INSTANTIATE, vec![module.into()]).await;
        assert_eq!(started, 1, "abi_version() in Chromium");
        Chromium(self)
    }

    /// Sends all requests of a session to a fresh instance of the module that [`Browser::matcher`] brought to
    /// the page, in one go: a call through chromedriver takes longer than most requests.
    pub async fn play(&self, requests: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let requests: Vec<Value> =
            requests.iter().map(|request| Base64(request.clone()).to_string().into()).collect();
        let replies = self.run_async(&[SEND, PLAY].concat(), vec![requests.into()]).await;
        let reply = |text: &Value| text.as_str().unwrap().parse::<Base64>().unwrap().0;
        replies
            .as_array()
            .unwrap_or_else(|| panic!("the module traps: {replies}"))
            .iter()
            .map(reply)
            .collect()
    }
}

/// The matcher in Chromium. Needs a runtime of several threads, since a [`Runner`] waits.
#[derive(Debug)]
pub struct Chromium<'b>(&'b Browser);

impl Runner for Chromium<'_> {
    fn send(&mut self, request: Vec<u8>) -> Vec<u8> {
        let (call, arguments) = ([SEND, CALL].concat(), vec![Base64(request).to_string().into()]);
        let reply =
            tokio::task::block_in_place(|| Handle::current().block_on(self.0.run_async(&call, arguments)));
        reply.as_str().unwrap().parse::<Base64>().unwrap().0
    }
}

const INSTANTIATE: &str = "
    const [module, done] = arguments;
    WebAssembly.instantiate(Uint8Array.fromBase64(module), {}).then(({ instance, module }) => {
      window.compiled = module;
      window.matcher = instance.exports;
      done(window.matcher.abi_version());
    }, (error) => done(String(error)));
";

/// SPEC §10.
const SEND: &str = "
    const send = ({ memory, run, __wbindgen_malloc: malloc, __wbindgen_free: free }, text) => {
      const request = Uint8Array.fromBase64(text);
      const at = malloc(request.length, 1) >>> 0;
      new Uint8Array(memory.buffer, at).set(request);
      const [reply, size] = run(at, request.length);
      const bytes = new Uint8Array(memory.buffer, reply >>> 0, size).slice();
      free(reply, size, 1);
      return bytes.toBase64();
    };
";

const CALL: &str = "
    const [text, done] = arguments;
    done(send(window.matcher, text));
";

const PLAY: &str = "
    const [requests, done] = arguments;
    WebAssembly.instantiate(window.compiled, {})
      .then(({ exports }) => done(requests.map((text) => send(exports, text))))
      .catch((error) => done(String(error)));
";

/// A running chromedriver, ended with this value.
#[derive(Debug)]
struct Chromedriver(Child);

impl Chromedriver {
    /// Starts one and gives the port it took. The port that the kernel gave it for one address may be taken for the
    /// other: then it ends, and another one is started.
    fn start(program: &Path) -> (Self, u16) {
        (0..5).find_map(|_| Self::try_start(program)).expect("chromedriver says which port it took")
    }

    fn try_start(program: &Path) -> Option<(Self, u16)> {
        let mut command = Command::new(program);
        // Dates in their fields are written as in China.
        command.arg("--port=0").env("LANGUAGE", "zh_CN").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut chromedriver = Self(command.spawn().expect("chromedriver starts"));
        let said = BufReader::new(chromedriver.0.stdout.as_mut().unwrap());
        let port = said
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok());
        port.map(|port| (chromedriver, port))
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The first of `names` that is installed.
fn program(names: &[&str]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places =
        std::env::split_paths(&path).flat_map(|folder| names.iter().map(move |n| folder.join(n)));
    match places.find(|place| place.is_file()) {
        Some(place) => place,
        None => panic!("{} is missing: apt-get install chromium chromium-driver", names[0]),
    }
}

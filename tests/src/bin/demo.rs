//! The demo: a whole exchange on realistic, messy data, held against the truth.
//!
//! Two institutions are answered by the module under wasmtime, through a real host; the third is left to
//! be answered by hand in a browser. `cargo xtask demo` builds the module and starts this.

#![expect(clippy::print_stdout, reason = "the demo talks to whoever runs it")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the demo stops at the first surprise")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use desk::{Masking, Question, ResultTable, open_answers};
use e2e::blindness::Words;
use e2e::client::Client;
use e2e::exchange;
use e2e::exchange::{Centre, PASSPHRASE, Relation, Setup};
use e2e::module::{self, OpenRequest};
use e2e::verdict::{self, Verdict};
use e2e::world::{Institution, Sizes, World};
use host::Config;
use protocol::agreement::Agreement;
use protocol::envelope::Head;
use protocol::joining::InstitutionKind;
use protocol::value::Time;
use protocol::{Digest, Document};
use serde_json::json;

/// The address to open in a browser, while nothing else has it.
const LISTEN: &str = "127.0.0.1:8642";

/// Any address on this computer that is free.
const FREE: &str = "127.0.0.1:0";

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let exit = std::env::args().any(|argument| argument == "--exit");
    // Not in the folder of one that is waiting for a browser.
    let folder = if exit { "../target/demo-exit" } else { "../target/demo" };
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let folder = folder.canonicalize().unwrap();

    println!("1  Making 2,000 applicants in 800 households and three institutions of 200,000 customers each");
    let world = World::new(1, Sizes::default());
    let applicants = world.applicants_csv();
    save(&folder, "applicants.csv", &applicants);

    println!("2  The centre agrees with each institution and makes a signed roster for each");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let mut centre = Centre::new(Setup::default());
    centre.issued = Time::from_unix(now - 60).unwrap();
    let relations: Vec<Relation> = (1_u8..)
        .zip(&world.institutions)
        .map(|(seed, institution)| centre.ask(institution.code, kind(institution.code), seed, &applicants))
        .collect();

    println!("3  The host starts and takes the agreements and rosters");
    let config = Config {
        data_dir: folder.join("host"),
        listen: if exit || TcpListener::bind(LISTEN).is_err() { FREE } else { LISTEN }.parse().unwrap(),
        code: "demo-host".parse().unwrap(),
        centre_keys: vec![centre.party.keys.signing.public()],
        web_dir: Some(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../web")),
        artifact_dir: Some(module::artifact_dir()),
    };
    let running = host::serve(config, std::future::pending()).await.unwrap();
    let url = format!("http://{}", running.address());
    let desk = Client::sign_in(&url, &centre.party.keys).await;
    for relation in &relations {
        desk.post("agreements", relation.agreement.clone()).await;
        desk.post("rosters", relation.roster.clone()).await;
    }

    println!("4  Two institutions answer, each by the sandboxed module over its own export");
    let mut verdicts = Vec::new();
    for (relation, institution) in relations.iter().zip(&world.institutions).take(2) {
        answer(&url, relation, institution, now).await;
        let table = fetch_and_open(&desk, &centre, relation, &applicants).await;
        verdicts.push(verdict(&table, institution));
        if verdicts.len() == 1 {
            println!("\n{}", first_lines(&table, 12));
        }
    }

    println!("5  The host's folder is searched for every number, name, account and amount");
    let answered: Vec<&Institution> = world.institutions.iter().take(verdicts.len()).collect();
    let search = Words::of(&world, &answered).search(&folder.join("host"));
    println!(
        "   {} words in {} files, {} bytes: {} found; of {} too short to be certain {} (by chance up to {})",
        search.words,
        search.files.len(),
        search.bytes,
        search.hits,
        search.short,
        search.short_hits,
        search.by_chance(),
    );

    let answered_truly = verdicts.iter().all(|v| v.missed == 0 && v.wrong == 0 && v.found > 0);
    let good = answered_truly && search.found_nothing();
    println!("\n{}", if good { "Every answer equals the truth." } else { "NOT GOOD: see above." });
    if !exit && good {
        by_hand(&url, &folder, &centre, &relations[2], &world.institutions[2], &applicants).await;
    }
    if good { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}

fn kind(code: &str) -> InstitutionKind {
    if code.starts_with("broker") { InstitutionKind::Securities } else { InstitutionKind::Bank }
}

fn save(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(folder.join(name), bytes).unwrap();
}

fn digest(document: &[u8]) -> Digest {
    Digest::of(&Head::parse(document).unwrap().pae())
}

/// The institution's side: fetch the roster, run the module over the export, send the answer.
async fn answer(url: &str, relation: &Relation, institution: &Institution, now: u64) {
    let bank = Client::sign_in(url, &relation.party.keys).await;
    let roster = digest(&relation.roster);
    let mut open = OpenRequest::new(relation);
    open.roster = bank.get(&format!("rosters/{roster}")).await;
    open.options["now"] = json!(now);
    open.options["module_sha256"] = json!(exchange::sha256(module::artifact()));
    let file = institution.bytes();
    let begun = Instant::now();
    let run = module::run(&mut module::wasmtime(), &open, &file, 1 << 20).unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    let coverage = &run.report["coverage"];
    println!(
        "   {} ({}): {} rows, {} valid, {} set aside, {seconds:.1} s; answer of {} bytes",
        institution.name,
        institution.code,
        coverage["rows"],
        coverage["valid"],
        coverage["quarantined"]
            .as_object()
            .unwrap()
            .values()
            .filter_map(serde_json::Value::as_u64)
            .sum::<u64>(),
        run.answer.len(),
    );
    let receipt = bank.post(&format!("rosters/{roster}/answers"), run.answer).await;
    assert!(receipt.starts_with(b"hedui/receipt/v1\n"));
}

/// The centre's side: fetch the answer and open it with the officer's key.
async fn fetch_and_open(
    desk: &Client,
    centre: &Centre,
    relation: &Relation,
    applicants: &[u8],
) -> ResultTable {
    let roster = digest(&relation.roster);
    let listed = desk.get_json(&format!("rosters/{roster}/answers")).await;
    let answer = desk.get(&format!("answers/{}", listed[0]["digest"].as_str().unwrap())).await;
    let agreement = Document::<Agreement>::read(&relation.agreement).unwrap();
    let question = Question::read(&relation.roster, &[agreement], applicants).unwrap();
    let officer = &centre.officers[0].keys.opening;
    open_answers(&[question], vec![answer], &centre.party.keys.opening, &[officer]).unwrap()
}

fn verdict(table: &ResultTable, institution: &Institution) -> Verdict {
    let verdict = verdict::compare(table, institution);
    println!(
        "   {}: of {} applicants with holdings found {}, missed {}, wrong {}",
        institution.code,
        institution.truth.found(),
        verdict.found,
        verdict.missed,
        verdict.wrong
    );
    verdict
}

fn first_lines(table: &ResultTable, lines: usize) -> String {
    table.to_screen(Masking::Masked).lines().take(lines).collect::<Vec<_>>().join("\n") + "\n   …\n"
}

/// Waits for the third institution's answer from a browser, and opens it.
async fn by_hand(
    url: &str,
    folder: &Path,
    centre: &Centre,
    relation: &Relation,
    institution: &Institution,
    applicants: &[u8],
) {
    save(folder, "broker-c.key.hedui", &relation.party.file);
    save(folder, institution.file_name, &institution.bytes());
    println!("\nNow the third institution, by hand. Open {url}/ in a Chromium-based browser:");
    println!("   key file     {}", folder.join("broker-c.key.hedui").display());
    println!("   passphrase   {}", String::from_utf8_lossy(PASSPHRASE));
    println!("   customers    {}", folder.join(institution.file_name).display());
    println!("\nThe host keeps running; Ctrl-C ends it.");
    let roster = digest(&relation.roster);
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return,
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
        }
        let desk = Client::sign_in(url, &centre.party.keys).await;
        let answers = desk.get_json(&format!("rosters/{roster}/answers")).await;
        if answers.as_array().is_some_and(|list| !list.is_empty()) {
            break;
        }
    }
    let desk = Client::sign_in(url, &centre.party.keys).await;
    println!("\nThe answer has come:");
    let table = fetch_and_open(&desk, centre, relation, applicants).await;
    verdict(&table, institution);
    let _ = tokio::signal::ctrl_c().await;
}

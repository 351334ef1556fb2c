//! The bench of one exchange's matching: the same files, the same roster, the same question, put to the matcher
//! natively, under wasmtime and in Chromium, and in clear to other programs.
//!
//! `files.rs` makes the files and knows the truth about them, `question.rs` sets up the exchange and opens
//! answers, `runner.rs` lists who is measured. Every figure stands for a run from the file on disk to the
//! result, and counts only when the result is the truth. `cargo xtask bench` builds what this needs, starts
//! it, and shows the JSON that it writes.

#![expect(clippy::print_stdout, reason = "a bench says what it does")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the bench stops at the first surprise")]

mod chromium;
mod files;
mod machine;
mod process;
mod question;
mod runner;

use std::collections::BTreeMap;
use std::path::PathBuf;

use e2e::world::{Encoding, Sizes, World};
use serde::Serialize;

use files::{Export, Store};
use question::Question;
use runner::{Bench, Outcome, RUNNERS};

/// The seed of everything.
const SEED: u64 = 1;
/// People on the roster.
const APPLICANTS: usize = 10_000;
/// Part of the rows that are about them.
const HITS_SHARE: f64 = 0.01;
/// Rows of the small files and of the large ones.
pub(crate) const ROWS: [u64; 2] = [1_000_000, 10_000_000];
/// What a machine in China's banks writes, and what all others write.
const ENCODINGS: [Encoding; 2] = [Encoding::Utf8, Encoding::Gb18030];

/// What `cargo xtask bench` says.
#[derive(Debug, Clone)]
struct Options {
    /// Where files are kept.
    folder: PathBuf,
    /// The built program of `tests/bench/native.rs`.
    native: PathBuf,
    /// A Python that has the peers.
    python: PathBuf,
    /// How often each run is measured.
    rounds: usize,
    /// The small files only.
    quick: bool,
    /// The names of who is measured; empty for all.
    only: Vec<String>,
}

/// One line of the result: the best of all rounds.
#[derive(Debug, Serialize)]
struct Measured {
    name: String,
    rows: u64,
    encoding: &'static str,
    rows_per_s: f64,
    peak_bytes: u64,
    /// Processor time of all the browser's processes, the least of the rounds: no machine is done sooner than in this
    /// by its processors.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_seconds: Option<f64>,
    /// Of each round.
    seconds: Vec<f64>,
}

#[tokio::main]
async fn main() {
    let options = Options::read(std::env::args().skip(1));
    let world =
        World::new(SEED, Sizes { applicants: APPLICANTS, households: 4_000, customers_per_institution: 10 });
    let store = Store::open(&options.folder, SEED, APPLICANTS);
    let bench = Bench::new(options, &world, &store).await;

    let (mut exports, mut results, mut versions) = (Vec::new(), Vec::new(), BTreeMap::new());
    let sizes = if bench.options.quick { &ROWS[..1] } else { &ROWS[..] };
    for rows in sizes {
        let files: Vec<Export> =
            ENCODINGS.map(|encoding| store.export(&world, *rows, encoding, HITS_SHARE)).into();
        results.extend(measure(&bench, &files, &mut versions).await);
        exports.extend(files);
    }
    let json = serde_json::json!({
        "machine": machine::Machine::this(),
        "versions": versions,
        "roster": APPLICANTS,
        "rounds": bench.options.rounds,
        "files": exports,
        "match": results,
    });
    std::fs::write(store.path("measured.json"), serde_json::to_vec_pretty(&json).unwrap()).unwrap();
}

/// Every runner over files of one size, in turns: what drifts meanwhile hits all alike.
async fn measure(
    bench: &Bench,
    files: &[Export],
    versions: &mut BTreeMap<&'static str, String>,
) -> Vec<Measured> {
    let wanted = |name: &String| bench.options.only.is_empty() || bench.options.only.contains(name);
    let mut results: Vec<(usize, usize, Vec<Outcome>)> = Vec::new();
    for (f, file) in files.iter().enumerate() {
        let takes = |(_, runner): &(usize, &runner::Runner)| runner.takes(file) && wanted(&runner.name());
        results.extend(RUNNERS.iter().enumerate().filter(takes).map(|(r, _)| (f, r, Vec::new())));
    }
    for round in 0..bench.options.rounds {
        for (f, r, outcomes) in &mut results {
            let (file, runner) = (&files[*f], &RUNNERS[*r]);
            if round >= runner.most_rounds() {
                continue;
            }
            file.warm();
            let outcome = bench.run(*runner, file).await;
            println!(
                "round {} {:>9} rows {:<8} {:<11} {:7.2} s",
                round + 1,
                file.rows,
                file.encoding,
                runner.name(),
                outcome.seconds
            );
            assert_eq!(outcome.found, file.found, "{} over {}", runner.name(), file.path.display());
            if let Some((program, version)) = &outcome.version {
                versions.insert(*program, version.clone());
            }
            outcomes.push(outcome);
        }
    }
    let best = |(f, r, outcomes): (usize, usize, Vec<Outcome>)| {
        let seconds: Vec<f64> = outcomes.iter().map(|outcome| outcome.seconds).collect();
        let least = seconds.iter().copied().fold(f64::INFINITY, f64::min);
        Measured {
            name: RUNNERS[r].name(),
            rows: files[f].rows,
            encoding: files[f].encoding,
            rows_per_s: files[f].rows as f64 / least,
            cpu_seconds: outcomes.iter().filter_map(|outcome| outcome.cpu_seconds).reduce(f64::min),
            peak_bytes: outcomes.iter().map(|outcome| outcome.peak_bytes).max().unwrap(),
            seconds,
        }
    };
    results.into_iter().map(best).collect()
}

impl Options {
    /// `NAME VALUE` pairs, as `cargo xtask bench` passes them.
    fn read(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut given = BTreeMap::new();
        while let Some(name) = arguments.next() {
            let value = arguments.next().unwrap();
            given.insert(name, value);
        }
        let word = |name: &str| given.get(name).unwrap_or_else(|| panic!("{name} is missing"));
        let only = given.get("--only").map(|names| names.split(',').map(str::to_owned).collect());
        Self {
            folder: word("--folder").into(),
            native: word("--native").into(),
            python: word("--python").into(),
            rounds: word("--rounds").parse().unwrap(),
            quick: word("--quick") == "true",
            only: only.unwrap_or_default(),
        }
    }
}

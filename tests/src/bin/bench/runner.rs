//! Who is measured, and how each of them is run.

use std::fs::File;
use std::io::Read as _;
use std::time::Instant;

use e2e::module::{self, Runner as _, op};
use e2e::world::World;
use sandbox::{Limits, Metering, Module};

use crate::chromium::Page;
use crate::files::{Export, Found, Store};
use crate::process::{Native, Peer};
use crate::{Options, Question, ROWS};

/// A program over the file, and with how many threads. Chromium's threads are the page's workers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Runner {
    /// The matcher, compiled for this machine.
    Native(usize),
    /// The module under wasmtime, in this process.
    Wasmtime,
    /// The module in Chromium, as the institution's page runs it.
    Chromium(usize),
    /// DuckDB over the same CSV, in clear.
    DuckDb(usize),
    /// Polars over the same CSV, in clear.
    Polars(usize),
    /// Python's csv and an HMAC for each row.
    Python,
}

/// All of them, in the order in which they take turns. @openmined/psi.js, which compares by an oblivious protocol,
/// comes in when there is a suite that does so too.
pub(crate) const RUNNERS: [Runner; 9] = [
    Runner::Native(1),
    Runner::Native(2),
    Runner::Wasmtime,
    Runner::Chromium(1),
    Runner::Chromium(2),
    Runner::DuckDb(1),
    Runner::DuckDb(2),
    Runner::Polars(2),
    Runner::Python,
];

/// Bytes of the file that are handed over at a time, as by the page and by `hedui match`.
const CHUNK: usize = 1 << 20;

/// What one run took and found.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) seconds: f64,
    /// Resident memory of the whole process; of wasmtime and Chromium the module's linear memory.
    pub(crate) peak_bytes: u64,
    pub(crate) found: Found,
    pub(crate) version: Option<(&'static str, String)>,
    /// Processor time of all the browser's processes; of others it is not asked.
    pub(crate) cpu_seconds: Option<f64>,
}

/// All that runs share.
pub(crate) struct Bench {
    pub(crate) options: Options,
    question: Question,
    native: Native,
    module: Module,
    page: Page,
    peer: Peer,
}

impl Runner {
    /// The name in the result, which ends in the number of threads.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Native(threads) => format!("native-{threads}"),
            Self::Wasmtime => "wasmtime-1".to_owned(),
            Self::Chromium(workers) => format!("chromium-{workers}"),
            Self::DuckDb(threads) => format!("duckdb-{threads}"),
            Self::Polars(threads) => format!("polars-{threads}"),
            Self::Python => "python-1".to_owned(),
        }
    }

    /// Whether it can be run over this file. DuckDB and Polars read UTF-8 only, so the other encoding is measured for
    /// ours alone; Python is slow, and a million rows show it.
    pub(crate) fn takes(self, file: &Export) -> bool {
        match self {
            Self::Native(_) | Self::Wasmtime | Self::Chromium(_) => true,
            Self::DuckDb(_) | Self::Polars(_) => file.encoding == "utf-8",
            Self::Python => file.encoding == "utf-8" && file.rows == ROWS[0],
        }
    }

    /// How often it is run at most.
    pub(crate) fn most_rounds(self) -> usize {
        if matches!(self, Self::Python) { 1 } else { usize::MAX }
    }
}

impl Bench {
    /// Sets everything up that no run is to be charged for.
    pub(crate) async fn new(options: Options, world: &World, store: &Store) -> Self {
        let question = Question::new(world);
        let limits = Limits { memory_bytes: 64 << 20, metering: Metering::None };
        Self {
            native: Native::new(&options.native, &question.open, store),
            module: Module::load(module::artifact(), limits).unwrap(),
            page: Page::serve(&question.centre).await,
            peer: Peer::new(&options.python, store.roster(world)),
            question,
            options,
        }
    }

    /// One run over one file.
    pub(crate) async fn run(&self, runner: Runner, file: &Export) -> Outcome {
        match runner {
            Runner::Native(threads) => self.native.run(&self.question, file, threads),
            Runner::Wasmtime => self.wasmtime(file),
            Runner::Chromium(workers) => self.page.run(&self.question, file, workers).await,
            Runner::DuckDb(threads) => self.peer.run("duckdb", file, threads),
            Runner::Polars(threads) => self.peer.run("polars", file, threads),
            Runner::Python => self.peer.run("python", file, 1),
        }
    }

    /// The same requests as `hedui match` sends.
    fn wasmtime(&self, file: &Export) -> Outcome {
        let mut session = self.module.session().unwrap();
        module::reply(&session.send(self.question.open.bytes())).unwrap();
        let begun = Instant::now();
        let mut input = File::open(&file.path).unwrap();
        loop {
            let mut request = Vec::with_capacity(1 + CHUNK);
            request.push(op::PUSH);
            if input.by_ref().take(CHUNK as u64).read_to_end(&mut request).unwrap() == 0 {
                break;
            }
            module::reply(&session.send(request)).unwrap();
        }
        let run = module::finish(&mut session).unwrap();
        Outcome {
            seconds: begun.elapsed().as_secs_f64(),
            peak_bytes: session.memory_bytes() as u64,
            found: self.question.read(file, &run.report, run.answer),
            version: None,
            cpu_seconds: None,
        }
    }
}

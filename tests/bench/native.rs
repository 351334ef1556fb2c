//! The matcher as a native program, one of those that the bench runs.
//!
//! `native OPEN FILE ANSWER THREADS` sends the request in OPEN, reads FILE as `hedui match` does, with so many
//! threads, seals, and writes the answer. Prints one line of JSON: the seconds from the first byte of the file to the
//! last of the answer, the report, and the most memory this process has held. Opening (unlocking the key,
//! checking the documents) is not timed. A process of its own, so that its memory is its own, and a package
//! of its own, so that building it optimised builds little.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use matcher::session::Session;
use runner::files::Task;
use runner::{Instance, op};
use serde_json::{Value, json};

/// The matcher as a library.
struct Native(Session);

impl Instance for Native {
    fn call(&mut self, request: Vec<u8>) -> Result<Vec<u8>, String> {
        Ok(matcher::run(&mut self.0, request))
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [open, file, answer, threads] = arguments.as_slice() else {
        bail!("usage: native OPEN FILE ANSWER THREADS");
    };
    let open = fs::read(open)?;
    let start = || -> Result<(Native, Task)> {
        let mut instance = Native(Session::default());
        let task = runner::ask_json(&mut instance, open.clone())?;
        Ok((instance, task))
    };
    let (leader, task) = start()?;
    let helpers = (1..threads.parse()?).map(|_| start().map(|(helper, _)| helper));
    let helpers = helpers.collect::<Result<Vec<_>>>()?;

    let begun = Instant::now();
    let (report, bytes) = run(leader, helpers, &task, Path::new(file))?;
    let seconds = begun.elapsed().as_secs_f64();

    fs::write(answer, bytes)?;
    println!("{}", json!({ "seconds": seconds, "report": report, "peak_bytes": peak_bytes()? }));
    Ok(())
}

/// From the file to the report and the answer.
fn run(mut leader: Native, mut helpers: Vec<Native>, task: &Task, path: &Path) -> Result<(Value, Vec<u8>)> {
    runner::files::read(&mut leader, &mut helpers, task, path, &|_| {})?;
    let report = runner::ask_json(&mut leader, vec![op::FINISH])?;
    let mut answer = Vec::new();
    loop {
        let piece = runner::ask(&mut leader, vec![op::READ])?;
        if piece.is_empty() {
            return Ok((report, answer));
        }
        answer.extend(piece);
    }
}

/// The most memory this process has held, as the system counts it.
fn peak_bytes() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

//! The matcher as a native program, one of those that the bench runs.
//!
//! `native OPEN FILE ANSWER THREADS` sends the request in OPEN, reads FILE as the page does, in chunks,
//! seals, and writes the answer. Prints one line of JSON: the seconds from the first byte of the file to the
//! last of the answer, the report, and the most memory this process has held. Opening (unlocking the key,
//! checking the documents) is not timed. A process of its own, so that its memory is its own, and a package
//! of its own, so that building it optimised builds little.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use matcher::session::Session;
use serde_json::{Value, json};

/// Bytes of the file that are handed over at a time, as by the page and by `hedui match`.
const CHUNK: u64 = 1 << 20;

/// Operations of SPEC §10.
const PUSH: u8 = 0x02;
const FINISH: u8 = 0x04;
const READ: u8 = 0x05;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [open, file, answer, threads] = arguments.as_slice() else {
        bail!("usage: native OPEN FILE ANSWER THREADS");
    };
    let mut session = Session::default();
    ask(&mut session, fs::read(open)?)?;

    let begun = Instant::now();
    let (report, bytes) = run(session, Path::new(file), threads.parse()?)?;
    let seconds = begun.elapsed().as_secs_f64();

    fs::write(answer, bytes)?;
    println!("{}", json!({ "seconds": seconds, "report": report, "peak_bytes": peak_bytes()? }));
    Ok(())
}

/// From the file to the report and the answer, with so many threads.
fn run(mut session: Session, path: &Path, threads: usize) -> Result<(Value, Vec<u8>)> {
    ensure!(threads == 1, "the matcher reads a file by one thread");
    let mut file = File::open(path)?;
    loop {
        let mut request = Vec::with_capacity(1 + usize::try_from(CHUNK)?);
        request.push(PUSH);
        if file.by_ref().take(CHUNK).read_to_end(&mut request)? == 0 {
            break;
        }
        ask(&mut session, request)?;
    }
    let report = serde_json::from_slice(&ask(&mut session, vec![FINISH])?)?;
    let mut answer = Vec::new();
    loop {
        let piece = ask(&mut session, vec![READ])?;
        if piece.is_empty() {
            return Ok((report, answer));
        }
        answer.extend(piece);
    }
}

/// One request; the result, or the refusal as an error.
fn ask(session: &mut Session, request: Vec<u8>) -> Result<Vec<u8>> {
    let mut reply = matcher::run(session, request);
    if reply.first() != Some(&0) {
        bail!("refused: {}", String::from_utf8_lossy(&reply));
    }
    reply.remove(0);
    Ok(reply)
}

/// The most memory this process has held, as the system counts it.
fn peak_bytes() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

//! The bench of one exchange's matching path: the same rows natively, under wasmtime and in Chromium.
//!
//! Chunks of about 1 MiB, made once, are pushed again and again until the wanted number of rows is
//! reached, so that neither disk nor generator is measured. The heading stands in the first chunk only;
//! when it comes again it is skipped.
//! `cargo xtask bench` builds the module and starts this.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the bench stops at the first surprise")]

use std::time::Instant;

use e2e::browser::Browser;
use e2e::exchange::{Centre, Setup};
use e2e::module::{self, Native, OpenRequest, Runner, op, reply, request};
use e2e::world::{Encoding, Sizes, World};
use protocol::joining::InstitutionKind;
use serde_json::{Value, json};

/// People on the roster.
const APPLICANTS: usize = 10_000;
/// Rows in the chunks that are pushed again and again.
const ROWS: u64 = 500_000;

/// One line of the table.
#[derive(serde::Serialize)]
struct Measured {
    name: String,
    rows: u64,
    rows_per_s: f64,
    peak_bytes: u64,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let json_file = arguments.iter().position(|a| a == "--json").map(|i| arguments[i + 1].clone());

    let world =
        World::new(1, Sizes { applicants: APPLICANTS, households: 4_000, customers_per_institution: 1_000 });
    let relation =
        Centre::new(Setup::default()).ask("bank-x", InstitutionKind::Bank, 1, &world.applicants_csv());
    let open = OpenRequest::new(&relation);
    let chunks = chunks(&world);
    println!("{ROWS} rows of {:.0} bytes, roster of {APPLICANTS} people", size(&chunks) as f64 / ROWS as f64);

    let mut table = Vec::new();
    for times in [2, 10] {
        let mut native = Native::default();
        table.push(measure("native-1", &mut native, &open, &chunks, times));
        table.last_mut().unwrap().peak_bytes = resident_peak();
        let limits = sandbox::Limits { memory_bytes: 64 << 20, metering: sandbox::Metering::None };
        let module = sandbox::Module::load(module::artifact(), limits).unwrap();
        let mut session = module.session().unwrap();
        let mut measured = measure("wasmtime-1", &mut session, &open, &chunks, times);
        measured.peak_bytes = session.memory_bytes() as u64;
        table.push(measured);
        table.push(chromium(&open, &chunks, times).await);
    }
    let native = table[0].rows_per_s;
    println!("{:<12} {:>10} {:>12} {:>8} {:>10}", "runner", "rows", "rows/s", "ratio", "peak MiB");
    for m in &table {
        let (ratio, peak) = (m.rows_per_s / native, m.peak_bytes as f64 / f64::from(1 << 20));
        println!("{:<12} {:>10} {:>12.0} {ratio:>8.2} {peak:>10.1}", m.name, m.rows, m.rows_per_s);
    }
    println!("peak: resident memory of the whole process natively, linear memory of the module elsewhere");
    if let Some(file) = json_file {
        std::fs::write(file, json!({ "match": table }).to_string()).unwrap();
    }
}

/// The bulk file in chunks that end at line breaks.
fn chunks(world: &World) -> Vec<Vec<u8>> {
    let mut file = Vec::new();
    world.bulk_csv(ROWS, Encoding::Utf8, 0.01, &mut file).unwrap();
    let mut chunks = Vec::new();
    let mut rest = file.as_slice();
    while !rest.is_empty() {
        let end = rest.len().min(1 << 20);
        let end = rest[..end].iter().rposition(|b| *b == b'\n').map_or(end, |at| at + 1);
        chunks.push(rest[..end].to_vec());
        rest = &rest[end..];
    }
    chunks
}

fn size(chunks: &[Vec<u8>]) -> usize {
    chunks.iter().map(Vec::len).sum()
}

/// Opens, pushes every chunk `times` times, seals and reads the answer.
fn measure(
    name: &str,
    runner: &mut impl Runner,
    open: &OpenRequest,
    chunks: &[Vec<u8>],
    times: u64,
) -> Measured {
    reply(&runner.send(open.bytes())).unwrap();
    let begun = Instant::now();
    for _ in 0..times {
        for chunk in chunks {
            reply(&runner.send(request(op::PUSH, chunk))).unwrap();
        }
    }
    let run = module::finish(runner).unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    let rows = run.report["coverage"]["rows"].as_u64().unwrap();
    assert_eq!(rows, ROWS * times);
    Measured { name: name.to_owned(), rows, rows_per_s: rows as f64 / seconds, peak_bytes: 0 }
}

/// The same in Chromium, timed inside the page. The chunks are sent in once, as Chromium's driver would
/// else be what is measured.
async fn chromium(open: &OpenRequest, chunks: &[Vec<u8>], times: u64) -> Measured {
    let browser = Browser::start().await;
    let mut matcher = browser.matcher().await;
    reply(&matcher.send(open.bytes())).unwrap();
    for chunk in chunks {
        let text = protocol::value::Base64(chunk.clone()).to_string();
        browser
            .run("(window.chunks ??= []).push(Uint8Array.fromBase64(arguments[0]))", vec![text.into()])
            .await;
    }
    let measured: Value = browser.run_async(ROUNDS, vec![times.into()]).await;
    let rows = ROWS * times;
    assert_eq!(measured["rows"].as_u64(), Some(rows), "{measured}");
    let seconds = measured["ms"].as_f64().unwrap() / 1_000.0;
    let peak_bytes = measured["memory"].as_u64().unwrap();
    Measured { name: "chromium-1".to_owned(), rows, rows_per_s: rows as f64 / seconds, peak_bytes }
}

/// SPEC §10: push every chunk `times` times, finish, read the answer.
const ROUNDS: &str = "
    const [times, done] = arguments;
    const { memory, run, __wbindgen_malloc: malloc, __wbindgen_free: free } = window.matcher;
    const send = (op, chunk) => {
      const at = malloc(chunk.length + 1, 1) >>> 0;
      const request = new Uint8Array(memory.buffer, at, chunk.length + 1);
      request[0] = op;
      request.set(chunk, 1);
      const [reply, size] = run(at, chunk.length + 1);
      const bytes = new Uint8Array(memory.buffer, reply >>> 0, size).slice();
      free(reply, size, 1);
      if (bytes[0] !== 0) throw new Error(new TextDecoder().decode(bytes));
      return bytes.subarray(1);
    };
    try {
      const begun = performance.now();
      for (let i = 0; i < times; i++) for (const chunk of window.chunks) send(2, chunk);
      const report = JSON.parse(new TextDecoder().decode(send(4, new Uint8Array(0))));
      while (send(5, new Uint8Array(0)).length > 0);
      const ms = performance.now() - begun;
      done({ ms, rows: report.coverage.rows, memory: memory.buffer.byteLength });
    } catch (error) {
      done({ error: String(error) });
    }
";

/// The most memory this process has held, as the system counts it.
fn resident_peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1024
}

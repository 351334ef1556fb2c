//! `cargo xtask bench`: the same question over the same files, put to ours and to other programs.
//!
//! The measuring is done by `tests/src/bin/bench`, which writes JSON; this builds what it needs, starts it,
//! and shows the figures (`bench/figures.rs`) as a table and as a page with plots (`bench/report.rs`).

pub(crate) mod figures;
pub(crate) mod page;
mod report;

use crate::shell::{cargo, run, say, workspace};
use crate::{chromium, wasm};
use anyhow::{Context, Result};
use figures::Figures;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the bench takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Write what is printed as JSON, too.
    #[arg(long, global = true)]
    json: Option<PathBuf>,
    /// The files of 1 million rows only.
    #[arg(long)]
    quick: bool,
    /// Only these runners: native-1,chromium-1.
    #[arg(long)]
    only: Option<String>,
    /// How often each run is measured; the best counts.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// The parts of the matching path instead, by Criterion.
    #[arg(long)]
    parts: bool,
}

/// What is measured besides matching.
#[derive(clap::Subcommand)]
enum What {
    /// How the page feels: its load, its clicks, its main thread while matching.
    Page,
    /// The desk with 100,000 persons: import, rosters, an answer opened, lists, memory.
    Desk,
}

/// Builds what is measured, measures it, and shows the figures.
pub(crate) fn run_bench(args: &Args) -> Result<()> {
    if let Some(What::Page) = args.what {
        return page::measure(args.json.as_deref());
    }
    let root = workspace()?;
    if let Some(What::Desk) = args.what {
        say("measures the desk, optimised");
        return run(optimised(&root, "bench").args(["--quiet", "--package", "console", "--bench", "desk"]));
    }
    let folder = root.join("target/bench");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    if args.parts {
        say("measures the parts");
        return run(optimised(&root, "bench").args(["--package", "matcher", "--bench", "parts"]));
    }
    chromium::present()?;
    let python = peers(&root, &folder)?;
    wasm::run(&wasm::Args::default())?;
    say("builds the native program, optimised");
    run(optimised(&root, "build").args(["--quiet", "--profile", "bench", "--package", "native"]))?;
    say("builds the bench");
    run(cargo(&root).args(TESTS_BUILD).args(["--target-dir", "target"]))?;

    say("measures");
    let mut bench = Command::new(root.join("target/debug/bench"));
    bench.current_dir(&root).arg("--folder").arg(&folder).arg("--python").arg(&python);
    bench.arg("--native").arg(folder.join("build/release/native"));
    bench.args(["--rounds", &args.rounds.to_string(), "--quick", &args.quick.to_string()]);
    if let Some(names) = &args.only {
        bench.args(["--only", names]);
    }
    run(&mut bench)?;

    let figures = Figures::read(&folder.join("measured.json"))?;
    print!("\n{}", figures.text());
    let page = folder.join("report.html");
    fs::write(&page, report::page(&figures)).with_context(|| format!("cannot write {}", page.display()))?;
    say(&format!("wrote {}", page.display()));
    if let Some(file) = &args.json {
        figures.write(file)?;
    }
    Ok(())
}

/// The rest of the bench with wasmtime in it, as the tests build it: code that wasmtime compiles is the same
/// whatever it was itself built with, and to build it again would take ten minutes. The test target is there
/// because with one the dependencies have the features that they have for `cargo xtask test`.
const TESTS_BUILD: [&str; 7] =
    ["build", "--quiet", "--locked", "--workspace", "--exclude=xtask", "--bin=bench", "--test=exchange"];

/// Cargo's command `what` with all optimisation, into a folder of its own: few packages, built once.
fn optimised(root: &Path, what: &str) -> Command {
    let mut cargo = cargo(root);
    cargo.args([what, "--locked", "--target-dir", "target/bench/build"]);
    cargo
}

/// A Python with the packages of `tests/bench/requirements.txt`, in `target/bench/venv`. PYTHON names
/// another interpreter.
fn peers(root: &Path, folder: &Path) -> Result<PathBuf> {
    let (venv, wanted) = (folder.join("venv"), root.join("tests/bench/requirements.txt"));
    let (python, stamp) = (venv.join("bin/python"), venv.join("requirements.txt"));
    let requirements = fs::read(&wanted).with_context(|| format!("cannot read {}", wanted.display()))?;
    if fs::read(&stamp).is_ok_and(|installed| installed == requirements) {
        return Ok(python);
    }
    say("installs the peers into target/bench/venv, once");
    let _ = fs::remove_dir_all(&venv);
    let interpreter = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let made = run(Command::new(interpreter).args(["-m", "venv"]).arg(&venv)).and_then(|()| {
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(&wanted))
    });
    made.context("the peers are missing: they need Python 3.11 with venv, and its package index")?;
    fs::write(&stamp, requirements)?;
    Ok(python)
}

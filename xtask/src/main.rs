//! `cargo xtask`: the one door to everything that is done with this repository.
//!
//! Each task is a module of its own, says in one line what it is about to do, and does its own
//! set-up. `wasm.rs` builds the module that ships; `checks.rs` is what CI runs.

#![expect(clippy::print_stdout, reason = "a command line tool talks to its user")]

mod axe;
mod bench;
mod checks;
mod chromium;
mod crates;
mod debian;
mod demo;
mod dist;
mod fuzz;
mod guide;
mod office;
mod offline;
mod papers;
mod python;
mod readme;
mod shell;
mod wasm;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, checks and shows Hedui.")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds the modules into target/artifact and holds each against its allow-list.
    Wasm(wasm::Args),
    /// Makes the folder of a release in target/dist, and signs it.
    Dist(dist::Args),
    /// Runs the commands of docs/AUDIT.md and compares what they print with what it says.
    Guide,
    /// Writes docs/CRATES.md: every crate inside the modules, and why; `--check` only compares.
    Crates(crates::Args),
    /// Builds the module and runs every test, the demo against its truth among them.
    Test,
    /// Measures matching natively, under wasmtime and in Chromium, and other programs over the same files.
    Bench(bench::Args),
    /// Writes the last full bench's figures into the README; `--check` holds them against each other.
    Readme(readme::Args),
    /// Format, lints and dependencies: what CI checks before the tests.
    Check,
    /// Runs what CI runs: `check`, then `test`.
    Ci,
    /// Runs the parsers under libFuzzer: all targets, or one.
    Fuzz(fuzz::Args),
    /// Shows a whole exchange on messy data, held against the truth; then waits for one by hand.
    Demo(demo::Args),
}

fn main() -> ExitCode {
    let done = match Args::parse().task {
        Task::Wasm(args) => wasm::run(&args),
        Task::Dist(args) => dist::run(&args),
        Task::Guide => guide::run_guide(),
        Task::Crates(args) => crates::run(&args),
        Task::Test => checks::test(),
        Task::Bench(args) => bench::run_bench(&args),
        Task::Readme(args) => readme::run(&args),
        Task::Check => checks::check(),
        Task::Ci => checks::check().and_then(|()| checks::test()),
        Task::Fuzz(args) => fuzz::run_fuzz(&args),
        Task::Demo(args) => demo::run_demo(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line: a backtrace of this tool says nothing about what is missing.
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

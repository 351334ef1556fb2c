//! `cargo xtask readme`: the README's figures are those of the last benches, `docs/bench.json` and `docs/bench-page.json`.
//!
//! The tables between `<!-- bench -->` and `<!-- /bench -->`, and between the same with `bench-page`, are written from those
//! files; `--check` fails when somebody has changed either of them alone, or when a runner is missing. A figure that is
//! not yet as it has to be stands in the table as such.

use crate::bench::figures::{COMMON, Figures, LARGE, MIB, Run, thousands};
use crate::bench::page::Page;
use crate::shell::{say, workspace};
use anyhow::{Context, Result, bail, ensure};
use std::fs;

/// The runners of a full run.
const RUNNERS: [&str; 9] = [
    "native-1",
    "native-2",
    "wasmtime-1",
    "chromium-1",
    "chromium-2",
    "duckdb-1",
    "duckdb-2",
    "polars-2",
    "python-1",
];

/// What the task takes.
#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Changes nothing; fails when the README is not what the figures give.
    #[arg(long)]
    check: bool,
}

impl Args {
    /// As `cargo xtask check` wants it.
    pub(crate) fn check() -> Self {
        Self { check: true }
    }
}

/// Rewrites the README's table, or checks it.
///
/// # Errors
/// Where a file can't be read, and where a check fails.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root = workspace()?;
    let readme = root.join("README.md");
    let text = fs::read_to_string(&readme).with_context(|| format!("cannot read {}", readme.display()))?;
    let figures = Figures::read(&root.join("docs/bench.json"))
        .context("no figures: take them with `cargo xtask bench --json docs/bench.json`")?;
    let page = Page::read(&root.join("docs/bench-page.json")).context(
        "no figures of the page: take them with `cargo xtask bench page --json docs/bench-page.json`",
    )?;
    let wanted = replaced(&text, "bench", &table(&figures)?)?;
    let wanted = replaced(&wanted, "bench-page", &page.table())?;
    if !args.check {
        fs::write(&readme, wanted).with_context(|| format!("cannot write {}", readme.display()))?;
        say("wrote the README's figures");
        return Ok(());
    }
    say("checks the README's figures");
    ensure!(
        text == wanted,
        "the README's figures are not those of docs/bench.json and docs/bench-page.json: run `cargo xtask readme`"
    );
    for ratio in figures.ratios_at(LARGE).iter().filter(|ratio| !ratio.holds()) {
        say(&format!("{}: {:.2}, wanted {}", ratio.what, ratio.value, ratio.bound.words()));
    }
    Ok(())
}

/// The text with another table between the marks of a bench.
fn replaced(text: &str, bench: &str, table: &str) -> Result<String> {
    let (open, close) = (format!("<!-- {bench} -->\n"), format!("<!-- /{bench} -->\n"));
    let (before, rest) = text.split_once(&open).with_context(|| format!("the README has no {open}"))?;
    let (_, after) = rest.split_once(&close).with_context(|| format!("the README has no {close}"))?;
    Ok([before, &open, table, &close, after].concat())
}

/// The figures over the large file that all can read, and what has to hold.
fn table(figures: &Figures) -> Result<String> {
    let large = figures.files.iter().find(|file| file.rows == LARGE && file.encoding == COMMON);
    let Some(large) = large else { bail!("docs/bench.json is not of a full run") };
    for name in RUNNERS {
        let rows = if name == "python-1" { figures.least_rows() } else { LARGE };
        ensure!(figures.run(name, rows, COMMON).is_some(), "docs/bench.json has no {name} over {rows} rows");
    }
    let mut out = format!("{}; {}.\n\n", large.title(), figures.circumstances());
    out += "| Runner | rows/s | against DuckDB with as many threads | peak memory |\n|---|--:|--:|--:|\n";
    let elsewhere = figures
        .runs
        .iter()
        .filter(|run| run.encoding == COMMON && figures.run(&run.name, LARGE, COMMON).is_none());
    for run in figures.over(large).chain(elsewhere) {
        out += &line(figures, run);
    }
    out += "\n| What has to hold | measured | wanted | |\n|---|--:|--:|---|\n";
    for ratio in figures.ratios_at(LARGE) {
        let verdict = if ratio.holds() { "holds" } else { "**not reached**" };
        out += &format!("| {} | {:.2} | {} | {verdict} |\n", ratio.what, ratio.value, ratio.bound.words());
    }
    out += "\nFrom [`docs/bench.json`](docs/bench.json), the last full run. GB18030 is measured for ours alone: \
            DuckDB and Polars read UTF-8.\n";
    Ok(out)
}

fn line(figures: &Figures, run: &Run) -> String {
    let rows = if run.rows == LARGE { String::new() } else { format!(" ({} rows)", thousands(run.rows)) };
    let against = figures.against_duckdb(run).map_or_else(|| "–".to_owned(), |x| format!("{x:.2}"));
    let (rate, peak) = (run.rows_per_s / 1e6, run.peak_bytes as f64 / MIB);
    format!("| `{}`{rows} | {rate:.2} M | {against} | {peak:.0} MiB |\n", run.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let text = "a\n<!-- bench -->\nold\n<!-- /bench -->\nb\n";
        assert_eq!(replaced(text, "bench", "new\n").unwrap(), "a\n<!-- bench -->\nnew\n<!-- /bench -->\nb\n");
        assert!(replaced("a\n", "bench", "new\n").is_err());
        assert!(replaced("<!-- bench -->\nold\n", "bench", "new\n").is_err());
    }
}

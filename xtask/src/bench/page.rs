//! `cargo xtask bench page`: how the page feels to a clerk. Measured by `tests/src/bin/bench_page.rs`.

use super::TESTS_BUILD;
use super::figures::thousands;
use crate::shell::{cargo, run, say, workspace};
use crate::{chromium, wasm};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is measured, of several rounds.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Page {
    /// Rows of the customer file.
    rows: u64,
    rounds: Vec<Round>,
}

/// One browser, from a cold load to the answer. Times in milliseconds.
#[derive(Debug, Deserialize, Serialize)]
struct Round {
    first_paint: Option<f64>,
    noted: Noted,
}

#[derive(Debug, Deserialize, Serialize)]
struct Noted {
    /// When the page could be used, from the beginning of the load.
    idle: f64,
    clicks: Vec<Click>,
    /// Tasks of the main thread over 50 ms, and when each began.
    tasks: Vec<Task>,
    /// The longest time in which the main thread came to nothing else, while matching.
    gap: f64,
    /// When matching began and when its result was shown.
    from: f64,
    to: f64,
}

#[derive(Debug, Deserialize, Serialize)]
struct Click {
    id: String,
    ms: f64,
}

#[derive(Debug, Deserialize, Serialize)]
struct Task {
    at: f64,
    ms: f64,
}

/// Builds what is needed, measures, and shows the figures.
///
/// # Errors
/// Where something can't be built or measured.
pub(crate) fn measure(json: Option<&Path>) -> Result<()> {
    let root = workspace()?;
    chromium::present()?;
    wasm::run(&wasm::Args::default())?;
    say("builds the bench");
    run(cargo(&root).args(TESTS_BUILD).args(["--bin=bench_page", "--target-dir", "target"]))?;
    say("measures");
    let measured: PathBuf = root.join("target/bench/page.json");
    fs::create_dir_all(root.join("target/bench"))?;
    run(Command::new(root.join("target/debug/bench_page")).arg(&measured).current_dir(&root))?;
    let page = Page::read(&measured)?;
    print!("\n{}", page.table());
    if let Some(file) = json {
        let mut text = serde_json::to_string_pretty(&page)?;
        text.push('\n');
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

impl Page {
    /// Reads what was measured.
    ///
    /// # Errors
    /// Where there is nothing, or something else.
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_slice(&bytes).with_context(|| format!("{} is something else", file.display()))
    }

    /// The README's table: the median of the rounds for a load, the worst of all rounds for the rest.
    pub(crate) fn table(&self) -> String {
        let worst = |times: Vec<f64>| times.into_iter().fold(0.0, f64::max);
        let mut loads: Vec<f64> = self.rounds.iter().map(|round| round.noted.idle).collect();
        loads.sort_by(f64::total_cmp);
        let load = loads.get(loads.len() / 2).copied().unwrap_or_default();
        let clicks = self.rounds.iter().flat_map(|round| &round.noted.clicks);
        let slowest = clicks.max_by(|a, b| a.ms.total_cmp(&b.ms));
        let (click, name) = slowest.map_or((0.0, "–"), |click| (click.ms, click.id.as_str()));
        let while_matching = |noted: &Noted| {
            let during = noted.tasks.iter().filter(|task| task.at >= noted.from && task.at <= noted.to);
            during.map(|task| task.ms).fold(0.0, f64::max)
        };
        let task = worst(self.rounds.iter().map(|round| while_matching(&round.noted)).collect());
        let gap = worst(self.rounds.iter().map(|round| round.noted.gap).collect());
        let line = |what: &str, measured: String, wanted: &str, holds: Option<bool>| {
            let verdict = holds.map_or("", |holds| if holds { "holds" } else { "**not reached**" });
            format!("| {what} | {measured} | {wanted} | {verdict} |\n")
        };
        let mut out = format!("{} rows; {} rounds.\n\n", thousands(self.rows), self.rounds.len());
        out += "| The page | measured | wanted | |\n|---|--:|--:|---|\n";
        out += &line(
            "from a cold load to the first click, ms",
            format!("{load:.0}"),
            "at most 1000",
            Some(load <= 1000.0),
        );
        out += &line(
            &format!("from a click to what is seen of it, ms (`{name}` the slowest)"),
            format!("{click:.0}"),
            "at most 100",
            Some(click <= 100.0),
        );
        let longest = if task == 0.0 { "none over 50".to_owned() } else { format!("{task:.0}") };
        out += &line(
            "the main thread's longest task while matching, ms",
            longest,
            "at most 50",
            Some(task <= 50.0),
        );
        out +=
            &line("its longest absence there, other programs' included, ms", format!("{gap:.0}"), "–", None);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_count_while_matching_only() {
        let round = |idle: f64, at: f64| Round {
            first_paint: None,
            noted: Noted {
                idle,
                clicks: vec![Click { id: "run".into(), ms: 20.0 }],
                tasks: vec![Task { at, ms: 80.0 }],
                gap: 9.0,
                from: 1_000.0,
                to: 2_000.0,
            },
        };
        let before = Page {
            rows: 1_000_000,
            rounds: vec![round(300.0, 500.0), round(9_000.0, 500.0), round(400.0, 2_500.0)],
        };
        let table = before.table();
        assert!(table.contains("| 400 | at most 1000 | holds |"), "{table}");
        assert!(table.contains("| none over 50 | at most 50 | holds |"), "{table}");
        let during = Page { rows: 1_000_000, rounds: vec![round(300.0, 1_500.0)] };
        assert!(during.table().contains("| 80 | at most 50 | **not reached** |"));
    }
}

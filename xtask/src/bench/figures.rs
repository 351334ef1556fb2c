//! The figures of a run of the bench: what is compared with what, and what has to hold.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Rows of the file for which the bounds are meant.
pub(crate) const LARGE: u64 = 10_000_000;
/// The encoding that all runners read.
pub(crate) const COMMON: &str = "utf-8";

/// A run of the bench, as `tests/src/bin/bench` writes it and `docs/bench.json` keeps it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Figures {
    /// Where it ran.
    pub(crate) machine: Machine,
    /// Of the other programs.
    pub(crate) versions: BTreeMap<String, String>,
    /// People on the roster.
    pub(crate) roster: u64,
    /// How often each run was measured. The best counts.
    pub(crate) rounds: u32,
    /// What was read.
    pub(crate) files: Vec<File>,
    /// Who read it how fast.
    #[serde(rename = "match")]
    pub(crate) runs: Vec<Run>,
    /// For readers of the JSON; always worked out anew from the runs.
    #[serde(default, skip_deserializing)]
    ratios: Vec<Ratio>,
}

/// A machine.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Machine {
    pub(crate) cores: u32,
    pub(crate) cpu: String,
}

/// A file, and what there is to find in it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct File {
    pub(crate) encoding: String,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) people: u64,
    pub(crate) hits: u64,
    pub(crate) fen: u64,
}

/// One runner over one file.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Run {
    /// `native-1`: who, and with how many threads or workers.
    pub(crate) name: String,
    pub(crate) rows: u64,
    pub(crate) encoding: String,
    pub(crate) rows_per_s: f64,
    /// Resident memory of the process; of wasmtime and Chromium the module's linear memory.
    pub(crate) peak_bytes: u64,
    /// Processor time of all the browser's processes; of other runners it is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_seconds: Option<f64>,
    /// Of each round.
    pub(crate) seconds: Vec<f64>,
}

/// One figure that has to hold.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Ratio {
    /// What is compared with what.
    pub(crate) what: String,
    /// What came out.
    pub(crate) value: f64,
    /// What has to.
    pub(crate) bound: Bound,
}

/// How a figure is bounded.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
}

impl Figures {
    /// Reads them.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut figures: Self = serde_json::from_slice(&bytes)
            .with_context(|| format!("{} is not what the bench writes", path.display()))?;
        figures.ratios = figures.ratios_at(figures.most_rows());
        Ok(figures)
    }

    /// Writes them, with what was worked out from them.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
    }

    /// The length of the longest file.
    pub(crate) fn most_rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).max().unwrap_or(0)
    }

    /// The length of the shortest file.
    pub(crate) fn least_rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).min().unwrap_or(0)
    }

    /// The runner's run over a file.
    pub(crate) fn run(&self, name: &str, rows: u64, encoding: &str) -> Option<&Run> {
        self.runs.iter().find(|run| run.name == name && run.rows == rows && run.encoding == encoding)
    }

    /// How many times as fast as DuckDB with as many threads a run was; both over UTF-8, which is all that DuckDB
    /// reads, if need be.
    pub(crate) fn against_duckdb(&self, run: &Run) -> Option<f64> {
        let (_, threads) = run.name.rsplit_once('-')?;
        let theirs = self.run(&format!("duckdb-{threads}"), run.rows, COMMON)?;
        Some(run.rows_per_s / theirs.rows_per_s)
    }

    /// The figures that have to hold, as they came out over the files of so many rows. What was not measured is
    /// left out.
    pub(crate) fn ratios_at(&self, rows: u64) -> Vec<Ratio> {
        let rate = |name: &str, encoding: &str| self.run(name, rows, encoding).map(|run| run.rows_per_s);
        let common = |name: &str| rate(name, COMMON);
        let peers = || Some(common("duckdb-2")?.max(common("polars-2")?));
        let faster = "the faster of duckdb-2 and polars-2";

        let mut ratios = Vec::new();
        let mut at_least = |what: String, ours: Option<f64>, theirs: Option<f64>, bound| {
            let value = ours.zip(theirs).map(|(ours, theirs)| ours / theirs);
            ratios.extend(value.map(|value| Ratio { what, value, bound: Bound::AtLeast(bound) }));
        };
        at_least("native-2 to ".to_owned() + faster, common("native-2"), peers(), 2.0);
        at_least("chromium-2 to ".to_owned() + faster, common("chromium-2"), peers(), 1.0);
        at_least("chromium-2 to chromium-1".to_owned(), common("chromium-2"), common("chromium-1"), 1.7);
        at_least("chromium-1 to native-1".to_owned(), common("chromium-1"), common("native-1"), 0.6);
        for name in ["native-1", "native-2", "wasmtime-1", "chromium-1", "chromium-2"] {
            at_least(format!("{name}, GB18030 to UTF-8"), rate(name, "gb18030"), common(name), 0.8);
        }

        // Linear memory is the module's own, so the runners agree on it and one line says it.
        let peak = |rows: u64| {
            self.runs.iter().filter(|r| r.of_module() && r.rows == rows).map(|r| r.peak_bytes).max()
        };
        if let Some(peak_now) = peak(rows) {
            let value = peak_now as f64 / MIB;
            ratios.push(Ratio {
                what: "the module's memory, MiB".to_owned(),
                value,
                bound: Bound::Below(64.0),
            });
            let least = Some(self.least_rows()).filter(|least| *least < rows);
            ratios.extend(least.and_then(peak).map(|before| Ratio {
                what: "the module's memory, a large file to a small one".to_owned(),
                value: peak_now as f64 / before as f64,
                bound: Bound::AtMost(1.0),
            }));
        }
        ratios
    }

    /// Where and with what they were taken, in one sentence.
    pub(crate) fn circumstances(&self) -> String {
        let Machine { cores, cpu } = &self.machine;
        let programs: Vec<String> =
            self.versions.iter().map(|(name, version)| format!("{} {version}", title(name))).collect();
        let roster = thousands(self.roster);
        let rounds = self.rounds;
        format!(
            "{cores} cores of {cpu}; a roster of {roster} people; best of {rounds} rounds; {}",
            programs.join(", ")
        )
    }

    /// Everything as a table for a terminal.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        for file in &self.files {
            out += &format!("{}\n", file.title());
            out += &format!(
                "  {:<12} {:>12} {:>9} {:>10} {:>7}\n",
                "runner", "rows/s", "x DuckDB", "peak MiB", "CPU s"
            );
            for run in self.over(file) {
                let against = self.against_duckdb(run).map_or_else(|| "-".to_owned(), |x| format!("{x:.2}"));
                let peak = run.peak_bytes as f64 / MIB;
                let cpu = run.cpu_seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.2}"));
                out += &format!(
                    "  {:<12} {:>12.0} {against:>9} {peak:>10.1} {cpu:>7}\n",
                    run.name, run.rows_per_s
                );
            }
        }
        out += &format!("{}\n", self.circumstances());
        for ratio in self.ratios_at(self.most_rows()) {
            let verdict = if ratio.holds() { "" } else { "  MISSED" };
            out += &format!("  {:<52} {:>6.2}  {}{verdict}\n", ratio.what, ratio.value, ratio.bound.words());
        }
        out + "x DuckDB: against DuckDB with as many threads over the UTF-8 file\n\
               peak MiB: resident memory of the process; of wasmtime and Chromium the module's linear memory\n\
               CPU s: processor time of all the browser's processes\n"
    }

    /// The runs over a file.
    pub(crate) fn over(&self, file: &File) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |run| run.rows == file.rows && run.encoding == file.encoding)
    }
}

/// Bytes of a MiB.
pub(crate) const MIB: f64 = 1_048_576.0;

impl File {
    /// "10 million rows of 82 bytes in UTF-8".
    pub(crate) fn title(&self) -> String {
        let (rows, bytes) = (self.rows / 1_000_000, self.bytes / self.rows.max(1));
        format!("{rows} million rows of {bytes} bytes in {}", self.encoding.to_uppercase())
    }
}

impl Run {
    /// Whether the module ran: its memory is the linear memory.
    pub(crate) fn of_module(&self) -> bool {
        self.name.starts_with("wasmtime") || self.name.starts_with("chromium")
    }

    /// Whether it is the matcher at all.
    pub(crate) fn ours(&self) -> bool {
        self.of_module() || self.name.starts_with("native")
    }
}

impl Ratio {
    /// Whether the bound holds.
    pub(crate) fn holds(&self) -> bool {
        match self.bound {
            Bound::AtLeast(bound) => self.value >= bound,
            Bound::AtMost(bound) => self.value <= bound,
            Bound::Below(bound) => self.value < bound,
        }
    }
}

impl Bound {
    /// "at least 0.60".
    pub(crate) fn words(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("at least {bound}"),
            Self::AtMost(bound) => format!("at most {bound}"),
            Self::Below(bound) => format!("below {bound}"),
        }
    }
}

/// How a program writes its name.
fn title(name: &str) -> &str {
    match name {
        "chromium" => "Chromium",
        "duckdb" => "DuckDB",
        "polars" => "Polars",
        "python" => "Python",
        other => other,
    }
}

/// 10,000.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

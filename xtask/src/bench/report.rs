//! `target/bench/report.html`: the figures as one page without scripts, with bars drawn here.

use super::figures::{Figures, File, MIB, Ratio, Run, thousands};

/// Width of a plot, of what stands left of its bars, and of what stands right of the longest.
const WIDTH: f64 = 720.0;
const LEFT: f64 = 110.0;
const RIGHT: f64 = 180.0;
/// Height of a bar and from one to the next.
const BAR: f64 = 20.0;
const STEP: f64 = 30.0;

/// One bar.
struct Bar {
    name: String,
    class: &'static str,
    value: f64,
    label: String,
}

/// The whole page.
pub(crate) fn page(figures: &Figures) -> String {
    let mut body = String::new();
    let mut longest_first: Vec<&File> = figures.files.iter().collect();
    longest_first.sort_by_key(|file| std::cmp::Reverse(file.rows));
    for file in longest_first {
        body += &section(figures, file);
    }
    let circumstances = escape(&figures.circumstances());
    let bounds = bounds(&figures.ratios_at(figures.most_rows()));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Hedui: how fast</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>How fast</h1>\n\
         <p>One run of <code>cargo xtask bench</code>: the same customer file and the same question, who of the roster \
         holds something here and how much, from the file on disk to the result. Every result was equal to the truth. \
         Starting programs, unlocking keys and loading the roster are not timed.</p>\n\
         <p class=\"facts\">{circumstances}.</p>\n\
         <h2>What has to hold</h2>\n{bounds}{body}\
         <p class=\"facts\">× DuckDB: against DuckDB with as many threads over the UTF-8 file of as many rows. \
         Peak memory: resident memory of the whole process, files that it maps included; of wasmtime and Chromium the \
         module's linear memory. DuckDB and Polars compare in clear; ours read damaged numbers, hash, and seal an answer of \
         constant shape.</p>\n</body>\n</html>\n"
    )
}

/// The table of bounds.
fn bounds(ratios: &[Ratio]) -> String {
    let mut out = "<table>\n<tr><th>Figure</th><th class=\"n\">measured</th><th class=\"n\">wanted</th><th></th></tr>\n"
        .to_owned();
    for ratio in ratios {
        let (class, verdict) = if ratio.holds() { ("good", "holds") } else { ("bad", "missed") };
        out += &format!(
            "<tr><td>{}</td><td class=\"n\">{:.2}</td><td class=\"n\">{}</td><td class=\"{class}\">{verdict}</td></tr>\n",
            escape(&ratio.what),
            ratio.value,
            ratio.bound.words()
        );
    }
    out + "</table>\n"
}

/// A file: both plots, and the figures in full.
fn section(figures: &Figures, file: &File) -> String {
    let runs: Vec<&Run> = figures.over(file).collect();
    let bars = |value: &dyn Fn(&Run) -> f64, label: &dyn Fn(&Run) -> String| -> Vec<Bar> {
        let bar = |run: &&Run| Bar {
            name: run.name.clone(),
            class: if run.ours() { "ours" } else { "theirs" },
            value: value(run),
            label: label(run),
        };
        runs.iter().map(bar).collect()
    };
    let against = |run: &Run| figures.against_duckdb(run).map(|x| format!("{x:.2}"));
    let rate = bars(&|run| run.rows_per_s, &|run| {
        let rate = format!("{:.2} M", run.rows_per_s / 1e6);
        against(run).map_or(rate.clone(), |x| format!("{rate} · {x} × DuckDB"))
    });
    let memory = bars(&|run| run.peak_bytes as f64, &|run| format!("{:.0} MiB", run.peak_bytes as f64 / MIB));
    let mut table = "<table>\n<tr><th>Runner</th><th class=\"n\">rows/s</th><th class=\"n\">× DuckDB</th>\
                     <th class=\"n\">peak MiB</th><th class=\"n\">seconds, each round</th></tr>\n"
        .to_owned();
    for run in &runs {
        let seconds: Vec<String> = run.seconds.iter().map(|s| format!("{s:.2}")).collect();
        table += &format!(
            "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{:.1}</td>\
             <td class=\"n\">{}</td></tr>\n",
            escape(&run.name),
            thousands(run.rows_per_s.round() as u64),
            against(run).unwrap_or_else(|| "–".to_owned()),
            run.peak_bytes as f64 / MIB,
            seconds.join("  ")
        );
    }
    let (title, people, hits) = (escape(&file.title()), thousands(file.people), thousands(file.hits));
    format!(
        "<h2>{title}</h2>\n<p class=\"facts\">{people} people of the roster in {hits} of the rows.</p>\n\
         <h3>Rows a second</h3>\n{}<h3>Peak memory</h3>\n{}{table}</table>\n",
        plot(&rate),
        plot(&memory)
    )
}

/// Bars from the left, each with its name and its figure.
fn plot(bars: &[Bar]) -> String {
    let most = bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
    let height = STEP * bars.len() as f64;
    let mut out = format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n");
    for (i, bar) in bars.iter().enumerate() {
        let top = STEP * i as f64 + (STEP - BAR) / 2.0;
        let (width, line) = ((WIDTH - LEFT - RIGHT) * bar.value / most, top + BAR * 0.72);
        out += &format!(
            "<text x=\"{}\" y=\"{line:.1}\" text-anchor=\"end\">{}</text>\
             <rect class=\"{}\" x=\"{LEFT}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/>\
             <text class=\"figure\" x=\"{:.1}\" y=\"{line:.1}\">{}</text>\n",
            LEFT - 8.0,
            escape(&bar.name),
            bar.class,
            LEFT + width + 6.0,
            escape(&bar.label)
        );
    }
    out + "</svg>\n"
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const STYLE: &str = "
body { max-width: 760px; margin: 40px auto; padding: 0 20px; background: #fff; color: #1d2733;
       font: 16px/1.5 system-ui, \"Segoe UI\", \"Noto Sans\", sans-serif; }
h1 { font-size: 30px; margin: 0 0 12px; }
h2 { font-size: 20px; margin: 44px 0 6px; padding-top: 14px; border-top: 1px solid #d9dfe6; }
h3 { font-size: 15px; margin: 20px 0 4px; color: #4a5766; font-weight: 600; }
.facts { color: #4a5766; font-size: 14px; }
table { border-collapse: collapse; width: 100%; margin: 14px 0; font-size: 14px; }
th, td { text-align: left; padding: 5px 10px 5px 0; border-bottom: 1px solid #e6eaef; }
th { color: #4a5766; font-weight: 600; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: pre; }
.good { color: #1a7f4b; }
.bad { color: #b3261e; font-weight: 600; }
svg { display: block; width: 100%; height: auto; font-size: 13px; }
text { fill: #1d2733; }
.figure { fill: #4a5766; font-variant-numeric: tabular-nums; }
.ours { fill: #1f6fb2; }
.theirs { fill: #b4bfca; }
";

//! `hedui audit`: what a reviewer wants to know about a module.

use std::path::PathBuf;

use clap::Args;
use sandbox::gate::{self, Allow};
use serde_json::json;

use crate::failure::Failure;
use crate::files;
use crate::output::Output;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hedui audit target/artifact/matcher.wasm")]
pub(crate) struct Arguments {
    /// The module.
    file: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let report = gate::inspect(&files::read(&arguments.file, files::MODULE)?)
        .map_err(|error| Failure::new("not_a_module", "file", error.to_string()).of(&arguments.file))?;
    let deviations = report.deviations(&Allow::matcher());
    let mut text = format!(
        "sha256    {}\nsize      {} bytes\nimports   {}\n",
        report.sha256,
        report.size,
        report.imports.len()
    );
    for export in &report.exports {
        text.push_str(&format!("exports   {} {}\n", export.name, export.form));
    }
    for memory in &report.memories {
        let max = memory.max_pages.map_or("no limit".to_owned(), |pages| format!("{} MiB", pages / 16));
        text.push_str(&format!("memory    {} MiB at first, at most {max}\n", memory.min_pages / 16));
    }
    text.push_str(&format!("features  {}\n", report.features.join(" ")));
    for deviation in &deviations {
        text.push_str(&format!("DEVIATION {deviation}\n"));
    }
    output.say(&text, &json!({ "deviations": deviations, "report": report }));
    if deviations.is_empty() {
        return Ok(());
    }
    let message = format!("the module is off the allow-list: {}", gate::sentences(&deviations));
    Err(Failure::new("deviations", "module", message).of(&arguments.file))
}

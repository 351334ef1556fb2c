//! Where a bench was run.

use std::fs;

use serde::Serialize;

/// What of a machine decides the figures.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    /// Processors this program may use.
    cores: usize,
    /// Their model.
    cpu: String,
}

impl Machine {
    /// This one.
    pub(crate) fn this() -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            cpu: model.map_or("unknown", |(_, model)| model).to_owned(),
        }
    }
}

//! Where a bench was run, and what of the machine a browser took.

use std::collections::BTreeMap;
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

/// Processor time, user's and system's, of every browser process that this program has started.
pub(crate) fn browsers_cpu_seconds() -> f64 {
    /// Ticks a second that Linux counts in, on every machine that these figures are taken on.
    const TICKS: f64 = 100.0;
    let mut processes = BTreeMap::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // proc(5): the name stands in brackets and may hold anything; after it state, parent, and utime as the 14th.
        let Some((name, rest)) = stat.rsplit_once(") ") else { continue };
        let fields: Vec<&str> = rest.split(' ').collect();
        let number = |at: usize| fields[at].parse::<u64>().unwrap();
        let is_browser = name.split_once('(').is_some_and(|(_, name)| name == "chromium" || name == "chrome");
        processes.insert(id, (u32::try_from(number(1)).unwrap(), is_browser, number(11) + number(12)));
    }
    let is_ours = |mut id: u32| {
        while let Some((parent, ..)) = processes.get(&id) {
            if *parent == std::process::id() {
                return true;
            }
            id = *parent;
        }
        false
    };
    let ticks: u64 = processes
        .iter()
        .filter(|(id, (_, is_browser, _))| *is_browser && is_ours(**id))
        .map(|(_, (.., ticks))| *ticks)
        .sum();
    ticks as f64 / TICKS
}

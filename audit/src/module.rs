//! A module read without running it: the gate of the crate `sandbox`, as findings.

use crate::Finding;
use protocol::value::Text;
use sandbox::gate::{self, Allow, Report};

/// A kind of module, known by the name of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `matcher.wasm`: the institution's side.
    Matcher,
    /// `reader.wasm`: spreadsheets to plain text.
    Reader,
}

impl Kind {
    /// The kind of the module in a file of this name.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "matcher.wasm" => Some(Self::Matcher),
            "reader.wasm" => Some(Self::Reader),
            _ => None,
        }
    }

    /// What such a module may hold.
    pub fn allow(self) -> Allow {
        match self {
            Self::Matcher => Allow::matcher(),
            Self::Reader => Allow::reader(),
        }
    }
}

/// Reads a module in the file `name` and holds it against its kind's allow-list. There is no report of what is
/// no module.
pub fn check(name: &str, kind: Kind, bytes: &[u8]) -> (Option<Report>, Vec<Finding>) {
    match gate::inspect(bytes) {
        Ok(report) => {
            let found = report.deviations(&kind.allow());
            let findings = found.iter().map(|deviation| {
                let place = match deviation.place() {
                    Some(place) => format!("{name}, {place}"),
                    None => name.to_owned(),
                };
                Finding::new(deviation.code(), place, format!("the module {deviation}"))
            });
            (Some(report), findings.collect())
        }
        Err(error) => (None, vec![Finding::new("not_a_module", name, error.to_string())]),
    }
}

/// Names of a module's exports, sorted, as a manifest has them.
pub fn exports(report: &Report) -> Vec<Text> {
    sorted(report.exports.iter().map(|export| export.name.clone()))
}

/// A module's imports, `module.name`, sorted, as a manifest has them.
pub fn imports(report: &Report) -> Vec<Text> {
    sorted(report.imports.iter().map(|import| format!("{}.{}", import.module, import.name)))
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<Text> {
    let mut names: Vec<String> = names.collect();
    names.sort();
    names.dedup();
    // A name that is no text of a document, such as one with a line break, is a deviation of its own.
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

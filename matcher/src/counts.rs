//! What is counted over all files of a run, and what is told of it: no row, no number, no name.

use std::collections::BTreeMap;

use protocol::clean::NormalisedSet;
use protocol::coverage::{Encoding, FileCount, Grain};
use rows::Density;

use crate::error::ModuleError;
use crate::part::PartHead;
use crate::set_aside::{SetAside, Why};

/// What is counted over all files.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) rows: u64,
    pub(crate) valid: u64,
    pub(crate) not_personal: u64,
    pub(crate) normalised: BTreeMap<String, u64>,
    pub(crate) quarantined: BTreeMap<String, u64>,
    pub(crate) set_aside: SetAside,
    pub(crate) skipped: BTreeMap<String, u64>,
    pub(crate) warnings: BTreeMap<String, u64>,
    pub(crate) unknown_products: Vec<String>,
    pub(crate) files: Vec<FileCount>,
    pub(crate) columns: Vec<String>,
    pub(crate) encoding: Option<Encoding>,
    pub(crate) density: Density,
    pub(crate) grain: Grain,
}

protocol::json_reply! {
    /// Rows so far, for progress.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Progress {
        /// Data rows read.
        pub rows: u64,
        /// Rows with a valid subject.
        pub valid: u64,
        /// Rows set aside.
        pub quarantined: u64,
        /// Whether the rest of the file may be read in parts (SPEC §10.1).
        pub may_split: bool,
    }
}

protocol::json_reply! {
    /// A warning for the page's dictionary.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Warning {
        /// Stable code.
        pub code: String,
        /// How often.
        pub count: u64,
    }
}

impl Counts {
    /// Adds what another instance counted in a part of the file.
    pub(crate) fn add(&mut self, part: &PartHead) {
        self.rows += part.rows;
        self.valid += part.valid;
        self.not_personal += part.not_personal;
        for (ours, theirs) in [
            (&mut self.normalised, &part.normalised),
            (&mut self.quarantined, &part.quarantined),
            (&mut self.skipped, &part.skipped),
        ] {
            for (name, count) in theirs {
                *ours.entry(name.clone()).or_default() += count;
            }
        }
    }

    /// Sets a row aside that ends on `line`; `number` is what may be shown a little of.
    pub(crate) fn quarantine(&mut self, why: Why, line: u64, number: &str) {
        bump(&mut self.quarantined, why.name());
        self.set_aside.add(self.file(), line, why, number);
    }

    /// Number of the file that is read, from 1.
    pub(crate) fn file(&self) -> usize {
        self.files.len() + 1
    }

    /// Refuses rows whose numbers look counted through (SPEC §5.5).
    pub(crate) fn judge_density(&self) -> Result<(), ModuleError> {
        let Some(found) = self.density.judge() else { return Ok(()) };
        let message = "the numbers look counted through, not exported: of most days of birth nearly all numbers are there";
        let error = ModuleError::new("enumeration", "id_number", message);
        Err(error.with("rows", self.rows).with("dense_days", found.dense).with("days", found.pairs))
    }

    pub(crate) fn skip(&mut self, what: &str) {
        bump(&mut self.skipped, what);
    }

    pub(crate) fn warn(&mut self, code: &str) {
        bump(&mut self.warnings, code);
    }

    pub(crate) fn normalise(&mut self, set: NormalisedSet) {
        for step in set.iter() {
            bump(&mut self.normalised, step.name());
        }
    }
}

fn bump(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            counts.insert(name.to_owned(), 1);
        }
    }
}

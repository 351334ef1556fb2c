//! What stands in a module and not on the allow-list, one precise sentence each.

use super::{Allow, Found, Report};
use serde::Serialize;

/// One way in which a module differs from what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "deviation", rename_all = "snake_case")]
pub enum Deviation {
    /// The file is over the size budget.
    #[error("has {size} bytes, over the budget of {max_size}")]
    TooLarge {
        /// The file's size, in bytes.
        size: usize,
        /// The budget, in bytes.
        max_size: usize,
    },
    /// It asks its host for something.
    #[error("imports {module}.{name}")]
    ImportPresent {
        /// The first part of the import's name.
        module: String,
        /// The second part.
        name: String,
    },
    /// It offers something that the contract does not have.
    #[error("exports {name} {form}, which is not on the list")]
    ExportNotAllowed {
        /// The export's name.
        name: String,
        /// Its type.
        form: String,
    },
    /// It offers something of the contract with another type.
    #[error("exports {name} as {form} and not as {expected}")]
    ExportForm {
        /// The export's name.
        name: String,
        /// Its type.
        form: String,
        /// The contract's type.
        expected: String,
    },
    /// It lacks something of the contract.
    #[error("does not export {name}")]
    ExportMissing {
        /// The export's name.
        name: String,
    },
    /// It has no linear memory, or several.
    #[error("has {found} memories and not one")]
    MemoryCount {
        /// How many it has.
        found: usize,
    },
    /// Its memory may grow without end.
    #[error("has a memory without a maximum")]
    NoMemoryMaximum,
    /// Its memory may grow beyond the allowed size.
    #[error("has a memory of up to {max_pages} pages, over the allowed {allowed}")]
    MemoryMaximumTooLarge {
        /// The memory's maximum, in pages of 64 KiB.
        max_pages: u64,
        /// The allowed maximum.
        allowed: u64,
    },
    /// It needs a WebAssembly feature that is not on the list.
    #[error("needs the WebAssembly feature {feature}")]
    FeatureNotAllowed {
        /// The feature's name in LLVM.
        feature: String,
    },
    /// It has a section that says something beside the program.
    #[error("has a custom section {name:?}")]
    CustomSection {
        /// The section's name.
        name: String,
    },
    /// It runs code when it is instantiated.
    #[error("has a start function")]
    StartFunction,
    /// It holds a path of the machine that built it.
    #[error("holds the host path {path:?} at byte {offset}")]
    HostPath {
        /// The path, cut after 120 characters.
        path: String,
        /// The part of the module it stands in.
        place: String,
        /// Where in the file, in bytes.
        offset: usize,
    },
    /// It holds the address of a machine.
    #[error("holds the address {address:?} at byte {offset}")]
    Address {
        /// The address, cut after 120 characters.
        address: String,
        /// The part of the module it stands in.
        place: String,
        /// Where in the file, in bytes.
        offset: usize,
    },
}

impl Deviation {
    /// Its stable code, the same that JSON has.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::ImportPresent { .. } => "import_present",
            Self::ExportNotAllowed { .. } => "export_not_allowed",
            Self::ExportForm { .. } => "export_form",
            Self::ExportMissing { .. } => "export_missing",
            Self::MemoryCount { .. } => "memory_count",
            Self::NoMemoryMaximum => "no_memory_maximum",
            Self::MemoryMaximumTooLarge { .. } => "memory_maximum_too_large",
            Self::FeatureNotAllowed { .. } => "feature_not_allowed",
            Self::CustomSection { .. } => "custom_section",
            Self::StartFunction => "start_function",
            Self::HostPath { .. } => "host_path",
            Self::Address { .. } => "address",
        }
    }

    /// The part of the module that it is about, where it is about one.
    pub fn place(&self) -> Option<String> {
        Some(match self {
            Self::TooLarge { .. } | Self::FeatureNotAllowed { .. } => return None,
            Self::ImportPresent { .. } => "import section".into(),
            Self::ExportNotAllowed { .. } | Self::ExportForm { .. } | Self::ExportMissing { .. } => {
                "export section".into()
            }
            Self::MemoryCount { .. } | Self::NoMemoryMaximum | Self::MemoryMaximumTooLarge { .. } => {
                "memory section".into()
            }
            Self::CustomSection { name } => format!("custom section {name:?}"),
            Self::StartFunction => "start section".into(),
            Self::HostPath { place, .. } | Self::Address { place, .. } => place.clone(),
        })
    }
}

/// The deviations as one sentence: `imports env.now; has a start function`.
pub fn sentences(deviations: &[Deviation]) -> String {
    deviations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

pub(super) fn find(report: &Report, allow: &Allow) -> Vec<Deviation> {
    let mut found = Vec::new();
    if report.size > allow.max_size {
        found.push(Deviation::TooLarge { size: report.size, max_size: allow.max_size });
    }
    found.extend(
        report.imports.iter().map(|import| Deviation::ImportPresent {
            module: import.module.clone(),
            name: import.name.clone(),
        }),
    );
    find_in_exports(report, allow, &mut found);
    find_in_memories(report, allow, &mut found);
    found.extend(
        report
            .features
            .iter()
            .filter(|feature| !allow.features.contains(&feature.as_str()))
            .map(|feature| Deviation::FeatureNotAllowed { feature: feature.clone() }),
    );
    found.extend(report.custom_sections.iter().map(|name| Deviation::CustomSection { name: name.clone() }));
    if report.has_start {
        found.push(Deviation::StartFunction);
    }
    found.extend(
        report.host_paths.iter().cloned().map(|Found { text, place, offset }| Deviation::HostPath {
            path: text,
            place,
            offset,
        }),
    );
    found.extend(report.addresses.iter().cloned().map(|Found { text, place, offset }| Deviation::Address {
        address: text,
        place,
        offset,
    }));
    found
}

fn find_in_exports(report: &Report, allow: &Allow, found: &mut Vec<Deviation>) {
    for export in &report.exports {
        let (name, form) = (export.name.clone(), export.form.clone());
        match allow.exports.iter().find(|allowed| allowed.name == name) {
            None => found.push(Deviation::ExportNotAllowed { name, form }),
            Some(allowed) if allowed.form != form => {
                found.push(Deviation::ExportForm { name, form, expected: allowed.form.to_owned() });
            }
            Some(_) => {}
        }
    }
    for allowed in allow.exports.iter().filter(|allowed| allowed.required) {
        if !report.exports.iter().any(|export| export.name == allowed.name) {
            found.push(Deviation::ExportMissing { name: allowed.name.to_owned() });
        }
    }
}

fn find_in_memories(report: &Report, allow: &Allow, found: &mut Vec<Deviation>) {
    if report.memories.len() != 1 {
        found.push(Deviation::MemoryCount { found: report.memories.len() });
    }
    for memory in &report.memories {
        match memory.max_pages {
            None => found.push(Deviation::NoMemoryMaximum),
            Some(max_pages) if max_pages > allow.max_pages => {
                found.push(Deviation::MemoryMaximumTooLarge { max_pages, allowed: allow.max_pages });
            }
            Some(_) => {}
        }
    }
}

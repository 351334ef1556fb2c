//! The table that a person reads.

use audit::behaviour::Behaviour;
use audit::folder::Checked;
use sandbox::gate::{MemoryLimits, Report};
use serde::Serialize;
use std::fmt::Write as _;

use super::{Audited, Run};

/// All of it: the release, each module, each deviation, and the verdict.
pub(super) fn text(audited: &Audited) -> String {
    let mut out = String::new();
    if let Some(folder) = &audited.folder {
        release(&mut out, folder);
    }
    for run in &audited.modules {
        module(&mut out, run, audited);
    }
    for deviation in &audited.deviations {
        let _ = writeln!(out, "DEVIATION {deviation}");
    }
    if audited.deviations.is_empty() {
        out.push_str("clean: nothing deviates\n");
    }
    out
}

fn line(out: &mut String, name: &str, value: impl std::fmt::Display) {
    let _ = writeln!(out, "{name:<12}{value}");
}

fn release(out: &mut String, folder: &Checked) {
    match (&folder.release, &folder.issued) {
        (Some(release), Some(issued)) => line(out, "release", format!("{release}, issued {issued}")),
        _ => line(out, "release", "unknown"),
    }
    line(out, "toolchain", folder.toolchain.as_deref().unwrap_or("unknown"));
    line(out, "sources", shown(folder.source_sha256.as_ref()));
    line(
        out,
        "signed by",
        format!("{} of {} keys ({})", folder.signatures, folder.keys.len(), folder.keys.join(", ")),
    );
    line(out, "files", format!("{} in the manifest", folder.files));
    line(out, "page", shown(folder.page_sha256.as_ref()));
}

fn shown(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| "none".to_owned(), ToString::to_string)
}

fn module(out: &mut String, run: &Run, audited: &Audited) {
    line(out, "module", &run.checks.name);
    if let Some(report) = &run.checks.report {
        read(out, report, &run.blake3);
    }
    if let Some(behaviour) = &run.behaviour {
        ran(out, behaviour);
    }
    match run.rebuilt {
        Some(true) => line(
            out,
            "rebuilt",
            match audited.source() {
                Some(source) => format!("the same bytes, from the sources {source}"),
                None => "the same bytes".to_owned(),
            },
        ),
        Some(false) => line(out, "rebuilt", "not the same"),
        None => {}
    }
}

fn read(out: &mut String, report: &Report, blake3: &str) {
    line(out, "sha256", &report.sha256);
    line(out, "blake3", blake3);
    line(out, "size", format!("{} bytes", report.size));
    if report.imports.is_empty() {
        line(out, "imports", "none");
    }
    for import in &report.imports {
        line(out, "imports", format!("{}.{} {}", import.module, import.name, import.form));
    }
    for export in &report.exports {
        line(out, "exports", format!("{} {}", export.name, export.form));
    }
    for memory in &report.memories {
        line(out, "memory", pages(memory));
    }
    line(out, "features", list(&report.features));
    line(
        out,
        "sections",
        match report.custom_sections.as_slice() {
            [] => "no custom section".to_owned(),
            names => format!("custom: {}", names.join(", ")),
        },
    );
    line(out, "start", if report.has_start { "a start function" } else { "none" });
    line(out, "data", format!("{} segments, {} bytes", report.data.segments, report.data.bytes));
    for (what, found) in [("paths", &report.host_paths), ("addresses", &report.addresses)] {
        if found.is_empty() {
            line(out, what, "none");
        }
        for text in found {
            line(out, what, format!("{} ({}, byte {})", text.text, text.place, text.offset));
        }
    }
}

fn pages(memory: &MemoryLimits) -> String {
    let max = memory.max_pages.map_or("no limit".to_owned(), |pages| format!("{} MiB", pages / 16));
    format!("{} KiB at first, at most {max}", memory.min_pages * 64)
}

fn list<T: Serialize + AsRef<str>>(items: &[T]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(" ")
}

fn ran(out: &mut String, ran: &Behaviour) {
    line(
        out,
        "vectors",
        format!("{} of {} as they must be, {} requests", ran.passed, ran.vectors, ran.requests),
    );
    line(out, "same bytes", format!("{} of {} sessions, run 4 times each", ran.same, ran.repeated));
    line(out, "fuel", format!("{}, at most {} a session", ran.fuel, ran.most_fuel));
    line(out, "memory used", format!("at most {} KiB", ran.most_memory_bytes / 1024));
    let canary = &ran.canary;
    line(
        out,
        "secrets",
        format!(
            "{} in {} sessions: {} in memory while open, {} once ended",
            canary.secrets, canary.sessions, canary.seen_open, canary.left
        ),
    );
}

//! The error codes that a person at the page may meet, read from the sources that give them: the module's
//! (`matcher`, `protocol`), the host's, and the page's own. A code that is new is found here, and a new way of
//! writing one stops the scan.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Codes that no person meets: the first ends a loop inside `matcher/src/layout.rs`, the second has the
/// dictionary's sentence for what was not expected.
const SILENT: [&str; 2] = ["enough", "page_error"];

/// All codes.
///
/// # Panics
/// When a source gives one in a way that is not known here.
pub fn all() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for source in sources("matcher/src", "rs") {
        let text = without_tests(&source);
        for call in ["ModuleError::new(", "refuse("] {
            for (before, argument) in calls(&text, call) {
                match literal(argument) {
                    Some(code) => codes.insert(code),
                    // Inside the helper whose own calls are read, too.
                    None => {
                        let helper = before.lines().rev().take(3).any(|line| line.contains("let refuse = "));
                        let line = before.lines().last().unwrap_or_default();
                        assert!(helper, "{}: a code that is no literal: {line}", source.display());
                        continue;
                    }
                };
            }
        }
        if !source.ends_with("error.rs") {
            let by_hand = calls(&text, "ModuleError {").any(|(before, _)| !before.ends_with("-> "));
            assert!(!by_hand, "{}: an error made by hand", source.display());
        }
    }
    // `Self::Expired(_) => "expired",` in the functions `code`.
    let errors = without_tests(&root().join("protocol/src/error.rs"));
    for (_, body) in calls(&errors, "fn code(") {
        let body = body.split("\n    }\n").next().unwrap_or_default();
        codes.extend(calls(body, " => ").filter_map(|(_, value)| literal(value)));
    }
    // `(S::CONFLICT, "version_taken", …)`
    let problem = without_tests(&root().join("host/src/problem.rs"));
    for (_, status) in calls(&problem, "(S::") {
        let (_, code) = status.split_once(',').expect("a code behind the status");
        match literal(code) {
            Some(code) => drop(codes.insert(code)),
            None => assert!(
                code.trim_start().starts_with("error.code()"),
                "a code that is no literal: {code:.40}"
            ),
        }
    }
    for source in sources("web", "js") {
        let text = std::fs::read_to_string(&source).unwrap();
        let made = calls(&text, "new Failure('").map(|(_, code)| code);
        let named = calls(&text, "Error: '").map(|(_, code)| code);
        for code in made.chain(named) {
            let code = code.split('\'').next().unwrap_or_default();
            // One with a dot names a sentence of its step.
            if !code.contains(['.', ' ']) {
                codes.insert(code.to_owned());
            }
        }
    }
    codes.retain(|code| !SILENT.contains(&code.as_str()));
    codes
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with("strings."))
        .collect();
    found.sort();
    assert!(found.len() > 3, "{folder}");
    found
}

fn without_tests(source: &Path) -> String {
    let text = std::fs::read_to_string(source).unwrap();
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

/// What stands before and behind each `call`.
fn calls<'t>(text: &'t str, call: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
    text.match_indices(call).map(move |(at, _)| (&text[..at], &text[at + call.len()..]))
}

/// A literal that is the next thing in a source.
fn literal(text: &str) -> Option<String> {
    let (literal, _) = text.trim_start().strip_prefix('"')?.split_once('"')?;
    literal
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        .then(|| literal.to_owned())
}

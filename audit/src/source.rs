//! The list of a release's sources, `SOURCES.sha256` (SPEC §12.3): each file that went into the build with its
//! digest, so that "this source" is a number and a changed file has a name.

use crate::Finding;
use protocol::value::Digest;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Name of the list in the folder of a release.
pub const NAME: &str = "SOURCES.sha256";

/// One source file: its digest, and its path from the root of the repository with `/` between the parts.
pub type Source = (Digest, String);

/// Writes the list as `sha256sum` does, sorted by path.
pub fn write(sources: &[Source]) -> String {
    let mut lines: Vec<(&str, String)> =
        sources.iter().map(|(digest, path)| (path.as_str(), format!("{digest}  {path}\n"))).collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

/// Reads a list of digests as `sha256sum` writes it.
///
/// # Errors
/// The number, from 1, of the line that is none: no digest, two blanks missing, or a path that leads out of
/// the folder.
pub fn read(text: &str) -> Result<Vec<Source>, usize> {
    let line = |line: &str| {
        let (digest, path) = line.split_once("  ")?;
        let inside = !path.is_empty()
            && !path.contains('\\')
            && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        Some((digest.parse().ok().filter(|_| inside)?, path.to_owned()))
    };
    text.lines().enumerate().map(|(n, text)| line(text).ok_or(n + 1)).collect()
}

/// Copies the listed files of `source` to `to`, and nothing else; names each that is missing or differs.
/// What stands in `source` beside the list has no part in the build.
///
/// # Errors
/// Where a file cannot be written.
pub fn copy_listed(sources: &[Source], source: &Path, to: &Path) -> std::io::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (digest, path) in sources {
        let place = format!("source {path}");
        let Ok(bytes) = fs::read(source.join(path)) else {
            findings.push(Finding::new(
                "source_missing",
                place,
                "the source has no such file, and the release does",
            ));
            continue;
        };
        if Digest::of(&bytes) != *digest {
            findings.push(Finding::new(
                "source_changed",
                place,
                "the file is another one than the release was built from",
            ));
        }
        let copy: PathBuf = to.join(path);
        if let Some(folder) = copy.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(copy, bytes)?;
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_comes_back_sorted() {
        let sources = [(Digest::of(b"b"), "b/x y.rs".to_owned()), (Digest::of(b"a"), "a.rs".to_owned())];
        let read = read(&write(&sources)).unwrap();
        assert_eq!(read, [sources[1].clone(), sources[0].clone()]);
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        let good = format!("{}  a\n", Digest::of(b""));
        for path in ["../a", "/a", "", "a/../../b", "a\\b", "./a"] {
            let list = format!("{good}{}  {path}\n", Digest::of(b""));
            assert_eq!(read(&list), Err(2), "{path}");
        }
        assert_eq!(read("no list"), Err(1));
    }

    #[test]
    fn what_is_missing_or_changed_is_named() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir(from.path().join("src")).unwrap();
        fs::write(from.path().join("src/a.rs"), "a").unwrap();
        fs::write(from.path().join("src/b.rs"), "b").unwrap();
        fs::write(from.path().join("build.rs"), "not listed").unwrap();
        let list = ["a", "c", "d"].map(|name| (Digest::of(name.as_bytes()), format!("src/{name}.rs")));
        fs::write(from.path().join("src/d.rs"), "another").unwrap();
        let found = copy_listed(&list, from.path(), to.path()).unwrap();
        let said: Vec<(&str, &str)> = found.iter().map(|f| (f.code, f.place.as_str())).collect();
        assert_eq!(said, [("source_missing", "source src/c.rs"), ("source_changed", "source src/d.rs")]);
        assert!(to.path().join("src/a.rs").exists());
        assert!(!to.path().join("src/b.rs").exists() && !to.path().join("build.rs").exists());
    }
}

//! Texts in a module's data that tell of the machine that built it.

/// Where a build may leave the name of a folder or a user: the roots that systems keep people's and
/// build servers' files under, and the folders of Rust's own tools. The remapped names of a build,
/// `/src/`, `/cargo/` and `/rustc/<hash>/`, are none of these, nor is `/rust/deps/` of the standard
/// library.
const ROOTS: [&str; 16] = [
    "/home/",
    "/root/",
    "/tmp/",
    "/usr/",
    "/opt/",
    "/var/",
    "/mnt/",
    "/nix/",
    "/build/",
    "/builds/",
    "/private/",
    "/Users/",
    "/Volumes/",
    ".cargo/registry",
    ".cargo\\registry",
    ".rustup",
];

/// How much of a text is shown, in bytes.
const SHOWN: usize = 120;

/// Paths of the machine that built the module, in the order they stand there.
pub(super) fn host_paths(data: &[u8]) -> Vec<String> {
    hits(data, |rest| ROOTS.iter().any(|root| rest.starts_with(root.as_bytes())) || is_drive(rest))
}

/// Addresses with a scheme.
pub(super) fn urls(data: &[u8]) -> Vec<String> {
    const SCHEMES: [&str; 4] = ["http://", "https://", "ws://", "wss://"];
    hits(data, |rest| SCHEMES.iter().any(|scheme| rest.starts_with(scheme.as_bytes())))
}

/// The texts at which `begins` holds, each up to the first byte that does not belong to a path. The
/// search goes on behind a hit's text, so that a path is named once.
fn hits(data: &[u8], begins: impl Fn(&[u8]) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = data;
    while !rest.is_empty() {
        let skip = if begins(rest) {
            let len = rest.iter().take(SHOWN).take_while(|byte| is_path(**byte)).count().max(1);
            found.push(String::from_utf8_lossy(rest.get(..len).unwrap_or(rest)).into_owned());
            len
        } else {
            1
        };
        rest = rest.get(skip..).unwrap_or_default();
    }
    found
}

/// `C:\Users\ann` and its like: a drive and two folders of two letters or more. Less would show up by
/// chance in tables of bytes, such as those of the legacy encodings.
fn is_drive(rest: &[u8]) -> bool {
    let [drive, b':', b'\\', path @ ..] = rest else { return false };
    let folder = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let mut folders = path.split(|byte| *byte == b'\\');
    let first = folders.next().unwrap_or_default();
    let second = folders.next().unwrap_or_default();
    drive.is_ascii_uppercase()
        && first.len() >= 2
        && first.iter().all(folder)
        && second.iter().take_while(|byte| folder(byte)).count() >= 2
}

/// Printable and neither a blank nor a quotation mark.
fn is_path(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'"' && byte != b'\'' && byte != b'`'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_host_paths() {
        for path in [
            "/home/ann/hedui/protocol/src/seal.rs",
            "/root/.cargo/registry/src/x/lib.rs",
            "/Users/ann/src/lib.rs",
            "C:\\Users\\ann\\lib.rs",
            "/nix/store/abc-rust/lib.rs",
        ] {
            let data = format!("\0\x01at {path} \0tail");
            assert_eq!(host_paths(data.as_bytes()), [path]);
        }
        // Merged strings have nothing between them.
        assert_eq!(host_paths(b"src/a.rs/tmp/b.rs").len(), 1);
        assert_eq!(host_paths(b"x.cargo/registry/src").len(), 1);
    }

    #[test]
    fn remapped_names_are_no_host_paths() {
        for path in [
            "/src/protocol/src/seal.rs",
            "/cargo/blake3-1.8.7/src/lib.rs",
            "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/core/src/fmt/mod.rs",
            "/rust/deps/dlmalloc-0.2.11/src/dlmalloc.rs",
            "ratio 3:\\ and C: alone",
            "O:\\d and R:\\Sg|p5rL in a table",
        ] {
            assert_eq!(host_paths(path.as_bytes()), Vec::<String>::new());
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        let path = format!("/home/{}", "x".repeat(500));
        assert!(host_paths(path.as_bytes()).iter().all(|path| path.len() == SHOWN));
    }

    #[test]
    fn finds_urls() {
        assert_eq!(urls(b"see https://example.org/a for more"), ["https://example.org/a"]);
        assert_eq!(urls(b"https:/ no"), Vec::<String>::new());
    }
}

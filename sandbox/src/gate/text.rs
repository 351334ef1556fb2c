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

/// How the name of a machine may end; a longer list finds more words by chance than names.
const DOMAINS: [&str; 14] =
    ["com", "net", "org", "cn", "io", "dev", "gov", "edu", "app", "cloud", "xyz", "top", "info", "local"];

/// A text and where it begins.
type Hit = (usize, String);

/// Paths of the machine that built the module, in the order they stand there.
pub(super) fn host_paths(data: &[u8]) -> Vec<Hit> {
    hits(data, |_, rest| ROOTS.iter().any(|root| rest.starts_with(root.as_bytes())) || is_drive(rest))
}

/// Addresses of machines: with a scheme, by a name such as `a.example.org`, or by four numbers.
pub(super) fn addresses(data: &[u8]) -> Vec<Hit> {
    const SCHEMES: [&str; 6] = ["http://", "https://", "ws://", "wss://", "ftp://", "file://"];
    hits(data, |before, rest| {
        SCHEMES.iter().any(|scheme| rest.starts_with(scheme.as_bytes()))
            || (before.is_none_or(|byte| !is_name(byte)) && (is_host_name(rest) || is_ip_address(rest)))
    })
}

/// The texts at which `begins` holds of the byte before and the bytes from there, each up to the first byte
/// that does not belong to a path. The search goes on behind a hit's text, so that a path is named once.
fn hits(data: &[u8], begins: impl Fn(Option<u8>, &[u8]) -> bool) -> Vec<Hit> {
    let mut found = Vec::new();
    let (mut at, mut before) = (0, None);
    while let Some(rest) = data.get(at..).filter(|rest| !rest.is_empty()) {
        let skip = if begins(before, rest) {
            let len = rest.iter().take(SHOWN).take_while(|byte| is_path(**byte)).count().max(1);
            found.push((at, String::from_utf8_lossy(rest.get(..len).unwrap_or(rest)).into_owned()));
            len
        } else {
            1
        };
        at += skip;
        before = data.get(at - 1).copied();
    }
    found
}

/// `a.example.org`: two labels or more, the first of three characters or more, the last a domain's.
fn is_host_name(rest: &[u8]) -> bool {
    let len = rest.iter().take(SHOWN).take_while(|byte| is_name(**byte)).count();
    let Some(text) = rest.get(..len).and_then(|name| std::str::from_utf8(name).ok()) else { return false };
    let labels: Vec<&str> = text.split('.').collect();
    let [first, .., last] = labels.as_slice() else { return false };
    first.len() >= 3
        && first.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && DOMAINS.contains(last)
}

/// `192.0.2.7`, with nothing of a longer number of parts around it.
fn is_ip_address(rest: &[u8]) -> bool {
    let len = rest.iter().take(16).take_while(|byte| is_name(**byte)).count();
    let Some(text) = rest.get(..len).and_then(|name| std::str::from_utf8(name).ok()) else { return false };
    text.parse::<std::net::Ipv4Addr>().is_ok()
}

/// What a name is made of; one with `_` is no machine's.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
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
            assert_eq!(host_paths(data.as_bytes()), [(5, path.to_owned())]);
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
            assert_eq!(host_paths(path.as_bytes()), []);
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        let path = format!("/home/{}", "x".repeat(500));
        assert!(host_paths(path.as_bytes()).iter().all(|(_, path)| path.len() == SHOWN));
    }

    #[test]
    fn finds_addresses() {
        for address in [
            "https://example.org/a",
            "ws://x",
            "collect.example.com",
            "collect.example.com:443/x",
            "example.cn",
            "192.0.2.7",
            "192.0.2.7:8080",
        ] {
            let data = format!("\0see {address} for more");
            assert_eq!(addresses(data.as_bytes()), [(5, address.to_owned())], "{address}");
        }
    }

    #[test]
    fn other_texts_are_no_addresses() {
        for text in [
            "https:/ no",
            "/src/protocol/src/seal.rs",
            "/cargo/blake3-1.8.7/src/lib.rs",
            "1.2.3.4.5",
            "300.1.2.3",
            "a.cn",
            "std.io_error",
            "roster.token_key",
        ] {
            assert_eq!(addresses(text.as_bytes()), [], "{text}");
        }
    }
}

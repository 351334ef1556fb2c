//! The page and the module: which headers each gets, and which names are served at all.

use std::fs;
use std::os::unix::fs::symlink;

use host::headers::{self, Kind};

use crate::fixture::*;

fn with_pages() -> TestHost {
    TestHost::start_with(|config| {
        let root = config.data_dir.parent().unwrap().to_owned();
        let (web, artifact) = (root.join("web"), root.join("artifact"));
        fs::create_dir_all(web.join("audit")).unwrap();
        fs::create_dir_all(web.join("a/b/c/d")).unwrap();
        fs::create_dir_all(web.join(".git")).unwrap();
        fs::create_dir_all(&artifact).unwrap();
        for (name, text) in [
            ("index.html", "<script type=module src=app.js></script>"),
            ("pinned.html", "<script type=module src=app.js integrity=sha256-AAAA></script>"),
            ("audit/index.html", "<p>no script</p>"),
            ("app.js", "export {}"),
            ("worker.js", "import './app.js'"),
            ("reader-worker.js", "import './app.js'"),
            ("style.css", "p {}"),
            ("logo.svg", "<svg/>"),
            ("notes.md", "no"),
            ("backup.html~", "no"),
            (".hidden.html", "no"),
            (".git/config.txt", "no"),
            ("a/b/c/ok.txt", "yes"),
            ("a/b/c/d/deep.txt", "no"),
            ("with space.html", "no"),
        ] {
            fs::write(web.join(name), text).unwrap();
        }
        fs::write(root.join("secret.txt"), "secret").unwrap();
        symlink(root.join("secret.txt"), web.join("link.txt")).unwrap();
        symlink(&root, web.join("up")).unwrap();
        for name in ["matcher.wasm", "matcher.js", "other.wasm"] {
            fs::write(artifact.join(name), name).unwrap();
        }
        config.web_dir = Some(web);
        config.artifact_dir = Some(artifact);
    })
}

#[test]
fn every_reply_has_the_headers_of_its_kind() {
    let host = with_pages();
    let html = "text/html; charset=utf-8";
    let script = "text/javascript; charset=utf-8";
    let cases = [
        ("/", 200, html, Kind::Page),
        ("/index.html", 200, html, Kind::Page),
        ("/pinned.html", 200, html, Kind::PinnedPage),
        ("/audit/", 200, html, Kind::Page),
        ("/worker.js", 200, script, Kind::Worker),
        ("/reader-worker.js", 200, script, Kind::Worker),
        ("/app.js", 200, script, Kind::Asset),
        ("/style.css", 200, "text/css; charset=utf-8", Kind::Asset),
        ("/logo.svg", 200, "image/svg+xml", Kind::Asset),
        ("/a/b/c/ok.txt", 200, "text/plain; charset=utf-8", Kind::Asset),
        ("/artifact/matcher.wasm", 200, "application/wasm", Kind::Asset),
        ("/artifact/matcher.js", 200, script, Kind::Asset),
        ("/health", 200, "application/json", Kind::Data),
        ("/api/v1/openapi.json", 200, "application/json", Kind::Data),
        ("/api/v1/rosters", 401, "application/problem+json", Kind::Data),
        ("/nowhere", 404, "application/problem+json", Kind::Data),
        ("/api/v1/nowhere", 404, "application/problem+json", Kind::Data),
    ];
    // Those that HTTP itself adds.
    let plain = ["content-type", "content-length", "date", "connection", "www-authenticate"];
    for (path, status, content_type, kind) in cases {
        let reply = host.client().get(path);
        assert_eq!((reply.status, reply.header("content-type")), (status, Some(content_type)), "{path}");
        let mut got: Vec<(&str, &str)> =
            reply.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        got.retain(|(name, _)| !plain.contains(name));
        let mut expected: Vec<_> = headers::of(kind).collect();
        got.sort_unstable();
        expected.sort_unstable();
        assert_eq!(got, expected, "{path}");
    }
}

#[test]
fn what_the_policies_must_hold() {
    let policy = |kind| headers::of(kind).find(|(name, _)| *name == "content-security-policy").unwrap().1;
    for kind in [Kind::Data, Kind::Page, Kind::PinnedPage, Kind::Worker, Kind::Asset] {
        assert!(policy(kind).starts_with("default-src 'none'"), "{kind:?}");
        for hole in ["unsafe-inline", "'unsafe-eval'", "*", "http:", "https:", "data:"] {
            assert!(!policy(kind).contains(hole), "{kind:?} {hole}");
        }
        assert!(headers::of(kind).any(|header| header == ("x-content-type-options", "nosniff")));
        let mut names: Vec<_> = headers::of(kind).map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), headers::of(kind).count(), "{kind:?} has no header twice");
    }
    assert_eq!(policy(Kind::Worker), "default-src 'none'; script-src 'wasm-unsafe-eval'");
    assert!(!policy(Kind::Page).contains("wasm-unsafe-eval"), "only the Worker compiles");
    assert!(headers::of(Kind::Data).any(|header| header == ("cache-control", "no-store")));
}

#[test]
fn only_listed_names_are_served() {
    let host = with_pages();
    let secret = "secret";
    for path in [
        "/notes.md",
        "/backup.html~",
        "/.hidden.html",
        "/.git/config.txt",
        "/a/b/c/d/deep.txt",
        "/with%20space.html",
        "/link.txt",
        "/up/secret.txt",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/audit/../../secret.txt",
        "/audit/..%5c..%5csecret.txt",
        "//etc/passwd",
        "/etc/passwd",
        "/index.html%00.js",
        "/index.html/",
        "/INDEX.HTML",
        "/audit",
        "/artifact/",
        "/artifact/other.wasm",
        "/artifact/../../secret.txt",
        "/data/host.key",
        "/C:%5csecret.txt",
        "/%E2%80%AEtxt.terces",
        "/api/v1/answers/..%2f..%2fhost.key",
        "/api/v1/rosters/..",
    ] {
        let reply = host.client().get(path);
        assert!(matches!(reply.status, 401 | 404), "{path} {}", reply.status);
        assert!(!String::from_utf8_lossy(&reply.body).contains(secret), "{path}");
    }
    let long = format!("/{}", "a".repeat(4096));
    assert_eq!(host.client().get(&long).status, 404);
    assert_eq!(host.client().send("POST", "/index.html", &[], b"").status, 405);

    // Signed in, a name that is no digest is not found either.
    let world = host.with_rosters();
    for name in
        ["..", "%2e%2e%2f%2e%2e%2fhost.key", "%00", &"A".repeat(64), &"a".repeat(63), &"a".repeat(5000)]
    {
        for path in ["agreements", "rosters", "answers"] {
            assert_eq!(world.as_centre.get(&format!("/api/v1/{path}/{name}")).status, 404, "{path} {name}");
        }
    }
}

#[test]
fn a_file_that_comes_later_is_not_served() {
    let host = with_pages();
    fs::write(host.directory.path().join("web/late.html"), "late").unwrap();
    fs::write(host.directory.path().join("web/index.html"), "changed").unwrap();
    assert_eq!(host.client().get("/late.html").status, 404);
    assert!(!host.client().get("/").body.starts_with(b"changed"));
}

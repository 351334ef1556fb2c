//! The offline edition: the institution's page as one HTML file that carries everything and works from `file://`.
//!
//! Style, icon, scripts of Workers and modules are in it; the page's own modules are linked into one script
//! (`offline/linker.rs`). The policy in its head knows that script and that style by their digests and leaves no
//! connection; a Worker made from a `blob:` inherits it. The same sources give the same bytes, wherever they lie.

mod code;
mod linker;

use crate::shell::{say, workspace};
use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Where it lies, in the workspace.
pub(crate) const PLACE: &str = "target/dist/hedui-offline.html";
/// Modules that are carried, from the folder of artifacts.
const MODULES: &[&str] = &["matcher.wasm", "reader.wasm"];
/// Files of the page that are carried as text: the scripts that become Workers, and the icon.
const TEXTS: &[&str] = &["worker.js", "reader-worker.js", "icon.svg"];
/// The scripts of the two pages, and what stands behind the address of the second one (`web/edition.js`).
const ENTRIES: [&str; 2] = ["page.js", "audit.js"];
const AUDIT: &str = "#audit";

/// What takes the place of what, in `index.html`.
const LINKS: [&str; 3] = [
    r#"    <link rel="icon" href="./icon.svg">"#,
    r#"    <link rel="stylesheet" href="./style.css">"#,
    r#"    <script type="module" src="./page.js"></script>"#,
];
const CHARSET: &str = r#"    <meta charset="utf-8">"#;

/// Writes the offline edition to `out`, says its digest, and returns it as hexadecimal. The modules must have been
/// built.
///
/// # Errors
/// Where a file is missing, or holds something that does not fit into one page.
pub(crate) fn build(out: &Path) -> Result<String> {
    let root = workspace()?;
    let page = page(&root.join("web"), &root.join("target/artifact"))?;
    let folder = out.parent().context("the page needs a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(out, &page).with_context(|| format!("cannot write {}", out.display()))?;
    let digest = hex::encode(Sha256::digest(&page));
    say(&format!("wrote {}, {} bytes", out.display(), page.len()));
    say(&format!("its SHA-256 is {digest}; the agreement names it, on paper by {}", short(&digest)));
    Ok(digest)
}

/// The first 16 of a digest's characters in groups of four, as they are read aloud.
fn short(digest: &str) -> String {
    let first: Vec<char> = digest.chars().take(16).collect();
    let groups: Vec<String> = first.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

/// The page's text, from the folders of the page and of the modules.
fn page(web: &Path, artifact: &Path) -> Result<String> {
    let text = |name: &str| {
        let file = web.join(name);
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
    };
    let mut carried = BTreeMap::new();
    for name in MODULES {
        let file = artifact.join(name);
        let bytes = fs::read(&file)
            .with_context(|| format!("no {}: build it with `cargo xtask wasm`", file.display()))?;
        carried.insert(*name, STANDARD.encode(bytes));
    }
    for name in TEXTS {
        carried.insert(*name, text(name)?);
    }
    let icon = format!("data:image/svg+xml;base64,{}", STANDARD.encode(text("icon.svg")?));
    let style = text("style.css")?;
    ensure!(!style.contains("url(") && !style.contains('<'), "style.css must fetch nothing and hold no <");

    let script = script(&carried, &linker::link(&ENTRIES, text)?)?;
    let policy = policy(&digest(&style), &digest(&script));
    let replaced = [
        format!(r#"    <link rel="icon" href="{icon}">"#),
        format!("    <style>{style}</style>"),
        // Here the body is not there yet; a module would have waited for it.
        String::new(),
    ];
    let mut html = text("index.html")?;
    for (old, new) in LINKS.into_iter().zip(&replaced) {
        html = replace(&html, old, new)?;
    }
    ensure!(!html.contains("./"), "index.html must name no other file");
    let meta = format!("{CHARSET}\n    <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">");
    html = replace(&html, CHARSET, &meta)?;
    html = replace(&html, "  </body>", &format!("    <script>{script}</script>\n  </body>"))?;
    Ok(html)
}

/// Puts `new` in the place of `old`, which must be there once.
fn replace(html: &str, old: &str, new: &str) -> Result<String> {
    ensure!(html.matches(old).count() == 1, "index.html must have one line {old:?}");
    Ok(html.replace(old, new))
}

/// One classic script: what is carried, the modules, and which of the two pages is meant.
fn script(carried: &BTreeMap<&str, String>, modules: &str) -> Result<String> {
    // So written, nothing that is carried can end the script.
    let carried = serde_json::to_string_pretty(carried)?.replace('<', "\\u003c");
    let [page, audit] = ENTRIES.map(|entry| format!("${}", entry.replace('.', "_")));
    Ok(format!(
        "\n'use strict';\n(() => {{\nconst CARRIED = Object.freeze({carried});\n\n{modules}\
         // Which of the two pages this is.\n\
         const audit = location.hash === '{AUDIT}';\n\
         addEventListener('hashchange', () => (location.hash === '{AUDIT}') !== audit && location.reload());\n\
         (audit ? {audit} : {page})();\n}})();\n"
    ))
}

/// Everything that is not named is refused. Links that leave the page are not covered by any policy; the page has none.
fn policy(style: &str, script: &str) -> String {
    format!(
        "default-src 'none'; script-src 'sha256-{script}' 'wasm-unsafe-eval'; style-src 'sha256-{style}'; img-src data:; \
         connect-src 'none'; worker-src blob:; form-action 'none'; base-uri 'none'; \
         require-trusted-types-for 'script'; trusted-types loader"
    )
}

/// SHA-256 as a policy writes it.
fn digest(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of few lines with a module of four bytes.
    fn folders(at: &Path) -> Result<String> {
        let (web, artifact) = (at.join("web"), at.join("artifact"));
        fs::create_dir_all(&web)?;
        fs::create_dir_all(&artifact)?;
        let head = [CHARSET, LINKS[0], LINKS[1], LINKS[2]].join("\n");
        fs::write(web.join("index.html"), format!("<head>\n{head}\n</head>\n<body>\n  </body>\n"))?;
        fs::write(web.join("page.js"), "import { a } from './a.js';\nawait a();\n")?;
        fs::write(web.join("audit.js"), "import { a } from './a.js';\na();\n")?;
        fs::write(web.join("a.js"), "export const a = () => CARRIED;\n")?;
        fs::write(web.join("worker.js"), "// </script>\nonmessage = null;\n")?;
        fs::write(web.join("reader-worker.js"), "onmessage = null;\n")?;
        fs::write(web.join("icon.svg"), "<svg/>")?;
        fs::write(web.join("style.css"), "a > b { color: red }\n")?;
        for name in MODULES {
            fs::write(artifact.join(name), b"\0asm")?;
        }
        page(&web, &artifact)
    }

    #[test]
    fn one_page_carries_everything_and_its_policy_knows_it() {
        let folder = tempfile::tempdir().unwrap();
        let page = folders(folder.path()).unwrap();
        let between = |open: &str, close: &str| {
            let (_, rest) = page.split_once(open).unwrap();
            rest.split_once(close).unwrap().0
        };
        let (script, style) = (between("<script>", "</script>"), between("<style>", "</style>"));
        for text in [script, style] {
            assert!(page.contains(&format!("'sha256-{}'", digest(text))));
        }
        assert!(script.contains(r#""matcher.wasm": "AGFzbQ==""#));
        assert!(script.contains(r#""worker.js": "// \u003c/script>\nonmessage = null;\n""#));
        assert!(script.ends_with("(audit ? $audit_js : $page_js)();\n})();\n"));
        assert!(page.find("http-equiv").unwrap() < page.find("<style>").unwrap());
    }

    #[test]
    fn the_same_sources_give_the_same_bytes_from_any_folder() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let pages = [folders(one.path()).unwrap(), folders(&other.path().join("deeper")).unwrap()];
        assert_eq!(pages[0], pages[1]);
        assert!(!pages[0].contains(one.path().to_str().unwrap()));
    }

    #[test]
    fn a_page_that_would_fetch_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        folders(folder.path()).unwrap();
        let (web, artifact) = (folder.path().join("web"), folder.path().join("artifact"));
        fs::write(web.join("style.css"), "a { background: url(x.png) }").unwrap();
        assert!(page(&web, &artifact).unwrap_err().to_string().contains("style.css"));
        fs::write(web.join("style.css"), "").unwrap();
        let index = fs::read_to_string(web.join("index.html")).unwrap();
        fs::write(web.join("index.html"), index.replace("</head>", "<link href=\"./x.css\"></head>"))
            .unwrap();
        assert!(page(&web, &artifact).unwrap_err().to_string().contains("no other file"));
    }

    #[test]
    fn a_digest_is_read_aloud_in_groups() {
        assert_eq!(short("0123456789abcdef0123"), "0123 4567 89ab cdef");
    }
}

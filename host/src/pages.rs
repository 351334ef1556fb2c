//! The institution's page and the audited module, read into memory once at start and served by exact name.
//! A request never becomes a path, and a file that came later, a link or an unlisted kind of file is not there.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

use axum::body::Bytes;
use axum::extract::{Request, State as Host};
use axum::http::{Method, header};
use axum::response::{IntoResponse as _, Response};

use crate::headers::Kind;
use crate::problem::Refusal;
use crate::state::State;

/// Every kind of file that is served, by its extension.
const TYPES: [(&str, &str); 11] = [
    ("css", "text/css; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/x-icon"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("minisig", "text/plain; charset=utf-8"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("woff2", "font/woff2"),
];

/// What is served of the artifact directory: the modules, and the release that they are of with its signatures.
const ARTIFACTS: [&str; 8] = [
    "matcher.js",
    "matcher.wasm",
    "reader.js",
    "reader.wasm",
    "release.json",
    "release.json.minisig",
    "release.json.1.minisig",
    "release.json.2.minisig",
];

/// How deep folders of the page may nest.
const MAX_DEPTH: usize = 3;

/// All files together; the page and the modules are a small part of it.
const MAX_BYTES: usize = 64 << 20;

/// Files by the path they are asked for under.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    files: HashMap<String, File>,
    bytes: usize,
}

#[derive(Debug)]
struct File {
    kind: Kind,
    content_type: &'static str,
    bytes: Bytes,
}

impl Pages {
    pub(crate) fn read(web: Option<&Path>, artifact: Option<&Path>) -> io::Result<Self> {
        let mut pages = Self::default();
        if let Some(directory) = web {
            pages.read_directory(directory, "/", 0)?;
        }
        if let Some(directory) = artifact {
            for name in ARTIFACTS {
                let path = directory.join(name);
                if path.is_file() {
                    pages.read_file(&path, format!("/artifact/{name}"))?;
                }
            }
        }
        Ok(pages)
    }

    fn read_directory(&mut self, directory: &Path, prefix: &str, depth: usize) -> io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| is_plain(name)) else { continue };
            // The type of the entry itself: a symbolic link is neither.
            let kind = entry.file_type()?;
            if kind.is_dir() && depth < MAX_DEPTH {
                self.read_directory(&entry.path(), &format!("{prefix}{name}/"), depth + 1)?;
            } else if kind.is_file() {
                self.read_file(&entry.path(), format!("{prefix}{name}"))?;
            }
        }
        Ok(())
    }

    fn read_file(&mut self, file: &Path, path: String) -> io::Result<()> {
        let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let Some((_, content_type)) = TYPES.into_iter().find(|(known, _)| *known == extension) else {
            return Ok(());
        };
        let bytes = Bytes::from(fs::read(file)?);
        self.bytes += bytes.len();
        if self.bytes > MAX_BYTES {
            return Err(io::Error::other("the page and the modules have more than 64 MiB"));
        }
        let kind = kind(&path, &bytes);
        if let Some(folder) = path.strip_suffix("index.html") {
            let bytes = bytes.clone();
            self.files.insert(folder.to_owned(), File { kind, content_type, bytes });
        }
        self.files.insert(path, File { kind, content_type, bytes });
        Ok(())
    }
}

/// Letters, digits, `_`, `-` and `.`, and no `.` in front.
fn is_plain(name: &str) -> bool {
    !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

fn kind(path: &str, bytes: &[u8]) -> Kind {
    if path.ends_with(".html") {
        if every_script_is_pinned(&String::from_utf8_lossy(bytes)) { Kind::PinnedPage } else { Kind::Page }
    } else if path.ends_with("/worker.js") || path.ends_with("-worker.js") {
        Kind::Worker
    } else {
        Kind::Asset
    }
}

/// Whether a browser that obeys `Integrity-Policy` would run all scripts that the page names.
fn every_script_is_pinned(html: &str) -> bool {
    let mut tags =
        html.split("<script").skip(1).map(|rest| rest.split('>').next().unwrap_or_default()).peekable();
    tags.peek().is_some() && tags.all(|tag| tag.contains("integrity="))
}

/// Whatever is no route of the API.
pub(crate) async fn page(Host(state): Host<State>, request: Request) -> Result<Response, Refusal> {
    let file = state.pages.files.get(request.uri().path()).ok_or(Refusal::NotFound)?;
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Refusal::Method);
    }
    let mut response = ([(header::CONTENT_TYPE, file.content_type)], file.bytes.clone()).into_response();
    response.extensions_mut().insert(file.kind);
    Ok(response)
}

//! The two modules under wasmtime: where they are found, what they may use, and how the desk starts them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use console::edge::Modules;
use protocol::Digest;
use runner::Instance;
use sandbox::gate::Allow;
use sandbox::{Limits, Metering, Module, Session};

/// What the matcher may use; its own maximum is lower.
pub(crate) const LIMITS: Limits =
    Limits { memory_bytes: 512 << 20, metering: Metering::Deadline(Duration::from_secs(600)) };

/// What the reader of spreadsheets may use: its own maximum is no higher, and the largest sheet takes seconds.
pub(crate) const READER_LIMITS: Limits =
    Limits { memory_bytes: 320 << 20, metering: Metering::Deadline(Duration::from_secs(300)) };

/// A session of the sandbox, as the runner drives it.
pub(crate) struct Sandboxed(pub(crate) Session);

impl Instance for Sandboxed {
    fn call(&mut self, request: Vec<u8>) -> Result<Vec<u8>, String> {
        self.0.call(request).map_err(|error| error.to_string())
    }
}

/// Beside this program, or where `cargo xtask wasm` puts it.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let program = std::env::current_exe().ok();
    let folder = program.as_deref().and_then(Path::parent);
    let beside = folder.map(|folder| folder.join(name));
    let built = folder.map(|folder| folder.join("../artifact").join(name));
    let here = Some(Path::new("target/artifact").join(name));
    [beside, built, here].into_iter().flatten().find(|path| path.is_file())
}

/// The desk's modules, compiled when they are first needed.
pub(crate) struct DeskModules {
    matcher: PathBuf,
    reader: PathBuf,
    loaded: OnceLock<Result<[Module; 2], String>>,
}

impl DeskModules {
    /// Those in two files.
    pub(crate) fn new(matcher: PathBuf, reader: PathBuf) -> Self {
        Self { matcher, reader, loaded: OnceLock::new() }
    }

    fn loaded(&self) -> Result<&[Module; 2], String> {
        let load = |path: &PathBuf, allow: &Allow, limits| {
            let bytes = std::fs::read(path).map_err(|error| error.kind().to_string())?;
            Module::load_as(allow, &bytes, limits).map_err(|error| error.to_string())
        };
        let loaded = self.loaded.get_or_init(|| {
            let both = load(&self.matcher, &Allow::matcher(), LIMITS)
                .and_then(|matcher| Ok([matcher, load(&self.reader, &Allow::reader(), READER_LIMITS)?]));
            both.inspect_err(|error| eprintln!("hedui desk: module: {error}"))
        });
        loaded.as_ref().map_err(Clone::clone)
    }
}

impl Modules for DeskModules {
    fn reader(&self) -> Result<Box<dyn Instance + Send>, String> {
        let [_, reader] = self.loaded()?;
        Ok(Box::new(Sandboxed(reader.session().map_err(|error| error.to_string())?)))
    }

    fn matcher(&self) -> Result<(Box<dyn Instance + Send>, Digest), String> {
        let [matcher, _] = self.loaded()?;
        let session = matcher.session().map_err(|error| error.to_string())?;
        Ok((Box::new(Sandboxed(session)), Digest(matcher.sha256())))
    }
}

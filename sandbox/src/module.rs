//! A module that passed the gate, compiled and ready to be instantiated.

use crate::gate::{self, Allow, Deviation, GateError, Report};
use crate::watchdog::Watchdog;
use crate::{Limits, Metering, Session, SessionError};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;
use wasmtime::{Config, Engine, InstancePre, Linker, WasmFeatures};

/// A module that passed the gate. Compiling takes about half a second, so load once and start a
/// [`Session`] for each exchange; a clone shares the compiled code.
#[derive(Clone)]
pub struct Module {
    pub(crate) engine: Engine,
    pub(crate) instance: InstancePre<crate::limits::Gauge>,
    pub(crate) limits: Limits,
    pub(crate) watchdog: Option<Arc<Watchdog>>,
    sha256: [u8; 32],
    report: Arc<Report>,
}

impl Module {
    /// Inspects `bytes`, refuses them on any deviation from [`Allow::matcher`], and compiles them.
    ///
    /// # Errors
    /// Says whether the file is no module, is off the allow-list, or could not be compiled.
    pub fn load(bytes: &[u8], limits: Limits) -> Result<Self, LoadError> {
        Self::load_as(&Allow::matcher(), bytes, limits)
    }

    /// As [`Module::load`], for a module with another list: the reader.
    ///
    /// # Errors
    /// As [`Module::load`].
    pub fn load_as(allow: &Allow, bytes: &[u8], limits: Limits) -> Result<Self, LoadError> {
        let report = gate::inspect(bytes)?;
        let deviations = report.deviations(allow);
        if !deviations.is_empty() {
            return Err(LoadError::Deviations(deviations));
        }

        let engine = Engine::new(&config(limits.metering)).map_err(LoadError::compile)?;
        let module = wasmtime::Module::from_binary(&engine, bytes).map_err(LoadError::compile)?;
        // The linker stays empty: a module that asks for anything at all fails here, were it ever to
        // get past the gate.
        let instance = Linker::new(&engine).instantiate_pre(&module).map_err(LoadError::compile)?;
        let watchdog = match limits.metering {
            Metering::Deadline(_) => Some(Arc::new(Watchdog::start(&engine).map_err(LoadError::Watchdog)?)),
            Metering::None | Metering::Fuel(_) => None,
        };
        Ok(Self {
            engine,
            instance,
            limits,
            watchdog,
            sha256: Sha256::digest(bytes).into(),
            report: Arc::new(report),
        })
    }

    /// Starts a session: a fresh instance with memory of its own.
    ///
    /// # Errors
    /// [`SessionError`] where the module's initial memory is over the limit.
    pub fn session(&self) -> Result<Session, SessionError> {
        Session::start(self)
    }

    /// The file's SHA-256, the one a person gets from `sha256sum` and an answer carries.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// What the gate read in the file.
    pub fn report(&self) -> &Report {
        &self.report
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module")
            .field("sha256", &self.report.sha256)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Why a file was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is not a core WebAssembly module.
    #[error(transparent)]
    NotAModule(#[from] GateError),
    /// The file is off the allow-list.
    #[error("the module is off the allow-list: {}", gate::sentences(.0))]
    Deviations(Vec<Deviation>),
    /// wasmtime refused what the gate let pass.
    #[error("the module does not compile: {0}")]
    Compile(String),
    /// The thread that keeps the time could not be started.
    #[error("the watchdog thread could not be started")]
    Watchdog(#[source] std::io::Error),
}

impl LoadError {
    fn compile(error: wasmtime::Error) -> Self {
        Self::Compile(format!("{error:#}"))
    }
}

/// The second wall behind the gate: an engine that knows no feature but the allowed ones.
fn config(metering: Metering) -> Config {
    let mut config = Config::new();
    // wasmparser counts garbage-collected types with the first version; this wasmtime has none.
    let features = Allow::matcher().wasm_features().difference(WasmFeatures::GC_TYPES);
    config.wasm_features(WasmFeatures::all(), false).wasm_features(features, true);
    match metering {
        Metering::None => {}
        Metering::Fuel(_) => {
            config.consume_fuel(true);
        }
        Metering::Deadline(_) => {
            config.epoch_interruption(true);
        }
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    const LIMITS: Limits = Limits { memory_bytes: 1 << 20, metering: Metering::None };

    #[test]
    fn keeps_the_digest_of_the_file() {
        let bytes = sample::echo();
        let module = Module::load(&bytes, LIMITS).unwrap();
        assert_eq!(module.sha256(), <[u8; 32]>::from(Sha256::digest(&bytes)));
        assert_eq!(module.report().sha256, hex::encode(module.sha256()));
    }

    #[test]
    fn refuses_what_the_gate_finds() {
        let bytes = wat::parse_str(r#"(module (import "env" "now" (func)))"#).unwrap();
        let error = Module::load(&bytes, LIMITS).unwrap_err();
        let LoadError::Deviations(found) = &error else { panic!("{error}") };
        assert!(found.contains(&Deviation::ImportPresent { module: "env".into(), name: "now".into() }));
        assert!(error.to_string().contains("imports env.now"), "{error}");
    }

    #[test]
    fn refuses_what_is_no_module() {
        let error = Module::load(b"MZ and then some", LIMITS).unwrap_err();
        assert!(matches!(error, LoadError::NotAModule(_)), "{error}");
    }

    #[test]
    fn the_engine_refuses_other_features_by_itself() {
        let engine = Engine::new(&config(Metering::None)).unwrap();
        for text in [
            "(module (memory i64 1 2))",
            "(module (memory 1 2) (memory 1 2))",
            "(module (func (result externref) ref.null extern))",
            "(module (memory 1 2 shared))",
            "(module (func $f return_call $f))",
        ] {
            let bytes = wat::parse_str(text).unwrap();
            assert!(wasmtime::Module::from_binary(&engine, &bytes).is_err(), "{text}");
        }
    }
}

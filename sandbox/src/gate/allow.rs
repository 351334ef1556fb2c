//! What a module may hold (SPEC §10).

/// What a module may hold. Imports, a start function, custom sections and host paths are never
/// allowed, so there is nothing to say about them here.
#[derive(Clone, Debug)]
pub struct Allow {
    /// The exports: no other name, and no other type.
    pub exports: Vec<AllowedExport>,
    /// The WebAssembly features, by their names in LLVM.
    pub features: Vec<&'static str>,
    /// What its memory may grow to at most, in pages of 64 KiB.
    pub max_pages: u64,
    /// The largest file, in bytes.
    pub max_size: usize,
}

/// An export that a module may have.
#[derive(Clone, Debug)]
pub struct AllowedExport {
    /// Its name.
    pub name: &'static str,
    /// Its type in the WebAssembly text format, as in [`Export::form`](super::Export::form).
    pub form: &'static str,
    /// Whether a module without it is refused.
    pub required: bool,
}

/// What `cargo xtask wasm` links the matcher with: 256 MiB, in pages of 64 KiB.
const MATCHER_MAX_PAGES: u64 = (256 << 20) / 65_536;

/// The matcher's size budget, in bytes.
const MATCHER_MAX_SIZE: usize = 400_000;

/// What `cargo xtask wasm` links the reader with: 320 MiB. A sheet of 1,048,576 rows takes less than that, and
/// with the matcher beside it less than 400 MiB (`tests/tests/real_files.rs`).
const READER_MAX_PAGES: u64 = (320 << 20) / 65_536;

/// The reader's size budget, in bytes: it links readers of five formats, and the tables of old encodings.
const READER_MAX_SIZE: usize = 1_000_000;

impl Allow {
    /// The reader module's allow-list: the matcher's face and features.
    pub fn reader() -> Self {
        Self { max_pages: READER_MAX_PAGES, max_size: READER_MAX_SIZE, ..Self::matcher() }
    }

    /// The matcher module's allow-list.
    pub fn matcher() -> Self {
        let contract = |name, form| AllowedExport { name, form, required: true };
        let constant = |name| AllowedExport { name, form: "(global i32)", required: false };
        Self {
            exports: vec![
                contract("memory", "(memory)"),
                contract("run", "(func (param i32 i32) (result i32 i32))"),
                contract("abi_version", "(func (result i32))"),
                contract("__wbindgen_malloc", "(func (param i32 i32) (result i32))"),
                contract("__wbindgen_free", "(func (param i32 i32 i32))"),
                // Addresses that wasm-bindgen adds for its own glue, which does not use them here.
                constant("__abort_handler"),
                constant("__instance_terminated"),
            ],
            features: vec![
                "bulk-memory",
                "bulk-memory-opt",
                "call-indirect-overlong",
                "multivalue",
                "mutable-globals",
                "nontrapping-fptoint",
                "sign-ext",
                "simd128",
            ],
            max_pages: MATCHER_MAX_PAGES,
            max_size: MATCHER_MAX_SIZE,
        }
    }

    /// The allowed features as wasmparser's and wasmtime's flags.
    #[cfg(feature = "run")]
    pub(crate) fn wasm_features(&self) -> wasmparser::WasmFeatures {
        super::features::flags(&self.features)
    }
}

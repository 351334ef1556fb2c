//! Which WebAssembly features a module needs, found by validating it with ever more of them.

use super::GateError;
use wasmparser::{BinaryReaderError, Validator, WasmFeatures};

/// Every feature of core modules under its name in LLVM, or the proposal's where LLVM has none.
///
/// `reference-types` and `bulk-memory` stand here as wasmparser has them, with the part of each that
/// has a name of its own.
const FEATURES: [(&str, WasmFeatures); 24] = [
    ("mutable-globals", WasmFeatures::MUTABLE_GLOBAL),
    ("nontrapping-fptoint", WasmFeatures::SATURATING_FLOAT_TO_INT),
    ("sign-ext", WasmFeatures::SIGN_EXTENSION),
    ("multivalue", WasmFeatures::MULTI_VALUE),
    ("bulk-memory-opt", WasmFeatures::BULK_MEMORY_OPT),
    ("bulk-memory", WasmFeatures::BULK_MEMORY),
    ("call-indirect-overlong", WasmFeatures::CALL_INDIRECT_OVERLONG),
    ("simd128", WasmFeatures::SIMD),
    ("reference-types", WasmFeatures::REFERENCE_TYPES),
    ("extended-const", WasmFeatures::EXTENDED_CONST),
    ("tail-call", WasmFeatures::TAIL_CALL),
    ("multimemory", WasmFeatures::MULTI_MEMORY),
    ("relaxed-simd", WasmFeatures::RELAXED_SIMD),
    ("atomics", WasmFeatures::THREADS),
    ("exception-handling", WasmFeatures::EXCEPTIONS),
    ("memory64", WasmFeatures::MEMORY64),
    ("function-references", WasmFeatures::FUNCTION_REFERENCES),
    ("gc", WasmFeatures::GC),
    ("wide-arithmetic", WasmFeatures::WIDE_ARITHMETIC),
    ("custom-page-sizes", WasmFeatures::CUSTOM_PAGE_SIZES),
    ("shared-everything-threads", WasmFeatures::SHARED_EVERYTHING_THREADS),
    ("legacy-exceptions", WasmFeatures::LEGACY_EXCEPTIONS),
    ("stack-switching", WasmFeatures::STACK_SWITCHING),
    ("compact-imports", WasmFeatures::COMPACT_IMPORTS),
];

/// Every feature a core module can have; components are something else.
pub(super) fn core() -> WasmFeatures {
    FEATURES.iter().fold(WasmFeatures::MVP, |all, (_, flags)| all | *flags)
}

/// The features named in `names` on top of WebAssembly's first version.
#[cfg(feature = "run")]
pub(super) fn flags(names: &[&str]) -> WasmFeatures {
    FEATURES
        .iter()
        .filter(|(name, _)| names.contains(name))
        .fold(WasmFeatures::MVP, |chosen, (_, flags)| chosen | *flags)
}

/// The features that `bytes` need: with these, and without anything else, they are valid.
pub(super) fn needed(bytes: &[u8]) -> Result<Vec<String>, GateError> {
    let mut enabled = WasmFeatures::MVP;
    let mut names = Vec::new();
    while let Err(error) = validate(bytes, enabled) {
        let (name, flags) = helpful(bytes, enabled, &error).ok_or_else(|| GateError::Invalid {
            message: error.message().to_owned(),
            offset: error.offset(),
        })?;
        enabled |= flags;
        names.push(name.to_owned());
    }
    Ok(names)
}

/// The feature that gets validation past `error`: the one the error names, or else the first with
/// which validation gets further.
fn helpful(
    bytes: &[u8],
    enabled: WasmFeatures,
    error: &BinaryReaderError,
) -> Option<(&'static str, WasmFeatures)> {
    let missing = || FEATURES.iter().filter(|(_, flags)| !enabled.contains(*flags)).copied();
    let named = error.missing_wasm_feature();
    missing().find(|(_, flags)| named == Some(*flags)).or_else(|| {
        missing().find(|(_, flags)| match validate(bytes, enabled | *flags) {
            Ok(()) => true,
            Err(next) => next.offset() > error.offset(),
        })
    })
}

fn validate(bytes: &[u8], features: WasmFeatures) -> Result<(), BinaryReaderError> {
    Validator::new_with_features(features).validate_all(bytes).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Allow;

    #[track_caller]
    fn assert_needs(text: &str, expected: &[&str]) {
        assert_eq!(needed(&wat::parse_str(text).unwrap()).unwrap(), expected, "{text}");
    }

    #[test]
    fn names_what_a_module_needs() {
        assert_needs("(module (func (param f64)))", &[]);
        assert_needs("(module (global (export \"g\") (mut i32) i32.const 0))", &["mutable-globals"]);
        assert_needs("(module (func (param i32) (result i32) local.get 0 i32.extend8_s))", &["sign-ext"]);
        assert_needs("(module (func (result i32 i32) i32.const 0 i32.const 0))", &["multivalue"]);
        assert_needs("(module (func (param v128)))", &["simd128"]);
        assert_needs("(module (func (param externref)))", &["reference-types"]);
        assert_needs("(module (func $f return_call $f))", &["tail-call"]);
        assert_needs("(module (memory i64 1))", &["memory64"]);
        assert_needs("(module (memory 1 1 shared))", &["atomics"]);
        assert_needs("(module (memory 1) (memory 1))", &["multimemory"]);
        assert_needs("(module (tag) (func throw 0))", &["exception-handling"]);
        assert_needs("(module (memory 1 (pagesize 1)))", &["custom-page-sizes"]);
    }

    #[test]
    fn finds_several() {
        assert_needs(
            "(module (memory 1)
               (func (param i32) (result i32)
                 (memory.copy (i32.const 0) (i32.const 1) (local.get 0))
                 (i32.extend8_s (i32.trunc_sat_f32_u (f32.const 1)))))",
            &["bulk-memory-opt", "nontrapping-fptoint", "sign-ext"],
        );
    }

    #[test]
    fn an_invalid_module_stays_invalid() {
        // A result that is not there; the text parser does not check types.
        let bytes = wat::parse_str("(module (func (result i32)))").unwrap();
        assert!(matches!(needed(&bytes), Err(GateError::Invalid { .. })));
        assert!(matches!(needed(b""), Err(GateError::Invalid { .. })));
        let component = b"\0asm\x0d\0\x01\0";
        assert!(matches!(needed(component), Err(GateError::Invalid { .. })));
    }

    #[test]
    fn every_allowed_name_is_known() {
        for name in Allow::matcher().features {
            assert!(FEATURES.iter().any(|(known, _)| *known == name), "{name}");
        }
    }
}

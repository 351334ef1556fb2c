//! Small modules with the contract's face (SPEC §10), for the tests of this crate.

/// A page of linear memory, in bytes.
#[cfg(feature = "run")]
pub(crate) const PAGE: usize = 65_536;

/// A module whose `run` has `body`. Function 3 is `run`; locals 0 and 1 are the request's pointer and
/// length, and the results the reply's.
pub(crate) fn module(body: &str) -> Vec<u8> {
    with(body, "")
}

/// As [`module`], with more fields after the contract's.
pub(crate) fn with(body: &str, fields: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (func (export "abi_version") (result i32) i32.const 1)
            (func (export "__wbindgen_malloc") (param i32 i32) (result i32) i32.const 1024)
            (func (export "__wbindgen_free") (param i32 i32 i32))
            (func (export "run") (param i32 i32) (result i32 i32) {body})
            (memory (export "memory") 1 16)
            {fields})"#
    );
    wat::parse_str(text).unwrap()
}

/// A module that answers each request with the request.
pub(crate) fn echo() -> Vec<u8> {
    module("local.get 0 local.get 1")
}

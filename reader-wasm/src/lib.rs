//! The reader module's face to its runner: `run` and `abi_version`, and nothing else. All the rest is
//! the crate `reader`; why the face is this thin stands in docs/decisions/0002.

use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;

use heap::Heap;
use reader::Session;

#[global_allocator]
static HEAP: Heap = Heap::new();

thread_local! {
    /// One instance, one file.
    static SESSION: RefCell<Session> = const { RefCell::new(Session::Idle) };
}

/// Carries out one request (SPEC §10.2).
#[wasm_bindgen]
pub fn run(request: Vec<u8>) -> Vec<u8> {
    SESSION.with_borrow_mut(|session| reader::run(session, &request))
}

/// Version of the border.
#[wasm_bindgen]
pub fn abi_version() -> u32 {
    reader::ABI_VERSION
}

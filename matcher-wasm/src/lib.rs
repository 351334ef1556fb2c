//! The matcher module's face to its runner: `run` and `abi_version`, and nothing else. All the rest is
//! the crate `matcher`.
//!
//! `Vec<u8>` in and out, no `Result`, no exported struct, no JavaScript value: that is what keeps the
//! import section empty (docs/decisions/0002). The request is owned, so that it can be wiped.

use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;

use heap::Heap;
use matcher::session::Session;

#[global_allocator]
static HEAP: Heap = Heap::new();

thread_local! {
    /// One instance, one session.
    static SESSION: RefCell<Session> = const { RefCell::new(Session::Idle) };
}

/// Carries out one request (SPEC §10).
#[wasm_bindgen]
pub fn run(request: Vec<u8>) -> Vec<u8> {
    HEAP.reserve();
    let reply = SESSION
        .with_borrow_mut(|session| matcher::run_telling(session, request, |sealing| HEAP.seal(sealing)));
    wipe_stack();
    reply
}

/// Bytes of the stack that a request may have reached; the module's stack has 1 MiB.
const STACK_BYTES: usize = 512 << 10;

/// Fills with zeros the stack that the request has left, where copies of keys and numbers lay. `hedui audit` searches
/// memory afterwards.
#[inline(never)]
fn wipe_stack() {
    std::hint::black_box(&mut [0_u8; STACK_BYTES]);
}

/// Version of the border.
#[wasm_bindgen]
pub fn abi_version() -> u32 {
    matcher::ABI_VERSION
}

//! The institution's side: its customer export in, a sealed answer out.
//!
//! `matcher-wasm` makes the audited `.wasm` file of it; tests and benches call it natively as well. Bytes go in and
//! bytes come out ([`run`]); nothing else crosses the border. Read first: [`request`] (the border),
//! [`session`] (open, push, finish, read), then [`matching`] (a run over files) and `row` (what happens to a row), and
//! from there [`layout`], [`damage`], [`cell`] and [`findings`]. Cutting and the short way of a row are the crate `rows`.

pub mod base_data;
pub mod cell;
pub mod counts;
pub mod damage;
pub mod delimiter;
pub mod error;
pub mod findings;
mod found;
pub mod gb18030;
pub mod keys;
pub mod layout;
pub mod matching;
pub mod part;
pub mod preview;
pub mod request;
pub mod roles;
mod row;
pub mod session;
pub mod set_aside;
pub mod text;

use request::{Op, Request};
use session::Session;

/// Version of the module's border (SPEC §10).
pub const ABI_VERSION: u32 = 1;

/// As [`run`], for a runner whose allocator wants to know when sealing begins and ends: with the last row's file
/// closed, and with any request that is not about the answer.
pub fn run_telling(session: &mut Session, request: Vec<u8>, tell: impl Fn(bool)) -> Vec<u8> {
    let op = request.first().copied().and_then(Op::from_byte);
    let sealing = matches!(op, Some(Op::NextFile | Op::Finish | Op::Read | Op::SetAside | Op::Copy));
    if !sealing {
        tell(false);
    }
    if op == Some(Op::Finish) {
        // What was found decides what closing a file costs; sealing begins behind it.
        let closed = run(session, vec![Op::NextFile as u8]);
        if closed.first() != Some(&0) {
            return closed;
        }
        tell(true);
    }
    let reply = run(session, request);
    tell(sealing);
    reply
}

/// Carries out one request of a session: `0x00 ‖ result` or `0x01 ‖ error JSON`.
pub fn run(session: &mut Session, request: Vec<u8>) -> Vec<u8> {
    match session.run(&Request::new(request)) {
        Ok(mut result) => {
            result.insert(0, 0);
            result
        }
        Err(error) => {
            let mut reply = vec![1];
            reply.extend(keys::reply(&error));
            reply
        }
    }
}

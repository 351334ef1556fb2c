//! Spreadsheets as institutions have them in, plain delimited text out: what the matcher reads.
//!
//! `reader-wasm` makes the audited `.wasm` file of it; it holds no key and knows no roster. Nothing but bytes crosses
//! the border ([`run`]). It is meant for its sandbox: files come from strangers, so what the libraries beneath do
//! with a broken one (stop, or ask for more memory than there is) ends the instance, and the runner says so.
//! Read first: [`session`] (begin, push, sheets, sheet, read, ended), then `book` (one file, its sheets) and
//! `archive` (what is refused before anything is unpacked). What a cell becomes is `number` and `row`.

mod archive;
mod book;
mod cells;
mod compound;
mod decode;
mod error;
mod html;
mod kind;
mod markup;
mod number;
mod ods;
mod row;
pub mod session;
mod sheet_text;
mod xls;
mod xml2003;

pub use error::ReadError;
pub use session::{Op, Session};

/// Version of the module's border (SPEC §10.2).
pub const ABI_VERSION: u32 = 1;

/// Carries out one request of a session: `0x00 ‖ result` or `0x01 ‖ error JSON`.
pub fn run(session: &mut Session, request: &[u8]) -> Vec<u8> {
    let (status, rest) = match session.run(request) {
        Ok(result) => (0, result),
        Err(error) => (1, error.json()),
    };
    let mut reply = Vec::with_capacity(1 + rest.len());
    reply.push(status);
    reply.extend(rest);
    reply
}

//! Step 7: a case's papers bound together and closed ([`file`]), how long they are kept ([`retention`]), taken out
//! as an open folder ([`export`]), and destroyed by two persons when their time is over ([`destroy`]).

pub mod destroy;
pub mod export;
pub mod file;
pub mod retention;

pub use crate::report::ReportError as ArchiveError;

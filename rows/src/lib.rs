//! The path of a row: from the bytes of a delimited text to the entry of a roster.
//!
//! All that happens to each of ten million rows stands in this crate, so that it can be compiled for speed while the
//! rest of the module is compiled for size, and so that a reviewer can read it in one sitting. The crate
//! `matcher` drives it and does everything that few rows need. Read first: [`records`] (cutting), then [`short`]
//! (the way of a row that is nothing but a resident's), and from there [`separators`] and [`lookup`].
//!
//! Nothing here is generic and `matcher` is called back through [`Rest`] only: what is compiled is compiled here.

pub mod density;
pub mod lookup;
pub mod records;
mod separators;
pub mod short;
mod thorough;

pub use density::{Density, Enumeration};
pub use lookup::Lookup;
pub use records::{CutError, Cutter, Flow, Record, Rest};
pub use short::{Short, Tally};

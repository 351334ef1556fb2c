//! Whole exchanges through the built artifact: stories, a real browser, hostile inputs.
//!
//! [`world`] makes their data, and knows the truth about it by a path of its own.

pub mod world;

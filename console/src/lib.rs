//! The centre's desk as a web console.

pub mod edge;
pub mod store;

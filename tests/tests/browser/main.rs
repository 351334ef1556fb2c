//! The module and the page in Chromium. What counts as a failure: one byte of an answer that depends on who
//! ran the module; a clerk's path through the page at whose end somebody is missed or somebody is wrong; a
//! damaged file that is taken, or refused without saying what happened to it; a step that can't be taken by keys alone;
//! an answer that leaves before it was approved; a log whose chain does not hold; a department's table that anybody but the
//! centre opens, or that is another one then.
//!
//! Each step leaves a picture in `target/screens`. One program, so that everything is linked once; a file is a theme.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which stop at the first surprise"
)]

mod office;

mod approval;
mod audit;
mod files;
mod language;
mod module;
mod path;
mod refusals;
mod sending;
mod table;

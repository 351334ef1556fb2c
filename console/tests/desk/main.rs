//! The desk over HTTP, its router called directly: who may do what, and what is left on the disk.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which stop at the first surprise"
)]

mod at_rest;
mod bank;
mod cosigning;
mod doors;
mod duties;
mod matrix;
mod office;
mod papers;
mod review;
mod seeds;
mod steps;
mod story;

//! The centre's desk as a web console: from a signed authorisation to a report in the archive.
//!
//! The crate is between the pure `desk` (documents, rosters, opening), which it uses, and the command line,
//! which starts it (`hedui desk serve`). Read [`store`] first: what may lie on the disk and how; then
//! [`staff`]: who may do what; then `pages/routes.rs`: how a request gets to a handler.
//!
//! Borders, from the bottom up; each uses only those above it:
//!
//! | Module | Tables (migration) | What it does |
//! |---|---|---|
//! | [`edge`] | | clock and randomness, handed in |
//! | [`store`] | `vault`, `sequences`, `log`, `checkpoints`, `settings` (0001) | one file, one writer; sealed columns, blind index, log, backup, verify |
//! | [`staff`] | `staff`, `sessions` (0001) | accounts, passwords, one-time codes, sessions |
//! | [`cases`] | `holidays` (0001), people, households, authorisations, cases (0002) | steps 1–3: authorisation, commission, acceptance |
//! | [`dispatch`] | institutions, agreements, batches, rosters, answers (0003) | step 4: matching |
//! | [`review`] | openings, findings, declarations, exclusions, rules, reviews (0004) | step 5: two officers open, a second person confirms |
//! | [`report`] | reports, objections (0005) | step 6 |
//! | [`archive`], [`recheck`], [`notice`], [`counters`] | archives, destroy lists, notices, re-checks (0006) | step 7 |
//! | [`settings`], [`nightly`] | setting changes (0008) | what a centre sets for itself; the backup of every night |
//! | [`pages`] | | HTML, a file an area, with the routes and the roles that may use them |
//!
//! Rules that every module keeps: nothing about a person is bound to a statement in clear, only through
//! [`store::Write::seal`]; each change appends to the log in its own transaction; whoever checks is another
//! person than whoever made ([`staff::Clerk::same_person`]); errors name fields, never values.

pub mod archive;
pub mod cases;
pub mod console;
pub mod counters;
pub mod dispatch;
pub mod edge;
pub mod jobs;
pub mod nightly;
pub mod notice;
pub mod pages;
pub mod recheck;
pub mod relay;
pub mod report;
pub mod review;
pub mod serve;
pub mod settings;
pub mod staff;
pub mod store;
pub mod words;

pub use console::{Centre, Config, Console};
pub use store::Store;

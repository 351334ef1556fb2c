//! The commands, a file each.

pub(crate) mod account;
pub(crate) mod agreement;
pub(crate) mod audit;
pub(crate) mod cosign;
pub(crate) mod desk;
pub(crate) mod exchange;
pub(crate) mod host;
pub(crate) mod inspect;
pub(crate) mod key;
pub(crate) mod matching;
pub(crate) mod open;
pub(crate) mod proof;
pub(crate) mod roster;
pub(crate) mod roster_cosign;
pub(crate) mod seal_file;

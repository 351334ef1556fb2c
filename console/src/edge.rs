//! Time, randomness and the sandboxed modules, handed in from outside: a test can set each, and nothing here links
//! what runs a module.

use std::time::{SystemTime, UNIX_EPOCH};

use protocol::{Digest, Time};
use runner::Instance;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Now, to the second; `None` outside the years 1970 to 2199.
    fn now(&self) -> Option<Time>;
}

/// The computer's own clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Option<Time> {
        Time::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs())
    }
}

/// Draws bytes that nobody can guess.
pub trait Randomness: Send + Sync + 'static {
    /// Fills `bytes`; `None` when the source has nothing to give.
    fn fill(&self, bytes: &mut [u8]) -> Option<()>;
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&self, bytes: &mut [u8]) -> Option<()> {
        getrandom::fill(bytes).ok()
    }
}

/// Starts the sandboxed modules (SPEC §10), each instance with memory and time of its own, and both bounded.
pub trait Modules: Send + Sync + 'static {
    /// A fresh reader of spreadsheets, for one file.
    ///
    /// # Errors
    /// Why there is none.
    fn reader(&self) -> Result<Box<dyn Instance + Send>, String>;

    /// A fresh matcher, and the SHA-256 of its module.
    ///
    /// # Errors
    /// Why there is none.
    fn matcher(&self) -> Result<(Box<dyn Instance + Send>, Digest), String>;
}

/// `YYYY-MM-DD HH:MM` in China.
pub fn local_minute(time: Time) -> String {
    let (day, seconds) = time.china();
    format!("{day} {:02}:{:02}", seconds / 3_600, seconds / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minute_is_the_one_in_china() {
        let at = |text: &str| local_minute(text.parse::<Time>().unwrap());
        assert_eq!(at("2026-11-22T15:59:59Z"), "2026-11-22 23:59");
        assert_eq!(at("2026-11-22T16:05:00Z"), "2026-11-23 00:05");
    }
}

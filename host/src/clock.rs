//! Time and randomness, handed in from outside so that a test can set both.

use std::time::{SystemTime, UNIX_EPOCH};

use protocol::Time;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Now, to the second; `None` when the clock is outside the years 1970 to 2199, where nothing is accepted.
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

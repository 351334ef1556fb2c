//! The clock behind [`Metering::Deadline`](crate::Metering::Deadline): a thread that advances the
//! engine's epoch at a steady tick for as long as the module or one of its sessions lives.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use wasmtime::Engine;

/// Short beside the deadlines in use (seconds), long beside a context switch.
const TICK: Duration = Duration::from_millis(20);

/// Advances an engine's epoch until it is dropped.
pub(crate) struct Watchdog {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    pub(crate) fn start(engine: &Engine) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let engine = engine.weak();
        let thread = thread::Builder::new().name("sandbox-watchdog".into()).spawn(move || {
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread cannot panic; were it to, the clock would have stopped with it either way.
            let _ = thread.join();
        }
    }
}

/// How many ticks to wait so that at least `deadline` passes: rounded up, and one more because the
/// tick that is under way may end at once.
pub(crate) fn ticks(deadline: Duration) -> u64 {
    let ticks = deadline.as_nanos().div_ceil(TICK.as_nanos());
    u64::try_from(ticks).unwrap_or(u64::MAX - 1).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_never_comes_early() {
        assert_eq!(ticks(Duration::ZERO), 1);
        assert_eq!(ticks(Duration::from_millis(1)), 2);
        assert_eq!(ticks(Duration::from_millis(20)), 2);
        assert_eq!(ticks(Duration::from_millis(21)), 3);
        assert_eq!(ticks(Duration::MAX), u64::MAX);
    }

    #[test]
    fn it_ends_with_its_owner() {
        let watchdog = Watchdog::start(&Engine::default()).unwrap();
        drop(watchdog);
    }
}

//! What a session may use, and the gauge that wasmtime asks before memory grows.

use std::time::Duration;
use wasmtime::ResourceLimiter;

/// What a session of a module may use at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Linear memory, in bytes. The module's own maximum holds as well; the smaller one decides.
    pub memory_bytes: usize,
    /// How running time is measured and bounded.
    pub metering: Metering,
}

/// How running time is measured and bounded. It is compiled into the module, so it is chosen once,
/// when the module is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metering {
    /// Not at all. For modules whose input is known, such as in a benchmark.
    None,
    /// By instructions, this many for the whole session. The count is the same on every machine and
    /// equal for inputs of equal shape, which is what the constant-work test compares.
    Fuel(u64),
    /// By the clock: each call may take this long. Cheaper than fuel and what production uses. The
    /// clock ticks every 20 ms; a call is stopped at the first tick or two past its deadline.
    Deadline(Duration),
}

/// Answers wasmtime's question whether memory may grow, and remembers a refusal.
///
/// A refused `memory.grow` returns -1, as it does in a browser, so a module behaves alike in both;
/// the memory of the refusal is what tells a full memory from any other panic.
#[derive(Debug)]
pub(crate) struct Gauge {
    memory_bytes: usize,
    refused: bool,
}

/// Tables hold only function references for indirect calls; Rust's are far smaller than this.
const MAX_TABLE_ELEMENTS: usize = 20_000;

impl Gauge {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { memory_bytes: limits.memory_bytes, refused: false }
    }

    /// Says whether memory was refused since the last call of this, and forgets it.
    pub(crate) fn take_refused(&mut self) -> bool {
        std::mem::take(&mut self.refused)
    }
}

impl ResourceLimiter for Gauge {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let within = desired <= self.memory_bytes && maximum.is_none_or(|maximum| desired <= maximum);
        self.refused |= !within;
        Ok(within)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        1
    }

    fn memories(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        1
    }
}

//! One instance of a module, from its first call to its last (SPEC §10).

use crate::limits::Gauge;
use crate::watchdog::{self, Watchdog};
use crate::{Metering, Module};
use std::fmt;
use std::sync::Arc;
use wasmtime::{Memory, Store, Trap, TypedFunc};
use zeroize::Zeroizing;

/// A running instance. It sees nothing but the requests it is handed, and its memory is wiped when
/// it is dropped.
pub struct Session {
    store: Store<Gauge>,
    memory: Memory,
    run: TypedFunc<(u32, u32), (u32, u32)>,
    abi_version: TypedFunc<(), u32>,
    malloc: TypedFunc<(u32, u32), u32>,
    free: TypedFunc<(u32, u32, u32), ()>,
    metering: Metering,
    ended: bool,
    /// Keeps the clock running for as long as this session may need it.
    _watchdog: Option<Arc<Watchdog>>,
}

/// Requests and replies are byte strings: SPEC §10 has alignment 1 in both calls of the allocator.
const ALIGNMENT: u32 = 1;

impl Session {
    pub(crate) fn start(module: &Module) -> Result<Self, SessionError> {
        let mut store = Store::new(&module.engine, Gauge::new(&module.limits));
        store.limiter(|gauge| gauge);
        let metering = module.limits.metering;
        arm(&mut store, metering);
        if let Metering::Fuel(budget) = metering {
            store.set_fuel(budget).map_err(SessionError::instance)?;
        }

        let instance = match module.instance.instantiate(&mut store) {
            Ok(instance) => instance,
            Err(_) if store.data_mut().take_refused() => return Err(SessionError::MemoryLimit),
            Err(error) => return Err(SessionError::instance(error)),
        };
        let memory =
            instance.get_memory(&mut store, "memory").ok_or(SessionError::Instance("no memory".into()))?;
        let run = instance.get_typed_func(&mut store, "run").map_err(SessionError::instance)?;
        let abi_version =
            instance.get_typed_func(&mut store, "abi_version").map_err(SessionError::instance)?;
        let malloc =
            instance.get_typed_func(&mut store, "__wbindgen_malloc").map_err(SessionError::instance)?;
        let free = instance.get_typed_func(&mut store, "__wbindgen_free").map_err(SessionError::instance)?;
        Ok(Self {
            store,
            memory,
            run,
            abi_version,
            malloc,
            free,
            metering,
            ended: false,
            _watchdog: module.watchdog.clone(),
        })
    }

    /// Hands over one request and returns the reply. The request is wiped here; the module wipes the
    /// copy it was given.
    ///
    /// # Errors
    /// After any error but [`TrapError::RequestTooLarge`] the session has ended, because a module
    /// that stopped half way may have left its memory in any state; start another.
    pub fn call(&mut self, request: Vec<u8>) -> Result<Vec<u8>, TrapError> {
        let request = Zeroizing::new(request);
        let len = u32::try_from(request.len()).map_err(|_| TrapError::RequestTooLarge)?;
        self.guarded(|session| session.exchange(&request, len))
    }

    /// The version of the calls that the module understands; 1 for SPEC §10.
    ///
    /// # Errors
    /// As for [`Session::call`].
    pub fn abi_version(&mut self) -> Result<u32, TrapError> {
        self.guarded(|session| Ok(session.abi_version.call(&mut session.store, ())?))
    }

    /// The size of the linear memory now, in bytes. It never shrinks.
    pub fn memory_bytes(&self) -> usize {
        self.memory.data_size(&self.store)
    }

    /// The linear memory itself, so that a test can look for what should have been wiped.
    pub fn memory(&self) -> &[u8] {
        self.memory.data(&self.store)
    }

    /// The instructions used since the session started, or none when fuel does not meter it.
    pub fn fuel_used(&self) -> Option<u64> {
        match self.metering {
            Metering::Fuel(budget) => Some(budget.saturating_sub(self.store.get_fuel().ok()?)),
            Metering::None | Metering::Deadline(_) => None,
        }
    }

    /// `p = __wbindgen_malloc(len, 1)`; write; `(q, n) = run(p, len)`; read; `__wbindgen_free(q, n, 1)`.
    fn exchange(&mut self, request: &[u8], len: u32) -> Result<Vec<u8>, Failure> {
        let p = self.malloc.call(&mut self.store, (len, ALIGNMENT))?;
        block(self.memory.data_mut(&mut self.store), p, len)
            .ok_or(Failure::BadReply("request block"))?
            .copy_from_slice(request);
        let (q, n) = self.run.call(&mut self.store, (p, len))?;
        if n == 0 {
            // A reply starts with its status.
            return Err(Failure::BadReply("status"));
        }
        let reply = block(self.memory.data_mut(&mut self.store), q, n)
            .ok_or(Failure::BadReply("reply block"))?
            .to_vec();
        self.free.call(&mut self.store, (q, n, ALIGNMENT))?;
        Ok(reply)
    }

    /// Runs `work` under a fresh deadline and ends the session when it fails.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, TrapError> {
        if self.ended {
            return Err(TrapError::Ended);
        }
        self.store.data_mut().take_refused();
        arm(&mut self.store, self.metering);
        work(self).map_err(|failure| {
            self.ended = true;
            failure.explain(self.store.data_mut().take_refused())
        })
    }
}

impl Drop for Session {
    /// Wipes the instance's memory before it goes back to the system. `black_box` keeps the write,
    /// which nothing reads, from being left out.
    fn drop(&mut self) {
        let memory = self.memory.data_mut(&mut self.store);
        memory.fill(0);
        std::hint::black_box(memory);
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// Why a session did not start.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The module's initial memory is over [`Limits::memory_bytes`](crate::Limits::memory_bytes).
    #[error("the module's initial memory is over the limit")]
    MemoryLimit,
    /// The instance could not be made; the gate should have refused such a module.
    #[error("the module could not be instantiated: {0}")]
    Instance(String),
}

impl SessionError {
    fn instance(error: wasmtime::Error) -> Self {
        Self::Instance(format!("{error:#}"))
    }
}

/// Why a call gave no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrapError {
    /// The session's fuel ([`Metering::Fuel`]) is used up.
    #[error("the module ran out of fuel")]
    OutOfFuel,
    /// The call took longer than [`Metering::Deadline`] allows.
    #[error("the module ran past its deadline")]
    Deadline,
    /// The module needed more memory than it may have, and stopped.
    #[error("the module needs more memory than it may have")]
    MemoryLimit,
    /// The module stopped by itself; a panic shows as a trap on `unreachable`.
    #[error("the module stopped: {0}")]
    Trap(String),
    /// The named part of the exchange does not lie in the module's memory, or is missing.
    #[error("the module's {0} is not in its memory")]
    BadReply(&'static str),
    /// The request does not fit a 32-bit length.
    #[error("the request is longer than 4 GiB")]
    RequestTooLarge,
    /// An earlier call of this session failed.
    #[error("the session has ended")]
    Ended,
}

/// What stopped an exchange, before it is known whether memory ran out on the way.
enum Failure {
    Call(wasmtime::Error),
    BadReply(&'static str),
}

impl Failure {
    /// `refused` says that the module asked for memory in vain during this call; Rust aborts then,
    /// which shows as the same trap as a panic.
    fn explain(self, refused: bool) -> TrapError {
        let error = match self {
            Self::BadReply(part) => return TrapError::BadReply(part),
            Self::Call(error) => error,
        };
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => TrapError::OutOfFuel,
            Some(Trap::Interrupt) => TrapError::Deadline,
            Some(Trap::UnreachableCodeReached) if refused => TrapError::MemoryLimit,
            Some(trap) => TrapError::Trap(trap.to_string()),
            None => TrapError::Trap(error.root_cause().to_string()),
        }
    }
}

impl From<wasmtime::Error> for Failure {
    fn from(error: wasmtime::Error) -> Self {
        Self::Call(error)
    }
}

/// Sets the deadline of the next call; nothing to do for other meterings.
fn arm(store: &mut Store<Gauge>, metering: Metering) {
    if let Metering::Deadline(deadline) = metering {
        store.epoch_deadline_trap();
        store.set_epoch_deadline(watchdog::ticks(deadline));
    }
}

/// The block at `at` of `len` bytes, where it lies within `memory`.
fn block(memory: &mut [u8], at: u32, len: u32) -> Option<&mut [u8]> {
    let start = usize::try_from(at).ok()?;
    let end = start.checked_add(usize::try_from(len).ok()?)?;
    memory.get_mut(start..end)
}

#[cfg(test)]
mod tests;

//! The only place that asks the system for the time and for randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use protocol::Time;
use protocol::secret::Entropy;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Now, by the system's clock.
pub(crate) fn now() -> Result<Time, Failure> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let wrong = || Failure::new("clock", "clock", "the system's clock shows no time between 1970 and 2199");
    since.and_then(|since| Time::from_unix(since.as_secs())).ok_or_else(wrong)
}

/// 32 bytes from the system.
pub(crate) fn entropy() -> Result<Entropy, Failure> {
    Ok(Entropy::new(&*entropy_bytes()?)?)
}

/// 32 bytes from the system, for the module.
pub(crate) fn entropy_bytes() -> Result<Zeroizing<[u8; 32]>, Failure> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes)
        .map_err(|_| Failure::new("entropy", "entropy", "the system gives no randomness"))?;
    Ok(bytes)
}

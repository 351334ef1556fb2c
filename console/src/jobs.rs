//! Long work: begun by a request, looked at by the next ones. A job lives in memory alone; what it does to the
//! database is one transaction, so that a job that dies has done nothing.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Finished jobs that are kept to be looked at.
const KEPT: usize = 200;

/// All jobs of this run.
#[derive(Debug, Default)]
pub struct Jobs {
    next: AtomicU64,
    all: Mutex<HashMap<u64, (i64, Arc<Job>)>>,
}

/// One job.
#[derive(Debug, Default)]
pub struct Job {
    done: AtomicU64,
    of: AtomicU64,
    outcome: Mutex<Option<Outcome>>,
}

/// How a job ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Go there.
    Done(String),
    /// Nothing was changed; the rows, fields and codes that are wrong, in the dictionary's keys.
    Defects(Arc<Vec<crate::cases::template::Defect>>),
    /// A rule forbids it: the key of the sentence in the dictionary.
    Refused(&'static str),
    /// It failed for a reason that is in the log of the program.
    Failed,
}

impl Jobs {
    /// A new job of an account.
    pub fn begin(&self, staff: i64) -> (u64, Arc<Job>) {
        let id = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        let job = Arc::new(Job::default());
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT
            && let Some(oldest) =
                all.iter().filter(|(_, (_, job))| job.outcome().is_some()).map(|(id, _)| *id).min()
        {
            all.remove(&oldest);
        }
        all.insert(id, (staff, Arc::clone(&job)));
        (id, job)
    }

    /// A job, for the account that began it.
    pub fn find(&self, id: u64, staff: i64) -> Option<Arc<Job>> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&id).filter(|(owner, _)| *owner == staff).map(|(_, job)| Arc::clone(job))
    }
}

impl Job {
    /// Notes how far it is.
    pub fn step(&self, done: usize, of: usize) {
        self.of.store(u64::try_from(of).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.done.store(u64::try_from(done).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How far it is.
    pub fn progress(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.of.load(Ordering::Relaxed))
    }

    /// Ends it.
    pub fn end(&self, outcome: Outcome) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }

    /// How it ended, once it has.
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

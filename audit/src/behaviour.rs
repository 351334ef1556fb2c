//! The matcher run as it will be run: known answers, the same bytes under other circumstances, and what it takes.

use crate::Finding;
use crate::canary::{self, Canary};
use crate::vectors::{Session, Step};
use sandbox::{Limits, LoadError, Metering, Module, TrapError};
use serde::Serialize;
use std::time::Duration;

/// What a session of the vectors may use: the budget of memory, and fuel for thirty seconds and more of it.
const NARROW: Limits = Limits { memory_bytes: 64 << 20, metering: Metering::Fuel(100_000_000_000) };

/// The other circumstances: more memory, time instead of fuel.
const WIDE: Limits =
    Limits { memory_bytes: 256 << 20, metering: Metering::Deadline(Duration::from_secs(120)) };

/// The only version of the border there is (SPEC §10).
const ABI_VERSION: u32 = 1;

/// What came of it.
#[derive(Debug, Default, Serialize)]
pub struct Behaviour {
    /// Sessions of the vectors.
    pub vectors: usize,
    /// How many of them came out as they must.
    pub passed: usize,
    /// Requests in them.
    pub requests: usize,
    /// Sessions that were run four times: again, with more memory and a clock, cut in other places.
    pub repeated: usize,
    /// How many of them gave the same bytes each time.
    pub same: usize,
    /// Instructions of all sessions, in wasmtime's fuel.
    pub fuel: u64,
    /// The most that one session took.
    pub most_fuel: u64,
    /// The largest linear memory of a session, in bytes.
    pub most_memory_bytes: usize,
    /// What was looked for in linear memory.
    pub canary: Canary,
}

/// Runs a module that the gate let pass, in the file `name`.
///
/// # Errors
/// Where it can't be loaded.
pub fn check(name: &str, bytes: &[u8], sessions: &[Session]) -> Result<(Behaviour, Vec<Finding>), LoadError> {
    let (narrow, wide) = (Module::load(bytes, NARROW)?, Module::load(bytes, WIDE)?);
    let mut done = Behaviour { vectors: sessions.len(), ..Behaviour::default() };
    let mut findings = Vec::new();
    if sessions.is_empty() {
        findings.push(Finding::new("no_vectors", name, "there is no known answer to hold it against"));
    }
    if let Err(message) = abi_version(&narrow) {
        findings.push(Finding::new("abi_version", name, message));
    }
    for session in sessions {
        let place = |step: Option<usize>| match step {
            Some(step) => format!("{name}, vector {}, step {}", session.name, step + 1),
            None => format!("{name}, vector {}", session.name),
        };
        let first = match play(&narrow, &session.steps) {
            Ok(first) => first,
            Err(stopped) => {
                let message = format!("the module does not reply: {}", stopped.error);
                findings.push(Finding::new(code(&stopped.error), place(Some(stopped.step)), message));
                continue;
            }
        };
        done.requests += session.steps.iter().map(|step| step.requests.len()).sum::<usize>();
        done.fuel += first.fuel;
        done.most_fuel = done.most_fuel.max(first.fuel);
        done.most_memory_bytes = done.most_memory_bytes.max(first.memory_bytes);

        match wrong(session, &first.replies) {
            None => done.passed += 1,
            Some((step, message)) => findings.push(Finding::new("vector", place(Some(step)), message)),
        }
        if session.name.starts_with("ok_") {
            done.repeated += 1;
            match differs(&narrow, &wide, session, &first) {
                None => done.same += 1,
                Some(message) => findings.push(Finding::new("not_deterministic", place(None), message)),
            }
        }
    }
    let (canary, found) = canary::check(name, &narrow, sessions);
    done.canary = canary;
    findings.extend(found);
    Ok((done, findings))
}

fn abi_version(module: &Module) -> Result<(), String> {
    let mut session = module.session().map_err(|error| error.to_string())?;
    match session.abi_version() {
        Ok(ABI_VERSION) => Ok(()),
        Ok(other) => Err(format!("the module speaks version {other} of the border, and not {ABI_VERSION}")),
        Err(error) => Err(format!("the module does not reply: {error}")),
    }
}

/// A session that was played.
struct Played {
    /// Replies to each step.
    replies: Vec<Vec<Vec<u8>>>,
    fuel: u64,
    memory_bytes: usize,
}

/// A session that did not come to its end.
struct Stopped {
    step: usize,
    error: TrapError,
}

fn play(module: &Module, steps: &[Step]) -> Result<Played, Stopped> {
    let stopped = |step: usize| move |error: TrapError| Stopped { step, error };
    let mut session = module.session().map_err(|error| stopped(0)(TrapError::Trap(error.to_string())))?;
    let mut replies = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        let of_step: Result<Vec<_>, _> =
            step.requests.iter().map(|request| session.call(request.clone())).collect();
        replies.push(of_step.map_err(stopped(n))?);
    }
    Ok(Played {
        replies,
        fuel: session.fuel_used().unwrap_or_default(),
        memory_bytes: session.memory_bytes(),
    })
}

fn wrong(session: &Session, replies: &[Vec<Vec<u8>>]) -> Option<(usize, String)> {
    session
        .steps
        .iter()
        .zip(replies)
        .enumerate()
        .find_map(|(n, (step, replies))| Some((n, step.expected.check(replies).err()?)))
}

/// The session once more: alike, with more memory and by the clock, and with the files cut in other places,
/// which changes only how often progress is said.
fn differs(narrow: &Module, wide: &Module, session: &Session, first: &Played) -> Option<String> {
    let again = |module: &Module, steps: &[Step], how: &str| match play(module, steps) {
        Ok(played) => Ok(played),
        Err(stopped) => Err(format!("it stops {how}: {}", stopped.error)),
    };
    let found = || -> Result<(), String> {
        let second = again(narrow, &session.steps, "the second time")?;
        if second.replies != first.replies {
            return Err("the replies differ from one time to the next".to_owned());
        }
        if (second.fuel, second.memory_bytes) != (first.fuel, first.memory_bytes) {
            return Err("the instructions or the memory differ from one time to the next".to_owned());
        }
        let wide = again(wide, &session.steps, "where it may have more memory")?;
        if wide.replies != first.replies {
            return Err("the replies differ with the memory it may have, or how time is measured".to_owned());
        }
        let steps: Vec<Step> = session.steps.iter().map(recut).collect();
        let recut = again(narrow, &steps, "with the file cut in other places")?;
        let same = |n: usize, step: &Step| step.op == "push" || recut.replies.get(n) == first.replies.get(n);
        match session.steps.iter().enumerate().find(|(n, step)| !same(*n, step)) {
            Some((_, step)) => Err(format!("the replies of {} differ with how the file is cut", step.op)),
            None => Ok(()),
        }
    };
    found().err()
}

/// The same step with its file in pieces of another length.
fn recut(step: &Step) -> Step {
    let requests = match (step.op.as_str(), step.parts.get("file")) {
        ("push", Some(file)) => file.chunks(1_021).map(|piece| [&[0x02], piece].concat()).collect(),
        _ => step.requests.clone(),
    };
    Step {
        op: step.op.clone(),
        requests,
        expected: crate::vectors::Expected::Taken,
        parts: step.parts.clone(),
    }
}

/// The code of a finding for a session that stops.
fn code(error: &TrapError) -> &'static str {
    match error {
        TrapError::OutOfFuel => "out_of_fuel",
        TrapError::Deadline => "past_deadline",
        TrapError::MemoryLimit => "over_memory",
        _ => "trap",
    }
}

//! A session against modules that do as they should and modules that do not.

use crate::{Limits, Metering, Module, Session, SessionError, TrapError, sample};
use std::time::{Duration, Instant};

const FUEL: Metering = Metering::Fuel(1_000_000);

fn session(bytes: &[u8], metering: Metering) -> Session {
    let limits = Limits { memory_bytes: 4 * sample::PAGE, metering };
    Module::load(bytes, limits).unwrap().session().unwrap()
}

#[test]
fn a_reply_comes_back() {
    for metering in [Metering::None, FUEL, Metering::Deadline(Duration::from_secs(60))] {
        let mut session = session(&sample::echo(), metering);
        assert_eq!(session.abi_version(), Ok(1));
        assert_eq!(session.call(b"one".to_vec()), Ok(b"one".to_vec()));
        assert_eq!(session.call(b"two!".to_vec()), Ok(b"two!".to_vec()));
        assert_eq!(session.memory_bytes(), sample::PAGE);
        assert_eq!(session.memory().len(), sample::PAGE);
    }
}

#[test]
fn fuel_is_the_same_for_the_same_work() {
    let used = |request: &[u8]| {
        let mut session = session(&sample::echo(), FUEL);
        assert_eq!(session.fuel_used(), Some(0));
        session.call(request.to_vec()).unwrap();
        session.fuel_used().unwrap()
    };
    assert_eq!(used(b"one"), used(b"two"));
    assert!(used(b"one") > 0);
    assert_eq!(session(&sample::echo(), Metering::None).fuel_used(), None);
}

#[test]
fn an_endless_loop_runs_out_of_fuel() {
    let mut session = session(&sample::module("(loop br 0) unreachable"), FUEL);
    assert_eq!(session.call(vec![1]), Err(TrapError::OutOfFuel));
    assert_eq!(session.call(vec![1]), Err(TrapError::Ended));
    assert_eq!(session.abi_version(), Err(TrapError::Ended));
    assert_eq!(session.fuel_used(), Some(1_000_000));
}

#[test]
fn an_endless_loop_meets_its_deadline() {
    let mut session =
        session(&sample::module("(loop br 0) unreachable"), Metering::Deadline(Duration::from_millis(50)));
    let started = Instant::now();
    assert_eq!(session.call(vec![1]), Err(TrapError::Deadline));
    assert!(started.elapsed() >= Duration::from_millis(50));
}

#[test]
fn each_call_has_a_deadline_of_its_own() {
    let mut session = session(&sample::echo(), Metering::Deadline(Duration::from_millis(60)));
    for _ in 0..4 {
        std::thread::sleep(Duration::from_millis(40));
        assert_eq!(session.call(vec![7]), Ok(vec![7]));
    }
}

#[test]
fn the_clock_outlives_the_module() {
    let limits =
        Limits { memory_bytes: sample::PAGE, metering: Metering::Deadline(Duration::from_millis(50)) };
    let module = Module::load(&sample::module("(loop br 0) unreachable"), limits).unwrap();
    let mut session = module.session().unwrap();
    drop(module);
    assert_eq!(session.call(vec![1]), Err(TrapError::Deadline));
}

/// Grows by the number of pages in the request's first byte and panics when it gets none, as Rust's
/// allocator does.
const GROW: &str = "
    (if (i32.eq (memory.grow (i32.load8_u (local.get 0))) (i32.const -1)) (then unreachable))
    local.get 0 local.get 1";

#[test]
fn memory_stops_at_the_limit() {
    let bytes = sample::module(GROW);
    assert_eq!(session(&bytes, FUEL).call(vec![3]), Ok(vec![3]));
    assert_eq!(session(&bytes, FUEL).call(vec![4]), Err(TrapError::MemoryLimit));
}

#[test]
fn memory_stops_at_the_modules_own_maximum() {
    let limits = Limits { memory_bytes: 1 << 30, metering: Metering::None };
    let mut session = Module::load(&sample::module(GROW), limits).unwrap().session().unwrap();
    assert_eq!(session.call(vec![200]), Err(TrapError::MemoryLimit));
}

#[test]
fn an_initial_memory_over_the_limit_is_refused() {
    let limits = Limits { memory_bytes: sample::PAGE - 1, metering: Metering::None };
    let error = Module::load(&sample::echo(), limits).unwrap().session().unwrap_err();
    assert!(matches!(error, SessionError::MemoryLimit), "{error}");
}

#[test]
fn a_panic_is_a_trap() {
    let mut session = session(&sample::module("unreachable"), FUEL);
    let error = session.call(vec![1]).unwrap_err();
    let TrapError::Trap(text) = &error else { panic!("{error}") };
    assert!(text.contains("unreachable"), "{text}");
}

#[test]
fn a_deep_recursion_is_a_trap() {
    let mut session =
        session(&sample::module("(call 3 (local.get 0) (local.get 1))"), Metering::Fuel(u64::MAX / 2));
    assert!(matches!(session.call(vec![1]), Err(TrapError::Trap(text)) if text.contains("stack")));
}

#[test]
fn a_reply_out_of_range_is_refused() {
    let page = sample::PAGE;
    for (at, len) in [(page, 1), (page - 1, 2), (u32::MAX as usize, 1), (1, u32::MAX as usize)] {
        let body = format!("i32.const {} i32.const {}", at as u32 as i32, len as u32 as i32);
        let mut session = session(&sample::module(&body), FUEL);
        assert_eq!(session.call(vec![1]), Err(TrapError::BadReply("reply block")), "{at} {len}");
    }
}

#[test]
fn a_reply_without_a_status_is_refused() {
    let mut session = session(&sample::module("i32.const 0 i32.const 0"), FUEL);
    assert_eq!(session.call(vec![1]), Err(TrapError::BadReply("status")));
}

#[test]
fn a_request_that_the_allocator_has_no_room_for_is_refused() {
    // The sample's allocator always answers 1024 and never grows.
    let mut session = session(&sample::echo(), FUEL);
    assert_eq!(session.call(vec![1; sample::PAGE]), Err(TrapError::BadReply("request block")));
}

#[test]
fn nothing_shows_in_debug_but_the_state() {
    let session = session(&sample::echo(), FUEL);
    assert_eq!(format!("{session:?}"), "Session { ended: false, .. }");
}

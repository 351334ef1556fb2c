//! SPEC §5.1: other bytes of a slot.

use e2e::exchange::Setup;
use e2e::world::Sizes;
use protocol::roster::Level;
use protocol::slot::{self, Slot};
use serde_json::json;

use crate::answers::{open, slot_bytes};
use crate::dice::Dice;
use crate::fixture::{Exchange, exchange, full, hit_only};
use e2e::python::Python;

/// Whether each side reads these slots: Rust's word and Python's.
fn slot_verdicts(python: &mut Python, level: Level, slots: &[Vec<u8>]) -> Vec<(bool, bool)> {
    let requests: Vec<_> = slots
        .iter()
        .map(|bytes| json!({"op": "slot_read", "level": level, "bytes": hex::encode(bytes)}))
        .collect();
    let rust = slots.iter().map(|bytes| Slot::decode(level, bytes).is_ok());
    rust.zip(python.ask_all(&requests)).map(|(rust, reply)| (rust, reply.get("error").is_none())).collect()
}

#[test]
fn another_byte_of_a_slot_is_judged_alike() {
    const VALUES: [u8; 20] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 24, 32, 64, 127, 128, 129, 131, 255];
    const DATES: [u32; 12] = [
        0,
        1,
        18_991_231,
        19_000_101,
        19_000_229,
        20_240_229,
        20_230_229,
        20_260_001,
        20_261_301,
        21_991_231,
        22_000_101,
        219_990_101,
    ];
    let (mut python, mut dice) = (Python::start(), Dice(7));
    for setup in [hit_only(), Setup::default(), full()] {
        let Exchange { centre, relation, answer, .. } = exchange(setup, Sizes::small());
        let level = centre.setup.level;
        let officers: Vec<_> = centre.officers.iter().take(2).map(|officer| &officer.keys.opening).collect();
        let slots = open(&answer, &relation, &officers).slots;
        let most = slots.iter().max_by_key(|slot| (slot.totals.len(), slot.accounts.len())).unwrap();
        assert!(level == Level::L0 || most.totals.len() >= 2, "{} totals", most.totals.len());
        let good = slot_bytes(most, level);
        let (totals, accounts) = (most.totals.len(), most.accounts.len());

        let mut variants = vec![good.clone(), good[1..].to_vec(), [good.as_slice(), &[0]].concat()];
        let mut put = |at: usize, bytes: &[u8]| {
            let mut changed = good.clone();
            if let Some(place) = changed.get_mut(at..at + bytes.len()) {
                place.copy_from_slice(bytes);
                variants.push(changed);
            }
        };
        // Each byte of the head, of the totals and accounts in use, and of one behind them.
        let used = (0..16).chain(16..16 + 24 * (totals + 1)).chain(592..592 + 64 * (accounts + 1).min(3));
        for at in used.filter(|at| *at < slot::size(level)) {
            for value in VALUES {
                put(at, &[value]);
            }
            for bit in 0..8 {
                put(at, &[good[at] ^ 1 << bit]);
            }
        }
        for date in DATES {
            for at in [16 + 16, 16 + 20, 592 + 12] {
                put(at, &date.to_be_bytes());
            }
        }
        // Another order, or one twice.
        for (start, size, n) in [(16, 24, totals), (592, 64, accounts)] {
            for _ in 0..100 {
                if n > 1 {
                    let (one, other) = (start + size * dice.below(n), start + size * dice.below(n));
                    let piece = good[other..other + size].to_vec();
                    put(one, &piece);
                    if size == 24 {
                        put(one, &piece[..4]);
                    }
                }
            }
            for n in 1..n {
                let at = start + size * (n - 1);
                let swapped = [&good[at + size..at + 2 * size], &good[at..at + size]].concat();
                put(at, &swapped);
            }
        }
        // Texts.
        for text in ["\0\0a", "\u{7FF}", "一二三四五六", "\u{1}", "\u{FFFF}"] {
            put(592 + 20, text.as_bytes());
            put(592 + 44, text.as_bytes());
        }
        put(592 + 20, &[0xED, 0xA0, 0x80]);
        put(592 + 20, &[0xC0, 0x80]);

        let read = slot_verdicts(&mut python, level, &variants);
        assert_eq!(read[0], (true, true));
        for (variant, (rust, python)) in variants.iter().zip(&read) {
            let changed: Vec<_> =
                (0..good.len()).filter(|at| variant.get(*at) != good.get(*at)).take(8).collect();
            assert_eq!(
                rust,
                python,
                "{level:?}: Rust reads: {rust}: bytes {changed:?} of {}",
                hex::encode(variant)
            );
        }
        for side in [true, false] {
            assert!(read.iter().filter(|(rust, _)| *rust == side).count() > 100, "{level:?}: {side}");
        }
    }
}

//! SPEC §3.1 to §3.3: cells read natively and in Python.

use std::fs;
use std::path::PathBuf;

use protocol::subject::{self, Hint, Outcome};
use serde_json::{Value, json};

use crate::dice::Dice;
use e2e::python::Python;

pub(crate) const HINTS: [(&str, Hint); 5] = [
    ("company", Hint::Company),
    ("passport", Hint::Passport),
    ("tw", Hint::Tw),
    ("hk-mo", Hint::HkMo),
    ("officer", Hint::Officer),
];

fn hint_name(hint: Hint) -> Value {
    HINTS.iter().find(|(_, h)| *h == hint).map_or(Value::Null, |(name, _)| json!(name))
}

/// A cell read natively, as the `subjects` operation words it.
fn read_cell(cell: &str, hint: Hint) -> Value {
    match subject::read(cell, hint) {
        (Outcome::Subjects((first, second)), steps) => {
            let found: Vec<_> = [Some(first), second].into_iter().flatten().collect();
            let found: Vec<_> = found.iter().map(|s| json!([s.kind().name(), s.number()])).collect();
            let steps: Vec<_> = steps.iter().map(|step| step.name()).collect();
            json!({"outcome": "subjects", "subjects": found, "normalised": steps})
        }
        (Outcome::NotPersonal, _) => json!({"outcome": "not_personal"}),
        (Outcome::Quarantine(reason), _) => json!({"outcome": "quarantine", "reason": reason.name()}),
    }
}

#[test]
fn vectors_of_subjects() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors/subjects.json");
    let mut cases: Vec<serde_json::Map<String, Value>> =
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert!(cases.len() >= 60);
    for case in &mut cases {
        let (why, cell, hint) =
            (case.remove("why"), case.remove("text").unwrap(), case.remove("hint").unwrap());
        let hint = hint.as_str().map_or(Hint::None, |name| {
            HINTS.iter().find(|(n, _)| *n == name).map_or_else(|| Hint::read(name), |(_, hint)| *hint)
        });
        assert_eq!(read_cell(cell.as_str().unwrap(), hint), json!(case), "{why:?}: {cell}");
    }
}

#[test]
fn random_cells_give_the_same_subjects() {
    const CASES: usize = 10_000;
    let mut dice = Dice(1);
    let (mut requests, mut expected) = (Vec::new(), Vec::new());
    for _ in 0..CASES {
        let (cell, kind_cell) = (dice.cell(), dice.kind_cell());
        let hint = match dice.below(3) {
            0 => Hint::read(&kind_cell),
            1 => dice.pick(&HINTS).1,
            _ => Hint::None,
        };
        requests.push(json!({"op": "subjects", "text": cell, "hint": hint_name(hint)}));
        expected.push(read_cell(&cell, hint));
        requests.push(json!({"op": "hint", "cell": kind_cell}));
        expected.push(json!({"hint": hint_name(Hint::read(&kind_cell))}));
    }
    for ((request, expected), reply) in requests.iter().zip(&expected).zip(Python::start().ask_all(&requests))
    {
        assert_eq!(reply, *expected, "{request}");
    }
    let seen =
        |outcome: &str| expected.iter().filter(|e| e["outcome"] == outcome || e["reason"] == outcome).count();
    for outcome in [
        "subjects",
        "not_personal",
        "empty",
        "masked",
        "scientific",
        "placeholder",
        "date",
        "check_digit",
        "length",
        "format",
    ] {
        assert!(seen(outcome) > 50, "{outcome} came up {} times", seen(outcome));
    }
}

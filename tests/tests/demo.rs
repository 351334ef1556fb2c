//! `cargo xtask demo --exit` as a test: 200,000 rows of each of two institutions against the truth.

use std::process::Command;

#[test]
fn nobody_is_missed_and_nobody_is_wrong_among_two_hundred_thousand() {
    let output = Command::new(env!("CARGO_BIN_EXE_demo")).arg("--exit").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for code in ["bank-a", "bank-b"] {
        let verdict =
            said.lines().find(|line| line.trim_start().starts_with(&format!("{code}: of "))).unwrap();
        assert!(verdict.ends_with(", missed 0, wrong 0"), "{verdict}");
        let rows = said.lines().find_map(|line| line.split_once(&format!("({code}): "))).unwrap().1;
        let rows: u64 = rows.split(' ').next().unwrap().parse().unwrap();
        assert!(rows > 200_000, "{rows} rows");
    }
    assert!(said.contains(": 0 found; of "), "{said}");
}

//! What is linked into the host, and what is not.

use std::process::Command;

#[test]
fn nothing_that_opens_a_seal_is_linked() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", "host", "--edges", "normal", "--prefix", "none", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let crates: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains(&"protocol") && crates.contains(&"axum"), "the tree was read");
    for sealing in
        ["hpke", "argon2", "chacha20poly1305", "x25519-dalek", "blake3", "matcher-wasm", "sandbox", "desk"]
    {
        assert!(!crates.contains(&sealing), "{sealing} is linked into the host");
    }
}

//! Writes the GB18030 decoding tables, as `encoding_rs` has them, for `src/gb18030.rs`.
//!
//! Linking `encoding_rs` itself would bring the tables of every legacy encoding, 140 kB that a reviewer
//! would have to account for. It is asked here, at build time, for the one that is needed.

#![expect(clippy::expect_used, reason = "a build script stops the build; cargo reads what it prints")]

use std::fmt::Write as _;
use std::path::PathBuf;

use encoding_rs::GB18030;

/// Second bytes of a two-byte character: 0x40…0x7E and 0x80…0xFE.
const SECOND: u16 = 190;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));

    // Two bytes: 126 × 190 UTF-16 units, 0 where there is no character.
    let mut pairs = Vec::new();
    for first in 0x81..=0xFE_u8 {
        for place in 0..SECOND {
            let second = u8::try_from(place + if place < 63 { 0x40 } else { 0x41 }).expect("at most 0xFE");
            let unit =
                decode(&[first, second]).map_or(0, |c| u16::try_from(u32::from(c)).expect("in the BMP"));
            pairs.extend_from_slice(&unit.to_le_bytes());
        }
    }
    std::fs::write(out.join("gb18030_pairs.bin"), pairs).expect("OUT_DIR can be written");

    // Four bytes within the BMP: runs of pointers whose characters follow each other.
    let mut runs = String::from("[\n");
    let mut expected = None;
    for pointer in 0..39_420_u32 {
        let found = decode(&four(pointer)).map(u32::from);
        if found != expected {
            writeln!(runs, "    ({pointer}, {}),", found.unwrap_or(0)).expect("a String can be written");
        }
        expected = found.map(|c| c + 1);
        if found.is_none() {
            expected = None;
        }
    }
    runs.push(']');
    std::fs::write(out.join("gb18030_runs.in"), runs).expect("OUT_DIR can be written");
}

fn decode(bytes: &[u8]) -> Option<char> {
    let text = GB18030.decode_without_bom_handling_and_without_replacement(bytes)?;
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}

/// The four bytes of a pointer (WHATWG Encoding, "gb18030 decoder").
fn four(pointer: u32) -> [u8; 4] {
    let [a, b, c, d] = [pointer / 12_600, pointer / 1_260 % 10, pointer / 10 % 126, pointer % 10];
    [0x81 + a, 0x30 + b, 0x81 + c, 0x30 + d].map(|n| u8::try_from(n).expect("a byte"))
}

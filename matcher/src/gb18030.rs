//! GB18030 (which holds GBK and GB2312), by the WHATWG Encoding standard's decoder.
//!
//! The tables come out of `encoding_rs` at build time (`build.rs`); a test holds every sequence of one, two
//! and four bytes against it.

/// 126 × 190 little-endian UTF-16 units, 0 where there is no character.
static PAIRS: &[u8; 126 * 190 * 2] = include_bytes!(concat!(env!("OUT_DIR"), "/gb18030_pairs.bin"));

/// Where runs of four-byte pointers begin, and the character of each beginning (0 for none).
static RUNS: &[(u32, u32)] = &include!(concat!(env!("OUT_DIR"), "/gb18030_runs.in"));

/// What stands at the beginning of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded {
    /// A character, and how many bytes it took.
    Char(char, usize),
    /// The beginning of a character that goes on after these bytes.
    Cut,
    /// No character; so many bytes are to be passed over.
    Bad(usize),
}

/// Decodes the first character of `bytes`, which are not empty.
pub fn decode_first(bytes: &[u8]) -> Decoded {
    match *bytes {
        [] => Decoded::Cut,
        [ascii @ 0..=0x7F, ..] => Decoded::Char(char::from(ascii), 1),
        [0x80, ..] => Decoded::Char('\u{20AC}', 1),
        [0xFF, ..] => Decoded::Bad(1),
        [_] | [_, b'0'..=b'9'] | [_, b'0'..=b'9', 0x81..=0xFE] => Decoded::Cut,
        [a, b @ b'0'..=b'9', c @ 0x81..=0xFE, d @ b'0'..=b'9', ..] => {
            four(a, b, c, d).map_or(Decoded::Bad(4), |c| Decoded::Char(c, 4))
        }
        [_, b'0'..=b'9', ..] => Decoded::Bad(1),
        [a, b, ..] => match pair(a, b) {
            Some(c) => Decoded::Char(c, 2),
            // An ASCII second byte is not part of the fault: it may be a delimiter.
            None => Decoded::Bad(if b.is_ascii() { 1 } else { 2 }),
        },
    }
}

/// Decodes all of `bytes`; `None` when there is anything in them that is no character.
pub fn decode(mut bytes: &[u8]) -> Option<String> {
    let mut out = String::with_capacity(bytes.len() * 3 / 2);
    while !bytes.is_empty() {
        let Decoded::Char(c, used) = decode_first(bytes) else { return None };
        out.push(c);
        bytes = bytes.get(used..)?;
    }
    Some(out)
}

fn pair(a: u8, b: u8) -> Option<char> {
    let place = match b {
        0x40..=0x7E => b - 0x40,
        0x80..=0xFE => b - 0x41,
        _ => return None,
    };
    let index = (usize::from(a.checked_sub(0x81)?) * 190 + usize::from(place)) * 2;
    let unit = PAIRS.get(index..index + 2)?.try_into().map(u16::from_le_bytes).ok()?;
    char::from_u32(u32::from(unit)).filter(|c| *c != '\0')
}

fn four(a: u8, b: u8, c: u8, d: u8) -> Option<char> {
    let n = |byte: u8, from: u8| u32::from(byte.wrapping_sub(from));
    let pointer = ((n(a, 0x81) * 10 + n(b, 0x30)) * 126 + n(c, 0x81)) * 10 + n(d, 0x30);
    if pointer >= 189_000 {
        return char::from_u32(pointer - 189_000 + 0x1_0000);
    }
    if pointer >= 39_420 {
        return None;
    }
    let run = RUNS.partition_point(|(begin, _)| *begin <= pointer).checked_sub(1)?;
    let (begin, first) = *RUNS.get(run)?;
    if first == 0 { None } else { char::from_u32(first + (pointer - begin)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::GB18030;

    fn reference(bytes: &[u8]) -> Option<String> {
        GB18030.decode_without_bom_handling_and_without_replacement(bytes).map(|t| t.into_owned())
    }

    #[test]
    fn every_sequence_decodes_as_encoding_rs_does() {
        let mut seen = 0;
        for a in 0..=255_u8 {
            assert_eq!(decode(&[a]), reference(&[a]), "{a:02x}");
            for b in 0..=255_u8 {
                assert_eq!(decode(&[a, b]), reference(&[a, b]), "{a:02x} {b:02x}");
                if !b.is_ascii_digit() || a < 0x81 {
                    continue;
                }
                for c in 0x80..=255_u8 {
                    for d in b'/'..=b':' {
                        let bytes = [a, b, c, d];
                        let ours = decode(&bytes);
                        assert_eq!(ours, reference(&bytes), "{bytes:02x?}");
                        seen += usize::from(ours.is_some());
                    }
                }
            }
        }
        assert!(seen > 1_000_000, "{seen}");
    }

    #[test]
    fn rare_characters_of_names() {
        // domain: 䶮 and 㛃 are in GB18030 and not in GBK.
        assert_eq!(decode(&[0xFE, 0x9F]).unwrap(), "䶮");
        assert_eq!(decode(&[0x82, 0x30, 0xB7, 0x31]).unwrap(), "㛃");
    }
}

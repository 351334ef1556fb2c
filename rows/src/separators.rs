//! Finding separators 64 bytes at a time: one bit a byte, by the 16-byte vectors of WebAssembly (`simd128`),
//! whose functions are safe ones, and elsewhere by those of the crate `wide`.

/// Where separators stand in a block, bit i for byte i.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Separators {
    /// The delimiter between fields.
    pub(crate) delimiters: u64,
    /// Line feeds.
    pub(crate) line_feeds: u64,
    /// Quotation marks and carriage returns: a line with one of them is for the thorough cutter, unless
    /// it is the carriage return at its end.
    pub(crate) special: u64,
}

/// Bytes of a block.
pub(crate) const BLOCK: usize = 64;

impl Separators {
    /// Of a whole block.
    #[inline(always)]
    pub(crate) fn of(block: &[u8; BLOCK], delimiter: u8) -> Self {
        let mut found = Self { delimiters: 0, line_feeds: 0, special: 0 };
        let (parts, _) = block.as_chunks::<16>();
        for (part, shift) in parts.iter().zip([0, 16, 32, 48]) {
            let [delimiters, line_feeds, special] = vector::find(part, delimiter);
            found.delimiters |= u64::from(delimiters) << shift;
            found.line_feeds |= u64::from(line_feeds) << shift;
            found.special |= u64::from(special) << shift;
        }
        found
    }

    /// Of a block that is cut short, as a file's or chunk's last one is.
    #[cold]
    pub(crate) fn of_short(bytes: &[u8], delimiter: u8) -> Self {
        let mut block = [0; BLOCK];
        block.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        let found = Self::of(&block, delimiter);
        let there = u32::try_from(bytes.len())
            .ok()
            .and_then(|n| 1_u64.checked_shl(n))
            .map_or(u64::MAX, |bit| bit - 1);
        Self {
            delimiters: found.delimiters & there,
            line_feeds: found.line_feeds & there,
            special: found.special & there,
        }
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vector {
    use core::arch::wasm32::{i8x16_bitmask, i8x16_eq, i64x2, u8x16_splat, v128_or};

    /// Delimiters, line feeds, quotation marks and carriage returns.
    #[inline(always)]
    pub(super) fn find(part: &[u8; 16], delimiter: u8) -> [u16; 3] {
        // Both halves as little-endian numbers: one load each, and none of them needs `unsafe`.
        let [a, b, c, d, e, f, g, h, high @ ..] = *part;
        let bytes = i64x2(i64::from_le_bytes([a, b, c, d, e, f, g, h]), i64::from_le_bytes(high));
        let at = |byte| i8x16_eq(bytes, u8x16_splat(byte));
        [at(delimiter), at(b'\n'), v128_or(at(b'"'), at(b'\r'))].map(|found| i8x16_bitmask(found))
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod vector {
    use wide::u8x16;

    /// Delimiters, line feeds, quotation marks and carriage returns.
    #[inline(always)]
    pub(super) fn find(part: &[u8; 16], delimiter: u8) -> [u16; 3] {
        let bytes = u8x16::new(*part);
        let at = |byte| bytes.simd_eq(u8x16::splat(byte));
        let bits = |found: u8x16| {
            let [a, b, ..] = found.to_bitmask().to_le_bytes();
            u16::from_le_bytes([a, b])
        };
        [at(delimiter), at(b'\n'), at(b'"') | at(b'\r')].map(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_bit_is_its_byte(bytes in proptest::collection::vec(proptest::sample::select(b",;\n\r\"ax\xFF".to_vec()), 0..=64)) {
            let found = Separators::of_short(&bytes, b',');
            for i in 0..64 {
                let byte = bytes.get(i).copied().unwrap_or(0);
                prop_assert_eq!(found.delimiters >> i & 1 == 1, byte == b',');
                prop_assert_eq!(found.line_feeds >> i & 1 == 1, byte == b'\n');
                prop_assert_eq!(found.special >> i & 1 == 1, matches!(byte, b'"' | b'\r'));
            }
            if let Ok(block) = <&[u8; 64]>::try_from(bytes.as_slice()) {
                prop_assert_eq!(Separators::of(block, b','), found);
            }
        }
    }
}

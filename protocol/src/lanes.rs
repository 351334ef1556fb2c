//! Keyed BLAKE3 of four short messages at once, a lane each (BLAKE3 specification §2; SPEC §3.4).
//!
//! A token's message fits one block of one chunk, so it is one call of the compression function, and four of
//! them fit the 16-byte vectors of WebAssembly (`simd128`), whose functions are safe ones, and elsewhere those of
//! the crate `wide`. Tests hold every lane against the crate `blake3`.

use vector::Lanes4;

/// How many messages are hashed at once.
pub(crate) const LANES: usize = 4;

/// Words of a message that may be other than zero.
const WORDS: usize = 5;

/// The initial values, those of SHA-256 (BLAKE3 §2.2).
const IV: [u32; 4] = [0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A];

/// `CHUNK_START | CHUNK_END | ROOT | KEYED_HASH` (BLAKE3 §2.2): all of the input, under a key.
const FLAGS: u32 = 1 | 2 | 8 | 16;

/// Which word of the message each step of a round takes, round by round (BLAKE3 §2.2, table 2 applied again
/// and again).
const SCHEDULE: [[usize; 16]; 7] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8],
    [3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1],
    [10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6],
    [12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4],
    [9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7],
    [11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13],
];

/// The key as the words of a chaining value.
pub(crate) fn key_words(key: &[u8; 32]) -> [u32; 8] {
    let mut words = [0; 8];
    words.iter_mut().zip(key.as_chunks().0).for_each(|(word, bytes)| *word = u32::from_le_bytes(*bytes));
    words
}

/// The first 16 bytes of `BLAKE3 keyed_hash(key, message)` for each of four messages of `length` bytes, given
/// as little-endian words with zeros behind.
#[inline]
pub(crate) fn keyed_hash_16(
    key: &[u32; 8],
    messages: &[[u32; WORDS]; LANES],
    length: u32,
) -> [[u8; 16]; LANES] {
    let [m0, m1, m2, m3] = messages;
    let zero = Lanes4::splat(0);
    let mut m = [zero; 16];
    for ((((word, a), b), c), d) in m.iter_mut().zip(m0).zip(m1).zip(m2).zip(m3) {
        *word = Lanes4::new([*a, *b, *c, *d]);
    }
    let [k0, k1, k2, k3, k4, k5, k6, k7] = key.map(Lanes4::splat);
    let [i0, i1, i2, i3] = IV.map(Lanes4::splat);
    let mut v = [
        k0,
        k1,
        k2,
        k3,
        k4,
        k5,
        k6,
        k7,
        i0,
        i1,
        i2,
        i3,
        zero,
        zero,
        Lanes4::splat(length),
        Lanes4::splat(FLAGS),
    ];
    round::<0>(&mut v, &m);
    round::<1>(&mut v, &m);
    round::<2>(&mut v, &m);
    round::<3>(&mut v, &m);
    round::<4>(&mut v, &m);
    round::<5>(&mut v, &m);
    round::<6>(&mut v, &m);
    let [v0, v1, v2, v3, _, _, _, _, v8, v9, v10, v11, ..] = v;
    let words = [v0.xor(v8).words(), v1.xor(v9).words(), v2.xor(v10).words(), v3.xor(v11).words()];
    transpose(words)
}

/// Word by lane to lane by word, as bytes.
#[inline(always)]
fn transpose([w0, w1, w2, w3]: [[u32; LANES]; 4]) -> [[u8; 16]; LANES] {
    let mut out = [[0; 16]; LANES];
    for ((((lane, a), b), c), d) in out.iter_mut().zip(w0).zip(w1).zip(w2).zip(w3) {
        for (to, word) in lane.as_chunks_mut::<4>().0.iter_mut().zip([a, b, c, d]) {
            *to = word.to_le_bytes();
        }
    }
    out
}

/// The two halves of a round: columns, then diagonals (BLAKE3 §2.2). `R` is a constant, so every index is.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "constant indices below 16")]
fn round<const R: usize>(v: &mut [Lanes4; 16], m: &[Lanes4; 16]) {
    let s = const { SCHEDULE[R] };
    let mut g = |a: usize, b: usize, c: usize, d: usize, x: Lanes4, y: Lanes4| {
        v[a] = v[a].add(v[b]).add(x);
        v[d] = v[d].xor(v[a]).rotate_right_16();
        v[c] = v[c].add(v[d]);
        v[b] = v[b].xor(v[c]).rotate_right_12();
        v[a] = v[a].add(v[b]).add(y);
        v[d] = v[d].xor(v[a]).rotate_right_8();
        v[c] = v[c].add(v[d]);
        v[b] = v[b].xor(v[c]).rotate_right_7();
    };
    g(0, 4, 8, 12, m[s[0]], m[s[1]]);
    g(1, 5, 9, 13, m[s[2]], m[s[3]]);
    g(2, 6, 10, 14, m[s[4]], m[s[5]]);
    g(3, 7, 11, 15, m[s[6]], m[s[7]]);
    g(0, 5, 10, 15, m[s[8]], m[s[9]]);
    g(1, 6, 11, 12, m[s[10]], m[s[11]]);
    g(2, 7, 8, 13, m[s[12]], m[s[13]]);
    g(3, 4, 9, 14, m[s[14]], m[s[15]]);
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vector {
    use core::arch::wasm32::{
        i8x16_shuffle, u32x4, u32x4_add, u32x4_extract_lane, u32x4_shl, u32x4_shr, u32x4_splat, v128,
        v128_or, v128_xor,
    };

    /// Four words, one of each message.
    #[derive(Clone, Copy)]
    pub(super) struct Lanes4(v128);

    impl Lanes4 {
        pub(super) fn splat(word: u32) -> Self {
            Self(u32x4_splat(word))
        }

        pub(super) fn new([a, b, c, d]: [u32; 4]) -> Self {
            Self(u32x4(a, b, c, d))
        }

        pub(super) fn words(self) -> [u32; 4] {
            let Self(v) = self;
            [
                u32x4_extract_lane::<0>(v),
                u32x4_extract_lane::<1>(v),
                u32x4_extract_lane::<2>(v),
                u32x4_extract_lane::<3>(v),
            ]
        }

        #[inline(always)]
        pub(super) fn add(self, other: Self) -> Self {
            Self(u32x4_add(self.0, other.0))
        }

        #[inline(always)]
        pub(super) fn xor(self, other: Self) -> Self {
            Self(v128_xor(self.0, other.0))
        }

        #[inline(always)]
        pub(super) fn rotate_right_16(self) -> Self {
            Self(i8x16_shuffle::<2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13>(self.0, self.0))
        }

        #[inline(always)]
        pub(super) fn rotate_right_12(self) -> Self {
            Self(v128_or(u32x4_shr(self.0, 12), u32x4_shl(self.0, 20)))
        }

        #[inline(always)]
        pub(super) fn rotate_right_8(self) -> Self {
            Self(i8x16_shuffle::<1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12>(self.0, self.0))
        }

        #[inline(always)]
        pub(super) fn rotate_right_7(self) -> Self {
            Self(v128_or(u32x4_shr(self.0, 7), u32x4_shl(self.0, 25)))
        }
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod vector {
    use wide::u32x4;

    /// Four words, one of each message.
    #[derive(Clone, Copy)]
    pub(super) struct Lanes4(u32x4);

    impl Lanes4 {
        pub(super) fn splat(word: u32) -> Self {
            Self(u32x4::splat(word))
        }

        pub(super) fn new(words: [u32; 4]) -> Self {
            Self(u32x4::new(words))
        }

        pub(super) fn words(self) -> [u32; 4] {
            self.0.to_array()
        }

        #[inline(always)]
        pub(super) fn add(self, other: Self) -> Self {
            Self(self.0 + other.0)
        }

        #[inline(always)]
        pub(super) fn xor(self, other: Self) -> Self {
            Self(self.0 ^ other.0)
        }

        #[inline(always)]
        pub(super) fn rotate_right_16(self) -> Self {
            Self((self.0 >> 16_u32) | (self.0 << 16_u32))
        }

        #[inline(always)]
        pub(super) fn rotate_right_12(self) -> Self {
            Self((self.0 >> 12_u32) | (self.0 << 20_u32))
        }

        #[inline(always)]
        pub(super) fn rotate_right_8(self) -> Self {
            Self((self.0 >> 8_u32) | (self.0 << 24_u32))
        }

        #[inline(always)]
        pub(super) fn rotate_right_7(self) -> Self {
            Self((self.0 >> 7_u32) | (self.0 << 25_u32))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Table 2 of the BLAKE3 specification.
    const PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];

    #[test]
    fn the_schedule_is_the_permutation_again_and_again() {
        for (before, after) in SCHEDULE.iter().zip(&SCHEDULE[1..]) {
            assert_eq!(PERMUTATION.map(|i| before[i]), *after);
        }
    }

    proptest! {
        #[test]
        fn every_lane_is_keyed_blake3(key: [u8; 32], messages: [[u8; 20]; 4], length in 0_usize..=20) {
            let cut = messages.map(|message| {
                let mut kept = [0; 20];
                kept[..length].copy_from_slice(&message[..length]);
                kept
            });
            let words = cut.map(|m| {
                let mut words = [0; WORDS];
                words.iter_mut().zip(m.as_chunks().0).for_each(|(w, b)| *w = u32::from_le_bytes(*b));
                words
            });
            let hashed = keyed_hash_16(&key_words(&key), &words, length as u32);
            for (lane, message) in hashed.iter().zip(&messages) {
                let whole = blake3::keyed_hash(&key, &message[..length]);
                prop_assert_eq!(&lane[..], &whole.as_bytes()[..16]);
            }
        }
    }
}

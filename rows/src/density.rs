//! Noticing that numbers were counted through rather than exported (SPEC §5.5).
//!
//! Of the thousand numbers that an area gives out for one day of birth a bank has a few as customers, and an
//! enumeration has all. So for a sample of pairs of area and day it is remembered which of the thousand were seen. The
//! sample is taken by a fixed function of area and day, and made thinner by half whenever the table is full: what is
//! kept depends on the set of numbers alone, and not on their order or on who read them.

use std::fmt;

use protocol::subject::ResidentNumber;

/// Pairs that the table has room for.
const MOST: usize = 512;

/// Numbers of a pair, of a thousand, from which on it is dense. The largest counties had a hundred births a day in their
/// largest years.
const DENSE: u16 = 200;

/// Dense pairs that an enumeration has at least.
const DENSE_PAIRS: u64 = 16;

/// Bytes of a pair in a part: `u64 area and day ‖ a bit for each of the thousand`.
const PAIR_BYTES: usize = 8 + BITS_BYTES;
const BITS_BYTES: usize = 125;

/// Halvings of the sample at most.
const THINNEST: u8 = 40;

/// Pairs of area and day, and the numbers seen of each.
#[derive(Default)]
pub struct Density {
    /// How often the sample was halved.
    halvings: u8,
    /// Area and day as one number of 14 digits, rising.
    keys: Vec<u64>,
    /// What was seen of each.
    seen: Vec<Seen>,
    totals: Totals,
}

/// The numbers of a pair that were seen.
#[derive(Clone)]
struct Seen {
    count: u16,
    bits: [u8; BITS_BYTES],
}

/// Over the whole sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Totals {
    numbers: u64,
    dense_pairs: u64,
    /// Numbers of dense pairs.
    dense_numbers: u64,
}

/// Numbers that look counted through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enumeration {
    /// Dense pairs of the sample.
    pub dense: u64,
    /// Pairs of the sample.
    pub pairs: u64,
}

/// Counts only: the table says who is a customer.
impl fmt::Debug for Density {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Density({} pairs, {:?})", self.keys.len(), self.totals)
    }
}

impl Density {
    /// A number is in the sample where [`hash`] has none of these bits.
    #[inline]
    pub fn mask(&self) -> u64 {
        (1 << self.halvings) - 1
    }

    /// Takes note of a number. Only the numbers of mainland counties count, and not those of the first of a month, which
    /// stands for an unknown day of birth.
    pub fn see(&mut self, number: &ResidentNumber) {
        if hash(number) & self.mask() != 0 {
            return;
        }
        let [b'1'..=b'6', .., day @ b'0'..=b'9', of_day @ b'0'..=b'9', a, b, c, _] = *number else { return };
        if (day, of_day) == (b'0', b'1') {
            return;
        }
        let key = decimal(number.iter().take(14));
        self.add(key, &[decimal([a, b, c].iter())]);
    }

    /// Adds what another instance saw.
    pub fn append(&mut self, other: &Self) {
        self.halvings = self.halvings.max(other.halvings);
        self.thin();
        for (key, seen) in other.keys.iter().zip(&other.seen) {
            let all: Vec<u64> = (0..1_000).filter(|n| seen.has(*n)).collect();
            if hash(&number_of(*key)) & self.mask() == 0 {
                self.add(*key, &all);
            }
        }
    }

    /// Whether the numbers look counted through: most of them are of dense pairs.
    pub fn judge(&self) -> Option<Enumeration> {
        let Totals { numbers, dense_pairs, dense_numbers } = self.totals;
        let pairs = u64::try_from(self.keys.len()).unwrap_or(0);
        (dense_pairs >= DENSE_PAIRS && dense_numbers * 2 > numbers)
            .then_some(Enumeration { dense: dense_pairs, pairs })
    }

    /// Adds numbers of a pair that is in the sample.
    fn add(&mut self, key: u64, numbers: &[u64]) {
        let at = match self.keys.binary_search(&key) {
            Ok(at) => at,
            Err(at) => {
                self.keys.insert(at, key);
                self.seen.insert(at, Seen { count: 0, bits: [0; BITS_BYTES] });
                at
            }
        };
        if let Some(seen) = self.seen.get_mut(at) {
            numbers.iter().for_each(|number| self.totals.add(seen.set(*number)));
        }
        while self.keys.len() > MOST && self.halvings < THINNEST {
            self.halvings += 1;
            self.thin();
        }
    }

    /// Drops the pairs that are no longer in the sample.
    fn thin(&mut self) {
        let mask = self.mask();
        let (keys, seen) = (std::mem::take(&mut self.keys), std::mem::take(&mut self.seen));
        self.totals = Totals::default();
        for (key, seen) in keys.into_iter().zip(seen) {
            if hash(&number_of(key)) & mask == 0 {
                (1..=seen.count).for_each(|count| self.totals.add(Some(count)));
                self.keys.push(key);
                self.seen.push(seen);
            }
        }
    }

    /// As it stands in a part.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1 + self.keys.len() * PAIR_BYTES);
        out.push(self.halvings);
        for (key, seen) in self.keys.iter().zip(&self.seen) {
            out.extend_from_slice(&key.to_be_bytes());
            out.extend_from_slice(&seen.bits);
        }
        out
    }

    /// Reads what [`Density::to_bytes`] wrote: pairs of the sample, rising, each with numbers. What is not so would change
    /// when it is added to another table.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (halvings, pairs) = bytes.split_first()?;
        let (pairs, []) = pairs.as_chunks::<PAIR_BYTES>() else { return None };
        if *halvings > THINNEST || pairs.len() > MOST {
            return None;
        }
        let mut density = Self { halvings: *halvings, ..Self::default() };
        for pair in pairs {
            let (key, bits) = pair.split_first_chunk::<8>()?;
            let seen = Seen { count: 0, bits: bits.try_into().ok()? };
            let all: Vec<u64> = (0..1_000).filter(|n| seen.has(*n)).collect();
            let key = u64::from_be_bytes(*key);
            let rising = density.keys.last().is_none_or(|last| *last < key) && key < 100_000_000_000_000;
            if !rising || all.is_empty() || hash(&number_of(key)) & density.mask() != 0 {
                return None;
            }
            density.add(key, &all);
        }
        Some(density)
    }
}

impl Seen {
    fn has(&self, number: u64) -> bool {
        let (byte, bit) = place(number);
        self.bits.get(byte).is_some_and(|byte| byte & bit != 0)
    }

    /// How many there are, when `number` is a new one.
    fn set(&mut self, number: u64) -> Option<u16> {
        let (byte, bit) = place(number);
        let byte = self.bits.get_mut(byte).filter(|byte| **byte & bit == 0)?;
        *byte |= bit;
        self.count += 1;
        Some(self.count)
    }
}

fn place(number: u64) -> (usize, u8) {
    (usize::try_from(number / 8).unwrap_or(usize::MAX), 1 << (number % 8))
}

impl Totals {
    /// Takes note of a pair's next number, of which it has `count` then.
    fn add(&mut self, count: Option<u16>) {
        let Some(count) = count else { return };
        self.numbers += 1;
        if count == DENSE {
            self.dense_pairs += 1;
            self.dense_numbers += u64::from(DENSE);
        } else if count > DENSE {
            self.dense_numbers += 1;
        }
    }
}

fn decimal<'a>(digits: impl Iterator<Item = &'a u8>) -> u64 {
    digits.fold(0, |n, digit| n * 10 + u64::from(digit.wrapping_sub(b'0')))
}

/// A number with this area and day.
fn number_of(key: u64) -> ResidentNumber {
    let mut number = [b'0'; 18];
    let mut rest = key;
    for digit in number.iter_mut().take(14).rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    number
}

/// Mixes area and day, the first 14 digits. Every row pays for it, so it is three multiplications, with the odd constants
/// of SplitMix64 and of its finaliser.
#[inline(always)]
pub(crate) fn hash(number: &ResidentNumber) -> u64 {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, ..] = *number;
    let area = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    let day = u64::from_le_bytes([g, h, i, j, k, l, m, n]);
    let mixed = area.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ day.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed ^ (mixed >> 32)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 20
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::value::Date;

    fn number(area: u32, day: i64, sequence: u32) -> ResidentNumber {
        let day = Date::from_days(day).unwrap().number();
        format!("{area:06}{day:08}{sequence:03}0").into_bytes().try_into().unwrap()
    }

    /// A stream of even numbers below a bound.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (z ^ (z >> 31)) % bound
        }
    }

    /// A hundred years of days.
    const DAYS: std::ops::Range<i64> = -14_600..21_925;

    /// How many of `numbers` pass before they are refused.
    fn refused_after(numbers: impl Iterator<Item = ResidentNumber>) -> Option<usize> {
        let mut density = Density::default();
        for (at, number) in numbers.enumerate() {
            density.see(&number);
            if density.judge().is_some() {
                return Some(at + 1);
            }
        }
        assert!(density.keys.len() <= MOST);
        None
    }

    #[test]
    fn counting_through_is_seen_early_in_whatever_order() {
        let in_order = DAYS.flat_map(|day| (0..1_000).map(move |n| number(340_421, day, n)));
        assert!(refused_after(in_order).unwrap() < 20_000);
        let backwards = DAYS.rev().flat_map(|day| (0..1_000).rev().map(move |n| number(340_421, day, n)));
        assert!(refused_after(backwards).unwrap() < 20_000);
        // All areas of a province, a day after the other.
        let areas = DAYS.flat_map(|day| {
            (340_100..340_200).flat_map(move |area| (0..1_000).map(move |n| number(area, day, n)))
        });
        assert!(refused_after(areas).unwrap() < 20_000);
        // Shuffled, over the numbers of a county: a fifth of them is enough.
        let mut dice = Dice(1);
        let shuffled = std::iter::repeat_with(|| {
            number(340_421, DAYS.start + dice.below(36_525) as i64, dice.below(1_000) as u32)
        });
        let after = refused_after(shuffled.take(36_525_000)).unwrap();
        assert!((6_000_000..10_000_000).contains(&after), "{after}");
        // One sequence number after the other, each over all days.
        let by_sequence = (0..1_000).flat_map(|n| DAYS.map(move |day| number(340_421, day, n)));
        assert!(refused_after(by_sequence).unwrap() < 7_500_000);
        // Over all days of one year only, every second number.
        let even = (0..365).flat_map(|day| (0..500).map(move |n| number(340_421, day, 2 * n)));
        assert!(refused_after(even).unwrap() < 10_000);
    }

    /// Births of a day by year: few before 1950, many from 1963 to 1975, fewer since.
    fn births(day: i64) -> u64 {
        match 1970 + day / 365 {
            ..1950 => 20,
            1950..1962 => 70,
            1962..1976 => 110,
            1976..1992 => 80,
            _ => 40,
        }
    }

    /// The largest county of the country with everyone in one bank, and a third of the day's numbers on each first of a
    /// month, where days are not known; several accounts each.
    #[test]
    fn a_county_where_everyone_is_a_customer_passes() {
        let mut dice = Dice(2);
        let (mut density, mut people) = (Density::default(), 0_u64);
        for day in DAYS {
            let first = Date::from_days(day).unwrap().number() % 100 == 1;
            for _ in 0..if first { 900 } else { births(day) } {
                people += 1;
                // A police station gives out a run of numbers of its own.
                let sequence = dice.below(12) * 83 + dice.below(15).min(dice.below(15));
                let number = number(341_221, day, (sequence % 1_000) as u32);
                (0..3).for_each(|_| density.see(&number));
            }
            assert_eq!(density.judge(), None);
        }
        assert!(people > 3_000_000, "{people}");
        assert!(density.totals.numbers > 5_000);
    }

    #[test]
    fn banks_of_every_width_pass() {
        for (areas, customers) in [(1, 1_000_000), (1, 3_000), (30, 1_000_000), (2_800, 2_000_000)] {
            let mut dice = Dice(areas);
            let mut numbers = std::iter::repeat_with(|| {
                let area = 110_000 + 197 * dice.below(areas) as u32;
                number(area, DAYS.start + dice.below(36_525) as i64, dice.below(1_000) as u32)
            });
            assert_eq!(refused_after(numbers.by_ref().take(customers)), None, "{areas} areas");
        }
        // A school: two years, one town. A file of one day's new customers, all born on one day.
        let mut dice = Dice(3);
        let school =
            std::iter::repeat_with(|| number(110_105, dice.below(730) as i64, dice.below(1_000) as u32));
        assert_eq!(refused_after(school.take(30_000)), None);
        assert_eq!(
            refused_after((0..1_000).map(|n| number(110_105, 5, n))),
            None,
            "one day is no enumeration"
        );
        // Permits and foreigners: their first six digits are no county's.
        let permits = (0..60).flat_map(|day| (0..1_000).map(move |n| number(810_000, day, n)));
        assert_eq!(refused_after(permits), None);
    }

    /// A sweep that is no more than its share of a true file, said in SPEC as the limit.
    #[test]
    fn a_sweep_among_as_many_customers_passes() {
        let mut dice = Dice(4);
        let mut mixed = |customers_each: u64| {
            let mut density = Density::default();
            for day in 0..400 {
                for n in 0..1_000 {
                    density.see(&number(340_421, day, n));
                    for _ in 0..customers_each {
                        let (area, n) = (110_000 + dice.below(2_000) as u32, dice.below(1_000) as u32);
                        density.see(&number(area, DAYS.start + dice.below(36_525) as i64, n));
                    }
                }
            }
            density.judge().is_some()
        };
        assert!(mixed(0));
        assert!(!mixed(3));
    }

    #[test]
    fn the_sample_is_even() {
        for area in [110_105, 340_421, 659_004] {
            let sampled = DAYS.filter(|day| hash(&number(area, *day, 0)) & 31 == 0).count();
            assert!((1_000..1_290).contains(&sampled), "{area}: {sampled}");
        }
        let areas = (110_000..650_000).filter(|area| hash(&number(*area, 77, 0)) & 1_023 == 0).count();
        assert!((440..620).contains(&areas), "{areas}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// In whatever order and by however many instances: the same table. It travels whole.
        #[test]
        fn what_is_kept_depends_on_the_numbers_alone(seed: u64, areas in 1_u64..40, days in 1_u64..400, cut in 0.0..1.0_f64) {
            let mut dice = Dice(seed);
            let numbers: Vec<ResidentNumber> = (0..30_000)
                .map(|_| number(110_000 + dice.below(areas) as u32, dice.below(days) as i64, dice.below(1_000) as u32))
                .collect();
            let of = |numbers: &[ResidentNumber]| {
                let mut density = Density::default();
                numbers.iter().for_each(|number| density.see(number));
                density
            };
            let whole = of(&numbers);
            let (one, other) = numbers.split_at((30_000.0 * cut) as usize);
            let other = Density::from_bytes(&of(other).to_bytes()).unwrap();
            for (mut first, second) in [(of(one), &other), (Density::from_bytes(&other.to_bytes()).unwrap(), &of(one))] {
                first.append(second);
                prop_assert_eq!(first.to_bytes(), whole.to_bytes());
                prop_assert_eq!((first.totals, first.judge()), (whole.totals, whole.judge()));
            }
        }

        /// A table that holds a pair of no sample, one twice, or one without numbers is not one that was written.
        #[test]
        fn another_table_is_refused(days in proptest::collection::btree_set(0_i64..30_000, 40..200)) {
            let mut density = Density { halvings: 2, ..Density::default() };
            days.iter().for_each(|day| density.see(&number(340_421, *day, 7)));
            let bytes = density.to_bytes();
            prop_assert_eq!(Density::from_bytes(&bytes).unwrap().to_bytes(), bytes.clone());
            if let [_, first, second, ..] = *std::iter::once(&bytes[..1]).chain(bytes[1..].chunks(PAIR_BYTES)).collect::<Vec<_>>() {
                for pairs in [[second, first], [first, first], [&[0; PAIR_BYTES], first]] {
                    prop_assert!(Density::from_bytes(&[&bytes[..1], pairs[0], pairs[1]].concat()).is_none());
                }
                let emptied = [&bytes[..1], &first[..8], &[0; BITS_BYTES]].concat();
                prop_assert!(Density::from_bytes(&emptied).is_none());
                let thinner: Vec<u8> = std::iter::once(40).chain(bytes[1..].iter().copied()).collect();
                prop_assert!(Density::from_bytes(&thinner).is_none());
            }
        }

        #[test]
        fn a_table_from_elsewhere_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            if let Some(mut density) = Density::from_bytes(&bytes) {
                assert_eq!(density.to_bytes(), bytes);
                density.append(&Density::from_bytes(&density.to_bytes()).unwrap());
            }
        }
    }
}

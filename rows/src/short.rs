//! The short way: a plain line with a resident's number that is good as it stands, which is nearly every row.
//!
//! Check the number where it lies; keep four of them; make four tokens at once; look them up. Only a row of
//! someone on the roster is read further. Every other row is for [`Rest`].

use protocol::subject::{self, ResidentNumber};
use protocol::token::{LANES, Prf};

use crate::density;
use crate::lookup::Lookup;
use crate::records::{PlainLine, Record, Rest};

/// What the short way knows of the table and of the roster.
pub struct Short<'a> {
    prf: &'a Prf,
    lookup: &'a Lookup,
    width: usize,
    id_column: usize,
    kind_column: Option<usize>,
    /// The document kind that was good last; most rows repeat the one before.
    kind: Option<Vec<u8>>,
    /// Which numbers are in the sample of [`density`].
    mask: u64,
    tally: Tally,
}

/// What was counted on the short way: of each row, that it is a person's, and the end of the number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows, each with a valid number.
    pub rows: u64,
    /// Those whose number has 18 digits.
    pub eighteen_digits: u64,
    /// Those of them that end in 000.
    pub trailing_zeros: u64,
    /// Those of them that are multiples of 16.
    pub multiples: u64,
}

impl Tally {
    /// Takes note of the last four digits of a number of 18.
    #[inline]
    pub fn digits(&mut self, last_four: [u8; 4]) {
        let value = last_four.iter().fold(0_u32, |n, d| n * 10 + u32::from(d.wrapping_sub(b'0')));
        self.eighteen_digits += 1;
        self.trailing_zeros += u64::from(value.is_multiple_of(1_000));
        // 10^4 is a multiple of 16: the last four digits decide for the whole number.
        self.multiples += u64::from(value.is_multiple_of(16));
    }
}

impl<'a> Short<'a> {
    /// A short way for rows of `width` fields, the number in one of them and the kind of document perhaps in
    /// another. `mask` is that of the sample so far.
    pub fn new(
        prf: &'a Prf,
        lookup: &'a Lookup,
        width: usize,
        id_column: usize,
        kind_column: Option<usize>,
        mask: u64,
    ) -> Self {
        Self { prf, lookup, width, id_column, kind_column, kind: None, mask, tally: Tally::default() }
    }

    /// What was counted.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The number of a row that is taken, and counted.
    #[inline(always)]
    pub(crate) fn takes<'t>(
        &mut self,
        line: &PlainLine<'t, '_>,
        rest: &mut dyn Rest,
    ) -> Option<&'t ResidentNumber> {
        if line.width() != self.width {
            return None;
        }
        let number = line.field(self.id_column).and_then(subject::read_plain)?;
        if let Some(column) = self.kind_column {
            let kind = line.field(column)?;
            if self.kind.as_deref() != Some(kind) {
                if !rest.is_for_short(kind) {
                    return None;
                }
                self.kind = Some(kind.to_vec());
            }
        }
        self.tally.rows += 1;
        if let [.., a, b, c, d @ b'0'..=b'9'] = *number {
            self.tally.digits([a, b, c, d]);
        }
        if density::hash(number) & self.mask == 0 {
            self.mask = rest.sampled(number);
        }
        Some(number)
    }
}

/// Rows whose tokens are still to be made.
pub(crate) struct Waiting<'t> {
    numbers: [ResidentNumber; LANES],
    lines: [(&'t [u8], u64); LANES],
    count: usize,
}

impl<'t> Waiting<'t> {
    pub(crate) fn none() -> Self {
        Self { numbers: [[b'0'; 18]; LANES], lines: [(&[], 0); LANES], count: 0 }
    }

    /// Lets a row wait; says whether there is no room for another.
    #[inline(always)]
    pub(crate) fn push(&mut self, number: ResidentNumber, line: &PlainLine<'t, '_>) -> bool {
        if let (Some(n), Some(l)) = (self.numbers.get_mut(self.count), self.lines.get_mut(self.count)) {
            (*n, *l) = (number, (line.bytes, line.line));
            self.count += 1;
        }
        self.count == LANES
    }

    /// Makes the tokens and looks them up.
    #[inline]
    pub(crate) fn settle(&mut self, short: &Short<'_>, delimiter: u8, rest: &mut dyn Rest) {
        let waiting = std::mem::take(&mut self.count);
        if waiting == 0 {
            return;
        }
        let tokens = short.prf.resident_tokens(&self.numbers.each_ref());
        for (token, (line, number)) in tokens.into_iter().zip(self.lines).take(waiting) {
            if let Some(entry) = short.lookup.find(&token) {
                let mut ends = Vec::new();
                rest.found(&Record::split(line, delimiter, number, &mut ends), entry);
            }
        }
    }
}

//! Cutting text into records (RFC 4180, with any one-byte delimiter), whatever way the bytes arrive.
//!
//! Nearly every line of an export has neither quotation marks nor a carriage return but its last: it is cut
//! where its separators stand ([`crate::separators`]) and never copied. Every other line goes through
//! `csv-core` (`thorough.rs`), which alone decides what quotation marks mean. A property test holds both ways together.

use std::ops::ControlFlow;

use protocol::roster::Entry;
use protocol::subject::ResidentNumber;

use crate::separators::{BLOCK, Separators};
use crate::short::{Short, Waiting};
use crate::thorough::Thorough;

/// Bytes of a record's fields at most; a quote that is never closed runs into this.
pub const MAX_RECORD_BYTES: usize = 65_536;
/// Fields of a record at most.
pub const MAX_FIELDS: usize = 256;

/// Bytes of a line without end that are kept for the next chunk.
const KEPT: usize = 32_768;

/// Delimiters of a line whose places are kept while it is scanned: those that the short way asks for.
pub(crate) const MARKED: usize = 16;

/// Whether to go on. Who breaks off knows why.
pub type Flow = ControlFlow<()>;

/// What takes the records that the short way leaves.
pub trait Rest {
    /// Takes a record.
    fn record(&mut self, record: &Record<'_>) -> Flow;

    /// Whether rows whose document kind is this cell's are taken the short way.
    fn is_for_short(&mut self, kind: &[u8]) -> bool;

    /// Takes a number of the short way that is in the sample of [`crate::density`]; gives the sample's mask.
    fn sampled(&mut self, number: &ResidentNumber) -> u64;

    /// Takes a row of the short way whose person has this entry in the roster.
    fn found(&mut self, record: &Record<'_>, entry: &Entry);
}

/// Why a text can't be cut further. Lines count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutError {
    /// A record has more than [`MAX_RECORD_BYTES`].
    LineTooLong {
        /// Where.
        line: u64,
    },
    /// A record has more than [`MAX_FIELDS`].
    TooManyColumns {
        /// Where.
        line: u64,
    },
    /// The text ends inside a quoted field.
    UnclosedQuote {
        /// Where it ends.
        line: u64,
    },
}

/// One record: its fields and the line it ended on.
pub struct Record<'a> {
    bytes: &'a [u8],
    ends: &'a [usize],
    /// Bytes between two fields: 1 where the delimiter still stands there.
    gap: usize,
    /// Line of the file, from 1, that the record ends on.
    pub line: u64,
}

impl<'a> Record<'a> {
    /// A record whose fields lie one behind the other.
    pub(crate) fn cut(bytes: &'a [u8], ends: &'a [usize], line: u64) -> Self {
        Self { bytes, ends, gap: 0, line }
    }

    /// The record that a plain line is; `ends` is its working space.
    pub(crate) fn split(line: &'a [u8], delimiter: u8, number: u64, ends: &'a mut Vec<usize>) -> Self {
        ends.clear();
        ends.extend(line.iter().enumerate().filter(|(_, b)| **b == delimiter).map(|(at, _)| at));
        ends.push(line.len());
        Self { bytes: line, ends, gap: 1, line: number }
    }

    /// How many fields there are.
    pub fn width(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of field `index`; empty where there is none.
    pub fn field(&self, index: usize) -> &'a [u8] {
        let start = match index.checked_sub(1) {
            None => 0,
            Some(before) => self.ends.get(before).map_or(self.bytes.len(), |end| end + self.gap),
        };
        let end = self.ends.get(index).copied().unwrap_or(start);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// All fields.
    pub fn fields(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        (0..self.width()).map(|i| self.field(i))
    }
}

/// A line that is one record as it stands: no quotation mark, no carriage return, not empty, and within
/// the limits of a record.
pub(crate) struct PlainLine<'t, 'm> {
    pub(crate) bytes: &'t [u8],
    /// Where the first delimiters stand, at most [`MARKED`] of them.
    marks: &'m [u32; MARKED],
    delimiters: u32,
    /// Line of the file, from 1.
    pub(crate) line: u64,
}

impl<'t> PlainLine<'t, '_> {
    /// How many fields there are.
    #[inline]
    pub(crate) fn width(&self) -> usize {
        index(self.delimiters) + 1
    }

    /// The bytes of field `number`, where it is among the first that are marked.
    #[inline]
    pub(crate) fn field(&self, number: usize) -> Option<&'t [u8]> {
        let start = match number.checked_sub(1) {
            None => 0,
            Some(before) if before < self.width() - 1 => index(*self.marks.get(before)?) + 1,
            Some(_) => return None,
        };
        let end = if number + 1 == self.width() { self.bytes.len() } else { index(*self.marks.get(number)?) };
        self.bytes.get(start..end)
    }
}

pub(crate) fn index(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// The cutter: keeps what a chunk leaves unfinished.
pub struct Cutter {
    delimiter: u8,
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
    /// Line feeds so far.
    line_feeds: u64,
    /// Working space of [`Record::split`].
    ends: Vec<usize>,
    thorough: Thorough,
}

impl Cutter {
    /// A cutter for fields separated by `delimiter`.
    pub fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            partial: Vec::new(),
            line_feeds: 0,
            ends: Vec::new(),
            thorough: Thorough::new(delimiter),
        }
    }

    /// Whether what was fed so far ends between two records.
    pub fn at_border(&self) -> bool {
        self.partial.is_empty() && self.thorough.at_border()
    }

    /// Line feeds so far.
    pub fn line_feeds(&self) -> u64 {
        self.line_feeds
    }

    /// Takes note of lines that were cut elsewhere.
    pub fn skip_lines(&mut self, line_feeds: u64) {
        self.line_feeds += line_feeds;
    }

    /// Ends the file; a last record may be without line break.
    ///
    /// # Errors
    /// [`CutError::UnclosedQuote`], and those of [`Cutter::feed`].
    pub fn end(&mut self, rest: &mut dyn Rest) -> Result<Flow, CutError> {
        let partial = std::mem::take(&mut self.partial);
        // A line break ends any record but one that is inside quotes.
        for bytes in [partial.as_slice(), b"\n"] {
            if self.slowly(bytes, rest)?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        if self.thorough.at_border() {
            Ok(Flow::Continue(()))
        } else {
            Err(CutError::UnclosedQuote { line: self.line_feeds })
        }
    }

    /// Feeds `input` and hands over every record that it completes: to `short` where there is one and it takes
    /// the row, else to `rest`.
    ///
    /// # Errors
    /// [`CutError::LineTooLong`], [`CutError::TooManyColumns`].
    pub fn feed(
        &mut self,
        input: &[u8],
        short: Option<&mut Short<'_>>,
        rest: &mut dyn Rest,
    ) -> Result<Flow, CutError> {
        let mut input = input;
        if !self.at_border() {
            match self.complete(input, rest)? {
                ControlFlow::Continue(after) => input = after,
                ControlFlow::Break(()) => return Ok(Flow::Break(())),
            }
        }
        let mut taker = Taker { short, waiting: Waiting::none(), rest };
        let scanned = self.scan(input, &mut taker)?;
        taker.settle(self.delimiter);
        let ControlFlow::Continue(after) = scanned else { return Ok(Flow::Break(())) };
        self.partial.extend_from_slice(after);
        if self.partial.len() <= KEPT && self.thorough.at_border() {
            return Ok(Flow::Continue(()));
        }
        // A line that will be refused, or a text whose lines end in carriage returns only.
        let long = std::mem::take(&mut self.partial);
        self.slowly(&long, rest)
    }

    /// Takes the end of a line that began earlier, and what follows as long as it is inside quotes; gives what
    /// comes after.
    fn complete<'t>(
        &mut self,
        input: &'t [u8],
        rest: &mut dyn Rest,
    ) -> Result<ControlFlow<(), &'t [u8]>, CutError> {
        let mut input = input;
        while let Some(end) = input.iter().position(|b| *b == b'\n') {
            let (line, after) = input.split_at(end + 1);
            input = after;
            let mut whole = std::mem::take(&mut self.partial);
            whole.extend_from_slice(line);
            if self.slowly(&whole, rest)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            if self.thorough.at_border() {
                return Ok(ControlFlow::Continue(input));
            }
        }
        Ok(ControlFlow::Continue(input))
    }

    /// Cuts all whole lines of `input`; gives what follows the last line break.
    fn scan<'t>(
        &mut self,
        input: &'t [u8],
        taker: &mut Taker<'_, '_, 't>,
    ) -> Result<ControlFlow<(), &'t [u8]>, CutError> {
        // Places within `input`; a line begins at `start` and has shown `delimiters` and `special` so far.
        let (mut start, mut at, mut delimiters, mut special) = (0_usize, 0_usize, 0_u32, 0_u32);
        let mut marks = [0_u32; MARKED];
        let (blocks, tail) = input.as_chunks::<BLOCK>();
        let delimiter = self.delimiter;
        let last = Separators::of_short(tail, delimiter);
        for found in blocks.iter().map(|block| Separators::of(block, delimiter)).chain([last]) {
            let mut line_feeds = found.line_feeds;
            let mut from = u64::MAX; // the bits of the block that belong to the line at hand and to later ones
            loop {
                let line_feed = line_feeds & line_feeds.wrapping_neg();
                // Below the line feed, or all where there is none.
                let here = from & line_feed.wrapping_sub(1);
                let mut marked = found.delimiters & here;
                let count = marked.count_ones();
                let mut next = delimiters;
                while marked != 0 {
                    let Some(mark) = marks.get_mut(index(next)) else { break };
                    let place = at + index(marked.trailing_zeros());
                    *mark = u32::try_from(place - start).unwrap_or(u32::MAX);
                    marked &= marked - 1;
                    next += 1;
                }
                delimiters += count;
                special += (found.special & here).count_ones();
                if line_feed == 0 {
                    break;
                }
                let end = at + index(line_feed.trailing_zeros());
                let line = Scanned {
                    line: input.get(start..end).unwrap_or_default(),
                    whole: input.get(start..=end).unwrap_or_default(),
                    marks: &marks,
                    delimiters,
                    special,
                };
                if self.line(&line, taker)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                (start, delimiters, special) = (end + 1, 0, 0);
                line_feeds ^= line_feed;
                from = !(line_feed | line_feed.wrapping_sub(1));
            }
            at += BLOCK;
        }
        Ok(ControlFlow::Continue(input.get(start..).unwrap_or_default()))
    }

    /// One line that was scanned.
    #[inline(always)]
    fn line<'t>(&mut self, cut: &Scanned<'t, '_>, taker: &mut Taker<'_, '_, 't>) -> Result<Flow, CutError> {
        let bytes = match (cut.special, cut.line) {
            (0, line) => line,
            (1, [line @ .., b'\r']) => line,
            _ => return self.slowly(cut.whole, taker.rest),
        };
        let within = bytes.len() < MAX_RECORD_BYTES && index(cut.delimiters) < MAX_FIELDS;
        if !within || !self.thorough.at_border() {
            return self.slowly(cut.whole, taker.rest);
        }
        self.line_feeds += 1;
        let line = PlainLine { bytes, marks: cut.marks, delimiters: cut.delimiters, line: self.line_feeds };
        if let Some(short) = &mut taker.short
            && let Some(number) = short.takes(&line, taker.rest)
        {
            if taker.waiting.push(*number, &line) {
                taker.settle(self.delimiter);
            }
            return Ok(Flow::Continue(()));
        }
        if bytes.is_empty() {
            return Ok(Flow::Continue(()));
        }
        Ok(taker.rest.record(&Record::split(bytes, self.delimiter, self.line_feeds, &mut self.ends)))
    }

    /// Feeds bytes to the thorough cutter.
    #[inline(never)]
    fn slowly(&mut self, input: &[u8], rest: &mut dyn Rest) -> Result<Flow, CutError> {
        self.thorough.feed(input, &mut self.line_feeds, rest)
    }
}

/// A line and what was seen of it.
struct Scanned<'t, 'm> {
    line: &'t [u8],
    /// With its line feed.
    whole: &'t [u8],
    marks: &'m [u32; MARKED],
    delimiters: u32,
    special: u32,
}

/// Where records go.
struct Taker<'a, 's, 't> {
    short: Option<&'a mut Short<'s>>,
    waiting: Waiting<'t>,
    rest: &'a mut dyn Rest,
}

impl Taker<'_, '_, '_> {
    /// Looks up the rows that wait.
    fn settle(&mut self, delimiter: u8) {
        if let Some(short) = &self.short {
            self.waiting.settle(short, delimiter, self.rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Fields and line of each record, in order; and how it ended.
    type Cut = (Vec<(Vec<Vec<u8>>, u64)>, Result<Flow, CutError>);

    #[derive(Default)]
    struct Keep(Vec<(Vec<Vec<u8>>, u64)>);

    impl Rest for Keep {
        fn record(&mut self, record: &Record<'_>) -> Flow {
            self.0.push((record.fields().map(<[u8]>::to_vec).collect(), record.line));
            Flow::Continue(())
        }

        fn is_for_short(&mut self, _: &[u8]) -> bool {
            false
        }

        fn sampled(&mut self, _: &ResidentNumber) -> u64 {
            0
        }

        fn found(&mut self, _: &Record<'_>, _: &Entry) {}
    }

    fn cut(input: &[u8], chunk: usize) -> Cut {
        let mut keep = Keep::default();
        let mut cutter = Cutter::new(b',');
        let fed = input.chunks(chunk).try_for_each(|piece| cutter.feed(piece, None, &mut keep).map(drop));
        let ended = fed.and_then(|()| cutter.end(&mut keep));
        (keep.0, ended)
    }

    /// csv-core over all of the input at once.
    fn thoroughly(input: &[u8]) -> Cut {
        let mut keep = Keep::default();
        let mut thorough = Thorough::new(b',');
        let mut line_feeds = 0;
        let mut fed = thorough.feed(input, &mut line_feeds, &mut keep);
        fed = fed.and_then(|_| thorough.feed(b"\n", &mut line_feeds, &mut keep));
        if fed.is_ok() && !thorough.at_border() {
            fed = Err(CutError::UnclosedQuote { line: line_feeds });
        }
        (keep.0, fed)
    }

    #[test]
    fn quotes_and_line_breaks() {
        let (rows, ended) = cut(b"a,\"b,\"\"c\r\nd\",\r\n\ne,f,g", 1);
        let field = |text: &str| text.as_bytes().to_vec();
        assert_eq!(
            rows,
            [
                (vec![field("a"), field("b,\"c\r\nd"), field("")], 2),
                (vec![field("e"), field("f"), field("g")], 4)
            ]
        );
        assert_eq!(ended, Ok(Flow::Continue(())));
    }

    #[test]
    fn a_quote_that_is_never_closed_is_seen_at_the_end() {
        let (_, ended) = cut(b"a,b\nc,\"d\ne,f\n", 100);
        assert_eq!(ended, Err(CutError::UnclosedQuote { line: 4 }));
    }

    #[test]
    fn an_endless_line_is_refused_in_bounded_memory() {
        let mut keep = Keep::default();
        let mut cutter = Cutter::new(b',');
        let chunk = vec![b'x'; 40_000];
        assert!(cutter.feed(&chunk, None, &mut keep).is_ok());
        assert_eq!(cutter.feed(&chunk, None, &mut keep), Err(CutError::LineTooLong { line: 1 }));
        let mut cutter = Cutter::new(b',');
        assert!(cutter.feed(&[b','; 300], None, &mut keep).is_ok(), "the line is not whole");
        assert_eq!(cutter.end(&mut keep), Err(CutError::TooManyColumns { line: 1 }));
        let lines = [vec![b','; 255], b"\n".to_vec(), vec![b','; 256], b"\n".to_vec()].concat();
        let (rows, ended) = cut(&lines, 1_000);
        assert_eq!((rows.len(), ended), (1, Err(CutError::TooManyColumns { line: 2 })));
    }

    #[test]
    fn a_record_of_just_too_many_bytes_is_refused_either_way() {
        for length in [MAX_RECORD_BYTES - 1, MAX_RECORD_BYTES, MAX_RECORD_BYTES + 1] {
            let input = [vec![b'x'; length - 1], b",y\nz,z\n".to_vec()].concat();
            for chunk in [1_000, 1_000_000] {
                assert_eq!(cut(&input, chunk), thoroughly(&input), "{length}");
            }
        }
    }

    /// Lines that end in carriage returns, and a cell with a line feed in it whose quotation mark ends a chunk.
    #[test]
    fn an_opening_quotation_mark_at_the_end_of_a_chunk_opens_a_record() {
        let before = b"a,b\r".repeat(9_000);
        let input = [&before, b"\"x\ny\",z\rc,d\r".as_slice()].concat();
        for chunk in [before.len(), before.len() + 1, before.len() + 2, 100] {
            assert_eq!(cut(&input, chunk), thoroughly(&input), "{chunk}");
        }
    }

    proptest! {
        /// Where separators stand or thoroughly, in whatever chunks: the same records on the same lines, the same error.
        #[test]
        fn both_ways_and_all_cuts_give_the_same(
            input in proptest::collection::vec(
                prop_oneof![
                    6 => proptest::sample::select(b"ab1,,".to_vec()).prop_map(|b| vec![b]),
                    2 => proptest::sample::select(vec![b"\n".to_vec(), b"\r\n".to_vec()]),
                    1 => proptest::sample::select(b"\"\r\0\xEF".to_vec()).prop_map(|b| vec![b]),
                    1 => proptest::sample::select(vec![b"\"a\",".to_vec(), b"\xEF\xBB\xBF".to_vec(), vec![b'c'; 70]]),
                ],
                0..300,
            ),
            chunk in 1_usize..200,
        ) {
            let input = input.concat();
            let expected = thoroughly(&input);
            for chunk in [chunk, usize::MAX] {
                prop_assert_eq!(&cut(&input, chunk), &expected);
            }
        }
    }
}

//! Cutting text into records (RFC 4180, with any one-byte delimiter), whatever way the bytes arrive.
//!
//! Nearly every line of an export has neither quotation marks nor a carriage return but its last: it is cut
//! where its separators stand ([`crate::separators`]) and never copied. Every other line goes through
//! `csv-core`, which alone decides what quotation marks mean. A property test holds both ways together.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::error::ModuleError;
use crate::separators::{BLOCK, Separators};

/// Bytes of a record's fields at most; a quote that is never closed runs into this.
pub const MAX_RECORD_BYTES: usize = 65_536;
/// Fields of a record at most.
pub const MAX_FIELDS: usize = 256;

/// Delimiters of a line whose places are kept while it is scanned: those the row's path asks for.
const MARKED: usize = 16;

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

    /// The record that a plain line is; `ends` is its working space.
    pub(crate) fn split(line: &'a [u8], delimiter: u8, number: u64, ends: &'a mut Vec<usize>) -> Self {
        ends.clear();
        ends.extend(line.iter().enumerate().filter(|(_, b)| **b == delimiter).map(|(at, _)| at));
        ends.push(line.len());
        Self { bytes: line, ends, gap: 1, line: number }
    }

    /// All fields.
    pub fn fields(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        (0..self.width()).map(|i| self.field(i))
    }
}

/// A line that is one record as it stands: no quotation mark, no carriage return, not empty, and within
/// the limits of a record.
pub struct PlainLine<'t, 'm> {
    /// The line.
    pub bytes: &'t [u8],
    /// Where the first delimiters stand, at most [`MARKED`] of them.
    marks: &'m [u32; MARKED],
    delimiters: u32,
    /// Line of the file, from 1.
    pub line: u64,
}

impl<'t> PlainLine<'t, '_> {
    /// How many fields there are.
    #[inline]
    pub fn width(&self) -> usize {
        index(self.delimiters) + 1
    }

    /// The bytes of field `number`, where it is among the first that are marked.
    #[inline]
    pub fn field(&self, number: usize) -> Option<&'t [u8]> {
        let start = match number.checked_sub(1) {
            None => 0,
            Some(before) if before < self.width() - 1 => index(*self.marks.get(before)?) + 1,
            Some(_) => return None,
        };
        let end = if number + 1 == self.width() { self.bytes.len() } else { index(*self.marks.get(number)?) };
        self.bytes.get(start..end)
    }
}

fn index(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// What takes records as they are cut.
pub trait Rows<'t> {
    /// Offers a plain line, which may be kept as long as the text it lies in. `false` says that it wants
    /// the line as a [`Record`].
    ///
    /// # Errors
    /// What the file is refused for.
    fn plain(&mut self, line: &PlainLine<'t, '_>) -> Result<bool, ModuleError>;

    /// Takes a record of any kind.
    ///
    /// # Errors
    /// What the file is refused for.
    fn record(&mut self, record: &Record<'_>) -> Result<(), ModuleError>;
}

impl<F: FnMut(&Record<'_>) -> Result<(), ModuleError>> Rows<'_> for F {
    fn plain(&mut self, _: &PlainLine<'_, '_>) -> Result<bool, ModuleError> {
        Ok(false)
    }

    fn record(&mut self, record: &Record<'_>) -> Result<(), ModuleError> {
        self(record)
    }
}

/// The cutter: keeps what a chunk leaves unfinished.
pub struct Records {
    delimiter: u8,
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
    /// Line feeds so far.
    line_feeds: u64,
    /// Working space of [`Record::split`].
    ends: Vec<usize>,
    thorough: Thorough,
}

impl Records {
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

    /// Ends the file; a last record may be without line break.
    ///
    /// # Errors
    /// `unclosed_quote` when the file ends inside a quoted field, and what `rows` returns.
    pub fn end<'t>(&mut self, rows: &mut impl Rows<'t>) -> Result<(), ModuleError> {
        let rest = std::mem::take(&mut self.partial);
        self.slowly(&rest, rows)?;
        // A line break ends any record but one that is inside quotes.
        self.slowly(b"\n", rows)?;
        if self.thorough.at_border() {
            return Ok(());
        }
        let message = "the file ends inside a quoted field";
        Err(ModuleError::new("unclosed_quote", "file", message).with("line", self.line_feeds))
    }

    /// Feeds `input` and hands over every record that it completes.
    ///
    /// # Errors
    /// `line_too_long` or `too_many_columns` with the line, and whatever `rows` returns.
    pub fn feed<'t>(&mut self, input: &'t [u8], rows: &mut impl Rows<'t>) -> Result<(), ModuleError> {
        let mut input = input;
        if !self.partial.is_empty() || !self.thorough.at_border() {
            input = self.complete(input, rows)?;
        }
        let rest = self.scan(input, rows)?;
        self.partial.extend_from_slice(rest);
        self.hand_over_long_partial(rows)
    }

    /// Takes the rest of a line that began earlier, and what follows as long as it is inside quotes.
    fn complete<'t>(&mut self, input: &'t [u8], rows: &mut impl Rows<'t>) -> Result<&'t [u8], ModuleError> {
        let mut rest = input;
        loop {
            let Some(end) = rest.iter().position(|b| *b == b'\n') else {
                self.partial.extend_from_slice(rest);
                return Ok(&[]);
            };
            let (line, after) = rest.split_at(end + 1);
            rest = after;
            let begun = std::mem::take(&mut self.partial);
            let whole = [begun.as_slice(), line].concat();
            self.slowly(&whole, rows)?;
            if self.thorough.at_border() {
                return Ok(rest);
            }
        }
    }

    /// A line so long that it will be refused, or that ends in carriage returns only, is not kept.
    fn hand_over_long_partial<'t>(&mut self, rows: &mut impl Rows<'t>) -> Result<(), ModuleError> {
        if self.partial.len() < MAX_RECORD_BYTES {
            return Ok(());
        }
        let long = std::mem::take(&mut self.partial);
        self.slowly(&long, rows)
    }

    /// Cuts all whole lines of `input`; gives back what follows the last line break.
    fn scan<'t>(&mut self, input: &'t [u8], rows: &mut impl Rows<'t>) -> Result<&'t [u8], ModuleError> {
        // Places within `input`; a line begins at `start` and has shown `delimiters` and `special` so far.
        let (mut start, mut at, mut delimiters, mut special) = (0_usize, 0_usize, 0_u32, 0_u32);
        let mut marks = [0_u32; MARKED];
        let (blocks, tail) = input.as_chunks::<BLOCK>();
        let last = Separators::of_short(tail, self.delimiter);
        let delimiter = self.delimiter;
        for found in blocks.iter().map(|block| Separators::of(block, delimiter)).chain([last]) {
            let mut line_feeds = found.line_feeds;
            let mut from = u64::MAX; // the bits of the block that belong to the line at hand, and later ones
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
                let line = input.get(start..end).unwrap_or_default();
                let cut = Scanned { line, marks: &marks, delimiters, special };
                self.line(&cut, input.get(start..=end).unwrap_or_default(), rows)?;
                (start, delimiters, special) = (end + 1, 0, 0);
                line_feeds ^= line_feed;
                from = !(line_feed | line_feed.wrapping_sub(1));
            }
            at += BLOCK;
        }
        Ok(input.get(start..).unwrap_or_default())
    }

    /// One line that was scanned; `whole` is the line with its line feed.
    #[inline(always)]
    fn line<'t>(
        &mut self,
        cut: &Scanned<'t, '_>,
        whole: &'t [u8],
        rows: &mut impl Rows<'t>,
    ) -> Result<(), ModuleError> {
        let bytes = match (cut.special, cut.line) {
            (0, line) => line,
            (1, [line @ .., b'\r']) => line,
            _ => return self.slowly(whole, rows),
        };
        if !self.thorough.at_border()
            || bytes.len() >= MAX_RECORD_BYTES
            || index(cut.delimiters) >= MAX_FIELDS
        {
            return self.slowly(whole, rows);
        }
        self.line_feeds += 1;
        if bytes.is_empty() {
            return Ok(());
        }
        let line = PlainLine { bytes, marks: cut.marks, delimiters: cut.delimiters, line: self.line_feeds };
        if rows.plain(&line)? {
            return Ok(());
        }
        rows.record(&Record::split(bytes, self.delimiter, self.line_feeds, &mut self.ends))
    }

    /// Feeds bytes to the thorough cutter.
    #[inline(never)]
    fn slowly<'t>(&mut self, input: &[u8], rows: &mut impl Rows<'t>) -> Result<(), ModuleError> {
        self.thorough.feed(input, &mut self.line_feeds, rows)
    }
}

/// A line and what was seen of it.
struct Scanned<'t, 'm> {
    line: &'t [u8],
    marks: &'m [u32; MARKED],
    delimiters: u32,
    special: u32,
}

/// The cutter that knows everything: `csv-core`, with room for one record.
struct Thorough {
    reader: Reader,
    bytes: Box<[u8]>,
    ends: Box<[usize]>,
    filled: usize,
    ended: usize,
}

impl Thorough {
    fn new(delimiter: u8) -> Self {
        let mut reader = ReaderBuilder::new().delimiter(delimiter).build();
        // csv-core leaves a byte order mark out when it is the first thing it reads; here that may be in the
        // middle of a file. An empty line is no record.
        let _ = reader.read_record(b"\n", &mut [0], &mut [0]);
        Self {
            reader,
            bytes: vec![0; MAX_RECORD_BYTES].into_boxed_slice(),
            ends: vec![0; MAX_FIELDS].into_boxed_slice(),
            filled: 0,
            ended: 0,
        }
    }

    /// Whether no record is open. A record that goes on behind a line feed is inside quotes and holds that
    /// line feed.
    fn at_border(&self) -> bool {
        self.filled + self.ended == 0
    }

    fn feed<'t>(
        &mut self,
        mut input: &[u8],
        line_feeds: &mut u64,
        rows: &mut impl Rows<'t>,
    ) -> Result<(), ModuleError> {
        while !input.is_empty() {
            let output = self.bytes.get_mut(self.filled..).unwrap_or_default();
            let ends = self.ends.get_mut(self.ended..).unwrap_or_default();
            let (result, used, written, fields) = self.reader.read_record(input, output, ends);
            let (taken, rest) = input.split_at_checked(used).unwrap_or((input, &[]));
            input = rest;
            // The line that the last byte taken stands on.
            let line = *line_feeds + 1 + count(taken.split_last().map_or(&[], |(_, before)| before));
            *line_feeds += count(taken);
            self.filled += written;
            self.ended += fields;
            match result {
                ReadRecordResult::Record => {
                    let record = Record {
                        bytes: self.bytes.get(..self.filled).unwrap_or_default(),
                        ends: self.ends.get(..self.ended).unwrap_or_default(),
                        gap: 0,
                        line,
                    };
                    rows.record(&record)?;
                    (self.filled, self.ended) = (0, 0);
                }
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
                ReadRecordResult::OutputFull => {
                    let message = "a line is longer than 65,536 bytes: perhaps an unclosed quotation mark";
                    return Err(ModuleError::new("line_too_long", "file", message).with("line", line));
                }
                ReadRecordResult::OutputEndsFull => {
                    let message = "a line has more than 256 columns";
                    return Err(ModuleError::new("too_many_columns", "file", message).with("line", line));
                }
            }
        }
        Ok(())
    }
}

fn count(bytes: &[u8]) -> u64 {
    bytes.iter().map(|b| u64::from(*b == b'\n')).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Fields and line of each record, in order; and how it ended.
    type Cut = (Vec<(Vec<Vec<u8>>, u64)>, Result<(), ModuleError>);

    /// Takes plain lines where `plain` says so, as the path of a row does.
    struct Keep {
        out: Vec<(Vec<Vec<u8>>, u64)>,
        plain: bool,
    }

    impl<'t> Rows<'t> for Keep {
        fn plain(&mut self, line: &PlainLine<'t, '_>) -> Result<bool, ModuleError> {
            let fields: Option<Vec<_>> =
                (0..line.width()).map(|i| line.field(i).map(<[u8]>::to_vec)).collect();
            let taken = self.plain && fields.is_some();
            if taken {
                self.out.push((fields.unwrap(), line.line));
            }
            Ok(taken)
        }

        fn record(&mut self, record: &Record<'_>) -> Result<(), ModuleError> {
            self.out.push((record.fields().map(<[u8]>::to_vec).collect(), record.line));
            Ok(())
        }
    }

    fn cut(input: &[u8], chunk: usize, plain: bool) -> Cut {
        let mut keep = Keep { out: Vec::new(), plain };
        let mut records = Records::new(b',');
        let fed = input.chunks(chunk).try_for_each(|piece| records.feed(piece, &mut keep));
        let ended = fed.and_then(|()| records.end(&mut keep));
        (keep.out, ended)
    }

    /// csv-core over all of the input at once.
    fn thoroughly(input: &[u8]) -> Cut {
        let mut keep = Keep { out: Vec::new(), plain: false };
        let mut thorough = Thorough::new(b',');
        let mut line_feeds = 0;
        let mut fed = thorough.feed(input, &mut line_feeds, &mut keep);
        fed = fed.and_then(|()| thorough.feed(b"\n", &mut line_feeds, &mut keep));
        if fed.is_ok() && !thorough.at_border() {
            let message = "the file ends inside a quoted field";
            fed = Err(ModuleError::new("unclosed_quote", "file", message).with("line", line_feeds));
        }
        (keep.out, fed)
    }

    #[test]
    fn quotes_and_line_breaks() {
        let (rows, ended) = cut(b"a,\"b,\"\"c\r\nd\",\r\n\ne,f,g", 1, true);
        let field = |text: &str| text.as_bytes().to_vec();
        assert_eq!(
            rows,
            [
                (vec![field("a"), field("b,\"c\r\nd"), field("")], 2),
                (vec![field("e"), field("f"), field("g")], 4)
            ]
        );
        assert_eq!(ended, Ok(()));
    }

    #[test]
    fn a_quote_that_is_never_closed_is_seen_at_the_end() {
        let (_, ended) = cut(b"a,b\nc,\"d\ne,f\n", 100, true);
        let error = ended.unwrap_err();
        assert_eq!((error.code, error.numbers["line"]), ("unclosed_quote", 4));
    }

    #[test]
    fn an_endless_line_is_refused_in_bounded_memory() {
        let mut records = Records::new(b',');
        let mut nothing = |_: &Record<'_>| Ok(());
        let chunk = vec![b'x'; 40_000];
        assert!(records.feed(&chunk, &mut nothing).is_ok());
        assert_eq!(records.feed(&chunk, &mut nothing).unwrap_err().code, "line_too_long");
        let mut records = Records::new(b',');
        assert!(records.feed(&[b','; 300], &mut nothing).is_ok(), "its line may still be quoted");
        assert_eq!(records.end(&mut nothing).unwrap_err().code, "too_many_columns");
        let line = [vec![b','; 255], b"\n".to_vec(), vec![b','; 256], b"\n".to_vec()].concat();
        let (rows, ended) = cut(&line, 1_000, true);
        assert_eq!((rows.len(), ended.unwrap_err().code), (1, "too_many_columns"));
    }

    #[test]
    fn a_record_of_just_too_many_bytes_is_refused_either_way() {
        for length in [MAX_RECORD_BYTES - 1, MAX_RECORD_BYTES, MAX_RECORD_BYTES + 1] {
            let input = [vec![b'x'; length - 1], b",y\nz,z\n".to_vec()].concat();
            for chunk in [1_000, 1_000_000] {
                assert_eq!(cut(&input, chunk, true), thoroughly(&input), "{length}");
            }
        }
    }

    proptest! {
        /// Plain or thorough, in whatever chunks: the same records on the same lines, the same error.
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
            for plain in [true, false] {
                for chunk in [chunk, usize::MAX] {
                    prop_assert_eq!(&cut(&input, chunk, plain), &expected);
                }
            }
        }
    }
}

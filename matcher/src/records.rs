//! Cutting text into records (RFC 4180, with any one-byte delimiter), whatever way the bytes arrive.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::error::ModuleError;

/// Bytes of a record's fields at most; a quote that is never closed runs into this.
pub const MAX_RECORD_BYTES: usize = 65_536;
/// What a person reads of a record that has more.
pub const LINE_TOO_LONG: &str = "a line is longer than 65,536 bytes: perhaps an unclosed quotation mark";
/// Fields of a record at most.
pub const MAX_FIELDS: usize = 256;

/// One record: its fields and the line it began on.
pub struct Record<'a> {
    bytes: &'a [u8],
    ends: &'a [usize],
    /// Line of the file, from 1, that the record ends on or before.
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
            Some(before) => self.ends.get(before).copied().unwrap_or(self.bytes.len()),
        };
        let end = self.ends.get(index).copied().unwrap_or(start);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// All fields.
    pub fn fields(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        (0..self.width()).map(|i| self.field(i))
    }
}

/// The cutter: keeps what a chunk leaves unfinished.
pub struct Records {
    reader: Reader,
    bytes: Box<[u8]>,
    ends: Box<[usize]>,
    filled: usize,
    ended: usize,
}

impl Records {
    /// A cutter for fields separated by `delimiter`.
    pub fn new(delimiter: u8) -> Self {
        Self {
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            bytes: vec![0; MAX_RECORD_BYTES].into_boxed_slice(),
            ends: vec![0; MAX_FIELDS].into_boxed_slice(),
            filled: 0,
            ended: 0,
        }
    }

    /// Ends the file, and calls `each` for a last record without line break.
    ///
    /// # Errors
    /// `unclosed_quote` when the file ends inside a quoted field, and what `each` returns.
    pub fn end(
        &mut self,
        mut each: impl FnMut(&Record<'_>) -> Result<(), ModuleError>,
    ) -> Result<(), ModuleError> {
        // A line break ends any record but one that is inside quotes.
        self.feed(b"\n", &mut each)?;
        if self.filled + self.ended > 0 {
            let message = "the file ends inside a quoted field";
            return Err(ModuleError::new("unclosed_quote", "file", message).with("line", self.reader.line()));
        }
        Ok(())
    }

    /// Feeds `input` and calls `each` for every record that it completes.
    ///
    /// # Errors
    /// `line_too_long` or `too_many_columns` with the line, and whatever `each` returns.
    pub fn feed(
        &mut self,
        mut input: &[u8],
        mut each: impl FnMut(&Record<'_>) -> Result<(), ModuleError>,
    ) -> Result<(), ModuleError> {
        while !input.is_empty() {
            let output = self.bytes.get_mut(self.filled..).unwrap_or_default();
            let ends = self.ends.get_mut(self.ended..).unwrap_or_default();
            let (result, used, written, fields) = self.reader.read_record(input, output, ends);
            input = input.get(used..).unwrap_or_default();
            self.filled += written;
            self.ended += fields;
            match result {
                ReadRecordResult::Record => {
                    let record = Record {
                        bytes: self.bytes.get(..self.filled).unwrap_or_default(),
                        ends: self.ends.get(..self.ended).unwrap_or_default(),
                        line: self.reader.line(),
                    };
                    each(&record)?;
                    (self.filled, self.ended) = (0, 0);
                }
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
                ReadRecordResult::OutputFull => {
                    return Err(ModuleError::new("line_too_long", "file", LINE_TOO_LONG)
                        .with("line", self.reader.line()));
                }
                ReadRecordResult::OutputEndsFull => {
                    let message = "a line has more than 256 columns";
                    return Err(ModuleError::new("too_many_columns", "file", message)
                        .with("line", self.reader.line()));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(input: &[u8], chunk: usize) -> Vec<Vec<Vec<u8>>> {
        let mut out = Vec::new();
        let mut records = Records::new(b',');
        let mut keep = |r: &Record<'_>| {
            out.push(r.fields().map(<[u8]>::to_vec).collect());
            Ok(())
        };
        for piece in input.chunks(chunk) {
            records.feed(piece, &mut keep).unwrap();
        }
        let closed = records.end(&mut keep).is_ok();
        assert!(closed || input.contains(&b'"'));
        out
    }

    #[test]
    fn quotes_and_line_breaks() {
        let rows = cut(b"a,\"b,\"\"c\r\nd\",\r\ne,f,g", 1);
        assert_eq!(
            rows,
            [
                vec![b"a".to_vec(), b"b,\"c\r\nd".to_vec(), vec![]],
                vec![b"e".to_vec(), b"f".to_vec(), b"g".to_vec()]
            ]
        );
    }

    #[test]
    fn a_quote_that_is_never_closed_is_seen_at_the_end() {
        let mut records = Records::new(b',');
        records.feed(b"a,b\nc,\"d\ne,f\n", |_| Ok(())).unwrap();
        assert_eq!(records.end(|_| Ok(())).unwrap_err().code, "unclosed_quote");
    }

    #[test]
    fn an_endless_line_is_refused_in_bounded_memory() {
        let mut records = Records::new(b',');
        let chunk = vec![b'x'; 40_000];
        assert!(records.feed(&chunk, |_| Ok(())).is_ok());
        assert_eq!(records.feed(&chunk, |_| Ok(())).unwrap_err().code, "line_too_long");
        let commas = vec![b','; 300];
        assert_eq!(Records::new(b',').feed(&commas, |_| Ok(())).unwrap_err().code, "too_many_columns");
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(input in "[a-c,\"\n\r]{0,200}", chunk in 1_usize..20) {
            prop_assert_eq!(cut(input.as_bytes(), chunk), cut(input.as_bytes(), 10_000));
        }
    }
}

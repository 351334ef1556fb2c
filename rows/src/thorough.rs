//! The cutter that knows everything of RFC 4180: `csv-core`, with room for one record.

use std::ops::ControlFlow;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::records::{CutError, Flow, MAX_FIELDS, MAX_RECORD_BYTES, Record, Rest};

/// `csv-core`, and the record that is being filled.
pub(crate) struct Thorough {
    reader: Reader,
    bytes: Box<[u8]>,
    ends: Box<[usize]>,
    filled: usize,
    ended: usize,
    /// Whether a record has begun: an opening quotation mark fills nothing.
    open: bool,
}

impl Thorough {
    /// A cutter for fields separated by `delimiter`.
    pub(crate) fn new(delimiter: u8) -> Self {
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
            open: false,
        }
    }

    /// Whether no record is open.
    pub(crate) fn at_border(&self) -> bool {
        !self.open
    }

    /// Cuts `input`, and adds its line feeds to `line_feeds`.
    pub(crate) fn feed(
        &mut self,
        mut input: &[u8],
        line_feeds: &mut u64,
        rest: &mut dyn Rest,
    ) -> Result<Flow, CutError> {
        while !input.is_empty() {
            let output = self.bytes.get_mut(self.filled..).unwrap_or_default();
            let ends = self.ends.get_mut(self.ended..).unwrap_or_default();
            let (result, used, written, fields) = self.reader.read_record(input, output, ends);
            let (taken, after) = input.split_at_checked(used).unwrap_or((input, &[]));
            input = after;
            // The line that the last byte taken stands on.
            let line = *line_feeds + 1 + count(taken.split_last().map_or(&[], |(_, before)| before));
            *line_feeds += count(taken);
            self.filled += written;
            self.ended += fields;
            match result {
                ReadRecordResult::Record => {
                    let record = Record::cut(
                        self.bytes.get(..self.filled).unwrap_or_default(),
                        self.ends.get(..self.ended).unwrap_or_default(),
                        line,
                    );
                    let flow = rest.record(&record);
                    (self.filled, self.ended, self.open) = (0, 0, false);
                    if flow.is_break() {
                        return Ok(flow);
                    }
                }
                // Between two records line breaks are passed over.
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {
                    self.open |= taken.iter().any(|b| !matches!(b, b'\r' | b'\n'));
                }
                ReadRecordResult::OutputFull => return Err(CutError::LineTooLong { line }),
                ReadRecordResult::OutputEndsFull => return Err(CutError::TooManyColumns { line }),
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

fn count(bytes: &[u8]) -> u64 {
    bytes.iter().map(|b| u64::from(*b == b'\n')).sum()
}

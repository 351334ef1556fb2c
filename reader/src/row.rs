//! One row of a sheet, as every format's reader fills it.

use crate::cells::Workbook;
use crate::error::ReadError;

/// Columns at most: the matcher's limit.
const MAX_COLUMNS: u32 = 256;

/// Bytes of a row at most: the matcher's limit.
const MAX_BYTES: usize = 65_536;

/// Rows of a sheet at most.
pub(crate) const MAX_ROWS: u32 = 1_048_576;

/// Where a sheet's rows come from.
pub(crate) trait Rows {
    /// Fills `row`, which is empty, with the next row that has a cell; false at the end of the sheet.
    fn next(&mut self, row: &mut Row) -> Result<bool, ReadError>;

    /// Rows of the sheet as the file says, for progress; none when it does not.
    fn declared(&self) -> Option<u32> {
        None
    }

    /// The workbook that was lent to it, for another sheet.
    fn into_workbook(self: Box<Self>) -> Option<Workbook> {
        None
    }
}

/// A row: its place in the sheet and the text of its cells.
#[derive(Default)]
pub(crate) struct Row {
    /// Its place, from 0.
    pub(crate) index: u32,
    cells: Vec<String>,
    width: usize,
    bytes: usize,
}

impl Row {
    /// Empties it, to stand at `index`.
    pub(crate) fn begin(&mut self, index: u32) {
        self.index = index;
        self.bytes = 0;
        for cell in self.cells.iter_mut().take(self.width) {
            cell.clear();
        }
        self.width = 0;
    }

    /// Sets the cell at `column`, from 0. An empty one is none.
    ///
    /// # Errors
    /// When the matcher would not take such a row.
    pub(crate) fn set(&mut self, column: u32, text: &str) -> Result<(), ReadError> {
        if text.is_empty() {
            return Ok(());
        }
        if self.index >= MAX_ROWS {
            return Err(ReadError::row("too_many_rows", "more than 1,048,576 rows", self.index));
        }
        if column >= MAX_COLUMNS {
            return Err(ReadError::row("too_many_columns", "more than 256 columns", self.index));
        }
        self.bytes += text.len();
        if self.bytes > MAX_BYTES {
            return Err(ReadError::row("line_too_long", "a row of more than 65,536 bytes", self.index));
        }
        let at = usize::try_from(column).unwrap_or(0);
        if self.cells.len() <= at {
            self.cells.resize(at + 1, String::new());
        }
        self.width = self.width.max(at + 1);
        if let Some(cell) = self.cells.get_mut(at) {
            text.clone_into(cell);
        }
        Ok(())
    }

    /// The cells up to the last that has a text.
    pub(crate) fn cells(&self) -> impl Iterator<Item = &str> {
        self.cells.iter().take(self.width).map(String::as_str)
    }

    /// Whether no cell has a text.
    pub(crate) fn is_empty(&self) -> bool {
        self.width == 0
    }
}

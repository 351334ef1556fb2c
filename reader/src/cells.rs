//! XLSX and XLSB: `calamine` gives their cells one by one, in the order of the file, and nothing of a sheet is held.

use calamine::{DataRef, Reader, Xlsb, XlsbError, Xlsx, XlsxError};
use self_cell::{MutBorrow, self_cell};
use std::io::Cursor;

use crate::archive::Bytes;
use crate::error::ReadError;
use crate::number;
use crate::row::{Row, Rows};

type File = Cursor<Bytes>;

/// A workbook whose cells come one by one.
pub(crate) enum Workbook {
    /// XLSX and XLSM; the macros of one are not looked at.
    Xlsx(Box<Xlsx<File>>),
    /// XLSB.
    Xlsb(Box<Xlsb<File>>),
}

impl Workbook {
    pub(crate) fn open_xlsx(bytes: &Bytes) -> Result<Self, ReadError> {
        let book = Xlsx::new(Cursor::new(bytes.clone())).map_err(|error| of_xlsx(&error))?;
        Ok(Self::Xlsx(Box::new(book)))
    }

    pub(crate) fn open_xlsb(bytes: &Bytes) -> Result<Self, ReadError> {
        let book = Xlsb::new(Cursor::new(bytes.clone())).map_err(|error| of_xlsb(&error))?;
        Ok(Self::Xlsb(Box::new(book)))
    }

    pub(crate) fn sheets(&self) -> &[calamine::Sheet] {
        match self {
            Self::Xlsx(book) => book.sheets_metadata(),
            Self::Xlsb(book) => book.sheets_metadata(),
        }
    }

    /// The cells of a sheet; they hold the workbook until [`Rows::into_workbook`].
    pub(crate) fn sheet(self, name: &str) -> Result<SheetCells, ReadError> {
        let mut rows = 0;
        let cells = Cells::try_new(MutBorrow::new(self), |book| -> Result<NextCell<'_>, ReadError> {
            Ok(match book.borrow_mut() {
                Self::Xlsx(book) => {
                    let mut cells = book.worksheet_cells_reader(name).map_err(|error| of_xlsx(&error))?;
                    rows = cells.dimensions().end.0 + 1;
                    Box::new(move || {
                        let cell = cells.next_cell().map_err(|error| of_xlsx(&error))?;
                        Ok(cell.map(|cell| (cell.get_position(), text_of(cell.get_value()))))
                    })
                }
                Self::Xlsb(book) => {
                    let mut cells = book.worksheet_cells_reader(name).map_err(|error| of_xlsb(&error))?;
                    rows = cells.dimensions().end.0 + 1;
                    Box::new(move || {
                        let cell = cells.next_cell().map_err(|error| of_xlsb(&error))?;
                        Ok(cell.map(|cell| (cell.get_position(), text_of(cell.get_value()))))
                    })
                }
            })
        })?;
        Ok(SheetCells { cells, rows, next: None, over: false })
    }
}

/// A cell: row and column from 0, and its text.
type Cell = ((u32, u32), String);
type NextCell<'a> = Box<dyn FnMut() -> Result<Option<Cell>, ReadError> + 'a>;

self_cell! {
    struct Cells {
        owner: MutBorrow<Workbook>,
        #[not_covariant]
        dependent: NextCell,
    }
}

/// The cells of a sheet.
pub(crate) struct SheetCells {
    cells: Cells,
    rows: u32,
    /// The first cell of the next row.
    next: Option<Cell>,
    /// The last cell has been given: asked once more, the library would look for the sheet's end again.
    over: bool,
}

impl SheetCells {
    /// The next row that has a text.
    fn next_row(&mut self, row: &mut Row) -> Result<bool, ReadError> {
        let mut begun = false;
        while !self.over {
            let cell = match self.next.take() {
                Some(cell) => Some(cell),
                None => self.cells.with_dependent_mut(|_, next| next())?,
            };
            let Some(((at, column), text)) = cell else {
                self.over = true;
                break;
            };
            if text.is_empty() {
                continue;
            }
            if !begun {
                row.begin(at);
                begun = true;
            } else if at != row.index {
                self.next = Some(((at, column), text));
                return Ok(true);
            }
            row.set(column, &text)?;
        }
        Ok(begun)
    }
}

impl Rows for SheetCells {
    fn next(&mut self, row: &mut Row) -> Result<bool, ReadError> {
        self.next_row(row)
    }

    fn declared(&self) -> Option<u32> {
        (self.rows > 1).then_some(self.rows)
    }

    fn into_workbook(self: Box<Self>) -> Option<Workbook> {
        Some(self.cells.into_owner().into_inner())
    }
}

/// What a cell becomes.
pub(crate) fn text_of(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) if number.unsigned_abs() < 1_000_000_000_000_000 => number.to_string(),
        #[expect(clippy::cast_precision_loss, reason = "15 digits are kept, as a spreadsheet keeps them")]
        DataRef::Int(number) => number::text(*number as f64),
        DataRef::Float(number) => number::text(*number),
        DataRef::DateTime(date) => number::date(date),
        DataRef::DateTimeIso(date) => number::iso_date(date),
        DataRef::DurationIso(text) => text.clone(),
        DataRef::Bool(true) => "TRUE".to_owned(),
        DataRef::Bool(false) => "FALSE".to_owned(),
        DataRef::Error(error) => error.to_string(),
    }
}

fn of_xlsx(error: &XlsxError) -> ReadError {
    match error {
        XlsxError::Password => ReadError::password(),
        _ => ReadError::broken(),
    }
}

fn of_xlsb(error: &XlsbError) -> ReadError {
    match error {
        XlsbError::Password => ReadError::password(),
        _ => ReadError::broken(),
    }
}

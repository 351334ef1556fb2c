//! One spreadsheet file and its sheets, whatever its format.

use calamine::{SheetType, SheetVisible};

use crate::archive::{self, Bytes, Package};
use crate::cells::Workbook;
use crate::error::ReadError;
use crate::html::PageRows;
use crate::kind::{self, Kind};
use crate::ods::OpenDocument;
use crate::row::Rows;
use crate::sheet_text::SheetText;
use crate::xls::OldWorkbook;
use crate::xml2003;

/// A sheet, for a person to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SheetInfo {
    /// Its name in the file.
    pub(crate) name: String,
    /// Whether the file hides it.
    pub(crate) hidden: bool,
}

/// A file that has been opened.
pub(crate) struct Book {
    /// What it is, in one word.
    pub(crate) format: &'static str,
    /// Its sheets of cells, in the order of the file.
    pub(crate) sheets: Vec<SheetInfo>,
    source: Source,
}

/// Where rows come from.
enum Source {
    Cells(Workbook),
    Old(Box<OldWorkbook>),
    OpenDocument(OpenDocument),
    Xml2003(Bytes),
    Page(Bytes),
    /// A sheet has the workbook.
    Lent,
}

impl Book {
    /// Opens a file.
    ///
    /// # Errors
    /// [`ReadError`], by code.
    pub(crate) fn open(file: Vec<u8>) -> Result<Self, ReadError> {
        let kind = kind::sniff(&file).ok_or(ReadError::unknown())?;
        let bytes = Bytes::new(file);
        match kind {
            Kind::Zip => match archive::inspect(&bytes)? {
                Package::Xlsx => Ok(Self::of_cells("xlsx", Workbook::open_xlsx(&bytes)?)),
                Package::Xlsb => Ok(Self::of_cells("xlsb", Workbook::open_xlsb(&bytes)?)),
                Package::Ods => {
                    let document = OpenDocument::new(&bytes, false);
                    document.check_lock()?;
                    Self::of_document("ods", document)
                }
            },
            Kind::Ole => {
                let book = OldWorkbook::open(&bytes)?;
                let sheets = infos(book.sheets());
                Ok(Self { format: "xls", sheets, source: Source::Old(Box::new(book)) })
            }
            Kind::FlatOds => Self::of_document("fods", OpenDocument::new(&bytes, true)),
            Kind::Xml2003 => {
                let sheets = named(xml2003::sheets(&bytes)?);
                Ok(Self { format: "xml2003", sheets, source: Source::Xml2003(bytes) })
            }
            Kind::Html => {
                let sheets = named(vec![(String::new(), false)]);
                Ok(Self { format: "html", sheets, source: Source::Page(bytes) })
            }
        }
    }

    fn of_cells(format: &'static str, book: Workbook) -> Self {
        let sheets = infos(book.sheets());
        Self { format, sheets, source: Source::Cells(book) }
    }

    fn of_document(format: &'static str, document: OpenDocument) -> Result<Self, ReadError> {
        let sheets = named(document.sheets()?);
        Ok(Self { format, sheets, source: Source::OpenDocument(document) })
    }

    /// Begins a sheet. The one before is to be given back first, by [`Book::close`].
    pub(crate) fn sheet(&mut self, index: usize) -> Result<SheetText, ReadError> {
        let name = &self.sheets.get(index).ok_or(ReadError::request("there is no such sheet"))?.name;
        let rows: Box<dyn Rows> = match &mut self.source {
            Source::Old(book) => Box::new(book.sheet(name)?),
            Source::OpenDocument(document) => Box::new(document.sheet(index)?),
            Source::Xml2003(bytes) => Box::new(xml2003::sheet(bytes, index)?),
            Source::Page(bytes) => Box::new(PageRows::new(bytes)),
            source @ (Source::Cells(_) | Source::Lent) => match std::mem::replace(source, Source::Lent) {
                Source::Cells(book) => Box::new(book.sheet(name)?),
                _ => return Err(ReadError::request("the sheet before is not closed")),
            },
        };
        Ok(SheetText::new(rows))
    }

    /// Takes back what a sheet has held.
    pub(crate) fn close(&mut self, sheet: SheetText) {
        if let Some(book) = sheet.into_rows().into_workbook() {
            self.source = Source::Cells(book);
        }
    }
}

fn named(sheets: Vec<(String, bool)>) -> Vec<SheetInfo> {
    sheets.into_iter().map(|(name, hidden)| SheetInfo { name, hidden }).collect()
}

/// The sheets that have cells: no charts, dialogues and macros.
fn infos(sheets: &[calamine::Sheet]) -> Vec<SheetInfo> {
    let of_cells = sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let info = |sheet: &calamine::Sheet| SheetInfo {
        name: sheet.name.clone(),
        hidden: sheet.visible != SheetVisible::Visible,
    };
    of_cells.map(info).collect()
}

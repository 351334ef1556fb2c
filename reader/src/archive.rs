//! Zip archives: what is in one, and what is refused before anything of it is unpacked (threat T26).

use std::io::{self, BufReader, Cursor, Read};
use std::ops::RangeInclusive;
use std::rc::Rc;

use self_cell::{MutBorrow, self_cell};
use zip::ZipArchive;
use zip::read::ZipFile;

use crate::error::ReadError;

/// Entries of an archive at most. A workbook of a hundred sheets with comments and pictures has some four hundred.
const MAX_ENTRIES: u64 = 1_024;

/// Bytes of all entries together, unpacked. A full sheet of 1,048,576 rows has 300 to 600 MB, and is never held as a
/// whole: what this bounds is time.
const MAX_UNPACKED: u64 = 2 << 30;

/// Bytes of the parts that are held while sheets are read: strings, styles, lists. Full sheets have 100 to 200 MB of strings.
const MAX_HELD: u64 = 256 << 20;

/// Unpacked bytes for one packed byte. Sheets have 5 to 40; deflate can reach 1,032.
const MAX_RATIO: u64 = 200;

/// Entries shorter than this may have any ratio.
const SMALL: u64 = 1 << 20;

/// Bytes at the beginning of an XML part among which a document type would stand.
const PROLOGUE: u64 = 4_096;

/// Records of XLSB for a cell that stands right of the one before it (MS-XLSB, BrtShortBlank to BrtShortIsst).
const SHORT_CELLS: RangeInclusive<u16> = 12..=18;

/// A file's bytes, held once however many read them.
#[derive(Clone)]
pub(crate) struct Bytes(Rc<Vec<u8>>);

impl Bytes {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(Rc::new(bytes))
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// What an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Package {
    /// XLSX and XLSM.
    Xlsx,
    /// XLSB.
    Xlsb,
    /// ODS.
    Ods,
}

/// Looks through an archive's directory and those of its parts that are held.
///
/// # Errors
/// When it is locked, no spreadsheet, has too much in it, or says something else of itself than it holds.
pub(crate) fn inspect(bytes: &Bytes) -> Result<Package, ReadError> {
    let mut archive = open(bytes)?;
    within("entries", count(archive.len()), MAX_ENTRIES)?;
    let mut package = None;
    let (mut unpacked, mut held) = (0_u64, 0_u64);
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|_| ReadError::broken())?;
        if entry.encrypted() {
            return Err(ReadError::password());
        }
        let (size, packed) = (entry.size(), entry.compressed_size());
        unpacked = unpacked.saturating_add(size);
        within("unpacked_bytes", unpacked, MAX_UNPACKED)?;
        if size > SMALL {
            within("ratio", size / packed.max(1), MAX_RATIO)?;
        }
        let name = entry.name().map_err(|_| ReadError::broken())?.replace('\\', "/").to_ascii_lowercase();
        drop(entry);
        package = package.or(match name.as_str() {
            name if name.ends_with("workbook.xml") => Some(Package::Xlsx),
            name if name.ends_with("workbook.bin") => Some(Package::Xlsb),
            "content.xml" => Some(Package::Ods),
            _ => None,
        });
        let is_markup = name.ends_with(".xml") || name.ends_with(".rels");
        if name == "content.xml" || name.contains("worksheets/") {
            check_prologue(&mut archive, index)?;
            if name.ends_with(".bin") {
                check_cells(&mut archive, index)?;
            }
        } else if is_markup || name.ends_with(".bin") {
            held = held.saturating_add(size);
            within("held_bytes", held, MAX_HELD)?;
            check_prologue(&mut archive, index)?;
            check_size(&mut archive, index, size)?;
        }
    }
    package.ok_or(ReadError::unknown())
}

/// No document type: spreadsheets have none, and entities are declared there.
fn check_prologue(archive: &mut Archive, index: usize) -> Result<(), ReadError> {
    let mut beginning = Vec::new();
    let entry = archive.by_index(index).map_err(|_| ReadError::broken())?;
    entry.take(PROLOGUE).read_to_end(&mut beginning).map_err(|_| ReadError::broken())?;
    let declared = beginning.windows(9).any(|window| window.eq_ignore_ascii_case(b"<!DOCTYPE"));
    if declared { Err(ReadError::broken()) } else { Ok(()) }
}

/// No short cells in a sheet of XLSB: calamine passes them over, and whole columns would be lost in silence.
fn check_cells(archive: &mut Archive, index: usize) -> Result<(), ReadError> {
    let entry = archive.by_index(index).map_err(|_| ReadError::broken())?;
    let mut records = BufReader::new(entry.take(MAX_UNPACKED));
    while let Some(first) = byte(&mut records)? {
        let mut kind = u16::from(first & 0x7F);
        if first > 0x7F {
            kind |= u16::from(byte(&mut records)?.ok_or(ReadError::broken())? & 0x7F) << 7;
        }
        if SHORT_CELLS.contains(&kind) {
            return Err(ReadError::unknown());
        }
        let mut length = 0;
        for shift in [0, 7, 14, 21] {
            let part = byte(&mut records)?.ok_or(ReadError::broken())?;
            length |= u64::from(part & 0x7F) << shift;
            if part <= 0x7F {
                break;
            }
        }
        io::copy(&mut records.by_ref().take(length), &mut io::sink()).map_err(|_| ReadError::broken())?;
    }
    Ok(())
}

/// The next byte, if there is one.
fn byte(reader: &mut impl Read) -> Result<Option<u8>, ReadError> {
    let mut next = [0];
    let read = reader.read(&mut next).map_err(|_| ReadError::broken())?;
    let [byte] = next;
    Ok((read > 0).then_some(byte))
}

/// As many bytes as the directory says.
fn check_size(archive: &mut Archive, index: usize, size: u64) -> Result<(), ReadError> {
    let entry = archive.by_index(index).map_err(|_| ReadError::broken())?;
    let there = io::copy(&mut entry.take(size + 1), &mut io::sink()).map_err(|_| ReadError::broken())?;
    if there == size { Ok(()) } else { Err(ReadError::broken()) }
}

fn within(what: &'static str, found: u64, most: u64) -> Result<(), ReadError> {
    if found > most { Err(ReadError::limit(what, found, most)) } else { Ok(()) }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

type Archive = ZipArchive<Cursor<Bytes>>;

fn open(bytes: &Bytes) -> Result<Archive, ReadError> {
    ZipArchive::new(Cursor::new(bytes.clone())).map_err(|_| ReadError::broken())
}

type Unpacking<'a> = ZipFile<'a, Cursor<Bytes>>;

self_cell! {
    struct Held {
        owner: MutBorrow<Archive>,
        #[not_covariant]
        dependent: Unpacking,
    }
}

/// An entry that is being unpacked, with the archive it comes from.
pub(crate) struct Entry(Held);

impl Entry {
    /// The entry of that name.
    pub(crate) fn open(bytes: &Bytes, name: &str) -> Result<Self, ReadError> {
        let archive = MutBorrow::new(open(bytes)?);
        let held = Held::try_new(archive, |archive| archive.borrow_mut().by_name(name));
        held.map(Self).map_err(|_| ReadError::broken())
    }
}

impl Read for Entry {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.with_dependent_mut(|_, entry| entry.read(out))
    }
}

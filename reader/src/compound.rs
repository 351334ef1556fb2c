//! Compound files (MS-CFB), which XLS lies in: how their sectors are chained, looked at before `calamine` follows the
//! chains.
//!
//! A chain that comes back to where it was would be followed without end, and a table of sectors that is listed over
//! and over be gathered until memory ends. So no table may be listed twice, and none may hold a circle; then a chain has
//! no more sectors than the file. Nothing else is judged here: what does not read otherwise, `calamine` refuses.

use crate::error::ReadError;

/// Numbers from here on name no sector.
const RESERVED: u32 = 0xFFFF_FFFA;

/// Bytes of the header that counts, whatever the length of a sector.
const HEADER: usize = 512;

/// Looks at the chains of a compound file.
///
/// # Errors
/// `spreadsheet_broken` when they have no end.
pub(crate) fn check(file: &[u8]) -> Result<(), ReadError> {
    let Some(sectors) = Sectors::of(file) else { return Ok(()) };
    let table = sectors.table()?;
    let table: Vec<u32> = table.iter().flat_map(|sector| sectors.numbers(*sector)).collect();
    ends(&table)?;
    // The second table, of the small sectors that streams of less than 4,096 bytes lie in, is chained in the first.
    let mut small = Vec::new();
    let mut next = sectors.header(60);
    while next < RESERVED {
        small.extend(sectors.numbers(next));
        next = place(next).and_then(|at| table.get(at)).copied().unwrap_or(RESERVED);
    }
    ends(&small)
}

/// Whether every chain of a table ends: each sector names the next. A step for each sector, whatever they say.
fn ends(table: &[u32]) -> Result<(), ReadError> {
    // The walk that came by a sector first, from 1.
    let mut walks = vec![0_u32; table.len()];
    for (walk, start) in (1..).zip(0..table.len()) {
        let mut at = start;
        while let (Some(seen), Some(next)) = (walks.get_mut(at), table.get(at)) {
            if *seen == walk {
                return Err(ReadError::broken());
            }
            if *seen != 0 {
                break;
            }
            *seen = walk;
            match place(*next) {
                Some(next) => at = next,
                None => break,
            }
        }
    }
    Ok(())
}

/// Where in a table a number points to.
fn place(number: u32) -> Option<usize> {
    (number < RESERVED).then(|| usize::try_from(number).ok()).flatten()
}

/// A file and the length of its sectors, of which the header takes the place of the first.
struct Sectors<'a> {
    file: &'a [u8],
    size: usize,
}

impl<'a> Sectors<'a> {
    /// None for what is no compound file.
    fn of(file: &'a [u8]) -> Option<Self> {
        let shift = file.get(30..32)?;
        let size = match shift {
            [9, 0] => 512,
            [12, 0] => 4_096,
            _ => return None,
        };
        (file.len() >= HEADER).then_some(Self { file, size })
    }

    /// The numbers of the sectors that the table of sectors lies in: 109 stand in the header, the others in a chain of
    /// sectors of their own, whose last number names the next.
    fn table(&self) -> Result<Vec<u32>, ReadError> {
        let mut seen = vec![false; self.file.len() / self.size + 1];
        let mut once = |sector: u32| match place(sector).and_then(|at| seen.get_mut(at)) {
            // One beyond the file's end is `calamine`'s to refuse.
            None => Ok(()),
            Some(true) => Err(ReadError::broken()),
            Some(seen) => {
                *seen = true;
                Ok(())
            }
        };
        let mut listed: Vec<u32> = (76..HEADER).step_by(4).map(|at| self.header(at)).collect();
        let mut next = self.header(68);
        while next < RESERVED {
            once(next)?;
            let mut more: Vec<u32> = self.numbers(next).collect();
            let Some(last) = more.pop() else { break };
            listed.extend(more);
            next = last;
        }
        listed.retain(|sector| *sector < RESERVED);
        listed.iter().try_for_each(|sector| once(*sector))?;
        Ok(listed)
    }

    /// A number of the header.
    fn header(&self, at: usize) -> u32 {
        let bytes = self.file.get(at..).and_then(|bytes| bytes.first_chunk());
        bytes.map_or(RESERVED, |bytes| u32::from_le_bytes(*bytes))
    }

    /// The numbers that a sector holds; of one that the file's end cuts, those that are there.
    fn numbers(&self, sector: u32) -> impl Iterator<Item = u32> + use<'a> {
        let start = place(sector).and_then(|at| at.checked_add(1)?.checked_mul(self.size));
        let sector = start.and_then(|start| self.file.get(start..)).unwrap_or_default();
        let (numbers, _) = sector.get(..self.size).unwrap_or(sector).as_chunks();
        numbers.iter().map(|bytes| u32::from_le_bytes(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: u32 = 0xFFFF_FFFE;
    const FREE: u32 = 0xFFFF_FFFF;
    const OF_TABLE: u32 = 0xFFFF_FFFD;

    /// A compound file of nine sectors: 0 the table, 1 and 2 the directory, 3 the second table, 4 and 5 the small
    /// sectors, 6 to 8 free; and where the numbers of its sector `n` begin.
    fn file() -> Vec<u8> {
        let mut file = vec![0; 512 * 10];
        file[..8].copy_from_slice(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]);
        file[26] = 3;
        file[30] = 9;
        file[32] = 6;
        put(&mut file, 44, &[1, 1]); // one sector of the table; the directory begins in 1
        put(&mut file, 60, &[3, 1, END]); // the second table in 3, one sector; no further list
        put(&mut file, 76, &[FREE; 109]);
        put(&mut file, 76, &[0]);
        put(&mut file, at(0), &[FREE; 128]);
        put(&mut file, at(0), &[OF_TABLE, 2, END, END, 5, END]);
        put(&mut file, at(3), &[FREE; 128]);
        put(&mut file, at(3), &[1, END]);
        for entry in [at(1), at(2)] {
            put(&mut file, entry + 116, &[4, 512]);
        }
        file
    }

    fn at(sector: usize) -> usize {
        512 * (sector + 1)
    }

    fn put(file: &mut [u8], at: usize, numbers: &[u32]) {
        for (place, number) in file[at..].chunks_mut(4).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
    }

    #[test]
    fn chains_that_end_are_left_to_calamine() {
        let file = file();
        assert_eq!(check(&file), Ok(()));
        for cut in 0..file.len() {
            let _ = check(&file[..cut]);
        }
        // The same through the reader: no workbook in it, and told so.
        let opened = crate::book::Book::open(file).map(drop);
        assert_eq!(opened, Err(ReadError::unknown()));
    }

    #[test]
    fn chains_without_an_end_are_refused_before_calamine_follows_them() {
        let circles: [(&str, usize, &[u32]); 8] = [
            ("the directory is followed by itself", at(0) + 4, &[1]),
            ("by its beginning", at(0) + 8, &[1]),
            ("a stream", at(0) + 20, &[4]),
            ("sectors that nothing leads to", at(0) + 24, &[7, 8, 6]),
            ("small sectors", at(3) + 4, &[0]),
            ("the table is listed twice", 80, &[0]),
            ("a list of the table names itself", 68, &[6]),
            ("the second table is followed by itself", at(0) + 12, &[3]),
        ];
        for (what, place, numbers) in circles {
            let mut file = file();
            if what.contains("names itself") {
                put(&mut file, at(6), &[FREE; 127]);
                put(&mut file, at(6) + 508, &[6]);
            }
            put(&mut file, place, numbers);
            assert_eq!(check(&file), Err(ReadError::broken()), "{what}");
            assert_eq!(crate::book::Book::open(file).map(drop), Err(ReadError::broken()), "{what}");
        }
    }
}

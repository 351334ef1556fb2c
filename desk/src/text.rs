//! Delimited text as an office program saves it: UTF-8, GB18030 or UTF-16, with commas, tabs or semicolons.

use encoding_rs::{Encoding, GB18030, UTF_8};

use crate::defect::Code;

/// A record: its row as a spreadsheet counts them (from 1, empty ones included), and its cells.
pub(crate) type Record = (u32, Vec<String>);

/// Decodes a file strictly: a byte mark decides, else UTF-8, else GB18030. A byte that fits none is refused.
pub(crate) fn decode(bytes: &[u8]) -> Result<String, Code> {
    if SPREADSHEETS.iter().any(|magic| bytes.starts_with(magic)) {
        return Err(Code::Spreadsheet);
    }
    let decoded = match Encoding::for_bom(bytes) {
        Some((encoding, mark)) => strictly(encoding, bytes.get(mark..).unwrap_or_default()),
        None => strictly(UTF_8, bytes).or_else(|| strictly(GB18030, bytes)),
    };
    let text = decoded.filter(|text| !text.contains('\0')).ok_or(Code::Undecodable)?;
    let text = text.replace("\r\n", "\n");
    // A file with `\r` alone comes from an old Macintosh program.
    Ok(if text.contains('\n') { text } else { text.replace('\r', "\n") })
}

/// First bytes of ZIP (xlsx) and OLE2 (xls).
const SPREADSHEETS: [&[u8]; 2] = [b"PK\x03\x04", b"\xD0\xCF\x11\xE0"];

fn strictly(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    encoding.decode_without_bom_handling_and_without_replacement(bytes).map(String::from)
}

/// Splits `text` (as [`decode`] gives it) at `delimiter` (RFC 4180 quoting). Empty records are left out, and counted.
pub(crate) fn records(text: &str, delimiter: u8) -> Vec<Record> {
    let text = if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let (mut record, mut records) = (csv::StringRecord::new(), Vec::new());
    let mut breaks_inside = 0; // a line break inside quotes is no row of its own
    while reader.read_record(&mut record).unwrap_or(false) {
        let inside: usize = record.iter().map(|cell| cell.matches('\n').count()).sum();
        breaks_inside += u64::try_from(inside).unwrap_or(u64::MAX);
        let row = reader.position().line().saturating_sub(1).saturating_sub(breaks_inside);
        if record.iter().any(|cell| !cell.trim().is_empty()) {
            let cells = record.iter().map(str::to_owned).collect();
            records.push((u32::try_from(row).unwrap_or(u32::MAX), cells));
        }
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(u32, String)> {
        let text = decode(text.as_bytes()).unwrap();
        records(&text, b',').into_iter().map(|(row, cells)| (row, cells.join("/"))).collect()
    }

    #[test]
    fn rows_are_counted_as_a_spreadsheet_does() {
        let expected: Vec<(u32, String)> =
            [(1, "a/b"), (3, "c\nd/e"), (4, "f/"), (6, "g/h")].map(|(n, s)| (n, s.to_owned())).into();
        for end in ["", "\n"] {
            let text = format!("a,b\n\n\"c\nd\",e\nf,\n,\ng,h{end}");
            assert_eq!(rows(&text), expected);
            assert_eq!(rows(&text.replace('\n', "\r\n")), expected);
        }
        assert_eq!(rows("a,b\r\rc,d"), [(1, "a/b".to_owned()), (3, "c/d".to_owned())]);
    }

    #[test]
    fn encodings() {
        let text = "姓名,䶮";
        let gb = GB18030.encode(text).0;
        let utf_16: Vec<u8> =
            [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        for bytes in [text.as_bytes(), &["\u{FEFF}", text].concat().into_bytes(), &gb, &utf_16] {
            assert_eq!(decode(bytes).unwrap(), text);
        }
        assert_eq!(decode(b"PK\x03\x04..."), Err(Code::Spreadsheet));
        assert_eq!(decode(b"\xFF\x00\x81"), Err(Code::Undecodable));
        assert_eq!(decode(b"a\0b"), Err(Code::Undecodable));
    }
}

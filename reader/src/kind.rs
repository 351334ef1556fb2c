//! What a file is, by its first bytes and never by its name.

use crate::decode;

/// What the reader reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A zip archive: XLSX, XLSM, XLSB, ODS.
    Zip,
    /// An OLE2 container: XLS (BIFF), WPS's ET, and locked XLSX.
    Ole,
    /// A web page that calls itself a spreadsheet.
    Html,
    /// XML Spreadsheet 2003.
    Xml2003,
    /// OpenDocument in one XML file.
    FlatOds,
}

/// Bytes at the beginning of a file that tell its kind.
pub(crate) const SNIFFED: usize = 4_096;

const ZIP: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];
const OLE: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

/// The kind of a file that begins so; none for text and for what the reader does not know.
pub(crate) fn sniff(beginning: &[u8]) -> Option<Kind> {
    let beginning = beginning.get(..SNIFFED).unwrap_or(beginning);
    if ZIP.iter().any(|magic| beginning.starts_with(magic)) {
        return Some(Kind::Zip);
    }
    if beginning.starts_with(OLE) {
        return Some(Kind::Ole);
    }
    let text = decode::ascii_of(beginning);
    let text = text.trim_ascii_start();
    if !text.starts_with(b"<") {
        return None;
    }
    let holds = |words: &[u8]| text.windows(words.len()).any(|window| window == words);
    Some(if holds(b"urn:schemas-microsoft-com:office:spreadsheet") && holds(b"Workbook") {
        Kind::Xml2003
    } else if holds(b"<office:document") {
        Kind::FlatOds
    } else {
        Kind::Html
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_not_names_decide() {
        assert_eq!(sniff(b"PK\x03\x04..."), Some(Kind::Zip));
        assert_eq!(sniff(OLE), Some(Kind::Ole));
        assert_eq!(sniff(b"\xEF\xBB\xBF\r\n<HTML><table>"), Some(Kind::Html));
        assert_eq!(sniff(b"\xFF\xFE<\0t\0a\0b\0l\0e\0"), Some(Kind::Html));
        let xml = br#"<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">"#;
        assert_eq!(sniff(xml), Some(Kind::Xml2003));
        assert_eq!(
            sniff(br#"<?xml version="1.0"?><office:document office:version="1.2">"#),
            Some(Kind::FlatOds)
        );
        assert_eq!(sniff("证件号码,余额\n<b>,5\n".as_bytes()), None);
    }
}

//! Which text encoding a file is in, and whether it is text at all (SPEC §5.2, design §3).

use std::borrow::Cow;

pub use protocol::coverage::Encoding;

use crate::delimiter::Delimiter;
use crate::error::ModuleError;
use crate::gb18030::{self, Decoded};

/// Bytes of a file that are looked at before any row is read.
pub const SAMPLE_BYTES: usize = 65_536;

/// Finds the encoding from the first bytes of a file; `complete` says that they are all of it.
///
/// # Errors
/// When the file is no text: a code that names what it is.
pub fn detect(sample: &[u8], complete: bool) -> Result<Encoding, ModuleError> {
    let refuse = |code, message| Err(ModuleError::new(code, "file", message));
    match sample {
        [0xEF, 0xBB, 0xBF, ..] => return Ok(Encoding::Utf8),
        [0xFF, 0xFE, ..] => return Ok(Encoding::Utf16Le),
        [0xFE, 0xFF, ..] => return Ok(Encoding::Utf16Be),
        [b'P', b'K', 3, 4, ..] => {
            return refuse("spreadsheet_xlsx", "a spreadsheet or archive, not delimited text");
        }
        [0xD0, 0xCF, 0x11, 0xE0, ..] => {
            return refuse("spreadsheet_xls", "an old or password-protected spreadsheet, not delimited text");
        }
        [b'%', b'P', b'D', b'F', ..] => return refuse("pdf_file", "a PDF, not delimited text"),
        _ => {}
    }
    let start = sample.trim_ascii_start();
    let tag = |t: &[u8]| start.get(..t.len()).is_some_and(|s| s.eq_ignore_ascii_case(t));
    if tag(b"<html") || tag(b"<!doctype") || tag(b"<table") || tag(b"<?xml") || tag(b"<meta") {
        return refuse("html_file", "a web page or XML, not delimited text");
    }
    let zeros = |odd: usize| sample.iter().skip(odd).step_by(2).filter(|b| **b == 0).count();
    if sample.contains(&0) {
        // The zero bytes of ASCII stand on one side. Some on the other are characters like 开, U+5F00.
        let (even, odd) = (zeros(0), zeros(1));
        let (few, many) = (even.min(odd), even.max(odd));
        return if many * 6 <= sample.len() || few * 4 > many {
            refuse("binary_file", "not a text file")
        } else if many == odd {
            Ok(Encoding::Utf16Le)
        } else {
            Ok(Encoding::Utf16Be)
        };
    }
    match std::str::from_utf8(sample) {
        Ok(_) => return Ok(Encoding::Utf8),
        Err(e) if e.error_len().is_none() && !complete => return Ok(Encoding::Utf8),
        Err(_) => {}
    }
    let mut transcoder = Transcoder::new(Encoding::Gb18030);
    let text = transcoder.next(sample, complete);
    let lost = text.matches(REPLACEMENT).count();
    let controls =
        text.chars().filter(|c| c.is_control() && !matches!(c, '\r' | '\n' | '\t' | '\u{1B}')).count();
    if lost * 50 > text.chars().count() || controls * 50 > sample.len() {
        return refuse("binary_file", "not a text file, or in an unknown encoding");
    }
    Ok(Encoding::Gb18030)
}

/// Turns a file's bytes into bytes that can be split at delimiters: most files as they are, the others
/// by way of UTF-8.
pub struct Stage {
    decoding: Decoding,
    /// For files that are split at two characters.
    joiner: Option<Joiner>,
}

enum Decoding {
    /// Split as it is; fields are decoded one by one where they are needed.
    Plain { encoding: Encoding },
    /// Decoded whole before it is split.
    Transcoded(Transcoder),
}

impl Stage {
    /// The stage for a file. GB18030's second bytes run over `|` and `^` but not over `,` `;` tab, quotes
    /// and line breaks.
    pub fn new(encoding: Encoding, delimiter: Delimiter) -> Self {
        let decoding = match encoding {
            Encoding::Gb18030 if matches!(delimiter.byte(), b',' | b';' | b'\t') => {
                Decoding::Plain { encoding }
            }
            Encoding::Utf8 => Decoding::Plain { encoding },
            encoding => Decoding::Transcoded(Transcoder::new(encoding)),
        };
        let joiner = (delimiter == Delimiter::BAR_BANG).then(Joiner::default);
        Self { decoding, joiner }
    }

    /// Whether the file is split as it is: then a stretch of it can be read for itself.
    pub fn is_plain(&self) -> bool {
        matches!(self.decoding, Decoding::Plain { .. }) && self.joiner.is_none()
    }

    /// The next bytes; `last` says that the file ends with them.
    pub fn next<'a>(&mut self, bytes: &'a [u8], last: bool) -> Cow<'a, [u8]> {
        let bytes = match &mut self.decoding {
            Decoding::Plain { .. } => Cow::Borrowed(bytes),
            Decoding::Transcoded(transcoder) => Cow::Owned(transcoder.next(bytes, last).into_bytes()),
        };
        match &mut self.joiner {
            None => bytes,
            Some(joiner) => Cow::Owned(joiner.next(&bytes, last)),
        }
    }

    /// Decodes a field. `None` when bytes are no text in the file's encoding.
    pub fn field<'a>(&self, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
        match (std::str::from_utf8(bytes), &self.decoding) {
            // What was transcoded is UTF-8 with U+FFFD where the file was not good.
            (Ok(text), Decoding::Transcoded(_)) => {
                (!text.contains(REPLACEMENT)).then_some(Cow::Borrowed(text))
            }
            (Ok(text), Decoding::Plain { encoding: Encoding::Utf8 }) => Some(Cow::Borrowed(text)),
            (Ok(text), _) if text.is_ascii() => Some(Cow::Borrowed(text)),
            // A file whose first 64 KiB are ASCII, or UTF-8, may still go on in GB18030.
            (_, Decoding::Plain { .. }) => gb18030::decode(bytes).map(Cow::Owned),
            _ => None,
        }
    }

    /// Decodes a field for comparing a name or showing it: bad bytes become U+FFFD.
    pub fn field_lossy<'a>(&self, bytes: &'a [u8]) -> Cow<'a, str> {
        self.field(bytes).unwrap_or(Cow::Borrowed("\u{FFFD}"))
    }
}

/// Puts one byte in the place of every `|!`, so that one cutter serves all files.
#[derive(Default)]
struct Joiner {
    /// Whether the bytes so far end in a `|`.
    bar: bool,
}

impl Joiner {
    fn next(&mut self, bytes: &[u8], last: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + 1);
        for byte in bytes {
            match (std::mem::replace(&mut self.bar, *byte == b'|'), *byte) {
                (true, b'!') => {
                    out.push(Delimiter::BAR_BANG.byte());
                    continue;
                }
                (true, _) => out.push(b'|'),
                (false, _) => {}
            }
            if !self.bar {
                out.push(*byte);
            }
        }
        if last && std::mem::take(&mut self.bar) {
            out.push(b'|');
        }
        out
    }
}

/// What stands for bytes that are no character.
const REPLACEMENT: char = '\u{FFFD}';

/// Decodes a stream into UTF-8, keeping what a cut leaves of a character.
pub struct Transcoder {
    encoding: Encoding,
    /// Bytes of an unfinished character, at most three.
    left: Vec<u8>,
    /// A high surrogate that waits for its other half (UTF-16 only).
    high: Option<u16>,
}

impl Transcoder {
    fn new(encoding: Encoding) -> Self {
        Self { encoding, left: Vec::new(), high: None }
    }

    /// The next text; `last` says that the stream ends with these bytes.
    fn next(&mut self, bytes: &[u8], last: bool) -> String {
        let mut all = std::mem::take(&mut self.left);
        all.extend_from_slice(bytes);
        let mut out = String::with_capacity(all.len() * 3 / 2);
        let used = match self.encoding {
            Encoding::Utf16Le => self.utf16(&all, u16::from_le_bytes, &mut out),
            Encoding::Utf16Be => self.utf16(&all, u16::from_be_bytes, &mut out),
            Encoding::Gb18030 | Encoding::Utf8 => gb18030_stream(&all, &mut out),
        };
        self.left = all.get(used..).unwrap_or_default().to_vec();
        if last && (!self.left.is_empty() || self.high.is_some()) {
            self.left.clear();
            self.high = None;
            out.push(REPLACEMENT);
        }
        out
    }

    fn utf16(&mut self, bytes: &[u8], unit: fn([u8; 2]) -> u16, out: &mut String) -> usize {
        let units = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(unit));
        for unit in units {
            let high = self.high.take();
            match (high, unit) {
                (Some(high), 0xDC00..=0xDFFF) => {
                    let scalar = 0x1_0000 + ((u32::from(high) & 0x3FF) << 10) + (u32::from(unit) & 0x3FF);
                    out.push(char::from_u32(scalar).unwrap_or(REPLACEMENT));
                    continue;
                }
                (Some(_), _) => out.push(REPLACEMENT),
                (None, _) => {}
            }
            match unit {
                0xD800..=0xDBFF => self.high = Some(unit),
                unit => out.push(char::from_u32(u32::from(unit)).unwrap_or(REPLACEMENT)),
            }
        }
        bytes.len() / 2 * 2
    }
}

/// Decodes as far as whole characters go; the number of bytes that took.
fn gb18030_stream(bytes: &[u8], out: &mut String) -> usize {
    let mut used = 0;
    while let Some(rest) = bytes.get(used..).filter(|rest| !rest.is_empty()) {
        match gb18030::decode_first(rest) {
            Decoded::Char(c, n) => {
                out.push(c);
                used += n;
            }
            Decoded::Bad(n) => {
                out.push(REPLACEMENT);
                used += n;
            }
            Decoded::Cut => break,
        }
    }
    used
}

/// The bytes after a byte order mark.
pub fn without_mark(encoding: Encoding, bytes: &[u8]) -> &[u8] {
    let mark: &[u8] = match encoding {
        Encoding::Utf8 => &[0xEF, 0xBB, 0xBF],
        Encoding::Utf16Le => &[0xFF, 0xFE],
        Encoding::Utf16Be => &[0xFE, 0xFF],
        Encoding::Gb18030 => &[0x84, 0x31, 0x95, 0x33],
    };
    bytes.strip_prefix(mark).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::GB18030;
    use proptest::prelude::*;

    fn detect(bytes: &[u8]) -> Result<Encoding, &'static str> {
        super::detect(bytes, true).map_err(|e| e.code)
    }

    #[test]
    fn bytes_not_names_decide() {
        assert_eq!(detect("姓名,证件号码".as_bytes()), Ok(Encoding::Utf8));
        assert_eq!(detect(&GB18030.encode("姓名,证件号码\n张三,1").0), Ok(Encoding::Gb18030));
        assert_eq!(detect(&[0xFF, 0xFE, b'a', 0]), Ok(Encoding::Utf16Le));
        assert_eq!(detect(b"a\0b\0c\0d\0e\0f\0"), Ok(Encoding::Utf16Le));
        let with_zeros_on_both_sides = "name,开户行,balance\r\nx,一开,1\r\n";
        let units = || with_zeros_on_both_sides.encode_utf16();
        assert_eq!(detect(&units().flat_map(u16::to_le_bytes).collect::<Vec<_>>()), Ok(Encoding::Utf16Le));
        assert_eq!(detect(&units().flat_map(u16::to_be_bytes).collect::<Vec<_>>()), Ok(Encoding::Utf16Be));
        assert_eq!(detect(b"PK\x03\x04rest"), Err("spreadsheet_xlsx"));
        assert_eq!(detect(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1]), Err("spreadsheet_xls"));
        assert_eq!(detect(b"\n<HTML><table>"), Err("html_file"));
        assert_eq!(detect(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Err("binary_file"));
        let cut = &"姓名姓".as_bytes()[..8];
        assert_eq!(super::detect(cut, false), Ok(Encoding::Utf8), "a sample may end inside a character");
    }

    #[test]
    fn a_bar_alone_stays_what_it_is() {
        for (bytes, expected) in [
            ("a|!b", "a\x1Fb"),
            ("||!|", "|\x1F|"),
            ("|", "|"),
            ("!|!!", "!\x1F!"),
            ("|!|!", "\x1F\x1F"),
            ("|x", "|x"),
        ] {
            for cut in 0..=bytes.len() {
                let mut stage = Stage::new(Encoding::Utf8, Delimiter::BAR_BANG);
                let mut out = stage.next(&bytes.as_bytes()[..cut], false).into_owned();
                out.extend_from_slice(&stage.next(&bytes.as_bytes()[cut..], true));
                assert_eq!(out, expected.as_bytes(), "{bytes} cut at {cut}");
            }
        }
    }

    proptest! {
        /// Cuts change nothing, and text comes back as another program wrote it.
        #[test]
        fn streams_decode_whole(text in "[a,\u{4E00}-\u{4EFF}㛃䶮\u{1F600}\n]{0,60}", chunk in 1_usize..7) {
            let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let gb = GB18030.encode(&text).0.into_owned();
            for (encoding, bytes) in [(Encoding::Utf16Le, utf16), (Encoding::Gb18030, gb)] {
                let mut transcoder = Transcoder::new(encoding);
                let mut out: String = bytes.chunks(chunk).map(|piece| transcoder.next(piece, false)).collect();
                out.push_str(&transcoder.next(&[], true));
                prop_assert_eq!(&out, &text);
            }
        }

        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for encoding in [Encoding::Utf16Le, Encoding::Utf16Be, Encoding::Gb18030] {
                let mut transcoder = Transcoder::new(encoding);
                let _ = (transcoder.next(&bytes, false), transcoder.next(&bytes, true));
            }
            let _ = super::detect(&bytes, true);
        }
    }
}

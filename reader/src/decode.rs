//! The text of web pages and XML files, whatever their encoding, as UTF-8 and without a copy of the whole file.

use std::io::{self, Cursor, Read};

use encoding_rs::{CoderResult, Decoder, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use crate::archive::Bytes;

/// Bytes that are decoded at a time.
const STEP: usize = 16_384;

/// A file's text, to be read as UTF-8.
pub(crate) struct Utf8 {
    file: Cursor<Bytes>,
    decoder: Decoder,
    raw: Vec<u8>,
    decoded: Vec<u8>,
    given: usize,
    ended: bool,
}

impl Utf8 {
    /// A mark at the beginning decides; without one strict UTF-8, else GB18030, of which GBK and GB2312 are parts.
    /// What the file says of itself is not believed: exports are converted and keep their old heading.
    pub(crate) fn of(bytes: &Bytes) -> Self {
        let encoding = Encoding::for_bom(bytes.as_ref())
            .map(|(encoding, _)| encoding)
            .unwrap_or_else(|| if std::str::from_utf8(bytes.as_ref()).is_ok() { UTF_8 } else { GB18030 });
        Self {
            file: Cursor::new(bytes.clone()),
            decoder: encoding.new_decoder_with_bom_removal(),
            raw: Vec::new(),
            decoded: Vec::new(),
            given: 0,
            ended: false,
        }
    }

    /// Decodes the next step.
    fn step(&mut self) -> io::Result<()> {
        self.raw.clear();
        let read = self.file.by_ref().take(STEP as u64).read_to_end(&mut self.raw)?;
        self.ended = read == 0;
        // The longest that a step can become: three bytes for one.
        self.decoded.resize(3 * STEP + 16, 0);
        let (result, _, written, _) = self.decoder.decode_to_utf8(&self.raw, &mut self.decoded, self.ended);
        self.decoded.truncate(written);
        self.given = 0;
        match result {
            CoderResult::InputEmpty => Ok(()),
            CoderResult::OutputFull => Err(io::Error::other("a step is longer than its longest form")),
        }
    }
}

impl Read for Utf8 {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.decoded.len() && !self.ended {
            self.step()?;
        }
        let left = self.decoded.get(self.given..).unwrap_or_default();
        let given = left.len().min(out.len());
        if let (Some(from), Some(to)) = (left.get(..given), out.get_mut(..given)) {
            to.copy_from_slice(from);
        }
        self.given += given;
        Ok(given)
    }
}

/// The ASCII characters at the beginning of a text, whose mark and UTF-16 zeros are left out.
pub(crate) fn ascii_of(beginning: &[u8]) -> Vec<u8> {
    let (encoding, mark) = Encoding::for_bom(beginning).unwrap_or((UTF_8, 0));
    let rest = beginning.get(mark..).unwrap_or_default();
    let wide = encoding == UTF_16LE || encoding == UTF_16BE;
    rest.iter().copied().filter(|byte| !wide || *byte != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_comes_out_as_utf_8() {
        let text = "<td>余额 䶮 1</td>".repeat(5_000);
        let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes);
        let files = [
            text.clone().into_bytes(),
            [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
            GB18030.encode(&text).0.into_owned(),
            [0xFF, 0xFE].into_iter().chain(utf16).collect(),
        ];
        for file in files {
            let mut read = String::new();
            Utf8::of(&Bytes::new(file)).read_to_string(&mut read).unwrap();
            assert!(read == text);
        }
    }
}

//! Writing delimited text, with quotes where they are needed and sometimes where they are not.

use std::collections::HashMap;

use encoding_rs::GB18030;

/// How a file's characters become bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 without a mark.
    Utf8,
    /// UTF-8 with a byte order mark.
    Utf8Bom,
    /// GB18030.
    Gb18030,
    /// UTF-16, little end first, with a byte order mark.
    Utf16Le,
}

impl Encoding {
    /// The name in coverage statements, which do not tell a mark (SPEC §5.2).
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 | Self::Utf8Bom => "utf-8",
            Self::Gb18030 => "gb18030",
            Self::Utf16Le => "utf-16le",
        }
    }

    /// The byte order mark.
    pub(super) fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf8 | Self::Gb18030 => b"",
            Self::Utf8Bom => b"\xEF\xBB\xBF",
            Self::Utf16Le => b"\xFF\xFE",
        }
    }

    /// Mark and text.
    pub(super) fn file(self, text: &str) -> Vec<u8> {
        [self.mark(), &Encoder::new(self).encode(text)].concat()
    }
}

/// Turns text into bytes. It remembers characters: looking one up in GB18030's tables is slow.
#[derive(Debug)]
pub(super) struct Encoder {
    encoding: Encoding,
    known: HashMap<char, Vec<u8>>,
}

impl Encoder {
    pub(super) fn new(encoding: Encoding) -> Self {
        Self { encoding, known: HashMap::new() }
    }

    /// The bytes of `text`, without a mark.
    pub(super) fn encode(&mut self, text: &str) -> Vec<u8> {
        match self.encoding {
            Encoding::Utf8 | Encoding::Utf8Bom => text.as_bytes().to_vec(),
            Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Encoding::Gb18030 => {
                let mut out = Vec::with_capacity(text.len());
                for c in text.chars() {
                    match u8::try_from(c) {
                        Ok(byte) if byte.is_ascii() => out.push(byte),
                        _ => out.extend_from_slice(self.known.entry(c).or_insert_with(|| gb18030(c))),
                    }
                }
                out
            }
        }
    }
}

fn gb18030(c: char) -> Vec<u8> {
    GB18030.encode(c.encode_utf8(&mut [0; 4])).0.into_owned()
}

/// Adds one row to `out`. A cell is quoted when it must be, or when `quote` is set.
pub(super) fn push_row<S: AsRef<str>>(
    out: &mut String,
    cells: &[S],
    separator: char,
    line_end: &str,
    quote: bool,
) {
    for (i, cell) in cells.iter().enumerate() {
        if i > 0 {
            out.push(separator);
        }
        push_cell(out, cell.as_ref(), separator, quote);
    }
    out.push_str(line_end);
}

fn push_cell(out: &mut String, cell: &str, separator: char, quote: bool) {
    let needed = cell.contains([separator, '\n', '\r']) || cell.starts_with('"');
    if needed || quote {
        out.push('"');
        out.push_str(&cell.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(cell); // `="…"` too: a quote inside an unquoted cell stands for itself
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes() {
        let row = |cells: &[&str], quote| {
            let mut out = String::new();
            push_row(&mut out, cells, ',', "\r\n", quote);
            out
        };
        assert_eq!(row(&["a", "b,c", "=\"1\""], false), "a,\"b,c\",=\"1\"\r\n");
        assert_eq!(row(&["a\nb", "=\"1\""], true), "\"a\nb\",\"=\"\"1\"\"\"\r\n");
    }

    #[test]
    fn encodings() {
        assert_eq!(Encoder::new(Encoding::Gb18030).encode("䶮㛃·"), b"\xFE\x9F\x82\x30\xB7\x31\xA1\xA4");
        assert_eq!(Encoding::Utf16Le.file("a"), b"\xFF\xFEa\0");
    }
}

//! Which bytes of a script are code, and which stand in comments, texts and patterns.

/// The script with comments, the insides of texts and of patterns blanked: every byte stays in its place, and a word
/// that is still there is code.
///
/// # Errors
/// The line of something that never ends, or of a slash that could be a division as well as a pattern.
pub(super) fn only(source: &str) -> Result<String, usize> {
    let mut reader = Reader { bytes: source.as_bytes(), out: source.as_bytes().to_vec(), at: 0 };
    reader.read().map_err(|at| line_of(source, at))?;
    // What was blanked began and ended at ASCII characters.
    String::from_utf8(reader.out).map_err(|error| line_of(source, error.utf8_error().valid_up_to()))
}

/// Number of the line that holds the byte `at`, from 1.
pub(super) fn line_of(source: &str, at: usize) -> usize {
    1 + source.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// Whether a byte belongs to a name.
pub(super) fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

/// Words that an expression follows, so that a slash behind one begins a pattern.
const BEFORE_EXPRESSION: [&[u8]; 8] =
    [b"return", b"typeof", b"case", b"in", b"of", b"void", b"throw", b"await"];

struct Reader<'s> {
    bytes: &'s [u8],
    out: Vec<u8>,
    at: usize,
}

impl Reader<'_> {
    /// Reads to the end; fails with the place of what is wrong.
    fn read(&mut self) -> Result<(), usize> {
        let mut braces = 0_usize;
        // For every template that is open: how many braces were, where its `${` stands.
        let mut templates: Vec<usize> = Vec::new();
        // The code before a slash decides what the slash is.
        let mut before: Option<usize> = None;
        while let Some(byte) = self.byte(0) {
            let at = self.at;
            match byte {
                b'/' if self.byte(1) == Some(b'/') => self.blank_to(b"\n", false)?,
                b'/' if self.byte(1) == Some(b'*') => self.blank_to(b"*/", true)?,
                b'/' if self.pattern_follows(before)? => self.pattern()?,
                b'"' | b'\'' => self.text(byte)?,
                b'`' => self.template(braces, &mut templates)?,
                b'}' if templates.last() == Some(&braces) => {
                    templates.pop();
                    self.template(braces, &mut templates)?;
                }
                b'{' | b'}' => {
                    braces = if byte == b'{' { braces + 1 } else { braces.checked_sub(1).ok_or(at)? };
                    self.at += 1;
                }
                _ => self.at += 1,
            }
            let comment = byte == b'/' && matches!(self.bytes.get(at + 1), Some(b'/' | b'*'));
            if !comment && !byte.is_ascii_whitespace() {
                before = Some(self.at - 1);
            }
        }
        if braces > 0 || !templates.is_empty() { Err(self.at) } else { Ok(()) }
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// Blanks the byte here, unless it is a line break, and goes on.
    fn blank(&mut self) {
        if let Some(byte) = self.out.get_mut(self.at).filter(|byte| **byte != b'\n') {
            *byte = b' ';
        }
        self.at += 1;
    }

    /// Blanks to `end`, and what ends it too; where it `must` come, the end of the script is none.
    fn blank_to(&mut self, end: &[u8], must: bool) -> Result<(), usize> {
        let begun = self.at;
        while self.at < self.bytes.len() {
            if self.at > begun + 1 && self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(end)) {
                (0..end.len()).for_each(|_| self.blank());
                return Ok(());
            }
            self.blank();
        }
        if must { Err(begun) } else { Ok(()) }
    }

    /// A text of one line, from quote to quote; the quotes stay.
    fn text(&mut self, quote: u8) -> Result<(), usize> {
        let begun = self.at;
        self.at += 1;
        loop {
            match self.byte(0) {
                None | Some(b'\n') => return Err(begun),
                Some(b'\\') => (0..2).for_each(|_| self.blank()),
                Some(byte) if byte == quote => break,
                Some(_) => self.blank(),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// The text of a template, from "`" or "}" to "`" or "${"; these stay.
    fn template(&mut self, braces: usize, templates: &mut Vec<usize>) -> Result<(), usize> {
        let begun = self.at;
        self.at += 1;
        loop {
            match (self.byte(0), self.byte(1)) {
                (None, _) => return Err(begun),
                (Some(b'\\'), _) => (0..2).for_each(|_| self.blank()),
                (Some(b'`'), _) => break self.at += 1,
                (Some(b'$'), Some(b'{')) => {
                    templates.push(braces);
                    break self.at += 2;
                }
                _ => self.blank(),
            }
        }
        Ok(())
    }

    /// A pattern, from slash to slash; a slash in brackets does not end it.
    fn pattern(&mut self) -> Result<(), usize> {
        let (begun, mut class) = (self.at, false);
        self.at += 1;
        loop {
            match self.byte(0) {
                None | Some(b'\n') => return Err(begun),
                Some(b'\\') => (0..2).for_each(|_| self.blank()),
                Some(b'/') if !class => break,
                Some(byte) => {
                    class = byte == b'[' || (class && byte != b']');
                    self.blank();
                }
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Whether a slash here begins a pattern, by the code before it. Behind a brace it could be either.
    fn pattern_follows(&self, before: Option<usize>) -> Result<bool, usize> {
        let Some(last) = before else { return Ok(true) };
        let code = self.out.get(..=last).unwrap_or_default();
        match code.last() {
            Some(b'}') => Err(self.at),
            Some(b')' | b']' | b'"' | b'\'' | b'`') => Ok(false),
            Some(byte) if in_name(*byte) => {
                let word = code.rsplit(|byte| !in_name(*byte)).next().unwrap_or_default();
                Ok(BEFORE_EXPRESSION.contains(&word))
            }
            _ => Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_code_is_blanked_in_its_place() {
        for (source, code) in [
            ("a; // b\nc", "a;     \nc"),
            ("a /* b\n * c */ d", "a     \n        d"),
            ("f('b\\'c', \"d\")", "f('    ', \" \")"),
            ("`a${b + `c${d}e`}f`", "` ${b + ` ${d} `} `"),
            ("`a${{ b: 1 }.b}c`", "` ${{ b: 1 }.b} `"),
            ("x.replace(/\\/[/'\"`]/g, y)", "x.replace(/        /g, y)"),
            ("a / b / c; return /d'/", "a / b / c; return /  /"),
            ("x = 1 /* c */ / 2 // '", "x = 1         / 2     "),
            ("f(a) / b['c'] / d", "f(a) / b[' '] / d"),
            ("'核对'; a", "'      '; a"),
        ] {
            assert_eq!(only(source).as_deref(), Ok(code), "{source}");
        }
    }

    #[test]
    fn what_never_ends_is_refused_with_its_line() {
        for source in [
            "\n'a",
            "\n'a\n'",
            "\n/* a",
            "\n`a",
            "\n`a${b`",
            "\n{",
            "\n}",
            "\nx = /a\n/",
            "\nif (a) {} / b /",
        ] {
            let line = only(source).unwrap_err();
            assert!((2..=3).contains(&line), "{source:?}: {line}");
        }
    }
}

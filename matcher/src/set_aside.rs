//! The list of rows that were set aside, for the clerk who mends the export (SPEC §10.3): where each stands and why, and
//! of its number no more than helps to find the row.

use std::fmt;

use protocol::subject::Reason;

/// Rows kept at most; the counts go on.
const MOST: usize = 10_000;

/// Bytes of a row in a part: `u64 line ‖ reason ‖ length ‖ beginning (3) ‖ end (2)`.
const ROW_BYTES: usize = 15;

/// Characters of a number that are told at most, hidden ones included.
const LONGEST: usize = 32;

/// Why a row is set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// The number itself (SPEC §3.2).
    Number(Reason),
    /// Fewer cells than the heading has, or more.
    Ragged,
    /// The number is not in the file's encoding.
    Undecodable,
}

impl Why {
    /// The name in the coverage statement.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Number(reason) => reason.name(),
            Self::Ragged => "ragged",
            Self::Undecodable => "undecodable",
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        Reason::ALL.into_iter().map(Self::Number).chain([Self::Ragged, Self::Undecodable])
    }
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    /// From 1.
    file: usize,
    /// From 1.
    line: u64,
    why: Why,
    shown: Shown,
}

/// What is shown of a number: its length, and digits of its beginning and its end; zero bytes for nothing.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Shown {
    length: u8,
    beginning: [u8; 3],
    end: [u8; 2],
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shown({} characters)", self.length)
    }
}

impl Shown {
    /// At most one character in six of the beginning and one in nine of the end, and digits and `X` only: what stands in
    /// the wrong column, a name perhaps, is not shown.
    fn of(number: &str) -> Self {
        let number = number.trim();
        let length = number.chars().count();
        let shown = |c: char| match c {
            '0'..='9' | 'X' | 'x' => u8::try_from(c).unwrap_or(b'*'),
            _ => b'*',
        };
        let mut out = Self { length: u8::try_from(length.min(LONGEST)).unwrap_or(0), ..Self::default() };
        for (to, c) in out.beginning.iter_mut().zip(number.chars()).take(length / 6) {
            *to = shown(c);
        }
        for (to, c) in out.end.iter_mut().rev().zip(number.chars().rev()).take(length / 9) {
            *to = shown(c);
        }
        out
    }

    /// Whether [`Shown::of`] can have made it.
    fn is_sound(&self) -> bool {
        let shown = |b: &u8| matches!(b, 0 | b'*' | b'0'..=b'9' | b'X' | b'x');
        usize::from(self.length) <= LONGEST && self.beginning.iter().chain(&self.end).all(shown)
    }

    fn write(&self, out: &mut String) {
        let (beginning, end) =
            (self.beginning.iter().filter(|b| **b != 0), self.end.iter().filter(|b| **b != 0));
        let hidden = usize::from(self.length).saturating_sub(beginning.clone().count() + end.clone().count());
        out.extend(beginning.map(|b| char::from(*b)));
        out.extend(std::iter::repeat_n('*', hidden));
        out.extend(end.map(|b| char::from(*b)));
    }
}

/// The rows that were set aside, the first [`MOST`] of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetAside(Vec<Row>);

impl SetAside {
    /// Takes note of a row of file number `file`.
    pub(crate) fn add(&mut self, file: usize, line: u64, why: Why, number: &str) {
        if self.0.len() < MOST {
            self.0.push(Row { file, line, why, shown: Shown::of(number) });
        }
    }

    /// Adds those of a part of file number `file`, whose first line was behind `line_feeds` others.
    pub(crate) fn append(&mut self, part: &Self, file: usize, line_feeds: u64) {
        let room = MOST.saturating_sub(self.0.len());
        let moved = part.0.iter().map(|row| Row { file, line: line_feeds.saturating_add(row.line), ..*row });
        self.0.extend(moved.take(room));
    }

    /// The list, delimited text with a heading: well under 1 MiB.
    pub fn list(&self) -> Vec<u8> {
        let mut out = String::with_capacity(32 + self.0.len() * 96);
        out.push_str("file,row,reason,number\n");
        for Row { file, line, why, shown } in &self.0 {
            out.push_str(&format!("{file},{line},{},", why.name()));
            shown.write(&mut out);
            out.push('\n');
        }
        out.into_bytes()
    }

    /// As it stands in a part.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() * ROW_BYTES);
        for Row { line, why, shown, .. } in &self.0 {
            let reason = Why::all().position(|other| other == *why).and_then(|at| u8::try_from(at).ok());
            out.extend_from_slice(&line.to_be_bytes());
            out.extend_from_slice(&[reason.unwrap_or(u8::MAX), shown.length]);
            out.extend_from_slice(&shown.beginning);
            out.extend_from_slice(&shown.end);
        }
        out
    }

    /// Reads what [`SetAside::to_bytes`] wrote.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (rows, []) = bytes.as_chunks::<ROW_BYTES>() else { return None };
        let row = |row: &[u8; ROW_BYTES]| {
            let [a, b, c, d, e, f, g, h, reason, length, x, y, z, v, w] = *row;
            Some(Row {
                file: 0,
                line: u64::from_be_bytes([a, b, c, d, e, f, g, h]),
                why: Why::all().nth(usize::from(reason))?,
                shown: Shown { length, beginning: [x, y, z], end: [v, w] },
            })
        };
        let rows: Option<Vec<Row>> = rows.iter().map(row).collect();
        let sound = |row: &Row| row.shown.is_sound();
        rows.filter(|rows| rows.len() <= MOST && rows.iter().all(sound)).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(number: &str) -> String {
        let mut out = String::new();
        Shown::of(number).write(&mut out);
        out
    }

    #[test]
    fn little_of_a_number_is_shown_and_nothing_of_a_text() {
        assert_eq!(shown("11010519491231002X"), "110*************2X");
        assert_eq!(shown(" 110105491231002"), "11************2");
        assert_eq!(shown("E12345678"), "********8");
        assert_eq!(shown("12345"), "*****");
        assert_eq!(shown("=HYPERLINK(\"http://a\")"), "**********************");
        assert_eq!(shown("张三丰的身份证号码"), "*********");
        assert_eq!(shown(""), "");
        assert_eq!(shown(&"9".repeat(1_000)), format!("999{}99", "*".repeat(27)));
    }

    #[test]
    fn what_travels_in_a_part_arrives() {
        let mut rows = SetAside::default();
        for (line, why) in (2..).zip(Why::all()) {
            rows.add(1, line, why, "11010519491231002X");
        }
        let read = SetAside::from_bytes(&rows.to_bytes()).unwrap();
        let (mut moved, mut expected) = (SetAside::default(), rows.clone());
        moved.append(&read, 3, 100);
        expected.0.iter_mut().for_each(|row| (row.file, row.line) = (3, row.line + 100));
        assert_eq!(moved, expected);
        assert!(SetAside::from_bytes(&[0; ROW_BYTES + 1]).is_none());
        assert!(SetAside::from_bytes(&[0xFF; ROW_BYTES]).is_none(), "no such reason");
        assert!(SetAside::from_bytes(&vec![0; ROW_BYTES * (MOST + 1)]).is_none());
    }

    #[test]
    fn the_list_ends_and_fits_one_piece() {
        let mut rows = SetAside::default();
        for line in 0..=20_000 {
            rows.add(999, u64::MAX - line, Why::Undecodable, &"1".repeat(40));
        }
        let list = String::from_utf8(rows.list()).unwrap();
        assert_eq!(list.lines().count(), 1 + MOST);
        assert!(list.len() < 1 << 20, "{}", list.len());
        assert_eq!(String::from_utf8(SetAside::default().list()).unwrap(), "file,row,reason,number\n");
    }
}

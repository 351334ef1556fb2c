//! Cleaning the text of an identity cell (SPEC §3.1): spelling that differs without meaning anything.

/// What was put right, counted for the coverage statement (SPEC §3.1, §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Normalised {
    /// `="…"` or a leading apostrophe, the ways to force text in a spreadsheet.
    Wrapped,
    /// White space, invisible characters, hyphens.
    Spaces,
    /// Full-width characters.
    Fullwidth,
    /// Lower case, the final `x` above all.
    Lowercase,
    /// A Cyrillic, Greek or other character that looks like X.
    Lookalike,
    /// `*` for a final X.
    Star,
    /// A 15-digit number made 18.
    Upgraded15,
    /// The reissue count at the end of a travel permit, dropped.
    Reissue,
}

impl Normalised {
    /// All of them, in the order of the specification.
    pub const ALL: [Self; 8] = [
        Self::Wrapped,
        Self::Spaces,
        Self::Fullwidth,
        Self::Lowercase,
        Self::Lookalike,
        Self::Star,
        Self::Upgraded15,
        Self::Reissue,
    ];

    /// The name in the coverage statement.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wrapped => "wrapped",
            Self::Spaces => "spaces",
            Self::Fullwidth => "fullwidth",
            Self::Lowercase => "lowercase",
            Self::Lookalike => "lookalike",
            Self::Star => "star",
            Self::Upgraded15 => "upgraded15",
            Self::Reissue => "reissue",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::Wrapped => 1,
            Self::Spaces => 2,
            Self::Fullwidth => 4,
            Self::Lowercase => 8,
            Self::Lookalike => 16,
            Self::Star => 32,
            Self::Upgraded15 => 64,
            Self::Reissue => 128,
        }
    }
}

/// A set of [`Normalised`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NormalisedSet(u8);

impl NormalisedSet {
    /// Adds one.
    pub fn add(&mut self, what: Normalised) {
        self.0 |= what.bit();
    }

    /// Whether it holds one.
    pub fn has(self, what: Normalised) -> bool {
        self.0 & what.bit() != 0
    }

    /// Whether nothing was put right.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those it holds, in the order of the specification.
    pub fn iter(self) -> impl Iterator<Item = Normalised> {
        Normalised::ALL.into_iter().filter(move |n| self.has(*n))
    }
}

/// White space and invisible characters (cleaning step 2 without the hyphens).
pub(crate) fn is_blank(c: char) -> bool {
    matches!(c,
        '\u{9}'..='\u{D}' | ' ' | '\u{A0}' | '\u{AD}' | '\u{1680}' | '\u{2000}'..='\u{200F}' | '\u{2028}'..='\u{202F}'
        | '\u{205F}'..='\u{2064}' | '\u{3000}' | '\u{FEFF}')
}

fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE63}' | '\u{FF0D}')
}

/// Full-width forms of ASCII become ASCII.
pub(crate) fn halfwidth(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => {
            char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c) // U+0021..U+007E: always a character
        }
        _ => c,
    }
}

fn looks_like_x(c: char) -> bool {
    matches!(
        c,
        '\u{425}'
            | '\u{445}'
            | '\u{3A7}'
            | '\u{3C7}'
            | '\u{2169}'
            | '\u{2179}'
            | '\u{D7}'
            | '\u{2715}'
            | '\u{2716}'
    )
}

/// Applies the five steps to `text`.
pub(crate) fn clean(text: &str) -> (String, NormalisedSet) {
    let mut done = NormalisedSet::default();
    let trimmed = text.trim_matches(is_blank);
    if trimmed.len() != text.len() {
        done.add(Normalised::Spaces);
    }
    let mut rest = trimmed;
    if let Some(inner) = rest.strip_prefix("=\"").and_then(|r| r.strip_suffix('"')) {
        done.add(Normalised::Wrapped);
        rest = inner;
    }
    if let Some(inner) = rest.strip_prefix(['\'', '\u{2019}', '`', '\u{FF07}']) {
        done.add(Normalised::Wrapped);
        rest = inner;
    }
    let mut out = String::with_capacity(rest.len());
    for c in rest.chars() {
        if is_blank(c) || is_hyphen(c) {
            done.add(Normalised::Spaces);
            continue;
        }
        let mut c = c;
        if halfwidth(c) != c {
            done.add(Normalised::Fullwidth);
            c = halfwidth(c);
        }
        if c.is_ascii_lowercase() {
            done.add(Normalised::Lowercase);
            c = c.to_ascii_uppercase();
        }
        if looks_like_x(c) {
            done.add(Normalised::Lookalike);
            c = 'X';
        }
        out.push(c);
    }
    (out, done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_is_counted() {
        let cases: [(&str, &str, &[Normalised]); 9] = [
            ("11010519491231002X", "11010519491231002X", &[]),
            ("11010519491231002x", "11010519491231002X", &[Normalised::Lowercase]),
            ("１１０１０５19491231002Ｘ", "11010519491231002X", &[Normalised::Fullwidth]),
            ("11010519491231002Х", "11010519491231002X", &[Normalised::Lookalike]),
            ("=\"11010519491231002X\"", "11010519491231002X", &[Normalised::Wrapped]),
            ("'11010519491231002X", "11010519491231002X", &[Normalised::Wrapped]),
            ("\t11010519491231002X", "11010519491231002X", &[Normalised::Spaces]),
            ("110105-19491231-002X", "11010519491231002X", &[Normalised::Spaces]),
            (
                "\u{FEFF}110105\u{3000}19491231\u{200B}002ｘ",
                "11010519491231002X",
                &[Normalised::Spaces, Normalised::Fullwidth, Normalised::Lowercase],
            ),
        ];
        for (text, clean_text, steps) in cases {
            let (out, done) = clean(text);
            assert_eq!(
                (out.as_str(), done.iter().collect::<Vec<_>>().as_slice()),
                (clean_text, steps),
                "{text}"
            );
        }
    }
}

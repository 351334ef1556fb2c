//! What separates the fields of a row (SPEC §5.2).

use protocol::json::{FromJson, Value};

/// One ASCII character, or the two of `|!`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiter(u8);

impl Delimiter {
    /// Those that are tried, the likeliest first; `|!` before `|`, which would split it too.
    pub const TRIED: [Self; 7] =
        [Self::COMMA, Self(b'\t'), Self(b';'), Self::BAR_BANG, Self(b'|'), Self(b'^'), Self(0x1B)];

    /// What a CSV has.
    pub const COMMA: Self = Self(b',');

    /// `|!`, written by systems whose texts hold bars. Rows are cut at the unit separator that stands in its place.
    pub const BAR_BANG: Self = Self(0x1F);

    /// The byte at which rows are cut.
    pub const fn byte(self) -> u8 {
        self.0
    }

    /// As a person names it.
    pub fn name(self) -> String {
        if self == Self::BAR_BANG { "|!".to_owned() } else { char::from(self.0).to_string() }
    }

    /// The delimiter of this name. None for anything but one ASCII character, a quote and line breaks excepted, or `|!`.
    fn named(name: &str) -> Option<Self> {
        match name.as_bytes() {
            b"|!" => Some(Self::BAR_BANG),
            [b'"' | b'\r' | b'\n'] => None,
            [byte] if byte.is_ascii() && *byte != Self::BAR_BANG.0 => Some(Self(*byte)),
            _ => None,
        }
    }
}

impl FromJson for Delimiter {
    fn from_json(value: &Value) -> Option<Self> {
        value.as_str().and_then(Self::named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for delimiter in Delimiter::TRIED {
            assert_eq!(Delimiter::named(&delimiter.name()), Some(delimiter));
        }
        for bad in ["", ",,", "\"", "\n", "，", "!|", "\x1F"] {
            assert_eq!(Delimiter::named(bad), None, "{bad:?}");
        }
    }
}

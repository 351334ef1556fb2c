//! Names: never part of a token, compared only to give a flag (SPEC §3.5).

use crate::clean;

/// How a customer's name compares with the applicant's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum NameFlag {
    /// One of the names could not be compared.
    NotCompared = 0,
    /// The same, character for character.
    Same = 1,
    /// The same after folding dots, widths, spaces, brackets and word order.
    SameFolded = 2,
    /// Different.
    Different = 3,
}

/// A name made ready for comparing.
pub struct Name {
    trimmed: String,
    folded: String,
}

impl Name {
    /// Reads a name cell. `None` when the name is wild: empty, or with characters that stand for lost ones.
    pub fn read(cell: &str) -> Option<Self> {
        let trimmed = cell.trim_matches(clean::is_blank).to_owned();
        let folded = fold(&trimmed);
        let wild = |c: char| matches!(c, '?' | '*' | '\u{25A1}' | '\u{FFFD}' | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{FFFFD}' | '\u{100000}'..='\u{10FFFD}');
        (!folded.is_empty() && !folded.chars().any(wild)).then_some(Self { trimmed, folded })
    }

    /// The trimmed name.
    pub fn trimmed(&self) -> &str {
        &self.trimmed
    }

    /// The folded name.
    pub fn folded(&self) -> &str {
        &self.folded
    }
}

fn fold(trimmed: &str) -> String {
    let half: String = trimmed.chars().map(clean::halfwidth).collect();
    let half = half.trim_matches(clean::is_blank);
    let kept = match (half.strip_suffix(')'), half.rfind('(')) {
        (Some(_), Some(open)) => half.get(..open).unwrap_or(half),
        _ => half,
    };
    let upper = kept.to_ascii_uppercase();
    let joined = if upper.is_ascii() {
        let mut words: Vec<&str> = Vec::new();
        for word in upper.split([' ', ',', '.']) {
            words.insert(words.partition_point(|other| *other <= word), word);
        }
        words.concat()
    } else {
        let dot = |c| {
            matches!(c, '\u{2022}' | '\u{2027}' | '\u{30FB}' | '\u{FF65}' | '.' | '\u{22C5}' | '\u{2219}')
        };
        upper.replace(dot, "\u{B7}")
    };
    joined.chars().filter(|c| !clean::is_blank(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding() {
        let folded = |s: &str| Name::read(s).map(|n| n.folded().to_owned());
        assert_eq!(folded("张　三"), folded("张三"));
        assert_eq!(folded("阿依古丽・买买提"), folded("阿依古丽·买买提"));
        assert_eq!(folded("阿依古丽．买买提"), folded("阿依古丽·买买提"));
        assert_eq!(folded("李四（监护人）"), folded("李四"));
        assert_eq!(folded("John  Smith"), folded("SMITH, John"));
        assert_eq!(folded("J. Smith"), folded("SMITH, J."));
        assert_ne!(folded("张三"), folded("张四"));
        for wild in ["", " ", "王?", "王？", "王\u{E000}", "王\u{FFFD}", "张*", "□山"] {
            assert_eq!(folded(wild), None, "{wild}");
        }
    }
}

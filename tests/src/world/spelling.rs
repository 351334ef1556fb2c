//! The ways in which exports spell an identity number (domain §3.1). Each way knows which counters of
//! the coverage statement it must move (SPEC §3.1, §3.2).

use serde::Serialize;

use super::name::fullwidth;
use super::number::{Document, Number};
use super::rng::Rng;

/// The counters of SPEC §3.1 and §3.2, under the names of the coverage statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalised {
    /// `="…"` or an apostrophe in front.
    Wrapped,
    /// White space, invisible characters, hyphens.
    Spaces,
    /// Full-width characters.
    Fullwidth,
    /// Lower case.
    Lowercase,
    /// Another script's X.
    Lookalike,
    /// `*` for a final X.
    Star,
    /// 15 digits.
    Upgraded15,
    /// A travel permit's reissue count.
    Reissue,
}

/// An identity cell and the counters it moves, each once.
#[derive(Debug, Clone, Default)]
pub(super) struct SpelledId {
    pub(super) cell: String,
    pub(super) counted: Vec<Normalised>,
}

impl SpelledId {
    /// A cell that needs no cleaning.
    pub(super) fn plain(cell: impl Into<String>) -> Self {
        Self { cell: cell.into(), counted: Vec::new() }
    }

    fn with(cell: String, counted: &[Normalised]) -> Self {
        Self { cell, counted: counted.to_vec() }
    }
}

/// How an institution spells numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    /// Percent of rows with the 15-digit number, of those who can have one.
    pub(super) old15_percent: u64,
    /// Percent of rows spelled in some untidy way.
    pub(super) messy_percent: u64,
    /// Whether a tab can stand in a cell (not in a tab-separated file).
    pub(super) tabs: bool,
    /// Whether a person with several accounts has one under 15 and one under 18 digits.
    pub(super) both_forms: bool,
    /// Whether forms that only a document-kind column explains may be used.
    pub(super) kinds: bool,
}

/// Spells `number` in one of the ways of `habits`.
pub(super) fn spell(rng: &mut Rng, number: &Number, habits: Habits) -> SpelledId {
    let mut spelled = match number.document {
        Document::HkMoPermit if rng.one_in(3) => reissued(rng, number),
        Document::TwPermit if habits.kinds && rng.one_in(3) => reissued(rng, number),
        Document::Officer => return SpelledId::plain(officer(rng, &number.text)),
        _ => SpelledId::plain(&number.text),
    };
    if let Some(old) = number.old15()
        && rng.percent(habits.old15_percent)
    {
        spelled = SpelledId::with(old, &[Normalised::Upgraded15]);
    }
    if rng.percent(habits.messy_percent) {
        let messy = mess(rng, &spelled.cell, habits.tabs);
        spelled.cell = messy.cell;
        spelled.counted.extend(messy.counted);
    }
    spelled
}

/// The 15-digit number in a tidy cell, or the whole number for those who never had one.
pub(super) fn old15(number: &Number) -> SpelledId {
    match number.old15() {
        Some(old) => SpelledId::with(old, &[Normalised::Upgraded15]),
        None => SpelledId::plain(&number.text),
    }
}

fn reissued(rng: &mut Rng, number: &Number) -> SpelledId {
    SpelledId::with(format!("{}0{}", number.text, rng.between(1, 4)), &[Normalised::Reissue])
}

/// An officer's number as its card shows it, with or without 号: canonical `南01234567`.
pub(super) fn officer(rng: &mut Rng, canonical: &str) -> String {
    let digits = canonical.trim_start_matches(|c: char| !c.is_ascii_digit());
    let unit = canonical.strip_suffix(digits).unwrap_or_default();
    if rng.one_in(2) { format!("{unit}字第{digits}号") } else { format!("{unit}字第{digits}") }
}

/// One of the untidy ways that apply to `text`.
fn mess(rng: &mut Rng, text: &str, tabs: bool) -> SpelledId {
    use Normalised::{Fullwidth, Lookalike, Lowercase, Spaces, Star, Wrapped};
    let ends_in_x = text.len() == 18 && text.ends_with('X');
    if ends_in_x && rng.percent(60) {
        let body = text.trim_end_matches('X');
        return match rng.below(8) {
            0..3 => SpelledId::with(format!("{body}x"), &[Lowercase]),
            3 => SpelledId::with(format!("{body}Ｘ"), &[Fullwidth]),
            4 => SpelledId::with(format!("{body}ｘ"), &[Fullwidth, Lowercase]),
            5 => SpelledId::with(format!("{body}*"), &[Star]),
            6 => SpelledId::with(format!("{body}×"), &[Lookalike]),
            _ => SpelledId::with(format!("{body}Х"), &[Lookalike]), // U+0425, Cyrillic
        };
    }
    let letters = text.contains(|c: char| c.is_ascii_uppercase());
    if letters && !ends_in_x && rng.percent(40) {
        return SpelledId::with(text.to_ascii_lowercase(), &[Lowercase]);
    }
    // Two cuts that suit every number: after the area code and before the last four characters.
    let (head, rest) = text.split_at(text.len().min(6));
    let (middle, tail) = rest.split_at(rest.len().saturating_sub(4));
    match rng.below(13) {
        0 => SpelledId::with(format!("=\"{text}\""), &[Wrapped]),
        1 => SpelledId::with(format!("'{text}"), &[Wrapped]),
        2 => SpelledId::with(format!("’{text}"), &[Wrapped]),
        3 if tabs => SpelledId::with(format!("\t{text}"), &[Spaces]),
        4 if tabs => SpelledId::with(format!("{text}\t"), &[Spaces]),
        3..6 => SpelledId::with(format!("{text} "), &[Spaces]),
        6 => SpelledId::with(format!("{head} {middle} {tail}"), &[Spaces]),
        7 => SpelledId::with(format!("{head}-{middle}-{tail}"), &[Spaces]),
        8 => SpelledId::with(text.chars().map(fullwidth).collect(), &[Fullwidth]),
        9 => SpelledId::with(format!("{head}\u{3000}{middle}{tail}"), &[Spaces]),
        10 => SpelledId::with(format!("{text}\u{A0}"), &[Spaces]),
        11 => SpelledId::with(format!("\u{FEFF}{head}\u{200B}{middle}{tail}"), &[Spaces]),
        _ => SpelledId::with(format!("=\"{text} \""), &[Wrapped, Spaces]),
    }
}

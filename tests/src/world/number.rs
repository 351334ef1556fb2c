//! Identity numbers in their canonical form (SPEC §3), made valid from the beginning. Check characters
//! are computed here by the recursions of ISO 7064, not by the weights the product uses.

use std::collections::HashSet;

use serde::Serialize;

use super::calendar;
use super::rng::Rng;

/// The kinds of identity document of SPEC §3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Document {
    /// 18 characters: identity cards, residence permits, new permanent-resident cards.
    Resident,
    /// Permanent-resident cards issued until 2023.
    PermanentOld,
    /// Passports.
    Passport,
    /// 回乡证.
    HkMoPermit,
    /// 台胞证.
    TwPermit,
    /// 军官证.
    Officer,
}

/// A document's kind and canonical number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Number {
    /// The kind.
    pub document: Document,
    /// The canonical number, as SPEC §3 writes it.
    pub text: String,
}

impl Number {
    /// A citizen's or permit holder's number from its parts: `area` six digits, `birth` yyyymmdd, `sequence` below 1,000.
    pub(super) fn resident(area: u32, birth: u32, sequence: u32) -> Self {
        let body = format!("{area:06}{birth:08}{sequence:03}");
        let check = char::from(mod_11_2(body.as_bytes()));
        Self { document: Document::Resident, text: format!("{body}{check}") }
    }

    /// What the document-kind cell says, officially.
    pub fn paper(&self) -> &'static str {
        match (self.document, self.text.get(..2).unwrap_or_default()) {
            (Document::Resident, "81" | "82" | "83") => "港澳台居民居住证",
            (Document::Resident, area) if area.starts_with('9') => "外国人永久居留身份证",
            (Document::Resident, _) => "居民身份证",
            (Document::PermanentOld, _) => "外国人永久居留证",
            (Document::Passport, _) => "护照",
            (Document::HkMoPermit, _) => "港澳居民来往内地通行证",
            (Document::TwPermit, _) => "台湾居民来往大陆通行证",
            (Document::Officer, _) => "军官证",
        }
    }

    /// Whether it is a mainland citizen's number.
    pub(super) fn is_citizen(&self) -> bool {
        self.document == Document::Resident && !self.text.starts_with(['8', '9'])
    }

    /// The 15-digit number of the same person, for those old enough to have had one: born in the 1900s, or
    /// in the 1800s with a centenarian's sequence.
    pub(super) fn old15(&self) -> Option<String> {
        let centenarian = matches!(self.text.get(14..17)?, "996" | "997" | "998" | "999");
        let century = self.text.get(6..8)?;
        let had_one = century == "19" || (century == "18" && centenarian);
        (self.is_citizen() && had_one)
            .then(|| format!("{}{}", &self.text[..6], self.text.get(8..17).unwrap_or_default()))
    }

    /// What no two people of the world may share. Residents are told apart without their century, so that a
    /// 15-digit number never means two people.
    fn key(&self) -> String {
        match self.document {
            Document::Resident => format!("{}{}", &self.text[..6], &self.text[8..17]),
            _ => self.text.clone(),
        }
    }
}

/// The numbers given out so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Register {
    taken: HashSet<String>,
}

impl Register {
    /// The first number that `make` gives and nobody has yet; it is now taken.
    pub(super) fn fresh(&mut self, mut make: impl FnMut() -> Number) -> Number {
        loop {
            let number = make();
            if self.taken.insert(number.key()) {
                return number;
            }
        }
    }

    /// The first number that `make` gives and nobody has; it is not taken.
    pub(super) fn stranger(&self, mut make: impl FnMut() -> Number) -> Number {
        loop {
            let number = make();
            if !self.taken.contains(&number.key()) {
                return number;
            }
        }
    }
}

/// The county of the story and its neighbours; the first stands for about half of the people.
pub(super) const NEAR: [u32; 8] = [510_322, 510_321, 510_302, 510_303, 510_304, 510_311, 511_024, 511_529];
/// Places from which people have come.
pub(super) const FAR: [u32; 14] = [
    500_106, 440_306, 110_105, 310_115, 330_106, 320_102, 420_106, 610_103, 350_102, 130_102, 410_105,
    370_202, 520_103, 530_102,
];
/// Places in Xinjiang.
pub(super) const XINJIANG: [u32; 5] = [653_101, 652_901, 650_102, 653_201, 654_002];

/// An area code: half the county, a third its neighbours, the rest from elsewhere.
pub(super) fn area(rng: &mut Rng) -> u32 {
    match rng.below(100) {
        0..50 => NEAR[0],
        50..85 => rng.pick(&NEAR),
        _ => rng.pick(&FAR),
    }
}

/// A day on which someone may have been born, `from` to `to` years, both included.
pub(super) fn birthday(rng: &mut Rng, from: u32, to: u32) -> u32 {
    let first = calendar::days(from * 10_000 + 101);
    let span = calendar::days(to * 10_000 + 1231) - first + 1;
    calendar::date(first + i64::try_from(rng.below(span.unsigned_abs())).unwrap_or(0))
}

/// MOD 11-2 (ISO 7064, GB 11643): after each digit the running value is doubled modulo 11.
pub(super) fn mod_11_2(body: &[u8]) -> u8 {
    let value = body.iter().fold(0, |value, digit| (value + (digit - b'0')) * 2 % 11);
    match (12 - value) % 11 {
        10 => b'X',
        n => b'0' + n,
    }
}

const CREDIT_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// MOD 31-3 (GB 32100), the check character of a unified social credit code: powers of 3 modulo 31.
/// `None` when a character has no place in such a code.
pub(super) fn mod_31_3(body: &str) -> Option<char> {
    let mut weight = 1;
    let mut sum = 0;
    for byte in body.bytes() {
        sum += CREDIT_ALPHABET.iter().position(|c| *c == byte)? * weight;
        weight = weight * 3 % 31;
    }
    Some(char::from(CREDIT_ALPHABET[(31 - sum % 31) % 31]))
}

/// A company's unified social credit code; always with letters before the check character.
pub(super) fn credit_code(rng: &mut Rng) -> String {
    let mut body = format!("91{}MA", NEAR[rng.index(NEAR.len())]);
    while body.len() < 17 {
        body.push(char::from(CREDIT_ALPHABET[rng.index(31)]));
    }
    let check = mod_31_3(&body).unwrap_or('0'); // the alphabet is the code's own
    format!("{body}{check}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_examples() {
        assert_eq!(Number::resident(110_105, 19491231, 2).text, "11010519491231002X");
        assert_eq!(Number::resident(440_524, 18800101, 1).text, "440524188001010014");
        assert_eq!(mod_31_3("91350100M000100Y4"), Some('3'));
    }

    #[test]
    fn old_numbers() {
        assert_eq!(Number::resident(110_105, 19491231, 2).old15().as_deref(), Some("110105491231002"));
        assert_eq!(Number::resident(110_105, 18991231, 997).old15().as_deref(), Some("110105991231997"));
        assert_eq!(Number::resident(110_105, 20011231, 2).old15(), None);
        assert_eq!(Number::resident(810_000, 19601231, 2).old15(), None);
    }
}

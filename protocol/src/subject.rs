//! Who is asked about: a kind of document and its canonical number (SPEC §3).
//!
//! [`read`] has three outcomes only: subjects, not a person, or a reason to set the row aside.
//! It never guesses.

use std::fmt;

use crate::clean::{self, Normalised, NormalisedSet};
use crate::value::day_exists;

/// The kinds of identity document; the number is the byte that goes into a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// 18 characters: resident cards, residence permits (81, 82, 83), new permanent-resident cards (9).
    Resident = 1,
    /// Permanent-resident cards issued until 2023.
    PermanentOld = 2,
    /// Passports.
    Passport = 3,
    /// Mainland travel permits for Hong Kong and Macao residents (回乡证).
    HkMoPermit = 4,
    /// Mainland travel permits for Taiwan residents (台胞证).
    TwPermit = 5,
    /// Officers' and soldiers' cards (军官证).
    Officer = 6,
}

impl Kind {
    /// The name used in files and documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resident => "resident",
            Self::PermanentOld => "permanent-old",
            Self::Passport => "passport",
            Self::HkMoPermit => "hk-mo-permit",
            Self::TwPermit => "tw-permit",
            Self::Officer => "officer",
        }
    }
}

/// The 18 characters of a valid number of [`Kind::Resident`].
pub type ResidentNumber = [u8; 18];

/// A kind and a canonical number of that kind. Printing shows the kind only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    kind: Kind,
    number: String,
}

impl Subject {
    /// The kind of document.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The subject of this kind (by name) with this number, when it is canonical.
    pub fn from_canonical(kind: &str, number: &str) -> Option<Self> {
        let hints = [Hint::None, Hint::Passport, Hint::HkMo, Hint::Tw, Hint::Officer];
        hints.into_iter().find_map(|hint| match read(number, hint).0 {
            Outcome::Subjects((subject, _)) if subject.kind.name() == kind && subject.number == number => {
                Some(subject)
            }
            _ => None,
        })
    }

    /// The canonical number. It is personal data: never print or log it.
    pub fn number(&self) -> &str {
        &self.number
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({}, ..)", self.kind.name())
    }
}

/// What a document-kind cell says (SPEC §3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hint {
    /// Nothing that matters.
    #[default]
    None,
    /// A business licence or the like.
    Company,
    /// A passport.
    Passport,
    /// 台胞证.
    Tw,
    /// 回乡证.
    HkMo,
    /// 军官证.
    Officer,
}

impl Hint {
    /// Reads a document-kind cell.
    pub fn read(cell: &str) -> Self {
        let cell: String = cell.chars().filter(|c| !clean::is_blank(*c)).collect();
        let holds = |words: &[&str]| words.iter().any(|w| cell.contains(w));
        if cell.is_empty() {
            Self::None
        } else if holds(&["营业执照", "信用代码", "机构代码", "工商", "企业"]) {
            Self::Company
        } else if holds(&["护照"]) || cell.to_ascii_lowercase().contains("passport") {
            Self::Passport
        } else if holds(&["台胞", "台湾居民来往"])
            || (holds(&["台湾"]) && holds(&["通行证"]) && !holds(&["往来台湾"]))
        {
            Self::Tw
        } else if holds(&["回乡", "港澳居民来往"])
            || (holds(&["港澳"]) && holds(&["通行证"]) && !holds(&["往来港澳"]))
        {
            Self::HkMo
        } else if holds(&["军官", "士兵", "警官", "文职", "军人"]) {
            Self::Officer
        } else {
            Self::None
        }
    }
}

/// Why a row is set aside (SPEC §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Nothing there.
    Empty,
    /// Characters hidden by `*`.
    Masked,
    /// `5.10322E+17`: a spreadsheet has thrown digits away.
    Scientific,
    /// A dummy number.
    Placeholder,
    /// The date inside the number does not exist.
    Date,
    /// The check character does not fit.
    CheckDigit,
    /// Digits, but too few or too many.
    Length,
    /// No known form.
    Format,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Empty,
        Self::Masked,
        Self::Scientific,
        Self::Placeholder,
        Self::Date,
        Self::CheckDigit,
        Self::Length,
        Self::Format,
    ];

    /// The name in the coverage statement.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Masked => "masked",
            Self::Scientific => "scientific",
            Self::Placeholder => "placeholder",
            Self::Date => "date",
            Self::CheckDigit => "check_digit",
            Self::Length => "length",
            Self::Format => "format",
        }
    }
}

/// One subject, or two where an old number may mean two centuries.
pub type Subjects = (Subject, Option<Subject>);

/// What a cell turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A person.
    Subjects(Subjects),
    /// A company's number: skipped, counted.
    NotPersonal,
    /// Set aside, counted.
    Quarantine(Reason),
}

/// Reads an identity cell (SPEC §3.1, §3.2).
pub fn read(cell: &str, hint: Hint) -> (Outcome, NormalisedSet) {
    let (text, mut done) = clean::clean(cell);
    let outcome = classify(&text, hint, &mut done);
    (outcome, done)
}

/// Reads a cell that is a valid 18-character resident number as it stands: the path nearly every row
/// takes. `None` says nothing but "use [`read`]".
///
/// No placeholder passes: the same character eighteen times, or 123456789012345678, has no year from 1800 to 2199.
#[inline]
pub fn read_plain(cell: &[u8]) -> Option<&ResidentNumber> {
    let number: &ResidentNumber = cell.try_into().ok()?;
    (check_resident(number) == Check::Valid).then_some(number)
}

/// The subject of a number that [`read_plain`] found good.
pub fn resident(number: &ResidentNumber) -> Subject {
    Subject { kind: Kind::Resident, number: number.iter().map(|b| char::from(*b)).collect() }
}

fn subject(kind: Kind, number: impl Into<String>) -> Outcome {
    Outcome::Subjects((Subject { kind, number: number.into() }, None))
}

/// The rules of SPEC §3.2, in their order.
fn classify(text: &str, hint: Hint, done: &mut NormalisedSet) -> Outcome {
    use Outcome::{NotPersonal, Quarantine};
    let bytes = text.as_bytes();
    if bytes.is_empty() {
        return Quarantine(Reason::Empty);
    }
    if bytes.iter().filter(|b| **b == b'*').count() >= 2 {
        return Quarantine(Reason::Masked);
    }
    if is_scientific(bytes) {
        return Quarantine(Reason::Scientific);
    }
    if is_placeholder(bytes) {
        return Quarantine(Reason::Placeholder);
    }
    if hint == Hint::Company {
        return NotPersonal;
    }
    if let Ok(number) = <&[u8; 18]>::try_from(bytes) {
        match check_resident(number) {
            Check::Valid => return subject(Kind::Resident, text),
            Check::NoSuchForm => {}
            Check::NoSuchDate if is_credit_code(number) => return NotPersonal,
            Check::NoSuchDate => return Quarantine(Reason::Date),
            Check::WrongCharacter => return Quarantine(Reason::CheckDigit),
        }
        if let Some((seventeen, b"*")) = number.split_first_chunk::<17>()
            && all_digits(seventeen)
        {
            let with_x = [seventeen.as_slice(), b"X"].concat();
            return match <&[u8; 18]>::try_from(with_x.as_slice()).map(check_resident) {
                Ok(Check::Valid) => {
                    done.add(Normalised::Star);
                    subject(Kind::Resident, format!("{}X", text.trim_end_matches('*')))
                }
                _ => Quarantine(Reason::CheckDigit),
            };
        }
        if looks_like_credit_code(number) {
            return NotPersonal;
        }
    }
    if let Ok(old) = <&[u8; 15]>::try_from(bytes)
        && all_digits(old)
        && !matches!(hint, Hint::Passport | Hint::Officer)
    {
        done.add(Normalised::Upgraded15);
        return upgrade(old);
    }
    match hint {
        Hint::Passport => return passport(text).unwrap_or(Quarantine(Reason::Format)),
        Hint::HkMo => return hk_mo(text, done).unwrap_or(Quarantine(Reason::Format)),
        Hint::Tw => return tw(text, done).unwrap_or(Quarantine(Reason::Format)),
        Hint::Officer => return officer(text),
        Hint::None | Hint::Company => {}
    }
    if let Some((letters, digits)) = bytes.split_first_chunk::<3>()
        && letters.iter().all(u8::is_ascii_uppercase)
        && digits.len() == 12
        && all_digits(digits)
    {
        return subject(Kind::PermanentOld, text);
    }
    if let Some(found) = hk_mo(text, done) {
        return found;
    }
    let letters = bytes.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let rest = bytes.get(letters..).unwrap_or_default();
    if (1..=2).contains(&letters) && (7..=8).contains(&rest.len()) && all_digits(rest) {
        return subject(Kind::Passport, text);
    }
    if text.contains('字') {
        return officer(text);
    }
    if bytes.len() == 8 && all_digits(bytes) {
        return subject(Kind::TwPermit, text);
    }
    let figures =
        bytes.iter().all(|b| b.is_ascii_digit() || *b == b'X') && bytes.iter().any(u8::is_ascii_digit);
    if matches!(bytes.len(), 9 | 13..=20) && figures {
        return Quarantine(Reason::Length);
    }
    Quarantine(Reason::Format)
}

fn all_digits(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_digit)
}

/// `[0-9](\.[0-9]+)?E\+?[0-9]{1,3}` with a `.` or `+` in it.
pub fn is_scientific(bytes: &[u8]) -> bool {
    let Some(e) = bytes.iter().position(|b| *b == b'E') else { return false };
    let (mantissa, exponent) = (bytes.get(..e).unwrap_or_default(), bytes.get(e + 1..).unwrap_or_default());
    let (exponent, plus) = match exponent {
        [b'+', rest @ ..] => (rest, true),
        _ => (exponent, false),
    };
    let (mantissa_good, point) = match mantissa {
        [d] => (d.is_ascii_digit(), false),
        [d, b'.', rest @ ..] => (d.is_ascii_digit() && !rest.is_empty() && all_digits(rest), true),
        _ => (false, false),
    };
    mantissa_good && (plus || point) && (1..=3).contains(&exponent.len()) && all_digits(exponent)
}

fn is_placeholder(bytes: &[u8]) -> bool {
    let Some(first) = bytes.first() else { return false };
    (first.is_ascii_digit() && bytes.iter().all(|b| b == first))
        || bytes == b"123456789012345678"
        || bytes == b"123456789012345"
}

#[derive(Debug, PartialEq, Eq)]
enum Check {
    Valid,
    NoSuchForm,
    NoSuchDate,
    WrongCharacter,
}

/// Form, date and MOD 11-2 check character of an 18-character number (GB 11643).
#[inline]
fn check_resident(number: &ResidentNumber) -> Check {
    let [body @ .., last] = number;
    // Every digit is looked at, whatever the first one is: no branch a character.
    let digits = body.iter().fold(true, |good, b| good & b.is_ascii_digit());
    if !digits || !(last.is_ascii_digit() || *last == b'X') {
        return Check::NoSuchForm;
    }
    let [_, _, _, _, _, _, y1, y2, y3, y4, m1, m2, d1, d2, ..] = *body;
    let two = |tens: u8, ones: u8| u32::from(tens - b'0') * 10 + u32::from(ones - b'0');
    let year = two(y1, y2) * 100 + two(y3, y4);
    if !(1800..=2199).contains(&year) || !day_exists(year, two(m1, m2), two(d1, d2)) {
        return Check::NoSuchDate;
    }
    if *last == check_character(body) { Check::Valid } else { Check::WrongCharacter }
}

/// MOD 11-2 (ISO 7064, GB 11643): the r-th of `10X98765432` for r = Σ dᵢwᵢ mod 11.
#[inline]
fn check_character(body: &[u8; 17]) -> u8 {
    const WEIGHTS: [u16; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u16 = body.iter().zip(WEIGHTS).map(|(d, w)| u16::from(d - b'0') * w).sum();
    b"10X98765432".get(usize::from(sum % 11)).copied().unwrap_or(b'?')
}

/// The characters of a unified social credit code, in the order of their values (GB 32100).
const CREDIT_CODE: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

fn looks_like_credit_code(number: &[u8; 18]) -> bool {
    number.iter().all(|b| CREDIT_CODE.contains(b)) && number.iter().take(17).any(u8::is_ascii_uppercase)
}

/// MOD 31-3 check character (GB 32100).
fn is_credit_code(number: &[u8; 18]) -> bool {
    const WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
    let value = |b: &u8| CREDIT_CODE.iter().position(|c| c == b);
    let mut sum = 0;
    for (b, w) in number.iter().zip(WEIGHTS) {
        let Some(v) = value(b) else { return false };
        sum += v * w;
    }
    number.last().and_then(value) == Some((31 - sum % 31) % 31)
}

/// Rule 9: a 15-digit number means one person, or two where the sequence is 996–999.
fn upgrade(old: &[u8; 15]) -> Outcome {
    let (area, rest) = old.split_at(6);
    let made = |century: &[u8]| {
        let body = [area, century, rest].concat();
        let body: [u8; 17] = body.as_slice().try_into().ok()?;
        let number = [body.as_slice(), &[check_character(&body)]].concat();
        let number: &[u8; 18] = number.as_slice().try_into().ok()?;
        (check_resident(number) == Check::Valid).then(|| resident(number))
    };
    let centenarian = matches!(old, [.., b'9', b'9', b'6'..=b'9']);
    let (first, second) = (made(b"19"), if centenarian { made(b"18") } else { None });
    match (first, second) {
        (Some(first), second) => Outcome::Subjects((first, second)),
        (None, Some(second)) => Outcome::Subjects((second, None)),
        (None, None) => Outcome::Quarantine(Reason::Date),
    }
}

fn passport(text: &str) -> Option<Outcome> {
    let bytes = text.as_bytes();
    let good = (5..=17).contains(&bytes.len())
        && bytes.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        && bytes.iter().any(u8::is_ascii_digit);
    good.then(|| subject(Kind::Passport, text))
}

/// H or M and 8 digits; two more are a reissue count.
fn hk_mo(text: &str, done: &mut NormalisedSet) -> Option<Outcome> {
    let digits = text.strip_prefix(['H', 'M'])?;
    if !all_digits(digits.as_bytes()) {
        return None;
    }
    match digits.len() {
        8 => Some(subject(Kind::HkMoPermit, text)),
        10 => {
            done.add(Normalised::Reissue);
            text.get(..9).map(|nine| subject(Kind::HkMoPermit, nine))
        }
        _ => None,
    }
}

/// 8 digits; two more are a reissue count.
fn tw(text: &str, done: &mut NormalisedSet) -> Option<Outcome> {
    if !all_digits(text.as_bytes()) {
        return None;
    }
    match text.len() {
        8 => Some(subject(Kind::TwPermit, text)),
        10 => {
            done.add(Normalised::Reissue);
            text.get(..8).map(|eight| subject(Kind::TwPermit, eight))
        }
        _ => None,
    }
}

/// SPEC §3.2.1: what stands before 字, one or two Han characters or nothing, then 6…10 digits.
fn officer(text: &str) -> Outcome {
    let number: String = text.chars().filter(|c| !matches!(c, '第' | '号' | '证' | '字')).collect();
    let digits = number.trim_start_matches(|c: char| matches!(c, '\u{4E00}'..='\u{9FFF}'));
    let prefix = number.chars().count() - digits.chars().count();
    if prefix <= 2 && (6..=10).contains(&digits.len()) && all_digits(digits.as_bytes()) {
        subject(Kind::Officer, number)
    } else {
        Outcome::Quarantine(Reason::Format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(cell: &str, hint: Hint) -> Vec<String> {
        match read(cell, hint).0 {
            Outcome::Subjects((a, b)) => [Some(a), b]
                .into_iter()
                .flatten()
                .map(|s| format!("{}:{}", s.kind.name(), s.number))
                .collect(),
            Outcome::NotPersonal => vec!["not personal".into()],
            Outcome::Quarantine(reason) => vec![reason.name().into()],
        }
    }

    /// The example of GB 11643-1999 and cases of each rule; `vectors/subjects.json` has more.
    #[test]
    fn every_rule() {
        let cases: &[(&str, Hint, &[&str])] = &[
            ("11010519491231002X", Hint::None, &["resident:11010519491231002X"]),
            ("11010519491231002x ", Hint::Passport, &["resident:11010519491231002X"]),
            ("11010519491231002*", Hint::None, &["resident:11010519491231002X"]),
            ("440524188001010014", Hint::None, &["resident:440524188001010014"]),
            ("440524188001010015", Hint::None, &["check_digit"]),
            ("440524188013010014", Hint::None, &["date"]),
            ("110105491231002", Hint::None, &["resident:11010519491231002X"]),
            ("110105491331002", Hint::None, &["date"]),
            ("91350100M000100Y43", Hint::None, &["not personal"]),
            ("110105**********2X", Hint::None, &["masked"]),
            ("1.10105E+17", Hint::None, &["scientific"]),
            ("", Hint::None, &["empty"]),
            ("999999999999999999", Hint::None, &["placeholder"]),
            ("0", Hint::None, &["placeholder"]),
            ("USA123456789012", Hint::None, &["permanent-old:USA123456789012"]),
            ("H1234567801", Hint::None, &["hk-mo-permit:H12345678"]),
            ("M12345678", Hint::HkMo, &["hk-mo-permit:M12345678"]),
            ("12345678", Hint::None, &["tw-permit:12345678"]),
            ("1234567802", Hint::Tw, &["tw-permit:12345678"]),
            ("E12345678", Hint::None, &["passport:E12345678"]),
            ("eb1234567", Hint::None, &["passport:EB1234567"]),
            ("12AB34", Hint::Passport, &["passport:12AB34"]),
            ("南字第01234567号", Hint::None, &["officer:南01234567"]),
            ("2001988", Hint::Officer, &["officer:2001988"]),
            ("11010519491231002", Hint::None, &["length"]),
            ("hello", Hint::None, &["format"]),
            ("anything", Hint::Company, &["not personal"]),
        ];
        for (cell, hint, expected) in cases {
            assert_eq!(numbers(cell, *hint), *expected, "{cell}");
        }
    }

    #[test]
    fn a_centenarian_s_old_number_means_two() {
        let both = numbers("110105200101996", Hint::None);
        assert_eq!(both.len(), 2);
        assert!(both[0].contains("11010519200101996") && both[1].contains("11010518200101996"), "{both:?}");
        assert_eq!(numbers("110105200101995", Hint::None).len(), 1);
    }

    #[test]
    fn hints() {
        for (cell, hint) in [
            ("居民身份证", Hint::None),
            ("户口簿", Hint::None),
            ("外国护照", Hint::Passport),
            ("Passport", Hint::Passport),
            ("台湾居民来往大陆通行证", Hint::Tw),
            ("港澳居民来往内地通行证", Hint::HkMo),
            ("港澳台居民居住证", Hint::None),
            ("军官证", Hint::Officer),
            ("统一社会信用代码", Hint::Company),
        ] {
            assert_eq!(Hint::read(cell), hint, "{cell}");
        }
    }

    #[test]
    fn debug_hides_the_number() {
        let Outcome::Subjects((subject, _)) = read("11010519491231002X", Hint::None).0 else { panic!() };
        assert_eq!(format!("{subject:?}"), "Subject(resident, ..)");
    }

    fn valid(area: u32, days: i64, sequence: u32) -> String {
        let date = crate::value::Date::from_days(days).unwrap().number();
        let body = format!("{area:06}{date:08}{sequence:03}");
        let check = check_character(body.as_bytes().try_into().unwrap());
        format!("{body}{}", char::from(check))
    }

    proptest! {
        /// One wrong digit never passes for the same or another person.
        #[test]
        fn a_slip_is_caught(area in 110_000_u32..660_000, days in -20_000_i64..18_000, seq in 1_u32..999, at in 0_usize..17, by in 1_u8..10) {
            let number = valid(area, days, seq);
            prop_assert_eq!(numbers(&number, Hint::None), vec![format!("resident:{number}")]);
            let mut wrong = number.clone().into_bytes();
            wrong[at] = (wrong[at] - b'0' + by) % 10 + b'0';
            let found = numbers(&String::from_utf8(wrong).unwrap(), Hint::None);
            prop_assert!(!found[0].starts_with("resident"), "{found:?}");
        }

        /// Nor do two neighbours that changed places, the check character among them.
        #[test]
        fn a_swap_is_caught(area in 110_000_u32..660_000, days in -20_000_i64..18_000, seq in 1_u32..999) {
            let number = valid(area, days, seq);
            for at in 0..17 {
                let mut swapped = number.clone().into_bytes();
                swapped.swap(at, at + 1);
                let swapped = String::from_utf8(swapped).unwrap();
                let found = numbers(&swapped, Hint::None);
                prop_assert_eq!(found[0].starts_with("resident"), swapped == number, "{}: {:?}", swapped, found);
            }
        }

        /// A hit is never lost to spelling, and the plain path agrees with the rules.
        #[test]
        fn spelling_changes_nothing(area in 110_000_u32..660_000, days in -20_000_i64..18_000, seq in 1_u32..999) {
            let number = valid(area, days, seq);
            let full: String = number.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap()).collect();
            for spelled in [number.to_lowercase(), full, format!("=\"{number}\""), format!("\t{number}"), format!("{}\u{3000}{}", &number[..6], &number[6..])] {
                prop_assert_eq!(numbers(&spelled, Hint::None), numbers(&number, Hint::None));
            }
            if (1900..2000).contains(&(crate::value::Date::from_days(days).unwrap().number() / 10_000)) && seq < 996 {
                let old = format!("{}{}", &number[..6], &number[8..17]);
                prop_assert_eq!(numbers(&old, Hint::None), numbers(&number, Hint::None));
            }
            prop_assert_eq!(read_plain(number.as_bytes()).map(resident), Some(match read(&number, Hint::None).0 {
                Outcome::Subjects((s, None)) => s,
                other => panic!("{other:?}"),
            }));
        }

        #[test]
        fn never_panics(text in any::<String>(), bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            for hint in [Hint::None, Hint::Company, Hint::Passport, Hint::Tw, Hint::HkMo, Hint::Officer] {
                let _ = read(&text, hint);
            }
            let _ = (Hint::read(&text), read_plain(&bytes));
        }
    }
}

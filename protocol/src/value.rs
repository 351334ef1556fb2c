//! The values that headers are made of, each parsed at the edge into a type of its own (SPEC §1, §2.1).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::error::DecodeError;
use crate::json::json_text;

/// Fixed-size bytes that stand as `hex` in a header.
macro_rules! hex_bytes {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// The bytes.
            pub fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = DecodeError;

            /// # Errors
            /// When the text is not exactly the lower-case hexadecimal of this many bytes.
            fn from_str(text: &str) -> Result<Self, DecodeError> {
                let mut bytes = [0; $len];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| DecodeError::Malformed(stringify!($name)))?;
                if text.bytes().any(|b| b.is_ascii_uppercase()) {
                    return Err(DecodeError::Malformed(stringify!($name)));
                }
                Ok(Self(bytes))
            }
        }
    };
}

hex_bytes! {
    /// A SHA-256 digest: of a document ([`crate::Document::digest`]), a body or a file.
    Digest, 32
}
hex_bytes! {
    /// An Ed25519 public key (RFC 8032).
    PublicKey, 32
}
hex_bytes! {
    /// An X25519 public key (RFC 7748) that seals are made to.
    SealingKey, 32
}
hex_bytes! {
    /// A roster's identity, drawn by the centre.
    RosterId, 16
}

impl Digest {
    /// SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// A name or purpose: at most 1,024 bytes of UTF-8 without control characters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Text(String);

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Text {
    type Err = DecodeError;

    /// # Errors
    /// When the text is too long or holds a control character.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        if text.len() > 1024 {
            return Err(DecodeError::TooLarge("text"));
        }
        if text.chars().any(char::is_control) {
            return Err(DecodeError::Malformed("text"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// The short code of a party: 1…32 characters of `[A-Za-z0-9._-]`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Code(String);

impl Code {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Code {
    type Err = DecodeError;

    /// # Errors
    /// When the text is empty, too long or holds another character.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if text.is_empty() || text.len() > 32 || !text.bytes().all(good) {
            return Err(DecodeError::Malformed("code"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A day, `YYYY-MM-DD`, years 1900 to 2199.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Date(u32);

impl Date {
    /// The day as the number `yyyymmdd`, when there is such a day.
    pub fn from_number(yyyymmdd: u32) -> Option<Self> {
        let (year, month, day) = (yyyymmdd / 10_000, yyyymmdd / 100 % 100, yyyymmdd % 100);
        ((1900..=2199).contains(&year) && day_exists(year, month, day)).then_some(Self(yyyymmdd))
    }

    /// The day as the number `yyyymmdd`.
    pub fn number(self) -> u32 {
        self.0
    }

    /// Days since 1970-01-01 (negative before).
    pub fn days(self) -> i64 {
        // The civil-from-days arithmetic of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let (y, m, d) = (i64::from(self.0 / 10_000), i64::from(self.0 / 100 % 100), i64::from(self.0 % 100));
        let y = if m <= 2 { y - 1 } else { y };
        let era = y.div_euclid(400);
        let year_of_era = y - era * 400;
        let day_of_year = (153 * (m + if m > 2 { -3 } else { 9 }) + 2) / 5 + d - 1;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
    }

    /// The day `days` after 1970-01-01, within the years this type knows.
    pub fn from_days(days: i64) -> Option<Self> {
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z - era * 146_097;
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let (d, m) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
        let y = yoe + era * 400 + i64::from(m <= 2);
        Self::from_number(u32::try_from(y * 10_000 + m * 100 + d).ok()?)
    }
}

/// Whether the Gregorian calendar has this day.
#[inline]
pub(crate) fn day_exists(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=last).contains(&day)
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0 / 10_000, self.0 / 100 % 100, self.0 % 100)
    }
}

impl FromStr for Date {
    type Err = DecodeError;

    /// # Errors
    /// When the text is not `YYYY-MM-DD` or names a day that does not exist.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        let bad = DecodeError::Malformed("date");
        let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else { return Err(bad) };
        digits(&[y1, y2, y3, y4, m1, m2, d1, d2]).and_then(Self::from_number).ok_or(bad)
    }
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0_u32, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
}

/// A moment in whole seconds, `YYYY-MM-DDTHH:MM:SSZ`; the number is Unix seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Time(u64);

impl Time {
    /// The moment `seconds` after 1970-01-01T00:00:00Z, up to the year 2199.
    pub fn from_unix(seconds: u64) -> Option<Self> {
        Date::from_days(i64::try_from(seconds / 86_400).ok()?).map(|_| Self(seconds))
    }

    /// Unix seconds.
    pub fn unix(self) -> u64 {
        self.0
    }

    /// The day that the moment lies in, in China (SPEC §1).
    pub fn date(self) -> Date {
        self.china().0
    }

    /// Day and second of the day in China: UTC+8, without summer time since 1991. The last hours of 2199 are of the day
    /// before.
    pub fn china(self) -> (Date, u32) {
        let (date, _) = self.utc();
        let seconds = self.0 + CHINA_SECONDS;
        i64::try_from(seconds / DAY_SECONDS)
            .ok()
            .and_then(Date::from_days)
            .map_or((date, 86_399), |date| (date, second_of_day(seconds)))
    }

    /// Day and second of the day in UTC.
    fn utc(self) -> (Date, u32) {
        // A Time exists only where its Date does, see from_unix.
        let date = i64::try_from(self.0 / DAY_SECONDS).ok().and_then(Date::from_days);
        (date.unwrap_or(Date(19_700_101)), second_of_day(self.0))
    }
}

const DAY_SECONDS: u64 = 86_400;
/// How far China's clocks are ahead.
const CHINA_SECONDS: u64 = 8 * 3_600;

fn second_of_day(seconds: u64) -> u32 {
    u32::try_from(seconds % DAY_SECONDS).unwrap_or(0)
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, s) = self.utc();
        write!(f, "{date}T{:02}:{:02}:{:02}Z", s / 3600, s / 60 % 60, s % 60)
    }
}

impl FromStr for Time {
    type Err = DecodeError;

    /// # Errors
    /// When the text is not `YYYY-MM-DDTHH:MM:SSZ` from 1970 to 2199.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        let bad = || DecodeError::Malformed("time");
        let (date, clock) = text.split_once('T').ok_or_else(bad)?;
        let date: Date = date.parse().map_err(|_| bad())?;
        let &[h1, h2, b':', m1, m2, b':', s1, s2, b'Z'] = clock.as_bytes() else { return Err(bad()) };
        let part = |a, b, below| digits(&[a, b]).filter(|n| *n < below).ok_or_else(bad);
        let (h, m, s) = (part(h1, h2, 24)?, part(m1, m2, 60)?, part(s1, s2, 60)?);
        let days = u64::try_from(date.days()).map_err(|_| bad())?;
        Ok(Self(days * 86_400 + u64::from(h * 3600 + m * 60 + s)))
    }
}

/// A release of the module, `MAJOR.MINOR.PATCH`; compares as numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ReleaseNumber([u16; 3]);

impl ReleaseNumber {
    /// The release `major.minor.patch`.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self([major, minor, patch])
    }
}

impl fmt::Display for ReleaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

impl FromStr for ReleaseNumber {
    type Err = DecodeError;

    /// # Errors
    /// When the text is not three numbers without leading zeros.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        let bad = || DecodeError::Malformed("release");
        let mut numbers = text.split('.').map(|n| n.parse::<u16>());
        let mut next = || numbers.next().and_then(Result::ok).ok_or_else(bad);
        let release = Self([next()?, next()?, next()?]);
        // One spelling only: printing gives back what was read ("01", "+1", a fourth part do not).
        if release.to_string() == text { Ok(release) } else { Err(bad()) }
    }
}

/// Bytes that stand as base64 in a header, in one spelling only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Base64(pub Vec<u8>);

impl fmt::Display for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(&self.0))
    }
}

impl FromStr for Base64 {
    type Err = DecodeError;

    /// # Errors
    /// When the text is not padded RFC 4648 §4 base64.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        STANDARD.decode(text).map(Self).map_err(|_| DecodeError::Malformed("base64"))
    }
}

/// The three-letter code of a currency (ISO 4217).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(pub [u8; 3]);

impl Currency {
    /// Renminbi.
    pub const CNY: Self = Self(*b"CNY");
    /// "No currency": the cell named one that is not known (ISO 4217's XXX).
    pub const UNKNOWN: Self = Self(*b"XXX");

    /// Digits after the decimal point (ISO 4217): 0 for yen, won and dong, else 2. Currencies with
    /// three digits (dinars) are not among those that the matcher knows.
    pub fn exponent(self) -> u32 {
        if matches!(&self.0, b"JPY" | b"KRW" | b"VND") { 0 } else { 2 }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).unwrap_or("XXX"))
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Currency({self})")
    }
}

impl FromStr for Currency {
    type Err = DecodeError;

    /// # Errors
    /// When the text is not three capital letters.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err(DecodeError::Malformed("currency")),
        }
    }
}

// Each stands in a header as the one text that it prints and parses.
json_text!(Digest, PublicKey, SealingKey, RosterId, Text, Code, Date, Time, ReleaseNumber, Base64, Currency);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn moments_print_what_they_read() {
        for text in ["1970-01-01T00:00:00Z", "2026-02-28T23:59:59Z", "2000-02-29T12:00:00Z"] {
            assert_eq!(text.parse::<Time>().unwrap().to_string(), text);
        }
        // An independent figure: `date -u -d 2026-11-22T08:00:00Z +%s`.
        assert_eq!("2026-11-22T08:00:00Z".parse::<Time>().unwrap().unix(), 1_795_334_400);
        // Days are China's, SPEC §1.
        let china = |text: &str| {
            let (day, second) = text.parse::<Time>().unwrap().china();
            (day.to_string(), second)
        };
        assert_eq!(china("2026-11-22T15:59:59Z"), ("2026-11-22".to_owned(), 86_399));
        assert_eq!(china("2026-11-22T16:00:00Z"), ("2026-11-23".to_owned(), 0));
        assert_eq!(china("1970-01-01T00:00:00Z"), ("1970-01-01".to_owned(), 28_800));
        assert_eq!(china("2199-12-31T23:59:59Z"), ("2199-12-31".to_owned(), 86_399));
        for bad in ["2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01", "2026-1-01T00:00:00Z", ""] {
            assert!(bad.parse::<Time>().is_err(), "{bad}");
        }
    }

    #[test]
    fn one_spelling_only() {
        assert!("AA".repeat(32).parse::<Digest>().is_err());
        assert!("aa".repeat(31).parse::<Digest>().is_err());
        assert!("AA=".parse::<Base64>().is_err());
        assert!("AB==".parse::<Base64>().is_err(), "unused bits must be zero");
        for bad in ["1.2", "01.2.3", "1.2.3.4", "1.2.+3", "1.2.65536"] {
            assert!(bad.parse::<ReleaseNumber>().is_err(), "{bad}");
        }
        assert!("1.10.0".parse::<ReleaseNumber>().unwrap() > "1.9.9".parse().unwrap());
    }

    proptest! {
        #[test]
        fn days_and_dates_agree(days in -25_567_i64..84_000) {
            let date = Date::from_days(days).unwrap();
            prop_assert_eq!(date.days(), days);
            prop_assert_eq!(date.to_string().parse::<Date>().unwrap(), date);
        }

        #[test]
        fn codes_and_texts_never_panic(text in any::<String>()) {
            let _ = (text.parse::<Code>(), text.parse::<Text>(), text.parse::<Date>(), text.parse::<Time>());
        }
    }
}

//! What a numeric cell becomes: text from which nobody can take more digits than the cell holds.

use calamine::ExcelDateTime;

/// Numbers from here on have 16 digits or more, of which a spreadsheet keeps 15.
const SIXTEEN_DIGITS: f64 = 1e15;

/// Days of the 1900 system up to 9999-12-31.
const LAST_DAY: f64 = 2_958_466.0;

/// The number as a spreadsheet would show it, with at most 15 digits. One of 16 digits or more is written in scientific form
/// (`5.10322199003071E+17`): the matcher refuses a column of identity numbers that has one.
pub(crate) fn text(value: f64) -> String {
    if !value.is_finite() {
        return "#NUM!".to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    // d.dddddddddddddde±x
    let shortest = format!("{value:.14e}");
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits = mantissa.replace('.', "");
    let digits = digits.trim_end_matches('0');
    if value.abs() >= SIXTEEN_DIGITS || exponent < -15 {
        let (first, rest) = digits.split_at(digits.len().min(1));
        let point = if rest.is_empty() { "" } else { "." };
        let direction = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{point}{rest}E{direction}{:02}", exponent.unsigned_abs());
    }
    let whole = usize::try_from(exponent + 1).unwrap_or(0);
    match digits.split_at_checked(whole) {
        _ if exponent < 0 => {
            let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
            format!("{sign}0.{}{digits}", "0".repeat(zeros))
        }
        Some((whole, "")) => format!("{sign}{whole}"),
        Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{digits}{}", "0".repeat(whole - digits.len())),
    }
}

/// A cell whose format is a date's: `YYYY-MM-DD`, with the time behind where there is one. What is no day of the
/// calendar stays a number.
pub(crate) fn date(value: &ExcelDateTime) -> String {
    let days = value.as_f64();
    if !value.is_datetime() || !(1.0..LAST_DAY).contains(&days) {
        return text(days);
    }
    let (year, month, day, hour, minute, second, _) = value.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    match (hour, minute, second) {
        (0, 0, 0) => date,
        (hour, minute, second) => format!("{date} {hour:02}:{minute:02}:{second:02}"),
    }
}

/// A date in ISO 8601, as XML files have it: the time goes where it is midnight.
pub(crate) fn iso_date(text: &str) -> String {
    let (date, time) = text.split_once('T').unwrap_or((text, ""));
    let midnight = time.bytes().all(|b| matches!(b, b'0' | b':' | b'.' | b'Z'));
    if midnight { date.to_owned() } else { format!("{date} {time}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use calamine::ExcelDateTimeType::{DateTime, TimeDelta};

    #[test]
    fn numbers_are_shown_as_a_spreadsheet_shows_them() {
        for (value, shown) in [
            (0.0, "0"),
            (-0.0, "0"),
            (5.0, "5"),
            (1234.56, "1234.56"),
            (434.999_999_999_999_94, "435"),
            (-12.3, "-12.3"),
            (0.05, "0.05"),
            (100_000.0, "100000"),
            (110_105_491_231_002.0, "110105491231002"),
            (999_999_999_999_999.0, "999999999999999"),
            (1e15, "1E+15"),
            (510_322_199_003_071_000.0, "5.10322199003071E+17"),
            (5.103_221_990_030_71e17, "5.10322199003071E+17"),
            (-1.5e16, "-1.5E+16"),
            (1e-20, "1E-20"),
            (f64::NAN, "#NUM!"),
        ] {
            assert_eq!(text(value), shown);
        }
    }

    #[test]
    fn dates_of_both_systems() {
        assert_eq!(date(&ExcelDateTime::new(46_326.0, DateTime, false)), "2026-10-31");
        assert_eq!(date(&ExcelDateTime::new(44_864.0, DateTime, true)), "2026-10-31");
        assert_eq!(date(&ExcelDateTime::new(46_326.75, DateTime, false)), "2026-10-31 18:00:00");
        assert_eq!(date(&ExcelDateTime::new(0.5, DateTime, false)), "0.5");
        assert_eq!(date(&ExcelDateTime::new(1.5, TimeDelta, false)), "1.5");
        assert_eq!(date(&ExcelDateTime::new(5.1e17, DateTime, false)), "5.1E+17");
        assert_eq!(iso_date("2026-10-31T00:00:00.000"), "2026-10-31");
        assert_eq!(iso_date("2026-10-31T08:30:00"), "2026-10-31 08:30:00");
    }
}

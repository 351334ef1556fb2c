//! Amounts as people write them: yuan with two places and commas.

use protocol::value::Currency;

/// `12,345.67`, with the currency before it where it is not yuan.
pub fn show(minor: i64, currency: Currency) -> String {
    let digits = usize::try_from(currency.exponent()).unwrap_or(0);
    let text = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, part) = text.split_at(text.len() - digits);
    let grouped = commas(whole);
    let sign = if minor < 0 { "−" } else { "" };
    let part = if part.is_empty() { String::new() } else { format!(".{part}") };
    let amount = format!("{sign}{grouped}{part}");
    if currency == Currency::CNY { amount } else { format!("{currency} {amount}") }
}

/// A count with commas.
pub fn count(n: u64) -> String {
    commas(&n.to_string())
}

fn commas(digits: &str) -> String {
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Yuan in fen, as [`show`] writes them.
pub fn yuan(minor: i64) -> String {
    show(minor, Currency::CNY)
}

/// Reads what somebody typed: digits with commas or without, up to two places, nothing below zero.
pub fn read(text: &str) -> Option<i64> {
    let plain: String = text.trim().chars().filter(|c| !matches!(c, ',' | '，')).collect();
    scaled(&plain, 2)
}

/// Reads a decimal number in its `places`-th place: `1.5` with three places is 1,500.
pub fn scaled(text: &str, places: usize) -> Option<i64> {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > places || whole.len() > 15 {
        return None;
    }
    format!("{whole}{part:0<places$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_as_they_are_read() {
        for (minor, text) in [(0, "0.00"), (5, "0.05"), (123_456, "1,234.56"), (100_000_000, "1,000,000.00")]
        {
            assert_eq!(yuan(minor), text);
            assert_eq!(read(text), Some(minor));
        }
        assert_eq!(yuan(-123_456), "−1,234.56");
        assert_eq!(show(1_234_567, Currency(*b"JPY")), "JPY 1,234,567");
        assert_eq!(read(" 1234 "), Some(123_400));
        for bad in ["", "-1", "1.234", "1e9", "一千", ".5", "1.2.3", "9999999999999999999"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(scaled("36", 3), Some(36_000));
        assert_eq!(scaled("1.5", 3), Some(1_500));
    }
}

//! Days and dates, by Howard Hinnant's `days_from_civil`. A date is `yyyymmdd` as a number.

/// Days from 1970-01-01 to `date`.
pub(super) fn days(date: u32) -> i64 {
    let (year, month, day) = parts(date);
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date `days` after 1970-01-01.
pub(super) fn date(days: i64) -> u32 {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    u32::try_from(year * 10_000 + month * 100 + day).unwrap_or(0) // the years used here are positive
}

/// Year, month and day of a date.
pub(super) fn parts(date: u32) -> (u32, u32, u32) {
    (date / 10_000, date / 100 % 100, date % 100)
}

/// A date as `YYYY-MM-DD`.
pub(super) fn iso(date: u32) -> String {
    let (year, month, day) = parts(date);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        assert_eq!(days(19700101), 0);
        assert_eq!(days(20000301), 11_017);
        assert_eq!(date(20_757), 20261031);
        assert_eq!(iso(20261031), "2026-10-31");
    }

    #[test]
    fn every_day_comes_back_and_follows_the_one_before() {
        let mut before = date(days(17991231));
        for day in days(18000101)..days(22000101) {
            let next = date(day);
            assert_eq!(days(next), day);
            let (y, m, d) = parts(before);
            assert!(next == before + 1 || next == y * 10_000 + (m + 1) * 100 + 1 || (m, d) == (12, 31));
            before = next;
        }
    }
}

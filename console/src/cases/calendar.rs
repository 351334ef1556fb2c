//! Working days: Monday to Friday, but for the holidays and shifted working days (调休) that the centre enters.

use std::collections::BTreeMap;

use protocol::value::Date;
use sqlx::Row as _;

use crate::settings;
use crate::store::{Columns as _, Fault, Store, Write};

/// Working days from acceptance to the report, unless the setting `report_days` says otherwise.
pub const REPORT_DAYS: i64 = 20;

/// The days that differ from the week.
#[derive(Debug, Clone, Default)]
pub struct Calendar(BTreeMap<Date, (bool, String)>);

impl Calendar {
    /// Reads the table of holidays.
    ///
    /// # Errors
    /// [`Fault`] of the database.
    pub async fn read(store: &Store) -> Result<Self, Fault> {
        let rows = sqlx::query("SELECT * FROM holidays").fetch_all(store.read()).await?;
        let day = |row: &sqlx::sqlite::SqliteRow| {
            Ok::<_, Fault>((row.day("day")?, (row.try_get("working")?, row.try_get("name")?)))
        };
        rows.iter().map(day).collect::<Result<_, _>>().map(Self)
    }

    /// The days that differ, with whether they are worked and what they are called.
    pub fn days(&self) -> impl DoubleEndedIterator<Item = (Date, bool, &str)> {
        self.0.iter().map(|(day, (working, name))| (*day, *working, name.as_str()))
    }

    /// Whether there is work on a day.
    pub fn is_working(&self, day: Date) -> bool {
        match self.0.get(&day) {
            Some((working, _)) => *working,
            None => (day.days() + 3).rem_euclid(7) < 5, // 1970-01-01 was a Thursday
        }
    }

    /// The `n`th working day after `day`.
    pub fn after(&self, day: Date, n: i64) -> Date {
        let mut left = n;
        let mut last = day;
        while left > 0 {
            let Some(next) = Date::from_days(last.days() + 1) else { return last };
            last = next;
            left -= i64::from(self.is_working(last));
        }
        last
    }

    /// Working days from `first` on, `last` not counted.
    pub fn between(&self, first: Date, last: Date) -> i64 {
        let days = (first.days()..last.days()).filter_map(Date::from_days);
        i64::try_from(days.filter(|day| self.is_working(*day)).count()).unwrap_or(i64::MAX)
    }
}

/// Enters a day that differs from the week, or takes it back to what the week says.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn set(write: &mut Write, day: Date, differs: Option<(bool, &str)>) -> Result<(), Fault> {
    match differs {
        Some((working, name)) => {
            sqlx::query("INSERT OR REPLACE INTO holidays (day, working, name) VALUES (?, ?, ?)")
                .bind(day.number())
                .bind(working)
                .bind(name)
                .execute(write.connection())
                .await?
        }
        None => {
            sqlx::query("DELETE FROM holidays WHERE day = ?")
                .bind(day.number())
                .execute(write.connection())
                .await?
        }
    };
    Ok(())
}

/// Working days that a report may take.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn report_days(store: &Store) -> Result<i64, Fault> {
    settings::get(store, &settings::REPORT_DAYS).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn weeks_holidays_and_shifted_days() {
        let mut calendar = Calendar::default();
        assert!(calendar.is_working(day("2026-10-30")), "a Friday");
        assert!(!calendar.is_working(day("2026-10-31")) && !calendar.is_working(day("2026-11-01")));
        assert_eq!(calendar.after(day("2026-10-30"), 1), day("2026-11-02"));
        assert_eq!(calendar.after(day("2026-10-30"), 0), day("2026-10-30"));
        calendar.0.insert(day("2026-11-02"), (false, "节".to_owned()));
        calendar.0.insert(day("2026-11-07"), (true, "调休".to_owned()));
        assert_eq!(calendar.after(day("2026-10-30"), 1), day("2026-11-03"));
        assert_eq!(calendar.after(day("2026-10-30"), 5), day("2026-11-07"), "a Saturday that is worked");
        assert_eq!(calendar.between(day("2026-10-30"), day("2026-11-08")), 6);
    }
}

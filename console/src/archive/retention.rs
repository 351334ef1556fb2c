//! How long a closed file is kept: what led to an approval not less than 3 years after assistance ended, what
//! belongs to daily work not less than 5 years (domain §1.9). A centre may keep longer, by the settings
//! `keep_approval_years` and `keep_daily_years`.

use protocol::value::Date;

use crate::settings::{self, Setting};
use crate::store::{Fault, Store};

/// Years after assistance ended.
pub const APPROVAL_YEARS: u32 = 3;
/// Years after the file was closed.
pub const DAILY_YEARS: u32 = 5;

/// The rules of this centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    approval_years: u32,
    daily_years: u32,
}

/// Until when a file is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Assistance has not ended: no day is known yet.
    WhileAssisted,
    /// The last day.
    Until(Date),
}

impl Rules {
    /// Those of the settings; never shorter than the law has it.
    ///
    /// # Errors
    /// [`Fault`] of the database.
    pub async fn read(store: &Store) -> Result<Self, Fault> {
        let years = async |setting: &Setting| {
            u32::try_from(settings::get(store, setting).await?).map_err(|_| Fault::Stored("settings"))
        };
        Ok(Self {
            approval_years: years(&settings::KEEP_APPROVAL_YEARS).await?,
            daily_years: years(&settings::KEEP_DAILY_YEARS).await?,
        })
    }

    /// The last day of a file of `kind`, closed on `closed`, of a household whose assistance ended on `ended`.
    pub fn keep(self, kind: &str, closed: Date, ended: Option<Date>) -> Keep {
        match (kind, ended) {
            ("approval", None) => Keep::WhileAssisted,
            ("approval", Some(ended)) => Keep::Until(later(ended.max(closed), self.approval_years)),
            _ => Keep::Until(later(closed, self.daily_years)),
        }
    }
}

impl Keep {
    /// Whether the time is over today.
    pub fn is_over(self, today: Date) -> bool {
        matches!(self, Self::Until(last) if last < today)
    }
}

/// The kind of a case's file.
pub fn kind_of(task: &str) -> &'static str {
    if task == "new" { "approval" } else { "daily" }
}

/// The same day `years` later; the first of March for a 29th of February that is not there.
fn later(day: Date, years: u32) -> Date {
    let number = day.number() + years * 10_000;
    Date::from_number(number).or_else(|| Date::from_number(number + 72)).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn three_years_after_assistance_and_five_after_daily_work() {
        let rules = Rules { approval_years: 3, daily_years: 5 };
        let closed = day("2026-11-26");
        assert_eq!(rules.keep("approval", closed, None), Keep::WhileAssisted);
        let ended = rules.keep("approval", closed, Some(day("2028-02-29")));
        assert_eq!(ended, Keep::Until(day("2031-03-01")));
        assert!(!ended.is_over(day("2031-03-01")) && ended.is_over(day("2031-03-02")));
        let refused = rules.keep("approval", closed, Some(day("2026-11-20")));
        assert_eq!(refused, Keep::Until(day("2029-11-26")), "counted from the closing when that is later");
        assert_eq!(rules.keep("daily", closed, None), Keep::Until(day("2031-11-26")));
        assert!(!Keep::WhileAssisted.is_over(day("2199-01-01")));
        assert_eq!((kind_of("new"), kind_of("yearly")), ("approval", "daily"));
    }
}

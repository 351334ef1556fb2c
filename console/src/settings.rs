//! What a centre sets for itself within what the law allows: clocks, and how long files are kept. Each change stands
//! in `setting_changes` with the value before, and in the log.

use protocol::Time;
use sqlx::Row as _;

use crate::archive::retention::{APPROVAL_YEARS, DAILY_YEARS};
use crate::cases::calendar::REPORT_DAYS as USUAL_REPORT_DAYS;
use crate::report::objection::DAYS as USUAL_OBJECTION_DAYS;
use crate::staff::Clerk;
use crate::store::{Action, Columns as _, Fault, Object, Store, Write, unix};

/// A whole number that the centre may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name in the table, the form and the dictionary (`setting.…`).
    pub name: &'static str,
    /// The least it may be.
    pub least: i64,
    /// The most it may be.
    pub most: i64,
    /// What counts until it is set.
    pub usual: i64,
    /// The sentence about a value outside its range.
    pub wrong: &'static str,
}

/// Working days from acceptance to the report.
pub const REPORT_DAYS: Setting = Setting {
    name: "report_days",
    least: 1,
    most: 250,
    usual: USUAL_REPORT_DAYS,
    wrong: "setting.wrong.report_days",
};
/// Working days for the re-check on an objection.
pub const OBJECTION_DAYS: Setting = Setting {
    name: "objection_days",
    least: 1,
    most: 60,
    usual: USUAL_OBJECTION_DAYS,
    wrong: "setting.wrong.objection_days",
};
/// Years that a file of an approval is kept after assistance ended.
pub const KEEP_APPROVAL_YEARS: Setting = Setting {
    name: "keep_approval_years",
    least: APPROVAL_YEARS as i64,
    most: 100,
    usual: APPROVAL_YEARS as i64,
    wrong: "setting.wrong.keep_approval_years",
};
/// Years that a file of daily work is kept after it was closed.
pub const KEEP_DAILY_YEARS: Setting = Setting {
    name: "keep_daily_years",
    least: DAILY_YEARS as i64,
    most: 100,
    usual: DAILY_YEARS as i64,
    wrong: "setting.wrong.keep_daily_years",
};

/// All of them, as the form shows them.
pub const ALL: [Setting; 4] = [REPORT_DAYS, OBJECTION_DAYS, KEEP_APPROVAL_YEARS, KEEP_DAILY_YEARS];

impl Setting {
    /// Whether it may be set to this.
    pub fn allows(&self, value: i64) -> bool {
        (self.least..=self.most).contains(&value)
    }
}

/// What a setting is. A stored value outside its range counts as the usual one.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn get(store: &Store, setting: &Setting) -> Result<i64, Fault> {
    let set: Option<String> = sqlx::query_scalar("SELECT value FROM settings WHERE name = ?")
        .bind(setting.name)
        .fetch_optional(store.read())
        .await?;
    let set = set.and_then(|value| value.parse().ok()).filter(|value| setting.allows(*value));
    Ok(set.unwrap_or(setting.usual))
}

/// Sets one, within its range; `false` when it is that already.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn set(
    write: &mut Write,
    setting: &Setting,
    value: i64,
    clerk: &Clerk,
    now: Time,
) -> Result<bool, Fault> {
    let before = get(&write.store().clone(), setting).await?;
    if before == value || !setting.allows(value) {
        return Ok(false);
    }
    sqlx::query("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)")
        .bind(setting.name)
        .bind(value.to_string())
        .execute(write.connection())
        .await?;
    let id = write.next_id("setting_changes").await?;
    sqlx::query("INSERT INTO setting_changes (id, name, before, after, staff, at) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(id)
        .bind(setting.name)
        .bind(before)
        .bind(value)
        .bind(clerk.id)
        .bind(unix(now))
        .execute(write.connection())
        .await?;
    write.log(Action("setting.changed"), &clerk.code, now, Object::Row("setting", id)).await?;
    Ok(true)
}

/// A change as the page shows it.
#[derive(Debug)]
pub struct Change {
    /// The setting's name.
    pub name: String,
    /// What it was.
    pub before: i64,
    /// What it became.
    pub after: i64,
    /// Whose account.
    pub by: String,
    /// When.
    pub at: Time,
}

/// The last changes, newest first.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn changes(store: &Store) -> Result<Vec<Change>, Fault> {
    let rows = sqlx::query(
        "SELECT name, before, after, staff.code, at FROM setting_changes JOIN staff ON staff.id = staff \
         ORDER BY setting_changes.id DESC LIMIT 100",
    )
    .fetch_all(store.read())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Change {
                name: row.try_get("name")?,
                before: row.try_get("before")?,
                after: row.try_get("after")?,
                by: row.try_get("code")?,
                at: row.time("at")?,
            })
        })
        .collect()
}

//! The local rules (低保边缘 and the like), as data that the head edits: base × multiplier × heads, which kinds
//! count, what may be left out of account with evidence. They flag; nothing in this program decides by them.

use protocol::Time;
use protocol::value::Date;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;

use crate::staff::Clerk;
use crate::store::{Action, Columns as _, Fault, Object, Store, Write, unix};

/// Asset kinds that a rule may count, as SPEC §5.1 names them. What is owed is never netted.
pub const KINDS: [&str; 9] =
    ["deposit", "wealth", "fund", "bond", "stock", "cash", "insurance", "metal", "other"];

/// A version of the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSet {
    /// 1, 2, …; 0 is what holds where the centre has made none: it has no lines.
    pub version: u32,
    /// What it is called, and the paper it follows.
    pub title: String,
    /// First day it holds.
    pub from: Option<Date>,
    /// A balance date further than this many days from the day of property is told.
    pub stale_days: i64,
    /// Of 1,000 rows read, more than this set aside are told.
    pub thin_per_mille: u64,
    /// The lines.
    pub lines: Vec<Line>,
    /// What may be left out of account.
    pub exclusions: Vec<Exclusion>,
    /// What another currency counts, for lines.
    pub rates: Vec<Rate>,
}

/// A line: `base × multiplier × heads`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its code, unique in the set.
    pub code: String,
    /// Its name.
    pub title: String,
    /// In fen: the monthly standard, say.
    pub base_minor: i64,
    /// In thousandths: 36 times is 36,000.
    pub multiplier_milli: i64,
    /// Whether it rises with the members who live together.
    pub per_head: bool,
    /// The [`KINDS`] that count.
    pub kinds: Vec<String>,
}

/// What may be left out of account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// Its code, unique in the set.
    pub code: String,
    /// Its name: money from selling the only home because of illness, say.
    pub title: String,
}

/// A dated rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// ISO 4217.
    pub currency: protocol::value::Currency,
    /// Yuan for one unit, in millionths.
    pub yuan_micro: i64,
    /// The day it was taken.
    pub date: Date,
}

impl Default for RuleSet {
    /// What holds where the centre has made none: balances more than 31 days off and 10 of 1,000 rows set aside
    /// are told, and no line is drawn.
    fn default() -> Self {
        Self {
            version: 0,
            title: String::new(),
            from: None,
            stale_days: 31,
            thin_per_mille: 10,
            lines: Vec::new(),
            exclusions: Vec::new(),
            rates: Vec::new(),
        }
    }
}

impl Line {
    /// The line for so many heads, in fen; the part of a fen that is left over is dropped.
    pub fn height(&self, heads: i64) -> i64 {
        let heads = if self.per_head { heads } else { 1 };
        let whole =
            i128::from(self.base_minor) * i128::from(self.multiplier_milli) * i128::from(heads) / 1_000;
        i64::try_from(whole).unwrap_or(i64::MAX)
    }

    /// Whether a kind counts.
    pub fn counts(&self, kind: &str) -> bool {
        self.kinds.iter().any(|counted| counted == kind)
    }
}

/// The rules that count now: the highest version whose first day has come.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn current(store: &Store, today: Date) -> Result<RuleSet, Fault> {
    let all = all(store).await?;
    let good = |kept: &Kept| kept.rules.from.is_none_or(|from| from <= today);
    Ok(all.into_iter().find(good).map(|kept| kept.rules).unwrap_or_default())
}

/// A version with who made it.
#[derive(Debug)]
pub struct Kept {
    /// The rules.
    pub rules: RuleSet,
    /// The account.
    pub made_by: String,
    /// When.
    pub made: Time,
}

/// All versions, the highest first.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn all(store: &Store) -> Result<Vec<Kept>, Fault> {
    let rows = sqlx::query(
        "SELECT rule_sets.*, staff.code AS code FROM rule_sets JOIN staff ON staff.id = made_by ORDER BY version DESC",
    )
    .fetch_all(store.read())
    .await?;
    rows.iter()
        .map(|row| {
            let content: String = row.try_get("content")?;
            let rules = serde_json::from_str(&content).map_err(|_| Fault::Stored("rule_sets.content"))?;
            Ok(Kept { rules, made_by: row.try_get("code")?, made: row.time("made")? })
        })
        .collect()
}

/// Adds a version; gives its number.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn add(write: &mut Write, mut rules: RuleSet, clerk: &Clerk, now: Time) -> Result<u32, Fault> {
    let version: u32 = sqlx::query_scalar("SELECT coalesce(max(version), 0) + 1 FROM rule_sets")
        .fetch_one(write.connection())
        .await?;
    rules.version = version;
    let content = serde_json::to_string(&rules).map_err(|_| Fault::Stored("rule_sets.content"))?;
    sqlx::query("INSERT INTO rule_sets (version, content, made_by, made) VALUES (?, ?, ?, ?)")
        .bind(version)
        .bind(content)
        .bind(clerk.id)
        .bind(unix(now))
        .execute(write.connection())
        .await?;
    write.log(Action("rules.made"), &clerk.code, now, Object::Row("rules", version.into())).await?;
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_base_times_multiplier_times_heads() {
        // 天津 低保边缘: 36 times the monthly standard a head.
        let mut line = Line {
            code: "edge".to_owned(),
            title: "低保边缘货币财产".to_owned(),
            base_minor: 101_000,
            multiplier_milli: 36_000,
            per_head: true,
            kinds: vec!["deposit".to_owned()],
        };
        assert_eq!(line.height(3), 10_908_000);
        line.per_head = false;
        line.multiplier_milli = 1_500;
        assert_eq!(line.height(3), 151_500);
        line.base_minor = i64::MAX;
        line.multiplier_milli = i64::MAX;
        assert_eq!(line.height(9), i64::MAX, "never wraps");
        assert!(line.counts("deposit") && !line.counts("stock"));
    }
}

//! The standing counters (domain §1.10): how much was checked, ended, suspended, reported, objected to, how late;
//! by month and by office. Counted from events, so that a case that went on is counted where it was.

use std::collections::BTreeMap;

use protocol::Time;
use protocol::value::Date;
use sqlx::Row as _;

use crate::cases::calendar::Calendar;
use crate::recheck::months_on;
use crate::store::{Columns as _, Fault, Store};

/// Months that are shown.
pub const MONTHS: i64 = 12;

/// What is counted, in the order it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Commissions received.
    pub received: i64,
    /// Accepted.
    pub accepted: i64,
    /// People that institutions were asked about, one for each roster.
    pub asked: i64,
    /// Different people among them.
    pub people: i64,
    /// Reports issued, new versions among them.
    pub reports: i64,
    /// Suspended.
    pub suspended: i64,
    /// Suspension reports.
    pub suspension_reports: i64,
    /// Ended without a report.
    pub terminated: i64,
    /// Objections.
    pub objections: i64,
    /// Reports issued after their last day.
    pub late: i64,
    /// Working days from acceptance to the report, all together, of those that were issued.
    pub days: i64,
}

impl Counts {
    /// Of 1,000 reports, how many were objected to.
    pub fn objection_per_mille(&self) -> Option<i64> {
        (self.reports > 0).then(|| self.objections * 1_000 / self.reports)
    }

    /// Of 1,000 accepted cases, how many were suspended.
    pub fn suspended_per_mille(&self) -> Option<i64> {
        (self.accepted > 0).then(|| self.suspended * 1_000 / self.accepted)
    }

    /// Working days from acceptance to the report, in tenths.
    pub fn days_per_report_tenths(&self) -> Option<i64> {
        (self.reports > 0).then(|| self.days * 10 / self.reports)
    }
}

/// The counters of a period.
#[derive(Debug, Clone)]
pub struct Counted {
    /// Year and month (yyyymm) with its counts, the oldest first, none left out.
    pub months: Vec<(u32, Counts)>,
    /// Office with its counts over all those months.
    pub offices: Vec<(String, Counts)>,
    /// All together.
    pub total: Counts,
    /// Cases under way that are late today.
    pub overdue: i64,
    /// Institutions with an agreement: what can be asked.
    pub institutions: i64,
}

/// Counts the twelve months up to `today`, of one office or of all.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn count(store: &Store, office: &str, today: Date) -> Result<Counted, Fault> {
    let calendar = Calendar::read(store).await?;
    let this = today.number() / 100;
    let first = months_on(Date::from_number(this * 100 + 1).unwrap_or(today), 1 - MONTHS);
    let mut months: BTreeMap<u32, Counts> =
        (0..MONTHS).map(|on| (months_on(first, on).number() / 100, Counts::default())).collect();
    let mut offices: BTreeMap<String, Counts> = BTreeMap::new();
    let mut total = Counts::default();
    // Midnight in China.
    let since = first.days() * 86_400 - 8 * 3_600;
    let mut add = |at: Date, office: &str, change: &dyn Fn(&mut Counts)| {
        if let Some(month) = months.get_mut(&(at.number() / 100)) {
            change(month);
            change(offices.entry(office.to_owned()).or_default());
            change(&mut total);
        }
    };
    let rows = sqlx::query(
        "SELECT action, at, office FROM events JOIN cases ON cases.id = case_id \
         WHERE at >= ? AND (?2 = '' OR office = ?2)",
    )
    .bind(since)
    .bind(office)
    .fetch_all(store.read())
    .await?;
    for row in rows {
        let (at, office): (Date, String) = (row.time("at")?.date(), row.try_get("office")?);
        let action: String = row.try_get("action")?;
        match action.as_str() {
            "case.received" => add(at, &office, &|counts| counts.received += 1),
            "case.accepted" => add(at, &office, &|counts| counts.accepted += 1),
            "case.suspended" => add(at, &office, &|counts| counts.suspended += 1),
            "case.terminated" => add(at, &office, &|counts| counts.terminated += 1),
            "report.suspension-issued" => add(at, &office, &|counts| counts.suspension_reports += 1),
            "objection.entered" => add(at, &office, &|counts| counts.objections += 1),
            _ => {}
        }
    }
    let rows = sqlx::query(
        "SELECT issued, cases.office, cases.due, paused_days, objection, (SELECT at FROM events WHERE \
         case_id = cases.id AND action = 'case.accepted' ORDER BY id DESC LIMIT 1) AS accepted, \
         (SELECT received FROM objections WHERE objections.id = reports.objection) AS objected, \
         (SELECT due FROM objections WHERE objections.id = reports.objection) AS objection_due \
         FROM reports JOIN cases ON cases.id = reports.case_id WHERE kind = 'report' AND issued >= ? \
         AND (?2 = '' OR cases.office = ?2)",
    )
    .bind(since)
    .bind(office)
    .fetch_all(store.read())
    .await?;
    for row in rows {
        let (at, office): (Date, String) = (row.time("issued")?.date(), row.try_get("office")?);
        // A version that answers an objection has the objection's clock.
        let objected = row.optional_day("objected")?;
        let paused: i64 = if objected.is_some() { 0 } else { row.try_get("paused_days")? };
        let begun = objected.or(row.optional_time("accepted")?.map(Time::date));
        let again: Option<i64> = row.try_get("objection")?;
        let due = row.optional_day(if again.is_some() { "objection_due" } else { "due" })?;
        let late = i64::from(due.is_some_and(|due| due < at));
        let days = begun.map_or(0, |begun| (calendar.between(begun, at) - paused).max(0));
        add(at, &office, &|counts| {
            counts.reports += 1;
            counts.late += late;
            counts.days += days;
        });
    }
    let rows = sqlx::query(
        "SELECT issued, office, person FROM roster_people JOIN rosters ON rosters.id = roster \
         JOIN cases ON cases.id = roster_people.case_id WHERE issued >= ? AND rosters.state <> 'void' \
         AND (?2 = '' OR office = ?2)",
    )
    .bind(since)
    .bind(office)
    .fetch_all(store.read())
    .await?;
    let (mut by_month, mut by_office, mut all) =
        (BTreeMap::new(), BTreeMap::new(), std::collections::BTreeSet::new());
    for row in rows {
        let (at, office): (Date, String) = (row.time("issued")?.date(), row.try_get("office")?);
        let person: i64 = row.try_get("person")?;
        add(at, &office, &|counts| counts.asked += 1);
        by_month.entry(at.number() / 100).or_insert_with(std::collections::BTreeSet::new).insert(person);
        by_office.entry(office).or_insert_with(std::collections::BTreeSet::new).insert(person);
        all.insert(person);
    }
    let many = |set: &std::collections::BTreeSet<i64>| i64::try_from(set.len()).unwrap_or(i64::MAX);
    for (month, people) in &by_month {
        if let Some(counts) = months.get_mut(month) {
            counts.people = many(people);
        }
    }
    for (office, people) in &by_office {
        if let Some(counts) = offices.get_mut(office) {
            counts.people = many(people);
        }
    }
    total.people = many(&all);
    let overdue = sqlx::query_scalar(
        "SELECT count(*) FROM cases WHERE due < ? AND state IN ('accepted', 'matching', 'matched', 'reviewed') \
         AND (?2 = '' OR office = ?2)",
    )
    .bind(today.number())
    .bind(office)
    .fetch_one(store.read())
    .await?;
    let institutions = sqlx::query_scalar(
        "SELECT count(DISTINCT institution) FROM agreements WHERE valid_from <= ?1 AND valid_to >= ?1",
    )
    .bind(today.number())
    .fetch_one(store.read())
    .await?;
    Ok(Counted {
        months: months.into_iter().collect(),
        offices: offices.into_iter().collect(),
        total,
        overdue,
        institutions,
    })
}

/// The offices that have cases, for choices.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn offices(store: &Store) -> Result<Vec<String>, Fault> {
    Ok(sqlx::query_scalar("SELECT DISTINCT office FROM cases ORDER BY office LIMIT 1000")
        .fetch_all(store.read())
        .await?)
}

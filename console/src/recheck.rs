//! Periodic re-checks (动态复核): a household that is assisted is looked at again by its class, A yearly, B every half
//! year, C every quarter, or as often as the centre sets for it. Whoever is due gets a new case, with the members
//! and authorisations of the last; it is accepted by another person like any other.
//!
//! What the township decided stands here as well, since clocks and keeping hang on it: assistance from, until,
//! and how much. When it ends, the members' authorisations end with it (domain §1.4).

use protocol::Time;
use protocol::value::Date;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::cases::authorisation;
use crate::cases::case;
use crate::report::ReportError;
use crate::staff::Clerk;
use crate::store::list::{Filter, List, Page};
use crate::store::{Action, Column, Columns as _, Fault, Object, Store, Write};

pub(crate) const GRANT: Column<i64> = Column::new("households.grant");

/// How often may be chosen, in months.
pub const MONTHS: [i64; 4] = [12, 6, 3, 1];
/// Days of property back that the income period of a re-check has.
const INCOME_MONTHS: i64 = 6;
/// Cases made at once.
pub const MOST: i64 = 5_000;

/// A household.
#[derive(Debug, Clone)]
pub struct Household {
    /// The row.
    pub id: i64,
    /// Its number.
    pub number: String,
    /// The township.
    pub office: String,
    /// A, B or C.
    pub class: String,
    /// What goes before the class.
    pub months: Option<i64>,
    /// First day of assistance.
    pub assisted_from: Option<Date>,
    /// Its last day, or the day it was refused.
    pub ended: Option<Date>,
    /// When it is due.
    pub next: Option<Date>,
    /// Day of property of the last report.
    pub last: Option<Date>,
    /// A case under way.
    pub under_way: Option<i64>,
    /// Fen a month.
    pub grant: Option<i64>,
}

const SELECT: &str = "SELECT households.*, (SELECT max(as_of) FROM cases WHERE household = households.id \
    AND state IN ('issued', 'archived')) AS last, (SELECT max(id) FROM cases WHERE household = households.id \
    AND state NOT IN ('issued', 'archived', 'terminated')) AS under_way FROM households";

impl Household {
    fn from_row(store: &Store, row: &SqliteRow) -> Result<Self, Fault> {
        let id = row.try_get("id")?;
        let grant: Option<Vec<u8>> = row.try_get("grant_sealed")?;
        Ok(Self {
            id,
            number: row.try_get("number")?,
            office: row.try_get("office")?,
            class: row.try_get("class")?,
            months: row.try_get("check_months")?,
            assisted_from: row.optional_day("assisted_from")?,
            ended: row.optional_day("assistance_ended")?,
            next: row.optional_day("next_check")?,
            last: row.optional_day("last")?,
            under_way: row.try_get("under_way")?,
            grant: grant.map(|sealed| store.vault().open(&GRANT, id, &sealed)).transpose()?,
        })
    }

    /// Whether it is assisted today.
    pub fn is_assisted(&self, today: Date) -> bool {
        self.assisted_from.is_some_and(|from| from <= today) && self.ended.is_none_or(|last| today <= last)
    }

    /// Months between two checks.
    pub fn every(&self) -> i64 {
        self.months.unwrap_or_else(|| of_class(&self.class))
    }

    /// Its state's name in the dictionary (`household.…`).
    pub fn state(&self, today: Date) -> &'static str {
        match (self.assisted_from, self.ended) {
            (None, None) => "undecided",
            (None, Some(_)) => "refused",
            _ if self.is_assisted(today) => "assisted",
            (Some(_), Some(_)) => "ended",
            (Some(_), None) => "undecided",
        }
    }
}

/// Months between two checks of a class.
pub fn of_class(class: &str) -> i64 {
    match class {
        "A" => 12,
        "B" => 6,
        _ => 3,
    }
}

/// The same day so many months later or earlier, or the last of its month.
pub fn months_on(day: Date, months: i64) -> Date {
    let number = i64::from(day.number());
    let month = number / 10_000 * 12 + number / 100 % 100 - 1 + months;
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    let try_day = |of_month: i64| {
        u32::try_from(year * 10_000 + month * 100 + of_month).ok().and_then(Date::from_number)
    };
    (0..4).find_map(|back| try_day(number % 100 - back)).unwrap_or(day)
}

/// The list of households. Its states are `due`, `soon`, `assisted`, `undecided` and `ended`; the days are today and a
/// month later.
const LIST: List = List {
    select: SELECT,
    from: "FROM households",
    wanted: "WHERE (?1 = '' OR (?1 = 'due' AND next_check <= ?4) OR (?1 = 'soon' AND next_check > ?4 \
        AND next_check <= ?5) OR (?1 = 'assisted' AND assisted_from <= ?4 AND (assistance_ended IS NULL OR \
        assistance_ended >= ?4)) OR (?1 = 'undecided' AND assisted_from IS NULL AND assistance_ended IS NULL) \
        OR (?1 = 'ended' AND assistance_ended < ?4)) AND (?2 = '' OR office = ?2) \
        AND (?3 = '' OR number LIKE ?3 || '%')",
};

/// A page of the list of households, and how many there are in all.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn list(
    store: &Store,
    filter: &Filter,
    page: &Page,
    today: Date,
) -> Result<(Vec<Household>, i64), Fault> {
    let (rows, total) = LIST.read(store, filter, [today, months_on(today, 1)], page).await?;
    let households = rows.iter().map(|row| Household::from_row(store, row)).collect::<Result<_, _>>()?;
    Ok((households, total))
}

/// One household.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn find(store: &Store, id: i64) -> Result<Option<Household>, Fault> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE households.id = ?")))
        .bind(id)
        .fetch_optional(store.read())
        .await?;
    row.as_ref().map(|row| Household::from_row(store, row)).transpose()
}

/// Sets class and how often.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn set_class(
    write: &mut Write,
    id: i64,
    class: &str,
    months: Option<i64>,
    clerk: &Clerk,
    now: Time,
) -> Result<(), Fault> {
    sqlx::query("UPDATE households SET class = ?, check_months = ? WHERE id = ?")
        .bind(class)
        .bind(months)
        .bind(id)
        .execute(write.connection())
        .await?;
    schedule(write, id, now.date()).await?;
    write.log(Action("household.classed"), &clerk.code, now, Object::Row("household", id)).await?;
    Ok(())
}

/// The township granted assistance.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn grant(
    write: &mut Write,
    id: i64,
    from: Date,
    fen: Option<i64>,
    clerk: &Clerk,
    now: Time,
) -> Result<(), Fault> {
    let sealed = fen.map(|fen| write.seal(&GRANT, id, &fen)).transpose()?;
    sqlx::query(
        "UPDATE households SET assisted_from = ?, assistance_ended = NULL, grant_sealed = ? WHERE id = ?",
    )
    .bind(from.number())
    .bind(sealed)
    .bind(id)
    .execute(write.connection())
    .await?;
    schedule(write, id, now.date()).await?;
    write.log(Action("household.granted"), &clerk.code, now, Object::Row("household", id)).await?;
    Ok(())
}

/// Assistance ended, or was refused: the authorisations of the household's members end too, unless they are
/// members of another household that is still assisted or under way.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn end(write: &mut Write, id: i64, last: Date, clerk: &Clerk, now: Time) -> Result<(), Fault> {
    sqlx::query("UPDATE households SET assistance_ended = ?, next_check = NULL WHERE id = ?")
        .bind(last.number())
        .bind(id)
        .execute(write.connection())
        .await?;
    let refused: bool = sqlx::query_scalar("SELECT assisted_from IS NULL FROM households WHERE id = ?")
        .bind(id)
        .fetch_one(write.connection())
        .await?;
    let authorisations: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT members.authorisation FROM members JOIN cases ON cases.id = case_id \
         JOIN authorisations ON authorisations.id = members.authorisation WHERE cases.household = ?1 \
         AND end_code IS NULL AND NOT EXISTS (SELECT 1 FROM members AS other JOIN cases AS theirs \
         ON theirs.id = other.case_id JOIN households AS home ON home.id = theirs.household \
         WHERE other.authorisation = members.authorisation AND theirs.household <> ?1 \
         AND (home.next_check IS NOT NULL OR theirs.state NOT IN ('issued', 'archived', 'terminated')))",
    )
    .bind(id)
    .fetch_all(write.connection())
    .await?;
    for one in authorisations {
        authorisation::end(write, one, if refused { "failed" } else { "left" }, &clerk.code, now).await?;
    }
    write.log(Action("household.ended"), &clerk.code, now, Object::Row("household", id)).await?;
    Ok(())
}

/// Sets the day of the next check anew: so many months after the last day of property, or after assistance began.
/// A household that is not assisted has none.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn schedule(write: &mut Write, id: i64, today: Date) -> Result<(), Fault> {
    let store = write.store().clone();
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE households.id = ?")))
        .bind(id)
        .fetch_one(write.connection())
        .await?;
    let one = Household::from_row(&store, &row)?;
    let from = one.assisted_from.filter(|_| one.ended.is_none_or(|last| last >= today));
    let next = from.map(|from| months_on(one.last.unwrap_or(from), one.every()));
    sqlx::query("UPDATE households SET next_check = ? WHERE id = ?")
        .bind(next.map(Date::number))
        .bind(id)
        .execute(write.connection())
        .await?;
    Ok(())
}

/// Makes a case for each household that is due and has none under way. Gives how many.
///
/// # Errors
/// [`ReportError::Rule`] when nobody is due; then nothing has changed.
pub async fn commission_due(store: &Store, clerk: &Clerk, now: Time) -> Result<i64, ReportError> {
    let today = now.date();
    let mut write = store.write().await?;
    let rows = sqlx::query(
        "SELECT id, number, office, class, check_months, (SELECT max(id) FROM cases WHERE household = households.id \
         AND state IN ('issued', 'archived')) AS last_case FROM households WHERE next_check <= ?1 AND NOT EXISTS \
         (SELECT 1 FROM cases WHERE household = households.id AND state NOT IN ('issued', 'archived', 'terminated')) \
         ORDER BY next_check, id LIMIT ?2",
    )
    .bind(today.number())
    .bind(MOST)
    .fetch_all(write.connection())
    .await?;
    let mut made = 0;
    if rows.is_empty() {
        return Err(ReportError::Rule("recheck.nobody"));
    }
    let year = today.number() / 10_000;
    let running = write.next_id(&format!("recheck-number-{year}")).await?;
    let commission = format!("FH{year}-{running:04}");
    for row in rows {
        let Some(last) = row.try_get::<Option<i64>, _>("last_case")? else { continue };
        let class: String = row.try_get("class")?;
        let months: Option<i64> = row.try_get("check_months")?;
        let new = case::New {
            commission: commission.clone(),
            household: row.try_get("number")?,
            office: row.try_get("office")?,
            task: if months.unwrap_or_else(|| of_class(&class)) == 12 { "yearly" } else { "periodic" }
                .to_owned(),
            class,
            as_of: today,
            income: Some((months_on(today, -INCOME_MONTHS), today)),
        };
        let Some(id) = case::add(&mut write, &new, clerk.id, now).await? else { continue };
        let members = sqlx::query("SELECT * FROM members WHERE case_id = ? ORDER BY id")
            .bind(last)
            .fetch_all(write.connection())
            .await?;
        for member in &members {
            let person: i64 = member.try_get("person")?;
            // The newest authorisation that lives, else the last one, whose defect acceptance will show.
            let live: Option<i64> = sqlx::query_scalar(
                "SELECT id FROM authorisations WHERE person = ?1 AND end_code IS NULL AND signed <= ?2 \
                 AND (until IS NULL OR until >= ?2) ORDER BY signed DESC, id DESC LIMIT 1",
            )
            .bind(person)
            .bind(today.number())
            .fetch_optional(write.connection())
            .await?;
            let authorisation = match live {
                Some(id) => Some(id),
                None => member.try_get("authorisation")?,
            };
            let relation: String = member.try_get("relation")?;
            case::add_member(&mut write, id, person, &relation, member.try_get("ring")?, authorisation)
                .await?;
        }
        case::note(&mut write, id, Action("case.received"), None, clerk, now).await?;
        made += 1;
    }
    if made == 0 {
        return Err(ReportError::Rule("recheck.nobody"));
    }
    write.commit().await?;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_end_where_months_end() {
        let on = |day: &str, months| months_on(day.parse().unwrap(), months).to_string();
        assert_eq!(on("2026-10-31", 6), "2027-04-30");
        assert_eq!(on("2026-08-31", 6), "2027-02-28");
        assert_eq!(on("2027-08-31", 6), "2028-02-29");
        assert_eq!(on("2026-12-15", 1), "2027-01-15");
        assert_eq!(on("2026-03-31", -6), "2025-09-30");
        assert_eq!(on("2026-10-20", 12), "2027-10-20");
        assert_eq!([of_class("A"), of_class("B"), of_class("C")], [12, 6, 3]);
    }
}

//! 公示: whose assistance is made public, for how long, where objections go. Names, heads and the amount of
//! assistance; nothing of any bank's, no number, no figure that was found (domain §1.8). A head who is a minor
//! stands with the surname alone.

use protocol::Time;
use protocol::value::Date;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::cases::person;
use crate::recheck::GRANT;
use crate::report::ReportError;
use crate::report::facts::money;
use crate::report::font::Fonts;
use crate::report::sheet::{Column, Sheet, SheetError};
use crate::staff::Clerk;
use crate::store::{Action, Columns as _, Fault, Object, Store};
use crate::words::Words;

const T: Words = Words::Chinese;
/// Households on a notice at most.
const MOST: i64 = 5_000;
/// Years of age from which a name is printed whole.
const OF_AGE: u32 = 18;

/// A notice.
#[derive(Debug, Clone)]
pub struct Notice {
    /// The row.
    pub id: i64,
    /// Its number.
    pub number: String,
    /// The township.
    pub office: String,
    /// First day.
    pub first: Date,
    /// Last day.
    pub last: Date,
    /// Where objections go.
    pub contact: String,
    /// When it was made.
    pub made: Time,
    /// By whose account.
    pub made_by: String,
    /// How many households.
    pub households: i64,
}

/// A line of a notice.
#[derive(Clone)]
pub struct Line {
    /// The household's number.
    pub household: String,
    /// The head's name; the surname alone for a minor.
    pub head: String,
    /// How many live together.
    pub heads: i64,
    /// Fen a month.
    pub grant: Option<i64>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line({}, ..)", self.household)
    }
}

/// Makes a notice of the households of an office whose assistance began on one of these days, or of all that are
/// assisted.
///
/// # Errors
/// [`ReportError::Rule`] when there is none; then nothing has changed.
pub async fn make(
    store: &Store,
    office: &str,
    since: Option<Date>,
    (first, last): (Date, Date),
    contact: &str,
    clerk: &Clerk,
    now: Time,
) -> Result<i64, ReportError> {
    let today = now.date();
    if last < first {
        return Err(ReportError::Rule("notice.days"));
    }
    let mut write = store.write().await?;
    let households: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT households.id, max(cases.id) FROM households JOIN cases ON cases.household = households.id \
         WHERE households.office = ?1 AND assisted_from <= ?2 AND (assistance_ended IS NULL OR \
         assistance_ended >= ?2) AND (?3 IS NULL OR assisted_from >= ?3) AND cases.state IN ('issued', 'archived') \
         GROUP BY households.id ORDER BY households.number LIMIT ?4",
    )
    .bind(office)
    .bind(today.number())
    .bind(since.map(Date::number))
    .bind(MOST)
    .fetch_all(write.connection())
    .await?;
    if households.is_empty() {
        return Err(ReportError::Rule("notice.nobody"));
    }
    let year = today.number() / 10_000;
    let running = write.next_id(&format!("notice-number-{year}")).await?;
    let id = write.next_id("notices").await?;
    sqlx::query(
        "INSERT INTO notices (id, number, office, first_day, last_day, contact, made, made_by) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(format!("GS{year}-{running:04}"))
    .bind(office)
    .bind(first.number())
    .bind(last.number())
    .bind(contact)
    .bind(crate::store::unix(now))
    .bind(clerk.id)
    .execute(write.connection())
    .await?;
    for (household, case) in households {
        sqlx::query("INSERT INTO notice_items (notice, household, case_id) VALUES (?, ?, ?)")
            .bind(id)
            .bind(household)
            .bind(case)
            .execute(write.connection())
            .await?;
    }
    write.log(Action("notice.made"), &clerk.code, now, Object::Row("notice", id)).await?;
    write.commit().await?;
    Ok(id)
}

/// A page of notices, the newest first, and how many there are in all.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn list(store: &Store, order: &str, skip: i64, limit: i64) -> Result<(Vec<Notice>, i64), Fault> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} ORDER BY {order} LIMIT ? OFFSET ?")))
        .bind(limit)
        .bind(skip)
        .fetch_all(store.read())
        .await?;
    let total = sqlx::query_scalar("SELECT count(*) FROM notices").fetch_one(store.read()).await?;
    Ok((rows.iter().map(from_row).collect::<Result<_, _>>()?, total))
}

/// One notice.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn find(store: &Store, id: i64) -> Result<Option<Notice>, Fault> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE notices.id = ?")))
        .bind(id)
        .fetch_optional(store.read())
        .await?;
    row.as_ref().map(from_row).transpose()
}

const SELECT: &str = "SELECT notices.*, staff.code AS staff_code, (SELECT count(*) FROM notice_items \
    WHERE notice = notices.id) AS households FROM notices JOIN staff ON staff.id = made_by";

fn from_row(row: &SqliteRow) -> Result<Notice, Fault> {
    Ok(Notice {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        office: row.try_get("office")?,
        first: row.day("first_day")?,
        last: row.day("last_day")?,
        contact: row.try_get("contact")?,
        made: row.time("made")?,
        made_by: row.try_get("staff_code")?,
        households: row.try_get("households")?,
    })
}

/// The lines of a notice.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn lines(store: &Store, notice: &Notice) -> Result<Vec<Line>, Fault> {
    let rows = sqlx::query(
        "SELECT households.id, households.number, grant_sealed, (SELECT count(*) FROM members WHERE case_id = \
         notice_items.case_id AND ring = 1) AS heads, (SELECT person FROM members WHERE case_id = \
         notice_items.case_id AND ring = 1 ORDER BY relation <> '户主', id LIMIT 1) AS head \
         FROM notice_items JOIN households ON households.id = household WHERE notice = ? ORDER BY households.number",
    )
    .bind(notice.id)
    .fetch_all(store.read())
    .await?;
    let mut lines = Vec::new();
    for row in rows {
        let Some(head) = row.try_get::<Option<i64>, _>("head")? else { continue };
        let who = person::open(store, head).await?.ok_or(Fault::Stored("people"))?;
        let number = who.numbers.first().map_or("", |stored| stored.number.as_str());
        let id: i64 = row.try_get("id")?;
        let grant: Option<Vec<u8>> = row.try_get("grant_sealed")?;
        lines.push(Line {
            household: row.try_get("number")?,
            head: if is_of_age(number, notice.first) { who.name.clone() } else { who.masked_name() },
            heads: row.try_get("heads")?,
            grant: grant.map(|sealed| store.vault().open(&GRANT, id, &sealed)).transpose()?,
        });
    }
    Ok(lines)
}

/// Whether the bearer of a citizen's number is of age. A number that does not tell counts as one that is.
fn is_of_age(number: &str, on: Date) -> bool {
    let born = number.get(6..14).filter(|_| number.len() == 18).and_then(|born| born.parse::<u32>().ok());
    born.is_none_or(|born| born + OF_AGE * 10_000 <= on.number())
}

/// Draws a notice as PDF.
///
/// # Errors
/// [`SheetError`].
pub fn draw(
    notice: &Notice,
    lines: &[Line],
    centre: &str,
    fonts: Fonts,
    made: Time,
) -> Result<Vec<u8>, SheetError> {
    let mut sheet = Sheet::new(fonts);
    sheet.title(T.t("notice.paper_title"));
    sheet.subtitle(&format!("{}　{}", notice.office, notice.number));
    sheet.paragraph(&T.fill(
        "notice.paper_text",
        &[("first", &notice.first), ("last", &notice.last), ("contact", &notice.contact)],
    ));
    let columns = [
        Column::text(T.t("paper.no"), 0.7),
        Column::text(T.t("paper.household"), 1.6),
        Column::text(T.t("notice.head"), 1.6),
        Column::figures(T.t("notice.heads"), 1.2),
        Column::figures(T.t("notice.grant"), 1.6),
    ];
    let rows: Vec<Vec<String>> = (1..)
        .zip(lines)
        .map(|(at, line)| {
            vec![
                at.to_string(),
                line.household.clone(),
                line.head.clone(),
                line.heads.to_string(),
                line.grant.map_or_else(|| "—".to_owned(), money),
            ]
        })
        .collect();
    sheet.table(&columns, &rows);
    sheet.signatures(&[], T.t("notice.seal"), &format!("{}　{}", notice.office, notice.first));
    sheet.finish(&notice.number, centre, &notice.number, &notice.number, made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minors_are_told_by_their_number() {
        let on: Date = "2026-11-26".parse().unwrap();
        assert!(is_of_age("11010519491231002X", on));
        assert!(is_of_age("110105200811260024", on), "eighteen today");
        assert!(!is_of_age("110105200811270024", on), "eighteen tomorrow");
        assert!(is_of_age("E12345678", on) && is_of_age("", on));
    }
}

//! An objection (异议) to an issued report: entered with its evidence, re-checked within a number of working days,
//! answered by a new version of the report. The case goes back to the review, so that a second person looks again;
//! from there it may be sent on to be asked about once more.

use protocol::Time;
use protocol::value::Date;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::ReportError;
use super::facts::Answered;
use crate::cases::calendar::Calendar;
use crate::cases::case::{self, State};
use crate::settings;
use crate::staff::Clerk;
use crate::store::{Action, Column, Columns as _, Fault, Object, Store, Write, unix};

pub(crate) const GROUND: Column<String> = Column::new("objections.ground");
pub(crate) const OUTCOME: Column<String> = Column::new("objections.outcome");

/// Working days for the re-check, unless the setting `objection_days` says otherwise (domain: 淄博, ten).
pub const DAYS: i64 = 10;

/// An objection.
#[derive(Clone)]
pub struct Objection {
    /// The row.
    pub id: i64,
    /// Its number.
    pub number: String,
    /// The case.
    pub case: i64,
    /// Who objects.
    pub person: i64,
    /// The report's row.
    pub against: i64,
    /// Day it was handed in.
    pub received: Date,
    /// Last day of the re-check.
    pub due: Date,
    /// What is said.
    pub ground: String,
    /// `open`, `answered` or `withdrawn`.
    pub state: String,
    /// What was found on it.
    pub outcome: Option<String>,
}

impl std::fmt::Debug for Objection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Objection({}, ..)", self.number)
    }
}

impl Objection {
    fn from_row(store: &Store, row: &SqliteRow) -> Result<Self, Fault> {
        let id = row.try_get("id")?;
        let outcome: Option<Vec<u8>> = row.try_get("outcome_sealed")?;
        Ok(Self {
            id,
            number: row.try_get("number")?,
            case: row.try_get("case_id")?,
            person: row.try_get("person")?,
            against: row.try_get("against")?,
            received: row.day("received")?,
            due: row.day("due")?,
            ground: store.open_cell(&GROUND, id, row, "ground_sealed")?,
            state: row.try_get("state")?,
            outcome: outcome.map(|sealed| store.vault().open(&OUTCOME, id, &sealed)).transpose()?,
        })
    }

    /// Whether its clock has run out.
    pub fn is_overdue(&self, today: Date) -> bool {
        self.state == "open" && self.due < today
    }
}

/// Enters an objection to the last version of a case's report. The case goes back to the review, its clock that
/// of the re-check.
///
/// # Errors
/// [`ReportError`]; then nothing has changed.
pub async fn enter(
    write: &mut Write,
    case: i64,
    person: i64,
    ground: &str,
    clerk: &Clerk,
    now: Time,
) -> Result<i64, ReportError> {
    let store = write.store().clone();
    let calendar = Calendar::read(&store).await?;
    let case = case::find_in(write, case).await?.ok_or(ReportError::Rule("refused.not_found"))?;
    let member: Option<i64> = sqlx::query_scalar("SELECT 1 FROM members WHERE case_id = ? AND person = ?")
        .bind(case.id)
        .bind(person)
        .fetch_optional(write.connection())
        .await?;
    if member.is_none() {
        return Err(ReportError::Rule("objection.no_member"));
    }
    let against: Option<i64> = sqlx::query_scalar(
        "SELECT id FROM reports WHERE case_id = ? AND kind = 'report' AND pdf_sealed IS NOT NULL \
         ORDER BY version DESC LIMIT 1",
    )
    .bind(case.id)
    .fetch_optional(write.connection())
    .await?;
    let against = against.ok_or(ReportError::Rule("objection.no_report"))?;
    if !case::advance(write, &case, &[State::Issued, State::Archived], State::Matched).await? {
        return Err(ReportError::Rule("case.not_now"));
    }
    let today = now.date();
    let due = calendar.after(today, settings::get(&store, &settings::OBJECTION_DAYS).await?);
    let year = today.number() / 10_000;
    let running = write.next_id(&format!("objection-number-{year}")).await?;
    let id = write.next_id("objections").await?;
    sqlx::query(
        "INSERT INTO objections (id, number, case_id, person, against, received, due, ground_sealed, state, \
         case_due, entered_by, entered) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?)",
    )
    .bind(id)
    .bind(format!("YY{year}-{running:05}"))
    .bind(case.id)
    .bind(person)
    .bind(against)
    .bind(today.number())
    .bind(due.number())
    .bind(write.seal(&GROUND, id, &ground.to_owned())?)
    .bind(case.due.map(Date::number))
    .bind(clerk.id)
    .bind(unix(now))
    .execute(write.connection())
    .await?;
    sqlx::query("UPDATE cases SET due = ? WHERE id = ?")
        .bind(due.number())
        .bind(case.id)
        .execute(write.connection())
        .await?;
    write.log(Action("objection.entered"), &clerk.code, now, Object::Row("objection", id)).await?;
    case::note(write, case.id, Action("objection.entered"), None, clerk, now).await?;
    Ok(id)
}

/// Says what was found on an objection: it stands in the version that answers it. May be said anew until then.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn find_on(
    write: &mut Write,
    id: i64,
    outcome: &str,
    clerk: &Clerk,
    now: Time,
) -> Result<bool, Fault> {
    let done = sqlx::query("UPDATE objections SET outcome_sealed = ? WHERE id = ? AND state = 'open'")
        .bind(write.seal(&OUTCOME, id, &outcome.to_owned())?)
        .bind(id)
        .execute(write.connection())
        .await?;
    write.log(Action("objection.found"), &clerk.code, now, Object::Row("objection", id)).await?;
    Ok(done.rows_affected() == 1)
}

/// The objection that the next version answers, within a transaction.
///
/// # Errors
/// [`ReportError::Rule`] when nothing was found on it yet.
pub(super) async fn open_one(write: &mut Write, case: i64) -> Result<Option<i64>, ReportError> {
    let row = sqlx::query(
        "SELECT id, outcome_sealed IS NULL AS silent FROM objections WHERE case_id = ? AND state = 'open'",
    )
    .bind(case)
    .fetch_optional(write.connection())
    .await?;
    match row {
        Some(row) if row.try_get::<bool, _>("silent")? => Err(ReportError::Rule("objection.silent")),
        Some(row) => Ok(Some(row.try_get("id")?)),
        None => Ok(None),
    }
}

/// Marks one answered.
pub(super) async fn answered(write: &mut Write, id: i64, clerk: &Clerk, now: Time) -> Result<(), Fault> {
    sqlx::query("UPDATE objections SET state = 'answered', ended = ? WHERE id = ?")
        .bind(unix(now))
        .bind(id)
        .execute(write.connection())
        .await?;
    write.log(Action("objection.answered"), &clerk.code, now, Object::Row("objection", id)).await?;
    Ok(())
}

/// Whoever objected takes it back before it was answered: the report stands as it is, the case and its day as after its
/// issue. A closed file is closed once more, with the objection in it.
///
/// # Errors
/// [`ReportError`]: it is answered already, or the institutions are being asked once more; then nothing has changed.
pub async fn withdraw(
    write: &mut Write,
    id: i64,
    why: &str,
    clerk: &Clerk,
    now: Time,
) -> Result<(), ReportError> {
    let row = sqlx::query("SELECT case_id, state FROM objections WHERE id = ?")
        .bind(id)
        .fetch_optional(write.connection())
        .await?;
    let row = row.ok_or(ReportError::Rule("refused.not_found"))?;
    if row.try_get::<String, _>("state")? != "open" {
        return Err(ReportError::Rule("objection.ended"));
    }
    let case = case::find_in(write, row.try_get("case_id")?).await?;
    let case = case.ok_or(ReportError::Rule("refused.not_found"))?;
    if !case::advance(write, &case, &[State::Matched, State::Reviewed], State::Issued).await? {
        return Err(ReportError::Rule("objection.under_way"));
    }
    sqlx::query("UPDATE objections SET state = 'withdrawn', ended = ? WHERE id = ?")
        .bind(unix(now))
        .bind(id)
        .execute(write.connection())
        .await?;
    sqlx::query("UPDATE cases SET due = (SELECT case_due FROM objections WHERE id = ?) WHERE id = ?")
        .bind(id)
        .bind(case.id)
        .execute(write.connection())
        .await?;
    write.log(Action("objection.withdrawn"), &clerk.code, now, Object::Row("objection", id)).await?;
    case::note(write, case.id, Action("objection.withdrawn"), Some(why), clerk, now).await?;
    Ok(())
}

/// What the report says of the objection that it answers.
pub(super) async fn to_answer(store: &Store, case: i64) -> Result<Option<Answered>, Fault> {
    let row = sqlx::query(
        "SELECT objections.*, reports.version AS against_version FROM objections JOIN reports \
         ON reports.id = against WHERE objections.case_id = ? AND state = 'open'",
    )
    .bind(case)
    .fetch_optional(store.read())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let one = Objection::from_row(store, &row)?;
    Ok(Some(Answered {
        number: one.number,
        received: one.received.to_string(),
        against: row.try_get("against_version")?,
        outcome: one.outcome.unwrap_or_default(),
    }))
}

/// The objections of a case, oldest first.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn of_case(store: &Store, case: i64) -> Result<Vec<Objection>, Fault> {
    let rows = sqlx::query("SELECT * FROM objections WHERE case_id = ? ORDER BY id")
        .bind(case)
        .fetch_all(store.read())
        .await?;
    rows.iter().map(|row| Objection::from_row(store, row)).collect()
}

/// One objection.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn find(store: &Store, id: i64) -> Result<Option<Objection>, Fault> {
    let row =
        sqlx::query("SELECT * FROM objections WHERE id = ?").bind(id).fetch_optional(store.read()).await?;
    row.as_ref().map(|row| Objection::from_row(store, row)).transpose()
}

/// All that are open, the first due first.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn open(store: &Store) -> Result<Vec<Objection>, Fault> {
    let rows = sqlx::query("SELECT * FROM objections WHERE state = 'open' ORDER BY due, id LIMIT 500")
        .fetch_all(store.read())
        .await?;
    rows.iter().map(|row| Objection::from_row(store, row)).collect()
}

//! A case: one commission for one household on its way. [`State`] is the way; each step is a function that
//! changes state, event and log in the caller's transaction.

use protocol::Time;
use protocol::value::Date;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::authorisation::Authorisation;
use super::calendar::{self, Calendar};
use crate::staff::Clerk;
use crate::store::list::{Filter, List, Page};
use crate::store::{Action, Column, Columns as _, Fault, Object, Store, Write, unix};

pub(crate) const NOTE: Column<String> = Column::new("events.note");

/// Why somebody is asked about (task type), as forms spell it.
pub const TASKS: [&str; 4] = ["new", "yearly", "periodic", "complaint"];

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Handed in, not looked at yet.
    Received,
    /// Given back with all its defects; may be handed in again.
    Returned,
    /// Accepted, numbered, its clock running.
    Accepted,
    /// Rosters are out.
    Matching,
    /// All institutions have answered, or are not waited for any more.
    Matched,
    /// A second person has confirmed what was found.
    Reviewed,
    /// The report is signed.
    Issued,
    /// The file is closed.
    Archived,
    /// 中止: interrupted, its clock stands still.
    Suspended,
    /// 终止: ended without a report.
    Terminated,
}

impl State {
    /// The way a case takes when nothing comes between.
    pub const WAY: [Self; 7] = [
        Self::Received,
        Self::Accepted,
        Self::Matching,
        Self::Matched,
        Self::Reviewed,
        Self::Issued,
        Self::Archived,
    ];
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Received,
        Self::Returned,
        Self::Accepted,
        Self::Matching,
        Self::Matched,
        Self::Reviewed,
        Self::Issued,
        Self::Archived,
        Self::Suspended,
        Self::Terminated,
    ];

    /// The name in the database and in the dictionary (`state.…`).
    pub fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Returned => "returned",
            Self::Accepted => "accepted",
            Self::Matching => "matching",
            Self::Matched => "matched",
            Self::Reviewed => "reviewed",
            Self::Issued => "issued",
            Self::Archived => "archived",
            Self::Suspended => "suspended",
            Self::Terminated => "terminated",
        }
    }

    /// The state of a name.
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether the report's clock runs.
    pub fn is_under_way(self) -> bool {
        matches!(self, Self::Accepted | Self::Matching | Self::Matched | Self::Reviewed)
    }
}

/// A case without what is sealed.
#[derive(Debug, Clone)]
pub struct Case {
    /// The row.
    pub id: i64,
    /// Given at acceptance.
    pub number: Option<String>,
    /// The commission's number.
    pub commission: String,
    /// The household's row.
    pub household: i64,
    /// The household's number.
    pub household_number: String,
    /// A, B or C.
    pub class: String,
    /// The township.
    pub office: String,
    /// One of [`TASKS`].
    pub task: String,
    /// Day of property.
    pub as_of: Date,
    /// Income period.
    pub income: Option<(Date, Date)>,
    /// Day it was handed in.
    pub received: Date,
    /// Where it stands.
    pub state: State,
    /// Where it stood before a suspension.
    pub before: Option<State>,
    /// Last day of the report.
    pub due: Option<Date>,
    /// Since when it is suspended.
    pub paused_from: Option<Date>,
    /// Who entered it.
    pub entered_by: i64,
}

const SELECT: &str = "SELECT cases.*, households.number AS household_number, households.class AS class \
                      FROM cases JOIN households ON households.id = cases.household";

impl Case {
    /// Reads a row of `cases` with `household_number` and `class`.
    pub(crate) fn from_row(row: &SqliteRow) -> Result<Self, Fault> {
        let state = |name: String| State::read(&name).ok_or(Fault::Stored("cases.state"));
        let before: Option<String> = row.try_get("before")?;
        Ok(Self {
            id: row.try_get("id")?,
            number: row.try_get("number")?,
            commission: row.try_get("commission")?,
            household: row.try_get("household")?,
            household_number: row.try_get("household_number")?,
            class: row.try_get("class")?,
            office: row.try_get("office")?,
            task: row.try_get("task")?,
            as_of: row.day("as_of")?,
            income: row.optional_day("income_from")?.zip(row.optional_day("income_to")?),
            received: row.day("received")?,
            state: state(row.try_get("state")?)?,
            before: before.map(state).transpose()?,
            due: row.optional_day("due")?,
            paused_from: row.optional_day("paused_from")?,
            entered_by: row.try_get("entered_by")?,
        })
    }

    /// Whether the report is late.
    pub fn is_overdue(&self, today: Date) -> bool {
        self.state.is_under_way() && self.due.is_some_and(|due| due < today)
    }
}

/// One case.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn find(store: &Store, id: i64) -> Result<Option<Case>, Fault> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE cases.id = ?")))
        .bind(id)
        .fetch_optional(store.read())
        .await?;
    row.as_ref().map(Case::from_row).transpose()
}

/// One case, within a transaction that will change it.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn find_in(write: &mut Write, id: i64) -> Result<Option<Case>, Fault> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE cases.id = ?")))
        .bind(id)
        .fetch_optional(write.connection())
        .await?;
    row.as_ref().map(Case::from_row).transpose()
}

/// The list of cases. `overdue` is a state of it; the day is today.
const LIST: List = List {
    select: SELECT,
    from: "FROM cases JOIN households ON households.id = cases.household",
    wanted: "WHERE (?1 = '' OR (?1 = 'overdue' AND due < ?4 AND state IN ('accepted', 'matching', 'matched', 'reviewed')) \
        OR state = ?1) AND (?2 = '' OR cases.office = ?2) \
        AND (?3 = '' OR cases.number LIKE ?3 || '%' OR commission LIKE ?3 || '%' OR households.number LIKE ?3 || '%')",
};

/// A page of the list of cases, and how many there are in all.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn list(
    store: &Store,
    filter: &Filter,
    page: &Page,
    today: Date,
) -> Result<(Vec<Case>, i64), Fault> {
    let (rows, total) = LIST.read(store, filter, [today; 2], page).await?;
    Ok((rows.iter().map(Case::from_row).collect::<Result<_, _>>()?, total))
}

/// A member of a case, with the authorisation that was given for it.
#[derive(Debug)]
pub struct Member {
    /// The person.
    pub person: i64,
    /// Relation to the head of the household.
    pub relation: String,
    /// 1 living together, 2 duty to support.
    pub ring: i64,
    /// What allows the question.
    pub authorisation: Option<Authorisation>,
}

/// The members of a case.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn members(store: &Store, case: i64) -> Result<Vec<Member>, Fault> {
    let rows = sqlx::query("SELECT * FROM members WHERE case_id = ? ORDER BY ring, id")
        .bind(case)
        .fetch_all(store.read())
        .await?;
    let mut members = Vec::new();
    for row in rows {
        let authorisation: Option<i64> = row.try_get("authorisation")?;
        let authorisation = match authorisation {
            None => None,
            Some(id) => {
                let row = sqlx::query("SELECT * FROM authorisations WHERE id = ?").bind(id);
                Some(Authorisation::from_row(&row.fetch_one(store.read()).await?)?)
            }
        };
        members.push(Member {
            person: row.try_get("person")?,
            relation: row.try_get("relation")?,
            ring: row.try_get("ring")?,
            authorisation,
        });
    }
    Ok(members)
}

/// Something that happened to a case.
#[derive(Debug)]
pub struct Event {
    /// What, by its name in the dictionary (`action.…`).
    pub action: String,
    /// Whose account.
    pub staff: String,
    /// When.
    pub at: Time,
    /// What was said.
    pub note: Option<String>,
}

/// What happened to a case, oldest first.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn events(store: &Store, case: i64) -> Result<Vec<Event>, Fault> {
    let rows = sqlx::query(
        "SELECT events.*, staff.code AS code FROM events JOIN staff ON staff.id = events.staff \
         WHERE case_id = ? ORDER BY events.id",
    )
    .bind(case)
    .fetch_all(store.read())
    .await?;
    let event = |row: &SqliteRow| {
        let sealed: Option<Vec<u8>> = row.try_get("note_sealed")?;
        let id = row.try_get("id")?;
        Ok(Event {
            action: row.try_get("action")?,
            staff: row.try_get("code")?,
            at: row.time("at")?,
            note: sealed.map(|sealed| store.vault().open(&NOTE, id, &sealed)).transpose()?,
        })
    };
    rows.iter().map(event).collect()
}

/// Notes that something happened to a case, in its events and in the log.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn note(
    write: &mut Write,
    case: i64,
    action: Action,
    note: Option<&str>,
    clerk: &Clerk,
    now: Time,
) -> Result<(), Fault> {
    let id = write.next_id("events").await?;
    let sealed = note.map(|note| write.seal(&NOTE, id, &note.to_owned())).transpose()?;
    sqlx::query("INSERT INTO events (id, case_id, action, staff, at, note_sealed) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(id)
        .bind(case)
        .bind(action.0)
        .bind(clerk.id)
        .bind(unix(now))
        .bind(sealed)
        .execute(write.connection())
        .await?;
    write.log(action, &clerk.code, now, Object::Row("case", case)).await?;
    Ok(())
}

/// Moves a case on when it stands in one of `from`; `false` when it does not.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn advance(write: &mut Write, case: &Case, from: &[State], to: State) -> Result<bool, Fault> {
    if !from.contains(&case.state) {
        return Ok(false);
    }
    let done = sqlx::query("UPDATE cases SET state = ? WHERE id = ? AND state = ?")
        .bind(to.name())
        .bind(case.id)
        .bind(case.state.name())
        .execute(write.connection())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Cases of one statement.
const AT_ONCE: usize = 500;

/// Moves all cases on that stand in `from`, and notes it of each; the others are left alone.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn advance_all(
    write: &mut Write,
    cases: &[i64],
    [from, to]: [State; 2],
    action: Action,
    clerk: &Clerk,
    now: Time,
) -> Result<(), Fault> {
    for part in cases.chunks(AT_ONCE) {
        let mut update = sqlx::QueryBuilder::new("UPDATE cases SET state = ");
        update.push_bind(to.name()).push(" WHERE state = ").push_bind(from.name()).push(" AND id IN (");
        let mut list = update.separated(", ");
        for id in part {
            list.push_bind(*id);
        }
        update.push(") RETURNING id");
        let mut moved: Vec<i64> = update.build_query_scalar().fetch_all(write.connection()).await?;
        if moved.is_empty() {
            continue;
        }
        moved.sort_unstable();
        let first = write.take_ids("events", i64::try_from(moved.len()).unwrap_or(i64::MAX)).await?;
        let mut insert = sqlx::QueryBuilder::new("INSERT INTO events (id, case_id, action, staff, at) ");
        insert.push_values((first..).zip(&moved), |mut values, (id, case)| {
            values.push_bind(id).push_bind(*case).push_bind(action.0);
            values.push_bind(clerk.id).push_bind(unix(now));
        });
        insert.build().execute(write.connection()).await?;
        let objects: Vec<Object> = moved.iter().map(|case| Object::Row("case", *case)).collect();
        write.log_all(action, &clerk.code, now, &objects).await?;
    }
    Ok(())
}

/// What a new case needs beside its members.
#[derive(Debug)]
pub struct New {
    /// The commission's number.
    pub commission: String,
    /// The household's number.
    pub household: String,
    /// The township.
    pub office: String,
    /// A, B or C.
    pub class: String,
    /// One of [`TASKS`].
    pub task: String,
    /// Day of property.
    pub as_of: Date,
    /// Income period.
    pub income: Option<(Date, Date)>,
}

/// Adds a case; `None` when this commission has one for this household.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn add(write: &mut Write, new: &New, staff: i64, now: Time) -> Result<Option<i64>, Fault> {
    let known: Option<i64> = sqlx::query_scalar("SELECT id FROM households WHERE number = ?")
        .bind(&new.household)
        .fetch_optional(write.connection())
        .await?;
    let household = match known {
        Some(id) => id,
        None => {
            let id = write.next_id("households").await?;
            sqlx::query("INSERT INTO households (id, number, office, class) VALUES (?, ?, ?, ?)")
                .bind(id)
                .bind(&new.household)
                .bind(&new.office)
                .bind(&new.class)
                .execute(write.connection())
                .await?;
            id
        }
    };
    let twice: Option<i64> =
        sqlx::query_scalar("SELECT id FROM cases WHERE commission = ? AND household = ?")
            .bind(&new.commission)
            .bind(household)
            .fetch_optional(write.connection())
            .await?;
    if twice.is_some() {
        return Ok(None);
    }
    let id = write.next_id("cases").await?;
    sqlx::query(
        "INSERT INTO cases (id, commission, household, office, task, as_of, income_from, income_to, received, \
         state, entered_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'received', ?)",
    )
    .bind(id)
    .bind(&new.commission)
    .bind(household)
    .bind(&new.office)
    .bind(&new.task)
    .bind(new.as_of.number())
    .bind(new.income.map(|(from, _)| from.number()))
    .bind(new.income.map(|(_, to)| to.number()))
    .bind(now.date().number())
    .bind(staff)
    .execute(write.connection())
    .await?;
    Ok(Some(id))
}

/// Adds a member; `false` when the person is one already.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn add_member(
    write: &mut Write,
    case: i64,
    person: i64,
    relation: &str,
    ring: i64,
    authorisation: Option<i64>,
) -> Result<bool, Fault> {
    let id = write.next_id("members").await?;
    let done = sqlx::query(
        "INSERT INTO members (id, case_id, person, relation, ring, authorisation) VALUES (?, ?, ?, ?, ?, ?) \
         ON CONFLICT (case_id, person) DO NOTHING",
    )
    .bind(id)
    .bind(case)
    .bind(person)
    .bind(relation)
    .bind(ring)
    .bind(authorisation)
    .execute(write.connection())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What stands against accepting a case: sentences' keys, with the member's place (from 1; 0 for the case).
pub fn defects(case: &Case, members: &[Member], today: Date) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    if members.is_empty() {
        found.push((0, "accept.no_members"));
    } else if !members.iter().any(|member| member.ring == 1) {
        found.push((0, "accept.nobody_lives_here"));
    }
    if case.as_of > today {
        found.push((0, "accept.as_of_ahead"));
    }
    if case.income.is_some_and(|(from, to)| from > to || to > today) {
        found.push((0, "accept.income_wrong"));
    }
    for (at, member) in (1..).zip(members) {
        match &member.authorisation {
            None => found.push((at, "accept.no_authorisation")),
            Some(one) if !one.is_live(today) => found.push((at, "accept.dead_authorisation")),
            Some(_) => {}
        }
    }
    found
}

/// Whether a clerk entered the case, a member of it or one of its authorisations: then another person accepts it.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn is_own(store: &Store, case: i64, clerk: &Clerk) -> Result<bool, Fault> {
    let hands: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT person_index FROM staff WHERE id IN (SELECT entered_by FROM cases WHERE id = ?1 \
         UNION SELECT authorisations.entered_by FROM members JOIN authorisations \
         ON authorisations.id = members.authorisation WHERE case_id = ?1 \
         UNION SELECT staff FROM events WHERE case_id = ?1 AND action IN ('case.received', 'case.member-added'))",
    )
    .bind(case)
    .fetch_all(store.read())
    .await?;
    Ok(hands.iter().any(|hand| clerk.same_person(hand)))
}

/// Accepts: gives the number and starts the clock. The caller has found no [`defects`] and that it is not
/// the clerk's own ([`is_own`]).
///
/// # Errors
/// [`Fault`] of the database.
pub async fn accept(
    write: &mut Write,
    case: &Case,
    calendar: &Calendar,
    clerk: &Clerk,
    now: Time,
) -> Result<bool, Fault> {
    if !advance(write, case, &[State::Received], State::Accepted).await? {
        return Ok(false);
    }
    let today = now.date();
    let year = today.number() / 10_000;
    let running = write.next_id(&format!("case-number-{year}")).await?;
    let days = calendar::report_days(&write.store().clone()).await?;
    sqlx::query("UPDATE cases SET number = ?, due = ?, accepted_by = ? WHERE id = ?")
        .bind(format!("HD{year}-{running:06}"))
        .bind(calendar.after(today, days).number())
        .bind(clerk.id)
        .bind(case.id)
        .execute(write.connection())
        .await?;
    note(write, case.id, Action("case.accepted"), None, clerk, now).await?;
    Ok(true)
}

/// Suspends a case under way: its clock stands still from today on.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn suspend(
    write: &mut Write,
    case: &Case,
    why: &str,
    clerk: &Clerk,
    now: Time,
) -> Result<bool, Fault> {
    let from = [State::Accepted, State::Matching, State::Matched, State::Reviewed];
    if !advance(write, case, &from, State::Suspended).await? {
        return Ok(false);
    }
    sqlx::query("UPDATE cases SET before = ?, paused_from = ? WHERE id = ?")
        .bind(case.state.name())
        .bind(now.date().number())
        .bind(case.id)
        .execute(write.connection())
        .await?;
    note(write, case.id, Action("case.suspended"), Some(why), clerk, now).await?;
    Ok(true)
}

/// Takes a suspended case up again: the days it stood still are added to its clock.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn resume(
    write: &mut Write,
    case: &Case,
    calendar: &Calendar,
    clerk: &Clerk,
    now: Time,
) -> Result<bool, Fault> {
    let (Some(before), Some(since)) = (case.before, case.paused_from) else { return Ok(false) };
    if !advance(write, case, &[State::Suspended], before).await? {
        return Ok(false);
    }
    let stood = calendar.between(since, now.date());
    let due = case.due.map(|due| calendar.after(due, stood).number());
    sqlx::query(
        "UPDATE cases SET before = NULL, paused_from = NULL, paused_days = paused_days + ?, due = ? WHERE id = ?",
    )
    .bind(stood)
    .bind(due)
    .bind(case.id)
    .execute(write.connection())
    .await?;
    note(write, case.id, Action("case.resumed"), None, clerk, now).await?;
    Ok(true)
}

/// Ends a case without a report.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn terminate(
    write: &mut Write,
    case: &Case,
    why: &str,
    clerk: &Clerk,
    now: Time,
) -> Result<bool, Fault> {
    let from = [
        State::Received,
        State::Returned,
        State::Accepted,
        State::Matching,
        State::Matched,
        State::Reviewed,
        State::Suspended,
    ];
    if !advance(write, case, &from, State::Terminated).await? {
        return Ok(false);
    }
    note(write, case.id, Action("case.terminated"), Some(why), clerk, now).await?;
    Ok(true)
}

/// Sets every running clock anew after the calendar has changed.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn set_clocks(write: &mut Write, calendar: &Calendar) -> Result<(), Fault> {
    let days = calendar::report_days(&write.store().clone()).await?;
    let rows = sqlx::query(
        "SELECT cases.id, paused_days, (SELECT at FROM events WHERE case_id = cases.id AND action = 'case.accepted' \
         ORDER BY id DESC LIMIT 1) AS accepted FROM cases WHERE due IS NOT NULL \
         AND state IN ('accepted', 'matching', 'matched', 'reviewed', 'suspended') \
         AND NOT EXISTS (SELECT 1 FROM objections WHERE case_id = cases.id AND state = 'open')",
    )
    .fetch_all(write.connection())
    .await?;
    for row in rows {
        let Some(accepted) = row.optional_time("accepted")? else { continue };
        let paused: i64 = row.try_get("paused_days")?;
        sqlx::query("UPDATE cases SET due = ? WHERE id = ?")
            .bind(calendar.after(accepted.date(), days + paused).number())
            .bind(row.try_get::<i64, _>("id")?)
            .execute(write.connection())
            .await?;
    }
    Ok(())
}

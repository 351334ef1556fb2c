//! 授权书: per person, with what it covers and how it ends. Live means: signed, not ended by an event, and not past
//! the end date where the form has one.

use protocol::Code;
use protocol::roster::Level;
use protocol::value::Date;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::store::{Action, Column, Columns as _, Fault, Object, Store, Write};

pub(crate) const SIGNER: Column<String> = Column::new("authorisations.signer");

/// Kinds of institutions that a form can name, as documents spell them.
pub const KINDS: [&str; 5] = ["bank", "securities", "insurance", "payment", "department"];
/// Forms of signing: in person, by a guardian, by an agent.
pub const FORMS: [&str; 3] = ["own", "guardian", "agent"];
/// Events that end one.
pub const ENDS: [&str; 4] = ["withdrawn", "failed", "left", "members_changed"];

/// What a form says.
#[derive(Debug, Clone)]
pub struct New {
    /// Number of the form.
    pub number: String,
    /// One of [`FORMS`].
    pub form: String,
    /// Of [`KINDS`].
    pub kinds: Vec<&'static str>,
    /// The most that may be asked.
    pub level: Level,
    /// Who signed, where it was not the person.
    pub signer: String,
    /// Day of the signature.
    pub signed: Date,
    /// Last day, where the form has one.
    pub until: Option<Date>,
}

/// One as it is kept.
#[derive(Debug, Clone)]
pub struct Authorisation {
    /// The row.
    pub id: i64,
    /// Number of the form.
    pub number: String,
    /// Whose.
    pub person: i64,
    /// One of [`FORMS`].
    pub form: String,
    /// With commas.
    pub kinds: String,
    /// `L0`, `L1` or `L2`.
    pub level: String,
    /// Day of the signature.
    pub signed: Date,
    /// Last day, where the form has one.
    pub until: Option<Date>,
    /// Why it ended, when it did.
    pub end_code: Option<String>,
}

impl Authorisation {
    /// Reads a row of `authorisations`.
    pub(crate) fn from_row(row: &SqliteRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.try_get("id")?,
            number: row.try_get("number")?,
            person: row.try_get("person")?,
            form: row.try_get("form")?,
            kinds: row.try_get("kinds")?,
            level: row.try_get("level")?,
            signed: row.day("signed")?,
            until: row.optional_day("until")?,
            end_code: row.try_get("end_code")?,
        })
    }

    /// What decides whether it allows a question.
    pub fn grant(&self) -> Grant<'_> {
        let end_code = self.end_code.as_deref();
        Grant { kinds: &self.kinds, level: &self.level, signed: self.signed, until: self.until, end_code }
    }

    /// Whether it allows a question today.
    pub fn is_live(&self, today: Date) -> bool {
        self.grant().is_live(today)
    }

    /// Its state's name in the dictionary (`authorisation.…`).
    pub fn state(&self, today: Date) -> &'static str {
        match &self.end_code {
            Some(code) if code == "withdrawn" => "withdrawn",
            Some(_) => "ended",
            None if self.is_live(today) => "live",
            None => "expired",
        }
    }
}

/// What decides whether an authorisation allows a question.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// With commas.
    pub kinds: &'a str,
    /// `L0`, `L1` or `L2`.
    pub level: &'a str,
    /// Day of the signature.
    pub signed: Date,
    /// Last day, where the form has one.
    pub until: Option<Date>,
    /// Why it ended, when it did.
    pub end_code: Option<&'a str>,
}

impl Grant<'_> {
    /// Whether it allows a question today.
    pub fn is_live(&self, today: Date) -> bool {
        self.end_code.is_none() && self.signed <= today && self.until.is_none_or(|last| today <= last)
    }

    /// Whether it covers institutions of a kind.
    pub fn covers(&self, kind: &str) -> bool {
        self.kinds.split(',').any(|covered| covered == kind)
    }
}

/// Adds one to a person.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn add(write: &mut Write, new: &New, person: i64, staff: i64, now: i64) -> Result<i64, Fault> {
    let id = write.next_id("authorisations").await?;
    sqlx::query(
        "INSERT INTO authorisations (id, number, person, form, kinds, level, signer_sealed, signed, until, \
         entered_by, entered) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(&new.number)
    .bind(person)
    .bind(&new.form)
    .bind(new.kinds.join(","))
    .bind(new.level.word())
    .bind(write.seal(&SIGNER, id, &new.signer)?)
    .bind(new.signed.number())
    .bind(new.until.map(Date::number))
    .bind(staff)
    .bind(now)
    .execute(write.connection())
    .await?;
    Ok(id)
}

/// Whose a form's number is, when it is taken.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn owner(write: &mut Write, number: &str) -> Result<Option<(i64, i64)>, Fault> {
    let row = sqlx::query("SELECT id, person FROM authorisations WHERE number = ?")
        .bind(number)
        .fetch_optional(write.connection())
        .await?;
    row.map(|row| Ok((row.try_get("id")?, row.try_get("person")?))).transpose()
}

/// All of a person, newest first.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn of_person(store: &Store, person: i64) -> Result<Vec<Authorisation>, Fault> {
    let rows = sqlx::query("SELECT * FROM authorisations WHERE person = ? ORDER BY signed DESC, id DESC")
        .bind(person)
        .fetch_all(store.read())
        .await?;
    rows.iter().map(Authorisation::from_row).collect()
}

/// Ends one by an event. `false` when it has ended already.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn end(
    write: &mut Write,
    id: i64,
    code: &'static str,
    actor: &Code,
    now: protocol::Time,
) -> Result<bool, Fault> {
    let done =
        sqlx::query("UPDATE authorisations SET ended = ?, end_code = ? WHERE id = ? AND end_code IS NULL")
            .bind(crate::store::unix(now))
            .bind(code)
            .bind(id)
            .execute(write.connection())
            .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    write.log(Action("authorisation.ended"), actor, now, Object::Row("authorisation", id)).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_until_an_event_or_a_day() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let mut one = Authorisation {
            id: 1,
            number: "SQ-1".to_owned(),
            person: 1,
            form: "own".to_owned(),
            kinds: "bank,securities".to_owned(),
            level: "L1".to_owned(),
            signed: day("2026-10-01"),
            until: None,
            end_code: None,
        };
        assert!(one.is_live(day("2036-10-01")) && !one.is_live(day("2026-09-30")));
        one.until = Some(day("2026-12-31"));
        assert!(one.is_live(day("2026-12-31")) && !one.is_live(day("2027-01-01")));
        assert_eq!(one.state(day("2027-01-01")), "expired");
        one.end_code = Some("withdrawn".to_owned());
        assert!(!one.is_live(day("2026-12-31")));
        let grant = one.grant();
        assert!(grant.covers("bank") && !grant.covers("insurance") && !grant.covers("ban"));
    }
}

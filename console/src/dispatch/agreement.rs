//! 保密协议: kept as the document both sides signed, with the day it ends. None in force, no dispatch.

use protocol::agreement::{Agreement as Terms, AgreementInForce};
use protocol::roster::Level;
use protocol::value::{Date, PublicKey};
use protocol::{CheckError, DecodeError, Document, Time};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::error::DispatchError;
use crate::staff::Clerk;
use crate::store::{Action, Columns as _, Fault, Object, Store, Write, unix};

/// Days before its end from which a list warns of an agreement.
pub const WARN_DAYS: i64 = 30;

/// An institution with its latest agreement.
#[derive(Debug)]
pub struct Institution {
    /// The row.
    pub id: i64,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its kind, as documents spell it.
    pub kind: String,
    /// The agreement that ends last.
    pub agreement: Option<Agreement>,
}

/// An agreement as it is kept.
#[derive(Debug, Clone)]
pub struct Agreement {
    /// The row.
    pub id: i64,
    /// Number on paper.
    pub number: String,
    /// The most that may be asked.
    pub level: Level,
    /// First day.
    pub valid_from: Date,
    /// Last day.
    pub valid_to: Date,
    /// Whether a second organisation signs each roster.
    pub cosigned: bool,
    /// Whether a second person has confirmed it; without, nothing is asked under it.
    pub confirmed: bool,
}

impl Agreement {
    /// Whether it is in force: confirmed, begun and not ended.
    pub fn is_in_force(&self, today: Date) -> bool {
        self.confirmed && self.valid_from <= today && today <= self.valid_to
    }

    /// Its state's name in the dictionary (`agreement.…`).
    pub fn state(&self, today: Date) -> &'static str {
        if today > self.valid_to {
            "expired"
        } else if !self.confirmed {
            "unconfirmed"
        } else if today < self.valid_from {
            "not_yet"
        } else if self.valid_to.days() - today.days() <= WARN_DAYS {
            "ending"
        } else {
            "in_force"
        }
    }
}

/// A level of its word.
pub(crate) fn level(word: &str) -> Result<Level, Fault> {
    [Level::L0, Level::L1, Level::L2].into_iter().find(|l| l.word() == word).ok_or(Fault::Stored("level"))
}

/// Why an agreement is not taken.
#[derive(Debug)]
pub enum AddError {
    /// The document can't be read.
    Decode(DecodeError),
    /// A signature is missing, or it is not in force.
    Check(CheckError),
    /// With another centre than ours.
    OtherCentre,
    /// It is here already.
    Known,
    /// Inside.
    Fault(Fault),
}

impl From<Fault> for AddError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<sqlx::Error> for AddError {
    fn from(error: sqlx::Error) -> Self {
        Self::Fault(error.into())
    }
}

/// Takes an agreement in that both sides signed; the institution is added with its first one.
///
/// # Errors
/// [`AddError`].
pub async fn add(
    write: &mut Write,
    bytes: &[u8],
    centre: Option<PublicKey>,
    clerk: &Clerk,
    now: Time,
) -> Result<i64, AddError> {
    let document = Document::<Terms>::read(bytes).map_err(AddError::Decode)?;
    // One that begins later is taken as well: it is asked as of its own first day.
    let day = now.date().max(document.header.valid_from);
    let AgreementInForce { terms, digest } = document.check(day).map_err(AddError::Check)?;
    if centre.is_some_and(|key| key != terms.centre.signing_key) {
        return Err(AddError::OtherCentre);
    }
    let known: Option<i64> = sqlx::query_scalar("SELECT id FROM agreements WHERE digest = ?")
        .bind(digest.as_bytes().as_slice())
        .fetch_optional(write.connection())
        .await?;
    if known.is_some() {
        return Err(AddError::Known);
    }
    let code = terms.institution.code.as_str();
    let institution: Option<i64> = sqlx::query_scalar("SELECT id FROM institutions WHERE code = ?")
        .bind(code)
        .fetch_optional(write.connection())
        .await?;
    let institution = match institution {
        Some(id) => id,
        None => {
            let id = write.next_id("institutions").await?;
            sqlx::query("INSERT INTO institutions (id, code, name, kind) VALUES (?, ?, ?, ?)")
                .bind(id)
                .bind(code)
                .bind(terms.institution.name.as_str())
                .bind(terms.institution.kind.word())
                .execute(write.connection())
                .await?;
            id
        }
    };
    let id = write.next_id("agreements").await?;
    sqlx::query(
        "INSERT INTO agreements (id, institution, digest, number, level, valid_from, valid_to, cosigned, document, \
         added_by, added) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(institution)
    .bind(digest.as_bytes().as_slice())
    .bind(terms.number.as_str())
    .bind(terms.level.word())
    .bind(terms.valid_from.number())
    .bind(terms.valid_to.number())
    .bind(terms.cosigner_key.is_some())
    .bind(bytes)
    .bind(clerk.id)
    .bind(unix(now))
    .execute(write.connection())
    .await?;
    write.log(Action("agreement.added"), &clerk.code, now, Object::Document("agreement", id, digest)).await?;
    Ok(id)
}

/// All institutions, each with the agreement that counts today, or else the one that ends last.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn institutions(store: &Store, today: Date) -> Result<Vec<Institution>, Fault> {
    let rows = sqlx::query(
        "SELECT institutions.id AS institution_id, institutions.code, institutions.name, institutions.kind, a.* \
         FROM institutions LEFT JOIN agreements a ON a.id = (SELECT id FROM agreements WHERE institution = institutions.id \
         ORDER BY (confirmed IS NOT NULL AND valid_from <= ?1 AND valid_to >= ?1) DESC, valid_to DESC, id DESC LIMIT 1) \
         ORDER BY institutions.code",
    )
    .bind(today.number())
    .fetch_all(store.read())
    .await?;
    let one = |row: &SqliteRow| {
        let known: Option<i64> = row.try_get("id")?;
        Ok(Institution {
            id: row.try_get("institution_id")?,
            code: row.try_get("code")?,
            name: row.try_get("name")?,
            kind: row.try_get("kind")?,
            agreement: known.map(|_| from_row(row)).transpose()?,
        })
    };
    rows.iter().map(one).collect()
}

fn from_row(row: &SqliteRow) -> Result<Agreement, Fault> {
    Ok(Agreement {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        level: level(row.try_get("level")?)?,
        valid_from: row.day("valid_from")?,
        valid_to: row.day("valid_to")?,
        cosigned: row.try_get("cosigned")?,
        confirmed: row.try_get::<Option<i64>, _>("confirmed")?.is_some(),
    })
}

/// An agreement that waits for a second person.
#[derive(Debug)]
pub struct Unconfirmed {
    /// The agreement.
    pub agreement: Agreement,
    /// The institution's name.
    pub institution: String,
    /// The account that added it.
    pub added_by: String,
}

/// The agreements that wait for a second person, oldest first.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn unconfirmed(store: &Store) -> Result<Vec<Unconfirmed>, Fault> {
    let rows = sqlx::query(
        "SELECT agreements.*, institutions.name, staff.code AS staff_code FROM agreements \
         JOIN institutions ON institutions.id = agreements.institution JOIN staff ON staff.id = added_by \
         WHERE confirmed IS NULL ORDER BY agreements.id",
    )
    .fetch_all(store.read())
    .await?;
    let one = |row: &SqliteRow| {
        Ok(Unconfirmed {
            agreement: from_row(row)?,
            institution: row.try_get("name")?,
            added_by: row.try_get("staff_code")?,
        })
    };
    rows.iter().map(one).collect()
}

/// A second person confirms that the agreement is the one on paper.
///
/// # Errors
/// [`DispatchError`] when it is the same person who added it, or it is confirmed already.
pub async fn confirm(write: &mut Write, id: i64, clerk: &Clerk, now: Time) -> Result<(), DispatchError> {
    confirm_row(write, &AGREEMENTS, id, clerk, now).await
}

const AGREEMENTS: Confirmable =
    Confirmable { table: "agreements", kind: "agreement", action: Action("agreement.confirmed") };

/// A table whose rows one person adds and another confirms.
pub(super) struct Confirmable {
    pub(super) table: &'static str,
    /// What the log calls a row.
    pub(super) kind: &'static str,
    pub(super) action: Action,
}

/// Confirms a row that another person added.
pub(super) async fn confirm_row(
    write: &mut Write,
    what: &Confirmable,
    id: i64,
    clerk: &Clerk,
    now: Time,
) -> Result<(), DispatchError> {
    let Confirmable { table, kind, action } = *what;
    let row = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT digest, person_index FROM {table} JOIN staff ON staff.id = added_by \
         WHERE {table}.id = ? AND confirmed IS NULL"
    )))
    .bind(id)
    .fetch_optional(write.connection())
    .await?;
    let row = row.ok_or(DispatchError::Rule("dispatch.not_now"))?;
    if clerk.same_person(&row.try_get::<Vec<u8>, _>("person_index")?) {
        return Err(DispatchError::Rule("dispatch.own_work"));
    }
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "UPDATE {table} SET confirmed = ?, confirmed_by = ? WHERE id = ?"
    )))
    .bind(unix(now))
    .bind(clerk.id)
    .bind(id)
    .execute(write.connection())
    .await?;
    let object = Object::Document(kind, id, row.digest("digest")?);
    write.log(action, &clerk.code, now, object).await?;
    Ok(())
}

/// The document of an agreement.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn document(store: &Store, id: i64) -> Result<Vec<u8>, Fault> {
    Ok(sqlx::query_scalar("SELECT document FROM agreements WHERE id = ?")
        .bind(id)
        .fetch_one(store.read())
        .await?)
}

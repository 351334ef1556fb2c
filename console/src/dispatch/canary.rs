//! Seeded accounts: people who agreed, in writing, that an account of theirs whose amount is known is asked about with
//! everybody else's. An answer that lacks them, or puts them into another class of amounts, says something of the
//! institution: its coverage is flagged in every review. They are no households, and their figures are not kept.
//!
//! A roster that a second organisation signs has none: its own list would not hold them.

use std::collections::BTreeMap;

use protocol::Time;
use protocol::roster::Level;
use protocol::value::{Currency, Date};
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use zeroize::Zeroizing;

use super::error::DispatchError;
use super::lists;
use crate::cases::person::{self, Read};
use crate::review::findings::Finding;
use crate::staff::Clerk;
use crate::store::{Action, Column, Columns as _, Fault, Json, Object, Store, Write, unix};

const SEED: Column<Json<Seed>> = Column::new("canaries.seed");
/// The lines that a roster has beside its list's.
pub(super) const LINES: Column<Zeroizing<Vec<u8>>> = Column::new("rosters.seeds");

/// Classes of amounts, by their least amount in fen: under 1,000 yuan, under 10,000, under 100,000, and more.
pub const CLASSES: [i64; 4] = [0, 100_000, 1_000_000, 10_000_000];

/// Who it is, and what is known of the account.
#[derive(Serialize, Deserialize)]
struct Seed {
    name: String,
    kind: u8,
    number: String,
    class: usize,
}

/// What a form says of a new one.
pub struct New<'a> {
    /// Where the account is.
    pub institution: i64,
    /// The person, read.
    pub read: &'a Read,
    /// Number of the authorisation.
    pub authorisation: &'a str,
    /// The most that may be asked.
    pub level: Level,
    /// Day of the signature.
    pub signed: Date,
    /// Last day, where the form has one.
    pub until: Option<Date>,
    /// Place in [`CLASSES`].
    pub class: usize,
}

/// One as the page shows it.
#[derive(Debug)]
pub struct Canary {
    /// The row.
    pub id: i64,
    /// The institution's name.
    pub institution: String,
    /// The name, masked.
    pub name: String,
    /// The number, masked.
    pub number: String,
    /// Number of the authorisation.
    pub authorisation: String,
    /// The most that may be asked.
    pub level: String,
    /// Place in [`CLASSES`].
    pub class: usize,
    /// Whether a second person has seen the form; without, it goes on no roster.
    pub confirmed: bool,
    /// When it ended.
    pub ended: Option<Time>,
    /// Rosters it was on.
    pub asked: i64,
    /// What the last answer said (`canary.…` in the dictionary), and when it was opened.
    pub last: Option<(String, Time)>,
}

/// Adds one.
///
/// # Errors
/// [`DispatchError::Rule`] when the person is one at this institution already, or the number means two people.
pub async fn add(write: &mut Write, new: &New<'_>, clerk: &Clerk, now: Time) -> Result<i64, DispatchError> {
    let [subject] = new.read.subjects.as_slice() else {
        return Err(DispatchError::Rule("canary.one_number"));
    };
    let index = write.store().vault().subject_index(subject);
    let known: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM canaries WHERE institution = ? AND number_index = ? AND ended IS NULL",
    )
    .bind(new.institution)
    .bind(&index)
    .fetch_one(write.connection())
    .await?;
    if known > 0 {
        return Err(DispatchError::Rule("canary.known"));
    }
    let id = write.next_id("canaries").await?;
    let seed = Seed {
        name: new.read.name.clone(),
        kind: subject.kind() as u8,
        number: subject.number().to_owned(),
        class: new.class,
    };
    sqlx::query(
        "INSERT INTO canaries (id, institution, number_index, sealed, authorisation, level, signed, until, entered_by, \
         entered) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(new.institution)
    .bind(index)
    .bind(write.seal(&SEED, id, &Json(seed))?)
    .bind(new.authorisation)
    .bind(new.level.word())
    .bind(new.signed.number())
    .bind(new.until.map(Date::number))
    .bind(clerk.id)
    .bind(unix(now))
    .execute(write.connection())
    .await?;
    write.log(Action("canary.added"), &clerk.code, now, Object::Row("canary", id)).await?;
    Ok(id)
}

/// A second person confirms that there is such a form, signed.
///
/// # Errors
/// [`DispatchError::Rule`] when it is the same person who entered it, it is confirmed already or has ended.
pub async fn confirm(write: &mut Write, id: i64, clerk: &Clerk, now: Time) -> Result<(), DispatchError> {
    let entered_by: Option<Vec<u8>> = sqlx::query_scalar(
        "SELECT person_index FROM canaries JOIN staff ON staff.id = entered_by \
         WHERE canaries.id = ? AND confirmed IS NULL AND ended IS NULL",
    )
    .bind(id)
    .fetch_optional(write.connection())
    .await?;
    let entered_by = entered_by.ok_or(DispatchError::Rule("canary.not_waiting"))?;
    if clerk.same_person(&entered_by) {
        return Err(DispatchError::Rule("dispatch.own_work"));
    }
    sqlx::query("UPDATE canaries SET confirmed = ?, confirmed_by = ? WHERE id = ?")
        .bind(unix(now))
        .bind(clerk.id)
        .bind(id)
        .execute(write.connection())
        .await?;
    write.log(Action("canary.confirmed"), &clerk.code, now, Object::Row("canary", id)).await?;
    Ok(())
}

/// Ends one: it goes on no roster any more, and one that has not left yet is void. Who it was is gone.
///
/// # Errors
/// [`DispatchError::Rule`] when it has ended already.
pub async fn end(write: &mut Write, id: i64, clerk: &Clerk, now: Time) -> Result<(), DispatchError> {
    let nobody = Seed { name: String::new(), kind: 0, number: String::new(), class: 0 };
    let done = sqlx::query(
        "UPDATE canaries SET ended = ?, sealed = ?, number_index = X'' WHERE id = ? AND ended IS NULL",
    )
    .bind(unix(now))
    .bind(write.seal(&SEED, id, &Json(nobody))?)
    .bind(id)
    .execute(write.connection())
    .await?;
    if done.rows_affected() == 0 {
        return Err(DispatchError::Rule("canary.ended_already"));
    }
    write.log(Action("canary.ended"), &clerk.code, now, Object::Row("canary", id)).await?;
    Ok(())
}

/// All, those that count first.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn list(store: &Store) -> Result<Vec<Canary>, Fault> {
    let rows = sqlx::query(
        "SELECT canaries.*, institutions.name AS institution_name, \
         (SELECT count(*) FROM roster_canaries JOIN rosters ON rosters.id = roster \
         WHERE canary = canaries.id AND rosters.state <> 'void') AS asked, last.outcome, openings.at FROM canaries \
         JOIN institutions ON institutions.id = canaries.institution LEFT JOIN canary_results last \
         ON last.canary = canaries.id AND last.opening = (SELECT max(opening) FROM canary_results \
         WHERE canary = canaries.id) LEFT JOIN openings ON openings.id = last.opening \
         ORDER BY canaries.ended IS NOT NULL, canaries.id",
    )
    .fetch_all(store.read())
    .await?;
    let one = |row: &SqliteRow| {
        let id = row.try_get("id")?;
        let Json(seed) = store.open_cell(&SEED, id, row, "sealed")?;
        let outcome: Option<String> = row.try_get("outcome")?;
        Ok(Canary {
            id,
            institution: row.try_get("institution_name")?,
            name: person::mask_name(&seed.name),
            number: person::mask_number(&seed.number),
            authorisation: row.try_get("authorisation")?,
            level: row.try_get("level")?,
            class: seed.class,
            confirmed: row.optional_time("confirmed")?.is_some(),
            ended: row.optional_time("ended")?,
            asked: row.try_get("asked")?,
            last: outcome.zip(row.optional_time("at")?),
        })
    };
    rows.iter().map(one).collect()
}

/// Those that go on a roster.
pub(super) struct Seeds {
    canaries: Vec<i64>,
    /// Their lines of the applicants' file.
    pub(super) lines: Zeroizing<Vec<u8>>,
}

/// Those of an institution that are confirmed, whose form allows `level` today, and who are not on the list as somebody's household.
pub(super) async fn of_roster(
    write: &mut Write,
    institution: i64,
    list: i64,
    level: Level,
    today: Date,
) -> Result<Option<Seeds>, Fault> {
    let rows = sqlx::query(
        "SELECT id, sealed, authorisation, canaries.level, kind FROM canaries \
         JOIN (SELECT id AS of, kind FROM institutions) ON of = institution \
         WHERE institution = ?1 AND confirmed IS NOT NULL AND ended IS NULL AND level >= ?2 AND signed <= ?3 AND (until IS NULL OR until >= ?3) \
         AND NOT EXISTS (SELECT 1 FROM person_numbers JOIN list_people ON list_people.person = person_numbers.person \
         WHERE list = ?4 AND person_numbers.number_index = canaries.number_index) ORDER BY id",
    )
    .bind(institution)
    .bind(level.word())
    .bind(today.number())
    .bind(list)
    .fetch_all(write.connection())
    .await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let (mut canaries, mut lines) = (Vec::new(), Zeroizing::new(Vec::with_capacity(rows.len() * 192)));
    for row in rows {
        let id = row.try_get("id")?;
        let Json(seed) = write.store().open_cell(&SEED, id, &row, "sealed")?;
        let scope = format!("{}:{}", row.try_get::<&str, _>("kind")?, row.try_get::<&str, _>("level")?);
        let form: &str = row.try_get("authorisation")?;
        let cells = [&seed.name, person::hint_word(seed.kind), &seed.number, form, &scope, "", ""];
        lists::line(&mut lines, cells);
        canaries.push(id);
    }
    Ok(Some(Seeds { canaries, lines }))
}

/// Notes who went on a roster.
pub(super) async fn keep(write: &mut Write, roster: i64, seeds: &Seeds) -> Result<(), Fault> {
    sqlx::query("UPDATE rosters SET seeds_sealed = ? WHERE id = ?")
        .bind(write.seal(&LINES, roster, &seeds.lines)?)
        .bind(roster)
        .execute(write.connection())
        .await?;
    for (ordinal, canary) in (0_i64..).zip(&seeds.canaries) {
        sqlx::query("INSERT INTO roster_canaries (roster, ordinal, canary) VALUES (?, ?, ?)")
            .bind(roster)
            .bind(ordinal)
            .bind(canary)
            .execute(write.connection())
            .await?;
    }
    Ok(())
}

/// How many of a roster have ended since it was made.
pub(super) async fn ended(write: &mut Write, roster: i64, today: Date) -> Result<i64, Fault> {
    Ok(sqlx::query_scalar(
        "SELECT count(*) FROM roster_canaries JOIN canaries ON canaries.id = canary \
         WHERE roster = ? AND (ended IS NOT NULL OR until < ?)",
    )
    .bind(roster)
    .bind(today.number())
    .fetch_one(write.connection())
    .await?)
}

/// Holds an answer against what is known, and keeps no more than how it came out. `findings` are those of the lines
/// from `first` on. Gives what coverage is warned of (`answer_warning.…`).
///
/// # Errors
/// [`Fault`] of the database.
pub(crate) async fn judge(
    write: &mut Write,
    roster: i64,
    opening: i64,
    first: u32,
    findings: &BTreeMap<u32, Finding>,
) -> Result<Vec<(String, u64)>, Fault> {
    let rows = sqlx::query(
        "SELECT canaries.id, canaries.sealed, ended, ordinal, rosters.level FROM roster_canaries \
         JOIN canaries ON canaries.id = canary JOIN rosters ON rosters.id = roster WHERE roster = ? ORDER BY ordinal",
    )
    .bind(roster)
    .fetch_all(write.connection())
    .await?;
    let (mut missing, mut amount) = (0, 0);
    for row in rows {
        if row.try_get::<Option<i64>, _>("ended")?.is_some() {
            continue; // took the consent back: nothing is looked at
        }
        let id = row.try_get("id")?;
        let Json(seed) = write.store().open_cell(&SEED, id, &row, "sealed")?;
        let finding = findings.get(&(first + row.try_get::<u32, _>("ordinal")?));
        let outcome = match finding {
            Some(found)
                if found.found
                    && (row.try_get::<&str, _>("level")? == "L0" || class(found) == Some(seed.class)) =>
            {
                "as_known"
            }
            Some(found) if found.found => {
                amount += 1;
                "amount"
            }
            _ => {
                missing += 1;
                "missing"
            }
        };
        sqlx::query("INSERT INTO canary_results (opening, canary, outcome) VALUES (?, ?, ?)")
            .bind(opening)
            .bind(id)
            .bind(outcome)
            .execute(write.connection())
            .await?;
    }
    let warnings = [("canary_missing", missing), ("canary_amount", amount)];
    Ok(warnings.into_iter().filter(|(_, n)| *n > 0).map(|(code, n)| (code.to_owned(), n)).collect())
}

/// The class of what was found, in yuan; nothing where an amount is blank.
fn class(finding: &Finding) -> Option<usize> {
    let owned = finding.totals().filter(|entry| !entry.liability && entry.currency == Currency::CNY);
    let sum = owned.map(|entry| entry.minor).try_fold(0_i64, |sum, minor| sum.checked_add(minor?))?;
    CLASSES.iter().rposition(|least| sum >= *least).or(Some(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::findings::Entry;

    #[test]
    fn amounts_have_classes() {
        let found = |minor: Option<i64>| Finding {
            found: true,
            entries: vec![Entry {
                is_account: false,
                kind: "deposit".to_owned(),
                liability: false,
                currency: Currency::CNY,
                minor,
                accounts: Some(1),
                blank: None,
                oldest: None,
                newest: None,
                account: None,
                product: None,
                status: None,
            }],
            ..Finding::default()
        };
        for (minor, expected) in [
            (0, 0),
            (99_999, 0),
            (100_000, 1),
            (999_999, 1),
            (1_000_000, 2),
            (9_999_999, 2),
            (10_000_000, 3),
            (i64::MAX, 3),
            (-5, 0),
        ] {
            assert_eq!(class(&found(Some(minor))), Some(expected), "{minor}");
        }
        assert_eq!(class(&found(None)), None);
    }
}

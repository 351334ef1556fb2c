//! The end of files whose time is over: one person proposes, another destroys. What is left is the list, the log,
//! and digests; names, numbers, amounts, papers and scans are gone. Row pages are overwritten (`secure_delete`).

use protocol::Time;
use protocol::value::Date;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use zeroize::Zeroizing;

use super::ArchiveError;
use super::file;
use super::retention::{Keep, Rules};
use crate::cases::authorisation::SIGNER;
use crate::cases::person::NAME;
use crate::dispatch::lists::APPLICANTS;
use crate::report::objection::GROUND;
use crate::staff::Clerk;
use crate::store::{Action, Columns as _, Fault, Object, Store, Write, unix};

/// Files on a list at most.
pub const MOST: usize = 500;

/// A destroy list.
#[derive(Debug, Clone)]
pub struct List {
    /// The row.
    pub id: i64,
    /// Its number.
    pub number: String,
    /// `proposed`, `done` or `dropped`.
    pub state: String,
    /// When it was proposed.
    pub made: Time,
    /// By whose account.
    pub made_by: String,
    /// When it was done or dropped.
    pub ended: Option<Time>,
    /// By whose account.
    pub ended_by: Option<String>,
    /// How many files.
    pub files: i64,
}

/// A file on a list.
#[derive(Debug, Clone)]
pub struct Item {
    /// The file's row.
    pub archive: i64,
    /// Its number.
    pub number: String,
    /// The case's.
    pub case_number: String,
    /// `approval` or `daily`.
    pub kind: String,
    /// Its last day.
    pub keep_to: Date,
}

/// Puts the files whose time is over, and that are on no open list, on a new one. `None` when there is none.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn propose(store: &Store, clerk: &Clerk, now: Time) -> Result<Option<i64>, Fault> {
    let (rules, today) = (Rules::read(store).await?, now.date());
    let mut write = store.write().await?;
    let listed: Vec<i64> = sqlx::query_scalar(
        "SELECT archive FROM destroy_items JOIN destroy_lists ON destroy_lists.id = list WHERE state = 'proposed'",
    )
    .fetch_all(write.connection())
    .await?;
    let over: Vec<(i64, Date)> = file::kept_ones(store)
        .await?
        .into_iter()
        .filter(|one| !listed.contains(&one.id))
        .filter_map(|one| match one.keep(rules) {
            Keep::Until(last) if last < today => Some((one.id, last)),
            _ => None,
        })
        .take(MOST)
        .collect();
    if over.is_empty() {
        return Ok(None);
    }
    let year = today.number() / 10_000;
    let running = write.next_id(&format!("destroy-number-{year}")).await?;
    let id = write.next_id("destroy_lists").await?;
    sqlx::query(
        "INSERT INTO destroy_lists (id, number, state, made, made_by) VALUES (?, ?, 'proposed', ?, ?)",
    )
    .bind(id)
    .bind(format!("XH{year}-{running:04}"))
    .bind(unix(now))
    .bind(clerk.id)
    .execute(write.connection())
    .await?;
    for (archive, keep_to) in over {
        sqlx::query("INSERT INTO destroy_items (list, archive, keep_to) VALUES (?, ?, ?)")
            .bind(id)
            .bind(archive)
            .bind(keep_to.number())
            .execute(write.connection())
            .await?;
    }
    write.log(Action("destroy.proposed"), &clerk.code, now, Object::Row("destroy-list", id)).await?;
    write.commit().await?;
    Ok(Some(id))
}

/// Destroys what is on a list. The clerk is another person than whoever proposed it, and every file is over still.
///
/// # Errors
/// [`ArchiveError`]; then nothing is destroyed.
pub async fn carry_out(store: &Store, list: i64, clerk: &Clerk, now: Time) -> Result<(), ArchiveError> {
    let (rules, today) = (Rules::read(store).await?, now.date());
    let mut write = store.write().await?;
    end(&mut write, list, "done", clerk, now).await?;
    for item in items(store, list).await? {
        let one = file::find(store, item.archive).await?.ok_or(Fault::Stored("archives"))?;
        let busy: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM cases WHERE id = ? AND state NOT IN ('archived', 'terminated')",
        )
        .bind(one.case)
        .fetch_one(write.connection())
        .await?;
        if one.destroyed.is_some() || one.superseded || busy > 0 || !one.keep(rules).is_over(today) {
            return Err(ArchiveError::Rule("destroy.not_over"));
        }
        of_case(&mut write, one.case, now).await?;
        let object = Object::Document("archive", one.id, one.digest);
        write.log(Action("archive.destroyed"), &clerk.code, now, object).await?;
    }
    rosters(&mut write).await?;
    people(&mut write).await?;
    write.log(Action("destroy.done"), &clerk.code, now, Object::Row("destroy-list", list)).await?;
    write.commit().await?;
    Ok(())
}

/// Drops a list: nothing is destroyed.
///
/// # Errors
/// [`ArchiveError`].
pub async fn drop_list(store: &Store, list: i64, clerk: &Clerk, now: Time) -> Result<(), ArchiveError> {
    let mut write = store.write().await?;
    end(&mut write, list, "dropped", clerk, now).await?;
    write.log(Action("destroy.dropped"), &clerk.code, now, Object::Row("destroy-list", list)).await?;
    write.commit().await?;
    Ok(())
}

async fn end(
    write: &mut Write,
    list: i64,
    state: &'static str,
    clerk: &Clerk,
    now: Time,
) -> Result<(), ArchiveError> {
    let maker: Option<Vec<u8>> = sqlx::query_scalar(
        "SELECT person_index FROM destroy_lists JOIN staff ON staff.id = made_by WHERE destroy_lists.id = ?",
    )
    .bind(list)
    .fetch_optional(write.connection())
    .await?;
    let maker = maker.ok_or(ArchiveError::Rule("refused.not_found"))?;
    if state == "done" && clerk.same_person(&maker) {
        return Err(ArchiveError::Rule("destroy.own_work"));
    }
    let done = sqlx::query(
        "UPDATE destroy_lists SET state = ?, ended = ?, ended_by = ? WHERE id = ? AND state = 'proposed'",
    )
    .bind(state)
    .bind(unix(now))
    .bind(clerk.id)
    .bind(list)
    .execute(write.connection())
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(ArchiveError::Rule("destroy.ended")) }
}

/// Everything that is of one case alone.
async fn of_case(write: &mut Write, case: i64, now: Time) -> Result<(), Fault> {
    for statement in [
        "DELETE FROM scans WHERE kind = 'commission' AND owner = ?1",
        "DELETE FROM scans WHERE kind = 'objection' AND owner IN (SELECT id FROM objections WHERE case_id = ?1)",
        "DELETE FROM scans WHERE kind = 'evidence' AND owner IN (SELECT id FROM exclusions WHERE case_id = ?1)",
        "DELETE FROM exclusions WHERE case_id = ?1",
        "DELETE FROM declarations WHERE case_id = ?1",
        "DELETE FROM findings WHERE case_id = ?1",
        "UPDATE reviews SET content_sealed = NULL WHERE case_id = ?1",
        "UPDATE reports SET pdf_sealed = NULL, document_sealed = NULL WHERE case_id = ?1",
        "UPDATE objections SET outcome_sealed = NULL WHERE case_id = ?1",
        "UPDATE events SET note_sealed = NULL WHERE case_id = ?1",
        "DELETE FROM archive_files WHERE archive IN (SELECT id FROM archives WHERE case_id = ?1)",
    ] {
        sqlx::query(statement).bind(case).execute(write.connection()).await?;
    }
    sqlx::query("UPDATE archives SET document_sealed = NULL, destroyed = ? WHERE case_id = ?")
        .bind(unix(now))
        .bind(case)
        .execute(write.connection())
        .await?;
    let objections: Vec<i64> = sqlx::query_scalar("SELECT id FROM objections WHERE case_id = ?")
        .bind(case)
        .fetch_all(write.connection())
        .await?;
    for id in objections {
        let nothing = write.seal(&GROUND, id, &String::new())?;
        sqlx::query("UPDATE objections SET ground_sealed = ? WHERE id = ?")
            .bind(nothing)
            .bind(id)
            .execute(write.connection())
            .await?;
    }
    Ok(())
}

/// Rosters and answers all of whose cases are destroyed: their documents go. Other households' stay with theirs.
async fn rosters(write: &mut Write) -> Result<(), Fault> {
    let empty: Vec<i64> = sqlx::query_scalar(
        "SELECT id FROM rosters WHERE document <> X'' AND batch NOT IN (SELECT id FROM batches WHERE trial = 1) AND NOT EXISTS (SELECT 1 FROM roster_people WHERE \
         roster = rosters.id AND case_id NOT IN (SELECT case_id FROM archives WHERE destroyed IS NOT NULL))",
    )
    .fetch_all(write.connection())
    .await?;
    for id in empty {
        for statement in [
            "UPDATE openings SET source_sealed = NULL WHERE answer IN (SELECT id FROM answers WHERE roster = ?1)",
            "UPDATE answers SET document = X'' WHERE roster = ?1",
            "UPDATE rosters SET document = X'', seeds_sealed = NULL WHERE id = ?1",
        ] {
            sqlx::query(statement).bind(id).execute(write.connection()).await?;
        }
    }
    let empty: Vec<i64> = sqlx::query_scalar(
        "SELECT id FROM lists WHERE EXISTS (SELECT 1 FROM rosters WHERE list = lists.id) \
         AND NOT EXISTS (SELECT 1 FROM rosters WHERE list = lists.id AND document <> X'')",
    )
    .fetch_all(write.connection())
    .await?;
    for id in empty {
        let nothing = write.seal(&APPLICANTS, id, &Zeroizing::new(Vec::new()))?;
        sqlx::query("UPDATE lists SET applicants_sealed = ? WHERE id = ?")
            .bind(nothing)
            .bind(id)
            .execute(write.connection())
            .await?;
    }
    Ok(())
}

/// Authorisations and people that no case which is kept needs any more.
async fn people(write: &mut Write) -> Result<(), Fault> {
    const OF_A_DESTROYED_ONE: &str = "EXISTS (SELECT 1 FROM members JOIN archives ON archives.case_id = members.case_id \
        WHERE members.person = {of} AND destroyed IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM members WHERE \
        members.person = {of} AND case_id NOT IN (SELECT case_id FROM archives WHERE destroyed IS NOT NULL))";
    let gone = OF_A_DESTROYED_ONE.replace("{of}", "people.id");
    let gone: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "SELECT people.id FROM people WHERE {gone} AND EXISTS (SELECT 1 FROM person_numbers WHERE person = people.id)"
    )))
    .fetch_all(write.connection())
    .await?;
    for id in gone {
        let nothing = write.seal(&NAME, id, &String::new())?;
        sqlx::query("UPDATE people SET name_sealed = ? WHERE id = ?")
            .bind(nothing)
            .bind(id)
            .execute(write.connection())
            .await?;
        for statement in [
            "DELETE FROM person_numbers WHERE person = ?1",
            "DELETE FROM scans WHERE kind = 'authorisation' AND owner IN (SELECT id FROM authorisations WHERE person = ?1)",
        ] {
            sqlx::query(statement).bind(id).execute(write.connection()).await?;
        }
        let authorisations: Vec<i64> = sqlx::query_scalar("SELECT id FROM authorisations WHERE person = ?")
            .bind(id)
            .fetch_all(write.connection())
            .await?;
        for id in authorisations {
            let nothing = write.seal(&SIGNER, id, &String::new())?;
            sqlx::query("UPDATE authorisations SET signer_sealed = ? WHERE id = ?")
                .bind(nothing)
                .bind(id)
                .execute(write.connection())
                .await?;
        }
    }
    Ok(())
}

/// The lists, newest first.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn lists(store: &Store, only: Option<i64>) -> Result<Vec<List>, Fault> {
    let rows = sqlx::query(
        "SELECT destroy_lists.*, maker.code AS maker, ender.code AS ender, \
         (SELECT count(*) FROM destroy_items WHERE list = destroy_lists.id) AS files FROM destroy_lists \
         JOIN staff AS maker ON maker.id = made_by LEFT JOIN staff AS ender ON ender.id = ended_by \
         WHERE ?1 IS NULL OR destroy_lists.id = ?1 ORDER BY destroy_lists.id DESC LIMIT 200",
    )
    .bind(only)
    .fetch_all(store.read())
    .await?;
    let one = |row: &SqliteRow| {
        Ok(List {
            id: row.try_get("id")?,
            number: row.try_get("number")?,
            state: row.try_get("state")?,
            made: row.time("made")?,
            made_by: row.try_get("maker")?,
            ended: row.optional_time("ended")?,
            ended_by: row.try_get("ender")?,
            files: row.try_get("files")?,
        })
    };
    rows.iter().map(one).collect()
}

/// What is on a list.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn items(store: &Store, list: i64) -> Result<Vec<Item>, Fault> {
    let rows = sqlx::query(
        "SELECT archive, keep_to, archives.number, archives.kind, coalesce(cases.number, cases.commission) \
         AS case_number FROM destroy_items JOIN archives ON archives.id = archive \
         JOIN cases ON cases.id = archives.case_id WHERE list = ? ORDER BY archives.number",
    )
    .bind(list)
    .fetch_all(store.read())
    .await?;
    let one = |row: &SqliteRow| {
        Ok(Item {
            archive: row.try_get("archive")?,
            number: row.try_get("number")?,
            case_number: row.try_get("case_number")?,
            kind: row.try_get("kind")?,
            keep_to: row.day("keep_to")?,
        })
    };
    rows.iter().map(one).collect()
}

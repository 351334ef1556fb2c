//! Opening answers: two key officers unlock, each with the own key file and passphrase, within ten minutes of
//! each other. The first one's key waits in memory and nowhere else; both are wiped when the work is done. An
//! answer's content key is sealed to each pair by nested HPKE (SPEC §6.1), so one key alone opens nothing.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use desk::table::{Entry as RowEntry, ResultRow};
use desk::{OpenError, Question, ResultTable, open_answers};
use protocol::agreement::Agreement as Terms;
use protocol::key_file::{KeyFile, Role as KeyRole};
use protocol::secret::OpeningKey;
use protocol::slot::AssetKind;
use protocol::{Code, Document, Time};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use zeroize::Zeroizing;

use super::ReviewError;
use super::findings::{Entry, FINDING, Finding, Looked, SOURCE, Signed, signed};
use crate::console::Console;
use crate::dispatch::{agreement, canary, department, lists, trial};
use crate::jobs::Job;
use crate::staff::{Clerk, Role, account};
use crate::store::{Action, Columns as _, Fault, Json, Object, Store, unix};

/// Seconds that a key waits for the second one.
pub const WAITS: u64 = 600;
/// Bytes of a key file at most.
pub const MAX_KEY_FILE: usize = 16 << 10;
/// Rows of findings in one statement.
const STRIDE: usize = 500;

/// A key officer who has unlocked.
pub struct Unlocked {
    /// The account's row.
    pub staff: i64,
    /// The account's code.
    pub code: Code,
    person: Vec<u8>,
    key: OpeningKey,
    until: u64,
}

impl fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unlocked({}, ..)", self.code)
    }
}

/// The first officers' keys, by batch, while they wait for the second ones. In memory alone.
#[derive(Debug, Default)]
pub struct Unlocks(Mutex<HashMap<i64, Unlocked>>);

/// What an unlocking led to.
#[derive(Debug)]
pub enum Step {
    /// The first key; it waits for the second.
    First,
    /// Both are here.
    Both(Box<[Unlocked; 2]>),
}

impl Unlocks {
    /// The account that waits for a second one at a batch.
    pub fn waiting(&self, batch: i64, now: Time) -> Option<(i64, Code)> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, held| held.until > now.unix()); // dropped is wiped
        all.get(&batch).map(|held| (held.staff, held.code.clone()))
    }

    /// Takes an officer's key back.
    pub fn withdraw(&self, batch: i64, staff: i64) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.get(&batch).is_some_and(|held| held.staff == staff);
        if own {
            all.remove(&batch);
        }
        own
    }

    fn add(&self, batch: i64, second: Unlocked, now: Time) -> Result<Step, ReviewError> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, held| held.until > now.unix());
        match all.remove(&batch) {
            Some(first) if first.person == second.person || first.key.public() == second.key.public() => {
                all.insert(batch, first);
                Err(ReviewError::Rule("opening.same_officer"))
            }
            Some(first) => Ok(Step::Both(Box::new([first, second]))),
            None => {
                all.insert(batch, second);
                Ok(Step::First)
            }
        }
    }
}

/// Unlocks an officer's key for a batch. What was uploaded and typed is the caller's to wipe.
///
/// # Errors
/// [`ReviewError`]: not the account's own key, a wrong passphrase, one officer twice; the refusal is logged.
pub async fn unlock(
    console: &Console,
    batch: i64,
    clerk: &Clerk,
    file: &[u8],
    passphrase: Zeroizing<String>,
) -> Result<Step, ReviewError> {
    let now = console.now()?;
    let found = match own_key(console, clerk, file, passphrase).await {
        Ok(key) => {
            let unlocked = Unlocked {
                staff: clerk.id,
                code: clerk.code.clone(),
                person: clerk.person.clone(),
                key,
                until: now.unix() + WAITS,
            };
            console.unlocks().add(batch, unlocked, now)
        }
        Err(error) => Err(error),
    };
    let found = match found {
        Ok(Step::Both(pair)) => still_officer(console, &pair).await.map(|()| Step::Both(pair)),
        other => other,
    };
    if let Ok(Step::First) = &found {
        // Wiped in time even when nobody looks at it again.
        let console = console.clone();
        tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_secs(WAITS + 1)).await;
            if let Ok(now) = console.now() {
                console.unlocks().waiting(batch, now);
            }
        });
    }
    let action = match &found {
        Ok(_) => "officer.unlocked",
        Err(ReviewError::Rule(_)) => "officer.refused",
        Err(ReviewError::Fault(_)) => return found,
    };
    let mut write = console.store().write().await?;
    write.log(Action(action), &clerk.code, now, Object::Row("batch", batch)).await?;
    write.commit().await?;
    found
}

/// The key in a file, when it is the one of the clerk's account.
async fn own_key(
    console: &Console,
    clerk: &Clerk,
    file: &[u8],
    passphrase: Zeroizing<String>,
) -> Result<OpeningKey, ReviewError> {
    let file = KeyFile::read(file).map_err(|_| ReviewError::Rule("opening.no_key_file"))?;
    let account = account::find(console.store(), clerk.id).await?.ok_or(Fault::Stored("staff"))?;
    if file.role != KeyRole::Officer || account.officer_key != Some(file.sealing_key) {
        return Err(ReviewError::Rule("opening.wrong_key"));
    }
    // Argon2id takes its time: off the threads that serve requests.
    let keys = tokio::task::spawn_blocking(move || file.unlock(passphrase.as_bytes()))
        .await
        .map_err(|_| Fault::Stored("key file"))?;
    keys.map(|keys| keys.opening).map_err(|_| ReviewError::Rule("opening.passphrase"))
}

/// Whether the first officer may still open: the account may have been shut or changed while the key waited.
async fn still_officer(console: &Console, [first, _]: &[Unlocked; 2]) -> Result<(), ReviewError> {
    let account = account::find(console.store(), first.staff).await?;
    let good = |a: account::Account| {
        a.active && a.roles.has(Role::Officer) && a.officer_key == Some(first.key.public())
    };
    if account.is_some_and(good) { Ok(()) } else { Err(ReviewError::Rule("opening.no_officer")) }
}

/// An answer that can be opened.
#[derive(Debug)]
pub struct ToOpen {
    /// The answer's row.
    pub answer: i64,
    /// The roster's row.
    pub roster: i64,
    /// The institution's name.
    pub institution: String,
    /// The answer's version.
    pub version: i64,
    /// How many people it is about.
    pub people: i64,
    /// When it came.
    pub received: Time,
}

/// The answers to a batch's rosters that are not opened yet, of each roster the highest version.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn to_open(store: &Store, batch: i64) -> Result<Vec<ToOpen>, Fault> {
    let rows = sqlx::query(
        "SELECT answers.id, answers.roster, answers.version, answers.received, rosters.people, institutions.name \
         FROM answers JOIN rosters ON rosters.id = answers.roster \
         JOIN institutions ON institutions.id = rosters.institution \
         WHERE rosters.batch = ? AND NOT EXISTS (SELECT 1 FROM openings WHERE answer = answers.id) \
         AND version = (SELECT max(version) FROM answers later WHERE later.roster = answers.roster) \
         ORDER BY institutions.code, rosters.serial",
    )
    .bind(batch)
    .fetch_all(store.read())
    .await?;
    let one = |row: &SqliteRow| {
        Ok(ToOpen {
            answer: row.try_get("id")?,
            roster: row.try_get("roster")?,
            institution: row.try_get("name")?,
            version: row.try_get("version")?,
            people: row.try_get("people")?,
            received: row.time("received")?,
        })
    };
    rows.iter().map(one).collect()
}

/// A batch with answers, for the list.
#[derive(Debug)]
pub struct BatchAnswers {
    /// The batch's row.
    pub batch: i64,
    /// Its number.
    pub number: String,
    /// Rosters with an answer.
    pub answered: i64,
    /// Answers that can be opened.
    pub to_open: i64,
}

/// The batches with answers, those with something to open first.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn batches(store: &Store, skip: i64, limit: i64) -> Result<(Vec<BatchAnswers>, i64), Fault> {
    let rows = sqlx::query(
        "SELECT batches.id, batches.number, count(DISTINCT answers.roster) AS answered, \
         count(DISTINCT CASE WHEN openings.id IS NULL AND answers.version = \
         (SELECT max(version) FROM answers later WHERE later.roster = answers.roster) THEN answers.id END) AS to_open \
         FROM batches JOIN rosters ON rosters.batch = batches.id JOIN answers ON answers.roster = rosters.id \
         LEFT JOIN openings ON openings.answer = answers.id \
         GROUP BY batches.id ORDER BY to_open > 0 DESC, batches.id DESC LIMIT ? OFFSET ?",
    )
    .bind(limit)
    .bind(skip)
    .fetch_all(store.read())
    .await?;
    let one = |row: &SqliteRow| {
        Ok::<_, Fault>(BatchAnswers {
            batch: row.try_get("id")?,
            number: row.try_get("number")?,
            answered: row.try_get("answered")?,
            to_open: row.try_get("to_open")?,
        })
    };
    let total = sqlx::query_scalar(
        "SELECT count(DISTINCT batch) FROM rosters JOIN answers ON answers.roster = rosters.id",
    )
    .fetch_one(store.read())
    .await?;
    Ok((rows.iter().map(one).collect::<Result<_, _>>()?, total))
}

/// Opens what a batch has to open, an answer a transaction: what was opened stays when the next one can't be. Both
/// keys are wiped at the end. Gives how many were opened and how many refused.
///
/// # Errors
/// [`ReviewError`]; `opening.other_officers` when the two are not a pair that a roster was made for.
pub async fn open_batch(
    console: &Console,
    batch: i64,
    officers: Box<[Unlocked; 2]>,
    job: &Job,
) -> Result<(usize, usize), ReviewError> {
    let waiting = to_open(console.store(), batch).await?;
    let officers = Arc::new(*officers);
    let (mut opened, mut refused) = (0, 0);
    for (done, one) in waiting.iter().enumerate() {
        job.step(done, waiting.len());
        if open_one(console, one, &officers).await? {
            opened += 1;
        } else {
            refused += 1;
        }
    }
    job.step(waiting.len(), waiting.len());
    Ok((opened, refused))
}

/// Opens one answer and keeps what it says; `false` when it was refused.
async fn open_one(
    console: &Console,
    one: &ToOpen,
    officers: &Arc<[Unlocked; 2]>,
) -> Result<bool, ReviewError> {
    let store = console.store();
    let row = sqlx::query(
        "SELECT rosters.document, rosters.agreement, answers.document AS answer \
         FROM answers JOIN rosters ON rosters.id = answers.roster WHERE answers.id = ?",
    )
    .bind(one.answer)
    .fetch_one(store.read())
    .await?;
    let applicants = lists::file_of(store, one.roster).await?;
    let terms = Document::<Terms>::read(&agreement::document(store, row.try_get("agreement")?).await?)
        .map_err(Fault::Own)?;
    let (document, answer): (Vec<u8>, Vec<u8>) = (row.try_get("document")?, row.try_get("answer")?);
    let (shared, keys) = (console.clone(), Arc::clone(officers));
    let opened = tokio::task::spawn_blocking(move || {
        let centre = shared.config().centre.as_ref().ok_or(Refused::Rule("dispatch.no_centre"))?;
        let question = Question::read(&document, &[terms], &applicants).map_err(|_| Refused::Own)?;
        let [a, b] = &*keys;
        let opened = open_answers(&[question], vec![answer], &centre.keys.opening, &[&a.key, &b.key]);
        opened.map_err(|error| match error {
            OpenError::Officers => Refused::Rule("opening.other_officers"),
            OpenError::Answer { .. } => Refused::Answer("damaged"),
            _ => Refused::Own,
        })
    })
    .await
    .map_err(|_| Fault::Stored("answers"))?;
    let opened = opened.and_then(|table| {
        // More than was agreed: nothing of it is kept, and the institution has to answer anew.
        let too_much = table.warnings.iter().any(|w| w.code == desk::table::WarningCode::NotAsked);
        if too_much { Err(Refused::Answer("not_asked")) } else { Ok(table) }
    });
    match opened {
        Ok(table) => keep(console, one, officers, Ok(table)).await.map(|()| true),
        Err(Refused::Answer(code)) => keep(console, one, officers, Err(code)).await.map(|()| false),
        Err(Refused::Rule(key)) => Err(ReviewError::Rule(key)),
        Err(Refused::Own) => Err(Fault::Stored("rosters").into()),
    }
}

enum Refused {
    Rule(&'static str),
    Answer(&'static str),
    Own,
}

/// Keeps what an answer says, or why it was refused, in one transaction; both officers stand in the log.
async fn keep(
    console: &Console,
    one: &ToOpen,
    officers: &[Unlocked; 2],
    what: Result<ResultTable, &'static str>,
) -> Result<(), ReviewError> {
    let (store, now) = (console.store(), console.now()?);
    let [first, second] = officers;
    let mut write = store.write().await?;
    let known: Option<i64> = sqlx::query_scalar("SELECT id FROM openings WHERE answer = ?")
        .bind(one.answer)
        .fetch_optional(write.connection())
        .await?;
    if known.is_some() {
        return Ok(()); // another pair was faster
    }
    let id = write.next_id("openings").await?;
    sqlx::query(
        "INSERT INTO openings (id, answer, first_officer, second_officer, at, code) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(one.answer)
    .bind(first.staff)
    .bind(second.staff)
    .bind(unix(now))
    .bind(what.as_ref().err())
    .execute(write.connection())
    .await?;
    let action = Action(if what.is_ok() { "answer.opened" } else { "answer.refused" });
    if let Ok(table) = what {
        let asked = sqlx::query(
            "SELECT roster_people.person, case_id, end_code FROM roster_people \
             JOIN authorisations ON authorisations.id = authorisation WHERE roster = ? ORDER BY ordinal",
        )
        .bind(one.roster)
        .fetch_all(write.connection())
        .await?;
        let mut looked = looked(&table)?;
        let mut findings = by_row(table.rows);
        if let Some(content) = department::content_of(store, one.roster).await? {
            // A row of a department is what its agreement says it hands over.
            let entries = findings.values_mut().flat_map(|finding| &mut finding.entries);
            entries.filter(|entry| entry.kind == "other").for_each(|entry| entry.kind.clone_from(&content));
        }
        let count = i64::try_from(asked.len()).unwrap_or(i64::MAX);
        let first_id = write.take_ids("findings", count).await?;
        let mut cells = Vec::with_capacity(asked.len());
        // Line n + 2 of the applicants' file is ordinal n.
        for ((line, row), id) in (2_u32..).zip(&asked).zip(first_id..) {
            let finding = findings.remove(&line).ok_or(Fault::Stored("rosters.applicants"))?;
            let withdrawn = row.try_get::<Option<String>, _>("end_code")?.as_deref() == Some("withdrawn");
            let finding = if withdrawn { Finding { withdrawn: true, ..Finding::default() } } else { finding };
            let (case, person): (i64, i64) = (row.try_get("case_id")?, row.try_get("person")?);
            cells.push((id, case, person, write.seal(&FINDING, id, &Json(finding))?));
        }
        for part in cells.chunks(STRIDE) {
            let mut insert =
                sqlx::QueryBuilder::new("INSERT INTO findings (id, opening, case_id, person, sealed) ");
            insert.push_values(part, |mut row, (finding, case, person, sealed)| {
                row.push_bind(finding).push_bind(id).push_bind(case).push_bind(person).push_bind(sealed);
            });
            insert.build().execute(write.connection()).await?;
        }
        // What is left is about nobody of a household: people who do not exist, or accounts that are known.
        if !trial::keep(&mut write, one.roster, id, &findings).await? {
            let first = u32::try_from(asked.len()).map_err(|_| Fault::Stored("lists"))? + 2;
            let warnings = canary::judge(&mut write, one.roster, id, first, &findings).await?;
            looked.warnings.extend(warnings);
        }
        sqlx::query("UPDATE openings SET source_sealed = ? WHERE id = ?")
            .bind(write.seal(&SOURCE, id, &Json(looked))?)
            .bind(id)
            .execute(write.connection())
            .await?;
    }
    let digest: Vec<u8> = sqlx::query_scalar("SELECT digest FROM answers WHERE id = ?")
        .bind(one.answer)
        .fetch_one(write.connection())
        .await?;
    let digest = digest.try_into().map(protocol::Digest).map_err(|_| Fault::Stored("answers.digest"))?;
    for officer in officers {
        write.log(action, &officer.code, now, Object::Document("answer", one.answer, digest)).await?;
    }
    write.commit().await?;
    Ok(())
}

fn looked(table: &ResultTable) -> Result<Looked, Fault> {
    let answer = table.coverage.first().and_then(|c| c.answer.as_ref()).ok_or(Fault::Stored("answers"))?;
    let warnings = table.warnings.iter().map(|warning| {
        let code = match warning.code {
            desk::table::WarningCode::DecoyAnswered => "decoy",
            desk::table::WarningCode::NotAsked => "not_asked",
            desk::table::WarningCode::UnknownNumber => "unknown_number",
            desk::table::WarningCode::Late => "late",
        };
        (code.to_owned(), u64::try_from(warning.count).unwrap_or(u64::MAX))
    });
    Ok(Looked {
        created: answer.created,
        module_release: answer.module_release,
        module_sha256: answer.module_sha256,
        statement: answer.statement.clone(),
        warnings: warnings.collect(),
    })
}

/// What a table says of each line of the applicants' file.
fn by_row(rows: Vec<ResultRow>) -> BTreeMap<u32, Finding> {
    let mut all: BTreeMap<u32, Finding> = BTreeMap::new();
    let join = |into: &mut Vec<String>, more: &mut dyn Iterator<Item = String>| {
        for word in more {
            if !into.contains(&word) {
                into.push(word);
            }
        }
    };
    for row in rows {
        let finding = all.entry(row.applicant_row).or_default();
        finding.found = row.found == Some(true);
        finding.over_line = row.over_line;
        join(&mut finding.name_flags, &mut row.name_flags.iter().map(|flag| (*flag).to_owned()));
        join(&mut finding.matched, &mut row.matched.iter().cloned());
        let is_account = row.entry == RowEntry::Account;
        if !is_account {
            join(&mut finding.notes, &mut row.notes.iter().map(|note| (*note).to_owned()));
        }
        let (Some(kind), Some(currency)) = (row.kind, row.currency) else { continue };
        let owed = AssetKind::ALL.into_iter().any(|known| known.name() == kind && known.is_liability());
        finding.entries.push(Entry {
            is_account,
            kind: kind.to_owned(),
            liability: owed,
            currency,
            // Accounts without an amount add nothing: where there are no others, their sum is not known to be zero.
            minor: row.minor.filter(|minor| *minor != 0 || row.blank.unwrap_or(0) == 0),
            accounts: row.accounts,
            blank: row.blank,
            oldest: row.oldest,
            newest: row.newest,
            account: row.account,
            product: row.product,
            status: row.status.map(str::to_owned),
        });
    }
    all
}

/// An answer that was opened, or refused when it was, with both names.
#[derive(Debug)]
pub struct WasOpened {
    /// The institution's name.
    pub institution: String,
    /// The answer's version.
    pub version: i64,
    /// When.
    pub at: Time,
    /// Who.
    pub officers: [Signed; 2],
    /// Why it was refused (`answer_refused.…`).
    pub refused: Option<String>,
}

/// The answers of a batch that were opened, newest first.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn opened(store: &Store, batch: i64) -> Result<Vec<WasOpened>, Fault> {
    let rows = sqlx::query(
        "SELECT openings.*, institutions.name, answers.version FROM openings \
         JOIN answers ON answers.id = openings.answer JOIN rosters ON rosters.id = answers.roster \
         JOIN institutions ON institutions.id = rosters.institution WHERE rosters.batch = ? \
         ORDER BY openings.id DESC",
    )
    .bind(batch)
    .fetch_all(store.read())
    .await?;
    let mut all = Vec::new();
    for row in rows {
        all.push(WasOpened {
            institution: row.try_get("name")?,
            version: row.try_get("version")?,
            at: row.time("at")?,
            officers: [
                signed(store, row.try_get("first_officer")?).await?,
                signed(store, row.try_get("second_officer")?).await?,
            ],
            refused: row.try_get("code")?,
        });
    }
    Ok(all)
}

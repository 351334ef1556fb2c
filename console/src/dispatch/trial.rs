//! Test mode: a roster of people who do not exist, to try the way to an institution and back. The institution gets a
//! file of customers for it, with some of these people in; the answer is held against that file. A trial is a batch
//! without cases: what it asks and hears joins no case, no counter and no report.

use std::collections::BTreeMap;

use desk::Applicants;
use protocol::Time;
use protocol::roster::Level;
use protocol::value::{Currency, Date, Text};
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use zeroize::Zeroizing;

use super::agreement::Institution;
use super::batch::Batch;
use super::error::DispatchError;
use super::lists;
use super::making::{self, Ground, Made};
use crate::console::Console;
use crate::review::findings::Finding;
use crate::staff::Clerk;
use crate::store::{Action, Column, Columns as _, Fault, Json, Object, Store, Write, unix};

const PEOPLE: Column<Json<Vec<Nobody>>> = Column::new("trials.people");
const RESULTS: Column<Json<Vec<Finding>>> = Column::new("trial_results.results");

/// How many people a trial asks about.
pub const HEADS: usize = 12;
/// So many of them the institution is to hold accounts of.
const HOLD: usize = 8;
/// What the roster says it is for.
const PURPOSE: &str = "联调测试：名册上全部是虚构人员，不得用于业务";
/// Provinces have codes from 11 on, and none is 20: no such number was ever given out.
const AREA: u32 = 200_101;

/// Somebody who does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nobody {
    /// The name on the roster.
    pub name: String,
    /// A number that passes every check, of an area that does not exist.
    pub number: String,
    /// What the institution is to hold, in fen; nothing for those it must not find.
    pub minor: Option<i64>,
    /// The name in the institution's file, where it is another one.
    pub held_as: Option<String>,
}

/// How a person's line of the answer compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As the file says.
    Good,
    /// Not found, and the file has it.
    Missing,
    /// Found, and the file has nobody of the kind.
    Invented,
    /// Another amount.
    Amount,
    /// The other name was not noticed, or a name was thought another one.
    Name,
}

impl Verdict {
    /// Its name in the dictionary (`trial.…`).
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Missing => "missing",
            Self::Invented => "invented",
            Self::Amount => "amount",
            Self::Name => "name",
        }
    }
}

/// A trial as lists show it.
#[derive(Debug)]
pub struct Trial {
    /// The batch.
    pub batch: i64,
    /// Its number.
    pub number: String,
    /// The institution's name.
    pub institution: String,
    /// The roster.
    pub roster: i64,
    /// How much was asked.
    pub level: String,
    /// The roster's state (`roster.…`).
    pub state: String,
    /// When it was made.
    pub made: Time,
    /// The opening of the last answer, when there is one.
    pub opening: Option<i64>,
}

/// Makes a trial and its roster, in one transaction. It goes out, comes back and is opened as any other.
///
/// # Errors
/// [`DispatchError`]; then nothing has changed.
pub async fn make(
    console: &Console,
    institution: &Institution,
    level: Level,
    clerk: &Clerk,
) -> Result<i64, DispatchError> {
    let (store, now) = (console.store(), console.now()?);
    let today = now.date();
    let Ground { centre, kept, terms, groups } = making::ground(console, institution, level, today).await?;
    let people = people(store)?;
    let file = applicants(&people, &institution.kind, level);

    let mut write = store.write().await?;
    let year = today.number() / 10_000;
    let batch = write.next_id("batches").await?;
    let running = write.next_id(&format!("trial-number-{year}")).await?;
    let number = format!("CS{year}-{running:04}");
    sqlx::query(
        "INSERT INTO batches (id, number, as_of, state, made_by, made, trial) VALUES (?, ?, ?, 'dispatched', ?, ?, 1)",
    )
    .bind(batch)
    .bind(&number)
    .bind(today.number())
    .bind(clerk.id)
    .bind(unix(now))
    .execute(write.connection())
    .await?;
    sqlx::query("INSERT INTO trials (batch, institution, sealed) VALUES (?, ?, ?)")
        .bind(batch)
        .bind(institution.id)
        .bind(write.seal(&PEOPLE, batch, &Json(people.clone()))?)
        .execute(write.connection())
        .await?;
    let mark = lists::mark(&write, &file, &[]);
    let list = lists::add(&mut write, batch, &mark, &file, &[]).await?;
    let serial = making::next_serial(&mut write, institution).await?;
    let of = Batch {
        id: batch,
        number,
        as_of: today,
        income: None,
        dispatched: true,
        trial: true,
        made: now,
        cases: 0,
    };
    let mut request = making::request(&terms, level, groups, serial, &of, now)?;
    request.purpose = PURPOSE.parse::<Text>()?;
    let entropy = protocol::secret::Entropy::new(&*store.random::<32>()?).map_err(|_| Fault::Randomness)?;
    let applicants = Applicants::read(&file, today).map_err(|_| Fault::Stored("trials"))?;
    let document = making::make_document(&request, &terms, &applicants, centre, &entropy)?;
    let count = i64::try_from(people.len()).unwrap_or(i64::MAX);
    let made = Made { batch, list, people: count, level, serial, expires: request.expires, document };
    let id = making::add(&mut write, institution, kept, &made, clerk, now).await?;
    write.log(Action("trial.made"), &clerk.code, now, Object::Row("batch", batch)).await?;
    making::sign(&mut write, id, &made, centre, clerk, now).await?;
    write.commit().await?;
    Ok(batch)
}

/// Draws the people of a trial: no two alike, and none that could exist.
fn people(store: &Store) -> Result<Vec<Nobody>, Fault> {
    const SURNAMES: [&str; HEADS] = ["甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬", "癸", "子", "丑"];
    let drawn = store.random::<{ HEADS * 8 }>()?;
    let people = SURNAMES.iter().zip(drawn.chunks_exact(8)).zip(0_u32..);
    Ok(people
        .map(|((name, bytes), at)| {
            let random = bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
            let day = u32::try_from(random % 28).unwrap_or_default() + 1;
            // The sequence number tells them apart.
            let sequence = at * 80 + u32::try_from(random / 28 % 80).unwrap_or_default() + 1;
            let held = usize::try_from(at).is_ok_and(|at| at < HOLD);
            let minor = held.then(|| i64::try_from(random / 2_240 % 50_000_000).unwrap_or_default() + 1);
            Nobody {
                name: format!("测试{name}"),
                number: with_check_digit(&format!("{AREA}190101{day:02}{sequence:03}")),
                minor,
                held_as: (at == 0).then(|| "测试易名".to_owned()),
            }
        })
        .collect())
}

/// The number with its check digit (GB 11643, MOD 11-2).
fn with_check_digit(body: &str) -> String {
    let sum = body.bytes().rev().zip(1_u32..).fold(0, |sum, (digit, place)| {
        sum + u32::from(digit.wrapping_sub(b'0')) * (0..place).fold(1, |power, _| power * 2 % 11)
    });
    let check = (12 - sum % 11) % 11;
    let digit = if check == 10 { 'X' } else { char::from_digit(check, 10).unwrap_or('0') };
    format!("{body}{digit}")
}

fn applicants(people: &[Nobody], kind: &str, level: Level) -> Zeroizing<Vec<u8>> {
    let mut file = lists::empty(people.len());
    let scope = format!("{kind}:{}", level.word());
    for (one, at) in people.iter().zip(1..) {
        let form = format!("CS-{at:04}");
        lists::line(&mut file, [&one.name, "", &one.number, &form, &scope, "CS-0001", ""]);
    }
    file
}

/// The file of customers that the institution uses for the trial, as CSV.
pub fn customers(people: &[Nobody], day: Date) -> String {
    let mut file = String::from("\u{FEFF}客户姓名,证件号码,账号,账户类型,币种,账户余额,余额日期\n");
    for (one, at) in people.iter().zip(1..) {
        if let Some(minor) = one.minor {
            let name = one.held_as.as_ref().unwrap_or(&one.name);
            let (yuan, fen) = (minor / 100, minor % 100);
            file.push_str(&format!(
                "{name},{}\t,CS00000000{at:04}\t,存款,人民币,{yuan}.{fen:02},{day}\n",
                one.number
            ));
        }
    }
    file
}

/// Whom a trial asked about.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn asked(store: &Store, batch: i64) -> Result<Option<Vec<Nobody>>, Fault> {
    let row = sqlx::query("SELECT sealed FROM trials WHERE batch = ?")
        .bind(batch)
        .fetch_optional(store.read())
        .await?;
    let Some(row) = row else { return Ok(None) };
    let Json(people) = store.open_cell(&PEOPLE, batch, &row, "sealed")?;
    Ok(Some(people))
}

/// Keeps what an answer says of a trial's people; `false` when the roster is none of a trial.
///
/// # Errors
/// [`Fault`] of the database.
pub(crate) async fn keep(
    write: &mut Write,
    roster: i64,
    opening: i64,
    findings: &BTreeMap<u32, Finding>,
) -> Result<bool, Fault> {
    let trial: bool = sqlx::query_scalar(
        "SELECT trial FROM rosters JOIN batches ON batches.id = rosters.batch WHERE rosters.id = ?",
    )
    .bind(roster)
    .fetch_one(write.connection())
    .await?;
    if trial {
        let findings: Vec<Finding> = findings.values().cloned().collect();
        sqlx::query("INSERT INTO trial_results (opening, sealed) VALUES (?, ?)")
            .bind(opening)
            .bind(write.seal(&RESULTS, opening, &Json(findings))?)
            .execute(write.connection())
            .await?;
    }
    Ok(trial)
}

/// How the answer that was opened last compares, person by person: what was said of the amount, and the verdict.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn results(
    store: &Store,
    trial: &Trial,
    people: &[Nobody],
) -> Result<Option<Vec<(Finding, Verdict)>>, Fault> {
    let Some(opening) = trial.opening else { return Ok(None) };
    let row = sqlx::query("SELECT sealed FROM trial_results WHERE opening = ?")
        .bind(opening)
        .fetch_optional(store.read())
        .await?;
    let Some(row) = row else { return Ok(None) };
    let Json(findings) = store.open_cell(&RESULTS, opening, &row, "sealed")?;
    let compared = people.iter().zip(findings).map(|(one, finding)| {
        let verdict = compare(one, &finding, &trial.level);
        (finding, verdict)
    });
    Ok(Some(compared.collect()))
}

/// What was found of somebody in yuan, in fen.
pub fn amount(finding: &Finding) -> Option<i64> {
    let yuan = finding.totals().filter(|entry| entry.currency == Currency::CNY);
    yuan.map(|entry| entry.minor).try_fold(0_i64, |sum, minor| sum.checked_add(minor?))
}

fn compare(one: &Nobody, finding: &Finding, level: &str) -> Verdict {
    let differs = finding.name_flags.iter().any(|flag| flag == "different");
    let compared = finding.name_flags.iter().any(|flag| flag != "not_compared");
    match one.minor {
        None if finding.found => Verdict::Invented,
        None => Verdict::Good,
        Some(_) if !finding.found => Verdict::Missing,
        Some(minor) if level != "L0" && amount(finding) != Some(minor) => Verdict::Amount,
        Some(_) if compared && differs != one.held_as.is_some() => Verdict::Name,
        Some(_) => Verdict::Good,
    }
}

/// The trials, newest first; one of them, where `only` says which.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn list(store: &Store, only: Option<i64>) -> Result<Vec<Trial>, Fault> {
    let rows = sqlx::query(
        "SELECT batches.id, batches.number, batches.made, institutions.name, rosters.id AS roster, rosters.level, \
         rosters.state, (SELECT max(openings.id) FROM openings JOIN answers ON answers.id = answer \
         WHERE answers.roster = rosters.id AND code IS NULL) AS opening FROM batches \
         JOIN rosters ON rosters.batch = batches.id JOIN institutions ON institutions.id = rosters.institution \
         WHERE trial = 1 AND (?1 IS NULL OR batches.id = ?1) ORDER BY batches.id DESC LIMIT 200",
    )
    .bind(only)
    .fetch_all(store.read())
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Trial {
                batch: row.try_get("id")?,
                number: row.try_get("number")?,
                institution: row.try_get("name")?,
                roster: row.try_get("roster")?,
                level: row.try_get("level")?,
                state: row.try_get("state")?,
                made: row.time("made")?,
                opening: row.try_get("opening")?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::subject::{Hint, Outcome, read};

    #[test]
    fn their_numbers_pass_every_check_and_are_nobodys() {
        assert_eq!(with_check_digit("11010519491231002"), "11010519491231002X");
        for n in 1..=960 {
            let number = with_check_digit(&format!("{AREA}19010128{n:03}"));
            let Outcome::Subjects((one, None)) = read(&number, Hint::None).0 else { panic!("{number}") };
            assert_eq!(one.number(), number);
        }
    }

    #[test]
    fn an_answer_is_held_against_the_file() {
        let one = |minor, held_as: Option<&str>| Nobody {
            name: "测试甲".to_owned(),
            number: String::new(),
            minor,
            held_as: held_as.map(str::to_owned),
        };
        let found =
            |flag: &str| Finding { found: true, name_flags: vec![flag.to_owned()], ..Finding::default() };
        let nothing = Finding::default();
        assert_eq!(compare(&one(None, None), &nothing, "L1"), Verdict::Good);
        assert_eq!(compare(&one(None, None), &found("same"), "L1"), Verdict::Invented);
        assert_eq!(compare(&one(Some(1), None), &nothing, "L1"), Verdict::Missing);
        assert_eq!(compare(&one(Some(1), None), &found("same"), "L1"), Verdict::Amount, "0 is not 1");
        assert_eq!(compare(&one(Some(0), None), &found("same"), "L1"), Verdict::Good);
        assert_eq!(compare(&one(Some(1), None), &found("same"), "L0"), Verdict::Good);
        assert_eq!(compare(&one(Some(0), Some("x")), &found("same"), "L1"), Verdict::Name);
        assert_eq!(compare(&one(Some(0), Some("x")), &found("different"), "L1"), Verdict::Good);
        assert_eq!(compare(&one(Some(0), Some("x")), &found("not_compared"), "L1"), Verdict::Good);
    }
}

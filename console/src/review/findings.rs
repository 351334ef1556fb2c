//! What institutions found about the members of a case: for each member and institution the latest answer that
//! was opened, and for each institution what it looked at.

use std::collections::BTreeMap;
use std::fmt;

use protocol::coverage::Coverage;
use protocol::value::{Currency, Date, Digest, ReleaseNumber};
use protocol::{Code, Time};
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::declared::{self, Declared, Excluded};
use crate::cases::case::{self, Case};
use crate::cases::person;
use crate::staff::NAME as STAFF_NAME;
use crate::store::{Column, Columns as _, Fault, Json, Store};

pub(crate) const FINDING: Column<Json<Finding>> = Column::new("findings.finding");
pub(crate) const SOURCE: Column<Json<Looked>> = Column::new("openings.source");

/// All that is known of a case. Personal data in clear.
#[derive(Clone, Serialize, Deserialize)]
pub struct CaseFindings {
    /// The case's row.
    pub case: i64,
    /// Day of property.
    pub as_of: Date,
    /// Income period.
    pub income: Option<(Date, Date)>,
    /// Its members, those who live together first.
    pub members: Vec<MemberFindings>,
    /// The rosters that asked about them, by institution.
    pub sources: Vec<Source>,
}

impl fmt::Debug for CaseFindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CaseFindings(case {}, ..)", self.case)
    }
}

/// A member of the household, with what was declared and what was found.
#[derive(Clone, Serialize, Deserialize)]
pub struct MemberFindings {
    /// The person's row.
    pub person: i64,
    /// The name.
    pub name: String,
    /// The current number.
    pub number: String,
    /// Relation to the head of the household.
    pub relation: String,
    /// 1 living together, 2 duty to support.
    pub ring: i64,
    /// What was declared.
    pub declared: Vec<Declared>,
    /// What the rules leave out of account.
    pub excluded: Vec<Excluded>,
    /// What each institution says, in the order of [`CaseFindings::sources`].
    pub answers: Vec<PersonAnswer>,
}

impl fmt::Debug for MemberFindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemberFindings(person {}, ..)", self.person)
    }
}

/// One institution about one member.
#[derive(Clone, Serialize, Deserialize)]
pub struct PersonAnswer {
    /// The roster that asked: [`Source::roster`]; 0 where none did.
    pub roster: i64,
    /// The institution's code.
    pub institution: String,
    /// The institution's name.
    pub institution_name: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Why the person was not asked about (`left_out.…` in the dictionary).
    pub left_out: Option<String>,
    /// What was found; there when `outcome` is [`Outcome::Found`] or [`Outcome::NoRecord`].
    pub finding: Option<Finding>,
}

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// There is a record.
    Found,
    /// There is none.
    NoRecord,
    /// An answer is here and not opened yet.
    Unopened,
    /// No answer yet.
    Waiting,
    /// No answer, and the roster has expired.
    Overdue,
    /// No answer, and it is not waited for any more.
    GivenUp,
    /// The answer was refused when it was opened.
    Refused,
    /// The person withdrew the authorisation before it was opened.
    Withdrawn,
    /// The person was left out of the roster.
    NotAsked,
}

impl Outcome {
    /// The name in the dictionary (`outcome.…`).
    pub fn name(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::NoRecord => "no_record",
            Self::Unopened => "unopened",
            Self::Waiting => "waiting",
            Self::Overdue => "overdue",
            Self::GivenUp => "given_up",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::NotAsked => "not_asked",
        }
    }
}

/// What one institution says of one person. Kept sealed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Whether there is a record.
    pub found: bool,
    /// Whether the person had withdrawn the authorisation when the answer was opened: then nothing else is kept.
    #[serde(default)]
    pub withdrawn: bool,
    /// Level L0: whether the assets are over the line.
    pub over_line: Option<bool>,
    /// How the customers' names compare: `not_compared`, `same`, `same_folded`, `different` (SPEC §3.5).
    pub name_flags: Vec<String>,
    /// Which of the person's numbers matched: `current` or `former:` and the ordinal.
    pub matched: Vec<String>,
    /// What could not be read or did not fit (SPEC §5.1).
    pub notes: Vec<String>,
    /// Totals, and accounts where they were asked for.
    pub entries: Vec<Entry>,
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Finding(..)")
    }
}

impl Finding {
    /// The sums by kind and currency; accounts are contained in them.
    pub fn totals(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !entry.is_account)
    }

    /// Single accounts.
    pub fn accounts(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.is_account)
    }
}

/// A sum of one kind in one currency, or one account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Whether it is one account, which is contained in a total.
    pub is_account: bool,
    /// Asset kind, as SPEC §5.1 names it: `deposit`, `stock`, …
    pub kind: String,
    /// Whether it is owed rather than owned.
    pub liability: bool,
    /// Currency.
    pub currency: Currency,
    /// Amount in the currency's minor unit (分); none where it was not asked for or could not be read.
    pub minor: Option<i64>,
    /// Accounts in it.
    pub accounts: Option<u16>,
    /// Those of them without an amount.
    pub blank: Option<u16>,
    /// Oldest balance date.
    pub oldest: Option<Date>,
    /// Newest balance date.
    pub newest: Option<Date>,
    /// Account number.
    pub account: Option<String>,
    /// Product name.
    pub product: Option<String>,
    /// Account state.
    pub status: Option<String>,
}

impl Entry {
    /// Whether its oldest balance is more than `days` from the day of property, before or after.
    pub fn is_stale(&self, as_of: Date, days: i64) -> bool {
        let far = |day: Date| (as_of.days() - day.days()).abs() > days;
        self.oldest.is_some_and(far) || self.newest.is_some_and(far)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({}, ..)", self.kind)
    }
}

/// A roster to an institution, and what came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Source {
    /// The roster's row.
    pub roster: i64,
    /// The roster's digest.
    pub roster_digest: Digest,
    /// The institution's code.
    pub institution: String,
    /// The institution's name.
    pub institution_name: String,
    /// The institution's kind: bank, securities, …
    pub kind: String,
    /// `L0`, `L1` or `L2`.
    pub level: String,
    /// When it was asked.
    pub issued: Time,
    /// Until when it may be answered.
    pub expires: Time,
    /// What came of it; [`Outcome::Found`] stands for "opened".
    pub outcome: Outcome,
    /// Why the answer was refused (`answer_refused.…`).
    pub refused: Option<String>,
    /// The answer that counts.
    pub answer: Option<Opened>,
}

/// An answer that was opened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Opened {
    /// Its digest.
    pub digest: Digest,
    /// Its version.
    pub version: i64,
    /// When it came.
    pub received: Time,
    /// When it was opened.
    pub opened: Time,
    /// Who opened it: two key officers.
    pub officers: [Signed; 2],
    /// What the institution looked at.
    pub looked: Looked,
}

/// What the institution looked at. Kept sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Looked {
    /// When the answer was made.
    pub created: Time,
    /// The module that made it.
    pub module_release: ReleaseNumber,
    /// Digest of the module that made it.
    pub module_sha256: Digest,
    /// Rows read, valid, set aside, …
    pub statement: Coverage,
    /// What an honest answer would not show, with the number of slots (`answer_warning.…` in the dictionary).
    pub warnings: Vec<(String, u64)>,
}

impl Looked {
    /// Rows that were set aside.
    pub fn quarantined(&self) -> u64 {
        self.statement.quarantined.values().sum()
    }

    /// Whether so many rows were set aside that "no record" says little: more than `per_mille` of those read.
    pub fn is_thin(&self, per_mille: u64) -> bool {
        u128::from(self.quarantined()) * 1_000 > u128::from(self.statement.rows) * u128::from(per_mille)
    }
}

/// Somebody who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The account's row.
    pub staff: i64,
    /// The account's code.
    pub code: Code,
    /// The person's name.
    pub name: String,
}

/// Who an account is.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn signed(store: &Store, staff: i64) -> Result<Signed, Fault> {
    let row = sqlx::query("SELECT code, name_sealed FROM staff WHERE id = ?")
        .bind(staff)
        .fetch_one(store.read())
        .await?;
    let code: String = row.try_get("code")?;
    Ok(Signed { staff, code: code.parse()?, name: store.open_cell(&STAFF_NAME, staff, &row, "name_sealed")? })
}

/// Reads all that is known of a case as of `now`.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn of_case(store: &Store, case: &Case, now: Time) -> Result<CaseFindings, Fault> {
    let sources = sources(store, case.id, now).await?;
    let mut answers = answers(store, case.id, &sources).await?;
    let mut declared = declared::of_case(store, case.id).await?;
    let mut excluded = declared::exclusions(store, case.id).await?;
    let mut members = Vec::new();
    for member in case::members(store, case.id).await? {
        let who = person::open(store, member.person).await?.ok_or(Fault::Stored("people"))?;
        members.push(MemberFindings {
            person: member.person,
            name: who.name,
            number: who.numbers.into_iter().next().map(|stored| stored.number).unwrap_or_default(),
            relation: member.relation,
            ring: member.ring,
            declared: declared.remove(&member.person).unwrap_or_default(),
            excluded: excluded.remove(&member.person).unwrap_or_default(),
            answers: answers.remove(&member.person).unwrap_or_default(),
        });
    }
    Ok(CaseFindings { case: case.id, as_of: case.as_of, income: case.income, members, sources })
}

/// The rosters that asked about a case, by institution and serial number.
async fn sources(store: &Store, case: i64, now: Time) -> Result<Vec<Source>, Fault> {
    let rows = sqlx::query(
        "SELECT rosters.id, rosters.digest, rosters.level, rosters.issued, rosters.expires, rosters.state, \
         rosters.closed, institutions.code, institutions.name, institutions.kind \
         FROM rosters JOIN institutions ON institutions.id = rosters.institution \
         WHERE rosters.state <> 'void' AND rosters.id IN (SELECT roster FROM roster_people WHERE case_id = ?) \
         ORDER BY institutions.code, rosters.serial",
    )
    .bind(case)
    .fetch_all(store.read())
    .await?;
    let mut sources = Vec::new();
    for row in rows {
        let roster = row.try_get("id")?;
        let state: String = row.try_get("state")?;
        let expires = row.time("expires")?;
        let (answer, refused) = opened(store, roster).await?;
        let outcome = match (&answer, &refused) {
            (Some(_), _) => Outcome::Found,
            (None, Some(_)) => Outcome::Refused,
            (None, None) if state == "answered" => Outcome::Unopened,
            (None, None) if row.try_get::<Option<i64>, _>("closed")?.is_some() => Outcome::GivenUp,
            (None, None) if expires <= now => Outcome::Overdue,
            (None, None) => Outcome::Waiting,
        };
        sources.push(Source {
            roster,
            roster_digest: row.digest("digest")?,
            institution: row.try_get("code")?,
            institution_name: row.try_get("name")?,
            kind: row.try_get("kind")?,
            level: row.try_get("level")?,
            issued: row.time("issued")?,
            expires,
            outcome,
            refused,
            answer,
        });
    }
    Ok(sources)
}

/// The highest version of a roster's answer that was opened; else why the last one was refused.
async fn opened(store: &Store, roster: i64) -> Result<(Option<Opened>, Option<String>), Fault> {
    let row = sqlx::query(
        "SELECT openings.*, answers.digest, answers.version, answers.received FROM openings \
         JOIN answers ON answers.id = openings.answer WHERE answers.roster = ? \
         ORDER BY openings.code IS NOT NULL, version DESC LIMIT 1",
    )
    .bind(roster)
    .fetch_optional(store.read())
    .await?;
    let Some(row) = row else { return Ok((None, None)) };
    if let Some(code) = row.try_get("code")? {
        return Ok((None, Some(code)));
    }
    let Json(looked) = store.open_cell(&SOURCE, row.try_get("id")?, &row, "source_sealed")?;
    let opened = Opened {
        digest: row.digest("digest")?,
        version: row.try_get("version")?,
        received: row.time("received")?,
        opened: row.time("at")?,
        officers: [
            signed(store, row.try_get("first_officer")?).await?,
            signed(store, row.try_get("second_officer")?).await?,
        ],
        looked,
    };
    Ok((Some(opened), None))
}

/// What each institution says of each person of a case: of several rosters to one institution, the latest.
async fn answers(
    store: &Store,
    case: i64,
    sources: &[Source],
) -> Result<BTreeMap<i64, Vec<PersonAnswer>>, Fault> {
    let mut findings: BTreeMap<(i64, i64), Finding> = BTreeMap::new();
    let rows = sqlx::query(
        "SELECT findings.id, findings.person, findings.sealed, answers.roster FROM findings \
         JOIN openings ON openings.id = findings.opening JOIN answers ON answers.id = openings.answer \
         WHERE findings.case_id = ? ORDER BY answers.roster, answers.version",
    )
    .bind(case)
    .fetch_all(store.read())
    .await?;
    for row in rows {
        let Json(finding) = store.open_cell(&FINDING, row.try_get("id")?, &row, "sealed")?;
        findings.insert((row.try_get("roster")?, row.try_get("person")?), finding);
    }
    // By person and institution, in the order of the institutions' codes.
    let mut all: BTreeMap<(i64, String), PersonAnswer> = BTreeMap::new();
    for row in left_out(store, case).await? {
        let person: i64 = row.try_get("person")?;
        let answer = PersonAnswer {
            roster: 0,
            institution: row.try_get("code")?,
            institution_name: row.try_get("name")?,
            outcome: Outcome::NotAsked,
            left_out: Some(row.try_get("why")?),
            finding: None,
        };
        all.insert((person, answer.institution.clone()), answer);
    }
    let asked = sqlx::query("SELECT roster, person FROM roster_people WHERE case_id = ? ORDER BY roster")
        .bind(case)
        .fetch_all(store.read())
        .await?;
    for row in asked {
        let (roster, person): (i64, i64) = (row.try_get("roster")?, row.try_get("person")?);
        let Some(source) = sources.iter().find(|source| source.roster == roster) else { continue };
        let finding = findings.remove(&(roster, person));
        let outcome = match (source.outcome, &finding) {
            (Outcome::Found, Some(finding)) if finding.withdrawn => Outcome::Withdrawn,
            (Outcome::Found, Some(finding)) if finding.found => Outcome::Found,
            (Outcome::Found, Some(_)) => Outcome::NoRecord,
            (Outcome::Found, None) => return Err(Fault::Stored("findings")),
            (other, _) => other,
        };
        let answer = PersonAnswer {
            roster,
            institution: source.institution.clone(),
            institution_name: source.institution_name.clone(),
            outcome,
            left_out: None,
            finding: finding.filter(|finding| !finding.withdrawn),
        };
        // A later roster that came to nothing does not hide what an earlier one found.
        let key = (person, answer.institution.clone());
        if answer.finding.is_some() || all.get(&key).is_none_or(|earlier| earlier.finding.is_none()) {
            all.insert(key, answer);
        }
    }
    let mut by_person: BTreeMap<i64, Vec<PersonAnswer>> = BTreeMap::new();
    for ((person, _), answer) in all {
        by_person.entry(person).or_default().push(answer);
    }
    Ok(by_person)
}

async fn left_out(store: &Store, case: i64) -> Result<Vec<SqliteRow>, Fault> {
    Ok(sqlx::query(
        "SELECT person, institutions.code, institutions.name, left_out.code AS why FROM left_out \
         JOIN institutions ON institutions.id = left_out.institution WHERE case_id = ? ORDER BY batch",
    )
    .bind(case)
    .fetch_all(store.read())
    .await?)
}

//! Rosters of a batch: made, signed a second time where the agreement asks for it, sent by host or as a file,
//! answered.

use std::collections::HashMap;

use desk::{Applicants, MakeError, RosterRequest, make_roster};
use protocol::agreement::{Agreement as Terms, AgreementInForce};
use protocol::answer::{self, Answer};
use protocol::envelope::{Head, Verified};
use protocol::roster::{Level, PrfName, Roster as Header, RosterContext, RosterError};
use protocol::secret::Entropy;
use protocol::slot::level_of_size;
use protocol::value::{Date, Digest, ReleaseNumber, SealingKey, Text};
use protocol::{CheckError, DecodeError, Document, Time};
use serde::Deserialize;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use zeroize::Zeroizing;

use super::agreement::{self, Institution};
use super::batch::{self, Asked, Batch};
use crate::cases::case::{self, State};
use crate::cases::person::{self, Person};
use crate::console::{Centre, Console};
use crate::edge::local_day;
use crate::relay::{Place, Relay, RelayError};
use crate::staff::{Clerk, Role, account};
use crate::store::{Action, Column, Columns as _, Fault, Object, Store, Write, log, unix};

/// The applicants' file a roster was made from; `review` opens it with the answer.
pub const APPLICANTS: Column<Zeroizing<Vec<u8>>> = Column::new("rosters.applicants");

/// Days a roster may be answered.
const LIFE_DAYS: u64 = 30;
/// People in one statement.
const STRIDE: usize = 500;
/// The law that permits the question.
const LEGAL_BASIS: &str = "社会救助暂行办法第五十八条";

/// People who were opened for a batch, so that each roster need not open them anew.
#[derive(Debug, Default)]
pub struct People(HashMap<i64, Person>);

/// Why nothing is made, sent or taken.
#[derive(Debug)]
pub enum DispatchError {
    /// A rule forbids it: the key of the sentence.
    Rule(&'static str),
    /// The host refuses or can't be reached.
    Relay(RelayError),
    /// Inside.
    Fault(Fault),
}

impl From<Fault> for DispatchError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<sqlx::Error> for DispatchError {
    fn from(error: sqlx::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl From<RelayError> for DispatchError {
    fn from(error: RelayError) -> Self {
        Self::Relay(error)
    }
}

impl From<DecodeError> for DispatchError {
    fn from(_: DecodeError) -> Self {
        Self::Rule("dispatch.unreadable")
    }
}

impl From<CheckError> for DispatchError {
    fn from(error: CheckError) -> Self {
        Self::Rule(match error {
            CheckError::Signer(_) => "dispatch.wrong_signer",
            CheckError::MissingSignature(_) => "dispatch.missing_signature",
            CheckError::WrongRoster => "dispatch.wrong_roster",
            CheckError::WrongInstitution(_) => "dispatch.wrong_institution",
            CheckError::Expired(_) => "dispatch.expired",
            _ => "dispatch.refused",
        })
    }
}

/// A roster as the board shows it.
#[derive(Debug)]
pub struct Roster {
    /// The row.
    pub id: i64,
    /// The batch.
    pub batch: i64,
    /// The institution's code.
    pub institution: String,
    /// The institution's name.
    pub name: String,
    /// Rises with each roster to the institution.
    pub serial: i64,
    /// What names it everywhere.
    pub digest: Digest,
    /// `L0`, `L1` or `L2`.
    pub level: String,
    /// How many people it asks about.
    pub people: i64,
    /// `unsigned`, `ready`, `sent`, `answered` or `void`.
    pub state: String,
    /// `host` or `file`.
    pub way: Option<String>,
    /// When it was sent.
    pub sent: Option<Time>,
    /// Until when it may be answered.
    pub expires: Time,
    /// The agreement.
    pub agreement: i64,
    /// The highest version of an answer; 0 where there is none.
    pub answers: i64,
    /// Whether its answer was given up.
    pub closed: bool,
    /// The account that made it.
    pub made_by: Option<String>,
}

// Not the documents: a list of twenty would read hundreds of megabytes.
const SELECT: &str = "SELECT rosters.id, batch, serial, digest, level, people, state, way, sent, expires, agreement, \
    closed, institutions.code, institutions.name, \
    (SELECT coalesce(max(version), 0) FROM answers WHERE roster = rosters.id) AS answers, \
    (SELECT code FROM staff WHERE id = rosters.made_by) AS maker \
    FROM rosters JOIN institutions ON institutions.id = rosters.institution";

fn from_row(row: &SqliteRow) -> Result<Roster, Fault> {
    Ok(Roster {
        id: row.try_get("id")?,
        batch: row.try_get("batch")?,
        institution: row.try_get("code")?,
        name: row.try_get("name")?,
        serial: row.try_get("serial")?,
        digest: row.digest("digest")?,
        level: row.try_get("level")?,
        people: row.try_get("people")?,
        state: row.try_get("state")?,
        way: row.try_get("way")?,
        sent: row.optional_time("sent")?,
        expires: row.time("expires")?,
        agreement: row.try_get("agreement")?,
        answers: row.try_get("answers")?,
        closed: row.try_get::<Option<i64>, _>("closed")?.is_some(),
        made_by: row.try_get("maker")?,
    })
}

/// The rosters of a batch.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn of_batch(store: &Store, batch: i64) -> Result<Vec<Roster>, Fault> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE batch = ? ORDER BY code, serial")))
        .bind(batch)
        .fetch_all(store.read())
        .await?;
    rows.iter().map(from_row).collect()
}

/// One roster.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn find(store: &Store, id: i64) -> Result<Option<Roster>, Fault> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE rosters.id = ?")))
        .bind(id)
        .fetch_optional(store.read())
        .await?;
    row.as_ref().map(from_row).transpose()
}

/// The document of a roster.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn document(store: &Store, id: i64) -> Result<Vec<u8>, Fault> {
    Ok(sqlx::query_scalar("SELECT document FROM rosters WHERE id = ?")
        .bind(id)
        .fetch_one(store.read())
        .await?)
}

/// Who was left out of a batch, by institution and reason.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn left_out(store: &Store, batch: i64) -> Result<Vec<(String, String, i64, i64)>, Fault> {
    let rows = sqlx::query(
        "SELECT institutions.name, left_out.code, person, case_id FROM left_out \
         JOIN institutions ON institutions.id = left_out.institution WHERE batch = ? \
         ORDER BY institutions.code, left_out.code, person LIMIT 500",
    )
    .bind(batch)
    .fetch_all(store.read())
    .await?;
    let one = |row: &SqliteRow| {
        Ok((row.try_get("name")?, row.try_get("code")?, row.try_get("person")?, row.try_get("case_id")?))
    };
    rows.iter().map(one).collect()
}

/// Who together opens answers: one officer alone, two together, of three any two.
async fn opening_groups(store: &Store) -> Result<Vec<Vec<SealingKey>>, DispatchError> {
    let all = account::all(store).await?;
    let officers = all.into_iter().filter(|a| a.active && a.roles.has(Role::Officer));
    let keys: Vec<SealingKey> = officers.filter_map(|a| a.officer_key).collect();
    match keys.as_slice() {
        [a, b] => Ok(vec![vec![*a, *b]]),
        [a, b, c] => Ok(vec![vec![*a, *b], vec![*a, *c], vec![*b, *c]]),
        _ => Err(DispatchError::Rule("dispatch.officers")),
    }
}

/// Makes the roster of a batch for one institution, in one transaction: everything is asked anew, who may not be
/// asked about is left out and listed, and the head of the log is signed. `people` are those already opened for
/// the batch's other rosters.
///
/// # Errors
/// [`DispatchError`]; then nothing has changed.
pub async fn make(
    console: &Console,
    batch: &Batch,
    institution: &Institution,
    level: Level,
    clerk: &Clerk,
    people: &mut People,
) -> Result<i64, DispatchError> {
    let (store, now) = (console.store(), console.now()?);
    let today = local_day(now);
    let centre = console.config().centre.as_ref().ok_or(DispatchError::Rule("dispatch.no_centre"))?;
    let kept = institution.agreement.as_ref().filter(|a| a.is_in_force(today));
    let kept = kept.ok_or(DispatchError::Rule("dispatch.no_agreement"))?;
    if level > kept.level {
        return Err(DispatchError::Rule("dispatch.over_level"));
    }
    let terms = Document::<Terms>::read(&agreement::document(store, kept.id).await?)?.check(today)?;
    let groups = opening_groups(store).await?;

    let mut write = store.write().await?;
    let out: Option<i64> = sqlx::query_scalar(
        "SELECT id FROM rosters WHERE batch = ? AND institution = ? AND state <> 'void' LIMIT 1",
    )
    .bind(batch.id)
    .bind(institution.id)
    .fetch_optional(write.connection())
    .await?;
    if out.is_some() {
        return Err(DispatchError::Rule("dispatch.already"));
    }
    let (asked, left_out) = batch::divide(&mut write, batch.id, institution, level, now).await?;
    for one in &left_out {
        sqlx::query(
            "INSERT OR REPLACE INTO left_out (batch, institution, case_id, person, code) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(batch.id)
        .bind(institution.id)
        .bind(one.case)
        .bind(one.person)
        .bind(one.code)
        .execute(write.connection())
        .await?;
    }
    if asked.is_empty() {
        return Err(DispatchError::Rule("dispatch.nobody"));
    }
    let serial: i64 =
        sqlx::query_scalar("SELECT coalesce(max(serial), 0) + 1 FROM rosters WHERE institution = ?")
            .bind(institution.id)
            .fetch_one(write.connection())
            .await?;
    let applicants = applicants(store, &asked, people).await?;
    let request = request(&terms, level, groups, serial, batch, now)?;
    let entropy = Entropy::new(&*store.random::<32>()?).map_err(|_| Fault::Randomness)?;
    let document = make_document(&request, &terms, &applicants, centre, &entropy, today)?;
    let digest = Digest::of(&Head::parse(&document)?.pae());

    let id = write.next_id("rosters").await?;
    sqlx::query(
        "INSERT INTO rosters (id, batch, institution, agreement, serial, digest, level, people, issued, expires, \
         state, document, applicants_sealed, made_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(batch.id)
    .bind(institution.id)
    .bind(kept.id)
    .bind(serial)
    .bind(digest.as_bytes().as_slice())
    .bind(level.word())
    .bind(i64::try_from(asked.len()).unwrap_or(i64::MAX))
    .bind(unix(now))
    .bind(unix(request.expires))
    .bind(if kept.cosigned { "unsigned" } else { "ready" })
    .bind(&document)
    .bind(write.seal(&APPLICANTS, id, &applicants)?)
    .bind(clerk.id)
    .execute(write.connection())
    .await?;
    let people: Vec<(i64, &Asked)> = (0..).zip(&asked).collect();
    for part in people.chunks(STRIDE) {
        let mut insert = sqlx::QueryBuilder::new(
            "INSERT INTO roster_people (roster, ordinal, person, case_id, authorisation) ",
        );
        insert.push_values(part, |mut row, (ordinal, one)| {
            row.push_bind(id).push_bind(ordinal).push_bind(one.person).push_bind(one.case);
            row.push_bind(one.authorisation.id);
        });
        insert.build().execute(write.connection()).await?;
    }
    let cases: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT case_id FROM roster_people JOIN cases ON cases.id = case_id \
         WHERE roster = ? AND state = 'accepted'",
    )
    .bind(id)
    .fetch_all(write.connection())
    .await?;
    for case in cases {
        if let Some(case) = case::find_in(&mut write, case).await?
            && case::advance(&mut write, &case, &[State::Accepted], State::Matching).await?
        {
            case::note(&mut write, case.id, Action("case.dispatched"), None, clerk, now).await?;
        }
    }
    sqlx::query("UPDATE batches SET state = 'dispatched' WHERE id = ?")
        .bind(batch.id)
        .execute(write.connection())
        .await?;
    let place =
        write.log(Action("roster.made"), &clerk.code, now, Object::Document("roster", id, digest)).await?;
    log::checkpoint(&mut write, place, now, &centre.keys.signing).await?;
    write.commit().await?;
    Ok(id)
}

fn request(
    terms: &AgreementInForce,
    level: Level,
    opening_groups: Vec<Vec<SealingKey>>,
    serial: i64,
    batch: &Batch,
    issued: Time,
) -> Result<RosterRequest, DispatchError> {
    let agreed = terms.terms.fields.iter().copied().filter(|field| field.allowed_at(level));
    let expires = Time::from_unix(issued.unix() + LIFE_DAYS * 86_400).ok_or(Fault::Clock)?;
    let basis: Text = LEGAL_BASIS.parse()?;
    Ok(RosterRequest {
        level,
        fields: agreed.collect(),
        line: None,
        opening_groups,
        serial: u64::try_from(serial).map_err(|_| Fault::Stored("rosters.serial"))?,
        issued,
        expires,
        as_of: batch.as_of,
        income: batch.income,
        purpose: terms.terms.purpose.clone(),
        legal_basis: basis,
        prf: terms.terms.prfs.first().copied().unwrap_or(PrfName::Blake3),
        module_minimum: ReleaseNumber::new(0, 1, 0),
    })
}

fn make_document(
    request: &RosterRequest,
    terms: &AgreementInForce,
    applicants: &[u8],
    centre: &Centre,
    entropy: &Entropy,
    today: Date,
) -> Result<Vec<u8>, DispatchError> {
    let applicants = Applicants::read(applicants, today).map_err(|_| Fault::Stored("people of a roster"))?;
    make_roster(request, terms, &applicants, &centre.keys, entropy).map_err(|error| match error {
        MakeError::OtherCentre => DispatchError::Rule("dispatch.other_centre"),
        MakeError::NoApplicants => DispatchError::Rule("dispatch.nobody"),
        MakeError::TooManyApplicants => DispatchError::Rule("dispatch.too_many"),
        MakeError::RepeatedOfficer => DispatchError::Rule("dispatch.officers"),
        MakeError::Entries => DispatchError::Rule("dispatch.again"),
        MakeError::Decode(_) | MakeError::Check(_) => DispatchError::Rule("dispatch.refused"),
    })
}

/// The applicants' file of a roster: line n + 2 is ordinal n. Numbers stand in the canonical spelling, so that what
/// is read is what was asked for.
async fn applicants(
    store: &Store,
    asked: &[Asked],
    people: &mut People,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let mut file = Zeroizing::new(String::with_capacity(asked.len() * 128));
    file.push_str("姓名,证件类型,证件号码,授权书编号,授权范围,户号,曾用证件号\n");
    let new: Vec<i64> =
        asked.iter().map(|one| one.person).filter(|person| !people.0.contains_key(person)).collect();
    people.0.extend(person::open_many(store, &new).await?);
    for one in asked {
        let person = people.0.get(&one.person).ok_or(Fault::Stored("people"))?;
        let (first, former) = person.numbers.split_first().ok_or(Fault::Stored("person_numbers"))?;
        let former: Vec<&str> = former.iter().map(|stored| stored.number.as_str()).collect();
        let scope = one.authorisation.scope();
        let cells = [
            person.name.as_str(),
            person::hint_word(first.kind),
            first.number.as_str(),
            one.authorisation.number.as_str(),
            scope.as_str(),
            one.household.as_str(),
            &former.join("；"),
        ];
        let quoted = cells.map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
        file.push_str(&quoted.join(","));
        file.push('\n');
    }
    Ok(Zeroizing::new(file.as_bytes().to_vec()))
}

/// Takes the roster back with the second organisation's signature.
///
/// # Errors
/// [`DispatchError`] when it is another document or another's signature.
pub async fn cosigned(
    console: &Console,
    roster: &Roster,
    bytes: &[u8],
    clerk: &Clerk,
) -> Result<(), DispatchError> {
    let (store, now) = (console.store(), console.now()?);
    let document = Document::<Header>::read(bytes)?;
    if document.digest != roster.digest {
        return Err(DispatchError::Rule("dispatch.wrong_roster"));
    }
    let day = local_day(document.header.issued);
    let terms = Document::<Terms>::read(&agreement::document(store, roster.agreement).await?)?.check(day)?;
    let context = RosterContext { now: document.header.issued, last_serial: 0, release: None };
    document.check(&terms, &context).map_err(|error| match error {
        RosterError::Decode(error) => DispatchError::from(error),
        RosterError::Check(error) => DispatchError::from(error),
    })?;
    let mut write = store.write().await?;
    let done =
        sqlx::query("UPDATE rosters SET document = ?, state = 'ready' WHERE id = ? AND state = 'unsigned'")
            .bind(bytes)
            .bind(roster.id)
            .execute(write.connection())
            .await?;
    if done.rows_affected() == 0 {
        return Err(DispatchError::Rule("dispatch.not_now"));
    }
    let object = Object::Document("roster", roster.id, roster.digest);
    write.log(Action("roster.cosigned"), &clerk.code, now, object).await?;
    write.commit().await?;
    Ok(())
}

/// Asks once more, right before a roster leaves, whether all on it still allow it. If not, the roster is void:
/// another is made, without them.
async fn check_once_more(
    write: &mut Write,
    roster: &Roster,
    clerk: &Clerk,
    now: Time,
) -> Result<bool, DispatchError> {
    let today = local_day(now);
    let ended: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM roster_people JOIN authorisations ON authorisations.id = authorisation \
         WHERE roster = ? AND (end_code IS NOT NULL OR until < ?)",
    )
    .bind(roster.id)
    .bind(today.number())
    .fetch_one(write.connection())
    .await?;
    let in_force: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM agreements WHERE id = ? AND valid_from <= ?2 AND valid_to >= ?2",
    )
    .bind(roster.agreement)
    .bind(today.number())
    .fetch_one(write.connection())
    .await?;
    if ended == 0 && in_force == 1 && roster.expires > now {
        return Ok(true);
    }
    sqlx::query("UPDATE rosters SET state = 'void' WHERE id = ? AND state IN ('unsigned', 'ready')")
        .bind(roster.id)
        .execute(write.connection())
        .await?;
    let object = Object::Document("roster", roster.id, roster.digest);
    write.log(Action("roster.void"), &clerk.code, now, object).await?;
    Ok(false)
}

/// Whoever lets a roster leave is another person than whoever made it.
async fn by_another(write: &mut Write, roster: &Roster, clerk: &Clerk) -> Result<(), DispatchError> {
    let maker: Option<Vec<u8>> = sqlx::query_scalar(
        "SELECT person_index FROM rosters JOIN staff ON staff.id = made_by WHERE rosters.id = ?",
    )
    .bind(roster.id)
    .fetch_optional(write.connection())
    .await?;
    match maker {
        Some(maker) if !clerk.same_person(&maker) => Ok(()),
        _ => Err(DispatchError::Rule("dispatch.own_work")),
    }
}

/// Lets a ready roster leave as a file; gives its bytes.
///
/// # Errors
/// [`DispatchError`]; a roster that may not leave any more is void from then on.
pub async fn send_as_file(
    console: &Console,
    roster: &Roster,
    clerk: &Clerk,
) -> Result<Vec<u8>, DispatchError> {
    mark_sent(console, roster, "file", clerk).await?;
    Ok(document(console.store(), roster.id).await?)
}

/// Hands a ready roster, and the agreement before it, to the host. Done twice it is done once: the host knows a
/// document it has.
///
/// # Errors
/// [`DispatchError`].
pub async fn send_to_host(console: &Console, roster: &Roster, clerk: &Clerk) -> Result<(), DispatchError> {
    let (store, now) = (console.store(), console.now()?);
    let (keys, url) = relay_of(console)?;
    // Asked before it leaves; what is found then is noted even if the host can't be reached.
    let mut write = store.write().await?;
    by_another(&mut write, roster, clerk).await?;
    let good = check_once_more(&mut write, roster, clerk, now).await?;
    write.commit().await?;
    if !good {
        return Err(DispatchError::Rule("dispatch.void"));
    }
    if roster.state != "ready" {
        return Err(DispatchError::Rule("dispatch.not_now"));
    }
    let relay = Relay::sign_in(url, keys).await?;
    relay.post(&Place::Agreements, agreement::document(store, roster.agreement).await?).await?;
    relay.post(&Place::Rosters, document(store, roster.id).await?).await?;
    mark_sent(console, roster, "host", clerk).await
}

fn relay_of(console: &Console) -> Result<(&protocol::key_file::Keys, &str), DispatchError> {
    let config = console.config();
    let centre = config.centre.as_ref().ok_or(DispatchError::Rule("dispatch.no_centre"))?;
    let url = config.relay.as_deref().ok_or(DispatchError::Rule("dispatch.no_host"))?;
    Ok((&centre.keys, url))
}

async fn mark_sent(
    console: &Console,
    roster: &Roster,
    way: &'static str,
    clerk: &Clerk,
) -> Result<(), DispatchError> {
    let now = console.now()?;
    let mut write = console.store().write().await?;
    by_another(&mut write, roster, clerk).await?;
    if way == "file" && !check_once_more(&mut write, roster, clerk, now).await? {
        write.commit().await?;
        return Err(DispatchError::Rule("dispatch.void"));
    }
    let done =
        sqlx::query("UPDATE rosters SET state = 'sent', way = ?, sent = ? WHERE id = ? AND state = 'ready'")
            .bind(way)
            .bind(unix(now))
            .bind(roster.id)
            .execute(write.connection())
            .await?;
    if done.rows_affected() == 0 {
        return Err(DispatchError::Rule("dispatch.not_now"));
    }
    let object = Object::Document("roster", roster.id, roster.digest);
    write.log(Action("roster.sent"), &clerk.code, now, object).await?;
    write.commit().await?;
    Ok(())
}

#[derive(Deserialize)]
struct AnswerRow {
    digest: Digest,
}

/// Gives the answer to a roster up: its cases go on without it. One that comes later is taken all the same.
///
/// # Errors
/// [`DispatchError`] when no answer is waited for.
pub async fn close(console: &Console, roster: &Roster, clerk: &Clerk) -> Result<(), DispatchError> {
    let now = console.now()?;
    let mut write = console.store().write().await?;
    let done = sqlx::query(
        "UPDATE rosters SET closed = ?, closed_by = ? WHERE id = ? AND state = 'sent' AND closed IS NULL",
    )
    .bind(unix(now))
    .bind(clerk.id)
    .bind(roster.id)
    .execute(write.connection())
    .await?;
    if done.rows_affected() == 0 {
        return Err(DispatchError::Rule("dispatch.not_now"));
    }
    let object = Object::Document("roster", roster.id, roster.digest);
    write.log(Action("roster.closed"), &clerk.code, now, object).await?;
    finish(&mut write, roster.batch, clerk, now).await?;
    write.commit().await?;
    Ok(())
}

/// What came of a fetch.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// Answers that are new.
    pub taken: usize,
    /// Answers that were refused.
    pub refused: usize,
}

/// Fetches what the host has for the rosters of a batch. An answer that is refused is noted and does not keep
/// the others.
///
/// # Errors
/// [`DispatchError`]; what was fetched before stays.
pub async fn fetch(console: &Console, batch: i64, clerk: &Clerk) -> Result<Fetched, DispatchError> {
    let (keys, url) = relay_of(console)?;
    let relay = Relay::sign_in(url, keys).await?;
    let mut fetched = Fetched::default();
    for roster in of_batch(console.store(), batch).await? {
        if roster.way.as_deref() != Some("host") || !matches!(roster.state.as_str(), "sent" | "answered") {
            continue;
        }
        for AnswerRow { digest } in relay.list::<AnswerRow>(&Place::Answers(&roster.digest)).await? {
            let known: Option<i64> = sqlx::query_scalar(
                "SELECT id FROM answers WHERE digest = ?1 UNION ALL SELECT id FROM refusals WHERE digest = ?1",
            )
            .bind(digest.as_bytes().as_slice())
            .fetch_optional(console.store().read())
            .await?;
            if known.is_some() {
                continue;
            }
            let document = relay.document("answers", &digest).await?;
            match take_answer(console, &roster, &document, "host", clerk).await {
                Ok(()) => fetched.taken += 1,
                Err(DispatchError::Rule(_)) => fetched.refused += 1,
                Err(other) => return Err(other),
            }
        }
    }
    Ok(fetched)
}

/// Takes an answer in, sealed as it is: signed by the institution, to this roster, with the approval that the
/// agreement asks for. One of the institution that can't be taken, of a level above the agreed one say, is noted as
/// refused. When a batch's last roster is answered, its cases are matched.
///
/// # Errors
/// [`DispatchError`].
pub async fn take_answer(
    console: &Console,
    roster: &Roster,
    bytes: &[u8],
    way: &'static str,
    clerk: &Clerk,
) -> Result<(), DispatchError> {
    let (store, now) = (console.store(), console.now()?);
    let verified: Verified<Answer> = Head::parse(bytes)?.verify()?;
    let header = Document::<Header>::read(&document(store, roster.id).await?)?.header;
    let day = local_day(header.issued);
    let terms = Document::<Terms>::read(&agreement::document(store, roster.agreement).await?)?.check(day)?;
    if let Err(error) = answer::check(&verified, &header, &roster.digest, &terms) {
        let above = level_of_size(verified.header.slot_size).is_some_and(|level| level > header.level);
        // Only what the institution signed says something of the institution.
        if verified.signers.first() == Some(&terms.terms.institution.signing_key) {
            let code = if above { "over_level" } else { "not_fit" };
            refuse_answer(console, roster, &verified.digest, code, clerk).await?;
        }
        return Err(if above { DispatchError::Rule("dispatch.answer_over_level") } else { error.into() });
    }
    // The body's digest stands in the signed header; reading the document holds them against each other.
    let version = i64::from(verified.header.version);
    let digest = Document::<Answer>::read(bytes)?.digest;

    let mut write = store.write().await?;
    let taken: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT digest FROM answers WHERE roster = ? AND version = ?")
            .bind(roster.id)
            .bind(version)
            .fetch_optional(write.connection())
            .await?;
    match taken {
        Some(same) if same == digest.as_bytes() => return Ok(()),
        Some(_) => return Err(DispatchError::Rule("dispatch.version_taken")),
        None => {}
    }
    let done =
        sqlx::query("UPDATE rosters SET state = 'answered' WHERE id = ? AND state IN ('sent', 'answered')")
            .bind(roster.id)
            .execute(write.connection())
            .await?;
    if done.rows_affected() == 0 {
        return Err(DispatchError::Rule("dispatch.not_now"));
    }
    let id = write.next_id("answers").await?;
    sqlx::query("INSERT INTO answers (id, roster, version, digest, received, way, document) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(id)
        .bind(roster.id)
        .bind(version)
        .bind(digest.as_bytes().as_slice())
        .bind(unix(now))
        .bind(way)
        .bind(bytes)
        .execute(write.connection())
        .await?;
    write.log(Action("answer.taken"), &clerk.code, now, Object::Document("answer", id, digest)).await?;
    finish(&mut write, roster.batch, clerk, now).await?;
    write.commit().await?;
    Ok(())
}

/// Notes an answer that was not taken.
async fn refuse_answer(
    console: &Console,
    roster: &Roster,
    digest: &Digest,
    code: &'static str,
    clerk: &Clerk,
) -> Result<(), Fault> {
    let now = console.now()?;
    let mut write = console.store().write().await?;
    let known: Option<i64> = sqlx::query_scalar("SELECT id FROM refusals WHERE digest = ? AND roster = ?")
        .bind(digest.as_bytes().as_slice())
        .bind(roster.id)
        .fetch_optional(write.connection())
        .await?;
    if known.is_some() {
        return Ok(());
    }
    let id = write.next_id("refusals").await?;
    sqlx::query("INSERT INTO refusals (id, roster, digest, code, at, staff) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(id)
        .bind(roster.id)
        .bind(digest.as_bytes().as_slice())
        .bind(code)
        .bind(unix(now))
        .bind(clerk.id)
        .execute(write.connection())
        .await?;
    write.log(Action("answer.refused"), &clerk.code, now, Object::Row("refusal", id)).await?;
    write.commit().await
}

/// An answer that was refused, when it came or when it was opened.
#[derive(Debug)]
pub struct RefusedAnswer {
    /// The institution's name.
    pub institution: String,
    /// Its digest.
    pub digest: Digest,
    /// Why (`answer_refused.…` in the dictionary).
    pub code: String,
    /// When.
    pub at: Time,
}

/// The answers to a batch's rosters that were refused.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn refused(store: &Store, batch: i64) -> Result<Vec<RefusedAnswer>, Fault> {
    let rows = sqlx::query(
        "SELECT institutions.name, refusals.digest, refusals.code, refusals.at FROM refusals \
         JOIN rosters ON rosters.id = refusals.roster JOIN institutions ON institutions.id = rosters.institution \
         WHERE rosters.batch = ?1 UNION ALL \
         SELECT institutions.name, answers.digest, openings.code, openings.at FROM openings \
         JOIN answers ON answers.id = openings.answer JOIN rosters ON rosters.id = answers.roster \
         JOIN institutions ON institutions.id = rosters.institution \
         WHERE rosters.batch = ?1 AND openings.code IS NOT NULL ORDER BY 4",
    )
    .bind(batch)
    .fetch_all(store.read())
    .await?;
    let one = |row: &SqliteRow| {
        Ok(RefusedAnswer {
            institution: row.try_get("name")?,
            digest: row.digest("digest")?,
            code: row.try_get("code")?,
            at: row.time("at")?,
        })
    };
    rows.iter().map(one).collect()
}

/// Moves the cases of a batch on about which no answer is waited for any more, here or in another batch.
async fn finish(write: &mut Write, batch: i64, clerk: &Clerk, now: Time) -> Result<(), Fault> {
    const WAITING: &str = "rosters.state IN ('unsigned', 'ready', 'sent') AND rosters.closed IS NULL";
    let waiting: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "SELECT count(*) FROM rosters WHERE batch = ? AND {WAITING}"
    )))
    .bind(batch)
    .fetch_one(write.connection())
    .await?;
    if waiting > 0 {
        return Ok(());
    }
    let cases: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "SELECT case_id FROM batch_cases JOIN cases ON cases.id = case_id \
         WHERE batch_cases.batch = ? AND cases.state = 'matching' AND NOT EXISTS (SELECT 1 FROM roster_people \
         JOIN rosters ON rosters.id = roster WHERE roster_people.case_id = cases.id AND {WAITING})"
    )))
    .bind(batch)
    .fetch_all(write.connection())
    .await?;
    for id in cases {
        if let Some(case) = case::find_in(write, id).await?
            && case::advance(write, &case, &[State::Matching], State::Matched).await?
        {
            case::note(write, id, Action("case.matched"), None, clerk, now).await?;
        }
    }
    Ok(())
}

/// A question that was asked about a person.
#[derive(Debug)]
pub struct Question {
    /// When.
    pub issued: Time,
    /// Whom.
    pub institution: String,
    /// How much.
    pub level: String,
    /// For which case.
    pub case: Option<String>,
    /// Which authorisation allowed it.
    pub authorisation: String,
    /// Its state.
    pub state: String,
}

/// Every question about a person: "who asked about me".
///
/// # Errors
/// [`Fault`] of the database.
pub async fn about(store: &Store, person: i64) -> Result<Vec<Question>, Fault> {
    let rows = sqlx::query(
        "SELECT rosters.issued, rosters.level, rosters.state, institutions.name, cases.number AS case_number, \
         authorisations.number AS authorisation FROM roster_people JOIN rosters ON rosters.id = roster \
         JOIN institutions ON institutions.id = rosters.institution JOIN cases ON cases.id = roster_people.case_id \
         JOIN authorisations ON authorisations.id = roster_people.authorisation \
         WHERE roster_people.person = ? ORDER BY rosters.issued DESC, rosters.id DESC",
    )
    .bind(person)
    .fetch_all(store.read())
    .await?;
    let one = |row: &SqliteRow| {
        Ok(Question {
            issued: row.time("issued")?,
            institution: row.try_get("name")?,
            level: row.try_get("level")?,
            case: row.try_get("case_number")?,
            authorisation: row.try_get("authorisation")?,
            state: row.try_get("state")?,
        })
    };
    rows.iter().map(one).collect()
}

//! Makes a roster: who of a batch may be asked about, in which order, under which terms.

use std::sync::Arc;

use desk::{Applicants, MakeError, RosterRequest, make_roster};
use protocol::agreement::{Agreement as Terms, AgreementInForce};
use protocol::envelope::Head;
use protocol::roster::{Level, PrfName};
use protocol::secret::Entropy;
use protocol::value::{Date, Digest, ReleaseNumber, SealingKey, Text};
use protocol::{Document, Time};

use super::agreement::{self, Agreement, Institution};
use super::batch::{self, Batch};
use super::canary;
use super::error::DispatchError;
use super::lists::{self, Lists};
use crate::cases::case::{self, State};
use crate::console::{Centre, Console};
use crate::staff::{Clerk, Role, account};
use crate::store::{Action, Fault, Object, Store, Write, log, unix};

/// Days a roster may be answered.
const LIFE_DAYS: u64 = 30;
/// People left out, of one statement.
const AT_ONCE: usize = 500;
/// The law that permits the question.
const LEGAL_BASIS: &str = "社会救助暂行办法第五十八条";

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
/// asked about is left out and listed, and the head of the log is signed. `lists` are those of the rosters made before
/// in this dispatch.
///
/// # Errors
/// [`DispatchError`]; then nothing has changed, but that those are listed whom a roster for nobody left out.
pub async fn make(
    console: &Console,
    batch: &Batch,
    institution: &Institution,
    level: Level,
    clerk: &Clerk,
    lists: &mut Lists,
) -> Result<i64, DispatchError> {
    let (store, now) = (console.store(), console.now()?);
    let today = now.date();
    let Ground { centre, kept, terms, groups } = ground(console, institution, level, today).await?;

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
    for part in left_out.chunks(AT_ONCE) {
        let mut insert = sqlx::QueryBuilder::new(
            "INSERT OR REPLACE INTO left_out (batch, institution, case_id, person, code) ",
        );
        insert.push_values(part, |mut values, one| {
            values.push_bind(batch.id).push_bind(institution.id);
            values.push_bind(one.case).push_bind(one.person).push_bind(one.code);
        });
        insert.build().execute(write.connection()).await?;
    }
    if asked.is_empty() {
        // No roster; why not, stays.
        write.log(Action("batch.nobody"), &clerk.code, now, Object::Row("batch", batch.id)).await?;
        write.commit().await?;
        return Err(DispatchError::Rule("dispatch.nobody"));
    }
    let count = i64::try_from(asked.len()).unwrap_or(i64::MAX);
    let list = lists.find_or_add(&mut write, batch.id, asked, today).await?;
    let serial = next_serial(&mut write, institution).await?;
    let request = request(&terms, level, groups, serial, batch, now)?;
    let expires = request.expires;
    let entropy = Entropy::new(&*store.random::<32>()?).map_err(|_| Fault::Randomness)?;
    // A co-signer's own list has no seeds.
    let seeds = match kept.cosigned {
        true => None,
        false => canary::of_roster(&mut write, institution.id, list.id, level, today).await?,
    };
    let applicants = match &seeds {
        None => Arc::clone(&list.applicants),
        Some(seeds) => Arc::new(lists::with_lines(&mut write, list.id, &seeds.lines, today).await?),
    };
    let shared = console.clone();
    // Off the threads that serve requests.
    let document = tokio::task::spawn_blocking(move || {
        let centre = shared.config().centre.as_ref().ok_or(DispatchError::Rule("dispatch.no_centre"))?;
        make_document(&request, &terms, &applicants, centre, &entropy)
    })
    .await
    .map_err(|_| Fault::Stored("rosters"))??;
    let made = Made { batch: batch.id, list: list.id, people: count, level, serial, expires, document };
    let id = add(&mut write, institution, kept, &made, clerk, now).await?;
    if let Some(seeds) = &seeds {
        canary::keep(&mut write, id, seeds).await?;
    }
    // The other rosters of the list have moved its cases on already.
    let cases: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT case_id FROM list_people JOIN cases ON cases.id = case_id \
         WHERE list = ? AND state = 'accepted'",
    )
    .bind(list.id)
    .fetch_all(write.connection())
    .await?;
    let step = [State::Accepted, State::Matching];
    case::advance_all(&mut write, &cases, step, Action("case.dispatched"), clerk, now).await?;
    sqlx::query("UPDATE batches SET state = 'dispatched' WHERE id = ?")
        .bind(batch.id)
        .execute(write.connection())
        .await?;
    sign(&mut write, id, &made, centre, clerk, now).await?;
    write.commit().await?;
    lists.keep(list);
    Ok(id)
}

/// What a roster to an institution stands on.
pub(super) struct Ground<'a> {
    pub(super) centre: &'a Centre,
    pub(super) kept: &'a Agreement,
    pub(super) terms: AgreementInForce,
    pub(super) groups: Vec<Vec<SealingKey>>,
}

/// Whether an institution may be asked so much today, and by whom its answer is opened.
pub(super) async fn ground<'a>(
    console: &'a Console,
    institution: &'a Institution,
    level: Level,
    today: Date,
) -> Result<Ground<'a>, DispatchError> {
    let store = console.store();
    let centre = console.config().centre.as_ref().ok_or(DispatchError::Rule("dispatch.no_centre"))?;
    let kept = institution.agreement.as_ref().filter(|a| a.is_in_force(today));
    let kept = kept.ok_or(DispatchError::Rule("dispatch.no_agreement"))?;
    if level > kept.level {
        return Err(DispatchError::Rule("dispatch.over_level"));
    }
    let terms = Document::<Terms>::read(&agreement::document(store, kept.id).await?)?.check(today)?;
    let groups = opening_groups(store).await?;
    Ok(Ground { centre, kept, terms, groups })
}

/// The number of the next roster to an institution.
pub(super) async fn next_serial(write: &mut Write, institution: &Institution) -> Result<i64, Fault> {
    Ok(sqlx::query_scalar("SELECT coalesce(max(serial), 0) + 1 FROM rosters WHERE institution = ?")
        .bind(institution.id)
        .fetch_one(write.connection())
        .await?)
}

/// A roster that is made and not kept yet.
pub(super) struct Made {
    pub(super) batch: i64,
    pub(super) list: i64,
    pub(super) people: i64,
    pub(super) level: Level,
    pub(super) serial: i64,
    pub(super) expires: Time,
    pub(super) document: Vec<u8>,
}

impl Made {
    fn digest(&self) -> Result<Digest, DispatchError> {
        Ok(Digest::of(&Head::parse(&self.document)?.pae()))
    }
}

/// Keeps a roster; gives its row.
pub(super) async fn add(
    write: &mut Write,
    institution: &Institution,
    kept: &Agreement,
    made: &Made,
    clerk: &Clerk,
    now: Time,
) -> Result<i64, DispatchError> {
    let id = write.next_id("rosters").await?;
    sqlx::query(
        "INSERT INTO rosters (id, batch, institution, list, agreement, serial, digest, level, people, issued, expires, \
         state, document, made_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(made.batch)
    .bind(institution.id)
    .bind(made.list)
    .bind(kept.id)
    .bind(made.serial)
    .bind(made.digest()?.as_bytes().as_slice())
    .bind(made.level.word())
    .bind(made.people)
    .bind(unix(now))
    .bind(unix(made.expires))
    .bind(if kept.cosigned { "unsigned" } else { "ready" })
    .bind(&made.document)
    .bind(clerk.id)
    .execute(write.connection())
    .await?;
    Ok(id)
}

/// Logs that a roster was made, and signs the log's head.
pub(super) async fn sign(
    write: &mut Write,
    id: i64,
    made: &Made,
    centre: &Centre,
    clerk: &Clerk,
    now: Time,
) -> Result<(), DispatchError> {
    let object = Object::Document("roster", id, made.digest()?);
    let place = write.log(Action("roster.made"), &clerk.code, now, object).await?;
    log::checkpoint(write, place, now, &centre.keys.signing).await?;
    Ok(())
}

pub(super) fn request(
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

pub(super) fn make_document(
    request: &RosterRequest,
    terms: &AgreementInForce,
    applicants: &Applicants,
    centre: &Centre,
    entropy: &Entropy,
) -> Result<Vec<u8>, DispatchError> {
    make_roster(request, terms, applicants, &centre.keys, entropy).map_err(|error| match error {
        MakeError::OtherCentre => DispatchError::Rule("dispatch.other_centre"),
        MakeError::NoApplicants => DispatchError::Rule("dispatch.nobody"),
        MakeError::TooManyApplicants => DispatchError::Rule("dispatch.too_many"),
        MakeError::RepeatedOfficer => DispatchError::Rule("dispatch.officers"),
        MakeError::Entries => DispatchError::Rule("dispatch.again"),
        MakeError::Decode(_) | MakeError::Check(_) => DispatchError::Rule("dispatch.refused"),
    })
}

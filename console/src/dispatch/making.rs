//! Makes a roster: who of a batch may be asked about, in which order, under which terms.

use std::collections::HashMap;

use desk::{Applicants, MakeError, RosterRequest, make_roster};
use protocol::agreement::{Agreement as Terms, AgreementInForce};
use protocol::envelope::Head;
use protocol::roster::{Level, PrfName};
use protocol::secret::Entropy;
use protocol::value::{Date, Digest, ReleaseNumber, SealingKey, Text};
use protocol::{Document, Time};
use zeroize::Zeroizing;

use super::agreement::{self, Institution};
use super::batch::{self, Asked, Batch};
use super::error::DispatchError;
use crate::cases::case::{self, State};
use crate::cases::person::{self, Person};
use crate::console::{Centre, Console};
use crate::edge::local_day;
use crate::staff::{Clerk, Role, account};
use crate::store::{Action, Column, Fault, Object, Store, log, unix};

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

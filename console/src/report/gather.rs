//! From what a second person confirmed to what the report says. In Chinese, as the paper is.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Account, Facts, Finding, Hands, Member, Rules, Source, money};
use super::{ReportError, objection};
use crate::cases::case::{self, Case, State};
use crate::cases::person;
use crate::console::Console;
use crate::review::{self, Confirmed, Entry, Flag, Outcome};
use crate::store::{Fault, Store};
use crate::words::Words;

const T: Words = Words::Chinese;

/// What a report of `case` would say now; number and version are for whoever issues it.
///
/// # Errors
/// [`ReportError::Rule`] when nothing is confirmed, or the centre has no keys.
pub async fn report(console: &Console, case: &Case) -> Result<(Facts, Confirmed), ReportError> {
    let store = console.store();
    let confirmed = review::confirmed(store, case.id).await?;
    let confirmed = confirmed.filter(|_| case.state == State::Reviewed);
    let confirmed = confirmed.ok_or(ReportError::Rule("report.not_confirmed"))?;
    let mut facts = begin(console, case).await?;
    let found = &confirmed.findings;
    let authorised = authorisations(store, case.id).await?;
    facts.as_of = found.as_of.to_string();
    facts.members = found
        .members
        .iter()
        .map(|member| Member {
            name: member.name.clone(),
            number: member.number.clone(),
            relation: member.relation.clone(),
            ring: member.ring,
            authorisation: authorised.get(&member.person).cloned().unwrap_or_default(),
        })
        .collect();
    facts.sources = sources(&confirmed);
    facts.findings = findings(&confirmed);
    facts.accounts = accounts(&confirmed);
    facts.rules = (confirmed.rules.version > 0).then(|| Rules {
        name: confirmed.rules.title.clone(),
        version: confirmed.rules.version.to_string(),
        flags: confirmed.flags.iter().map(|flag| sentence(flag, &confirmed)).collect(),
    });
    let officers = found.sources.iter().filter_map(|source| source.answer.as_ref());
    let opened: BTreeSet<String> =
        officers.flat_map(|answer| &answer.officers).map(|who| who.code.to_string()).collect();
    facts.hands = Hands {
        opened: opened.into_iter().collect(),
        confirmed: confirmed.by.code.to_string(),
        issued: String::new(),
    };
    facts.objection = objection::to_answer(store, case.id).await?;
    Ok((facts, confirmed))
}

/// What a suspension report of `case` would say now.
///
/// # Errors
/// [`ReportError::Rule`] when it is not suspended, or the centre has no keys.
pub async fn suspension(console: &Console, case: &Case) -> Result<Facts, ReportError> {
    if case.state != State::Suspended {
        return Err(ReportError::Rule("report.not_suspended"));
    }
    let store = console.store();
    let mut facts = begin(console, case).await?;
    "suspension".clone_into(&mut facts.kind);
    let events = case::events(store, case.id).await?;
    let last = events.into_iter().rev().find(|event| event.action == "case.suspended");
    facts.reason = last.and_then(|event| event.note);
    for member in case::members(store, case.id).await? {
        let who = person::open(store, member.person).await?.ok_or(Fault::Stored("people"))?;
        facts.members.push(Member {
            name: who.name,
            number: who.numbers.into_iter().next().map(|stored| stored.number).unwrap_or_default(),
            relation: member.relation,
            ring: member.ring,
            authorisation: member.authorisation.map(|one| one.number).unwrap_or_default(),
        });
    }
    Ok(facts)
}

async fn begin(console: &Console, case: &Case) -> Result<Facts, ReportError> {
    let centre = console.config().centre.as_ref().ok_or(ReportError::Rule("dispatch.no_centre"))?;
    Ok(Facts {
        salt: hex::encode(*console.store().random::<16>()?),
        kind: "report".to_owned(),
        number: String::new(),
        version: 0,
        issued: console.now()?.date().to_string(),
        centre: centre.name.to_string(),
        case: case.number.clone().unwrap_or_default(),
        commission: case.commission.clone(),
        office: case.office.clone(),
        household: case.household_number.clone(),
        task: case.task.clone(),
        as_of: case.as_of.to_string(),
        income: case.income.map(|(from, to)| (from.to_string(), to.to_string())),
        members: Vec::new(),
        sources: Vec::new(),
        findings: Vec::new(),
        accounts: Vec::new(),
        rules: None,
        reason: None,
        objection: None,
        hands: Hands::default(),
    })
}

async fn authorisations(store: &Store, case: i64) -> Result<BTreeMap<i64, String>, Fault> {
    let members = case::members(store, case).await?;
    let numbers = members.into_iter().filter_map(|m| Some((m.person, m.authorisation?.number)));
    Ok(numbers.collect())
}

fn sources(confirmed: &Confirmed) -> Vec<Source> {
    let found = &confirmed.findings;
    found
        .sources
        .iter()
        .map(|source| {
            let answer = source.answer.as_ref();
            let mut coverage = Vec::new();
            if let Some(answer) = answer {
                let statement = &answer.looked.statement;
                coverage.push(T.fill(
                    "paper.rows",
                    &[("rows", &statement.rows), ("aside", &answer.looked.quarantined())],
                ));
                if answer.looked.is_thin(confirmed.rules.thin_per_mille) {
                    coverage.push(T.t("paper.thin").to_owned());
                }
                if answer.looked.warnings.iter().any(|(code, _)| code.starts_with("canary_")) {
                    coverage.push(T.t("paper.canary").to_owned());
                }
            }
            // Members whom this roster did not ask about, or who took their word back.
            for outcome in [Outcome::NotAsked, Outcome::Withdrawn] {
                let places: Vec<String> = (1..)
                    .zip(&found.members)
                    .filter(|(_, member)| {
                        member.answers.iter().any(|answer| {
                            answer.institution == source.institution && answer.outcome == outcome
                        })
                    })
                    .map(|(at, _): (i64, _)| at.to_string())
                    .collect();
                if !places.is_empty() {
                    let who = places.join("、");
                    coverage.push(match outcome {
                        Outcome::NotAsked => T.fill("paper.not_asked", &[("who", &who)]),
                        _ => T.fill("paper.withdrawn", &[("who", &who)]),
                    });
                }
            }
            Source {
                name: source.institution_name.clone(),
                level: source.level.clone(),
                state: match source.outcome {
                    Outcome::Found | Outcome::NoRecord => "answered",
                    Outcome::Withdrawn | Outcome::NotAsked => "left_out",
                    Outcome::Refused => "refused",
                    Outcome::Unopened | Outcome::Waiting | Outcome::Overdue | Outcome::GivenUp => "waiting",
                }
                .to_owned(),
                version: answer.map(|answer| answer.version),
                answer: answer.map(|answer| answer.digest.to_string()),
                data_day: answer.map(|answer| answer.looked.created.date().to_string()),
                coverage,
            }
        })
        .collect()
}

fn findings(confirmed: &Confirmed) -> Vec<Finding> {
    let mut all = Vec::new();
    for (at, member) in (1_i64..).zip(&confirmed.findings.members) {
        for answer in &member.answers {
            let Some(found) = answer.finding.as_ref().filter(|finding| finding.found && !finding.withdrawn)
            else {
                continue;
            };
            let mut notes = Vec::new();
            if found.name_flags.iter().any(|flag| flag == "different") {
                notes.push(T.t("paper.name_differs").to_owned());
            }
            if found.matched.iter().any(|number| number != "current") {
                notes.push(T.t("paper.former_number").to_owned());
            }
            if !found.notes.is_empty() {
                notes.push(T.t("paper.incomplete").to_owned());
            }
            let source = answer.institution_name.clone();
            let sums: Vec<&Entry> = found.totals().collect();
            if sums.is_empty() {
                // Level L0: only whether there is anything, and on which side of the line.
                if let Some(over) = found.over_line {
                    notes.push(T.t(if over { "paper.over_line" } else { "paper.under_line" }).to_owned());
                }
                all.push(Finding {
                    member: at,
                    source,
                    kind: "hit".to_owned(),
                    currency: "CNY".to_owned(),
                    minor: None,
                    accounts: 0,
                    days: None,
                    notes,
                });
                continue;
            }
            for entry in sums {
                let mut notes = notes.clone();
                if entry.liability {
                    notes.push(T.t("paper.liability").to_owned());
                }
                if entry.blank.is_some_and(|blank| blank > 0) {
                    notes.push(T.t("paper.blank").to_owned());
                }
                if entry.is_stale(confirmed.findings.as_of, confirmed.rules.stale_days) {
                    notes.push(T.t("paper.stale").to_owned());
                }
                all.push(Finding {
                    member: at,
                    source: source.clone(),
                    kind: entry.kind.clone(),
                    currency: entry.currency.to_string(),
                    minor: entry.minor,
                    accounts: entry.accounts.map_or(0, i64::from),
                    days: entry.oldest.zip(entry.newest).map(|(a, b)| (a.to_string(), b.to_string())),
                    notes,
                });
            }
        }
    }
    all
}

/// The single accounts, where an institution was asked for them.
fn accounts(confirmed: &Confirmed) -> Vec<Account> {
    let mut all = Vec::new();
    for (at, member) in (1_i64..).zip(&confirmed.findings.members) {
        for answer in &member.answers {
            let found = answer.finding.iter().filter(|finding| finding.found && !finding.withdrawn);
            all.extend(found.flat_map(|finding| finding.accounts()).map(|entry| Account {
                member: at,
                source: answer.institution_name.clone(),
                kind: entry.kind.clone(),
                account: person::mask_account(entry.account.as_deref().unwrap_or_default()),
                product: entry.product.clone().unwrap_or_default(),
                status: entry.status.clone(),
                currency: entry.currency.to_string(),
                minor: entry.minor,
                day: entry.newest.map(|day| day.to_string()),
            }));
        }
    }
    all
}

/// A flag as a sentence: what, about whom and what, found and held against.
fn sentence(flag: &Flag, confirmed: &Confirmed) -> String {
    let counts = matches!(flag.code.as_str(), "thin" | "warned" | "blank" | "unreadable");
    let figure = |n: i64| if counts { n.to_string() } else { money(n) };
    let mut about = Vec::new();
    let place = flag
        .person
        .and_then(|person| confirmed.findings.members.iter().position(|member| member.person == person));
    if let Some(place) = place {
        about.push(T.fill("paper.flag_member", &[("n", &(place + 1))]));
    }
    about.extend(flag.institution.clone());
    about.extend(flag.line.clone());
    about.extend(flag.kind.as_ref().map(|kind| T.of("asset", kind).to_owned()));
    let mut text = T.of("paper_flag", &flag.code).to_owned();
    if !about.is_empty() {
        text = format!("{text}（{}）", about.join("，"));
    }
    if let Some(found) = flag.found {
        text.push_str(&T.fill("paper.flag_found", &[("n", &figure(found))]));
    }
    if let Some(against) = flag.against {
        text.push_str(&T.fill("paper.flag_against", &[("n", &figure(against))]));
    }
    text
}

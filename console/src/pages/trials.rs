//! Test mode: trials of the way to an institution and back, with people who do not exist. Their names and numbers are
//! nobody's, and are shown in clear.

use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use protocol::roster::Level;

use super::file::{CSV, saved};
use super::form::Fields;
use super::layout::{At, View, choice, field, heading};
use super::problem::{Refusal, refuse};
use super::routes::{OPERATORS, READERS, Routes, to};
use crate::console::Console;
use crate::dispatch::trial::{self, Nobody, Trial, Verdict};
use crate::dispatch::{agreement, batch, lists};
use crate::report::facts::money;
use crate::review::findings::Finding;
use crate::staff::{Clerk, Role};
use crate::words::Words;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/trials", READERS, list)
        .post("/trials", OPERATORS, make)
        .get("/trials/{id}", READERS, show)
        .get("/trials/{id}/customers.csv", OPERATORS, customers)
        .get("/trials/{id}/applicants.csv", OPERATORS, applicants)
}

async fn list(State(console): State<Console>, view: View) -> Result<Response, Refusal> {
    let (t, store, today) = (view.words, console.store(), console.today()?);
    let all = trial::list(store, None).await?;
    let institutions = agreement::institutions(store, today).await?;
    let open = institutions.iter().filter(|i| i.agreement.as_ref().is_some_and(|a| a.is_in_force(today)));
    let open: Vec<(String, &str)> = open.map(|i| (i.id.to_string(), i.name.as_str())).collect();
    let open: Vec<(&str, &str)> = open.iter().map(|(id, name)| (id.as_str(), *name)).collect();
    let levels = [("L1", t.t("level.L1")), ("L0", t.t("level.L0")), ("L2", t.t("level.L2"))];
    Ok(view.page(
        t.t("menu.trials"),
        &html! {
            div.sheet {
                (heading(t.t("menu.trials"), t.t("trial.lead")))
                @if all.is_empty() { p.empty { (t.t("list.empty")) } } @else {
                    div.scroll { table {
                        thead { tr { th scope="col" { (t.t("batch.number")) } th scope="col" { (t.t("institution.one")) } th scope="col" { (t.t("column.level")) } th scope="col" { (t.t("list.state")) } th scope="col" { (t.t("batch.made")) } } }
                        tbody { @for one in &all { tr {
                            th scope="row" { a href={ "/trials/" (one.batch) } { (one.number) } } td { (one.institution) } td { (t.of("level", &one.level)) }
                            td { (state(t, one)) } td { (At(one.made)) }
                        } } }
                    } }
                }
            }
            @if view.may(&[Role::Operator]) {
                form.sheet method="post" action="/trials" {
                    h2 { (t.t("trial.new")) }
                    @if open.is_empty() { p.empty { (t.t("dispatch.no_agreement")) } } @else {
                        div.pair {
                            (choice(t.t("institution.one"), "institution", "", &open))
                            (choice(t.t("batch.level"), "level", "L1", &levels))
                            (field(t.t("door.one_time"), "one_time", t.t("batch.one_time_hint"), &html! {
                                input #one_time name="one_time" inputmode="numeric" maxlength="7" required autocomplete="one-time-code";
                            }))
                        }
                        p.actions { button.button #make-trial { (t.t("trial.make")) } }
                    }
                }
            }
        },
    ))
}

fn state(t: Words, one: &Trial) -> Markup {
    html! {
        @if one.opening.is_some() { span.tag.good { (t.t("trial.opened")) } }
        @else { span.tag { (t.of("roster", &one.state)) } }
    }
}

async fn make(State(console): State<Console>, clerk: Clerk, fields: Fields) -> Result<Response, Refusal> {
    let level = [Level::L0, Level::L1, Level::L2].into_iter().find(|l| l.word() == fields.line("level"));
    let (Some(level), Some(institution)) = (level, fields.number("institution")) else {
        return refuse("refused.malformed");
    };
    let all = agreement::institutions(console.store(), console.today()?).await?;
    let institution = all.into_iter().find(|i| i.id == institution).ok_or(Refusal::NotFound)?;
    fields.confirm(&console, &clerk).await?;
    let batch = trial::make(&console, &institution, level, &clerk).await?;
    Ok(to(&format!("/trials/{batch}")))
}

async fn find(console: &Console, id: i64) -> Result<(Trial, Vec<Nobody>), Refusal> {
    let one = trial::list(console.store(), Some(id)).await?.into_iter().next().ok_or(Refusal::NotFound)?;
    let people = trial::asked(console.store(), id).await?.ok_or(Refusal::NotFound)?;
    Ok((one, people))
}

async fn show(State(console): State<Console>, view: View, Path(id): Path<i64>) -> Result<Response, Refusal> {
    let t = view.words;
    let (one, people) = find(&console, id).await?;
    let results = trial::results(console.store(), &one, &people).await?;
    let bad = results.as_ref().map(|all| all.iter().filter(|(_, verdict)| *verdict != Verdict::Good).count());
    Ok(view.page(
        &one.number,
        &html! {
            div.sheet {
                (heading(&one.number, t.t("trial.notice")))
                dl.facts {
                    div { dt { (t.t("institution.one")) } dd { (one.institution) } }
                    div { dt { (t.t("column.level")) } dd { (t.of("level", &one.level)) } }
                    div { dt { (t.t("list.state")) } dd { (state(t, &one)) } }
                }
                @match bad {
                    None => { p.hint { (t.t("trial.steps")) } }
                    Some(0) => { p.notice.good #passed { (t.t("trial.passed")) } }
                    Some(n) => { p.notice.bad #differs { (t.fill("trial.differs", &[("n", &n)])) } }
                }
                div.actions {
                    @if view.may(&[Role::Operator]) { a.button.second href={ "/trials/" (id) "/customers.csv" } { (t.t("trial.customers")) } }
                    @if view.may(&[Role::Operator]) && one.state == "unsigned" { a.button.second href={ "/trials/" (id) "/applicants.csv" } { (t.t("trial.applicants")) } }
                    a.button.second href={ "/batches/" (id) } { (t.t("trial.to_board")) }
                    a.button.plain href={ "/openings/" (id) } { (t.t("menu.openings")) }
                }
            }
            (people_sheet(t, &people, results.as_deref()))
        },
    ))
}

fn people_sheet(t: Words, people: &[Nobody], results: Option<&[(Finding, Verdict)]>) -> Markup {
    let yuan = |minor: Option<i64>| minor.map_or_else(|| "—".to_owned(), money);
    html! {
        div.sheet {
            h2 { (t.t("trial.people")) }
            div.scroll { table {
                thead { tr {
                    th scope="col" { (t.t("column.name")) } th scope="col" { (t.t("column.number")) }
                    th.number scope="col" { (t.t("trial.held")) } th.number scope="col" { (t.t("trial.answered")) } th scope="col" { (t.t("trial.verdict")) }
                } }
                tbody.trial { @for (at, one) in people.iter().enumerate() {
                    @let result = results.and_then(|all| all.get(at));
                    tr {
                        th scope="row" { (one.name) @if let Some(other) = &one.held_as { " " small { (t.fill("trial.held_as", &[("name", other)])) } } }
                        td.id { (one.number) } td.number { (yuan(one.minor)) }
                        td.number { @match result { Some((found, _)) if found.found => { (yuan(trial::amount(found))) } Some(_) => { (t.t("trial.no_record")) } None => { "–" } } }
                        td { @if let Some((_, verdict)) = result {
                            span class=(if *verdict == Verdict::Good { "tag good" } else { "tag bad" }) { (t.of("trial_verdict", verdict.name())) }
                        } }
                    }
                } }
            } }
        }
    }
}

async fn customers(State(console): State<Console>, Path(id): Path<i64>) -> Result<Response, Refusal> {
    let (one, people) = find(&console, id).await?;
    let of = batch::find(console.store(), id).await?.ok_or(Refusal::NotFound)?;
    Ok(table(&one, "customers", trial::customers(&people, of.as_of).into_bytes()))
}

/// The list that a second organisation rebuilds the trial's roster from: its own has nobody who does not exist.
async fn applicants(State(console): State<Console>, Path(id): Path<i64>) -> Result<Response, Refusal> {
    let (one, _) = find(&console, id).await?;
    let file = lists::file_of(console.store(), one.roster).await?;
    Ok(table(&one, "applicants", file.to_vec()))
}

fn table(one: &Trial, what: &str, bytes: Vec<u8>) -> Response {
    saved(CSV, &format!("{}-{what}.csv", one.number.to_lowercase()), bytes)
}

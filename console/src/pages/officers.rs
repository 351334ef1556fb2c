//! Opening answers: which batches have some, and the page on which two key officers unlock.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::form::Fields;
use super::layout::{At, Listing, PER_PAGE, View, field, heading};
use super::problem::{Refusal, refuse};
use super::routes::{OFFICERS, READERS, Routes, to};
use super::work;
use crate::console::Console;
use crate::dispatch::batch;
use crate::jobs::Outcome;
use crate::review::ReviewError;
use crate::review::opening::{self, Step};
use crate::staff::{Clerk, Role};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/openings", READERS, list)
        .get("/openings/{id}", READERS, show)
        .upload("/openings/{id}/unlock", OFFICERS, opening::MAX_KEY_FILE, unlock)
        .post("/openings/{id}/withdraw", OFFICERS, withdraw)
        .get("/openings/{id}/progress/{of}", OFFICERS, progress)
}

impl From<ReviewError> for Refusal {
    fn from(error: ReviewError) -> Self {
        match error {
            ReviewError::Rule("refused.not_found") => Self::NotFound,
            ReviewError::Rule(key) => Self::Key(key),
            ReviewError::Fault(fault) => fault.into(),
        }
    }
}

async fn list(
    State(console): State<Console>,
    view: View,
    Query(listing): Query<Listing>,
) -> Result<Response, Refusal> {
    let (t, now) = (view.words, console.now()?);
    let (all, total) = opening::batches(console.store(), listing.skip(), PER_PAGE).await?;
    Ok(view.page(
        t.t("menu.openings"),
        &html! {
            div.sheet {
                (heading(t.t("opening.title"), t.t("opening.lead")))
                @if all.is_empty() { p.empty { (t.t("opening.none")) } } @else {
                    table {
                        thead { tr {
                            th scope="col" { (t.t("batch.number")) } th.number scope="col" { (t.t("batch.answered")) }
                            th.number scope="col" { (t.t("opening.to_open")) } th scope="col" { (t.t("list.state")) }
                        } }
                        tbody { @for b in &all { tr {
                            th scope="row" { a href={ "/openings/" (b.batch) } { (b.number) } }
                            td.number { (b.answered) } td.number { (b.to_open) }
                            td {
                                @if b.to_open == 0 { span.tag.good { (t.t("opening.all_open")) } }
                                @else if console.unlocks().waiting(b.batch, now).is_some() { span.tag.warn { (t.t("opening.one_key")) } }
                                @else { span.tag { (t.t("opening.sealed")) } }
                            }
                        } } }
                    }
                    (listing.pager(t, "/openings", total))
                }
            }
        },
    ))
}

async fn show(State(console): State<Console>, view: View, Path(id): Path<i64>) -> Result<Response, Refusal> {
    let (t, store) = (view.words, console.store());
    let b = batch::find(store, id).await?.ok_or(Refusal::NotFound)?;
    let waiting = opening::to_open(store, id).await?;
    let opened = opening::opened(store, id).await?;
    let first = console.unlocks().waiting(id, console.now()?);
    let me = view.clerk.as_ref().map(|clerk| clerk.id);
    let mine = first.as_ref().is_some_and(|(staff, _)| Some(*staff) == me);
    Ok(view.page(
        &b.number,
        &html! {
            div.sheet {
                (heading(&t.fill("opening.of", &[("n", &b.number)]), t.t("opening.lead")))
                @if waiting.is_empty() { p.empty { (t.t("opening.nothing")) } } @else {
                    table {
                        thead { tr {
                            th scope="col" { (t.t("institution.one")) } th.number scope="col" { (t.t("batch.people")) }
                            th.number scope="col" { (t.t("batch.version")) } th scope="col" { (t.t("opening.received")) }
                        } }
                        tbody { @for one in &waiting { tr {
                            th scope="row" { (one.institution) } td.number { (one.people) } td.number { (one.version) } td { (At(one.received)) }
                        } } }
                    }
                }
            }
            @if !waiting.is_empty() && view.may(&[Role::Officer]) {
                @match &first {
                    Some((_, code)) if mine => {
                        div.sheet {
                            h2 { (t.t("opening.second")) }
                            p.notice #first { (t.fill("opening.waits", &[("code", code)])) }
                            form method="post" action={ "/openings/" (id) "/withdraw" } {
                                p.actions { button.button.second #withdraw { (t.t("opening.withdraw")) } }
                            }
                        }
                    }
                    _ => {
                        form.sheet method="post" action={ "/openings/" (id) "/unlock" } enctype="multipart/form-data" autocomplete="off" {
                            @match &first {
                                Some((_, code)) => { h2 { (t.t("opening.second")) } p.notice #first { (t.fill("opening.first_is", &[("code", code)])) } }
                                None => { h2 { (t.t("opening.first")) } p.hint { (t.t("opening.hint")) } }
                            }
                            div.pair {
                                (field(t.t("opening.key"), "key", t.t("opening.key_hint"), &html! { input #key name="key" type="file" required; }))
                                (field(t.t("opening.passphrase_label"), "passphrase", t.t("opening.passphrase_hint"), &html! {
                                    input #passphrase name="passphrase" type="password" required autocomplete="off";
                                }))
                            }
                            p.actions { button.button #unlock { (t.t("opening.unlock")) } }
                        }
                    }
                }
            }
            @if !opened.is_empty() {
                div.sheet {
                    h2 { (t.t("opening.done")) }
                    div.scroll { table {
                        thead { tr {
                            th scope="col" { (t.t("institution.one")) } th.number scope="col" { (t.t("batch.version")) } th scope="col" { (t.t("opening.at")) }
                            th scope="col" { (t.t("opening.by")) } th scope="col" { (t.t("list.state")) }
                        } }
                        tbody { @for one in &opened { tr {
                            th scope="row" { (one.institution) } td.number { (one.version) } td { (At(one.at)) }
                            td { (one.officers[0].name) "、" (one.officers[1].name) " " code { (one.officers[0].code) " + " (one.officers[1].code) } }
                            td { (refusal(t, one.refused.as_deref())) }
                        } } }
                    } }
                }
            }
        },
    ))
}

/// What came of an opening.
fn refusal(t: crate::words::Words, code: Option<&str>) -> Markup {
    html! {
        @match code {
            Some(code) => { span.tag.bad { (t.of("answer_refused", code)) } }
            None => { span.tag.good { (t.t("opening.open")) } }
        }
    }
}

async fn unlock(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    if opening::to_open(console.store(), id).await?.is_empty() {
        return refuse("opening.nothing");
    }
    let Some(file) = fields.file("key") else { return refuse("refused.incomplete") };
    let step = opening::unlock(&console, id, &clerk, file, fields.secret("passphrase")).await?;
    drop(fields); // wiped
    let Step::Both(pair) = step else { return Ok(to(&format!("/openings/{id}"))) };
    let (job_id, job) = console.jobs().begin(clerk.id);
    tokio::spawn(async move {
        let outcome = match opening::open_batch(&console, id, pair, &job).await {
            Ok(_) => Outcome::Done(format!("/openings/{id}")),
            Err(ReviewError::Rule(key)) => Outcome::Refused(key),
            Err(ReviewError::Fault(fault)) => {
                // It says what could not be read or written, never a value.
                let _ = Refusal::Fault(Arc::new(fault)).into_response();
                Outcome::Failed
            }
        };
        job.end(outcome);
    });
    Ok(to(&format!("/openings/{id}/progress/{job_id}")))
}

async fn withdraw(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    if !console.unlocks().withdraw(id, clerk.id) {
        return refuse("opening.no_key_here");
    }
    Ok(to(&format!("/openings/{id}")))
}

async fn progress(
    State(console): State<Console>,
    view: View,
    clerk: Clerk,
    Path((_, of)): Path<(i64, u64)>,
) -> Result<Response, Refusal> {
    let Some(job) = console.jobs().find(of, clerk.id) else { return Err(Refusal::NotFound) };
    match job.outcome() {
        Some(Outcome::Done(path)) => Ok(to(&path)),
        Some(Outcome::Refused(key)) => refuse(key),
        Some(_) => refuse("opening.failed"),
        None => {
            Ok(work::running(&view, &job, ["opening.running", "opening.running_lead", "opening.progress"]))
        }
    }
}

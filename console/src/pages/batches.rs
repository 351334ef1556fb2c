//! Batches and the dispatch board.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};
use protocol::roster::Level;

use super::file::{DOCUMENT, saved};
use super::form::Fields;
use super::layout::{At, Listing, PER_PAGE, View, choice, field, heading};
use super::problem::{Refusal, refuse};
use super::routes::{OPERATORS, READERS, Routes, to};
use super::work;
use crate::cases::person;
use crate::console::Console;
use crate::dispatch::again;
use crate::dispatch::agreement::{self, Institution};
use crate::dispatch::batch::{self, Batch};
use crate::dispatch::error::DispatchError;
use crate::dispatch::lists::Lists;
use crate::dispatch::roster::{self, Roster};
use crate::dispatch::{answers, cosigner, making, sending};
use crate::staff::{Clerk, Role};
use crate::words::Words;

/// Bytes of a roster or answer at most, by a form.
const MAX_BYTES: usize = 256 << 20;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/batches", READERS, list)
        .post("/batches", OPERATORS, make)
        .get("/batches/{id}", READERS, board)
        .post("/batches/{id}/dispatch", OPERATORS, dispatch)
        .post("/batches/{id}/fetch", OPERATORS, fetch)
        .post("/rosters/{id}/send", OPERATORS, send)
        .post("/rosters/{id}/close", OPERATORS, close)
        .post("/rosters/{id}/file", OPERATORS, file)
        .post("/rosters/{id}/cosign-request", OPERATORS, cosign_request)
        .upload("/rosters/{id}/cosigned", OPERATORS, MAX_BYTES, cosigned)
        .upload("/rosters/{id}/answer", OPERATORS, MAX_BYTES, answer)
}

impl From<DispatchError> for Refusal {
    fn from(error: DispatchError) -> Self {
        match error {
            DispatchError::Rule(key) => Self::Key(key),
            DispatchError::Relay(error) if error.code == "host_unreachable" => {
                Self::Key("dispatch.unreachable")
            }
            DispatchError::Relay(_) => Self::Key("dispatch.host_refuses"),
            DispatchError::Fault(fault) => fault.into(),
        }
    }
}

async fn list(
    State(console): State<Console>,
    view: View,
    Query(listing): Query<Listing>,
) -> Result<Response, Refusal> {
    let t = view.words;
    let (all, total) = batch::list(console.store(), listing.skip(), PER_PAGE).await?;
    let (_, stuck) = again::list(console.store(), console.now()?, 0).await?;
    let waiting = batch::waiting(console.store(), console.now()?).await?;
    Ok(view.page(
        t.t("menu.batches"),
        &html! {
            div.sheet {
                (heading(t.t("batch.title"), t.t("batch.lead")))
                @if stuck > 0 { p.notice { a href="/left-out" { (t.fill("stuck.some", &[("n", &stuck)])) } } }
                @if waiting.is_empty() { p.empty { (t.t("batch.nothing_waits")) } } @else {
                    h2 { (t.t("batch.waiting")) }
                    table {
                        thead { tr { th scope="col" { (t.t("column.as_of")) } th scope="col" { (t.t("case.income")) } th.number scope="col" { (t.t("batch.cases")) } th scope="col" {} } }
                        tbody { @for w in &waiting { tr {
                            th.id scope="row" { (w.as_of) } td.id { (period(w.income)) } td.number { (w.cases) }
                            td { @if view.may(&[Role::Operator]) {
                                form.inline method="post" action="/batches" {
                                    input type="hidden" name="as_of" value=(w.as_of);
                                    @if let Some((from, to)) = w.income {
                                        input type="hidden" name="from" value=(from); input type="hidden" name="to" value=(to);
                                    }
                                    button.button.make { (t.t("batch.make")) }
                                }
                            } }
                        } } }
                    }
                }
            }
            div.sheet {
                h2 { (t.t("batch.all")) }
                @if all.is_empty() { p.empty { (t.t("list.empty")) } } @else {
                    table {
                        thead { tr { th scope="col" { (t.t("batch.number")) } th scope="col" { (t.t("column.as_of")) } th.number scope="col" { (t.t("batch.cases")) } th scope="col" { (t.t("batch.made")) } th scope="col" { (t.t("list.state")) } } }
                        tbody { @for b in &all { tr {
                            th scope="row" { a href={ "/batches/" (b.id) } { (b.number) } @if b.trial { " " span.tag.warn { (t.t("trial.tag")) } } } td.id { (b.as_of) } td.number { (b.cases) } td { (At(b.made)) }
                            td { @if b.dispatched { span.tag.good { (t.t("batch.dispatched")) } } @else { span.tag { (t.t("batch.open")) } } }
                        } } }
                    }
                    (listing.pager(t, "/batches", total))
                }
            }
        },
    ))
}

fn period(income: Option<(protocol::value::Date, protocol::value::Date)>) -> String {
    income.map_or_else(|| "–".to_owned(), |(from, to)| format!("{from} – {to}"))
}

async fn make(State(console): State<Console>, clerk: Clerk, fields: Fields) -> Result<Response, Refusal> {
    let Some(as_of) = fields.day("as_of") else { return refuse("refused.malformed") };
    let income = fields.day("from").zip(fields.day("to"));
    let mut write = console.store().write().await?;
    let Some(id) = batch::make(&mut write, as_of, income, &clerk, console.now()?).await? else {
        return refuse("batch.nothing_waits");
    };
    write.commit().await?;
    Ok(to(&format!("/batches/{id}")))
}

async fn find(console: &Console, id: i64) -> Result<Batch, Refusal> {
    batch::find(console.store(), id).await?.ok_or(Refusal::NotFound)
}

async fn board(State(console): State<Console>, view: View, Path(id): Path<i64>) -> Result<Response, Refusal> {
    let (t, store, now, today) = (view.words, console.store(), console.now()?, console.today()?);
    let b = find(&console, id).await?;
    let rosters = roster::of_batch(store, id).await?;
    let institutions = agreement::institutions(store, today).await?;
    let out = |i: &Institution| rosters.iter().any(|r| r.institution == i.code && r.state != "void");
    let open: Vec<&Institution> = institutions.iter().filter(|i| !out(i)).collect();
    let mut left_out = Vec::new();
    for (institution, code, who, case) in roster::left_out(store, id).await? {
        let name = person::open(store, who).await?.map(|p| p.masked_name()).unwrap_or_default();
        left_out.push((institution, code, who, name, case));
    }
    let refused = answers::refused(store, id).await?;
    let me = view.clerk.as_ref().map(|clerk| clerk.code.to_string());
    let operator = view.may(&[Role::Operator]);
    let levels = [("L1", t.t("level.L1")), ("L0", t.t("level.L0")), ("L2", t.t("level.L2"))];
    let answered = rosters.iter().filter(|r| r.state == "answered").count();
    let waiting = rosters.iter().filter(|r| r.state == "sent").count();
    let late = rosters.iter().filter(|r| r.state == "sent" && r.expires <= now).count();
    Ok(view.page(
        &b.number,
        &html! {
            div.sheet {
                (heading(&b.number, ""))
                @if b.trial { p.notice { (t.t("trial.notice")) " " a href={ "/trials/" (id) } { (t.t("trial.to_result")) } } }
                dl.facts {
                    div { dt { (t.t("column.as_of")) } dd.id { (b.as_of) } }
                    div { dt { (t.t("case.income")) } dd.id { (period(b.income)) } }
                    div { dt { (t.t("batch.cases")) } dd { (b.cases) } }
                }
                dl.numbers {
                    div { dt { (t.t("batch.answered")) } dd { (answered) } }
                    div { dt { (t.t("batch.waited_for")) } dd { (waiting) } }
                    div class=[(late > 0).then_some("bad")] { dt { (t.t("batch.late")) } dd { (late) } }
                }
            }
            @if !rosters.is_empty() {
                div.sheet {
                    div.actions { h2 { (t.t("batch.board")) } @if operator && console.config().relay.is_some() {
                        form.inline method="post" action={ "/batches/" (id) "/fetch" } { button.button.second #fetch { (t.t("batch.fetch")) } }
                    } }
                    div.scroll { table {
                        thead { tr {
                            th scope="col" { (t.t("institution.one")) } th.number scope="col" { (t.t("batch.serial")) } th.number scope="col" { (t.t("batch.people")) }
                            th scope="col" { (t.t("column.level")) } th scope="col" { (t.t("list.state")) } th scope="col" { (t.t("batch.expires")) }
                            th.number scope="col" { (t.t("batch.version")) }
                        } }
                        tbody { @for r in &rosters { tr {
                            th scope="row" { (r.name) } td.number { (r.serial) } td.number { (r.people) } td { (t.of("level", &r.level)) }
                            td { (state(t, r, now)) @if r.closed && r.state == "sent" { " " span.tag.warn { (t.t("batch.closed")) } } @if let Some(way) = &r.way { " " (t.of("way", way)) } } td { (At(r.expires)) }
                            td.number { @if r.answers > 0 { (r.answers) } @else { "–" } }
                        } } }
                    } }
                    @if operator { @for r in rosters.iter().filter(|r| r.state != "void") { (steps(t, r, console.config().relay.is_some(), me.as_deref())) } }
                }
            }
            @if !refused.is_empty() {
                div.sheet {
                    h2 { (t.t("batch.refused")) }
                    p.hint { (t.t("batch.refused_hint")) }
                    div.scroll { table {
                        thead { tr { th scope="col" { (t.t("institution.one")) } th scope="col" { (t.t("batch.why")) } th scope="col" { (t.t("log.time")) } th scope="col" { (t.t("batch.digest")) } } }
                        tbody.refused { @for one in &refused { tr {
                            th scope="row" { (one.institution) } td { span.tag.bad { (t.of("answer_refused", &one.code)) } } td { (At(one.at)) }
                            td { code { (one.digest.to_string().chars().take(16).collect::<String>()) "…" } }
                        } } }
                    } }
                }
            }
            @if operator && !b.trial {
                form.sheet method="post" action={ "/batches/" (id) "/dispatch" } {
                    h2 { (t.t("batch.dispatch")) }
                    p.hint { (t.t("batch.dispatch_hint")) }
                    @if open.is_empty() { p.empty { (t.t("batch.all_out")) } } @else {
                        fieldset {
                            legend { (t.t("batch.to_whom")) }
                            @for i in &open {
                                @let good = i.agreement.as_ref().is_some_and(|a| a.is_in_force(today));
                                label.check {
                                    input type="checkbox" name="institution" value=(i.id) checked[good] disabled[!good];
                                    (i.name) " "
                                    @if let Some(a) = &i.agreement { span class=(match a.state(today) { "in_force" => "tag good", "ending" => "tag warn", _ => "tag bad" }) { (t.of("agreement", a.state(today))) } }
                                }
                            }
                        }
                        div.pair {
                            (choice(t.t("batch.level"), "level", "L1", &levels))
                            (field(t.t("door.one_time"), "one_time", t.t("batch.one_time_hint"), &html! {
                                input #one_time name="one_time" inputmode="numeric" maxlength="7" required autocomplete="one-time-code";
                            }))
                        }
                        p.actions { button.button #dispatch { (t.t("batch.dispatch_go")) } }
                    }
                }
            }
            @if !left_out.is_empty() {
                div.sheet {
                    h2 { (t.t("batch.left_out")) }
                    p.hint { (t.t("batch.left_out_hint")) }
                    div.scroll { table {
                        thead { tr { th scope="col" { (t.t("institution.one")) } th scope="col" { (t.t("people.person")) } th scope="col" { (t.t("batch.why")) } th scope="col" {} } }
                        tbody.left-out { @for (institution, code, who, name, case) in &left_out { tr {
                            td { (institution) } th scope="row" { a href={ "/people/" (who) } { (name) } } td { (t.of("left_out", code)) }
                            td { a href={ "/cases/" (case) } { (t.t("batch.to_case")) } }
                        } } }
                    } }
                }
            }
        },
    ))
}

fn state(t: Words, r: &Roster, now: protocol::Time) -> Markup {
    let late = r.state == "sent" && r.expires <= now;
    let class = match r.state.as_str() {
        _ if late => "tag bad",
        "answered" => "tag good",
        "void" => "tag bad",
        "unsigned" => "tag warn",
        _ => "tag",
    };
    html! { span class=(class) { @if late { (t.t("batch.late")) } @else { (t.of("roster", &r.state)) } } }
}

/// What can be done with a roster as it stands.
fn steps(t: Words, r: &Roster, host: bool, me: Option<&str>) -> Markup {
    let post = |step: &str| format!("/rosters/{}/{step}", r.id);
    let upload = |step: &str, label: &str| {
        html! {
            form.filter method="post" action=(post(step)) enctype="multipart/form-data" {
                input type="file" name="document" accept=".hedui" required aria-label=(label);
                button.button.second { (label) }
            }
        }
    };
    html! {
        section.panel.roster {
            h3 { (r.name) }
            @match r.state.as_str() {
                "unsigned" => {
                    p { (t.t("batch.cosign_lead")) }
                    div.actions {
                        form.inline method="post" action=(post("file")) { button.button.second { (t.t("batch.to_cosigner")) } }
                        form.inline method="post" action=(post("cosign-request")) { button.button.second.request { (t.t("batch.cosign_request")) } }
                    }
                    (upload("cosigned", t.t("batch.cosigned")))
                }
                "ready" if r.made_by.as_deref() == me => { p.notice { (t.t("batch.by_another")) } }
                _ if r.is_department => {
                    p.hint { (t.t("department.match_hint")) }
                    (upload("base-data", t.t("department.match")))
                    @if r.state == "sent" && !r.closed {
                        form.inline method="post" action=(post("close")) { button.button.quiet.close { (t.t("batch.close")) } }
                    }
                }
                "ready" => {
                    div.actions {
                        @if host { form.inline method="post" action=(post("send")) { button.button.send { (t.t("batch.send")) } } }
                        form.inline method="post" action=(post("file")) { button.button.second.save { (t.t("batch.save")) } }
                    }
                }
                "answered" => {
                    details { summary { (t.t("batch.correction")) } (upload("answer", t.t("batch.take_answer"))) }
                }
                _ => {
                    (upload("answer", t.t("batch.take_answer")))
                    @if r.state == "sent" && !r.closed {
                        form.inline method="post" action=(post("close")) { button.button.quiet.close { (t.t("batch.close")) } }
                    }
                }
            }
        }
    }
}

async fn dispatch(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let b = find(&console, id).await?;
    let level = [Level::L0, Level::L1, Level::L2].into_iter().find(|l| l.word() == fields.line("level"));
    let Some(level) = level else { return refuse("refused.malformed") };
    let chosen: Vec<i64> = fields.all("institution").iter().filter_map(|id| id.parse().ok()).collect();
    if chosen.is_empty() {
        return refuse("batch.nobody_chosen");
    }
    fields.confirm(&console, &clerk).await?;
    let institutions = agreement::institutions(console.store(), console.today()?).await?;
    let chosen: Vec<Institution> = institutions.into_iter().filter(|i| chosen.contains(&i.id)).collect();
    let shared = console.clone();
    Ok(work::begin(&console, &clerk.clone(), |job| async move {
        // A roster an institution, each in a transaction of its own: what was made stays when the next can't be.
        // Where nobody is to be asked about, none is made.
        let (mut made, mut lists) = (0, Lists::default());
        for (done, institution) in chosen.iter().enumerate() {
            job.step(done, chosen.len());
            match making::make(&shared, &b, institution, level, &clerk, &mut lists).await {
                Ok(_) => made += 1,
                Err(DispatchError::Rule("dispatch.nobody")) => {}
                Err(other) => return Err(other.into()),
            }
        }
        if made == 0 { refuse("dispatch.nobody") } else { Ok(format!("/batches/{id}")) }
    }))
}

async fn fetch(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    answers::fetch(&console, id, &clerk).await?;
    Ok(to(&format!("/batches/{id}")))
}

async fn find_roster(console: &Console, id: i64) -> Result<Roster, Refusal> {
    roster::find(console.store(), id).await?.ok_or(Refusal::NotFound)
}

async fn send(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let r = find_roster(&console, id).await?;
    sending::send_to_host(&console, &r, &clerk).await?;
    Ok(to(&format!("/batches/{}", r.batch)))
}

async fn close(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let r = find_roster(&console, id).await?;
    sending::close(&console, &r, &clerk).await?;
    Ok(to(&format!("/batches/{}", r.batch)))
}

/// The roster as a file: to the second organisation while it lacks its signature, else on its way.
async fn file(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let r = find_roster(&console, id).await?;
    let bytes = match r.state.as_str() {
        "unsigned" => roster::document(console.store(), id).await?,
        _ => sending::send_as_file(&console, &r, &clerk).await?,
    };
    Ok(download(&r, "roster", bytes))
}

/// What the second organisation needs beside the roster: sealed to it.
async fn cosign_request(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let r = find_roster(&console, id).await?;
    let bytes = cosigner::request(&console, &r, &clerk).await?;
    Ok(download(&r, "cosign-request", bytes))
}

fn download(r: &Roster, what: &str, bytes: Vec<u8>) -> Response {
    saved(DOCUMENT, &format!("{}-{}.{what}.hedui", r.institution, r.serial), bytes)
}

async fn cosigned(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let r = find_roster(&console, id).await?;
    let Some(bytes) = fields.file("document") else { return refuse("refused.incomplete") };
    sending::cosigned(&console, &r, bytes, &clerk).await?;
    Ok(to(&format!("/batches/{}", r.batch)))
}

async fn answer(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let r = find_roster(&console, id).await?;
    let Some(bytes) = fields.file("document") else { return refuse("refused.incomplete") };
    answers::take_answer(&console, &r, bytes, "file", &clerk).await?;
    Ok(to(&format!("/batches/{}", r.batch)))
}

//! Commissions: entered, accepted, returned, suspended, terminated.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};

use super::form::Fields;
use super::layout::{At, Listing, View, choice, day, field, heading, input};
use super::people::{defects, state_tag};
use super::problem::{Refusal, refuse};
use super::routes::{OPERATORS, READERS, Routes, to};
use super::work;
use crate::cases::calendar::Calendar;
use crate::cases::case::{self, Case, State as Stage, TASKS};
use crate::cases::{authorisation, person, scan};
use crate::console::Console;
use crate::staff::{Clerk, Role};
use crate::store::Action;
use crate::words::Words;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/cases", READERS, list)
        .get("/cases/new", OPERATORS, new_page)
        .post("/cases", OPERATORS, add)
        .post("/cases/accept", OPERATORS, accept_all)
        .get("/cases/{id}", READERS, show)
        .post("/cases/{id}/members", OPERATORS, add_member)
        .upload("/cases/{id}/scan", OPERATORS, scan::MAX_BYTES, add_scan)
        .post("/cases/{id}/accept", OPERATORS, accept)
        .post("/cases/{id}/return", OPERATORS, give_back)
        .post("/cases/{id}/again", OPERATORS, again)
        .post("/cases/{id}/suspend", OPERATORS, suspend)
        .post("/cases/{id}/resume", OPERATORS, resume)
        .post("/cases/{id}/terminate", OPERATORS, terminate)
}

const COLUMNS: [(&str, &str); 6] = [
    ("id", "cases.id"),
    ("number", "cases.number"),
    ("commission", "commission"),
    ("household", "household_number"),
    ("office", "cases.office, cases.id"),
    ("due", "due IS NULL, due"),
];

async fn list(
    State(console): State<Console>,
    view: View,
    Query(mut listing): Query<Listing>,
) -> Result<Response, Refusal> {
    let (t, today) = (view.words, console.today()?);
    if listing.sort.is_none() {
        listing.sort = Some("-id".to_owned());
    }
    let filter = listing.filter();
    let (cases, total) = case::list(console.store(), &filter, &listing.rows(&COLUMNS), today).await?;
    let mut states = vec![("", t.t("list.all")), ("overdue", t.t("case.overdue"))];
    states.extend(Stage::ALL.map(|state| (state.name(), t.of("state", state.name()))));
    let operator = view.may(&[Role::Operator]);
    Ok(view.page(
        t.t("case.title"),
        &html! {
            div.sheet {
                (heading(t.t("case.title"), t.t("case.lead")))
                @if operator {
                    div.actions {
                        a.button #new href="/cases/new" { (t.t("case.new")) }
                        a.button.second href="/import" { (t.t("menu.import")) }
                        form.inline method="post" action="/cases/accept" { button.button.second #accept-all { (t.t("case.accept_all")) } }
                    }
                }
                form.filter method="get" action="/cases" {
                    (input(t.t("case.find"), "q", &filter.text, "", false))
                    (choice(t.t("list.state"), "state", &filter.state, &states))
                    (input(t.t("column.office"), "office", &filter.office, "", false))
                    button.button.second { (t.t("list.find")) }
                }
                @if cases.is_empty() { p.empty { (t.t("list.empty")) } } @else {
                    div.scroll { table {
                        thead { tr {
                            (listing.sorter("/cases", "number", t.t("case.number")))
                            (listing.sorter("/cases", "commission", t.t("column.commission")))
                            (listing.sorter("/cases", "household", t.t("column.household")))
                            (listing.sorter("/cases", "office", t.t("column.office")))
                            th scope="col" { (t.t("column.task")) } th scope="col" { (t.t("list.state")) }
                            (listing.sorter("/cases", "due", t.t("case.due")))
                        } }
                        tbody { @for one in &cases { tr {
                            th scope="row" { a href={ "/cases/" (one.id) } { (one.number.as_deref().unwrap_or(t.t("case.unnumbered"))) } }
                            td { (one.commission) } td { (one.household_number) } td { (one.office) }
                            td { (t.of("task", &one.task)) } td { (tag(t, one.state)) }
                            td.id { (due(t, one, today)) }
                        } } }
                    } }
                    (listing.pager(t, "/cases", total))
                }
            }
        },
    ))
}

fn tag(t: Words, state: Stage) -> Markup {
    let class = match state {
        Stage::Returned | Stage::Suspended => "tag warn",
        Stage::Terminated => "tag bad",
        Stage::Issued | Stage::Archived => "tag good",
        _ => "tag",
    };
    html! { span class=(class) { (t.of("state", state.name())) } }
}

fn due(t: Words, one: &Case, today: protocol::value::Date) -> Markup {
    html! {
        @if let Some(day) = one.due {
            (day)
            @if one.is_overdue(today) { " " span.tag.bad { (t.t("case.overdue")) } }
        }
    }
}

async fn new_page(view: View) -> Response {
    form(&view, &Fields::default(), &[])
}

fn form(view: &View, fields: &Fields, wrong: &[(&'static str, &'static str)]) -> Response {
    let t = view.words;
    let tasks = TASKS.map(|task| (task, t.of("task", task)));
    let classes = [("B", t.t("class.B")), ("A", t.t("class.A")), ("C", t.t("class.C"))];
    view.page(
        t.t("case.new"),
        &html! {
            form.sheet method="post" action="/cases" {
                (heading(t.t("case.new"), t.t("case.new_lead")))
                (defects(t, wrong))
                div.pair {
                    (input(t.t("column.commission"), "commission", fields.line("commission"), "", true))
                    (input(t.t("column.office"), "office", fields.line("office"), "", true))
                    (input(t.t("column.household"), "household", fields.line("household"), "", true))
                    (choice(t.t("column.class"), "class", fields.line("class"), &classes))
                    (choice(t.t("column.task"), "task", fields.line("task"), &tasks))
                    (day(t.t("column.as_of"), "as_of", fields.line("as_of"), t.t("case.as_of_hint"), true))
                    (day(t.t("column.income_from"), "income_from", fields.line("income_from"), "", false))
                    (day(t.t("column.income_to"), "income_to", fields.line("income_to"), "", false))
                }
                p.actions { button.button #save { (t.t("case.save")) } a.button.plain href="/cases" { (t.t("form.back")) } }
            }
        },
    )
}

async fn add(
    State(console): State<Console>,
    view: View,
    clerk: Clerk,
    fields: Fields,
) -> Result<Response, Refusal> {
    let mut wrong = Vec::new();
    for (field, key) in
        [("commission", "column.commission"), ("office", "column.office"), ("household", "column.household")]
    {
        if fields.text(field).is_none() {
            wrong.push((key, "defect.missing"));
        }
    }
    let as_of = fields.day("as_of");
    if as_of.is_none() {
        wrong.push(("column.as_of", "defect.bad_date"));
    }
    let (from, to_day) = (fields.day("income_from"), fields.day("income_to"));
    if from.is_some() != to_day.is_some() || from.zip(to_day).is_some_and(|(from, to)| from > to) {
        wrong.push(("column.income_to", "defect.half_period"));
    }
    let task = TASKS.into_iter().find(|task| *task == fields.line("task"));
    let class = ["A", "B", "C"].into_iter().find(|class| *class == fields.line("class"));
    let (Some(as_of), Some(task), Some(class), true) = (as_of, task, class, wrong.is_empty()) else {
        return Ok(form(&view, &fields, &wrong));
    };
    let new = case::New {
        commission: fields.line("commission").to_owned(),
        household: fields.line("household").to_owned(),
        office: fields.line("office").to_owned(),
        class: class.to_owned(),
        task: task.to_owned(),
        as_of,
        income: from.zip(to_day),
    };
    let now = console.now()?;
    let mut write = console.store().write().await?;
    let Some(id) = case::add(&mut write, &new, clerk.id, now).await? else {
        return Ok(form(&view, &fields, &[("column.commission", "defect.known_commission")]));
    };
    case::note(&mut write, id, Action("case.received"), None, &clerk, now).await?;
    write.commit().await?;
    Ok(to(&format!("/cases/{id}")))
}

async fn find(console: &Console, id: i64) -> Result<Case, Refusal> {
    case::find(console.store(), id).await?.ok_or(Refusal::NotFound)
}

async fn show(State(console): State<Console>, view: View, Path(id): Path<i64>) -> Result<Response, Refusal> {
    let (t, store, today) = (view.words, console.store(), console.today()?);
    let one = find(&console, id).await?;
    let members = case::members(store, id).await?;
    let events = case::events(store, id).await?;
    let mut people = Vec::new();
    for member in &members {
        people.push(person::open(store, member.person).await?);
    }
    let scans = scan::of(store, "commission", id).await?;
    let closed: Vec<(i64, String)> =
        sqlx::query_as("SELECT id, number FROM archives WHERE case_id = ? ORDER BY version")
            .bind(id)
            .fetch_all(store.read())
            .await?;
    let found = case::defects(&one, &members, today);
    let own = match &view.clerk {
        Some(clerk) => case::is_own(store, id, clerk).await?,
        None => true,
    };
    let operator = view.may(&[Role::Operator]);
    let title = one.number.clone().unwrap_or_else(|| one.commission.clone());
    let post = |step: &str| format!("/cases/{id}/{step}");
    let why = |name: &str, label: &str| {
        field(label, name, "", &html! { input #(name) name="why" required maxlength="200"; })
    };
    Ok(view.page(
        &title,
        &html! {
            div.sheet {
                (heading(&title, ""))
                (way(t, &one))
                dl.facts {
                    div { dt { (t.t("column.commission")) } dd { (one.commission) } }
                    div { dt { (t.t("column.office")) } dd { (one.office) } }
                    div { dt { (t.t("column.household")) } dd { a href={ "/households/" (one.household) } { (one.household_number) } " · " (t.of("class", &one.class)) } }
                    div { dt { (t.t("column.task")) } dd { (t.of("task", &one.task)) } }
                    div { dt { (t.t("column.as_of")) } dd.id { (one.as_of) } }
                    @if let Some((from, to)) = one.income {
                        div { dt { (t.t("case.income")) } dd.id { (from) " – " (to) } }
                    }
                    div { dt { (t.t("case.received")) } dd.id { (one.received) } }
                    @if one.due.is_some() { div { dt { (t.t("case.due")) } dd.id { (due(t, &one, today)) } } }
                    div { dt { (t.t("case.commission_scan")) } dd {
                        @if scans.is_empty() { (t.t("people.no_scan")) }
                        @for scan in &scans {
                            form.inline method="post" action={ "/scans/" (scan.id) } target="_blank" {
                                button.button.quiet { (t.t("people.open_scan")) " " (scan.bytes / 1024 + 1) " kB" }
                            }
                        }
                    } }
                }
                p.actions {
                    a.button.second #review href={ "/reviews/" (id) } { (t.t("case.to_review")) }
                    a.button.second #report href={ "/cases/" (id) "/report" } { (t.t("case.to_report")) }
                    @for (archive, number) in &closed { a.button.plain href={ "/archive/" (archive) } { (number) } }
                }
                @if operator && !matches!(one.state, Stage::Archived) {
                    form.filter method="post" action=(post("scan")) enctype="multipart/form-data" {
                        input type="file" name="scan" accept=".pdf,.jpg,.jpeg,.png" required aria-label=(t.t("case.commission_scan"));
                        button.button.second { (t.t("case.add_scan")) }
                    }
                }
                @if operator && one.state == Stage::Terminated && closed.is_empty() {
                    form.inline method="post" action=(post("archive")) { p.actions { button.button.second #archive { (t.t("archive.close")) } } }
                }
            }
            div.sheet {
                h2 { (t.t("case.members")) }
                @if members.is_empty() { p.empty { (t.t("case.no_members")) } } @else {
                    div.scroll { table {
                        thead { tr {
                            th scope="col" { "#" } th scope="col" { (t.t("column.name")) } th scope="col" { (t.t("column.number")) }
                            th scope="col" { (t.t("column.relation")) } th scope="col" { (t.t("column.ring")) }
                            th scope="col" { (t.t("column.authorisation")) } th scope="col" { (t.t("list.state")) }
                        } }
                        tbody { @for (at, (member, who)) in (1..).zip(members.iter().zip(&people)) { tr {
                            td { (at) }
                            th scope="row" { a href={ "/people/" (member.person) } { (who.as_ref().map(person::Person::masked_name).unwrap_or_default()) } }
                            td.id { (who.as_ref().map(person::Person::masked_number).unwrap_or_default()) }
                            td { (member.relation) } td { (t.of("ring", &member.ring.to_string())) }
                            td { @if let Some(a) = &member.authorisation { (a.number) } }
                            td { @match &member.authorisation {
                                Some(a) => { (state_tag(t, a, today)) }
                                None => { span.tag.bad { (t.t("authorisation.none")) } }
                            } }
                        } } }
                    } }
                }
                @if operator && matches!(one.state, Stage::Received | Stage::Returned) {
                    form.panel method="post" action=(post("members")) {
                        h3 { (t.t("case.add_member")) }
                        div.pair {
                            (input(t.t("column.authorisation"), "authorisation", "", t.t("case.member_hint"), true))
                            (input(t.t("column.relation"), "relation", "", t.t("case.relation_hint"), true))
                            (choice(t.t("column.ring"), "ring", "1", &[("1", t.t("ring.1")), ("2", t.t("ring.2"))]))
                        }
                        p.actions { button.button.second #add-member { (t.t("case.add_member")) } }
                    }
                }
            }
            @if operator && one.state == Stage::Received {
                div.sheet {
                    h2 { (t.t("case.acceptance")) }
                    @if found.is_empty() {
                        p.notice.good { (t.t("case.in_order")) }
                        @if own { p.notice #own { (t.t("accept.own_work")) } } @else {
                            form method="post" action=(post("accept")) { p.actions { button.button #accept { (t.t("case.accept")) } } }
                        }
                    } @else {
                        section.error {
                            h2 { (t.fill("form.wrong", &[("n", &found.len())])) }
                            ul { @for (at, key) in &found { li { @if *at > 0 { "#" (at) " " } (t.of_key(key)) } } }
                        }
                        form.filter method="post" action=(post("return")) {
                            (field(t.t("case.return_note"), "note", "", &html! { input #note name="note" maxlength="200"; }))
                            button.button #return { (t.t("case.return")) }
                        }
                    }
                }
            }
            @if operator && one.state == Stage::Returned {
                form.sheet method="post" action=(post("again")) {
                    p { (t.t("case.again_lead")) } p.actions { button.button #again { (t.t("case.again")) } }
                }
            }
            @if operator && (one.state.is_under_way() || one.state == Stage::Suspended) {
                div.sheet {
                    h2 { (t.t("case.stop")) }
                    @if one.state == Stage::Suspended {
                        form method="post" action=(post("resume")) { p.actions { button.button #resume { (t.t("case.resume")) } } }
                    } @else {
                        form.filter method="post" action=(post("suspend")) {
                            (why("suspend-why", t.t("case.why")))
                            button.button.second #suspend { (t.t("case.suspend")) }
                        }
                    }
                    form.filter method="post" action=(post("terminate")) {
                        (why("terminate-why", t.t("case.why")))
                        button.button.danger #terminate { (t.t("case.terminate")) }
                    }
                }
            }
            div.sheet {
                h2 { (t.t("case.events")) }
                table { tbody { @for event in &events { tr {
                    td { (At(event.at)) } td { (event.staff) } td { (t.of("action", &event.action)) }
                    td { (event.note.as_deref().unwrap_or("")) }
                } } } }
            }
        },
    ))
}

/// Keeps a scan of the commission's paper.
async fn add_scan(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let one = find(&console, id).await?;
    let Some(file) = fields.file("scan") else { return refuse("refused.incomplete") };
    let Some(media) = scan::media(file) else { return refuse("defect.media") };
    if one.state == Stage::Archived {
        return refuse("case.not_now");
    }
    let mut write = console.store().write().await?;
    scan::add(&mut write, "commission", id, media, file, &clerk, console.now()?).await?;
    write.commit().await?;
    Ok(to(&format!("/cases/{id}")))
}

fn way(t: Words, one: &Case) -> Markup {
    let at = Stage::WAY.iter().position(|state| *state == one.before.unwrap_or(one.state));
    html! {
        ol.way {
            @for (n, state) in Stage::WAY.iter().enumerate() {
                li class=[at.and_then(|at| if n < at { Some("past") } else if n == at && one.state == *state { Some("here") } else { None })] {
                    span { (t.of("state", state.name())) }
                }
            }
            @if !Stage::WAY.contains(&one.state) { li.here { span { (t.of("state", one.state.name())) } } }
        }
    }
}

async fn add_member(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let (Some(number), Some(relation)) = (fields.text("authorisation"), fields.text("relation")) else {
        return refuse("refused.incomplete");
    };
    let ring = if fields.line("ring") == "2" { 2 } else { 1 };
    let mut write = console.store().write().await?;
    let Some(one) = case::find_in(&mut write, id).await? else { return Err(Refusal::NotFound) };
    if !matches!(one.state, Stage::Received | Stage::Returned) {
        return refuse("case.not_now");
    }
    let Some((authorisation, person)) = authorisation::owner(&mut write, number).await? else {
        return refuse("case.no_such_authorisation");
    };
    if !case::add_member(&mut write, id, person, relation, ring, Some(authorisation)).await? {
        return refuse("case.member_already");
    }
    let now = console.now()?;
    case::note(&mut write, id, Action("case.member-added"), None, &clerk, now).await?;
    write.commit().await?;
    Ok(to(&format!("/cases/{id}")))
}

async fn accept(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let store = console.store();
    let calendar = Calendar::read(store).await?;
    // Nobody else writes from here on, so what is read now is what is accepted.
    let mut write = store.write().await?;
    let members = case::members(store, id).await?;
    let Some(one) = case::find_in(&mut write, id).await? else { return Err(Refusal::NotFound) };
    if !case::defects(&one, &members, console.today()?).is_empty() {
        return refuse("case.has_defects");
    }
    if case::is_own(store, id, &clerk).await? {
        return refuse("accept.own_work");
    }
    if !case::accept(&mut write, &one, &calendar, &clerk, console.now()?).await? {
        return refuse("case.not_now");
    }
    write.commit().await?;
    Ok(to(&format!("/cases/{id}")))
}

/// Accepts everything that waits, is in order and was entered by others; the rest stays.
async fn accept_all(State(console): State<Console>, clerk: Clerk) -> Response {
    let shared = console.clone();
    work::begin(&console, &clerk.clone(), |job| async move {
        let (store, now, today) = (shared.store(), shared.now()?, shared.today()?);
        let calendar = Calendar::read(store).await?;
        let waiting: Vec<i64> =
            sqlx::query_scalar("SELECT id FROM cases WHERE state = 'received' ORDER BY id")
                .fetch_all(store.read())
                .await?;
        let mut write = store.write().await?;
        let (mut accepted, mut own) = (0, 0);
        for (done, id) in waiting.iter().enumerate() {
            if done % 100 == 0 {
                job.step(done, waiting.len());
            }
            let members = case::members(store, *id).await?;
            let Some(one) = case::find_in(&mut write, *id).await? else { continue };
            if !case::defects(&one, &members, today).is_empty() {
                continue;
            }
            if case::is_own(store, *id, &clerk).await? {
                own += 1;
                continue;
            }
            case::accept(&mut write, &one, &calendar, &clerk, now).await?;
            accepted += 1;
        }
        if accepted == 0 && own > 0 {
            return refuse("accept.own_work");
        }
        write.commit().await?;
        Ok("/cases?state=received".to_owned())
    })
}

/// Returns once, with every defect in the note.
async fn give_back(
    State(console): State<Console>,
    view: View,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let store = console.store();
    let mut write = store.write().await?;
    let members = case::members(store, id).await?;
    let Some(one) = case::find_in(&mut write, id).await? else { return Err(Refusal::NotFound) };
    let found = case::defects(&one, &members, console.today()?);
    let mut said: Vec<String> = found
        .iter()
        .map(|(at, key)| {
            if *at > 0 {
                format!("#{at} {}", view.words.of_key(key))
            } else {
                view.words.of_key(key).to_owned()
            }
        })
        .collect();
    said.extend(fields.text("note").map(str::to_owned));
    if said.is_empty() || !case::advance(&mut write, &one, &[Stage::Received], Stage::Returned).await? {
        return refuse("case.not_now");
    }
    case::note(&mut write, id, Action("case.returned"), Some(&said.join(" ")), &clerk, console.now()?)
        .await?;
    write.commit().await?;
    Ok(to(&format!("/cases/{id}")))
}

async fn again(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let mut write = console.store().write().await?;
    let Some(one) = case::find_in(&mut write, id).await? else { return Err(Refusal::NotFound) };
    if !case::advance(&mut write, &one, &[Stage::Returned], Stage::Received).await? {
        return refuse("case.not_now");
    }
    case::note(&mut write, id, Action("case.received"), None, &clerk, console.now()?).await?;
    write.commit().await?;
    Ok(to(&format!("/cases/{id}")))
}

async fn suspend(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let Some(why) = fields.text("why") else { return refuse("refused.incomplete") };
    let mut write = console.store().write().await?;
    let Some(one) = case::find_in(&mut write, id).await? else { return Err(Refusal::NotFound) };
    if !case::suspend(&mut write, &one, why, &clerk, console.now()?).await? {
        return refuse("case.not_now");
    }
    write.commit().await?;
    Ok(to(&format!("/cases/{id}")))
}

async fn resume(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let calendar = Calendar::read(console.store()).await?;
    let mut write = console.store().write().await?;
    let Some(one) = case::find_in(&mut write, id).await? else { return Err(Refusal::NotFound) };
    if !case::resume(&mut write, &one, &calendar, &clerk, console.now()?).await? {
        return refuse("case.not_now");
    }
    write.commit().await?;
    Ok(to(&format!("/cases/{id}")))
}

async fn terminate(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let Some(why) = fields.text("why") else { return refuse("refused.incomplete") };
    let mut write = console.store().write().await?;
    let Some(one) = case::find_in(&mut write, id).await? else { return Err(Refusal::NotFound) };
    if !case::terminate(&mut write, &one, why, &clerk, console.now()?).await? {
        return refuse("case.not_now");
    }
    write.commit().await?;
    Ok(to(&format!("/cases/{id}")))
}

//! Reports: what waits for the head, what was issued, objections.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};

use super::file::{DOCUMENT, PDF, saved, shown};
use super::form::Fields;
use super::layout::{At, Listing, View, choice, field, heading, input, subheading};
use super::problem::{Refusal, refuse};
use super::routes::{HEADS, OPERATORS, READERS, Routes, to};
use crate::cases::case::{self, Case, State as Stage};
use crate::cases::{person, scan};
use crate::console::Console;
use crate::report::facts::{Facts, amount};
use crate::report::issue::{self, Report};
use crate::report::objection::{self, Objection};
use crate::report::{ReportError, gather};
use crate::staff::{Clerk, Role};
use crate::store::list::{Filter, Page};
use crate::words::Words;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/reports", READERS, list)
        .get("/reports/{id}", READERS, show)
        .post("/reports/{id}/pdf", READERS, pdf)
        .post("/reports/{id}/copy", READERS, copy)
        .get("/cases/{id}/report", READERS, draft)
        .post("/cases/{id}/report", HEADS, issue_report)
        .post("/cases/{id}/suspension-report", HEADS, issue_suspension)
        .upload("/cases/{id}/objection", OPERATORS, scan::MAX_BYTES, object)
        .post("/objections/{id}/finding", OPERATORS, find_on)
        .post("/objections/{id}/withdraw", OPERATORS, withdraw)
        .upload("/objections/{id}/evidence", OPERATORS, scan::MAX_BYTES, evidence)
}

impl From<ReportError> for Refusal {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Rule("refused.not_found") => Self::NotFound,
            ReportError::Rule(key) => Self::Key(key),
            ReportError::Fault(fault) => fault.into(),
        }
    }
}

const COLUMNS: [(&str, &str); 4] = [
    ("issued", "issued, reports.id"),
    ("number", "reports.number, version"),
    ("case", "cases.number, reports.id"),
    ("office", "cases.office, reports.id"),
];

/// Cases of the list of what waits.
const WAITING: i64 = 200;

async fn list(
    State(console): State<Console>,
    view: View,
    Query(mut listing): Query<Listing>,
) -> Result<Response, Refusal> {
    let (t, store, today) = (view.words, console.store(), console.today()?);
    if listing.sort.is_none() {
        listing.sort = Some("-issued".to_owned());
    }
    let filter = listing.filter();
    let (reports, total) = issue::list(store, &filter, &listing.rows(&COLUMNS), today).await?;
    let of_state = async |state: &str| {
        case::list(store, &Filter::of_state(state), &Page::first("due IS NULL, due", WAITING), today).await
    };
    let (reviewed, reviewed_in_all) = of_state("reviewed").await?;
    let (suspended, _) = of_state("suspended").await?;
    let objections = objection::open(store).await?;
    let kinds = [
        ("", t.t("list.all")),
        ("report", t.t("report.kind.report")),
        ("suspension", t.t("report.kind.suspension")),
        ("superseded", t.t("report.superseded")),
    ];
    Ok(view.page(
        t.t("menu.reports"),
        &html! {
            div.sheet {
                (heading(t.t("menu.reports"), t.t("report.lead")))
                h2 { (t.t("report.waiting")) @if reviewed_in_all > 0 { " " span.tag.warn { (reviewed_in_all) } } }
                @if reviewed.is_empty() { p.empty { (t.t("report.none_waiting")) } } @else { (waiting(t, &reviewed, today)) }
                @if !suspended.is_empty() {
                    h2 { (t.t("report.suspended")) }
                    (waiting(t, &suspended, today))
                }
                @if !objections.is_empty() {
                    h2 { (t.t("objection.open")) }
                    table {
                        thead { tr { th scope="col" { (t.t("objection.number")) } th scope="col" { (t.t("objection.received")) } th scope="col" { (t.t("objection.due")) } th scope="col" {} } }
                        tbody.objections { @for one in &objections { tr {
                            th scope="row" { (one.number) } td.id { (one.received) }
                            td.id { (one.due) @if one.is_overdue(today) { " " span.tag.bad { (t.t("case.overdue")) } } }
                            td { a href={ "/cases/" (one.case) "/report" } { (t.t("objection.see")) } }
                        } } }
                    }
                }
            }
            div.sheet {
                h2 { (t.t("report.issued")) }
                form.filter method="get" action="/reports" {
                    (input(t.t("report.find"), "q", &filter.text, "", false))
                    (choice(t.t("report.kind"), "state", &filter.state, &kinds))
                    (input(t.t("column.office"), "office", &filter.office, "", false))
                    button.button.second { (t.t("list.find")) }
                }
                @if reports.is_empty() { p.empty { (t.t("list.empty")) } } @else {
                    div.scroll { table {
                        thead { tr {
                            (listing.sorter("/reports", "number", t.t("report.number")))
                            th scope="col" { (t.t("report.kind")) }
                            (listing.sorter("/reports", "case", t.t("case.number")))
                            (listing.sorter("/reports", "office", t.t("column.office")))
                            (listing.sorter("/reports", "issued", t.t("report.issued_at")))
                            th scope="col" { (t.t("list.state")) }
                        } }
                        tbody { @for one in &reports { tr {
                            th scope="row" { a href={ "/reports/" (one.id) } { (one.number) " " small.version { (t.fill("report.version", &[("n", &one.version)])) } } }
                            td { (kind(t, one)) }
                            td { a href={ "/cases/" (one.case) } { (one.case_number) } }
                            td { (one.office) } td { (At(one.issued)) } td { (tag(t, one)) }
                        } } }
                    } }
                    (listing.pager(t, "/reports", total))
                }
            }
        },
    ))
}

fn waiting(t: Words, cases: &[Case], today: protocol::value::Date) -> Markup {
    html! {
        table {
            thead { tr { th scope="col" { (t.t("case.number")) } th scope="col" { (t.t("column.office")) } th scope="col" { (t.t("column.task")) } th scope="col" { (t.t("case.due")) } th scope="col" {} } }
            tbody.waiting { @for one in cases { tr {
                th scope="row" { (one.number.as_deref().unwrap_or("")) } td { (one.office) } td { (t.of("task", &one.task)) }
                td.id { @if let Some(due) = one.due { (due) } @if one.is_overdue(today) { " " span.tag.bad { (t.t("case.overdue")) } } }
                td { a href={ "/cases/" (one.id) "/report" } { (t.t("report.see")) } }
            } } }
        }
    }
}

fn kind(t: Words, one: &Report) -> &'static str {
    t.of("report", &format!("kind.{}", one.kind))
}

fn tag(t: Words, one: &Report) -> Markup {
    html! {
        @if one.destroyed { span.tag.bad { (t.t("report.destroyed")) } }
        @else if one.superseded { span.tag.warn { (t.t("report.superseded")) } }
        @else { span.tag.good { (t.t("report.valid")) } }
    }
}

/// One that was issued, masked.
async fn show(State(console): State<Console>, view: View, Path(id): Path<i64>) -> Result<Response, Refusal> {
    let (t, store) = (view.words, console.store());
    let one = issue::find(store, id).await?.ok_or(Refusal::NotFound)?;
    let facts = issue::facts(store, id).await?;
    Ok(view.page(
        &one.number,
        &html! {
            div.sheet {
                (heading(&format!("{} {}", kind(t, &one), one.number), ""))
                dl.facts {
                    div { dt { (t.t("report.version_one")) } dd { (one.version) " " (tag(t, &one)) } }
                    div { dt { (t.t("case.number")) } dd { a href={ "/cases/" (one.case) } { (one.case_number) } } }
                    div { dt { (t.t("report.issued_at")) } dd { (At(one.issued)) " · " (one.issued_by) } }
                    div { dt { (t.t("report.pdf_digest")) } dd { code { (one.pdf_sha256) } } }
                    div { dt { (t.t("report.copy_digest")) } dd { code { (one.digest) } } }
                }
                @if !one.destroyed {
                    p.hint { (t.t("report.files_hint")) }
                    div.actions {
                        form.inline method="post" action={ "/reports/" (id) "/pdf" } target="_blank" { button.button #pdf { (t.t("report.pdf")) } }
                        form.inline method="post" action={ "/reports/" (id) "/copy" } { button.button.second #copy { (t.t("report.copy")) } }
                        a.button.plain href={ "/cases/" (one.case) "/report" } { (t.t("report.of_case")) }
                    }
                }
            }
            @if let Some(facts) = &facts { (said(t, facts)) }
        },
    ))
}

/// What a report says, with names and numbers masked.
fn said(t: Words, facts: &Facts) -> Markup {
    let name = |at: i64| {
        let member = usize::try_from(at - 1).ok().and_then(|at| facts.members.get(at));
        member.map(|member| person::mask_name(&member.name)).unwrap_or_default()
    };
    html! {
        div.sheet {
            h2 { (t.t("case.members")) }
            div.scroll { table {
                thead { tr { th scope="col" { "#" } th scope="col" { (t.t("column.name")) } th scope="col" { (t.t("column.number")) } th scope="col" { (t.t("column.relation")) } th scope="col" { (t.t("column.ring")) } th scope="col" { (t.t("column.authorisation")) } } }
                tbody { @for (at, member) in (1..).zip(&facts.members) { tr {
                    td { (at) } th scope="row" { (person::mask_name(&member.name)) } td.id { (person::mask_number(&member.number)) }
                    td { (member.relation) } td { (t.of("ring", &member.ring.to_string())) } td { (member.authorisation) }
                } } }
            } }
            @if let Some(reason) = &facts.reason { p.notice { (reason) } }
        }
        @if !facts.sources.is_empty() {
            div.sheet {
                h2 { (t.t("report.sources")) }
                div.scroll { table {
                    thead { tr { th scope="col" { (t.t("institution.one")) } th scope="col" { (t.t("column.level")) } th scope="col" { (t.t("report.answer")) } th scope="col" { (t.t("report.data_day")) } th scope="col" { (t.t("report.coverage")) } } }
                    tbody { @for source in &facts.sources { tr {
                        th scope="row" { (source.name) } td { (t.of("level", &source.level)) } td { (t.of("source", &source.state)) }
                        td.id { (source.data_day.as_deref().unwrap_or("—")) } td { (source.coverage.join("；")) }
                    } } }
                } }
            }
        }
        @if facts.kind == "report" {
            div.sheet {
                h2 { (t.t("report.findings")) }
                @if facts.findings.is_empty() { p.empty { (t.t("report.nothing_found")) } } @else {
                    div.scroll { table {
                        thead { tr { th scope="col" { (t.t("column.name")) } th scope="col" { (t.t("institution.one")) } th scope="col" { (t.t("report.asset")) } th scope="col" { (t.t("report.balance_day")) } th.number scope="col" { (t.t("report.accounts")) } th.number scope="col" { (t.t("report.amount")) } th scope="col" { (t.t("report.notes")) } } }
                        tbody.findings { @for finding in &facts.findings { tr {
                            th scope="row" { (name(finding.member)) } td { (finding.source) } td { (t.of("asset", &finding.kind)) }
                            td.id { @if let Some((_, newest)) = &finding.days { (newest) } }
                            td.number { (finding.accounts) }
                            td.number { @if let Some(minor) = finding.minor { @if finding.currency != "CNY" { (finding.currency) " " } (amount(&finding.currency, minor)) } @else { "—" } }
                            td { (finding.notes.join("；")) }
                        } } }
                    } }
                    @for ring in [1, 2] {
                        @let totals = facts.totals(ring);
                        @if !totals.is_empty() {
                            p { strong { (t.of("ring", &ring.to_string())) } " "
                                @for (at, (kind, currency, minor)) in totals.iter().enumerate() {
                                    @if at > 0 { "；" } (t.of("asset", kind)) " " @if currency != "CNY" { (currency) " " } span.id { (amount(currency, *minor)) }
                                }
                            }
                        }
                    }
                }
                @if !facts.accounts.is_empty() {
                    h2 { (t.t("report.account_list")) }
                    div.scroll { table {
                        thead { tr { th scope="col" { (t.t("column.name")) } th scope="col" { (t.t("institution.one")) } th scope="col" { (t.t("report.asset")) } th scope="col" { (t.t("report.account_number")) } th scope="col" { (t.t("report.balance_day")) } th.number scope="col" { (t.t("report.amount")) } } }
                        tbody.accounts { @for one in &facts.accounts { tr {
                            th scope="row" { (name(one.member)) } td { (one.source) } td { (t.of("asset", &one.kind)) @if !one.product.is_empty() { " " (one.product) } }
                            td.id { (one.account) } td.id { (one.day.as_deref().unwrap_or("—")) }
                            td.number { @if let Some(minor) = one.minor { @if one.currency != "CNY" { (one.currency) " " } (amount(&one.currency, minor)) } @else { "—" } }
                        } } }
                    } }
                }
                @if let Some(rules) = &facts.rules {
                    h2 { (t.t("report.rules")) }
                    p.hint { (rules.name) " · " (rules.version) }
                    ul { @for flag in &rules.flags { li { (flag) } } }
                }
            }
        }
        @if let Some(objection) = &facts.objection {
            div.sheet { h2 { (t.t("objection.one")) " " (objection.number) } p { (objection.outcome) } }
        }
    }
}

async fn pdf(State(console): State<Console>, clerk: Clerk, Path(id): Path<i64>) -> Result<Response, Refusal> {
    let one = issue::find(console.store(), id).await?.ok_or(Refusal::NotFound)?;
    let pdf = issue::pdf(console.store(), id).await?.ok_or(Refusal::Key("report.is_destroyed"))?;
    issue::note_shown(console.store(), id, &clerk, console.now()?).await?;
    Ok(shown(PDF, &format!("{}.pdf", one.file_name()), pdf.to_vec()))
}

async fn copy(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let one = issue::find(console.store(), id).await?.ok_or(Refusal::NotFound)?;
    let copy = issue::document(console.store(), id).await?.ok_or(Refusal::Key("report.is_destroyed"))?;
    issue::note_shown(console.store(), id, &clerk, console.now()?).await?;
    Ok(saved(DOCUMENT, &format!("{}.report.hedui", one.file_name()), copy.to_vec()))
}

/// What would be issued, masked; its earlier versions and objections.
async fn draft(State(console): State<Console>, view: View, Path(id): Path<i64>) -> Result<Response, Refusal> {
    let (t, store, today) = (view.words, console.store(), console.today()?);
    let one = case::find(store, id).await?.ok_or(Refusal::NotFound)?;
    let reports = issue::of_case(store, id).await?;
    let objections = objection::of_case(store, id).await?;
    let mut scans = Vec::new();
    for objection in &objections {
        scans.push(scan::of(store, "objection", objection.id).await?);
    }
    let mut people = Vec::new();
    for member in case::members(store, id).await? {
        let who = person::open(store, member.person).await?;
        people.push((member.person.to_string(), who.map(|who| who.masked_name()).unwrap_or_default()));
    }
    let facts = match one.state {
        Stage::Reviewed => gather::report(&console, &one).await.map(|(facts, _)| Some(facts)),
        Stage::Suspended => gather::suspension(&console, &one).await.map(Some),
        Stage::Issued | Stage::Archived | Stage::Terminated => Ok(None),
        _ => Err(ReportError::Rule("report.not_confirmed")),
    };
    let (facts, why_not) = match facts {
        Ok(facts) => (facts, None),
        Err(ReportError::Rule(key)) => (None, Some(key)),
        Err(error) => return Err(error.into()),
    };
    let number = one.number.clone().unwrap_or_default();
    let (head, operator) = (view.may(&[Role::Head]), view.may(&[Role::Operator]));
    let path = if one.state == Stage::Suspended { "suspension-report" } else { "report" };
    let may_object = operator
        && matches!(one.state, Stage::Issued | Stage::Archived)
        && reports.iter().any(|report| report.kind == "report" && !report.destroyed);
    Ok(view.page(
        t.t("menu.reports"),
        &html! {
            div.sheet {
                (heading(&t.fill("report.of", &[("case", &number)]), ""))
                dl.facts {
                    div { dt { (t.t("case.number")) } dd { a href={ "/cases/" (id) } { (number) } } }
                    div { dt { (t.t("column.office")) } dd { (one.office) } }
                    div { dt { (t.t("list.state")) } dd { (t.of("state", one.state.name())) } }
                    @if let Some(due) = one.due { div { dt { (t.t("case.due")) } dd.id { (due) @if one.is_overdue(today) { " " span.tag.bad { (t.t("case.overdue")) } } } } }
                }
                @if !reports.is_empty() {
                    h2 { (t.t("report.versions")) }
                    table { tbody.versions { @for report in &reports { tr {
                        th scope="row" { a href={ "/reports/" (report.id) } { (report.number) " " (t.fill("report.version", &[("n", &report.version)])) } }
                        td { (kind(t, report)) } td { (At(report.issued)) } td { (tag(t, report)) }
                    } } } }
                }
                @if let Some(key) = why_not { p.notice.bad { (t.of_key(key)) } }
            }
            @for (objection, scans) in objections.iter().zip(&scans) { (objection_sheet(t, objection, scans, &people, operator, today)) }
            @if let Some(facts) = &facts {
                @if head {
                    form.sheet method="post" action={ "/cases/" (id) "/" (path) } {
                        h2 { (t.t("report.issue")) }
                        p { (t.t("report.issue_lead")) }
                        (field(t.t("door.one_time"), "one_time", t.t("batch.one_time_hint"), &html! {
                            input #one_time name="one_time" inputmode="numeric" maxlength="7" required autocomplete="one-time-code";
                        }))
                        p.actions { button.button #issue { (t.t("report.issue_go")) } }
                    }
                }
                (said(t, facts))
            }
            @if may_object {
                form.sheet #object method="post" action={ "/cases/" (id) "/objection" } enctype="multipart/form-data" {
                    (subheading(t.t("objection.enter"), t.t("objection.lead")))
                    div.pair {
                        (choice(t.t("objection.who"), "person", "", &people.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect::<Vec<_>>()))
                        (field(t.t("objection.evidence"), "evidence", t.t("people.scan_hint"), &html! { input #evidence name="evidence" type="file" accept=".pdf,.jpg,.jpeg,.png"; }))
                    }
                    (field(t.t("objection.ground"), "ground", "", &html! { textarea #ground name="ground" required maxlength="200" {} }))
                    p.actions { button.button.second { (t.t("objection.enter_go")) } }
                }
            }
        },
    ))
}

fn objection_sheet(
    t: Words,
    one: &Objection,
    scans: &[scan::Scan],
    people: &[(String, String)],
    operator: bool,
    today: protocol::value::Date,
) -> Markup {
    let who = people.iter().find(|(id, _)| *id == one.person.to_string()).map_or("", |(_, name)| name);
    let class = if one.state == "open" { "tag warn" } else { "tag good" };
    html! {
        div.sheet {
            h2 { (t.t("objection.one")) " " (one.number) " " span class=(class) { (t.of("objection_state", &one.state)) } }
            dl.facts {
                div { dt { (t.t("objection.who")) } dd { (who) } }
                div { dt { (t.t("objection.received")) } dd.id { (one.received) } }
                div { dt { (t.t("objection.due")) } dd.id { (one.due) @if one.is_overdue(today) { " " span.tag.bad { (t.t("case.overdue")) } } } }
                div { dt { (t.t("objection.ground")) } dd { (one.ground) } }
                div { dt { (t.t("objection.evidence")) } dd {
                    @if scans.is_empty() { (t.t("people.no_scan")) }
                    @for scan in scans {
                        form.inline method="post" action={ "/scans/" (scan.id) } target="_blank" { button.button.quiet { (t.t("people.open_scan")) " " (scan.bytes / 1024 + 1) " kB" } }
                    }
                } }
                @if let Some(outcome) = &one.outcome { div { dt { (t.t("objection.outcome")) } dd { (outcome) } } }
            }
            @if operator && one.state == "open" {
                form.filter method="post" action={ "/objections/" (one.id) "/finding" } {
                    (field(t.t("objection.outcome"), "outcome", t.t("objection.outcome_hint"), &html! { input #outcome name="outcome" required maxlength="200" value=(one.outcome.as_deref().unwrap_or("")); }))
                    button.button.second #found { (t.t("objection.keep")) }
                }
                form.filter.withdraw method="post" action={ "/objections/" (one.id) "/withdraw" } {
                    (field(t.t("objection.withdraw_why"), "why", t.t("objection.withdraw_hint"), &html! { input #why name="why" required maxlength="200"; }))
                    button.button.quiet { (t.t("objection.withdraw")) }
                }
                form.filter method="post" action={ "/objections/" (one.id) "/evidence" } enctype="multipart/form-data" {
                    input type="file" name="evidence" accept=".pdf,.jpg,.jpeg,.png" required aria-label=(t.t("objection.evidence"));
                    button.button.second { (t.t("people.add_scan")) }
                }
            }
        }
    }
}

async fn issue_report(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    fields.confirm(&console, &clerk).await?;
    let report = issue::issue(&console, id, &clerk).await?;
    Ok(to(&format!("/reports/{report}")))
}

async fn issue_suspension(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    fields.confirm(&console, &clerk).await?;
    let report = issue::issue_suspension(&console, id, &clerk).await?;
    Ok(to(&format!("/reports/{report}")))
}

async fn object(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let (Some(ground), Some(person)) = (fields.text("ground"), fields.number("person")) else {
        return refuse("refused.incomplete");
    };
    let file = fields.file("evidence");
    let media = file.and_then(|bytes| scan::media(bytes));
    if file.is_some() && media.is_none() {
        return refuse("defect.media");
    }
    let now = console.now()?;
    let mut write = console.store().write().await?;
    let objection = objection::enter(&mut write, id, person, ground, &clerk, now).await?;
    if let (Some(bytes), Some(media)) = (file, media) {
        scan::add(&mut write, "objection", objection, media, bytes, &clerk, now).await?;
    }
    write.commit().await?;
    Ok(to(&format!("/cases/{id}/report")))
}

async fn find_on(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let one = objection::find(console.store(), id).await?.ok_or(Refusal::NotFound)?;
    let Some(outcome) = fields.text("outcome") else { return refuse("refused.incomplete") };
    let mut write = console.store().write().await?;
    if !objection::find_on(&mut write, id, outcome, &clerk, console.now()?).await? {
        return refuse("objection.ended");
    }
    write.commit().await?;
    Ok(to(&format!("/cases/{}/report", one.case)))
}

async fn withdraw(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let one = objection::find(console.store(), id).await?.ok_or(Refusal::NotFound)?;
    let Some(why) = fields.text("why") else { return refuse("refused.incomplete") };
    let mut write = console.store().write().await?;
    objection::withdraw(&mut write, id, why, &clerk, console.now()?).await?;
    write.commit().await?;
    Ok(to(&format!("/cases/{}/report", one.case)))
}

async fn evidence(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let one = objection::find(console.store(), id).await?.ok_or(Refusal::NotFound)?;
    let Some(file) = fields.file("evidence") else { return refuse("refused.incomplete") };
    let Some(media) = scan::media(file) else { return refuse("defect.media") };
    let mut write = console.store().write().await?;
    scan::add(&mut write, "objection", id, media, file, &clerk, console.now()?).await?;
    write.commit().await?;
    Ok(to(&format!("/cases/{}/report", one.case)))
}

//! Closed files: what may be closed, what is kept until when, exports, destroy lists.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};

use super::file::{ZIP, saved};
use super::form::Fields;
use super::layout::{At, Listing, View, choice, field, heading, input, subheading};
use super::problem::{Refusal, refuse};
use super::routes::{Allow, HEADS, OPERATORS, READERS, Routes, to};
use crate::archive::destroy::{self, List};
use crate::archive::export;
use crate::archive::file::{self, Archive};
use crate::archive::retention::{Keep, Rules};
use crate::cases::case;
use crate::console::Console;
use crate::staff::{Clerk, Role};
use crate::store::list::{Filter, Page};
use crate::store::{Action, Object};
use crate::words::Words;

/// Those who may take a file out of the house.
const EXPORTERS: Allow = Allow::Roles(&[Role::Operator, Role::Head]);

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/archive", READERS, list)
        .get("/archive/{id}", READERS, show)
        .post("/archive/{id}/check", READERS, check)
        .post("/archive/{id}/export", EXPORTERS, take_out)
        .post("/cases/{id}/archive", OPERATORS, close)
        .get("/destroy", READERS, lists)
        .post("/destroy", OPERATORS, propose)
        .get("/destroy/{id}", READERS, show_list)
        .post("/destroy/{id}/carry-out", HEADS, carry_out)
        .post("/destroy/{id}/drop", EXPORTERS, drop_list)
}

const COLUMNS: [(&str, &str); 4] = [
    ("made", "made, archives.id"),
    ("number", "archives.number, version"),
    ("case", "case_number, archives.id"),
    ("office", "cases.office, archives.id"),
];
/// Cases of the list of what may be closed.
const WAITING: i64 = 200;

async fn list(
    State(console): State<Console>,
    view: View,
    Query(mut listing): Query<Listing>,
) -> Result<Response, Refusal> {
    let (t, store, today) = (view.words, console.store(), console.today()?);
    if listing.sort.is_none() {
        listing.sort = Some("-made".to_owned());
    }
    let filter = listing.filter();
    let rules = Rules::read(store).await?;
    let (files, total) = file::list(store, &filter, &listing.rows(&COLUMNS), today).await?;
    let issued = Filter::of_state("issued");
    let (issued, in_all) = case::list(store, &issued, &Page::first("cases.number", WAITING), today).await?;
    let operator = view.may(&[Role::Operator]);
    let states =
        [("", t.t("list.all")), ("kept", t.t("archive.kept")), ("destroyed", t.t("report.destroyed"))];
    Ok(view.page(
        t.t("menu.archive"),
        &html! {
            div.sheet {
                (heading(t.t("menu.archive"), t.t("archive.lead")))
                p.actions { a.button.second href="/destroy" { (t.t("destroy.title")) } }
                h2 { (t.t("archive.waiting")) @if in_all > 0 { " " span.tag.warn { (in_all) } } }
                @if issued.is_empty() { p.empty { (t.t("archive.none_waiting")) } } @else {
                    table {
                        thead { tr { th scope="col" { (t.t("case.number")) } th scope="col" { (t.t("column.office")) } th scope="col" { (t.t("column.task")) } th scope="col" {} } }
                        tbody.waiting { @for one in &issued { tr {
                            th scope="row" { a href={ "/cases/" (one.id) } { (one.number.as_deref().unwrap_or("")) } } td { (one.office) } td { (t.of("task", &one.task)) }
                            td { @if operator { form.inline method="post" action={ "/cases/" (one.id) "/archive" } { button.button.quiet { (t.t("archive.close")) } } } }
                        } } }
                    }
                }
            }
            div.sheet {
                h2 { (t.t("archive.files")) }
                form.filter method="get" action="/archive" {
                    (input(t.t("archive.find"), "q", &filter.text, "", false))
                    (choice(t.t("list.state"), "state", &filter.state, &states))
                    (input(t.t("column.office"), "office", &filter.office, "", false))
                    button.button.second { (t.t("list.find")) }
                }
                @if files.is_empty() { p.empty { (t.t("list.empty")) } } @else {
                    div.scroll { table {
                        thead { tr {
                            (listing.sorter("/archive", "number", t.t("archive.number")))
                            (listing.sorter("/archive", "case", t.t("case.number")))
                            (listing.sorter("/archive", "office", t.t("column.office")))
                            th scope="col" { (t.t("archive.kind")) }
                            (listing.sorter("/archive", "made", t.t("archive.made")))
                            th scope="col" { (t.t("archive.keep")) }
                        } }
                        tbody { @for one in &files { tr {
                            th scope="row" { a href={ "/archive/" (one.id) } { (one.number) " " small.version { (t.fill("report.version", &[("n", &one.version)])) } } }
                            td { a href={ "/cases/" (one.case) } { (one.case_number) } } td { (one.office) }
                            td { (t.of("archive_kind", &one.kind)) } td { (At(one.made)) } td { (keep(t, one, rules, today)) }
                        } } }
                    } }
                    (listing.pager(t, "/archive", total))
                }
            }
        },
    ))
}

fn keep(t: Words, one: &Archive, rules: Rules, today: protocol::value::Date) -> Markup {
    let kept = one.keep(rules);
    html! {
        @if one.destroyed.is_some() { span.tag.bad { (t.t("report.destroyed")) } }
        @else if one.superseded { span.tag.warn { (t.t("report.superseded")) } }
        @else {
            @match kept {
                Keep::WhileAssisted => { (t.t("archive.while_assisted")) }
                Keep::Until(last) => { span.id { (last) } @if kept.is_over(today) { " " span.tag.warn { (t.t("archive.over")) } } }
            }
        }
    }
}

async fn show(State(console): State<Console>, view: View, Path(id): Path<i64>) -> Result<Response, Refusal> {
    page(&console, &view, id, None).await
}

/// Reads every paper again and holds it against the signed list.
async fn check(State(console): State<Console>, view: View, Path(id): Path<i64>) -> Result<Response, Refusal> {
    let good = match file::open(console.store(), id).await {
        Ok(opened) => Ok(opened.papers.len()),
        Err(crate::archive::ArchiveError::Rule("archive.damaged")) => Err(()),
        Err(error) => return Err(error.into()),
    };
    page(&console, &view, id, Some(good)).await
}

async fn page(
    console: &Console,
    view: &View,
    id: i64,
    checked: Option<Result<usize, ()>>,
) -> Result<Response, Refusal> {
    let (t, store, today) = (view.words, console.store(), console.today()?);
    let one = file::find(store, id).await?.ok_or(Refusal::NotFound)?;
    let names = file::names(store, id).await?;
    let rules = Rules::read(store).await?;
    Ok(view.page(
        &one.number,
        &html! {
            div.sheet {
                (heading(&format!("{} {}", t.t("archive.one"), one.number), ""))
                @match checked {
                    Some(Ok(n)) => { p.notice.good #sound { (t.fill("archive.sound", &[("n", &n)])) } }
                    Some(Err(())) => { p.notice.bad { (t.t("archive.damaged")) } }
                    None => {}
                }
                dl.facts {
                    div { dt { (t.t("report.version_one")) } dd { (one.version) } }
                    div { dt { (t.t("case.number")) } dd { a href={ "/cases/" (one.case) } { (one.case_number) } } }
                    div { dt { (t.t("column.office")) } dd { (one.office) } }
                    div { dt { (t.t("archive.kind")) } dd { (t.of("archive_kind", &one.kind)) } }
                    div { dt { (t.t("archive.made")) } dd { (At(one.made)) " · " (one.made_by) } }
                    div { dt { (t.t("archive.keep")) } dd { (keep(t, &one, rules, today)) } }
                    div { dt { (t.t("archive.digest")) } dd { code { (one.digest) } } }
                }
                @if one.destroyed.is_none() {
                    form.inline method="post" action={ "/archive/" (id) "/check" } { p.actions { button.button.second #check { (t.t("archive.check")) } } }
                }
            }
            @if !names.is_empty() {
                div.sheet {
                    h2 { (t.fill("archive.papers", &[("n", &names.len())])) }
                    ul.papers { @for name in &names { li { code { (name) } } } }
                }
            }
            @if one.destroyed.is_none() && view.may(&[Role::Operator, Role::Head]) {
                form.sheet method="post" action={ "/archive/" (id) "/export" } {
                    (subheading(t.t("archive.export"), t.t("archive.export_lead")))
                    (field(t.t("door.one_time"), "one_time", t.t("batch.one_time_hint"), &html! {
                        input #one_time name="one_time" inputmode="numeric" maxlength="7" required autocomplete="one-time-code";
                    }))
                    p.actions { button.button #export { (t.t("archive.export_go")) } }
                }
            }
        },
    ))
}

async fn take_out(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let store = console.store();
    let one = file::find(store, id).await?.ok_or(Refusal::NotFound)?;
    fields.confirm(&console, &clerk).await?;
    let opened = file::open(store, id).await?;
    let mut write = store.write().await?;
    write.log(Action("archive.exported"), &clerk.code, console.now()?, Object::Row("archive", id)).await?;
    write.commit().await?;
    let zip = export::zip(&one, &opened)?;
    Ok(saved(ZIP, &format!("{}.zip", one.folder()), zip.to_vec()))
}

async fn close(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let archive = file::close(&console, id, &clerk).await?;
    Ok(to(&format!("/archive/{archive}")))
}

async fn lists(State(console): State<Console>, view: View) -> Result<Response, Refusal> {
    let t = view.words;
    let all = destroy::lists(console.store(), None).await?;
    Ok(view.page(
        t.t("destroy.title"),
        &html! {
            div.sheet {
                (heading(t.t("destroy.title"), t.t("destroy.lead")))
                @if view.may(&[Role::Operator]) {
                    form method="post" action="/destroy" { p.actions { button.button #propose { (t.t("destroy.propose")) } a.button.plain href="/archive" { (t.t("form.back")) } } }
                }
                @if all.is_empty() { p.empty { (t.t("list.empty")) } } @else {
                    table {
                        thead { tr { th scope="col" { (t.t("destroy.number")) } th scope="col" { (t.t("destroy.made")) } th scope="col" { (t.t("destroy.files")) } th scope="col" { (t.t("list.state")) } } }
                        tbody { @for list in &all { tr {
                            th scope="row" { a href={ "/destroy/" (list.id) } { (list.number) } } td { (At(list.made)) " · " (list.made_by) }
                            td { (list.files) } td { (state(t, list)) }
                        } } }
                    }
                }
            }
        },
    ))
}

fn state(t: Words, list: &List) -> Markup {
    let class = match list.state.as_str() {
        "proposed" => "tag warn",
        "done" => "tag bad",
        _ => "tag",
    };
    html! { span class=(class) { (t.of("destroy_state", &list.state)) } }
}

async fn show_list(
    State(console): State<Console>,
    view: View,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let (t, store) = (view.words, console.store());
    let list = destroy::lists(store, Some(id)).await?.into_iter().next().ok_or(Refusal::NotFound)?;
    let items = destroy::items(store, id).await?;
    let open = list.state == "proposed";
    Ok(view.page(
        &list.number,
        &html! {
            div.sheet {
                (heading(&format!("{} {}", t.t("destroy.one"), list.number), ""))
                dl.facts {
                    div { dt { (t.t("list.state")) } dd { (state(t, &list)) } }
                    div { dt { (t.t("destroy.made")) } dd { (At(list.made)) " · " (list.made_by) } }
                    @if let (Some(at), Some(by)) = (list.ended, &list.ended_by) { div { dt { (t.t("destroy.ended_at")) } dd { (At(at)) " · " (by) } } }
                }
                div.scroll { table {
                    thead { tr { th scope="col" { (t.t("archive.number")) } th scope="col" { (t.t("case.number")) } th scope="col" { (t.t("archive.kind")) } th scope="col" { (t.t("archive.keep")) } } }
                    tbody { @for item in &items { tr {
                        th scope="row" { a href={ "/archive/" (item.archive) } { (item.number) } } td { (item.case_number) }
                        td { (t.of("archive_kind", &item.kind)) } td.id { (item.keep_to) }
                    } } }
                } }
            }
            @if open && view.may(&[Role::Head]) {
                form.sheet method="post" action={ "/destroy/" (id) "/carry-out" } {
                    (subheading(t.t("destroy.carry_out"), t.t("destroy.carry_out_lead")))
                    (field(t.t("door.one_time"), "one_time", t.t("batch.one_time_hint"), &html! {
                        input #one_time name="one_time" inputmode="numeric" maxlength="7" required autocomplete="one-time-code";
                    }))
                    p.actions { button.button.danger #carry-out { (t.t("destroy.carry_out")) } }
                }
            }
            @if open && view.may(&[Role::Operator, Role::Head]) {
                form.sheet method="post" action={ "/destroy/" (id) "/drop" } { p.actions { button.button.plain { (t.t("destroy.drop")) } } }
            }
        },
    ))
}

async fn propose(State(console): State<Console>, clerk: Clerk) -> Result<Response, Refusal> {
    match destroy::propose(console.store(), &clerk, console.now()?).await? {
        Some(id) => Ok(to(&format!("/destroy/{id}"))),
        None => refuse("destroy.nothing"),
    }
}

async fn carry_out(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    fields.confirm(&console, &clerk).await?;
    destroy::carry_out(console.store(), id, &clerk, console.now()?).await?;
    Ok(to(&format!("/destroy/{id}")))
}

async fn drop_list(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    destroy::drop_list(console.store(), id, &clerk, console.now()?).await?;
    Ok(to(&format!("/destroy/{id}")))
}

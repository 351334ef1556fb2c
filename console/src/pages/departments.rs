//! Other departments: registered with the terms that the centre enters, and their tables matched.

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use protocol::roster::Level;

use super::file::{DOCUMENT, saved};
use super::form::Fields;
use super::layout::{View, choice, field, heading};
use super::problem::{Refusal, refuse};
use super::routes::{OPERATORS, READERS, Routes, to};
use super::work;
use crate::console::Console;
use crate::dispatch::department::{self, DEPARTMENTS, Kept, NewTerms};
use crate::dispatch::{agreement, roster};
use crate::staff::{Clerk, Role};
use crate::words::Words;

/// Bytes of a joining request at most.
const MAX_JOINING: usize = 1 << 20;
/// Bytes of sealed base data at most: 192 MiB, its chunks' tags and the head.
const MAX_BASE_DATA: usize = 193 << 20;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/departments", READERS, list)
        .upload("/departments", OPERATORS, MAX_JOINING, add)
        .get("/departments/{id}/agreement", OPERATORS, document)
        .upload("/rosters/{id}/base-data", OPERATORS, MAX_BASE_DATA, base_data)
}

async fn list(State(console): State<Console>, view: View) -> Result<Response, Refusal> {
    let t = view.words;
    let all = department::all(console.store()).await?;
    let operator = view.may(&[Role::Operator]);
    let named =
        |(kind, content)| (content, format!("{} · {}", t.of("department.of", kind), t.of("asset", content)));
    let contents: Vec<(&str, String)> = contents().map(named).collect();
    let contents: Vec<(&str, &str)> =
        contents.iter().map(|(content, name)| (*content, name.as_str())).collect();
    let levels = [("L1", t.t("level.L1")), ("L0", t.t("level.L0")), ("L2", t.t("level.L2"))];
    let today = console.today()?;
    Ok(view.page(
        t.t("department.title"),
        &html! {
            div.sheet {
                (heading(t.t("department.title"), t.t("department.lead")))
                (known(&all, t))
            }
            @if !all.is_empty() {
                div.sheet {
                    h2 { (t.t("department.agreements")) }
                    div.scroll { table {
                        thead { tr {
                            th scope="col" { (t.t("institution.code")) } th scope="col" { (t.t("department.one")) }
                            th scope="col" { (t.t("department.content")) } th scope="col" { (t.t("department.signer")) } th scope="col" {}
                        } }
                        tbody { @for d in &all { tr {
                            td { (d.code) } th scope="row" { (d.name) } td { (t.of("asset", &d.content)) }
                            td { code { (d.signer.to_string().chars().take(16).collect::<String>()) "…" } }
                            td { @if operator { a href={ "/departments/" (d.agreement) "/agreement" } { (t.t("department.agreement")) } } }
                        } } }
                    } }
                    p.hint { (t.t("department.next")) " " a href="/institutions" { (t.t("menu.institutions")) } }
                }
            }
            @if operator {
                form.sheet method="post" action="/departments" enctype="multipart/form-data" {
                    h2 { (t.t("department.add")) }
                    (field(t.t("department.joining"), "joining", t.t("department.joining_hint"), &html! {
                        input #joining name="joining" type="file" accept=".hedui" required;
                    }))
                    div.pair {
                        (choice(t.t("department.content"), "content", "house", &contents))
                        (choice(t.t("column.level"), "level", "L1", &levels))
                    }
                    (field(t.t("institution.agreement"), "number", "", &html! { input #number name="number" maxlength="60" required; }))
                    div.pair {
                        (field(t.t("department.from"), "from", "", &html! { input #from name="from" type="date" value=(today) required; }))
                        (field(t.t("institution.valid_to"), "to", "", &html! { input #to name="to" type="date" required; }))
                    }
                    p.actions { button.button #add-department { (t.t("department.add")) } }
                }
            }
        },
    ))
}

/// What may be handed over, by the department that has it.
fn contents() -> impl Iterator<Item = (&'static str, &'static str)> {
    DEPARTMENTS.iter().flat_map(|(kind, contents)| contents.iter().map(|content| (*kind, *content)))
}

/// Every department that a centre asks, and who of them is registered for what.
fn known(all: &[Kept], t: Words) -> Markup {
    html! {
        div.scroll { table #known {
            thead { tr {
                th scope="col" { (t.t("department.one")) } th scope="col" { (t.t("department.content")) } th scope="col" { (t.t("department.registered")) }
            } }
            tbody { @for (kind, content) in contents() {
                @let registered: BTreeSet<&str> = all.iter().filter(|d| d.content == content).map(|d| d.name.as_str()).collect();
                tr {
                    th scope="row" { (t.of("department.of", kind)) } td { (t.of("asset", content)) }
                    td {
                        @if registered.is_empty() { span.hint { (t.t("department.missing")) } }
                        @for name in registered { span.tag { (name) } " " }
                    }
                }
            } }
        } }
    }
}

async fn add(State(console): State<Console>, clerk: Clerk, fields: Fields) -> Result<Response, Refusal> {
    let Some(joining) = fields.file("joining") else { return refuse("refused.incomplete") };
    let content = contents().map(|(_, content)| content).find(|content| *content == fields.line("content"));
    let level = [Level::L0, Level::L1, Level::L2].into_iter().find(|l| l.word() == fields.line("level"));
    let (Some(content), Some(level), Some(valid_from), Some(valid_to), Ok(number)) =
        (content, level, fields.day("from"), fields.day("to"), fields.line("number").parse())
    else {
        return refuse("refused.incomplete");
    };
    let terms = NewTerms { number, content, level, valid_from, valid_to };
    department::register(&console, joining, terms, &clerk).await?;
    Ok(to("/departments"))
}

/// The agreement, which the department seals to.
async fn document(State(console): State<Console>, Path(id): Path<i64>) -> Result<Response, Refusal> {
    let all = department::all(console.store()).await?;
    let Some(kept) = all.into_iter().find(|kept| kept.agreement == id) else { return Err(Refusal::NotFound) };
    let bytes = agreement::document(console.store(), id).await?;
    Ok(saved(DOCUMENT, &format!("{}.agreement.hedui", kept.code), bytes))
}

async fn base_data(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let Some(bytes) = fields.file("document").cloned() else { return refuse("refused.incomplete") };
    let Some(asked) = roster::find(console.store(), id).await? else { return Err(Refusal::NotFound) };
    let shared = console.clone();
    let person = clerk.clone();
    Ok(work::begin(&console, &clerk, move |job| async move {
        department::answer(&shared, &asked, &bytes, &person, job).await?;
        Ok(format!("/batches/{}", asked.batch))
    }))
}

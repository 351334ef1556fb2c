//! Accounts that are known: who agreed to it, and how the answers came out. The head's own list; no clerk who
//! dispatches need know whom it names.

use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use protocol::roster::Level;

use super::form::Fields;
use super::layout::{At, View, choice, day, heading, input};
use super::problem::{Refusal, refuse};
use super::routes::{Allow, HEADS, Routes, to};
use crate::cases::person;
use crate::console::Console;
use crate::dispatch::agreement;
use crate::dispatch::canary::{self, CLASSES, Canary, New};
use crate::staff::{Clerk, Role};
use crate::words::Words;

const READ: Allow = Allow::Roles(&[Role::Head, Role::Reviewer, Role::Auditor]);
/// Those who may confirm one that another entered.
const CONFIRMERS: Allow = Allow::Roles(&[Role::Head, Role::Reviewer]);

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/canaries", READ, list)
        .post("/canaries", HEADS, add)
        .post("/canaries/{id}/confirm", CONFIRMERS, confirm)
        .post("/canaries/{id}/end", HEADS, end)
}

async fn list(State(console): State<Console>, view: View) -> Result<Response, Refusal> {
    let (t, store) = (view.words, console.store());
    let all = canary::list(store).await?;
    let institutions = agreement::institutions(store, console.today()?).await?;
    let places: Vec<(String, &str)> =
        institutions.iter().map(|i| (i.id.to_string(), i.name.as_str())).collect();
    let places: Vec<(&str, &str)> = places.iter().map(|(id, name)| (id.as_str(), *name)).collect();
    let classes: Vec<(String, &str)> =
        (0..CLASSES.len()).map(|at| (at.to_string(), t.of("canary_class", &at.to_string()))).collect();
    let classes: Vec<(&str, &str)> = classes.iter().map(|(at, text)| (at.as_str(), *text)).collect();
    let levels = [("L1", t.t("level.L1")), ("L0", t.t("level.L0")), ("L2", t.t("level.L2"))];
    let (head, may) = (view.may(&[Role::Head]), view.may(&[Role::Head, Role::Reviewer]));
    Ok(view.page(
        t.t("menu.canaries"),
        &html! {
            div.sheet {
                (heading(t.t("menu.canaries"), t.t("canary.lead")))
                @if all.is_empty() { p.empty { (t.t("list.empty")) } } @else {
                    div.scroll { table {
                        thead { tr {
                            th scope="col" { (t.t("institution.one")) } th scope="col" { (t.t("column.name")) } th scope="col" { (t.t("column.number")) }
                            th scope="col" { (t.t("column.authorisation")) } th scope="col" { (t.t("column.level")) } th scope="col" { (t.t("canary.class")) }
                            th.number scope="col" { (t.t("canary.asked")) } th scope="col" { (t.t("canary.last")) } th scope="col" {}
                        } }
                        tbody.canaries { @for one in &all { (row(t, one, head, may)) } }
                    } }
                }
            }
            @if head {
                form.sheet method="post" action="/canaries" {
                    (heading(t.t("canary.new"), t.t("canary.new_lead")))
                    @if places.is_empty() { p.empty { (t.t("list.empty")) } } @else {
                        div.pair {
                            (choice(t.t("institution.one"), "institution", "", &places))
                            (choice(t.t("canary.class"), "class", "1", &classes))
                            (input(t.t("column.name"), "name", "", "", true))
                            (input(t.t("column.number"), "number", "", "", true))
                            (input(t.t("column.authorisation"), "authorisation", "", "", true))
                            (choice(t.t("column.level"), "level", "L1", &levels))
                            (day(t.t("column.signed"), "signed", "", "", true))
                            (day(t.t("canary.until"), "until", "", "", false))
                        }
                        p.actions { button.button #add-canary { (t.t("canary.add")) } }
                    }
                }
            }
        },
    ))
}

fn row(t: Words, one: &Canary, head: bool, may: bool) -> Markup {
    html! {
        tr {
            th scope="row" { (one.institution) }
            @if one.ended.is_some() { td { "–" } td { "–" } } @else { td { (one.name) } td.id { (one.number) } }
            td { (one.authorisation) } td { (t.of("level", &one.level)) }
            td { @if one.ended.is_none() { (t.of("canary_class", &one.class.to_string())) } }
            td.number { (one.asked) }
            td { @if let Some((outcome, at)) = &one.last {
                span class=(if outcome == "as_known" { "tag good" } else { "tag bad" }) { (t.of("canary_outcome", outcome)) } " " (At(*at))
            } }
            td {
                @if let Some(at) = one.ended { span.tag { (t.t("canary.ended")) } " " (At(at)) }
                @else if !one.confirmed {
                    span.tag.warn { (t.t("canary.unconfirmed")) }
                    @if may { " " form.inline method="post" action={ "/canaries/" (one.id) "/confirm" } { button.button.quiet.confirm { (t.t("canary.confirm")) } } }
                }
                @if one.ended.is_none() && head { form.inline method="post" action={ "/canaries/" (one.id) "/end" } { button.button.quiet { (t.t("canary.end")) } } }
            }
        }
    }
}

async fn add(State(console): State<Console>, clerk: Clerk, fields: Fields) -> Result<Response, Refusal> {
    let level = [Level::L0, Level::L1, Level::L2].into_iter().find(|l| l.word() == fields.line("level"));
    let class = fields.number("class").and_then(|class| usize::try_from(class).ok());
    let (Some(level), Some(class)) = (level, class.filter(|class| *class < CLASSES.len())) else {
        return refuse("refused.malformed");
    };
    let (Some(institution), Some(authorisation), Some(signed)) =
        (fields.number("institution"), fields.text("authorisation"), fields.day("signed"))
    else {
        return refuse("refused.incomplete");
    };
    let all = agreement::institutions(console.store(), console.today()?).await?;
    if all.iter().all(|one| one.id != institution) {
        return Err(Refusal::NotFound);
    }
    let read = match person::read(fields.line("name"), "", fields.line("number"), "") {
        Ok(read) => read,
        Err(wrong) => return refuse(wrong.first().map_or("refused.malformed", |(_, code)| code)),
    };
    let until = fields.day("until");
    if signed > console.today()? || until.is_some_and(|until| until < signed) {
        return refuse("canary.days");
    }
    let new = New { institution, read: &read, authorisation, level, signed, until, class };
    let mut write = console.store().write().await?;
    canary::add(&mut write, &new, &clerk, console.now()?).await?;
    write.commit().await?;
    Ok(to("/canaries"))
}

async fn confirm(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let mut write = console.store().write().await?;
    canary::confirm(&mut write, id, &clerk, console.now()?).await?;
    write.commit().await?;
    Ok(to("/canaries"))
}

async fn end(State(console): State<Console>, clerk: Clerk, Path(id): Path<i64>) -> Result<Response, Refusal> {
    let mut write = console.store().write().await?;
    canary::end(&mut write, id, &clerk, console.now()?).await?;
    write.commit().await?;
    Ok(to("/canaries"))
}

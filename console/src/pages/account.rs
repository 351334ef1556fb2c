//! Accounts, for the administrator.

use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};

use super::form::Fields;
use super::layout::{View, heading, input};
use super::problem::{Refusal, refuse};
use super::routes::{ADMINISTRATORS, Routes, to};
use crate::console::Console;
use crate::staff::account::{self, Account, New};
use crate::staff::{Clerk, Role, Roles};
use crate::store::unix;
use crate::words::Words;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/staff", ADMINISTRATORS, list)
        .post("/staff", ADMINISTRATORS, add)
        .get("/staff/{id}", ADMINISTRATORS, show)
        .post("/staff/{id}", ADMINISTRATORS, change)
        .post("/staff/{id}/reset", ADMINISTRATORS, reset)
}

async fn list(State(console): State<Console>, view: View) -> Result<Response, Refusal> {
    let t = view.words;
    let all = account::all(console.store()).await?;
    let now = unix(console.now()?);
    Ok(view.page(
        t.t("staff.title"),
        &html! {
            div.sheet {
                (heading(t.t("staff.title"), t.t("staff.lead")))
                table {
                    thead { tr {
                        th scope="col" { (t.t("staff.code")) } th scope="col" { (t.t("staff.name")) }
                        th scope="col" { (t.t("staff.roles")) } th scope="col" { (t.t("staff.state")) }
                    } }
                    tbody {
                        @for a in &all {
                            tr {
                                th scope="row" { a href={ "/staff/" (a.id) } { (a.code) } }
                                td { (a.name) } td { (roles(t, a.roles)) } td { (state(t, a, now)) }
                            }
                        }
                    }
                }
            }
            form.sheet method="post" action="/staff" {
                h2 { (t.t("staff.add")) }
                div.pair {
                    (input(t.t("staff.code"), "code", "", t.t("staff.code_hint"), true))
                    (input(t.t("staff.name"), "name", "", "", true))
                    (input(t.t("staff.number"), "number", "", t.t("staff.number_hint"), true))
                    (input(t.t("staff.officer_key"), "officer_key", "", t.t("staff.officer_key_hint"), false))
                }
                (role_boxes(t, None))
                p.actions { button.button #add { (t.t("staff.add")) } }
            }
        },
    ))
}

fn roles(t: Words, roles: Roles) -> String {
    roles.iter().map(|role| t.of("role", role.name())).collect::<Vec<_>>().join("、")
}

fn state(t: Words, a: &Account, now: i64) -> Markup {
    html! {
        @if !a.active { span.tag.off { (t.t("staff.shut")) } }
        @else if a.locked_until > now { span.tag.bad { (t.t("staff.locked")) } }
        @else if a.enrolled { span.tag.good { (t.t("staff.in_use")) } }
        @else { span.tag { (t.t("staff.new")) } }
    }
}

fn role_boxes(t: Words, chosen: Option<Roles>) -> Markup {
    html! {
        fieldset {
            legend { (t.t("staff.roles")) }
            p.hint { (t.t("staff.roles_hint")) }
            div.boxes {
                @for role in Role::ALL {
                    label.check {
                        input type="checkbox" name="role" value=(role.name()) checked[chosen.is_some_and(|r| r.has(role))];
                        (t.of("role", role.name()))
                    }
                }
            }
        }
    }
}

fn chosen(fields: &Fields) -> Result<Roles, Refusal> {
    let named = |role: &Role| fields.all("role").iter().any(|name| name == role.name());
    let roles: Vec<Role> = Role::ALL.into_iter().filter(named).collect();
    Roles::new(&roles).ok_or(Refusal::Key("staff.roles_wrong"))
}

async fn add(
    State(console): State<Console>,
    view: View,
    clerk: Clerk,
    fields: Fields,
) -> Result<Response, Refusal> {
    let Ok(code) = fields.line("code").parse() else { return refuse("staff.code_wrong") };
    if account::is_taken(console.store(), &code).await? {
        return refuse("staff.code_taken");
    }
    let (Some(name), Some(number)) = (fields.text("name"), fields.text("number")) else {
        return refuse("refused.incomplete");
    };
    let roles = chosen(&fields)?;
    let officer_key = match fields.line("officer_key") {
        "" => None,
        key => Some(key.parse().map_err(|_| Refusal::Key("staff.officer_key_wrong"))?),
    };
    if roles.has(Role::Officer) != officer_key.is_some() {
        return refuse("staff.officer_key_wrong");
    }
    let all = account::all(console.store()).await?;
    if officer_key.is_some() && all.iter().any(|other| other.officer_key == officer_key) {
        return refuse("staff.officer_key_taken");
    }
    let new = New { code, name: name.to_owned(), number: number.to_owned(), roles, officer_key };
    let mut write = console.store().write().await?;
    let first = account::add(&mut write, &new, console.config().cost, &clerk.code, console.now()?).await?;
    write.commit().await?;
    Ok(told_once(&view, new.code.as_str(), &first))
}

fn told_once(view: &View, code: &str, first: &str) -> Response {
    let t = view.words;
    view.page(
        t.t("staff.first"),
        &html! {
            div.sheet {
                (heading(t.t("staff.first"), t.t("staff.first_lead")))
                dl.facts {
                    div { dt { (t.t("staff.code")) } dd { (code) } }
                    div { dt { (t.t("staff.first")) } dd { code #first-password { (first) } } }
                }
                p.actions { a.button href="/staff" { (t.t("staff.back")) } }
            }
        },
    )
}

async fn find(console: &Console, id: i64) -> Result<Account, Refusal> {
    account::find(console.store(), id).await?.ok_or(Refusal::NotFound)
}

async fn show(State(console): State<Console>, view: View, Path(id): Path<i64>) -> Result<Response, Refusal> {
    let (t, a) = (view.words, find(&console, id).await?);
    let now = unix(console.now()?);
    Ok(view.page(
        &a.code,
        &html! {
            div.sheet {
                (heading(&a.code, &a.name))
                dl.facts {
                    div { dt { (t.t("staff.state")) } dd { (state(t, &a, now)) } }
                    @if let Some(key) = &a.officer_key {
                        div { dt { (t.t("staff.officer_key")) } dd { code { (key) } } }
                    }
                }
                form.panel method="post" action={ "/staff/" (a.id) } {
                    (role_boxes(t, Some(a.roles)))
                    label.check { input type="checkbox" name="active" value="1" checked[a.active]; (t.t("staff.active")) }
                    p.actions { button.button #change { (t.t("staff.change")) } }
                }
                form.panel method="post" action={ "/staff/" (a.id) "/reset" } {
                    p { (t.t("staff.reset_lead")) }
                    p.actions { button.button.second #reset { (t.t("staff.reset")) } }
                }
            }
        },
    ))
}

async fn change(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let a = find(&console, id).await?;
    let roles = chosen(&fields)?;
    if a.id == clerk.id {
        return refuse("staff.not_oneself");
    }
    if roles.has(Role::Officer) && a.officer_key.is_none() {
        return refuse("staff.officer_key_wrong");
    }
    let mut write = console.store().write().await?;
    account::change(&mut write, id, roles, fields.ticked("active"), &clerk.code, console.now()?).await?;
    write.commit().await?;
    Ok(to("/staff"))
}

async fn reset(
    State(console): State<Console>,
    view: View,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let a = find(&console, id).await?;
    if a.id == clerk.id {
        return refuse("staff.not_oneself");
    }
    let mut write = console.store().write().await?;
    let first = account::reset(&mut write, id, console.config().cost, &clerk.code, console.now()?).await?;
    write.commit().await?;
    Ok(told_once(&view, &a.code, &first))
}

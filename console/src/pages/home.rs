//! The first page after signing in: what is to be done, and what is nearly due.

use axum::extract::State;
use axum::response::Response;
use maud::html;
use sqlx::Row as _;

use super::layout::{View, heading};
use super::problem::Refusal;
use super::routes::{Allow, Routes, to};
use crate::cases::case;
use crate::console::Console;
use crate::dispatch::{again, agreement};
use crate::nightly::Standing;
use crate::staff::{Clerk, Role};
use crate::store::list::{Filter, Page};
use crate::store::unix;

/// Cases of the list of what is nearly due.
const NEXT: i64 = 10;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/", Allow::SignedIn, home)
}

async fn home(State(console): State<Console>, view: View, clerk: Clerk) -> Result<Response, Refusal> {
    if clerk.roles.has(Role::Administrator) {
        return Ok(to("/staff"));
    }
    let (t, store, today) = (view.words, console.store(), console.today()?);
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM cases WHERE state = 'received') AS received, \
         (SELECT count(*) FROM cases WHERE state = 'accepted') AS accepted, \
         (SELECT count(*) FROM cases WHERE state = 'matching') AS matching, \
         (SELECT count(*) FROM cases WHERE state = 'matched') AS matched, \
         (SELECT count(*) FROM cases WHERE state = 'reviewed') AS reviewed, \
         (SELECT count(*) FROM cases WHERE state = 'issued') AS issued, \
         (SELECT count(*) FROM households WHERE next_check <= ?1) AS recheck, \
         (SELECT count(*) FROM cases WHERE due < ?1 AND state IN ('accepted', 'matching', 'matched', 'reviewed')) AS overdue, \
         (SELECT count(*) FROM rosters WHERE state = 'sent' AND expires <= ?2 \
         AND batch NOT IN (SELECT id FROM batches WHERE trial = 1)) AS late",
    )
    .bind(today.number())
    .bind(unix(console.now()?))
    .fetch_one(store.read())
    .await?;
    let mut counts: Vec<(&str, i64, &str)> = Vec::new();
    for (name, path) in [
        ("received", "/cases?state=received"),
        ("accepted", "/batches"),
        ("matching", "/cases?state=matching"),
        ("matched", "/cases?state=matched"),
        ("reviewed", "/reports"),
        ("issued", "/archive"),
        ("recheck", "/rechecks?state=due"),
        ("overdue", "/cases?state=overdue"),
        ("late", "/batches"),
    ] {
        counts.push((name, row.try_get(name)?, path));
    }
    let (_, stuck) = again::list(store, console.now()?, 0).await?;
    counts.push(("stuck", stuck, "/left-out"));
    let broken = Standing::read(store).await?.is_broken();
    let all = agreement::institutions(store, today).await?;
    let ending: Vec<_> = all
        .iter()
        .filter_map(|i| i.agreement.as_ref().map(|a| (i, a)))
        .filter(|(_, a)| a.state(today) != "in_force")
        .collect();
    let order = "(due IS NULL OR state NOT IN ('accepted', 'matching', 'matched', 'reviewed')), due";
    let (next, _) = case::list(store, &Filter::default(), &Page::first(order, NEXT), today).await?;
    let next: Vec<_> = next.into_iter().filter(|one| one.state.is_under_way()).collect();
    Ok(view.page(
        t.t("menu.home"),
        &html! {
            div.sheet {
                (heading(t.t("home.title"), t.t("home.lead")))
                dl.numbers.wide {
                    @for (name, count, path) in &counts {
                        @let alarm = *count > 0 && matches!(*name, "overdue" | "late");
                        div class=[alarm.then_some("bad")] { dt { (t.of("home", name)) } dd { a href=(path) { (count) } } }
                    }
                }
                @if broken { p.notice.bad { (t.t("backup.title")) " " (t.t("backup.failed")) } }
                @for (i, a) in &ending {
                    p class=(if a.state(today) == "ending" { "notice" } else { "notice bad" }) {
                        (i.name) " " (t.t("institution.agreement")) " " (t.of("agreement", a.state(today))) " " (a.valid_to)
                    }
                }
            }
            div.sheet {
                h2 { (t.t("home.next")) }
                @if next.is_empty() { p.empty { (t.t("home.nothing")) } } @else {
                    table { thead { tr {
                        th scope="col" { (t.t("case.number")) } th scope="col" { (t.t("column.office")) }
                        th scope="col" { (t.t("list.state")) } th scope="col" { (t.t("case.due")) }
                    } }
                    tbody { @for one in &next { tr {
                        th scope="row" { a href={ "/cases/" (one.id) } { (one.number.as_deref().unwrap_or("")) } }
                        td { (one.office) } td { (t.of("state", one.state.name())) }
                        td.id { @if let Some(due) = one.due { (due) } @if one.is_overdue(today) { " " span.tag.bad { (t.t("case.overdue")) } } }
                    } } } }
                }
            }
        },
    ))
}

//! Households: class, assistance, when they are due to be looked at again.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};

use super::form::Fields;
use super::layout::{Listing, View, choice, day, heading, input, subheading};
use super::money;
use super::problem::{Refusal, refuse};
use super::routes::{OPERATORS, READERS, Routes, to};
use crate::console::Console;
use crate::recheck::{self, Household, MONTHS};
use crate::staff::{Clerk, Role};
use crate::store::list::{Filter, Page};
use crate::words::Words;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/rechecks", READERS, list)
        .post("/rechecks", OPERATORS, commission)
        .get("/households/{id}", READERS, show)
        .post("/households/{id}/class", OPERATORS, set_class)
        .post("/households/{id}/grant", OPERATORS, grant)
        .post("/households/{id}/end", OPERATORS, end)
}

const COLUMNS: [(&str, &str); 4] = [
    ("next", "next_check IS NULL, next_check, number"),
    ("number", "number"),
    ("office", "office, number"),
    ("class", "class, number"),
];

async fn list(
    State(console): State<Console>,
    view: View,
    Query(listing): Query<Listing>,
) -> Result<Response, Refusal> {
    let (t, store, today) = (view.words, console.store(), console.today()?);
    let filter = listing.filter();
    let (all, total) = recheck::list(store, &filter, &listing.rows(&COLUMNS), today).await?;
    let mut counts = Vec::new();
    for state in ["due", "soon", "assisted", "undecided"] {
        let (_, count) = recheck::list(store, &Filter::of_state(state), &Page::first("id", 0), today).await?;
        counts.push((state, count));
    }
    let due = counts.first().map_or(0, |(_, n)| *n);
    let states = ["", "due", "soon", "assisted", "undecided", "ended"]
        .map(|state| (state, if state.is_empty() { t.t("list.all") } else { t.of("household", state) }));
    Ok(view.page(
        t.t("menu.rechecks"),
        &html! {
            div.sheet {
                (heading(t.t("menu.rechecks"), t.t("recheck.lead")))
                dl.numbers { @for (state, n) in &counts {
                    div class=[(*state == "due" && *n > 0).then_some("bad")] { dt { (t.of("household", state)) } dd { a href={ "/rechecks?state=" (state) } { (n) } } }
                } }
                @if due > 0 && view.may(&[Role::Operator]) {
                    form method="post" action="/rechecks" { p.actions { button.button #commission { (t.t("recheck.commission")) } } p.hint { (t.t("recheck.commission_hint")) } }
                }
                form.filter method="get" action="/rechecks" {
                    (input(t.t("recheck.find"), "q", &filter.text, "", false))
                    (choice(t.t("list.state"), "state", &filter.state, &states))
                    (input(t.t("column.office"), "office", &filter.office, "", false))
                    button.button.second { (t.t("list.find")) }
                }
                @if all.is_empty() { p.empty { (t.t("list.empty")) } } @else {
                    div.scroll { table {
                        thead { tr {
                            (listing.sorter("/rechecks", "number", t.t("column.household")))
                            (listing.sorter("/rechecks", "office", t.t("column.office")))
                            (listing.sorter("/rechecks", "class", t.t("column.class")))
                            th scope="col" { (t.t("recheck.last")) }
                            (listing.sorter("/rechecks", "next", t.t("recheck.next")))
                            th scope="col" { (t.t("list.state")) }
                        } }
                        tbody { @for one in &all { tr {
                            th scope="row" { a href={ "/households/" (one.id) } { (one.number) } } td { (one.office) }
                            td { (one.class) " · " (every(t, one.every())) }
                            td.id { @if let Some(last) = one.last { (last) } @else { "—" } }
                            td.id { (next(t, one, today)) } td { (tag(t, one, today)) }
                        } } }
                    } }
                    (listing.pager(t, "/rechecks", total))
                }
            }
        },
    ))
}

fn every(t: Words, months: i64) -> &'static str {
    t.of("every", &months.to_string())
}

fn next(t: Words, one: &Household, today: protocol::value::Date) -> Markup {
    html! {
        @if let Some(next) = one.next {
            (next)
            @if one.under_way.is_some() { " " span.tag { (t.t("recheck.under_way")) } }
            @else if next <= today { " " span.tag.bad { (t.t("household.due")) } }
        } @else { "—" }
    }
}

fn tag(t: Words, one: &Household, today: protocol::value::Date) -> Markup {
    let state = one.state(today);
    let class = if state == "assisted" { "tag good" } else { "tag" };
    html! { span class=(class) { (t.of("household", state)) } }
}

async fn show(State(console): State<Console>, view: View, Path(id): Path<i64>) -> Result<Response, Refusal> {
    let (t, store, today) = (view.words, console.store(), console.today()?);
    let one = recheck::find(store, id).await?.ok_or(Refusal::NotFound)?;
    let cases: Vec<(i64, Option<String>, String, String)> = sqlx::query_as(
        "SELECT id, number, commission, state FROM cases WHERE household = ? ORDER BY id DESC LIMIT 100",
    )
    .bind(id)
    .fetch_all(store.read())
    .await?;
    let operator = view.may(&[Role::Operator]);
    let classes = ["A", "B", "C"].map(|class| (class, t.of("class", class)));
    let mut months = vec![("".to_owned(), t.t("recheck.by_class"))];
    months.extend(MONTHS.map(|n| (n.to_string(), every(t, n))));
    let months: Vec<(&str, &str)> = months.iter().map(|(value, text)| (value.as_str(), *text)).collect();
    let set = one.months.map(|n| n.to_string()).unwrap_or_default();
    let post = |step: &str| format!("/households/{id}/{step}");
    Ok(view.page(
        &one.number,
        &html! {
            div.sheet {
                (heading(&format!("{} {}", t.t("column.household"), one.number), ""))
                dl.facts {
                    div { dt { (t.t("column.office")) } dd { (one.office) } }
                    div { dt { (t.t("list.state")) } dd { (tag(t, &one, today)) } }
                    div { dt { (t.t("column.class")) } dd { (one.class) " · " (every(t, one.every())) } }
                    @if let Some(from) = one.assisted_from { div { dt { (t.t("recheck.assisted_from")) } dd.id { (from) @if let Some(fen) = one.grant { " · " (money::yuan(fen)) " " (t.t("recheck.a_month")) } } } }
                    @if let Some(last) = one.ended { div { dt { (t.t("recheck.ended")) } dd.id { (last) } } }
                    @if let Some(last) = one.last { div { dt { (t.t("recheck.last")) } dd.id { (last) } } }
                    div { dt { (t.t("recheck.next")) } dd.id { (next(t, &one, today)) } }
                    div { dt { (t.t("menu.cases")) } dd { @for (case, number, commission, state) in &cases {
                        a href={ "/cases/" (case) } { (number.as_ref().unwrap_or(commission)) } " " (t.of("state", state)) br;
                    } } }
                }
            }
            @if operator {
                form.sheet method="post" action=(post("class")) {
                    h2 { (t.t("recheck.set_class")) }
                    div.pair { (choice(t.t("column.class"), "class", &one.class, &classes)) (choice(t.t("recheck.how_often"), "months", &set, &months)) }
                    p.actions { button.button.second #set-class { (t.t("recheck.keep")) } }
                }
                form.sheet method="post" action=(post("grant")) {
                    h2 { (t.t("recheck.grant")) }
                    div.pair { (day(t.t("recheck.assisted_from"), "from", "", "", true)) (input(t.t("recheck.amount"), "amount", "", t.t("recheck.amount_hint"), false)) }
                    p.actions { button.button.second #grant { (t.t("recheck.grant_go")) } }
                }
                form.sheet method="post" action=(post("end")) {
                    (subheading(t.t("recheck.end"), t.t("recheck.end_lead")))
                    (day(t.t("recheck.ended"), "last", "", "", true))
                    p.actions { button.button.danger #end { (t.t("recheck.end_go")) } }
                }
            }
        },
    ))
}

async fn commission(State(console): State<Console>, clerk: Clerk) -> Result<Response, Refusal> {
    recheck::commission_due(console.store(), &clerk, console.now()?).await?;
    Ok(to("/cases?state=received"))
}

async fn known(console: &Console, id: i64) -> Result<Household, Refusal> {
    recheck::find(console.store(), id).await?.ok_or(Refusal::NotFound)
}

async fn set_class(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    known(&console, id).await?;
    let Some(class) = ["A", "B", "C"].into_iter().find(|class| *class == fields.line("class")) else {
        return refuse("refused.malformed");
    };
    let months = fields.number("months").filter(|months| MONTHS.contains(months));
    let mut write = console.store().write().await?;
    recheck::set_class(&mut write, id, class, months, &clerk, console.now()?).await?;
    write.commit().await?;
    Ok(to(&format!("/households/{id}")))
}

async fn grant(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    known(&console, id).await?;
    let Some(from) = fields.day("from") else { return refuse("refused.incomplete") };
    let fen = match fields.line("amount") {
        "" => None,
        typed => match money::read(typed) {
            Some(fen) => Some(fen),
            None => return refuse("recheck.bad_amount"),
        },
    };
    let mut write = console.store().write().await?;
    recheck::grant(&mut write, id, from, fen, &clerk, console.now()?).await?;
    write.commit().await?;
    Ok(to(&format!("/households/{id}")))
}

async fn end(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    known(&console, id).await?;
    let Some(last) = fields.day("last") else { return refuse("refused.incomplete") };
    let mut write = console.store().write().await?;
    recheck::end(&mut write, id, last, &clerk, console.now()?).await?;
    write.commit().await?;
    Ok(to(&format!("/households/{id}")))
}

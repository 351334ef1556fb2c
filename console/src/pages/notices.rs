//! Public notices (公示).

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::html;

use super::file::{PDF, shown};
use super::form::Fields;
use super::layout::{At, Listing, PER_PAGE, View, choice, day, heading, input, subheading};
use super::problem::{Refusal, refuse};
use super::routes::{OPERATORS, READERS, Routes, to};
use crate::cases::person;
use crate::console::Console;
use crate::counters;
use crate::notice;
use crate::report::facts::money;
use crate::report::issue;
use crate::staff::{Clerk, Role};
use crate::store::{Action, Fault, Object};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/notices", READERS, list)
        .post("/notices", OPERATORS, make)
        .get("/notices/{id}", READERS, show)
        .post("/notices/{id}/pdf", OPERATORS, pdf)
}

const COLUMNS: [(&str, &str); 3] =
    [("made", "notices.made, notices.id"), ("number", "number"), ("office", "office, notices.id")];

async fn list(
    State(console): State<Console>,
    view: View,
    Query(mut listing): Query<Listing>,
) -> Result<Response, Refusal> {
    let (t, store) = (view.words, console.store());
    if listing.sort.is_none() {
        listing.sort = Some("-made".to_owned());
    }
    let (all, total) = notice::list(store, &listing.order(&COLUMNS), listing.skip(), PER_PAGE).await?;
    let offices = counters::offices(store).await?;
    let choices: Vec<(&str, &str)> = offices.iter().map(|name| (name.as_str(), name.as_str())).collect();
    Ok(view.page(
        t.t("menu.notices"),
        &html! {
            div.sheet {
                (heading(t.t("menu.notices"), t.t("notice.lead")))
                @if all.is_empty() { p.empty { (t.t("list.empty")) } } @else {
                    table {
                        thead { tr {
                            (listing.sorter("/notices", "number", t.t("notice.number")))
                            (listing.sorter("/notices", "office", t.t("column.office")))
                            th scope="col" { (t.t("notice.days_of")) } th.number scope="col" { (t.t("notice.households")) }
                            (listing.sorter("/notices", "made", t.t("notice.made")))
                        } }
                        tbody { @for one in &all { tr {
                            th scope="row" { a href={ "/notices/" (one.id) } { (one.number) } } td { (one.office) }
                            td.id { (one.first) " – " (one.last) } td.number { (one.households) } td { (At(one.made)) " · " (one.made_by) }
                        } } }
                    }
                    (listing.pager(t, "/notices", total))
                }
            }
            @if view.may(&[Role::Operator]) && !choices.is_empty() {
                form.sheet method="post" action="/notices" {
                    (subheading(t.t("notice.new"), t.t("notice.new_lead")))
                    div.pair {
                        (choice(t.t("column.office"), "office", "", &choices))
                        (day(t.t("notice.since"), "since", "", t.t("notice.since_hint"), false))
                        (day(t.t("notice.first"), "first", "", "", true))
                        (day(t.t("notice.last"), "last", "", t.t("notice.last_hint"), true))
                        (input(t.t("notice.contact"), "contact", "", t.t("notice.contact_hint"), true))
                    }
                    p.actions { button.button #make { (t.t("notice.make")) } }
                }
            }
        },
    ))
}

async fn make(State(console): State<Console>, clerk: Clerk, fields: Fields) -> Result<Response, Refusal> {
    let (Some(office), Some(contact)) = (fields.text("office"), fields.text("contact")) else {
        return refuse("refused.incomplete");
    };
    let (Some(first), Some(last)) = (fields.day("first"), fields.day("last")) else {
        return refuse("refused.incomplete");
    };
    let since = fields.day("since");
    let id =
        notice::make(console.store(), office, since, (first, last), contact, &clerk, console.now()?).await?;
    Ok(to(&format!("/notices/{id}")))
}

async fn show(State(console): State<Console>, view: View, Path(id): Path<i64>) -> Result<Response, Refusal> {
    let (t, store) = (view.words, console.store());
    let one = notice::find(store, id).await?.ok_or(Refusal::NotFound)?;
    let lines = notice::lines(store, &one).await?;
    Ok(view.page(
        &one.number,
        &html! {
            div.sheet {
                (heading(&format!("{} {}", t.t("notice.one"), one.number), ""))
                dl.facts {
                    div { dt { (t.t("column.office")) } dd { (one.office) } }
                    div { dt { (t.t("notice.days_of")) } dd.id { (one.first) " – " (one.last) } }
                    div { dt { (t.t("notice.contact")) } dd { (one.contact) } }
                }
                @if view.may(&[Role::Operator]) {
                    form.inline method="post" action={ "/notices/" (id) "/pdf" } target="_blank" { p.actions { button.button #pdf { (t.t("notice.pdf")) } } }
                    p.hint { (t.t("notice.pdf_hint")) }
                }
                div.scroll { table {
                    thead { tr { th scope="col" { "#" } th scope="col" { (t.t("column.household")) } th scope="col" { (t.t("notice.head")) } th.number scope="col" { (t.t("notice.heads")) } th.number scope="col" { (t.t("notice.grant")) } } }
                    tbody { @for (at, line) in (1..).zip(&lines) { tr {
                        td { (at) } th scope="row" { (line.household) } td { (person::mask_name(&line.head)) } td.number { (line.heads) }
                        td.number { @match line.grant { Some(fen) => { (money(fen)) }, None => { "—" } } }
                    } } }
                } }
            }
        },
    ))
}

async fn pdf(State(console): State<Console>, clerk: Clerk, Path(id): Path<i64>) -> Result<Response, Refusal> {
    let (store, now) = (console.store(), console.now()?);
    let one = notice::find(store, id).await?.ok_or(Refusal::NotFound)?;
    let lines = notice::lines(store, &one).await?;
    let fonts = issue::fonts()?;
    let centre = console.config().centre.as_ref().map(|centre| centre.name.to_string()).unwrap_or_default();
    let number = one.number.to_lowercase();
    let drawn = tokio::task::spawn_blocking(move || notice::draw(&one, &lines, &centre, fonts, now));
    let drawn = drawn.await.map_err(|_| Fault::Stored("paper"))?.map_err(|_| Fault::Stored("paper"))?;
    let mut write = store.write().await?;
    write.log(Action("notice.printed"), &clerk.code, now, Object::Row("notice", id)).await?;
    write.commit().await?;
    Ok(shown(PDF, &format!("{number}.pdf"), drawn))
}

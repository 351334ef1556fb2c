//! The log, for whoever watches over it.

use axum::extract::{Query, State};
use axum::response::Response;
use maud::html;

use super::layout::{At, Listing, PER_PAGE, View, heading};
use super::problem::Refusal;
use super::routes::{Allow, Routes};
use crate::console::Console;
use crate::staff::Role;
use crate::store::log;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/log", Allow::Roles(&[Role::Auditor, Role::Administrator, Role::Head]), list)
}

async fn list(
    State(console): State<Console>,
    view: View,
    Query(listing): Query<Listing>,
) -> Result<Response, Refusal> {
    let t = view.words;
    let (total, head) = log::head(console.store()).await?;
    let entries = log::newest(console.store(), listing.skip(), PER_PAGE).await?;
    Ok(view.page(
        t.t("log.title"),
        &html! {
            div.sheet {
                (heading(t.t("log.title"), t.t("log.lead")))
                dl.facts { div { dt { (t.t("log.head")) } dd { code { (head) } } } }
                table {
                    thead { tr {
                        th scope="col" { (t.t("log.number")) } th scope="col" { (t.t("log.time")) }
                        th scope="col" { (t.t("log.actor")) } th scope="col" { (t.t("log.action")) }
                        th scope="col" { (t.t("log.object")) }
                    } }
                    tbody {
                        @for shown in &entries {
                            tr {
                                td { (shown.entry.sequence) } td { (At(shown.entry.at)) }
                                td { (shown.entry.actor) } td { (t.of("action", shown.entry.action.as_str())) }
                                td {
                                    @if let Some((kind, row)) = &shown.row { (t.of("kind", kind)) " " (row) }
                                }
                            }
                        }
                    }
                }
                (listing.pager(t, "/log", total))
            }
        },
    ))
}

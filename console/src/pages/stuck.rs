//! Cases that no roster asked about: why, and whether the next batch takes them.

use axum::extract::State;
use axum::response::Response;
use maud::html;

use super::layout::{View, heading};
use super::problem::Refusal;
use super::routes::{READERS, Routes};
use crate::console::Console;
use crate::dispatch::again;

/// Cases on the page at most.
const MOST: i64 = 200;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/left-out", READERS, list)
}

async fn list(State(console): State<Console>, view: View) -> Result<Response, Refusal> {
    let t = view.words;
    let (all, total) = again::list(console.store(), console.now()?, MOST).await?;
    Ok(view.page(
        t.t("stuck.title"),
        &html! {
            div.sheet {
                (heading(t.t("stuck.title"), t.t("stuck.lead")))
                @if all.is_empty() { p.empty { (t.t("stuck.none")) } } @else {
                    div.scroll { table {
                        thead { tr {
                            th scope="col" { (t.t("case.number")) } th scope="col" { (t.t("column.office")) }
                            th scope="col" { (t.t("batch.number")) } th scope="col" { (t.t("batch.why")) } th scope="col" { (t.t("stuck.next")) }
                        } }
                        tbody.stuck { @for one in &all { tr {
                            th scope="row" { a href={ "/cases/" (one.case) } { (one.number.as_deref().unwrap_or("")) } }
                            td { (one.office) }
                            td { a href={ "/batches/" (one.batch) } { (one.batch_number) } }
                            td { @for (at, code) in one.reasons.iter().enumerate() { @if at > 0 { "；" } (t.of("left_out", code)) } }
                            td { @if one.offered { span.tag.good { (t.t("stuck.offered")) } } @else { span.tag.warn { (t.t("stuck.not_yet")) } } }
                        } } }
                    } }
                    @if total > MOST { p.hint { (t.fill("list.total", &[("n", &total)])) } }
                    p.hint { (t.t("stuck.hint")) }
                    p { a.button.second href="/batches" { (t.t("batch.make")) } }
                }
            }
        },
    ))
}

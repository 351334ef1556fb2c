//! Second organisations that sign rosters: a part of the institutions' page.

use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};

use super::form::Fields;
use super::institutions::CONFIRMERS;
use super::layout::{View, field};
use super::problem::{Refusal, refuse};
use super::routes::{OPERATORS, Routes, to};
use crate::console::Console;
use crate::dispatch::cosigner::{self, Cosigner};
use crate::staff::{Clerk, Role};

/// Bytes of a joining request at most.
const MAX_JOINING: usize = 1 << 20;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.upload("/cosigners", OPERATORS, MAX_JOINING, add).post(
        "/cosigners/{id}/confirm",
        CONFIRMERS,
        confirm,
    )
}

/// What the institutions' page shows of them; nothing where no agreement names one.
pub(super) async fn sheets(console: &Console, view: &View) -> Result<Markup, Refusal> {
    if !cosigner::is_asked_for(console.store()).await? {
        return Ok(html! {});
    }
    let (t, all) = (view.words, cosigner::all(console.store()).await?);
    let short = |key: String| key.chars().take(16).collect::<String>();
    Ok(html! {
        div.sheet {
            h2 { (t.t("cosigner.title")) }
            p.hint { (t.t("cosigner.lead")) }
            @if all.is_empty() { p.empty { (t.t("list.empty")) } } @else {
                div.scroll { table {
                    thead { tr {
                        th scope="col" { (t.t("institution.code")) } th scope="col" { (t.t("cosigner.one")) }
                        th scope="col" { (t.t("cosigner.signing_key")) } th scope="col" { (t.t("cosigner.sealing_key")) }
                        th scope="col" { (t.t("institution.added_by")) } th scope="col" { (t.t("list.state")) }
                    } }
                    tbody.cosigners { @for one in &all { tr {
                        td { (one.code) } th scope="row" { (one.name) }
                        td { code { (short(one.signing_key.to_string())) "…" } } td { code { (short(one.sealing_key.to_string())) "…" } }
                        td { (one.added_by) } td { (state(view, one)) }
                    } } }
                } }
            }
        }
        @if view.may(&[Role::Operator]) {
            form.sheet method="post" action="/cosigners" enctype="multipart/form-data" {
                h2 { (t.t("cosigner.add")) }
                (field(t.t("cosigner.joining"), "cosigner", t.t("cosigner.joining_hint"), &html! {
                    input #cosigner name="joining" type="file" accept=".hedui" required;
                }))
                p.actions { button.button #add-cosigner { (t.t("cosigner.add")) } }
            }
        }
    })
}

fn state(view: &View, one: &Cosigner) -> Markup {
    let t = view.words;
    let me = view.clerk.as_ref().map(|clerk| clerk.code.as_str());
    let may = view.may(&[Role::Operator, Role::Reviewer, Role::Head]);
    html! {
        @if one.confirmed { span.tag.good { (t.t("cosigner.confirmed")) } }
        @else if may && me != Some(one.added_by.as_str()) {
            form.inline method="post" action={ "/cosigners/" (one.id) "/confirm" } { button.button.second.confirm { (t.t("institution.confirm")) } }
        }
        @else { span.tag.warn { (t.t("institution.by_another")) } }
    }
}

async fn add(State(console): State<Console>, clerk: Clerk, fields: Fields) -> Result<Response, Refusal> {
    let Some(bytes) = fields.file("joining") else { return refuse("refused.incomplete") };
    let mut write = console.store().write().await?;
    cosigner::add(&mut write, bytes, &clerk, console.now()?).await?;
    write.commit().await?;
    Ok(to("/institutions"))
}

async fn confirm(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let mut write = console.store().write().await?;
    cosigner::confirm(&mut write, id, &clerk, console.now()?).await?;
    write.commit().await?;
    Ok(to("/institutions"))
}

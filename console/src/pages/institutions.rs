//! Institutions and the agreements with them.

use axum::extract::{Path, State};
use axum::response::Response;
use maud::html;

use super::cosigners;
use super::form::Fields;
use super::layout::{View, field, heading};
use super::problem::{Refusal, refuse};
use super::routes::{Allow, OPERATORS, READERS, Routes, to};
use crate::console::Console;
use crate::dispatch::agreement::{self, AddError};
use crate::staff::{Clerk, Role};

/// Bytes of an agreement at most.
const MAX_BYTES: usize = 1 << 20;
/// Those who may confirm an agreement that another registered.
pub(super) const CONFIRMERS: Allow = Allow::Roles(&[Role::Operator, Role::Reviewer, Role::Head]);

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/institutions", READERS, list).upload("/institutions", OPERATORS, MAX_BYTES, add).post(
        "/agreements/{id}/confirm",
        CONFIRMERS,
        confirm,
    )
}

async fn list(State(console): State<Console>, view: View) -> Result<Response, Refusal> {
    let (t, today) = (view.words, console.today()?);
    let all = agreement::institutions(console.store(), today).await?;
    let waiting = agreement::unconfirmed(console.store()).await?;
    let cosigners = cosigners::sheets(&console, &view).await?;
    let me = view.clerk.as_ref().map(|clerk| clerk.code.as_str());
    let may = view.may(&[Role::Operator, Role::Reviewer, Role::Head]);
    Ok(view.page(
        t.t("menu.institutions"),
        &html! {
            div.sheet {
                (heading(t.t("institution.title"), t.t("institution.lead")))
                p { a #departments href="/departments" { (t.t("department.title")) } }
                @if all.is_empty() { p.empty { (t.t("institution.none")) } } @else {
                    div.scroll { table {
                        thead { tr {
                            th scope="col" { (t.t("institution.code")) } th scope="col" { (t.t("institution.one")) } th scope="col" { (t.t("institution.kind")) }
                            th scope="col" { (t.t("institution.agreement")) } th scope="col" { (t.t("column.level")) }
                            th scope="col" { (t.t("institution.valid_to")) } th scope="col" { (t.t("list.state")) }
                        } }
                        tbody { @for i in &all { tr {
                            td { (i.code) } th scope="row" { (i.name) } td { (t.of("kinds", &i.kind)) }
                            @match &i.agreement {
                                Some(a) => {
                                    td { (a.number) @if a.cosigned { " " span.tag { (t.t("institution.cosigned")) } } }
                                    td { (t.of("level", a.level.word())) } td.id { (a.valid_to) }
                                    td { span class=(match a.state(today) { "in_force" => "tag good", "ending" => "tag warn", _ => "tag bad" }) { (t.of("agreement", a.state(today))) } }
                                }
                                None => { td colspan="4" { (t.t("institution.no_agreement")) } }
                            }
                        } } }
                    } }
                }
            }
            @if !waiting.is_empty() {
                div.sheet {
                    h2 { (t.t("institution.waiting")) }
                    p.hint { (t.t("institution.waiting_hint")) }
                    div.scroll { table {
                        thead { tr {
                            th scope="col" { (t.t("institution.one")) } th scope="col" { (t.t("institution.agreement")) } th scope="col" { (t.t("column.level")) }
                            th scope="col" { (t.t("institution.valid_to")) } th scope="col" { (t.t("institution.added_by")) } th scope="col" {}
                        } }
                        tbody { @for one in &waiting { tr {
                            th scope="row" { (one.institution) } td { (one.agreement.number) } td { (t.of("level", one.agreement.level.word())) }
                            td.id { (one.agreement.valid_from) " – " (one.agreement.valid_to) } td { (one.added_by) }
                            td { @if may && me != Some(one.added_by.as_str()) {
                                form.inline method="post" action={ "/agreements/" (one.agreement.id) "/confirm" } { button.button.second.confirm { (t.t("institution.confirm")) } }
                            } @else { span.tag.warn { (t.t("institution.by_another")) } } }
                        } } }
                    } }
                }
            }
            @if view.may(&[Role::Operator]) {
                form.sheet method="post" action="/institutions" enctype="multipart/form-data" {
                    h2 { (t.t("institution.add")) }
                    (field(t.t("institution.file"), "agreement", t.t("institution.file_hint"), &html! {
                        input #agreement name="agreement" type="file" accept=".hedui" required;
                    }))
                    p.actions { button.button #add-agreement { (t.t("institution.add")) } }
                }
            }
            (cosigners)
        },
    ))
}

async fn add(State(console): State<Console>, clerk: Clerk, fields: Fields) -> Result<Response, Refusal> {
    let Some(bytes) = fields.file("agreement") else { return refuse("refused.incomplete") };
    let centre = console.config().centre.as_ref().map(|centre| centre.keys.signing.public());
    let mut write = console.store().write().await?;
    match agreement::add(&mut write, bytes, centre, &clerk, console.now()?).await {
        Ok(_) => {}
        Err(AddError::Decode(_)) => return refuse("dispatch.unreadable"),
        Err(AddError::Check(protocol::CheckError::Expired(_))) => return refuse("institution.expired"),
        Err(AddError::Check(_)) => return refuse("institution.unsigned"),
        Err(AddError::OtherCentre) => return refuse("dispatch.other_centre"),
        Err(AddError::Known) => return refuse("institution.known"),
        Err(AddError::Fault(fault)) => return Err(fault.into()),
    }
    write.commit().await?;
    Ok(to("/institutions"))
}

async fn confirm(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let mut write = console.store().write().await?;
    agreement::confirm(&mut write, id, &clerk, console.now()?).await?;
    write.commit().await?;
    Ok(to("/institutions"))
}

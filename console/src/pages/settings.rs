//! What the administrator sets: clocks, how long files are kept. And how the backup of every night stands.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::form::Fields;
use super::layout::{At, View, field, heading};
use super::problem::{Refusal, refuse};
use super::routes::{ADMINISTRATORS, Routes, to};
use crate::cases::calendar::Calendar;
use crate::cases::case;
use crate::console::Console;
use crate::nightly::Standing;
use crate::settings;
use crate::staff::Clerk;
use crate::words::Words;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/settings", ADMINISTRATORS, show).post("/settings", ADMINISTRATORS, set)
}

async fn show(State(console): State<Console>, view: View) -> Result<Response, Refusal> {
    let (t, store) = (view.words, console.store());
    let mut values = Vec::new();
    for setting in settings::ALL {
        values.push((setting, settings::get(store, &setting).await?));
    }
    let changes = settings::changes(store).await?;
    let standing = Standing::read(store).await?;
    Ok(view.page(
        t.t("setting.title"),
        &html! {
            form.sheet method="post" action="/settings" {
                (heading(t.t("setting.title"), t.t("setting.lead")))
                div.pair { @for (setting, value) in &values {
                    (field(t.of("setting", setting.name), setting.name,
                        &t.fill("setting.range", &[("least", &setting.least), ("most", &setting.most), ("usual", &setting.usual)]), &html! {
                        input #(setting.name) name=(setting.name) type="number" min=(setting.least) max=(setting.most) step="1" required value=(value);
                    }))
                } }
                p.actions { button.button #save-settings { (t.t("form.save")) } }
            }
            (backups(t, &console, standing))
            div.sheet {
                h2 { (t.t("setting.changes")) }
                @if changes.is_empty() { p.empty { (t.t("setting.unchanged")) } } @else {
                    table {
                        thead { tr { th scope="col" { (t.t("setting.one")) } th.number scope="col" { (t.t("setting.before")) } th.number scope="col" { (t.t("setting.after")) } th scope="col" { (t.t("log.actor")) } th scope="col" { (t.t("log.time")) } } }
                        tbody.changes { @for one in &changes { tr {
                            th scope="row" { (t.of("setting", &one.name)) } td.number { (one.before) } td.number { (one.after) } td { (one.by) } td { (At(one.at)) }
                        } } }
                    }
                }
            }
        },
    ))
}

fn backups(t: Words, console: &Console, standing: Standing) -> Markup {
    html! {
        div.sheet #backups {
            h2 { (t.t("backup.title")) }
            @match console.backups() {
                None => { p.notice.bad { (t.t("backup.none")) } }
                Some(plan) => {
                    dl.facts {
                        div { dt { (t.t("backup.at")) } dd.id { (format!("{:02}:{:02}", plan.at_minute / 60, plan.at_minute % 60)) } }
                        div { dt { (t.t("backup.folder")) } dd { code { (plan.folder.display()) } } }
                        div { dt { (t.t("backup.keep")) } dd { (plan.keep) } }
                        div { dt { (t.t("backup.made")) } dd { @if let Some(at) = standing.made { (At(at)) } @else { "–" } } }
                    }
                    @if let Some(at) = standing.failed.filter(|_| standing.is_broken()) { p.notice.bad { (t.t("backup.failed")) " " (At(at)) } }
                }
            }
        }
    }
}

async fn set(State(console): State<Console>, clerk: Clerk, fields: Fields) -> Result<Response, Refusal> {
    let mut wanted = Vec::new();
    for setting in settings::ALL {
        let Some(value) = fields.number(setting.name).filter(|value| setting.allows(*value)) else {
            return refuse(setting.wrong);
        };
        wanted.push((setting, value));
    }
    let now = console.now()?;
    let mut write = console.store().write().await?;
    let mut clocks = false;
    for (setting, value) in wanted {
        let changed = settings::set(&mut write, &setting, value, &clerk, now).await?;
        clocks |= changed && setting == settings::REPORT_DAYS;
    }
    write.commit().await?;
    if clocks {
        // What is set counts from here on: the clocks that run are set by it.
        let mut write = console.store().write().await?;
        let calendar = Calendar::read(console.store()).await?;
        case::set_clocks(&mut write, &calendar).await?;
        write.commit().await?;
    }
    Ok(to("/settings"))
}

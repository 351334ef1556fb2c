//! The calendar of working days, as the centre edits it. A change sets the running clocks anew.

use axum::extract::State;
use axum::response::Response;
use maud::html;

use super::form::Fields;
use super::layout::{View, choice, day, heading, input};
use super::problem::{Refusal, refuse};
use super::routes::{Allow, Routes, to};
use crate::cases::calendar::{self, Calendar};
use crate::cases::case;
use crate::console::Console;
use crate::settings;
use crate::staff::{Clerk, Role};
use crate::store::{Action, Object};

const READ: Allow = Allow::Roles(&[Role::Operator, Role::Head, Role::Administrator]);
const WRITE: Allow = Allow::Roles(&[Role::Head, Role::Administrator]);

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/holidays", READ, list).post("/holidays", WRITE, set).post(
        "/holidays/days",
        WRITE,
        report_days,
    )
}

async fn list(State(console): State<Console>, view: View) -> Result<Response, Refusal> {
    let t = view.words;
    let calendar = Calendar::read(console.store()).await?;
    let days = calendar::report_days(console.store()).await?;
    let may = view.may(&[Role::Head, Role::Administrator]);
    Ok(view.page(
        t.t("menu.holidays"),
        &html! {
            div.sheet {
                (heading(t.t("holidays.title"), t.t("holidays.lead")))
                dl.facts { div { dt { (t.t("holidays.report_days")) } dd { (t.fill("holidays.working_days", &[("n", &days)])) } } }
                @if may {
                    form.filter method="post" action="/holidays/days" {
                        (input(t.t("holidays.report_days"), "days", &days.to_string(), "", true))
                        button.button.second #days-go { (t.t("form.save")) }
                    }
                    form.filter method="post" action="/holidays" {
                        (day(t.t("holidays.day"), "day", "", "", true))
                        (choice(t.t("holidays.kind"), "kind", "off", &[
                            ("off", t.t("holidays.off")), ("on", t.t("holidays.on")), ("week", t.t("holidays.week")),
                        ]))
                        (input(t.t("holidays.name"), "name", "", "", false))
                        button.button #set-day { (t.t("form.save")) }
                    }
                }
                table {
                    thead { tr { th scope="col" { (t.t("holidays.day")) } th scope="col" { (t.t("holidays.kind")) } th scope="col" { (t.t("holidays.name")) } } }
                    tbody { @for (day, working, name) in calendar.days().rev() { tr {
                        th.id scope="row" { (day) }
                        td { @if working { span.tag.warn { (t.t("holidays.on")) } } @else { span.tag.good { (t.t("holidays.off")) } } }
                        td { (name) }
                    } } }
                }
            }
        },
    ))
}

async fn set(State(console): State<Console>, clerk: Clerk, fields: Fields) -> Result<Response, Refusal> {
    let Some(day) = fields.day("day") else { return refuse("refused.incomplete") };
    let name = fields.text("name").unwrap_or_default();
    let differs = match fields.line("kind") {
        "off" => Some((false, name)),
        "on" => Some((true, name)),
        _ => None,
    };
    let mut write = console.store().write().await?;
    calendar::set(&mut write, day, differs).await?;
    let object = Object::Row("day", i64::from(day.number()));
    write.log(Action("calendar.changed"), &clerk.code, console.now()?, object).await?;
    write.commit().await?;
    set_clocks(&console).await
}

async fn report_days(
    State(console): State<Console>,
    clerk: Clerk,
    fields: Fields,
) -> Result<Response, Refusal> {
    let Some(days) = fields.number("days").filter(|days| settings::REPORT_DAYS.allows(*days)) else {
        return refuse("holidays.days_wrong");
    };
    let mut write = console.store().write().await?;
    settings::set(&mut write, &settings::REPORT_DAYS, days, &clerk, console.now()?).await?;
    write.commit().await?;
    set_clocks(&console).await
}

async fn set_clocks(console: &Console) -> Result<Response, Refusal> {
    let mut write = console.store().write().await?;
    let calendar = Calendar::read(console.store()).await?;
    case::set_clocks(&mut write, &calendar).await?;
    write.commit().await?;
    Ok(to("/holidays"))
}

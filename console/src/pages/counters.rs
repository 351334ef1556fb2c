//! The standing counters, with charts that are drawn on the server.

use axum::extract::{Query, State};
use axum::response::Response;
use maud::{Markup, html};

use super::layout::{Listing, View, choice, encode, heading};
use super::problem::Refusal;
use super::routes::{READERS, Routes};
use crate::console::Console;
use crate::counters::{self, Counts};
use crate::words::Words;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/counters", READERS, show)
}

async fn show(
    State(console): State<Console>,
    view: View,
    Query(listing): Query<Listing>,
) -> Result<Response, Refusal> {
    let (t, store, today) = (view.words, console.store(), console.today()?);
    let office = listing.office.clone().unwrap_or_default();
    let counted = counters::count(store, &office, today).await?;
    let offices = counters::offices(store).await?;
    let mut choices = vec![("", t.t("list.all"))];
    choices.extend(offices.iter().map(|name| (name.as_str(), name.as_str())));
    let total = &counted.total;
    let now = counted.months.last().map(|(_, counts)| counts.clone()).unwrap_or_default();
    let before = counted.months.iter().rev().nth(1).map(|(_, counts)| counts.clone()).unwrap_or_default();
    let numbers: [(&str, String); 14] = [
        ("people", total.people.to_string()),
        ("asked", total.asked.to_string()),
        ("received", total.received.to_string()),
        ("accepted", total.accepted.to_string()),
        ("reports", total.reports.to_string()),
        ("change", change(now.reports, before.reports)),
        ("days", tenths(total.days_per_report_tenths())),
        ("overdue", counted.overdue.to_string()),
        ("late", total.late.to_string()),
        ("suspended", format!("{} · {}", total.suspended, percent(total.suspended_per_mille()))),
        ("suspension_reports", total.suspension_reports.to_string()),
        ("terminated", total.terminated.to_string()),
        ("objections", format!("{} · {}", total.objections, percent(total.objection_per_mille()))),
        ("institutions", counted.institutions.to_string()),
    ];
    let months = |of: fn(&Counts) -> i64| -> Vec<(String, i64)> {
        counted.months.iter().map(|(month, counts)| (month_name(*month), of(counts))).collect()
    };
    let mut ranked = counted.offices.clone();
    ranked.sort_by(|a, b| b.1.reports.cmp(&a.1.reports).then_with(|| a.0.cmp(&b.0)));
    Ok(view.page(
        t.t("menu.counters"),
        &html! {
            div.sheet {
                (heading(t.t("menu.counters"), t.t("counter.lead")))
                form.filter method="get" action="/counters" {
                    (choice(t.t("column.office"), "office", &office, &choices))
                    button.button.second { (t.t("list.find")) }
                }
                dl.numbers.wide { @for (name, value) in &numbers {
                    @let alarm = *name == "overdue" && counted.overdue > 0;
                    div class=[alarm.then_some("bad")] { dt { (t.of("counter", name)) } dd { (value) } }
                } }
            }
            div.sheet {
                h2 { (t.t("counter.by_month")) }
                div.charts {
                    (columns(t, t.t("counter.accepted"), &months(|counts| counts.accepted)))
                    (columns(t, t.t("counter.reports"), &months(|counts| counts.reports)))
                    (columns(t, t.t("counter.asked"), &months(|counts| counts.asked)))
                    (columns(t, t.t("objection.one"), &months(|counts| counts.objections)))
                }
            }
            @if !ranked.is_empty() {
                div.sheet {
                    h2 { (t.t("counter.by_office")) }
                    div.scroll { table {
                        thead { tr {
                            th scope="col" { (t.t("column.office")) } th scope="col" { (t.t("counter.reports")) } th.number scope="col" {}
                            th.number scope="col" { (t.t("counter.accepted")) } th.number scope="col" { (t.t("counter.people")) }
                            th.number scope="col" { (t.t("objection.one")) } th.number scope="col" { (t.t("counter.late")) }
                        } }
                        tbody { @for (name, counts) in &ranked { tr {
                            th scope="row" { a href={ "/counters?office=" (encode(name)) } { (name) } }
                            td.bar-cell { (bar(counts.reports, ranked.first().map_or(1, |(_, first)| first.reports))) }
                            td.number { (counts.reports) } td.number { (counts.accepted) } td.number { (counts.people) }
                            td.number { (counts.objections) } td.number { (counts.late) }
                        } } }
                    } }
                }
            }
        },
    ))
}

/// `2026-11`
fn month_name(month: u32) -> String {
    format!("{}-{:02}", month / 100, month % 100)
}

fn percent(per_mille: Option<i64>) -> String {
    per_mille.map_or_else(|| "—".to_owned(), |n| format!("{}.{}%", n / 10, n % 10))
}

fn tenths(n: Option<i64>) -> String {
    n.map_or_else(|| "—".to_owned(), |n| format!("{}.{}", n / 10, n % 10))
}

/// Against the month before (环比).
fn change(now: i64, before: i64) -> String {
    if before == 0 {
        return "—".to_owned();
    }
    let per_mille = (now - before) * 1_000 / before;
    let sign = if per_mille < 0 { "−" } else { "+" };
    format!("{sign}{}", percent(Some(per_mille.abs())))
}

const CHART: (i64, i64) = (360, 158);
const BASE: i64 = 122;
const ROOM: i64 = 96;

/// Twelve columns with their figures: what a reader needs is written, none of it hangs on a colour.
fn columns(t: Words, title: &str, values: &[(String, i64)]) -> Markup {
    let most = values.iter().map(|(_, value)| *value).max().unwrap_or(0).max(1);
    let step = CHART.0 / i64::try_from(values.len()).unwrap_or(1).max(1);
    let told = values
        .iter()
        .map(|(month, value)| format!("{month} {value}"))
        .collect::<Vec<_>>()
        .join(t.t("counter.between"));
    html! {
        figure.chart {
            figcaption { (title) }
            svg viewBox={ "0 0 " (CHART.0) " " (CHART.1) } role="img" aria-label={ (title) " " (told) } {
                line.axis x1="0" y1=(BASE) x2=(CHART.0) y2=(BASE) {}
                @for (at, (month, value)) in (0_i64..).zip(values) {
                    @let height = value * ROOM / most;
                    @let x = at * step;
                    @if *value > 0 {
                        rect.column x=(x + 4) y=(BASE - height.max(1)) width=(step - 8) height=(height.max(1)) {}
                        text.figure x=(x + step / 2) y=(BASE - height.max(1) - 5) { (value) }
                    }
                    text.month x=(x + step / 2) y=(BASE + 17) { (month.get(5..).unwrap_or(month)) }
                    @if at == 0 || month.ends_with("-01") { text.year x=(x + 2) y=(BASE + 28) { (month.get(..4).unwrap_or("")) } }
                }
            }
        }
    }
}

fn bar(value: i64, most: i64) -> Markup {
    let width = value * 200 / most.max(1);
    html! {
        svg.bar-line viewBox="0 0 200 12" preserveAspectRatio="none" aria-hidden="true" { rect.column x="0" y="1" width=(width.max(i64::from(value > 0))) height="10" {} }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_changes() {
        assert_eq!(percent(Some(25)), "2.5%");
        assert_eq!(percent(None), "—");
        assert_eq!(change(15, 10), "+50.0%");
        assert_eq!(change(5, 10), "−50.0%");
        assert_eq!(change(5, 0), "—");
        assert_eq!(tenths(Some(123)), "12.3");
    }
}

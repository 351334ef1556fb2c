//! The local rules: read by all who work, edited by the head. Each save is a new version.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use protocol::value::Currency;

use super::form::Fields;
use super::layout::{At, View, choice, day, heading, input};
use super::money;
use super::people::defects;
use super::problem::Refusal;
use super::routes::{HEADS, READERS, Routes, to};
use crate::console::Console;
use crate::review::rules::{self, Exclusion, KINDS, Line, Rate, RuleSet};
use crate::staff::{Clerk, Role};
use crate::words::Words;

/// Rows of the form that may stay empty.
const LINES: usize = 5;
const EXCLUSIONS: usize = 6;
const RATES: usize = 4;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/rules", READERS, show).get("/rules/edit", HEADS, edit).post("/rules", HEADS, save)
}

async fn show(State(console): State<Console>, view: View) -> Result<Response, Refusal> {
    let (t, store) = (view.words, console.store());
    let current = rules::current(store, console.today()?).await?;
    let all = rules::all(store).await?;
    Ok(view.page(
        t.t("menu.rules"),
        &html! {
            div.sheet {
                (heading(t.t("rules.title"), t.t("rules.lead")))
                (facts(t, &current))
                @if view.may(&[Role::Head]) { p.actions { a.button #edit href="/rules/edit" { (t.t("rules.edit")) } } }
            }
            @if !all.is_empty() {
                div.sheet {
                    h2 { (t.t("rules.versions")) }
                    table {
                        thead { tr {
                            th scope="col" { (t.t("rules.version")) } th scope="col" { (t.t("rules.name")) } th scope="col" { (t.t("rules.from")) }
                            th scope="col" { (t.t("rules.made")) } th scope="col" { (t.t("list.state")) }
                        } }
                        tbody { @for kept in &all { tr {
                            th scope="row" { (kept.rules.version) } td { (kept.rules.title) }
                            td.id { @if let Some(from) = kept.rules.from { (from) } } td { (At(kept.made)) " " (kept.made_by) }
                            td { @if kept.rules.version == current.version { span.tag.good { (t.t("rules.current")) } } }
                        } } }
                    }
                }
            }
        },
    ))
}

fn facts(t: Words, r: &RuleSet) -> Markup {
    html! {
        @if r.version == 0 { p.notice { (t.t("rules.none")) } }
        dl.facts {
            @if r.version > 0 {
                div { dt { (t.t("rules.name")) } dd { (r.title) } }
                div { dt { (t.t("rules.version")) } dd { (r.version) @if let Some(from) = r.from { " · " (t.t("rules.from")) " " (from) } } }
            }
            div { dt { (t.t("rules.stale")) } dd { (t.fill("rules.days", &[("n", &r.stale_days)])) } }
            div { dt { (t.t("rules.thin")) } dd { (t.fill("rules.per_mille", &[("n", &r.thin_per_mille)])) } }
        }
        @if !r.lines.is_empty() {
            h3 { (t.t("rules.lines")) }
            div.scroll { table {
                thead { tr {
                    th scope="col" { (t.t("rules.line")) } th.number scope="col" { (t.t("rules.base")) } th.number scope="col" { (t.t("rules.multiplier")) }
                    th scope="col" { (t.t("rules.heads")) } th scope="col" { (t.t("rules.kinds")) }
                } }
                tbody { @for line in &r.lines { tr {
                    th scope="row" { (line.title) } td.number { (money::yuan(line.base_minor)) } td.number { "× " (milli(line.multiplier_milli)) }
                    td { (t.of("per_head", if line.per_head { "yes" } else { "no" })) } td { (kinds(t, &line.kinds)) }
                } } }
            } }
        }
        @if !r.exclusions.is_empty() {
            h3 { (t.t("rules.exclusions")) }
            ul { @for one in &r.exclusions { li { "· " (one.title) } } }
        }
        @if !r.rates.is_empty() {
            h3 { (t.t("rules.rates")) }
            ul { @for rate in &r.rates { li { "· 1 " (rate.currency) " = " (micro(rate.yuan_micro)) " CNY（" (rate.date) "）" } } }
        }
    }
}

fn kinds(t: Words, kinds: &[String]) -> String {
    kinds.iter().map(|kind| t.of("asset", kind)).collect::<Vec<_>>().join("、")
}

fn milli(n: i64) -> String {
    let text = format!("{}.{:03}", n / 1_000, n % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn micro(n: i64) -> String {
    let text = format!("{}.{:06}", n / 1_000_000, n % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

async fn edit(State(console): State<Console>, view: View) -> Result<Response, Refusal> {
    let all = rules::all(console.store()).await?;
    let last = all.into_iter().next().map(|kept| kept.rules).unwrap_or_default();
    Ok(form(&view, &last, &[]))
}

fn form(view: &View, r: &RuleSet, wrong: &[(&'static str, &'static str)]) -> Response {
    let t = view.words;
    let heads = [("yes", t.t("per_head.yes")), ("no", t.t("per_head.no"))];
    view.page(
        t.t("rules.edit"),
        &html! {
            form.sheet method="post" action="/rules" {
                (heading(t.t("rules.edit"), t.t("rules.edit_lead")))
                (defects(t, wrong))
                div.pair {
                    (input(t.t("rules.name"), "title", &r.title, t.t("rules.name_hint"), true))
                    (day(t.t("rules.from"), "from", &r.from.map(|day| day.to_string()).unwrap_or_default(), "", true))
                    (input(t.t("rules.stale"), "stale", &r.stale_days.to_string(), t.t("rules.stale_hint"), true))
                    (input(t.t("rules.thin"), "thin", &r.thin_per_mille.to_string(), t.t("rules.thin_hint"), true))
                }
                h2 { (t.t("rules.lines")) }
                p.hint { (t.t("rules.lines_hint")) }
                @for at in 0..LINES {
                    @let line = r.lines.get(at);
                    fieldset.panel {
                        legend.unseen { (t.t("rules.line")) " " (at + 1) }
                        div.pair.four {
                            (input(&format!("{} {}", t.t("rules.line"), at + 1), &format!("line-{at}"), line.map_or("", |l| &l.title), "", false))
                            (input(t.t("rules.base"), &format!("base-{at}"), &line.map(|l| money::yuan(l.base_minor)).unwrap_or_default(), "", false))
                            (input(t.t("rules.multiplier"), &format!("times-{at}"), &line.map(|l| milli(l.multiplier_milli)).unwrap_or_default(), "", false))
                            (choice(t.t("rules.heads"), &format!("heads-{at}"), if line.is_none_or(|l| l.per_head) { "yes" } else { "no" }, &heads))
                        }
                        div.boxes { @for kind in KINDS { label.check {
                            input type="checkbox" name={ "kinds-" (at) } value=(kind) checked[line.is_some_and(|l| l.counts(kind))];
                            (t.of("asset", kind))
                        } } }
                    }
                }
                h2 { (t.t("rules.exclusions")) }
                p.hint { (t.t("rules.exclusions_hint")) }
                div.pair { @for at in 0..EXCLUSIONS {
                    (input(&format!("{} {}", t.t("rules.exclusion"), at + 1), &format!("exclusion-{at}"), r.exclusions.get(at).map_or("", |e| &e.title), "", false))
                } }
                h2 { (t.t("rules.rates")) }
                @for at in 0..RATES {
                    @let rate = r.rates.get(at);
                    div.pair {
                        (input(t.t("rules.currency"), &format!("currency-{at}"), &rate.map(|r| r.currency.to_string()).unwrap_or_default(), "", false))
                        (input(t.t("rules.yuan"), &format!("rate-{at}"), &rate.map(|r| micro(r.yuan_micro)).unwrap_or_default(), "", false))
                        (day(t.t("rules.rate_date"), &format!("rate-date-{at}"), &rate.map(|r| r.date.to_string()).unwrap_or_default(), "", false))
                    }
                }
                p.actions { button.button #save { (t.t("rules.save")) } a.button.plain href="/rules" { (t.t("form.back")) } }
            }
        },
    )
}

async fn save(
    State(console): State<Console>,
    view: View,
    clerk: Clerk,
    fields: Fields,
) -> Result<Response, Refusal> {
    let before = rules::all(console.store()).await?.into_iter().next().map(|kept| kept.rules);
    let (rules, wrong) = read(&fields, &before.unwrap_or_default());
    if !wrong.is_empty() {
        return Ok(form(&view, &rules, &wrong));
    }
    let mut write = console.store().write().await?;
    rules::add(&mut write, rules, &clerk, console.now()?).await?;
    write.commit().await?;
    Ok(to("/rules"))
}

/// Reads the form; all that is wrong comes at once. An exclusion that keeps its name keeps its code.
fn read(fields: &Fields, before: &RuleSet) -> (RuleSet, Vec<(&'static str, &'static str)>) {
    let mut wrong = Vec::new();
    let mut rules = RuleSet {
        title: fields.text("title").unwrap_or_default().to_owned(),
        from: fields.day("from"),
        lines: Vec::new(),
        ..RuleSet::default()
    };
    if rules.title.is_empty() {
        wrong.push(("rules.name", "defect.missing"));
    }
    if rules.from.is_none() {
        wrong.push(("rules.from", "defect.bad_date"));
    }
    match fields.number("stale").filter(|n| (0..=3_660).contains(n)) {
        Some(days) => rules.stale_days = days,
        None => wrong.push(("rules.stale", "defect.number")),
    }
    match fields.number("thin").and_then(|n| u64::try_from(n).ok()).filter(|n| *n <= 1_000) {
        Some(share) => rules.thin_per_mille = share,
        None => wrong.push(("rules.thin", "defect.number")),
    }
    for at in 0..LINES {
        let Some(title) = fields.text(&format!("line-{at}")) else { continue };
        let base = money::read(fields.line(&format!("base-{at}")));
        let times = money::scaled(fields.line(&format!("times-{at}")), 3).filter(|n| *n > 0);
        let chosen = fields.all(&format!("kinds-{at}"));
        let kinds: Vec<String> =
            KINDS.iter().filter(|k| chosen.iter().any(|c| c == *k)).map(|k| (*k).to_owned()).collect();
        for (bad, field, code) in [
            (base.is_none(), "rules.base", "defect.amount"),
            (times.is_none(), "rules.multiplier", "defect.number"),
            (kinds.is_empty(), "rules.kinds", "defect.missing"),
        ] {
            if bad {
                wrong.push((field, code));
            }
        }
        rules.lines.push(Line {
            code: format!("L{}", at + 1),
            title: title.to_owned(),
            base_minor: base.unwrap_or(0),
            multiplier_milli: times.unwrap_or(0),
            per_head: fields.line(&format!("heads-{at}")) != "no",
            kinds,
        });
    }
    let mut next =
        before.exclusions.iter().filter_map(|e| e.code.strip_prefix('E')?.parse::<u32>().ok()).max();
    for at in 0..EXCLUSIONS {
        let Some(title) = fields.text(&format!("exclusion-{at}")) else { continue };
        let known = before.exclusions.iter().find(|known| known.title == title);
        let code = known.map(|known| known.code.clone()).unwrap_or_else(|| {
            let n = next.unwrap_or(0) + 1;
            next = Some(n);
            format!("E{n}")
        });
        rules.exclusions.push(Exclusion { code, title: title.to_owned() });
    }
    for at in 0..RATES {
        let currency = fields.line(&format!("currency-{at}"));
        if currency.is_empty() {
            continue;
        }
        let read: Option<Currency> = currency.to_uppercase().parse().ok();
        let yuan = money::scaled(fields.line(&format!("rate-{at}")), 6).filter(|n| *n > 0);
        match (read, yuan, fields.day(&format!("rate-date-{at}"))) {
            (Some(currency), Some(yuan_micro), Some(date)) => {
                rules.rates.push(Rate { currency, yuan_micro, date });
            }
            _ => wrong.push(("rules.rates", "defect.number")),
        }
    }
    (rules, wrong)
}

//! Review: the cases that wait for it, what was declared against what was found, and the second person's word.

use std::collections::BTreeSet;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};
use protocol::slot::AssetKind;
use protocol::value::{Currency, Date};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::form::Fields;
use super::layout::{At, Listing, View, choice, day, field, heading, input};
use super::money;
use super::problem::{Refusal, refuse};
use super::routes::{Allow, OPERATORS, READERS, REVIEWERS, Routes, to};
use crate::cases::case::{self, Case, State as Stage};
use crate::cases::{person, scan};
use crate::console::Console;
use crate::review::declared::{self, Declared, Excluded};
use crate::review::findings::{Entry, MemberFindings, Outcome, PersonAnswer, Source};
use crate::review::flags::{self, Flag};
use crate::review::rules::KINDS;
use crate::review::verdict::{self, Draft};
use crate::staff::{Clerk, Role};
use crate::store::list::{Filter, List};
use crate::store::{Action, Columns as _, Fault, Object};
use crate::words::Words;

/// Those who may see figures.
const LOOKERS: &[Role] = &[Role::Reviewer, Role::Head, Role::Auditor];

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/reviews", READERS, list)
        .get("/reviews/{id}", READERS, show)
        .post("/reviews/{id}/unmask", Allow::Roles(LOOKERS), unmask)
        .post("/reviews/{id}/declared", OPERATORS, declare)
        .post("/reviews/{id}/strike", OPERATORS, strike)
        .upload("/reviews/{id}/excluded", OPERATORS, scan::MAX_BYTES, exclude)
        .post("/reviews/{id}/confirm", REVIEWERS, confirm)
        .post("/reviews/{id}/back", REVIEWERS, send_back)
}

const COLUMNS: [(&str, &str); 4] = [
    ("due", "due IS NULL, due, cases.id"),
    ("number", "cases.number"),
    ("household", "households.number, cases.id"),
    ("office", "cases.office, cases.id"),
];

/// The list of cases to review. Accepted ones in it were sent back: a review wants them asked about once more.
const LIST: List = List {
    select: "SELECT cases.id, cases.number, cases.office, cases.due, cases.state, households.number AS household, \
        (SELECT count(DISTINCT roster) FROM roster_people WHERE case_id = cases.id AND EXISTS (SELECT 1 FROM rosters \
        WHERE rosters.id = roster AND state <> 'void')) AS asked, \
        (SELECT count(DISTINCT answers.roster) FROM roster_people JOIN answers ON answers.roster = roster_people.roster \
        JOIN openings ON openings.answer = answers.id AND openings.code IS NULL WHERE case_id = cases.id) AS opened \
        FROM cases JOIN households ON households.id = cases.household",
    from: "FROM cases JOIN households ON households.id = cases.household",
    wanted: "WHERE cases.state = ?1 \
        AND (?1 <> 'accepted' OR EXISTS (SELECT 1 FROM reviews WHERE case_id = cases.id)) \
        AND (?3 = '' OR cases.number LIKE ?3 || '%' OR households.number LIKE ?3 || '%')",
};

async fn list(
    State(console): State<Console>,
    view: View,
    Query(listing): Query<Listing>,
) -> Result<Response, Refusal> {
    let (t, store, today) = (view.words, console.store(), console.today()?);
    let state = match listing.state.as_deref() {
        Some("reviewed") => "reviewed",
        Some("accepted") => "accepted",
        _ => "matched",
    };
    let filter = Filter { state: state.to_owned(), ..listing.filter() };
    let (rows, total) = LIST.read(store, &filter, [today; 2], &listing.rows(&COLUMNS)).await?;
    let shown = rows.iter().map(Listed::from_row).collect::<Result<Vec<_>, _>>()?;
    let states = [
        ("matched", t.t("state.matched")),
        ("reviewed", t.t("review.confirmed")),
        ("accepted", t.t("review.sent_back")),
    ];
    Ok(view.page(
        t.t("menu.reviews"),
        &html! {
            div.sheet {
                (heading(t.t("review.title"), t.t("review.lead")))
                form.filter method="get" action="/reviews" {
                    (input(t.t("review.find"), "q", &filter.text, "", false))
                    (choice(t.t("list.state"), "state", state, &states))
                    button.button.second { (t.t("list.find")) }
                }
                @if shown.is_empty() { p.empty { (t.t("list.empty")) } } @else {
                    div.scroll { table {
                        thead { tr {
                            (listing.sorter("/reviews", "number", t.t("case.number")))
                            (listing.sorter("/reviews", "household", t.t("column.household")))
                            (listing.sorter("/reviews", "office", t.t("column.office")))
                            th.number scope="col" { (t.t("review.opened_of")) }
                            (listing.sorter("/reviews", "due", t.t("case.due")))
                        } }
                        tbody { @for one in &shown { tr {
                            th scope="row" { a href={ "/reviews/" (one.id) } { (one.number) } }
                            td { (one.household) } td { (one.office) }
                            td.number { (one.opened) " / " (one.asked) @if one.opened < one.asked { " " span.tag.warn { (t.t("review.not_all")) } } }
                            td.id { @if let Some(due) = one.due { (due) @if due < today { " " span.tag.bad { (t.t("case.overdue")) } } } }
                        } } }
                    } }
                    (listing.pager(t, "/reviews", total))
                }
            }
        },
    ))
}

/// A line of the list.
struct Listed {
    id: i64,
    number: String,
    household: String,
    office: String,
    due: Option<Date>,
    asked: i64,
    opened: i64,
}

impl Listed {
    fn from_row(row: &SqliteRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.try_get("id")?,
            number: row.try_get::<Option<String>, _>("number")?.unwrap_or_default(),
            household: row.try_get("household")?,
            office: row.try_get("office")?,
            due: row.optional_day("due")?,
            asked: row.try_get("asked")?,
            opened: row.try_get("opened")?,
        })
    }
}

async fn find(console: &Console, id: i64) -> Result<Case, Refusal> {
    case::find(console.store(), id).await?.ok_or(Refusal::NotFound)
}

async fn show(State(console): State<Console>, view: View, Path(id): Path<i64>) -> Result<Response, Refusal> {
    page(&console, &view, &find(&console, id).await?, false).await
}

/// Shows names, numbers and figures in full: once, and logged for the case and for each person.
async fn unmask(
    State(console): State<Console>,
    view: View,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let (one, now) = (find(&console, id).await?, console.now()?);
    let members = case::members(console.store(), id).await?;
    let mut write = console.store().write().await?;
    write.log(Action("findings.shown"), &clerk.code, now, Object::Row("case", id)).await?;
    for member in members {
        let object = Object::Row("person", member.person);
        write.log(Action("findings.shown"), &clerk.code, now, object).await?;
    }
    write.commit().await?;
    page(&console, &view, &one, true).await
}

/// How the page is shown to whoever looks.
struct Look {
    t: Words,
    full: bool,
    stale_days: i64,
    as_of: Date,
}

impl Look {
    fn name(&self, member: &MemberFindings) -> String {
        if self.full { member.name.clone() } else { person::mask_name(&member.name) }
    }

    fn number(&self, number: &str) -> String {
        if self.full { number.to_owned() } else { person::mask_number(number) }
    }

    fn amount(&self, minor: i64, currency: Currency) -> String {
        if self.full { money::show(minor, currency) } else { "＊＊＊".to_owned() }
    }

    fn yuan(&self, minor: i64) -> String {
        self.amount(minor, Currency::CNY)
    }
}

async fn page(console: &Console, view: &View, one: &Case, full: bool) -> Result<Response, Refusal> {
    let (t, store, now) = (view.words, console.store(), console.now()?);
    let draft = Draft::read(store, one, now).await?;
    let look = Look { t, full, stale_days: draft.rules.stale_days, as_of: one.as_of };
    let title = one.number.clone().unwrap_or_else(|| one.commission.clone());
    let own = match &view.clerk {
        Some(clerk) => verdict::had_a_hand(store, one.id, clerk).await?,
        None => true,
    };
    let before_review = !matches!(
        one.state,
        Stage::Reviewed | Stage::Issued | Stage::Archived | Stage::Terminated | Stage::Suspended
    );
    let reviewer = view.may(&[Role::Reviewer]);
    let seen = if full { draft.seen(store)? } else { String::new() };
    let unopened = draft.findings.sources.iter().any(|s| s.outcome == Outcome::Unopened);
    let past = verdict::past(store, one.id).await?;
    let post = |step: &str| format!("/reviews/{}/{step}", one.id);
    Ok(view.page(
        &title,
        &html! {
            div.sheet {
                (heading(&t.fill("review.of", &[("n", &title)]), ""))
                dl.facts {
                    div { dt { (t.t("column.household")) } dd { (one.household_number) " · " (one.office) } }
                    div { dt { (t.t("column.as_of")) } dd.id { (one.as_of) } }
                    div { dt { (t.t("list.state")) } dd { (t.of("state", one.state.name())) } }
                    div { dt { (t.t("menu.rules")) } dd {
                        @if draft.rules.version == 0 { (t.t("rules.none_short")) } @else { (draft.rules.title) " · " (t.t("rules.version")) " " (draft.rules.version) }
                    } }
                }
                @if full { p.notice { (t.t("review.shown")) } }
                div.actions {
                    @if !full && view.may(LOOKERS) {
                        form.inline method="post" action=(post("unmask")) { button.button #unmask { (t.t("review.unmask")) } }
                    }
                    a.button.second href={ "/cases/" (one.id) } { (t.t("batch.to_case")) }
                }
            }
            (flags_sheet(&look, &draft))
            @for member in &draft.findings.members { (member_sheet(&look, member, &draft)) }
            (sources_sheet(&look, &draft))
            @if view.may(&[Role::Operator]) && before_review { (operator_sheets(&look, &draft, &post)) }
            @if reviewer && matches!(one.state, Stage::Matched | Stage::Reviewed) {
                div.sheet {
                    h2 { (t.t("review.verdict")) }
                    @if one.state == Stage::Matched {
                        @if own { p.notice.bad #own { (t.t("review.own_work")) } }
                        @else if unopened { p.notice.bad { (t.t("review.unopened")) } }
                        @else if !full { p.notice { (t.t("review.not_looked")) } }
                        @else {
                            p { (t.t("review.confirm_lead")) }
                            form method="post" action=(post("confirm")) {
                                input type="hidden" name="seen" value=(seen);
                                p.actions { button.button #confirm { (t.t("review.confirm")) } }
                            }
                        }
                    }
                    form.panel method="post" action=(post("back")) {
                        h3 { (t.t("review.back")) }
                        p.hint { (t.t("review.back_hint")) }
                        div.scroll { table {
                            thead { tr { th scope="col" { (t.t("people.person")) } @for (name, _) in institutions(&draft.findings.members) { th scope="col" { (name) } } } }
                            tbody { @for member in &draft.findings.members { tr {
                                th scope="row" { (look.name(member)) }
                                @for (name, code) in institutions(&draft.findings.members) { td {
                                    input type="checkbox" name="whom" value={ (member.person) ":" (code) } aria-label={ (look.name(member)) " " (name) };
                                } }
                            } } }
                        } }
                        (field(t.t("batch.why"), "why", "", &html! { input #why name="why" required maxlength="200"; }))
                        p.actions { button.button.second #back { (t.t("review.back_go")) } }
                    }
                }
            }
            @if !past.is_empty() {
                div.sheet {
                    h2 { (t.t("review.past")) }
                    table { tbody { @for one in &past { tr {
                        td { (At(one.at)) } td { (one.by.name) " " code { (one.by.code) } } td { (t.of("verdict", &one.outcome)) }
                        td { @if let Some(digest) = &one.digest { code { (digest.chars().take(16).collect::<String>()) "…" } } }
                    } } } }
                }
            }
        },
    ))
}

/// Names and codes of the institutions that said something, or were to.
fn institutions(members: &[MemberFindings]) -> BTreeSet<(&str, &str)> {
    let answers = members.iter().flat_map(|member| &member.answers);
    answers.map(|answer| (answer.institution_name.as_str(), answer.institution.as_str())).collect()
}

fn flags_sheet(look: &Look, draft: &Draft) -> Markup {
    let t = look.t;
    let who = |flag: &Flag| {
        let member = draft.findings.members.iter().find(|member| Some(member.person) == flag.person);
        member.map(|member| look.name(member)).unwrap_or_default()
    };
    html! {
        div.sheet {
            h2 { (t.t("review.flags")) }
            p.hint { (t.t("review.flags_hint")) }
            @if draft.flags.is_empty() { p.notice.good { (t.t("review.no_flags")) } } @else {
                div.scroll { table {
                    thead { tr { th scope="col" { (t.t("review.flag")) } th scope="col" { (t.t("people.person")) } th scope="col" { (t.t("institution.one")) } th scope="col" { (t.t("review.detail")) } } }
                    tbody.flags { @for flag in &draft.flags { tr {
                        th scope="row" { span class=(weight(&flag.code)) { (t.of("flag", &flag.code)) } }
                        td { (who(flag)) } td { (flag.institution.as_deref().unwrap_or("")) }
                        td { (detail(look, flag)) }
                    } } }
                } }
            }
        }
    }
}

fn weight(code: &str) -> &'static str {
    match code {
        "over_line" | "ask_first" | "undeclared" | "over_declared" | "no_answer" | "warned" => "tag bad",
        "no_declaration" | "not_asked" | "former_number" => "tag",
        _ => "tag warn",
    }
}

fn detail(look: &Look, flag: &Flag) -> Markup {
    let t = look.t;
    html! {
        @if let Some(line) = &flag.line { (line) " " }
        @if let Some(kind) = &flag.kind { (t.of("asset", kind)) " " }
        @match (flag.found, flag.against, flag.code.as_str()) {
            (Some(found), Some(against), "thin") => { (t.fill("flag_detail.thin", &[("n", &money::count(found.unsigned_abs())), ("of", &money::count(against.unsigned_abs()))])) }
            (Some(found), _, "blank" | "warned") => { (found) }
            (Some(found), Some(against), "over_line" | "near_line") => { (t.fill("flag_detail.line", &[("found", &look.yuan(found)), ("line", &look.yuan(against))])) }
            (Some(found), Some(against), "ask_first") => { (t.fill("flag_detail.declared_under", &[("declared", &look.yuan(found)), ("line", &look.yuan(against))])) }
            (Some(found), Some(against), _) => { (t.fill("flag_detail.declared", &[("found", &look.yuan(found)), ("declared", &look.yuan(against))])) }
            _ => {}
        }
    }
}

fn member_sheet(look: &Look, member: &MemberFindings, draft: &Draft) -> Markup {
    let t = look.t;
    let kinds = kinds_of(member, draft);
    html! {
        div.sheet.member {
            h2 { (look.name(member)) " " span.tag { (t.of("ring", &member.ring.to_string())) } " " small.id { (member.relation) " · " (look.number(&member.number)) } }
            @if !kinds.is_empty() {
                div.scroll { table.against {
                    thead { tr { th scope="col" { (t.t("review.kind")) } th.number scope="col" { (t.t("review.declared")) } th.number scope="col" { (t.t("review.found")) } th.number scope="col" { (t.t("review.more")) } } }
                    tbody { @for (kind, declared, found, other) in &kinds { tr {
                        th scope="row" { (t.of("asset", kind)) }
                        td.number { @match declared { Some(minor) => (look.yuan(*minor)), None => "–" } }
                        td.number { (look.yuan(*found)) @if *other { " " span.tag.warn { (t.t("review.other_currency")) } } }
                        td.number { @let more = found - declared.unwrap_or(0); @if more > 0 { span.bad { (look.yuan(more)) } } @else { (look.yuan(more)) } }
                    } } }
                } }
            }
            div.scroll { table {
                thead { tr {
                    th scope="col" { (t.t("institution.one")) } th scope="col" { (t.t("review.outcome")) } th scope="col" { (t.t("review.kind")) }
                    th.number scope="col" { (t.t("review.amount")) } th scope="col" { (t.t("review.accounts")) } th scope="col" { (t.t("review.balance_date")) }
                    th scope="col" { (t.t("review.name_check")) } th scope="col" { (t.t("review.notes")) }
                } }
                tbody { @for answer in &member.answers { (answer_rows(look, answer, draft)) } }
            } }
            @if !member.declared.is_empty() || !member.excluded.is_empty() {
                dl.facts {
                    @for one in &member.declared { div {
                        dt { (t.t("review.declared")) " · " (t.of("asset", &one.kind)) }
                        dd { (look.yuan(one.minor)) " " (one.institution) " " @if let Some(date) = one.date { (date) } }
                    } }
                    @for one in &member.excluded { div {
                        dt { (t.t("review.excluded")) } dd { (one.title) " " (look.yuan(one.minor)) " " (one.note) " " code { (one.evidence_sha256.chars().take(16).collect::<String>()) "…" } }
                    } }
                }
            }
        }
    }
}

/// By kind: declared, found in yuan, and whether something in another currency has no rate.
fn kinds_of<'k>(member: &MemberFindings, draft: &Draft) -> Vec<(&'k str, Option<i64>, i64, bool)> {
    let of_kind = |kind: &'k str| {
        let declared: Vec<i64> =
            member.declared.iter().filter(|one| one.kind == kind).map(|one| one.minor).collect();
        let entries: Vec<&Entry> = flags::totals(member).filter(|entry| entry.kind == kind).collect();
        let yuan = entries.iter().filter_map(|entry| flags::in_yuan(entry, &draft.rules));
        let found = yuan.fold(0_i64, i64::saturating_add);
        let other = entries.iter().any(|e| e.minor.is_some() && flags::in_yuan(e, &draft.rules).is_none());
        let sum = (!declared.is_empty()).then(|| declared.iter().copied().fold(0_i64, i64::saturating_add));
        (!declared.is_empty() || !entries.is_empty()).then_some((kind, sum, found, other))
    };
    KINDS.iter().copied().filter_map(of_kind).collect()
}

fn answer_rows(look: &Look, answer: &PersonAnswer, draft: &Draft) -> Markup {
    let t = look.t;
    let source = draft.findings.sources.iter().find(|source| source.roster == answer.roster);
    let thin =
        source.and_then(|s| s.answer.as_ref()).is_some_and(|a| a.looked.is_thin(draft.rules.thin_per_mille));
    let entries: Vec<&Entry> = answer.finding.iter().flat_map(|finding| &finding.entries).collect();
    let flags: Vec<&str> = answer.finding.iter().flat_map(|f| &f.name_flags).map(String::as_str).collect();
    let names = html! { @for flag in &flags { span class=(if *flag == "different" { "tag bad" } else if *flag == "same" { "tag good" } else { "tag" }) { (t.of("name_flag", flag)) } " " } };
    let notes = html! {
        @if thin { span.tag.warn { (t.t("flag.thin")) } " " }
        @if let Some(f) = &answer.finding {
            @if f.matched.iter().any(|m| m.starts_with("former:")) { span.tag.warn { (t.t("flag.former_number")) } " " }
            @if f.over_line == Some(true) { span.tag.warn { (t.t("review.over_line")) } " " }
            @for note in &f.notes { span.tag.warn { (t.of("slot_note", note)) } " " }
        }
        @if let Some(why) = &answer.left_out { (t.of("left_out", why)) }
    };
    let outcome = html! { span class=(match answer.outcome {
        Outcome::Found => "tag", Outcome::NoRecord if !thin => "tag good",
            Outcome::NoRecord => "tag warn", Outcome::Waiting | Outcome::Unopened | Outcome::NotAsked => "tag warn", _ => "tag bad",
    }) { (t.of("outcome", answer.outcome.name())) } };
    html! {
        @if entries.is_empty() {
            tr { th scope="row" { (answer.institution_name) } td { (outcome) } td {} td.number {} td {} td {} td { (names) } td { (notes) } }
        }
        @for (at, entry) in entries.iter().enumerate() {
            tr class=[entry.is_account.then_some("part")] {
                th scope="row" { @if at == 0 { (answer.institution_name) } }
                td { @if at == 0 { (outcome) } }
                td { (t.of("asset", &entry.kind)) @if entry.liability { " " span.tag { (t.t("review.owed")) } } @if let Some(product) = entry.product.as_deref().filter(|p| !p.is_empty()) { " " (product) } }
                td.number { @match entry.minor { Some(minor) => (look.amount(minor, entry.currency)), None => "–" } }
                td {
                    @if let Some(n) = entry.accounts { (n) @if let Some(blank) = entry.blank.filter(|n| *n > 0) { " " span.tag.warn { (t.fill("review.blank", &[("n", &blank)])) } } }
                    @if let Some(account) = entry.account.as_deref().filter(|a| !a.is_empty()) { span.id { (look.number(account)) } }
                    @if let Some(status) = &entry.status { " " (t.of("account_status", status)) }
                }
                td.id {
                    (dates(entry))
                    @if entry.is_stale(look.as_of, look.stale_days) { " " span.tag.warn { (t.t("flag.stale")) } }
                }
                td { @if at == 0 { (names) } } td { @if at == 0 { (notes) } }
            }
        }
    }
}

fn dates(entry: &Entry) -> String {
    match (entry.oldest, entry.newest) {
        (Some(oldest), Some(newest)) if oldest != newest => format!("{oldest} – {newest}"),
        (Some(day), _) | (None, Some(day)) => day.to_string(),
        (None, None) => String::new(),
    }
}

fn sources_sheet(look: &Look, draft: &Draft) -> Markup {
    let t = look.t;
    let row = |source: &Source| {
        let answer = source.answer.as_ref();
        html! {
            tr {
                th scope="row" { (source.institution_name) }
                td { (t.of("level", &source.level)) }
                td {
                    @match (source.outcome, &source.refused) {
                        (Outcome::Found, _) => { span.tag.good { (t.t("opening.open")) } }
                        (_, Some(code)) => { span.tag.bad { (t.of("answer_refused", code)) } }
                        (other, None) => { span.tag.warn { (t.of("outcome", other.name())) } }
                    }
                }
                @match answer {
                    Some(a) => {
                        td.number { (a.version) } td.number { (money::count(a.looked.statement.rows)) } td.number { (money::count(a.looked.statement.valid)) }
                        td.number { (money::count(a.looked.quarantined())) }
                        td {
                            @if a.looked.is_thin(draft.rules.thin_per_mille) { span.tag.bad { (t.t("review.thin")) } " " }
                            @for (reason, n) in &a.looked.statement.quarantined { span.tag { (t.of("quarantine", reason)) " " (n) } " " }
                            @for (warning, n) in &a.looked.warnings { span.tag.bad { (t.of("answer_warning", warning)) " " (n) } " " }
                        }
                        td { (a.officers[0].name) "、" (a.officers[1].name) br; (At(a.opened)) }
                    }
                    None => { td colspan="6" {} }
                }
            }
        }
    };
    html! {
        div.sheet {
            h2 { (t.t("review.coverage")) }
            p.hint { (t.t("review.coverage_hint")) }
            @if draft.findings.sources.is_empty() { p.empty { (t.t("review.nobody_asked")) } } @else {
                div.scroll { table {
                    thead { tr {
                        th scope="col" { (t.t("institution.one")) } th scope="col" { (t.t("batch.level")) } th scope="col" { (t.t("list.state")) }
                        th.number scope="col" { (t.t("batch.version")) } th.number scope="col" { (t.t("review.rows")) } th.number scope="col" { (t.t("review.valid")) }
                        th.number scope="col" { (t.t("review.quarantined")) } th scope="col" { (t.t("review.notes")) } th scope="col" { (t.t("opening.by")) }
                    } }
                    tbody.coverage { @for source in &draft.findings.sources { (row(source)) } }
                } }
            }
        }
    }
}

fn operator_sheets(look: &Look, draft: &Draft, post: &dyn Fn(&str) -> String) -> Markup {
    let t = look.t;
    let members: Vec<(String, String)> = draft
        .findings
        .members
        .iter()
        .map(|m| (m.person.to_string(), format!("{} {}", look.name(m), m.relation)))
        .collect();
    let members: Vec<(&str, &str)> = members.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
    let kinds: Vec<(&str, &str)> = KINDS.iter().map(|kind| (*kind, t.of("asset", kind))).collect();
    let reasons: Vec<(&str, &str)> =
        draft.rules.exclusions.iter().map(|one| (one.code.as_str(), one.title.as_str())).collect();
    html! {
        form.sheet method="post" action=(post("declared")) {
            h2 { (t.t("review.declare")) }
            p.hint { (t.t("review.declare_hint")) }
            div.pair {
                (choice(t.t("people.person"), "person", "", &members))
                (choice(t.t("review.kind"), "kind", "deposit", &kinds))
                (input(t.t("review.amount"), "amount", "", t.t("review.amount_hint"), true))
                (input(t.t("institution.one"), "institution", "", "", false))
                (day(t.t("review.declared_date"), "date", "", "", false))
            }
            p.actions { button.button.second #declare { (t.t("review.declare_go")) } }
        }
        @if draft.findings.members.iter().any(|m| !m.declared.is_empty()) {
            form.sheet method="post" action=(post("strike")) {
                h3 { (t.t("review.strike")) }
                select name="item" aria-label=(t.t("review.strike")) {
                    @for member in &draft.findings.members { @for one in &member.declared {
                        option value=(one.id) { "#" (one.id) " " (look.name(member)) " " (t.of("asset", &one.kind)) " " (one.institution) }
                    } }
                }
                p.actions { button.button.second #strike { (t.t("review.strike_go")) } }
            }
        }
        @if !reasons.is_empty() {
            form.sheet method="post" action=(post("excluded")) enctype="multipart/form-data" {
                h2 { (t.t("review.exclude")) }
                p.hint { (t.t("review.exclude_hint")) }
                div.pair {
                    (choice(t.t("people.person"), "person", "", &members))
                    (choice(t.t("batch.why"), "reason", "", &reasons))
                    (input(t.t("review.amount"), "amount", "", t.t("review.amount_hint"), true))
                    (input(t.t("review.note"), "note", "", "", false))
                    (field(t.t("review.evidence"), "evidence", t.t("people.scan_hint"), &html! {
                        input #evidence name="evidence" type="file" accept=".pdf,.jpg,.jpeg,.png" required;
                    }))
                }
                p.actions { button.button.second #exclude { (t.t("review.exclude_go")) } }
            }
        }
    }
}

/// The member of an open case that a form names.
async fn member(console: &Console, case: i64, fields: &Fields) -> Result<i64, Refusal> {
    let members = case::members(console.store(), case).await?;
    let named = fields.number("person");
    match members.iter().find(|member| Some(member.person) == named) {
        Some(member) => Ok(member.person),
        None => refuse("review.nobody"),
    }
}

fn still_open(one: &Case) -> Result<(), Refusal> {
    if declared::may_change(one.state) { Ok(()) } else { refuse("review.not_now") }
}

async fn declare(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    find(&console, id).await?;
    let person = member(&console, id, &fields).await?;
    let known =
        AssetKind::ALL.into_iter().find(|kind| kind.name() == fields.line("kind") && !kind.is_liability());
    let (Some(kind), Some(minor)) = (known, money::read(fields.line("amount"))) else {
        return refuse("review.bad_amount");
    };
    let declared = Declared {
        id: 0,
        kind: kind.name().to_owned(),
        minor,
        institution: fields.text("institution").unwrap_or_default().to_owned(),
        date: fields.day("date"),
    };
    let mut write = console.store().write().await?;
    let Some(one) = case::find_in(&mut write, id).await? else { return Err(Refusal::NotFound) };
    still_open(&one)?;
    declared::declare(&mut write, id, person, declared, &clerk, console.now()?).await?;
    write.commit().await?;
    Ok(to(&format!("/reviews/{id}")))
}

async fn strike(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let Some(item) = fields.number("item") else { return refuse("refused.malformed") };
    let mut write = console.store().write().await?;
    let Some(one) = case::find_in(&mut write, id).await? else { return Err(Refusal::NotFound) };
    still_open(&one)?;
    if !declared::strike(&mut write, id, item, &clerk, console.now()?).await? {
        return Err(Refusal::NotFound);
    }
    write.commit().await?;
    Ok(to(&format!("/reviews/{id}")))
}

async fn exclude(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let one = find(&console, id).await?;
    let person = member(&console, id, &fields).await?;
    let now = console.now()?;
    let rules = crate::review::rules::current(console.store(), console.today()?).await?;
    let Some(reason) = rules.exclusions.into_iter().find(|known| known.code == fields.line("reason")) else {
        return refuse("review.no_such_exclusion");
    };
    let Some(minor) = money::read(fields.line("amount")) else { return refuse("review.bad_amount") };
    let Some(file) = fields.file("evidence") else { return refuse("review.no_evidence") };
    let Some(media) = scan::media(file) else { return refuse("defect.media") };
    let excluded = Excluded {
        id: 0,
        reason: reason.code,
        title: reason.title,
        minor,
        note: fields.text("note").unwrap_or_default().to_owned(),
        evidence_sha256: protocol::Digest::of(file).to_string(),
    };
    let mut write = console.store().write().await?;
    let Some(one) = case::find_in(&mut write, one.id).await? else { return Err(Refusal::NotFound) };
    still_open(&one)?;
    let row = declared::exclude(&mut write, id, person, excluded, &clerk, now).await?;
    scan::add(&mut write, "evidence", row, media, file, &clerk, now).await?;
    write.commit().await?;
    Ok(to(&format!("/reviews/{id}")))
}

async fn confirm(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    verdict::confirm(console.store(), id, fields.line("seen"), &clerk, console.now()?).await?;
    Ok(to(&format!("/reviews/{id}")))
}

async fn send_back(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let Some(why) = fields.text("why") else { return refuse("refused.incomplete") };
    let mut whom = BTreeSet::new();
    for pair in fields.all("whom") {
        let Some((person, code)) = pair.split_once(':') else { return refuse("refused.malformed") };
        let institution: Option<i64> = sqlx::query_scalar("SELECT id FROM institutions WHERE code = ?")
            .bind(code)
            .fetch_optional(console.store().read())
            .await?;
        match (person.parse().ok(), institution) {
            (Some(person), Some(institution)) => whom.insert((person, institution)),
            _ => return refuse("refused.malformed"),
        };
    }
    verdict::send_back(console.store(), id, &whom, why, &clerk, console.now()?).await?;
    Ok(to(&format!("/reviews/{id}")))
}

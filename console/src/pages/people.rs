//! People and their authorisations; who asked about whom.

use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use protocol::roster::Level;
use sqlx::Row as _;

use super::file::{PDF, shown};
use super::form::Fields;
use super::layout::{At, Listing, View, choice, day, field, heading, input};
use super::problem::{Refusal, refuse};
use super::routes::{OPERATORS, READERS, Routes, to};
use crate::cases::authorisation::{self, Authorisation, ENDS, FORMS, KINDS};
use crate::cases::person::{self, Person};
use crate::cases::scan;
use crate::console::Console;
use crate::report::asked::{self, Asked};
use crate::report::issue;
use crate::staff::Clerk;
use crate::store::list::List;
use crate::store::{Action, Fault, Object, unix};
use crate::words::Words;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/people", READERS, list)
        .get("/people/new", OPERATORS, new_page)
        .upload("/people", OPERATORS, scan::MAX_BYTES, add)
        .get("/people/{id}", READERS, show)
        .post("/people/{id}/unmask", READERS, unmask)
        .get("/people/{id}/questions", READERS, questions)
        .post("/people/{id}/questions/pdf", READERS, questions_pdf)
        .upload("/authorisations/{id}/scan", OPERATORS, scan::MAX_BYTES, add_scan)
        .post("/authorisations/{id}/end", OPERATORS, end)
        .post("/scans/{id}", READERS, open_scan)
        .post("/find", READERS, by_number)
}

const COLUMNS: [(&str, &str); 4] = [
    ("signed", "signed, authorisations.id"),
    ("number", "authorisations.number"),
    ("person", "person, authorisations.id"),
    ("level", "level, authorisations.id"),
];

/// The list of authorisations. Its states are `live` and `ended`; the day is today.
const LIST: List = List {
    select: "SELECT * FROM authorisations",
    from: "FROM authorisations",
    wanted: "WHERE (?1 = '' OR (?1 = 'live' AND end_code IS NULL AND (until IS NULL OR until >= ?4)) \
        OR (?1 = 'ended' AND (end_code IS NOT NULL OR until < ?4))) AND (?3 = '' OR number LIKE ?3 || '%')",
};

async fn list(
    State(console): State<Console>,
    view: View,
    Query(mut listing): Query<Listing>,
) -> Result<Response, Refusal> {
    let (t, store, today) = (view.words, console.store(), console.today()?);
    if listing.sort.is_none() {
        listing.sort = Some("-signed".to_owned());
    }
    // Never an identity number in an address: those are looked for by a form that is posted.
    let filter = listing.filter();
    let (rows, total) = LIST.read(store, &filter, [today; 2], &listing.rows(&COLUMNS)).await?;
    let mut shown: Vec<(Authorisation, Option<Person>)> = Vec::new();
    for row in &rows {
        let one = Authorisation::from_row(row)?;
        let person = person::open(store, one.person).await?;
        shown.push((one, person));
    }
    Ok(view.page(
        t.t("people.title"),
        &html! {
            div.sheet {
                (heading(t.t("people.title"), t.t("people.lead")))
                p.actions {
                    @if view.may(&[crate::staff::Role::Operator]) {
                        a.button #new href="/people/new" { (t.t("people.new")) }
                        a.button.second href="/import" { (t.t("menu.import")) }
                    }
                }
                form.filter method="get" action="/people" {
                    (input(t.t("people.by_form"), "q", &filter.text, "", false))
                    (choice(t.t("list.state"), "state", &filter.state, &[
                        ("", t.t("list.all")), ("live", t.t("authorisation.live")), ("ended", t.t("authorisation.ended")),
                    ]))
                    button.button.second { (t.t("list.find")) }
                }
                form.filter method="post" action="/find" {
                    (input(t.t("people.by_number"), "number", "", "", true))
                    button.button.second #find { (t.t("list.find")) }
                }
                @if shown.is_empty() { p.empty { (t.t("list.empty")) } } @else {
                    div.scroll { table {
                        thead { tr {
                            (listing.sorter("/people", "person", t.t("people.person")))
                            th scope="col" { (t.t("column.number")) }
                            (listing.sorter("/people", "number", t.t("column.authorisation")))
                            th scope="col" { (t.t("column.kinds")) }
                            (listing.sorter("/people", "level", t.t("column.level")))
                            (listing.sorter("/people", "signed", t.t("column.signed")))
                            th scope="col" { (t.t("list.state")) }
                        } }
                        tbody {
                            @for (one, person) in &shown {
                                tr {
                                    th scope="row" {
                                        a href={ "/people/" (one.person) } {
                                            (person.as_ref().map(Person::masked_name).unwrap_or_default())
                                        }
                                    }
                                    td.id { (person.as_ref().map(Person::masked_number).unwrap_or_default()) }
                                    td { (one.number) } td { (kinds(t, &one.kinds)) } td { (t.of("level", &one.level)) }
                                    td.id { (one.signed) } td { (state_tag(t, one, today)) }
                                }
                            }
                        }
                    } }
                    (listing.pager(t, "/people", total))
                }
            }
        },
    ))
}

pub(super) fn kinds(t: Words, kinds: &str) -> String {
    kinds.split(',').map(|kind| t.of("kinds", kind)).collect::<Vec<_>>().join("、")
}

pub(super) fn state_tag(t: Words, one: &Authorisation, today: protocol::value::Date) -> Markup {
    let state = one.state(today);
    let class = if state == "live" { "tag good" } else { "tag bad" };
    html! { span class=(class) { (t.of("authorisation", state)) } }
}

async fn new_page(view: View) -> Response {
    form(&view, &Fields::default(), &[])
}

fn form(view: &View, fields: &Fields, wrong: &[(&'static str, &'static str)]) -> Response {
    let t = view.words;
    let forms: Vec<(&str, &str)> = FORMS.iter().map(|f| (*f, t.of("form", f))).collect();
    let levels = [("L1", t.t("level.L1")), ("L0", t.t("level.L0")), ("L2", t.t("level.L2"))];
    view.page(
        t.t("people.new"),
        &html! {
            form.sheet method="post" action="/people" enctype="multipart/form-data" {
                (heading(t.t("people.new"), t.t("people.new_lead")))
                (defects(t, wrong))
                div.pair {
                    (input(t.t("column.name"), "name", fields.line("name"), "", true))
                    (input(t.t("column.number"), "number", fields.line("number"), t.t("people.number_hint"), true))
                    (input(t.t("column.id_type"), "id_type", fields.line("id_type"), t.t("people.id_type_hint"), false))
                    (input(t.t("column.former"), "former", fields.line("former"), t.t("people.former_hint"), false))
                }
                section.panel {
                    h2 { (t.t("people.authorisation")) }
                    div.pair {
                        (input(t.t("column.authorisation"), "authorisation", fields.line("authorisation"), "", true))
                        (day(t.t("column.signed"), "signed", fields.line("signed"), "", true))
                        (choice(t.t("column.form"), "form", fields.line("form"), &forms))
                        (input(t.t("people.signer"), "signer", fields.line("signer"), t.t("people.signer_hint"), false))
                        (choice(t.t("column.level"), "level", fields.line("level"), &levels))
                        (day(t.t("people.until"), "until", fields.line("until"), t.t("people.until_hint"), false))
                    }
                    fieldset {
                        legend { (t.t("column.kinds")) }
                        div.boxes {
                            @for kind in KINDS {
                                label.check {
                                    input type="checkbox" name="kinds" value=(kind) checked[fields.all("kinds").iter().any(|k| k == kind)];
                                    (t.of("kinds", kind))
                                }
                            }
                        }
                    }
                    (field(t.t("people.scan"), "scan", t.t("people.scan_hint"), &html! {
                        input #scan name="scan" type="file" accept=".pdf,.jpg,.jpeg,.png";
                    }))
                }
                p.actions { button.button #save { (t.t("people.save")) } a.button.plain href="/people" { (t.t("form.back")) } }
            }
        },
    )
}

pub(super) fn defects(t: Words, wrong: &[(&'static str, &'static str)]) -> Markup {
    html! {
        @if !wrong.is_empty() {
            section.error role="alert" {
                h2 { (t.fill("form.wrong", &[("n", &wrong.len())])) }
                ul { @for (field, code) in wrong { li { strong { (t.of_key(field)) } " " (t.of_key(code)) } } }
            }
        }
    }
}

async fn add(
    State(console): State<Console>,
    view: View,
    clerk: Clerk,
    fields: Fields,
) -> Result<Response, Refusal> {
    let (now, today) = (console.now()?, console.today()?);
    let mut wrong = Vec::new();
    let read = person::read(
        fields.line("name"),
        fields.line("id_type"),
        fields.line("number"),
        fields.line("former"),
    );
    if let Err(found) = &read {
        wrong.extend_from_slice(found);
    }
    let number = fields.text("authorisation");
    if number.is_none() {
        wrong.push(("column.authorisation", "defect.missing"));
    }
    let signed = fields.day("signed").filter(|signed| *signed <= today);
    if signed.is_none() {
        wrong.push(("column.signed", "defect.bad_date"));
    }
    let until = fields.day("until");
    if (until.is_none() && fields.ticked("until")) || until.is_some_and(|until| until < today) {
        wrong.push(("people.until", "defect.bad_date"));
    }
    let form_kind = FORMS.into_iter().find(|form| *form == fields.line("form")).unwrap_or("own");
    let signer = fields.text("signer").unwrap_or_default();
    if form_kind != "own" && signer.is_empty() {
        wrong.push(("people.signer", "defect.missing"));
    }
    let kinds: Vec<&str> = KINDS.into_iter().filter(|k| fields.all("kinds").iter().any(|c| c == k)).collect();
    if kinds.is_empty() {
        wrong.push(("column.kinds", "defect.missing"));
    }
    let file = fields.file("scan");
    let media = file.and_then(|bytes| scan::media(bytes));
    if file.is_some() && media.is_none() {
        wrong.push(("people.scan", "defect.media"));
    }
    let level = [Level::L0, Level::L1, Level::L2].into_iter().find(|l| l.word() == fields.line("level"));
    let (Ok(read), Some(number), Some(signed), Some(level), true) =
        (read, number, signed, level, wrong.is_empty())
    else {
        return Ok(form(&view, &fields, &wrong));
    };
    let mut write = console.store().write().await?;
    if authorisation::owner(&mut write, number).await?.is_some() {
        return Ok(form(&view, &fields, &[("column.authorisation", "defect.taken")]));
    }
    let Some(person) = person::find_or_add(&mut write, &read, unix(now)).await? else {
        return Ok(form(&view, &fields, &[("column.former", "defect.several_people")]));
    };
    let new = authorisation::New {
        number: number.to_owned(),
        form: form_kind.to_owned(),
        kinds,
        level,
        signer: signer.to_owned(),
        signed,
        until,
    };
    let id = authorisation::add(&mut write, &new, person, clerk.id, unix(now)).await?;
    write.log(Action("authorisation.added"), &clerk.code, now, Object::Row("authorisation", id)).await?;
    if let (Some(bytes), Some(media)) = (file, media) {
        scan::add(&mut write, "authorisation", id, media, bytes, &clerk, now).await?;
    }
    write.commit().await?;
    Ok(to(&format!("/people/{person}")))
}

async fn find(console: &Console, id: i64) -> Result<Person, Refusal> {
    person::open(console.store(), id).await?.ok_or(Refusal::NotFound)
}

async fn show(State(console): State<Console>, view: View, Path(id): Path<i64>) -> Result<Response, Refusal> {
    page(&console, &view, &find(&console, id).await?, false).await
}

/// Shows name and numbers in full: once, and logged.
async fn unmask(
    State(console): State<Console>,
    view: View,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let person = find(&console, id).await?;
    let mut write = console.store().write().await?;
    write.log(Action("person.shown"), &clerk.code, console.now()?, Object::Row("person", id)).await?;
    write.commit().await?;
    page(&console, &view, &person, true).await
}

async fn page(console: &Console, view: &View, person: &Person, full: bool) -> Result<Response, Refusal> {
    let (t, store, today) = (view.words, console.store(), console.today()?);
    let all = authorisation::of_person(store, person.id).await?;
    let mut scans = Vec::new();
    for one in &all {
        scans.push(scan::of(store, "authorisation", one.id).await?);
    }
    let cases = sqlx::query(
        "SELECT cases.id, cases.number, commission, state FROM members JOIN cases ON cases.id = case_id \
         WHERE person = ? ORDER BY cases.id DESC",
    )
    .bind(person.id)
    .fetch_all(store.read())
    .await?;
    let mut listed: Vec<(i64, String, String)> = Vec::new();
    for row in &cases {
        let number: Option<String> = row.try_get("number")?;
        listed.push((
            row.try_get("id")?,
            number.unwrap_or(row.try_get("commission")?),
            row.try_get("state")?,
        ));
    }
    let name = if full { person.name.clone() } else { person.masked_name() };
    let operator = view.may(&[crate::staff::Role::Operator]);
    Ok(view.page(
        t.t("people.person"),
        &html! {
            div.sheet {
                (heading(&name, ""))
                @if full { p.notice { (t.t("people.shown")) } }
                dl.facts {
                    @for (at, stored) in person.numbers.iter().enumerate() {
                        div {
                            dt { @if at == 0 { (t.t("column.number")) } @else { (t.t("column.former")) } }
                            dd.id { @if full { (stored.number) } @else { (person::mask_number(&stored.number)) } }
                        }
                    }
                    div {
                        dt { (t.t("people.cases")) }
                        dd { @for (id, number, state) in &listed { a href={ "/cases/" (id) } { (number) } " " (t.of("state", state)) br; } }
                    }
                }
                div.actions {
                    @if !full {
                        form.inline method="post" action={ "/people/" (person.id) "/unmask" } {
                            button.button.second #unmask { (t.t("people.unmask")) }
                        }
                    }
                    a.button.second href={ "/people/" (person.id) "/questions" } { (t.t("people.questions")) }
                }
            }
            @for (one, scans) in all.iter().zip(&scans) {
                div.sheet {
                    h2 { (t.t("column.authorisation")) " " (one.number) " " (state_tag(t, one, today)) }
                    dl.facts {
                        div { dt { (t.t("column.kinds")) } dd { (kinds(t, &one.kinds)) } }
                        div { dt { (t.t("column.level")) } dd { (t.of("level", &one.level)) } }
                        div { dt { (t.t("column.form")) } dd { (t.of("form", &one.form)) } }
                        div { dt { (t.t("column.signed")) } dd.id { (one.signed) } }
                        div { dt { (t.t("people.until")) } dd {
                            @match &one.until { Some(day) => { (day) }, None => { (t.t("people.event_ended")) } }
                        } }
                        @if let Some(code) = &one.end_code {
                            div { dt { (t.t("people.ended")) } dd { (t.of("end", code)) } }
                        }
                        div { dt { (t.t("people.scan")) } dd {
                            @if scans.is_empty() { (t.t("people.no_scan")) }
                            @for scan in scans {
                                form.inline method="post" action={ "/scans/" (scan.id) } target="_blank" {
                                    button.button.quiet { (t.t("people.open_scan")) " " (scan.bytes / 1024 + 1) " kB" }
                                }
                                " " code { (hex::encode(&scan.sha256).chars().take(16).collect::<String>()) "…" }
                            }
                        } }
                    }
                    @if operator && one.is_live(today) {
                        form.filter method="post" action={ "/authorisations/" (one.id) "/end" } {
                            (choice(t.t("people.end"), "code", "withdrawn", &ENDS.map(|code| (code, t.of("end", code)))))
                            button.button.danger.end { (t.t("people.end_go")) }
                        }
                        form.filter method="post" action={ "/authorisations/" (one.id) "/scan" } enctype="multipart/form-data" {
                            input type="file" name="scan" accept=".pdf,.jpg,.jpeg,.png" required aria-label=(t.t("people.scan"));
                            button.button.second { (t.t("people.add_scan")) }
                        }
                    }
                }
            }
        },
    ))
}

async fn end(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let Some(code) = ENDS.into_iter().find(|code| *code == fields.line("code")) else {
        return refuse("refused.malformed");
    };
    let person: Option<i64> = sqlx::query_scalar("SELECT person FROM authorisations WHERE id = ?")
        .bind(id)
        .fetch_optional(console.store().read())
        .await?;
    let Some(person) = person else { return Err(Refusal::NotFound) };
    let mut write = console.store().write().await?;
    if !authorisation::end(&mut write, id, code, &clerk.code, console.now()?).await? {
        return refuse("people.ended_already");
    }
    write.commit().await?;
    Ok(to(&format!("/people/{person}")))
}

async fn add_scan(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response, Refusal> {
    let Some(file) = fields.file("scan") else { return refuse("refused.incomplete") };
    let Some(media) = scan::media(file) else { return refuse("defect.media") };
    let person: Option<i64> = sqlx::query_scalar("SELECT person FROM authorisations WHERE id = ?")
        .bind(id)
        .fetch_optional(console.store().read())
        .await?;
    let Some(person) = person else { return Err(Refusal::NotFound) };
    let mut write = console.store().write().await?;
    scan::add(&mut write, "authorisation", id, media, file, &clerk, console.now()?).await?;
    write.commit().await?;
    Ok(to(&format!("/people/{person}")))
}

async fn open_scan(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let Some((media, file)) = scan::open(console.store(), id, &clerk, console.now()?).await? else {
        return Err(Refusal::NotFound);
    };
    let headers = [(CONTENT_TYPE, media), (CONTENT_DISPOSITION, "inline".to_owned())];
    Ok((headers, file.to_vec()).into_response())
}

/// "Who asked about me": every question, every report, and everybody who looked at the name in full or at a paper.
async fn questions(
    State(console): State<Console>,
    view: View,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let (t, person) = (view.words, find(&console, id).await?);
    let asked = Asked::read(console.store(), id).await?;
    Ok(view.page(
        t.t("people.questions"),
        &html! {
            div.sheet {
                (heading(t.t("people.questions"), t.t("people.questions_lead")))
                dl.facts { div { dt { (t.t("column.name")) } dd { (person.masked_name()) " " (person.masked_number()) } } }
                form.inline method="post" action={ "/people/" (id) "/questions/pdf" } target="_blank" {
                    p.actions { button.button.second #print { (t.t("asked.print")) } }
                }
                h2 { (t.t("asked.questions")) }
                @if asked.questions.is_empty() { p.empty { (t.t("people.never")) } } @else {
                    table {
                        thead { tr {
                            th scope="col" { (t.t("log.time")) } th scope="col" { (t.t("institution.one")) }
                            th scope="col" { (t.t("column.level")) } th scope="col" { (t.t("column.authorisation")) }
                            th scope="col" { (t.t("case.number")) } th scope="col" { (t.t("list.state")) }
                        } }
                        tbody { @for q in &asked.questions { tr {
                            td { (At(q.issued)) } td { (q.institution) } td { (t.of("level", &q.level)) } td { (q.authorisation) }
                            td { (q.case.as_deref().unwrap_or("")) } td { (t.of("roster", &q.state)) }
                        } } }
                    }
                }
                h2 { (t.t("asked.reports")) }
                @if asked.reports.is_empty() { p.empty { (t.t("asked.none")) } } @else {
                    table { tbody { @for (number, version, at) in &asked.reports { tr {
                        td { (At(*at)) } td { (number) " " (t.fill("report.version", &[("n", version)])) }
                    } } } }
                }
                h2 { (t.t("people.looked")) }
                @if asked.looks.is_empty() { p.empty { (t.t("people.nobody_looked")) } } @else {
                    table { tbody { @for (at, who, action, what) in &asked.looks { tr {
                        td { (At(*at)) } td { (who) } td { (t.of("action", action)) } td { (what) }
                    } } } }
                }
            }
        },
    ))
}

/// The same as a sheet with the person's full name: logged as a look.
async fn questions_pdf(
    State(console): State<Console>,
    clerk: Clerk,
    Path(id): Path<i64>,
) -> Result<Response, Refusal> {
    let (store, now, person) = (console.store(), console.now()?, find(&console, id).await?);
    let mut write = store.write().await?;
    write.log(Action("person.shown"), &clerk.code, now, Object::Row("person", id)).await?;
    write.commit().await?;
    let asked = Asked::read(store, id).await?;
    let fonts = issue::fonts()?;
    let centre = console.config().centre.as_ref().map(|centre| centre.name.to_string()).unwrap_or_default();
    let drawn = tokio::task::spawn_blocking(move || asked::draw(&person, &asked, &centre, fonts, now));
    let drawn = drawn.await.map_err(|_| Fault::Stored("paper"))?.map_err(|_| Fault::Stored("paper"))?;
    Ok(shown(PDF, "asked.pdf", drawn))
}

/// Finds by an identity number, which is posted so that it stands in no address.
pub(super) async fn by_number(State(console): State<Console>, fields: Fields) -> Result<Response, Refusal> {
    let Ok(read) = person::read("某", "", fields.line("number"), "") else {
        return refuse("people.bad_number");
    };
    for subject in &read.subjects {
        let index = console.store().vault().subject_index(subject);
        let found: Option<i64> =
            sqlx::query_scalar("SELECT person FROM person_numbers WHERE number_index = ?")
                .bind(index)
                .fetch_optional(console.store().read())
                .await?;
        if let Some(id) = found {
            return Ok(to(&format!("/people/{id}")));
        }
    }
    refuse("people.not_found")
}

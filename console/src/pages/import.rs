//! Bringing a batch in by file: the template, the upload, its progress, its defects.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use maud::html;
use runner::sheets::begins_as_spreadsheet;

use super::file::{CSV, book, saved};
use super::form::Fields;
use super::layout::{View, field, heading};
use super::problem::{Refusal, refuse};
use super::routes::{OPERATORS, Routes, to};
use super::work;
use crate::cases::template::{self, Defect};
use crate::cases::{import, workbook};
use crate::console::Console;
use crate::edge::Modules;
use crate::jobs::{Job, Outcome};
use crate::staff::Clerk;
use crate::words::Words;

/// Defects that a page shows; the count is of all.
const SHOWN: usize = 1_000;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/import", OPERATORS, page)
        .get("/import/template.csv", OPERATORS, blank)
        .get("/import/template.xlsx", OPERATORS, blank_book)
        .upload("/import", OPERATORS, template::MAX_BYTES, start)
        .get("/import/{id}", OPERATORS, progress)
}

async fn page(view: View) -> Response {
    let t = view.words;
    view.page(
        t.t("menu.import"),
        &html! {
            form.sheet method="post" action="/import" enctype="multipart/form-data" {
                (heading(t.t("import.title"), t.t("import.lead")))
                p {
                    a #book href="/import/template.xlsx" { (t.t("import.book")) } " · "
                    a #template href="/import/template.csv" { (t.t("import.template")) } " · "
                    a href="/declared" { (t.t("declared_file.title")) }
                }
                (field(t.t("import.file"), "file", t.t("import.file_hint"), &html! {
                    input #file name="file" type="file" accept=".csv,.tsv,.txt,.xlsx,.xlsm,.xls,.xlsb,.ods,.et" required;
                }))
                p.actions { button.button #import { (t.t("import.go")) } }
            }
            div.sheet {
                h2 { (t.t("import.columns")) }
                dl.facts {
                    @for (key, heading, required) in template::COLUMNS {
                        div {
                            dt { (heading) }
                            dd { (hint(t, key)) @if required { " " span.tag { (t.t("import.required")) } } }
                        }
                    }
                }
            }
        },
    )
}

async fn blank() -> Response {
    saved(CSV, "hedui-import.csv", template::blank())
}

async fn blank_book(view: View) -> Result<Response, Refusal> {
    let hint = |column: &str| hint(view.words, column);
    book("hedui-import.xlsx", workbook::blank(&template::COLUMNS, template::words, hint))
}

/// What goes into a column.
fn hint(t: Words, column: &str) -> &'static str {
    t.of("import_hint", column.strip_prefix("column.").unwrap_or(column))
}

async fn start(State(console): State<Console>, clerk: Clerk, fields: Fields) -> Result<Response, Refusal> {
    let Some(bytes) = fields.file("file").cloned() else { return refuse("refused.incomplete") };
    let (id, job) = console.jobs().begin(clerk.id);
    let now = console.now()?;
    tokio::spawn(async move {
        let outcome = run(&console, bytes, &clerk, now, &job).await;
        job.end(outcome);
    });
    Ok(to(&format!("/import/{id}")))
}

async fn run(
    console: &Console,
    bytes: axum::body::Bytes,
    clerk: &Clerk,
    now: protocol::Time,
    job: &Job,
) -> Outcome {
    // Off the threads that serve requests: checking 100,000 rows takes a while.
    let read = if begins_as_spreadsheet(&bytes) {
        let read = move |modules: &dyn Modules| template::read(&workbook::text(modules, &bytes)?);
        let none = || Err(vec![Defect { row: 0, field: "column.file", code: "defect.spreadsheet" }]);
        Ok(console.with_modules(read).await.unwrap_or_else(none))
    } else {
        tokio::task::spawn_blocking(move || template::read(&bytes)).await
    };
    let households = match read {
        Ok(Ok(households)) => households,
        Ok(Err(defects)) => return Outcome::Defects(Arc::new(defects)),
        Err(_) => return Outcome::Failed,
    };
    match import::import(console.store(), &households, clerk, now, job).await {
        Ok(Ok(_)) => Outcome::Done("/cases?state=received".to_owned()),
        Ok(Err(defects)) => Outcome::Defects(Arc::new(defects)),
        Err(fault) => {
            // It says what could not be read or written, never a value.
            let _ = Refusal::from(fault).into_response();
            Outcome::Failed
        }
    }
}

async fn progress(
    State(console): State<Console>,
    view: View,
    clerk: Clerk,
    Path(id): Path<u64>,
) -> Result<Response, Refusal> {
    let t = view.words;
    let Some(job) = console.jobs().find(id, clerk.id) else { return Err(Refusal::NotFound) };
    match job.outcome() {
        Some(Outcome::Done(path)) => Ok(view.page(
            t.t("menu.import"),
            &html! {
                div.sheet {
                    (heading(t.t("import.done"), ""))
                    p.notice.good #done { (t.fill("import.done_lead", &[("n", &job.progress().1)])) }
                    p.actions { a.button href=(path) { (t.t("import.to_cases")) } }
                }
            },
        )),
        Some(Outcome::Defects(defects)) => Ok(defects_page(&view, &defects, "/import")),
        Some(Outcome::Refused(key)) => refuse(key),
        Some(Outcome::Failed) => refuse("refused.fault"),
        None => Ok(work::running(&view, &job, ["import.running", "import.running_lead", "import.progress"])),
    }
}

pub(super) fn defects_page(view: &View, defects: &[Defect], back: &str) -> Response {
    let t = view.words;
    view.page(
        t.t("menu.import"),
        &html! {
            div.sheet {
                (heading(t.t("import.refused"), t.t("import.refused_lead")))
                p.notice.bad #defects { (t.fill("form.wrong", &[("n", &defects.len())])) }
                div.scroll { table {
                    thead { tr { th scope="col" { (t.t("import.row")) } th scope="col" { (t.t("import.column")) } th scope="col" { (t.t("import.what")) } } }
                    tbody { @for d in defects.iter().take(SHOWN) { tr {
                        td { @if d.row > 0 { (d.row) } } td { (t.of_key(d.field)) } td { (t.of_key(d.code)) }
                    } } }
                } }
                p.actions { a.button href=(back) { (t.t("form.back")) } }
            }
        },
    )
}

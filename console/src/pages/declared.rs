//! Declarations by file: the template, the upload, its defects.

use axum::extract::State;
use axum::response::Response;
use maud::html;
use runner::sheets::begins_as_spreadsheet;

use super::file::{CSV, book, saved};
use super::form::Fields;
use super::import::defects_page;
use super::layout::{View, field, heading};
use super::problem::{Refusal, refuse};
use super::routes::{OPERATORS, Routes};
use crate::cases::template::Defect;
use crate::cases::workbook;
use crate::console::Console;
use crate::edge::Modules;
use crate::review::declared_file::{self, Row};
use crate::staff::Clerk;

/// Bytes of a file at most.
const MAX_BYTES: usize = 8 << 20;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/declared", OPERATORS, page)
        .get("/declared/template.csv", OPERATORS, blank)
        .get("/declared/template.xlsx", OPERATORS, blank_book)
        .upload("/declared", OPERATORS, MAX_BYTES, take)
}

async fn page(view: View) -> Response {
    let t = view.words;
    view.page(
        t.t("declared_file.title"),
        &html! {
            form.sheet method="post" action="/declared" enctype="multipart/form-data" {
                (heading(t.t("declared_file.title"), t.t("declared_file.lead")))
                p {
                    a #book href="/declared/template.xlsx" { (t.t("import.book")) } " · "
                    a #template href="/declared/template.csv" { (t.t("import.template")) }
                }
                (field(t.t("import.file"), "file", t.t("declared_file.hint"), &html! {
                    input #file name="file" type="file" accept=".csv,.tsv,.txt,.xlsx,.xlsm,.xls,.xlsb,.ods,.et" required;
                }))
                p.actions { button.button #import-declared { (t.t("import.go")) } }
            }
        },
    )
}

async fn blank() -> Response {
    saved(CSV, "hedui-declared.csv", declared_file::blank())
}

async fn blank_book(view: View) -> Result<Response, Refusal> {
    let hint =
        |column: &str| view.words.of("declared_hint", column.strip_prefix("column.").unwrap_or(column));
    book("hedui-declared.xlsx", workbook::blank(&declared_file::COLUMNS, declared_file::words, hint))
}

async fn take(
    State(console): State<Console>,
    view: View,
    clerk: Clerk,
    fields: Fields,
) -> Result<Response, Refusal> {
    let Some(bytes) = fields.file("file").cloned() else { return refuse("refused.incomplete") };
    let read: Result<Vec<Row>, Vec<Defect>> = if begins_as_spreadsheet(&bytes) {
        let read = move |modules: &dyn Modules| declared_file::read(&workbook::text(modules, &bytes)?);
        let none = || Err(vec![Defect { row: 0, field: "column.file", code: "defect.spreadsheet" }]);
        console.with_modules(read).await.unwrap_or_else(none)
    } else {
        declared_file::read(&bytes)
    };
    let kept = match read {
        Ok(rows) => declared_file::keep(console.store(), rows, &clerk, console.now()?).await?,
        Err(defects) => Err(defects),
    };
    let t = view.words;
    match kept {
        Err(defects) => Ok(defects_page(&view, &defects, "/declared")),
        Ok(count) => Ok(view.page(
            t.t("declared_file.title"),
            &html! {
                div.sheet {
                    (heading(t.t("declared_file.title"), ""))
                    p.notice.good #done { (t.fill("declared_file.done", &[("n", &count)])) }
                    p.actions { a.button href="/reviews" { (t.t("menu.reviews")) } }
                }
            },
        )),
    }
}

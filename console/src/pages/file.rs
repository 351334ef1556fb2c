//! Files that a page hands out.

use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use rust_xlsxwriter::XlsxError;

use super::problem::Refusal;
use crate::store::Fault;

/// Text in columns, in UTF-8.
pub(super) const CSV: &str = "text/csv; charset=utf-8";
/// A document of SPEC's.
pub(super) const DOCUMENT: &str = "application/octet-stream";
/// A paper.
pub(super) const PDF: &str = "application/pdf";
/// A closed file as a folder.
pub(super) const ZIP: &str = "application/zip";
/// A spreadsheet.
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A file that the browser saves.
pub(super) fn saved(media: &'static str, name: &str, bytes: impl IntoResponse) -> Response {
    file(media, "attachment", name, bytes)
}

/// A file that the browser shows.
pub(super) fn shown(media: &'static str, name: &str, bytes: impl IntoResponse) -> Response {
    file(media, "inline", name, bytes)
}

/// A spreadsheet that was made here.
pub(super) fn book(name: &str, made: Result<Vec<u8>, XlsxError>) -> Result<Response, Refusal> {
    Ok(saved(XLSX, name, made.map_err(Fault::from)?))
}

fn file(media: &'static str, how: &str, name: &str, bytes: impl IntoResponse) -> Response {
    let headers =
        [(CONTENT_TYPE, media.to_owned()), (CONTENT_DISPOSITION, format!("{how}; filename=\"{name}\""))];
    (headers, bytes).into_response()
}

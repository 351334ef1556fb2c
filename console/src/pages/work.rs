//! Long work under way: begun by a form, its progress looked at until it leads somewhere.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderName;
use axum::response::{IntoResponse as _, Response};
use maud::html;

use super::layout::{View, heading};
use super::problem::{Refusal, refuse};
use super::routes::{READERS, Routes, to};
use crate::console::Console;
use crate::jobs::{Job, Outcome};
use crate::staff::Clerk;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/work/{id}", READERS, progress)
}

/// Begins work that leads to a page, and shows its progress. It goes on whatever becomes of the request.
pub(super) fn begin<F>(console: &Console, clerk: &Clerk, work: impl FnOnce(Arc<Job>) -> F) -> Response
where
    F: Future<Output = Result<String, Refusal>> + Send + 'static,
{
    let (id, job) = console.jobs().begin(clerk.id);
    let work = work(Arc::clone(&job));
    tokio::spawn(async move {
        job.end(match work.await {
            Ok(path) => Outcome::Done(path),
            Err(Refusal::Key(key)) => Outcome::Refused(key),
            Err(other) => {
                // Its cause goes to the program's log: what could not be read or written, never a value.
                drop(other.into_response());
                Outcome::Failed
            }
        });
    });
    to(&format!("/work/{id}"))
}

async fn progress(
    State(console): State<Console>,
    view: View,
    clerk: Clerk,
    Path(id): Path<u64>,
) -> Result<Response, Refusal> {
    let Some(job) = console.jobs().find(id, clerk.id) else { return Err(Refusal::NotFound) };
    match job.outcome() {
        Some(Outcome::Done(path)) => Ok(to(&path)),
        Some(Outcome::Refused(key)) => refuse(key),
        Some(Outcome::Defects(_) | Outcome::Failed) => refuse("work.failed"),
        None => Ok(running(&view, &job, ["work.title", "work.lead", "work.progress"])),
    }
}

/// The page of work that is not done yet, with the keys of its title, its lead and its count; it asks again by itself.
pub(super) fn running(view: &View, job: &Job, [title, lead, count]: [&'static str; 3]) -> Response {
    let (t, (done, of)) = (view.words, job.progress());
    let page = view.page(
        t.t(title),
        &html! {
            div.sheet {
                (heading(t.t(title), t.t(lead)))
                progress max=(of.max(1)) value=(done) {}
                p { (t.fill(count, &[("n", &done), ("of", &of)])) }
            }
        },
    );
    ([(HeaderName::from_static("refresh"), "1")], page).into_response()
}

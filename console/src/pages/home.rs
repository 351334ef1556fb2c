//! The first page after signing in.

use axum::extract::State;
use axum::response::Response;
use maud::html;

use super::layout::{View, heading};
use super::problem::Refusal;
use super::routes::{Allow, Routes, to};
use crate::console::Console;
use crate::staff::{Clerk, Role};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/", Allow::SignedIn, home)
}

async fn home(State(_console): State<Console>, view: View, clerk: Clerk) -> Result<Response, Refusal> {
    if clerk.roles.has(Role::Administrator) {
        return Ok(to("/staff"));
    }
    let t = view.words;
    Ok(view.page(
        t.t("menu.home"),
        &html! {
            div.sheet { (heading(t.t("home.title"), t.t("home.lead"))) }
        },
    ))
}

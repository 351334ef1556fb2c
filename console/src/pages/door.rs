//! Signing in and out, setting up password and one-time codes, the language.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, PreEscaped, html};
use qrcodegen::{QrCode, QrCodeEcc};

use super::form::Fields;
use super::layout::{View, field, heading};
use super::problem::Refusal;
use super::routes::{Allow, Routes, set_session, to};
use crate::console::Console;
use crate::staff::sign_in::{self, Attempt, Door};
use crate::staff::{Clerk, session, totp};
use crate::store::{Action, Object};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/sign-in", Allow::Anyone, sign_in_page)
        .post("/sign-in", Allow::Anyone, sign_in)
        .post("/sign-out", Allow::SettingUp, sign_out)
        .get("/set-up", Allow::SettingUp, set_up_page)
        .post("/set-up", Allow::SettingUp, set_up)
        .post("/language", Allow::Anyone, language)
}

async fn sign_in_page(view: View) -> Response {
    if view.clerk.is_some() { to("/") } else { sign_in_form(&view, "", None).into_response() }
}

fn sign_in_form(view: &View, code: &str, error: Option<&str>) -> Response {
    let t = view.words;
    view.page(
        t.t("door.title"),
        &html! {
            form.sheet.narrow method="post" action="/sign-in" {
                (heading(t.t("door.title"), t.t("door.lead")))
                @if let Some(error) = error { p.notice.bad role="alert" { (error) } }
                (field(t.t("door.code"), "code", "", &html! {
                    input #code name="code" value=(code) required autocomplete="username" autofocus;
                }))
                (field(t.t("door.password"), "password", "", &html! {
                    input #password name="password" type="password" required autocomplete="current-password";
                }))
                (field(t.t("door.one_time"), "one_time", t.t("door.one_time_hint"), &html! {
                    input #one_time name="one_time" inputmode="numeric" maxlength="7" autocomplete="one-time-code";
                }))
                p.actions { button.button #sign-in { (t.t("door.go")) } }
            }
        },
    )
}

async fn sign_in(State(console): State<Console>, view: View, fields: Fields) -> Result<Response, Refusal> {
    let code = fields.line("code").to_owned();
    let attempt =
        Attempt { code: &code, password: fields.raw("password"), one_time: fields.line("one_time") };
    let now = console.now()?;
    Ok(match sign_in::attempt(console.store(), &attempt, console.config().cost, now).await? {
        Door::Open(cookie) => ([set_session(&console, &cookie)], to("/")).into_response(),
        Door::SetUp(cookie) => ([set_session(&console, &cookie)], to("/set-up")).into_response(),
        Door::Shut => {
            let error = view.words.t("door.shut");
            (StatusCode::UNAUTHORIZED, sign_in_form(&view, &code, Some(error))).into_response()
        }
    })
}

async fn sign_out(State(console): State<Console>, clerk: Clerk) -> Result<Response, Refusal> {
    let mut write = console.store().write().await?;
    session::end(&mut write, &clerk.session).await?;
    write
        .log(Action("staff.signed-out"), &clerk.code, console.now()?, Object::Row("staff", clerk.id))
        .await?;
    write.commit().await?;
    Ok(([set_session(&console, "")], to("/sign-in")).into_response())
}

async fn set_up_page(State(console): State<Console>, view: View, clerk: Clerk) -> Result<Response, Refusal> {
    set_up_form(&console, &view, &clerk, None).await
}

async fn set_up_form(
    console: &Console,
    view: &View,
    clerk: &Clerk,
    error: Option<&'static str>,
) -> Result<Response, Refusal> {
    let t = view.words;
    let secret = sign_in::secret_to_enrol(console.store(), clerk).await?;
    Ok(view.page(
        t.t("set_up.title"),
        &html! {
            form.sheet.narrow method="post" action="/set-up" {
                (heading(t.t("set_up.title"), t.t("set_up.lead")))
                @if let Some(error) = error { p.notice.bad role="alert" { (t.of_key(error)) } }
                @if let Some(secret) = &secret {
                    section.panel {
                        h2 { (t.t("set_up.one_time")) }
                        p { (t.t("set_up.scan")) }
                        div.pair {
                            (qr(&totp::address(secret, clerk.code.as_str())))
                            div { p.hint { (t.t("set_up.type")) } code #secret { (totp::spelled(secret)) } }
                        }
                    }
                }
                section.panel {
                    h2 { (t.t("set_up.password")) }
                    (field(t.t("set_up.new"), "password", t.t("set_up.new_hint"), &html! {
                        input #password name="password" type="password" required autocomplete="new-password";
                    }))
                    (field(t.t("set_up.again"), "again", "", &html! {
                        input #again name="again" type="password" required autocomplete="new-password";
                    }))
                    (field(t.t("door.one_time"), "one_time", t.t("set_up.one_time_hint"), &html! {
                        input #one_time name="one_time" inputmode="numeric" maxlength="7" required autocomplete="one-time-code";
                    }))
                }
                p.actions { button.button #set-up { (t.t("set_up.go")) } }
            }
        },
    ))
}

async fn set_up(
    State(console): State<Console>,
    view: View,
    clerk: Clerk,
    fields: Fields,
) -> Result<Response, Refusal> {
    let (new, again) = (fields.raw("password"), fields.raw("again"));
    if new != again {
        return set_up_form(&console, &view, &clerk, Some("password.differ")).await;
    }
    let (cost, now) = (console.config().cost, console.now()?);
    match sign_in::set_up(console.store(), &clerk, new, fields.line("one_time"), cost, now).await? {
        Ok(cookie) => Ok(([set_session(&console, &cookie)], to("/")).into_response()),
        Err(error) => set_up_form(&console, &view, &clerk, Some(error)).await,
    }
}

async fn language(fields: Fields) -> Response {
    let to_language = if fields.line("to") == "en" { "en" } else { "zh" };
    let back = fields.line("back");
    let inside = back.starts_with('/') && !back.starts_with("//") && !back.contains(['\\', '\r', '\n']);
    let cookie = format!("language={to_language}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000");
    ([(SET_COOKIE, cookie)], to(if inside { back } else { "/" })).into_response()
}

/// The address as a QR code.
fn qr(address: &str) -> Markup {
    let Ok(code) = QrCode::encode_text(address, QrCodeEcc::Medium) else { return html! {} };
    let size = code.size();
    let mut path = String::new();
    for y in 0..size {
        for x in (0..size).filter(|x| code.get_module(*x, y)) {
            path.push_str(&format!("M{x} {y}h1v1h-1z"));
        }
    }
    let view_box = format!("-3 -3 {0} {0}", size + 6);
    html! {
        svg.qr viewBox=(view_box) role="img" aria-label="otpauth" {
            (PreEscaped(format!("<path fill=\"#fff\" d=\"M-3 -3h{0}v{0}h-{0}z\"/><path d=\"{path}\"/>", size + 6)))
        }
    }
}

//! The table of routes and the gate before each: who is signed in, and whether the role fits. A route can't be
//! added without saying who may use it.

use axum::extract::{FromRequestParts, Request, State};
use axum::handler::Handler;
use axum::http::header::{COOKIE, HOST, LOCATION, ORIGIN, REFERER, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::{Router, routing};

use super::layout::View;
use super::problem::{Refusal, Told};
use crate::console::Console;
use crate::staff::{Clerk, Role, session};
use crate::store::Fault;
use crate::words::Words;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allow {
    /// Whoever reaches the address.
    Anyone,
    /// Whoever has given a password, even if one-time codes are still to be set up.
    SettingUp,
    /// Any account that is signed in.
    SignedIn,
    /// Accounts with one of these roles.
    Roles(&'static [Role]),
}

impl Allow {
    /// Whether an account that is signed in may pass.
    pub fn lets(self, clerk: &Clerk) -> bool {
        match self {
            Self::Anyone | Self::SettingUp => true,
            Self::SignedIn => clerk.full,
            Self::Roles(roles) => clerk.full && roles.iter().any(|role| clerk.roles.has(*role)),
        }
    }
}

/// Those who work on cases.
pub const WORKERS: Allow = Allow::Roles(&[Role::Operator, Role::Reviewer, Role::Head, Role::Officer]);
/// Those who may read cases.
pub const READERS: Allow =
    Allow::Roles(&[Role::Operator, Role::Reviewer, Role::Head, Role::Officer, Role::Auditor]);
/// Those who enter and dispatch.
pub const OPERATORS: Allow = Allow::Roles(&[Role::Operator]);
/// Those who check.
pub const REVIEWERS: Allow = Allow::Roles(&[Role::Reviewer]);
/// Those who sign.
pub const HEADS: Allow = Allow::Roles(&[Role::Head]);
/// Those who open answers.
pub const OFFICERS: Allow = Allow::Roles(&[Role::Officer]);
/// The administrator.
pub const ADMINISTRATORS: Allow = Allow::Roles(&[Role::Administrator]);

/// Routes being put together.
pub struct Routes {
    console: Console,
    router: Router<Console>,
    table: Vec<(Method, &'static str, Allow)>,
}

impl Routes {
    pub(super) fn new(console: &Console) -> Self {
        Self { console: console.clone(), router: Router::new(), table: Vec::new() }
    }

    /// A page.
    #[must_use]
    pub fn get<H, T>(self, path: &'static str, allow: Allow, handler: H) -> Self
    where
        H: Handler<T, Console>,
        T: 'static,
    {
        self.add(Method::GET, path, allow, routing::get(handler))
    }

    /// A change. Bodies of up to 2 MiB.
    #[must_use]
    pub fn post<H, T>(self, path: &'static str, allow: Allow, handler: H) -> Self
    where
        H: Handler<T, Console>,
        T: 'static,
    {
        self.add(Method::POST, path, allow, routing::post(handler))
    }

    /// A change with a file of up to `most` bytes.
    #[must_use]
    pub fn upload<H, T>(self, path: &'static str, allow: Allow, most: usize, handler: H) -> Self
    where
        H: Handler<T, Console>,
        T: 'static,
    {
        let limit = axum::extract::DefaultBodyLimit::max(most + 65_536);
        self.add(Method::POST, path, allow, routing::post(handler).layer(limit))
    }

    fn add(
        mut self,
        method: Method,
        path: &'static str,
        allow: Allow,
        handler: routing::MethodRouter<Console>,
    ) -> Self {
        let gate = middleware::from_fn_with_state((self.console.clone(), allow), gate);
        self.router = self.router.route(path, handler.layer(gate));
        self.table.push((method, path, allow));
        self
    }

    pub(super) fn into_router(self) -> Router<Console> {
        self.router
    }

    pub(super) fn into_table(self) -> Vec<(Method, &'static str, Allow)> {
        self.table
    }
}

/// The gate of one route.
async fn gate(
    State((console, allow)): State<(Console, Allow)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let clerk = request.extensions().get::<Clerk>().cloned();
    if allow != Allow::Anyone {
        let Some(clerk) = &clerk else {
            return if request.method() == Method::GET {
                Ok(to("/sign-in"))
            } else {
                Err(Refusal::SignedOut)
            };
        };
        if allow != Allow::SettingUp && !clerk.full {
            return Ok(to("/set-up"));
        }
        if !allow.lets(clerk) {
            return Err(Refusal::Forbidden);
        }
    }
    request.extensions_mut().insert(console);
    Ok(next.run(request).await)
}

/// A redirect after a change: the browser asks for the page anew.
pub fn to(path: &str) -> Response {
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response()
}

/// Before every route: by which name the browser asks, whether a change comes from a page of our own, and who
/// is signed in. Behind it: what was refused becomes a page.
pub(super) async fn guard(State(console): State<Console>, mut request: Request, next: Next) -> Response {
    let (headers, method) = (request.headers().clone(), request.method().clone());
    let words = language(&headers);
    let path = request.uri().path().to_owned();
    let is_change = method != Method::GET && method != Method::HEAD;
    let back = match request.uri().path_and_query() {
        Some(whole) if !is_change => whole.as_str().to_owned(),
        _ => sent_from(&headers).unwrap_or_else(|| "/".to_owned()),
    };
    let mut view = View { words, clerk: None, path, back, is_change };
    let found = async {
        check_name(&console, &headers)?;
        if is_change {
            check_origin(&console, &headers)?;
        }
        match cookie(&headers, session_cookie(&console)) {
            Some(value) => Ok(session::find(console.store(), &value, console.now()?).await?),
            None => Ok(None),
        }
    };
    let response = match found.await {
        Ok(clerk) => {
            view.clerk.clone_from(&clerk);
            if let Some(clerk) = clerk {
                request.extensions_mut().insert(clerk);
            }
            request.extensions_mut().insert(view.clone());
            next.run(request).await
        }
        Err(refusal) => Refusal::into_response(refusal),
    };
    match response.extensions().get::<Told>() {
        Some(told) => told.page(&view),
        None => response,
    }
}

/// The page of ours that a change was sent from (`Referer`, which our pages send to ourselves alone).
fn sent_from(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let referer = headers.get(REFERER)?.to_str().ok()?;
    let (_, rest) = referer.split_once("://")?;
    let path = rest.strip_prefix(host)?;
    path.starts_with('/').then(|| path.to_owned())
}

/// A name that is not ours means that somebody else's name leads here (DNS rebinding).
fn check_name(console: &Console, headers: &HeaderMap) -> Result<(), Refusal> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).ok_or(Refusal::WrongName)?;
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    };
    let config = console.config();
    let own = config.listen.ip();
    let loopback = own.is_loopback() && ["localhost", "127.0.0.1", "[::1]"].contains(&name);
    let listened = name.trim_matches(['[', ']']).parse() == Ok(own);
    if loopback || listened || config.names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        Ok(())
    } else {
        Err(Refusal::WrongName)
    }
}

/// A change must come from a page of this very origin: `Sec-Fetch-Site` where the browser sends it, and `Origin`
/// in any case. A request with neither is none of a browser's forms.
fn check_origin(console: &Console, headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = if console.is_secure() { "https" } else { "http" };
    let own = text(HOST.as_str()).map(|host| format!("{scheme}://{host}"));
    let origin = text(ORIGIN.as_str());
    let site = text("sec-fetch-site");
    let same_site = site.is_none_or(|site| site == "same-origin");
    if same_site && origin.is_some() && origin == own.as_deref() { Ok(()) } else { Err(Refusal::CrossSite) }
}

/// The session cookie's name. With TLS its prefix binds it to this very host.
pub(crate) fn session_cookie(console: &Console) -> &'static str {
    if console.is_secure() { "__Host-desk" } else { "desk" }
}

/// `Set-Cookie` for a session; an empty value ends it.
pub(crate) fn set_session(console: &Console, value: &str) -> (axum::http::HeaderName, String) {
    let name = session_cookie(console);
    let secure = if console.is_secure() { "; Secure" } else { "" };
    let life = if value.is_empty() { "; Max-Age=0" } else { "" };
    (SET_COOKIE, format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{life}"))
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

fn language(headers: &HeaderMap) -> Words {
    match cookie(headers, "language").as_deref() {
        Some("en") => Words::English,
        _ => Words::Chinese,
    }
}

/// Who is signed in, for handlers behind a gate that lets nobody else through.
impl FromRequestParts<Console> for Clerk {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Console) -> Result<Self, Refusal> {
        parts.extensions.get().cloned().ok_or(Refusal::SignedOut)
    }
}

impl FromRequestParts<Console> for View {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &Console) -> Result<Self, Refusal> {
        parts.extensions.get().cloned().ok_or(Refusal::Fault(Fault::Stored("view").into()))
    }
}

//! A desk in a temporary folder, a clock that tests turn, and people who sign in.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{Method, Request, StatusCode};
use console::edge::{Clock, SystemRandomness};
use console::staff::account::{self, New};
use console::staff::{Role, Roles, totp};
use console::store::Cost;
use console::{Config, Console, Store};
use protocol::Time;
use tempfile::TempDir;
use tower::ServiceExt as _;

pub(crate) const PASSPHRASE: &[u8] = b"a passphrase of the desk";
pub(crate) const PASSWORD: &str = "tuesday-lamp";

/// A clock that stands where it was put.
#[derive(Clone)]
pub(crate) struct Hands(Arc<AtomicU64>);

impl Hands {
    #[allow(dead_code, reason = "for the desk that runs by the computer's own clock")]
    pub(crate) fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    pub(crate) fn forward(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Option<Time> {
        Time::from_unix(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct Office {
    pub(crate) console: Console,
    pub(crate) app: Router,
    pub(crate) clock: Hands,
    pub(crate) folder: TempDir,
}

impl Office {
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    /// A desk whose configuration was changed.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("desk");
        let store = Store::init(&data, PASSPHRASE, Cost::LEAST, Arc::new(SystemRandomness)).await.unwrap();
        let clock = Hands(Arc::new(AtomicU64::new(1_793_000_000))); // 2026-10-26, a Monday
        let mut config = Config {
            listen: "127.0.0.1:8650".parse().unwrap(),
            names: Vec::new(),
            tls: None,
            centre: None,
            relay: None,
            modules: None,
            cost: Cost::LEAST,
        };
        change(&mut config);
        let console = Console::new(store, Arc::new(clock.clone()), config);
        Self { app: console::pages::app(&console), console, clock, folder }
    }

    /// The same desk from another folder, by the same clock.
    #[allow(dead_code, reason = "for the desk that was restored")]
    pub(crate) async fn reopened(&self, data: &std::path::Path) -> Self {
        let store = Store::open(data, PASSPHRASE, Arc::new(SystemRandomness)).await.unwrap();
        let config = Config {
            listen: "127.0.0.1:8650".parse().unwrap(),
            names: Vec::new(),
            tls: None,
            centre: Some(crate::steps::the_centre().1),
            relay: None,
            modules: None,
            cost: Cost::LEAST,
        };
        let console = Console::new(store, Arc::new(self.clock.clone()), config);
        let folder = tempfile::tempdir().unwrap();
        Self { app: console::pages::app(&console), console, clock: self.clock.clone(), folder }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("desk")
    }

    /// Adds an account; gives the first password. A key officer gets a key that nobody has.
    pub(crate) async fn account(&self, code: &str, roles: &[Role], number: &str) -> String {
        let key = roles.contains(&Role::Officer).then_some(protocol::SealingKey([9; 32]));
        self.account_with_key(code, roles, number, key).await
    }

    async fn account_with_key(
        &self,
        code: &str,
        roles: &[Role],
        number: &str,
        officer_key: Option<protocol::SealingKey>,
    ) -> String {
        let new = New {
            code: code.parse().unwrap(),
            name: format!("职员{code}"),
            number: number.to_owned(),
            roles: Roles::new(roles).unwrap(),
            officer_key,
        };
        let mut write = self.console.store().write().await.unwrap();
        let now = self.console.now().unwrap();
        let first = account::add(&mut write, &new, Cost::LEAST, &"root".parse().unwrap(), now).await.unwrap();
        write.commit().await.unwrap();
        first
    }

    /// Adds an account, and goes through the first sign-in.
    pub(crate) async fn person(&self, code: &str, roles: &[Role]) -> Person<'_> {
        self.person_numbered(code, roles, code).await
    }

    pub(crate) async fn person_numbered(&self, code: &str, roles: &[Role], number: &str) -> Person<'_> {
        let first = self.account(code, roles, number).await;
        self.first_sign_in(code, &first).await
    }

    /// A key officer with a key.
    pub(crate) async fn officer(&self, code: &str, number: &str, key: protocol::SealingKey) -> Person<'_> {
        let first = self.account_with_key(code, &[Role::Officer], number, Some(key)).await;
        self.first_sign_in(code, &first).await
    }

    async fn first_sign_in(&self, code: &str, first: &str) -> Person<'_> {
        let mut person =
            Person { office: self, code: code.to_owned(), cookie: String::new(), secret: Vec::new() };
        let reply = person.post("/sign-in", &[("code", code), ("password", first), ("one_time", "")]).await;
        assert_eq!(reply.location(), "/set-up", "{}", reply.text);
        let page = person.get("/set-up").await;
        person.secret = totp::secret_of(&page.between("<code id=\"secret\">", "</code>")).unwrap();
        let code_now = person.one_time();
        let reply = person
            .post("/set-up", &[("password", PASSWORD), ("again", PASSWORD), ("one_time", &code_now)])
            .await;
        assert_eq!(reply.location(), "/", "{}", reply.text);
        person
    }
}

/// Somebody with a browser.
pub(crate) struct Person<'o> {
    pub(crate) office: &'o Office,
    pub(crate) code: String,
    pub(crate) cookie: String,
    pub(crate) secret: Vec<u8>,
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) text: String,
    #[allow(dead_code, reason = "read by the tests of files")]
    pub(crate) bytes: Vec<u8>,
}

impl Reply {
    pub(crate) fn location(&self) -> &str {
        self.headers.get(LOCATION).map_or("", |l| l.to_str().unwrap())
    }

    pub(crate) fn between(&self, before: &str, after: &str) -> String {
        let rest = self.text.split_once(before).unwrap_or_else(|| panic!("{before} not in {}", self.text)).1;
        rest.split_once(after).unwrap().0.to_owned()
    }
}

impl<'o> Person<'o> {
    pub(crate) fn nobody(office: &'o Office) -> Self {
        Self { office, code: String::new(), cookie: String::new(), secret: Vec::new() }
    }

    /// The authenticator's code; the clock goes on first, since each step counts once.
    pub(crate) fn one_time(&self) -> String {
        self.office.clock.forward(30);
        totp::code_at(&self.secret, self.office.console.now().unwrap())
    }

    pub(crate) async fn sign_in(&mut self) {
        let (code, one_time) = (self.code.clone(), self.one_time());
        let reply =
            self.post("/sign-in", &[("code", &code), ("password", PASSWORD), ("one_time", &one_time)]).await;
        assert_eq!(reply.location(), "/", "{}", reply.text);
    }

    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        let request = self.request(Method::GET, path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let pair = |(name, value): &(&str, &str)| {
            format!("{}={}", console::pages::layout::encode(name), console::pages::layout::encode(value))
        };
        let body = fields.iter().map(pair).collect::<Vec<_>>().join("&");
        let request = self
            .request(Method::POST, path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        let reply = self.send(request).await;
        self.done(reply).await
    }

    /// Waits until the work that a form has begun leads somewhere.
    async fn done(&mut self, reply: Reply) -> Reply {
        let at = match reply.headers.get("location").and_then(|at| at.to_str().ok()) {
            Some(at) if at.starts_with("/work/") => at.to_owned(),
            _ => return reply,
        };
        loop {
            let page = self.get(&at).await;
            if page.headers.get("refresh").is_none() {
                return page;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// A form with a file.
    #[allow(dead_code, reason = "used by the tests of later steps")]
    pub(crate) async fn upload(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        file: (&str, &str, &[u8]),
    ) -> Reply {
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend(
                format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                    .bytes(),
            );
        }
        let (name, file_name, bytes) = file;
        body.extend(
            format!(
                "--edge\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\n\r\n"
            )
            .bytes(),
        );
        body.extend_from_slice(bytes);
        body.extend(b"\r\n--edge--\r\n");
        let request = self
            .request(Method::POST, path)
            .header(CONTENT_TYPE, "multipart/form-data; boundary=edge")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let mut request = Request::builder().method(method.clone()).uri(path).header(HOST, "127.0.0.1:8650");
        if !self.cookie.is_empty() {
            request = request.header(COOKIE, format!("desk={}", self.cookie));
        }
        if method == Method::POST {
            request = request.header(ORIGIN, "http://127.0.0.1:8650").header("sec-fetch-site", "same-origin");
        }
        request
    }

    pub(crate) async fn send(&mut self, request: Request<Body>) -> Reply {
        let response = self.office.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        for set in parts.headers.get_all(SET_COOKIE) {
            if let Some(rest) = set.to_str().unwrap().strip_prefix("desk=") {
                self.cookie = rest.split(';').next().unwrap().to_owned();
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Reply { status: parts.status, headers: parts.headers, text, bytes }
    }
}

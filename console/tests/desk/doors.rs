//! Signing in. What counts as a failure: a way in without password and a fresh code, a difference that tells
//! which accounts exist, a session that outlives its time, a change that another site's page can make.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN, SET_COOKIE};
use axum::http::{Method, Request, StatusCode};
use console::staff::Role;

use crate::office::{Office, PASSWORD, Person};

#[tokio::test]
async fn a_first_sign_in_leads_through_the_set_up_and_nowhere_else() {
    let office = Office::open().await;
    let first = office.account("jb01", &[Role::Operator], "1001").await;
    let mut person = Person::nobody(&office);
    assert_eq!(person.get("/").await.location(), "/sign-in");
    person.post("/sign-in", &[("code", "jb01"), ("password", &first), ("one_time", "")]).await;
    assert_eq!(person.get("/").await.location(), "/set-up", "nothing else before the set-up");
    assert_eq!(person.post("/sign-out", &[]).await.location(), "/sign-in");

    let mut person = office.person("jb02", &[Role::Operator]).await;
    let before = person.cookie.clone();
    assert_eq!(person.get("/").await.status, StatusCode::OK);
    let page = person.get("/set-up").await;
    assert!(!page.text.contains("id=\"secret\""), "the secret is shown until the first code, no longer");
    person.post("/sign-out", &[]).await;
    person.cookie = before;
    assert_eq!(person.get("/").await.location(), "/sign-in", "a session that was ended is over");
}

#[tokio::test]
async fn a_weak_or_repeated_password_is_refused() {
    let office = Office::open().await;
    let first = office.account("jb01", &[Role::Operator], "1001").await;
    let mut person = Person::nobody(&office);
    person.post("/sign-in", &[("code", "jb01"), ("password", &first), ("one_time", "")]).await;
    for (new, again, says) in [
        ("short", "short", "太短"),
        ("12345678", "12345678", "太简单"),
        (PASSWORD, "tuesday-lamb", "不一致"),
        (first.as_str(), first.as_str(), "首次口令相同"),
        (PASSWORD, PASSWORD, "动态码不正确"),
    ] {
        let reply =
            person.post("/set-up", &[("password", new), ("again", again), ("one_time", "000000")]).await;
        assert!(reply.text.contains(says), "{new}: {}", reply.text);
    }
}

#[tokio::test]
async fn failures_look_alike_and_lock() {
    let office = Office::open().await;
    let person = office.person("jb01", &[Role::Operator]).await;
    let mut stranger = Person::nobody(&office);
    let mut shut = async |code: &str, password: &str, one_time: &str| {
        let reply = stranger
            .post("/sign-in", &[("code", code), ("password", password), ("one_time", one_time)])
            .await;
        (reply.status, reply.text.replace(code, "X"), reply.headers.get(SET_COOKIE).is_some())
    };
    let unknown = shut("nobody", PASSWORD, "123456").await;
    assert_eq!(unknown.0, StatusCode::UNAUTHORIZED);
    let code = person.one_time();
    assert_eq!(shut("jb01", "wrong-lamp", &code).await, unknown);
    assert_eq!(shut("jb01", PASSWORD, "000000").await, unknown);
    for _ in 0..3 {
        assert_eq!(shut("jb01", "wrong-lamp", "").await, unknown);
    }
    // Locked now, even for who knows everything, and it looks the same.
    let code = person.one_time();
    assert_eq!(shut("jb01", PASSWORD, &code).await, unknown);
    office.clock.forward(15 * 60);
    let mut person = person;
    person.sign_in().await;
}

#[tokio::test]
async fn a_code_opens_once() {
    let office = Office::open().await;
    let mut person = office.person("jb01", &[Role::Operator]).await;
    let one_time = person.one_time();
    let fields = [("code", "jb01"), ("password", PASSWORD), ("one_time", one_time.as_str())];
    assert_eq!(person.post("/sign-in", &fields).await.location(), "/");
    assert_eq!(person.post("/sign-in", &fields).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_ends_by_idleness_and_by_age() {
    let office = Office::open().await;
    let mut person = office.person("jb01", &[Role::Operator]).await;
    office.clock.forward(14 * 60);
    assert_eq!(person.get("/").await.status, StatusCode::OK);
    office.clock.forward(15 * 60);
    assert_eq!(person.get("/").await.location(), "/sign-in", "a quarter of an hour without a request");
    person.sign_in().await;
    for _ in 0..47 {
        office.clock.forward(10 * 60);
        assert_eq!(person.get("/").await.status, StatusCode::OK);
    }
    office.clock.forward(10 * 60);
    assert_eq!(person.get("/").await.location(), "/sign-in", "eight hours");
}

#[tokio::test]
async fn cookies_and_headers() {
    let office = Office::open().await;
    let first = office.account("jb01", &[Role::Operator], "1001").await;
    let mut person = Person::nobody(&office);
    let reply = person.post("/sign-in", &[("code", "jb01"), ("password", &first), ("one_time", "")]).await;
    let cookie = reply.headers[SET_COOKIE].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(cookie.split(['=', ';']).nth(1).unwrap().len(), 64, "256 bits");
    for path in ["/sign-in", "/nowhere", "/style.css"] {
        let headers = person.get(path).await.headers;
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
    }
}

#[tokio::test]
async fn with_tls_the_cookie_is_bound_to_the_host() {
    let office = Office::with(|config| config.tls = Some(("c.pem".into(), "k.pem".into()))).await;
    let first = office.account("jb01", &[Role::Operator], "1001").await;
    let body = format!("code=jb01&password={first}&one_time=");
    let request = Person::nobody(&office)
        .request(Method::GET, "/sign-in")
        .method(Method::POST)
        .header(ORIGIN, "https://127.0.0.1:8650")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .unwrap();
    let reply = Person::nobody(&office).send(request).await;
    let cookie = reply.headers[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-desk=") && cookie.contains("; Secure"), "{cookie}");
    assert!(reply.headers.contains_key("strict-transport-security"));
}

#[tokio::test]
async fn a_change_comes_from_a_page_of_ours() {
    let office = Office::open().await;
    let mut person = office.person("jb01", &[Role::Operator]).await;
    let build = |origin: Option<&str>, site: Option<&str>, host: &str| {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("/sign-out")
            .header(HOST, host)
            .header("cookie", format!("desk={}", person.cookie));
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        request.body(Body::empty()).unwrap()
    };
    let own = "http://127.0.0.1:8650";
    let refused = [
        build(None, None, "127.0.0.1:8650"),
        build(None, Some("same-origin"), "127.0.0.1:8650"),
        build(Some("http://evil.example"), Some("cross-site"), "127.0.0.1:8650"),
        build(Some("null"), None, "127.0.0.1:8650"),
        build(Some(own), Some("cross-site"), "127.0.0.1:8650"),
        build(Some(own), Some("same-site"), "127.0.0.1:8650"),
        build(Some("https://127.0.0.1:8650"), None, "127.0.0.1:8650"),
        build(Some("http://desk.example"), Some("same-origin"), "desk.example"),
    ];
    let good = build(Some(own), Some("same-origin"), "127.0.0.1:8650");
    for request in refused {
        let about = format!("{:?}", request.headers());
        let reply = Person::nobody(&office).send(request).await;
        assert!(
            matches!(reply.status, StatusCode::FORBIDDEN | StatusCode::MISDIRECTED_REQUEST),
            "{about}: {}",
            reply.status
        );
    }
    assert_eq!(person.get("/").await.status, StatusCode::OK, "still signed in");
    assert_eq!(person.send(good).await.location(), "/sign-in");
}

#[tokio::test]
async fn roles_and_resets_end_sessions() {
    let office = Office::open().await;
    let mut admin = office.person("root1", &[Role::Administrator]).await;
    let mut person = office.person("jb01", &[Role::Operator]).await;
    let list = admin.get("/staff").await;
    let id = list.text.split("href=\"/staff/").find(|part| part.contains(">jb01<")).unwrap();
    let id = id.split('"').next().unwrap().to_owned();
    let changed = admin.post(&format!("/staff/{id}"), &[("role", "reviewer"), ("active", "1")]).await;
    assert_eq!(changed.location(), "/staff");
    assert_eq!(person.get("/").await.location(), "/sign-in");
    person.sign_in().await;
    let reset = admin.post(&format!("/staff/{id}/reset"), &[]).await;
    assert!(reset.text.contains("id=\"first-password\""));
    assert_eq!(person.get("/").await.location(), "/sign-in");
    let bad = admin.post(&format!("/staff/{id}"), &[("role", "auditor"), ("role", "head")]).await;
    assert_eq!(bad.status, StatusCode::CONFLICT, "roles that stand alone");
    let english = admin.post("/language", &[("to", "en"), ("back", "//evil.example")]).await;
    assert_eq!(english.location(), "/", "no redirect to elsewhere");
}

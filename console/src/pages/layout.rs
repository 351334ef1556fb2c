//! What stands around every page, and the small parts pages are made of.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, Render, html};
use protocol::Time;

use crate::edge::local_minute;
use crate::staff::{Clerk, Role};
use crate::store::list::{Filter, Page};
use crate::words::Words;

/// How a page looks to whoever asked for it.
#[derive(Debug, Clone)]
pub struct View {
    /// The language.
    pub words: Words,
    /// Who is signed in.
    pub clerk: Option<Clerk>,
    /// The path that was asked for.
    pub path: String,
    /// The page to come back to: this one with what its address says, or the one that a change was sent from.
    pub back: String,
    /// Whether something was to be changed.
    pub is_change: bool,
}

/// An entry of the menu: path, key of its name, roles that see it.
type Entry = (&'static str, &'static str, &'static [Role]);

const ALL_WORK: &[Role] = &[Role::Operator, Role::Reviewer, Role::Head, Role::Officer, Role::Auditor];

/// The menu, in the order of the steps.
const MENU: &[Entry] = &[
    ("/", "menu.home", ALL_WORK),
    ("/people", "menu.people", ALL_WORK),
    ("/cases", "menu.cases", ALL_WORK),
    ("/import", "menu.import", &[Role::Operator]),
    ("/institutions", "menu.institutions", ALL_WORK),
    ("/batches", "menu.batches", ALL_WORK),
    ("/trials", "menu.trials", &[Role::Operator, Role::Officer, Role::Head, Role::Auditor]),
    ("/canaries", "menu.canaries", &[Role::Head, Role::Reviewer, Role::Auditor]),
    ("/openings", "menu.openings", ALL_WORK),
    ("/reviews", "menu.reviews", ALL_WORK),
    ("/rules", "menu.rules", ALL_WORK),
    ("/reports", "menu.reports", ALL_WORK),
    ("/archive", "menu.archive", ALL_WORK),
    ("/rechecks", "menu.rechecks", ALL_WORK),
    ("/notices", "menu.notices", ALL_WORK),
    ("/counters", "menu.counters", ALL_WORK),
    ("/holidays", "menu.holidays", &[Role::Operator, Role::Head, Role::Administrator]),
    ("/staff", "menu.staff", &[Role::Administrator]),
    ("/settings", "menu.settings", &[Role::Administrator]),
    ("/log", "menu.log", &[Role::Auditor, Role::Administrator, Role::Head]),
];

impl View {
    /// A whole page.
    pub fn page(&self, title: &str, content: &Markup) -> Response {
        let t = self.words;
        let page = html! {
            (DOCTYPE)
            html lang=(t.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (title) " · " (t.t("product")) }
                    link rel="icon" href="/icon.svg" type="image/svg+xml";
                    link rel="stylesheet" href="/style.css";
                }
                body {
                    a.skip href="#content" { (t.t("skip")) }
                    (self.head())
                    @if self.clerk.as_ref().is_some_and(|clerk| clerk.full) {
                        div.frame {
                            (self.menu())
                            main #content { (content) }
                        }
                    } @else {
                        main.alone #content { (content) }
                    }
                }
            }
        };
        ([(CONTENT_TYPE, "text/html; charset=utf-8")], page.into_string()).into_response()
    }

    /// Whether whoever looks has one of these roles.
    pub fn may(&self, roles: &[Role]) -> bool {
        self.clerk.as_ref().is_some_and(|clerk| roles.iter().any(|role| clerk.roles.has(*role)))
    }

    fn head(&self) -> Markup {
        let t = self.words;
        let (other, tag) = match t {
            Words::Chinese => ("English", "en"),
            Words::English => ("中文", "zh"),
        };
        html! {
            header {
                div.bar {
                    img src="/icon.svg" width="40" height="40" alt="";
                    p.brand { strong { "核对" } span { "Hedui" } }
                    p.place { (t.t("place")) }
                    div.who {
                        @if let Some(clerk) = &self.clerk {
                            span { (clerk.name) " · " (roles(t, clerk)) }
                            form method="post" action="/sign-out" { button.button.plain { (t.t("sign_out")) } }
                        }
                        form method="post" action="/language" {
                            input type="hidden" name="back" value=(self.back);
                            button.button.plain name="to" value=(tag) lang=(tag) { (other) }
                        }
                    }
                }
            }
        }
    }

    fn menu(&self) -> Markup {
        let t = self.words;
        let here = |path: &str| {
            if path == "/" {
                self.path == "/"
            } else {
                self.path == path || self.path.starts_with(&format!("{path}/"))
            }
        };
        html! {
            nav aria-label=(t.t("menu")) {
                ul {
                    @for (path, key, roles) in MENU {
                        @if self.may(roles) {
                            li { a href=(path) aria-current=[here(path).then_some("page")] { (t.of_key(key)) } }
                        }
                    }
                }
            }
        }
    }
}

fn roles(t: Words, clerk: &Clerk) -> String {
    clerk.roles.iter().map(|role| t.of("role", role.name())).collect::<Vec<_>>().join("、")
}

/// The head of a page's sheet.
pub fn heading(title: &str, lead: &str) -> Markup {
    html! {
        div.heading {
            h1 { (title) }
            @if !lead.is_empty() { p.lead { (lead) } }
        }
    }
}

/// The head of a further sheet on a page.
pub fn subheading(title: &str, lead: &str) -> Markup {
    html! {
        div.heading {
            h2 { (title) }
            @if !lead.is_empty() { p.lead { (lead) } }
        }
    }
}

/// A label above a control.
pub fn field(label: &str, id: &str, hint: &str, control: &Markup) -> Markup {
    html! {
        div.field {
            label for=(id) { (label) }
            (control)
            @if !hint.is_empty() { p.hint { (hint) } }
        }
    }
}

/// A line of text to fill in.
pub fn input(label: &str, name: &str, value: &str, hint: &str, required: bool) -> Markup {
    field(
        label,
        name,
        hint,
        &html! { input #(name) name=(name) value=(value) required[required] autocomplete="off"; },
    )
}

/// A day to fill in.
pub fn day(label: &str, name: &str, value: &str, hint: &str, required: bool) -> Markup {
    field(
        label,
        name,
        hint,
        &html! { input #(name) name=(name) type="date" value=(value) required[required]; },
    )
}

/// One of several.
pub fn choice(label: &str, name: &str, chosen: &str, options: &[(&str, &str)]) -> Markup {
    field(
        label,
        name,
        "",
        &html! {
            select #(name) name=(name) {
                @for (value, text) in options { option value=(value) selected[*value == chosen] { (text) } }
            }
        },
    )
}

/// A day and a minute in China.
pub struct At(pub Time);

impl Render for At {
    fn render(&self) -> Markup {
        html! { time { (local_minute(self.0)) } }
    }
}

/// Rows of a list's page.
pub const PER_PAGE: i64 = 25;

/// What a list's address says beside its filters: page, order.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Listing {
    /// From 1.
    #[serde(default)]
    pub page: Option<i64>,
    /// Name of a column, with `-` before it downwards.
    #[serde(default)]
    pub sort: Option<String>,
    /// What to look for.
    #[serde(default)]
    pub q: Option<String>,
    /// A state to keep to.
    #[serde(default)]
    pub state: Option<String>,
    /// An office to keep to.
    #[serde(default)]
    pub office: Option<String>,
}

impl Listing {
    /// From 1, below what an offset can hold.
    pub fn number(&self) -> i64 {
        self.page.unwrap_or(1).clamp(1, 1_000_000)
    }

    /// Rows before this page.
    pub fn skip(&self) -> i64 {
        (self.number() - 1) * PER_PAGE
    }

    /// The SQL order: of `columns` (name, SQL) the one asked for, else the first. Nothing that was sent gets
    /// into SQL.
    pub fn order(&self, columns: &[(&'static str, &'static str)]) -> String {
        let asked = self.sort.as_deref().unwrap_or("");
        let (name, down) = match asked.strip_prefix('-') {
            Some(name) => (name, true),
            None => (asked, false),
        };
        let found = columns.iter().find(|(known, _)| *known == name).or(columns.first());
        let Some((_, sql)) = found else { return String::new() };
        sql.split(", ")
            .map(|part| format!("{part}{}", if down { " DESC" } else { "" }))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// What to keep to.
    pub fn filter(&self) -> Filter {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        Filter { state: text(&self.state), office: text(&self.office), text: text(&self.q) }
    }

    /// The rows of this page, in the order of [`Listing::order`].
    pub fn rows(&self, columns: &[(&'static str, &'static str)]) -> Page {
        Page { order: self.order(columns), skip: self.skip(), limit: PER_PAGE }
    }

    fn address(&self, path: &str, page: i64, sort: Option<&str>) -> String {
        let mut pairs = vec![format!("page={page}")];
        let mut add = |name: &str, value: Option<&str>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                pairs.push(format!("{name}={}", encode(value)));
            }
        };
        add("sort", sort.or(self.sort.as_deref()));
        add("q", self.q.as_deref());
        add("state", self.state.as_deref());
        add("office", self.office.as_deref());
        format!("{path}?{}", pairs.join("&"))
    }

    /// A column's heading that sorts by it, once up and once down.
    pub fn sorter(&self, path: &str, name: &str, label: &str) -> Markup {
        let asked = self.sort.as_deref().unwrap_or("");
        let down = format!("-{name}");
        let (mark, next, state) = if asked == name {
            (" ▲", down.as_str(), Some("ascending"))
        } else if asked == down {
            (" ▼", name, Some("descending"))
        } else {
            ("", name, None)
        };
        html! {
            th scope="col" aria-sort=[state] { a.sort href=(self.address(path, 1, Some(next))) { (label) (mark) } }
        }
    }

    /// How many there are, and the way to the other pages.
    pub fn pager(&self, t: Words, path: &str, total: i64) -> Markup {
        let last = ((total + PER_PAGE - 1) / PER_PAGE).max(1);
        let here = self.number();
        html! {
            p.pager {
                span { (t.fill("list.total", &[("n", &total)])) }
                @if here > 1 { a href=(self.address(path, here - 1, None)) rel="prev" { (t.t("list.previous")) } }
                @if last > 1 { span { (t.fill("list.page", &[("n", &here), ("of", &last)])) } }
                @if here < last { a href=(self.address(path, here + 1, None)) rel="next" { (t.t("list.next")) } }
            }
        }
    }
}

/// A value within an address.
pub fn encode(value: &str) -> String {
    let keep = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    value.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_sent_gets_into_sql() {
        let listing = |sort: &str| Listing {
            page: None,
            sort: Some(sort.to_owned()),
            q: None,
            state: None,
            office: None,
        };
        let columns = [("number", "number"), ("office", "office, number")];
        assert_eq!(listing("office").order(&columns), "office, number");
        assert_eq!(listing("-office").order(&columns), "office DESC, number DESC");
        assert_eq!(listing("; DROP TABLE x").order(&columns), "number");
        assert_eq!(encode("甲 &b"), "%E7%94%B2%20%26b");
    }
}

//! Pictures of every page in both languages, and axe-core over each of them.

use e2e::axe::Axe;
use e2e::browser::Browser;

/// A walk past all pages.
pub(crate) struct Tour {
    axe: Axe,
    n: usize,
}

impl Tour {
    pub(crate) fn new() -> Self {
        Self { axe: Axe::new(), n: 0 }
    }

    /// The next page's name.
    pub(crate) fn next(&mut self, name: &str) -> String {
        self.n += 1;
        format!("desk-{:02}-{name}", self.n)
    }

    /// The last page's name, for another picture of it.
    pub(crate) fn again_as(&self, name: &str) -> String {
        format!("desk-{:02}-{name}", self.n)
    }

    /// Takes the page as it is.
    pub(crate) async fn picture(&mut self, browser: &Browser, name: &str, language: &str) {
        let name = format!("{name}-{language}");
        browser.screenshot(&name).await;
        self.axe.look(browser, &name).await;
    }

    pub(crate) fn end(self) {
        self.axe.has_none();
    }
}

//! Pictures of every page in both languages, and axe-core over each of them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use e2e::axe::Axe;
use e2e::browser::Browser;
use e2e::module;

/// A walk past all pages.
pub(crate) struct Tour {
    axe: Axe,
    walk: &'static str,
    n: usize,
}

impl Tour {
    /// `walk` begins the names of its pictures.
    pub(crate) fn new(walk: &'static str) -> Self {
        Self { axe: Axe::new(), walk, n: 0 }
    }

    /// The next page's name.
    pub(crate) fn next(&mut self, name: &str) -> String {
        self.n += 1;
        format!("{}-{:02}-{name}", self.walk, self.n)
    }

    /// The last page's name, for another picture of it.
    pub(crate) fn again_as(&self, name: &str) -> String {
        format!("{}-{:02}-{name}", self.walk, self.n)
    }

    /// Takes the page as it is.
    pub(crate) async fn picture(&mut self, browser: &Browser, name: &str, language: &str) {
        let name = format!("{name}-{language}");
        browser.screenshot(&name).await;
        self.axe.look(browser, &name).await;
    }

    /// Draws a paper's pages, by poppler.
    pub(crate) fn paper(&self, name: &str, pdf: &[u8]) {
        let at = module::artifact_dir().join("../screens").join(format!("desk-paper-{name}"));
        let mut program = Command::new("pdftoppm")
            .args(["-r", "90", "-png", "-"])
            .arg(&at)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("pdftoppm: {error}; install poppler-utils"));
        program.stdin.take().unwrap().write_all(pdf).unwrap();
        assert!(program.wait().unwrap().success());
    }

    pub(crate) fn end(self) {
        self.axe.has_none();
    }
}

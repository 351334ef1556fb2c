//! A page for somebody who does not see it, or uses no mouse: axe-core looks at what a browser shows.

use crate::browser::Browser;
use crate::module::artifact_dir;

/// axe-core, and the faults it has found: those that it calls serious or critical.
#[derive(Debug)]
pub struct Axe {
    source: String,
    faults: Vec<String>,
    looked: usize,
}

impl Axe {
    /// Reads it from `target/axe`.
    ///
    /// # Panics
    /// When it is not there.
    #[expect(clippy::new_without_default, reason = "it reads a file")]
    pub fn new() -> Self {
        let path = artifact_dir().join("../axe/axe.min.js");
        let source =
            std::fs::read_to_string(path).expect("target/axe is there: `cargo xtask test` fetches it");
        Self { source, faults: Vec::new(), looked: 0 }
    }

    /// Looks at the page as it is, and gives how many serious and critical faults there are, which it keeps.
    pub async fn look(&mut self, browser: &Browser, place: &str) -> usize {
        let check = format!(
            "{}; const done = arguments[0];
             axe.run(document, {{ resultTypes: ['violations'] }}).then((found) => done({{ passes: found.passes.length, faults:
               found.violations.filter(({{ impact }}) => ['serious', 'critical'].includes(impact))
                 .flatMap(({{ id, impact, nodes }}) => nodes.map(({{ target }}) => `${{id}} (${{impact}}) ${{target}}`)) }}),
               (error) => done(String(error)));",
            self.source
        );
        let found = browser.run_async(&check, Vec::new()).await;
        let passes = found["passes"].as_u64();
        assert!(passes.unwrap_or_else(|| panic!("{place}: {found}")) > 10, "{place}: {found}");
        let faults: Vec<String> = serde_json::from_value(found["faults"].clone()).unwrap();
        self.looked += 1;
        self.faults.extend(faults.iter().map(|fault| format!("{place}: {fault}")));
        faults.len()
    }

    /// What it has found, place by place.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// Ends the looking.
    ///
    /// # Panics
    /// With all faults, when there are any; when it has looked at nothing.
    pub fn has_none(self) {
        assert!(self.looked > 0, "nothing was looked at");
        assert!(self.faults.is_empty(), "{}", self.faults.join("\n"));
    }
}

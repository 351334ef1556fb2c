//! What is known beforehand: an account that the head enters and another person confirms; declarations by file.

use super::Story;
use crate::people::{self, Household};

impl Story {
    /// An account at the first institution, of somebody who is on no roster otherwise. It goes on none before a second
    /// person has seen the form.
    pub(crate) async fn know_an_account(&mut self, household: &Household) {
        let other = self.desk.world.applicants().iter().find(|who| {
            who.number.text.len() == 18 && household.members.iter().all(|m| m.number.text != who.number.text)
        });
        let other = other.unwrap().clone();
        self.sit("qp01").await;
        self.go("/canaries").await;
        for (css, text) in [
            ("#name", other.name.as_str()),
            ("#number", &other.number.text),
            ("#authorisation", "KN-2026-01"),
        ] {
            self.browser.fill(css, text).await;
        }
        self.set("#signed", "2026-10-01").await;
        self.press("#add-canary").await;
        self.sees("待第二人确认").await;
        assert!(self.is_there("button.confirm").await);
        self.is_refused("button.confirm", "须由另一人办理").await;
        self.sit("fh01").await;
        self.show_at("/canaries", "known-account-entered").await;
        self.press("button.confirm").await;
        self.show("known-account-confirmed").await;
    }

    /// What the first member declares, in the template as a spreadsheet.
    pub(crate) async fn declare_by_file(&mut self, household: &Household) {
        self.sit("jb01").await;
        self.go("/declared").await;
        let (name, template) = self.saved("#book").await;
        assert_eq!(name, "hedui-declared.xlsx");
        let row = [
            "WT-2026-0001",
            &household.number,
            &household.members[0].number.text,
            "存款",
            "1,200.50",
            "",
            "",
        ];
        let book = people::filled(template, vec![row.map(str::to_owned).to_vec()]);
        self.go("/declared").await;
        self.fill_file("#file", "declared.xlsx", &book).await;
        self.press("#import-declared").await;
        self.browser.until("#done").await;
        self.show("declared-by-file-done").await;
    }
}

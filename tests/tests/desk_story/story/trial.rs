//! Test mode, with an institution's real module over people who do not exist; and an account that the centre knows.

use super::Story;

impl Story {
    /// A trial with an institution, from its roster to two keys; all that was held is found.
    pub(crate) async fn try_out(&mut self, code: &str) {
        self.sit("jb01").await;
        self.show_at("/trials", "trials-none").await;
        self.browser.fill("#one_time", &self.one_time("jb01")).await;
        self.press("#make-trial").await;
        let trial = self.path().await;
        let (_, customers) = self.saved("a[href$='/customers.csv']").await;
        let board = trial.replace("trials", "batches");
        self.sit("jb02").await;
        self.go(&board).await;
        let roster = self.roster_of(code).await;
        let (_, asked) = self.saved(&format!("form[action='/rosters/{roster}/file'] button")).await;
        self.go(&board).await;
        let bank = self.banks.iter().find(|bank| bank.code == code).unwrap();
        let answer = bank.answer_from(&self.desk, asked, &customers);
        self.hand_in(roster, &answer).await;
        self.unlock(&board).await;
        self.sit("jb01").await;
        self.go(&trial).await;
        self.browser.until("#passed").await;
        self.show("trial-passed").await;
        self.show_at("/trials", "trials").await;
    }

    /// The roster that asks an institution, on the board that is shown.
    pub(crate) async fn roster_of(&self, code: &str) -> u32 {
        let name = self.desk.world.institution(code).unwrap().name;
        let script = "const of = (roster) => roster.querySelector('h3').textContent === arguments[0]; \
                      const roster = [...document.querySelectorAll('section.roster')].find(of); \
                      return Number(roster.querySelector('form').getAttribute('action').split('/')[2])";
        let found = self.browser.run(script, vec![name.into()]).await;
        found.as_u64().and_then(|id| u32::try_from(id).ok()).expect("it is on the board")
    }
}

//! What must not be done: the pages offer no way, and a way made up is refused with its reason.

use super::Story;
use crate::people::Household;

impl Story {
    /// Whoever entered does not accept; whoever made a roster does not send it. One member has withdrawn.
    pub(crate) async fn own_work_is_not_accepted_or_sent(&mut self, household: &Household) -> String {
        self.sit("jb01").await;
        self.go("/cases/1").await;
        assert!(self.is_there("#own").await && !self.is_there("#accept").await);
        self.go("/cases").await;
        self.is_refused("#accept-all", "须由另一人受理").await;
        self.sit("jb02").await;
        self.accept_all().await;
        self.sit("jb01").await;
        self.withdraw(household.members.len()).await;
        self.go("/batches").await;
        self.press("button.make").await;
        let batch = self.path().await;
        self.dispatch_to(&batch, 1).await;
        self.sees("须由另一人核对后发出").await;
        assert!(!self.is_there("button.send").await && !self.is_there("button.save").await);
        batch
    }

    /// A person's authorisation ends, by hand.
    async fn withdraw(&self, person: usize) {
        self.go(&format!("/people/{person}")).await;
        self.press("button.end").await;
        self.sees("已撤回").await;
    }

    /// Makes rosters for this institution alone.
    async fn dispatch_to(&self, batch: &str, institution: u32) {
        self.sit("jb01").await;
        self.go(batch).await;
        let script = "for (const box of document.querySelectorAll('input[name=institution]')) box.checked = box.value === arguments[0]";
        self.browser.run(script, vec![institution.to_string().into()]).await;
        self.browser.fill("#one_time", &self.one_time("jb01")).await;
        self.press("#dispatch").await;
        self.arrives(batch).await;
    }

    /// Who withdrew before the roster is left out by name; who withdraws after it voids it.
    pub(crate) async fn withdrawn_is_left_out_and_voids(&mut self, household: &Household, batch: &str) {
        assert!(self.browser.text("tbody.left-out").await.contains("授权已撤回"), "listed");
        self.assert_masked().await;
        self.show_one("stopped", "/left-out", "left-out").await;
        self.show_one("stopped-board", batch, "board").await;
        self.withdraw(household.members.len() + 1).await;
        self.sit("jb02").await;
        self.go(batch).await;
        self.is_refused("form[action='/rosters/1/file'] button", "名册作废").await;
        self.go(batch).await;
        assert!(!self.is_there("form[action='/rosters/1/file']").await, "the void one can't be sent");
        self.dispatch_to(batch, 1).await;
    }

    /// An answer above the level: refused, and shown.
    pub(crate) async fn an_answer_above_the_level_is_refused(&mut self, batch: &str) {
        self.sit("jb02").await;
        self.go(batch).await;
        let (_, roster) = self.saved("form[action='/rosters/2/file'] button").await;
        let too_much = self.banks[0].answer_too_much(&roster, self.desk.now());
        self.go(batch).await;
        self.fill_file("form[action='/rosters/2/answer'] input", "over.answer.hedui", &too_much).await;
        self.is_refused("form[action='/rosters/2/answer'] button", "级别超过协议约定").await;
        self.go(batch).await;
        assert!(self.browser.text("tbody.refused").await.contains("级别超过协议约定"), "shown on the board");
        let answer = self.banks[0].answer(&self.desk, roster);
        self.hand_in(2, &answer).await;
        assert_eq!(self.path().await, batch, "the honest one is taken");
    }

    /// A reviewer's account of the very person who entered the case.
    pub(crate) async fn own_work_is_not_confirmed(&mut self, household: &Household, batch: &str) {
        self.unlock(batch).await;
        let first = self.add_account(("fh02", "李经办", "2001", "reviewer")).await;
        self.set_up("fh02", &first).await;
        self.go("/reviews/1").await;
        self.press("#unmask").await;
        self.browser.until("#own").await;
        self.sees("须由另一人复核").await;
        assert!(!self.is_there("#confirm").await, "there is nothing to press");
        // Nothing is shown of whoever had withdrawn: that person was never asked about.
        let withdrawn = household.members.len();
        self.go(&format!("/people/{withdrawn}/questions")).await;
        assert!(!self.source().await.contains("川江城市商业银行"));
    }

    /// Days later one agreement has ended.
    pub(crate) async fn an_agreement_that_has_ended_is_no_good(&mut self) {
        self.desk.forward(5 * 86_400);
        self.sign_in("jb01").await;
        self.go("/institutions").await;
        self.sees("已过期").await;
        self.go("/batches/1").await;
        let ended = "input[name=institution][value='2']";
        assert!(self.is_there(&format!("{ended}:disabled")).await, "it can't be ticked");
        // A page from before would let it be ticked.
        let script =
            "const box = document.querySelector(arguments[0]); box.disabled = false; box.checked = true";
        self.browser.run(script, vec![ended.into()]).await;
        self.browser.fill("#one_time", &self.one_time("jb01")).await;
        self.is_refused("#dispatch", "没有生效的保密协议").await;
    }
}

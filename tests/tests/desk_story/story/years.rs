//! Years later: what must not be kept any longer is destroyed, by two people.

use super::Story;

impl Story {
    /// A closed file is over its time: one person makes the list, another carries it out.
    pub(crate) async fn years_later(&mut self) {
        self.desk.forward(6 * 366 * 86_400);
        self.sign_in("jb01").await;
        self.go("/destroy").await;
        self.press("#propose").await;
        let list = self.path().await;
        assert!(!self.is_there("#carry-out").await, "whoever makes it does not carry it out");
        self.show("destroy-list").await;
        self.sign_in("qp01").await;
        self.show_at(&list, "destroy-to-carry-out").await;
        self.browser.fill("#one_time", &self.one_time("qp01")).await;
        self.press("#carry-out").await;
        self.show("destroyed").await;
        self.show_at("/destroy", "destroy-lists").await;
        self.show_at("/archive", "archive-destroyed").await;
    }
}

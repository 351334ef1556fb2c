//! Step 7: the archive, and what comes after it: re-checks, notices, counters, and who looked.

use std::io::Read as _;

use super::Story;
use crate::people::{self, Household};

impl Story {
    /// The file is closed, checked and taken out.
    pub(crate) async fn archive(&mut self, _: &Household) -> Vec<(String, Vec<u8>)> {
        self.sit("jb01").await;
        self.show_at("/archive", "archive-waiting").await;
        self.press("form[action='/cases/1/archive'] button").await;
        let file = self.path().await;
        self.show("archived").await;
        self.show_after(&file, "#check", "archive-checked", "#sound", true).await;
        assert!(self.is_there("#sound").await);
        self.go(&file).await;
        self.browser.fill("#one_time", &self.one_time("jb01")).await;
        let (_, zip) = self.saved("#export").await;
        self.show_at("/archive", "archive").await;
        unpacked(zip)
    }

    /// Assistance, re-checks, the public notice, the counters.
    pub(crate) async fn afterwards(&mut self, _: &Household) {
        self.sit("jb01").await;
        self.go("/cases/1").await;
        self.press("a[href^='/households/']").await;
        let household = self.path().await;
        self.set("#from", "2026-11-01").await;
        self.browser.fill("#amount", "850.00").await;
        self.press(&format!("form[action='{household}/grant'] button")).await;
        self.show("household").await;
        self.show_at("/rechecks", "rechecks").await;
        self.go("/notices").await;
        self.set("#office", "城关镇").await;
        for (css, text) in [("#first", "2026-11-02"), ("#last", "2026-11-08"), ("#contact", "0813-7200000")] {
            self.set(css, text).await;
        }
        self.press("#make").await;
        self.show("notice").await;
        let pdf = self.opened("#pdf").await;
        self.draw("notice", &pdf);
        let text = people::text_of(&pdf);
        assert!(text.contains("公示") && text.contains("850.00") && !text.contains("银行"), "{text}");
        self.show_at("/notices", "notices").await;
        self.show_at("/counters", "counters").await;
        self.show_at("/destroy", "destroy").await;
        self.show_at("/declared", "declared-by-file").await;
        self.show_at("/trials", "trials").await;
        self.show_at("/reviews?state=reviewed", "reviews-confirmed").await;
    }

    /// "Who asked about me", and the log: whoever looked stands there.
    pub(crate) async fn who_looked(&mut self, household: &Household) {
        self.sit("sj01").await;
        self.show_at("/people/1/questions", "questions").await;
        let source = self.source().await;
        for wanted in ["fh01", "查看核对结果", "jb01", "查看完整信息", "川江城市商业银行"]
        {
            assert!(source.contains(wanted), "{wanted} not in {source}");
        }
        let pdf = self.opened("#print").await;
        self.draw("questions", &pdf);
        let text = people::squeezed(&people::text_of(&pdf));
        let who = &household.members[0];
        assert!(text.contains(&people::squeezed(&who.name)) && text.contains(&who.number.text), "{text}");
        self.show_at("/log", "log").await;
        self.sees("查看完整信息").await;
        self.sees("sj01").await;
        self.show_at("/nowhere", "not-found").await;
    }
}

/// The files of an export, without its folder.
fn unpacked(zip: Vec<u8>) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    let mut files = Vec::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        files.push((name.rsplit('/').next().unwrap().to_owned(), bytes));
    }
    files
}

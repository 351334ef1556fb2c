//! The desk in Chromium, as `hedui desk serve` runs it: a process of its own, its store on the disk, the demo's
//! institutions answering by the real module. What counts as a failure: a step that can't be done with the pages
//! alone; a figure on the archived paper that differs from the world's truth; somebody's own work accepted, sent or
//! confirmed; a name or number on a screen unasked; a name, number, account or amount in any file of the desk's, its
//! log output and its temporary folder among them; a page that axe-core finds a serious fault in.
//!
//! `story` has the steps, `desk` the process and its clock, `banks` who is asked and what they answer, `people` who
//! is asked about and what is true of them, `screens` the pictures in `target/screens`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which stop at the first surprise"
)]

mod banks;
mod desk;
mod people;
mod screens;
mod story;

use e2e::blindness::Words;
use e2e::world::Sizes;

use people::{Household, figures, squeezed, text_of};
use story::{Cast, Story, department};

/// All seven steps with four members of staff, three key officers, an administrator and an auditor; every page is
/// looked at in both languages.
#[tokio::test(flavor = "multi_thread")]
async fn from_the_authorisation_to_the_archive() {
    let mut story = Story::begin(Sizes::small(), Cast::Everybody, true).await;
    let household = Household::with_figures(&story.desk.world);
    story.authorise(&household).await;
    story.commission(&household).await;
    story.import(&household).await;
    story.accept(&household).await;
    story.agree(&["bank-a", "bank-b", "broker-c"], |_| {}).await;
    story.rules().await;
    let batch = story.dispatch().await;
    story.send_and_answer(&batch).await;
    story.unlock(&batch).await;
    story.review(&household).await;
    story.issue(&household).await;
    let files = story.archive(&household).await;
    let pdf = files.iter().find(|(name, _)| name.starts_with("bg") && name.ends_with(".pdf"));
    let pdf = &pdf.expect("the report is in the archive").1;
    household.is_true_in(&story.desk.world, &text_of(pdf));
    story.draw("report", pdf);
    let scans = files.iter().filter(|(name, _)| name.starts_with("authorisation") && name.ends_with(".pdf"));
    assert_eq!(scans.count(), household.members.len(), "each member's scan: {:?}", names(&files));
    assert!(files.iter().any(|(name, bytes)| name.starts_with("commission") && bytes == story::COMMISSION));
    story.afterwards(&household).await;
    story.who_looked(&household).await;

    // The search can find: a name that lies in the temporary folder is found.
    let words = Words::of(&story.desk.world, &story.desk.world.institutions.iter().collect::<Vec<_>>());
    let planted = story.desk.temporary().join("planted");
    std::fs::write(&planted, &household.members[0].number.text).unwrap();
    assert!(words.search(&story.desk.kept()).hits > 0, "a word that is there is found");
    std::fs::remove_file(planted).unwrap();
    story.end(&["卖房治病"]).await;
}

/// An objection with evidence, the re-check, and a new version that keeps the old one.
#[tokio::test(flavor = "multi_thread")]
async fn an_objection_leads_to_another_version() {
    let mut story = Story::reviewed(Cast::Staff).await;
    let household = Household::with_figures(&story.desk.world);
    story.issue(&household).await;
    let first = story.paper(1).await;
    let ground = "存款里有亲戚暂存的钱";
    story.object(&household, ground).await;
    story.issue_is_refused(&household, "还没有第二人复核").await;
    story.review(&household).await;
    story.issue_is_refused(&household, "请先填写异议的复核情况").await;
    let outcome = "已核对开户资料，账户为本人所有";
    story.find_on_objection(&household, outcome).await;
    story.issue(&household).await;
    assert_eq!(story.paper(1).await, first, "the old version is what it was");
    let text = text_of(&story.paper(2).await);
    household.is_true_in(&story.desk.world, &text);
    for wanted in ["第2版", "针对第1版", outcome] {
        assert!(squeezed(&text).contains(wanted), "{wanted} not in {text}");
    }
    let files = story.archive(&household).await;
    let kept = |end: &str| files.iter().find(|(n, _)| n.starts_with("bg") && n.ends_with(end));
    assert_eq!(
        kept("-1.pdf").map(|(_, bytes)| bytes),
        Some(&first),
        "both are archived: {:?}",
        names(&files)
    );
    assert!(kept("-2.pdf").is_some());
    assert!(files.iter().any(|(_, bytes)| bytes == story::EVIDENCE), "{:?}", names(&files));
    story.end(&[ground, outcome]).await;
}

/// A withdrawn authorisation, an expired agreement, one's own work, an answer above the level: each is stopped, and
/// whoever sits there is told so.
#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_done_is_stopped() {
    let mut story = Story::imported(Cast::Staff).await;
    let household = Household::with_figures(&story.desk.world);
    // bank-b's agreement ends in three days.
    let soon = story.desk.day(3);
    story.agree(&["bank-a"], |_| {}).await;
    story.agree(&["bank-b"], |terms| terms.valid_to = soon).await;
    let batch = story.own_work_is_not_accepted_or_sent(&household).await;
    story.withdrawn_is_left_out_and_voids(&household, &batch).await;
    story.an_answer_above_the_level_is_refused(&batch).await;
    story.own_work_is_not_confirmed(&household, &batch).await;
    story.an_agreement_that_has_ended_is_no_good().await;
    story.end(&[]).await;
}

/// A batch that comes in as a spreadsheet, a department whose sealed table is matched by the desk's own module, a township
/// that signs a roster after rebuilding it, a trial with people who do not exist, and an account that the centre knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_spreadsheet_a_department_a_township_and_a_trial() {
    let mut story = Story::begin(Sizes::small(), Cast::Staff, false).await;
    let household = Household::with_figures(&story.desk.world);
    story.take_pictures("more");
    story.import_spreadsheet(&household).await;
    let housing = story.register_department().await;
    story.agree(&["bank-a"], |_| {}).await;
    story.try_out("bank-a").await;
    story.know_an_account(&household).await;
    let township = story.agree_with_cosigner("bank-b").await;
    let batch = story.dispatch().await;
    story.cosign(&batch, &township, "bank-b", &people::own_list(&household)).await;
    story.answer_on_a_stick(&batch, "bank-a").await;
    story.answer_on_a_stick(&batch, "bank-b").await;
    story.hand_in_table(&batch, &housing, &household).await;
    story.unlock(&batch).await;
    story.declare_by_file(&household).await;
    story.review(&household).await;
    story.issue(&household).await;
    let text = squeezed(&text_of(&story.paper(1).await));
    let houses = department::houses(&household);
    for wanted in
        ["住房和城乡建设局", "不动产", "2026-10-20"].into_iter().chain(houses.iter().map(String::as_str))
    {
        assert!(text.contains(wanted), "{wanted} not in {text}");
    }
    assert!(text.contains("1—部分账户无余额"), "what is not known is no zero: {text}");
    let files = story.archive(&household).await;
    assert!(files.iter().any(|(name, _)| name.starts_with("bg")), "{:?}", names(&files));
    story.years_later().await;
    story.end(&houses.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

/// The figures of the truth are spelled as papers spell them.
#[test]
fn figures_are_told_apart_from_other_numbers() {
    let line = "欧阳  川江城市商业银行  存款  2026-10-31  2  1,234,567.89  HKD 12.30  JPY 1,000";
    assert_eq!(figures(line), ["1,234,567.89", "HKD12.30", "JPY1,000"]);
}

fn names(files: &[(String, Vec<u8>)]) -> Vec<&str> {
    files.iter().map(|(name, _)| name.as_str()).collect()
}

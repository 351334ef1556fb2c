//! Trials and known accounts. What counts as a failure: somebody who does not exist in a case, a counter or a report; a
//! trial that passes although the answer differs from the institution's file; a known account that is left out, or
//! another amount of it, and nobody told; its owner as a household, or in clear.

use axum::http::StatusCode;
use console::dispatch::lists;
use console::dispatch::trial::{self, Nobody};
use console::staff::Role;
use protocol::Document;
use protocol::roster::{Field, Level, Roster};
use protocol::slot::{Account, AssetKind, Slot, Status};
use protocol::value::Currency;

use crate::bank::{Odd, Officer, answer, deposits, hand_in};
use crate::office::{Office, Person};
use crate::papers::{Desk, assert_masked, centre, on_disk, text_of};
use crate::steps::{NAMES, agree, count, dispatch, file, import, keys, make_batch, number, second};

async fn tried(maker: &mut Person<'_>, level: &str) -> String {
    let one_time = maker.one_time();
    let made =
        maker.post("/trials", &[("institution", "1"), ("level", level), ("one_time", &one_time)]).await;
    assert!(made.location().starts_with("/trials/"), "{}", made.text);
    made.location().to_owned()
}

/// What an honest institution finds of somebody in its file.
fn honest(one: &Nobody, day: u32) -> Option<Slot> {
    let slot = deposits(one.minor?, day);
    Some(if one.held_as.is_some() { Slot { name_flags: 0b1000, ..slot } } else { slot })
}

#[tokio::test]
async fn the_way_out_is_tried_with_people_who_do_not_exist() {
    let office = centre().await;
    let mut officers = [Officer::new(&office, "my01", 21).await, Officer::new(&office, "my02", 22).await];
    let mut maker = office.person("jb01", &[Role::Operator]).await;
    let mut other = office.person("jb02", &[Role::Operator]).await;
    agree(&mut maker, |_| {}).await;
    let early = maker
        .post("/trials", &[("institution", "1"), ("level", "L1"), ("one_time", &maker.one_time())])
        .await;
    assert!(early.text.contains("没有生效的保密协议"), "{}", early.text);
    other.post("/agreements/1/confirm", &[]).await;
    let over = maker
        .post("/trials", &[("institution", "1"), ("level", "L2"), ("one_time", &maker.one_time())])
        .await;
    assert!(over.text.contains("超过协议约定"), "{}", over.text);

    let at = tried(&mut maker, "L1").await;
    let people = trial::asked(office.console.store(), 1).await.unwrap().unwrap();
    assert_eq!(people.len(), trial::HEADS);
    let csv = maker.get(&format!("{at}/customers.csv")).await.text;
    assert_eq!(csv.lines().count(), 1 + people.iter().filter(|one| one.minor.is_some()).count());
    for one in &people {
        assert_eq!(csv.contains(&one.number), one.minor.is_some());
        assert!(one.number.starts_with("20") && one.number.len() == 18, "no province has it");
    }
    // Out as any other, by another person; marked as what it is.
    assert!(maker.post("/rosters/1/file", &[]).await.text.contains("须由另一人办理"));
    let sent = other.post("/rosters/1/file", &[]).await;
    let roster = Document::<Roster>::read(&sent.bytes).unwrap().header;
    assert!(roster.purpose.as_str().contains("虚构"), "{}", roster.purpose.as_str());
    assert!(maker.get("/batches").await.text.contains("测试"));
    let board = maker.get("/batches/1").await.text;
    assert!(board.contains("名册上全部是虚构人员") && !board.contains("id=\"dispatch\""), "{board}");
    assert_eq!(
        dispatch(&mut maker, "/batches/1", "L1").await.status,
        StatusCode::CONFLICT,
        "no people of a case join it"
    );

    let found =
        |who: &str| people.iter().find(|one| one.number == who).and_then(|one| honest(one, 20_261_026));
    let bytes = answer(&office, 1, Odd::default(), &found).await;
    assert_eq!(hand_in(&mut other, 1, &bytes).await.location(), "/batches/1");
    officers[0].unlock("/batches/1").await;
    officers[1].open("/batches/1").await;
    let page = maker.get(&at).await.text;
    assert!(page.contains("id=\"passed\""), "{page}");
    assert_eq!(page.matches(">一致<").count(), trial::HEADS, "{page}");

    // An answer that leaves one out, invents one, has another amount and no eye for names.
    let at = tried(&mut maker, "L1").await;
    other.post("/rosters/2/file", &[]).await;
    let people = trial::asked(office.console.store(), 2).await.unwrap().unwrap();
    let found = |who: &str| match people.iter().position(|one| one.number == who).unwrap() {
        0 => honest(&people[0], 20_261_026).map(|slot| Slot { name_flags: 0b10, ..slot }),
        1 => None,
        2 => Some(deposits(people[2].minor.unwrap() + 1, 20_261_026)),
        11 => Some(deposits(5, 20_261_026)),
        n => honest(&people[n], 20_261_026),
    };
    let bytes = answer(&office, 2, Odd::default(), &found).await;
    hand_in(&mut other, 2, &bytes).await;
    officers[0].unlock("/batches/2").await;
    officers[1].open("/batches/2").await;
    let page = maker.get(&at).await.text;
    assert!(page.contains("有 4 人与测试客户文件不一致"), "{page}");
    for verdict in ["漏报", "多报", "金额不符", "姓名标记不符"] {
        assert_eq!(page.matches(&format!(">{verdict}<")).count(), 1, "{verdict}: {page}");
    }

    for nothing in [
        "SELECT count(*) FROM people",
        "SELECT count(*) FROM cases",
        "SELECT count(*) FROM findings",
        "SELECT count(*) FROM batch_cases",
        "SELECT count(*) FROM roster_people",
        "SELECT count(*) FROM lists JOIN list_people ON list = lists.id",
    ] {
        assert_eq!(count(&office, nothing).await, 0, "{nothing}");
    }
    let counted =
        console::counters::count(office.console.store(), "", office.console.today().unwrap()).await.unwrap();
    assert_eq!(counted.total, console::counters::Counts::default());
    office.clock.forward(40 * 86_400);
    tried_is_late_for_nobody(&office, &mut maker).await;
    let numbers: Vec<String> = people.iter().map(|one| one.number.clone()).collect();
    assert_eq!(on_disk(&office, &numbers.iter().map(String::as_str).collect::<Vec<_>>()), [""; 0]);
    office.console.store().close().await;
    console::store::verify::verify(&office.data()).await.unwrap();
}

/// A trial whose roster has expired is nobody's work.
async fn tried_is_late_for_nobody(office: &Office, maker: &mut Person<'_>) {
    maker.sign_in().await;
    assert_eq!(count(office, "SELECT count(*) FROM rosters WHERE state = 'sent'").await, 0);
    let mut write = office.console.store().write().await.unwrap();
    sqlx::query("UPDATE rosters SET state = 'sent'").execute(write.connection()).await.unwrap();
    write.commit().await.unwrap();
    let home = maker.get("/").await.text;
    assert!(!home.contains("class=\"bad\""), "{home}");
}

const WHO: &str = "上官已知";

fn known(n: u32) -> Vec<(&'static str, String)> {
    vec![
        ("institution", "1".to_owned()),
        ("class", "2".to_owned()),
        ("name", WHO.to_owned()),
        ("number", number(n)),
        ("authorisation", format!("KN-{n}")),
        ("level", "L1".to_owned()),
        ("signed", "2026-10-01".to_owned()),
    ]
}

async fn enter(head: &mut Person<'_>, n: u32) -> crate::office::Reply {
    let fields = known(n);
    head.post("/canaries", &fields.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>())
        .await
}

/// Somebody else has seen the forms.
async fn confirm(person: &mut Person<'_>, ids: &[i64]) {
    for id in ids {
        let reply = person.post(&format!("/canaries/{id}/confirm"), &[]).await;
        assert_eq!(reply.location(), "/canaries", "{}", reply.text);
    }
}

/// A desk with a known account at the bank, and the cases' roster made.
async fn seeded(office: &Office) -> (Person<'_>, Person<'_>, Person<'_>, [Officer<'_>; 2]) {
    let officers = [Officer::new(office, "my01", 21).await, Officer::new(office, "my02", 22).await];
    let mut maker = office.person("jb01", &[Role::Operator]).await;
    let mut other = office.person("jb02", &[Role::Operator]).await;
    let mut head = office.person("qp01", &[Role::Head]).await;
    import(&mut maker, &file(2, 2)).await;
    agree(&mut maker, |_| {}).await;
    second(&mut other).await;
    assert_eq!(enter(&mut head, 700).await.location(), "/canaries");
    confirm(&mut office.person("fh09", &[Role::Reviewer]).await, &[1]).await;
    (maker, other, head, officers)
}

#[tokio::test]
async fn a_known_account_that_an_answer_lacks_is_told_in_reviews_and_reports() {
    for (found, outcome, warned) in [
        (None, "漏报", Some("漏报已知账户")),
        (Some(500_000_000), "档次不符", Some("已知账户金额不符")),
        (Some(1_500_000), "相符", None),
    ] {
        let office = centre().await;
        let (mut maker, mut other, mut head, mut officers) = seeded(&office).await;
        let mut reviewer = office.person("fh01", &[Role::Reviewer]).await;
        let batch = make_batch(&mut maker).await;
        assert_eq!(dispatch(&mut maker, &batch, "L1").await.location(), batch);
        let asked = lists::file_of(office.console.store(), 1).await.unwrap();
        assert_eq!(asked.iter().filter(|byte| **byte == b'\n').count(), 1 + 4 + 1, "with the others");
        assert_eq!(count(&office, "SELECT people FROM rosters").await, 4, "and no household");
        other.post("/rosters/1/file", &[]).await;
        let say = |who: &str| match who {
            who if who == number(700) => found.map(|minor| deposits(minor, 20_261_020)),
            who if who == number(0) => Some(deposits(1_234_567, 20_261_020)),
            _ => None,
        };
        let bytes = answer(&office, 1, Odd::default(), &say).await;
        hand_in(&mut other, 1, &bytes).await;
        officers[0].unlock(&batch).await;
        officers[1].open(&batch).await;
        let list = head.get("/canaries").await;
        assert_masked("/canaries", &list);
        assert!(list.text.contains(&format!(">{outcome}<")) && !list.text.contains(WHO), "{}", list.text);
        assert!(!list.text.contains(&number(700)), "{}", list.text);
        assert_eq!(count(&office, "SELECT count(*) FROM findings").await, 4);
        assert_eq!(count(&office, "SELECT count(*) FROM people").await, 4);

        let page = reviewer.post("/reviews/1/unmask", &[]).await;
        let warnings = ["漏报已知账户", "已知账户金额不符"].map(|warning| page.text.contains(warning));
        assert_eq!(warnings.contains(&true), warned.is_some(), "{}", page.text);
        if let Some(warned) = warned {
            assert!(page.text.contains(warned), "{}", page.text);
        }
        let seen = page.between("name=\"seen\" value=\"", "\"");
        reviewer.post("/reviews/1/confirm", &[("seen", &seen)]).await;
        let one_time = head.one_time();
        assert_eq!(head.post("/cases/1/report", &[("one_time", &one_time)]).await.location(), "/reports/1");
        let text = text_of(&maker.post("/reports/1/pdf", &[]).await.bytes);
        let text: String = text.split_whitespace().collect();
        assert_eq!(text.contains("抽查账户与答复不符"), warned.is_some(), "{text}");
        assert!(!text.contains(WHO) && !text.contains(&number(700)), "{text}");
        assert_eq!(on_disk(&office, &[WHO, &number(700), "KN-700 "]), [""; 0]);
        office.console.store().close().await;
        console::store::verify::verify(&office.data()).await.unwrap();
    }
}

#[tokio::test]
async fn a_known_account_is_asked_about_only_with_a_form_that_lives() {
    let office = centre().await;
    let (mut maker, mut other, mut head, _) = seeded(&office).await;
    assert!(enter(&mut head, 700).await.text.contains("此人在该单位已登记"));
    let mut late = known(701);
    late[6].1 = "2026-12-01".to_owned();
    let late = head.post("/canaries", &late.iter().map(|(n, v)| (*n, v.as_str())).collect::<Vec<_>>()).await;
    assert!(late.text.contains("签署日期不能晚于今天"), "{}", late.text);
    // Somebody whose household is on the roster is asked about as that, once.
    assert_eq!(enter(&mut head, 1).await.location(), "/canaries");
    // One whose form allows less than is asked stays out.
    let mut low = known(702);
    low[5].1 = "L0".to_owned();
    head.post("/canaries", &low.iter().map(|(n, v)| (*n, v.as_str())).collect::<Vec<_>>()).await;
    let mut reviewer = office.person("fh01", &[Role::Reviewer]).await;
    confirm(&mut reviewer, &[2, 3]).await;
    // One that nobody else has confirmed stays out; the head can't confirm the own entry.
    assert_eq!(enter(&mut head, 703).await.location(), "/canaries");
    assert!(head.post("/canaries/4/confirm", &[]).await.text.contains("另一人"));
    assert!(head.get("/canaries").await.text.contains("待第二人确认"));
    let batch = make_batch(&mut maker).await;
    dispatch(&mut maker, &batch, "L1").await;
    assert_eq!(count(&office, "SELECT count(*) FROM roster_canaries").await, 1);
    // Taken back before it leaves: the roster is void, and the next one is without.
    assert_eq!(head.post("/canaries/1/end", &[]).await.location(), "/canaries");
    assert!(other.post("/rosters/1/file", &[]).await.text.contains("名册作废"));
    dispatch(&mut maker, &batch, "L1").await;
    assert_eq!(count(&office, "SELECT count(*) FROM roster_canaries WHERE roster = 2").await, 0);
    assert_eq!(other.post("/rosters/2/file", &[]).await.status, StatusCode::OK);
    assert!(head.post("/canaries/1/end", &[]).await.text.contains("已经终止"));
    assert!(reviewer.post("/canaries/1/confirm", &[]).await.text.contains("已确认或已终止"));
    let list = head.get("/canaries").await.text;
    assert!(list.contains("已终止") && !list.contains("上＊＊＊</td><td class=\"id\"></td>"), "{list}");
}

#[tokio::test]
async fn a_roster_that_another_organisation_signs_has_none() {
    let office = centre().await;
    let _officers = [Officer::new(&office, "my01", 21).await, Officer::new(&office, "my02", 22).await];
    let mut maker = office.person("jb01", &[Role::Operator]).await;
    let mut other = office.person("jb02", &[Role::Operator]).await;
    let mut head = office.person("qp01", &[Role::Head]).await;
    import(&mut maker, &file(1, 2)).await;
    agree(&mut maker, |t| t.cosigner_key = Some(keys(5).signing.public())).await;
    second(&mut other).await;
    enter(&mut head, 700).await;
    confirm(&mut office.person("fh01", &[Role::Reviewer]).await, &[1]).await;
    let batch = make_batch(&mut maker).await;
    assert_eq!(dispatch(&mut maker, &batch, "L1").await.location(), batch);
    assert_eq!(count(&office, "SELECT count(*) FROM rosters WHERE state = 'unsigned'").await, 1);
    assert_eq!(count(&office, "SELECT count(*) FROM roster_canaries").await, 0);
}

#[tokio::test]
async fn single_accounts_stand_in_the_paper_and_in_the_copy() {
    let office = centre().await;
    let fields = vec![
        Field::Name,
        Field::Amount,
        Field::Accounts,
        Field::BalanceDate,
        Field::Account,
        Field::Product,
        Field::Status,
    ];
    let file = file(1, 2).replace("合计", "明细");
    let (mut desk, batch, [mut first, mut second]) = Desk::asked_at(&office, &file, "L2", move |t| {
        (t.level, t.fields) = (Level::L2, fields);
    })
    .await;
    let account = |number: &str, minor: i64, product: &str, status: Status| Account {
        kind: AssetKind::Deposit,
        currency: Currency::CNY,
        minor,
        date: 20_261_020,
        status,
        name_flag: 1,
        ordinal: 0,
        bits: 0,
        account: number.to_owned(),
        product: product.to_owned(),
    };
    let found = |who: &str| {
        (who == number(0)).then(|| {
            let mut slot = deposits(1_234_567, 20_261_020);
            slot.rows = 2;
            slot.totals[0].accounts = 2;
            slot.accounts = vec![
                account("6222000033334444", 34_567, "", Status::Dormant),
                account("6222000011112222", 1_200_000, "定期一年", Status::Active),
            ];
            slot
        })
    };
    let bytes = answer(&office, 1, Odd::default(), &found).await;
    assert_eq!(hand_in(&mut desk.other, 1, &bytes).await.location(), batch);
    first.unlock(&batch).await;
    second.open(&batch).await;
    desk.confirm(1).await;
    let draft = desk.head.get("/cases/1/report").await;
    assert_masked("/cases/1/report", &draft);
    assert!(draft.text.contains("****2222") && !draft.text.contains("62220000"), "{}", draft.text);
    assert_eq!(desk.issue(1).await.location(), "/reports/1");
    let text = text_of(&desk.maker.post("/reports/1/pdf", &[]).await.bytes);
    for wanted in [
        "账户明细",
        "****2222",
        "****4444",
        "12,000.00",
        "345.67",
        "12,345.67",
        "定期一年",
        "2026-10-20",
        NAMES[0],
    ] {
        assert!(text.contains(wanted), "{wanted} not in {text}");
    }
    assert!(!text.contains("62220000"), "{text}");
    let copy = desk.maker.post("/reports/1/copy", &[]).await;
    let copy = Document::<desk::papers::Report>::read(&copy.bytes).unwrap();
    let facts = console::report::facts::Facts::from_json(&copy.body).unwrap();
    let of = |at: usize| {
        (facts.accounts[at].account.as_str(), facts.accounts[at].minor, facts.accounts[at].member)
    };
    assert_eq!((of(0), of(1)), (("****4444", Some(34_567), 1), ("****2222", Some(1_200_000), 1)));
    assert_eq!(facts.accounts[0].status.as_deref(), Some("dormant"));
    assert_eq!(facts.findings[0].minor, Some(1_234_567), "contained in the sum");
    assert_eq!(on_disk(&office, &["62220000", "****2222", "定期一年"]), [""; 0]);
}

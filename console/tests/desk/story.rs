//! Steps 1 to 4 over HTTP. What counts as a failure: somebody without a live authorisation on a roster, or dropped
//! from one without a word; a roster under an agreement that has ended, above its level, or a second one within 60
//! days; half an import; a name or number of anybody on the disk, or unmasked on a screen unasked.

use axum::http::StatusCode;
use console::staff::Role;
use protocol::Document;
use protocol::roster::Roster;

use crate::at_rest;
use crate::office::Office;
use crate::steps::*;

pub(crate) async fn office() -> Office {
    let office = Office::with(|config| {
        config.centre = Some(the_centre().1);
    })
    .await;
    for (code, n) in [("my01", 11), ("my02", 12), ("my03", 13)] {
        let mut write = office.console.store().write().await.unwrap();
        let new = console::staff::account::New {
            code: code.parse().unwrap(),
            name: "密钥员".to_owned(),
            number: code.to_owned(),
            roles: console::staff::Roles::new(&[Role::Officer]).unwrap(),
            officer_key: Some(keys(n).opening.public()),
        };
        let now = office.console.now().unwrap();
        let cost = console::store::Cost::LEAST;
        console::staff::account::add(&mut write, &new, cost, &"root".parse().unwrap(), now).await.unwrap();
        write.commit().await.unwrap();
    }
    office
}

#[tokio::test]
async fn from_a_file_to_a_roster_on_its_way() {
    let office = office().await;
    let mut person = office.person("jb01", &[Role::Operator]).await;
    assert!(import(&mut person, &file(3, 2)).await.contains("id=\"done\""));
    assert_eq!(count(&office, "SELECT count(*) FROM people").await, 6);
    // What one person entered another accepts, one by one or all at once.
    for path in ["/cases/accept", "/cases/1/accept"] {
        let own = person.post(path, &[]).await;
        assert_eq!(own.status, StatusCode::CONFLICT);
        assert!(own.text.contains("须由另一人受理"), "{}", own.text);
    }
    let mut other = office.person("jb02", &[Role::Operator]).await;
    assert_eq!(other.post("/cases/accept", &[]).await.location(), "/cases?state=received");
    assert_eq!(
        count(&office, "SELECT count(*) FROM cases WHERE state = 'accepted' AND due = 20261123").await,
        3
    );

    assert_eq!(agree(&mut person, |_| {}).await.location(), "/institutions");
    let batch = make_batch(&mut person).await;
    // An agreement counts once another person has confirmed it, and a second account is no other person.
    assert!(dispatch(&mut person, &batch, "L1").await.text.contains("没有生效的保密协议"));
    assert!(person.post("/agreements/1/confirm", &[]).await.text.contains("须由另一人办理"));
    let mut twin = office.person_numbered("jb01b", &[Role::Reviewer], "jb01").await;
    assert!(twin.post("/agreements/1/confirm", &[]).await.text.contains("须由另一人办理"));
    assert_eq!(other.post("/agreements/1/confirm", &[]).await.location(), "/institutions");
    assert_eq!(other.post("/agreements/1/confirm", &[]).await.status, StatusCode::CONFLICT, "once");
    // Between the screen and the dispatch, somebody withdraws.
    let withdrawn = person.post("/authorisations/1/end", &[("code", "withdrawn")]).await;
    assert_eq!(withdrawn.location(), "/people/1");
    let over = dispatch(&mut person, &batch, "L2").await;
    assert!(over.text.contains("超过协议约定"), "{}", over.text);
    assert_eq!(dispatch(&mut person, &batch, "L1").await.location(), batch);
    let board = person.get(&batch).await.text;
    assert!(board.contains("授权已撤回"), "who was left out is listed");
    assert_eq!(count(&office, "SELECT people FROM rosters").await, 5);
    assert_eq!(count(&office, "SELECT count(*) FROM roster_people WHERE person = 1").await, 0);
    assert_eq!(count(&office, "SELECT count(*) FROM checkpoints").await, 1);

    let own = person.post("/rosters/1/file", &[]).await;
    assert!(own.text.contains("须由另一人办理"), "whoever made it does not send it: {}", own.text);
    assert_eq!(count(&office, "SELECT count(*) FROM rosters WHERE state = 'ready'").await, 1);
    let file = other.post("/rosters/1/file", &[]).await;
    let roster = Document::<Roster>::read(&file.bytes).unwrap();
    assert_eq!(roster.header.institution.as_str(), "bank-1");
    assert_eq!(roster.header.opening_groups.len(), 3, "any two of three");
    assert_eq!(count(&office, "SELECT count(*) FROM rosters WHERE state = 'sent'").await, 1);
    let again = dispatch(&mut person, &batch, "L1").await;
    assert!(again.text.contains("已经生成"), "no second roster");

    // "Who asked about me".
    let questions = person.get("/people/2/questions").await.text;
    assert!(questions.contains("第一银行") && questions.contains("SQ-1"));
    office.console.store().close().await;
    let verified = console::store::verify::verify(&office.data()).await.unwrap();
    assert_eq!(verified.checkpoints, 1);
    let numbers: Vec<String> = (0..6).map(number).collect();
    let needles: Vec<&str> = NAMES.into_iter().chain(numbers.iter().map(String::as_str)).collect();
    assert_eq!(at_rest::found(&office, &needles), [""; 0]);
}

#[tokio::test]
async fn a_withdrawal_after_the_roster_was_made_voids_it() {
    let office = office().await;
    let mut person = office.person("jb01", &[Role::Operator]).await;
    import(&mut person, &file(1, 2)).await;
    agree(&mut person, |_| {}).await;
    let mut other = office.person("jb02", &[Role::Operator]).await;
    second(&mut other).await;
    let batch = make_batch(&mut person).await;
    dispatch(&mut person, &batch, "L1").await;
    person.post("/authorisations/2/end", &[("code", "withdrawn")]).await;
    let file = other.post("/rosters/1/file", &[]).await;
    assert_eq!(file.status, StatusCode::CONFLICT);
    assert!(file.text.contains("名册作废"), "{}", file.text);
    assert_eq!(dispatch(&mut person, &batch, "L1").await.location(), batch, "another is made, without them");
    assert_eq!(count(&office, "SELECT people FROM rosters WHERE state = 'ready'").await, 1);
}

#[tokio::test]
async fn without_an_agreement_in_force_nothing_leaves() {
    let office = office().await;
    let mut person = office.person("jb01", &[Role::Operator]).await;
    import(&mut person, &file(1, 1)).await;
    let mut other = office.person("jb02", &[Role::Operator]).await;
    let expired = agree(&mut person, |t| t.valid_to = "2026-10-01".parse().unwrap()).await;
    assert!(expired.text.contains("已经过期"), "{}", expired.text);
    agree(&mut person, |t| t.valid_to = "2026-10-30".parse().unwrap()).await;
    let twice = agree(&mut person, |t| t.valid_to = "2026-10-30".parse().unwrap()).await;
    assert!(twice.text.contains("已经登记过"));
    second(&mut other).await;
    let batch = make_batch(&mut person).await;
    office.clock.forward(7 * 86_400);
    person.sign_in().await;
    let stopped = dispatch(&mut person, &batch, "L1").await;
    assert!(stopped.text.contains("没有生效的保密协议"), "{}", stopped.text);
    assert_eq!(count(&office, "SELECT count(*) FROM rosters").await, 0);
}

#[tokio::test]
async fn nobody_is_asked_about_twice_within_sixty_days() {
    let office = office().await;
    let mut person = office.person("jb01", &[Role::Operator]).await;
    agree(&mut person, |t| t.valid_to = "2027-12-31".parse().unwrap()).await;
    let mut other = office.person("jb02", &[Role::Operator]).await;
    let mut ask = async |commission: &str, days: u64| {
        office.clock.forward(days * 86_400);
        person.sign_in().await;
        import(&mut person, &file(1, 1).replace("WT-1", commission)).await;
        other.sign_in().await;
        second(&mut other).await;
        let batch = make_batch(&mut person).await;
        let reply = dispatch(&mut person, &batch, "L1").await;
        (reply.location() == batch, reply.text)
    };
    assert!(ask("WT-1", 0).await.0);
    let (made, text) = ask("WT-2", 59).await;
    assert!(!made && text.contains("全部被排除"), "{text}");
    assert!(ask("WT-3", 2).await.0);
}

#[tokio::test]
async fn a_file_with_defects_changes_nothing() {
    let office = office().await;
    let mut person = office.person("jb01", &[Role::Operator]).await;
    let bad = file(3, 2)
        .replace("H-1,城关镇,,新申请", "H-1,城关镇,,旧申请")
        .replace(&number(5), "110105194912310021");
    let page = import(&mut person, &bad).await;
    assert!(
        page.contains("有 3 处") && page.contains("校验位不符") && page.contains("不是模板允许的填法"),
        "{page}"
    );
    assert!(!page.contains("110105194912310021"), "never the value");
    assert_eq!(count(&office, "SELECT count(*) FROM people").await, 0);
    import(&mut person, &file(3, 2)).await;
    let again =
        import(&mut person, &(file(3, 2) + &file(5, 2).lines().last().unwrap().replace("WT-1", "WT-9")))
            .await;
    assert!(again.contains("已登记过这一户"), "{again}");
    assert_eq!(count(&office, "SELECT count(*) FROM cases").await, 3, "not even the new one");
}

#[tokio::test]
async fn screens_are_masked_and_unmasking_is_logged() {
    let office = office().await;
    let mut person = office.person("jb01", &[Role::Operator]).await;
    import(&mut person, &file(1, 1)).await;
    for path in ["/people", "/people/1", "/cases", "/cases/1", "/people/1/questions"] {
        let page = person.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(!page.text.contains(NAMES[0]) && !page.text.contains(&number(0)), "{path} shows somebody");
    }
    assert!(person.get("/people/1").await.text.contains("欧＊＊＊"));
    let full = person.post("/people/1/unmask", &[]).await.text;
    assert!(full.contains(NAMES[0]) && full.contains(&number(0)));
    let looked = person.get("/people/1/questions").await.text;
    assert!(looked.contains("查看完整信息") && looked.contains("jb01"));
    assert_eq!(person.post("/find", &[("number", &number(0))]).await.location(), "/people/1");
    assert!(person.post("/find", &[("number", &number(1))]).await.text.contains("没有这个证件号码"));
}

#[tokio::test]
async fn by_form_returned_accepted_suspended_resumed() {
    let office = office().await;
    let mut person = office.person("jb01", &[Role::Operator]).await;
    let pdf = b"%PDF-1.7 a scan that nobody may read on the disk";
    let fields = [
        ("name", "欧阳建国"),
        ("number", &number(0)),
        ("authorisation", "SQ-7"),
        ("signed", "2026-10-01"),
        ("form", "own"),
        ("level", "L1"),
        ("kinds", "bank"),
    ];
    let wrong = person.upload("/people", &fields, ("scan", "a.exe", b"MZ")).await;
    assert!(wrong.text.contains("只接受 PDF"), "{}", wrong.text);
    let added = person.upload("/people", &fields, ("scan", "a.pdf", pdf)).await;
    assert_eq!(added.location(), "/people/1", "{}", added.text);
    assert_eq!(person.post("/scans/1", &[]).await.bytes, pdf);
    assert_eq!(at_rest::found(&office, &["nobody may read"]), [""; 0]);

    let case = [
        ("commission", "WT-5"),
        ("office", "城关镇"),
        ("household", "H-5"),
        ("class", "B"),
        ("task", "new"),
        ("as_of", "2026-10-20"),
    ];
    assert_eq!(person.post("/cases", &case).await.location(), "/cases/1");
    assert_eq!(person.post("/cases/1/accept", &[]).await.status, StatusCode::CONFLICT, "no members");
    person.post("/cases/1/return", &[("note", "缺成员")]).await;
    assert!(person.get("/cases/1").await.text.contains("没有家庭成员 缺成员"), "every defect, once");
    let member = [("authorisation", "SQ-7"), ("relation", "户主"), ("ring", "1")];
    person.post("/cases/1/members", &member).await;
    person.post("/cases/1/again", &[]).await;
    let mut other = office.person("jb02", &[Role::Operator]).await;
    assert_eq!(other.post("/cases/1/accept", &[]).await.location(), "/cases/1");
    // 2026-10-26 is a Monday: 20 working days end on 11-23.
    assert_eq!(count(&office, "SELECT due FROM cases").await, 20_261_123);
    person.post("/cases/1/suspend", &[("why", "等待材料")]).await;
    office.clock.forward(7 * 86_400);
    person.sign_in().await;
    assert_eq!(person.post("/cases/1/resume", &[]).await.location(), "/cases/1");
    assert_eq!(count(&office, "SELECT due FROM cases").await, 20_261_130, "five working days later");
    // A holiday moves it on.
    let mut head = office.person("qp01", &[Role::Head]).await;
    head.post("/holidays", &[("day", "2026-11-26"), ("kind", "off"), ("name", "节")]).await;
    assert_eq!(count(&office, "SELECT due FROM cases").await, 20_261_201);
    assert_eq!(person.post("/cases/1/terminate", &[("why", "申请人撤回")]).await.location(), "/cases/1");
    assert_eq!(person.post("/cases/1/resume", &[]).await.status, StatusCode::CONFLICT);
}

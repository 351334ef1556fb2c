//! What an office does beside the seven steps: settings, objections that are taken back, cases that no roster asked
//! about, the backup of every night. What counts as a failure: a clock or a time of keeping outside what the law
//! allows, or changed without a trace; a report that a withdrawn objection touches; a case that lies in silence; a
//! night without a backup, or half a one.

use axum::http::StatusCode;
use console::nightly::{self, Plan, Standing};
use console::staff::Role;
use console::store::backup;
use protocol::key_file::Role as KeyRole;

use crate::bank::{KEY_PASSPHRASE, key_file};
use crate::papers::{DAY, Desk, assert_masked, centre, export, unpack};
use crate::steps::{agree, count, dispatch, file, import, make_batch, number, second};

#[tokio::test]
async fn the_administrator_sets_clocks_and_times_of_keeping_within_the_law() {
    let office = centre().await;
    let mut desk = Desk::reviewed(&office, &file(1, 1)).await;
    let mut admin = office.person("gl01", &[Role::Administrator]).await;
    assert_eq!(count(&office, "SELECT due FROM cases").await, 20_261_123);
    let all = |days: &'static str, objection: &'static str, approval: &'static str, daily: &'static str| {
        [
            ("report_days", days),
            ("objection_days", objection),
            ("keep_approval_years", approval),
            ("keep_daily_years", daily),
        ]
    };
    for (fields, sentence) in [
        (all("0", "10", "3", "5"), "受理到出报告的工作日数"),
        (all("21", "61", "3", "5"), "异议复核的工作日数"),
        (all("21", "10", "2", "5"), "审批类档案保管年限"),
        (all("21", "10", "3", "4"), "日常管理类档案保管年限"),
        (all("x", "10", "3", "5"), "受理到出报告的工作日数"),
    ] {
        let refused = admin.post("/settings", &fields).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert!(refused.text.contains(sentence), "{sentence}: {}", refused.text);
    }
    assert_eq!(count(&office, "SELECT count(*) FROM setting_changes").await, 0, "not even the good ones");
    assert_eq!(admin.post("/settings", &all("21", "5", "10", "5")).await.location(), "/settings");
    assert_eq!(count(&office, "SELECT count(*) FROM setting_changes").await, 3);
    let page = admin.get("/settings").await;
    assert!(page.text.contains("没有设置每夜备份"), "{}", page.text);
    assert!(
        page.text.contains("<td class=\"number\">20</td><td class=\"number\">21</td><td>gl01</td>"),
        "{}",
        page.text
    );
    assert!(admin.get("/log").await.text.matches("修改参数").count() >= 3);
    assert_eq!(count(&office, "SELECT due FROM cases").await, 20_261_124, "the clocks that run go on by it");

    desk.issue(1).await;
    desk.maker.post("/cases/1/archive", &[]).await;
    desk.maker.post("/cases/1/objection", &[("person", "1"), ("ground", "有误")]).await;
    // Five working days from Monday 2026-10-26; the report's clock leaves that of a re-check alone.
    assert_eq!(count(&office, "SELECT due FROM objections").await, 20_261_102);
    admin.post("/settings", &all("30", "5", "10", "5")).await;
    assert_eq!(count(&office, "SELECT due FROM cases").await, 20_261_102);

    // Ten years for the files of approvals, from here on.
    desk.maker.post("/objections/1/withdraw", &[("why", "本人撤回")]).await;
    desk.maker.post("/cases/1/archive", &[]).await;
    desk.maker.post("/households/1/end", &[("last", "2026-11-20")]).await;
    desk.later(6 * 365).await;
    assert!(desk.maker.post("/destroy", &[]).await.text.contains("没有到期的档案"));
    desk.later(5 * 365).await;
    assert_eq!(desk.maker.post("/destroy", &[]).await.location(), "/destroy/1");
}

#[tokio::test]
async fn an_objection_taken_back_leaves_the_report_as_it_is() {
    let office = centre().await;
    let mut desk = Desk::reviewed(&office, &file(1, 2)).await;
    desk.issue(1).await;
    desk.maker.post("/cases/1/archive", &[]).await;
    let before = desk.maker.post("/reports/1/pdf", &[]).await.bytes;
    desk.maker.post("/cases/1/objection", &[("person", "1"), ("ground", "存款是卖房治病的钱")]).await;
    assert_eq!(count(&office, "SELECT count(*) FROM cases WHERE state = 'matched'").await, 1);
    let silent = desk.maker.post("/objections/1/withdraw", &[("why", "")]).await;
    assert_eq!(silent.status, StatusCode::CONFLICT, "not without a reason");
    // Confirmed in the meantime: it can be taken back still.
    desk.confirm(1).await;
    let done = desk.maker.post("/objections/1/withdraw", &[("why", "本人核对后撤回")]).await;
    assert_eq!(done.location(), "/cases/1/report", "{}", done.text);
    assert_eq!(
        count(&office, "SELECT count(*) FROM objections WHERE state = 'withdrawn' AND ended > 0").await,
        1
    );
    assert_eq!(count(&office, "SELECT count(*) FROM cases WHERE state = 'issued'").await, 1);
    let again = desk.maker.post("/objections/1/withdraw", &[("why", "再撤回")]).await;
    assert!(again.text.contains("异议已经办结"), "{}", again.text);
    let page = desk.maker.get("/cases/1/report").await;
    assert_masked("/cases/1/report", &page);
    assert!(page.text.contains("已撤回"), "{}", page.text);
    assert!(!desk.other.get("/reports").await.text.contains("YY2026-00001"), "nothing is open");

    desk.later(1).await;
    let refused = desk.issue(1).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "no second version without an objection");
    assert_eq!(desk.maker.post("/reports/1/pdf", &[]).await.bytes, before);
    // The file is closed once more, with the objection in it.
    assert_eq!(desk.maker.post("/cases/1/archive", &[]).await.location(), "/archive/2");
    let folder = tempfile::tempdir().unwrap();
    let files = unpack(&export(&mut desk.maker, 2).await.bytes, folder.path());
    let objection: serde_json::Value = serde_json::from_slice(&files["objection-1.json"]).unwrap();
    assert_eq!(objection["state"], "withdrawn");
    let history = String::from_utf8(files["history.json"].clone()).unwrap();
    assert!(history.contains("objection.withdrawn") && history.contains("本人核对后撤回"), "{history}");
    // Another may follow.
    let next = desk.maker.post("/cases/1/objection", &[("person", "2"), ("ground", "金额不对")]).await;
    assert_eq!(next.location(), "/cases/1/report", "{}", next.text);
    office.console.store().close().await;
    console::store::verify::verify(&office.data()).await.unwrap();
}

#[tokio::test]
async fn an_objection_under_way_is_not_taken_back() {
    let office = centre().await;
    let mut desk = Desk::reviewed(&office, &file(1, 1)).await;
    desk.issue(1).await;
    desk.maker.post("/cases/1/objection", &[("person", "1"), ("ground", "有误")]).await;
    desk.reviewer.post("/reviews/1/unmask", &[]).await;
    let back = [("why", "重新查询"), ("whom", "1:bank-1")];
    assert_eq!(desk.reviewer.post("/reviews/1/back", &back).await.location(), "/reviews/1");
    assert_eq!(count(&office, "SELECT count(*) FROM cases WHERE state = 'accepted'").await, 1);
    let refused = desk.maker.post("/objections/1/withdraw", &[("why", "撤回")]).await;
    assert!(refused.text.contains("正在重新核对"), "{}", refused.text);
    assert_eq!(count(&office, "SELECT count(*) FROM objections WHERE state = 'open'").await, 1);
}

#[tokio::test]
async fn a_case_that_no_roster_asked_about_is_listed_and_offered_again() {
    let office = crate::story::office().await;
    let mut maker = office.person("jb01", &[Role::Operator]).await;
    let mut other = office.person("jb02", &[Role::Operator]).await;
    agree(&mut maker, |t| t.valid_to = "2027-12-31".parse().unwrap()).await;
    let mut ask = async |commission: &str, days: u64| {
        office.clock.forward(days * DAY);
        maker.sign_in().await;
        import(&mut maker, &file(1, 1).replace("WT-1", commission)).await;
        other.sign_in().await;
        second(&mut other).await;
        let batch = make_batch(&mut maker).await;
        dispatch(&mut maker, &batch, "L1").await
    };
    assert_eq!(ask("WT-1", 0).await.location(), "/batches/1");
    // Asked about 30 days ago: nobody is left, and the case has reached no roster.
    let nobody = ask("WT-2", 30).await;
    assert!(nobody.text.contains("全部被排除"), "{}", nobody.text);
    let listed = maker.get("/left-out").await;
    assert_masked("/left-out", &listed);
    assert!(listed.text.contains("60 天内已查过") && listed.text.contains("原因未消除"), "{}", listed.text);
    assert!(maker.get("/batches/2").await.text.contains("60 天内已查过"), "and on the batch's own page");
    assert!(maker.get("/batches").await.text.contains("1 件业务没有任何单位被问到"));
    let early = maker
        .post("/batches", &[("as_of", "2026-10-20"), ("from", "2026-04-01"), ("to", "2026-09-30")])
        .await;
    assert!(early.text.contains("没有等待"), "not before it can be asked: {}", early.text);

    office.clock.forward(31 * DAY);
    maker.sign_in().await;
    assert!(maker.get("/left-out").await.text.contains("将列入下一批"));
    let batch = make_batch(&mut maker).await;
    assert_eq!(dispatch(&mut maker, &batch, "L1").await.location(), batch);
    assert_eq!(count(&office, "SELECT count(*) FROM cases WHERE state = 'matching'").await, 2);
    assert!(maker.get("/left-out").await.text.contains("没有这样的业务"));
    let twice = maker
        .post("/batches", &[("as_of", "2026-10-20"), ("from", "2026-04-01"), ("to", "2026-09-30")])
        .await;
    assert!(twice.text.contains("没有等待"), "asked about once: {}", twice.text);
}

#[tokio::test]
async fn who_was_left_out_for_the_level_is_asked_about_at_a_lower_one() {
    let office = crate::story::office().await;
    let mut maker = office.person("jb01", &[Role::Operator]).await;
    let mut other = office.person("jb02", &[Role::Operator]).await;
    agree(&mut maker, |t| t.level = protocol::roster::Level::L2).await;
    import(&mut maker, &file(2, 1)).await;
    second(&mut other).await;
    let batch = make_batch(&mut maker).await;
    // The forms allow totals.
    assert!(dispatch(&mut maker, &batch, "L2").await.text.contains("全部被排除"));
    let listed = maker.get("/left-out").await.text;
    assert!(listed.contains("查询级别超出授权") && listed.contains("将列入下一批"), "{listed}");
    assert_eq!(maker.post("/authorisations/2/end", &[("code", "withdrawn")]).await.location(), "/people/2");
    let listed = maker.get("/left-out").await.text;
    assert!(listed.contains("原因未消除"), "the second household took its word back: {listed}");
    let again = make_batch(&mut maker).await;
    assert_eq!(count(&office, "SELECT count(*) FROM batch_cases WHERE batch = 2").await, 1);
    assert_eq!(dispatch(&mut maker, &again, "L1").await.location(), again);
    assert_eq!(count(&office, "SELECT people FROM rosters").await, 1);
    assert_eq!(maker.get("/").await.text.matches("/left-out").count(), 1);
}

#[tokio::test]
async fn every_night_has_its_backup() {
    let office = centre().await;
    let mut maker = office.person("jb01", &[Role::Operator]).await;
    import(&mut maker, &file(1, 1)).await;
    let key = key_file(KeyRole::Officer, "bf01", 31);
    let folder = office.folder.path().join("nights");
    let plan =
        Plan { data: office.data(), to: key.sealing_key, folder: folder.clone(), at_minute: 150, keep: 2 };
    let names = || {
        let all = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name());
        let mut all: Vec<String> = all.map(|name| name.into_string().unwrap()).collect();
        all.sort();
        all
    };
    // 2026-10-27 02:29 in China.
    office.clock.set(1_793_039_340);
    assert_eq!(nightly::once(&office.console, &plan).await.unwrap(), None, "too early");
    office.clock.forward(60);
    let first = nightly::once(&office.console, &plan).await.unwrap().unwrap();
    assert_eq!(names(), ["desk-2026-10-27.backup.hedui"]);
    office.clock.forward(3_600);
    assert_eq!(nightly::once(&office.console, &plan).await.unwrap(), None, "one a night");
    // It is one that restores.
    let keys = key.unlock(KEY_PASSPHRASE.as_bytes()).unwrap();
    let empty = office.folder.path().join("empty");
    backup::restore(&first, &keys.opening, &empty).await.unwrap();
    let made = Standing::read(office.console.store()).await.unwrap();
    assert!(made.made.is_some() && made.failed.is_none() && !made.is_broken());
    // A desk that was killed in between left half a one.
    office.clock.forward(DAY);
    std::fs::write(folder.join("desk-2026-10-28.backup.part"), b"half").unwrap();
    nightly::once(&office.console, &plan).await.unwrap().unwrap();
    office.clock.forward(DAY);
    std::fs::write(folder.join("desk-notes.txt"), b"somebody's own").unwrap();
    nightly::once(&office.console, &plan).await.unwrap().unwrap();
    assert_eq!(
        names(),
        ["desk-2026-10-28.backup.hedui", "desk-2026-10-29.backup.hedui", "desk-notes.txt"],
        "the oldest goes, and nothing else"
    );
    // Nothing of it beside the data.
    let left: Vec<_> =
        std::fs::read_dir(office.data()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".part")), "{left:?}");
    assert_eq!(crate::at_rest::found(&office, &[&number(0), "欧阳建国"]), [""; 0]);

    // One that can't be written is told, in the log and on the first page.
    office.clock.forward(DAY);
    let nowhere = Plan { folder: office.data().join(console::store::FILE).join("x"), ..plan.clone() };
    assert!(nightly::once(&office.console, &nowhere).await.is_err());
    let task = tokio::spawn(nightly::every_night(office.console.clone(), nowhere));
    while !Standing::read(office.console.store()).await.unwrap().is_broken() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    task.abort();
    maker.sign_in().await;
    assert!(maker.get("/").await.text.contains("最近一次备份失败"));
    let mut admin = office.person("gl01", &[Role::Administrator]).await;
    office.console.plan_backups(plan.clone());
    let page = admin.get("/settings").await.text;
    assert!(page.contains("02:30") && page.contains("最近一次备份失败"), "{page}");
    office.clock.forward(60);
    nightly::once(&office.console, &plan).await.unwrap().unwrap();
    assert!(!Standing::read(office.console.store()).await.unwrap().is_broken());
}

#[tokio::test]
async fn declarations_come_in_by_file_whole_or_not_at_all() {
    let office = centre().await;
    let (mut desk, ..) = Desk::asked(&office, &file(2, 2)).await;
    let template = desk.maker.get("/declared/template.csv").await.text;
    let template = template.trim().to_owned() + "\n";
    let row = |household: u32, n: u32, kind: &str, amount: &str, more: &str| {
        format!("WT-1,H-{household},{},{kind},{amount},{more}\n", number(n))
    };
    let mut take = async |text: String| {
        desk.maker.upload("/declared", &[], ("file", "a.csv", text.as_bytes())).await.text
    };
    let bad = template.clone()
        + &row(0, 0, "存款", "1,000.00", "").replace("1,000.00", "\"1,000.00\"")
        + &row(0, 3, "存款", "5", "")
        + &row(7, 0, "存款", "5", "")
        + &row(0, 1, "房子", "5", "")
        + &row(0, 1, "存款", "-5", ",2026-02-30")
        + &row(0, 1, "存款", "", "").replace(&number(1), "110105194912310021");
    let page = take(bad).await;
    assert!(page.contains("有 5 处") || page.contains("有 6 处"), "{page}");
    for told in ["不是模板允许的填法", "不是正确的金额", "不是有效日期", "校验位不符", "没有填写"]
    {
        assert!(page.contains(told), "{told}: {page}");
    }
    let page = take(
        template.clone()
            + &row(0, 3, "存款", "5", "")
            + &row(7, 0, "存款", "5", "")
            + &row(0, 0, "存款", "5", ""),
    )
    .await;
    assert!(page.contains("不是这一户的家庭成员") && page.contains("没有这份委托书的这一户"), "{page}");
    assert!(!page.contains(&number(3)), "never the value");
    assert_eq!(count(&office, "SELECT count(*) FROM declarations").await, 0, "nothing of it");

    let good = template.clone()
        + &row(0, 0, "存款", "12000.5", "第一银行,2026-10-20")
        + &row(0, 0, "存款", "300", "第二银行")
        + &row(1, 3, "fund", "7", "");
    let page = take(good.clone()).await;
    assert!(page.contains("已导入 3 项申报"), "{page}");
    assert_eq!(count(&office, "SELECT count(*) FROM declarations WHERE case_id = 1 AND person = 1").await, 2);
    assert_eq!(count(&office, "SELECT count(*) FROM declarations WHERE case_id = 2 AND person = 4").await, 1);
    let twice = take(good).await;
    assert!(twice.contains("同一项申报已经登记过") && twice.matches("同一项申报").count() == 3, "{twice}");
    assert_eq!(count(&office, "SELECT count(*) FROM declarations").await, 3);
    let review = desk.reviewer.post("/reviews/1/unmask", &[]).await.text;
    assert!(review.contains("12,300.50"), "{review}");
    desk.maker.post("/cases/1/terminate", &[("why", "申请人撤回")]).await;
    let late = desk
        .maker
        .upload("/declared", &[], ("file", "a.csv", (template + &row(0, 1, "存款", "1", "")).as_bytes()))
        .await;
    assert!(late.text.contains("业务已复核或已办结"), "{}", late.text);
    assert_eq!(crate::papers::on_disk(&office, &["12000.5", "12,000.50", "1200050"]), [""; 0]);
}

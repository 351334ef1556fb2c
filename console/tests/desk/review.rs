//! Step 5 over HTTP. What counts as a failure: one officer, one key twice, another's key or a key that has waited
//! too long opens something; an opening without both names in the log; an answer above the agreed level or with
//! more than was asked is kept; somebody confirms what they entered, dispatched or opened, or did not look at; a
//! confirmation that changes afterwards; a figure or name on the disk, or on a screen unasked.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, ORIGIN};
use axum::http::{Method, StatusCode};
use console::review::{self, Outcome};
use console::staff::Role;
use console::store::log;
use desk::{OpenError, Question, open_answers};
use protocol::Document;
use protocol::key_file::{KeyFile, Role as KeyRole};
use protocol::roster::Level;
use protocol::secret::OpeningKey;
use protocol::slot::{AssetKind, Slot};

use crate::at_rest;
use crate::bank::{KEY_PASSPHRASE, Odd, Officer, answer, deposits, hand_in, key_file};
use crate::office::{Office, Person};
use crate::steps::{NAMES, agree, count, dispatch, file, import, make_batch, number, second, the_centre};

/// A desk with three key officers, all of whom have signed in.
struct Centre<'o> {
    maker: Person<'o>,
    other: Person<'o>,
    reviewer: Person<'o>,
    officers: [Officer<'o>; 3],
    batch: String,
}

async fn office() -> Office {
    Office::with(|config| {
        config.centre = Some(the_centre().1);
    })
    .await
}

impl<'o> Centre<'o> {
    /// One household of two, asked about at one bank.
    async fn asked(office: &'o Office) -> Self {
        Self::asked_with(office, &file(1, 2)).await
    }

    async fn asked_with(office: &'o Office, file: &str) -> Self {
        let officers = [
            Officer::new(office, "my01", 21).await,
            Officer::new(office, "my02", 22).await,
            Officer::new(office, "my03", 23).await,
        ];
        let mut maker = office.person("jb01", &[Role::Operator]).await;
        let mut other = office.person("jb02", &[Role::Operator]).await;
        let reviewer = office.person("fh01", &[Role::Reviewer]).await;
        import(&mut maker, file).await;
        agree(&mut maker, |_| {}).await;
        second(&mut other).await;
        let batch = make_batch(&mut maker).await;
        assert_eq!(dispatch(&mut maker, &batch, "L1").await.location(), batch);
        assert_eq!(other.post("/rosters/1/file", &[]).await.status, StatusCode::OK);
        Self { maker, other, reviewer, officers, batch }
    }

    /// The same, answered: the first person has 12,345.67 yuan.
    async fn answered(office: &'o Office) -> Self {
        let mut centre = Self::asked(office).await;
        let bytes = answer(office, 1, Odd::default(), &first_has(1_234_567, 20_261_020)).await;
        let taken = hand_in(&mut centre.other, 1, &bytes).await;
        assert_eq!(taken.location(), centre.batch, "{}", taken.text);
        centre
    }

    async fn opened(office: &'o Office) -> Self {
        let mut centre = Self::answered(office).await;
        centre.open().await;
        centre
    }

    /// Two officers open what there is to open.
    async fn open(&mut self) {
        let batch = self.batch.clone();
        let [first, second, _] = &mut self.officers;
        let waits = first.unlock(&batch).await;
        assert_eq!(waits.location(), batch.replace("batches", "openings"), "{}", waits.text);
        let done = second.open(&batch).await;
        assert_eq!(done.location(), batch.replace("batches", "openings"), "{}", done.text);
    }

    /// What the reviewer's screen shows in full, and what a confirmation of it says.
    async fn look(&mut self) -> (String, String) {
        let page = self.reviewer.post("/reviews/1/unmask", &[]).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let seen = page.text.split_once("name=\"seen\" value=\"").map_or("", |(_, rest)| rest);
        (seen.split('"').next().unwrap().to_owned(), page.text)
    }

    async fn confirm(&mut self) {
        let (seen, _) = self.look().await;
        let done = self.reviewer.post("/reviews/1/confirm", &[("seen", &seen)]).await;
        assert_eq!(done.location(), "/reviews/1", "{}", done.text);
    }
}

fn first_has(minor: i64, day: u32) -> impl Fn(&str) -> Option<Slot> {
    move |who| (who == number(0)).then(|| deposits(minor, day))
}

async fn actors(office: &Office, action: &str) -> Vec<String> {
    let all = log::newest(office.console.store(), 0, 10_000).await.unwrap();
    let found = all.iter().rev().filter(|shown| shown.entry.action.as_str() == action);
    found.map(|shown| shown.entry.actor.to_string()).collect()
}

#[tokio::test]
async fn two_officers_open_and_a_second_person_confirms() {
    let office = office().await;
    let mut centre = Centre::answered(&office).await;
    let sealed = centre.reviewer.get("/reviews/1").await.text;
    assert!(sealed.contains("未启封") && !sealed.contains("id=\"confirm\""));
    centre.open().await;
    assert_eq!(actors(&office, "answer.opened").await, ["my01", "my02"], "both names");
    assert_eq!(actors(&office, "officer.unlocked").await, ["my01", "my02"]);
    let shown = centre.reviewer.get("/openings/1").await.text;
    assert!(shown.contains("职员my01") && shown.contains("职员my02") && shown.contains("没有待启封"));

    // What was declared: three thousand, and a line that the rest is over.
    let declared = [
        ("person", "1"),
        ("kind", "deposit"),
        ("amount", "3,000.00"),
        ("institution", "第一银行"),
        ("date", "2026-10-01"),
    ];
    assert_eq!(centre.maker.post("/reviews/1/declared", &declared).await.location(), "/reviews/1");
    let mut head = office.person("qp01", &[Role::Head]).await;
    let rules = [
        ("title", "低保边缘认定办法"),
        ("from", "2026-01-01"),
        ("stale", "31"),
        ("thin", "10"),
        ("line-0", "货币财产"),
        ("base-0", "100"),
        ("times-0", "36"),
        ("heads-0", "yes"),
        ("kinds-0", "deposit"),
        ("exclusion-0", "因病出售唯一住房所得"),
    ];
    assert_eq!(head.post("/rules", &rules).await.location(), "/rules");

    // Masked until somebody asks, and then it is logged for the case and for each person.
    let masked = centre.reviewer.get("/reviews/1").await.text;
    for secret in [NAMES[0], &number(0), "12,345.67", "3,000.00"] {
        assert!(!masked.contains(secret), "{secret} unasked");
    }
    assert_eq!(actors(&office, "findings.shown").await, [""; 0]);
    let (seen, full) = centre.look().await;
    for shown in [NAMES[0], &number(0), "12,345.67", "3,000.00", "9,345.67", "7,200.00", "先询问本人"] {
        assert!(full.contains(shown), "{shown} is not there: {full}");
    }
    assert_eq!(actors(&office, "findings.shown").await, ["fh01"; 3], "the case and two people");

    // Who entered, sent or opened can't confirm; who did not look can't either.
    let unseen = centre.reviewer.post("/reviews/1/confirm", &[]).await;
    assert!(unseen.text.contains("请先查看"), "{}", unseen.text);
    let done = centre.reviewer.post("/reviews/1/confirm", &[("seen", &seen)]).await;
    assert_eq!(done.location(), "/reviews/1", "{}", done.text);
    assert_eq!(count(&office, "SELECT count(*) FROM cases WHERE state = 'reviewed'").await, 1);

    let store = office.console.store();
    let confirmed = review::confirmed(store, 1).await.unwrap().unwrap();
    assert_eq!(confirmed.by.code.as_str(), "fh01");
    assert_eq!(confirmed.rules.version, 1);
    let source = &confirmed.findings.sources[0];
    let opened = source.answer.as_ref().unwrap();
    assert_eq!(opened.officers.each_ref().map(|o| o.code.as_str()), ["my01", "my02"]);
    assert_eq!(opened.looked.statement.rows, 1_000);
    let [first, second] = confirmed.findings.members.as_slice() else { panic!() };
    assert_eq!((first.name.as_str(), first.number.as_str()), (NAMES[0], number(0).as_str()));
    let finding = first.answers[0].finding.as_ref().unwrap();
    assert_eq!(finding.entries[0].minor, Some(1_234_567));
    assert_eq!(finding.entries[0].kind, "deposit");
    assert_eq!(second.answers[0].outcome, Outcome::NoRecord);
    let codes: Vec<&str> = confirmed.flags.iter().map(|flag| flag.code.as_str()).collect();
    assert_eq!(codes, ["over_line", "ask_first", "over_declared"]);
    assert_eq!((confirmed.flags[0].found, confirmed.flags[0].against), (Some(1_234_567), Some(720_000)));

    // What is confirmed stays as it was, whatever is entered later.
    let late = centre.maker.post("/reviews/1/declared", &declared).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    head.post("/rules", &rules).await;
    let again = review::confirmed(store, 1).await.unwrap().unwrap();
    assert_eq!((again.digest, again.rules.version), (confirmed.digest, 1));

    store.close().await;
    console::store::verify::verify(&office.data()).await.unwrap();
    let (one, two) = (number(0), number(1));
    let needles =
        [NAMES[0], NAMES[1], &one, &two, "1234567", "12345.67", "12,345.67", "300000", KEY_PASSPHRASE];
    assert_eq!(at_rest::found(&office, &needles), [""; 0]);
}

#[tokio::test]
async fn one_officer_alone_opens_nothing() {
    let office = office().await;
    let mut centre = Centre::answered(&office).await;
    let batch = centre.batch.clone();
    let [first, second, third] = &mut centre.officers;

    // Nobody else's key, no centre's key, no wrong passphrase, no other file.
    let theirs = second.file.clone();
    assert!(first.unlock_with(&batch, &theirs, KEY_PASSPHRASE).await.text.contains("不是您账号登记的密钥"));
    let centre_key = key_file(KeyRole::Centre, "my01", 21).write().unwrap();
    let refused = first.unlock_with(&batch, &centre_key, KEY_PASSPHRASE).await;
    assert!(refused.text.contains("不是您账号登记的密钥"));
    let own = first.file.clone();
    assert!(first.unlock_with(&batch, &own, "another's words").await.text.contains("口令不对"));
    assert!(first.unlock_with(&batch, b"{}", KEY_PASSPHRASE).await.text.contains("不是密钥文件"));
    assert_eq!(actors(&office, "officer.refused").await, ["my01"; 4], "each refusal is logged");

    // The same key twice, from one session or another account of the same person, is one key.
    assert_eq!(first.unlock(&batch).await.location(), "/openings/1");
    assert!(first.unlock(&batch).await.text.contains("两名不同的密钥员"));
    let mut twin = Officer::numbered(&office, "my01b", "my01", 24).await;
    assert!(twin.unlock(&batch).await.text.contains("两名不同的密钥员"));
    let same = KeyFile::read(&first.file).unwrap().sealing_key;
    let person = office.officer("my04", "my04", same).await;
    let mut borrowed = Officer { person, file: first.file.clone() };
    assert!(borrowed.unlock(&batch).await.text.contains("两名不同的密钥员"), "another person, the same key");
    assert_eq!(count(&office, "SELECT count(*) FROM openings").await, 0);

    // A key waits ten minutes, and can be taken back by its owner alone.
    assert_eq!(second.person.post("/openings/1/withdraw", &[]).await.status, StatusCode::CONFLICT);
    office.clock.forward(601);
    assert_eq!(second.unlock(&batch).await.location(), "/openings/1", "the first one's key is gone");
    assert_eq!(second.person.post("/openings/1/withdraw", &[]).await.location(), "/openings/1");
    assert_eq!(third.unlock(&batch).await.location(), "/openings/1");
    assert_eq!(count(&office, "SELECT count(*) FROM openings").await, 0);

    // A pair that the roster was not made for opens nothing either.
    let mut stranger = Officer::new(&office, "my05", 25).await;
    let refused = stranger.open(&batch).await;
    assert!(refused.text.contains("名册不是为这两名密钥员生成的"), "{}", refused.text);
    assert_eq!(count(&office, "SELECT count(*) FROM openings").await, 0);
    assert_eq!(count(&office, "SELECT count(*) FROM findings").await, 0);
}

/// Below the pages: with the documents as they lie in the database and one officer's secret key, whatever it is
/// paired with, nothing opens. With the right pair it does.
#[tokio::test]
async fn one_key_fails_cryptographically() {
    let office = office().await;
    let centre = Centre::answered(&office).await;
    let store = office.console.store();
    let key = |n: usize| {
        let file = KeyFile::read(&centre.officers[n].file).unwrap();
        file.unlock(KEY_PASSPHRASE.as_bytes()).unwrap().opening
    };
    let [a, b, c] = [key(0), key(1), key(2)];
    let roster: Vec<u8> =
        sqlx::query_scalar("SELECT document FROM rosters").fetch_one(store.read()).await.unwrap();
    let terms: Vec<u8> =
        sqlx::query_scalar("SELECT document FROM agreements").fetch_one(store.read()).await.unwrap();
    let sealed: Vec<u8> =
        sqlx::query_scalar("SELECT document FROM answers").fetch_one(store.read()).await.unwrap();
    let row = sqlx::query("SELECT * FROM lists").fetch_one(store.read()).await.unwrap();
    let people =
        store.open_cell(&console::dispatch::lists::APPLICANTS, 1, &row, "applicants_sealed").unwrap();
    let open = |officers: &[&OpeningKey]| {
        let terms = Document::read(&terms).unwrap();
        let question = Question::read(&roster, &[terms], &people).unwrap();
        open_answers(&[question], vec![sealed.clone()], &the_centre().1.keys.opening, officers)
    };
    assert!(matches!(open(&[&a]), Err(OpenError::Officers)));
    assert!(matches!(open(&[&a, &a]), Err(OpenError::Officers)));
    for pair in [[&a, &b], [&a, &c], [&b, &c], [&c, &a]] {
        assert_eq!(open(&pair).unwrap().rows[0].minor, Some(1_234_567));
    }

    // The check aside, the seal itself: one key takes one layer off a pair's content key, and what is left is not it.
    // (SPEC §6.4: `keys ‖ coverage ‖ slots`, group by group 32 + 2 × 48 bytes.)
    let answer = Document::<protocol::answer::Answer>::read(&sealed).unwrap();
    let header = &answer.header;
    let binding = protocol::Digest::of(&protocol::label::Label::AnswerBinding.bytes(&[
        header.roster.as_bytes(),
        header.module_sha256.as_bytes(),
        &header.version.to_be_bytes(),
        &header.created.unix().to_be_bytes(),
        answer.signers[0].as_bytes(),
    ]));
    let wrapped = &answer.body[..128];
    let unwrap = |keys: &[&OpeningKey]| {
        protocol::seal::unwrap(protocol::label::Label::ContentKey, binding.as_bytes(), 0, keys, wrapped)
    };
    let whole = unwrap(&[&a, &b]).unwrap();
    assert_eq!(whole.len(), 32, "the pair's content key");
    let half = unwrap(&[&a]).unwrap();
    assert!(
        half.len() > 32 && !half.windows(32).any(|part| part == whole.as_slice()),
        "still sealed to the other"
    );
    for wrong in [vec![&b], vec![&c], vec![&a, &a], vec![&a, &c], vec![&b, &a], vec![&b, &b]] {
        assert!(unwrap(&wrong).is_err());
    }
}

#[tokio::test]
async fn a_first_officer_who_was_shut_out_does_not_count() {
    let office = office().await;
    let mut centre = Centre::answered(&office).await;
    let batch = centre.batch.clone();
    let mut administrator = office.person("gl01", &[Role::Administrator]).await;
    let [first, second, third] = &mut centre.officers;
    first.unlock(&batch).await;
    // my01 is row 1. Shut, and the key that waits is worth nothing.
    assert_eq!(administrator.post("/staff/1", &[("role", "officer")]).await.location(), "/staff");
    let refused = second.unlock(&batch).await;
    assert!(refused.text.contains("账号已停用或变更"), "{}", refused.text);
    assert_eq!(count(&office, "SELECT count(*) FROM openings").await, 0);
    let turned_away = first.unlock(&batch).await;
    assert_eq!(turned_away.status, StatusCode::UNAUTHORIZED, "the session is over");
    // A stale session, and a form of another site.
    office.clock.forward(13 * 3_600);
    assert_eq!(second.unlock(&batch).await.status, StatusCode::UNAUTHORIZED);
    third.person.sign_in().await;
    let mut foreign = third
        .person
        .request(Method::POST, "/openings/1/unlock")
        .header(CONTENT_TYPE, "multipart/form-data; boundary=edge")
        .body(Body::empty())
        .unwrap();
    foreign.headers_mut().insert(ORIGIN, "http://elsewhere.example".parse().unwrap());
    assert_eq!(third.person.send(foreign).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn nobody_confirms_their_own_work() {
    let office = office().await;
    let mut centre = Centre::opened(&office).await;
    // Second accounts of those who entered, sent and opened, all of them reviewers.
    for (code, number) in [("jb01r", "jb01"), ("jb02r", "jb02"), ("my01r", "my01"), ("my02r", "my02")] {
        let mut own = office.person_numbered(code, &[Role::Reviewer], number).await;
        let page = own.post("/reviews/1/unmask", &[]).await.text;
        assert!(page.contains("id=\"own\"") && !page.contains("id=\"confirm\""), "{code}");
        let (seen, _) = centre.look().await;
        let refused = own.post("/reviews/1/confirm", &[("seen", &seen)]).await;
        assert!(refused.text.contains("须由另一人复核"), "{code}: {}", refused.text);
    }
    // Whoever entered a declaration, too.
    let mut third = office.person_numbered("jb03", &[Role::Operator], "fh01").await;
    third.post("/reviews/1/declared", &[("person", "1"), ("kind", "fund"), ("amount", "1")]).await;
    let (seen, _) = centre.look().await;
    assert_eq!(seen, "", "the reviewer has become one of those who entered");
    assert_eq!(count(&office, "SELECT count(*) FROM reviews").await, 0);
    // The third officer opened nothing.
    let mut free = office.person_numbered("my03r", &[Role::Reviewer], "my03").await;
    let page = free.post("/reviews/1/unmask", &[]).await;
    let seen = page.between("name=\"seen\" value=\"", "\"");
    assert_eq!(free.post("/reviews/1/confirm", &[("seen", &seen)]).await.location(), "/reviews/1");
}

#[tokio::test]
async fn what_changed_since_the_look_is_not_confirmed() {
    let office = office().await;
    let mut centre = Centre::opened(&office).await;
    let (seen, _) = centre.look().await;
    centre.maker.post("/reviews/1/declared", &[("person", "1"), ("kind", "fund"), ("amount", "1")]).await;
    let refused = centre.reviewer.post("/reviews/1/confirm", &[("seen", &seen)]).await;
    assert!(refused.text.contains("有变动"), "{}", refused.text);
    assert!(centre.maker.post("/reviews/1/strike", &[("item", "1")]).await.status.is_redirection());
    let done = centre.reviewer.post("/reviews/1/confirm", &[("seen", &seen)]).await;
    assert_eq!(done.location(), "/reviews/1", "as it was: {}", done.text);
}

#[tokio::test]
async fn an_answer_above_the_level_is_refused_and_shown() {
    let office = office().await;
    let mut centre = Centre::asked(&office).await;
    let over = Odd { level: Some(Level::L2), ..Odd::default() };
    let bytes = answer(&office, 1, over, &first_has(1_234_567, 20_261_020)).await;
    let refused = hand_in(&mut centre.other, 1, &bytes).await;
    assert!(refused.text.contains("级别超过协议约定"), "{}", refused.text);
    hand_in(&mut centre.other, 1, &bytes).await;
    assert_eq!(count(&office, "SELECT count(*) FROM answers").await, 0);
    assert_eq!(count(&office, "SELECT count(*) FROM refusals").await, 1, "noted once");
    let board = centre.other.get(&centre.batch).await.text;
    assert!(board.contains("拒收的答复") && board.contains("级别超过协议约定"));
    // What somebody else signed says nothing of the bank.
    let mut forged = bytes.clone();
    let at = forged.len() - 1;
    forged[at] ^= 1;
    hand_in(&mut centre.other, 1, &forged).await;
    assert_eq!(count(&office, "SELECT count(*) FROM answers").await, 0);

    // The level fits, and the slots say what was not asked: "no record", and an amount nevertheless.
    let chatty = |who: &str| first_has(1_234_567, 20_261_020)(who).map(|slot| Slot { found: false, ..slot });
    let bytes = answer(&office, 1, Odd::default(), &chatty).await;
    assert_eq!(hand_in(&mut centre.other, 1, &bytes).await.location(), centre.batch);
    centre.open().await;
    assert_eq!(count(&office, "SELECT count(*) FROM findings").await, 0, "nothing of it is kept");
    assert_eq!(actors(&office, "answer.refused").await, ["jb02", "my01", "my02"]);
    let page = centre.reviewer.get("/reviews/1").await.text;
    assert!(page.contains("内容超出协议约定"), "{page}");
    let board = centre.other.get(&centre.batch).await.text;
    assert!(board.contains("内容超出协议约定"));

    // The bank answers anew, and that counts.
    let better = Odd { version: Some(2), ..Odd::default() };
    let bytes = answer(&office, 1, better, &first_has(1_234_567, 20_261_020)).await;
    assert_eq!(hand_in(&mut centre.other, 1, &bytes).await.location(), centre.batch);
    centre.open().await;
    centre.confirm().await;
    let confirmed = review::confirmed(office.console.store(), 1).await.unwrap().unwrap();
    assert_eq!(confirmed.findings.sources[0].answer.as_ref().unwrap().version, 2);
}

#[tokio::test]
async fn what_there_is_to_look_at_is_shown() {
    let office = office().await;
    let mut centre = Centre::asked(&office).await;
    // A stale balance under another name, an account without amount, a debt, and 50 of 1,000 rows set aside.
    let odd = Odd { set_aside: 50, ..Odd::default() };
    let found = |who: &str| {
        let mut slot = first_has(1_234_567, 20_250_101)(who)?;
        slot.name_flags = 0b1000;
        slot.totals[0].blank = 1;
        slot.totals[0].accounts = 2;
        let loan = protocol::slot::Total { kind: AssetKind::Loan, minor: 99_900, ..slot.totals[0] };
        slot.totals.push(loan);
        Some(slot)
    };
    let bytes = answer(&office, 1, odd, &found).await;
    hand_in(&mut centre.other, 1, &bytes).await;
    centre.open().await;
    let (_, page) = centre.look().await;
    for shown in [
        "姓名不一致",
        "余额日期偏离",
        "搁置 50 / 读入 1,000 行",
        "有账户无金额",
        "号码被遮盖",
        "负债",
        "没有登记申报",
    ] {
        assert!(page.contains(shown), "{shown} is not there");
    }
    // What is owed is not netted, and is no asset.
    assert!(page.contains("999.00") && !page.contains("11,346.67"));
}

#[tokio::test]
async fn who_withdrew_before_the_opening_is_not_read() {
    let office = office().await;
    let mut centre = Centre::answered(&office).await;
    centre.maker.post("/authorisations/1/end", &[("code", "withdrawn")]).await;
    centre.open().await;
    let (_, page) = centre.look().await;
    assert!(page.contains("已撤回授权") && !page.contains("12,345.67"), "{page}");
}

#[tokio::test]
async fn sent_back_past_the_guard_and_asked_once_more() {
    let office = office().await;
    let mut centre = Centre::opened(&office).await;
    let none = centre.reviewer.post("/reviews/1/back", &[("why", "名册有误")]).await;
    assert!(none.text.contains("请勾选"), "{}", none.text);
    let stranger = centre.reviewer.post("/reviews/1/back", &[("why", "x"), ("whom", "99:bank-1")]).await;
    assert_eq!(stranger.status, StatusCode::CONFLICT);
    let back = [("why", "银行来电更正"), ("whom", "1:bank-1")];
    assert_eq!(centre.reviewer.post("/reviews/1/back", &back).await.location(), "/reviews/1");
    assert_eq!(count(&office, "SELECT count(*) FROM cases WHERE state = 'accepted'").await, 1);
    assert!(centre.reviewer.get("/reviews?state=accepted").await.text.contains("/reviews/1"));

    // The same day: the person named goes with the next batch, and only that person.
    let batch = make_batch(&mut centre.maker).await;
    assert_eq!(batch, "/batches/2");
    assert_eq!(dispatch(&mut centre.maker, &batch, "L1").await.location(), batch);
    assert_eq!(count(&office, "SELECT people FROM rosters WHERE id = 2").await, 1);
    assert_eq!(count(&office, "SELECT person FROM roster_people WHERE roster = 2").await, 1);
    centre.other.post("/rosters/2/file", &[]).await;
    let corrected = first_has(7_777_700, 20_261_020);
    let bytes = answer(&office, 2, Odd::default(), &corrected).await;
    assert_eq!(hand_in(&mut centre.other, 2, &bytes).await.location(), batch);
    assert_eq!(count(&office, "SELECT count(*) FROM cases WHERE state = 'matched'").await, 1);
    centre.batch = batch;
    centre.open().await;
    let (_, page) = centre.look().await;
    assert!(page.contains("77,777.00") && !page.contains("12,345.67"), "the later answer counts: {page}");
    centre.confirm().await;
    let confirmed = review::confirmed(office.console.store(), 1).await.unwrap().unwrap();
    let outcomes: Vec<Outcome> =
        confirmed.findings.members.iter().map(|member| member.answers[0].outcome).collect();
    assert_eq!(outcomes, [Outcome::Found, Outcome::NoRecord], "the other's answer is the first batch's");
    // Nothing is asked twice by the same word.
    let waiting = console::dispatch::batch::waiting(office.console.store(), office.console.now().unwrap())
        .await
        .unwrap();
    assert!(waiting.is_empty());
}

#[tokio::test]
async fn a_roster_nobody_answers_is_given_up_and_flagged() {
    let office = office().await;
    let mut centre = Centre::asked(&office).await;
    assert_eq!(centre.other.post("/rosters/1/close", &[]).await.location(), centre.batch);
    assert_eq!(centre.other.post("/rosters/1/close", &[]).await.status, StatusCode::CONFLICT);
    assert_eq!(count(&office, "SELECT count(*) FROM cases WHERE state = 'matched'").await, 1);
    centre.confirm().await;
    let store = office.console.store();
    let confirmed = review::confirmed(store, 1).await.unwrap().unwrap();
    assert_eq!(confirmed.findings.members[0].answers[0].outcome, Outcome::GivenUp);
    assert!(confirmed.flags.iter().any(|flag| flag.code == "no_answer"));
    // It comes after all: taken and opened, and what was confirmed stays.
    let bytes = answer(&office, 1, Odd::default(), &first_has(5_00, 20_261_020)).await;
    assert_eq!(hand_in(&mut centre.other, 1, &bytes).await.location(), centre.batch);
    centre.open().await;
    let again = review::confirmed(store, 1).await.unwrap().unwrap();
    assert_eq!(again.findings.members[0].answers[0].outcome, Outcome::GivenUp);
    let (_, page) = centre.look().await;
    assert!(page.contains(">5.00<"), "{page}");
}

#[tokio::test]
async fn exclusions_need_a_rule_and_evidence() {
    let office = office().await;
    let mut centre = Centre::opened(&office).await;
    let fields = [("person", "1"), ("reason", "E1"), ("amount", "12000"), ("note", "住院")];
    let pdf = b"%PDF-1.7 sale of the home";
    let path = "/reviews/1/excluded";
    let early = centre.maker.upload(path, &fields, ("evidence", "a.pdf", pdf)).await;
    assert!(early.text.contains("没有这一情形"));
    let mut head = office.person("qp01", &[Role::Head]).await;
    let bad = head.post("/rules", &[("title", "x"), ("line-0", "货币财产"), ("base-0", "-1")]).await.text;
    assert!(bad.contains("不是正确的金额") && bad.contains("不是有效日期"), "all at once: {bad}");
    let rules = [
        ("title", "低保边缘认定办法"),
        ("from", "2026-01-01"),
        ("stale", "31"),
        ("thin", "10"),
        ("line-0", "货币财产"),
        ("base-0", "100"),
        ("times-0", "1.5"),
        ("heads-0", "no"),
        ("kinds-0", "deposit"),
        ("exclusion-0", "因病出售唯一住房所得"),
    ];
    head.post("/rules", &rules).await;
    let (_, page) = centre.look().await;
    assert!(page.contains("查得 12,345.67，标准 150.00"), "{page}");
    let bare = centre.maker.post(path, &fields).await;
    assert!(bare.text.contains("须附证据"), "{}", bare.text);
    let done = centre.maker.upload(path, &fields, ("evidence", "a.pdf", pdf)).await;
    assert_eq!(done.location(), "/reviews/1", "{}", done.text);
    let (_, page) = centre.look().await;
    assert!(page.contains("查得 345.67，标准 150.00"), "{page}");
    assert_eq!(at_rest::found(&office, &["sale of the home", "住院"]), [""; 0]);
}

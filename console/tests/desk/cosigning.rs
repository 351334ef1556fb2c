//! Rosters that a township signs as well: it rebuilds them, on its own side, from the table that it handed over or from a
//! list that it keeps, and the desk's part is to hand out what that needs and to take the signed roster back.

use axum::http::StatusCode;
use console::staff::Role;
use desk::defect::Code;
use desk::{Applicants, CosignError, cosigning};
use protocol::Document;
use protocol::agreement::Agreement;
use protocol::cosigning::CosignerJoining;
use protocol::envelope;
use protocol::key_file::Keys;
use protocol::roster::Roster;
use protocol::secret::SigningKey;
use sqlx::Row as _;

use crate::bank::{Odd, Officer, answer, deposits, hand_in};
use crate::office::{Office, Person};
use crate::papers::centre;
use crate::steps::{agree, count, dispatch, file, import, keys, make_batch, number, second};

const TOWNSHIP: u8 = 5;
const VARIANT: &str = "阿依古丽・买买提";

/// Two households of two: one person had other numbers, one has a name with a middle dot.
fn table() -> String {
    let former = format!("{},H12345678；110105491231002,", number(1));
    file(2, 2).replace(&format!("{},,", number(1)), &former).replace("诸葛小平", VARIANT)
}

fn joining(of: &Keys, signer: &SigningKey) -> Vec<u8> {
    let header = CosignerJoining {
        code: "township-1".parse().unwrap(),
        issued: "2026-10-01T00:00:00Z".parse().unwrap(),
        name: "城关镇人民政府".parse().unwrap(),
        sealing_key: of.opening.public(),
        signing_key: of.signing.public(),
    };
    envelope::write(&header, b"", &[signer]).unwrap()
}

async fn register(person: &mut Person<'_>, joining: &[u8]) -> crate::office::Reply {
    person.upload("/cosigners", &[], ("joining", "township.joining.hedui", joining)).await
}

/// What the township has before it: roster and request, as they were downloaded.
struct Handed {
    roster: Vec<u8>,
    request: Vec<u8>,
    agreement: Vec<u8>,
}

impl Handed {
    async fn from(person: &mut Person<'_>, roster: i64) -> Self {
        let file = person.post(&format!("/rosters/{roster}/file"), &[]).await;
        let request = person.post(&format!("/rosters/{roster}/cosign-request"), &[]).await;
        assert_eq!((file.status, request.status), (StatusCode::OK, StatusCode::OK), "{}", request.text);
        let name = request.headers.get("content-disposition").unwrap().to_str().unwrap().to_owned();
        assert!(name.contains(".cosign-request.hedui"), "{name}");
        let agreement = sqlx::query("SELECT document FROM agreements WHERE id = 1")
            .fetch_one(person.office.console.store().read())
            .await
            .unwrap()
            .get("document");
        Self { roster: file.bytes, request: request.bytes, agreement }
    }

    /// The roster with the township's signature, if its list gives that roster.
    fn signed(&self, list: &str) -> Result<Vec<u8>, CosignError> {
        let issued = Document::<Roster>::read(&self.roster).unwrap().header.issued;
        let agreement = Document::<Agreement>::read(&self.agreement).unwrap().check(issued.date()).unwrap();
        let list = Applicants::read(list.as_bytes(), issued.date()).unwrap();
        let township = keys(TOWNSHIP);
        let rebuilt = cosigning::rebuild(&self.roster, &self.request, &agreement, &list, &township, issued)?;
        Ok(rebuilt.sign().unwrap())
    }
}

async fn logged(office: &Office, action: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM log WHERE entry LIKE ?")
        .bind(format!("%\"{action}\"%"))
        .fetch_one(office.console.store().read())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_dispatch_that_a_township_signs() {
    let office = centre().await;
    let _officers = [Officer::new(&office, "my01", 21).await, Officer::new(&office, "my02", 22).await];
    let mut maker = office.person("jb01", &[Role::Operator]).await;
    let mut other = office.person("jb02", &[Role::Operator]).await;
    let township = keys(TOWNSHIP);
    assert!(!maker.get("/institutions").await.text.contains("加签单位"), "nobody asks for one yet");
    import(&mut maker, &table()).await;
    agree(&mut maker, |t| t.cosigner_key = Some(township.signing.public())).await;
    second(&mut other).await;
    // As a form of the desk may have it: the kinds in another order than the township's table.
    sqlx::query("UPDATE authorisations SET kinds = 'securities,bank' WHERE id = 1")
        .execute(office.console.store().read())
        .await
        .unwrap();
    let batch = make_batch(&mut maker).await;
    dispatch(&mut maker, &batch, "L1").await;

    // Its keys come from it, once, and another person confirms them.
    let ask = "/rosters/1/cosign-request";
    assert!(maker.post(ask, &[]).await.text.contains("还没有登记并确认加签单位"));
    let stranger = keys(6);
    assert!(register(&mut maker, &joining(&stranger, &stranger.signing)).await.text.contains("没有协议写明"));
    assert!(
        register(&mut maker, &joining(&township, &stranger.signing)).await.text.contains("签名者不是约定")
    );
    assert!(register(&mut maker, b"no document").await.text.contains("无法读取"));
    let own = joining(&township, &township.signing);
    assert_eq!(register(&mut maker, &own).await.location(), "/institutions");
    assert!(register(&mut maker, &own).await.text.contains("已经登记过"));
    assert!(maker.post(ask, &[]).await.text.contains("还没有登记并确认加签单位"));
    assert!(maker.post("/cosigners/1/confirm", &[]).await.text.contains("自己经办"));
    assert!(other.get("/institutions").await.text.contains("/cosigners/1/confirm"));
    assert_eq!(other.post("/cosigners/1/confirm", &[]).await.location(), "/institutions");
    assert!(maker.get("/institutions").await.text.contains("城关镇人民政府"));

    // What leaves tells a stranger nothing, and each time is logged.
    let handed = Handed::from(&mut maker, 1).await;
    for value in [number(0), "11010519491231002X".to_owned(), VARIANT.to_owned(), "SQ-0".to_owned()] {
        assert!(!handed.request.windows(value.len()).any(|bytes| bytes == value.as_bytes()), "{value}");
    }
    assert_eq!(logged(&office, "roster.cosign-request").await, 1);
    Handed::from(&mut maker, 1).await;
    assert_eq!(logged(&office, "roster.cosign-request").await, 2);

    // The table that the township handed over gives the roster, with its other rows; so does a list that it keeps.
    let mut whole = table();
    whole.push_str(&file(1, 1).lines().nth(1).unwrap().replace(&number(0), &number(77)));
    let signed = handed.signed(&whole).unwrap();
    let scope = "\"bank,securities:L1\"";
    let kept = format!(
        "授权名单,,,,,\n姓名,证件号码（必填）,授权书编号,授权范围,授权截止,曾用证件号\n\
         慕容志强,{},SQ-3,{scope},2026年12月31日,\n 　{VARIANT} ,'{},SQ-2,{scope},长期,\n\
         司徒美兰,{},SQ-1,{scope},,H12345678 11010519491231002X\n欧阳建国,{},SQ-0,{scope},,\n",
        number(3),
        number(2),
        number(1),
        number(0)
    );
    assert_eq!(handed.signed(&kept).unwrap(), signed, "one signature, whichever list it comes of");

    // Back at the desk it goes its way.
    assert_eq!(maker.upload("/rosters/1/cosigned", &[], ("document", "r", &signed)).await.location(), batch);
    assert!(maker.post(ask, &[]).await.text.contains("当前的状态"), "it waits for no signature any more");
    assert_eq!(other.post("/rosters/1/file", &[]).await.bytes, signed);
    let found = |who: &str| (who == number(0)).then(|| deposits(100, 20_261_020));
    let answered = answer(&office, 1, Odd::default(), &found).await;
    assert_eq!(hand_in(&mut other, 1, &answered).await.location(), batch);
    assert_eq!(count(&office, "SELECT count(*) FROM rosters WHERE state = 'answered'").await, 1);
    assert_eq!(logged(&office, "cosigner.added").await + logged(&office, "cosigner.confirmed").await, 2);
    console::store::verify::verify(&office.data()).await.unwrap();
}

#[tokio::test]
async fn what_the_township_has_otherwise_is_named_by_its_line() {
    let office = centre().await;
    let _officers = [Officer::new(&office, "my01", 21).await, Officer::new(&office, "my02", 22).await];
    let mut maker = office.person("jb01", &[Role::Operator]).await;
    let mut other = office.person("jb02", &[Role::Operator]).await;
    let township = keys(TOWNSHIP);
    import(&mut maker, &table()).await;
    agree(&mut maker, |t| t.cosigner_key = Some(township.signing.public())).await;
    register(&mut maker, &joining(&township, &township.signing)).await;
    second(&mut other).await;
    other.post("/cosigners/1/confirm", &[]).await;
    let batch = make_batch(&mut maker).await;
    dispatch(&mut maker, &batch, "L1").await;
    let handed = Handed::from(&mut maker, 1).await;
    let differs = |list: &str| {
        let CosignError::Differs(found) = handed.signed(list).unwrap_err() else { panic!() };
        let rows: Vec<_> = found.rows.iter().map(|row| (row.row, row.code)).collect();
        (found.missing, rows)
    };
    let table = table();
    let without = table.lines().filter(|line| !line.contains(&number(3))).collect::<Vec<_>>().join("\n");
    assert_eq!(differs(&without), (1, vec![]));
    assert_eq!(differs(&table.replace("SQ-2,", "SQ-9,")), (0, vec![(4, Code::OtherForm)]));
    let narrower = table.replacen("银行、证券", "银行", 1);
    assert_eq!(differs(&narrower), (0, vec![(2, Code::OtherForm)]));
    assert_eq!(differs(&table.replace("H12345678；", "")), (0, vec![(3, Code::MoreNumbers)]));
    assert_eq!(differs(&table.replace("慕容志强", "慕容志坚")), (0, vec![(5, Code::OtherName)]));

    // A trial has nobody of the township's: the list that it is rebuilt from comes with it.
    let one_time = maker.one_time();
    let fields = [("institution", "1"), ("level", "L1"), ("one_time", one_time.as_str())];
    let trial = maker.post("/trials", &fields).await.location().to_owned();
    let list = maker.get(&format!("{trial}/applicants.csv")).await.text;
    let handed = Handed::from(&mut maker, 2).await;
    assert!(matches!(handed.signed(&table), Err(CosignError::Differs(found)) if found.missing == 12));
    let signed = handed.signed(&list).unwrap();
    let taken = maker.upload("/rosters/2/cosigned", &[], ("document", "r", &signed)).await;
    assert!(taken.location().starts_with("/batches/"), "{}", taken.text);
}

//! A hit is never lost to spelling, on any runner. A failure is a row of a person on the roster that is not found,
//! or that is found for somebody else.

use desk::ResultTable;
use e2e::exchange::{self, ALICE, BOB, Centre, HEADING, Setup, ask_about};
use e2e::module::OpenRequest;
use e2e::script::{self, Everywhere, Script};
use protocol::joining::InstitutionKind;

/// Each spells the number of [`ALICE`].
const SPELLINGS: [&str; 22] = [
    "11010519491231002X",
    "11010519491231002x",
    "１１０１０５１９４９１２３１００２Ｘ",
    "１１０１０５１９４９１２３１００２ｘ",
    " 110105 19491231 002X ",
    "\u{3000}110105\u{A0}19491231\u{2003}002X",
    "\t11010519491231002X",
    "11010519491231002X\t",
    "=\"11010519491231002X\"",
    "\"=\"\"11010519491231002X\"\"\"",
    "\"\t11010519491231002X\"",
    "'11010519491231002X",
    "’11010519491231002X",
    "110105-19491231-002X",
    "110105–19491231－002X",
    "11010519491231002Х", // Cyrillic
    "11010519491231002×",
    "11010519491231002Ⅹ",
    "11010519491231002*",
    "\u{FEFF}11010519491231002X\u{200B}",
    "110105491231002", // 15 digits
    "=\"１１０１０５４９１２３１００２\"",
];

/// Who was found, by row of the applicants' file (the heading is row 1), and the sum in minor units.
fn hits(table: &ResultTable) -> Vec<(u32, String, Option<i64>)> {
    let found = table.rows.iter().filter(|row| row.found == Some(true));
    found.map(|row| (row.applicant_row, row.id_number.clone(), row.minor)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hit_is_never_lost_to_spelling() {
    let everywhere = Everywhere::start().await;
    let (centre, relation, applicants) = ask_about(Setup::default(), &[BOB, ALICE]);
    for spelling in SPELLINGS {
        let file = format!("{HEADING}张三,{spelling},12.34,2026-10-31\n");
        let script = Script::run(spelling, &OpenRequest::new(&relation), file.as_bytes(), 3);
        let answer = script::answer(&everywhere.play(&script).await);
        let table = exchange::open(&centre, &relation, &applicants, vec![answer], &[0]).unwrap();
        assert_eq!(hits(&table), [(3, ALICE.1.to_owned(), Some(1_234))], "{spelling}");
        assert!(table.rows.iter().any(|row| row.applicant_row == 2 && row.found == Some(false)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_former_number_finds_its_person() {
    let everywhere = Everywhere::start().await;
    let csv = "姓名,证件号码,曾用证件号,授权书编号\n王五,110105194912310038,,SQ-0\n张三,11010519491231002X,440524188001010014,SQ-1\n";
    let centre = Centre::new(Setup::default());
    let relation = centre.ask("bank-x", InstitutionKind::Bank, 1, csv.as_bytes());
    let file =
        format!("{HEADING}张三,440524188001010014,1,2026-10-31\n张三,11010519491231002X,2,2026-10-31\n");
    let script = Script::run("former", &OpenRequest::new(&relation), file.as_bytes(), 1_000);
    let answer = script::answer(&everywhere.play(&script).await);
    let table = exchange::open(&centre, &relation, csv.as_bytes(), vec![answer], &[0]).unwrap();
    assert_eq!(hits(&table), [(3, ALICE.1.to_owned(), Some(300))]);
    let row = table.rows.iter().find(|row| row.minor.is_some()).unwrap();
    assert_eq!(
        (row.accounts, row.matched.as_slice()),
        (Some(2), ["current".to_owned(), "former:1".to_owned()].as_slice())
    );
}

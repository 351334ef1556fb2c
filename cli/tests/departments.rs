//! Other departments, through the built module: a table sealed by `hedui seal-file`, matched in the desk, opened by two
//! officers, in the report. What counts as a failure: a file that is another's, altered or cut and is matched; a person
//! who withdrew and is matched; anything of the table in clear on the disk; a figure that is not the table's.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    dead_code,
    reason = "helpers of tests, which stop at the first surprise"
)]

#[path = "../../console/tests/desk/bank.rs"]
mod bank;
#[path = "../src/modules.rs"]
mod modules;
#[path = "../../console/tests/desk/office.rs"]
mod office;
#[path = "../../console/tests/desk/steps.rs"]
mod steps;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bank::Officer;
use console::staff::Role;
use console::store::verify;
use modules::DeskModules;
use office::{Office, Person};
use protocol::agreement::{Agreement, AgreementInForce};
use protocol::joining::{InstitutionKind, JoiningRequest};
use protocol::key_file::{KeyFile, Keys, Role as KeyRole};
use protocol::secret::Entropy;
use protocol::value::Date;
use protocol::{Document, Time, base_data, envelope};
use steps::{count, dispatch, file, import, make_batch, number, second, the_centre};
use tempfile::TempDir;

const WORDS: &str = "housing's words";

async fn office() -> Office {
    let artifact = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/artifact").join(name);
    let modules = DeskModules::new(artifact("matcher.wasm"), artifact("reader.wasm"));
    let office = Office::with(|config| {
        config.modules = Some(Arc::new(modules));
        config.centre = Some(the_centre().1);
    })
    .await;
    // The command line has the computer's clock; what it seals must not come from the desk's future.
    office.clock.set(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
    office
}

/// A department with its key file in a folder of its own.
struct Department {
    folder: TempDir,
    keys: Keys,
    joining: Vec<u8>,
}

impl Department {
    fn new(code: &str, n: u8, now: Time) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let entropy = Entropy::new(&[n; 32]).unwrap();
        let (code, name) = (code.parse().unwrap(), "住房和城乡建设局".parse().unwrap());
        let (file, keys) =
            KeyFile::make(KeyRole::Institution, code, name, WORDS.as_bytes(), &entropy).unwrap();
        std::fs::write(folder.path().join("key"), file.write().unwrap()).unwrap();
        std::fs::write(folder.path().join("words"), WORDS).unwrap();
        let request = JoiningRequest {
            code: file.code,
            issued: now,
            kind: InstitutionKind::Department,
            name: file.name,
            sealing_key: keys.opening.public(),
            signing_key: keys.signing.public(),
        };
        let joining = envelope::write(&request, b"", &[&keys.signing]).unwrap();
        Self { folder, keys, joining }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn register(&self, clerk: &mut Person<'_>, content: &str, today: Date) {
        let from = today.to_string();
        let to = Date::from_days(today.days() + 300).unwrap().to_string();
        let fields =
            [("content", content), ("level", "L1"), ("number", "协-住-1"), ("from", &from), ("to", &to)];
        let reply = clerk.upload("/departments", &fields, ("joining", "j.hedui", &self.joining)).await;
        assert_eq!(reply.location(), "/departments", "{}", reply.text);
    }

    /// By `hedui seal-file`.
    fn seal(&self, table: &str, day: Date) -> Vec<u8> {
        std::fs::write(self.path("table.csv"), table).unwrap();
        let sealed = Command::new(env!("CARGO_BIN_EXE_hedui"))
            .args(["seal-file", "--force", "--day", &day.to_string(), "--agreement"])
            .arg(self.path("agreement"))
            .arg("--key")
            .arg(self.path("key"))
            .arg("--passphrase-file")
            .arg(self.path("words"))
            .arg("--out")
            .arg(self.path("sealed"))
            .arg(self.path("table.csv"))
            .output()
            .unwrap();
        assert!(sealed.status.success(), "{}", String::from_utf8_lossy(&sealed.stderr));
        std::fs::read(self.path("sealed")).unwrap()
    }
}

/// Hands a sealed file in; gives the page it led to.
async fn hand_in(person: &mut Person<'_>, roster: i64, bytes: &[u8]) -> String {
    let path = format!("/rosters/{roster}/base-data");
    let reply = person.upload(&path, &[], ("document", "housing.base-data.hedui", bytes)).await;
    let at = reply.location().to_owned();
    assert!(at.starts_with("/work/"), "{}", reply.text);
    loop {
        let page = person.get(&at).await;
        if page.headers.get("refresh").is_none() {
            return if page.location().is_empty() { page.text } else { page.location().to_owned() };
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Person n of the batch has a house worth 100,000.01 + n yuan, but for the odd ones; two hundred others have one, too.
fn table() -> String {
    let mut table = "姓名,证件号码,金额\n".to_owned();
    for n in (0..6).step_by(2).chain(1_000..1_200) {
        table.push_str(&format!("查无此人{n},{},{}.01\n", number(n), 100_000 + n));
    }
    table
}

fn text_of(pdf: &[u8]) -> String {
    let mut program = Command::new("pdftotext")
        .args(["-layout", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("pdftotext: {error}; install poppler-utils"));
    let (mut stdin, pdf) = (program.stdin.take().unwrap(), pdf.to_vec());
    let writer = std::thread::spawn(move || stdin.write_all(&pdf));
    let output = program.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Looks for bytes in every file under a folder.
fn holds(folder: &Path, wanted: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, wanted);
        }
        std::fs::read(path).unwrap().windows(wanted.len()).any(|window| window == wanted)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_s_table_is_matched_in_the_desk_and_stands_in_the_report() {
    let office = office().await;
    let today = office.console.today().unwrap();
    let mut officers = [Officer::new(&office, "my01", 21).await, Officer::new(&office, "my02", 22).await];
    let mut maker = office.person("jb01", &[Role::Operator]).await;
    let mut other = office.person("jb02", &[Role::Operator]).await;
    let mut reviewer = office.person("fh01", &[Role::Reviewer]).await;
    let mut head = office.person("qp01", &[Role::Head]).await;
    // The last person's authorisation does not speak of departments.
    let people = file(3, 2).replace("银行、证券", "银行、部门");
    let (before, last) = people.trim_end().rsplit_once('\n').unwrap();
    let people = format!("{before}\n{}\n", last.replace("部门", "证券"));
    assert!(import(&mut maker, &people).await.contains("id=\"done\""));

    let housing = Department::new("housing", 31, office.console.now().unwrap());
    housing.register(&mut maker, "house", today).await;
    // Nothing is asked before another person has confirmed it.
    other.post("/cases/accept", &[]).await;
    let batch = make_batch(&mut maker).await;
    assert!(dispatch(&mut maker, &batch, "L1").await.text.contains("协议"));
    let own = maker.post("/agreements/1/confirm", &[]).await;
    assert_ne!(own.location(), "/institutions", "nobody confirms the own entry");
    assert_eq!(other.post("/agreements/1/confirm", &[]).await.location(), "/institutions");
    let agreement = other.get("/departments/1/agreement").await.bytes;
    std::fs::write(housing.path("agreement"), &agreement).unwrap();
    let day = Date::from_days(today.days() - 10).unwrap();
    let sealed = housing.seal(&table(), day);
    assert!(!sealed.windows(18).any(|window| window == number(0).as_bytes()));

    assert_eq!(dispatch(&mut maker, &batch, "L1").await.location(), batch);
    assert_eq!(count(&office, "SELECT people FROM rosters WHERE id = 1").await, 5, "one is out of scope");
    // Who made the roster does not put the question.
    assert!(hand_in(&mut maker, 1, &sealed).await.contains("另一"), "own work");

    // Hostile files: each refused, and the field named.
    let now = office.console.now().unwrap();
    let in_force = |bytes: &[u8]| Document::<Agreement>::read(bytes).unwrap().check(today).unwrap();
    let entropy = Entropy::new(&[8; 32]).unwrap();
    let made_at = |created: Time, terms: &AgreementInForce, keys: &Keys, day: Date, clear: &str| {
        base_data::seal(terms, &keys.signing, day, created, clear.as_bytes(), &entropy).unwrap()
    };
    let made =
        |terms: &AgreementInForce, keys: &Keys, day: Date, clear: &str| made_at(now, terms, keys, day, clear);
    // A clock that goes a day ahead is believed, the day is not.
    let ahead = Time::from_unix(now.unix() + 86_400).unwrap();
    let theirs = in_force(&agreement);
    let mut altered = sealed.clone();
    *altered.last_mut().unwrap() ^= 1;
    let mut elsewhere = theirs.clone();
    elsewhere.terms.centre.sealing_key = housing.keys.opening.public();
    let mut tax = theirs.clone();
    tax.terms.institution.code = "tax".parse().unwrap();
    let mut older = theirs.clone();
    older.digest = protocol::Digest([1; 32]);
    let tomorrow = Date::from_days(today.days() + 1).unwrap();
    for (name, bytes, field) in [
        ("cut", sealed[..sealed.len() - 9].to_vec(), "（body）"),
        ("longer", [&sealed[..], b"x"].concat(), "（body）"),
        ("altered", altered, "（body_sha256）"),
        ("not one", agreement.clone(), "（type）"),
        ("for another centre", made(&elsewhere, &housing.keys, day, &table()), "（recipient）"),
        ("another department's", made(&tax, &housing.keys, day, &table()), "（institution）"),
        ("under another agreement", made(&older, &housing.keys, day, &table()), "（agreement）"),
        ("forged", made(&theirs, &steps::keys(77), day, &table()), "（signature）"),
        ("of tomorrow", made_at(ahead, &theirs, &housing.keys, tomorrow, &table()), "（day）"),
    ] {
        let page = hand_in(&mut other, 1, &bytes).await;
        assert!(page.contains(field), "{name}: {page}");
    }
    assert_eq!(count(&office, "SELECT count(*) FROM rosters WHERE state = 'ready'").await, 1);
    assert_eq!(count(&office, "SELECT count(*) FROM answers").await, 0);

    // One withdraws: the roster is void, and the next one goes without.
    let withdrawn = maker.post("/authorisations/5/end", &[("code", "withdrawn")]).await;
    assert_eq!(withdrawn.location(), "/people/5", "{}", withdrawn.text);
    assert!(hand_in(&mut other, 1, &sealed).await.contains("作废"));
    assert_eq!(count(&office, "SELECT count(*) FROM answers").await, 0);
    assert_eq!(dispatch(&mut maker, &batch, "L1").await.location(), batch);
    assert_eq!(count(&office, "SELECT people FROM rosters WHERE id = 2").await, 4);

    // A table without numbers is no answer; the right one is.
    let useless = made(&theirs, &housing.keys, day, "姓名,金额\n张三,5\n");
    assert!(hand_in(&mut other, 2, &useless).await.contains("（file）"));
    assert_eq!(hand_in(&mut other, 2, &sealed).await, batch);
    assert_eq!(count(&office, "SELECT count(*) FROM answers WHERE roster = 2").await, 1);
    assert!(hand_in(&mut other, 2, &sealed).await.contains("（digest）"), "matched already");

    // Nothing of the table is on the disk: not a number, not a name, not a figure; nor the key's passphrase.
    for n in [0, 2, 1_000, 1_199] {
        assert!(!holds(office.folder.path(), number(n).as_bytes()));
        assert!(!holds(office.folder.path(), format!("查无此人{n}").as_bytes()));
        assert!(!holds(office.folder.path(), format!("{}.01", 100_000 + n).as_bytes()));
    }
    verify::verify(&office.data()).await.unwrap();

    let [first, last] = &mut officers;
    first.unlock(&batch).await;
    last.open(&batch).await;
    let page = reviewer.post("/reviews/1/unmask", &[]).await;
    assert!(page.text.contains("住房和城乡建设局") && page.text.contains("不动产"), "{}", page.text);
    assert!(page.text.contains("100,000.01"), "{}", page.text);
    assert!(page.text.contains(&day.to_string()), "the table's day is the balance date");
    let seen = page.between("name=\"seen\" value=\"", "\"");
    let done = reviewer.post("/reviews/1/confirm", &[("seen", &seen)]).await;
    assert_eq!(done.location(), "/reviews/1", "{}", done.text);
    let third = reviewer.post("/reviews/3/unmask", &[]).await;
    assert!(!third.text.contains("100,004.01"), "who withdrew was not matched");
    let one_time = head.one_time();
    let issued = head.post("/cases/1/report", &[("one_time", &one_time)]).await;
    assert!(issued.location().starts_with('/'), "{}", issued.text);
    let report = text_of(&maker.post("/reports/1/pdf", &[]).await.bytes);
    for wanted in ["住房和城乡建设局", "不动产", "100,000.01"] {
        assert!(report.contains(wanted), "{wanted}: {report}");
    }
    verify::verify(&office.data()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_s_code_is_its_own() {
    let office = office().await;
    let mut maker = office.person("jb01", &[Role::Operator]).await;
    let mut other = office.person("jb02", &[Role::Operator]).await;
    steps::agree(&mut maker, |_| {}).await;
    second(&mut other).await;
    let now = office.console.now().unwrap();
    let today = office.console.today().unwrap().to_string();
    let fields = [("content", "house"), ("level", "L1"), ("number", "1"), ("from", &today), ("to", &today)];
    // A bank that matches on its own is not turned into a department.
    let same = Department::new("bank-1", 32, now);
    let reply = maker.upload("/departments", &fields, ("joining", "j", &same.joining)).await;
    assert!(reply.text.contains("自行比对"), "{}", reply.text);
    // The desk makes the key it answers with itself, and keeps it sealed.
    let housing = Department::new("housing", 33, now);
    housing.register(&mut maker, "house", office.console.today().unwrap()).await;
    let agreement = maker.get("/departments/2/agreement").await.bytes;
    let terms = Document::<Agreement>::read(&agreement).unwrap().header;
    assert_ne!(terms.institution.signing_key, housing.keys.signing.public());
    assert!(!holds(office.folder.path(), b"\"sealed\":"), "no key file in clear");
}

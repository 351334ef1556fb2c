//! The desk with the built modules: batches as spreadsheets, over HTTP. What counts as a failure: a row lost or altered
//! on its way, a defect without its row, a hostile file that is read, anything that is kept of a file that was refused.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    dead_code,
    reason = "helpers of tests, which stop at the first surprise"
)]

#[path = "../src/modules.rs"]
mod modules;
#[path = "../../console/tests/desk/office.rs"]
mod office;
#[path = "../../console/tests/desk/steps.rs"]
mod steps;

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use console::staff::Role;
use modules::DeskModules;
use office::{Office, PASSPHRASE, Person};

/// Where `tests/real_files/run.sh` put a batch's files.
fn folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let one_at_a_time = File::create(root.join("target/real-files.lock")).unwrap();
    one_at_a_time.lock().unwrap();
    let script = root.join("tests/real_files/run.sh");
    let made = Command::new("bash").arg(script).arg("commissions").output().unwrap();
    let problem = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "tests/real_files needs python3 with venv, and LibreOffice: {problem}");
    root.join("target/real-files").canonicalize().unwrap()
}

fn artifact(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/artifact").join(name)
}

async fn office() -> Office {
    let modules = DeskModules::new(artifact("matcher.wasm"), artifact("reader.wasm"));
    Office::with(|config| config.modules = Some(Arc::new(modules))).await
}

async fn import(person: &mut Person<'_>, name: &str) -> String {
    let bytes = std::fs::read(folder().join(name)).unwrap();
    // Bytes decide, not the name.
    let reply = person.upload("/import", &[], ("file", "a.csv", &bytes)).await;
    let at = reply.location().to_owned();
    assert!(at.starts_with("/import/"), "{}", reply.text);
    loop {
        let page = person.get(&at).await;
        if page.headers.get("refresh").is_none() {
            return page.text;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn count(office: &Office, what: &'static str) -> i64 {
    sqlx::query_scalar(what).fetch_one(office.console.store().read()).await.unwrap()
}

/// Row and the two texts of each line of the table of defects.
fn defects(page: &str) -> Vec<(String, String, String)> {
    let cell = |row: &str, n: usize| {
        row.split("<td>").nth(n).unwrap_or("").split("</td>").next().unwrap_or("").to_owned()
    };
    let body = page.split("<tbody>").nth(1).unwrap_or("");
    body.split("<tr>").skip(1).map(|row| (cell(row, 1), cell(row, 2), cell(row, 3))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_comes_in_as_a_spreadsheet() {
    let office = office().await;
    let mut operator = office.person("op", &[Role::Operator]).await;
    for (at, name) in (1_i64..).zip(["commission.xlsx", "commission.xls", "commission.ods"]) {
        let page = import(&mut operator, name).await;
        assert!(page.contains("id=\"done\""), "{name}: {page}");
        assert_eq!(count(&office, "SELECT count(*) FROM cases").await, 10 * at, "{name}");
        assert_eq!(count(&office, "SELECT count(*) FROM members").await, 20 * at, "{name}");
        // The same twenty people, each time.
        assert_eq!(count(&office, "SELECT count(*) FROM people").await, 20, "{name}");
    }
    let days = "SELECT count(*) FROM cases WHERE as_of = 20261020 AND income_from = 20260401 AND income_to = 20260930";
    assert_eq!(count(&office, days).await, 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_with_a_sheet_comes_back_at_once_with_its_rows() {
    let office = office().await;
    let mut operator = office.person("op", &[Role::Operator]).await;
    let page = import(&mut operator, "commission_wrong.xlsx").await;
    let wrong = defects(&page);
    let rows: Vec<&str> = wrong.iter().map(|(row, ..)| row.as_str()).collect();
    assert_eq!(rows, ["3", "4", "8"], "{wrong:?}");
    // An 18-digit number in a numeric cell has lost its last digits, whatever the cell shows.
    assert_eq!((wrong[0].1.as_str(), wrong[0].2.contains("科学计数法")), ("证件号码", true), "{wrong:?}");
    assert_eq!((wrong[1].1.as_str(), wrong[2].1.as_str()), ("核对时点", "人员范围"));
    for (name, sentence) in [
        ("commission_bomb.xlsx", "表格文件太大，或展开后太大"),
        ("commission_locked.xlsx", "表格文件有密码"),
        ("commission_twice.xlsx", "几张工作表"),
        ("commission_stray.xlsx", "像证件号码的内容"),
    ] {
        let page = import(&mut operator, name).await;
        let wrong = defects(&page);
        assert!(wrong.len() == 1 && wrong[0].2.contains(sentence), "{name}: {wrong:?}");
    }
    assert_eq!(count(&office, "SELECT count(*) FROM people").await, 0);
    // A desk without modules says so.
    let bare = Office::open().await;
    let mut operator = bare.person("op", &[Role::Operator]).await;
    let wrong = defects(&import(&mut operator, "commission.xlsx").await);
    assert!(wrong.len() == 1 && wrong[0].2.contains("没有读取表格的模块"), "{wrong:?}");
}

/// A desk that is served until the test ends, well or not.
struct Served(std::process::Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `hedui desk serve` brings the modules itself.
#[tokio::test(flavor = "multi_thread")]
async fn the_served_desk_reads_a_spreadsheet() {
    let office = Office::open().await;
    // Signing in takes steps of the clock, and a session of the future is none.
    office.clock.set(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - 300);
    let operator = office.person("op", &[Role::Operator]).await;
    std::fs::write(office.folder.path().join("words.txt"), PASSPHRASE).unwrap();
    let mut desk = Served(
        Command::new(env!("CARGO_BIN_EXE_hedui"))
            .args(["desk", "serve", "--json", "--listen", "127.0.0.1:0", "--data"])
            .arg(office.data())
            .arg("--passphrase-file")
            .arg(office.folder.path().join("words.txt"))
            .arg("--module")
            .arg(artifact("matcher.wasm"))
            .arg("--reader")
            .arg(artifact("reader.wasm"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut said = String::new();
    let mut out = BufReader::new(desk.0.stdout.take().unwrap());
    while !said.contains('}') {
        assert!(out.read_line(&mut said).unwrap() > 0, "it says where it listens");
    }
    let address = said.split("http://").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let ask = |method: &str, path: &str, body: &[u8]| {
        let mut stream = TcpStream::connect(&address).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\nsec-fetch-site: same-origin\r\n\
             cookie: desk={}\r\ncontent-type: multipart/form-data; boundary=edge\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            operator.cookie,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).unwrap();
        String::from_utf8_lossy(&reply).into_owned()
    };
    let file = std::fs::read(folder().join("commission.xlsx")).unwrap();
    let mut body =
        b"--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n".to_vec();
    body.extend_from_slice(&file);
    body.extend(b"\r\n--edge--\r\n");
    let reply = ask("POST", "/import", &body);
    let at = reply.split("location: ").nth(1).unwrap_or_else(|| panic!("{reply}"));
    let at = at.lines().next().unwrap().to_owned();
    let page = loop {
        let page = ask("GET", &at, b"");
        if !page.contains("\r\nrefresh:") {
            break page;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    drop(desk);
    assert!(page.contains("id=\"done\""), "{page}");
    assert_eq!(count(&office, "SELECT count(*) FROM members").await, 20);
}

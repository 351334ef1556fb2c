//! The binary from outside: files and flags in, files, lines and exit codes out.

#![expect(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A folder with a passphrase file, where `hedui` runs.
struct Desk {
    folder: tempfile::TempDir,
}

const ID: &str = "11010519491231002X";
const OTHER: &str = "440524188001010014";

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("pass"), "correct horse\n").unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Runs `hedui` with the words of `line`.
    fn run(&self, line: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_hedui"))
            .args(line.split_whitespace())
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    fn good(&self, line: &str) -> String {
        let output = self.run(line);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{line}\n{error}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.good(&format!("{line} --json"))).unwrap()
    }

    /// The error of a command that must fail.
    fn bad(&self, line: &str) -> String {
        let output = self.run(line);
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert!(output.stdout.is_empty(), "{line}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn keys(&self, roles: &[(&str, &str)]) {
        for (role, name) in roles {
            let extra = if *role == "institution" { "--kind bank --joining bank.joining" } else { "" };
            let line = format!("--role {role} --code {name}-1 --name {name} --out {name}.key {extra}");
            self.good(&format!("key new {line} --passphrase-file pass"));
        }
    }

    /// Keys for all, and an agreement in force.
    fn agreed(terms: &str) -> Self {
        let desk = Self::new();
        desk.keys(&[
            ("centre", "centre"),
            ("institution", "bank"),
            ("officer", "a"),
            ("officer", "b"),
            ("officer", "c"),
            ("cosigner", "township"),
            ("approver", "boss"),
        ]);
        desk.good(&format!(
            "agreement propose --joining bank.joining --key centre.key --number N-1 --purpose 最低生活保障 \
             --valid-from 2020-01-01 --valid-to 2199-12-31 --out proposal --passphrase-file pass {terms}"
        ));
        desk.good("agreement countersign --agreement proposal --key bank.key --out agreement --passphrase-file pass");
        desk.write("people.csv", &format!("姓名,身份证号,授权书编号\n张三,{ID},A-1\n李四,{OTHER},A-1\n"));
        desk
    }

    fn make(&self, more: &str) -> Value {
        self.json(&format!("{MAKE} {more}"))
    }
}

const MAKE: &str = "roster make --agreement agreement --applicants people.csv --key centre.key --as-of 2026-11-22 \
                    --serial 7 --out rosters --passphrase-file pass --officer a.key b.key c.key";
const ROSTER: &str = "rosters/bank-1-7.roster.hedui";
const L1: &str = "--level L1 --fields name,amount,accounts,balance_date";
const OPEN: &str = "open --roster rosters/bank-1-7.roster.hedui --agreement agreement --applicants people.csv \
                    --key centre.key --passphrase-file pass --officer c.key a.key --officer-passphrase-file pass pass";

fn module() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let path = root.join("target/artifact/matcher.wasm");
    if !path.is_file() {
        eprintln!("skipped: no module; `cargo xtask wasm` builds it");
        return None;
    }
    Some(path)
}

#[test]
fn keys_are_made_once_and_for_their_owner_alone() {
    let desk = Desk::new();
    desk.keys(&[("centre", "centre")]);
    let shown = desk.json("key show centre.key");
    assert_eq!((shown["role"].as_str(), shown["code"].as_str()), (Some("centre"), Some("centre-1")));
    assert_eq!(desk.json("inspect centre.key"), shown);
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(desk.path("centre.key")).unwrap());
    assert_eq!(mode & 0o777, 0o600);

    let again = "key new --role officer --code x --name x --out centre.key --passphrase-file pass";
    assert!(desk.bad(again).starts_with("error: out: the file is there already"));
    assert_eq!(desk.json("key show centre.key"), shown);
    desk.good(&format!("{again} --force"));
    assert_ne!(desk.json("key show centre.key"), shown);

    desk.write("short", "1234567\n");
    let short = "key new --role officer --code x --name x --out x.key --passphrase-file short";
    assert_eq!(desk.bad(short), "error: passphrase: the passphrase is shorter than 8 bytes\n");
    assert!(!desk.path("x.key").exists(), "nothing half-made is left");
}

#[test]
fn exit_codes_and_error_objects() {
    let desk = Desk::new();
    assert_eq!(desk.run("key new").status.code(), Some(2));
    assert_eq!(desk.run("key new --role king --code x --name x --out x").status.code(), Some(2));
    let error: Value = serde_json::from_str(&desk.bad("--json inspect nothing")).unwrap();
    assert_eq!(error["error"]["code"], "file");
    desk.write("junk", "junk");
    assert_eq!(desk.bad("inspect junk"), "error: type: type is cut short (junk)\n");
}

#[test]
fn agreements_are_between_the_right_two() {
    let desk = Desk::agreed(L1);
    let shown = desk.json("inspect agreement");
    assert_eq!(shown["type"], "hedui/agreement/v1");
    assert_eq!(shown["signers"].as_array().unwrap().len(), 2);
    let wrong =
        desk.bad("agreement countersign --agreement proposal --key a.key --out x --passphrase-file pass");
    assert!(wrong.contains("error: key: this is the key of another role (officer)"), "{wrong}");
    desk.write("wrong", "not the passphrase\n");
    let wrong =
        desk.bad("agreement countersign --agreement proposal --key bank.key --out x --passphrase-file wrong");
    assert!(wrong.contains("error: passphrase: "), "{wrong}");
}

#[test]
fn rosters_are_made_for_living_authorisations_only() {
    let desk = Desk::agreed(L1);
    desk.write(
        "people.csv",
        &format!("姓名,身份证号,授权书编号,授权截止\n张三,{ID},A-1,\n李四,{OTHER},,2020-01-01\n"),
    );
    let refused = desk.bad(MAKE);
    assert_eq!(
        refused,
        "  row 3: authorisation: is empty\n  row 3: authorised_until: lies before the day of the roster\n\
         error: applicants: there are 2 defects; nothing was made (people.csv)\n"
    );
    assert!(!refused.contains(OTHER));
    let error: Value = serde_json::from_str(&desk.bad(&format!("{MAKE} --json"))).unwrap();
    assert_eq!(error["error"]["defects"][1]["code"], "expired");
    assert!(!desk.path(ROSTER).exists());

    let made = desk.make("--partial");
    assert_eq!((made["applicants"].as_u64(), made["rosters"][0]["slot_count"].as_u64()), (Some(1), Some(64)));
    let shown = desk.json(&format!("inspect {ROSTER}"));
    assert_eq!(shown["header"]["opening_groups"].as_array().unwrap().len(), 3);
    assert_eq!(shown["header"]["serial"], 7);
    assert!(desk.good(&format!("inspect {ROSTER}")).starts_with("type    hedui/roster/v1\ndigest  "));

    assert!(desk.bad(&format!("{MAKE} --partial")).contains("error: out: "));
    let level = desk.bad(&format!("{MAKE} --partial --force --level L2 --fields name"));
    assert!(
        level.contains("error: roster.level: roster.level is more than the agreement permits"),
        "{level}"
    );
    let days = desk.bad(&format!("{MAKE} --partial --force --expires-days 31"));
    assert!(days.contains("error: expires: "), "{days}");
    let mut changed = fs::read(desk.path(ROSTER)).unwrap();
    *changed.last_mut().unwrap() ^= 1;
    fs::write(desk.path("changed"), changed).unwrap();
    assert_eq!(desk.bad("inspect changed"), "error: body: the body does not match the header (changed)\n");
}

#[test]
fn open_shows_who_has_not_answered() {
    let desk = Desk::agreed(L1);
    desk.make("");
    let table = desk.json(OPEN);
    assert_eq!(table["rows"].as_array().unwrap().len(), 2);
    assert_eq!(table["rows"][0]["found"], Value::Null);
    let screen = desk.good(OPEN);
    assert!(screen.contains("no answer yet") && !screen.contains(ID), "{screen}");
    assert!(desk.good(&format!("{OPEN} --unmask")).contains(ID));

    desk.good(&format!("{OPEN} --csv results.csv"));
    let csv = fs::read_to_string(desk.path("results.csv")).unwrap();
    assert!(csv.contains(&format!("\"张三\",\"{ID}\"")));
    desk.write("people.csv", &format!("姓名,身份证号,授权书编号\n张三,{ID},A-1\n李四,{OTHER},A-2\n"));
    let other = desk.bad(OPEN);
    assert!(other.contains("error: applicants: the applicants file isn't the one"), "{other}");
}

#[test]
fn a_whole_exchange() {
    let Some(module) = module() else { return };
    let desk = Desk::agreed(&format!("{L1} --approver boss.key --cosigner township.key"));
    let made = desk.make("");
    assert_eq!(made["rosters"][0]["needs_cosignature"], true);
    let cosign = "cosign --passphrase-file pass --document";
    desk.good(&format!("{cosign} {ROSTER} --key township.key --out roster"));
    desk.write(
        "one.csv",
        &format!("客户姓名,证件号码,账户余额\n张三,{ID},1234.56\n王五,44052419800101001X,1\n"),
    );
    desk.write("two.csv", &format!("客户姓名,证件号码,账户余额\n张三,'{ID},0.44\n,,\n"));
    let line = format!(
        "match --module {} --roster roster --agreement agreement --key bank.key --passphrase-file pass \
         --out answer one.csv two.csv --balance-date 2026-11-20",
        module.display()
    );
    let report = desk.json(&line);
    assert_eq!(report["report"]["coverage"]["files"].as_array().unwrap().len(), 2);
    assert_eq!(report["task"]["approval_required"], true);

    let open = OPEN.replace(ROSTER, "roster");
    let early = desk.bad(&format!("{open} --answer answer"));
    assert!(early.contains("error: answer: answer lacks a signature (answer)"), "{early}");
    desk.good(&format!("{cosign} answer --key boss.key --out approved"));
    let table = desk.json(&format!("{open} --answer approved"));
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0]["id_number"].as_str(), rows[0]["minor"].as_i64()), (Some(ID), Some(123_500)));
    assert_eq!(rows[0]["newest"], "2026-11-20");
    assert_eq!(rows[1]["found"], false);
    assert_eq!(table["warnings"].as_array().unwrap().len(), 0);

    let one = open.replace("c.key a.key", "a.key").replace("pass pass", "pass");
    let alone = desk.bad(&format!("{one} --answer approved"));
    assert_eq!(
        alone,
        "error: officers: the officers' keys given don't make up an opening group of the roster\n"
    );
    assert!(
        desk.bad(&line.replace("--out answer", "--out other --last-serial 8"))
            .contains("error: roster.serial: ")
    );
    assert!(!desk.path("other").exists());
}

#[test]
fn a_module_off_the_list_is_refused() {
    let desk = Desk::agreed(L1);
    desk.make("");
    desk.write("m.wasm", "\0asm\u{1}\0\0\0");
    let audit = desk.run("audit m.wasm");
    assert_eq!(audit.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&audit.stdout).contains("DEVIATION does not export run"));
    let refused = desk.bad(&format!(
        "match --module m.wasm --roster {ROSTER} --agreement agreement --key bank.key --passphrase-file pass \
         --out answer people.csv"
    ));
    assert!(refused.starts_with("error: module: the module is off the allow-list"), "{refused}");
    assert!(!desk.path("answer").exists());
}

//! The binary from outside: files and flags in, files, lines and exit codes out.

#![expect(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

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
            let extra = match *role {
                "institution" => "--kind bank --joining bank.joining.hedui",
                "cosigner" => "--joining township.joining.hedui",
                _ => "",
            };
            let line = format!("--role {role} --code {name}-1 --name {name} --out {name}.key.hedui {extra}");
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
            ("compliance", "audit"),
        ]);
        desk.good(&format!(
            "agreement propose --joining bank.joining.hedui --key centre.key.hedui --number N-1 --purpose 最低生活保障 \
             --valid-from 2020-01-01 --valid-to 2199-12-31 --out proposal --passphrase-file pass {terms}"
        ));
        desk.good("agreement countersign --agreement proposal --key bank.key.hedui --out agreement --passphrase-file pass");
        desk.write("people.csv", &format!("姓名,身份证号,授权书编号\n张三,{ID},A-1\n李四,{OTHER},A-1\n"));
        desk
    }

    fn make(&self, more: &str) -> Value {
        self.json(&format!("{MAKE} {more}"))
    }
}

const MAKE: &str = "roster make --agreement agreement --applicants people.csv --key centre.key.hedui --as-of 2026-11-22 \
                    --serial 7 --out rosters --passphrase-file pass --officer a.key.hedui b.key.hedui c.key.hedui";
/// What [`MAKE`] needs where the agreement names the township, and what the township does then.
const COSIGNED: &str = "--cosigner township.joining.hedui";
const COSIGN: &str = "roster cosign --roster rosters/bank-1-7.roster.hedui --request rosters/bank-1-7.cosign-request.hedui \
                      --agreement agreement --applicants own.csv --key township.key.hedui --passphrase-file pass";
const ROSTER: &str = "rosters/bank-1-7.roster.hedui";
const L1: &str = "--level L1 --fields name,amount,accounts,balance_date";
const OPEN: &str = "open --roster rosters/bank-1-7.roster.hedui --agreement agreement --applicants people.csv \
                    --key centre.key.hedui --passphrase-file pass --officer c.key.hedui a.key.hedui --officer-passphrase-file pass pass";

/// The built module. Without it nothing here has been shown, so that is a failure, too.
fn module() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let path = root.join("target/artifact/matcher.wasm");
    assert!(path.is_file(), "there is no target/artifact/matcher.wasm: run `cargo xtask wasm` first");
    path
}

/// `match` over the desk's roster and the file `customers.csv`.
fn matching(more: &str) -> String {
    format!(
        "match --module {} --roster {ROSTER} --agreement agreement --key bank.key.hedui --passphrase-file pass \
         customers.csv {more}",
        module().display()
    )
}

const CUSTOMERS: &str = "客户姓名,证件号码,账户余额\n张三,11010519491231002X,1234.56\n";

#[test]
fn keys_are_made_once_and_for_their_owner_alone() {
    let desk = Desk::new();
    desk.keys(&[("centre", "centre")]);
    let shown = desk.json("key show centre.key.hedui");
    assert_eq!((shown["role"].as_str(), shown["code"].as_str()), (Some("centre"), Some("centre-1")));
    assert_eq!(desk.json("inspect centre.key.hedui"), shown);
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(desk.path("centre.key.hedui")).unwrap());
    assert_eq!(mode & 0o777, 0o600);

    let again = "key new --role officer --code x --name x --out centre.key.hedui --passphrase-file pass";
    assert!(desk.bad(again).starts_with("error: out: the file is there already"));
    assert_eq!(desk.json("key show centre.key.hedui"), shown);
    desk.good(&format!("{again} --force"));
    assert_ne!(desk.json("key show centre.key.hedui"), shown);

    desk.write("short", "1234567\n");
    let short = "key new --role officer --code x --name x --out x.key.hedui --passphrase-file short";
    assert_eq!(desk.bad(short), "error: passphrase: the passphrase is shorter than 8 bytes\n");
    assert!(!desk.path("x.key.hedui").exists(), "nothing half-made is left");
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
    let wrong = desk
        .bad("agreement countersign --agreement proposal --key a.key.hedui --out x --passphrase-file pass");
    assert!(wrong.contains("error: key: this is the key of another role (officer)"), "{wrong}");
    desk.write("wrong", "not the passphrase\n");
    let wrong = desk.bad(
        "agreement countersign --agreement proposal --key bank.key.hedui --out x --passphrase-file wrong",
    );
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
    let module = module();
    let desk = Desk::agreed(&format!("{L1} --approver boss.key.hedui --cosigner township.key.hedui"));
    let made = desk.make(COSIGNED);
    assert_eq!(made["rosters"][0]["needs_cosignature"], true);
    let cosign = "cosign --passphrase-file pass --document";
    desk.write("own.csv", &format!("姓名,身份证号,授权书编号\n李四,{OTHER},A-1\n张三,{ID},A-1\n"));
    desk.good(&format!("{COSIGN} --out roster"));
    desk.write(
        "one.csv",
        &format!("客户姓名,证件号码,账户余额\n张三,{ID},1234.56\n王五,44052419800101001X,1\n"),
    );
    desk.write("two.csv", &format!("客户姓名,证件号码,账户余额\n张三,'{ID},0.44\n,,\n"));
    let line = format!(
        "match --module {} --roster roster --agreement agreement --key bank.key.hedui --passphrase-file pass \
         --out answer one.csv two.csv --balance-date 2026-11-20 --set-aside aside.csv --compliance-key audit.key.hedui \
         --copy copy",
        module.display()
    );
    let report = desk.json(&line);
    assert_eq!(report["report"]["coverage"]["files"].as_array().unwrap().len(), 2);
    assert_eq!(report["task"]["approval_required"], true);
    let aside = fs::read_to_string(desk.path("aside.csv")).unwrap();
    assert_eq!(aside, "file,row,reason,number\n1,3,check_digit,440*************1X\n");

    let open = OPEN.replace(ROSTER, "roster");
    let early = desk.bad(&format!("{open} --answer answer"));
    assert!(early.contains("error: answer: answer lacks a signature (answer)"), "{early}");
    desk.good(&format!("{cosign} answer --key boss.key.hedui --out approved"));
    // The bank's compliance office reads the approved answer; nobody else does.
    let account = "account --answer approved --copy copy --passphrase-file pass --agreement agreement --key";
    let said = desk.good(&format!("{account} audit.key.hedui --csv disclosed.csv"));
    assert!(said.contains("1 of 64 slots say something: 1 totals, 0 accounts"), "{said}");
    let disclosed = fs::read_to_string(desk.path("disclosed.csv")).unwrap();
    assert!(
        disclosed.contains(",total,2,,\"deposit\",CNY,123500,1235.00,2,2026-11-20,2026-11-20,"),
        "{disclosed}"
    );
    assert_eq!(desk.json(&format!("{account} audit.key.hedui"))["disclosed"]["found"][0]["rows"], 2);
    assert!(
        desk.bad(&format!("{account} boss.key.hedui")).contains("this is the key of another role (approver)")
    );
    desk.good("key new --role compliance --code x --name x --out x.key.hedui --passphrase-file pass");
    let other = desk.bad(&format!("{account} x.key.hedui"));
    assert!(other.contains("error: copy: copy does not open with this key (copy)"), "{other}");
    let table = desk.json(&format!("{open} --answer approved"));
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0]["id_number"].as_str(), rows[0]["minor"].as_i64()), (Some(ID), Some(123_500)));
    assert_eq!(rows[0]["newest"], "2026-11-20");
    assert_eq!(rows[1]["found"], false);
    assert_eq!(table["warnings"].as_array().unwrap().len(), 0);

    let one = open.replace("c.key.hedui a.key.hedui", "a.key.hedui").replace("pass pass", "pass");
    let alone = desk.bad(&format!("{one} --answer approved"));
    assert_eq!(
        alone,
        "error: officers: the officers' keys given don't make up an opening group of the roster\n"
    );
    let old = line
        .replace("--out answer", "--out other --last-serial 8")
        .replace("aside.csv", "other-aside")
        .replace("--copy copy", "--copy other-copy");
    assert!(desk.bad(&old).contains("error: roster.serial: "));
    assert!(!desk.path("other-aside").exists() && !desk.path("other-copy").exists());
    assert!(!desk.path("other").exists());
}

#[test]
fn a_township_signs_what_its_own_list_gives() {
    let desk = Desk::agreed(&format!("{L1} --cosigner township.joining.hedui"));
    // Without the township's keys there would be no way to sign.
    let refused: Value = serde_json::from_str(&desk.bad(&format!("{MAKE} --json"))).unwrap();
    assert_eq!(
        (&refused["error"]["code"], &refused["error"]["file"]),
        (&"missing_cosigner".into(), &"agreement".into())
    );
    let made = desk.make(COSIGNED);
    let asked = made["rosters"][0]["cosign_request"].as_str().unwrap();
    assert_eq!(asked, "rosters/bank-1-7.cosign-request.hedui");
    let request = fs::read(desk.path(asked)).unwrap();
    assert!(!request.windows(ID.len()).any(|bytes| bytes == ID.as_bytes()));
    assert_eq!(desk.json(&format!("inspect {asked}"))["type"], "hedui/cosign-request/v1");
    assert_eq!(desk.json("inspect township.joining.hedui")["type"], "hedui/cosigner/v1");

    // It is not signed without a look.
    let blind = desk
        .bad(&format!("cosign --document {ROSTER} --key township.key.hedui --passphrase-file pass --out r"));
    assert!(blind.starts_with("error: type: a roster is signed with `hedui roster cosign`"), "{blind}");

    // A list that differs: the lines are named, not what stands in them.
    let head = "姓名,身份证号,授权书编号,授权截止,曾用号码";
    desk.write("own.csv", &format!("{head}\n王五,G12345678,B-1,,\n张三丰,{ID},A-2,,E12345678\n"));
    let refused = desk.bad(&format!("{COSIGN} --out r"));
    assert_eq!(
        refused,
        "  row 3: former_numbers: the roster lacks a number that is here\n  row 3: name: is not the name that the roster has\n  \
         row 3: authorisation: the roster has another form for this person, or another scope of it\n\
         error: applicants: 1 of the roster's 2 people are not on the list, and 1 lines of it differ; nothing was signed (own.csv)\n"
    );
    let json: Value = serde_json::from_str(&desk.bad(&format!("{COSIGN} --out r --json"))).unwrap();
    assert_eq!(
        (&json["error"]["code"], &json["error"]["defects"][2]["code"]),
        (&"differs".into(), &"other_form".into())
    );
    for value in [ID, OTHER, "张三", "A-2", "E12345678"] {
        assert!(!refused.contains(value) && !json.to_string().contains(value), "{value}");
    }
    // An authorisation that has ended is no authorisation: the line is named, and its person is missing.
    desk.write("own.csv", &format!("{head}\n李四,{OTHER},A-1,2020-01-01,\n张三,{ID},A-1,,\n"));
    let refused = desk.bad(&format!("{COSIGN} --out r"));
    assert!(refused.starts_with("note: left out: row 2: authorised_until: "), "{refused}");
    assert!(refused.contains("1 of the roster's 2 people are not on the list, and 0 lines"), "{refused}");
    assert!(!desk.path("r").exists());

    // A larger list that agrees; what is asked is said before it is signed.
    desk.write(
        "own.csv",
        &format!("{head}\n王五,G12345678,B-1,,\n李四,{OTHER},A-1,长期,\n张三,'{ID},A-1,,\n"),
    );
    let other = desk.bad(&format!("{COSIGN} --out r").replace("township.key.hedui", "boss.key.hedui"));
    assert!(other.contains("this is the key of another role (approver)"), "{other}");
    let output = desk.run(&format!("{COSIGN} --out r"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    for part in [
        "people       2 of 3 on the list",
        "level        L1",
        "purpose      最低生活保障",
        "as of        2026-11-22",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(desk.json("inspect r")["signers"].as_array().unwrap().len(), 2);
    let shown = desk.json(&format!("{COSIGN} --out r2"));
    assert_eq!((&shown["people"], &shown["on_list"], &shown["level"]), (&2.into(), &3.into(), &"L1".into()));
}

/// A workbook of one sheet, its cells as text.
fn workbook(rows: &[Vec<&str>]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const PARTS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relations = |kind: &str, target: &str| {
        format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
             <Relationship Id=\"r1\" Type=\"{PARTS}/{kind}\" Target=\"{target}\"/></Relationships>"
        )
    };
    let cell = |cell: &&str| format!("<c t=\"inlineStr\"><is><t>{cell}</t></is></c>");
    let row = |row: &Vec<&str>| format!("<row>{}</row>", row.iter().map(cell).collect::<String>());
    let cells: String = rows.iter().map(row).collect();
    let parts = [
        (
            "[Content_Types].xml",
            "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
             <Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>"
                .to_owned(),
        ),
        ("_rels/.rels", relations("officeDocument", "xl/workbook.xml")),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{PARTS}\"><sheets>\
                 <sheet name=\"a\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
            ),
        ),
        ("xl/_rels/workbook.xml.rels", relations("worksheet", "worksheets/sheet1.xml")),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{cells}</sheetData></worksheet>"),
        ),
    ];
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The table that a township handed in for the desk's import, as it lies there.
#[test]
fn a_township_s_list_may_be_a_spreadsheet() {
    module();
    let desk = Desk::agreed(&format!("{L1} --cosigner township.joining.hedui"));
    let scope = "\"bank,securities:L1\"";
    let people =
        format!("姓名,身份证号,授权书编号,授权范围\n张三,{ID},A-1,{scope}\n李四,{OTHER},A-2,{scope}\n");
    desk.write("people.csv", &people);
    desk.make(COSIGNED);
    let rows = |level| {
        vec![
            vec!["委托书编号", "姓名", "证件号码", "授权书编号", "授权单位", "授权级别"],
            vec!["WT-1", "李四", OTHER, "A-2", "证券、银行", level],
            vec!["WT-1", "张三", ID, "A-1", "银行、证券", "合计"],
        ]
    };
    fs::write(desk.path("own.csv"), workbook(&rows("有无"))).unwrap();
    let refused = desk.bad(&format!("{COSIGN} --out r"));
    assert!(refused.starts_with("  row 2: authorisation: the roster has another form"), "{refused}");
    fs::write(desk.path("own.csv"), workbook(&rows("合计"))).unwrap();
    desk.good(&format!("{COSIGN} --out r"));
    fs::write(desk.path("own.csv"), workbook(&[vec!["a", "b"], vec!["1", "2"]])).unwrap();
    let refused = desk.bad(&format!("{COSIGN} --out r2"));
    assert_eq!(refused, "error: applicants: no list of people can be read from this spreadsheet (own.csv)\n");
}

#[test]
fn a_module_off_the_list_is_refused() {
    let desk = Desk::agreed(L1);
    desk.make("");
    desk.write("m.wasm", "\0asm\u{1}\0\0\0");
    let audit = desk.run("audit m.wasm");
    assert_eq!(audit.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&audit.stdout).contains("the module does not export run"));
    let refused = desk.bad(&format!(
        "match --module m.wasm --roster {ROSTER} --agreement agreement --key bank.key.hedui --passphrase-file pass \
         --out answer people.csv"
    ));
    assert!(refused.starts_with("error: module: the module is off the allow-list"), "{refused}");
    assert!(!desk.path("answer").exists());
}

#[test]
fn an_older_roster_is_refused_on_the_next_run() {
    let desk = Desk::agreed(L1);
    desk.make("");
    let older = ROSTER.replace('7', "6");
    desk.good(&MAKE.replace("--serial 7", "--serial 6"));
    desk.write("customers.csv", CUSTOMERS);
    let kept = desk.path("bank.key.hedui.serials");
    let with_older = |more: &str| matching(more).replace(ROSTER, &older);

    // What is refused keeps nothing.
    desk.write("customers.csv", "no table");
    desk.bad(&matching("--out answer"));
    assert!(!kept.exists() && !desk.path("answer").exists());
    desk.write("customers.csv", CUSTOMERS);

    desk.good(&with_older("--out first"));
    desk.good(&matching("--out second"));
    let content: Value = serde_json::from_slice(&fs::read(&kept).unwrap()).unwrap();
    let centre = desk.json("key show centre.key.hedui")["signing_key"].as_str().unwrap().to_owned();
    assert_eq!(
        content,
        serde_json::json!({ "type": "hedui/serials/v1", "serials": { centre: { "bank-1": 7 } } })
    );
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(&kept).unwrap());
    assert_eq!(mode & 0o777, 0o600);

    let refused: Value = serde_json::from_str(&desk.bad(&with_older("--out third --json"))).unwrap();
    assert_eq!(
        (&refused["error"]["code"], &refused["error"]["field"]),
        (&"replayed".into(), &"roster.serial".into())
    );
    assert!(!desk.path("third").exists());
    desk.good(&matching("--out third --answer-version 2"));
    // The flag overrides the file; another file knows nothing of it.
    desk.good(&with_older("--out fourth --last-serial 6"));
    desk.good(&with_older("--out fifth --serials elsewhere"));
    assert!(desk.bad(&matching("--out sixth --last-serial 8")).contains("error: roster.serial: "));
    assert!(desk.bad(&with_older("--out sixth")).contains("error: roster.serial: "), "nothing lowers it");
    // A damaged file is not taken for an empty one.
    desk.write("bank.key.hedui.serials", "{}");
    assert!(desk.bad(&matching("--out sixth")).starts_with("error: serials: this is no file of serials"));
    assert!(!desk.path("sixth").exists());
}

#[test]
fn a_wrong_passphrase_opens_nothing() {
    let desk = Desk::agreed(&format!("{L1} --approver boss.key.hedui"));
    desk.make("");
    desk.write("customers.csv", CUSTOMERS);
    desk.write("wrong", "not the passphrase\n");
    desk.good(&matching("--out answer"));
    let cosign = "cosign --document answer --key boss.key.hedui --passphrase-file pass";
    desk.good(&format!("{cosign} --out approved"));
    let open = format!("{OPEN} --answer approved");
    desk.good(&open);
    for (line, key) in [
        (matching("--out none").replace("file pass", "file wrong"), None),
        (format!("{cosign} --out none").replace("file pass", "file wrong"), Some("boss.key.hedui")),
        (open.replacen("file pass", "file wrong", 1), Some("centre.key.hedui")),
        (open.replace("pass pass", "wrong pass"), Some("c.key.hedui")),
        (open.replace("pass pass", "pass wrong"), Some("a.key.hedui")),
        (format!("{MAKE} --force").replace("file pass", "file wrong"), Some("centre.key.hedui")),
    ] {
        let refused: Value = serde_json::from_str(&desk.bad(&format!("{line} --json"))).unwrap();
        assert_eq!(refused["error"]["code"], "passphrase", "{line}");
        assert!(key.is_none_or(|key| refused["error"]["file"] == key), "{line}: {refused}");
        assert!(!desk.path("none").exists());
    }
}

/// `hedui host` in the desk's folder, ended with this value.
struct Host {
    process: Child,
    url: String,
    key: String,
}

impl Host {
    fn start(desk: &Desk) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let line = "host --listen 127.0.0.1:0 --code relay-1 --centre centre.key.hedui --data kept --json";
        let mut process = Command::new(env!("CARGO_BIN_EXE_hedui"))
            .args(line.split(' '))
            .arg("--web")
            .arg(root.join("web"))
            .current_dir(desk.folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = Vec::new();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        while !said.ends_with(b"}\n") {
            assert!(out.read_until(b'\n', &mut said).unwrap() > 0, "the host says where it listens");
        }
        let said: Value = serde_json::from_slice(&said).unwrap();
        let word = |name: &str| said.get(name).and_then(Value::as_str).unwrap().to_owned();
        Self { process, url: word("url"), key: word("key") }
    }

    fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_host_is_a_command_too() {
    let desk = Desk::agreed(L1);
    let mut host = Host::start(&desk);
    assert_eq!(host.key.len(), 64);
    let get = |path: &str| {
        let mut stream = TcpStream::connect(host.address()).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", host.address())
            .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply
    };
    assert!(get("/health").contains(&host.key));
    assert!(get("/").contains("<!doctype html>"));
    // A second one on the same port says so in a line.
    let other =
        format!("host --listen {} --code relay-2 --centre centre.key.hedui --data other", host.address());
    let refused = desk.bad(&other);
    assert!(refused.starts_with("error: host: ") && refused.lines().count() == 1, "{refused}");

    let told = Command::new("kill").arg(host.process.id().to_string()).status().unwrap();
    assert!(told.success());
    assert_eq!(host.process.wait().unwrap().code(), Some(0), "it ends when it is told to");
    assert!(desk.path("kept").is_dir());
}

#[test]
fn an_approved_answer_reaches_the_centre_through_the_host() {
    let desk = Desk::agreed(&format!("{L1} --approver boss.key.hedui"));
    desk.make("");
    desk.write("customers.csv", CUSTOMERS);
    let host = Host::start(&desk);
    let at = |command: &str, key: &str| {
        format!("{command} --host {} --key {key}.key.hedui --passphrase-file pass", host.url)
    };
    let failed = |line: &str, code: &str| {
        let refused: Value = serde_json::from_str(&desk.bad(&format!("{line} --json"))).unwrap();
        assert_eq!(refused["error"]["code"], code, "{line}: {refused}");
    };

    // Until the agreement is there, the bank is nobody.
    failed(&format!("{} --out inbox", at("fetch", "bank")), "sign_in_refused");
    let posted = desk.json(&format!("{} agreement {ROSTER}", at("post", "centre")));
    assert_eq!(posted["posted"].as_array().unwrap().len(), 2);
    desk.good(&format!("{} agreement {ROSTER}", at("post", "centre"))); // again does no harm
    let fetched = desk.json(&format!("{} --out inbox", at("fetch", "bank")))["fetched"].clone();
    let fetched: Vec<String> = serde_json::from_value(fetched).unwrap();
    assert_eq!(fetched.len(), 2);
    assert!(
        fetched[0].ends_with(".agreement.hedui") && fetched[1] == "inbox/bank-1-7.roster.hedui",
        "{fetched:?}"
    );
    assert_eq!(fs::read(desk.path(&fetched[0])).unwrap(), fs::read(desk.path("agreement")).unwrap());
    assert_eq!(fs::read(desk.path(&fetched[1])).unwrap(), fs::read(desk.path(ROSTER)).unwrap());
    assert_eq!(desk.good(&format!("{} --out inbox", at("fetch", "bank"))), "nothing new\n");

    let line = matching("--out answer").replace(ROSTER, &fetched[1]);
    desk.good(&line.replace("--agreement agreement", &format!("--agreement {}", fetched[0])));
    let send = |answer: &str| format!("{} --receipt receipt {answer}", at("send", "bank"));
    failed(&send("answer"), "missing_signature");
    assert!(!desk.path("receipt").exists(), "no receipt for what was not taken");
    desk.good("cosign --document answer --key boss.key.hedui --passphrase-file pass --out approved");
    failed(&send("approved").replace("bank.key", "centre.key"), "wrong_role");
    failed(&send("approved").replace(&host.url, "http://127.0.0.1:1"), "host_unreachable");
    failed(&send("approved").replace("http:", "https:"), "bad_option");
    let sent = desk.json(&send("approved"));
    assert_eq!(sent["signers"], serde_json::json!([host.key]));
    assert_eq!(desk.json("inspect receipt")["header"]["answer"], sent["answer"]);
    desk.good(&format!("{} --force", send("approved"))); // the same receipt

    let fetched = desk.json(&format!("{} --out answers", at("fetch", "centre")));
    assert_eq!(fetched["fetched"], serde_json::json!(["answers/bank-1-7-v1.answer.hedui"]));
    let table = desk.json(&format!("{OPEN} --answer answers/bank-1-7-v1.answer.hedui"));
    assert_eq!(
        (table["rows"][0]["id_number"].as_str(), table["rows"][0]["minor"].as_i64()),
        (Some(ID), Some(123_456))
    );
}

/// The centre proves what a slot asked about; the institution shows that its token is this person's.
#[test]
fn a_slot_s_authorisation_is_proven() {
    let desk = Desk::agreed(L1);
    desk.write(
        "people.csv",
        &format!("姓名,身份证号,授权书编号,授权范围\n张三,{ID},A-1,存款\n李四,{OTHER},A-2,存款 理财\n"),
    );
    desk.make("");
    let prove = |which: &str, out: &str| {
        format!(
            "roster prove --roster {ROSTER} --agreement agreement --applicants people.csv --key centre.key.hedui \
             --passphrase-file pass {which} --out {out}"
        )
    };
    let verify = |proof: &str, more: &str| format!("roster verify --roster {ROSTER} --proof {proof} {more}");
    let made = desk.json(&prove("--row 3", "li.proof"));
    let slot = made["slot"].as_u64().unwrap();
    let centre = "--centre centre.key.hedui";
    let said = desk.json(&verify("li.proof", centre));
    assert_eq!((said["slot"].as_u64(), said["authorisation"].as_str()), (Some(slot), Some("A-2")));
    assert_eq!(
        (&said["scope"], &said["checked"]),
        (&"存款 理财".into(), &serde_json::json!(["authorisation"]))
    );
    let by_bank = format!("{centre} --key bank.key.hedui --passphrase-file pass");
    assert_eq!(
        desk.json(&verify("li.proof", &by_bank))["checked"],
        serde_json::json!(["authorisation", "token"])
    );
    // The same slot by its number is the same proof; the file is its maker's alone, and the screen shows no number.
    let shown = desk.good(&prove(&format!("--slot {slot}"), "again.proof"));
    assert!(!shown.contains(OTHER) && !desk.good(&verify("li.proof", centre)).contains(OTHER));
    assert_eq!(fs::read(desk.path("li.proof")).unwrap(), fs::read(desk.path("again.proof")).unwrap());
    let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(desk.path("li.proof")).unwrap());
    assert_eq!(mode & 0o777, 0o600);

    let refused = |line: &str, code: &str| {
        let refused: Value = serde_json::from_str(&desk.bad(&format!("{line} --json"))).unwrap();
        assert_eq!(refused["error"]["code"], code, "{line}: {refused}");
        assert!(!refused.to_string().contains(OTHER), "{refused}");
    };
    // Whatever is changed in it leads elsewhere.
    let proof = fs::read_to_string(desk.path("li.proof")).unwrap();
    for (from, to, code) in [
        ("A-2", "A-1", "not_proven"),
        ("理财", "基金", "not_proven"),
        (OTHER, ID, "not_proven"),
        (OTHER, "440524188001010015", "malformed"),
        ("\"kind\":\"resident\"", "\"kind\":\"passport\"", "malformed"),
        ("\"slot\":", "\"slot\":1", "not_proven"),
        ("proof/v1", "proof/v2", "member"),
        (",", ", ", "not_canonical"),
    ] {
        assert!(proof.contains(from), "{from}");
        desk.write("changed.proof", &proof.replacen(from, to, 1));
        refused(&verify("changed.proof", centre), code);
    }
    // Another roster, another signer, another institution's key, a slot of nobody, other applicants.
    desk.good(&MAKE.replace("--serial 7", "--serial 8"));
    refused(&verify("li.proof", centre).replace("bank-1-7", "bank-1-8"), "wrong_roster");
    refused(&verify("li.proof", "--centre township.key.hedui"), "wrong_role");
    refused(&verify("li.proof", &format!("--centre {}", "11".repeat(32))), "wrong_signer");
    let nobody = (0..64).find(|other| {
        *other != slot && desk.run(&prove(&format!("--slot {other} --force"), "n")).status.code() == Some(1)
    });
    refused(&prove(&format!("--slot {}", nobody.unwrap()), "nobody.proof"), "nobody");
    refused(&prove("--slot 64", "beyond.proof"), "no_such_slot");
    refused(&prove("--row 9", "beyond.proof"), "no_such_slot");
    assert!(!desk.path("nobody.proof").exists() && !desk.path("beyond.proof").exists());
    desk.write("people.csv", &format!("姓名,身份证号,授权书编号\n张三,{ID},A-1\n李四,{OTHER},A-3\n"));
    refused(&prove("--row 3", "other.proof"), "wrong_applicants");
}

/// An institution's file that counts numbers through makes no answer; its true export does.
#[test]
fn numbers_counted_through_are_refused() {
    let desk = Desk::agreed(L1);
    desk.make("");
    let number = |day: u32, sequence: u32| {
        let digits = format!("340421199003{day:02}{sequence:03}");
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        let sum: u32 =
            digits.bytes().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
        let check = b"10X98765432"[usize::try_from(sum % 11).unwrap()];
        format!("{digits}{}", char::from(check))
    };
    let file = |each: u32| {
        let rows = (2..=28).flat_map(|day| (0..each).map(move |n| (day, n)));
        let rows = rows.map(|(day, n)| format!("某某,{},1\n", number(day, n * (1_000 / each))));
        format!("客户姓名,证件号码,账户余额\n张三,{ID},1\n{}", rows.collect::<String>())
    };
    desk.write("customers.csv", &file(1_000));
    let refused: Value =
        serde_json::from_str(&desk.bad(&format!("{} --json", matching("--out answer")))).unwrap();
    assert_eq!(
        (&refused["error"]["code"], &refused["error"]["field"]),
        (&"enumeration".into(), &"id_number".into()),
        "{refused}"
    );
    assert!(!desk.path("answer").exists() && !desk.path("bank.key.hedui.serials").exists());
    // A county's busiest days: a hundred births each, all of them customers.
    desk.write("customers.csv", &file(100));
    let report = desk.json(&matching("--out answer"));
    assert_eq!(report["report"]["coverage"]["valid"], 2_701);
    assert!(desk.path("answer").exists());
}

/// What `hedui seal-file` takes; a place for the sealed file and the table come behind it.
const SEAL: &str =
    "seal-file --agreement housing --key housing.key.hedui --passphrase-file pass --day 2026-10-31";

/// A department with an agreement in force.
fn a_department(desk: &Desk) {
    desk.good(
        "key new --role institution --kind department --code housing-1 --name housing --out housing.key.hedui \
         --joining housing.joining.hedui --passphrase-file pass",
    );
    desk.good(&format!(
        "agreement propose --joining housing.joining.hedui --key centre.key.hedui --number N-3 --purpose p {L1} \
         --valid-from 2020-01-01 --valid-to 2199-12-31 --out proposed --passphrase-file pass"
    ));
    desk.good("agreement countersign --agreement proposed --key housing.key.hedui --out housing --passphrase-file pass");
}

/// A table that takes several pieces is sealed, and nothing is left of one that is refused.
#[test]
fn a_department_s_table_is_sealed_and_no_other() {
    let desk = Desk::agreed(L1);
    a_department(&desk);
    let table = format!("姓名,证件号码\n{}", format!("张三,{ID}\n").repeat(90_000));
    assert!(table.len() > 2 << 20);
    desk.write("table.csv", &table);
    desk.good(&format!("{SEAL} --out sealed table.csv"));
    let sealed = fs::read(desk.path("sealed")).unwrap();
    let read = |name: &str| fs::read(desk.path(name)).unwrap();
    let unlock = |name: &str| {
        protocol::key_file::KeyFile::read(&read(name)).unwrap().unlock(read("pass").trim_ascii()).unwrap()
    };
    let document = protocol::Document::read(&sealed).unwrap();
    assert_eq!(document.signers, [unlock("housing.key.hedui").signing.public()]);
    let clear = protocol::base_data::open(document, &unlock("centre.key.hedui").opening).unwrap();
    assert!(*clear == table.as_bytes());

    let refused = |line: &str, code: &str| {
        let said: Value = serde_json::from_str(&desk.bad(&format!("{line} --json"))).unwrap();
        assert_eq!(said["error"]["code"], code, "{line}: {said}");
        assert!(!desk.path("other").exists(), "{line}");
    };
    let line = format!("{SEAL} --out other table.csv");
    refused(&line.replace("--agreement housing", "--agreement agreement"), "wrong_institution");
    let bank =
        line.replace("--key housing", "--key bank").replace("--agreement housing", "--agreement agreement");
    refused(&bank, "not_a_department");
    refused(&line.replace("2026-10-31", "2199-12-31"), "day_to_come");
    refused(&line.replace("housing.key", "centre.key"), "wrong_role");
    refused(&line.replace("--agreement housing", "--agreement proposed"), "missing_signature");
    desk.write("empty.csv", "");
    refused(&line.replace("table.csv", "empty.csv"), "truncated");
    fs::File::create(desk.path("large.csv")).unwrap().set_len(3 << 30).unwrap();
    refused(&line.replace("table.csv", "large.csv"), "too_large");
}

#[test]
fn every_subcommand_speaks_json() {
    let desk = Desk::agreed(L1);
    desk.write("customers.csv", CUSTOMERS);
    a_department(&desk);
    let wasm = module();
    let lines = [
        "key new --role officer --code d --name d --out d.key.hedui --passphrase-file pass".to_owned(),
        "key show d.key.hedui".to_owned(),
        format!(
            "agreement propose --joining bank.joining.hedui --key centre.key.hedui --number N-2 --purpose p {L1} \
             --valid-from 2020-01-01 --valid-to 2199-12-31 --out again --cosigner township.joining.hedui \
             --passphrase-file pass"
        ),
        "agreement countersign --agreement again --key bank.key.hedui --out agreed --passphrase-file pass"
            .to_owned(),
        format!("{MAKE} {COSIGNED}").replace("--agreement agreement", "--agreement agreed"),
        format!("{COSIGN} --out roster")
            .replace("--agreement agreement", "--agreement agreed")
            .replace("own.csv", "people.csv"),
        matching("--out answer --compliance-key audit.key.hedui --copy copy")
            .replace(ROSTER, "roster")
            .replace("--agreement agreement", "--agreement agreed"),
        format!("{SEAL} --out housing.base-data.hedui customers.csv"),
        "cosign --document answer --key boss.key.hedui --passphrase-file pass --out approved".to_owned(),
        "account --answer answer --copy copy --key audit.key.hedui --passphrase-file pass".to_owned(),
        OPEN.replace(ROSTER, "roster").replace("--agreement agreement", "--agreement agreed --answer answer"),
        "inspect answer".to_owned(),
        format!("audit {}", wasm.display()),
    ];
    // The first four above; the desk asks for passphrases and keeps running.
    let mut seen: Vec<&str> = vec!["host", "post", "fetch", "send", "desk"];
    for line in &lines {
        assert!(desk.json(line).is_object(), "{line}");
        seen.push(line.split(' ').next().unwrap());
    }
    // So does one that is added.
    let help = desk.good("--help");
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let names = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next());
    for name in names.filter(|name| *name != "help") {
        assert!(seen.contains(&name), "{name} is not tried with --json");
    }
}

#[test]
fn no_file_is_read_without_end() {
    let desk = Desk::agreed(L1);
    fs::File::create(desk.path("large")).unwrap().set_len(3 << 30).unwrap();
    let large = |line: &str, code: &str| {
        let refused: Value = serde_json::from_str(&desk.bad(&format!("{line} --json"))).unwrap();
        assert_eq!(refused["error"]["code"], code, "{line}");
    };
    large(&MAKE.replace("people.csv", "large"), "too_large");
    large(&MAKE.replace("--key centre.key.hedui", "--key large"), "too_large");
    large(&MAKE.replace("file pass", "file large"), "too_large");
    large("audit large", "too_large");
    large("inspect large", "not_a_document");
    large(&MAKE.replace("--agreement agreement", "--agreement large"), "not_a_document");
}

/// A closed file's folder, as the desk exports it.
fn closed_file(desk: &Desk, name: &str) -> String {
    use desk::papers::{Archive, Issuer, Listed, Report, ReportKind, sums};
    use protocol::{Digest, Time, envelope, secret::SigningKey};
    let key = SigningKey::from_seed(&[3; 32]);
    let issuer = || Issuer {
        code: "centre-1".parse().unwrap(),
        name: "核对中心".parse().unwrap(),
        signing_key: key.public(),
    };
    let (at, pdf, body) = (Time::from_unix(1_793_000_000).unwrap(), b"%PDF-1.7 paper", b"{}");
    let report = Report {
        body_bytes: 2,
        body_sha256: Digest::of(body),
        case: "HD2026-000001".parse().unwrap(),
        centre: issuer(),
        issued: at,
        kind: ReportKind::Report,
        number: "BG2026-000001".parse().unwrap(),
        pdf_sha256: Digest::of(pdf),
        supersedes: None,
        version: 1,
    };
    let report = envelope::write(&report, body, &[&key]).unwrap();
    let files: [(&str, &[u8]); 2] = [("bg2026-000001-1.pdf", pdf), ("bg2026-000001-1.report.hedui", &report)];
    let listed: Vec<Listed> = files
        .iter()
        .map(|(name, bytes)| Listed { sha256: Digest::of(bytes), name: (*name).to_owned() })
        .collect();
    let body = sums(&listed);
    let list = Archive {
        body_bytes: body.len() as u64,
        body_sha256: Digest::of(body.as_bytes()),
        case: "HD2026-000001".parse().unwrap(),
        centre: issuer(),
        files: 2,
        log_head: Digest::of(b"head"),
        log_position: 7,
        made: at,
        number: "DA2026-000001".parse().unwrap(),
        previous: None,
        sequence: 1,
        version: 1,
    };
    let list = envelope::write(&list, body.as_bytes(), &[&key]).unwrap();
    let folder = desk.path(name);
    fs::create_dir(&folder).unwrap();
    for (name, bytes) in files.into_iter().chain([("archive.hedui", list.as_slice())]) {
        fs::write(folder.join(name), bytes).unwrap();
    }
    name.to_owned()
}

#[test]
fn a_closed_file_is_held_against_its_list() {
    let desk = Desk::new();
    let folder = closed_file(&desk, "closed");
    let shown = desk.json(&format!("inspect {folder}"));
    assert_eq!((&shown["type"], &shown["papers"]), (&"hedui/archive/v1".into(), &2.into()));
    assert_eq!(shown["signed_by"][0]["named_as"], "centre: centre-1 核对中心");
    assert!(desk.good(&format!("inspect {folder}")).contains("2 beside it, each as the list says"));
    let report = format!("inspect {folder}/bg2026-000001-1.report.hedui");
    assert_eq!(desk.json(&report)["papers"], 1, "the paper beside it is its own");

    desk.write("closed/bg2026-000001-1.pdf", "%PDF-1.7 another");
    let error = desk.bad(&format!("inspect {folder}"));
    assert!(
        error.contains("differs from what was closed") && error.contains("bg2026-000001-1.pdf"),
        "{error}"
    );
    assert!(desk.bad(&report).contains("is not the paper of this report"));
    fs::remove_file(desk.path("closed/bg2026-000001-1.pdf")).unwrap();
    assert!(desk.bad(&format!("inspect {folder}")).contains("bg2026-000001-1.pdf"), "one that is missing");
    assert!(desk.json(&report).get("papers").is_none(), "a copy may lie alone");
    let list = fs::read(desk.path("closed/archive.hedui")).unwrap();
    fs::write(desk.path("closed/archive.hedui"), &list[..list.len() - 1]).unwrap();
    assert!(desk.bad(&format!("inspect {folder}")).contains("cut short"));
}

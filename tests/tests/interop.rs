//! The Python reader and writer of `tests/interop/`, made from `docs/SPEC.md` alone, against the Rust side: what one
//! writes the other reads, and what one refuses the other refuses.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use desk::agreement_maker::{self, Terms};
use e2e::exchange::{Centre, PASSPHRASE, Party, Relation, Setup, date, in_force, now, sha256, text};
use e2e::module::{self, Native, OpenRequest};
use e2e::world::{Sizes, World};
use protocol::agreement::Agreement;
use protocol::answer::Answer;
use protocol::answer_seal::{self, Maker, OpenedAnswer, SealedAnswer, Slots};
use protocol::canonical;
use protocol::clean::Normalised;
use protocol::coverage::{self, Coverage};
use protocol::envelope::{self, Document, Header};
use protocol::joining::{InstitutionKind, JoiningRequest};
use protocol::key_file::{KeyFile, Role};
use protocol::name::Name;
use protocol::receipt::Receipt;
use protocol::release::Release;
use protocol::roster::{self, Field, Level, PrfName, Roster, RosterContext};
use protocol::secret::{Entropy, OpeningKey, SigningKey, TokenKey};
use protocol::slot::{self, Slot};
use protocol::subject::{self, Hint, Kind, Outcome};
use protocol::token::{NameTags, Prf, Token};
use protocol::value::{Base64, Date, Digest};
use serde_json::{Value, json};

// The Python side.

/// `interop.py` over pipes: one line asks, one line answers.
struct Python {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Python {
    fn start() -> Self {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        static VENV: OnceLock<()> = OnceLock::new();
        VENV.get_or_init(|| {
            fs::create_dir_all(root.join("target")).unwrap();
            let one_at_a_time = File::create(root.join("target/interop.lock")).unwrap();
            one_at_a_time.lock().unwrap();
            let made = Command::new("bash").arg(root.join("tests/interop/run.sh")).arg("venv").output();
            let problem = match made {
                Ok(made) if made.status.success() => return,
                Ok(made) => String::from_utf8_lossy(&made.stderr).lines().next_back().unwrap_or_default().to_owned(),
                Err(error) => error.to_string(),
            };
            panic!("tests/interop needs python3 (3.11 or newer, or the one PYTHON names) with venv and pip: {problem}");
        });
        let mut child = Command::new(root.join("target/interop-venv/bin/python"))
            .arg("-B")
            .arg(root.join("tests/interop/interop.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the environment has a python");
        let (stdin, stdout) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, stdin, stdout }
    }

    /// The replies to `requests`, refusals included.
    fn ask_all(&mut self, requests: &[Value]) -> Vec<Value> {
        assert!(!requests.is_empty(), "a runner that asks nothing tests nothing");
        let (stdin, stdout) = (self.stdin.as_mut().unwrap(), &mut self.stdout);
        let replies: Vec<Value> = thread::scope(|scope| {
            scope.spawn(move || {
                for request in requests {
                    stdin.write_all(format!("{request}\n").as_bytes()).unwrap();
                }
                stdin.flush().unwrap();
            });
            stdout
                .lines()
                .take(requests.len())
                .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
                .collect()
        });
        assert_eq!(replies.len(), requests.len(), "Python has ended");
        for (request, reply) in requests.iter().zip(&replies) {
            assert_ne!(reply["field"], "request", "{request}: {reply}");
        }
        replies
    }

    /// The reply to a request that is not refused.
    fn ask(&mut self, request: &Value) -> Value {
        let reply = self.ask_all(std::slice::from_ref(request)).remove(0);
        assert!(reply.get("error").is_none(), "{}: {reply}", request["op"]);
        reply
    }

    /// The document that an operation gives.
    fn document(&mut self, request: &Value) -> Vec<u8> {
        from_b64(self.ask(request)["document"].as_str().unwrap())
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ended = self.child.wait();
    }
}

fn b64(bytes: &[u8]) -> String {
    Base64(bytes.to_vec()).to_string()
}

fn from_b64(text: &str) -> Vec<u8> {
    text.parse::<Base64>().unwrap().0
}

fn seed_of(key: &SigningKey) -> String {
    // EXPOSE: Python signs with the same key.
    hex::encode(key.expose())
}

fn private(key: &OpeningKey) -> String {
    // EXPOSE: Python opens with the same key.
    hex::encode(key.expose())
}

// Dice.

/// SplitMix64 (Steele, Lea and Flood; Vigna's public-domain code).
struct Dice(u64);

impl Dice {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.bits() % u64::try_from(bound).unwrap()).unwrap()
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    fn digits(&mut self, n: usize) -> String {
        (0..n).map(|_| self.pick(b"0123456789") as char).collect()
    }

    fn letters(&mut self, n: usize) -> String {
        (0..n).map(|_| self.pick(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ") as char).collect()
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| u8::try_from(self.bits() >> 56).unwrap())
    }

    /// A character of one of the ranges that some rule speaks of.
    fn character(&mut self) -> char {
        const RANGES: [(u32, u32); 24] = [
            (0x09, 0x0D),
            (0x20, 0x7E),
            (0x20, 0x7E),
            (0x30, 0x39),
            (0x41, 0x5A),
            (0x80, 0xFF),
            (0x370, 0x3FF),
            (0x400, 0x45F),
            (0x1680, 0x1680),
            (0x2000, 0x206F),
            (0x2100, 0x218F),
            (0x2212, 0x2219),
            (0x22C5, 0x22C5),
            (0x25A1, 0x25A1),
            (0x2700, 0x271F),
            (0x3000, 0x30FF),
            (0x3400, 0x3410),
            (0x4E00, 0x9FFF),
            (0xA000, 0xA010),
            (0xE000, 0xE0FF),
            (0xF900, 0xF910),
            (0xFE63, 0xFEFF),
            (0xFF01, 0xFFFD),
            (0x1F600, 0x20100),
        ];
        let (first, last) = self.pick(&RANGES);
        let point = first + u32::try_from(self.below(usize::try_from(last - first).unwrap() + 1)).unwrap();
        char::from_u32(point).unwrap_or('?')
    }

    /// Gives `text` up to `most` small changes: of characters, of spelling, of what stands around it.
    fn change(&mut self, text: &str, most: usize) -> String {
        let mut text: Vec<char> = text.chars().collect();
        for _ in 0..self.below(most + 1) {
            let at = self.below(text.len() + 1);
            match self.below(12) {
                0 if at < text.len() => text[at] = char::from(self.pick(b"0123456789X")),
                1 if at < text.len() => {
                    text[at] = char::from(self.pick(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ*.+E?,()"))
                }
                2 if at < text.len() => {
                    text.remove(at);
                }
                3 => text.insert(at, self.character()),
                4 => text.insert(
                    at,
                    self.pick(&[' ', '\t', '\u{A0}', '\u{3000}', '\u{200B}', '\u{FEFF}', '-', '\u{2013}']),
                ),
                5 if at < text.len() && text[at].is_ascii_graphic() => {
                    text[at] = char::from_u32(u32::from(text[at]) + 0xFEE0).unwrap();
                }
                6 => text.iter_mut().for_each(|c| c.make_ascii_lowercase()),
                7 => text = [&['=', '"'][..], &text, &['"'][..]].concat(),
                8 => text.insert(0, self.pick(&['\'', '’', '`', '＇', ' ', '='])),
                9 => text.iter_mut().filter(|c| **c == 'X').for_each(|c| *c = '\u{445}'),
                10 if at < text.len() => {
                    text[at] = self.pick(&['Х', 'Χ', 'Ⅹ', '×', '✕', 'ⅹ', '*', '＊', 'χ'])
                }
                _ if at + 1 < text.len() => text.swap(at, at + 1),
                _ => text.push('*'),
            }
        }
        text.into_iter().collect()
    }

    /// A resident number that is valid.
    fn resident(&mut self) -> String {
        let area = self.pick(&["110105", "440524", "810000", "830000", "911155", "310101"]);
        let date = Date::from_days(i64::try_from(self.below(60_000)).unwrap() - 25_567).unwrap();
        let body = format!("{area}{}{}", date.number(), self.digits(3));
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        let sum: usize = body.bytes().zip(weights).map(|(d, w)| usize::from(d - b'0') * w).sum();
        format!("{body}{}", char::from(b"10X98765432"[sum % 11]))
    }

    /// A text for an identity cell.
    fn cell(&mut self) -> String {
        let base = match self.below(16) {
            0..=3 => self.resident(),
            4 => {
                let new = self.resident();
                format!("{}{}{}", &new[..6], &new[8..14], self.pick(&["001", "996", "997", "999", "123"]))
            }
            5 => format!("{}{}", self.letters(3), self.digits(12)),
            6 => {
                let letters = self.below(3);
                let digits = 6 + self.below(4);
                format!("{}{}", self.letters(letters), self.digits(digits))
            }
            7 => {
                let reissue = self.below(4);
                format!("{}{}", self.pick(&["H", "M", "C", ""]), self.digits(8 + reissue))
            }
            8 => {
                let prefix = self.pick(&["军", "南海", "士", "", "空军装", "军官证", "\u{3400}"]);
                let digits = 5 + self.below(7);
                format!("{prefix}{}第{}号", self.pick(&["字", ""]), self.digits(digits))
            }
            9 => format!("{}.{}E{}{}", self.digits(1), self.digits(5), self.pick(&["+", ""]), self.digits(2)),
            10 => self.pick(&["0", "7", "1"]).repeat(1 + self.below(19)),
            11 => {
                let (body, code) = (self.digits(6), "0123456789ABCDEFGHJKLMNPQRTUWXY");
                let rest: String = (0..12).map(|_| char::from(self.pick(code.as_bytes()))).collect();
                format!("{body}{rest}")
            }
            12 => self.all_digit_credit_code(),
            13 => {
                let digits = 1 + self.below(22);
                format!("{}{}", self.digits(digits), self.pick(&["", "X", "XX", "*"]))
            }
            14 => self
                .pick(&["", "-", "无", "字", "123456789012345", "123456789012345678", "=\"", "=\"\"", "'"])
                .to_owned(),
            _ => (0..self.below(24)).map(|_| self.character()).collect(),
        };
        self.change(&base, 3)
    }

    /// 18 digits whose check character is that of GB 32100.
    fn all_digit_credit_code(&mut self) -> String {
        loop {
            let body = self.digits(17);
            let (mut sum, mut weight) = (0, 1);
            for digit in body.bytes() {
                sum += usize::from(digit - b'0') * weight;
                weight = weight * 3 % 31;
            }
            match (31 - sum % 31) % 31 {
                check @ 0..=9 => return format!("{body}{check}"),
                29 => return format!("{body}X"),
                _ => {}
            }
        }
    }

    /// A text for a document-kind cell.
    fn kind_cell(&mut self) -> String {
        const WORDS: [&str; 30] = [
            "营业执照",
            "信用代码",
            "机构代码",
            "工商",
            "企业",
            "护照",
            "PassPort",
            "passpor",
            "台胞",
            "台湾居民来往",
            "台湾",
            "通行证",
            "往来台湾",
            "回乡",
            "港澳居民来往",
            "港澳",
            "往来港澳",
            "军官",
            "士兵",
            "警官",
            "文职",
            "军人",
            "身份证",
            "户口簿",
            "居住证",
            "往来",
            "大陆",
            " ",
            "\u{3000}",
            "-",
        ];
        let cell: String = (0..1 + self.below(3)).map(|_| self.pick(&WORDS)).collect();
        if self.below(5) == 0 { self.change(&cell, 2) } else { cell }
    }

    /// A text for a name cell.
    fn name(&mut self) -> String {
        const PARTS: [&str; 32] = [
            "张",
            "三",
            "欧阳",
            "娜娜",
            "阿依古丽",
            "买买提",
            "·",
            "•",
            "‧",
            "・",
            "･",
            "．",
            ".",
            "⋅",
            "∙",
            "Smith",
            "JOHN",
            "von",
            "J.",
            " ",
            ",",
            "  ",
            "-",
            "（监护人）",
            "(x)",
            "(",
            ")",
            "\u{3000}",
            "ＬＥＥ",
            "é",
            "'",
            "\u{200B}",
        ];
        let name: String = (0..1 + self.below(5)).map(|_| self.pick(&PARTS)).collect();
        match self.below(8) {
            0 => self.change(&name, 2),
            1 => (0..self.below(8)).map(|_| self.character()).collect(),
            _ => name,
        }
    }

    /// Another spelling of `name`, or another name.
    fn other_name(&mut self, name: &str) -> String {
        match self.below(5) {
            0 => name.to_owned(),
            1 => format!(" {name}\u{3000}"),
            2 => name.replace(['·', '•', '.'], "・").to_lowercase(),
            3 => self.name(),
            _ => self.change(name, 1),
        }
    }
}

// SPEC §3.

const HINTS: [(&str, Hint); 5] = [
    ("company", Hint::Company),
    ("passport", Hint::Passport),
    ("tw", Hint::Tw),
    ("hk-mo", Hint::HkMo),
    ("officer", Hint::Officer),
];

fn hint_name(hint: Hint) -> Value {
    HINTS.iter().find(|(_, h)| *h == hint).map_or(Value::Null, |(name, _)| json!(name))
}

/// A cell read natively, as the `subjects` operation words it.
fn read_cell(cell: &str, hint: Hint) -> Value {
    match subject::read(cell, hint) {
        (Outcome::Subjects((first, second)), steps) => {
            let found: Vec<_> = [Some(first), second].into_iter().flatten().collect();
            let found: Vec<_> = found.iter().map(|s| json!([s.kind().name(), s.number()])).collect();
            let steps: Vec<_> = steps.iter().map(|step| step.name()).collect();
            json!({"outcome": "subjects", "subjects": found, "normalised": steps})
        }
        (Outcome::NotPersonal, _) => json!({"outcome": "not_personal"}),
        (Outcome::Quarantine(reason), _) => json!({"outcome": "quarantine", "reason": reason.name()}),
    }
}

#[test]
fn vectors_of_subjects() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors/subjects.json");
    let mut cases: Vec<serde_json::Map<String, Value>> =
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert!(cases.len() >= 60);
    for case in &mut cases {
        let (why, cell, hint) =
            (case.remove("why"), case.remove("text").unwrap(), case.remove("hint").unwrap());
        let hint = hint.as_str().map_or(Hint::None, |name| {
            HINTS.iter().find(|(n, _)| *n == name).map_or_else(|| Hint::read(name), |(_, hint)| *hint)
        });
        assert_eq!(read_cell(cell.as_str().unwrap(), hint), json!(case), "{why:?}: {cell}");
    }
}

#[test]
fn random_cells_give_the_same_subjects() {
    const CASES: usize = 10_000;
    let mut dice = Dice(1);
    let (mut requests, mut expected) = (Vec::new(), Vec::new());
    for _ in 0..CASES {
        let (cell, kind_cell) = (dice.cell(), dice.kind_cell());
        let hint = match dice.below(3) {
            0 => Hint::read(&kind_cell),
            1 => dice.pick(&HINTS).1,
            _ => Hint::None,
        };
        requests.push(json!({"op": "subjects", "text": cell, "hint": hint_name(hint)}));
        expected.push(read_cell(&cell, hint));
        requests.push(json!({"op": "hint", "cell": kind_cell}));
        expected.push(json!({"hint": hint_name(Hint::read(&kind_cell))}));
    }
    for ((request, expected), reply) in requests.iter().zip(&expected).zip(Python::start().ask_all(&requests))
    {
        assert_eq!(reply, *expected, "{request}");
    }
    let seen =
        |outcome: &str| expected.iter().filter(|e| e["outcome"] == outcome || e["reason"] == outcome).count();
    for outcome in [
        "subjects",
        "not_personal",
        "empty",
        "masked",
        "scientific",
        "placeholder",
        "date",
        "check_digit",
        "length",
        "format",
    ] {
        assert!(seen(outcome) > 50, "{outcome} came up {} times", seen(outcome));
    }
}

const KINDS: [Kind; 6] =
    [Kind::Resident, Kind::PermanentOld, Kind::Passport, Kind::HkMoPermit, Kind::TwPermit, Kind::Officer];
const PRFS: [(&str, PrfName); 2] = [("blake3", PrfName::Blake3), ("hmac-sha256", PrfName::HmacSha256)];

#[test]
fn random_tokens_are_the_same() {
    let mut dice = Dice(2);
    let (mut requests, mut expected) = (Vec::new(), Vec::new());
    for n in 0..10_000 {
        let ((prf_name, prf), kind, key) = (PRFS[n % 2], dice.pick(&KINDS), dice.bytes::<32>());
        let number = if dice.below(2) == 0 { dice.resident() } else { dice.cell() };
        let token = Prf::new(prf, TokenKey::from_bytes(&key)).token_of(kind, number.as_bytes());
        requests.push(json!({"op": "token", "prf": prf_name, "key": hex::encode(key), "kind": kind.name(), "number": number}));
        expected.push(json!({"token": hex::encode(token.0)}));
    }
    assert_eq!(Python::start().ask_all(&requests), expected);
}

#[test]
fn random_names_have_the_same_tags_and_flags() {
    let mut dice = Dice(3);
    let (mut requests, mut expected, mut flags) = (Vec::new(), Vec::new(), [0; 4]);
    for n in 0..10_000 {
        let ((prf_name, prf), key, token) = (PRFS[n % 2], dice.bytes::<32>(), Token(dice.bytes::<16>()));
        let ours = dice.name();
        let theirs = dice.other_name(&ours);
        let prf = Prf::new(prf, TokenKey::from_bytes(&key));
        let tags = |name: &str| Name::read(name).map(|name| prf.name_tags(&token, &name));
        let request = json!({"prf": prf_name, "key": hex::encode(key), "token": hex::encode(token.0)});
        let with = |members: Value| {
            let mut request = request.clone();
            request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            request
        };
        requests.push(with(json!({"op": "name_tags", "name": ours})));
        expected.push(Name::read(&ours).zip(tags(&ours)).map_or(json!({"wild": true}), |(name, tags)| {
            json!({
                "folded_tag": hex::encode(tags.folded), "exact_tag": hex::encode(tags.exact),
                "folded": name.folded(), "trimmed": name.trimmed(), "wild": false,
            })
        }));
        let ours = tags(&ours).unwrap_or(NameTags { folded: dice.bytes(), exact: dice.bytes() });
        let flag = ours.compare(tags(&theirs)) as u8;
        flags[usize::from(flag)] += 1;
        requests.push(with(json!({
            "op": "name_flag", "name": theirs,
            "folded_tag": hex::encode(ours.folded), "exact_tag": hex::encode(ours.exact),
        })));
        expected.push(json!({"flag": flag}));
    }
    for ((request, expected), reply) in requests.iter().zip(&expected).zip(Python::start().ask_all(&requests))
    {
        for (member, value) in expected.as_object().unwrap() {
            assert_eq!(reply[member], *value, "{member}: {request}");
        }
    }
    assert!(flags.iter().all(|seen| *seen > 200), "{flags:?}");
}

// SPEC §4 to §8: documents made here and read there.

/// An exchange from the joining request to the receipt, all made by the Rust side.
struct Exchange {
    centre: Centre,
    relation: Relation,
    answer: Vec<u8>,
    run: module::Run,
}

const ENTROPY: [u8; 32] = [0x5A; 32];

fn open_request(file: &[u8], agreement: &[u8], roster: &[u8]) -> OpenRequest {
    OpenRequest {
        key_file: file.to_vec(),
        passphrase: PASSPHRASE.to_vec(),
        agreement: agreement.to_vec(),
        roster: roster.to_vec(),
        entropy: ENTROPY.to_vec(),
        options: json!({
            "answer_version": 1, "last_serial": 0, "module_sha256": sha256(b"a module"), "now": now().unix(),
        }),
    }
}

fn exchange(setup: Setup, sizes: Sizes) -> Exchange {
    let world = World::new(7, sizes);
    let institution = world.institution("bank-a").unwrap();
    let centre = Centre::new(setup);
    let relation = centre.ask("bank-a", InstitutionKind::Bank, 1, &world.applicants_csv());
    let request = open_request(&relation.party.file, &relation.agreement, &relation.roster);
    let run = module::run(&mut Native::default(), &request, &institution.bytes(), 65_536).unwrap();
    let answer = if centre.setup.approval {
        envelope::co_sign(&run.answer, &relation.approver.keys.signing).unwrap()
    } else {
        run.answer.clone()
    };
    Exchange { centre, relation, answer, run }
}

fn full() -> Setup {
    let fields = vec![
        Field::Account,
        Field::Accounts,
        Field::Amount,
        Field::BalanceDate,
        Field::Name,
        Field::Product,
        Field::Status,
    ];
    Setup { level: Level::L2, fields, prf: PrfName::HmacSha256, officers: 3, approval: true }
}

fn hit_only() -> Setup {
    Setup { level: Level::L0, fields: vec![Field::Name], ..Setup::default() }
}

const TINY: Sizes = Sizes { applicants: 40, households: 16, customers_per_institution: 400 };

fn joining(party: &Party) -> Vec<u8> {
    let header = JoiningRequest {
        code: party.code.parse().unwrap(),
        issued: now(),
        kind: InstitutionKind::Securities,
        name: text("某某证券 \"A\\B\" \u{7FFF}\u{2028}😀"),
        sealing_key: party.keys.opening.public(),
        signing_key: party.keys.signing.public(),
    };
    envelope::write(&header, b"", &[&party.keys.signing]).unwrap()
}

fn receipt(party: &Party) -> Vec<u8> {
    let header = Receipt {
        answer: Digest::of(b"answer"),
        answer_bytes: 1 << 40,
        institution: "bank-a".parse().unwrap(),
        log_head: Digest::of(b"head"),
        log_position: 3,
        received: now(),
        roster: Digest::of(b"roster"),
    };
    envelope::write(&header, b"", &[&party.keys.signing]).unwrap()
}

fn release(party: &Party) -> Vec<u8> {
    let header = Release {
        exports: vec![text("abi_version"), text("memory"), text("run")],
        imports: Vec::new(),
        issued: now(),
        module_blake3: Digest::of(b"blake3"),
        module_bytes: 400_000,
        module_sha256: Digest::of(b"module"),
        page_sha256: Some(Digest::of(b"page")),
        release: "1.65535.0".parse().unwrap(),
        source_sha256: Digest::of(b"source"),
        toolchain: text("rustc 1.95.0"),
    };
    envelope::write(&header, b"", &[&party.keys.signing]).unwrap()
}

/// Both sides read the document and say the same of it.
fn read_alike<H: Header>(python: &mut Python, bytes: &[u8]) {
    let read = Document::<H>::read(bytes).unwrap();
    let reply = python.ask(&json!({"op": "read", "document": b64(bytes)}));
    assert_eq!(reply["type"], H::TYPE);
    assert_eq!(reply["digest"], read.digest.to_string());
    assert_eq!(reply["signers"], serde_json::to_value(&read.signers).unwrap());
    assert_eq!(reply["header"], read.header.to_json());
    assert_eq!(
        reply["body_sha256"],
        serde_json::to_value(read.header.body().map(|(_, digest)| digest)).unwrap()
    );
}

#[test]
fn what_rust_writes_python_reads() {
    let mut python = Python::start();
    for setup in [hit_only(), Setup::default(), full()] {
        let Exchange { centre, relation, answer, .. } = exchange(setup, TINY);
        let joining = joining(&relation.party);
        read_alike::<JoiningRequest>(&mut python, &joining);
        read_alike::<Agreement>(&mut python, &relation.agreement);
        read_alike::<Roster>(&mut python, &relation.roster);
        read_alike::<Answer>(&mut python, &answer);
        read_alike::<Receipt>(&mut python, &receipt(&relation.party));
        read_alike::<Release>(&mut python, &release(&relation.party));
        python.ask(&json!({"op": "check_parties", "joining": b64(&joining)}));
        python.ask(&json!({
            "op": "check_parties", "agreement": b64(&relation.agreement), "roster": b64(&relation.roster),
            "answer": b64(&answer),
        }));
        for party in [&centre.party, &relation.party, &relation.approver, &centre.officers[0]] {
            let reply = python.ask(&json!({
                "op": "keyfile_open", "file": String::from_utf8(party.file.clone()).unwrap() + "\n",
                "passphrase": String::from_utf8(PASSPHRASE.to_vec()).unwrap(),
            }));
            assert_eq!(reply["code"], party.code);
            assert_eq!(reply["signing_seed"], seed_of(&party.keys.signing));
            assert_eq!(reply["sealing_private"], private(&party.keys.opening));
        }
        let ticket = python.ask(&json!({
            "op": "open_ticket", "roster": b64(&relation.roster), "sealing_private": private(&centre.party.keys.opening),
        }));
        assert_eq!(ticket["slots"], Document::<Roster>::read(&relation.roster).unwrap().header.slot_count);
    }
}

/// Opens with the Rust side.
fn open(answer: &[u8], relation: &Relation, keys: &[&OpeningKey]) -> OpenedAnswer {
    let roster = Document::<Roster>::read(&relation.roster).unwrap();
    let answer = Document::<Answer>::read(answer).unwrap();
    answer_seal::open(answer, &roster.header, &roster.digest, &in_force(&relation.agreement), keys).unwrap()
}

fn open_answer(answer: &[u8], relation: &Relation, keys: &[&OpeningKey]) -> Value {
    let keys: Vec<_> = keys.iter().map(|key| private(key)).collect();
    json!({
        "op": "open_answer", "answer": b64(answer), "roster": b64(&relation.roster),
        "agreement": b64(&relation.agreement), "officer_keys": keys,
    })
}

fn slot_bytes(slot: &Slot, level: Level) -> Vec<u8> {
    let mut bytes = vec![0; slot::size(level)];
    slot.encode(level, &mut bytes);
    bytes
}

/// Both sides open the answer and find the same; gives the number of applicants found.
fn open_alike(
    python: &mut Python,
    answer: &[u8],
    relation: &Relation,
    keys: &[&OpeningKey],
    level: Level,
) -> usize {
    let opened = open(answer, relation, keys);
    let reply = python.ask(&open_answer(answer, relation, keys));
    assert_eq!(reply["coverage"], serde_json::to_value(&opened.coverage).unwrap());
    let found: Vec<_> = (0..).zip(&opened.slots).filter(|(_, slot)| **slot != Slot::default()).collect();
    assert_eq!(reply["slots"].as_array().unwrap().len(), found.len());
    for ((index, slot), reply) in found.iter().zip(reply["slots"].as_array().unwrap()) {
        assert_eq!(reply["slot"], json!(index));
        assert_eq!(reply["bytes"], hex::encode(slot_bytes(slot, level)));
        assert_eq!(reply["outcome"], if slot.found { "found" } else { "no_record" });
        assert_eq!(reply["rows"], slot.rows);
        let ordinals: Vec<u8> = (0..8).filter(|i| slot.ordinals >> i & 1 == 1).collect();
        assert_eq!(reply["ordinals"], json!(ordinals));
        let totals: Vec<_> = slot
            .totals
            .iter()
            .map(|t| json!([t.currency, t.minor, t.accounts, t.blank, t.oldest, t.newest]))
            .collect();
        let theirs: Vec<_> = reply["totals"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| json!([t["currency"], t["minor"], t["accounts"], t["blank"], t["oldest"], t["newest"]]))
            .collect();
        assert_eq!(theirs, totals);
        let accounts: Vec<_> =
            slot.accounts.iter().map(|a| json!([a.account, a.product, a.minor, a.date])).collect();
        let theirs: Vec<_> = reply["accounts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| json!([a["account"], a["product"], a["minor"], a["date"]]))
            .collect();
        assert_eq!(theirs, accounts);
    }
    opened.slots.iter().filter(|slot| slot.found).count()
}

#[test]
fn python_opens_what_rust_sealed() {
    let mut python = Python::start();
    for setup in [hit_only(), Setup::default(), full()] {
        let Exchange { centre, relation, answer, .. } = exchange(setup, Sizes::small());
        let officers: Vec<_> = centre.officers.iter().map(|officer| &officer.keys.opening).collect();
        let groups: Vec<Vec<&OpeningKey>> = match officers.as_slice() {
            [a, b, c] => vec![vec![a, b], vec![a, c], vec![b, c]],
            alone => vec![alone.to_vec()],
        };
        for group in groups {
            let found = open_alike(&mut python, &answer, &relation, &group, centre.setup.level);
            assert!(found > 20, "{found} applicants found");
        }
        let too_few: Vec<&OpeningKey> =
            if officers.len() == 3 { vec![officers[1]] } else { vec![&relation.party.keys.opening] };
        let refused = python.ask_all(&[open_answer(&answer, &relation, &too_few)]).remove(0);
        assert_eq!(refused["field"], "officer_keys");
    }
}

/// Slots that lie in memory, in clear.
struct Clear(Vec<u8>, usize);

impl Slots for Clear {
    fn write(&self, index: u32, out: &mut [u8]) {
        out.copy_from_slice(self.0.chunks(self.1).nth(usize::try_from(index).unwrap()).unwrap());
    }
}

#[test]
fn both_seal_the_same_answer_to_the_byte() {
    let mut python = Python::start();
    for (setup, with_others) in
        [(hit_only(), false), (Setup::default(), true), (full(), false), (full(), true)]
    {
        let Exchange { centre, mut relation, run, .. } = exchange(setup, TINY);
        let keys: Vec<_> = match centre.officers.as_slice() {
            [a, _, c] => vec![&a.keys.opening, &c.keys.opening],
            all => vec![&all[0].keys.opening],
        };
        let level = centre.setup.level;
        let unapproved = Document::<Answer>::read(&run.answer).unwrap();
        let approved = envelope::co_sign(&run.answer, &relation.approver.keys.signing).unwrap();
        let opened = open(&approved, &relation, &keys);
        if with_others {
            relation = ask_with_others(&centre, relation);
        }
        let slots: Vec<u8> = opened.slots.iter().flat_map(|slot| slot_bytes(slot, level)).collect();
        let roster = Document::<Roster>::read(&relation.roster).unwrap();
        let terms = in_force(&relation.agreement);
        let context = RosterContext { now: now(), last_serial: 0, release: None };
        let accepted = roster.check(&terms, &context).unwrap();
        let maker = Maker {
            key: &relation.party.keys.signing,
            created: unapproved.header.created,
            version: unapproved.header.version,
            module_release: unapproved.header.module_release,
            module_sha256: unapproved.header.module_sha256,
        };
        let entropy = Entropy::new(&ENTROPY).unwrap();
        let clear = Clear(slots.clone(), slot::size(level));
        let mut sealed =
            SealedAnswer::make(&accepted, &terms, &maker, &opened.coverage, clear, &entropy).unwrap();
        let mut ours = Vec::new();
        loop {
            let piece = sealed.read();
            if piece.is_empty() {
                break;
            }
            ours.extend(piece);
        }
        let theirs = python.document(&json!({
            "op": "make_answer", "roster": b64(&relation.roster), "agreement": b64(&relation.agreement),
            "created": maker.created, "module_release": maker.module_release.to_string(),
            "module_sha256": maker.module_sha256, "version": maker.version,
            "coverage": serde_json::to_value(&opened.coverage).unwrap(), "slots": b64(&slots),
            "entropy": hex::encode(ENTROPY), "signing_seed": seed_of(maker.key),
        }));
        assert!(ours == theirs, "the bytes differ");
        assert!(with_others || run.answer == theirs, "the bytes differ from the session's");
    }
}

/// The same question under an agreement with a compliance office and a second organisation.
fn ask_with_others(centre: &Centre, relation: Relation) -> Relation {
    let (compliance, cosigner) =
        (Party::new(Role::Officer, "compliance", 60), Party::new(Role::Cosigner, "second", 61));
    let terms = Terms {
        number: text("保密-2026-2"),
        purpose: text("社会救助家庭经济状况核对"),
        level: Level::L2,
        fields: full().fields,
        prfs: vec![PrfName::Blake3, PrfName::HmacSha256],
        valid_from: date("2026-11-22"),
        valid_to: date("2026-11-22"),
        approver_keys: Vec::new(),
        compliance_key: Some(compliance.keys.opening.public()),
        cosigner_key: Some(cosigner.keys.signing.public()),
        page_sha256: Some(Digest::of(b"page")),
    };
    let code = centre.party.code.parse().unwrap();
    let proposal = agreement_maker::propose(
        &joining(&relation.party),
        &code,
        &text("核对中心"),
        &centre.party.keys,
        terms,
    )
    .unwrap();
    let agreement = agreement_maker::countersign(&proposal, &relation.party.keys).unwrap();
    let applicants = World::new(7, TINY).applicants_csv();
    let roster = centre.roster(&agreement, &applicants, 2, now(), 1);
    let roster = envelope::co_sign(&roster, &cosigner.keys.signing).unwrap();
    Relation { agreement, roster, ..relation }
}

// Documents made there and read here.

/// Keys that Python keeps in a file and Rust unlocks.
fn python_party(python: &mut Python, dice: &mut Dice, role: &str, code: &str) -> Party {
    let request = json!({
        "op": "keyfile_write", "code": code, "name": format!("{code} 的密钥"), "role": role,
        "signing_seed": hex::encode(dice.bytes::<32>()), "sealing_private": hex::encode(dice.bytes::<32>()),
        "salt": hex::encode(dice.bytes::<16>()), "passphrase": String::from_utf8(PASSPHRASE.to_vec()).unwrap(),
        "kdf": {"m_kib": 8192, "name": "argon2id", "p": 1, "t": 1},
    });
    let file = python.ask(&request)["file"].as_str().unwrap().as_bytes().to_vec();
    let keys = KeyFile::read(&file).unwrap().unlock(PASSPHRASE).unwrap();
    assert_eq!(seed_of(&keys.signing), request["signing_seed"]);
    assert_eq!(private(&keys.opening), request["sealing_private"]);
    assert!(KeyFile::read(&[&file, b"\r\n \n".as_slice()].concat()).is_ok());
    assert!(KeyFile::read(&file).unwrap().unlock(b"another passphrase").is_err());
    Party { file, code: code.to_owned(), keys }
}

#[test]
fn what_python_writes_rust_reads() {
    let (mut python, mut dice) = (Python::start(), Dice(4));
    let [centre, bank, cosigner, approver, compliance, officer, host, publisher] =
        ["centre", "institution", "cosigner", "approver", "officer", "officer", "host", "publisher"]
            .map(|role| python_party(&mut python, &mut dice, role, role));
    let write = |python: &mut Python, kind: &str, header: Value, signers: &[&Party]| {
        let seeds: Vec<_> = signers.iter().map(|party| seed_of(&party.keys.signing)).collect();
        python.document(
            &json!({"op": "write", "type": kind, "header": header, "body": "", "signing_seeds": seeds}),
        )
    };
    let identity = |party: &Party| {
        json!({
            "code": party.code, "name": "名称 \"\\/\u{7FF}", "sealing_key": party.keys.opening.public(),
            "signing_key": party.keys.signing.public(),
        })
    };
    let with = |mut object: Value, members: Value| {
        object.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        object
    };

    let header = with(identity(&bank), json!({"issued": "2199-12-31T23:59:59Z", "kind": "department"}));
    let joining = write(&mut python, "hedui/joining/v1", header, &[&bank]);
    Document::<JoiningRequest>::read(&joining).unwrap().check().unwrap();
    let header = json!({
        "answer": sha256(b"a"), "answer_bytes": (1_u64 << 53) - 1, "institution": "bank.1_-", "log_head": sha256(b"b"),
        "log_position": 1, "received": "1970-01-01T00:00:00Z", "roster": sha256(b"c"),
    });
    let receipt = write(&mut python, "hedui/receipt/v1", header, &[&host]);
    assert_eq!(Document::<Receipt>::read(&receipt).unwrap().signers, [host.keys.signing.public()]);
    let header = json!({
        "exports": ["a", "b", "é"], "imports": [], "issued": "2026-02-28T00:00:00Z", "module_blake3": sha256(b"a"),
        "module_bytes": 0, "module_sha256": sha256(b"b"), "page_sha256": null, "release": "0.0.65535",
        "source_sha256": sha256(b"c"), "toolchain": "",
    });
    let release = write(&mut python, "hedui/release/v1", header, &[&publisher]);
    Document::<Release>::read(&release).unwrap();

    for (level, prf, approval) in
        [("L0", "blake3", true), ("L1", "hmac-sha256", false), ("L2", "blake3", false)]
    {
        let header = json!({
            "approval_required": approval, "approver_keys": [approver.keys.signing.public()],
            "centre": identity(&centre), "compliance_key": compliance.keys.opening.public(),
            "cosigner_key": cosigner.keys.signing.public(),
            "fields": ["account", "accounts", "amount", "balance_date", "name", "product", "status"],
            "institution": with(identity(&bank), json!({"kind": "bank"})), "level": "L2", "number": "№ 7",
            "page_sha256": null, "prfs": ["blake3", "hmac-sha256"], "purpose": "社会救助", "suites": ["keyed"],
            "valid_from": "2026-11-22", "valid_to": "2026-11-22",
        });
        let agreement = write(&mut python, "hedui/agreement/v1", header, &[&centre, &bank]);
        let people: Vec<_> = (0..70).map(|n| (dice.resident(), format!("张{n}"))).collect();
        let entries = (0..).zip(&people).map(|(slot, (number, name))| {
            json!({"kind": "resident", "number": number, "name": name, "slot": slot, "ordinal": 0})
        });
        let fields = if level == "L0" {
            json!(["name"])
        } else {
            json!(["accounts", "amount", "balance_date", "name"])
        };
        let header = json!({
            "as_of": "2026-10-31", "expires": "2026-12-22T08:00:00Z", "fields": fields, "id": hex::encode(dice.bytes::<16>()),
            "income_from": "2026-01-01", "income_to": "2026-01-01", "issued": "2026-11-22T08:00:00Z",
            "legal_basis": "办法", "level": level,
            "line": if level == "L0" { json!({"currency": "CNY", "minor": 5_000}) } else { Value::Null },
            "module_minimum": "0.1.0",
            "opening_groups": [[officer.keys.opening.public(), centre.keys.opening.public()], [approver.keys.opening.public()]],
            "prf": prf, "purpose": "社会救助", "serial": 1,
        });
        let roster = python.document(&json!({
            "op": "make_roster", "agreement": b64(&agreement), "header": header, "token_key": hex::encode(dice.bytes::<32>()),
            "entries": entries.collect::<Vec<_>>(), "entropy": hex::encode(dice.bytes::<32>()),
            "signing_seeds": [seed_of(&centre.keys.signing), seed_of(&cosigner.keys.signing)],
        }));
        let context = RosterContext { now: now(), last_serial: 0, release: None };
        let accepted =
            Document::<Roster>::read(&roster).unwrap().check(&in_force(&agreement), &context).unwrap();
        assert_eq!((accepted.roster.slot_count, accepted.entries.len()), (128, 160));

        let mut file = "姓名,证件号码,账号,余额,日期\n".to_owned();
        for (n, (number, name)) in people.iter().enumerate().step_by(2) {
            file.push_str(&format!("{name},{number},6222{n:012},{n}.5,2026-10-31\n"));
        }
        let request = open_request(&bank.file, &agreement, &roster);
        let mut answer = module::run(&mut Native::default(), &request, file.as_bytes(), 100).unwrap().answer;
        if approval {
            answer = from_b64(
                python.ask(&json!({
                    "op": "cosign", "document": b64(&answer), "signing_seed": seed_of(&approver.keys.signing),
                }))["document"]
                    .as_str()
                    .unwrap(),
            );
        }
        let relation = Relation {
            party: python_party(&mut python, &mut dice, "institution", "x"),
            approver: python_party(&mut python, &mut dice, "approver", "y"),
            agreement,
            roster,
        };
        for group in [vec![&officer, &centre], vec![&approver], vec![&compliance]] {
            let keys: Vec<_> = group.iter().map(|party| &party.keys.opening).collect();
            let found = open_alike(&mut python, &answer, &relation, &keys, accepted.roster.level);
            assert_eq!(found, 35);
        }
    }
}

// Refusals.

/// Whether the Rust side reads a document of `kind`.
fn reads(kind: &str, bytes: &[u8]) -> bool {
    match kind {
        JoiningRequest::TYPE => Document::<JoiningRequest>::read(bytes).is_ok(),
        Agreement::TYPE => Document::<Agreement>::read(bytes).is_ok(),
        Roster::TYPE => Document::<Roster>::read(bytes)
            .is_ok_and(|document| roster::read_entries(&document.header, &document.body).is_ok()),
        Answer::TYPE => Document::<Answer>::read(bytes).is_ok(),
        Receipt::TYPE => Document::<Receipt>::read(bytes).is_ok(),
        Release::TYPE => Document::<Release>::read(bytes).is_ok(),
        "hedui/key/v1" => KeyFile::read(bytes).is_ok_and(|file| file.unlock(PASSPHRASE).is_ok()),
        _ => panic!("{kind}"),
    }
}

fn read_request(kind: &str, bytes: &[u8]) -> Value {
    if kind == "hedui/key/v1" {
        let passphrase = String::from_utf8(PASSPHRASE.to_vec()).unwrap();
        json!({"op": "keyfile_open", "file": String::from_utf8_lossy(bytes), "passphrase": passphrase})
    } else {
        json!({"op": "read", "document": b64(bytes)})
    }
}

/// Which of `variants` each side reads: Rust's word and Python's.
fn verdicts(python: &mut Python, kind: &str, variants: &[Vec<u8>]) -> Vec<(bool, bool)> {
    let requests: Vec<_> = variants.iter().map(|bytes| read_request(kind, bytes)).collect();
    let replies = python.ask_all(&requests);
    variants
        .iter()
        .zip(replies)
        .map(|(bytes, reply)| (reads(kind, bytes), reply.get("error").is_none()))
        .collect()
}

/// A document of each kind and a key file, small.
fn one_of_each(python: &mut Python) -> Vec<(&'static str, Vec<u8>)> {
    let Exchange { relation, answer, .. } = exchange(hit_only(), TINY);
    let key_file = python_party(python, &mut Dice(5), "institution", "bank-a").file;
    vec![
        (JoiningRequest::TYPE, joining(&relation.party)),
        (Agreement::TYPE, relation.agreement),
        (Roster::TYPE, relation.roster),
        (Answer::TYPE, answer),
        (Receipt::TYPE, receipt(&relation.party)),
        (Release::TYPE, release(&relation.party)),
        ("hedui/key/v1", key_file),
    ]
}

#[test]
fn cut_or_flipped_both_refuse() {
    let (mut python, mut dice) = (Python::start(), Dice(6));
    for (kind, document) in one_of_each(&mut python) {
        assert_eq!(verdicts(&mut python, kind, std::slice::from_ref(&document)), [(true, true)], "{kind}");
        let inner = document.len().saturating_sub(300);
        let mut cuts: Vec<usize> =
            (0..document.len().min(1_500)).chain(inner.max(1_500)..document.len()).collect();
        cuts.extend((1_500..inner).step_by(7));
        let cuts: Vec<_> = cuts.into_iter().map(|cut| document[..cut].to_vec()).collect();
        let flips: Vec<_> = (0..300)
            .map(|_| {
                let (at, bit) = (
                    dice.below(document.len()),
                    if kind == "hedui/key/v1" { dice.below(7) } else { dice.below(8) },
                );
                let mut flipped = document.clone();
                flipped[at] ^= 1 << bit;
                flipped
            })
            .collect();
        for variants in [cuts, flips] {
            let read = verdicts(&mut python, kind, &variants);
            assert!(
                read.iter().all(|both| *both == (false, false)),
                "{kind}: {:?}",
                read.iter().position(|b| *b != (false, false))
            );
        }
    }
}

/// An envelope written by hand, so that it may be wrong.
fn seal_envelope(kind: &str, header: &[u8], keys: &[&SigningKey], body: &[u8]) -> Vec<u8> {
    let pae = [format!("DSSEv1 {} {kind} {} ", kind.len(), header.len()).as_bytes(), header].concat();
    let mut out = [kind.as_bytes(), b"\n"].concat();
    out.extend(u32::try_from(header.len()).unwrap().to_be_bytes());
    out.extend(header);
    out.push(u8::try_from(keys.len()).unwrap());
    for key in keys {
        out.extend(key.public().as_bytes());
        out.extend(key.sign(&pae));
    }
    out.extend(u64::try_from(body.len()).unwrap().to_be_bytes());
    out.extend(body);
    out
}

/// The header and body of a document; a key file is all header.
fn parts<'a>(kind: &str, document: &'a [u8]) -> (String, &'a [u8]) {
    if kind == "hedui/key/v1" {
        return (String::from_utf8(document.to_vec()).unwrap(), b"");
    }
    let head = envelope::Head::parse(document).unwrap();
    (String::from_utf8(head.header_json().to_vec()).unwrap(), &document[head.length..])
}

fn rewritten(kind: &str, header: &[u8], body: &[u8]) -> Vec<u8> {
    if kind == "hedui/key/v1" {
        header.to_vec()
    } else {
        seal_envelope(kind, header, &[&SigningKey::from_seed(&[9; 32])], body)
    }
}

#[test]
fn other_spellings_both_refuse() {
    let mut python = Python::start();
    for (kind, document) in one_of_each(&mut python) {
        let (json, body) = parts(kind, &document);
        let members: serde_json::Map<String, Value> = serde_json::from_str(&json).unwrap();
        let (first, value) = members.iter().next().unwrap();
        let (first, value) = (format!("\"{first}\""), value.to_string());
        let inside = &json[1..json.len() - 1];
        let escaped = |c: char| json.replacen(&format!("\"{c}"), &format!("\"\\u{:04x}", u32::from(c)), 1);
        let letter = first.chars().nth(1).unwrap();
        let mut variants = vec![
            format!(" {json}"),
            format!("\u{FEFF}{json}"),
            format!("{json}\0"),
            format!("{{{inside} }}"),
            format!("{{ {inside}}}"),
            format!("{{{inside},}}"),
            format!("{{{inside},{first}:{value}}}"),
            format!("{{{first}:{value},{inside}}}"),
            format!("{{{inside},\"zz\":{}{}}}", "[".repeat(8), "]".repeat(8)),
            format!("[{json}]"),
            "{}".to_owned(),
            "[]".to_owned(),
            "null".to_owned(),
            json.replacen(':', ": ", 1),
            json.replacen(',', ", ", 1),
            json.replacen(',', ",\n", 1),
            json.replacen('"', "'", 2),
            json.replacen("\":\"", "\":\"\\/", 1),
            escaped(letter),
            format!(
                "{{{}}}",
                members.iter().rev().map(|(k, v)| format!("\"{k}\":{v}")).collect::<Vec<_>>().join(",")
            ),
        ];
        if kind != "hedui/key/v1" {
            variants.push(format!("{json} "));
            variants.push(format!("{json}\n"));
        }
        if let Some((name, number)) = members.iter().find(|(_, v)| v.is_u64()) {
            for other in [
                format!("{number}.0"),
                format!("{number}e0"),
                format!("0{number}"),
                format!("-{number}"),
                format!("\"{number}\""),
            ] {
                variants.push(json.replacen(
                    &format!("\"{name}\":{number}"),
                    &format!("\"{name}\":{other}"),
                    1,
                ));
            }
        }
        variants.retain(|variant| *variant != json);
        assert!(variants.len() >= 19, "{kind}: {}", variants.len());
        let documents: Vec<_> =
            variants.iter().map(|header| rewritten(kind, header.as_bytes(), body)).collect();
        for (variant, read) in variants.iter().zip(verdicts(&mut python, kind, &documents)) {
            assert_eq!(read, (false, false), "{kind}: {variant}");
        }
        let again = rewritten(kind, json.as_bytes(), body);
        assert_eq!(verdicts(&mut python, kind, &[again]), [(true, true)], "{kind}");
    }
}

/// Every way to put another value in one place of `value`.
fn changed_members(value: &Value, out: &mut Vec<Value>, put: &dyn Fn(Value) -> Value) {
    let others = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(999),
        json!((1_u64 << 53) - 1),
        json!(""),
        json!("x"),
        json!("\u{7}"),
        json!("L1"),
        json!("name"),
        json!("2026-02-29"),
        json!("1970-01-01"),
        json!("2026-11-22T08:00:00Z"),
        json!("AAAA"),
        json!("00".repeat(32)),
        json!([]),
        json!({}),
        json!([[]]),
        json!(["name"]),
        json!(["name", "name"]),
        json!("x".repeat(1_025)),
        json!("1.0.65536"),
    ];
    out.extend(others.into_iter().map(put));
    match value {
        Value::Object(members) => {
            let with = |name: &str, member: Option<Value>| {
                let mut members = members.clone();
                match member {
                    Some(member) => members.insert(name.to_owned(), member),
                    None => members.remove(name),
                };
                put(Value::Object(members))
            };
            out.push(with("zz", Some(Value::Null)));
            out.push(put(members.values().cloned().collect()));
            for (name, member) in members {
                out.push(with(name, None));
                changed_members(member, out, &|member| with(name, Some(member)));
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                let with = |new: Vec<Value>| put(Value::Array([&items[..i], &new, &items[i + 1..]].concat()));
                out.push(with(vec![]));
                out.push(with(vec![item.clone(), item.clone()]));
                changed_members(item, out, &|item| with(vec![item]));
            }
        }
        Value::String(word) if word.is_ascii() => out.push(put(json!({ word: null }))),
        _ => {}
    }
}

#[test]
fn another_member_is_judged_alike() {
    let mut python = Python::start();
    let mut differ = Vec::new();
    for (kind, document) in one_of_each(&mut python) {
        let (json, body) = parts(kind, &document);
        let mut headers = Vec::new();
        changed_members(&serde_json::from_str(&json).unwrap(), &mut headers, &|value| value);
        let headers: Vec<_> = headers.iter().map(|header| canonical::encode(header).unwrap()).collect();
        let documents: Vec<_> = headers.iter().map(|header| rewritten(kind, header, body)).collect();
        let read = verdicts(&mut python, kind, &documents);
        assert!(read.iter().filter(|both| **both == (false, false)).count() > 100, "{kind}");
        for (header, (rust, python)) in headers.iter().zip(read).filter(|(_, (rust, python))| rust != python)
        {
            let header = String::from_utf8_lossy(header);
            differ.push(format!("{kind}: Rust reads: {rust}, Python reads: {python}: {header}"));
        }
    }
    assert!(differ.is_empty(), "{} are judged differently:\n{}", differ.len(), differ.join("\n"));
}

/// Whether each side reads these slots: Rust's word and Python's.
fn slot_verdicts(python: &mut Python, level: Level, slots: &[Vec<u8>]) -> Vec<(bool, bool)> {
    let requests: Vec<_> = slots
        .iter()
        .map(|bytes| json!({"op": "slot_read", "level": level, "bytes": hex::encode(bytes)}))
        .collect();
    let rust = slots.iter().map(|bytes| Slot::decode(level, bytes).is_ok());
    rust.zip(python.ask_all(&requests)).map(|(rust, reply)| (rust, reply.get("error").is_none())).collect()
}

#[test]
fn another_byte_of_a_slot_is_judged_alike() {
    const VALUES: [u8; 20] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 24, 32, 64, 127, 128, 129, 131, 255];
    const DATES: [u32; 12] = [
        0,
        1,
        18_991_231,
        19_000_101,
        19_000_229,
        20_240_229,
        20_230_229,
        20_260_001,
        20_261_301,
        21_991_231,
        22_000_101,
        219_990_101,
    ];
    let (mut python, mut dice) = (Python::start(), Dice(7));
    for setup in [hit_only(), Setup::default(), full()] {
        let Exchange { centre, relation, answer, .. } = exchange(setup, Sizes::small());
        let level = centre.setup.level;
        let officers: Vec<_> = centre.officers.iter().take(2).map(|officer| &officer.keys.opening).collect();
        let slots = open(&answer, &relation, &officers).slots;
        let most = slots.iter().max_by_key(|slot| (slot.totals.len(), slot.accounts.len())).unwrap();
        assert!(level == Level::L0 || most.totals.len() >= 2, "{} totals", most.totals.len());
        let good = slot_bytes(most, level);
        let (totals, accounts) = (most.totals.len(), most.accounts.len());

        let mut variants = vec![good.clone(), good[1..].to_vec(), [good.as_slice(), &[0]].concat()];
        let mut put = |at: usize, bytes: &[u8]| {
            let mut changed = good.clone();
            if let Some(place) = changed.get_mut(at..at + bytes.len()) {
                place.copy_from_slice(bytes);
                variants.push(changed);
            }
        };
        // Each byte of the head, of the totals and accounts in use, and of one behind them.
        let used = (0..16).chain(16..16 + 24 * (totals + 1)).chain(592..592 + 64 * (accounts + 1).min(3));
        for at in used.filter(|at| *at < slot::size(level)) {
            for value in VALUES {
                put(at, &[value]);
            }
            for bit in 0..8 {
                put(at, &[good[at] ^ 1 << bit]);
            }
        }
        for date in DATES {
            for at in [16 + 16, 16 + 20, 592 + 12] {
                put(at, &date.to_be_bytes());
            }
        }
        // Another order, or one twice.
        for (start, size, n) in [(16, 24, totals), (592, 64, accounts)] {
            for _ in 0..100 {
                if n > 1 {
                    let (one, other) = (start + size * dice.below(n), start + size * dice.below(n));
                    let piece = good[other..other + size].to_vec();
                    put(one, &piece);
                    if size == 24 {
                        put(one, &piece[..4]);
                    }
                }
            }
            for n in 1..n {
                let at = start + size * (n - 1);
                let swapped = [&good[at + size..at + 2 * size], &good[at..at + size]].concat();
                put(at, &swapped);
            }
        }
        // Texts.
        for text in ["\0\0a", "\u{7FF}", "一二三四五六", "\u{1}", "\u{FFFF}"] {
            put(592 + 20, text.as_bytes());
            put(592 + 44, text.as_bytes());
        }
        put(592 + 20, &[0xED, 0xA0, 0x80]);
        put(592 + 20, &[0xC0, 0x80]);

        let read = slot_verdicts(&mut python, level, &variants);
        assert_eq!(read[0], (true, true));
        for (variant, (rust, python)) in variants.iter().zip(&read) {
            let changed: Vec<_> =
                (0..good.len()).filter(|at| variant.get(*at) != good.get(*at)).take(8).collect();
            assert_eq!(
                rust,
                python,
                "{level:?}: Rust reads: {rust}: bytes {changed:?} of {}",
                hex::encode(variant)
            );
        }
        for side in [true, false] {
            assert!(read.iter().filter(|(rust, _)| *rust == side).count() > 100, "{level:?}: {side}");
        }
    }
}

#[test]
fn another_coverage_statement_is_judged_alike() {
    let mut python = Python::start();
    let statement = json!({
        "balance_date": "2026-11-22", "columns": ["amount:fund", "id_number", "name"], "encoding": "gb18030",
        "files": [{"bytes": 1_000, "rows": 9}, {"bytes": 20, "rows": 3}], "grain": "account",
        "normalised": {"spaces": 2, "upgraded15": 1}, "not_personal": 1, "quarantined": {"ragged": 2}, "rows": 12,
        "skipped": {"blank": 1}, "valid": 9,
    });
    let with = |name: &str, member: Value| {
        let mut changed = statement.clone();
        changed[name] = member;
        changed
    };
    let mut statements = vec![statement.clone()];
    changed_members(&statement, &mut statements, &|value| value);
    let names = coverage::COLUMN_ROLES
        .into_iter()
        .chain(Normalised::ALL.map(Normalised::name))
        .chain(subject::Reason::ALL.map(subject::Reason::name))
        .chain([
            "ragged",
            "undecodable",
            "blank",
            "footer",
            "repeated_header",
            "amount:other",
            "amount:",
            "utf-8",
            "utf-16le",
            "utf-16be",
            "utf-16",
            "UTF-8",
            "customer",
            "household",
            "",
        ]);
    for name in names {
        for object in ["normalised", "quarantined", "skipped"] {
            statements.push(with(object, json!({ name: 2 })));
        }
        statements.push(with("columns", json!([name])));
        statements.push(with("columns", json!(["id_number", name])));
        statements.push(with("encoding", json!(name)));
        statements.push(with("grain", json!(name)));
    }
    let mut padded: Vec<Vec<u8>> =
        statements.iter().filter_map(|statement| canonical::encode(statement).ok()).collect();
    padded.iter_mut().for_each(|bytes| bytes.resize(4_096, 0));
    padded.push(vec![0; 4_096]);
    padded.push(padded[0][1..].to_vec());
    padded.push([padded[0].as_slice(), &[0]].concat());
    padded.push([&padded[0][..4_095], b" "].concat());
    let requests: Vec<_> =
        padded.iter().map(|bytes| json!({"op": "coverage_read", "bytes": b64(bytes)})).collect();
    let replies = python.ask_all(&requests);
    let mut read = [0, 0];
    for (bytes, reply) in padded.iter().zip(replies) {
        let rust = Coverage::decode(bytes).is_ok();
        read[usize::from(rust)] += 1;
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(rust, reply.get("error").is_none(), "Rust reads: {rust}: {}", text.trim_end_matches('\0'));
    }
    assert!(read[0] > 300 && read[1] > 50, "{read:?}");
}

#[test]
fn wrong_envelopes_both_refuse() {
    let mut python = Python::start();
    let keys: Vec<_> = (1..=5).map(|n| SigningKey::from_seed(&[n; 32])).collect();
    for (kind, document) in one_of_each(&mut python).into_iter().filter(|(kind, _)| *kind != "hedui/key/v1") {
        let (json, body) = parts(kind, &document);
        let make = |kind: &str, keys: &[&SigningKey]| seal_envelope(kind, json.as_bytes(), keys, body);
        let all: Vec<_> = keys.iter().collect();
        let good = make(kind, &all[..4]);
        assert_eq!(verdicts(&mut python, kind, &[good]), [(true, true)], "{kind}");
        let one = make(kind, &all[..1]);
        let at = kind.len() + 1 + 4 + json.len() + 1;
        let change = |from: usize, bytes: &[u8]| {
            let mut changed = one.clone();
            changed[from..from + bytes.len()].copy_from_slice(bytes);
            changed
        };
        let mut identity = [0; 32];
        identity[0] = 1;
        let above_order: Vec<u8> = {
            const ORDER: [u8; 32] = [
                0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE,
                0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
            ];
            let mut carry = 0;
            one[at + 64..at + 96]
                .iter()
                .zip(ORDER)
                .map(|(s, o)| {
                    carry += u16::from(*s) + u16::from(o);
                    let low = u8::try_from(carry & 0xFF).unwrap();
                    carry >>= 8;
                    low
                })
                .collect()
        };
        let small_order = [identity.as_slice(), &identity, &[0; 32]].concat();
        let variants = vec![
            make(kind, &[]),
            make(kind, &all),
            make(kind, &[all[0], all[0]]),
            make(kind, &[all[0], all[1], all[0]]),
            make("hedui/probe/v1", &all[..1]),
            make("hedui/receipt/v2", &all[..1]),
            make(&kind.to_uppercase(), &all[..1]),
            make("", &all[..1]),
            make(&"a".repeat(65), &all[..1]),
            [one.as_slice(), b"\n"].concat(),
            [one.as_slice(), &one].concat(),
            change(at, &small_order),
            change(at + 64, &above_order),
            seal_envelope(kind, json.as_bytes(), &all[..1], &[body, b"x"].concat()),
            seal_envelope(kind, b"", &all[..1], body),
            seal_envelope(kind, &[b' '; 65_537], &all[..1], body),
        ];
        for (n, read) in verdicts(&mut python, kind, &variants).into_iter().enumerate() {
            assert_eq!(read, (false, false), "{kind}: variant {n}");
        }
    }
}

#[test]
fn wrong_roster_bodies_both_refuse() {
    let mut python = Python::start();
    let relation = exchange(hit_only(), TINY).relation;
    let (json, body) = parts(Roster::TYPE, &relation.roster);
    let header: Value = serde_json::from_str(&json).unwrap();
    let with_body = |body: &[u8]| {
        let mut header = header.clone();
        header["body_bytes"] = json!(body.len());
        header["body_sha256"] = json!(sha256(body));
        rewritten(Roster::TYPE, &canonical::encode(&header).unwrap(), body)
    };
    let put = |at: usize, bytes: &[u8]| with_body(&[&body[..at], bytes, &body[at + bytes.len()..]].concat());
    assert_eq!(verdicts(&mut python, Roster::TYPE, &[with_body(body)]), [(true, true)]);
    let variants = [
        with_body(&[&body[24..48], &body[..24], &body[48..]].concat()),
        put(24, &body[..24]),
        put(24, &body[..16]),
        put(16, &64_u32.to_be_bytes()),
        put(16, &u32::MAX.to_be_bytes()),
        put(23, &[8]),
        with_body(&body[24..]),
        with_body(&body[1..]),
        with_body(&[body, &[0xFF; 24]].concat()),
        with_body(b""),
    ];
    for (n, read) in verdicts(&mut python, Roster::TYPE, &variants).into_iter().enumerate() {
        assert_eq!(read, (false, false), "variant {n}");
    }
}

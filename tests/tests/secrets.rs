//! `Debug` never prints a secret. Every type that holds one stands in [`HOLDERS`], with how it prints; whoever adds
//! a type, or derives `Debug` for one, is stopped here until somebody has looked at it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

use e2e::exchange::Party;
use matcher::cell::Cell;
use protocol::key_file::Role;
use protocol::roster::{Entry, PrfName};
use protocol::secret::{Entropy, OpeningKey, SigningKey, TokenKey};
use protocol::slot::{Account, AssetKind, Slot, Status, Total};
use protocol::subject::{self, Hint, Outcome};
use protocol::token::{NameTags, Prf};
use protocol::value::{Base64, Currency};

/// How a type that holds a secret prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Prints {
    /// It has no `Debug`.
    Not,
    /// It has one written by hand, which shows no field that is secret.
    ByHand,
    /// Derived: each secret in it is of a type that prints nothing of itself.
    Derived,
}

use Prints::{ByHand, Derived, Not};

/// Every type that holds a key, entropy, a passphrase or bytes that are wiped, or a type that does; by crate.
const HOLDERS: &[(&str, &str, Prints)] = &[
    ("cli", "Cli", Derived),
    ("cli", "Command", Derived),
    ("cli", "Maker", Not),
    ("console", "CaseFindings", ByHand),
    ("console", "Centre", Not),
    ("console", "Config", Not),
    ("console", "Confirmed", ByHand),
    ("console", "Console", ByHand),
    ("console", "Content", Not),
    ("console", "Draft", Derived),
    ("console", "Facts", ByHand),
    ("console", "Ground", Not),
    ("console", "Inner", Not),
    ("console", "Matching", Not),
    ("console", "Opened", ByHand),
    ("console", "Paper", Not),
    ("console", "Routes", Not),
    ("console", "Seeds", Not),
    ("console", "Source", Derived),
    ("console", "Step", Derived),
    ("console", "Store", ByHand),
    ("console", "Unlocked", ByHand),
    ("console", "Vault", ByHand),
    ("console", "Write", Derived),
    ("desk", "Decoys", Not),
    ("desk", "Layout", Not),
    ("desk", "Rebuilt", Derived),
    ("desk", "Seen", Not),
    ("desk", "Ticket", Not),
    ("host", "Challenges", Not),
    ("host", "Inner", Not),
    ("host", "Route", Derived),
    ("host", "State", ByHand),
    ("matcher", "ClearSlots", Not),
    ("matcher", "Findings", Not),
    ("matcher", "Finished", Not),
    ("matcher", "Known", Not),
    ("matcher", "Matching", Not),
    ("matcher", "Open", Not),
    ("matcher", "PartTaker", Not),
    ("matcher", "Sealed", Not),
    ("matcher", "SealedPart", Not),
    ("matcher", "Sealing", Not),
    ("matcher", "Session", Not),
    ("matcher", "TableRows", Not),
    ("matcher", "Yield", Not),
    ("protocol", "ChunkCutter", Not),
    ("protocol", "Content", Not),
    ("protocol", "Entropy", ByHand),
    ("protocol", "FirstPass", Not),
    ("protocol", "Keys", Derived),
    ("protocol", "Maker", Derived),
    ("protocol", "OpeningKey", ByHand),
    ("protocol", "PartKey", Not),
    ("protocol", "Prf", ByHand),
    ("protocol", "SealedAnswer", Not),
    ("protocol", "SealedChunks", Not),
    ("protocol", "SecondPass", Not),
    ("protocol", "SigningKey", ByHand),
    ("protocol", "Stream", Not),
    ("protocol", "TokenKey", ByHand),
    ("rows", "Short", Not),
    ("rows", "Taker", Not),
];

/// The crates whose types come near a secret.
const CRATES: [&str; 11] = [
    "heap",
    "protocol",
    "rows",
    "matcher",
    "matcher-wasm",
    "runner",
    "sandbox",
    "host",
    "desk",
    "console",
    "cli",
];

/// What makes a type a holder. The types of `protocol` that hold something count everywhere, the others in their crate.
const SECRETS: [&str; 8] = [
    "Zeroizing",
    "ZeroizeOnDrop",
    "Wiped",
    "Passphrase",
    "SigningKey",
    "ChaCha20Poly1305",
    "Hasher",
    "OutputReader",
];

#[test]
fn every_type_that_holds_a_secret_has_been_looked_at() {
    let reviewed: BTreeSet<(&str, &str, Prints)> = HOLDERS.iter().copied().collect();
    let (mut found, mut global) = (BTreeSet::new(), BTreeSet::new());
    for name in CRATES.into_iter().filter(|name| root().join(name).is_dir()) {
        let source = source(&root().join(name).join("src"));
        let types = types(&source);
        let mut secrets: BTreeSet<String> = SECRETS.map(str::to_owned).into_iter().collect();
        secrets.extend(global.iter().cloned());
        loop {
            let before = secrets.len();
            let more = types.iter().filter(|(_, body)| mentions(body, &secrets));
            let more: Vec<String> = more.map(|(name, _)| name.clone()).collect();
            secrets.extend(more);
            if secrets.len() == before {
                break;
            }
        }
        for (holder, body) in types.iter().filter(|(_, body)| mentions(body, &secrets)) {
            let by_hand = source.contains(&format!("Debug for {holder}"));
            let derived = body
                .split("#[derive(")
                .skip(1)
                .any(|list| list.split(')').next().unwrap().split(',').any(|name| name.trim() == "Debug"));
            let prints = if by_hand {
                ByHand
            } else if derived {
                Derived
            } else {
                Not
            };
            found.insert((name.to_owned(), holder.clone(), prints));
            if name == "protocol" {
                global.insert(holder.clone());
            }
        }
    }
    let found: BTreeSet<(&str, &str, Prints)> =
        found.iter().map(|(name, holder, prints)| (name.as_str(), holder.as_str(), *prints)).collect();
    let new: Vec<_> = found.difference(&reviewed).collect();
    let gone: Vec<_> = reviewed.difference(&found).collect();
    assert!(new.is_empty() && gone.is_empty(), "look at {new:#?}, then put them in; gone: {gone:#?}");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All Rust of a folder but its tests, without comments.
fn source(folder: &Path) -> String {
    let mut all = String::new();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            all += &source(&path);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let code = text.lines().map(|line| line.split("//").next().unwrap());
            all.extend(code.flat_map(|line| [line, "\n"]));
        }
    }
    all
}

/// The structs and enums of some source: each with its attributes and its fields.
fn types(source: &str) -> BTreeMap<String, String> {
    let mut types = BTreeMap::new();
    let lines: Vec<&str> = source.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let mut words = line.split_whitespace().skip_while(|word| word.starts_with("pub"));
        if !matches!(words.next(), Some("struct" | "enum")) {
            continue;
        }
        let Some(name) = words.next() else { continue };
        let name: String = name.chars().take_while(|c| c.is_alphanumeric()).collect();
        let attributes = lines[..at].iter().rev().take_while(|line| line.trim_start().starts_with("#["));
        let mut body: String = attributes.copied().collect();
        let mut depth = 0;
        'body: for line in &lines[at..] {
            for c in line.chars() {
                body.push(c);
                match c {
                    '{' | '(' => depth += 1,
                    '}' | ')' => depth -= 1,
                    _ => {}
                }
                if depth == 0 && matches!(c, '}' | ';') {
                    break 'body;
                }
            }
            body.push('\n');
        }
        let header = format!("struct {name}");
        types.entry(name).or_insert_with(String::new).push_str(&body.replacen(&header, "struct", 1));
    }
    types
}

/// Whether one of `names` stands in the text as a type, or in a list of what is derived; as a variant it stands alone.
fn mentions(text: &str, names: &BTreeSet<String>) -> bool {
    let mut before = ' ';
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_alphanumeric()) {
        before = rest[..start].trim_end().chars().next_back().unwrap_or(before);
        let word: String = rest[start..].chars().take_while(|c| c.is_alphanumeric()).collect();
        rest = &rest[start + word.len()..];
        let variant = matches!(before, '{' | ',' | '}' | ')' | ']') && word != "ZeroizeOnDrop";
        if names.contains(&word) && !variant {
            return true;
        }
        before = 'a';
    }
    false
}

/// Bytes that nothing else prints.
const CANARY: [u8; 32] = [0xC5; 32];

/// Neither of the ways in which bytes are printed shows the canary, nor `text`.
fn shows_nothing(what: &str, value: &dyn Debug, text: &str) -> String {
    let (short, long) = (format!("{value:?}"), format!("{value:#?}"));
    let ways =
        ["197".to_owned(), hex::encode([0xC5; 2]), Base64(CANARY[..6].to_vec()).to_string(), "C5".to_owned()];
    for printed in [&short, &long] {
        for way in &ways {
            assert!(!printed.contains(way.as_str()), "{what} prints its bytes: {printed}");
        }
        assert!(text.is_empty() || !printed.contains(text), "{what} prints what it holds: {printed}");
    }
    short
}

#[test]
fn what_holds_a_secret_prints_without_it() {
    let keys = || protocol::key_file::Keys {
        signing: SigningKey::from_seed(&CANARY),
        opening: OpeningKey::from_bytes(&CANARY),
    };
    let prf = |name| Prf::new(name, TokenKey::from_bytes(&CANARY));
    let number = "11010519491231002X";
    let (Outcome::Subjects((subject, _)), _) = subject::read(number, Hint::None) else { panic!("a subject") };
    let shown = [
        shows_nothing("SigningKey", &SigningKey::from_seed(&CANARY), ""),
        shows_nothing("OpeningKey", &OpeningKey::from_bytes(&CANARY), ""),
        shows_nothing("TokenKey", &TokenKey::from_bytes(&CANARY), ""),
        shows_nothing("Entropy", &Entropy::new(&CANARY).unwrap(), ""),
        shows_nothing("Keys", &keys(), ""),
        shows_nothing("Prf", &prf(PrfName::Blake3), ""),
        shows_nothing("Prf", &prf(PrfName::HmacSha256), ""),
        shows_nothing("Subject", &subject, number),
    ];
    assert_eq!(
        shown,
        [
            "SigningKey(..)",
            "OpeningKey(..)",
            "TokenKey(..)",
            "Entropy(..)",
            "Keys { signing: SigningKey(..), opening: OpeningKey(..) }",
            "Prf(Blake3, ..)",
            "Prf(HmacSha256, ..)",
            "Subject(resident, ..)",
        ]
    );
}

/// A key file prints what lies on disk anyway; the keys in it are under the passphrase.
#[test]
fn a_key_file_prints_no_key() {
    let party = Party::new(Role::Officer, "officer", 7);
    let file = protocol::key_file::KeyFile::read(&party.file).unwrap();
    // EXPOSE: looked for in what is printed.
    let seed = party.keys.signing.expose();
    let printed = format!("{file:?} {:?}", party.keys);
    for way in [hex::encode(seed), Base64(seed.to_vec()).to_string(), format!("{seed:?}")] {
        assert!(!printed.contains(&way));
    }
}

/// What was found about somebody prints how much it is, and nothing of it.
#[test]
fn figures_and_texts_of_accounts_do_not_print() {
    let (amount, text) = (1_234_567_891_234, "6217000012345678");
    let total = Total {
        kind: AssetKind::Deposit,
        currency: Currency::CNY,
        minor: amount,
        accounts: 1,
        blank: 0,
        oldest: 20_261_031,
        newest: 20_261_031,
    };
    let account = Account {
        kind: AssetKind::Loan,
        currency: Currency::CNY,
        minor: amount,
        date: 20_261_031,
        status: Status::Frozen,
        name_flag: 3,
        ordinal: 1,
        bits: 0,
        account: text.to_owned(),
        product: text.to_owned(),
    };
    let asset = matcher::findings::Asset {
        kind: AssetKind::Deposit,
        currency: Currency::CNY,
        amount: Cell::Value(amount),
        date: Cell::Value(20_261_031),
        accounts: 1,
        notes: 0,
        status: Status::Frozen,
        account: text.to_owned(),
        product: text.to_owned(),
    };
    let slot = Slot { found: true, totals: vec![total], accounts: vec![account.clone()], ..Slot::default() };
    let entry = Entry { token: [0xC5; 16], slot: 3, folded_tag: [0xC5; 2], exact_tag: 0xC5, ordinal: 1 };
    let tags = NameTags { folded: [0xC5; 2], exact: [0xC5] };
    let shown = [
        shows_nothing("Total", &total, "1234567891234"),
        shows_nothing("Account", &account, text),
        shows_nothing("Asset", &asset, text),
        shows_nothing("Cell", &asset.amount, "1234567891234"),
        shows_nothing("Slot", &slot, text),
        shows_nothing("Entry", &entry, ""),
        shows_nothing("NameTags", &tags, ""),
    ];
    assert!(shown.iter().all(|printed| !printed.contains("20261031") && !printed.contains("1234567")));
    assert_eq!(
        shown,
        [
            "Total(deposit CNY, ..)",
            "Account(loan CNY, ..)",
            "Asset(deposit CNY, ..)",
            "Value(..)",
            "Slot(found: true, 1 totals, 1 accounts, ..)",
            "Entry(slot 3, ordinal 1, ..)",
            "NameTags(..)",
        ]
    );
}

/// Applicants and results are people: they print rows and counts.
#[test]
fn people_do_not_print() {
    let world = e2e::world::World::new(
        7,
        e2e::world::Sizes { applicants: 8, households: 4, customers_per_institution: 10 },
    );
    let csv = world.applicants_csv();
    let (people, _) = desk::Applicants::read_partial(&csv, e2e::exchange::now().date()).unwrap();
    assert!(people.len() > 2);
    for person in people.iter() {
        let printed = format!("{person:?} {person:#?} {:?}", person.numbers);
        for number in &person.numbers {
            assert!(!printed.contains(number.subject.number()), "a person prints");
        }
        assert!(!printed.contains(person.name.trimmed()), "a person prints");
    }
}

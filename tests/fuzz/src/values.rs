//! What stands in one cell, one member or one slot.

use std::fmt::Display;
use std::str::FromStr;

use matcher::cell::{self, Cell, Unit};
use matcher::{gb18030, roles};
use protocol::coverage::Coverage;
use protocol::name::Name;
use protocol::roster::Level;
use protocol::slot::{self, Slot};
use protocol::subject::{self, Hint, Outcome};
use protocol::value::{
    Base64, Code, Currency, Date, Digest, PublicKey, ReleaseNumber, RosterId, SealingKey, Text, Time,
};

use crate::input::Input;

/// The first byte says what follows: a subject, an amount, a date, a name, words of a customer file, a slot, a
/// coverage statement, a text in GB18030, or the text of a value in a document.
///
/// # Panics
/// When something is read in two ways, or not written as it was read.
pub fn values(data: &[u8]) {
    let mut input = Input(data);
    let kind = input.byte() % 9;
    match kind {
        5 => return slots(&mut input),
        6 => return coverage(input.0),
        7 => return chinese(input.0),
        _ => {}
    }
    let more = input.byte();
    let Ok(text) = std::str::from_utf8(input.0) else { return };
    match kind {
        0 => subjects(text, more),
        1 => amounts(text, more),
        2 => dates(text),
        3 => names(text),
        4 => words(text),
        _ => members(text),
    }
}

fn subjects(text: &str, hint: u8) {
    let hints = [
        "",
        "身份证",
        "护照",
        "营业执照",
        "军官证",
        "港澳居民来往内地通行证",
        "台胞证",
        "外国人永久居留证",
        "其他",
    ];
    let _ = Hint::read(text);
    let hint = Hint::read(hints[usize::from(hint) % hints.len()]);
    let (outcome, normalised) = subject::read(text, hint);
    match &outcome {
        Outcome::Subjects((first, second)) => {
            for subject in [Some(first), second.as_ref()].into_iter().flatten() {
                assert!(!subject.number().is_empty());
                assert!(!format!("{subject:?}").contains(subject.number()), "a subject does not print");
                if subject.kind() == subject::Kind::Resident {
                    let plain = subject::read_plain(subject.number().as_bytes())
                        .expect("a canonical number is plain");
                    assert_eq!(subject::resident(plain), *subject);
                }
            }
            assert_ne!(Some(first), second.as_ref(), "two readings differ");
        }
        Outcome::NotPersonal | Outcome::Quarantine(_) => {}
    }
    if let Some(plain) = subject::read_plain(text.as_bytes())
        && hint == Hint::None
    {
        assert_eq!(outcome, Outcome::Subjects((subject::resident(plain), None)), "both ways read the same");
        assert!(normalised.is_empty(), "a plain number is as it should be");
    }
}

fn amounts(text: &str, currency: u8) {
    let currencies = [*b"CNY", *b"JPY", *b"BHD", *b"USD", *b"XXX"];
    let currency = Currency(currencies[usize::from(currency) % currencies.len()]);
    let one = cell::amount(text, Unit::One, currency);
    let many = cell::amount(text, Unit::TenThousand, currency);
    assert_eq!(one == Cell::Empty, many == Cell::Empty, "what is empty is so in any unit");
    // Written as plainly as it can be, it is the same.
    if let Cell::Value(minor) = one {
        let scale = 10_i128.pow(currency.exponent());
        let (sign, minor) = (if minor < 0 { "-" } else { "" }, i128::from(minor).abs());
        let digits = usize::try_from(currency.exponent()).unwrap();
        let plain = match digits {
            0 => format!("{sign}{minor}"),
            _ => format!("{sign}{}.{:0digits$}", minor / scale, minor % scale),
        };
        assert_eq!(cell::amount(&plain, Unit::One, currency), one, "an amount has one value");
    }
}

fn dates(text: &str) {
    if let Cell::Value(number) = cell::date(text) {
        let date = Date::from_number(number).expect("a date that exists");
        assert_eq!(Date::from_days(date.days()), Some(date));
        assert_eq!(cell::date(&date.to_string()), Cell::Value(number), "a date has one value");
    }
}

fn names(text: &str) {
    let Some(name) = Name::read(text) else { return };
    assert!(!name.folded().is_empty());
    assert!(!name.folded().contains(|c: char| c == ' ' || c == '\u{3000}' || c.is_ascii_lowercase()));
    let again = Name::read(name.trimmed()).expect("a trimmed name is a name");
    assert_eq!((again.trimmed(), again.folded()), (name.trimmed(), name.folded()));
}

fn words(text: &str) {
    if let Cell::Value(currency) = cell::currency(text) {
        reads_back::<Currency>(&currency.to_string());
    }
    let _ = (cell::product(text), cell::status(text));
    if let (Some(role), _) = roles::guess(text) {
        assert!(!role.name().is_empty());
    }
    for most in [slot::PRODUCT_BYTES, slot::ACCOUNT_BYTES] {
        let cut = slot::cut_text(text, most);
        assert!(cut.len() <= most && text.starts_with(cut));
    }
}

fn slots(input: &mut Input<'_>) {
    let level = [Level::L0, Level::L1, Level::L2][usize::from(input.byte()) % 3];
    // Most slots end in zeros, which an input may leave out.
    let mut padded = input.0.to_vec();
    padded.resize(slot::size(level), 0);
    for bytes in [input.0, &padded] {
        if let Ok(slot) = Slot::decode(level, bytes) {
            let mut written = vec![0xAA; slot::size(level)];
            slot.encode(level, &mut written);
            assert_eq!(written, bytes, "a slot is written as it was read");
        }
    }
}

fn coverage(json: &[u8]) {
    let _ = Coverage::decode(json);
    let mut padded = json.to_vec();
    padded.resize(protocol::coverage::COVERAGE_BYTES.max(json.len()), 0);
    if let Ok(coverage) = Coverage::decode(&padded) {
        assert_eq!(coverage.encode().unwrap(), padded, "a statement is written as it was read");
    }
}

/// Our decoder against the one that its tables come from.
fn chinese(bytes: &[u8]) {
    let theirs = encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes);
    assert_eq!(gb18030::decode(bytes).as_deref(), theirs.as_deref());
}

fn members(text: &str) {
    reads_back::<Base64>(text);
    reads_back::<Code>(text);
    reads_back::<Currency>(text);
    reads_back::<Date>(text);
    reads_back::<Digest>(text);
    reads_back::<PublicKey>(text);
    reads_back::<ReleaseNumber>(text);
    reads_back::<RosterId>(text);
    reads_back::<SealingKey>(text);
    reads_back::<Text>(text);
    reads_back::<Time>(text);
}

fn reads_back<T: FromStr + Display>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string(), text, "a value has one spelling");
    }
}

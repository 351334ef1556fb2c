//! Files that must not be answered from, or not as they stand: what spreadsheets, programs and people do to an
//! export on its way. Each comes with the outcome it must have.

use std::io::{self, Read};

use super::applicant;
use super::csv::{Encoding, push_row};
use super::name;
use super::number;
use super::rng::Rng;

/// A file and what must come of it.
#[derive(Debug, Clone)]
pub struct Damaged {
    /// What was done to it; the name of the function here.
    pub name: &'static str,
    /// What it calls itself, often wrongly.
    pub file_name: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
    /// What must come of it.
    pub outcome: Outcome,
}

/// What must come of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is refused under this code, as the matcher's error replies give it (SPEC §10).
    Refused(&'static str),
    /// It is read, with so many rows and so many of them valid.
    Read {
        /// Data rows.
        rows: u64,
        /// Rows with a valid number.
        valid: u64,
    },
}

const HEADING: [&str; 5] = ["姓名", "证件号码", "账号", "账户余额", "余额日期"];

/// All files below, with `rows` rows where that has a meaning (40 at least).
pub fn all(seed: u64, rows: u64) -> Vec<Damaged> {
    let rows = rows.max(40);
    vec![
        excel_damaged(seed, rows),
        float_damaged(seed, rows),
        scientific(seed, rows),
        masked(seed, rows),
        cut_to_15(seed, rows),
        cut_to_17(seed, rows),
        wrong_column(seed, rows),
        empty_file(),
        header_only(),
        no_id_column(seed, rows),
        binary(seed),
        zip(seed),
        ole(),
        html(seed, rows),
        utf16_tabs(seed, rows),
        unclosed_quote(seed),
        unclosed_quote_at_end(seed, rows),
        undecodable(seed, rows),
        sheet_full(seed),
    ]
}

/// Numbers that a spreadsheet kept 15 digits of: the last three are 000. Those ending in X stayed text and whole.
pub fn excel_damaged(seed: u64, rows: u64) -> Damaged {
    let bytes = ruined(seed, rows, |number| format!("{}000", &number[..15]));
    refused("excel_damaged", "customers.csv", bytes, "column_trailing_zeros")
}

/// Numbers that went through a binary fraction of 53 bits: multiples of 16 or more. Those ending in X are whole.
pub fn float_damaged(seed: u64, rows: u64) -> Damaged {
    let bytes = ruined(seed, rows, |number| number.parse::<u64>().map_or(0, |n| n as f64 as u64).to_string());
    refused("float_damaged", "customers.csv", bytes, "column_multiples")
}

/// Numbers as a spreadsheet shows them: `5.10322E+17`. Those ending in X are whole.
pub fn scientific(seed: u64, rows: u64) -> Damaged {
    let bytes = ruined(seed, rows, |number| format!("{}.{}E+17", &number[..1], &number[1..6]));
    refused("scientific", "customers.csv", bytes, "column_scientific")
}

/// Numbers masked for privacy, those ending in X too.
pub fn masked(seed: u64, rows: u64) -> Damaged {
    let bytes = export(seed, rows, |number| format!("{}**********{}", &number[..4], &number[14..]));
    refused("masked", "customers.csv", bytes, "column_masked")
}

/// Numbers cut to 15 digits by a column of that width: nearly none is a date any more.
pub fn cut_to_15(seed: u64, rows: u64) -> Damaged {
    let bytes = export(seed, rows, |number| number[..15].to_owned());
    refused("cut_to_15", "customers.csv", bytes, "column_check_digit")
}

/// Numbers in a numeric column of a database, which lost the last character to make room for X: all are too short.
pub fn cut_to_17(seed: u64, rows: u64) -> Damaged {
    let bytes = export(seed, rows, |number| number[..17].to_owned());
    refused("cut_to_17", "customers.csv", bytes, "column_length")
}

/// 18 digits that are no identity numbers: somebody put another column under the heading.
pub fn wrong_column(seed: u64, rows: u64) -> Damaged {
    let bytes = export(seed, rows, |number| format!("621708{}11", &number[6..16]));
    refused("wrong_column", "customers.csv", bytes, "column_check_digit")
}

/// Nothing at all.
pub fn empty_file() -> Damaged {
    refused("empty_file", "customers.csv", Vec::new(), "empty_file")
}

/// A heading and no row.
pub fn header_only() -> Damaged {
    refused("header_only", "customers.csv", Encoding::Utf8Bom.file(&heading()), "empty_file")
}

/// A table without a column of identity numbers.
pub fn no_id_column(seed: u64, rows: u64) -> Damaged {
    let mut text = String::new();
    push_row(&mut text, &["客户经理", "网点", "账户余额"], ',', "\r\n", false);
    let mut rng = Rng::new(seed, "no_id_column");
    for _ in 0..rows {
        let surname = name::surname(&mut rng);
        push_row(&mut text, &[&name::chinese(&mut rng, surname), "富顺支行", "100.00"], ',', "\r\n", false);
    }
    refused("no_id_column", "customers.csv", Encoding::Utf8.file(&text), "no_id_column")
}

/// A picture.
pub fn binary(seed: u64) -> Damaged {
    refused("binary", "customers.csv", noise(seed, b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR"), "binary_file")
}

/// A spreadsheet of today, or any zip archive, under the name of a text file.
pub fn zip(seed: u64) -> Damaged {
    let start = b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0[Content_Types].xml";
    refused("zip", "customers.csv", noise(seed, start), "spreadsheet_xlsx")
}

/// A spreadsheet of before 2007, or one with a password.
pub fn ole() -> Damaged {
    let mut bytes = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
    bytes.resize(4_096, 0);
    refused("ole", "customers.xls", bytes, "spreadsheet_xls")
}

/// A web page that calls itself a spreadsheet.
pub fn html(seed: u64, rows: u64) -> Damaged {
    let mut text = String::from("<html><head><meta charset=\"utf-8\"></head><body><table border=1>\n");
    for line in plain(seed, rows, str::to_owned).lines() {
        text.push_str(&format!("<tr><td>{}</td></tr>\n", line.replace(',', "</td><td>")));
    }
    text.push_str("</table></body></html>\n");
    refused("html", "customers.xls", Encoding::Utf8.file(&text), "html_file")
}

/// "Unicode text" of a spreadsheet: UTF-16, tabs. It is read.
pub fn utf16_tabs(seed: u64, rows: u64) -> Damaged {
    let bytes = Encoding::Utf16Le.file(&plain(seed, rows, str::to_owned).replace(',', "\t"));
    Damaged {
        name: "utf16_tabs",
        file_name: "customers.txt",
        bytes,
        outcome: Outcome::Read { rows, valid: rows },
    }
}

/// A quotation mark that is never closed, with more behind it than a row may hold.
pub fn unclosed_quote(seed: u64) -> Damaged {
    let bytes = with_open_quote(&plain(seed, 3_000, str::to_owned), 100);
    refused("unclosed_quote", "customers.csv", bytes, "line_too_long")
}

/// The same near the end: what is swallowed would fit into a row, and must not be lost in silence.
pub fn unclosed_quote_at_end(seed: u64, rows: u64) -> Damaged {
    let bytes = with_open_quote(&plain(seed, rows, str::to_owned), rows.saturating_sub(20));
    refused("unclosed_quote_at_end", "customers.csv", bytes, "unclosed_quote")
}

/// A quotation mark in front of data row `row` (from 0).
fn with_open_quote(text: &str, row: u64) -> Vec<u8> {
    let mut out = String::with_capacity(text.len() + 1);
    for (n, line) in (0..).zip(text.split_inclusive('\n')) {
        if n == row + 1 {
            out.push('"');
        }
        out.push_str(line);
    }
    Encoding::Utf8.file(&out)
}

/// GB18030 with a byte inside one number that no character has.
pub fn undecodable(seed: u64, rows: u64) -> Damaged {
    let mut bytes = Encoding::Gb18030.file(&plain(seed, rows, str::to_owned));
    let start = bytes
        .iter()
        .rposition(|b| *b == b'\n')
        .and_then(|end| bytes[..end].iter().rposition(|b| *b == b'\n'));
    let row = start.unwrap_or(0);
    let comma = bytes[row..].iter().position(|b| *b == b',').unwrap_or(0);
    bytes[row + comma + 5] = 0xFF;
    let outcome = Outcome::Read { rows, valid: rows - 1 };
    Damaged { name: "undecodable", file_name: "customers.csv", bytes, outcome }
}

/// Exactly as many lines as an old spreadsheet holds, the heading included: probably cut. It is read, with a warning.
pub fn sheet_full(seed: u64) -> Damaged {
    let rows = 65_535;
    let bytes = export(seed, rows, str::to_owned);
    Damaged {
        name: "sheet_full",
        file_name: "customers.csv",
        bytes,
        outcome: Outcome::Read { rows, valid: rows },
    }
}

/// A heading, then one line of `bytes` bytes that is never in memory. Must be refused as `line_too_long`.
pub fn long_line(bytes: u64) -> impl Read {
    let head = heading() + "张三,";
    io::Cursor::new(head.into_bytes()).chain(io::repeat(b'7').take(bytes))
}

fn refused(name: &'static str, file_name: &'static str, bytes: Vec<u8>, code: &'static str) -> Damaged {
    Damaged { name, file_name, bytes, outcome: Outcome::Refused(code) }
}

/// A good export as UTF-8 with a mark, each number passed through `change`.
fn export(seed: u64, rows: u64, change: impl Fn(&str) -> String) -> Vec<u8> {
    Encoding::Utf8Bom.file(&plain(seed, rows, change))
}

/// The same, where only numbers that look like figures are changed.
fn ruined(seed: u64, rows: u64, change: impl Fn(&str) -> String) -> Vec<u8> {
    export(seed, rows, |number| if number.ends_with('X') { number.to_owned() } else { change(number) })
}

fn plain(seed: u64, rows: u64, change: impl Fn(&str) -> String) -> String {
    let mut rng = Rng::new(seed, "damaged");
    let mut text = heading();
    for _ in 0..rows {
        let area = number::area(&mut rng);
        let number = applicant::citizen(&mut rng, area).text;
        let surname = name::surname(&mut rng);
        let cells = [
            name::chinese(&mut rng, surname),
            change(&number),
            format!("6217{}", rng.digits(15)),
            format!("{}.{:02}", rng.below(100_000), rng.below(100)),
            "20261031".to_owned(),
        ];
        push_row(&mut text, &cells, ',', "\r\n", false);
    }
    text
}

fn heading() -> String {
    let mut text = String::new();
    push_row(&mut text, &HEADING, ',', "\r\n", false);
    text
}

fn noise(seed: u64, start: &[u8]) -> Vec<u8> {
    let mut rng = Rng::new(seed, "noise");
    let mut bytes = start.to_vec();
    bytes.extend((0..1_024).flat_map(|_| rng.bits().to_le_bytes()));
    bytes
}

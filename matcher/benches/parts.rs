//! The parts of a row's path, one by one, and the whole of it: `cargo xtask bench --parts`.
//!
//! Whole files, other runners and other programs are measured by `cargo xtask bench`; this says where the
//! time goes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench stops at the first surprise")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use encoding_rs::GB18030;
use matcher::delimiter::Delimiter;
use matcher::layout::TableOptions;
use matcher::matching::Matching;
use matcher::text::Stage;
use protocol::agreement::AgreementInForce;
use protocol::coverage::Encoding;
use protocol::roster::{AcceptedRoster, Entry, PrfName, Roster};
use protocol::secret::TokenKey;
use protocol::subject::{self, ResidentNumber};
use protocol::token::Prf;
use protocol::value::Digest;
use rows::records::Flow;
use rows::{Cutter, Lookup, Record, Rest};
use serde_json::{Value, json};

/// Rows of the file.
const ROWS: u32 = 100_000;
/// People on the roster, who are every so many-th customer.
const PEOPLE: u32 = 10_000;
const EVERY: u32 = 100;
/// Bytes that are pushed at a time.
const CHUNK: usize = 1 << 20;

criterion_group! {
    name = parts;
    config = Criterion::default().without_plots();
    targets = records, identity, token, lookup, field, whole
}
criterion_main!(parts);

/// Counts the bytes of the second column.
struct Second(usize);

impl Rest for Second {
    fn record(&mut self, record: &Record<'_>) -> Flow {
        self.0 += record.field(1).len();
        Flow::Continue(())
    }

    fn is_for_short(&mut self, _: &[u8]) -> bool {
        false
    }

    fn sampled(&mut self, _: &ResidentNumber) -> u64 {
        0
    }

    fn found(&mut self, _: &Record<'_>, _: &Entry) {}
}

/// Cutting a file into records: where its separators stand, and by `csv-core` when each line has a quotation mark.
fn records(c: &mut Criterion) {
    let plain = file();
    let quoted = plain.replace(",510322-", ",\"510322\"-");
    let mut group = c.benchmark_group("records");
    group.throughput(Throughput::Elements(ROWS.into()));
    for (name, file) in [("plain", plain), ("quoted", quoted)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let (mut cutter, mut second) = (Cutter::new(b','), Second(0));
                for chunk in file.as_bytes().chunks(CHUNK) {
                    let _ = cutter.feed(chunk, None, &mut second).unwrap();
                }
                second.0
            });
        });
    }
    group.finish();
}

/// Reading an identity number that is plain and good.
fn identity(c: &mut Criterion) {
    let number = number(7);
    c.bench_function("subject::read_plain", |b| b.iter(|| subject::read_plain(black_box(number.as_bytes()))));
}

/// Hashing it, by either function.
fn token(c: &mut Criterion) {
    let numbers = [7, 8, 9, 10].map(|n| <[u8; 18]>::try_from(number(n).as_bytes()).unwrap());
    for name in [PrfName::Blake3, PrfName::HmacSha256] {
        let prf = prf(name);
        let id = format!("token, {name:?}");
        let mut group = c.benchmark_group(&id);
        group.throughput(Throughput::Elements(4));
        group.bench_function("four at once", |b| {
            b.iter(|| prf.resident_tokens(&black_box(&numbers).each_ref()))
        });
        group.bench_function("one by one", |b| {
            b.iter(|| black_box(&numbers).each_ref().map(|number| prf.resident_token(number)));
        });
        group.finish();
    }
}

/// Looking a token up that is not on the roster, as nearly all are not.
fn lookup(c: &mut Criterion) {
    let prf = prf(PrfName::Blake3);
    let lookup = Lookup::new(entries(&prf)).unwrap();
    let strangers: Vec<_> = (0..ROWS)
        .filter(|n| n % EVERY != 0)
        .map(|n| prf.resident_token(number(n).as_bytes().try_into().unwrap()))
        .collect();
    let mut group = c.benchmark_group("lookup");
    group.throughput(Throughput::Elements(strangers.len() as u64));
    group.bench_function("find nobody", |b| {
        b.iter(|| strangers.iter().filter(|token| lookup.find(token).is_some()).count());
    });
    group.finish();
}

/// Decoding a name.
fn field(c: &mut Criterion) {
    let name = "阿依古丽·买买提";
    for (encoding, bytes) in
        [(Encoding::Utf8, name.as_bytes().to_vec()), (Encoding::Gb18030, GB18030.encode(name).0.into_owned())]
    {
        let stage = Stage::new(encoding, Delimiter::COMMA);
        let id = format!("field, {}", encoding.word());
        c.bench_function(&id, |b| b.iter(|| stage.field(black_box(&bytes)).map(|text| text.len())));
    }
}

/// Everything that happens to a row.
fn whole(c: &mut Criterion) {
    let file = file();
    let mut group = c.benchmark_group("Matching::push");
    group.throughput(Throughput::Elements(ROWS.into()));
    group.sample_size(20);
    for (encoding, bytes) in [
        (Encoding::Utf8, file.as_bytes().to_vec()),
        (Encoding::Gb18030, GB18030.encode(&file).0.into_owned()),
    ] {
        group.bench_function(encoding.word(), |b| {
            b.iter_batched(
                matching,
                |mut matching| {
                    bytes.chunks(CHUNK).for_each(|chunk| matching.push(chunk).unwrap());
                    assert_eq!(matching.progress().valid, u64::from(ROWS) - 1, "the last row is not closed");
                    matching
                },
                criterion::BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// A run at its beginning.
fn matching() -> Matching {
    let prf = prf(PrfName::Blake3);
    let roster: Roster = serde_json::from_value(roster()).unwrap();
    let roster = AcceptedRoster { roster, digest: digest(), entries: entries(&prf) };
    let terms = serde_json::from_value(terms()).unwrap();
    Matching::new(&roster, &AgreementInForce { terms, digest: digest() }, prf, TableOptions::default())
        .unwrap()
}

/// 姓名,证件号码,账号,余额,日期, about 80 bytes a row, no line break at the end.
fn file() -> String {
    let row = |n: u32| {
        format!("\r\n阿依古丽,{},510322-6217080100{n:010},{}.{:02},2026-10-31", number(n), n * 7, n % 100)
    };
    std::iter::once("姓名,证件号码,账号,余额,日期".to_owned()).chain((0..ROWS).map(row)).collect()
}

/// A good number, another one for each `n` below a million.
fn number(n: u32) -> String {
    let body = format!(
        "510322{}{:02}{:02}{:03}",
        1950 + n / 20_000,
        1 + n / 2_000 % 10,
        1 + n / 100 % 20,
        1 + n % 100
    );
    let sum: u32 = body.bytes().fold(0, |sum, digit| (sum * 2 + u32::from(digit - b'0')) % 11);
    let check = char::from(b"10X98765432"[(sum * 2 % 11) as usize]);
    format!("{body}{check}")
}

fn prf(name: PrfName) -> Prf {
    Prf::new(name, TokenKey::from_bytes(&[7; 32]))
}

fn entries(prf: &Prf) -> Vec<Entry> {
    let entry = |slot: u32| {
        let token = prf.resident_token(number(slot * EVERY).as_bytes().try_into().unwrap()).0;
        Entry { token, slot, folded_tag: [0; 2], exact_tag: 0, ordinal: 0 }
    };
    (0..PEOPLE).map(entry).collect()
}

fn digest() -> Digest {
    Digest([0; 32])
}

/// Header of a roster. Nothing of it but what is asked and the number of slots matters here.
fn roster() -> Value {
    let zeros = "00".repeat(32);
    json!({
        "agreement": zeros, "as_of": "2026-10-31", "authorisations_root": zeros, "body_bytes": 0,
        "body_sha256": zeros, "entry_count": PEOPLE, "expires": "2026-11-30T00:00:00Z",
        "fields": ["accounts", "amount", "balance_date", "name"], "id": "00".repeat(16), "income_from": null,
        "income_to": null, "institution": "bank-x", "issued": "2026-11-01T00:00:00Z",
        "kem": "x25519-hkdf-sha256", "legal_basis": "-", "level": "L1", "line": null, "module_minimum": "0.1.0",
        "opening_groups": [[zeros]], "prf": "blake3", "purpose": "-", "serial": 1, "slot_count": 16384,
        "slot_size": 512, "suite": "keyed", "ticket": "", "token_key": "",
    })
}

/// Terms of an agreement. Nothing of it but the institution's kind matters here.
fn terms() -> Value {
    let zeros = "00".repeat(32);
    json!({
        "approval_required": false, "approver_keys": [],
        "centre": { "code": "centre", "name": "-", "sealing_key": zeros, "signing_key": zeros },
        "compliance_key": null, "cosigner_key": null, "fields": ["accounts", "amount", "balance_date", "name"],
        "institution":
            { "code": "bank-x", "kind": "bank", "name": "-", "sealing_key": zeros, "signing_key": zeros },
        "level": "L1", "number": "-", "page_sha256": null, "prfs": ["blake3"], "purpose": "-", "suites": ["keyed"],
        "valid_from": "2026-01-01", "valid_to": "2036-12-31",
    })
}

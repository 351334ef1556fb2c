//! A plain export of any length for measurements: no mess, no allocation in the loop.

use std::collections::HashSet;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::applicant::Applicant;
use super::calendar;
use super::csv::{Encoder, Encoding};
use super::name;
use super::number::{self, Document};
use super::rng::Rng;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bulk {
    /// Data rows.
    pub rows: u64,
    /// Rows of applicants.
    pub hits: u64,
    /// Applicants who have any row.
    pub people: u64,
    /// Sum of the amounts in the applicants' rows, in fen.
    pub fen: u64,
    /// Length of the file.
    pub bytes: u64,
}

/// Different names among the strangers.
const NAMES: usize = 512;
/// Bytes gathered before they are written.
const BATCH_BYTES: usize = 256 * 1024;

/// A name ready for the file, and a number.
type Person = (Vec<u8>, String);

pub(super) fn write(
    seed: u64,
    applicants: &[Applicant],
    rows: u64,
    encoding: Encoding,
    hits_share: f64,
    out: &mut impl Write,
) -> io::Result<Bulk> {
    let mut rng = Rng::new(seed, "bulk");
    // UTF-16 is made of UTF-8 when a batch is written; the others go out as they are.
    let mut inner = Encoder::new(if encoding == Encoding::Utf16Le { Encoding::Utf8 } else { encoding });
    let roster: Vec<Person> = applicants
        .iter()
        .filter(|person| person.number.document == Document::Resident)
        .map(|person| (inner.encode(&person.name), person.number.text.clone()))
        .collect();
    // Former numbers too: whoever else held one would be found as the applicant.
    let numbers = applicants.iter().flat_map(Applicant::numbers);
    let resident = numbers.filter(|number| number.document == Document::Resident);
    let taken: HashSet<u64> = resident.map(|number| key(number.text.as_bytes())).collect();
    let names: Vec<Vec<u8>> = (0..NAMES)
        .map(|_| {
            let surname = name::surname(&mut rng);
            inner.encode(&name::chinese(&mut rng, surname))
        })
        .collect();
    let days: Vec<[u8; 8]> = (calendar::days(19400101)..calendar::days(20110101))
        .map(|day| fixed::<8>(u64::from(calendar::date(day))))
        .collect();
    // Below this a 53-bit random number is a hit.
    let threshold = (hits_share.clamp(0.0, 1.0) * (1_u64 << 53) as f64) as u64;

    let mut done = Bulk { rows, ..Bulk::default() };
    let mut seen = vec![false; roster.len()];
    let mut batch = inner.encode("姓名,证件号码,账号,余额,日期\r\n");
    out.write_all(encoding.mark())?;
    done.bytes += encoding.mark().len() as u64;
    for _ in 0..rows {
        let hit = rng.bits() >> 11 < threshold && !roster.is_empty();
        if hit {
            let person = rng.index(roster.len());
            let (name, number) = &roster[person];
            batch.extend_from_slice(name);
            batch.push(b',');
            batch.extend_from_slice(number.as_bytes());
            done.hits += 1;
            done.people += u64::from(!std::mem::replace(&mut seen[person], true));
        } else {
            batch.extend_from_slice(&names[rng.index(names.len())]);
            batch.push(b',');
            batch.extend_from_slice(&stranger(&mut rng, &days, &taken));
        }
        batch.extend_from_slice(b",510322-62170801");
        batch.extend_from_slice(&fixed::<16>(rng.below(10_000_000_000_000_000)));
        batch.push(b',');
        let cents = rng.bits() >> (36 + rng.below(16)); // 13 to 28 bits: up to 2.7 million yuan
        done.fen += if hit { cents } else { 0 };
        push_number(&mut batch, cents / 100);
        batch.push(b'.');
        batch.extend_from_slice(&fixed::<2>(cents));
        batch.extend_from_slice(b",2026-10-31\r\n");
        if batch.len() >= BATCH_BYTES {
            done.bytes += flush(&mut batch, encoding, out)?;
        }
    }
    done.bytes += flush(&mut batch, encoding, out)?;
    Ok(done)
}

fn flush(batch: &mut Vec<u8>, encoding: Encoding, out: &mut impl Write) -> io::Result<u64> {
    let written = if encoding == Encoding::Utf16Le {
        let wide = Encoder::new(encoding).encode(&String::from_utf8_lossy(batch));
        out.write_all(&wide)?;
        wide.len()
    } else {
        out.write_all(batch)?;
        batch.len()
    };
    batch.clear();
    Ok(written as u64)
}

/// A citizen's number that is no applicant's.
fn stranger(rng: &mut Rng, days: &[[u8; 8]], taken: &HashSet<u64>) -> [u8; 18] {
    loop {
        let mut number = [b'0'; 18];
        number[..6].copy_from_slice(&fixed::<6>(u64::from(number::area(rng))));
        number[6..14].copy_from_slice(&rng.pick(days));
        number[14..17].copy_from_slice(&fixed::<3>(1 + rng.below(995)));
        number[17] = number::mod_11_2(&number[..17]);
        if !taken.contains(&key(&number)) {
            return number;
        }
    }
}

/// The first 17 characters of a number.
fn key(number: &[u8]) -> u64 {
    number.iter().take(17).fold(0, |n, digit| n * 10 + u64::from(digit - b'0'))
}

/// The last `N` digits of a number.
fn fixed<const N: usize>(mut n: u64) -> [u8; N] {
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        *digit = last_digit(n);
        n /= 10;
    }
    digits
}

fn push_number(out: &mut Vec<u8>, mut n: u64) {
    let from = out.len();
    loop {
        out.push(last_digit(n));
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out[from..].reverse();
}

fn last_digit(n: u64) -> u8 {
    b'0' + u8::try_from(n % 10).unwrap_or(0) // one digit
}

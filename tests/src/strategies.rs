//! Strategies (proptest) for every document and every part of one: all that SPEC allows, the edges included.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use protocol::agreement::{Agreement, Centre, Institution};
use protocol::answer::Answer;
use protocol::copy::AnswerCopy;
use protocol::cosigning::{CosignRequest, CosignerJoining};
use protocol::coverage::{Coverage, Encoding, FileCount, Grain};
use protocol::joining::{InstitutionKind, JoiningRequest};
use protocol::log::LogEntry;
use protocol::receipt::Receipt;
use protocol::release::Release;
use protocol::roster::{Entry, Field, KemName, Level, Line, PrfName, Roster, SuiteName};
use protocol::slot::{self, Account, AssetKind, MAX_ACCOUNTS, MAX_TOTALS, Slot, Status, Total};
use protocol::value::{
    Base64, Code, Currency, Date, Digest, PublicKey, ReleaseNumber, RosterId, SealingKey, Text, Time,
};

/// The largest integer of canonical JSON.
const MOST: u64 = (1 << 53) - 1;

/// A name or purpose.
pub fn text() -> impl Strategy<Value = Text> {
    "[^\\p{Cc}]{0,40}".prop_map(|text| text.parse().unwrap())
}

/// A party's code.
pub fn code() -> impl Strategy<Value = Code> {
    "[A-Za-z0-9._-]{1,32}".prop_map(|text| text.parse().unwrap())
}

/// A day from 1900 to 2199.
pub fn date() -> impl Strategy<Value = Date> {
    (-25_567_i64..84_006).prop_map(|days| Date::from_days(days).unwrap())
}

/// A moment from 1970 to 2199.
pub fn time() -> impl Strategy<Value = Time> {
    (0_u64..7_258_118_400).prop_map(|seconds| Time::from_unix(seconds).unwrap())
}

/// A digest.
pub fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

fn public_key() -> impl Strategy<Value = PublicKey> {
    any::<[u8; 32]>().prop_map(PublicKey)
}

fn sealing_key() -> impl Strategy<Value = SealingKey> {
    any::<[u8; 32]>().prop_map(SealingKey)
}

fn release_number() -> impl Strategy<Value = ReleaseNumber> {
    any::<[u16; 3]>().prop_map(|[a, b, c]| format!("{a}.{b}.{c}").parse().unwrap())
}

/// A currency, three letters.
pub fn currency() -> impl Strategy<Value = Currency> {
    prop_oneof![Just(Currency::CNY), "[A-Z]{3}".prop_map(|text| text.parse().unwrap())]
}

/// A level.
pub fn level() -> impl Strategy<Value = Level> {
    select(vec![Level::L0, Level::L1, Level::L2])
}

/// A level and fields that it has a place for.
pub fn level_and_fields() -> impl Strategy<Value = (Level, Vec<Field>)> {
    level().prop_flat_map(|level| {
        use Field::{Account, Accounts, Amount, BalanceDate, Name, Product, Status};
        let every = [Account, Accounts, Amount, BalanceDate, Name, Product, Status];
        let fields: Vec<Field> = every.into_iter().filter(|field| field.allowed_at(level)).collect();
        let most = fields.len();
        (Just(level), subsequence(fields, 0..=most))
    })
}

fn kind() -> impl Strategy<Value = InstitutionKind> {
    use InstitutionKind::{Bank, Department, Insurance, Payment, Securities};
    select(vec![Bank, Securities, Insurance, Payment, Department])
}

fn prf() -> impl Strategy<Value = PrfName> {
    select(vec![PrfName::Blake3, PrfName::HmacSha256])
}

/// A joining request.
pub fn joining() -> impl Strategy<Value = JoiningRequest> {
    (code(), time(), kind(), text(), sealing_key(), public_key()).prop_map(
        |(code, issued, kind, name, sealing_key, signing_key)| JoiningRequest {
            code,
            issued,
            kind,
            name,
            sealing_key,
            signing_key,
        },
    )
}

/// An agreement.
pub fn agreement() -> impl Strategy<Value = Agreement> {
    let centre = (code(), text(), sealing_key(), public_key())
        .prop_map(|(code, name, sealing_key, signing_key)| Centre { code, name, sealing_key, signing_key });
    let institution = joining().prop_map(|j| Institution {
        code: j.code,
        kind: j.kind,
        name: j.name,
        sealing_key: j.sealing_key,
        signing_key: j.signing_key,
    });
    let keys = (vec(public_key(), 0..4), any::<bool>(), option::of(sealing_key()), option::of(public_key()));
    let words = (text(), text(), option::of(digest()), date(), date());
    let prfs = subsequence(vec![PrfName::Blake3, PrfName::HmacSha256], 1..=2);
    (centre, institution, keys, words, prfs, level_and_fields()).prop_map(
        |(centre, institution, keys, words, prfs, (level, fields))| {
            let (approver_keys, approval, compliance_key, cosigner_key) = keys;
            let (number, purpose, page_sha256, one, other) = words;
            Agreement {
                approval_required: approval && !approver_keys.is_empty(),
                approver_keys,
                centre,
                compliance_key,
                cosigner_key,
                fields,
                institution,
                level,
                number,
                page_sha256,
                prfs,
                purpose,
                suites: vec![SuiteName::Keyed],
                valid_from: one.min(other),
                valid_to: one.max(other),
            }
        },
    )
}

/// Entries that a roster of `slots` slots may have.
fn entries(slots: u32) -> impl Strategy<Value = Vec<Entry>> {
    (any::<u64>(), slots..=slots / 4 * 5).prop_map(move |(seed, count)| {
        let mut entries: Vec<Entry> = (0..count)
            .map(|n| {
                let Digest(random) = Digest::of(&[seed.to_be_bytes(), u64::from(n).to_be_bytes()].concat());
                let (token, rest) = random.split_first_chunk::<16>().unwrap();
                Entry {
                    token: *token,
                    slot: n % slots,
                    folded_tag: [rest[0], rest[1]],
                    exact_tag: rest[2],
                    ordinal: rest[3] & 7,
                }
            })
            .collect();
        entries.sort_by_key(|entry| entry.token);
        entries
    })
}

/// A roster with its body.
pub fn roster() -> impl Strategy<Value = (Roster, Vec<u8>)> {
    let slots = select(vec![64_u32, 128]).prop_flat_map(|slots| (Just(slots), entries(slots)));
    let names = (digest(), date(), digest(), any::<[u8; 16]>(), code(), text(), text());
    let times = (0_u64..7_255_000_000, 1_u64..=30 * 86_400, option::of((date(), date())));
    let groups = vec(vec(sealing_key(), 1..=3), 1..=6);
    let rest = (release_number(), prf(), 1..=MOST, vec(any::<u8>(), 0..1_025), vec(any::<u8>(), 80));
    let line = option::of((currency(), 0..=MOST));
    (slots, names, times, groups, rest, level_and_fields(), line).prop_map(
        |((slot_count, entries), names, times, opening_groups, rest, (level, fields), line)| {
            let body: Vec<u8> = entries.iter().flat_map(Entry::to_bytes).collect();
            let (agreement, as_of, authorisations_root, id, institution, legal_basis, purpose) = names;
            let (issued, life, income) = times;
            let (module_minimum, prf, serial, ticket, token_key) = rest;
            let roster = Roster {
                agreement,
                as_of,
                authorisations_root,
                body_bytes: body.len() as u64,
                body_sha256: Digest::of(&body),
                entry_count: u32::try_from(entries.len()).unwrap(),
                expires: Time::from_unix(issued + life).unwrap(),
                fields,
                id: RosterId(id),
                income_from: income.map(|(a, b)| a.min(b)),
                income_to: income.map(|(a, b)| a.max(b)),
                institution,
                issued: Time::from_unix(issued).unwrap(),
                kem: KemName::X25519,
                legal_basis,
                level,
                line: line.filter(|_| level == Level::L0).map(|(currency, minor)| Line { currency, minor }),
                module_minimum,
                opening_groups,
                prf,
                purpose,
                serial,
                slot_count,
                slot_size: u32::try_from(slot::size(level)).unwrap(),
                suite: SuiteName::Keyed,
                ticket: Base64(ticket),
                token_key: Base64(token_key),
            };
            (roster, body)
        },
    )
}

/// An answer with a body of any length: what its length must be is the roster's to say.
pub fn answer() -> impl Strategy<Value = (Answer, Vec<u8>)> {
    let names = (time(), code(), release_number(), digest(), digest(), any::<[u8; 16]>());
    (names, any::<(u32, u32)>(), 1_u32..=999, vec(any::<u8>(), 0..600)).prop_map(
        |(
            (created, institution, module_release, module_sha256, roster, id),
            (slot_count, slot_size),
            version,
            body,
        )| {
            let answer = Answer {
                body_bytes: body.len() as u64,
                body_sha256: Digest::of(&body),
                created,
                institution,
                module_release,
                module_sha256,
                roster,
                roster_id: RosterId(id),
                slot_count,
                slot_size,
                version,
            };
            (answer, body)
        },
    )
}

/// A receipt.
pub fn receipt() -> impl Strategy<Value = Receipt> {
    (digest(), 0..=MOST, code(), digest(), 1..=MOST, time(), digest()).prop_map(
        |(answer, answer_bytes, institution, log_head, log_position, received, roster)| Receipt {
            answer,
            answer_bytes,
            institution,
            log_head,
            log_position,
            received,
            roster,
        },
    )
}

/// A copy.
pub fn copy() -> impl Strategy<Value = AnswerCopy> {
    (digest(), any::<[u8; 32]>(), vec(any::<u8>(), 80), time(), code(), digest()).prop_map(
        |(answer, key, content_key, created, institution, roster)| AnswerCopy {
            answer,
            compliance_key: SealingKey(key),
            content_key: Base64(content_key),
            created,
            institution,
            roster,
        },
    )
}

/// A co-signer's joining.
pub fn cosigner() -> impl Strategy<Value = CosignerJoining> {
    (code(), time(), text(), any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(
        |(code, issued, name, sealing, signing)| CosignerJoining {
            code,
            issued,
            name,
            sealing_key: SealingKey(sealing),
            signing_key: PublicKey(signing),
        },
    )
}

/// A co-signing request and its body.
pub fn cosign_request() -> impl Strategy<Value = (CosignRequest, Vec<u8>)> {
    let digests = (digest(), digest());
    (digests, time(), any::<[u8; 32]>(), vec(any::<u8>(), 88), 0..3_u32, any::<u8>()).prop_map(
        |((agreement, roster), created, recipient, seed, class, byte)| {
            let slot_count = 64 << class;
            let body = vec![byte; slot_count as usize * 32];
            let request = CosignRequest {
                agreement,
                body_bytes: body.len() as u64,
                body_sha256: Digest::of(&body),
                created,
                recipient: SealingKey(recipient),
                roster,
                seed: Base64(seed),
                slot_count,
            };
            (request, body)
        },
    )
}

/// A release.
pub fn release() -> impl Strategy<Value = Release> {
    let names = || {
        vec(text(), 0..5).prop_map(|mut names| {
            names.sort_by(|a, b| a.as_str().cmp(b.as_str()));
            names.dedup();
            names
        })
    };
    let digests = (digest(), digest(), option::of(digest()), digest());
    (names(), names(), time(), digests, 0..=MOST, release_number(), text()).prop_map(
        |(exports, imports, issued, digests, module_bytes, release, toolchain)| {
            let (module_blake3, module_sha256, page_sha256, source_sha256) = digests;
            Release {
                exports,
                imports,
                issued,
                module_blake3,
                module_bytes,
                module_sha256,
                page_sha256,
                release,
                source_sha256,
                toolchain,
            }
        },
    )
}

/// An entry of a log, but for its place in the chain.
pub fn log_entry() -> impl Strategy<Value = LogEntry> {
    (code(), code(), time(), option::of(digest())).prop_map(|(action, actor, at, object)| LogEntry {
        action,
        actor,
        at,
        object,
        previous: LogEntry::GENESIS,
        sequence: 1,
    })
}

/// A coverage statement whose counts add up.
pub fn coverage() -> impl Strategy<Value = Coverage> {
    fn counts(names: &'static [&'static str]) -> impl Strategy<Value = BTreeMap<String, u64>> {
        btree_map(select(names).prop_map(str::to_owned), 1_u64..1 << 40, 0..=names.len())
    }
    let columns = ["account", "amount", "amount:loan", "balance_date", "id_number", "name", "product"];
    let columns = subsequence(columns.map(str::to_owned).to_vec(), 0..=columns.len());
    let encoding = select(vec![Encoding::Utf8, Encoding::Gb18030, Encoding::Utf16Le, Encoding::Utf16Be]);
    let files = vec((0..=MOST, 0..=MOST).prop_map(|(bytes, rows)| FileCount { bytes, rows }), 0..40);
    let normalised = counts(&[
        "wrapped",
        "spaces",
        "fullwidth",
        "lowercase",
        "lookalike",
        "star",
        "upgraded15",
        "reissue",
    ]);
    let quarantined =
        counts(&["check_digit", "date", "empty", "format", "length", "masked", "ragged", "undecodable"]);
    let skipped = counts(&["blank", "footer", "repeated_header"]);
    let grain = select(vec![Grain::Account, Grain::Customer]);
    let numbers = (0_u64..1 << 50, 0_u64..1 << 40);
    (option::of(date()), columns, encoding, files, grain, normalised, quarantined, skipped, numbers).prop_map(
        |(
            balance_date,
            columns,
            encoding,
            files,
            grain,
            normalised,
            quarantined,
            skipped,
            (valid, not_personal),
        )| Coverage {
            balance_date,
            columns,
            encoding,
            files,
            grain,
            normalised,
            not_personal,
            rows: valid + not_personal + quarantined.values().sum::<u64>(),
            quarantined,
            skipped,
            valid,
        },
    )
}

fn day() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), date().prop_map(Date::number)]
}

fn total() -> impl Strategy<Value = Total> {
    (select(AssetKind::ALL.to_vec()), currency(), any::<(i64, u16, u16)>(), day(), day()).prop_map(
        |(kind, currency, (minor, accounts, blank), oldest, newest)| Total {
            kind,
            currency,
            minor,
            accounts,
            blank,
            oldest,
            newest,
        },
    )
}

fn account() -> impl Strategy<Value = Account> {
    use Status::{Active, Closed, Dormant, Frozen, Unknown};
    let words =
        ("[0-9A-Z*-]{0,24}", "[存款理财A1]{0,6}", select(vec![Unknown, Active, Closed, Dormant, Frozen]));
    let small = (0_u8..4, 0_u8..8, 0_u8..8);
    (select(AssetKind::ALL.to_vec()), currency(), any::<i64>(), day(), small, words).prop_map(
        |(kind, currency, minor, date, (name_flag, ordinal, bits), (account, product, status))| Account {
            kind,
            currency,
            minor,
            date,
            status,
            name_flag,
            ordinal,
            bits,
            account,
            product: slot::cut_text(&product, slot::PRODUCT_BYTES).to_owned(),
        },
    )
}

/// A slot of a level, with totals in several currencies, sorted as they must be.
pub fn slot(level: Level) -> impl Strategy<Value = Slot> {
    let most = |least: Level, most: usize| if level >= least { most } else { 0 };
    let totals = vec(total(), 0..=most(Level::L1, MAX_TOTALS));
    let accounts = vec(account(), 0..=most(Level::L2, MAX_ACCOUNTS));
    let head = (any::<bool>(), 0_u8..16, any::<u8>(), any::<u32>(), 0_u8..128, any::<Option<bool>>());
    (totals, accounts, head).prop_map(
        |(mut totals, mut accounts, (found, name_flags, ordinals, rows, notes, over))| {
            totals.sort_by_key(|total| (total.kind, total.currency));
            totals.dedup_by_key(|total| (total.kind, total.currency));
            accounts.sort_by_key(Account::to_bytes);
            Slot { found, name_flags, over, ordinals, rows, notes, totals, accounts }
        },
    )
}

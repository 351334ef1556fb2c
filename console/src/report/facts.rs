//! What a report says, once: the paper is drawn from it, and the signed copy carries it as JSON (SPEC §13).
//! Facts only. Nothing in here judges; a rule's flag is a sum beside a line.

use std::collections::BTreeMap;
use std::fmt;

use protocol::value::Currency;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::store::Fault;

/// All of a report.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// 16 random bytes, hexadecimal: without them the digests that lie on the disk would tell whoever guesses well.
    pub salt: String,
    /// `report` or `suspension`.
    pub kind: String,
    /// The report's number; its versions share it.
    pub number: String,
    /// From 1.
    pub version: i64,
    /// Day it was issued, YYYY-MM-DD.
    pub issued: String,
    /// The centre's name.
    pub centre: String,
    /// Number given at acceptance.
    pub case: String,
    /// Number of the commission.
    pub commission: String,
    /// The township that commissioned it.
    pub office: String,
    /// The household's number.
    pub household: String,
    /// Type of task.
    pub task: String,
    /// Day of property.
    pub as_of: String,
    /// Income period, first and last day.
    pub income: Option<(String, String)>,
    /// Who was looked at.
    pub members: Vec<Member>,
    /// Who was asked, and what they did.
    pub sources: Vec<Source>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// Single accounts, where they were asked for (L2); they are contained in the sums.
    #[serde(default)]
    pub accounts: Vec<Account>,
    /// The rules that were laid beside it.
    pub rules: Option<Rules>,
    /// Why it was suspended.
    pub reason: Option<String>,
    /// The objection that this version answers.
    pub objection: Option<Answered>,
    /// Accounts of those who opened, confirmed and issued.
    pub hands: Hands,
}

/// A member of the household.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Name.
    pub name: String,
    /// Current identity number.
    pub number: String,
    /// Relation to the head.
    pub relation: String,
    /// 1 living together, 2 duty to support.
    pub ring: i64,
    /// Number of the authorisation.
    pub authorisation: String,
}

/// An institution.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// `L0`, `L1` or `L2`.
    pub level: String,
    /// `answered`, `waiting` or `left_out`.
    pub state: String,
    /// Version of the answer that is reported.
    pub version: Option<i64>,
    /// Digest of that answer, hexadecimal.
    pub answer: Option<String>,
    /// Day the institution's data are of.
    pub data_day: Option<String>,
    /// What the answer does not cover, in words.
    pub coverage: Vec<String>,
}

/// One sum at one institution.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Place among the members, from 1.
    pub member: i64,
    /// The institution's name.
    pub source: String,
    /// Kind of asset, as documents spell it.
    pub kind: String,
    /// ISO 4217.
    pub currency: String,
    /// In the currency's minor unit; nothing where only a hit was asked for.
    pub minor: Option<i64>,
    /// Accounts that add to it.
    pub accounts: i64,
    /// Oldest and newest day of the balances.
    pub days: Option<(String, String)>,
    /// What a reader must know: a name that differs, a sum that is not whole.
    pub notes: Vec<String>,
}

/// One account, which is contained in a sum.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Place among the members, from 1.
    pub member: i64,
    /// The institution's name.
    pub source: String,
    /// Kind of asset, as documents spell it.
    pub kind: String,
    /// The account's number but for its last four characters.
    pub account: String,
    /// The product's name; may be empty.
    pub product: String,
    /// The account's state, as documents spell it.
    pub status: Option<String>,
    /// ISO 4217.
    pub currency: String,
    /// In the currency's minor unit; nothing where it could not be read.
    pub minor: Option<i64>,
    /// Day of the balance.
    pub day: Option<String>,
}

/// A rule set and what it flags.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it flags: sentences with figures.
    pub flags: Vec<String>,
}

/// An objection that a version answers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// Its number.
    pub number: String,
    /// Day it was handed in.
    pub received: String,
    /// Version that it was raised against.
    pub against: i64,
    /// What was found on it.
    pub outcome: String,
}

/// Accounts.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hands {
    /// Who opened the answers.
    pub opened: Vec<String>,
    /// Who confirmed.
    pub confirmed: String,
    /// Who issued.
    pub issued: String,
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Facts({} v{}, ..)", self.number, self.version)
    }
}

impl Facts {
    /// The JSON of the signed copy.
    ///
    /// # Errors
    /// [`Fault::Stored`] never, in practice: everything in here has a JSON form.
    pub fn to_json(&self) -> Result<Zeroizing<Vec<u8>>, Fault> {
        serde_json::to_vec(self).map(Zeroizing::new).map_err(|_| Fault::Stored("report"))
    }

    /// Reads the JSON of a signed copy.
    ///
    /// # Errors
    /// [`Fault::Stored`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, Fault> {
        serde_json::from_slice(bytes).map_err(|_| Fault::Stored("report"))
    }

    /// Sums of those who live together (ring 1) or of the others, by kind and currency. A sum that leaves the
    /// range of i64 is left out.
    pub fn totals(&self, ring: i64) -> Vec<(String, String, i64)> {
        let mut sums: BTreeMap<(&str, &str), Option<i64>> = BTreeMap::new();
        for finding in &self.findings {
            let place = usize::try_from(finding.member - 1).ok();
            let member = place.and_then(|place| self.members.get(place));
            let Some(minor) = finding.minor.filter(|_| member.is_some_and(|m| m.ring == ring)) else {
                continue;
            };
            let sum = sums.entry((&finding.kind, &finding.currency)).or_insert(Some(0));
            *sum = sum.and_then(|sum| sum.checked_add(minor));
        }
        let known = sums.into_iter().filter_map(|((kind, currency), sum)| Some((kind, currency, sum?)));
        known.map(|(kind, currency, sum)| (kind.to_owned(), currency.to_owned(), sum)).collect()
    }
}

/// `12,345.67`, from fen.
pub fn money(minor: i64) -> String {
    amount("CNY", minor)
}

/// An amount with as many places as its currency has (ISO 4217), without the currency's name.
pub fn amount(currency: &str, minor: i64) -> String {
    let places = currency.parse::<Currency>().map_or(2, Currency::exponent);
    let sign = if minor < 0 { "-" } else { "" };
    let one = 10_u64.pow(places);
    let (whole, part) = (minor.unsigned_abs() / one, minor.unsigned_abs() % one);
    let digits = whole.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if places == 0 { format!("{sign}{grouped}") } else { format!("{sign}{grouped}.{part:02}") }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn example() -> Facts {
        let member = |name: &str, number: &str, relation: &str, ring| Member {
            name: name.to_owned(),
            number: number.to_owned(),
            relation: relation.to_owned(),
            ring,
            authorisation: format!("SQ2026-{ring:04}"),
        };
        let finding = |member, kind: &str, minor| Finding {
            member,
            source: "第一银行股份有限公司".to_owned(),
            kind: kind.to_owned(),
            currency: "CNY".to_owned(),
            minor: Some(minor),
            accounts: 2,
            days: Some(("2026-10-20".to_owned(), "2026-10-20".to_owned())),
            notes: Vec::new(),
        };
        Facts {
            salt: "00".repeat(16),
            kind: "report".to_owned(),
            number: "BG2026-000001".to_owned(),
            version: 1,
            issued: "2026-11-20".to_owned(),
            centre: "示例县居民家庭经济状况核对中心".to_owned(),
            case: "HD2026-000001".to_owned(),
            commission: "WT-1".to_owned(),
            office: "城关镇人民政府".to_owned(),
            household: "H-1".to_owned(),
            task: "new".to_owned(),
            as_of: "2026-10-20".to_owned(),
            income: Some(("2026-04-01".to_owned(), "2026-09-30".to_owned())),
            members: vec![
                member("欧阳建国", "11010519491231002X", "户主", 1),
                member("司徒美兰", "110105195001010021", "配偶", 1),
                member("诸葛小平", "110105197501010038", "子女", 2),
            ],
            sources: vec![Source {
                name: "第一银行股份有限公司".to_owned(),
                level: "L1".to_owned(),
                state: "answered".to_owned(),
                version: Some(1),
                answer: Some("ab".repeat(32)),
                data_day: Some("2026-10-20".to_owned()),
                coverage: vec!["读取 12,345 行，隔离 3 行".to_owned()],
            }],
            findings: vec![
                finding(1, "deposit", 123_456_789),
                finding(2, "deposit", 1_000),
                finding(2, "fund", 50_005),
                finding(3, "deposit", 7_000_000),
            ],
            accounts: Vec::new(),
            rules: Some(Rules {
                name: "城乡低保货币财产".to_owned(),
                version: "2026-1".to_owned(),
                flags: vec!["共同生活成员货币财产合计 1,235,077.94 元，参照线 36,000.00 元".to_owned()],
            }),
            reason: None,
            objection: None,
            hands: Hands {
                opened: vec!["my01".to_owned(), "my02".to_owned()],
                confirmed: "fh01".to_owned(),
                issued: "qp01".to_owned(),
            },
        }
    }

    #[test]
    fn sums_by_ring_and_back_from_json() {
        let facts = example();
        let deposit = |minor| ("deposit".to_owned(), "CNY".to_owned(), minor);
        assert_eq!(facts.totals(1), [deposit(123_457_789), ("fund".to_owned(), "CNY".to_owned(), 50_005)]);
        assert_eq!(facts.totals(2), [deposit(7_000_000)]);
        assert_eq!(Facts::from_json(&facts.to_json().unwrap()).unwrap(), facts);
        assert_eq!(format!("{facts:?}"), "Facts(BG2026-000001 v1, ..)");
        let mut over = facts;
        over.findings[0].minor = Some(i64::MAX);
        assert!(over.totals(1).iter().all(|(kind, ..)| kind != "deposit"), "no sum rather than a wrong one");
    }

    #[test]
    fn amounts_as_people_read_them() {
        for (minor, text) in [
            (0, "0.00"),
            (5, "0.05"),
            (99_999, "999.99"),
            (100_000, "1,000.00"),
            (123_456_789, "1,234,567.89"),
            (-1_205, "-12.05"),
            (i64::MIN, "-92,233,720,368,547,758.08"),
        ] {
            assert_eq!(money(minor), text);
        }
        assert_eq!(amount("JPY", 1_234_567), "1,234,567", "yen have no minor unit");
        assert_eq!(amount("USD", 5), "0.05");
    }
}

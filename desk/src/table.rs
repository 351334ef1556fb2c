//! The results: who was found where, and what each institution looked at. How they are shown is `render`.

use protocol::answer_seal::OpenedAnswer;
use protocol::coverage::Coverage;
use protocol::roster::{Field, Level, Roster};
use protocol::slot::{self, Slot};
use protocol::value::{Code, Currency, Date, Digest, ReleaseNumber, RosterId, Time};
use serde::Serialize;

use crate::applicants::Applicant;
use crate::opening::Question;
use crate::plan::Plan;

/// Results of any number of rosters.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ResultTable {
    /// A row for each total and account, and one for each applicant without any, by applicant.
    pub rows: Vec<ResultRow>,
    /// What each institution looked at.
    pub coverage: Vec<InstitutionCoverage>,
    /// What an honest institution's answer would not show.
    pub warnings: Vec<Warning>,
}

/// What one institution says of one applicant, or a part of it. `None` is what was not asked.
#[derive(Clone, Serialize)]
pub struct ResultRow {
    /// Row of the applicants' file.
    pub applicant_row: u32,
    /// The applicant's name.
    pub name: String,
    /// The applicant's current number.
    pub id_number: String,
    /// The household's number.
    pub household: String,
    /// The institution's code.
    pub institution: Code,
    /// The institution's name.
    pub institution_name: String,
    /// The day whose property was asked for.
    pub as_of: Date,
    /// Whether there is a record; `None` when the institution has not answered.
    pub found: Option<bool>,
    /// What the row says.
    pub entry: Entry,
    /// Level L0: whether the assets are over the line.
    pub over_line: Option<bool>,
    /// Asset kind.
    pub kind: Option<&'static str>,
    /// Currency of the amount.
    pub currency: Option<Currency>,
    /// Amount in the currency's minor unit.
    pub minor: Option<i64>,
    /// The same amount with a decimal point.
    pub amount: Option<String>,
    /// Accounts that add to the total.
    pub accounts: Option<u16>,
    /// Those of them without an amount.
    pub blank: Option<u16>,
    /// Oldest balance date; of an account, its date.
    pub oldest: Option<Date>,
    /// Newest balance date; of an account, its date.
    pub newest: Option<Date>,
    /// Account number.
    pub account: Option<String>,
    /// Product name.
    pub product: Option<String>,
    /// Account state.
    pub status: Option<&'static str>,
    /// How the customers' names compare with the applicant's.
    pub name_flags: Vec<&'static str>,
    /// Which of the applicant's numbers matched: `current` or `former:` and the ordinal.
    pub matched: Vec<String>,
    /// What could not be read or did not fit.
    pub notes: Vec<&'static str>,
}

impl std::fmt::Debug for ResultRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ResultRow(applicant row {}, {}, ..)", self.applicant_row, self.institution)
    }
}

/// What a row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// Whether there is a record, and nothing more.
    Outcome,
    /// The sum of one asset kind in one currency.
    Total,
    /// One account; it is contained in a total.
    Account,
}

/// What an institution looked at.
#[derive(Debug, Clone, Serialize)]
pub struct InstitutionCoverage {
    /// The institution's code.
    pub institution: Code,
    /// The institution's name.
    pub institution_name: String,
    /// The roster.
    pub roster_id: RosterId,
    /// The day whose property was asked for.
    pub as_of: Date,
    /// How many applicants it asks about.
    pub applicants: usize,
    /// The answer that counts; `None` while there is none.
    pub answer: Option<AnswerSummary>,
}

/// The answer that counts.
#[derive(Debug, Clone, Serialize)]
pub struct AnswerSummary {
    /// Its version.
    pub version: u32,
    /// Earlier versions that it supersedes, of those given.
    pub superseded: usize,
    /// When it was made.
    pub created: Time,
    /// The module that made it.
    pub module_release: ReleaseNumber,
    /// Digest of the module that made it.
    pub module_sha256: Digest,
    /// What it was made from.
    pub statement: Coverage,
}

/// Something that an honest institution's answer would not show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The institution.
    pub institution: Code,
    /// What.
    pub code: WarningCode,
    /// In how many slots.
    pub count: usize,
}

/// Kinds of [`Warning`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningCode {
    /// Slots that stand for nobody are not empty.
    DecoyAnswered,
    /// A slot says what was not asked. It is left out of the table.
    NotAsked,
    /// A number is said to have matched that the applicant does not have.
    UnknownNumber,
    /// The answer was made after the roster had expired.
    Late,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match self.code {
            WarningCode::DecoyAnswered => "slots that stand for nobody are not empty",
            WarningCode::NotAsked => "slots say more than was asked",
            WarningCode::UnknownNumber => "slots name a number that the applicant does not have",
            WarningCode::Late => "the answer was made after the roster had expired",
        };
        write!(f, "{}: {what} ({})", self.institution, self.count)
    }
}

impl ResultTable {
    /// Adds what an opened answer says.
    pub(crate) fn add(
        &mut self,
        question: &Question,
        plan: &Plan<'_>,
        opened: &OpenedAnswer,
        superseded: usize,
    ) {
        let roster = &question.roster.roster;
        let mut counts = [0_usize; 3];
        let [decoys, not_asked, unknown] = &mut counts;
        for (applicant, slot) in plan.slots().zip(&opened.slots) {
            let Some(applicant) = applicant else {
                *decoys += usize::from(!is_empty(slot));
                continue;
            };
            *not_asked += usize::from(says_too_much(roster, slot));
            let known = u8::try_from((1_u16 << applicant.numbers.len().min(8)) - 1).unwrap_or(u8::MAX);
            *unknown += usize::from(slot.ordinals & !known != 0);
            self.add_slot(question, applicant, slot);
        }
        let late = usize::from(opened.header.created >= roster.expires);
        let [decoys, not_asked, unknown] = counts;
        for (code, count) in [
            (WarningCode::DecoyAnswered, decoys),
            (WarningCode::NotAsked, not_asked),
            (WarningCode::UnknownNumber, unknown),
            (WarningCode::Late, late),
        ] {
            if count > 0 {
                self.warnings.push(Warning { institution: question.institution().clone(), code, count });
            }
        }
        let header = &opened.header;
        self.add_coverage(
            question,
            plan,
            Some(AnswerSummary {
                version: header.version,
                superseded,
                created: header.created,
                module_release: header.module_release,
                module_sha256: header.module_sha256,
                statement: opened.coverage.clone(),
            }),
        );
    }

    /// Adds that an institution has not answered: nobody shall take that for "no record".
    pub(crate) fn add_unanswered(&mut self, question: &Question, plan: &Plan<'_>) {
        for applicant in plan.slots().flatten() {
            self.rows.push(blank_row(question, applicant));
        }
        self.add_coverage(question, plan, None);
    }

    /// Puts the rows in the order of the applicants' file; institutions stay in the order they were added.
    pub(crate) fn finish(&mut self) {
        self.rows.sort_by_key(|row| row.applicant_row);
    }

    fn add_coverage(&mut self, question: &Question, plan: &Plan<'_>, answer: Option<AnswerSummary>) {
        self.coverage.push(InstitutionCoverage {
            institution: question.institution().clone(),
            institution_name: question.agreement.terms.institution.name.to_string(),
            roster_id: question.roster.roster.id,
            as_of: question.roster.roster.as_of,
            applicants: plan.slots().flatten().count(),
            answer,
        });
    }

    fn add_slot(&mut self, question: &Question, applicant: &Applicant, slot: &Slot) {
        let roster = &question.roster.roster;
        let asked = |field| roster.fields.contains(&field);
        let base = ResultRow {
            found: Some(slot.found),
            over_line: slot.over.filter(|_| roster.line.is_some()),
            name_flags: if asked(Field::Name) { bits(slot.name_flags, &NAME_FLAGS) } else { Vec::new() },
            matched: matched(applicant, slot.ordinals),
            notes: bits(slot.notes, &slot::note::NAMES),
            ..blank_row(question, applicant)
        };
        if slot.totals.is_empty() && slot.accounts.is_empty() {
            self.rows.push(base);
            return;
        }
        for total in &slot.totals {
            let minor = asked(Field::Amount).then_some(total.minor);
            let dated = |number| Date::from_number(number).filter(|_| asked(Field::BalanceDate));
            self.rows.push(ResultRow {
                entry: Entry::Total,
                kind: Some(total.kind.name()),
                currency: Some(total.currency),
                minor,
                amount: minor.map(|minor| decimal(minor, total.currency)),
                accounts: asked(Field::Accounts).then_some(total.accounts),
                blank: asked(Field::Amount).then_some(total.blank),
                oldest: dated(total.oldest),
                newest: dated(total.newest),
                ..base.clone()
            });
        }
        for account in &slot.accounts {
            let unread = slot::account_bit::AMOUNT_EMPTY | slot::account_bit::AMOUNT_UNREADABLE;
            let minor = (asked(Field::Amount) && account.bits & unread == 0).then_some(account.minor);
            let date = Date::from_number(account.date).filter(|_| asked(Field::BalanceDate));
            let name_flags = NAME_FLAGS.get(usize::from(account.name_flag)).filter(|_| asked(Field::Name));
            self.rows.push(ResultRow {
                entry: Entry::Account,
                kind: Some(account.kind.name()),
                currency: Some(account.currency),
                minor,
                amount: minor.map(|minor| decimal(minor, account.currency)),
                oldest: date,
                newest: date,
                account: asked(Field::Account).then(|| account.account.clone()),
                product: asked(Field::Product).then(|| account.product.clone()),
                status: asked(Field::Status).then(|| account.status.name()),
                name_flags: name_flags.copied().into_iter().collect(),
                matched: matched(applicant, 1_u8.checked_shl(account.ordinal.into()).unwrap_or(0)),
                notes: bits(account.bits, &ACCOUNT_NOTES),
                ..base.clone()
            });
        }
    }
}

/// Names of the name flags (SPEC §3.5), bit 0 first.
const NAME_FLAGS: [&str; 4] = ["not_compared", "same", "same_folded", "different"];
/// Names of an account's bits (SPEC §5.1), bit 0 first.
const ACCOUNT_NOTES: [&str; 3] = ["amount_empty", "amount_unreadable", "date_missing"];

pub(crate) fn bits(set: u8, names: &[&'static str]) -> Vec<&'static str> {
    (0..8).zip(names).filter(|(bit, _)| set >> bit & 1 == 1).map(|(_, name)| *name).collect()
}

fn matched(applicant: &Applicant, ordinals: u8) -> Vec<String> {
    let numbers = (0..8_u8).zip(&applicant.numbers).filter(|(bit, _)| ordinals >> bit & 1 == 1);
    numbers.map(|(i, n)| if n.former { format!("former:{i}") } else { "current".to_owned() }).collect()
}

fn blank_row(question: &Question, applicant: &Applicant) -> ResultRow {
    ResultRow {
        applicant_row: applicant.row,
        name: applicant.name.trimmed().to_owned(),
        id_number: applicant.current().map_or_else(String::new, |s| s.number().to_owned()),
        household: applicant.household.clone(),
        institution: question.institution().clone(),
        institution_name: question.agreement.terms.institution.name.to_string(),
        as_of: question.roster.roster.as_of,
        found: None,
        entry: Entry::Outcome,
        over_line: None,
        kind: None,
        currency: None,
        minor: None,
        amount: None,
        accounts: None,
        blank: None,
        oldest: None,
        newest: None,
        account: None,
        product: None,
        status: None,
        name_flags: Vec::new(),
        matched: Vec::new(),
        notes: Vec::new(),
    }
}

/// Whether a slot holds what the roster does not ask for (SPEC §4.3.1: it must be zero), or says
/// something about a person without a record.
fn says_too_much(roster: &Roster, slot: &Slot) -> bool {
    use slot::{account_bit as bit, note};
    let quiet = |field| !roster.fields.contains(&field);
    let total = |says: fn(&slot::Total) -> bool| slot.totals.iter().any(says);
    let account = |says: fn(&slot::Account) -> bool| slot.accounts.iter().any(says);
    let amounts = || {
        slot.notes & (note::AMOUNT_UNREADABLE | note::SUM_OUT_OF_RANGE) != 0
            || total(|t| t.minor != 0 || t.blank != 0)
            || account(|a| a.minor != 0 || a.bits & (bit::AMOUNT_EMPTY | bit::AMOUNT_UNREADABLE) != 0)
    };
    let dates = || {
        slot.notes & note::DATE_UNREADABLE != 0
            || total(|t| t.oldest != 0 || t.newest != 0)
            || account(|a| a.date != 0 || a.bits & bit::DATE_MISSING != 0)
    };
    (!slot.found && !is_empty(slot))
        || (roster.line.is_none() && slot.over.is_some())
        || (roster.level == Level::L0 && (slot.rows != 0 || slot.notes != 0))
        || (quiet(Field::Name) && (slot.name_flags != 0 || account(|a| a.name_flag != 0)))
        || (quiet(Field::Amount) && amounts())
        || (quiet(Field::Accounts) && total(|t| t.accounts != 0))
        || (quiet(Field::BalanceDate) && dates())
        || (quiet(Field::Account) && account(|a| !a.account.is_empty()))
        || (quiet(Field::Product) && account(|a| !a.product.is_empty()))
        || (quiet(Field::Status) && account(|a| a.status != slot::Status::Unknown))
}

/// Whether a slot says "no record" and nothing else; that no assets are over the line is part of it.
fn is_empty(slot: &Slot) -> bool {
    slot.over != Some(true) && Slot { over: None, ..slot.clone() } == Slot::default()
}

/// `minor` with a decimal point where the currency has one.
pub(crate) fn decimal(minor: i64, currency: Currency) -> String {
    let digits = usize::try_from(currency.exponent()).unwrap_or(0);
    let sign = if minor < 0 { "-" } else { "" };
    let text = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, part) = text.split_at(text.len() - digits);
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_get_their_point() {
        let jpy = Currency(*b"JPY");
        for (minor, currency, text) in [
            (0, Currency::CNY, "0.00"),
            (5, Currency::CNY, "0.05"),
            (-5, Currency::CNY, "-0.05"),
            (123_456, Currency::CNY, "1234.56"),
            (-123_456, jpy, "-123456"),
            (i64::MIN, Currency::CNY, "-92233720368547758.08"),
        ] {
            assert_eq!(decimal(minor, currency), text);
        }
    }

    #[test]
    fn bits_have_names() {
        assert_eq!(bits(0b1010, &NAME_FLAGS), ["same", "different"]);
        assert_eq!(bits(0xFF, &ACCOUNT_NOTES).len(), 3);
    }
}

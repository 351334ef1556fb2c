//! Flags: what a person should look at before confirming. A flag is a fact about figures, never a decision.

use protocol::value::Currency;
use serde::{Deserialize, Serialize};

use super::findings::{CaseFindings, Entry, MemberFindings, Outcome};
use super::rules::{Line, RuleSet};

/// Something to look at.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flag {
    /// What (`flag.…` in the dictionary).
    pub code: String,
    /// The member it is about.
    pub person: Option<i64>,
    /// The institution it is about.
    pub institution: Option<String>,
    /// The line it is about: its title.
    pub line: Option<String>,
    /// The asset kind it is about.
    pub kind: Option<String>,
    /// Found, in fen; or a count.
    pub found: Option<i64>,
    /// What it is held against: the line's height or what was declared, in fen.
    pub against: Option<i64>,
}

impl std::fmt::Debug for Flag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Flag({}, ..)", self.code)
    }
}

impl Flag {
    fn new(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            person: None,
            institution: None,
            line: None,
            kind: None,
            found: None,
            against: None,
        }
    }
}

/// All codes, for the dictionary.
pub const CODES: [&str; 16] = [
    "over_line",
    "ask_first",
    "near_line",
    "no_rate",
    "undeclared",
    "over_declared",
    "no_declaration",
    "name_differs",
    "former_number",
    "stale",
    "blank",
    "unreadable",
    "thin",
    "warned",
    "no_answer",
    "not_asked",
];

/// What the rules and the figures give to look at.
pub fn of(findings: &CaseFindings, rules: &RuleSet) -> Vec<Flag> {
    let mut flags = Vec::new();
    for line in &rules.lines {
        of_line(findings, rules, line, &mut flags);
    }
    let declared = findings.members.iter().any(|member| !member.declared.is_empty());
    if !declared {
        flags.push(Flag::new("no_declaration"));
    }
    for member in &findings.members {
        if declared {
            of_declaration(member, rules, &mut flags);
        }
        of_answers(findings, rules, member, &mut flags);
    }
    for source in &findings.sources {
        let flag = |code| Flag { institution: Some(source.institution_name.clone()), ..Flag::new(code) };
        let Some(answer) = &source.answer else {
            flags.push(flag("no_answer"));
            continue;
        };
        if answer.looked.is_thin(rules.thin_per_mille) {
            let count = i64::try_from(answer.looked.quarantined()).unwrap_or(i64::MAX);
            let rows = i64::try_from(answer.looked.statement.rows).unwrap_or(i64::MAX);
            flags.push(Flag { found: Some(count), against: Some(rows), ..flag("thin") });
        }
        for (_, count) in &answer.looked.warnings {
            flags.push(Flag { found: i64::try_from(*count).ok(), ..flag("warned") });
        }
    }
    flags
}

fn of_line(findings: &CaseFindings, rules: &RuleSet, line: &Line, flags: &mut Vec<Flag>) {
    let household = || findings.members.iter().filter(|member| member.ring == 1);
    let heads = i64::try_from(household().count()).unwrap_or(i64::MAX);
    let height = line.height(heads);
    let flag = |code| Flag { line: Some(line.title.clone()), against: Some(height), ..Flag::new(code) };
    let (mut found, mut left_out, mut declared) = (0_i64, 0_i64, 0_i64);
    for member in household() {
        for entry in totals(member).filter(|entry| line.counts(&entry.kind)) {
            match in_yuan(entry, rules) {
                Some(minor) => found = found.saturating_add(minor),
                None if entry.minor.is_some() => {
                    flags.push(Flag { person: Some(member.person), ..flag("no_rate") });
                }
                None => {}
            }
        }
        left_out = member.excluded.iter().fold(left_out, |sum, one| sum.saturating_add(one.minor));
        let counted = member.declared.iter().filter(|one| line.counts(&one.kind));
        declared = counted.fold(declared, |sum, one| sum.saturating_add(one.minor));
    }
    let sum = found.saturating_sub(left_out);
    if sum > height {
        flags.push(Flag { found: Some(sum), ..flag("over_line") });
        // Declared under the line, found over it: ask the household first.
        if declared <= height {
            flags.push(Flag { found: Some(declared), ..flag("ask_first") });
        }
    } else if sum > height / 10 * 9 {
        flags.push(Flag { found: Some(sum), ..flag("near_line") });
    }
}

/// What was found of each kind against what was declared of it.
fn of_declaration(member: &MemberFindings, rules: &RuleSet, flags: &mut Vec<Flag>) {
    for kind in super::rules::KINDS {
        let of_kind = totals(member).filter(|entry| entry.kind == kind);
        let found = of_kind.filter_map(|entry| in_yuan(entry, rules)).fold(0_i64, i64::saturating_add);
        let declared: Vec<i64> =
            member.declared.iter().filter(|one| one.kind == kind).map(|one| one.minor).collect();
        let against = declared.iter().copied().fold(0_i64, i64::saturating_add);
        let code = if declared.is_empty() { "undeclared" } else { "over_declared" };
        if found > against {
            flags.push(Flag {
                person: Some(member.person),
                kind: Some(kind.to_owned()),
                found: Some(found),
                against: Some(against),
                ..Flag::new(code)
            });
        }
    }
}

fn of_answers(findings: &CaseFindings, rules: &RuleSet, member: &MemberFindings, flags: &mut Vec<Flag>) {
    for answer in &member.answers {
        let flag = |code| Flag {
            person: Some(member.person),
            institution: Some(answer.institution_name.clone()),
            ..Flag::new(code)
        };
        if answer.outcome == Outcome::NotAsked {
            flags.push(flag("not_asked"));
        }
        let Some(finding) = &answer.finding else { continue };
        if finding.name_flags.iter().any(|flag| flag == "different") {
            flags.push(flag("name_differs"));
        }
        if finding.matched.iter().any(|which| which.starts_with("former:")) {
            flags.push(flag("former_number"));
        }
        if finding.entries.iter().any(|entry| entry.is_stale(findings.as_of, rules.stale_days)) {
            flags.push(flag("stale"));
        }
        let blank = finding.totals().filter_map(|entry| entry.blank).map(i64::from).sum::<i64>();
        if blank > 0 {
            flags.push(Flag { found: Some(blank), ..flag("blank") });
        }
        if !finding.notes.is_empty() {
            flags.push(flag("unreadable"));
        }
    }
}

/// What a member owns, over all institutions.
pub fn totals(member: &MemberFindings) -> impl Iterator<Item = &Entry> {
    let findings = member.answers.iter().filter_map(|answer| answer.finding.as_ref());
    findings.flat_map(|finding| finding.totals()).filter(|entry| !entry.liability)
}

/// An entry's amount in fen, by the rules' rate where it is in another currency.
pub fn in_yuan(entry: &Entry, rules: &RuleSet) -> Option<i64> {
    let minor = entry.minor?;
    if entry.currency == Currency::CNY {
        return Some(minor);
    }
    let rate = rules.rates.iter().find(|rate| rate.currency == entry.currency)?;
    // minor ÷ 10^exponent units × yuan a unit × 100 fen
    let unit = 10_i128.checked_pow(entry.currency.exponent())?;
    let fen = i128::from(minor) * i128::from(rate.yuan_micro) * 100 / (unit * 1_000_000);
    i64::try_from(fen).ok()
}

//! Where a co-signer's list and a roster differ, as far as that can be told: by line of the list, and by count for those
//! who are on no line. Never a value. It explains a refusal; what is signed is decided by equality alone.

use std::collections::HashSet;
use std::fmt;

use protocol::name::NameFlag;
use protocol::roster::Entry;
use protocol::token::NameTags;
use protocol::value::Digest;

use crate::applicants::Applicant;
use crate::cosigning::Seen;
use crate::defect::{Code, Defect};
use crate::layout::{self, EntryRules, Layout};
use crate::ticket::Ticket;

/// What differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differences {
    /// How many people the roster asks about.
    pub people: u32,
    /// How many of them are not on the list, under no number.
    pub missing: u32,
    /// Lines of the list whose person the roster has otherwise, in their order.
    pub rows: Vec<Defect>,
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: HashSet<u32> = self.rows.iter().map(|defect| defect.row).collect();
        write!(
            f,
            "{} of the roster's {} people are not on the list, and {} lines of it differ; nothing was signed",
            self.missing,
            self.people,
            rows.len()
        )
    }
}

/// Compares `people` of the list, whom the roster has under some number, one by one.
pub(crate) fn find(
    seen: &Seen<'_>,
    ticket: &Ticket,
    people: &[&Applicant],
    commitments: &[Digest],
) -> Differences {
    let entries: Vec<Vec<Option<&Entry>>> = people.iter().map(|person| seen.entries(person)).collect();
    let known = entries.iter().flatten().flatten();
    let tokens: HashSet<[u8; 16]> = known.clone().map(|entry| entry.token).collect();
    let found: HashSet<u32> = known.map(|entry| entry.slot).collect();
    let missing = layout::occupied(ticket).difference(&found).count();

    let decoys = layout::decoy_tokens(ticket);
    let unknown = |entry: &&Entry| !tokens.contains(&entry.token) && !decoys.contains(&entry.token);
    let unknown = seen.roster.entries.iter().filter(unknown).map(|entry| entry.slot).collect();
    let others = Others { salts: layout::salts(ticket), commitments, unknown };
    let mut rows: Vec<Defect> = people
        .iter()
        .zip(&entries)
        .flat_map(|(person, entries)| others.compare(seen, person, entries))
        .collect();
    rows.sort_by_key(|defect| defect.row);
    Differences { people: ticket.real_count, missing: u32::try_from(missing).unwrap_or(u32::MAX), rows }
}

/// What a roster has beside the numbers of the list.
struct Others<'c> {
    salts: Vec<[u8; 32]>,
    commitments: &'c [Digest],
    /// Slots that have a number which is neither a decoy nor on the list.
    unknown: HashSet<u32>,
}

impl Others<'_> {
    /// What differs of a person whom the roster has under one of `entries`.
    fn compare(&self, seen: &Seen<'_>, person: &Applicant, entries: &[Option<&Entry>]) -> Vec<Defect> {
        let mut defects = Vec::new();
        let mut wrong = |field, code| defects.push(Defect::new(person.row, field, code));
        let Some(slot) = entries.iter().flatten().next().map(|entry| entry.slot) else { return defects };
        let entries: Vec<Option<&Entry>> =
            entries.iter().map(|entry| entry.filter(|entry| entry.slot == slot)).collect();
        // Of each number, whether the slot has it, and at its place.
        let place = |(ordinal, entry): (u8, &Option<&Entry>)| {
            (entry.is_some(), entry.is_some_and(|entry| entry.ordinal == ordinal))
        };
        let mut places = (0_u8..).zip(&entries).map(place);
        let current = places.next() == Some((true, true));
        let former: Vec<(bool, bool)> = places.collect();
        let more = self.unknown.contains(&slot);
        if !current {
            wrong("id_number", Code::OtherNumber);
        }
        if former.iter().any(|(there, _)| !there) {
            wrong("former_numbers", Code::FewerNumbers);
        } else if current && !more && former.iter().any(|(_, in_place)| !in_place) {
            wrong("former_numbers", Code::OtherOrder);
        }
        if more {
            wrong("former_numbers", Code::MoreNumbers);
        }
        if EntryRules::of(&seen.roster.roster).names && !has_name(seen, person, &entries) {
            wrong("name", Code::OtherName);
        }
        // A commitment holds the current number as well.
        if current && !self.is_committed(person, slot) {
            wrong("authorisation", Code::OtherForm);
        }
        defects
    }

    fn is_committed(&self, person: &Applicant, slot: u32) -> bool {
        let Ok(slot) = usize::try_from(slot) else { return false };
        let salt = self.salts.get(slot).copied();
        let own = salt.and_then(|salt| Layout::authorisation(person, salt)).map(|own| own.commitment());
        own.is_some() && own.as_ref() == self.commitments.get(slot)
    }
}

/// Whether the entries that stand for this person have the tags of its name.
fn has_name(seen: &Seen<'_>, person: &Applicant, entries: &[Option<&Entry>]) -> bool {
    let mut pairs =
        person.numbers.iter().zip(entries).filter_map(|(number, entry)| entry.map(|e| (number, e)));
    pairs.all(|(number, entry)| {
        let theirs = NameTags { folded: entry.folded_tag, exact: [entry.exact_tag] };
        let own = seen.prf.name_tags(&seen.prf.token(&number.subject), &person.name);
        theirs.compare(Some(own)) == NameFlag::Same
    })
}

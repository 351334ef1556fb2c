//! Who stands where in a roster: slots, commitments and entries, all of them a function of the
//! ticket and the applicants (SPEC §6.8). Made to write a roster, to read its answer, and by whoever signs it as well.

use std::collections::{BTreeSet, HashSet};

use protocol::authorisation::Authorisation;
use protocol::hedge::Stream;
use protocol::merkle;
use protocol::roster::{Entry, Field, PrfName, Roster, size_class};
use protocol::secret::TokenKey;
use protocol::token::Prf;
use protocol::value::Digest;

use crate::applicants::{Applicant, Applicants, MAX_NUMBERS};
use crate::ticket::{Part, Ticket};

/// Slots and the applicants they stand for.
pub(crate) struct Layout<'t, 'a> {
    ticket: &'t Ticket,
    /// The applicant of each slot; `None` where it stands for nobody.
    pub(crate) slots: Vec<Option<&'a Applicant>>,
}

/// What the entries depend on beside the layout.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntryRules {
    pub(crate) prf: PrfName,
    /// Whether names are asked. Where they are not, the tags are random: what nobody needs is not sent.
    pub(crate) names: bool,
}

impl EntryRules {
    pub(crate) fn of(roster: &Roster) -> Self {
        Self { prf: roster.prf, names: roster.fields.contains(&Field::Name) }
    }
}

/// The size class for these applicants: a slot for each, and room for their further numbers among the
/// entries that the class has beyond its slots.
pub(crate) fn slot_count(applicants: &Applicants) -> Option<u32> {
    let numbers: usize = applicants.iter().map(|a| a.numbers.len()).sum();
    let further = numbers.saturating_sub(applicants.len());
    size_class(u32::try_from(applicants.len().max(further.saturating_mul(4))).ok()?)
}

/// `slot_count · 5/4` (SPEC §4.3)
pub(crate) fn entry_count(slot_count: u32) -> u32 {
    slot_count + slot_count / 4
}

impl<'t, 'a> Layout<'t, 'a> {
    /// Deals `people`, which are in the order of their current numbers, to slots at random. The ticket's counts
    /// must be theirs.
    pub(crate) fn derive(ticket: &'t Ticket, people: Vec<&'a Applicant>) -> Self {
        Self { ticket, slots: deal(ticket, people) }
    }

    /// Merkle root of the slots' commitments (SPEC §7).
    pub(crate) fn authorisations_root(&self) -> Digest {
        merkle::root(&self.commitments(&self.salts()))
    }

    /// The salts of the slots' commitments.
    pub(crate) fn salts(&self) -> Vec<[u8; 32]> {
        salts(self.ticket)
    }

    /// What a slot for this applicant commits to.
    pub(crate) fn authorisation(applicant: &'a Applicant, salt: [u8; 32]) -> Option<Authorisation<'a>> {
        let subject = applicant.current()?;
        Some(Authorisation { salt, number: &applicant.authorisation, subject, scope: &applicant.scope })
    }

    /// The slots' commitments; those of slots that stand for nobody are random.
    pub(crate) fn commitments(&self, salts: &[[u8; 32]]) -> Vec<Digest> {
        let commit = |(slot, salt): (&Option<&'a Applicant>, &[u8; 32])| {
            let authorisation = slot.and_then(|applicant| Self::authorisation(applicant, *salt));
            authorisation.map_or(Digest(*salt), |authorisation| authorisation.commitment())
        };
        self.slots.iter().zip(salts).map(commit).collect()
    }

    /// The entries, tokens strictly rising: one for each number, one for each slot without any, and
    /// decoys in random slots up to the count of the size class. `None` where they do not fit, or two
    /// numbers have one token.
    pub(crate) fn entries(&self, rules: EntryRules) -> Option<Vec<Entry>> {
        let total = usize::try_from(entry_count(self.ticket.slot_count)).ok()?;
        let prf = Prf::new(rules.prf, TokenKey::from_bytes(&self.ticket.token_key()));
        let mut tags = self.ticket.stream(Part::Tags);
        let mut entries = Vec::with_capacity(total);
        let mut tokens = BTreeSet::new();
        let mut used: Vec<u8> = Vec::with_capacity(self.slots.len());
        for (slot, applicant) in (0_u32..).zip(&self.slots) {
            let Some(applicant) = applicant else {
                used.push(0);
                continue;
            };
            for (ordinal, number) in (0_u8..).zip(&applicant.numbers) {
                let token = prf.token(&number.subject);
                let real = prf.name_tags(&token, &applicant.name);
                let random = (tags.array(), tags.array());
                let (folded_tag, [exact_tag]) = if rules.names { (real.folded, real.exact) } else { random };
                if !tokens.insert(token.0) {
                    return None;
                }
                entries.push(Entry { token: token.0, slot, folded_tag, exact_tag, ordinal });
            }
            used.push(u8::try_from(applicant.numbers.len()).ok()?);
        }

        let mut decoys = Decoys::of(self.ticket, bare(&self.slots));
        while entries.len() < total {
            let decoy = decoys.draw();
            let ordinal = used.get_mut(usize::try_from(decoy.slot).ok()?)?;
            if usize::from(*ordinal) < MAX_NUMBERS && tokens.insert(decoy.token) {
                entries.push(Entry { ordinal: *ordinal, ..decoy });
                *ordinal += 1;
            }
        }
        entries.sort_unstable_by_key(|e| e.token);
        (entries.len() == total && decoys.bare.next().is_none()).then_some(entries)
    }
}

/// Fisher–Yates over `people` and as many empty places as the ticket has slots for: slot `last` gets any of those up
/// to itself. Where the empty places end up depends on the counts alone.
fn deal<T>(ticket: &Ticket, people: Vec<T>) -> Vec<Option<T>> {
    let index = |n: u32| usize::try_from(n).unwrap_or(0); // at most a size class
    let mut slots: Vec<Option<T>> = people.into_iter().map(Some).collect();
    slots.resize_with(index(ticket.slot_count).max(slots.len()), || None);
    let mut stream = ticket.stream(Part::Permutation);
    for last in (1..ticket.slot_count).rev() {
        slots.swap(index(last), index(stream.below(last + 1)));
    }
    slots
}

/// The salts of all slots' commitments.
pub(crate) fn salts(ticket: &Ticket) -> Vec<[u8; 32]> {
    let mut stream = ticket.stream(Part::Salts);
    (0..ticket.slot_count).map(|_| stream.array()).collect()
}

/// The slots that stand for somebody, whoever it is.
pub(crate) fn occupied(ticket: &Ticket) -> HashSet<u32> {
    let people = deal(ticket, (0..ticket.real_count).collect());
    (0_u32..).zip(people).filter(|(_, somebody)| somebody.is_some()).map(|(slot, _)| slot).collect()
}

/// Tokens of all decoys that a roster of this ticket may have, and some that it has no place for.
pub(crate) fn decoy_tokens(ticket: &Ticket) -> HashSet<[u8; 16]> {
    let people = deal(ticket, (0..ticket.real_count).collect());
    let mut decoys = Decoys::of(ticket, bare(&people));
    (0..entry_count(ticket.slot_count).saturating_mul(2)).map(|_| decoys.draw().token).collect()
}

fn bare<T>(slots: &[Option<T>]) -> impl Iterator<Item = u32> {
    (0_u32..).zip(slots).filter(|(_, somebody)| somebody.is_none()).map(|(slot, _)| slot)
}

/// Entries that stand for nobody, without end: one for each slot of nobody, then for slots at random.
struct Decoys<B> {
    stream: Stream,
    bare: B,
    slot_count: u32,
}

impl<B: Iterator<Item = u32>> Decoys<B> {
    fn of(ticket: &Ticket, bare: B) -> Self {
        Self { stream: ticket.stream(Part::Decoys), bare, slot_count: ticket.slot_count }
    }

    /// The next one; its ordinal is for whoever finds it a place.
    fn draw(&mut self) -> Entry {
        let slot = self.bare.next().unwrap_or_else(|| self.stream.below(self.slot_count));
        let (token, folded_tag, [exact_tag]) =
            (self.stream.array(), self.stream.array(), self.stream.array());
        Entry { token, slot, folded_tag, exact_tag, ordinal: 0 }
    }
}

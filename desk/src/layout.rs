//! Who stands where in a roster: slots, commitments and entries, all of them a function of the
//! ticket and the applicants. Made twice: to write a roster, and to read its answer.

use std::collections::BTreeSet;

use protocol::authorisation::Authorisation;
use protocol::merkle;
use protocol::roster::{Entry, PrfName, size_class};
use protocol::secret::TokenKey;
use protocol::token::Prf;
use protocol::value::Digest;
use zeroize::Zeroizing;

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
    /// Deals the applicants, in the order of their numbers, to slots at random. The ticket's counts
    /// must be theirs.
    pub(crate) fn derive(ticket: &'t Ticket, applicants: &'a Applicants) -> Self {
        let canonical = applicants.canonical();
        let empty = usize::try_from(ticket.slot_count).unwrap_or(0).saturating_sub(canonical.len());
        let mut slots: Vec<Option<&Applicant>> =
            canonical.into_iter().map(Some).chain(std::iter::repeat_n(None, empty)).collect();
        // Fisher–Yates: slot `last` gets any of those up to itself.
        let index = |n: u32| usize::try_from(n).unwrap_or(0); // at most a size class
        let mut stream = ticket.stream(Part::Permutation);
        for last in (1..ticket.slot_count).rev() {
            slots.swap(index(last), index(stream.below(last + 1)));
        }
        Self { ticket, slots }
    }

    /// Merkle root of the slots' commitments (SPEC §7).
    pub(crate) fn authorisations_root(&self) -> Digest {
        merkle::root(&self.commitments(&self.salts()))
    }

    /// The salts of the slots' commitments.
    pub(crate) fn salts(&self) -> Vec<[u8; 32]> {
        let mut stream = self.ticket.stream(Part::Salts);
        self.slots.iter().map(|_| stream.array()).collect()
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

    /// The roster's token key.
    pub(crate) fn token_key(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.ticket.stream(Part::TokenKey).array())
    }

    /// The entries, tokens strictly rising: one for each number, one for each slot without any, and
    /// decoys in random slots up to the count of the size class. `None` where they do not fit, or two
    /// numbers have one token.
    pub(crate) fn entries(&self, rules: EntryRules) -> Option<Vec<Entry>> {
        let total = usize::try_from(entry_count(self.ticket.slot_count)).ok()?;
        let prf = Prf::new(rules.prf, TokenKey::from_bytes(&self.token_key()));
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

        let mut decoys = self.ticket.stream(Part::Decoys);
        let mut bare = (0_u32..).zip(&self.slots).filter(|(_, a)| a.is_none()).map(|(slot, _)| slot);
        while entries.len() < total {
            let slot = bare.next().unwrap_or_else(|| decoys.below(self.ticket.slot_count));
            let (token, folded_tag, [exact_tag]) = (decoys.array(), decoys.array(), decoys.array());
            let ordinal = used.get_mut(usize::try_from(slot).ok()?)?;
            if usize::from(*ordinal) < MAX_NUMBERS && tokens.insert(token) {
                entries.push(Entry { token, slot, folded_tag, exact_tag, ordinal: *ordinal });
                *ordinal += 1;
            }
        }
        entries.sort_unstable_by_key(|e| e.token);
        (entries.len() == total && bare.next().is_none()).then_some(entries)
    }
}

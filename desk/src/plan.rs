//! The plan of a roster: which slot is which applicant. It never leaves the centre, and is not stored:
//! the ticket and the applicants' file give it again.

use protocol::error::CheckError;
use protocol::roster::{AcceptedRoster, Entry};
use protocol::secret::OpeningKey;

use crate::applicants::{Applicant, Applicants};
use crate::layout::{EntryRules, Layout};
use crate::ticket::Ticket;

/// Which slot is which applicant.
#[derive(Debug)]
pub struct Plan<'a> {
    slots: Vec<Option<&'a Applicant>>,
}

impl<'a> Plan<'a> {
    /// Rebuilds the plan of `roster`, commitments and entries included, and refuses applicants that the
    /// roster was not made from.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn rebuild(
        roster: &AcceptedRoster,
        centre: &OpeningKey,
        applicants: &'a Applicants,
    ) -> Result<Self, PlanError> {
        let ticket = Ticket::open(&roster.roster, centre)?;
        Ok(Self { slots: rebuild(roster, &ticket, applicants.canonical())?.slots })
    }

    /// The applicant of each slot; `None` where it stands for nobody.
    pub fn slots(&self) -> impl Iterator<Item = Option<&'a Applicant>> + '_ {
        self.slots.iter().copied()
    }
}

/// The layout of `people`, which are in the order of their current numbers, if `roster` is what they give.
pub(crate) fn rebuild<'t, 'a>(
    roster: &AcceptedRoster,
    ticket: &'t Ticket,
    people: Vec<&'a Applicant>,
) -> Result<Layout<'t, 'a>, PlanError> {
    let header = &roster.roster;
    if usize::try_from(ticket.real_count) != Ok(people.len()) {
        return Err(PlanError::OtherApplicants);
    }
    let layout = Layout::derive(ticket, people);
    if layout.authorisations_root() != header.authorisations_root {
        return Err(PlanError::OtherApplicants);
    }
    // The root covers current numbers and authorisations; the entries, former numbers and names.
    let rules = EntryRules::of(header);
    if !layout.entries(rules).is_some_and(|entries| Entry::same(&entries, &roster.entries)) {
        return Err(PlanError::OtherNumbers);
    }
    Ok(layout)
}

/// Why a plan can't be rebuilt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The ticket does not open: another centre's roster.
    #[error(transparent)]
    Ticket(#[from] CheckError),
    /// Other people, current numbers or authorisations.
    #[error("the applicants file isn't the one this roster was made from")]
    OtherApplicants,
    /// The same people with other former numbers or names.
    #[error("names or former numbers in the applicants file aren't those this roster was made from")]
    OtherNumbers,
}

impl PlanError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ticket(e) => e.code(),
            Self::OtherApplicants => "wrong_applicants",
            Self::OtherNumbers => "wrong_names_or_numbers",
        }
    }

    /// What the error is about.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Ticket(e) => e.field(),
            Self::OtherApplicants | Self::OtherNumbers => "applicants",
        }
    }
}

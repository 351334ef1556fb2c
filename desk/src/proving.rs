//! Proving that a slot had an authorisation (SPEC §7.1): the centre's answer to an auditor who asks whether it fished.

use protocol::proof::Proof;
use protocol::secret::OpeningKey;

use crate::applicants::Applicant;
use crate::layout::Layout;
use crate::opening::Question;
use crate::plan::{self, PlanError};
use crate::ticket::Ticket;

/// Which slot is to be proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one with this number, from 0.
    Slot(u32),
    /// The one of the applicant in this row of the file.
    Row(u32),
}

impl Question {
    /// Opens the commitment of one slot. The applicants' file must be the one that the roster was made from.
    ///
    /// # Errors
    /// [`ProveError`].
    pub fn prove(&self, centre: &OpeningKey, which: Which) -> Result<Proof, ProveError> {
        let ticket = Ticket::open(&self.roster.roster, centre).map_err(PlanError::from)?;
        let layout = plan::rebuild(&self.roster, &ticket, self.applicants.canonical())?;
        let is_it = |slot: u32, applicant: Option<&Applicant>| match which {
            Which::Slot(number) => number == slot,
            Which::Row(row) => applicant.is_some_and(|applicant| applicant.row == row),
        };
        let salts = layout.salts();
        let slots = (0_u32..).zip(&layout.slots).zip(&salts);
        let mut slots = slots.filter(|((slot, applicant), _)| is_it(*slot, **applicant));
        let ((slot, applicant), salt) = slots.next().ok_or(ProveError::NoSuchSlot)?;
        let authorisation =
            applicant.and_then(|a| Layout::authorisation(a, *salt)).ok_or(ProveError::Nobody)?;
        Ok(Proof::make(self.roster.digest, slot, &authorisation, &layout.commitments(&salts)))
    }
}

/// Why there is no proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProveError {
    /// Another centre's roster, or other applicants.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The roster has no such slot, or asks about nobody in that row.
    #[error("the roster has no such slot, or asks about nobody in that row")]
    NoSuchSlot,
    /// The slot stands for nobody.
    #[error("the slot stands for nobody: there is nothing to prove")]
    Nobody,
}

impl ProveError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Plan(e) => e.code(),
            Self::NoSuchSlot => "no_such_slot",
            Self::Nobody => "nobody",
        }
    }

    /// What the error is about.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Plan(e) => e.field(),
            Self::NoSuchSlot | Self::Nobody => "slot",
        }
    }
}

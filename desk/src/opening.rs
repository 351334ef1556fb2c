//! Opening answers: sealed slots become results about applicants.

use std::collections::BTreeMap;

use protocol::agreement::{Agreement, AgreementInForce};
use protocol::answer::{self, Answer};
use protocol::answer_seal::{self, SealError};
use protocol::envelope::{Document, Verified};
use protocol::error::{CheckError, DecodeError};
use protocol::roster::{AcceptedRoster, Roster, RosterContext, RosterError};
use protocol::secret::OpeningKey;
use protocol::value::{Code, SealingKey};

use crate::applicants::Applicants;
use crate::defect::Defect;
use crate::plan::{Plan, PlanError};
use crate::table::ResultTable;

/// A roster that was sent out, with the agreement it was made under and the applicants it asks about.
#[derive(Debug)]
pub struct Question {
    pub(crate) agreement: AgreementInForce,
    pub(crate) roster: AcceptedRoster,
    pub(crate) applicants: Applicants,
}

impl Question {
    /// Reads a roster of one of `agreements`, and the applicants' file it was made from. Agreement and
    /// authorisations count as of the day the roster was issued: an answer may be opened later.
    ///
    /// # Errors
    /// [`OpenError`] when a document or the file can't be read, or they don't belong together.
    pub fn read(
        roster: &[u8],
        agreements: &[Document<Agreement>],
        applicants: &[u8],
    ) -> Result<Self, OpenError> {
        let roster = Document::<Roster>::read(roster)?;
        let issued = roster.header.issued;
        let agreement = agreements.iter().find(|a| a.digest == roster.header.agreement);
        let agreement = agreement.ok_or(CheckError::WrongAgreement)?.clone().check(issued.date())?;
        let context = RosterContext { now: issued, last_serial: 0, release: None };
        let roster = roster.check(&agreement, &context).map_err(|error| match error {
            RosterError::Decode(e) => OpenError::Decode(e),
            RosterError::Check(e) => OpenError::Check(e),
        })?;
        let (applicants, _refused) =
            Applicants::read_partial(applicants, issued.date()).map_err(OpenError::Applicants)?;
        Ok(Self { agreement, roster, applicants })
    }

    /// Code of the institution that is asked.
    pub fn institution(&self) -> &Code {
        &self.agreement.terms.institution.code
    }

    /// The keys of the first opening group that `officers` can make up, in the group's order.
    fn group<'k>(&self, officers: &[&'k OpeningKey]) -> Result<Vec<&'k OpeningKey>, OpenError> {
        let holder = |key: &SealingKey| officers.iter().copied().find(|officer| officer.public() == *key);
        let all = |group: &Vec<SealingKey>| group.iter().map(holder).collect::<Option<Vec<_>>>();
        let compliance = self.agreement.terms.compliance_key.map(|key| vec![key]);
        let mut groups = self.roster.roster.opening_groups.iter().chain(&compliance);
        groups.find_map(all).ok_or(OpenError::Officers)
    }
}

/// Opens `answers` to `questions` with the centre's and the officers' keys. Of several versions of an
/// answer the highest counts. An error about an answer names its place in `answers`.
///
/// # Errors
/// [`OpenError`]; one bad answer refuses all, so that no table looks complete that is not.
pub fn open_answers(
    questions: &[Question],
    answers: Vec<Vec<u8>>,
    centre: &OpeningKey,
    officers: &[&OpeningKey],
) -> Result<ResultTable, OpenError> {
    let mut versions: Vec<BTreeMap<u32, (usize, Document<Answer>)>> =
        questions.iter().map(|_| BTreeMap::new()).collect();
    for (index, bytes) in answers.into_iter().enumerate() {
        let bad = |error: SealError| OpenError::Answer { index, error };
        let document = Document::<Answer>::read(&bytes).map_err(|e| bad(e.into()))?;
        let question =
            questions.iter().zip(&mut versions).find(|(q, _)| q.roster.digest == document.header.roster);
        let (question, versions) = question.ok_or(bad(CheckError::WrongRoster.into()))?;
        let Document { header, digest, signers, .. } = document.clone();
        let verified = Verified { header, digest, signers };
        let AcceptedRoster { roster, digest, .. } = &question.roster;
        answer::check(&verified, roster, digest, &question.agreement).map_err(|e| bad(e.into()))?;
        let version = document.header.version;
        if let Some((other, earlier)) = versions.insert(version, (index, document))
            && earlier.digest != verified.digest
        {
            return Err(OpenError::Conflict { index: other, other: index, version });
        }
    }

    let mut table = ResultTable::default();
    for (question, mut versions) in questions.iter().zip(versions) {
        let plan = Plan::rebuild(&question.roster, centre, &question.applicants)?;
        let Some((_, (index, document))) = versions.pop_last() else {
            table.add_unanswered(question, &plan);
            continue;
        };
        let keys = question.group(officers)?;
        let AcceptedRoster { roster, digest, .. } = &question.roster;
        let opened = answer_seal::open(document, roster, digest, &question.agreement, &keys)
            .map_err(|error| OpenError::Answer { index, error })?;
        table.add(question, &plan, &opened, versions.len());
    }
    table.finish();
    Ok(table)
}

/// Why nothing is opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// A roster or agreement can't be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A roster or agreement does not hold.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The applicants' file can't be read.
    #[error("the applicants file has {} defects", .0.len())]
    Applicants(Vec<Defect>),
    /// The applicants' file is another one, or the centre.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The officers' keys given don't make up an opening group.
    #[error("the officers' keys given don't make up an opening group of the roster")]
    Officers,
    /// An answer can't be read or does not hold.
    #[error("{error}")]
    Answer {
        /// Its place among the answers.
        index: usize,
        /// What is wrong.
        error: SealError,
    },
    /// Two different answers of one version to one roster.
    #[error("two different answers to one roster both say that they are version {version}")]
    Conflict {
        /// The one's place among the answers.
        index: usize,
        /// The other's.
        other: usize,
        /// The version of both.
        version: u32,
    },
}

impl OpenError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Decode(e) | Self::Answer { error: SealError::Decode(e), .. } => e.code(),
            Self::Check(e) | Self::Answer { error: SealError::Check(e), .. } => e.code(),
            Self::Applicants(_) => "defects",
            Self::Plan(e) => e.code(),
            Self::Officers => "officers",
            Self::Conflict { .. } => "conflicting_answers",
        }
    }

    /// What the error is about.
    pub fn field(&self) -> String {
        match self {
            Self::Decode(e) | Self::Answer { error: SealError::Decode(e), .. } => e.field(),
            Self::Check(e) | Self::Answer { error: SealError::Check(e), .. } => e.field().to_owned(),
            Self::Applicants(_) => "applicants".to_owned(),
            Self::Plan(e) => e.field().to_owned(),
            Self::Officers => "officers".to_owned(),
            Self::Conflict { .. } => "answer.version".to_owned(),
        }
    }
}

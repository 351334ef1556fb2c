//! The question that all runners answer: which of these applicants hold something here, and how much.

use std::collections::HashSet;

use desk::opening::{self, open_answers};
use desk::table::Entry;
use e2e::exchange::{Centre, Relation, Setup};
use e2e::module::OpenRequest;
use e2e::world::World;
use protocol::Document;
use protocol::joining::InstitutionKind;
use serde_json::Value;

use crate::files::{Export, Found};

/// The exchange between the centre and the institution.
pub(crate) struct Question {
    /// Who asks.
    pub(crate) centre: Centre,
    relation: Relation,
    applicants: Vec<u8>,
    /// What begins a session.
    pub(crate) open: OpenRequest,
}

impl Question {
    /// About all applicants of the world.
    pub(crate) fn new(world: &World) -> Self {
        let (centre, applicants) = (Centre::new(Setup::default()), world.applicants_csv());
        let relation = centre.ask("bank-x", InstitutionKind::Bank, 1, &applicants);
        let open = OpenRequest::new(&relation);
        Self { centre, relation, applicants, open }
    }

    /// What the centre finds in an answer. The report must say that every row was read and valid.
    pub(crate) fn read(&self, file: &Export, report: &Value, answer: Vec<u8>) -> Found {
        for count in ["rows", "valid"] {
            assert_eq!(report["coverage"][count], file.rows, "{report}");
        }
        let agreement = Document::read(&self.relation.agreement).unwrap();
        let question =
            opening::Question::read(&self.relation.roster, &[agreement], &self.applicants).unwrap();
        let officers: Vec<_> = self.centre.officers.iter().map(|officer| &officer.keys.opening).collect();
        let centre = &self.centre.party.keys.opening;
        let table = open_answers(&[question], vec![answer], centre, &officers).unwrap();

        let people: HashSet<u32> =
            table.rows.iter().filter(|row| row.found == Some(true)).map(|row| row.applicant_row).collect();
        let totals = || table.rows.iter().filter(|row| row.entry == Entry::Total);
        Found {
            people: people.len() as u64,
            hits: totals().map(|row| u64::from(row.accounts.unwrap())).sum(),
            fen: totals().map(|row| u64::try_from(row.minor.unwrap()).unwrap()).sum(),
        }
    }
}

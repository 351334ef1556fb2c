//! Who is asked: agreements with the world's institutions, their answers by the module, and one that nobody honest
//! would make.

use desk::agreement_maker::{self, Terms};
use e2e::client::Client;
use e2e::exchange::{self, Party, Relation};
use e2e::module::{self, OpenRequest};
use protocol::agreement::Agreement;
use protocol::answer_seal::{Maker, SealedAnswer, Slots};
use protocol::coverage::{Coverage, Encoding, FileCount, Grain};
use protocol::joining::JoiningRequest;
use protocol::key_file::Role;
use protocol::roster::{Field, Level, PrfName, Roster, RosterContext};
use protocol::secret::Entropy;
use protocol::slot::{Slot, size};
use protocol::value::ReleaseNumber;
use protocol::{Document, Time, envelope};
use serde_json::json;

use crate::desk::Desk;

/// An institution with its keys and the agreement it has signed.
pub(crate) struct Bank {
    pub(crate) code: &'static str,
    pub(crate) party: Party,
    pub(crate) agreement: Vec<u8>,
}

impl Bank {
    /// Agrees with the centre, on terms that `change` may change.
    pub(crate) fn agree(desk: &Desk, code: &'static str, change: impl FnOnce(&mut Terms)) -> Self {
        let institution = desk.world.institution(code).unwrap();
        let seed = code.bytes().last().unwrap();
        let party = Party::new(Role::Institution, code, seed);
        let joining = JoiningRequest {
            code: code.parse().unwrap(),
            issued: desk.now(),
            kind: serde_json::from_value(institution.kind.into()).unwrap(),
            name: exchange::text(institution.name),
            sealing_key: party.keys.opening.public(),
            signing_key: party.keys.signing.public(),
        };
        let joining = envelope::write(&joining, b"", &[&party.keys.signing]).unwrap();
        let mut terms = Terms {
            number: exchange::text(&format!("保密-2026-{code}")),
            purpose: exchange::text("社会救助家庭经济状况核对"),
            level: Level::L1,
            fields: vec![Field::Accounts, Field::Amount, Field::BalanceDate, Field::Name],
            prfs: vec![PrfName::Blake3],
            valid_from: exchange::date("2026-01-01"),
            valid_to: exchange::date("2036-12-31"),
            approver_keys: Vec::new(),
            compliance_key: None,
            cosigner_key: None,
            page_sha256: None,
        };
        change(&mut terms);
        let centre = &desk.centre.party;
        let (own, name) = (centre.code.parse().unwrap(), exchange::text("核对中心"));
        let proposal = agreement_maker::propose(&joining, &own, &name, &centre.keys, terms).unwrap();
        let agreement = agreement_maker::countersign(&proposal, &party.keys).unwrap();
        Self { code, party, agreement }
    }

    /// Answers a roster by the real module over the institution's export.
    pub(crate) fn answer(&self, desk: &Desk, roster: Vec<u8>) -> Vec<u8> {
        self.answer_from(desk, roster, &desk.world.institution(self.code).unwrap().bytes())
    }

    /// The same over another file.
    pub(crate) fn answer_from(&self, desk: &Desk, roster: Vec<u8>, file: &[u8]) -> Vec<u8> {
        let seed = self.code.bytes().last().unwrap();
        let relation = Relation {
            party: Party::new(Role::Institution, self.code, seed),
            approver: Party::new(Role::Approver, "approver", seed + 1),
            agreement: self.agreement.clone(),
            roster,
        };
        let mut open = OpenRequest::new(&relation);
        open.options["now"] = json!(desk.now().unix());
        module::run(&mut module::wasmtime(), &open, file, 1 << 20).unwrap().answer
    }

    /// Fetches what waits on the host, answers it and hands the answer in there.
    pub(crate) async fn answer_on_host(&self, desk: &Desk) {
        let client = Client::sign_in(&desk.host, &self.party.keys).await;
        let listed = client.get_json("rosters").await;
        let digest = listed[0]["digest"].as_str().unwrap();
        let roster = client.get(&format!("rosters/{digest}")).await;
        client.post(&format!("rosters/{digest}/answers"), self.answer(desk, roster)).await;
    }

    /// An answer with the slots of L2 to a roster of L1, signed as if nothing were wrong with it.
    pub(crate) fn answer_too_much(&self, roster: &[u8], now: Time) -> Vec<u8> {
        let document = Document::<Roster>::read(roster).unwrap();
        let issued = document.header.issued;
        let terms = Document::<Agreement>::read(&self.agreement).unwrap().check(issued.date()).unwrap();
        let context = RosterContext { now, last_serial: 0, release: None };
        let mut accepted = document.check(&terms, &context).unwrap();
        accepted.roster.level = Level::L2;
        accepted.roster.slot_size = size(Level::L2).try_into().unwrap();
        let coverage = Coverage {
            balance_date: None,
            columns: vec!["id_number".to_owned()],
            encoding: Encoding::Utf8,
            files: vec![FileCount { bytes: 90_000, rows: 1_000 }],
            grain: Grain::Account,
            normalised: std::collections::BTreeMap::new(),
            not_personal: 0,
            quarantined: std::collections::BTreeMap::new(),
            rows: 1_000,
            skipped: std::collections::BTreeMap::new(),
            valid: 1_000,
        };
        let maker = Maker {
            key: &self.party.keys.signing,
            created: now,
            version: 1,
            module_release: ReleaseNumber::new(0, 1, 0),
            module_sha256: protocol::Digest::of(module::artifact()),
        };
        let entropy = Entropy::new(&[5; 32]).unwrap();
        let mut sealed = SealedAnswer::make(&accepted, &terms, &maker, &coverage, Nothing, &entropy).unwrap();
        let mut bytes = Vec::new();
        loop {
            let piece = sealed.read();
            if piece.is_empty() {
                return bytes;
            }
            bytes.extend(piece);
        }
    }
}

/// Slots that say nothing, in the size of L2.
struct Nothing;

impl Slots for Nothing {
    fn write(&self, _: u32, out: &mut [u8]) {
        Slot::default().encode(Level::L2, out);
    }
}

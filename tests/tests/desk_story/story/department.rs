//! Another department, from its registration to its matched table; and a batch that comes in as a spreadsheet.

use e2e::exchange::{self, Party};
use protocol::agreement::Agreement;
use protocol::joining::{InstitutionKind, JoiningRequest};
use protocol::key_file::Role;
use protocol::secret::Entropy;
use protocol::{Document, base_data, envelope};

use super::Story;
use crate::people::{self, Household};
use crate::screens::Tour;

/// The day of the department's table.
const DAY: &str = "2026-10-20";

/// A department with keys of its own, and the agreement that it seals under.
pub(crate) struct Department {
    party: Party,
    agreement: Vec<u8>,
}

/// What each member's house is worth, as papers spell it; of the last one's it is not known.
pub(crate) fn houses(household: &Household) -> Vec<String> {
    (1..household.members.len()).map(|at| format!("{},765,432.{at}1", at + 7)).collect()
}

impl Story {
    /// From here on every page is pictured, in both languages.
    pub(crate) fn take_pictures(&mut self, walk: &'static str) {
        self.tour = Some(Tour::new(walk));
    }

    /// The template as a spreadsheet, filled in and brought in; another person accepts it.
    pub(crate) async fn import_spreadsheet(&mut self, household: &Household) {
        self.sit("jb01").await;
        self.show_at("/import", "import").await;
        let (name, template) = self.saved("#book").await;
        assert_eq!(name, "hedui-import.xlsx");
        self.upload_import("filled.xlsx", &people::filled(template, people::rows_for_departments(household)))
            .await;
        self.browser.until("#done").await;
        self.show("import-spreadsheet").await;
        self.sit("jb02").await;
        self.accept_all().await;
    }

    /// One person registers the department, another confirms it.
    pub(crate) async fn register_department(&mut self) -> Department {
        let party = Party::new(Role::Institution, "housing", 77);
        let joining = JoiningRequest {
            code: "housing".parse().unwrap(),
            issued: self.desk.now(),
            kind: InstitutionKind::Department,
            name: exchange::text("住房和城乡建设局"),
            sealing_key: party.keys.opening.public(),
            signing_key: party.keys.signing.public(),
        };
        let joining = envelope::write(&joining, b"", &[&party.keys.signing]).unwrap();
        self.sit("jb01").await;
        self.show_at("/departments", "departments-none").await;
        self.fill_file("#joining", "housing.joining.hedui", &joining).await;
        self.set("#content", "house").await;
        self.browser.fill("#number", "协-住-1").await;
        self.set("#to", "2036-12-31").await;
        self.press("#add-department").await;
        self.show("departments").await;
        self.sit("jb02").await;
        self.go("/institutions").await;
        self.press("button.confirm").await;
        self.show("institutions-department").await;
        self.sit("jb01").await;
        self.go("/departments").await;
        let (_, agreement) = self.saved("a[href$='/agreement']").await;
        Department { party, agreement }
    }

    /// An institution answers on a stick.
    pub(crate) async fn answer_on_a_stick(&mut self, batch: &str, code: &str) {
        self.sit("jb02").await;
        self.go(batch).await;
        let id = self.roster_of(code).await;
        let (_, roster) = self.saved(&format!("form[action='/rosters/{id}/file'] button")).await;
        self.go(batch).await;
        let bank = self.banks.iter().find(|bank| bank.code == code).unwrap();
        let answer = bank.answer(&self.desk, roster);
        self.hand_in(id, &answer).await;
    }

    /// The department's sealed table is handed in and matched here.
    pub(crate) async fn hand_in_table(&mut self, batch: &str, housing: &Department, household: &Household) {
        self.sit("jb02").await;
        let mut table = "姓名,证件号码,评估价值（元）\n".to_owned();
        for (who, worth) in household.members.iter().zip(houses(household).into_iter().chain([String::new()]))
        {
            table.push_str(&format!("{},{},\"{worth}\"\n", who.name, who.number.text));
        }
        let terms = Document::<Agreement>::read(&housing.agreement).unwrap();
        let now = self.desk.now();
        let terms = terms.check(now.date()).unwrap();
        let entropy = Entropy::new(&[9; 32]).unwrap();
        let key = &housing.party.keys.signing;
        let sealed =
            base_data::seal(&terms, key, exchange::date(DAY), now, table.as_bytes(), &entropy).unwrap();
        let form = "form[action$='/base-data']";
        self.show_at(batch, "board-department").await;
        self.fill_file(&format!("{form} input"), "housing.base.hedui", &sealed).await;
        self.press(&format!("{form} button")).await;
        self.arrives(batch).await;
        self.show("board-matched").await;
        let answered = "return document.querySelectorAll('tbody .tag.good').length";
        assert_eq!(self.browser.run(answered, Vec::new()).await, 3, "all have answered");
    }
}

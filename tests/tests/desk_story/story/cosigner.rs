//! A township that signs a roster as well, when its own list has given the same one.

use desk::{Applicants, cosigning};
use e2e::exchange::{self, Party};
use protocol::agreement::Agreement;
use protocol::cosigning::CosignerJoining;
use protocol::key_file::Role;
use protocol::{Document, envelope};

use super::Story;

impl Story {
    /// An agreement that names the township, whose keys one person registers and another confirms.
    pub(crate) async fn agree_with_cosigner(&mut self, code: &'static str) -> Party {
        let township = Party::new(Role::Cosigner, "township-1", 91);
        let key = township.keys.signing.public();
        self.agree(&[code], |terms| terms.cosigner_key = Some(key)).await;
        let joining = CosignerJoining {
            code: "township-1".parse().unwrap(),
            issued: self.desk.now(),
            name: exchange::text("城关镇人民政府"),
            sealing_key: township.keys.opening.public(),
            signing_key: key,
        };
        let joining = envelope::write(&joining, b"", &[&township.keys.signing]).unwrap();
        self.sit("jb01").await;
        self.go("/institutions").await;
        self.fill_file("#cosigner", "township.joining.hedui", &joining).await;
        self.press("#add-cosigner").await;
        self.show("cosigner-registered").await;
        self.sit("jb02").await;
        self.go("/institutions").await;
        self.press("tbody.cosigners button.confirm").await;
        self.show("cosigner-confirmed").await;
        township
    }

    /// Roster and request go to the township, which rebuilds, signs and hands back; then the roster can leave.
    pub(crate) async fn cosign(&mut self, batch: &str, township: &Party, code: &str, own_list: &[u8]) {
        self.sit("jb02").await;
        self.show_at(batch, "board-unsigned").await;
        let id = self.roster_of(code).await;
        let form = |step: &str| format!("form[action='/rosters/{id}/{step}']");
        let (_, roster) = self.saved(&format!("{} button", form("file"))).await;
        let (_, request) = self.saved(&format!("{} button", form("cosign-request"))).await;
        let now = self.desk.now();
        let bank = self.banks.iter().find(|bank| bank.code == code).unwrap();
        let terms = Document::<Agreement>::read(&bank.agreement).unwrap().check(now.date()).unwrap();
        let list = Applicants::read(own_list, now.date()).unwrap();
        let rebuilt = cosigning::rebuild(&roster, &request, &terms, &list, &township.keys, now).unwrap();
        let signed = rebuilt.sign().unwrap();
        self.go(batch).await;
        self.fill_file(&format!("{} input", form("cosigned")), "signed.roster.hedui", &signed).await;
        self.press(&format!("{} button", form("cosigned"))).await;
        self.show("board-cosigned").await;
    }
}

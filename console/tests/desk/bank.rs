//! A bank that answers: sealed answers whose slots a test fills, and the centre's key officers.

use std::sync::Mutex;

use console::store::Columns as _;
use desk::{Applicants, Plan};
use protocol::agreement::Agreement;
use protocol::answer_seal::{Maker, SealedAnswer, Slots};
use protocol::coverage::{Coverage, Encoding, FileCount, Grain};
use protocol::key_file::{KeyFile, Role as KeyRole};
use protocol::roster::{AcceptedRoster, Level, Roster, RosterContext};
use protocol::secret::Entropy;
use protocol::slot::{AssetKind, Slot, Total, size};
use protocol::value::{Currency, ReleaseNumber};
use protocol::{Digest, Document};
use sqlx::Row as _;

use crate::office::{Office, Person, Reply};
use crate::steps::{keys, the_centre};

pub(crate) const KEY_PASSPHRASE: &str = "officer's words";

/// A key officer with the own key file.
pub(crate) struct Officer<'o> {
    pub(crate) person: Person<'o>,
    pub(crate) file: Vec<u8>,
}

/// A key file of `role`, made once: its passphrase costs.
pub(crate) fn key_file(role: KeyRole, code: &str, n: u8) -> KeyFile {
    static MADE: Mutex<Vec<KeyFile>> = Mutex::new(Vec::new());
    let mut made = MADE.lock().unwrap();
    if let Some(known) =
        made.iter().find(|known| known.role == role && known.name.as_str() == name_of(n, code))
    {
        return known.clone();
    }
    let file = make_key_file(role, code, n);
    made.push(file.clone());
    file
}

fn name_of(n: u8, code: &str) -> String {
    format!("密钥员{code}-{n}")
}

fn make_key_file(role: KeyRole, code: &str, n: u8) -> KeyFile {
    let entropy = Entropy::new(&[n; 32]).unwrap();
    let (code, name) = (code.parse().unwrap(), name_of(n, code).parse().unwrap());
    KeyFile::make(role, code, name, KEY_PASSPHRASE.as_bytes(), &entropy).unwrap().0
}

impl<'o> Officer<'o> {
    pub(crate) async fn new(office: &'o Office, code: &str, n: u8) -> Self {
        Self::numbered(office, code, code, n).await
    }

    pub(crate) async fn numbered(office: &'o Office, code: &str, number: &str, n: u8) -> Self {
        let file = key_file(KeyRole::Officer, code, n);
        let person = office.officer(code, number, file.sealing_key).await;
        Self { person, file: file.write().unwrap() }
    }

    pub(crate) async fn unlock(&mut self, batch: &str) -> Reply {
        let file = self.file.clone();
        self.unlock_with(batch, &file, KEY_PASSPHRASE).await
    }

    pub(crate) async fn unlock_with(&mut self, batch: &str, file: &[u8], passphrase: &str) -> Reply {
        let path = format!("{}/unlock", batch.replace("/batches", "/openings"));
        self.person.upload(&path, &[("passphrase", passphrase)], ("key", "my.key.hedui", file)).await
    }

    /// Unlocks as the second one, and waits until all is opened.
    pub(crate) async fn open(&mut self, batch: &str) -> Reply {
        let at = self.unlock(batch).await;
        assert!(at.location().contains("/progress/"), "{}", at.text);
        let at = at.location().to_owned();
        loop {
            let page = self.person.get(&at).await;
            if page.headers.get("refresh").is_none() {
                return page;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

/// What is found about whom: by number.
pub(crate) type Found<'f> = &'f dyn Fn(&str) -> Option<Slot>;

struct Filled {
    level: Level,
    slots: Vec<Slot>,
}

impl Slots for Filled {
    fn write(&self, index: u32, out: &mut [u8]) {
        self.slots[index as usize].encode(self.level, out);
    }
}

/// How an answer differs from an honest one.
#[derive(Default, Clone)]
pub(crate) struct Odd {
    pub(crate) version: Option<u32>,
    /// Slots of another level than was asked.
    pub(crate) level: Option<Level>,
    /// Rows set aside, of 1,000.
    pub(crate) set_aside: u64,
}

/// Deposits of so many fen on a day.
pub(crate) fn deposits(minor: i64, day: u32) -> Slot {
    Slot {
        found: true,
        name_flags: 0b10,
        ordinals: 1,
        rows: 1,
        totals: vec![Total {
            kind: AssetKind::Deposit,
            currency: Currency::CNY,
            minor,
            accounts: 1,
            blank: 0,
            oldest: day,
            newest: day,
        }],
        ..Slot::default()
    }
}

/// The bank's answer to a roster of the desk.
pub(crate) async fn answer(office: &Office, roster: i64, odd: Odd, found: Found<'_>) -> Vec<u8> {
    let store = office.console.store();
    let row = sqlx::query("SELECT rosters.*, agreements.document AS terms FROM rosters JOIN agreements ON agreements.id = agreement WHERE rosters.id = ?")
        .bind(roster)
        .fetch_one(store.read())
        .await
        .unwrap();
    let issued = row.time("issued").unwrap();
    let terms = Document::<Agreement>::read(&row.get::<Vec<u8>, _>("terms")).unwrap();
    let terms = terms.check(issued.date()).unwrap();
    let document = Document::<Roster>::read(&row.get::<Vec<u8>, _>("document")).unwrap();
    let context = RosterContext { now: issued, last_serial: 0, release: None };
    let mut accepted: AcceptedRoster = document.check(&terms, &context).unwrap();
    let file = console::dispatch::lists::file_of(store, roster).await.unwrap();
    let applicants = Applicants::read(&file, issued.date()).unwrap();
    let plan = Plan::rebuild(&accepted, &the_centre().1.keys.opening, &applicants).unwrap();
    let slots = plan
        .slots()
        .map(|who| who.and_then(|who| found(who.current().unwrap().number())).unwrap_or_default())
        .collect();
    let level = odd.level.unwrap_or(accepted.roster.level);
    if odd.level.is_some() {
        accepted.roster.level = level;
        accepted.roster.slot_size = size(level).try_into().unwrap();
    }
    let quarantined = [("masked".to_owned(), odd.set_aside)].into_iter().filter(|(_, n)| *n > 0).collect();
    let coverage = Coverage {
        balance_date: None,
        columns: vec!["amount".to_owned(), "id_number".to_owned()],
        encoding: Encoding::Utf8,
        files: vec![FileCount { bytes: 90_000, rows: 1_000 }],
        grain: Grain::Account,
        normalised: std::collections::BTreeMap::new(),
        not_personal: 0,
        quarantined,
        rows: 1_000,
        skipped: std::collections::BTreeMap::new(),
        valid: 1_000 - odd.set_aside,
    };
    let bank = keys(2);
    let maker = Maker {
        key: &bank.signing,
        created: office.console.now().unwrap(),
        version: odd.version.unwrap_or(1),
        module_release: ReleaseNumber::new(0, 1, 0),
        module_sha256: Digest([7; 32]),
    };
    let entropy = Entropy::new(&[5; 32]).unwrap();
    let mut sealed =
        SealedAnswer::make(&accepted, &terms, &maker, &coverage, Filled { level, slots }, &entropy).unwrap();
    let mut bytes = Vec::new();
    loop {
        let piece = sealed.read();
        if piece.is_empty() {
            return bytes;
        }
        bytes.extend(piece);
    }
}

/// Hands an answer in by file.
pub(crate) async fn hand_in(person: &mut Person<'_>, roster: i64, bytes: &[u8]) -> Reply {
    let path = format!("/rosters/{roster}/answer");
    person.upload(&path, &[], ("document", "bank.answer.hedui", bytes)).await
}

//! One exchange, set up in memory: a centre with officers, institutions with agreements, and rosters
//! that ask about the world's applicants. Every key comes from a fixed seed, so that a whole exchange can
//! be replayed to the byte.

use desk::agreement_maker::{self, Terms};
use desk::{Applicants, RosterRequest};
use protocol::agreement::{Agreement, AgreementInForce};
use protocol::joining::{InstitutionKind, JoiningRequest};
use protocol::key_file::{KeyFile, Keys, Role};
use protocol::roster::{Field, Level, PrfName};
use protocol::secret::Entropy;
use protocol::value::{Date, Digest, PublicKey, SealingKey, Text, Time};
use protocol::{Document, envelope};

/// The passphrase of every key file here.
pub const PASSPHRASE: &[u8] = b"correct horse battery";

/// The moment everything here happens at, 2026-11-22T08:00:00Z.
pub const NOW: u64 = 1_795_334_400;

/// A party: its key file and its keys.
pub struct Party {
    /// The key file's bytes.
    pub file: Vec<u8>,
    /// Its code.
    pub code: String,
    /// Its keys, unlocked.
    pub keys: Keys,
}

impl Party {
    /// Makes a party from one byte of seed.
    pub fn new(role: Role, code: &str, seed: u8) -> Self {
        let entropy = Entropy::new(&[seed; 32]).unwrap();
        let (file, keys) =
            KeyFile::make(role, code.parse().unwrap(), text(code), PASSPHRASE, &entropy).unwrap();
        Self { file: file.write().unwrap(), code: code.to_owned(), keys }
    }
}

/// What is asked, and who opens.
#[derive(Debug, Clone)]
pub struct Setup {
    /// How much is asked.
    pub level: Level,
    /// What is asked.
    pub fields: Vec<Field>,
    /// How tokens are made.
    pub prf: PrfName,
    /// One officer, or three of whom any two open.
    pub officers: usize,
    /// Whether answers need a second signature.
    pub approval: bool,
}

impl Setup {
    /// All that a level has a place for.
    pub fn at(level: Level) -> Self {
        use Field::{Account, Accounts, Amount, BalanceDate, Name, Product, Status};
        let every = [Account, Accounts, Amount, BalanceDate, Name, Product, Status];
        let fields = every.into_iter().filter(|field| field.allowed_at(level)).collect();
        Self { level, fields, ..Self::default() }
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            level: Level::L1,
            fields: vec![Field::Accounts, Field::Amount, Field::BalanceDate, Field::Name],
            prf: PrfName::Blake3,
            officers: 1,
            approval: false,
        }
    }
}

/// The centre's side.
pub struct Centre {
    /// The centre.
    pub party: Party,
    /// The officers.
    pub officers: Vec<Party>,
    /// What is asked.
    pub setup: Setup,
    /// When rosters are issued.
    pub issued: Time,
}

/// One institution and what passes between it and the centre.
pub struct Relation {
    /// The institution.
    pub party: Party,
    /// Who approves there.
    pub approver: Party,
    /// The agreement, signed by both.
    pub agreement: Vec<u8>,
    /// The roster.
    pub roster: Vec<u8>,
}

/// A department that hands its table over.
pub struct Department {
    /// The department, whose key signs the table.
    pub party: Party,
    /// The agreement, signed by the centre and with a key that the desk keeps for the department.
    pub agreement: Vec<u8>,
}

/// A party's joining request.
fn joining(party: &Party, kind: InstitutionKind) -> Vec<u8> {
    let joining = JoiningRequest {
        code: party.code.parse().unwrap(),
        issued: now(),
        kind,
        name: text(&party.code),
        sealing_key: party.keys.opening.public(),
        signing_key: party.keys.signing.public(),
    };
    envelope::write(&joining, b"", &[&party.keys.signing]).unwrap()
}

impl Centre {
    /// A centre with its officers.
    pub fn new(setup: Setup) -> Self {
        let officers =
            (0..setup.officers).map(|n| Party::new(Role::Officer, &format!("officer-{n}"), 20 + n as u8));
        Self {
            party: Party::new(Role::Centre, "centre", 10),
            officers: officers.collect(),
            setup,
            issued: now(),
        }
    }

    /// One group of one officer, or every pair of three.
    pub fn opening_groups(&self) -> Vec<Vec<SealingKey>> {
        let keys: Vec<SealingKey> = self.officers.iter().map(|o| o.keys.opening.public()).collect();
        match keys.as_slice() {
            [one] => vec![vec![*one]],
            [a, b, c] => vec![vec![*a, *b], vec![*a, *c], vec![*b, *c]],
            _ => panic!("one officer or three"),
        }
    }

    /// Agrees with an institution and asks it about `applicants` (a CSV).
    pub fn ask(&self, code: &str, kind: InstitutionKind, seed: u8, applicants: &[u8]) -> Relation {
        let party = Party::new(Role::Institution, code, seed);
        let joining = joining(&party, kind);
        self.ask_joined(party, &joining, seed, applicants)
    }

    /// Agrees with a department as a desk does that answers for it: with keys of the desk's own.
    pub fn department(&self, code: &str, seed: u8) -> Department {
        let desk = Party::new(Role::Institution, code, seed + 100);
        let agreement = self.agree(&joining(&desk, InstitutionKind::Department), &desk.keys);
        Department { party: Party::new(Role::Institution, code, seed), agreement }
    }

    /// The same for one that made its keys and its joining request elsewhere.
    pub fn ask_joined(&self, party: Party, joining: &[u8], seed: u8, applicants: &[u8]) -> Relation {
        let approver = Party::new(Role::Approver, &format!("{}-approver", party.code), seed + 100);
        let approvers = if self.setup.approval { vec![approver.keys.signing.public()] } else { Vec::new() };
        let agreement = self.agree_with(joining, &party.keys, approvers);
        let roster = self.roster(&agreement, applicants, 1, self.issued, seed);
        Relation { party, approver, agreement, roster }
    }

    /// An agreement with one who made its keys and its joining request elsewhere.
    pub fn agree(&self, joining: &[u8], keys: &Keys) -> Vec<u8> {
        self.agree_with(joining, keys, Vec::new())
    }

    fn agree_with(&self, joining: &[u8], keys: &Keys, approver_keys: Vec<PublicKey>) -> Vec<u8> {
        let terms = Terms {
            number: text("保密-2026-1"),
            purpose: text("社会救助家庭经济状况核对"),
            level: self.setup.level,
            fields: self.setup.fields.clone(),
            prfs: vec![self.setup.prf],
            valid_from: date("2026-01-01"),
            valid_to: date("2036-12-31"),
            approver_keys,
            compliance_key: None,
            cosigner_key: None,
            page_sha256: None,
        };
        let centre = &self.party;
        let proposal = agreement_maker::propose(
            joining,
            &centre.code.parse().unwrap(),
            &text("核对中心"),
            &centre.keys,
            terms,
        );
        agreement_maker::countersign(&proposal.unwrap(), keys).unwrap()
    }

    /// A roster under `agreement`.
    pub fn roster(
        &self,
        agreement: &[u8],
        applicants: &[u8],
        serial: u64,
        issued: Time,
        seed: u8,
    ) -> Vec<u8> {
        let in_force = in_force(agreement);
        let applicants = Applicants::read(applicants, issued.date()).expect("no defects");
        let request = RosterRequest {
            level: self.setup.level,
            fields: self.setup.fields.clone(),
            line: None,
            opening_groups: self.opening_groups(),
            serial,
            issued,
            expires: Time::from_unix(issued.unix() + 20 * 86_400).unwrap(),
            as_of: date("2026-10-31"),
            income: None,
            purpose: text("社会救助家庭经济状况核对"),
            legal_basis: text("社会救助暂行办法第五十八条"),
            prf: self.setup.prf,
            module_minimum: "0.1.0".parse().unwrap(),
        };
        let entropy = Entropy::new(&[seed + 50; 32]).unwrap();
        desk::make_roster(&request, &in_force, &applicants, &self.party.keys, &entropy).unwrap()
    }
}

/// Heading of a small customer file.
pub const HEADING: &str = "姓名,证件号码,账户余额,余额日期\n";
/// Somebody to ask about: name and number.
pub const ALICE: (&str, &str) = ("张三", "11010519491231002X");
/// Somebody else.
pub const BOB: (&str, &str) = ("李四", "440524188001010014");

/// A centre that asks one bank about a handful of people, each with an authorisation; and the list of them.
pub fn ask_about(setup: Setup, people: &[(&str, &str)]) -> (Centre, Relation, Vec<u8>) {
    let mut csv = String::from("姓名,证件类型,证件号码,授权书编号\n");
    for (i, (name, number)) in people.iter().enumerate() {
        csv += &format!("{name},居民身份证,{number},SQ-{i}\n");
    }
    let centre = Centre::new(setup);
    let relation = centre.ask("bank-x", InstitutionKind::Bank, 1, csv.as_bytes());
    (centre, relation, csv.into_bytes())
}

/// What the officers at these places of the list read in `answers`.
///
/// # Errors
/// Those of the desk.
pub fn open(
    centre: &Centre,
    relation: &Relation,
    applicants: &[u8],
    answers: Vec<Vec<u8>>,
    officers: &[usize],
) -> Result<desk::ResultTable, desk::OpenError> {
    let agreement = Document::<Agreement>::read(&relation.agreement).unwrap();
    let question = desk::Question::read(&relation.roster, &[agreement], applicants)?;
    let keys: Vec<_> = officers.iter().map(|i| &centre.officers[*i].keys.opening).collect();
    desk::open_answers(&[question], answers, &centre.party.keys.opening, &keys)
}

/// The moment of the exchange.
pub fn now() -> Time {
    Time::from_unix(NOW).unwrap()
}

/// An agreement as of [`now`].
pub fn in_force(agreement: &[u8]) -> AgreementInForce {
    Document::<Agreement>::read(agreement).unwrap().check(now().date()).unwrap()
}

/// A text that is known to be good.
pub fn text(text: &str) -> Text {
    text.parse().unwrap()
}

/// A date that is known to be good.
pub fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// SHA-256 as the documents write it.
pub fn sha256(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}

//! Other departments: their own tables come as files sealed to the centre, are matched here by the same module as in a
//! bank, and are not kept. The answer is sealed to the key officers like any other, and signed by a key that is made
//! here for the department.

use desk::agreement_maker::{self, Terms};
use protocol::agreement::Agreement;
use protocol::base_data::{self, BaseData};
use protocol::envelope;
use protocol::joining::{InstitutionKind, JoiningRequest};
use protocol::key_file::{KeyFile, Role};
use protocol::roster::{Field, Level, PrfName};
use protocol::secret::Entropy;
use protocol::value::{Date, Digest, PublicKey, Text};
use protocol::{DecodeError, Document};
use runner::sheets::{self, Tally};
use runner::{Instance, RunError, op};
use serde_json::{Value, json};
use sqlx::Row as _;
use zeroize::Zeroizing;

use super::agreement::{self, AddError};
use super::answers;
use super::error::DispatchError;
use super::roster::{Roster, document};
use super::sending;
use crate::console::Console;
use crate::edge::Modules;
use crate::jobs::Job;
use crate::staff::Clerk;
use crate::store::{Action, Column, Fault, Object, Store, unix};

const KEY: Column<Zeroizing<Vec<u8>>> = Column::new("departments.key");
const WORDS: Column<Zeroizing<Vec<u8>>> = Column::new("departments.words");

/// The departments that a centre asks (`department.of.…` in the dictionary), and what each may hand over (`asset.…`): one
/// with two such tables is registered twice. None of the contents counts towards a line.
pub const DEPARTMENTS: [(&str, &[&str]); 7] = [
    ("finance", &["subsidy"]),
    ("social_security", &["pension", "contribution"]),
    ("housing", &["house"]),
    ("vehicles", &["vehicle"]),
    ("tax", &["income", "tax"]),
    ("provident_fund", &["provident_fund"]),
    ("civil_registry", &["death", "marriage"]),
];

/// Bytes of a table that go to the module at once.
const CHUNK: usize = 1 << 20;
/// What the centre uses the data for.
const PURPOSE: &str = "居民家庭经济状况核对";

/// What is agreed with a department.
#[derive(Debug)]
pub struct NewTerms {
    /// The agreement's number on paper.
    pub number: Text,
    /// Of [`DEPARTMENTS`].
    pub content: &'static str,
    /// The most that may be asked.
    pub level: Level,
    /// First day.
    pub valid_from: Date,
    /// Last day.
    pub valid_to: Date,
}

/// A department's agreement as it is kept.
#[derive(Debug)]
pub struct Kept {
    /// The agreement's row.
    pub agreement: i64,
    /// The department's code.
    pub code: String,
    /// The department's name.
    pub name: String,
    /// What it hands over.
    pub content: String,
    /// Who signs what it hands over.
    pub signer: PublicKey,
}

/// The departments' agreements, newest first.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn all(store: &Store) -> Result<Vec<Kept>, Fault> {
    let rows = sqlx::query(
        "SELECT department_terms.*, institutions.code, institutions.name FROM department_terms \
         JOIN agreements ON agreements.id = agreement JOIN institutions ON institutions.id = agreements.institution \
         ORDER BY institutions.code, agreement DESC",
    )
    .fetch_all(store.read())
    .await?;
    let one = |row: &sqlx::sqlite::SqliteRow| {
        let signer: Vec<u8> = row.try_get("signer")?;
        Ok(Kept {
            agreement: row.try_get("agreement")?,
            code: row.try_get("code")?,
            name: row.try_get("name")?,
            content: row.try_get("content")?,
            signer: signer.try_into().map(PublicKey).map_err(|_| Fault::Stored("department_terms.signer"))?,
        })
    };
    rows.iter().map(one).collect()
}

/// Registers a department, or new terms with one: the centre signs, and so does the key that is kept here for it.
/// Another person confirms it before anything is asked.
///
/// # Errors
/// [`DispatchError`].
pub async fn register(
    console: &Console,
    joining: &[u8],
    terms: NewTerms,
    clerk: &Clerk,
) -> Result<(), DispatchError> {
    let (store, now) = (console.store(), console.now()?);
    let centre = console.config().centre.as_ref().ok_or(DispatchError::Rule("dispatch.no_centre"))?;
    let theirs = Document::<JoiningRequest>::read(joining)?.check()?;
    if theirs.kind != InstitutionKind::Department {
        return Err(DispatchError::Rule("department.not_one"));
    }
    if terms.valid_from > terms.valid_to || terms.valid_to < now.date() {
        return Err(DispatchError::Rule("institution.expired"));
    }
    let known = sqlx::query(
        "SELECT id, key_sealed, words_sealed FROM institutions LEFT JOIN departments ON institution = id WHERE code = ?",
    )
    .bind(theirs.code.as_str())
    .fetch_optional(store.read())
    .await?;
    let known = match &known {
        None => None,
        Some(row) if row.try_get::<Option<Vec<u8>>, _>("key_sealed")?.is_none() => {
            return Err(DispatchError::Rule("department.taken"));
        }
        Some(row) => {
            let id = row.try_get("id")?;
            Some((
                store.open_cell(&KEY, id, row, "key_sealed")?,
                store.open_cell(&WORDS, id, row, "words_sealed")?,
            ))
        }
    };
    let is_new = known.is_none();
    let (entropy, words) = (store.random::<32>()?, store.random::<32>()?);
    let (code, name) = (theirs.code.clone(), theirs.name.clone());
    // Argon2id takes its time: off the threads that serve requests.
    let made = tokio::task::spawn_blocking(move || match known {
        Some((file, words)) => {
            let keys = KeyFile::read(&file).map_err(Fault::Own)?.unlock(&words);
            keys.map(|keys| (file, words, keys)).map_err(|_| Fault::Stored("departments.key"))
        }
        None => {
            let entropy = Entropy::new(&*entropy).map_err(|_| Fault::Randomness)?;
            let words = Zeroizing::new(hex::encode(*words).into_bytes());
            let made = KeyFile::make(Role::Institution, code, name, &words, &entropy);
            let (file, keys) = made.map_err(|_| Fault::Randomness)?;
            Ok((Zeroizing::new(file.write().map_err(Fault::Own)?), words, keys))
        }
    });
    let (file, words, keys) = made.await.map_err(|_| Fault::Stored("departments.key"))??;

    let ours = JoiningRequest {
        code: theirs.code,
        issued: now,
        kind: InstitutionKind::Department,
        name: theirs.name,
        sealing_key: keys.opening.public(),
        signing_key: keys.signing.public(),
    };
    let request = envelope::write(&ours, b"", &[&keys.signing])?;
    let fields =
        [Field::Name, Field::Amount, Field::Accounts, Field::BalanceDate, Field::Account, Field::Product];
    let agreed = Terms {
        number: terms.number,
        purpose: PURPOSE.parse()?,
        level: terms.level,
        fields: fields.into_iter().filter(|field| field.allowed_at(terms.level)).collect(),
        prfs: vec![PrfName::Blake3],
        valid_from: terms.valid_from,
        valid_to: terms.valid_to,
        approver_keys: Vec::new(),
        compliance_key: None,
        cosigner_key: None,
        page_sha256: None,
    };
    let refused = |_| DispatchError::Rule("dispatch.refused");
    let proposal = agreement_maker::propose(&request, &centre.code, &centre.name, &centre.keys, agreed)
        .map_err(refused)?;
    let signed = agreement_maker::countersign(&proposal, &keys).map_err(refused)?;

    let mut write = store.write().await?;
    let added = agreement::add(&mut write, &signed, Some(centre.keys.signing.public()), clerk, now).await;
    let id = added.map_err(|error| match error {
        AddError::Known => DispatchError::Rule("institution.known"),
        AddError::Fault(fault) => DispatchError::Fault(fault),
        _ => DispatchError::Rule("dispatch.refused"),
    })?;
    if is_new {
        let institution: i64 = sqlx::query_scalar("SELECT institution FROM agreements WHERE id = ?")
            .bind(id)
            .fetch_one(write.connection())
            .await?;
        sqlx::query("INSERT INTO departments (institution, key_sealed, words_sealed) VALUES (?, ?, ?)")
            .bind(institution)
            .bind(write.seal(&KEY, institution, &file)?)
            .bind(write.seal(&WORDS, institution, &words)?)
            .execute(write.connection())
            .await?;
    }
    sqlx::query("INSERT INTO department_terms (agreement, content, signer) VALUES (?, ?, ?)")
        .bind(id)
        .bind(terms.content)
        .bind(theirs.signing_key.as_bytes().as_slice())
        .execute(write.connection())
        .await?;
    write.commit().await?;
    Ok(())
}

/// Matches a department's table against the roster that asks it, and takes the answer in. The table is in memory alone,
/// and gone when this is done. The question counts as put when the file is found to be the department's; one that turns
/// out to be of no use can be followed by another.
///
/// # Errors
/// [`DispatchError`].
pub async fn answer(
    console: &Console,
    roster: &Roster,
    bytes: &[u8],
    clerk: &Clerk,
    job: std::sync::Arc<Job>,
) -> Result<(), DispatchError> {
    let (store, now) = (console.store(), console.now()?);
    let row = sqlx::query(
        "SELECT departments.*, signer FROM rosters JOIN departments ON departments.institution = rosters.institution \
         JOIN department_terms ON department_terms.agreement = rosters.agreement WHERE rosters.id = ?",
    )
    .bind(roster.id)
    .fetch_optional(store.read())
    .await?;
    let row = row.ok_or(DispatchError::Rule("department.not_one"))?;
    let terms = agreement::document(store, roster.agreement).await?;
    let agreed = Document::<Agreement>::read(&terms)?;
    let centre = console.config().centre.as_ref().ok_or(DispatchError::Rule("dispatch.no_centre"))?;

    let table = Document::<BaseData>::read(bytes).map_err(|error| DispatchError::Rule(unreadable(&error)))?;
    let (header, digest) = (&table.header, table.digest);
    let wrong = |what| Err(DispatchError::Rule(what));
    if header.recipient != centre.keys.opening.public() {
        return wrong("base_data.recipient");
    }
    if header.institution != agreed.header.institution.code {
        return wrong("base_data.institution");
    }
    if header.agreement != agreed.digest {
        return wrong("base_data.agreement");
    }
    if table.signers.iter().map(|key| key.as_bytes().as_slice()).ne([row.try_get::<&[u8], _>("signer")?]) {
        return wrong("base_data.signers");
    }
    let day = header.day;
    if day > now.date() || header.created.unix() > now.unix() + 86_400 {
        return wrong("base_data.day");
    }
    let known: Option<i64> = sqlx::query_scalar("SELECT id FROM base_data WHERE roster = ? AND digest = ?")
        .bind(roster.id)
        .bind(digest.as_bytes().as_slice())
        .fetch_optional(store.read())
        .await?;
    if known.is_some() {
        return wrong("base_data.known");
    }
    match roster.state.as_str() {
        "ready" => sending::mark_sent(console, roster, "file", clerk).await?,
        "sent" | "answered" => {}
        _ => return wrong("dispatch.not_now"),
    }

    let institution = row.try_get("institution")?;
    let question = Matching {
        key: store.open_cell(&KEY, institution, &row, "key_sealed")?,
        words: store.open_cell(&WORDS, institution, &row, "words_sealed")?,
        agreement: terms,
        roster: document(store, roster.id).await?,
        entropy: store.random::<32>()?,
        version: roster.answers + 1,
        now: now.unix(),
        day,
    };
    let shared = console.clone();
    let matched = console.with_modules(move |modules| {
        let centre = shared.config().centre.as_ref().ok_or("dispatch.no_centre")?;
        let clear = base_data::open(table, &centre.keys.opening).map_err(|_| "base_data.sealed")?;
        question.ask(modules, &clear, &job)
    });
    let answer =
        matched.await.ok_or(DispatchError::Rule("department.no_modules"))?.map_err(DispatchError::Rule)?;
    answers::take_answer(console, roster, &answer, "file", clerk).await?;

    let mut write = store.write().await?;
    let id = write.next_id("base_data").await?;
    sqlx::query("INSERT INTO base_data (id, roster, digest, day, at, staff) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(id)
        .bind(roster.id)
        .bind(digest.as_bytes().as_slice())
        .bind(day.number())
        .bind(unix(now))
        .bind(clerk.id)
        .execute(write.connection())
        .await?;
    write
        .log(Action("base_data.matched"), &clerk.code, now, Object::Document("base_data", id, digest))
        .await?;
    write.commit().await?;
    Ok(())
}

/// What a roster's department hands over; none for other institutions.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn content_of(store: &Store, roster: i64) -> Result<Option<String>, Fault> {
    Ok(sqlx::query_scalar(
        "SELECT content FROM department_terms JOIN rosters ON rosters.agreement = department_terms.agreement \
         WHERE rosters.id = ?",
    )
    .bind(roster)
    .fetch_optional(store.read())
    .await?)
}

/// The sentence for a file that is none.
fn unreadable(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::WrongType { .. } | DecodeError::NotADocument => "base_data.type",
        DecodeError::Truncated(_) => "base_data.cut",
        DecodeError::Trailing(_) => "base_data.longer",
        DecodeError::TooLarge(_) => "base_data.too_large",
        DecodeError::Body => "base_data.body",
        DecodeError::BadSignature(_) | DecodeError::Signers => "base_data.signers",
        _ => "base_data.header",
    }
}

/// What the matcher is opened with.
struct Matching {
    key: Zeroizing<Vec<u8>>,
    words: Zeroizing<Vec<u8>>,
    agreement: Vec<u8>,
    roster: Vec<u8>,
    entropy: Zeroizing<[u8; 32]>,
    version: i64,
    now: u64,
    day: Date,
}

impl Matching {
    /// The sealed answer to the roster, of the table in `clear`.
    fn ask(&self, modules: &dyn Modules, clear: &[u8], job: &Job) -> Result<Vec<u8>, &'static str> {
        let (mut matcher, module) = modules.matcher().map_err(|_| "department.no_modules")?;
        self.drive(&mut *matcher, &module, modules, clear, job).map_err(|error| refused(&error))
    }

    fn drive(
        &self,
        matcher: &mut dyn Instance,
        module: &Digest,
        modules: &dyn Modules,
        clear: &[u8],
        job: &Job,
    ) -> Result<Vec<u8>, RunError> {
        let table = json!({ "balance_date": self.day.to_string() });
        let options = json!({
            "answer_version": self.version, "last_serial": 0, "module_sha256": module, "now": self.now, "table": table,
        })
        .to_string();
        let open: [&[u8]; 6] =
            [&self.key, &self.words, &self.agreement, &self.roster, &*self.entropy, options.as_bytes()];
        runner::ask_json::<Value>(matcher, runner::request(op::OPEN, &open))?;
        if sheets::begins_as_spreadsheet(clear) {
            let mut reader = modules.reader().map_err(RunError::Stopped)?;
            let length = u64::try_from(clear.len()).unwrap_or(u64::MAX);
            let mut told = |done: u64, of: u64| {
                job.step(usize::try_from(done).unwrap_or(0), usize::try_from(of).unwrap_or(0));
            };
            let tally = &mut Tally::default();
            sheets::read_from(matcher, &mut *reader, &mut &*clear, length, &table, tally, &mut told)?;
        } else {
            let pieces = clear.chunks(CHUNK);
            let of = pieces.len();
            for (done, piece) in pieces.enumerate() {
                job.step(done, of);
                runner::ask(matcher, [&[op::PUSH], piece].concat())?;
            }
        }
        runner::ask_json::<Value>(matcher, vec![op::FINISH])?;
        let mut answer = Vec::new();
        loop {
            let piece = runner::ask(matcher, vec![op::READ])?;
            if piece.is_empty() {
                return Ok(answer);
            }
            answer.extend(piece);
        }
    }
}

/// The sentence of what the modules refuse a table for.
fn refused(error: &RunError) -> &'static str {
    let RunError::Refused(refusal) = error else { return "base_data.stopped" };
    match refusal.code.as_str() {
        "no_id_column" | "empty_file" => "base_data.no_id_column",
        "enumeration" => "base_data.enumeration",
        "spreadsheet_password" => "defect.spreadsheet_password",
        code if code.starts_with("column_") => "base_data.column",
        code if code.starts_with("spreadsheet_") => "base_data.spreadsheet",
        _ => "base_data.table",
    }
}

//! A closed file: authorisations, commission, what was confirmed, reports and objections of one case, bound by a
//! signed list of their digests. Each list names the one before, and stands in the log.

use std::collections::BTreeMap;

use desk::papers::{self, Archive as Header, Listed};
use protocol::envelope::{self, Head};
use protocol::value::Date;
use protocol::{Digest, Time};
use serde_json::{Value, json};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use zeroize::Zeroizing;

use super::ArchiveError;
use super::retention::{Keep, Rules, kind_of};
use crate::cases::authorisation::SIGNER;
use crate::cases::case::{self, Case, State};
use crate::cases::{person, scan};
use crate::console::Console;
use crate::report::{issue, objection};
use crate::review;
use crate::staff::Clerk;
use crate::store::list::{Filter, List, Page};
use crate::store::{Action, Column, Columns as _, Fault, Object, Store, Write, log, unix};

pub(crate) const DOCUMENT: Column<Zeroizing<Vec<u8>>> = Column::new("archives.document");
pub(crate) const OWN: Column<Zeroizing<Vec<u8>>> = Column::new("archive_files.own");

/// A closed file as lists show it.
#[derive(Debug, Clone)]
pub struct Archive {
    /// The row.
    pub id: i64,
    /// The file's number.
    pub number: String,
    /// From 1.
    pub version: i64,
    /// The case.
    pub case: i64,
    /// The case's number, or its commission's where it never had one.
    pub case_number: String,
    /// The township.
    pub office: String,
    /// `approval` or `daily`.
    pub kind: String,
    /// Document digest of the list.
    pub digest: Digest,
    /// How many papers.
    pub files: i64,
    /// When it was closed.
    pub made: Time,
    /// Whose account.
    pub made_by: String,
    /// When it was destroyed.
    pub destroyed: Option<Time>,
    /// The household's last day of assistance.
    pub ended: Option<Date>,
    /// Whether another version took its place.
    pub superseded: bool,
}

const SELECT: &str = "SELECT archives.*, coalesce(cases.number, cases.commission) AS case_number, cases.office, \
    staff.code AS staff_code, households.assistance_ended, EXISTS (SELECT 1 FROM archives AS later \
    WHERE later.number = archives.number AND later.version > archives.version) AS superseded \
    FROM archives JOIN cases ON cases.id = archives.case_id JOIN households ON households.id = cases.household \
    JOIN staff ON staff.id = made_by";

impl Archive {
    fn from_row(row: &SqliteRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.try_get("id")?,
            number: row.try_get("number")?,
            version: row.try_get("version")?,
            case: row.try_get("case_id")?,
            case_number: row.try_get("case_number")?,
            office: row.try_get("office")?,
            kind: row.try_get("kind")?,
            digest: row.digest("digest")?,
            files: row.try_get("files")?,
            made: row.time("made")?,
            made_by: row.try_get("staff_code")?,
            destroyed: row.optional_time("destroyed")?,
            ended: row.optional_day("assistance_ended")?,
            superseded: row.try_get("superseded")?,
        })
    }

    /// Until when it is kept.
    pub fn keep(&self, rules: Rules) -> Keep {
        rules.keep(&self.kind, self.made.date(), self.ended)
    }

    /// The name of its folder: `da2026-000001-1`.
    pub fn folder(&self) -> String {
        format!("{}-{}", self.number.to_lowercase(), self.version)
    }
}

/// A paper that goes into a file.
struct Paper {
    name: String,
    source: &'static str,
    row: Option<i64>,
    /// What it is, for the index.
    title: String,
    bytes: Zeroizing<Vec<u8>>,
}

/// Closes the file of a case whose report is issued, or that was ended without one.
///
/// # Errors
/// [`ArchiveError`]; then nothing has changed.
pub async fn close(console: &Console, case: i64, clerk: &Clerk) -> Result<i64, ArchiveError> {
    let (store, now) = (console.store(), console.now()?);
    let centre = console.config().centre.as_ref().ok_or(ArchiveError::Rule("dispatch.no_centre"))?;
    let mut write = store.write().await?;
    let case = case::find_in(&mut write, case).await?.ok_or(ArchiveError::Rule("refused.not_found"))?;
    let known =
        sqlx::query("SELECT number, version FROM archives WHERE case_id = ? ORDER BY version DESC LIMIT 1")
            .bind(case.id)
            .fetch_optional(write.connection())
            .await?;
    let ended = case.state == State::Terminated && known.is_none();
    if !ended && !case::advance(&mut write, &case, &[State::Issued], State::Archived).await? {
        return Err(ArchiveError::Rule("archive.not_now"));
    }
    case::note(&mut write, case.id, Action("case.archived"), None, clerk, now).await?;
    let (number, version) = match &known {
        Some(row) => (row.try_get("number")?, row.try_get::<i64, _>("version")? + 1),
        None => {
            let year = now.date().number() / 10_000;
            let running = write.next_id(&format!("archive-number-{year}")).await?;
            (format!("DA{year}-{running:06}"), 1)
        }
    };
    let mut papers = gather(store, &case).await?;
    papers.push(index(&papers, &number));
    papers.sort_by(|a, b| a.name.cmp(&b.name));
    let listed: Vec<Listed> = papers
        .iter()
        .map(|paper| Listed { sha256: Digest::of(&paper.bytes), name: paper.name.clone() })
        .collect();
    let body = papers::sums(&listed);
    let last = sqlx::query("SELECT sequence, digest FROM archives ORDER BY sequence DESC LIMIT 1")
        .fetch_optional(write.connection())
        .await?;
    let (sequence, previous) = match &last {
        Some(row) => (row.try_get::<i64, _>("sequence")? + 1, Some(row.digest("digest")?)),
        None => (1, None),
    };
    let head = sqlx::query("SELECT sequence, digest FROM log ORDER BY sequence DESC LIMIT 1")
        .fetch_one(write.connection())
        .await?;
    let positive = |n: i64| u64::try_from(n).map_err(|_| Fault::Stored("archives"));
    let header = Header {
        body_bytes: u64::try_from(body.len()).unwrap_or(u64::MAX),
        body_sha256: Digest::of(body.as_bytes()),
        case: case.number.clone().unwrap_or_else(|| case.commission.clone()).parse()?,
        centre: issue::issuer(centre),
        files: u64::try_from(listed.len()).unwrap_or(u64::MAX),
        log_head: head.digest("digest")?,
        log_position: positive(head.try_get("sequence")?)?,
        made: now,
        number: number.parse()?,
        previous,
        sequence: positive(sequence)?,
        version: positive(version)?,
    };
    let document = Zeroizing::new(envelope::write(&header, body.as_bytes(), &[&centre.keys.signing])?);
    let digest = Digest::of(&Head::parse(&document)?.pae());
    let id = write.next_id("archives").await?;
    sqlx::query(
        "INSERT INTO archives (id, sequence, number, version, case_id, kind, digest, files, made, made_by, \
         document_sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(sequence)
    .bind(&number)
    .bind(version)
    .bind(case.id)
    .bind(kind_of(&case.task))
    .bind(digest.as_bytes().as_slice())
    .bind(i64::try_from(listed.len()).unwrap_or(i64::MAX))
    .bind(unix(now))
    .bind(clerk.id)
    .bind(write.seal(&DOCUMENT, id, &document)?)
    .execute(write.connection())
    .await?;
    for paper in &papers {
        keep(&mut write, id, paper).await?;
    }
    let place = write
        .log(Action("archive.closed"), &clerk.code, now, Object::Document("archive", id, digest))
        .await?;
    log::checkpoint(&mut write, place, now, &centre.keys.signing).await?;
    write.commit().await?;
    Ok(id)
}

async fn keep(write: &mut Write, archive: i64, paper: &Paper) -> Result<(), Fault> {
    let id = write.next_id("archive_files").await?;
    let sealed = (paper.source == "own").then(|| write.seal(&OWN, id, &paper.bytes)).transpose()?;
    sqlx::query(
        "INSERT INTO archive_files (id, archive, name, source, row, sealed) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(archive)
    .bind(&paper.name)
    .bind(paper.source)
    .bind(paper.row)
    .bind(sealed)
    .execute(write.connection())
    .await?;
    Ok(())
}

async fn gather(store: &Store, case: &Case) -> Result<Vec<Paper>, Fault> {
    let mut papers = Vec::new();
    let members = case::members(store, case.id).await?;
    let mut listed = Vec::new();
    for (at, member) in (1..).zip(&members) {
        let who = person::open(store, member.person).await?.ok_or(Fault::Stored("people"))?;
        let numbers: Vec<&str> = who.numbers.iter().map(|stored| stored.number.as_str()).collect();
        listed.push(json!({
            "authorisation": member.authorisation.as_ref().map(|one| &one.number),
            "name": who.name,
            "numbers": numbers,
            "relation": member.relation,
            "ring": member.ring,
        }));
        let Some(one) = &member.authorisation else { continue };
        let row = sqlx::query("SELECT signer_sealed FROM authorisations WHERE id = ?")
            .bind(one.id)
            .fetch_one(store.read())
            .await?;
        let signer: String = store.open_cell(&SIGNER, one.id, &row, "signer_sealed")?;
        let paper = json!({
            "ended": one.end_code,
            "form": one.form,
            "kinds": one.kinds,
            "level": one.level,
            "name": who.name,
            "number": one.number,
            "signed": one.signed.to_string(),
            "signer": signer,
            "until": one.until.map(|day| day.to_string()),
        });
        papers.push(own(&format!("authorisation-{at}.json"), "授权书登记", &paper)?);
        scans(store, &mut papers, "authorisation", one.id, &format!("authorisation-{at}"), "授权书扫描件")
            .await?;
    }
    let commission = json!({
        "as_of": case.as_of.to_string(),
        "case": case.number,
        "class": case.class,
        "commission": case.commission,
        "household": case.household_number,
        "income": case.income.map(|(from, to)| [from.to_string(), to.to_string()]),
        "members": listed,
        "office": case.office,
        "received": case.received.to_string(),
        "task": case.task,
    });
    papers.push(own("commission.json", "委托书登记", &commission)?);
    scans(store, &mut papers, "commission", case.id, "commission", "委托书扫描件").await?;
    confirmations(store, &mut papers, case.id).await?;
    for report in issue::of_case(store, case.id).await? {
        let name = report.file_name();
        let pdf = issue::pdf(store, report.id).await?;
        let copy = issue::document(store, report.id).await?;
        let (Some(pdf), Some(copy)) = (pdf, copy) else { continue };
        let facts = issue::facts(store, report.id).await?.ok_or(Fault::Stored("reports"))?;
        let title = if report.kind == "suspension" { "中止报告" } else { "核对报告" };
        papers.push(kept(&format!("{name}.pdf"), "paper", report.id, title, pdf));
        papers.push(kept(&format!("{name}.report.hedui"), "copy", report.id, "签名副本", copy));
        let value = serde_json::to_value(&facts).map_err(|_| Fault::Stored("reports"))?;
        papers.push(own(&format!("{name}.json"), "报告内容", &value)?);
    }
    for (at, one) in (1..).zip(objection::of_case(store, case.id).await?) {
        let paper = json!({
            "due": one.due.to_string(),
            "ground": one.ground,
            "number": one.number,
            "outcome": one.outcome,
            "received": one.received.to_string(),
            "state": one.state,
        });
        papers.push(own(&format!("objection-{at}.json"), "异议登记", &paper)?);
        scans(store, &mut papers, "objection", one.id, &format!("objection-{at}"), "异议证据").await?;
    }
    let events: Vec<Value> = case::events(store, case.id)
        .await?
        .into_iter()
        .map(|event| json!({ "action": event.action, "at": event.at.to_string(), "note": event.note, "staff": event.staff }))
        .collect();
    papers.push(own("history.json", "办理经过", &Value::from(events))?);
    let log: Vec<Value> = log::about(store, "case", case.id)
        .await?
        .into_iter()
        .map(|shown| serde_json::to_value(&shown.entry).map_err(|_| Fault::Stored("log")))
        .collect::<Result<_, _>>()?;
    papers.push(own("log.json", "日志摘录", &Value::from(log))?);
    Ok(papers)
}

/// What second persons confirmed, with the evidence of what the rules left out of account.
async fn confirmations(store: &Store, papers: &mut Vec<Paper>, case: i64) -> Result<(), Fault> {
    let reviews: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM reviews WHERE case_id = ? AND outcome = 'confirmed' ORDER BY id")
            .bind(case)
            .fetch_all(store.read())
            .await?;
    for (at, review) in (1..).zip(reviews) {
        let Some(confirmed) = review::verdict::of_review(store, review).await? else { continue };
        let value = json!({
            "at": confirmed.at.to_string(),
            "by": confirmed.by.code.as_str(),
            "findings": serde_json::to_value(&confirmed.findings).map_err(|_| Fault::Stored("reviews"))?,
            "flags": serde_json::to_value(&confirmed.flags).map_err(|_| Fault::Stored("reviews"))?,
            "rules": serde_json::to_value(&confirmed.rules).map_err(|_| Fault::Stored("reviews"))?,
        });
        papers.push(own(&format!("review-{at}.json"), "复核确认", &value)?);
    }
    let exclusions: Vec<i64> = sqlx::query_scalar("SELECT id FROM exclusions WHERE case_id = ? ORDER BY id")
        .bind(case)
        .fetch_all(store.read())
        .await?;
    for (at, exclusion) in (1..).zip(exclusions) {
        scans(store, papers, "evidence", exclusion, &format!("evidence-{at}"), "扣除证据").await?;
    }
    Ok(())
}

async fn scans(
    store: &Store,
    papers: &mut Vec<Paper>,
    kind: &str,
    owner: i64,
    name: &str,
    title: &str,
) -> Result<(), Fault> {
    for (at, one) in (1..).zip(scan::of(store, kind, owner).await?) {
        let ending = match one.media.as_str() {
            "application/pdf" => "pdf",
            "image/jpeg" => "jpg",
            _ => "png",
        };
        let bytes = scan::bytes(store, one.id).await?.ok_or(Fault::Stored("scans"))?;
        papers.push(kept(&format!("{name}-{at}.{ending}"), "scan", one.id, title, bytes));
    }
    Ok(())
}

fn own(name: &str, title: &str, value: &Value) -> Result<Paper, Fault> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|_| Fault::Stored("archives"))?;
    Ok(Paper {
        name: name.to_owned(),
        source: "own",
        row: None,
        title: title.to_owned(),
        bytes: Zeroizing::new(bytes),
    })
}

fn kept(name: &str, source: &'static str, row: i64, title: &str, bytes: Zeroizing<Vec<u8>>) -> Paper {
    Paper { name: name.to_owned(), source, row: Some(row), title: title.to_owned(), bytes }
}

/// 卷内目录, for a spreadsheet: every cell quoted, none that could be taken for a formula.
fn index(papers: &[Paper], number: &str) -> Paper {
    let mut text = String::from("\u{FEFF}档号,文件,题名,字节,摘要\r\n");
    for paper in papers {
        let cells = [
            number.to_owned(),
            paper.name.clone(),
            paper.title.clone(),
            paper.bytes.len().to_string(),
            Digest::of(&paper.bytes).to_string(),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| desk::csv_text(cell)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    Paper {
        name: "index.csv".to_owned(),
        source: "own",
        row: None,
        title: "卷内目录".to_owned(),
        bytes: Zeroizing::new(text.into_bytes()),
    }
}

/// The list of closed files. Its states are `kept` and `destroyed`.
const LIST: List = List {
    select: SELECT,
    from: "FROM archives JOIN cases ON cases.id = archives.case_id",
    wanted: "WHERE (?1 = '' OR (?1 = 'destroyed' AND destroyed IS NOT NULL) OR (?1 = 'kept' AND destroyed IS NULL)) \
        AND (?2 = '' OR cases.office = ?2) \
        AND (?3 = '' OR archives.number LIKE ?3 || '%' OR cases.number LIKE ?3 || '%')",
};

/// A page of the list of closed files, and how many there are in all.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn list(
    store: &Store,
    filter: &Filter,
    page: &Page,
    today: Date,
) -> Result<(Vec<Archive>, i64), Fault> {
    let (rows, total) = LIST.read(store, filter, [today; 2], page).await?;
    Ok((rows.iter().map(Archive::from_row).collect::<Result<_, _>>()?, total))
}

/// One closed file.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn find(store: &Store, id: i64) -> Result<Option<Archive>, Fault> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE archives.id = ?")))
        .bind(id)
        .fetch_optional(store.read())
        .await?;
    row.as_ref().map(Archive::from_row).transpose()
}

/// The files whose last version is still kept, for whoever looks which are over.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn kept_ones(store: &Store) -> Result<Vec<Archive>, Fault> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{SELECT} WHERE destroyed IS NULL AND NOT superseded ORDER BY archives.id"
    )))
    .fetch_all(store.read())
    .await?;
    rows.iter().map(Archive::from_row).collect()
}

/// Names of the papers in a file.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn names(store: &Store, id: i64) -> Result<Vec<String>, Fault> {
    Ok(sqlx::query_scalar("SELECT name FROM archive_files WHERE archive = ? ORDER BY name")
        .bind(id)
        .fetch_all(store.read())
        .await?)
}

/// The papers of a file with their names, and its signed list; each paper is what the list says it is.
///
/// # Errors
/// [`ArchiveError::Rule`] when it was destroyed, or a paper is not what was closed.
pub async fn open(store: &Store, id: i64) -> Result<Opened, ArchiveError> {
    let sealed: Option<Option<Vec<u8>>> =
        sqlx::query_scalar("SELECT document_sealed FROM archives WHERE id = ?")
            .bind(id)
            .fetch_optional(store.read())
            .await?;
    let sealed = sealed.ok_or(ArchiveError::Rule("refused.not_found"))?;
    let sealed = sealed.ok_or(ArchiveError::Rule("report.is_destroyed"))?;
    let document = store.vault().open(&DOCUMENT, id, &sealed)?;
    let read = protocol::Document::<Header>::read(&document)?;
    let body = String::from_utf8(read.body).map_err(|_| Fault::Stored("archives"))?;
    let listed = papers::read_sums(&body).ok_or(Fault::Stored("archives"))?;
    let rows = sqlx::query("SELECT * FROM archive_files WHERE archive = ? ORDER BY name")
        .bind(id)
        .fetch_all(store.read())
        .await?;
    let mut papers = BTreeMap::new();
    for row in &rows {
        let name: String = row.try_get("name")?;
        let source: String = row.try_get("source")?;
        let of_row = row.try_get::<Option<i64>, _>("row")?.unwrap_or_default();
        let bytes = match source.as_str() {
            "scan" => scan::bytes(store, of_row).await?,
            "paper" => issue::pdf(store, of_row).await?,
            "copy" => issue::document(store, of_row).await?,
            _ => Some(store.open_cell(&OWN, row.try_get("id")?, row, "sealed")?),
        };
        papers.insert(name, bytes.ok_or(ArchiveError::Rule("archive.damaged"))?);
    }
    let good = |file: &Listed| papers.get(&file.name).is_some_and(|bytes| Digest::of(bytes) == file.sha256);
    if listed.len() != papers.len() || !listed.iter().all(good) {
        return Err(ArchiveError::Rule("archive.damaged"));
    }
    Ok(Opened { document, sums: body, papers })
}

/// A file's papers in clear.
pub struct Opened {
    /// The signed list.
    pub document: Zeroizing<Vec<u8>>,
    /// Its body, as `sha256sum -c` reads it.
    pub sums: String,
    /// The papers by name.
    pub papers: BTreeMap<String, Zeroizing<Vec<u8>>>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({} papers)", self.papers.len())
    }
}

//! Issuing: by the head, with a number that leaves no hole, as paper and as a signed copy, in one transaction.

use desk::papers::{Issuer, Report as Header, ReportKind};
use protocol::envelope::{self, Head};
use protocol::value::Date;
use protocol::{Digest, Time};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use zeroize::Zeroizing;

use super::facts::Facts;
use super::font::Fonts;
use super::{ReportError, gather, objection, paper};
use crate::cases::case::{self, Case, State};
use crate::console::{Centre, Console};
use crate::recheck;
use crate::staff::Clerk;
use crate::store::list::{Filter, List, Page};
use crate::store::{Action, Column, Columns as _, Fault, Object, Store, Write, log, unix};

pub(crate) const PDF: Column<Zeroizing<Vec<u8>>> = Column::new("reports.pdf");
pub(crate) const DOCUMENT: Column<Zeroizing<Vec<u8>>> = Column::new("reports.document");

/// A report without paper and copy.
#[derive(Debug, Clone)]
pub struct Report {
    /// The row.
    pub id: i64,
    /// Its versions share it.
    pub number: String,
    /// From 1.
    pub version: i64,
    /// `report` or `suspension`.
    pub kind: String,
    /// The case's row.
    pub case: i64,
    /// The case's number.
    pub case_number: String,
    /// The township.
    pub office: String,
    /// When.
    pub issued: Time,
    /// Whose account.
    pub issued_by: String,
    /// Document digest of the signed copy.
    pub digest: Digest,
    /// Digest of the paper.
    pub pdf_sha256: Digest,
    /// Whether another version took its place.
    pub superseded: bool,
    /// Whether paper and copy were destroyed.
    pub destroyed: bool,
}

const SELECT: &str = "SELECT reports.id, reports.number, version, kind, reports.case_id, issued, digest, pdf_sha256, \
    pdf_sealed IS NULL AS destroyed, cases.number AS case_number, cases.office, staff.code AS staff_code, \
    EXISTS (SELECT 1 FROM reports AS later WHERE later.number = reports.number AND later.version > reports.version) \
    AS superseded FROM reports JOIN cases ON cases.id = reports.case_id JOIN staff ON staff.id = issued_by";

impl Report {
    fn from_row(row: &SqliteRow) -> Result<Self, Fault> {
        Ok(Self {
            id: row.try_get("id")?,
            number: row.try_get("number")?,
            version: row.try_get("version")?,
            kind: row.try_get("kind")?,
            case: row.try_get("case_id")?,
            case_number: row.try_get("case_number")?,
            office: row.try_get("office")?,
            issued: row.time("issued")?,
            issued_by: row.try_get("staff_code")?,
            digest: row.digest("digest")?,
            pdf_sha256: row.digest("pdf_sha256")?,
            superseded: row.try_get("superseded")?,
            destroyed: row.try_get("destroyed")?,
        })
    }

    /// The name of its files, without suffix: `bg2026-000001-1`.
    pub fn file_name(&self) -> String {
        format!("{}-{}", self.number.to_lowercase(), self.version)
    }
}

/// Issues the report of a case that a second person has confirmed: its first, or the version that answers an
/// objection.
///
/// # Errors
/// [`ReportError`]; then nothing has changed, and no number is spent.
pub async fn issue(console: &Console, case: i64, clerk: &Clerk) -> Result<i64, ReportError> {
    let (store, now) = (console.store(), console.now()?);
    let fonts = fonts()?;
    // Nobody else writes from here on, so what is read now is what is issued.
    let mut write = store.write().await?;
    let case = case::find_in(&mut write, case).await?.ok_or(ReportError::Rule("refused.not_found"))?;
    let (mut facts, confirmed) = gather::report(console, &case).await?;
    own_work(&mut write, case.id, clerk).await?;
    let before = sqlx::query(
        "SELECT id, number, version, digest FROM reports WHERE case_id = ? AND kind = 'report' \
         ORDER BY version DESC LIMIT 1",
    )
    .bind(case.id)
    .fetch_optional(write.connection())
    .await?;
    let answers = objection::open_one(&mut write, case.id).await?;
    let supersedes = match (&before, answers) {
        (None, _) => None,
        // Without an objection a report stands as it is.
        (Some(_), None) => return Err(ReportError::Rule("report.issued_already")),
        (Some(row), Some(_)) => Some(row.digest("digest")?),
    };
    (facts.number, facts.version) = match &before {
        Some(row) => (row.try_get("number")?, row.try_get::<i64, _>("version")? + 1),
        None => (next_number(&mut write, "BG", now).await?, 1),
    };
    let kept = Kept { case: &case, review: Some(confirmed.review), objection: answers, supersedes };
    let id = keep(console, &mut write, facts, fonts, &kept, clerk, now).await?;
    case::advance(&mut write, &case, &[State::Reviewed], State::Issued).await?;
    case::note(&mut write, case.id, Action("report.issued"), None, clerk, now).await?;
    if let Some(objection) = answers {
        objection::answered(&mut write, objection, clerk, now).await?;
    }
    recheck::schedule(&mut write, case.household, now.date()).await?;
    write.commit().await?;
    Ok(id)
}

/// Issues the suspension report of a suspended case: one for each suspension.
///
/// # Errors
/// [`ReportError`]; then nothing has changed.
pub async fn issue_suspension(console: &Console, case: i64, clerk: &Clerk) -> Result<i64, ReportError> {
    let (store, now) = (console.store(), console.now()?);
    let fonts = fonts()?;
    let mut write = store.write().await?;
    let case = case::find_in(&mut write, case).await?.ok_or(ReportError::Rule("refused.not_found"))?;
    let mut facts = gather::suspension(console, &case).await?;
    own_work(&mut write, case.id, clerk).await?;
    let since: Option<i64> = sqlx::query_scalar(
        "SELECT max(events.id) FROM events WHERE case_id = ?1 AND action = 'case.suspended' AND NOT EXISTS \
         (SELECT 1 FROM events AS said WHERE said.case_id = ?1 AND said.action = 'report.suspension-issued' \
         AND said.id > events.id)",
    )
    .bind(case.id)
    .fetch_one(write.connection())
    .await?;
    if since.is_none() {
        return Err(ReportError::Rule("report.issued_already"));
    }
    (facts.number, facts.version) = (next_number(&mut write, "ZZ", now).await?, 1);
    let kept = Kept { case: &case, review: None, objection: None, supersedes: None };
    let id = keep(console, &mut write, facts, fonts, &kept, clerk, now).await?;
    case::note(&mut write, case.id, Action("report.suspension-issued"), None, clerk, now).await?;
    write.commit().await?;
    Ok(id)
}

/// What a report stands on.
struct Kept<'a> {
    case: &'a Case,
    review: Option<i64>,
    objection: Option<i64>,
    supersedes: Option<Digest>,
}

async fn keep(
    console: &Console,
    write: &mut Write,
    mut facts: Facts,
    fonts: Fonts,
    kept: &Kept<'_>,
    clerk: &Clerk,
    now: Time,
) -> Result<i64, ReportError> {
    let centre = console.config().centre.as_ref().ok_or(ReportError::Rule("dispatch.no_centre"))?;
    facts.hands.issued = clerk.code.to_string();
    let drawn = facts.clone();
    let pdf = tokio::task::spawn_blocking(move || paper::draw(&drawn, fonts, now));
    let pdf = pdf.await.map_err(|_| Fault::Stored("paper"))?.map_err(|_| Fault::Stored("paper"))?;
    let pdf = Zeroizing::new(pdf);
    let document = sign(&facts, &pdf, kept.supersedes, centre, now)?;
    let digest = Digest::of(&Head::parse(&document)?.pae());
    let id = write.next_id("reports").await?;
    sqlx::query(
        "INSERT INTO reports (id, number, version, kind, case_id, review, objection, digest, pdf_sha256, issued, \
         issued_by, pdf_sealed, document_sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(&facts.number)
    .bind(facts.version)
    .bind(&facts.kind)
    .bind(kept.case.id)
    .bind(kept.review)
    .bind(kept.objection)
    .bind(digest.as_bytes().as_slice())
    .bind(Digest::of(&pdf).as_bytes().as_slice())
    .bind(unix(now))
    .bind(clerk.id)
    .bind(write.seal(&PDF, id, &pdf)?)
    .bind(write.seal(&DOCUMENT, id, &document)?)
    .execute(write.connection())
    .await?;
    let place =
        write.log(Action("report.issued"), &clerk.code, now, Object::Document("report", id, digest)).await?;
    log::checkpoint(write, place, now, &centre.keys.signing).await?;
    Ok(id)
}

fn sign(
    facts: &Facts,
    pdf: &[u8],
    supersedes: Option<Digest>,
    centre: &Centre,
    now: Time,
) -> Result<Zeroizing<Vec<u8>>, ReportError> {
    let body = facts.to_json()?;
    let header = Header {
        body_bytes: u64::try_from(body.len()).unwrap_or(u64::MAX),
        body_sha256: Digest::of(&body),
        case: facts.case.parse()?,
        centre: issuer(centre),
        issued: now,
        kind: if facts.kind == "suspension" { ReportKind::Suspension } else { ReportKind::Report },
        number: facts.number.parse()?,
        pdf_sha256: Digest::of(pdf),
        supersedes,
        version: u64::try_from(facts.version).unwrap_or(0),
    };
    Ok(Zeroizing::new(envelope::write(&header, &body, &[&centre.keys.signing])?))
}

/// The centre as what it signs names it.
pub(crate) fn issuer(centre: &Centre) -> Issuer {
    Issuer { code: centre.code.clone(), name: centre.name.clone(), signing_key: centre.keys.signing.public() }
}

/// The next number of a year. It is taken in the transaction that uses it: one that fails spends none.
async fn next_number(write: &mut Write, word: &str, now: Time) -> Result<String, Fault> {
    let year = now.date().number() / 10_000;
    let running = write.next_id(&format!("report-number-{word}-{year}")).await?;
    Ok(format!("{word}{year}-{running:06}"))
}

pub(crate) fn fonts() -> Result<Fonts, ReportError> {
    Fonts::of_this_machine().map_err(|_| ReportError::Rule("report.no_fonts"))
}

/// Refuses whoever entered, accepted, dispatched, suspended or confirmed anything of the case, under whatever
/// account.
async fn own_work(write: &mut Write, case: i64, clerk: &Clerk) -> Result<(), ReportError> {
    let hands: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT DISTINCT person_index FROM staff WHERE id IN (\
         SELECT entered_by FROM cases WHERE id = ?1 UNION SELECT accepted_by FROM cases WHERE id = ?1 \
         UNION SELECT staff FROM events WHERE case_id = ?1 AND action NOT LIKE 'report.%' \
         UNION SELECT authorisations.entered_by FROM members JOIN authorisations \
         ON authorisations.id = members.authorisation WHERE case_id = ?1 \
         UNION SELECT entered_by FROM declarations WHERE case_id = ?1 \
         UNION SELECT entered_by FROM exclusions WHERE case_id = ?1 \
         UNION SELECT made_by FROM rosters WHERE id IN (SELECT roster FROM roster_people WHERE case_id = ?1) \
         UNION SELECT staff FROM reviews WHERE case_id = ?1 \
         UNION SELECT entered_by FROM objections WHERE case_id = ?1)",
    )
    .bind(case)
    .fetch_all(write.connection())
    .await?;
    if hands.iter().any(|hand| clerk.same_person(hand)) {
        return Err(ReportError::Rule("report.own_work"));
    }
    Ok(())
}

/// The list of reports. Its states are `report`, `suspension` and `superseded`.
const LIST: List = List {
    select: SELECT,
    from: "FROM reports JOIN cases ON cases.id = reports.case_id",
    wanted: "WHERE (?1 = '' OR kind = ?1 OR (?1 = 'superseded' AND EXISTS (SELECT 1 FROM reports AS later \
        WHERE later.number = reports.number AND later.version > reports.version))) \
        AND (?2 = '' OR cases.office = ?2) \
        AND (?3 = '' OR reports.number LIKE ?3 || '%' OR cases.number LIKE ?3 || '%')",
};

/// A page of the list of reports, and how many there are in all.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn list(
    store: &Store,
    filter: &Filter,
    page: &Page,
    today: Date,
) -> Result<(Vec<Report>, i64), Fault> {
    let (rows, total) = LIST.read(store, filter, [today; 2], page).await?;
    Ok((rows.iter().map(Report::from_row).collect::<Result<_, _>>()?, total))
}

/// The reports of a case, oldest first.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn of_case(store: &Store, case: i64) -> Result<Vec<Report>, Fault> {
    let rows =
        sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE reports.case_id = ? ORDER BY reports.id")))
            .bind(case)
            .fetch_all(store.read())
            .await?;
    rows.iter().map(Report::from_row).collect()
}

/// One report.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn find(store: &Store, id: i64) -> Result<Option<Report>, Fault> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE reports.id = ?")))
        .bind(id)
        .fetch_optional(store.read())
        .await?;
    row.as_ref().map(Report::from_row).transpose()
}

/// What a report says, from its signed copy; `None` after it was destroyed.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn facts(store: &Store, id: i64) -> Result<Option<Facts>, Fault> {
    let Some(document) = document(store, id).await? else { return Ok(None) };
    let read = protocol::Document::<Header>::read(&document)?;
    let body = Zeroizing::new(read.body);
    Facts::from_json(&body).map(Some)
}

/// The signed copy.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn document(store: &Store, id: i64) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
    sealed(store, id, "SELECT document_sealed FROM reports WHERE id = ?", &DOCUMENT).await
}

/// The paper.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn pdf(store: &Store, id: i64) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
    sealed(store, id, "SELECT pdf_sealed FROM reports WHERE id = ?", &PDF).await
}

async fn sealed(
    store: &Store,
    id: i64,
    what: &'static str,
    column: &Column<Zeroizing<Vec<u8>>>,
) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
    let found: Option<Option<Vec<u8>>> =
        sqlx::query_scalar(what).bind(id).fetch_optional(store.read()).await?;
    found.flatten().map(|sealed| store.vault().open(column, id, &sealed)).transpose()
}

/// Notes that somebody took a report's paper or copy in clear.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn note_shown(store: &Store, id: i64, clerk: &Clerk, now: Time) -> Result<(), Fault> {
    let mut write = store.write().await?;
    write.log(Action("report.shown"), &clerk.code, now, Object::Row("report", id)).await?;
    write.commit().await
}

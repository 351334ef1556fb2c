//! "Who asked about me": for one person, every question to an institution, every report and every look at the
//! full name or a paper, as a sheet to take along (个人信息保护法 art. 45).

use protocol::Time;

use super::font::Fonts;
use super::sheet::{Column, Sheet, SheetError};
use crate::cases::person::Person;
use crate::dispatch::roster::{self, Question};
use crate::edge::local_minute;
use crate::store::{Fault, Store, log};
use crate::words::Words;

const T: Words = Words::Chinese;

/// All that was asked and seen of a person.
#[derive(Debug)]
pub struct Asked {
    /// Questions to institutions, the newest first.
    pub questions: Vec<Question>,
    /// Reports that name the person: number, version, when.
    pub reports: Vec<(String, i64, Time)>,
    /// Looks: when, whose account, what (`action.…`), and at what.
    pub looks: Vec<(Time, String, String, String)>,
}

impl Asked {
    /// Reads it.
    ///
    /// # Errors
    /// [`Fault`] of the database.
    pub async fn read(store: &Store, person: i64) -> Result<Self, Fault> {
        let rows: Vec<(i64, String, i64, i64)> = sqlx::query_as(
            "SELECT reports.id, reports.number, version, issued FROM reports JOIN members \
             ON members.case_id = reports.case_id WHERE person = ? ORDER BY reports.id DESC",
        )
        .bind(person)
        .fetch_all(store.read())
        .await?;
        let archives: Vec<(i64, String)> = sqlx::query_as(
            "SELECT archives.id, archives.number FROM archives JOIN members ON members.case_id = archives.case_id \
             WHERE person = ? ORDER BY archives.id",
        )
        .bind(person)
        .fetch_all(store.read())
        .await?;
        let scans: Vec<(i64, String)> = sqlx::query_as(
            "SELECT scans.id, authorisations.number FROM scans JOIN authorisations ON authorisations.id = scans.owner \
             WHERE scans.kind = 'authorisation' AND person = ? ORDER BY scans.id",
        )
        .bind(person)
        .fetch_all(store.read())
        .await?;
        let mut looks = Vec::new();
        let mut look = async |kind: &str, row: i64, action: &str, what: &str| {
            for shown in log::about(store, kind, row).await? {
                if shown.entry.action.as_str() == action {
                    let (at, actor) = (shown.entry.at, shown.entry.actor.to_string());
                    looks.push((at, actor, action.to_owned(), what.to_owned()));
                }
            }
            Ok::<_, Fault>(())
        };
        look("person", person, "person.shown", "").await?;
        look("person", person, "findings.shown", "").await?;
        for (id, form) in scans {
            look("scan", id, "scan.shown", &form).await?;
        }
        let mut reports = Vec::new();
        for (id, number, version, issued) in rows {
            look("report", id, "report.shown", &number).await?;
            let at = u64::try_from(issued).ok().and_then(Time::from_unix);
            reports.push((number, version, at.ok_or(Fault::Stored("reports"))?));
        }
        for (id, number) in archives {
            look("archive", id, "archive.exported", &number).await?;
        }
        looks.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        Ok(Self { questions: roster::about(store, person).await?, reports, looks })
    }
}

/// Draws the sheet.
///
/// # Errors
/// [`SheetError`].
pub fn draw(
    person: &Person,
    asked: &Asked,
    centre: &str,
    fonts: Fonts,
    made: Time,
) -> Result<Vec<u8>, SheetError> {
    let mut sheet = Sheet::new(fonts);
    sheet.title(T.t("asked.title"));
    sheet.subtitle(&T.fill("asked.as_of", &[("at", &local_minute(made))]));
    let number = person.numbers.first().map(|stored| stored.number.clone()).unwrap_or_default();
    sheet.facts(&[(T.t("column.name"), person.name.clone()), (T.t("column.number"), number)]);
    sheet.heading(T.t("asked.questions"));
    if asked.questions.is_empty() {
        sheet.paragraph(T.t("people.never"));
    } else {
        let columns = [
            Column::text(T.t("log.time"), 1.3),
            Column::text(T.t("institution.one"), 2.0),
            Column::text(T.t("column.level"), 1.0),
            Column::text(T.t("column.authorisation"), 2.3),
            Column::text(T.t("case.number"), 1.5),
        ];
        let row = |one: &Question| {
            vec![
                one.issued.date().to_string(),
                one.institution.clone(),
                T.of("level", &one.level).to_owned(),
                one.authorisation.clone(),
                one.case.clone().unwrap_or_default(),
            ]
        };
        sheet.table(&columns, &asked.questions.iter().map(row).collect::<Vec<_>>());
    }
    sheet.heading(T.t("asked.reports"));
    if asked.reports.is_empty() {
        sheet.paragraph(T.t("asked.none"));
    } else {
        let columns = [Column::text(T.t("report.issued_at"), 1.5), Column::text(T.t("report.number"), 3.0)];
        let row = |(number, version, at): &(String, i64, Time)| {
            vec![at.date().to_string(), format!("{number} {}", T.fill("report.version", &[("n", version)]))]
        };
        sheet.table(&columns, &asked.reports.iter().map(row).collect::<Vec<_>>());
    }
    sheet.heading(T.t("people.looked"));
    if asked.looks.is_empty() {
        sheet.paragraph(T.t("people.nobody_looked"));
    } else {
        let columns = [
            Column::text(T.t("log.time"), 1.6),
            Column::text(T.t("asked.account"), 1.2),
            Column::text(T.t("asked.what"), 2.0),
            Column::text(T.t("asked.paper"), 1.8),
        ];
        let row = |(at, who, action, what): &(Time, String, String, String)| {
            vec![local_minute(*at), who.clone(), T.of("action", action).to_owned(), what.clone()]
        };
        sheet.table(&columns, &asked.looks.iter().map(row).collect::<Vec<_>>());
    }
    sheet.note(T.t("asked.remark"));
    sheet.finish(T.t("asked.title"), centre, centre, "asked", made)
}

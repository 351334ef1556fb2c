//! Lists: whom rosters ask about, in which order. The rosters of a batch to many institutions mostly ask about the
//! same people; they share a list, and the applicants' file that they were made from.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use desk::Applicants;
use protocol::value::Date;
use sqlx::Row as _;
use zeroize::Zeroizing;

use super::batch::Asked;
use super::canary::LINES;
use crate::cases::person;
use crate::store::{Column, Fault, Store, Write};

/// The applicants' file that a list's rosters were made from; `review` opens it with an answer.
pub const APPLICANTS: Column<Zeroizing<Vec<u8>>> = Column::new("lists.applicants");

/// People of one statement.
const AT_ONCE: usize = 500;
/// Lists that are kept in memory during a dispatch: institutions of a kind have one.
const KEPT: usize = 4;

/// The lists of one dispatch, so that its second roster need not do again what the first has done.
#[derive(Debug, Default)]
pub struct Lists(Vec<List>);

/// A list that is kept.
#[derive(Clone)]
pub(super) struct List {
    /// The row.
    pub(super) id: i64,
    asked: Arc<Vec<Asked>>,
    /// Its file, read.
    pub(super) applicants: Arc<Applicants>,
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "List({}, ..)", self.id)
    }
}

impl Lists {
    /// The list of these people; made when the batch has none of them.
    ///
    /// # Errors
    /// [`Fault`] of the database.
    pub(super) async fn find_or_add(
        &self,
        write: &mut Write,
        batch: i64,
        asked: Vec<Asked>,
        today: Date,
    ) -> Result<List, Fault> {
        if let Some(list) = self.0.iter().find(|list| *list.asked == asked) {
            return Ok(list.clone());
        }
        let file = file(write, &asked).await?;
        let mark = mark(write, &file, &asked);
        let known: Option<i64> = sqlx::query_scalar("SELECT id FROM lists WHERE batch = ? AND mark = ?")
            .bind(batch)
            .bind(&mark)
            .fetch_optional(write.connection())
            .await?;
        let id = match known {
            Some(id) => id,
            None => add(write, batch, &mark, &file, &asked).await?,
        };
        // Off the threads that serve requests.
        let applicants = tokio::task::spawn_blocking(move || Applicants::read(&file, today));
        let applicants = applicants.await.ok().and_then(Result::ok).ok_or(Fault::Stored("people"))?;
        Ok(List { id, asked: Arc::new(asked), applicants: Arc::new(applicants) })
    }

    /// Keeps a list for the dispatch's next rosters. Only once its transaction is committed.
    pub(super) fn keep(&mut self, list: List) {
        if self.0.iter().all(|kept| kept.id != list.id) {
            self.0.truncate(KEPT - 1);
            self.0.insert(0, list);
        }
    }
}

/// The applicants' file that a roster was made from: its list's, and the lines that are the roster's own.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn file_of(store: &Store, roster: i64) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let row = sqlx::query(
        "SELECT lists.id, applicants_sealed, seeds_sealed FROM rosters JOIN lists ON lists.id = list \
         WHERE rosters.id = ?",
    )
    .bind(roster)
    .fetch_one(store.read())
    .await?;
    let file = store.open_cell(&APPLICANTS, row.try_get("id")?, &row, "applicants_sealed")?;
    match row.try_get::<Option<Vec<u8>>, _>("seeds_sealed")? {
        None => Ok(file),
        Some(sealed) => Ok(joined(&file, &store.vault().open(&LINES, roster, &sealed)?)),
    }
}

/// A list's file with more lines, read.
pub(super) async fn with_lines(
    write: &mut Write,
    list: i64,
    lines: &[u8],
    today: Date,
) -> Result<Applicants, Fault> {
    let row = sqlx::query("SELECT applicants_sealed FROM lists WHERE id = ?")
        .bind(list)
        .fetch_one(write.connection())
        .await?;
    let file: Zeroizing<Vec<u8>> = write.store().open_cell(&APPLICANTS, list, &row, "applicants_sealed")?;
    let file = joined(&file, lines);
    let applicants = tokio::task::spawn_blocking(move || Applicants::read(&file, today));
    applicants.await.ok().and_then(Result::ok).ok_or(Fault::Stored("people"))
}

/// Both, in memory that never grew.
fn joined(file: &[u8], lines: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut all = Zeroizing::new(Vec::with_capacity(file.len() + lines.len()));
    all.extend_from_slice(file);
    all.extend_from_slice(lines);
    all
}

/// Adds a list of a batch; of a trial's the people stand in the file alone.
pub(super) async fn add(
    write: &mut Write,
    batch: i64,
    mark: &[u8],
    file: &Zeroizing<Vec<u8>>,
    asked: &[Asked],
) -> Result<i64, Fault> {
    let id = write.next_id("lists").await?;
    sqlx::query("INSERT INTO lists (id, batch, mark, applicants_sealed) VALUES (?, ?, ?, ?)")
        .bind(id)
        .bind(batch)
        .bind(mark)
        .bind(write.seal(&APPLICANTS, id, file)?)
        .execute(write.connection())
        .await?;
    let mut ordinal = 0_i64;
    for part in asked.chunks(AT_ONCE) {
        let mut insert = sqlx::QueryBuilder::new(
            "INSERT INTO list_people (list, ordinal, person, case_id, authorisation) ",
        );
        insert.push_values(part, |mut values, one| {
            values.push_bind(id).push_bind(ordinal);
            values.push_bind(one.person).push_bind(one.case).push_bind(one.authorisation);
            ordinal += 1;
        });
        insert.build().execute(write.connection()).await?;
    }
    Ok(id)
}

/// A keyed digest over a list's file and rows.
pub(super) fn mark(write: &Write, file: &[u8], asked: &[Asked]) -> Vec<u8> {
    let rows = asked.iter().flat_map(|one| [one.person, one.case, one.authorisation]);
    let rows: Vec<u8> = rows.flat_map(i64::to_be_bytes).collect();
    let vault = write.store().vault();
    vault.blind("list", &[vault.blind("file", file), rows].concat())
}

/// The applicants' file of a list: line n + 2 is ordinal n. Numbers stand in the canonical spelling, so that what
/// is read is what was asked for.
async fn file(write: &mut Write, asked: &[Asked]) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let mut file = empty(asked.len());
    let store = write.store().clone();
    for part in asked.chunks(AT_ONCE) {
        let column = |of: fn(&Asked) -> i64| part.iter().map(of).collect::<Vec<i64>>();
        let people = person::open_many(&store, &column(|one| one.person)).await?;
        let households: HashMap<i64, String> = among(
            write,
            "SELECT cases.id, households.number FROM cases JOIN households ON households.id = household \
             WHERE cases.id IN (",
            &column(|one| one.case),
        )
        .await?;
        let forms: HashMap<i64, String> = among(
            write,
            "SELECT id, number FROM authorisations WHERE id IN (",
            &column(|one| one.authorisation),
        )
        .await?;
        let scopes: HashMap<i64, String> = among(
            write,
            "SELECT id, kinds || ':' || level FROM authorisations WHERE id IN (",
            &column(|one| one.authorisation),
        )
        .await?;
        for one in part {
            let person = people.get(&one.person).ok_or(Fault::Stored("people"))?;
            let (first, former) = person.numbers.split_first().ok_or(Fault::Stored("person_numbers"))?;
            let former: Vec<&str> = former.iter().map(|stored| stored.number.as_str()).collect();
            let cells = [
                person.name.as_str(),
                person::hint_word(first.kind),
                first.number.as_str(),
                forms.get(&one.authorisation).ok_or(Fault::Stored("authorisations"))?,
                &scopes
                    .get(&one.authorisation)
                    .and_then(|scope| in_one_order(scope))
                    .ok_or(Fault::Stored("authorisations"))?,
                households.get(&one.case).ok_or(Fault::Stored("households"))?,
                &former.join("；"),
            ];
            line(&mut file, cells);
        }
    }
    Ok(file)
}

/// A scope with its kinds in the order that everybody writes them in: a township rebuilds rosters from its own file.
fn in_one_order(scope: &str) -> Option<String> {
    scope.split_once(':').and_then(|(kinds, level)| desk::scope::text(kinds, level))
}

/// An applicants' file with room for so many people: its heading.
pub(super) fn empty(people: usize) -> Zeroizing<Vec<u8>> {
    let mut file = Zeroizing::new(Vec::with_capacity((people + 1) * 192));
    file.extend_from_slice("姓名,证件类型,证件号码,授权书编号,授权范围,户号,曾用证件号\n".as_bytes());
    file
}

/// Writes a line of an applicants' file, its cells in the order of the heading.
pub(super) fn line(file: &mut Vec<u8>, cells: [&str; 7]) {
    for (at, cell) in cells.into_iter().enumerate() {
        file.extend_from_slice(if at == 0 { b"\"" } else { b",\"" });
        file.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
        file.push(b'"');
    }
    file.push(b'\n');
}

/// What `query` gives for `ids`: an id, and a text.
async fn among(write: &mut Write, query: &str, ids: &[i64]) -> Result<HashMap<i64, String>, Fault> {
    let mut select = sqlx::QueryBuilder::new(query);
    let mut list = select.separated(", ");
    for id in ids {
        list.push_bind(*id);
    }
    let rows = select.push(")").build().fetch_all(write.connection()).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_mark_stays_in_its_cell() {
        let mut file = Vec::new();
        line(&mut file, ["a\"b", "", "c,d", "", "", "", ""]);
        assert_eq!(file, b"\"a\"\"b\",\"\",\"c,d\",\"\",\"\",\"\",\"\"\n");
    }
}

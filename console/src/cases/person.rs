//! People: a sealed name, sealed numbers, and the blind index that finds them.

use std::collections::HashMap;
use std::fmt;

use protocol::name::Name;
use protocol::subject::{self, Hint, Kind, Outcome, Subject};
use sqlx::Row as _;

use crate::store::{Column, Fault, Json, Store, Write};

pub(crate) const NAME: Column<String> = Column::new("people.name");
const NUMBER: Column<Json<(u8, String)>> = Column::new("person_numbers.number");

/// A person, opened.
#[derive(Clone)]
pub struct Person {
    /// The row.
    pub id: i64,
    /// The name.
    pub name: String,
    /// The current number first.
    pub numbers: Vec<Stored>,
}

/// A number as it is kept: kind and canonical spelling.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    /// The kind's code.
    pub kind: u8,
    /// The canonical number.
    pub number: String,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Person({}, ..)", self.id)
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stored(..)")
    }
}

impl Person {
    /// The name with all but its first character hidden.
    pub fn masked_name(&self) -> String {
        mask_name(&self.name)
    }

    /// The current number with all but three and two characters hidden.
    pub fn masked_number(&self) -> String {
        self.numbers.first().map_or_else(String::new, |stored| mask_number(&stored.number))
    }
}

/// `张＊＊`
pub fn mask_name(name: &str) -> String {
    let mut characters = name.chars();
    let first: String = characters.next().into_iter().collect();
    first + &characters.map(|_| '＊').collect::<String>()
}

/// `110*************2X`
pub fn mask_number(number: &str) -> String {
    let all: Vec<char> = number.chars().collect();
    if all.len() < 8 {
        return "*".repeat(all.len());
    }
    let hidden = |(at, c): (usize, &char)| if at < 3 || at + 2 >= all.len() { *c } else { '*' };
    all.iter().enumerate().map(hidden).collect()
}

/// `****1234`: what is left tells accounts of one person apart, and is no account number.
pub fn mask_account(number: &str) -> String {
    let all: Vec<char> = number.chars().collect();
    match all.get(all.len().saturating_sub(4)..) {
        Some(last) if all.len() >= 8 => format!("****{}", last.iter().collect::<String>()),
        _ => "*".repeat(all.len()),
    }
}

/// What a form or a file says of a person, read.
pub struct Read {
    /// The name, trimmed.
    pub name: String,
    /// The current number first; of an old one that means two people, both.
    pub subjects: Vec<Subject>,
}

/// Reads a name and numbers, or says what is wrong with which: (field, code) in the dictionary's keys.
///
/// # Errors
/// All that is wrong.
pub fn read(
    name: &str,
    kind: &str,
    number: &str,
    former: &str,
) -> Result<Read, Vec<(&'static str, &'static str)>> {
    let mut wrong = Vec::new();
    let name = name.trim();
    match Name::read(name) {
        _ if name.is_empty() => wrong.push(("column.name", "defect.missing")),
        None => wrong.push(("column.name", "defect.wild_name")),
        Some(_) if name.chars().count() > 100 => wrong.push(("column.name", "defect.bad_text")),
        Some(_) => {}
    }
    let mut subjects: Vec<Subject> = Vec::new();
    let former = former.split(['、', ';', '；', ' ', '/']).map(str::trim).filter(|part| !part.is_empty());
    let all = std::iter::once(("column.number", number, Hint::read(kind)))
        .chain(former.map(|part| ("column.former", part, Hint::None)));
    for (field, cell, hint) in all {
        match subject::read(cell, hint).0 {
            Outcome::Subjects((first, second)) => {
                for subject in [Some(first), second].into_iter().flatten() {
                    if !subjects.contains(&subject) {
                        subjects.push(subject);
                    }
                }
            }
            Outcome::NotPersonal => wrong.push((field, "defect.not_personal")),
            Outcome::Quarantine(reason) => wrong.push((field, defect_of(reason))),
        }
    }
    if subjects.len() > desk::applicants::MAX_NUMBERS {
        wrong.push(("column.former", "defect.too_many_numbers"));
    }
    if wrong.is_empty() { Ok(Read { name: name.to_owned(), subjects }) } else { Err(wrong) }
}

pub(crate) fn defect_of(reason: subject::Reason) -> &'static str {
    use subject::Reason;
    match reason {
        Reason::Empty => "defect.missing",
        Reason::Masked => "defect.masked",
        Reason::Scientific => "defect.scientific",
        Reason::Placeholder => "defect.placeholder",
        Reason::Date => "defect.date",
        Reason::CheckDigit => "defect.check_digit",
        Reason::Length => "defect.length",
        Reason::Format => "defect.format",
    }
}

/// The word that gives a number of this kind back its kind when it is read again.
pub(crate) fn hint_word(kind: u8) -> &'static str {
    let is = |of: Kind| of as u8 == kind;
    if is(Kind::Passport) {
        "护照"
    } else if is(Kind::HkMoPermit) {
        "港澳居民来往内地通行证"
    } else if is(Kind::TwPermit) {
        "台湾居民来往大陆通行证"
    } else if is(Kind::Officer) {
        "军官证"
    } else {
        ""
    }
}

/// The person of a number.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn find(write: &mut Write, subject: &Subject) -> Result<Option<i64>, Fault> {
    let index = write.store().vault().subject_index(subject);
    Ok(sqlx::query_scalar("SELECT person FROM person_numbers WHERE number_index = ?")
        .bind(index)
        .fetch_optional(write.connection())
        .await?)
}

/// The person whose numbers these are, added when nobody has them. `None` when they belong to several people.
/// The name is the one that was read last.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn find_or_add(write: &mut Write, read: &Read, now: i64) -> Result<Option<i64>, Fault> {
    let mut known = None;
    let mut new = Vec::new();
    for subject in &read.subjects {
        match find(write, subject).await? {
            Some(person) if known.is_none_or(|other| other == person) => known = Some(person),
            Some(_) => return Ok(None),
            None => new.push(subject),
        }
    }
    let id = match known {
        Some(id) => id,
        None => {
            let id = write.next_id("people").await?;
            sqlx::query("INSERT INTO people (id, name_sealed, created) VALUES (?, ?, ?)")
                .bind(id)
                .bind(write.seal(&NAME, id, &read.name)?)
                .bind(now)
                .execute(write.connection())
                .await?;
            id
        }
    };
    if !new.is_empty() {
        let taken: i64 = if known.is_some() {
            sqlx::query_scalar("SELECT coalesce(max(ordinal) + 1, 0) FROM person_numbers WHERE person = ?")
                .bind(id)
                .fetch_one(write.connection())
                .await?
        } else {
            0
        };
        for (ordinal, subject) in (taken..).zip(new) {
            let row = write.next_id("person_numbers").await?;
            let stored = Json((subject.kind() as u8, subject.number().to_owned()));
            sqlx::query(
                "INSERT INTO person_numbers (id, person, ordinal, number_index, number_sealed) VALUES (?, ?, ?, ?, ?)",
            )
            .bind(row)
            .bind(id)
            .bind(ordinal)
            .bind(write.store().vault().subject_index(subject))
            .bind(write.seal(&NUMBER, row, &stored)?)
            .execute(write.connection())
            .await?;
        }
    }
    Ok(Some(id))
}

/// A person, opened.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn open(store: &Store, id: i64) -> Result<Option<Person>, Fault> {
    let row = sqlx::query("SELECT * FROM people WHERE id = ?").bind(id).fetch_optional(store.read()).await?;
    let Some(row) = row else { return Ok(None) };
    let numbers =
        sqlx::query("SELECT id, number_sealed FROM person_numbers WHERE person = ? ORDER BY ordinal")
            .bind(id)
            .fetch_all(store.read())
            .await?;
    let number = |row: &sqlx::sqlite::SqliteRow| {
        let Json((kind, number)) = store.open_cell(&NUMBER, row.try_get("id")?, row, "number_sealed")?;
        Ok::<_, Fault>(Stored { kind, number })
    };
    Ok(Some(Person {
        id,
        name: store.open_cell(&NAME, id, &row, "name_sealed")?,
        numbers: numbers.iter().map(number).collect::<Result<_, _>>()?,
    }))
}

/// People of one statement.
const AT_ONCE: usize = 900;

/// Many people, opened, in a few statements.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn open_many(store: &Store, ids: &[i64]) -> Result<HashMap<i64, Person>, Fault> {
    let mut all = HashMap::with_capacity(ids.len());
    let among = |query: &str, part: &[i64], order: &str| {
        let mut select = sqlx::QueryBuilder::new(query);
        let mut list = select.separated(", ");
        for id in part {
            list.push_bind(*id);
        }
        select.push(order);
        select
    };
    for part in ids.chunks(AT_ONCE) {
        let query = "SELECT id, name_sealed FROM people WHERE id IN (";
        for row in among(query, part, ")").build().fetch_all(store.read()).await? {
            let id = row.try_get("id")?;
            let name = store.open_cell(&NAME, id, &row, "name_sealed")?;
            all.insert(id, Person { id, name, numbers: Vec::new() });
        }
        let query = "SELECT id, person, number_sealed FROM person_numbers WHERE person IN (";
        for row in among(query, part, ") ORDER BY person, ordinal").build().fetch_all(store.read()).await? {
            let Json((kind, number)) = store.open_cell(&NUMBER, row.try_get("id")?, &row, "number_sealed")?;
            if let Some(person) = all.get_mut(&row.try_get("person")?) {
                person.numbers.push(Stored { kind, number });
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_show_next_to_nothing() {
        assert_eq!(mask_name("张三丰"), "张＊＊");
        assert_eq!(mask_number("11010519491231002X"), "110*************2X");
        assert_eq!(mask_number("E123456"), "*******");
    }

    #[test]
    fn all_that_is_wrong_comes_at_once() {
        assert_eq!(
            read("", "", "110105194912310021", "1").err().unwrap(),
            [
                ("column.name", "defect.missing"),
                ("column.number", "defect.check_digit"),
                ("column.former", "defect.placeholder")
            ]
        );
        let good = read("张三", "", "110105491231002", "E12345678").ok().unwrap();
        assert_eq!(good.subjects.len(), 2);
    }
}

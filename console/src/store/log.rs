//! The hash-chained log: who did what when, in the form of SPEC §9. An entry is appended in the transaction
//! of the change it speaks of. It has room for a code, an account, a time and a digest, and for nothing else:
//! no number, name or amount can come into it.

use protocol::log::LogEntry;
use protocol::{Code, Digest, Time, canonical};
use sqlx::Row as _;

use super::{Columns as _, Fault, Store, Write, unix};

/// What is logged. The name is the entry's action and stays what it is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action(pub &'static str);

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// Nothing in particular.
    Nothing,
    /// A row of a table.
    Row(&'static str, i64),
    /// A document that is exchanged or archived, by its digest, and the row that keeps it.
    Document(&'static str, i64, Digest),
}

impl Object {
    /// `SHA-256("hedui/desk/row/v1" ‖ 0x00 ‖ kind ‖ 0x00 ‖ i64 row)`, or the document's own digest.
    fn digest(self) -> Option<Digest> {
        match self {
            Self::Nothing => None,
            Self::Row(kind, row) => Some(row_digest(kind, row)),
            Self::Document(_, _, digest) => Some(digest),
        }
    }

    fn row(self) -> Option<(&'static str, i64)> {
        match self {
            Self::Nothing => None,
            Self::Row(kind, row) | Self::Document(kind, row, _) => Some((kind, row)),
        }
    }
}

pub(crate) fn row_digest(kind: &str, row: i64) -> Digest {
    Digest::of(&[b"hedui/desk/row/v1\0", kind.as_bytes(), &[0], &row.to_be_bytes()].concat())
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Its sequence number.
    pub position: i64,
    /// The head once it is there.
    pub head: Digest,
}

/// Entries of one statement.
const AT_ONCE: usize = 500;

/// Appends an entry for each of `objects`; gives the place of the last.
pub(super) async fn append(
    write: &mut Write,
    action: Action,
    actor: &Code,
    at: Time,
    objects: &[Object],
) -> Result<Place, Fault> {
    let last = sqlx::query("SELECT sequence, digest FROM log ORDER BY sequence DESC LIMIT 1")
        .fetch_optional(write.connection())
        .await?;
    let mut place = match last {
        Some(row) => Place { position: row.try_get("sequence")?, head: row.digest("digest")? },
        None => Place { position: 0, head: LogEntry::GENESIS },
    };
    let action: Code = action.0.parse()?;
    for part in objects.chunks(AT_ONCE) {
        let mut entries = Vec::with_capacity(part.len());
        for object in part {
            let position = place.position + 1;
            let entry = LogEntry {
                action: action.clone(),
                actor: actor.clone(),
                at,
                object: object.digest(),
                previous: place.head,
                sequence: u64::try_from(position).map_err(|_| Fault::Stored("log"))?,
            };
            place = Place { position, head: entry.digest()? };
            let json = String::from_utf8(canonical::encode(&entry)?).map_err(|_| Fault::Stored("log"))?;
            entries.push((place, json, object.row()));
        }
        let mut insert = sqlx::QueryBuilder::new("INSERT INTO log (sequence, digest, entry, kind, object) ");
        insert.push_values(entries, |mut values, (place, json, row)| {
            let (kind, row) = row.unzip();
            values.push_bind(place.position).push_bind(place.head.as_bytes().to_vec()).push_bind(json);
            values.push_bind(kind).push_bind(row);
        });
        insert.build().execute(write.connection()).await?;
    }
    Ok(place)
}

/// An entry with the row it is about.
#[derive(Debug)]
pub struct Shown {
    /// The entry.
    pub entry: LogEntry,
    /// Kind and number of the row.
    pub row: Option<(String, i64)>,
}

/// Entries from the newest back, `limit` of them behind `skip`.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn newest(store: &Store, skip: i64, limit: i64) -> Result<Vec<Shown>, Fault> {
    let rows = sqlx::query("SELECT * FROM log ORDER BY sequence DESC LIMIT ? OFFSET ?")
        .bind(limit)
        .bind(skip)
        .fetch_all(store.read())
        .await?;
    rows.iter().map(shown).collect()
}

/// All entries about one row, oldest first.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn about(store: &Store, kind: &str, row: i64) -> Result<Vec<Shown>, Fault> {
    let rows = sqlx::query("SELECT * FROM log WHERE kind = ? AND object = ? ORDER BY sequence")
        .bind(kind)
        .bind(row)
        .fetch_all(store.read())
        .await?;
    rows.iter().map(shown).collect()
}

/// How many entries there are, and the head.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn head(store: &Store) -> Result<(i64, Digest), Fault> {
    let last = sqlx::query("SELECT sequence, digest FROM log ORDER BY sequence DESC LIMIT 1")
        .fetch_optional(store.read())
        .await?;
    match last {
        Some(row) => Ok((row.try_get("sequence")?, row.digest("digest")?)),
        None => Ok((0, LogEntry::GENESIS)),
    }
}

fn shown(row: &sqlx::sqlite::SqliteRow) -> Result<Shown, Fault> {
    let json: String = row.try_get("entry")?;
    let entry = canonical::decode(json.as_bytes()).map_err(|_| Fault::Stored("log entry"))?;
    let kind: Option<String> = row.try_get("kind")?;
    Ok(Shown { entry, row: kind.zip(row.try_get("object")?) })
}

/// Signs the head as it stands in this transaction: a log that is cut behind it shows.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn checkpoint(
    write: &mut Write,
    place: Place,
    at: Time,
    key: &protocol::secret::SigningKey,
) -> Result<(), Fault> {
    let signature = key.sign(&checkpoint_message(place.position, &place.head, at));
    sqlx::query("INSERT INTO checkpoints (sequence, digest, at, key, signature) VALUES (?, ?, ?, ?, ?)")
        .bind(place.position)
        .bind(place.head.as_bytes().as_slice())
        .bind(unix(at))
        .bind(key.public().as_bytes().as_slice())
        .bind(signature.as_slice())
        .execute(write.connection())
        .await?;
    Ok(())
}

/// `"hedui/desk/checkpoint/v1" ‖ 0x00 ‖ i64 sequence ‖ head ‖ i64 time`
pub(crate) fn checkpoint_message(sequence: i64, head: &Digest, at: Time) -> Vec<u8> {
    [
        b"hedui/desk/checkpoint/v1\0".as_slice(),
        &sequence.to_be_bytes(),
        head.as_bytes(),
        &unix(at).to_be_bytes(),
    ]
    .concat()
}

//! Scanned papers: told apart by their first bytes, sealed, with the digest of the file as it came.

use protocol::{Digest, Time};
use sqlx::Row as _;
use zeroize::Zeroizing;

use crate::staff::Clerk;
use crate::store::{Action, Column, Fault, Object, Store, Write, unix};

const FILE: Column<Zeroizing<Vec<u8>>> = Column::new("scans.file");

/// Bytes of a scan at most.
pub const MAX_BYTES: usize = 20 << 20;

/// A scan without its file.
#[derive(Debug)]
pub struct Scan {
    /// The row.
    pub id: i64,
    /// Media type.
    pub media: String,
    /// Length of the file.
    pub bytes: i64,
    /// SHA-256 of the file.
    pub sha256: Vec<u8>,
}

/// The media type of a file, when it is one that is taken.
pub fn media(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [b'%', b'P', b'D', b'F', b'-', ..] => Some("application/pdf"),
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some("image/png"),
        _ => None,
    }
}

/// Keeps a scan of `kind` and `owner`.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn add(
    write: &mut Write,
    kind: &'static str,
    owner: i64,
    media: &'static str,
    bytes: &[u8],
    clerk: &Clerk,
    now: Time,
) -> Result<i64, Fault> {
    let id = write.next_id("scans").await?;
    let sealed = write.seal(&FILE, id, &Zeroizing::new(bytes.to_vec()))?;
    sqlx::query(
        "INSERT INTO scans (id, kind, owner, media, bytes, sha256, sealed, added_by, added) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(kind)
    .bind(owner)
    .bind(media)
    .bind(i64::try_from(bytes.len()).unwrap_or(i64::MAX))
    .bind(Digest::of(bytes).as_bytes().as_slice())
    .bind(sealed)
    .bind(clerk.id)
    .bind(unix(now))
    .execute(write.connection())
    .await?;
    write.log(Action("scan.added"), &clerk.code, now, Object::Row("scan", id)).await?;
    Ok(id)
}

/// The scans of an owner.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn of(store: &Store, kind: &str, owner: i64) -> Result<Vec<Scan>, Fault> {
    let rows =
        sqlx::query("SELECT id, media, bytes, sha256 FROM scans WHERE kind = ? AND owner = ? ORDER BY id")
            .bind(kind)
            .bind(owner)
            .fetch_all(store.read())
            .await?;
    let scan = |row: &sqlx::sqlite::SqliteRow| {
        Ok(Scan {
            id: row.try_get("id")?,
            media: row.try_get("media")?,
            bytes: row.try_get("bytes")?,
            sha256: row.try_get("sha256")?,
        })
    };
    rows.iter().map(scan).collect()
}

/// A scan's media type and file. Looking at one is logged.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn open(
    store: &Store,
    id: i64,
    clerk: &Clerk,
    now: Time,
) -> Result<Option<(String, Zeroizing<Vec<u8>>)>, Fault> {
    let media: Option<String> = sqlx::query_scalar("SELECT media FROM scans WHERE id = ?")
        .bind(id)
        .fetch_optional(store.read())
        .await?;
    let (Some(media), Some(file)) = (media, bytes(store, id).await?) else { return Ok(None) };
    let mut write = store.write().await?;
    write.log(Action("scan.shown"), &clerk.code, now, Object::Row("scan", id)).await?;
    write.commit().await?;
    Ok(Some((media, file)))
}

/// A scan's file, for what is bound together with it; whoever hands it to a person logs that.
pub(crate) async fn bytes(store: &Store, id: i64) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
    let row =
        sqlx::query("SELECT sealed FROM scans WHERE id = ?").bind(id).fetch_optional(store.read()).await?;
    row.map(|row| store.open_cell(&FILE, id, &row, "sealed")).transpose()
}

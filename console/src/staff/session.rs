//! Sessions: 256 random bits in a cookie, of which the database has only the SHA-256. 15 minutes without a
//! request end one, and eight hours in any case.

use protocol::Time;
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

use super::{Clerk, NAME, Roles};
use crate::store::{Fault, Store, Write, unix};

/// Seconds without a request.
pub const IDLE: i64 = 15 * 60;
/// Seconds in all.
pub const WHOLE: i64 = 8 * 3_600;
/// Seconds that the note of the last request may be old.
const COARSE: i64 = 30;

/// Begins a session and gives the cookie's value. `full` when nothing is left to set up.
pub(crate) async fn begin(write: &mut Write, staff: i64, full: bool, now: Time) -> Result<String, Fault> {
    let id = write.store().random::<32>()?;
    sqlx::query("INSERT INTO sessions (id_sha256, staff, started, seen, full) VALUES (?, ?, ?, ?, ?)")
        .bind(digest(&*id).to_vec())
        .bind(staff)
        .bind(unix(now))
        .bind(unix(now))
        .bind(full)
        .execute(write.connection())
        .await?;
    // What is over goes away with the next that begins.
    sqlx::query("DELETE FROM sessions WHERE started < ? OR seen < ?")
        .bind(unix(now) - WHOLE)
        .bind(unix(now) - IDLE)
        .execute(write.connection())
        .await?;
    Ok(hex::encode(*id))
}

/// Who is signed in with a cookie's value.
pub(crate) async fn find(store: &Store, cookie: &str, now: Time) -> Result<Option<Clerk>, Fault> {
    let mut id = [0; 32];
    if hex::decode_to_slice(cookie, &mut id).is_err() {
        return Ok(None);
    }
    let session = digest(&id);
    let row = sqlx::query(
        "SELECT staff.*, sessions.started, sessions.seen, sessions.full FROM sessions \
         JOIN staff ON staff.id = sessions.staff WHERE id_sha256 = ? AND active = 1",
    )
    .bind(session.to_vec())
    .fetch_optional(store.read())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let (started, seen): (i64, i64) = (row.try_get("started")?, row.try_get("seen")?);
    let now = unix(now);
    if now - started >= WHOLE || now - seen >= IDLE || now < started {
        return Ok(None);
    }
    if now - seen > COARSE {
        let mut write = store.write().await?;
        sqlx::query("UPDATE sessions SET seen = ? WHERE id_sha256 = ?")
            .bind(now)
            .bind(session.to_vec())
            .execute(write.connection())
            .await?;
        write.commit().await?;
    }
    let id = row.try_get("id")?;
    let code: String = row.try_get("code")?;
    Ok(Some(Clerk {
        id,
        code: code.parse()?,
        name: store.open_cell(&NAME, id, &row, "name_sealed")?,
        roles: Roles::from_bits(row.try_get("roles")?),
        person: row.try_get("person_index")?,
        session,
        full: row.try_get("full")?,
    }))
}

/// Ends a session.
pub(crate) async fn end(write: &mut Write, session: &[u8; 32]) -> Result<(), Fault> {
    sqlx::query("DELETE FROM sessions WHERE id_sha256 = ?")
        .bind(session.to_vec())
        .execute(write.connection())
        .await?;
    Ok(())
}

fn digest(id: &[u8]) -> [u8; 32] {
    Sha256::digest(id).into()
}

//! The door: password and one-time code together. Whoever fails learns nothing about why, and an account
//! that does not exist takes as long as one that does.

use protocol::Time;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{Clerk, TOTP, password, session, totp};
use crate::store::{Action, Cost, Fault, Object, Store, unix};

/// Wrong tries in a row that lock an account.
pub const TRIES: i64 = 5;
/// Seconds it stays locked.
pub const LOCKED: i64 = 15 * 60;

/// Somebody who wants in.
pub struct Attempt<'a> {
    /// The account's code.
    pub code: &'a str,
    /// The password.
    pub password: &'a str,
    /// The one-time code; not asked for as long as none is set up.
    pub one_time: &'a str,
}

/// What an attempt leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Door {
    /// The cookie's value.
    Open(String),
    /// The same, but a password and one-time codes are to be set first.
    SetUp(String),
    /// Wrong, unknown, shut or locked: which one is not told.
    Shut,
}

/// Tries.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn attempt(store: &Store, attempt: &Attempt<'_>, cost: Cost, now: Time) -> Result<Door, Fault> {
    let row = sqlx::query("SELECT * FROM staff WHERE code = ?")
        .bind(attempt.code)
        .fetch_optional(store.read())
        .await?;
    // The costly part comes first, and for everybody.
    let (salt, stored) = match &row {
        Some(row) => (row.try_get("password_salt")?, row.try_get("password_hash")?),
        None => (
            vec![0; 16],
            password::hash(store.vault(), "", &[], Cost { m_kib: 8, t: 1, p: 1 }).unwrap_or_default(),
        ),
    };
    let good = match &row {
        Some(_) => hashed(store, attempt.password, &salt, &stored).await?,
        None => {
            let mut like =
                [cost.m_kib, cost.t, cost.p].iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<u8>>();
            like.extend([0; 32]);
            hashed(store, attempt.password, &salt, &like).await?
        }
    };
    let Some(row) = row else { return Ok(Door::Shut) };
    decide(store, &row, attempt, good, now).await
}

async fn decide(
    store: &Store,
    row: &SqliteRow,
    attempt: &Attempt<'_>,
    password_good: bool,
    now: Time,
) -> Result<Door, Fault> {
    let id: i64 = row.try_get("id")?;
    let mut write = store.write().await?;
    // Read again within the transaction: two tries at once shall not share one code or one count.
    let row = sqlx::query("SELECT * FROM staff WHERE id = ?").bind(id).fetch_one(write.connection()).await?;
    let code: String = row.try_get("code")?;
    let actor = code.parse()?;
    if !row.try_get::<bool, _>("active")? || row.try_get::<i64, _>("locked_until")? > unix(now) {
        return Ok(Door::Shut);
    }
    let enrolled: bool = row.try_get("totp_enrolled")?;
    let step = if enrolled {
        let secret = store.open_cell(&TOTP, id, &row, "totp_sealed")?;
        totp::check(&secret, attempt.one_time, now, row.try_get("totp_last_step")?)?
    } else {
        Some(0)
    };
    let Some(step) = step.filter(|_| password_good) else {
        let failures: i64 = row.try_get::<i64, _>("failures")? + 1;
        let lock = failures >= TRIES;
        sqlx::query("UPDATE staff SET failures = ?, locked_until = ? WHERE id = ?")
            .bind(if lock { 0 } else { failures })
            .bind(if lock { unix(now) + LOCKED } else { 0 })
            .bind(id)
            .execute(write.connection())
            .await?;
        let action = if lock { Action("staff.locked") } else { Action("staff.refused") };
        write.log(action, &actor, now, Object::Row("staff", id)).await?;
        write.commit().await?;
        return Ok(Door::Shut);
    };
    sqlx::query("UPDATE staff SET failures = 0, totp_last_step = max(totp_last_step, ?) WHERE id = ?")
        .bind(step)
        .bind(id)
        .execute(write.connection())
        .await?;
    let full = enrolled && !row.try_get::<bool, _>("must_change")?;
    let cookie = session::begin(&mut write, id, full, now).await?;
    write.log(Action("staff.signed-in"), &actor, now, Object::Row("staff", id)).await?;
    write.commit().await?;
    Ok(if full { Door::Open(cookie) } else { Door::SetUp(cookie) })
}

/// Off the threads that serve requests: it takes a tenth of a second and 64 MiB. Two at a time.
async fn hashed(store: &Store, password: &str, salt: &[u8], stored: &[u8]) -> Result<bool, Fault> {
    static AT_ONCE: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(2);
    let _turn = AT_ONCE.acquire().await;
    if password.len() > password::LONGEST {
        return Ok(false);
    }
    let (store, password) = (store.clone(), zeroize::Zeroizing::new(password.to_owned()));
    let (salt, stored) = (salt.to_vec(), stored.to_vec());
    tokio::task::spawn_blocking(move || password::holds(store.vault(), &password, &salt, &stored))
        .await
        .map_err(|_| Fault::Stored("password"))?
}

/// Sets the password and takes the first one-time code, after which the session is a full one.
///
/// # Errors
/// The inner error is the key of what is wrong in the dictionary.
pub async fn set_up(
    store: &Store,
    clerk: &Clerk,
    new: &str,
    one_time: &str,
    cost: Cost,
    now: Time,
) -> Result<Result<String, &'static str>, Fault> {
    if let Some(weak) = password::weakness(new, clerk.code.as_str()) {
        return Ok(Err(weak));
    }
    let mut write = store.write().await?;
    let row =
        sqlx::query("SELECT * FROM staff WHERE id = ?").bind(clerk.id).fetch_one(write.connection()).await?;
    let old: (Vec<u8>, Vec<u8>) = (row.try_get("password_salt")?, row.try_get("password_hash")?);
    if password::holds(store.vault(), new, &old.0, &old.1)? {
        return Ok(Err("password.same"));
    }
    let secret = store.open_cell(&TOTP, clerk.id, &row, "totp_sealed")?;
    let Some(step) = totp::check(&secret, one_time, now, row.try_get("totp_last_step")?)? else {
        return Ok(Err("one_time.wrong"));
    };
    let salt = store.random::<16>()?;
    sqlx::query(
        "UPDATE staff SET password_salt = ?, password_hash = ?, must_change = 0, totp_enrolled = 1, \
         totp_last_step = ? WHERE id = ?",
    )
    .bind(salt.to_vec())
    .bind(password::hash(store.vault(), new, &*salt, cost)?)
    .bind(step)
    .bind(clerk.id)
    .execute(write.connection())
    .await?;
    session::end(&mut write, &clerk.session).await?;
    let cookie = session::begin(&mut write, clerk.id, true, now).await?;
    write.log(Action("staff.set-up"), &clerk.code, now, Object::Row("staff", clerk.id)).await?;
    write.commit().await?;
    Ok(Ok(cookie))
}

/// Step-up: a fresh one-time code before something that can't be undone. `false` counts as a wrong try.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn confirm(store: &Store, clerk: &Clerk, one_time: &str, now: Time) -> Result<bool, Fault> {
    let mut write = store.write().await?;
    let row =
        sqlx::query("SELECT * FROM staff WHERE id = ?").bind(clerk.id).fetch_one(write.connection()).await?;
    if row.try_get::<i64, _>("locked_until")? > unix(now) {
        return Ok(false);
    }
    let secret = store.open_cell(&TOTP, clerk.id, &row, "totp_sealed")?;
    let step = totp::check(&secret, one_time, now, row.try_get("totp_last_step")?)?;
    let failures = row.try_get::<i64, _>("failures")? + 1;
    let lock = step.is_none() && failures >= TRIES;
    sqlx::query("UPDATE staff SET totp_last_step = max(totp_last_step, ?), failures = ?, locked_until = ? WHERE id = ?")
        .bind(step.unwrap_or(0))
        .bind(if step.is_some() || lock { 0 } else { failures })
        .bind(if lock { unix(now) + LOCKED } else { 0 })
        .bind(clerk.id)
        .execute(write.connection())
        .await?;
    if lock {
        sqlx::query("DELETE FROM sessions WHERE staff = ?")
            .bind(clerk.id)
            .execute(write.connection())
            .await?;
        write.log(Action("staff.locked"), &clerk.code, now, Object::Row("staff", clerk.id)).await?;
    }
    write.commit().await?;
    Ok(step.is_some())
}

/// The secret of one-time codes, as long as none was taken.
pub(crate) async fn secret_to_enrol(store: &Store, clerk: &Clerk) -> Result<Option<Vec<u8>>, Fault> {
    let row = sqlx::query("SELECT * FROM staff WHERE id = ?").bind(clerk.id).fetch_one(store.read()).await?;
    if row.try_get("totp_enrolled")? {
        return Ok(None);
    }
    store.open_cell(&TOTP, clerk.id, &row, "totp_sealed").map(Some)
}

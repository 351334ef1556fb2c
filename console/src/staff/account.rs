//! Accounts: made, changed and shut by the administrator, who sees nobody's password but the first one.

use protocol::value::SealingKey;
use protocol::{Code, Time};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{NAME, Roles, TOTP, password, totp};
use crate::store::{Action, Cost, Fault, Object, Store, Write, unix};

/// What a new account needs.
#[derive(Debug)]
pub struct New {
    /// What is typed at sign-in and stands in the log.
    pub code: Code,
    /// The person's name.
    pub name: String,
    /// The person's number in the office (工号): two accounts of one person have the same.
    pub number: String,
    /// What it may do.
    pub roles: Roles,
    /// A key officer's public key.
    pub officer_key: Option<SealingKey>,
}

/// An account as a list shows it.
#[derive(Debug)]
pub struct Account {
    /// Its row.
    pub id: i64,
    /// Its code.
    pub code: String,
    /// The person's name.
    pub name: String,
    /// What it may do.
    pub roles: Roles,
    /// Whether it may sign in.
    pub active: bool,
    /// Whether one-time codes are set up.
    pub enrolled: bool,
    /// Until when it is locked, when it is.
    pub locked_until: i64,
    /// A key officer's public key.
    pub officer_key: Option<SealingKey>,
}

/// Adds an account, and gives its first password, which is told once.
///
/// # Errors
/// [`Fault`]; that the code is taken shows as a database error, so ask [`find`] first.
pub async fn add(write: &mut Write, new: &New, cost: Cost, actor: &Code, now: Time) -> Result<String, Fault> {
    let id = write.next_id("staff").await?;
    let store = write.store().clone();
    let first = first_password(&store)?;
    let salt = store.random::<16>()?;
    let secret = store.random::<{ totp::SECRET }>()?;
    sqlx::query(
        "INSERT INTO staff (id, code, name_sealed, person_index, roles, password_salt, password_hash, \
         totp_sealed, officer_key, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(new.code.as_str())
    .bind(write.seal(&NAME, id, &new.name)?)
    .bind(store.vault().blind("staff", new.number.trim().to_uppercase().as_bytes()))
    .bind(new.roles.bits())
    .bind(salt.to_vec())
    .bind(password::hash(store.vault(), &first, &*salt, cost)?)
    .bind(write.seal(&TOTP, id, &secret.to_vec())?)
    .bind(new.officer_key.map(|key| key.0.to_vec()))
    .bind(unix(now))
    .execute(write.connection())
    .await?;
    write.log(Action("staff.added"), actor, now, Object::Row("staff", id)).await?;
    Ok(first)
}

/// Takes password and one-time codes away and gives a new first password. Ends the account's sessions.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn reset(write: &mut Write, id: i64, cost: Cost, actor: &Code, now: Time) -> Result<String, Fault> {
    let store = write.store().clone();
    let first = first_password(&store)?;
    let salt = store.random::<16>()?;
    let secret = store.random::<{ totp::SECRET }>()?;
    sqlx::query(
        "UPDATE staff SET password_salt = ?, password_hash = ?, must_change = 1, totp_sealed = ?, \
         totp_enrolled = 0, totp_last_step = 0, failures = 0, locked_until = 0 WHERE id = ?",
    )
    .bind(salt.to_vec())
    .bind(password::hash(store.vault(), &first, &*salt, cost)?)
    .bind(write.seal(&TOTP, id, &secret.to_vec())?)
    .bind(id)
    .execute(write.connection())
    .await?;
    end_sessions(write, id).await?;
    write.log(Action("staff.reset"), actor, now, Object::Row("staff", id)).await?;
    Ok(first)
}

/// Opens or shuts an account, or gives it other roles. Ends its sessions.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn change(
    write: &mut Write,
    id: i64,
    roles: Roles,
    active: bool,
    actor: &Code,
    now: Time,
) -> Result<(), Fault> {
    sqlx::query("UPDATE staff SET roles = ?, active = ? WHERE id = ?")
        .bind(roles.bits())
        .bind(active)
        .bind(id)
        .execute(write.connection())
        .await?;
    end_sessions(write, id).await?;
    write.log(Action("staff.changed"), actor, now, Object::Row("staff", id)).await?;
    Ok(())
}

async fn end_sessions(write: &mut Write, id: i64) -> Result<(), Fault> {
    sqlx::query("DELETE FROM sessions WHERE staff = ?").bind(id).execute(write.connection()).await?;
    Ok(())
}

/// All accounts, by code.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn all(store: &Store) -> Result<Vec<Account>, Fault> {
    let rows = sqlx::query("SELECT * FROM staff ORDER BY code").fetch_all(store.read()).await?;
    rows.iter().map(|row| account(store, row)).collect()
}

/// One account.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn find(store: &Store, id: i64) -> Result<Option<Account>, Fault> {
    let row = sqlx::query("SELECT * FROM staff WHERE id = ?").bind(id).fetch_optional(store.read()).await?;
    row.as_ref().map(|row| account(store, row)).transpose()
}

/// Whether a code is taken.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn is_taken(store: &Store, code: &Code) -> Result<bool, Fault> {
    let found: Option<i64> = sqlx::query_scalar("SELECT id FROM staff WHERE code = ?")
        .bind(code.as_str())
        .fetch_optional(store.read())
        .await?;
    Ok(found.is_some())
}

/// The keyed digest that stands for the person behind an account.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn person_of(store: &Store, id: i64) -> Result<Vec<u8>, Fault> {
    Ok(sqlx::query_scalar("SELECT person_index FROM staff WHERE id = ?")
        .bind(id)
        .fetch_one(store.read())
        .await?)
}

fn account(store: &Store, row: &SqliteRow) -> Result<Account, Fault> {
    let id = row.try_get("id")?;
    let key: Option<Vec<u8>> = row.try_get("officer_key")?;
    let key = key.map(|key| key.try_into().map(SealingKey).map_err(|_| Fault::Stored("staff.officer_key")));
    Ok(Account {
        id,
        code: row.try_get("code")?,
        name: store.open_cell(&NAME, id, row, "name_sealed")?,
        roles: Roles::from_bits(row.try_get("roles")?),
        active: row.try_get("active")?,
        enrolled: row.try_get("totp_enrolled")?,
        locked_until: row.try_get("locked_until")?,
        officer_key: key.transpose()?,
    })
}

/// Four groups of four letters and digits that nobody takes for one another: 80 bits.
fn first_password(store: &Store) -> Result<String, Fault> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let random = store.random::<16>()?;
    let letter = |byte: &u8| char::from(LETTERS.get(usize::from(byte % 32)).copied().unwrap_or(b'a'));
    let letters: Vec<char> = random.iter().map(letter).collect();
    Ok(letters.chunks(4).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join("-"))
}

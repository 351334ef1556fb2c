//! Lets a roster leave: signed a second time where the agreement asks for it, by host or as a file, or given up.

use protocol::agreement::Agreement as Terms;
use protocol::key_file::Keys;
use protocol::roster::{Roster as Header, RosterContext, RosterError};
use protocol::{Document, Time};

use super::agreement;
use super::answers::finish;
use super::canary;
use super::error::DispatchError;
use super::roster::{Roster, document};
use crate::console::Console;
use crate::relay::{Place, Relay};
use crate::staff::Clerk;
use crate::store::{Action, Object, Write, unix};

/// Takes the roster back with the second organisation's signature.
///
/// # Errors
/// [`DispatchError`] when it is another document or another's signature.
pub async fn cosigned(
    console: &Console,
    roster: &Roster,
    bytes: &[u8],
    clerk: &Clerk,
) -> Result<(), DispatchError> {
    let (store, now) = (console.store(), console.now()?);
    let document = Document::<Header>::read(bytes)?;
    if document.digest != roster.digest {
        return Err(DispatchError::Rule("dispatch.wrong_roster"));
    }
    let day = document.header.issued.date();
    let terms = Document::<Terms>::read(&agreement::document(store, roster.agreement).await?)?.check(day)?;
    let context = RosterContext { now: document.header.issued, last_serial: 0, release: None };
    document.check(&terms, &context).map_err(|error| match error {
        RosterError::Decode(error) => DispatchError::from(error),
        RosterError::Check(error) => DispatchError::from(error),
    })?;
    let mut write = store.write().await?;
    let done =
        sqlx::query("UPDATE rosters SET document = ?, state = 'ready' WHERE id = ? AND state = 'unsigned'")
            .bind(bytes)
            .bind(roster.id)
            .execute(write.connection())
            .await?;
    if done.rows_affected() == 0 {
        return Err(DispatchError::Rule("dispatch.not_now"));
    }
    let object = Object::Document("roster", roster.id, roster.digest);
    write.log(Action("roster.cosigned"), &clerk.code, now, object).await?;
    write.commit().await?;
    Ok(())
}

/// Asks once more, right before a roster leaves, whether all on it still allow it. If not, the roster is void:
/// another is made, without them.
async fn check_once_more(
    write: &mut Write,
    roster: &Roster,
    clerk: &Clerk,
    now: Time,
) -> Result<bool, DispatchError> {
    let today = now.date();
    let ended: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM roster_people JOIN authorisations ON authorisations.id = authorisation \
         WHERE roster = ? AND (end_code IS NOT NULL OR until < ?)",
    )
    .bind(roster.id)
    .bind(today.number())
    .fetch_one(write.connection())
    .await?;
    let ended = ended + canary::ended(write, roster.id, today).await?;
    let in_force: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM agreements WHERE id = ? AND valid_from <= ?2 AND valid_to >= ?2",
    )
    .bind(roster.agreement)
    .bind(today.number())
    .fetch_one(write.connection())
    .await?;
    if ended == 0 && in_force == 1 && roster.expires > now {
        return Ok(true);
    }
    sqlx::query("UPDATE rosters SET state = 'void' WHERE id = ? AND state IN ('unsigned', 'ready')")
        .bind(roster.id)
        .execute(write.connection())
        .await?;
    let object = Object::Document("roster", roster.id, roster.digest);
    write.log(Action("roster.void"), &clerk.code, now, object).await?;
    Ok(false)
}

/// Whoever lets a roster leave is another person than whoever made it.
async fn by_another(write: &mut Write, roster: &Roster, clerk: &Clerk) -> Result<(), DispatchError> {
    let maker: Option<Vec<u8>> = sqlx::query_scalar(
        "SELECT person_index FROM rosters JOIN staff ON staff.id = made_by WHERE rosters.id = ?",
    )
    .bind(roster.id)
    .fetch_optional(write.connection())
    .await?;
    match maker {
        Some(maker) if !clerk.same_person(&maker) => Ok(()),
        _ => Err(DispatchError::Rule("dispatch.own_work")),
    }
}

/// Lets a ready roster leave as a file; gives its bytes.
///
/// # Errors
/// [`DispatchError`]; a roster that may not leave any more is void from then on.
pub async fn send_as_file(
    console: &Console,
    roster: &Roster,
    clerk: &Clerk,
) -> Result<Vec<u8>, DispatchError> {
    mark_sent(console, roster, "file", clerk).await?;
    Ok(document(console.store(), roster.id).await?)
}

/// Hands a ready roster, and the agreement before it, to the host. Done twice it is done once: the host knows a
/// document it has.
///
/// # Errors
/// [`DispatchError`].
pub async fn send_to_host(console: &Console, roster: &Roster, clerk: &Clerk) -> Result<(), DispatchError> {
    let (store, now) = (console.store(), console.now()?);
    let (keys, url) = relay_of(console)?;
    // Asked before it leaves; what is found then is noted even if the host can't be reached.
    let mut write = store.write().await?;
    by_another(&mut write, roster, clerk).await?;
    let good = check_once_more(&mut write, roster, clerk, now).await?;
    write.commit().await?;
    if !good {
        return Err(DispatchError::Rule("dispatch.void"));
    }
    if roster.state != "ready" {
        return Err(DispatchError::Rule("dispatch.not_now"));
    }
    let relay = Relay::sign_in(url, keys).await?;
    relay.post(&Place::Agreements, agreement::document(store, roster.agreement).await?).await?;
    relay.post(&Place::Rosters, document(store, roster.id).await?).await?;
    mark_sent(console, roster, "host", clerk).await
}

pub(super) fn relay_of(console: &Console) -> Result<(&Keys, &str), DispatchError> {
    let config = console.config();
    let centre = config.centre.as_ref().ok_or(DispatchError::Rule("dispatch.no_centre"))?;
    let url = config.relay.as_deref().ok_or(DispatchError::Rule("dispatch.no_host"))?;
    Ok((&centre.keys, url))
}

pub(super) async fn mark_sent(
    console: &Console,
    roster: &Roster,
    way: &'static str,
    clerk: &Clerk,
) -> Result<(), DispatchError> {
    let now = console.now()?;
    let mut write = console.store().write().await?;
    by_another(&mut write, roster, clerk).await?;
    if way == "file" && !check_once_more(&mut write, roster, clerk, now).await? {
        write.commit().await?;
        return Err(DispatchError::Rule("dispatch.void"));
    }
    let done =
        sqlx::query("UPDATE rosters SET state = 'sent', way = ?, sent = ? WHERE id = ? AND state = 'ready'")
            .bind(way)
            .bind(unix(now))
            .bind(roster.id)
            .execute(write.connection())
            .await?;
    if done.rows_affected() == 0 {
        return Err(DispatchError::Rule("dispatch.not_now"));
    }
    let object = Object::Document("roster", roster.id, roster.digest);
    write.log(Action("roster.sent"), &clerk.code, now, object).await?;
    write.commit().await?;
    Ok(())
}

/// Gives the answer to a roster up: its cases go on without it. One that comes later is taken all the same.
///
/// # Errors
/// [`DispatchError`] when no answer is waited for.
pub async fn close(console: &Console, roster: &Roster, clerk: &Clerk) -> Result<(), DispatchError> {
    let now = console.now()?;
    let mut write = console.store().write().await?;
    let done = sqlx::query(
        "UPDATE rosters SET closed = ?, closed_by = ? WHERE id = ? AND state = 'sent' AND closed IS NULL",
    )
    .bind(unix(now))
    .bind(clerk.id)
    .bind(roster.id)
    .execute(write.connection())
    .await?;
    if done.rows_affected() == 0 {
        return Err(DispatchError::Rule("dispatch.not_now"));
    }
    let object = Object::Document("roster", roster.id, roster.digest);
    write.log(Action("roster.closed"), &clerk.code, now, object).await?;
    finish(&mut write, roster.batch, clerk, now).await?;
    write.commit().await?;
    Ok(())
}

//! Second organisations: their keys, registered by one person and confirmed by another, and the request that lets one
//! of them rebuild a roster from its own list before it signs. Only the co-signer can open what leaves here.

use desk::{Applicants, cosigning};
use protocol::agreement::Agreement as Terms;
use protocol::cosigning::CosignerJoining;
use protocol::roster::Roster as Header;
use protocol::secret::Entropy;
use protocol::value::{PublicKey, SealingKey};
use protocol::{Document, Time};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::agreement::{self, Confirmable};
use super::error::DispatchError;
use super::lists;
use super::roster::{Roster, document};
use crate::console::Console;
use crate::staff::Clerk;
use crate::store::{Action, Fault, Object, Store, Write, unix};

/// A second organisation as it is kept.
#[derive(Debug)]
pub struct Cosigner {
    /// The row.
    pub id: i64,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What it signs with; agreements name it.
    pub signing_key: PublicKey,
    /// What requests are sealed to.
    pub sealing_key: SealingKey,
    /// The account that added it.
    pub added_by: String,
    /// Whether a second person has confirmed it.
    pub confirmed: bool,
}

/// Whether any agreement names a co-signer: only then is there a place for one.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn is_asked_for(store: &Store) -> Result<bool, Fault> {
    let cosigned: i64 = sqlx::query_scalar("SELECT count(*) FROM agreements WHERE cosigned <> 0")
        .fetch_one(store.read())
        .await?;
    Ok(cosigned > 0)
}

/// Takes a co-signer's joining request in.
///
/// # Errors
/// [`DispatchError`] when it is not signed by its own key, no agreement names that key, or it is here already.
pub async fn add(write: &mut Write, bytes: &[u8], clerk: &Clerk, now: Time) -> Result<i64, DispatchError> {
    let document = Document::<CosignerJoining>::read(bytes)?;
    let digest = document.digest;
    let joining = document.check()?;
    let agreements: Vec<Vec<u8>> = sqlx::query_scalar("SELECT document FROM agreements WHERE cosigned <> 0")
        .fetch_all(write.connection())
        .await?;
    let names_it = |bytes: &Vec<u8>| {
        Document::<Terms>::read(bytes).is_ok_and(|d| d.header.cosigner_key == Some(joining.signing_key))
    };
    if !agreements.iter().any(names_it) {
        return Err(DispatchError::Rule("cosigner.not_named"));
    }
    let known: i64 = sqlx::query_scalar("SELECT count(*) FROM cosigners WHERE signing_key = ?")
        .bind(joining.signing_key.as_bytes().as_slice())
        .fetch_one(write.connection())
        .await?;
    if known > 0 {
        return Err(DispatchError::Rule("cosigner.known"));
    }
    let id = write.next_id("cosigners").await?;
    sqlx::query(
        "INSERT INTO cosigners (id, code, name, signing_key, digest, document, added_by, added) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(joining.code.as_str())
    .bind(joining.name.as_str())
    .bind(joining.signing_key.as_bytes().as_slice())
    .bind(digest.as_bytes().as_slice())
    .bind(bytes)
    .bind(clerk.id)
    .bind(unix(now))
    .execute(write.connection())
    .await?;
    write.log(Action("cosigner.added"), &clerk.code, now, Object::Document("cosigner", id, digest)).await?;
    Ok(id)
}

/// A second person confirms that the keys are those on paper.
///
/// # Errors
/// [`DispatchError`] when it is the same person who added them, or they are confirmed already.
pub async fn confirm(write: &mut Write, id: i64, clerk: &Clerk, now: Time) -> Result<(), DispatchError> {
    agreement::confirm_row(write, &COSIGNERS, id, clerk, now).await
}

const COSIGNERS: Confirmable =
    Confirmable { table: "cosigners", kind: "cosigner", action: Action("cosigner.confirmed") };

/// All, in the order of their codes.
///
/// # Errors
/// [`Fault`] of the database.
pub async fn all(store: &Store) -> Result<Vec<Cosigner>, Fault> {
    let rows = sqlx::query(
        "SELECT cosigners.*, staff.code AS staff_code FROM cosigners JOIN staff ON staff.id = added_by \
         ORDER BY cosigners.code, cosigners.id",
    )
    .fetch_all(store.read())
    .await?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &SqliteRow) -> Result<Cosigner, Fault> {
    let joining = joining(row)?;
    Ok(Cosigner {
        id: row.try_get("id")?,
        code: row.try_get("code")?,
        name: row.try_get("name")?,
        signing_key: joining.signing_key,
        sealing_key: joining.sealing_key,
        added_by: row.try_get("staff_code")?,
        confirmed: row.try_get::<Option<i64>, _>("confirmed")?.is_some(),
    })
}

fn joining(row: &SqliteRow) -> Result<CosignerJoining, Fault> {
    let document = Document::<CosignerJoining>::read(row.try_get("document")?);
    Ok(document.map_err(|_| Fault::Stored("cosigners"))?.header)
}

/// The confirmed keys of whoever signs with `key`.
async fn of_key(store: &Store, key: PublicKey) -> Result<CosignerJoining, DispatchError> {
    let row = sqlx::query("SELECT document FROM cosigners WHERE signing_key = ? AND confirmed IS NOT NULL")
        .bind(key.as_bytes().as_slice())
        .fetch_optional(store.read())
        .await?;
    let row = row.ok_or(DispatchError::Rule("cosigner.unknown"))?;
    Ok(joining(&row)?)
}

/// Makes the co-signing request of a roster that waits for its second signature, from the list that is kept. Each time
/// is logged.
///
/// # Errors
/// [`DispatchError`] when the roster waits for none, or the co-signer's keys are not here and confirmed.
pub async fn request(console: &Console, roster: &Roster, clerk: &Clerk) -> Result<Vec<u8>, DispatchError> {
    let (store, now) = (console.store(), console.now()?);
    if roster.state != "unsigned" {
        return Err(DispatchError::Rule("dispatch.not_now"));
    }
    let bytes = document(store, roster.id).await?;
    let day = Document::<Header>::read(&bytes)?.header.issued.date();
    let terms = Document::<Terms>::read(&agreement::document(store, roster.agreement).await?)?.check(day)?;
    let key = terms.terms.cosigner_key.ok_or(DispatchError::Rule("dispatch.not_now"))?;
    let cosigner = of_key(store, key).await?;
    let file = lists::file_of(store, roster.id).await?;
    let entropy = Entropy::new(&*store.random::<32>()?).map_err(|_| Fault::Randomness)?;
    let shared = console.clone();
    // Off the threads that serve requests.
    let made = tokio::task::spawn_blocking(move || {
        let centre = shared.config().centre.as_ref().ok_or(DispatchError::Rule("dispatch.no_centre"))?;
        let people = Applicants::read(&file, day).map_err(|_| Fault::Stored("lists"))?;
        cosigning::make_request(&bytes, &terms, &people, &centre.keys, &cosigner, now, &entropy)
            .map_err(|_| DispatchError::Rule("dispatch.refused"))
    });
    let made = made.await.map_err(|_| Fault::Stored("rosters"))??;
    let mut write = store.write().await?;
    let object = Object::Document("roster", roster.id, roster.digest);
    write.log(Action("roster.cosign-request"), &clerk.code, now, object).await?;
    write.commit().await?;
    Ok(made)
}

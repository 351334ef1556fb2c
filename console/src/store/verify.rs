//! Checks the log of a data folder, locked or not: the chain, the rows its entries speak of, the signed
//! checkpoints. Reads the file only, and shares nothing with the writer but the format.

use std::path::Path;

use protocol::log::LogEntry;
use protocol::value::PublicKey;
use protocol::{Digest, canonical};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Row as _};

use super::{Columns as _, Fault, log};

/// What a sound log has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// Entries.
    pub entries: u64,
    /// The head.
    pub head: Digest,
    /// Signed checkpoints.
    pub checkpoints: u64,
}

/// Why a log is not sound.
#[derive(Debug, thiserror::Error)]
pub enum Unsound {
    /// It can't be read.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// An entry does not follow from those before it.
    #[error("log entry {0} does not follow from those before it")]
    Chain(u64),
    /// An entry speaks of another row than it says.
    #[error("log entry {0} stands for another row than it says")]
    Row(u64),
    /// The log ends before a checkpoint, or differs from it.
    #[error("the log does not agree with the signed checkpoint at entry {0}")]
    Checkpoint(i64),
    /// SQLite finds damage.
    #[error("SQLite finds the file damaged")]
    Damaged,
}

/// Checks the log of the desk in `folder`.
///
/// # Errors
/// [`Unsound`], with the entry at fault.
pub async fn verify(folder: &Path) -> Result<Verified, Unsound> {
    let path = super::existing(folder)?;
    let options = SqliteConnectOptions::new().filename(path);
    let mut file = SqliteConnection::connect_with(&options).await.map_err(Fault::from)?;
    let checked = check(&mut file).await;
    let _ = file.close().await;
    checked
}

async fn check(file: &mut SqliteConnection) -> Result<Verified, Unsound> {
    let whole: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut *file).await.map_err(Fault::from)?;
    if whole != "ok" {
        return Err(Unsound::Damaged);
    }
    let rows = sqlx::query("SELECT * FROM log ORDER BY sequence").fetch_all(&mut *file).await;
    let rows = rows.map_err(Fault::from)?;
    let (mut heads, mut previous) = (Vec::with_capacity(rows.len()), LogEntry::GENESIS);
    for (expected, row) in (1_u64..).zip(&rows) {
        let broken = || Unsound::Chain(expected);
        let json: String = row.try_get("entry").map_err(Fault::from)?;
        let entry: LogEntry = canonical::decode(json.as_bytes()).map_err(|_| broken())?;
        let digest = entry.digest().map_err(|_| broken())?;
        let stored: i64 = row.try_get("sequence").map_err(Fault::from)?;
        if entry.sequence != expected
            || u64::try_from(stored) != Ok(expected)
            || entry.previous != previous
            || row.digest("digest")? != digest
        {
            return Err(broken());
        }
        // A document's entry carries the document's digest; any other, that of its row.
        let kind: Option<String> = row.try_get("kind").map_err(Fault::from)?;
        let object: Option<i64> = row.try_get("object").map_err(Fault::from)?;
        let documents =
            ["roster", "agreement", "answer", "review", "report", "archive", "base_data", "cosigner"];
        let good = match (kind.as_deref(), object) {
            (None, None) => entry.object.is_none(),
            (Some(kind), Some(row)) => {
                entry.object == Some(log::row_digest(kind, row))
                    || (documents.contains(&kind) && entry.object.is_some())
            }
            _ => false,
        };
        if !good {
            return Err(Unsound::Row(expected));
        }
        previous = digest;
        heads.push(digest);
    }
    let checkpoints = sqlx::query("SELECT * FROM checkpoints ORDER BY sequence").fetch_all(file).await;
    let checkpoints = checkpoints.map_err(Fault::from)?;
    for row in &checkpoints {
        let sequence: i64 = row.try_get("sequence").map_err(Fault::from)?;
        let bad = || Unsound::Checkpoint(sequence);
        let at = usize::try_from(sequence).ok().and_then(|n| n.checked_sub(1));
        let head = at.and_then(|at| heads.get(at)).ok_or_else(bad)?;
        let signature: Vec<u8> = row.try_get("signature").map_err(Fault::from)?;
        let signature = signature.try_into().map_err(|_| bad())?;
        let message = log::checkpoint_message(sequence, head, row.time("at")?);
        let key = PublicKey(row.digest("key")?.0);
        if row.digest("digest")? != *head || !protocol::secret::verify(&key, &message, &signature) {
            return Err(bad());
        }
    }
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Ok(Verified { entries: count(heads.len()), head: previous, checkpoints: count(checkpoints.len()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::SystemRandomness;
    use crate::store::{Action, Cost, Object, Store};
    use std::sync::Arc;

    async fn with_entries(folder: &Path) -> Store {
        let random = Arc::new(SystemRandomness);
        let store = Store::init(folder, b"correct horse battery", Cost::LEAST, random).await.unwrap();
        let actor = "jb01".parse().unwrap();
        let at = protocol::Time::from_unix(1_800_000_000).unwrap();
        for row in 1..=5 {
            let mut write = store.write().await.unwrap();
            let place =
                write.log(Action("person.seen"), &actor, at, Object::Row("person", row)).await.unwrap();
            if row == 4 {
                let key = protocol::secret::SigningKey::from_seed(&[7; 32]);
                log::checkpoint(&mut write, place, at, &key).await.unwrap();
            }
            write.commit().await.unwrap();
        }
        store
    }

    async fn after(change: &str) -> Result<Verified, Unsound> {
        let folder = tempfile::tempdir().unwrap();
        let store = with_entries(folder.path()).await;
        for trigger in ["log_is_never_changed", "log_is_never_shortened"] {
            sqlx::query(sqlx::AssertSqlSafe(format!("DROP TRIGGER {trigger}")))
                .execute(store.read())
                .await
                .unwrap();
        }
        let mut one = store.read().acquire().await.unwrap();
        sqlx::query("PRAGMA foreign_keys = OFF").execute(&mut *one).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(change.to_owned())).execute(&mut *one).await.unwrap();
        drop(one);
        store.close().await;
        verify(folder.path()).await
    }

    #[tokio::test]
    async fn a_sound_log_is_found_sound_and_any_change_shows() {
        let sound = after("SELECT 1").await.unwrap();
        assert_eq!((sound.entries, sound.checkpoints), (5, 1));
        let changed = after("UPDATE log SET entry = replace(entry, 'jb01', 'jb02') WHERE sequence = 3").await;
        assert!(matches!(changed, Err(Unsound::Chain(3))), "{changed:?}");
        let moved = after("UPDATE log SET object = 9 WHERE sequence = 2").await;
        assert!(matches!(moved, Err(Unsound::Row(2))), "{moved:?}");
        let gone = after("DELETE FROM log WHERE sequence = 2").await;
        assert!(matches!(gone, Err(Unsound::Chain(2))), "{gone:?}");
        let cut = after("DELETE FROM log WHERE sequence >= 4").await;
        assert!(matches!(cut, Err(Unsound::Checkpoint(4))), "{cut:?}");
    }

    #[tokio::test]
    async fn the_log_is_append_only() {
        let folder = tempfile::tempdir().unwrap();
        let store = with_entries(folder.path()).await;
        for change in ["UPDATE log SET kind = 'x'", "DELETE FROM log"] {
            assert!(sqlx::query(change).execute(store.read()).await.is_err(), "{change}");
        }
    }
}

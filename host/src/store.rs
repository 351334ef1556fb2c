//! The SQLite file: opened, migrated, written by one transaction at a time.
//!
//! A change and its log entry share a [`Write`]. SQLite runs in WAL mode with `synchronous=FULL`, so what
//! a [`Write::commit`] returned for is there after a power cut.

use std::path::Path;
use std::sync::Arc;

use protocol::{Code, Digest, PublicKey, Time};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Row as _, Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::problem::Fault;

const FILE: &str = "host.sqlite";

/// Readers side by side; writers queue in [`Store::write`].
const MAX_CONNECTIONS: u32 = 8;

/// The tables of `migrations/`, compiled in.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

#[derive(Debug)]
pub(crate) struct Store {
    pool: SqlitePool,
    turn: Arc<Mutex<()>>,
}

impl Store {
    pub(crate) async fn open(data_dir: &Path) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(data_dir.join(FILE))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true);
        let pool = SqlitePoolOptions::new().max_connections(MAX_CONNECTIONS).connect_with(options).await?;
        MIGRATIONS.run(&pool).await?;
        Ok(Self { pool, turn: Arc::default() })
    }

    /// For statements that only read.
    pub(crate) fn read(&self) -> &SqlitePool {
        &self.pool
    }

    /// Begins a transaction that may write. Others wait for their turn here rather than poll the file.
    pub(crate) async fn write(&self) -> Result<Write, Fault> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Write { transaction, _turn: turn })
    }

    /// Waits for what is under way and closes the file.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// A transaction that may write. Dropped without [`Write::commit`], it changes nothing.
#[derive(Debug)]
pub(crate) struct Write {
    transaction: Transaction<'static, Sqlite>,
    _turn: OwnedMutexGuard<()>,
}

impl Write {
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    pub(crate) async fn commit(self) -> Result<(), Fault> {
        Ok(self.transaction.commit().await?)
    }
}

/// Reads the columns of a row into the types of the protocol.
pub(crate) trait Columns {
    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, Fault>;
    fn text(&self, column: &'static str) -> Result<String, Fault>;
    fn number(&self, column: &'static str) -> Result<u64, Fault>;
    fn key_bytes(&self, column: &'static str) -> Result<[u8; 32], Fault>;
    fn optional_time(&self, column: &'static str) -> Result<Option<Time>, Fault>;

    fn digest(&self, column: &'static str) -> Result<Digest, Fault> {
        self.key_bytes(column).map(Digest)
    }

    fn key(&self, column: &'static str) -> Result<PublicKey, Fault> {
        self.key_bytes(column).map(PublicKey)
    }

    fn code(&self, column: &'static str) -> Result<Code, Fault> {
        self.text(column)?.parse().map_err(|_| Fault::Stored(column))
    }

    fn time(&self, column: &'static str) -> Result<Time, Fault> {
        Time::from_unix(self.number(column)?).ok_or(Fault::Stored(column))
    }
}

impl Columns for SqliteRow {
    fn bytes(&self, column: &'static str) -> Result<Vec<u8>, Fault> {
        Ok(self.try_get(column)?)
    }

    fn text(&self, column: &'static str) -> Result<String, Fault> {
        Ok(self.try_get(column)?)
    }

    fn number(&self, column: &'static str) -> Result<u64, Fault> {
        u64::try_from(self.try_get::<i64, _>(column)?).map_err(|_| Fault::Stored(column))
    }

    fn key_bytes(&self, column: &'static str) -> Result<[u8; 32], Fault> {
        self.bytes(column)?.try_into().map_err(|_| Fault::Stored(column))
    }

    fn optional_time(&self, column: &'static str) -> Result<Option<Time>, Fault> {
        let Some(seconds) = self.try_get::<Option<i64>, _>(column)? else { return Ok(None) };
        let time = u64::try_from(seconds).ok().and_then(Time::from_unix);
        time.map(Some).ok_or(Fault::Stored(column))
    }
}

/// A count or a time as SQLite holds it. Nothing here reaches 2^63.
pub(crate) fn integer(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

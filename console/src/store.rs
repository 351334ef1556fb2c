//! The desk's database: one SQLite file, written by one transaction at a time, in which nothing about a
//! person stands in clear.
//!
//! `vault` seals columns and makes blind indices, `log` is the hash chain that each [`Write`] appends to,
//! `list` reads pages of lists, `backup` carries the whole file away sealed, `verify` checks it. WAL mode with `synchronous=FULL`: what a
//! [`Write::commit`] returned for is there after a power cut. SQLite's temporary files stay in memory.

pub mod backup;
pub mod list;
pub mod log;
pub mod vault;
pub mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::{Digest, Time};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Row as _, Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};
use zeroize::Zeroizing;

use crate::edge::Randomness;
pub use log::{Action, Object};
pub use vault::{Clear, Column, Cost, Json, Vault};

/// The database within the data folder.
pub const FILE: &str = "desk.sqlite";

/// Readers side by side; writers queue in [`Store::write`].
const MAX_CONNECTIONS: u32 = 8;

/// The tables of `migrations/`, compiled in.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The database, unlocked.
#[derive(Clone)]
pub struct Store {
    pool: SqlitePool,
    turn: Arc<Mutex<()>>,
    vault: Arc<Vault>,
    randomness: Arc<dyn Randomness>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store(..)")
    }
}

impl Store {
    /// Makes a new data folder with a new data key under `passphrase`.
    ///
    /// # Errors
    /// [`Fault::Exists`] when there is a database already; [`Fault::WeakPassphrase`].
    pub async fn init(
        folder: &Path,
        passphrase: &[u8],
        cost: Cost,
        randomness: Arc<dyn Randomness>,
    ) -> Result<Self, Fault> {
        let (vault, sealed) = Vault::make(passphrase, cost, &*randomness)?;
        std::fs::create_dir_all(folder)?;
        restrict(folder, 0o700)?;
        let path = folder.join(FILE);
        // Its owner's alone, from the first byte on.
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(Fault::Exists),
            opened => opened?,
        };
        let pool = connect(&path).await?;
        sqlx::query("INSERT INTO vault (id, m_kib, t, p, salt, sealed) VALUES (1, ?, ?, ?, ?, ?)")
            .bind(sealed.cost.m_kib)
            .bind(sealed.cost.t)
            .bind(sealed.cost.p)
            .bind(sealed.salt)
            .bind(sealed.sealed)
            .execute(&pool)
            .await?;
        Ok(Self { pool, turn: Arc::default(), vault: Arc::new(vault), randomness })
    }

    /// Opens the data folder and unlocks the data key.
    ///
    /// # Errors
    /// [`Fault::Absent`] when there is no database, [`Fault::Passphrase`] when it is another passphrase.
    pub async fn open(
        folder: &Path,
        passphrase: &[u8],
        randomness: Arc<dyn Randomness>,
    ) -> Result<Self, Fault> {
        let pool = connect(&existing(folder)?).await?;
        let row = sqlx::query("SELECT * FROM vault").fetch_optional(&pool).await?;
        let row = row.ok_or(Fault::Stored("vault"))?;
        let sealed = vault::Sealed {
            cost: Cost { m_kib: row.try_get("m_kib")?, t: row.try_get("t")?, p: row.try_get("p")? },
            salt: row.try_get("salt")?,
            sealed: row.try_get("sealed")?,
        };
        let vault = Vault::unlock(&sealed, passphrase)?;
        Ok(Self { pool, turn: Arc::default(), vault: Arc::new(vault), randomness })
    }

    /// For statements that only read.
    pub fn read(&self) -> &SqlitePool {
        &self.pool
    }

    /// Begins a transaction that may write. Others wait for their turn here rather than poll the file.
    ///
    /// # Errors
    /// [`Fault`] of the database.
    pub async fn write(&self) -> Result<Write, Fault> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Write { transaction, store: self.clone(), _turn: turn })
    }

    /// The data key.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Where random bytes come from.
    pub fn randomness(&self) -> &dyn Randomness {
        &*self.randomness
    }

    /// `N` random bytes.
    ///
    /// # Errors
    /// [`Fault::Randomness`].
    pub fn random<const N: usize>(&self) -> Result<Zeroizing<[u8; N]>, Fault> {
        let mut bytes = Zeroizing::new([0; N]);
        self.randomness.fill(&mut *bytes).ok_or(Fault::Randomness)?;
        Ok(bytes)
    }

    /// Opens a sealed column of a row that was read.
    ///
    /// # Errors
    /// [`Fault::Stored`] when it does not open.
    pub fn open_cell<T: Clear>(
        &self,
        column: &Column<T>,
        id: i64,
        row: &SqliteRow,
        name: &str,
    ) -> Result<T, Fault> {
        self.vault.open(column, id, &row.try_get::<Vec<u8>, _>(name)?)
    }

    /// Waits for what is under way and closes the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A transaction that may write. Dropped without [`Write::commit`], it changes nothing.
#[derive(Debug)]
pub struct Write {
    transaction: Transaction<'static, Sqlite>,
    store: Store,
    _turn: OwnedMutexGuard<()>,
}

impl Write {
    /// For the statements of this transaction.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    /// A row number of `table` that was never given out.
    ///
    /// # Errors
    /// [`Fault`] of the database.
    pub async fn next_id(&mut self, table: &str) -> Result<i64, Fault> {
        self.take_ids(table, 1).await
    }

    /// The first of `count` row numbers in a row.
    ///
    /// # Errors
    /// [`Fault`] of the database.
    pub async fn take_ids(&mut self, table: &str, count: i64) -> Result<i64, Fault> {
        let next: i64 = sqlx::query_scalar(
            "INSERT INTO sequences (name, next) VALUES (?, 1 + ?) \
             ON CONFLICT (name) DO UPDATE SET next = next + ? RETURNING next",
        )
        .bind(table)
        .bind(count)
        .bind(count)
        .fetch_one(self.connection())
        .await?;
        Ok(next - count)
    }

    /// Seals a value for a row of this transaction.
    ///
    /// # Errors
    /// [`Fault::Randomness`].
    pub fn seal<T: Clear>(&self, column: &Column<T>, row: i64, value: &T) -> Result<Vec<u8>, Fault> {
        self.store.vault.seal(column, row, value, &*self.store.randomness)
    }

    /// The store this is a transaction of.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Appends to the log. Each change has its entry in the same transaction.
    ///
    /// # Errors
    /// [`Fault`] of the database.
    pub async fn log(
        &mut self,
        action: Action,
        actor: &protocol::Code,
        at: Time,
        object: Object,
    ) -> Result<log::Place, Fault> {
        log::append(self, action, actor, at, &[object]).await
    }

    /// Appends an entry for each of `objects`.
    ///
    /// # Errors
    /// [`Fault`] of the database.
    pub async fn log_all(
        &mut self,
        action: Action,
        actor: &protocol::Code,
        at: Time,
        objects: &[Object],
    ) -> Result<log::Place, Fault> {
        log::append(self, action, actor, at, objects).await
    }

    /// Makes it all stay.
    ///
    /// # Errors
    /// [`Fault`] of the database; then nothing has changed.
    pub async fn commit(self) -> Result<(), Fault> {
        Ok(self.transaction.commit().await?)
    }
}

/// What is wrong inside: with the disk, the database or what lies in it. Never what a person typed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The database refuses.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// A migration fails.
    #[error("the database's tables: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A file can't be read or written.
    #[error("a file: {}", .0.kind())]
    File(#[from] std::io::Error),
    /// A stored value is not what was written.
    #[error("what is stored as {0} can't be read")]
    Stored(&'static str),
    /// There is a database in the folder already.
    #[error("there is a desk in this folder already, or something else")]
    Exists,
    /// There is none.
    #[error("there is no desk in this folder; make one with `hedui desk init`")]
    Absent,
    /// Another passphrase.
    #[error("this is not the passphrase of the data key")]
    Passphrase,
    /// Too short.
    #[error("the passphrase needs at least {} bytes", vault::SHORTEST_PASSPHRASE)]
    WeakPassphrase,
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    Randomness,
    /// The system's clock is off.
    #[error("the system's clock shows no time between 1970 and 2199")]
    Clock,
    /// Something that this program made itself is not as it should be.
    #[error("an own document: {0}")]
    Own(#[from] protocol::DecodeError),
    /// A template can't be written as a spreadsheet.
    #[error("a spreadsheet: {0}")]
    Spreadsheet(#[from] rust_xlsxwriter::XlsxError),
}

/// Reads the columns of a row into the types of the protocol.
pub trait Columns {
    /// 32 bytes.
    ///
    /// # Errors
    /// [`Fault::Stored`].
    fn digest(&self, column: &'static str) -> Result<Digest, Fault>;
    /// Unix seconds.
    ///
    /// # Errors
    /// [`Fault::Stored`].
    fn time(&self, column: &'static str) -> Result<Time, Fault>;
    /// yyyymmdd.
    ///
    /// # Errors
    /// [`Fault::Stored`].
    fn day(&self, column: &'static str) -> Result<protocol::value::Date, Fault>;
    /// yyyymmdd or null.
    ///
    /// # Errors
    /// [`Fault::Stored`].
    fn optional_day(&self, column: &'static str) -> Result<Option<protocol::value::Date>, Fault>;
    /// Unix seconds or null.
    ///
    /// # Errors
    /// [`Fault::Stored`].
    fn optional_time(&self, column: &'static str) -> Result<Option<Time>, Fault>;
}

impl Columns for SqliteRow {
    fn digest(&self, column: &'static str) -> Result<Digest, Fault> {
        let bytes: Vec<u8> = self.try_get(column)?;
        bytes.try_into().map(Digest).map_err(|_| Fault::Stored(column))
    }

    fn time(&self, column: &'static str) -> Result<Time, Fault> {
        self.optional_time(column)?.ok_or(Fault::Stored(column))
    }

    fn day(&self, column: &'static str) -> Result<protocol::value::Date, Fault> {
        self.optional_day(column)?.ok_or(Fault::Stored(column))
    }

    fn optional_day(&self, column: &'static str) -> Result<Option<protocol::value::Date>, Fault> {
        let Some(day) = self.try_get::<Option<u32>, _>(column)? else { return Ok(None) };
        protocol::value::Date::from_number(day).map(Some).ok_or(Fault::Stored(column))
    }

    fn optional_time(&self, column: &'static str) -> Result<Option<Time>, Fault> {
        let Some(seconds) = self.try_get::<Option<i64>, _>(column)? else { return Ok(None) };
        let time = u64::try_from(seconds).ok().and_then(Time::from_unix);
        time.map(Some).ok_or(Fault::Stored(column))
    }
}

/// A time as SQLite holds it.
pub fn unix(time: Time) -> i64 {
    i64::try_from(time.unix()).unwrap_or(i64::MAX)
}

/// The database of a folder that has one.
pub(crate) fn existing(folder: &Path) -> Result<PathBuf, Fault> {
    let path = folder.join(FILE);
    if path.is_file() { Ok(path) } else { Err(Fault::Absent) }
}

async fn connect(path: &Path) -> Result<SqlitePool, Fault> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("temp_store", "MEMORY")
        .pragma("secure_delete", "ON")
        .foreign_keys(true);
    let pool = SqlitePoolOptions::new().max_connections(MAX_CONNECTIONS).connect_with(options).await?;
    MIGRATIONS.run(&pool).await?;
    Ok(pool)
}

fn restrict(path: &Path, mode: u32) -> std::io::Result<()> {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    let _ = (path, mode);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::SystemRandomness;

    const SECRET: Column<String> = Column::new("staff.name");

    #[tokio::test]
    async fn a_desk_is_made_once_and_opened_with_its_passphrase() {
        let folder = tempfile::tempdir().unwrap();
        let random = || Arc::new(SystemRandomness);
        assert!(matches!(
            Store::open(folder.path(), b"correct horse battery", random()).await,
            Err(Fault::Absent)
        ));
        let store =
            Store::init(folder.path(), b"correct horse battery", Cost::LEAST, random()).await.unwrap();
        store.close().await;
        assert!(
            Store::init(folder.path(), b"correct horse battery", Cost::LEAST, random()).await.is_err(),
            "nothing is overwritten"
        );
        assert!(matches!(
            Store::open(folder.path(), b"another horse battery", random()).await,
            Err(Fault::Passphrase)
        ));
        Store::open(folder.path(), b"correct horse battery", random()).await.unwrap().close().await;
    }

    #[tokio::test]
    async fn numbers_are_never_given_out_twice_and_a_dropped_write_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Store::init(folder.path(), b"correct horse battery", Cost::LEAST, Arc::new(SystemRandomness))
                .await
                .unwrap();
        let mut write = store.write().await.unwrap();
        assert_eq!(write.next_id("people").await.unwrap(), 1);
        assert_eq!(write.take_ids("people", 10).await.unwrap(), 2);
        write.commit().await.unwrap();
        let mut write = store.write().await.unwrap();
        assert_eq!(write.next_id("people").await.unwrap(), 12);
        drop(write);
        let mut write = store.write().await.unwrap();
        assert_eq!(write.next_id("people").await.unwrap(), 12);
        let cell = write.seal(&SECRET, 12, &"x".to_owned()).unwrap();
        assert_eq!(store.vault().open(&SECRET, 12, &cell).unwrap(), "x");
    }
}

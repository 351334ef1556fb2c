//! The sealed backup of every night: made by the running desk into a folder, sealed to a key whose secret half lies
//! elsewhere. A night that was missed is made up for when the desk is started; old ones go when there are enough.

use std::path::{Path, PathBuf};
use std::time::Duration;

use protocol::Time;
use protocol::secret::Entropy;
use protocol::value::SealingKey;

use crate::console::Console;
use crate::store::backup::{self, BackupError};
use crate::store::{Action, Columns as _, Fault, Object, Store, unix};

/// How often it is looked whether one is due.
const LOOK: Duration = Duration::from_secs(60);
/// How long is waited after one that failed.
const AFTER_A_FAILURE: Duration = Duration::from_secs(3_600);
/// The account that the log names.
const ACTOR: &str = "desk";
const SUFFIX: &str = ".backup.hedui";

/// When, where to, and for whom.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The desk's data folder.
    pub data: PathBuf,
    /// To whom it is sealed.
    pub to: SealingKey,
    /// Where backups are put; made when it is not there.
    pub folder: PathBuf,
    /// Minute of the day in China from which the night's backup is made.
    pub at_minute: u64,
    /// Backups that are kept.
    pub keep: usize,
}

/// How it stands, as pages show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// When the last one was made.
    pub made: Option<Time>,
    /// When one failed last.
    pub failed: Option<Time>,
}

impl Standing {
    /// Reads it.
    ///
    /// # Errors
    /// [`Fault`] of the database.
    pub async fn read(store: &Store) -> Result<Self, Fault> {
        let row = sqlx::query(
            "SELECT (SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'backup_made') AS made, \
             (SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'backup_failed') AS failed",
        )
        .fetch_one(store.read())
        .await?;
        Ok(Self { made: row.optional_time("made")?, failed: row.optional_time("failed")? })
    }

    /// Whether the last attempt failed.
    pub fn is_broken(self) -> bool {
        self.failed > self.made
    }
}

/// Looks every minute, for ever, whether a backup is due, and makes it.
pub async fn every_night(console: Console, plan: Plan) {
    loop {
        let wait = match once(&console, &plan).await {
            Ok(_) => LOOK,
            Err(error) => {
                eprintln!("hedui desk: the nightly backup failed: {error}");
                let _ = note(&console, "backup_failed", Action("backup.failed")).await;
                AFTER_A_FAILURE
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// Makes the night's backup when it is due and not there yet; gives the file.
///
/// # Errors
/// [`BackupError`]; then nothing unfinished bears the name of a backup.
pub async fn once(console: &Console, plan: &Plan) -> Result<Option<PathBuf>, BackupError> {
    let now = console.now()?;
    let minute = (now.unix() + 8 * 3_600) / 60 % (24 * 60);
    let out = plan.folder.join(format!("desk-{}{SUFFIX}", now.date()));
    if minute < plan.at_minute || out.exists() {
        return Ok(None);
    }
    std::fs::create_dir_all(&plan.folder)?;
    // Under another name until it is whole: a desk that is killed leaves no half backup that looks like one.
    let part = out.with_extension("part");
    if part.exists() {
        std::fs::remove_file(&part)?;
    }
    let entropy = Entropy::new(&*console.store().random::<32>()?).map_err(|_| Fault::Randomness)?;
    backup::back_up(&plan.data, &plan.to, &part, &entropy).await?;
    std::fs::rename(&part, &out)?;
    prune(&plan.folder, plan.keep)?;
    note(console, "backup_made", Action("backup.made")).await?;
    Ok(Some(out))
}

/// Removes the oldest beyond `keep`. The names' order is that of the days.
fn prune(folder: &Path, keep: usize) -> std::io::Result<()> {
    let mut all: Vec<PathBuf> = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("desk-")
            && name.ends_with(SUFFIX)
            && name.len() == "desk-2026-11-26".len() + SUFFIX.len()
        {
            all.push(path);
        }
    }
    all.sort();
    for old in all.iter().rev().skip(keep.max(1)) {
        std::fs::remove_file(old)?;
    }
    Ok(())
}

async fn note(console: &Console, name: &'static str, action: Action) -> Result<(), Fault> {
    let now = console.now()?;
    let mut write = console.store().write().await?;
    sqlx::query("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)")
        .bind(name)
        .bind(unix(now).to_string())
        .execute(write.connection())
        .await?;
    write.log(action, &ACTOR.parse()?, now, Object::Nothing).await?;
    write.commit().await
}

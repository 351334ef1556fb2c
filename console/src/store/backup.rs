//! The sealed backup: the whole database, sealed to a public key whose secret half lies elsewhere.
//!
//! ```text
//! "hedui/backup/v1" 0x0A
//! enc (32) ‖ sealed file key (48)            HPKE to the backup key, info LABEL as below
//! pieces of 65,536 bytes, each with its tag (16)
//! ```
//! Piece n goes under nonce `u8 last ‖ 0x000000 ‖ u64 n`: none can be left out, moved, or be the end too early.
//! What is sealed is itself sealed column by column, so that restoring needs the backup key, and using
//! what was restored needs the data passphrase as well.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write as _};
use std::path::Path;

use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use protocol::hedge::{Stream, Use};
use protocol::secret::{Entropy, OpeningKey};
use protocol::value::SealingKey;
use protocol::{CheckError, Digest, seal};
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use zeroize::Zeroizing;

use super::verify::{Unsound, Verified};
use super::{FILE, Fault};

const MAGIC: &[u8; 16] = b"hedui/backup/v1\n";
const INFO: &[u8] = b"hedui/v1/desk-backup";
const PIECE: usize = 65_536;
const TAG: usize = 16;

/// Why there is no backup, or none that can be restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database or a file.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The public key is none, or the file was sealed to another.
    #[error(transparent)]
    Key(#[from] CheckError),
    /// Not a backup, or a changed or cut one.
    #[error("the file is no whole backup")]
    Damaged,
    /// What came out is not sound.
    #[error(transparent)]
    Unsound(#[from] Unsound),
}

impl From<std::io::Error> for BackupError {
    fn from(error: std::io::Error) -> Self {
        Self::Fault(error.into())
    }
}

/// Seals the database of `folder`, in use or not, into `out`, which must not be there yet.
///
/// # Errors
/// [`BackupError`]; then `out` is not there.
pub async fn back_up(
    folder: &Path,
    to: &SealingKey,
    out: &Path,
    entropy: &Entropy,
) -> Result<(), BackupError> {
    let path = super::existing(folder)?;
    // A copy of one moment, beside the file: sealed columns as they are, nothing in clear.
    // A name of its own: one that a killed backup left behind is in nobody's way.
    let mut name = [0; 8];
    getrandom::fill(&mut name).map_err(|_| Fault::Randomness)?;
    let copy = folder.join(format!("backup-{}.part", hex::encode(name)));
    let _remove = Removed(&copy);
    let options = SqliteConnectOptions::new().filename(path).pragma("temp_store", "MEMORY");
    let mut file = SqliteConnection::connect_with(&options).await.map_err(Fault::from)?;
    let vacuum = sqlx::query("VACUUM INTO ?").bind(copy.to_string_lossy()).execute(&mut file).await;
    vacuum.map_err(Fault::from)?;
    file.close().await.map_err(Fault::from)?;

    let mut unfinished = Unfinished { path: out, keep: false };
    let mut written = BufWriter::new(create(out).inspect_err(|_| unfinished.keep = true)?);
    seal_file(BufReader::new(File::open(&copy)?), &mut written, to, entropy)?;
    written.flush()?;
    written.get_ref().sync_all()?;
    unfinished.keep = true;
    Ok(())
}

/// Opens `backup` into `folder`, which must be empty or not there, and checks what came out.
///
/// # Errors
/// [`BackupError`]; then the folder holds no database.
pub async fn restore(backup: &Path, with: &OpeningKey, folder: &Path) -> Result<Verified, BackupError> {
    std::fs::create_dir_all(folder)?;
    if std::fs::read_dir(folder)?.next().is_some() {
        return Err(Fault::Exists.into());
    }
    super::restrict(folder, 0o700)?;
    let path = folder.join(FILE);
    let mut unfinished = Unfinished { path: &path, keep: false };
    let mut written = BufWriter::new(create(&path)?);
    open_file(BufReader::new(File::open(backup)?), &mut written, with)?;
    written.flush()?;
    written.get_ref().sync_all()?;
    let verified = super::verify::verify(folder).await?;
    unfinished.keep = true;
    Ok(verified)
}

fn seal_file(
    mut from: impl Read,
    to_file: &mut impl std::io::Write,
    to: &SealingKey,
    entropy: &Entropy,
) -> Result<(), BackupError> {
    let mut stream = Stream::new(Use::KeyFile, entropy, &Digest::of(INFO), to.as_bytes());
    let key = Zeroizing::new(stream.array::<32>());
    to_file.write_all(MAGIC)?;
    to_file.write_all(&seal::seal(to, INFO, &*key, &mut stream, "backup key")?)?;
    let cipher = ChaCha20Poly1305::new(&(*key).into());
    let mut piece = read_piece(&mut from, PIECE)?;
    for n in 0_u64.. {
        let next = read_piece(&mut from, PIECE)?;
        let last = next.is_empty();
        let sealed = cipher.encrypt(&nonce(n, last), piece.as_slice()).map_err(|_| BackupError::Damaged)?;
        to_file.write_all(&sealed)?;
        if last {
            break;
        }
        piece = next;
    }
    Ok(())
}

fn open_file(
    mut from: impl Read,
    to_file: &mut impl std::io::Write,
    with: &OpeningKey,
) -> Result<(), BackupError> {
    let head = read_piece(&mut from, MAGIC.len() + 80)?;
    let sealed_key = head.strip_prefix(MAGIC.as_slice()).filter(|rest| rest.len() == 80);
    let key = seal::open(with, INFO, sealed_key.ok_or(BackupError::Damaged)?, "backup key")?;
    let key: [u8; 32] = key.as_slice().try_into().map_err(|_| BackupError::Damaged)?;
    let cipher = ChaCha20Poly1305::new(&key.into());
    let mut piece = read_piece(&mut from, PIECE + TAG)?;
    for n in 0_u64.. {
        let next = read_piece(&mut from, PIECE + TAG)?;
        let last = next.is_empty();
        let opened = cipher.decrypt(&nonce(n, last), piece.as_slice()).map_err(|_| BackupError::Damaged)?;
        to_file.write_all(&opened)?;
        if last {
            break;
        }
        piece = next;
    }
    Ok(())
}

fn nonce(n: u64, last: bool) -> Nonce {
    let mut nonce = [0; 12];
    let bytes = [u8::from(last), 0, 0, 0].into_iter().chain(n.to_be_bytes());
    nonce.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
    nonce.into()
}

/// Up to `most` bytes; fewer only at the end.
fn read_piece(from: &mut impl Read, most: usize) -> std::io::Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(most);
    from.take(u64::try_from(most).unwrap_or(u64::MAX)).read_to_end(&mut piece)?;
    Ok(piece)
}

fn create(path: &Path) -> std::io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A file that goes away again unless it is finished.
struct Unfinished<'p> {
    path: &'p Path,
    keep: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.keep {
            let _ = std::fs::remove_file(self.path);
        }
    }
}

/// A file that goes away in any case.
struct Removed<'p>(&'p Path);

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::SystemRandomness;
    use crate::store::{Action, Cost, Object, Store};
    use std::sync::Arc;

    fn key(n: u8) -> OpeningKey {
        OpeningKey::make(&mut Stream::new(Use::KeyFile, &entropy(n), &Digest::of(b""), b""))
    }

    fn entropy(n: u8) -> Entropy {
        Entropy::new(&[n; 32]).unwrap()
    }

    /// The drill: a desk in use is backed up, restored on an empty machine, checked and opened.
    #[tokio::test]
    async fn a_backup_restores_on_an_empty_machine() {
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let random = || Arc::new(SystemRandomness);
        let store = Store::init(old.path(), b"correct horse battery", Cost::LEAST, random()).await.unwrap();
        let mut write = store.write().await.unwrap();
        let at = protocol::Time::from_unix(1_800_000_000).unwrap();
        write.log(Action("desk.opened"), &"jb01".parse().unwrap(), at, Object::Nothing).await.unwrap();
        write.commit().await.unwrap();

        let (file, backup_key) = (old.path().join("b.backup.hedui"), key(1));
        back_up(old.path(), &backup_key.public(), &file, &entropy(9)).await.unwrap();
        assert!(back_up(old.path(), &backup_key.public(), &file, &entropy(9)).await.is_err(), "taken");
        assert!(file.is_file(), "and not removed for it");
        let left: Vec<_> = std::fs::read_dir(old.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".part")), "{left:?}");

        let folder = new.path().join("desk");
        let other = restore(&file, &key(2), &folder).await;
        assert!(matches!(other, Err(BackupError::Key(_))), "{other:?}");
        assert!(!folder.join(FILE).exists());
        let verified = restore(&file, &backup_key, &folder).await.unwrap();
        assert_eq!(verified.entries, 1);
        assert!(matches!(restore(&file, &backup_key, &folder).await, Err(BackupError::Fault(Fault::Exists))));
        Store::open(&folder, b"correct horse battery", random()).await.unwrap().close().await;
    }

    #[test]
    fn no_piece_can_be_changed_left_out_or_moved() {
        let clear: Vec<u8> = (0..3 * PIECE + 5).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let (mut sealed, key) = (Vec::new(), key(1));
        seal_file(clear.as_slice(), &mut sealed, &key.public(), &entropy(3)).unwrap();
        let opened = |bytes: &[u8]| {
            let mut out = Vec::new();
            open_file(bytes, &mut out, &key).map(|()| out)
        };
        assert!(opened(&sealed).unwrap() == clear);
        let first = MAGIC.len() + 80;
        let whole = PIECE + TAG;
        for at in [0, 20, 60, first, first + whole, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(opened(&changed).is_err(), "byte {at}");
        }
        let without = [&sealed[..first + whole], &sealed[first + 2 * whole..]].concat();
        assert!(opened(&without).is_err());
        for cut in [0, 10, first, first + whole, first + 3 * whole, sealed.len() - 1] {
            assert!(opened(&sealed[..cut]).is_err(), "cut at {cut}");
        }
        let swapped = [
            &sealed[..first],
            &sealed[first + whole..first + 2 * whole],
            &sealed[first..first + whole],
            &sealed[first + 2 * whole..],
        ]
        .concat();
        assert!(opened(&swapped).is_err());
    }
}

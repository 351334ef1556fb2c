//! Answers that have come in as far as their connections held: what is there stays until the rest comes, over
//! a restart too. [`crate::resume`] says how the rest comes.
//!
//! One is the answer's envelope up to where it was cut, in a file named for who sends it and what it is:
//! `blobs/partial/KEY/DIGEST`. Its length is all that is known of how far it came; whether the bytes are the
//! right ones shows at the end, by the digest that the head carries.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use object_store::path::Path as Key;
use protocol::envelope::{Head, MAX_HEAD};
use protocol::{Digest, PublicKey};
use sha2::{Digest as _, Sha256};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::blobs::Complete;
use crate::problem::Fault;

pub(crate) const DIRECTORY: &str = "partial";

/// That one institution may have: when it begins one more, the one that was longest left alone goes.
pub(crate) const MAX_PARTIALS: usize = 4;

/// One that nothing came for in this long goes.
pub(crate) const LIFE: Duration = Duration::from_secs(24 * 3600);

/// Bytes gathered before they are written.
const PIECE_BYTES: usize = 1 << 20;

/// The directory of all of them.
#[derive(Debug)]
pub(crate) struct Partials(PathBuf);

impl Partials {
    /// Opens the directory, and removes what nobody came back for.
    pub(crate) fn open(blobs: &Path) -> Result<Self, Fault> {
        let root = blobs.join(DIRECTORY);
        std::fs::create_dir_all(&root)?;
        let partials = Self(root);
        partials.sweep()?;
        Ok(partials)
    }

    /// Where an institution's answer grows.
    pub(crate) fn of(&self, party: &PublicKey, answer: &Digest) -> Partial {
        let (party, answer) = (party.to_string(), answer.to_string());
        let key = Key::from_iter([DIRECTORY, &party, &answer]);
        Partial { path: self.0.join(party).join(answer), key }
    }

    /// Makes room for one more of this institution. `under_way` says which of its files are being written.
    pub(crate) fn make_room(
        &self,
        party: &PublicKey,
        under_way: impl Fn(&Digest) -> bool,
    ) -> Result<(), Fault> {
        self.sweep()?;
        let mut kept = files(&self.0.join(party.to_string()))?;
        kept.retain(|(path, _)| !answer_of(path).is_some_and(|answer| under_way(&answer)));
        kept.sort_by_key(|(_, touched)| *touched);
        let excess = (kept.len() + 1).saturating_sub(MAX_PARTIALS);
        for (path, _) in kept.into_iter().take(excess) {
            remove(&path)?;
        }
        Ok(())
    }

    fn sweep(&self) -> Result<(), Fault> {
        let now = SystemTime::now();
        for directory in std::fs::read_dir(&self.0)? {
            for (path, touched) in files(&directory?.path())? {
                if now.duration_since(touched).is_ok_and(|age| age > LIFE) {
                    remove(&path)?;
                }
            }
        }
        Ok(())
    }
}

/// The files of one institution, and when each was written to last.
fn files(directory: &Path) -> Result<Vec<(PathBuf, SystemTime)>, Fault> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        // One that was completed meanwhile is no longer there.
        if let Ok(touched) = entry.metadata().and_then(|data| data.modified()) {
            found.push((entry.path(), touched));
        }
    }
    Ok(found)
}

fn answer_of(path: &Path) -> Option<Digest> {
    path.file_name()?.to_str()?.parse().ok()
}

fn remove(path: &Path) -> Result<(), Fault> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// One of them. Only whoever holds its place in [`crate::upload::Uploads`] may touch it.
#[derive(Debug)]
pub(crate) struct Partial {
    path: PathBuf,
    key: Key,
}

impl Partial {
    /// Whether there is one.
    pub(crate) fn exists(&self) -> bool {
        self.path.is_file()
    }

    /// How far it has come. Begins it with `head` when it is not there, or begins with something else: a crash
    /// may have cut the head itself short.
    pub(crate) async fn begin(&self, head: &[u8]) -> Result<u64, Fault> {
        if let Some((_, begun)) = self.head().await?
            && begun.get(..head.len()) == Some(head)
        {
            return Ok(fs::metadata(&self.path).await?.len());
        }
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory).await?;
        }
        let mut file = File::create(&self.path).await?;
        file.write_all(head).await?;
        file.sync_all().await?;
        Ok(length(head.len()))
    }

    /// Its head, and the bytes that it was read from; none where it is not there or not whole.
    pub(crate) async fn head(&self) -> Result<Option<(Head, Vec<u8>)>, Fault> {
        let file = match File::open(&self.path).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut begun = Vec::new();
        file.take(length(MAX_HEAD)).read_to_end(&mut begun).await?;
        Ok(Head::parse(&begun).ok().map(|head| (head, begun)))
    }

    /// Opens it for more at its end.
    pub(crate) async fn grow(&self) -> Result<Growing, Fault> {
        let file = OpenOptions::new().append(true).open(&self.path).await?;
        let received = file.metadata().await?.len();
        Ok(Growing { file, received, pending: Vec::new() })
    }

    /// Reads the whole once more: its length, the name it will have, and whether its body is the one that the
    /// head speaks of.
    pub(crate) async fn complete(&self, head: usize, body: &Digest) -> Result<Option<Complete>, Fault> {
        let mut file = File::open(&self.path).await?;
        let mut piece = vec![0; PIECE_BYTES.max(head)];
        let begun = piece.get_mut(..head).unwrap_or_default();
        file.read_exact(begun).await?;
        let (mut whole, mut found) = (Sha256::new(), Sha256::new());
        whole.update(&*begun);
        let mut bytes = length(head);
        loop {
            let n = file.read(&mut piece).await?;
            let Some(read) = piece.get(..n).filter(|read| !read.is_empty()) else { break };
            whole.update(read);
            found.update(read);
            bytes += length(n);
        }
        let good = Digest(found.finalize().into()) == *body;
        let name = Digest(whole.finalize().into());
        Ok(good.then(|| Complete { key: self.key.clone(), name, bytes }))
    }

    /// Throws it away.
    pub(crate) fn discard(&self) -> Result<(), Fault> {
        remove(&self.path)
    }
}

/// One that more is coming for.
#[derive(Debug)]
pub(crate) struct Growing {
    file: File,
    /// Bytes that are there, those not yet written among them.
    pub(crate) received: u64,
    pending: Vec<u8>,
}

impl Growing {
    pub(crate) async fn push(&mut self, piece: &Bytes) -> Result<(), Fault> {
        self.received += length(piece.len());
        self.pending.extend_from_slice(piece);
        if self.pending.len() >= PIECE_BYTES { self.write().await } else { Ok(()) }
    }

    async fn write(&mut self) -> Result<(), Fault> {
        self.file.write_all(&self.pending).await?;
        self.pending.clear();
        Ok(())
    }

    /// What came is on the disk when this returns.
    pub(crate) async fn finish(mut self) -> Result<u64, Fault> {
        self.write().await?;
        self.file.flush().await?;
        self.file.sync_data().await?;
        Ok(self.received)
    }
}

fn length(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

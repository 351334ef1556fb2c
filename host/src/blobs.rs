//! Rosters and answers as files. A blob's name is the SHA-256 of its bytes, so that no client ever names
//! a file, writing one twice is harmless, and `sha256sum` checks a backup.
//!
//! An upload grows under `incoming/` and moves to its name when it is complete. All writes are synced to
//! the disk before they return (`LocalFileSystem::with_fsync`).

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use axum::body::{Body, Bytes};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{MultipartUpload, ObjectStoreExt as _, PutPayload};
use protocol::Digest;
use sha2::{Digest as _, Sha256};

use crate::problem::Fault;

const DIRECTORY: &str = "blobs";
const INCOMING: &str = "incoming";

/// An upload is written to the disk in pieces of about this size, which is all of it that stays in memory.
const PIECE_BYTES: usize = 1 << 20;

/// The two kinds of blob, each a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Roster,
    Answer,
}

impl Kind {
    fn directory(self) -> &'static str {
        match self {
            Self::Roster => "rosters",
            Self::Answer => "answers",
        }
    }

    fn key(self, name: &Digest) -> Key {
        Key::from_iter([self.directory(), &name.to_string()])
    }
}

#[derive(Debug)]
pub(crate) struct Blobs {
    files: LocalFileSystem,
}

impl Blobs {
    /// Where they are.
    pub(crate) fn root(data_dir: &Path) -> PathBuf {
        data_dir.join(DIRECTORY)
    }

    /// Opens the directory, and removes the uploads that a crash cut short. A blob that has its name is
    /// never removed: where the store was restored from an older copy, it may be the only one left.
    pub(crate) fn open(data_dir: &Path) -> Result<Self, Fault> {
        let root = Self::root(data_dir);
        std::fs::create_dir_all(&root)?;
        match std::fs::remove_dir_all(root.join(INCOMING)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let files = LocalFileSystem::new_with_prefix(&root)?.with_fsync(true);
        Ok(Self { files })
    }

    /// Keeps `bytes`, and gives their name.
    pub(crate) async fn put(&self, kind: Kind, bytes: Bytes) -> Result<Digest, Fault> {
        let name = Digest::of(&bytes);
        self.files.put(&kind.key(&name), PutPayload::from_bytes(bytes)).await?;
        Ok(name)
    }

    /// Begins an upload under a name drawn at random.
    pub(crate) async fn begin(&self, drawn: [u8; 16]) -> Result<Incoming, Fault> {
        let key = Key::from_iter([INCOMING, &hex::encode(drawn)]);
        let upload = self.files.put_multipart(&key).await?;
        Ok(Incoming { key, upload, pending: Vec::new(), pending_bytes: 0, bytes: 0, digest: Sha256::new() })
    }

    /// Moves a complete upload to its name.
    pub(crate) async fn keep(&self, kind: Kind, complete: &Complete) -> Result<(), Fault> {
        Ok(self.files.rename(&complete.key, &kind.key(&complete.name)).await?)
    }

    /// Removes a complete upload that is not wanted after all.
    pub(crate) async fn discard(&self, complete: &Complete) -> Result<(), Fault> {
        Ok(self.files.delete(&complete.key).await?)
    }

    /// The bytes of a blob, streamed.
    pub(crate) async fn stream(&self, kind: Kind, name: &Digest) -> Result<Body, Fault> {
        Ok(Body::from_stream(self.files.get(&kind.key(name)).await?.into_stream()))
    }
}

/// An upload under way. Dropped before [`Incoming::finish`], its file is removed.
#[derive(Debug)]
pub(crate) struct Incoming {
    key: Key,
    upload: Box<dyn MultipartUpload>,
    pending: Vec<Bytes>,
    pending_bytes: usize,
    bytes: u64,
    digest: Sha256,
}

impl Incoming {
    pub(crate) async fn push(&mut self, chunk: Bytes) -> Result<(), Fault> {
        self.digest.update(&chunk);
        self.bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        self.pending_bytes += chunk.len();
        self.pending.push(chunk);
        if self.pending_bytes >= PIECE_BYTES { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), Fault> {
        self.pending_bytes = 0;
        Ok(self.upload.put_part(PutPayload::from_iter(self.pending.drain(..))).await?)
    }

    pub(crate) async fn finish(mut self) -> Result<Complete, Fault> {
        self.flush().await?;
        self.upload.complete().await?;
        Ok(Complete { key: self.key, name: Digest(self.digest.finalize().into()), bytes: self.bytes })
    }
}

/// An upload that is whole and on the disk, but not yet kept under its name.
#[derive(Debug)]
pub(crate) struct Complete {
    /// Where it lies.
    pub(crate) key: Key,
    /// SHA-256 of its bytes: the name it will have.
    pub(crate) name: Digest,
    /// How many bytes it has.
    pub(crate) bytes: u64,
}

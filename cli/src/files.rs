//! Files: read whole when they are no larger than what they should be, written for their owner alone,
//! never over another one unasked.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use protocol::envelope::{Head, MAX_HEAD};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Bytes of a key file, a passphrase's file or a file of serials at most: a hundred times what they need.
pub(crate) const SMALL: u64 = 1 << 16;
/// Bytes of a document other than an answer at most, as at the host: the largest roster has half of it.
const DOCUMENT: u64 = 64 << 20;
/// Bytes of an answer at most: the largest roster's at level L1.
const ANSWER: u64 = 1 << 30;

/// Bytes of a paper of a closed file at most: three times the largest scan.
pub(crate) const PAPER: u64 = 64 << 20;

/// Bytes of a module at most: forty times what the matcher may have.
pub(crate) const MODULE: u64 = 16 << 20;

/// Reads a whole file of at most `most` bytes.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let file = File::open(path).map_err(|error| io_failure(path, &error))?;
    let mut bytes = Vec::new();
    // What is no plain file tells no length, so reading stops by itself as well.
    if file.metadata().is_ok_and(|about| about.len() <= most) {
        (&file).take(most + 1).read_to_end(&mut bytes).map_err(|error| io_failure(path, &error))?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length <= most) {
            return Ok(bytes);
        }
    }
    let message = format!("the file is larger than the {most} bytes that it may have");
    Err(Failure::new("too_large", "file", message).of(path))
}

/// Bytes of a piece of a file that is read piece by piece.
const PIECE: u64 = 1 << 20;

/// Reads a file through, piece by piece.
pub(crate) fn read_through(
    path: &Path,
    mut each: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let failed = |error: io::Error| io_failure(path, &error);
    let file = File::open(path).map_err(failed)?;
    let mut piece = Zeroizing::new(Vec::new());
    loop {
        piece.clear();
        if (&file).take(PIECE).read_to_end(&mut piece).map_err(failed)? == 0 {
            return Ok(());
        }
        each(&piece)?;
    }
}

/// Reads an applicants' file, of which the desk takes so much.
pub(crate) fn read_applicants(path: &Path) -> Result<Vec<u8>, Failure> {
    read(path, u64::try_from(desk::applicants::MAX_FILE_BYTES).unwrap_or(u64::MAX))
}

/// Reads a whole document. Of what is none, only as much as shows that.
pub(crate) fn read_document(path: &Path) -> Result<Vec<u8>, Failure> {
    let file = File::open(path).map_err(|error| io_failure(path, &error))?;
    let mut begun = Vec::new();
    let head = u64::try_from(MAX_HEAD).unwrap_or(u64::MAX);
    file.take(head).read_to_end(&mut begun).map_err(|error| io_failure(path, &error))?;
    match Head::parse(&begun) {
        Ok(head) if head.kind() == "hedui/answer/v1" => read(path, ANSWER),
        Ok(_) => read(path, DOCUMENT),
        // Whoever reads the document finds the same, and says it.
        Err(_) => Ok(begun),
    }
}

pub(crate) fn io_failure(path: &Path, error: &io::Error) -> Failure {
    Failure::new("file", "file", error.kind().to_string()).of(path)
}

/// A file that is being written, with mode 0600. Its name is taken from the start; what is not
/// committed is removed.
#[derive(Debug)]
pub(crate) struct NewFile {
    path: PathBuf,
    /// Where the bytes go until the commit: the path itself, or a file beside the one to be replaced.
    writing: PathBuf,
    file: File,
    committed: bool,
}

impl NewFile {
    /// Takes the name. With `force`, a file that is there stays until the commit.
    pub(crate) fn create(path: &Path, force: bool) -> Result<Self, Failure> {
        Self::take(path, force, open_new(path))
    }

    /// Writes a file of this program's own, in the place of the one that is there: the old one or the new
    /// one stands there at any time, and never half of one.
    pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        Self::take(path, true, Err(io::ErrorKind::AlreadyExists.into()))?.fill(bytes)
    }

    fn take(path: &Path, force: bool, taken: io::Result<File>) -> Result<Self, Failure> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::new("exists", "out", "the file is there already; --force replaces it").of(path)
            }
            _ => io_failure(path, &error),
        };
        let (writing, file) = match taken {
            Ok(file) => (path.to_owned(), file),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && force => {
                let mut beside = path.as_os_str().to_owned();
                beside.push(format!(".{}.part", std::process::id()));
                let beside = PathBuf::from(beside);
                let file = open_new(&beside).map_err(failed)?;
                (beside, file)
            }
            Err(error) => return Err(failed(error)),
        };
        Ok(Self { path: path.to_owned(), writing, file, committed: false })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(|error| io_failure(&self.path, &error))
    }

    /// Writes over the beginning: what could be known last.
    pub(crate) fn write_first(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.seek(SeekFrom::Start(0)).map_err(|error| io_failure(&self.path, &error))?;
        self.write(bytes)
    }

    /// Makes the file stay.
    pub(crate) fn commit(mut self) -> Result<(), Failure> {
        let finish = || {
            self.file.sync_all()?;
            if self.writing != self.path {
                fs::rename(&self.writing, &self.path)?;
            }
            Ok(())
        };
        finish().map_err(|error: io::Error| io_failure(&self.path, &error))?;
        self.committed = true;
        Ok(())
    }

    /// Writes all of it.
    pub(crate) fn fill(mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.write(bytes)?;
        self.commit()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.committed {
            let _ = fs::remove_file(&self.writing);
        }
    }
}

/// Opens a file that must not be there yet; a link does not count as a place to write to.
fn open_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn nothing_is_overwritten_or_left_half() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        NewFile::create(&path, false).unwrap().fill(b"one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(NewFile::create(&path, false).is_err());
        drop(NewFile::create(&path, true).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"one", "an uncommitted file replaces nothing");
        NewFile::create(&path, true).unwrap().fill(b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        drop(NewFile::create(&folder.path().join("b"), false).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// Three sparse gigabytes, which nobody may read whole.
    #[test]
    fn what_is_too_large_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        File::create(&path).unwrap().set_len(3 << 30).unwrap();
        for most in [SMALL, MODULE, DOCUMENT, ANSWER] {
            let said = read(&path, most).unwrap_err().to_string();
            assert!(
                said.starts_with(&format!("error: file: the file is larger than the {most} bytes")),
                "{said}"
            );
        }
        assert_eq!(read_document(&path).unwrap().len(), MAX_HEAD, "enough to see that it is no document");
        // A document by its head is read no further, either.
        let head = ["hedui/roster/v1\n\0\0\0\u{2}{}\u{1}", &"k".repeat(96), "\0\0\0\0\u{60}\0\0\0"].concat();
        std::os::unix::fs::FileExt::write_at(
            &fs::OpenOptions::new().write(true).open(&path).unwrap(),
            head.as_bytes(),
            0,
        )
        .unwrap();
        assert!(read_document(&path).unwrap_err().to_string().contains(&DOCUMENT.to_string()));
        // A pipe or a device tells no length.
        assert!(read(Path::new("/dev/zero"), SMALL).unwrap_err().to_string().contains("65536"));
        assert_eq!(read(Path::new("/dev/null"), SMALL).unwrap(), b"");
    }

    #[test]
    fn own_files_are_replaced_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        NewFile::replace(&path, b"one").unwrap();
        NewFile::replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_is_no_place_to_write_to() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(NewFile::create(&link, false).is_err());
        NewFile::create(&link, true).unwrap().fill(b"x").unwrap();
        assert!(!target.exists() && !link.is_symlink());
    }
}

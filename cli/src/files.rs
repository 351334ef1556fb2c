//! Files: read whole, written for their owner alone, never over another one unasked.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Reads a whole file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| io_failure(path, &error))
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
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::new("exists", "out", "the file is there already; --force replaces it").of(path)
            }
            _ => io_failure(path, &error),
        };
        let (writing, file) = match open_new(path) {
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

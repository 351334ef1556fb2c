//! The serials that an institution has answered: kept beside its key file, so that an older roster is
//! refused on the next run too. Public keys, codes and numbers; nothing in it is secret.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use protocol::agreement::Agreement;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::files::{self, NewFile};

const TYPE: &str = "hedui/serials/v1";

/// The file's content: the highest serial by the centre's signing key and the institution's code, which
/// is how a host counts, too.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    r#type: String,
    serials: BTreeMap<String, BTreeMap<String, u64>>,
}

/// The file, and whose serials in it are meant.
#[derive(Debug)]
pub(crate) struct Serials {
    path: PathBuf,
    centre: String,
    institution: String,
}

impl Serials {
    /// Those of an agreement's two parties, in `path` or beside the key file `key`.
    pub(crate) fn of(agreement: &Agreement, path: Option<&PathBuf>, key: &Path) -> Self {
        let beside = || {
            let mut beside = key.as_os_str().to_owned();
            beside.push(".serials");
            PathBuf::from(beside)
        };
        Self {
            path: path.cloned().unwrap_or_else(beside),
            centre: agreement.centre.signing_key.to_string(),
            institution: agreement.institution.code.to_string(),
        }
    }

    /// The highest serial answered; 0 where none is.
    pub(crate) fn highest(&self) -> Result<u64, Failure> {
        let content = self.read()?;
        let serials = content.serials.get(&self.centre);
        Ok(serials.and_then(|serials| serials.get(&self.institution)).copied().unwrap_or(0))
    }

    /// Keeps that `serial` is answered.
    pub(crate) fn keep(&self, serial: u64) -> Result<(), Failure> {
        let mut content = self.read()?; // again: another run may have written meanwhile
        let kept = content.serials.entry(self.centre.clone()).or_default();
        let highest = kept.entry(self.institution.clone()).or_default();
        if *highest >= serial {
            return Ok(());
        }
        *highest = serial;
        let json = serde_json::to_vec_pretty(&content)?;
        let hint = "the serials answered can't be kept here; --serials names another file";
        NewFile::replace(&self.path, &json).map_err(|_| Failure::new("file", "serials", hint).of(&self.path))
    }

    /// A file that can't be read is an error: a missing one only says that nothing was answered.
    fn read(&self) -> Result<Content, Failure> {
        match self.path.try_exists() {
            Ok(false) => return Ok(Content { r#type: TYPE.to_owned(), serials: BTreeMap::new() }),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(files::io_failure(&self.path, &error));
            }
            _ => {}
        }
        let content: Option<Content> = serde_json::from_slice(&files::read(&self.path, files::SMALL)?).ok();
        let damaged = "this is no file of serials answered; name another with --serials, and the highest with --last-serial";
        let content = content.filter(|content| content.r#type == TYPE);
        content.ok_or_else(|| Failure::new("serials", "serials", damaged).of(&self.path))
    }
}

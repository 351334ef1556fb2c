//! The host's own signing key: made at the first start, kept in one file that only its owner may read.
//! It signs receipts and nothing else.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use protocol::secret::SigningKey;
use zeroize::Zeroizing;

use crate::clock::Randomness;
use crate::state::StartError;

const FILE: &str = "host.key";

/// Group and others.
const ANYONE_ELSE: u32 = 0o077;

/// Loads the key of `data_dir`, or makes it.
pub(crate) fn load_or_make(data_dir: &Path, randomness: &dyn Randomness) -> Result<SigningKey, StartError> {
    let path = data_dir.join(FILE);
    match File::open(&path) {
        Ok(file) => load(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(data_dir, randomness),
        Err(error) => Err(StartError::File(FILE, error)),
    }
}

fn load(mut file: File) -> Result<SigningKey, StartError> {
    let failed = |error| StartError::File(FILE, error);
    if file.metadata().map_err(failed)?.mode() & ANYONE_ELSE != 0 {
        return Err(StartError::KeyOpenToOthers);
    }
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).map_err(failed)?;
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim_end(), &mut *seed).map_err(|_| StartError::KeyMalformed)?;
    Ok(SigningKey::from_seed(&seed))
}

/// Written under another name first: a key that a power cut left half written would lock the host out.
fn make(data_dir: &Path, randomness: &dyn Randomness) -> Result<SigningKey, StartError> {
    let failed = |error| StartError::File(FILE, error);
    let mut seed = Zeroizing::new([0; 32]);
    randomness.fill(&mut *seed).ok_or(StartError::Randomness)?;
    let text = Zeroizing::new(hex::encode(*seed) + "\n");

    let fresh = data_dir.join("host.key.new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    std::fs::rename(&fresh, data_dir.join(FILE)).map_err(failed)?;
    File::open(data_dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
    Ok(SigningKey::from_seed(&seed))
}

//! Keys: files, their passphrases, and public keys named by file or by figures.

use std::path::{Path, PathBuf};

use protocol::Document;
use protocol::cosigning::CosignerJoining;
use protocol::key_file::{KeyFile, Keys, Role};
use protocol::value::{PublicKey, SealingKey};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::files;
use crate::parse::word;

pub(crate) type Passphrase = Zeroizing<Vec<u8>>;

/// Reads a key file.
pub(crate) fn read(path: &Path) -> Result<KeyFile, Failure> {
    KeyFile::read(&files::read(path, files::SMALL)?).map_err(|e| Failure::from(e).of(path))
}

/// Reads a key file that must be of one of `roles`, and unlocks it.
pub(crate) fn unlock(
    path: &Path,
    passphrase_file: Option<&PathBuf>,
    roles: &[Role],
) -> Result<(KeyFile, Keys), Failure> {
    let file = read(path)?;
    check_role(&file, path, roles)?;
    let passphrase = passphrase(path, passphrase_file)?;
    let keys = file.unlock(&passphrase).map_err(|e| Failure::from(e).of(path))?;
    Ok((file, keys))
}

/// The passphrase of the key file `path`: from a file, or asked.
pub(crate) fn passphrase(path: &Path, passphrase_file: Option<&PathBuf>) -> Result<Passphrase, Failure> {
    match passphrase_file {
        Some(file) => read_passphrase(file),
        None => ask(&format!("Passphrase of {}: ", path.display())),
    }
}

fn check_role(file: &KeyFile, path: &Path, roles: &[Role]) -> Result<(), Failure> {
    if roles.contains(&file.role) {
        return Ok(());
    }
    let message = format!("this is the key of another role ({})", word(&file.role));
    Err(Failure::new("wrong_role", "key", message).of(path))
}

/// The passphrase for a new key: from a file, or asked twice.
pub(crate) fn new_passphrase(passphrase_file: Option<&PathBuf>) -> Result<Passphrase, Failure> {
    if let Some(file) = passphrase_file {
        return read_passphrase(file);
    }
    let first = ask("New passphrase (at least 8 bytes): ")?;
    if first == ask("The same again: ")? {
        Ok(first)
    } else {
        Err(Failure::new("passphrase", "passphrase", "the two are not the same"))
    }
}

/// The first line of a file, as typed.
fn read_passphrase(path: &Path) -> Result<Passphrase, Failure> {
    let bytes = Zeroizing::new(files::read(path, files::SMALL)?);
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    Ok(Zeroizing::new(line.strip_suffix(b"\r").unwrap_or(line).to_vec()))
}

fn ask(prompt: &str) -> Result<Passphrase, Failure> {
    let typed = rpassword::prompt_password(prompt).map_err(|_| {
        Failure::new("passphrase", "passphrase", "there is no terminal to ask on; use --passphrase-file")
    })?;
    Ok(Zeroizing::new(typed.into_bytes()))
}

/// A signing key: 64 hexadecimal digits, or a key file of `role`. No passphrase is needed.
pub(crate) fn signing_key(argument: &str, role: Role) -> Result<PublicKey, Failure> {
    match argument.parse() {
        Ok(key) => Ok(key),
        Err(_) => public_part(argument, &[role]).map(|file| file.signing_key),
    }
}

/// The keys of a co-signer, from its joining request.
pub(crate) fn cosigner(path: &Path) -> Result<CosignerJoining, Failure> {
    let document = Document::<CosignerJoining>::read(&files::read(path, files::SMALL)?);
    document.map_err(|e| Failure::from(e).of(path))?.check().map_err(|e| Failure::from(e).of(path))
}

/// The signing key of a co-signer: 64 hexadecimal digits, its joining request, or its key file.
pub(crate) fn cosigner_key(argument: &str) -> Result<PublicKey, Failure> {
    let joining = argument.parse::<PublicKey>().is_err().then(|| cosigner(Path::new(argument)));
    match joining {
        Some(Ok(joining)) => Ok(joining.signing_key),
        _ => signing_key(argument, Role::Cosigner),
    }
}

/// A sealing key: 64 hexadecimal digits, or a key file of one of `roles`. No passphrase is needed.
pub(crate) fn sealing_key(argument: &str, roles: &[Role]) -> Result<SealingKey, Failure> {
    match argument.parse() {
        Ok(key) => Ok(key),
        Err(_) => public_part(argument, roles).map(|file| file.sealing_key),
    }
}

fn public_part(argument: &str, roles: &[Role]) -> Result<KeyFile, Failure> {
    let path = Path::new(argument);
    let file = read(path)?;
    check_role(&file, path, roles)?;
    Ok(file)
}

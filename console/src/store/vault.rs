//! The data key and what is done with it: sealing columns, and the blind index for look-up.
//!
//! Every sealed value is XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha: ChaCha20-Poly1305 of RFC 8439 with a
//! 24-byte nonce, so that random ones never meet) with `table.column ‖ 0x00 ‖ row` as associated data: a
//! value moved to another row or column does not open. Short values are padded to 32 bytes, since the
//! length of a name tells something, too.

use std::fmt;
use std::marker::PhantomData;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use protocol::subject::Subject;
use protocol::value::Date;
use zeroize::Zeroizing;

use super::Fault;
use crate::edge::Randomness;

/// Bytes of the passphrase at least.
pub const SHORTEST_PASSPHRASE: usize = 12;
const NONCE: usize = 24;
/// Up to this length a value is padded to a multiple of [`PAD`].
const PADDED_UP_TO: usize = 4_096;
const PAD: usize = 32;

/// Argon2id's cost (RFC 9106): what `staff` and the vault ask of whoever guesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub m_kib: u32,
    /// Passes.
    pub t: u32,
    /// Lanes.
    pub p: u32,
}

impl Cost {
    /// 64 MiB and three passes.
    pub const FULL: Self = Self { m_kib: 65_536, t: 3, p: 1 };
    /// For tests: the least that the algorithm takes.
    pub const LEAST: Self = Self { m_kib: 8, t: 1, p: 1 };

    /// `Argon2id(passphrase, salt)`, 32 bytes.
    pub(crate) fn derive(self, passphrase: &[u8], salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, Fault> {
        // A file that asks for more than 1 GiB or 16 passes is not one of ours.
        if self.m_kib > 1 << 20 || self.t > 16 || self.p > 4 {
            return Err(Fault::Stored("vault"));
        }
        let params = Params::new(self.m_kib, self.t, self.p, Some(32)).map_err(|_| Fault::Stored("vault"))?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase, salt, &mut *key)
            .map_err(|_| Fault::Stored("vault"))?;
        Ok(key)
    }
}

/// The data key as it lies in the database.
pub(crate) struct Sealed {
    pub(crate) cost: Cost,
    pub(crate) salt: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
}

/// The data key, unlocked.
pub struct Vault {
    cells: XChaCha20Poly1305,
    index: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(..)")
    }
}

impl Vault {
    /// Draws a new data key and seals it under `passphrase`.
    pub(crate) fn make(
        passphrase: &[u8],
        cost: Cost,
        randomness: &dyn Randomness,
    ) -> Result<(Self, Sealed), Fault> {
        if passphrase.len() < SHORTEST_PASSPHRASE {
            return Err(Fault::WeakPassphrase);
        }
        let mut data_key = Zeroizing::new([0; 32]);
        randomness.fill(&mut *data_key).ok_or(Fault::Randomness)?;
        let mut salt = vec![0; 16];
        randomness.fill(&mut salt).ok_or(Fault::Randomness)?;
        let cipher = XChaCha20Poly1305::new(&(*cost.derive(passphrase, &salt)?).into());
        // The key that seals it is used this once: each has a salt of its own.
        let sealed = cipher
            .encrypt(&XNonce::default(), Payload { msg: &*data_key, aad: DATA_KEY })
            .map_err(|_| Fault::Stored("vault"))?;
        Ok((Self::of(&data_key), Sealed { cost, salt, sealed }))
    }

    /// Unlocks.
    pub(crate) fn unlock(sealed: &Sealed, passphrase: &[u8]) -> Result<Self, Fault> {
        let cipher = XChaCha20Poly1305::new(&(*sealed.cost.derive(passphrase, &sealed.salt)?).into());
        let opened = cipher
            .decrypt(&XNonce::default(), Payload { msg: &sealed.sealed, aad: DATA_KEY })
            .map_err(|_| Fault::Passphrase)?;
        let opened = Zeroizing::new(opened);
        let data_key: &[u8; 32] = opened.as_slice().try_into().map_err(|_| Fault::Stored("vault"))?;
        Ok(Self::of(data_key))
    }

    fn of(data_key: &[u8; 32]) -> Self {
        let derive = |context| Zeroizing::new(blake3::derive_key(context, data_key));
        Self {
            cells: XChaCha20Poly1305::new(&(*derive("hedui 2026-11-26 desk cells v1")).into()),
            index: derive("hedui 2026-11-26 desk index v1"),
        }
    }

    /// Seals a value for one column of one row.
    pub fn seal<T: Clear>(
        &self,
        column: &Column<T>,
        row: i64,
        value: &T,
        randomness: &dyn Randomness,
    ) -> Result<Vec<u8>, Fault> {
        let clear = pad(&value.to_clear());
        let mut nonce = [0; NONCE];
        randomness.fill(&mut nonce).ok_or(Fault::Randomness)?;
        let aad = column.aad(row);
        let sealed = self.cells.encrypt(&XNonce::from(nonce), Payload { msg: &clear, aad: &aad });
        Ok([nonce.as_slice(), &sealed.map_err(|_| Fault::Stored(column.name))?].concat())
    }

    /// Opens what [`Vault::seal`] made for the same column and row.
    pub fn open<T: Clear>(&self, column: &Column<T>, row: i64, sealed: &[u8]) -> Result<T, Fault> {
        let bad = || Fault::Stored(column.name);
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or_else(bad)?;
        let payload = Payload { msg: sealed, aad: &column.aad(row) };
        let clear = self.cells.decrypt(&XNonce::from(*nonce), payload).map_err(|_| bad())?;
        let clear = Zeroizing::new(clear);
        unpad(&clear).and_then(T::from_clear).ok_or_else(bad)
    }

    /// The blind index of a subject: `BLAKE3(index key, "subject" ‖ 0x00 ‖ kind ‖ number)`.
    pub fn subject_index(&self, subject: &Subject) -> Vec<u8> {
        self.blind("subject", &[&[subject.kind() as u8], subject.number().as_bytes()].concat())
    }

    /// A keyed digest of anything else that must be found, and not read.
    pub fn blind(&self, purpose: &str, value: &[u8]) -> Vec<u8> {
        let mut hasher = blake3::Hasher::new_keyed(&self.index);
        hasher.update(purpose.as_bytes());
        hasher.update(&[0]);
        hasher.update(value);
        hasher.finalize().as_bytes().to_vec()
    }
}

const DATA_KEY: &[u8] = b"hedui/desk/data-key/v1";

/// A sealed column of the database, and what a value of it is.
pub struct Column<T> {
    name: &'static str,
    value: PhantomData<fn() -> T>,
}

impl<T> Column<T> {
    /// `name` is `table.column` without `_sealed`; no two columns share one.
    pub const fn new(name: &'static str) -> Self {
        Self { name, value: PhantomData }
    }

    fn aad(&self, row: i64) -> Vec<u8> {
        [self.name.as_bytes(), &[0], &row.to_be_bytes()].concat()
    }
}

/// What can be sealed.
pub trait Clear: Sized {
    /// As bytes.
    fn to_clear(&self) -> Zeroizing<Vec<u8>>;
    /// From bytes; `None` when they are none of this type.
    fn from_clear(bytes: &[u8]) -> Option<Self>;
}

impl Clear for String {
    fn to_clear(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.as_bytes().to_vec())
    }
    fn from_clear(bytes: &[u8]) -> Option<Self> {
        Self::from_utf8(bytes.to_vec()).ok()
    }
}

impl Clear for Vec<u8> {
    fn to_clear(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.clone())
    }
    fn from_clear(bytes: &[u8]) -> Option<Self> {
        Some(bytes.to_vec())
    }
}

impl Clear for Zeroizing<Vec<u8>> {
    fn to_clear(&self) -> Zeroizing<Vec<u8>> {
        self.clone()
    }
    fn from_clear(bytes: &[u8]) -> Option<Self> {
        Some(Zeroizing::new(bytes.to_vec()))
    }
}

/// An amount in the currency's minor unit.
impl Clear for i64 {
    fn to_clear(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.to_be_bytes().to_vec())
    }
    fn from_clear(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

impl Clear for Date {
    fn to_clear(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.number().to_be_bytes().to_vec())
    }
    fn from_clear(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(u32::from_be_bytes).and_then(Self::from_number)
    }
}

/// A record of serde's, as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: serde::Serialize + serde::de::DeserializeOwned> Clear for Json<T> {
    fn to_clear(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(serde_json::to_vec(&self.0).unwrap_or_default())
    }
    fn from_clear(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().map(Self)
    }
}

/// `u32 length ‖ value ‖ zeros`
fn pad(value: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = u32::try_from(value.len()).unwrap_or(u32::MAX); // a scan has 20 MB at most
    let mut padded = Vec::with_capacity(value.len() + 4 + PAD);
    padded.extend_from_slice(&length.to_be_bytes());
    padded.extend_from_slice(value);
    if value.len() <= PADDED_UP_TO {
        padded.resize(padded.len().next_multiple_of(PAD), 0);
    }
    Zeroizing::new(padded)
}

fn unpad(padded: &[u8]) -> Option<&[u8]> {
    let (length, rest) = padded.split_first_chunk::<4>()?;
    rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::SystemRandomness;
    use protocol::subject::{Hint, Outcome, read};

    const NAME: Column<String> = Column::new("people.name");
    const OTHER: Column<String> = Column::new("people.address");

    fn make() -> (Vault, Sealed) {
        Vault::make(b"correct horse battery", Cost::LEAST, &SystemRandomness).unwrap()
    }

    #[test]
    fn the_passphrase_opens_and_nothing_else() {
        let (vault, sealed) = make();
        let cell = vault.seal(&NAME, 7, &"张三".to_owned(), &SystemRandomness).unwrap();
        let again = Vault::unlock(&sealed, b"correct horse battery").unwrap();
        assert_eq!(again.open(&NAME, 7, &cell).unwrap(), "张三");
        assert!(matches!(Vault::unlock(&sealed, b"wrong horse battery"), Err(Fault::Passphrase)));
        assert!(matches!(
            Vault::make(b"short", Cost::LEAST, &SystemRandomness).err(),
            Some(Fault::WeakPassphrase)
        ));
    }

    #[test]
    fn a_moved_or_changed_cell_does_not_open() {
        let (vault, _) = make();
        let cell = vault.seal(&NAME, 7, &"张三".to_owned(), &SystemRandomness).unwrap();
        assert!(vault.open(&NAME, 8, &cell).is_err(), "another row");
        assert!(vault.open(&OTHER, 7, &cell).is_err(), "another column");
        for at in 0..cell.len() {
            let mut changed = cell.clone();
            changed[at] ^= 1;
            assert!(vault.open(&NAME, 7, &changed).is_err(), "byte {at}");
            assert!(vault.open(&NAME, 7, &cell[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn lengths_of_names_do_not_show() {
        let (vault, _) = make();
        let length = |name: &str| vault.seal(&NAME, 1, &name.to_owned(), &SystemRandomness).unwrap().len();
        assert_eq!(length("张三"), length("欧阳修文"));
        let cell = |row| vault.seal(&NAME, row, &"张三".to_owned(), &SystemRandomness).unwrap();
        assert_ne!(cell(1), cell(1), "equal values do not look equal");
    }

    #[test]
    fn the_index_finds_one_subject_however_it_was_written() {
        let (vault, _) = make();
        let of = |cell: &str| match read(cell, Hint::None).0 {
            Outcome::Subjects((subject, _)) => vault.subject_index(&subject),
            other => panic!("{other:?}"),
        };
        assert_eq!(of("11010519491231002X"), of("110105491231002"));
        assert_ne!(of("11010519491231002X"), of("440524188001010014"));
        assert_ne!(
            make().0.subject_index(&protocol::subject::resident(b"11010519491231002X")),
            of("11010519491231002X")
        );
        assert_eq!(format!("{vault:?}"), "Vault(..)");
    }
}

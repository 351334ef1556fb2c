//! Base data (SPEC §4.10, §6.7): a department's own table, sealed to the centre and signed by the department. The file
//! has a size of a few classes, whatever stands in it; the centre opens it in memory, matches, and keeps none of it.
//!
//! A table is sealed in two passes, so that it never lies in memory whole: [`FirstPass`] takes its digest, of which the
//! content key is made; [`SecondPass`] seals chunk by chunk, and gives at the end the head that stands before all of it.
//! [`seal`] does both for a table that is in memory.

use std::borrow::Borrow;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::agreement::AgreementInForce;
use crate::answer_seal::SealError;
use crate::envelope::{self, Document, Header};
use crate::error::{CheckError, DecodeError};
use crate::hedge::{Stream, Use};
use crate::joining::InstitutionKind;
use crate::label::Label;
use crate::seal::{self, nonce};
use crate::secret::{Entropy, OpeningKey, SigningKey};
use crate::value::{Code, Date, Digest, PublicKey, SealingKey, Time};

/// Bytes of a chunk in clear.
const CHUNK: usize = 65_536;
/// Bytes of the tag of a chunk.
const TAG: usize = 16;
/// Bytes of the sealed content key: encapsulated key (32), content key (32), tag (16).
const KEY_BYTES: usize = 32 + seal::OVERHEAD;
/// Chunks of the largest file.
const MOST_CHUNKS: usize = 3_072;

/// Bytes of a file at most: 192 MiB with its length before it.
pub const MAX_FILE_BYTES: usize = MOST_CHUNKS * CHUNK - 8;

crate::json_object! {
    /// Header of base data.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct BaseData {
        /// The agreement that it is handed over under.
        pub agreement: Digest,
        /// Bytes of the body.
        pub body_bytes: u64,
        /// Digest of the body.
        pub body_sha256: Digest,
        /// When it was sealed.
        pub created: Time,
        /// The day that the table stands for.
        pub day: Date,
        /// Whose table it is.
        pub institution: Code,
        /// The centre's key it is sealed to.
        pub recipient: SealingKey,
    }
}

impl Header for BaseData {
    const TYPE: &'static str = "hedui/base-data/v1";

    fn body(&self) -> Option<(u64, Digest)> {
        Some((self.body_bytes, self.body_sha256))
    }

    fn validate(&self) -> Result<(), DecodeError> {
        let sealed = usize::try_from(self.body_bytes).ok().and_then(|bytes| bytes.checked_sub(KEY_BYTES));
        let chunks = sealed.filter(|sealed| sealed % (CHUNK + TAG) == 0).map(|sealed| sealed / (CHUNK + TAG));
        match chunks {
            Some(chunks) if class(chunks) == Some(chunks) => Ok(()),
            _ => Err(DecodeError::Member("body_bytes".to_owned())),
        }
    }
}

/// The smallest of 1, 2, 3, 4, 6, 8, 12, … 3,072 that is no less than `chunks`.
fn class(chunks: usize) -> Option<usize> {
    let mut size = 1;
    while size < chunks {
        // A power of two, and half as much again.
        size = if size % 3 == 0 { size / 3 * 4 } else { (size / 2 * 3).max(2) };
    }
    (size <= MOST_CHUNKS).then_some(size)
}

/// `H(LABEL("base-data", agreement ‖ u32 day ‖ u64 created ‖ recipient ‖ signing key))`
fn binding(
    agreement: &Digest,
    day: Date,
    created: Time,
    recipient: &SealingKey,
    signer: &PublicKey,
) -> Digest {
    Digest::of(&Label::BaseData.bytes(&[
        agreement.as_bytes(),
        &day.number().to_be_bytes(),
        &created.unix().to_be_bytes(),
        recipient.as_bytes(),
        signer.as_bytes(),
    ]))
}

/// Seals `file`, the table as it stands on `day`, to the centre of `agreement`, and signs it with the department's key.
///
/// # Errors
/// As [`FirstPass::begin`].
pub fn seal(
    agreement: &AgreementInForce,
    key: &SigningKey,
    day: Date,
    created: Time,
    file: &[u8],
    entropy: &Entropy,
) -> Result<Vec<u8>, SealError> {
    let length = u64::try_from(file.len()).map_err(|_| DecodeError::TooLarge("file"))?;
    let mut first = FirstPass::begin(agreement, key, day, created, length)?;
    first.push(file)?;
    let mut second = first.finish(entropy)?;
    let mut body = second.push(file)?;
    loop {
        let padding = second.pad()?;
        if padding.is_empty() {
            break;
        }
        body.extend(padding);
    }
    let mut document = second.finish()?;
    document.extend(body);
    Ok(document)
}

/// The first pass over a table: its digest, and that of each chunk, which the second pass must find again.
pub struct FirstPass<K> {
    key: K,
    /// All but the digest of the body.
    header: BaseData,
    binding: Digest,
    everything: Sha256,
    cutter: ChunkCutter,
    digests: Vec<[u8; 32]>,
    /// Chunks of the body.
    count: u64,
}

impl<K: Borrow<SigningKey>> FirstPass<K> {
    /// Begins with a table of `length` bytes, as it stands on `day`, for the centre of `agreement`. `key` is the
    /// department's, which need not be the agreement's: a desk may answer for the department with a key of its own.
    ///
    /// # Errors
    /// [`DecodeError`] naming `file` when it is empty or larger than [`MAX_FILE_BYTES`]; [`CheckError::NotADepartment`];
    /// [`CheckError::DayToCome`] for a day after that of `created`.
    pub fn begin(
        agreement: &AgreementInForce,
        key: K,
        day: Date,
        created: Time,
        length: u64,
    ) -> Result<Self, SealError> {
        let AgreementInForce { terms, digest } = agreement;
        if terms.institution.kind != InstitutionKind::Department {
            return Err(CheckError::NotADepartment.into());
        }
        if day > created.date() {
            return Err(CheckError::DayToCome.into());
        }
        let chunks = chunks_of(length)?;
        let recipient = terms.centre.sealing_key;
        let binding = binding(digest, day, created, &recipient, &key.borrow().public());
        let header = BaseData {
            agreement: *digest,
            body_bytes: u64::try_from(KEY_BYTES + chunks * (CHUNK + TAG)).unwrap_or(u64::MAX),
            body_sha256: Digest([0; 32]),
            created,
            day,
            institution: terms.institution.code.clone(),
            recipient,
        };
        let everything = Sha256::new().chain_update(binding.as_bytes());
        let (cutter, count) = (ChunkCutter::new(length), u64::try_from(chunks).unwrap_or(u64::MAX));
        Ok(Self { key, header, binding, everything, cutter, digests: Vec::new(), count })
    }

    /// Takes the next piece of the table, of any size.
    ///
    /// # Errors
    /// [`CheckError::Changed`] when there is more than was said.
    pub fn push(&mut self, file: &[u8]) -> Result<(), SealError> {
        self.everything.update(file);
        let digests = &mut self.digests;
        self.cutter.push(file, &mut |chunk| {
            digests.push(digest_of(chunk));
            Ok(())
        })
    }

    /// Ends the first pass: the content key is made.
    ///
    /// # Errors
    /// [`CheckError::Changed`] when there was less than was said; [`CheckError::Seal`] when the centre's key is no good key.
    pub fn finish(self, entropy: &Entropy) -> Result<SecondPass<K>, SealError> {
        let Self { key, header, binding, everything, cutter, digests, count } = self;
        let cutter = cutter.again()?;
        let everything = Digest(everything.finalize().into());
        // EXPOSE: the hedge mixes the signing key in (SPEC §6.5).
        let mut stream = Stream::new(Use::BaseData, entropy, &everything, key.borrow().expose());
        let content_key = Zeroizing::new(stream.array::<32>());
        let info = Label::BaseData.bytes(&[binding.as_bytes()]);
        let sealed_key = seal::seal(&header.recipient, &info, &*content_key, &mut stream, "recipient")?;
        let body = Sha256::new().chain_update(&sealed_key);
        let cipher = ChaCha20Poly1305::new(&Key::from(*content_key));
        let chunks = SealedChunks { cipher, binding, next: 0, count, body };
        Ok(SecondPass { key, header, cutter, digests: digests.into_iter(), sealed_key, chunks })
    }
}

/// The second pass over a table: the body, piece by piece, then the head. No chunk is sealed that is not the one of the
/// first pass, so that one key and nonce never serve two contents, also where a file is changed in between.
pub struct SecondPass<K> {
    key: K,
    header: BaseData,
    cutter: ChunkCutter,
    digests: std::vec::IntoIter<[u8; 32]>,
    /// What the body begins with, until it has been given.
    sealed_key: Vec<u8>,
    chunks: SealedChunks,
}

impl<K: Borrow<SigningKey>> SecondPass<K> {
    /// Bytes of the head that [`finish`](Self::finish) will give: what whoever writes a file leaves free for it.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn head_bytes(&self) -> Result<usize, SealError> {
        Ok(envelope::write_head(&self.header, &[self.key.borrow()])?.len())
    }

    /// Takes the next piece of the table, of any size, and gives the next piece of the body.
    ///
    /// # Errors
    /// [`CheckError::Changed`] when the table is not that of the first pass; nothing of the change was sealed.
    pub fn push(&mut self, file: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut out = std::mem::take(&mut self.sealed_key);
        out.reserve((file.len() / CHUNK + 1) * (CHUNK + TAG));
        let (digests, chunks) = (&mut self.digests, &mut self.chunks);
        self.cutter.push(file, &mut |chunk| {
            if digests.next() != Some(digest_of(chunk)) {
                return Err(CheckError::Changed("file"));
            }
            chunks.seal(chunk, &mut out);
            Ok(())
        })?;
        Ok(out)
    }

    /// Behind the last piece of the table: the next chunk of what pads the body; empty at the end.
    ///
    /// # Errors
    /// [`CheckError::Changed`] when there was less than in the first pass.
    pub fn pad(&mut self) -> Result<Vec<u8>, SealError> {
        self.cutter.is_whole()?;
        let mut out = Vec::new();
        if self.chunks.left() > 0 {
            self.chunks.seal(b"", &mut out);
        }
        Ok(out)
    }

    /// Signs, and gives all that stands before the body.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] when the body has not been given whole.
    pub fn finish(mut self) -> Result<Vec<u8>, SealError> {
        if self.chunks.left() > 0 {
            return Err(DecodeError::Truncated("body").into());
        }
        self.header.body_sha256 = Digest(self.chunks.body.finalize().into());
        Ok(envelope::write_head(&self.header, &[self.key.borrow()])?)
    }
}

/// The sealed chunks of a body.
struct SealedChunks {
    cipher: ChaCha20Poly1305,
    binding: Digest,
    /// The number of the next one.
    next: u64,
    /// How many there must be.
    count: u64,
    /// Of the body so far.
    body: Sha256,
}

impl SealedChunks {
    /// Appends the next chunk, with zero bytes behind `clear` where it is shorter:
    /// `ChaCha20-Poly1305(content_key, nonce = 0x00000000 ‖ u64 n, aad = binding, clear)`
    fn seal(&mut self, clear: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(clear);
        out.resize(start + CHUNK, 0);
        seal::append(&self.cipher, self.next, self.binding.as_bytes(), out, start);
        self.body.update(out.get(start..).unwrap_or_default());
        self.next += 1;
    }

    fn left(&self) -> u64 {
        self.count - self.next
    }
}

/// Cuts `u64 length ‖ file` into chunks, in whatever pieces the file comes; the last one may be shorter.
struct ChunkCutter {
    length: u64,
    /// Bytes of the file that have not come.
    left: u64,
    chunk: Zeroizing<Vec<u8>>,
}

impl ChunkCutter {
    fn new(length: u64) -> Self {
        let mut chunk = Zeroizing::new(Vec::with_capacity(CHUNK));
        chunk.extend_from_slice(&length.to_be_bytes());
        Self { length, left: length, chunk }
    }

    /// Takes the next piece of the file, and hands every chunk on that is full, or the file's last.
    fn push(
        &mut self,
        mut file: &[u8],
        hand_on: &mut dyn FnMut(&[u8]) -> Result<(), CheckError>,
    ) -> Result<(), SealError> {
        let left = u64::try_from(file.len()).ok().and_then(|length| self.left.checked_sub(length));
        self.left = left.ok_or(CheckError::Changed("file"))?;
        while !file.is_empty() {
            let (now, later) = file.split_at(file.len().min(CHUNK - self.chunk.len()));
            self.chunk.extend_from_slice(now);
            file = later;
            if self.chunk.len() == CHUNK || (file.is_empty() && self.left == 0) {
                hand_on(&self.chunk)?;
                self.chunk.clear();
            }
        }
        Ok(())
    }

    /// Whether all of the file has come.
    fn is_whole(&self) -> Result<(), CheckError> {
        if self.left == 0 { Ok(()) } else { Err(CheckError::Changed("file")) }
    }

    /// One for the same file, which has come whole.
    fn again(self) -> Result<Self, CheckError> {
        self.is_whole()?;
        Ok(Self::new(self.length))
    }
}

/// What the second pass must find again. By the hasher, whose code the module has for other uses anyway.
fn digest_of(chunk: &[u8]) -> [u8; 32] {
    blake3::Hasher::new().update(chunk).finalize().into()
}

/// Chunks of a file of so many bytes.
fn chunks_of(length: u64) -> Result<usize, DecodeError> {
    if length == 0 {
        return Err(DecodeError::Truncated("file"));
    }
    let length = usize::try_from(length).ok().filter(|length| *length <= MAX_FILE_BYTES);
    length.and_then(|length| class((8 + length).div_ceil(CHUNK))).ok_or(DecodeError::TooLarge("file"))
}

/// Opens base data with the centre's key. Who signed, for which department and under which agreement is for the caller
/// to look at first.
///
/// # Errors
/// [`CheckError::Seal`] when it is for another key or was altered; [`DecodeError`] when what was sealed is not
/// well-formed.
pub fn open(document: Document<BaseData>, with: &OpeningKey) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let Document { header, signers, body, .. } = document;
    let signer = signers.first().ok_or(DecodeError::Signers)?;
    if header.recipient != with.public() {
        return Err(CheckError::Seal("recipient").into());
    }
    let binding = binding(&header.agreement, header.day, header.created, &header.recipient, signer);
    let (key, sealed) = body.split_at_checked(KEY_BYTES).ok_or(DecodeError::Truncated("content key"))?;
    let info = Label::BaseData.bytes(&[binding.as_bytes()]);
    let content_key = seal::open(with, &info, key, "content key")?;
    let cipher =
        ChaCha20Poly1305::new_from_slice(&content_key).map_err(|_| CheckError::Seal("content key"))?;
    let mut clear = Zeroizing::new(Vec::with_capacity(sealed.len()));
    for (n, chunk) in (0_u64..).zip(sealed.chunks(CHUNK + TAG)) {
        let payload = Payload { msg: chunk, aad: binding.as_bytes() };
        let chunk = cipher.decrypt(&nonce(n), payload).map_err(|_| CheckError::Seal("file"))?;
        clear.extend_from_slice(&Zeroizing::new(chunk));
    }
    let (length, padded) = clear.split_first_chunk::<8>().ok_or(DecodeError::Truncated("file"))?;
    let length = usize::try_from(u64::from_be_bytes(*length)).unwrap_or(usize::MAX);
    let (file, padding) = padded.split_at_checked(length).ok_or(DecodeError::Truncated("file"))?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err(DecodeError::Trailing("file").into());
    }
    Ok(Zeroizing::new(file.to_vec()))
}

#[cfg(test)]
mod tests;

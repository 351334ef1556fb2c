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
mod tests {
    use super::*;
    use crate::agreement::{Agreement, Centre, Institution};
    use crate::roster::{Level, PrfName, SuiteName};
    use proptest::prelude::*;

    fn stream(n: u8) -> Stream {
        Stream::new(Use::KeyFile, &Entropy::new(&[n; 32]).unwrap(), &Digest::of(b""), b"")
    }

    fn signing(n: u8) -> SigningKey {
        SigningKey::from_seed(&[n; 32])
    }

    fn agreement(centre: &OpeningKey) -> AgreementInForce {
        let terms = Agreement {
            approval_required: false,
            approver_keys: Vec::new(),
            centre: Centre {
                code: "centre-1".parse().unwrap(),
                name: "中心".parse().unwrap(),
                sealing_key: centre.public(),
                signing_key: signing(1).public(),
            },
            compliance_key: None,
            cosigner_key: None,
            fields: Vec::new(),
            institution: Institution {
                code: "housing".parse().unwrap(),
                kind: InstitutionKind::Department,
                name: "住建局".parse().unwrap(),
                sealing_key: centre.public(),
                signing_key: signing(3).public(),
            },
            level: Level::L1,
            number: "1".parse().unwrap(),
            page_sha256: None,
            prfs: vec![PrfName::Blake3],
            purpose: "核对".parse().unwrap(),
            suites: vec![SuiteName::Keyed],
            valid_from: "2026-01-01".parse().unwrap(),
            valid_to: "2026-12-31".parse().unwrap(),
        };
        AgreementInForce { terms, digest: Digest([7; 32]) }
    }

    fn sealed(centre: &OpeningKey, file: &[u8]) -> Vec<u8> {
        let (day, created) = ("2026-10-31".parse().unwrap(), "2026-11-02T01:00:00Z".parse::<Time>().unwrap());
        seal(&agreement(centre), &signing(2), day, created, file, &Entropy::new(&[5; 32]).unwrap()).unwrap()
    }

    fn opened(centre: &OpeningKey, bytes: &[u8]) -> Result<Vec<u8>, SealError> {
        open(Document::read(bytes)?, centre).map(|file| file.to_vec())
    }

    #[test]
    fn what_was_sealed_is_opened_and_its_size_is_one_of_few() {
        let centre = OpeningKey::make(&mut stream(1));
        let sizes: Vec<usize> = [1, 1_000, CHUNK - 8, CHUNK - 7, 3 * CHUNK, 4 * CHUNK]
            .map(|n| {
                let file = vec![b'x'; n];
                let bytes = sealed(&centre, &file);
                assert!(opened(&centre, &bytes).unwrap() == file, "{n}");
                bytes.len() / CHUNK
            })
            .into();
        assert_eq!(sizes, [1, 1, 1, 2, 4, 6]);
        assert_eq!(sealed(&centre, b"a").len(), sealed(&centre, &[b'b'; 60_000]).len());
        assert!(!sealed(&centre, b"510322199003071234").windows(18).any(|w| w == b"510322199003071234"));
        assert_eq!((class(3_072), class(3_073)), (Some(3_072), None));
    }

    /// Made by the code that sealed whole files, before there were two passes.
    #[test]
    fn known_answers() {
        let centre = OpeningKey::make(&mut stream(1));
        for (length, digest) in [
            (1, "abef6fd961fbda8284df8fde905325f7ad575b357efb7090698755198e6d755c"),
            (CHUNK - 8, "7eb2ef41795beea413ec1047677aebd1833fa22ffc92aab82cb72e9d22c626e6"),
            (CHUNK - 7, "46f2fe70e38f5a31eee69e4c99b7fa793c0ccbdd0514525afb0e67c80a054fab"),
            (5 * CHUNK + 77, "d8d3ffe27a04bb58b46cd73c864a00de04c43c8f497aaa872acdf3e495a5022d"),
        ] {
            let file: Vec<u8> = (0..length).map(|n| u8::try_from(n % 251).unwrap()).collect();
            assert_eq!(Digest::of(&sealed(&centre, &file)).to_string(), digest, "{length}");
        }
    }

    /// Both passes over `first` and `second`, in pieces of `piece` bytes.
    fn in_passes(
        centre: &OpeningKey,
        length: usize,
        [first, second]: [&[u8]; 2],
        piece: usize,
    ) -> Result<Vec<u8>, SealError> {
        let (day, created) = ("2026-10-31".parse().unwrap(), "2026-11-02T01:00:00Z".parse::<Time>().unwrap());
        let mut pass = FirstPass::begin(&agreement(centre), signing(2), day, created, length as u64)?;
        first.chunks(piece).try_for_each(|piece| pass.push(piece))?;
        let mut pass = pass.finish(&Entropy::new(&[5; 32]).unwrap())?;
        let (head_bytes, mut body) = (pass.head_bytes()?, Vec::new());
        for piece in second.chunks(piece) {
            body.extend(pass.push(piece)?);
        }
        loop {
            let padding = pass.pad()?;
            if padding.is_empty() {
                break;
            }
            assert_eq!(padding.len(), CHUNK + TAG);
            body.extend(padding);
        }
        let head = pass.finish()?;
        assert_eq!(head.len(), head_bytes);
        Ok([head, body].concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn pieces_of_any_size_give_the_same_bytes(
            file in proptest::collection::vec(any::<u8>(), 1..3 * CHUNK),
            piece in 1_000_usize..2 * CHUNK,
        ) {
            let centre = OpeningKey::make(&mut stream(1));
            let whole = sealed(&centre, &file);
            prop_assert!(in_passes(&centre, file.len(), [&file, &file], piece).unwrap() == whole);
            prop_assert!(opened(&centre, &whole).unwrap() == file);
        }
    }

    /// What was sealed of the file before the change is what would have been sealed without it, and nothing follows.
    #[test]
    fn a_file_that_changes_between_the_passes_is_refused() {
        let centre = OpeningKey::make(&mut stream(1));
        let file = vec![7; 3 * CHUNK];
        let good = in_passes(&centre, file.len(), [&file, &file], 999).unwrap();
        assert!(good == sealed(&centre, &file));
        let changed = |at: usize| {
            let mut other = file.clone();
            other[at] ^= 1;
            other
        };
        let longer = [&file[..], b"x"].concat();
        for (first, second) in [
            (file.clone(), changed(0)),
            (file.clone(), changed(CHUNK)),
            (file.clone(), changed(file.len() - 1)),
            (file.clone(), file[1..].to_vec()),
            (file.clone(), longer.clone()),
            (longer, file.clone()),
            (file[1..].to_vec(), file.clone()),
        ] {
            let refused = in_passes(&centre, file.len(), [&first, &second], 999);
            assert_eq!(refused, Err(CheckError::Changed("file").into()));
        }
        // A head is not given before the whole body.
        let (day, created) = ("2026-10-31".parse().unwrap(), "2026-11-02T01:00:00Z".parse::<Time>().unwrap());
        let mut pass = FirstPass::begin(&agreement(&centre), signing(2), day, created, 4 * 65_536).unwrap();
        pass.push(&[1; 4 * CHUNK]).unwrap();
        let mut pass = pass.finish(&Entropy::new(&[5; 32]).unwrap()).unwrap();
        pass.push(&[1; 4 * CHUNK]).unwrap();
        assert_eq!(pass.finish().unwrap_err(), DecodeError::Truncated("body").into());
    }

    #[test]
    fn only_a_department_seals_and_no_day_to_come() {
        let centre = OpeningKey::make(&mut stream(1));
        let begin = |kind, day: &str, created: &str, length| {
            let mut agreement = agreement(&centre);
            agreement.terms.institution.kind = kind;
            let created = created.parse::<Time>().unwrap();
            FirstPass::begin(&agreement, signing(2), day.parse().unwrap(), created, length).map(drop)
        };
        let department = InstitutionKind::Department;
        // Four in the afternoon in UTC is midnight in China.
        assert_eq!(begin(department, "2026-11-02", "2026-11-01T16:00:00Z", 1), Ok(()));
        let early = begin(department, "2026-11-02", "2026-11-01T15:59:59Z", 1);
        assert_eq!(early, Err(CheckError::DayToCome.into()));
        let bank = begin(InstitutionKind::Bank, "2026-10-31", "2026-11-02T01:00:00Z", 1);
        assert_eq!(bank, Err(CheckError::NotADepartment.into()));
        let most = u64::try_from(MAX_FILE_BYTES).unwrap();
        let sized = |length| begin(department, "2026-10-31", "2026-11-02T01:00:00Z", length);
        assert_eq!(sized(0), Err(DecodeError::Truncated("file").into()));
        assert_eq!(sized(most), Ok(()));
        for length in [most + 1, u64::MAX] {
            assert_eq!(sized(length), Err(DecodeError::TooLarge("file").into()));
        }
    }

    #[test]
    fn another_key_and_every_altered_part_are_refused() {
        let centre = OpeningKey::make(&mut stream(1));
        let other = OpeningKey::make(&mut stream(2));
        let good = sealed(&centre, b"name,number\n");
        assert_eq!(opened(&other, &good).unwrap_err(), CheckError::Seal("recipient").into());
        assert_eq!(opened(&centre, &good[..good.len() - 1]), Err(DecodeError::Truncated("body").into()));
        let mut longer = good.clone();
        longer.push(0);
        assert_eq!(opened(&centre, &longer), Err(DecodeError::Trailing("body").into()));
        for at in [good.len() - 1, good.len() - CHUNK, good.len() - CHUNK - 60] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_eq!(opened(&centre, &bad), Err(DecodeError::Body.into()), "{at}");
        }
        // One who signs anew what another sealed does not open it either: the signer is bound in.
        let document = Document::<BaseData>::read(&good).unwrap();
        let stolen = envelope::write(&document.header, &document.body, &[&signing(9)]).unwrap();
        assert_eq!(opened(&centre, &stolen).unwrap_err(), CheckError::Seal("content key").into());
    }
}

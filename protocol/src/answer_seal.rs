//! Making and opening answers (SPEC §6.4).

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::agreement::AgreementInForce;
use crate::answer::{self, Answer, Shape, TAG_BYTES};
use crate::copy::AnswerCopy;
use crate::coverage::{COVERAGE_BYTES, Coverage};
use crate::envelope::{self, Document, Verified};
use crate::error::{CheckError, DecodeError};
use crate::hedge::{Stream, Use};
use crate::label::Label;
use crate::roster::{AcceptedRoster, Level, Roster};
use crate::seal::{self, nonce};
use crate::secret::{Entropy, OpeningKey, SigningKey};
use crate::slot::Slot;
use crate::value::{Base64, Code, Digest, PublicKey, ReleaseNumber, SealingKey, Time};

/// Bytes that [`SealedAnswer::read`] gives at most at a time.
const PIECE: usize = 1 << 20;

/// Gives the slots in clear, one at a time and always the same ones: an answer is walked three times,
/// so that it never has to lie in memory whole.
pub trait Slots {
    /// Writes slot `index` over `out` (slot_size bytes).
    fn write(&self, index: u32, out: &mut [u8]);
}

/// Who makes an answer, when, and with what.
#[derive(Debug)]
pub struct Maker<'a> {
    /// The institution's signing key.
    pub key: &'a SigningKey,
    /// Now.
    pub created: Time,
    /// A later version supersedes.
    pub version: u32,
    /// The running module's release.
    pub module_release: ReleaseNumber,
    /// The running module's digest, as its runner saw it.
    pub module_sha256: Digest,
}

/// An answer ready to leave: its head, and its body piece by piece.
pub struct SealedAnswer<S> {
    slots: S,
    head: Vec<u8>,
    keys: Vec<u8>,
    coverage: Zeroizing<Vec<u8>>,
    content_key: Zeroizing<[u8; 32]>,
    binding: Digest,
    shape: Shape,
    slot_size: usize,
    digest: Digest,
    next: Next,
}

enum Next {
    Head,
    Slot(u32),
    End,
}

/// `H(LABEL("answer-binding", roster ‖ module ‖ u32 version ‖ u64 created ‖ signing key))`
fn binding(roster: &Digest, module: &Digest, version: u32, created: Time, signer: &PublicKey) -> Digest {
    Digest::of(&Label::AnswerBinding.bytes(&[
        roster.as_bytes(),
        module.as_bytes(),
        &version.to_be_bytes(),
        &created.unix().to_be_bytes(),
        signer.as_bytes(),
    ]))
}

/// The roster's opening groups, then the compliance key's where the agreement has one.
fn groups(roster: &Roster, agreement: &AgreementInForce) -> Vec<Vec<SealingKey>> {
    let compliance = agreement.terms.compliance_key.map(|key| vec![key]);
    roster.opening_groups.iter().cloned().chain(compliance).collect()
}

/// `LABEL("answer-copy", roster digest ‖ answer digest)`
fn copy_info(roster: &Digest, answer: &Digest) -> Vec<u8> {
    Label::AnswerCopy.bytes(&[roster.as_bytes(), answer.as_bytes()])
}

impl<S: Slots> SealedAnswer<S> {
    /// Seals `slots` and `coverage` to the roster's opening groups and signs.
    ///
    /// # Errors
    /// When an opening key is no good key, or the coverage statement is too large.
    pub fn make(
        roster: &AcceptedRoster,
        agreement: &AgreementInForce,
        maker: &Maker<'_>,
        coverage: &Coverage,
        slots: S,
        entropy: &Entropy,
    ) -> Result<Self, SealError> {
        let shape = Shape::of(&roster.roster, agreement);
        let slot_size =
            usize::try_from(roster.roster.slot_size).map_err(|_| DecodeError::TooLarge("slot_size"))?;
        let coverage = Zeroizing::new(coverage.encode()?);
        let binding =
            binding(&roster.digest, &maker.module_sha256, maker.version, maker.created, &maker.key.public());

        let mut everything = Sha256::new().chain_update(binding.as_bytes()).chain_update(&*coverage);
        let mut clear = Zeroizing::new(vec![0; slot_size]);
        for index in 0..roster.roster.slot_count {
            slots.write(index, &mut clear);
            everything.update(&*clear);
        }
        // EXPOSE: the hedge mixes the signing key in (SPEC §6.5).
        let mut stream =
            Stream::new(Use::Answer, entropy, &Digest(everything.finalize().into()), maker.key.expose());
        let content_key = Zeroizing::new(stream.array::<32>());
        let mut keys = Vec::new();
        for (index, group) in (0_u8..).zip(groups(&roster.roster, agreement)) {
            let context = binding.as_bytes();
            keys.extend(seal::wrap(Label::ContentKey, context, index, &group, &*content_key, &mut stream)?);
        }

        let mut sealed = Self {
            slots,
            head: Vec::new(),
            keys,
            coverage,
            content_key,
            binding,
            shape,
            slot_size,
            digest: Digest::of(b""),
            next: Next::Head,
        };
        let mut body = Sha256::new();
        loop {
            let piece = sealed.read();
            if piece.is_empty() {
                break;
            }
            body.update(&piece);
        }
        let header = Answer {
            body_bytes: shape.body_bytes(),
            body_sha256: Digest(body.finalize().into()),
            created: maker.created,
            institution: agreement.terms.institution.code.clone(),
            module_release: maker.module_release,
            module_sha256: maker.module_sha256,
            roster: roster.digest,
            roster_id: roster.roster.id,
            slot_count: roster.roster.slot_count,
            slot_size: roster.roster.slot_size,
            version: maker.version,
        };
        sealed.head = envelope::write_head(&header, &[maker.key])?;
        sealed.digest = Digest::of(&envelope::Head::parse(&sealed.head)?.pae());
        sealed.next = Next::Head;
        Ok(sealed)
    }

    /// The document digest.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Bytes of the whole document.
    pub fn total_bytes(&self) -> u64 {
        u64::try_from(self.head.len()).unwrap_or(0) + self.shape.body_bytes()
    }

    /// The copy (SPEC §4.7, §6.6): the content key sealed to the institution's own compliance office, signed by
    /// the institution. The answer does not change by it.
    ///
    /// # Errors
    /// [`CheckError::Seal`] when nothing can be sealed to `compliance`.
    pub fn copy(
        &self,
        compliance: &SealingKey,
        roster: &AcceptedRoster,
        institution: &Code,
        maker: &Maker<'_>,
        entropy: &Entropy,
    ) -> Result<Vec<u8>, SealError> {
        let (key, content_key) = (compliance.as_bytes().as_slice(), self.content_key.as_slice());
        let everything = Zeroizing::new([self.digest.as_bytes(), key, content_key].concat());
        // EXPOSE: the hedge mixes the signing key in (SPEC §6.5).
        let mut stream = Stream::new(Use::AnswerCopy, entropy, &Digest::of(&everything), maker.key.expose());
        let info = copy_info(&roster.digest, &self.digest);
        let sealed = seal::seal(compliance, &info, content_key, &mut stream, "compliance_key")?;
        let header = AnswerCopy {
            answer: self.digest,
            compliance_key: *compliance,
            content_key: Base64(sealed),
            created: maker.created,
            institution: institution.clone(),
            roster: roster.digest,
        };
        Ok(envelope::write(&header, b"", &[maker.key])?)
    }

    /// The next piece of the document, at most 1 MiB; empty at the end.
    ///
    /// One allocation a piece, whatever the slots hold: what sealing costs says nothing of them.
    pub fn read(&mut self) -> Vec<u8> {
        let mut piece = Vec::with_capacity(PIECE);
        let cipher = ChaCha20Poly1305::new(&Key::from(*self.content_key));
        if matches!(self.next, Next::Head) {
            piece.extend_from_slice(&self.head);
            piece.extend_from_slice(&self.keys);
            self.seal_part(&cipher, 0, &mut piece, COVERAGE_BYTES, |out| out.copy_from_slice(&self.coverage));
            self.next = Next::Slot(0);
        }
        while let Next::Slot(index) = self.next {
            if piece.len() + self.slot_size + TAG_BYTES > PIECE {
                break;
            }
            let n = u64::from(index) + 1;
            self.seal_part(&cipher, n, &mut piece, self.slot_size, |out| self.slots.write(index, out));
            self.next = if n == self.shape.slot_count { Next::End } else { Next::Slot(index + 1) };
        }
        piece
    }

    /// Whether all pieces have been read.
    pub fn is_read(&self) -> bool {
        matches!(self.next, Next::End)
    }

    /// The slots; nothing more can be read then.
    pub fn into_slots(self) -> S {
        self.slots
    }

    /// Appends part `n`, `length` bytes that `write` fills, sealed and with its tag.
    fn seal_part(
        &self,
        cipher: &ChaCha20Poly1305,
        n: u64,
        piece: &mut Vec<u8>,
        length: usize,
        write: impl FnOnce(&mut [u8]),
    ) {
        let start = piece.len();
        piece.resize(start + length, 0);
        write(piece.get_mut(start..).unwrap_or_default());
        seal::append(cipher, n, self.binding.as_bytes(), piece, start);
    }
}

/// An answer in clear.
#[derive(Debug)]
pub struct OpenedAnswer {
    /// The header.
    pub header: Answer,
    /// What the institution looked at.
    pub coverage: Coverage,
    /// One for each slot of the roster.
    pub slots: Vec<Slot>,
}

/// Opens an answer with the keys of one opening group, in the group's order. Consumes the document: an
/// answer is judged and opened once.
///
/// # Errors
/// [`CheckError`] as [`answer::check`] and for keys that do not open it; [`DecodeError`] where what was
/// sealed is not well-formed.
pub fn open(
    document: Document<Answer>,
    roster: &Roster,
    roster_digest: &Digest,
    agreement: &AgreementInForce,
    keys: &[&OpeningKey],
) -> Result<OpenedAnswer, SealError> {
    let Document { header, digest, signers, body } = document;
    let signer = *signers.first().ok_or(DecodeError::Signers)?;
    let verified = Verified { header, digest, signers };
    answer::check(&verified, roster, roster_digest, agreement)?;
    let header = verified.header;
    let binding = binding(&header.roster, &header.module_sha256, header.version, header.created, &signer);

    let mut rest = envelope::Reader(&body);
    let public: Vec<SealingKey> = keys.iter().map(|key| key.public()).collect();
    let mut content_key = None;
    for (index, group) in (0_u8..).zip(groups(roster, agreement)) {
        let wrapped = rest.take(32 + seal::OVERHEAD * group.len(), "content key")?;
        if group == public {
            content_key = Some(seal::unwrap(Label::ContentKey, binding.as_bytes(), index, keys, wrapped)?);
        }
    }
    let content_key = content_key.ok_or(CheckError::Seal("answer"))?;
    open_parts(header, roster.level, &binding, &content_key, rest)
}

/// Opens an answer with its copy and the compliance office's key: the institution accounts for what it disclosed.
/// Consumes the answer, as [`open`] does.
///
/// # Errors
/// [`CheckError`] when copy and answer are not by one institution and of each other, or the copy is not for this key;
/// [`DecodeError`] where what was sealed is not well-formed.
pub fn open_with_copy(
    answer: Document<Answer>,
    copy: &Document<AnswerCopy>,
    key: &OpeningKey,
) -> Result<OpenedAnswer, SealError> {
    let Document { header, digest, signers, body } = answer;
    let signer = *signers.first().ok_or(DecodeError::Signers)?;
    if copy.signers.first() != Some(&signer) {
        return Err(CheckError::Signer("copy").into());
    }
    let of = (copy.header.answer, copy.header.roster, copy.header.created, &copy.header.institution);
    if of != (digest, header.roster, header.created, &header.institution) {
        return Err(CheckError::WrongAnswer.into());
    }
    let info = copy_info(&header.roster, &digest);
    let content_key = seal::open(key, &info, &copy.header.content_key.0, "copy")?;
    let binding = binding(&header.roster, &header.module_sha256, header.version, header.created, &signer);
    let level = crate::slot::level_of_size(header.slot_size).ok_or(CheckError::Shape("answer.slot_size"))?;

    // How many opening groups the roster has shows in the length alone.
    let sealed_slot = u64::from(header.slot_size) + u64::try_from(TAG_BYTES).unwrap_or(0);
    let sealed = u64::from(header.slot_count) * sealed_slot;
    let coverage = u64::try_from(COVERAGE_BYTES + TAG_BYTES).unwrap_or(0);
    let keys = header.body_bytes.checked_sub(sealed + coverage).and_then(|keys| usize::try_from(keys).ok());
    let mut rest = envelope::Reader(&body);
    rest.take(keys.ok_or(CheckError::Shape("answer.body_bytes"))?, "content key")?;
    open_parts(header, level, &binding, &content_key, rest)
}

/// Opens the coverage statement and the slots, which is all that `rest` holds.
fn open_parts(
    header: Answer,
    level: Level,
    binding: &Digest,
    content_key: &[u8],
    mut rest: envelope::Reader<'_>,
) -> Result<OpenedAnswer, SealError> {
    let cipher =
        ChaCha20Poly1305::new_from_slice(content_key).map_err(|_| CheckError::Seal("content key"))?;
    let open_part = |n: u64, sealed: &[u8]| {
        let payload = Payload { msg: sealed, aad: binding.as_bytes() };
        cipher.decrypt(&nonce(n), payload).map(Zeroizing::new).map_err(|_| CheckError::Seal("answer"))
    };

    let coverage = Coverage::decode(&open_part(0, rest.take(COVERAGE_BYTES + TAG_BYTES, "coverage")?)?)?;
    let slot_bytes = crate::slot::size(level) + TAG_BYTES;
    let mut slots = Vec::new();
    for n in 1..=u64::from(header.slot_count) {
        slots.push(Slot::decode(level, &open_part(n, rest.take(slot_bytes, "slots")?)?)?);
    }
    rest.end("slots")?;
    Ok(OpenedAnswer { header, coverage, slots })
}

/// Why an answer can't be made or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Malformed.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Not to be used here, or with these keys.
    #[error(transparent)]
    Check(#[from] CheckError),
}

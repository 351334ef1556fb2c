//! Base data (SPEC §4.10, §6.7): a department's own table, sealed to the centre and signed by the department. The file
//! has a size of a few classes, whatever stands in it; the centre opens it in memory, matches, and keeps none of it.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::agreement::AgreementInForce;
use crate::answer_seal::SealError;
use crate::envelope::{self, Document, Header};
use crate::error::{CheckError, DecodeError};
use crate::hedge::{Stream, Use};
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
    let mut sizes = (0..=10).flat_map(|k| [2 << k, 3 << k]);
    if chunks <= 1 { Some(1) } else { sizes.find(|size| chunks <= *size).filter(|size| *size <= MOST_CHUNKS) }
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
/// [`DecodeError`] naming `file` when it is empty or larger than [`MAX_FILE_BYTES`]; [`CheckError::Seal`] when the
/// centre's key is no good key.
pub fn seal(
    agreement: &AgreementInForce,
    key: &SigningKey,
    day: Date,
    created: Time,
    file: &[u8],
    entropy: &Entropy,
) -> Result<Vec<u8>, SealError> {
    if file.is_empty() {
        return Err(DecodeError::Truncated("file").into());
    }
    let chunks = class((8 + file.len()).div_ceil(CHUNK)).ok_or(DecodeError::TooLarge("file"))?;
    let recipient = agreement.terms.centre.sealing_key;
    let binding = binding(&agreement.digest, day, created, &recipient, &key.public());
    let everything = Sha256::new().chain_update(binding.as_bytes()).chain_update(file).finalize();
    // EXPOSE: the hedge mixes the signing key in (SPEC §6.5).
    let mut stream = Stream::new(Use::BaseData, entropy, &Digest(everything.into()), key.expose());
    let content_key = Zeroizing::new(stream.array::<32>());
    let info = Label::BaseData.bytes(&[binding.as_bytes()]);
    let mut body = Vec::with_capacity(KEY_BYTES + chunks * (CHUNK + TAG));
    body.extend(seal::seal(&recipient, &info, &*content_key, &mut stream, "recipient")?);

    let cipher = ChaCha20Poly1305::new(&Key::from(*content_key));
    let length = u64::try_from(file.len()).map_err(|_| DecodeError::TooLarge("file"))?;
    let mut rest = file;
    for n in 0..chunks {
        let mut clear = Zeroizing::new(Vec::with_capacity(CHUNK));
        if n == 0 {
            clear.extend_from_slice(&length.to_be_bytes());
        }
        let (now, later) = rest.split_at(rest.len().min(CHUNK - clear.len()));
        clear.extend_from_slice(now);
        clear.resize(CHUNK, 0);
        rest = later;
        let payload = Payload { msg: &clear, aad: binding.as_bytes() };
        let n = u64::try_from(n).map_err(|_| DecodeError::TooLarge("file"))?;
        body.extend(cipher.encrypt(&nonce(n), payload).map_err(|_| CheckError::Seal("file"))?);
    }
    let header = BaseData {
        agreement: agreement.digest,
        body_bytes: u64::try_from(body.len()).map_err(|_| DecodeError::TooLarge("file"))?,
        body_sha256: Digest::of(&body),
        created,
        day,
        institution: agreement.terms.institution.code.clone(),
        recipient,
    };
    Ok(envelope::write(&header, &body, &[key])?)
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
    use crate::joining::InstitutionKind;
    use crate::roster::{Level, PrfName, SuiteName};

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

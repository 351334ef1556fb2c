//! The envelope that every document travels in (SPEC §2): type, header, signatures, body.
//!
//! [`Head::parse`] reads all that stands before the body, so that a large answer can be judged while
//! it still streams in; [`Document::read`] reads a whole document of a known kind. Nothing of a header
//! is looked at before its signatures hold.

use std::cmp::Ordering;

use crate::canonical;
use crate::error::DecodeError;
use crate::json::{Object, ToJson};
use crate::secret::{self, SigningKey};
use crate::value::{Digest, PublicKey};

const MAX_TYPE: usize = 64;
const MAX_HEADER: usize = 65_536;
const MAX_SIGNATURES: usize = 4;
const MAX_BODY: u64 = 1 << 40;

/// More bytes than any head can have: type line, header, four signatures and the lengths.
pub const MAX_HEAD: usize = MAX_TYPE + 1 + 4 + MAX_HEADER + 1 + MAX_SIGNATURES * 96 + 8;

/// The header of one kind of document.
pub trait Header: Object + ToJson {
    /// The type string, `hedui/…/v1`.
    const TYPE: &'static str;

    /// Length and digest of the body, for the types that have one.
    fn body(&self) -> Option<(u64, Digest)> {
        None
    }

    /// What the member types alone cannot hold: members that must fit each other.
    ///
    /// # Errors
    /// [`DecodeError::Member`] with the member's name.
    fn validate(&self) -> Result<(), DecodeError>;
}

/// A document of kind `H` whose framing, signatures, header and body have all been checked.
#[derive(Debug, Clone)]
pub struct Document<H> {
    /// The header.
    pub header: H,
    /// `H(PAE)`: the same whatever signatures are added.
    pub digest: Digest,
    /// Who signed, author first. Their signatures hold; whether they are the right ones is the caller's question.
    pub signers: Vec<PublicKey>,
    /// The body; empty in most types.
    pub body: Vec<u8>,
}

impl<H: Header> Document<H> {
    /// Reads a whole document.
    ///
    /// # Errors
    /// The first [`DecodeError`] in the order of SPEC §2.
    pub fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let head = Head::parse(bytes)?;
        let body = bytes.get(head.length..).unwrap_or_default();
        head.check_length(body)?;
        let (header, digest, signers) = head.verify::<H>()?.into_parts();
        head.check_body(&header, body)?;
        Ok(Self { header, digest, signers, body: body.to_vec() })
    }
}

/// Writes a document, signed by `signers` in this order.
///
/// # Errors
/// When the header cannot stand in a document, does not fit `body`, or the number of signers is not 1…4.
pub fn write<H: Header>(header: &H, body: &[u8], signers: &[&SigningKey]) -> Result<Vec<u8>, DecodeError> {
    let expected = (u64::try_from(body.len()).unwrap_or(u64::MAX), Digest::of(body));
    if header.body().unwrap_or((0, Digest::of(b""))) != expected {
        return Err(DecodeError::Body);
    }
    let mut out = write_head(header, signers)?;
    out.extend_from_slice(body);
    Ok(out)
}

/// Writes all of a document that stands before its body.
///
/// # Errors
/// As [`write`].
pub fn write_head<H: Header>(header: &H, signers: &[&SigningKey]) -> Result<Vec<u8>, DecodeError> {
    header.validate()?;
    let body_bytes = header.body().map_or(0, |(length, _)| length);
    sign_head(H::TYPE, canonical::encode(header)?, body_bytes, signers)
}

/// The same for any type: one piece of code for all of them.
fn sign_head(
    kind: &str,
    header: Vec<u8>,
    body_bytes: u64,
    signers: &[&SigningKey],
) -> Result<Vec<u8>, DecodeError> {
    if header.len() > MAX_HEADER {
        return Err(DecodeError::TooLarge("header"));
    }
    let pae = pae(kind.as_bytes(), &header);
    let signatures = signers.iter().map(|key| (key.public(), key.sign(&pae))).collect();
    Head { kind: kind.to_owned(), header, signatures, body_bytes, length: 0 }.encode()
}

/// Everything before the body, framing checked, nothing else yet.
#[derive(Debug, Clone)]
pub struct Head {
    kind: String,
    header: Vec<u8>,
    signatures: Vec<(PublicKey, [u8; 64])>,
    body_bytes: u64,
    /// Bytes that the head takes; the body begins there.
    pub length: usize,
}

impl Head {
    /// Reads the head at the beginning of `bytes`, which may go on.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] when more bytes are needed, else what is wrong with the framing.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let line = bytes.get(..bytes.len().min(MAX_TYPE + 1)).unwrap_or_default();
        let good = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'/' | b'-');
        let end = line.iter().position(|b| !good(b));
        let kind = match end.and_then(|end| line.split_at_checked(end)) {
            Some((kind, [b'\n', ..])) if !kind.is_empty() => kind,
            None if line.len() <= MAX_TYPE => return Err(DecodeError::Truncated("type")),
            _ => return Err(DecodeError::NotADocument),
        };
        let kind = String::from_utf8(kind.to_vec()).map_err(|_| DecodeError::NotADocument)?;
        let mut rest = Reader(bytes.get(kind.len() + 1..).unwrap_or_default());

        let header_length = u32::from_be_bytes(rest.array("header length")?);
        let header_length = usize::try_from(header_length).unwrap_or(usize::MAX);
        if header_length > MAX_HEADER {
            return Err(DecodeError::TooLarge("header"));
        }
        let header = rest.take(header_length, "header")?.to_vec();
        let [count] = rest.array("signature count")?;
        if !(1..=MAX_SIGNATURES).contains(&usize::from(count)) {
            return Err(DecodeError::Signers);
        }
        let mut signatures = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let key = PublicKey(rest.array("signature")?);
            signatures.push((key, rest.array("signature")?));
        }
        let body_bytes = u64::from_be_bytes(rest.array("body length")?);
        if body_bytes > MAX_BODY {
            return Err(DecodeError::TooLarge("body"));
        }
        let length = bytes.len() - rest.0.len();
        Ok(Self { kind, header, signatures, body_bytes, length })
    }

    /// The type string.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The header as it stands: canonical JSON only once [`Head::verify`] has said so.
    pub fn header_json(&self) -> &[u8] {
        &self.header
    }

    /// Bytes of the body that follows.
    pub fn body_bytes(&self) -> u64 {
        self.body_bytes
    }

    /// `PAE(type, header)`: what is signed.
    pub fn pae(&self) -> Vec<u8> {
        pae(self.kind.as_bytes(), &self.header)
    }

    /// Checks the signatures alone: for a tool that shows a document of any kind.
    ///
    /// # Errors
    /// [`DecodeError::BadSignature`] or [`DecodeError::Signers`].
    pub fn signers(&self) -> Result<Vec<PublicKey>, DecodeError> {
        let pae = self.pae();
        let mut signers: Vec<PublicKey> = Vec::new();
        for (i, (key, signature)) in self.signatures.iter().enumerate() {
            if signers.contains(key) {
                return Err(DecodeError::Signers);
            }
            if !secret::verify(key, &pae, signature) {
                return Err(DecodeError::BadSignature(i));
            }
            signers.push(*key);
        }
        Ok(signers)
    }

    /// Checks type, signatures and header; the body is still the caller's to hold against [`Header::body`].
    ///
    /// # Errors
    /// The first [`DecodeError`] in the order of SPEC §2.
    pub fn verify<H: Header>(&self) -> Result<Verified<H>, DecodeError> {
        let signers = self.signed_as(H::TYPE)?;
        let header: H = canonical::decode(&self.header)?;
        header.validate()?;
        if header.body().map_or(0, |(length, _)| length) != self.body_bytes {
            return Err(DecodeError::Body);
        }
        Ok(Verified { header, digest: Digest::of(&self.pae()), signers })
    }

    /// Whether it is of a type, and who signed it: one piece of code for all types.
    fn signed_as(&self, expected: &'static str) -> Result<Vec<PublicKey>, DecodeError> {
        if self.kind != expected {
            return Err(DecodeError::WrongType { expected });
        }
        self.signers()
    }

    fn check_length(&self, body: &[u8]) -> Result<(), DecodeError> {
        let length = u64::try_from(body.len()).map_err(|_| DecodeError::TooLarge("body"))?;
        match length.cmp(&self.body_bytes) {
            Ordering::Less => Err(DecodeError::Truncated("body")),
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(DecodeError::Trailing("body")),
        }
    }

    /// Holds a body against the header that [`Head::verify`] gave.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`], [`DecodeError::Trailing`] or [`DecodeError::Body`].
    pub fn check_body<H: Header>(&self, header: &H, body: &[u8]) -> Result<(), DecodeError> {
        self.check_length(body)?;
        match header.body() {
            Some((_, expected)) if Digest::of(body) != expected => Err(DecodeError::Body),
            _ => Ok(()),
        }
    }

    /// Adds a co-signature made elsewhere over [`Head::pae`].
    ///
    /// # Errors
    /// [`DecodeError::Signers`] when the key has signed already or there is no room;
    /// [`DecodeError::BadSignature`] when it does not hold.
    pub fn add_signature(&mut self, key: PublicKey, signature: [u8; 64]) -> Result<(), DecodeError> {
        self.signatures.push((key, signature));
        if self.signatures.len() > MAX_SIGNATURES {
            return Err(DecodeError::Signers);
        }
        self.signers().map(drop)
    }

    /// The bytes of the head.
    ///
    /// # Errors
    /// [`DecodeError::Signers`] when it has no signature or more than four.
    pub fn encode(&self) -> Result<Vec<u8>, DecodeError> {
        let count = u8::try_from(self.signatures.len()).map_err(|_| DecodeError::Signers)?;
        if !(1..=MAX_SIGNATURES).contains(&usize::from(count)) {
            return Err(DecodeError::Signers);
        }
        let header_length = u32::try_from(self.header.len()).map_err(|_| DecodeError::TooLarge("header"))?;
        let mut out = Vec::with_capacity(self.header.len() + 512);
        out.extend_from_slice(self.kind.as_bytes());
        out.push(b'\n');
        out.extend_from_slice(&header_length.to_be_bytes());
        out.extend_from_slice(&self.header);
        out.push(count);
        for (key, signature) in &self.signatures {
            out.extend_from_slice(key.as_bytes());
            out.extend_from_slice(signature);
        }
        out.extend_from_slice(&self.body_bytes.to_be_bytes());
        Ok(out)
    }
}

/// A head whose type, signatures and header hold.
#[derive(Debug)]
pub struct Verified<H> {
    /// The header.
    pub header: H,
    /// The document digest.
    pub digest: Digest,
    /// Who signed, author first.
    pub signers: Vec<PublicKey>,
}

impl<H> Verified<H> {
    fn into_parts(self) -> (H, Digest, Vec<PublicKey>) {
        (self.header, self.digest, self.signers)
    }
}

/// Signs a document once more (the second party, the second organisation, the approver).
///
/// # Errors
/// When the bytes are no document, or the key has signed already.
pub fn co_sign(document: &[u8], key: &SigningKey) -> Result<Vec<u8>, DecodeError> {
    let mut head = Head::parse(document)?;
    let body = document.get(head.length..).unwrap_or_default();
    head.signers()?;
    head.add_signature(key.public(), key.sign(&head.pae()))?;
    let mut out = head.encode()?;
    out.extend_from_slice(body);
    Ok(out)
}

/// `"DSSEv1" SP LEN(type) SP type SP LEN(header) SP header` (DSSE v1, protocol.md).
fn pae(kind: &[u8], header: &[u8]) -> Vec<u8> {
    let mut out = format!("DSSEv1 {} ", kind.len()).into_bytes();
    out.extend_from_slice(kind);
    out.extend_from_slice(format!(" {} ", header.len()).as_bytes());
    out.extend_from_slice(header);
    out
}

/// Takes fields off the front of a byte string, and names the one that is cut short.
#[derive(Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `n` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] with `field`.
    pub fn take(&mut self, n: usize, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.0.split_at_checked(n).ok_or(DecodeError::Truncated(field))?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] with `field`.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(DecodeError::Truncated(field))?;
        self.0 = rest;
        Ok(*taken)
    }

    /// # Errors
    /// [`DecodeError::Trailing`] when bytes are left.
    pub fn end(self, field: &'static str) -> Result<(), DecodeError> {
        if self.0.is_empty() { Ok(()) } else { Err(DecodeError::Trailing(field)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    crate::json_object! {
        #[derive(Debug, Clone, PartialEq)]
        struct Probe {
            body_bytes: u64,
            body_sha256: Digest,
            note: String,
        }
    }
    impl Header for Probe {
        const TYPE: &'static str = "hedui/probe/v1";
        fn body(&self) -> Option<(u64, Digest)> {
            Some((self.body_bytes, self.body_sha256))
        }
        fn validate(&self) -> Result<(), DecodeError> {
            Ok(())
        }
    }

    fn key(n: u8) -> SigningKey {
        SigningKey::from_seed(&[n; 32])
    }

    fn probe(note: &str, body: &[u8]) -> Vec<u8> {
        let header =
            Probe { body_bytes: body.len() as u64, body_sha256: Digest::of(body), note: note.into() };
        write(&header, body, &[&key(1)]).unwrap()
    }

    #[test]
    fn bad_cut_flipped_or_longer_is_refused_everywhere() {
        let document = probe("n", b"body");
        assert_eq!(Document::<Probe>::read(&document).unwrap().body, b"body");
        for cut in 0..document.len() {
            let error = Document::<Probe>::read(&document[..cut]).unwrap_err();
            assert!(matches!(error, DecodeError::Truncated(_)), "{cut}: {error:?}");
        }
        for at in 0..document.len() {
            let mut flipped = document.clone();
            flipped[at] ^= 1;
            assert!(Document::<Probe>::read(&flipped).is_err(), "byte {at} is not protected");
        }
        let longer = [document.as_slice(), b"x"].concat();
        assert_eq!(Document::<Probe>::read(&longer).unwrap_err(), DecodeError::Trailing("body"));
    }

    #[test]
    fn a_co_signature_keeps_the_digest() {
        let document = probe("n", b"");
        let twice = co_sign(&document, &key(2)).unwrap();
        let (one, two) =
            (Document::<Probe>::read(&document).unwrap(), Document::<Probe>::read(&twice).unwrap());
        assert_eq!(one.digest, two.digest);
        assert_eq!(two.signers, [key(1).public(), key(2).public()]);
        assert_eq!(co_sign(&twice, &key(1)).unwrap_err(), DecodeError::Signers);
    }

    #[test]
    fn a_signature_is_for_one_type() {
        // The header of one kind under the type of another: the signature covers the type.
        let document = probe("n", b"");
        let other = [b"hedui/other/v1\n".as_slice(), &document["hedui/probe/v1\n".len()..]].concat();
        assert_eq!(Head::parse(&other).unwrap().signers().unwrap_err(), DecodeError::BadSignature(0));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(note in "[^\\x00]{0,40}", body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let read = Document::<Probe>::read(&probe(&note, &body)).unwrap();
            prop_assert_eq!((read.header.note, read.body), (note, body));
        }

        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Document::<Probe>::read(&bytes);
            let _ = Document::<Probe>::read(&[b"hedui/probe/v1\n".as_slice(), &bytes].concat());
        }
    }
}

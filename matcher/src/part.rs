//! A part of a run: what one instance of the module found in a stretch of a file, sealed for the instance that
//! makes the answer (SPEC §10.1).
//!
//! The stretch begins and ends at line breaks. The instance that takes the part over refuses it where its own
//! rows do not end between two records; then the runner lets it read the stretch itself.

use std::collections::BTreeMap;

use protocol::DecodeError;
use protocol::canonical;
use protocol::part_seal::{ID_BYTES, PartKey, TAG_BYTES};
use protocol::secret::{Entropy, SigningKey};
use protocol::value::Digest;
use rows::Density;
use zeroize::Zeroizing;

use crate::damage::Damage;
use crate::error::ModuleError;
use crate::findings::Findings;
use crate::set_aside::SetAside;

/// Bytes of the padded head: counts only.
const HEAD_BYTES: usize = 2048;

/// Bytes of a sealed piece at most.
const PIECE_BYTES: usize = 1 << 20;

protocol::json_object! {
    /// What was counted in a part.
    #[derive(Debug, Clone, PartialEq, Eq, Default)]
    pub struct PartHead {
        /// Whether the part ends between two records.
        pub at_border: bool,
        /// Its bytes.
        pub bytes: u64,
        /// Counts over the identity column.
        pub damage: Damage,
        /// Its line feeds.
        pub line_feeds: u64,
        /// Rows by what was put right.
        pub normalised: BTreeMap<String, u64>,
        /// Companies' rows.
        pub not_personal: u64,
        /// Rows set aside, by reason.
        pub quarantined: BTreeMap<String, u64>,
        /// Its rows.
        pub rows: u64,
        /// Lines that are no data.
        pub skipped: BTreeMap<String, u64>,
        /// Rows with a valid subject.
        pub valid: u64,
    }
}

/// What travels beside the counts: the rows set aside, and the sample that shows an enumeration.
#[derive(Debug)]
pub struct Beside {
    /// The rows set aside.
    pub set_aside: SetAside,
    /// The sample.
    pub density: Density,
}

impl Beside {
    /// `u32 length of the rows ‖ the rows ‖ the sample`
    fn write(&self, out: &mut Vec<u8>) {
        let rows = self.set_aside.to_bytes();
        out.extend_from_slice(&u32::try_from(rows.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(&rows);
        out.extend_from_slice(&self.density.to_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (rows, density) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        Some(Self { set_aside: SetAside::from_bytes(rows)?, density: Density::from_bytes(density)? })
    }
}

/// A part on its way out, piece by piece.
pub struct SealedPart {
    head: Zeroizing<Vec<u8>>,
    findings: Findings,
    id: [u8; ID_BYTES],
    key: PartKey,
    next: u64,
    slot: u32,
}

impl SealedPart {
    /// Seals what was counted and found.
    ///
    /// # Errors
    /// When the counts do not fit their place, which they do.
    pub fn make(
        head: &PartHead,
        beside: &Beside,
        findings: Findings,
        roster: Digest,
        entropy: &Entropy,
        signer: &SigningKey,
    ) -> Result<Self, ModuleError> {
        let too_large = |_| ModuleError::new("part_broken", "part", "the part's counts have no room");
        let mut clear = Zeroizing::new(canonical::encode(head).map_err(too_large)?);
        if clear.len() > HEAD_BYTES {
            return Err(too_large(DecodeError::TooLarge("part")));
        }
        clear.resize(HEAD_BYTES, 0);
        beside.write(&mut clear);
        let mut content = protocol::part_seal::Content::new(&roster, &clear);
        let mut slot = Zeroizing::new(vec![0; findings.part_bytes()]);
        for index in 0..findings.slot_count() {
            findings.write_part(index, &mut slot);
            content.add(&slot);
        }
        let id = PartKey::id(entropy, &content.digest(), signer);
        let key = PartKey::derive(entropy, &id, signer, roster);
        Ok(Self { head: clear, findings, id, key, next: 0, slot: 0 })
    }

    /// The next piece; empty at the end. Its length depends on the roster and on the stretch, and not on what was found.
    pub fn read(&mut self) -> Vec<u8> {
        let mut piece = Vec::new();
        if self.next == 0 {
            piece.extend_from_slice(&self.id);
            piece.extend_from_slice(&self.head);
            self.key.seal(0, &mut piece, ID_BYTES);
        } else {
            let first = self.slot;
            let slots = slots_of_piece(&self.findings, first);
            let size = self.findings.part_bytes();
            piece.resize(slots * size, 0);
            for out in piece.chunks_exact_mut(size.max(1)) {
                self.findings.write_part(self.slot, out);
                self.slot += 1;
            }
            if piece.is_empty() {
                return piece;
            }
            self.key.seal(self.next, &mut piece, 0);
        }
        self.next += 1;
        piece
    }
}

/// Slots of the piece that begins with slot `first`.
fn slots_of_piece(findings: &Findings, first: u32) -> usize {
    let fit = (PIECE_BYTES - TAG_BYTES) / findings.part_bytes().max(1);
    let left = usize::try_from(findings.slot_count().saturating_sub(first)).unwrap_or(0);
    fit.min(left)
}

/// A part on its way in.
pub struct PartTaker {
    key: PartKey,
    next: u64,
    slot: u32,
}

impl PartTaker {
    /// Opens the first piece.
    ///
    /// # Errors
    /// `part_broken` when it was not sealed by an instance with the same keys, roster and entropy.
    pub fn begin(
        piece: &[u8],
        roster: Digest,
        entropy: &Entropy,
        signer: &SigningKey,
    ) -> Result<(Self, PartHead, Beside), ModuleError> {
        let (id, sealed) = piece.split_first_chunk::<ID_BYTES>().ok_or_else(broken)?;
        let key = PartKey::derive(entropy, id, signer, roster);
        let clear = key.open(0, sealed).map_err(|_| broken())?;
        let (head, beside) = clear.split_first_chunk::<HEAD_BYTES>().ok_or_else(broken)?;
        let end = head.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
        let head = canonical::decode(head.get(..end).unwrap_or_default()).map_err(|_| broken())?;
        let beside = Beside::read(beside).ok_or_else(broken)?;
        Ok((Self { key, next: 1, slot: 0 }, head, beside))
    }

    /// Adds the slots of the next piece; says whether the part is complete.
    ///
    /// # Errors
    /// `part_broken` when it is not the next piece.
    pub fn add(&mut self, piece: &[u8], findings: &mut Findings) -> Result<bool, ModuleError> {
        let clear = self.key.open(self.next, piece).map_err(|_| broken())?;
        let size = findings.part_bytes().max(1);
        if clear.len() != slots_of_piece(findings, self.slot) * size {
            return Err(broken());
        }
        for slot in clear.chunks_exact(size) {
            findings.add_part(self.slot, slot).map_err(|_| broken())?;
            self.slot += 1;
        }
        self.next += 1;
        Ok(self.slot == findings.slot_count())
    }
}

fn broken() -> ModuleError {
    ModuleError::new("part_broken", "part", "the part is not one that this session can take over")
}

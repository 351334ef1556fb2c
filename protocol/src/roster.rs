//! The roster: whom a centre asks one institution about, as tokens (SPEC §4.3).

use std::fmt;

use subtle::ConstantTimeEq as _;

use crate::agreement::{AgreementInForce, rising};
use crate::envelope::{Document, Header, Reader};
use crate::error::{CheckError, DecodeError};
use crate::slot;
use crate::value::{
    Base64, Code, Currency, Date, Digest, PublicKey, ReleaseNumber, RosterId, SealingKey, Text, Time,
};

/// Bytes of an entry: token, slot, folded tag, exact tag, ordinal.
pub const ENTRY_BYTES: usize = 24;

/// The smallest size class; the others double it.
pub const SMALLEST_CLASS: u32 = 64;

/// The largest size class.
pub const LARGEST_CLASS: u32 = SMALLEST_CLASS << 14;

/// Seconds a roster may live: 30 days.
pub const MAX_LIFE: u64 = 30 * 86_400;

crate::json_words! {
    /// How much an answer says (SPEC §4.3.1).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Level {
        /// Hit, or over a line.
        L0 = "L0",
        /// Totals per asset kind and currency.
        L1 = "L1",
        /// Totals and the account list.
        L2 = "L2",
    }
}

crate::json_words! {
    /// What may be asked beyond the hit itself. The order is that of the names.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Field {
        /// Account numbers.
        Account = "account",
        /// How many accounts.
        Accounts = "accounts",
        /// Amounts.
        Amount = "amount",
        /// Balance dates.
        BalanceDate = "balance_date",
        /// The name flag.
        Name = "name",
        /// Product names.
        Product = "product",
        /// Account states.
        Status = "status",
    }
}

impl Field {
    /// Whether the level has a place for it.
    pub fn allowed_at(self, level: Level) -> bool {
        match self {
            Self::Name => true,
            Self::Accounts | Self::Amount | Self::BalanceDate => level >= Level::L1,
            Self::Account | Self::Product | Self::Status => level >= Level::L2,
        }
    }
}

crate::json_words! {
    /// How tokens are made and matched; design §4.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum SuiteName {
        /// A keyed hash whose key the institution's module holds.
        Keyed = "keyed",
    }
}

crate::json_words! {
    /// The pseudorandom function of the suite `keyed`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum PrfName {
        /// Keyed BLAKE3.
        Blake3 = "blake3",
        /// HMAC-SHA256.
        HmacSha256 = "hmac-sha256",
    }
}

crate::json_words! {
    /// The HPKE KEM of a roster's and its answer's seals.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum KemName {
        /// DHKEM(X25519, HKDF-SHA256), RFC 9180 §7.1, 0x0020.
        X25519 = "x25519-hkdf-sha256",
    }
}

crate::json_object! {
    /// The amount that a customer's assets are held against at level L0.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Line {
        /// Only assets in this currency count.
        pub currency: Currency,
        /// In the currency's minor unit.
        pub minor: u64,
    }
}

crate::json_object! {
    /// Header of a roster.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Roster {
        /// Document digest of the agreement it is made under.
        pub agreement: Digest,
        /// The day whose property is asked for (核对时点).
        pub as_of: Date,
        /// Merkle root of the slots' authorisation commitments (SPEC §7).
        pub authorisations_root: Digest,
        /// Bytes of the body.
        pub body_bytes: u64,
        /// Digest of the body.
        pub body_sha256: Digest,
        /// Entries in the body.
        pub entry_count: u32,
        /// When it may no longer be answered.
        pub expires: Time,
        /// What is asked, sorted.
        pub fields: Vec<Field>,
        /// Its identity.
        pub id: RosterId,
        /// First day of the income period.
        pub income_from: Option<Date>,
        /// Last day of the income period.
        pub income_to: Option<Date>,
        /// Whom it is for.
        pub institution: Code,
        /// When it was made.
        pub issued: Time,
        /// How its seals are made.
        pub kem: KemName,
        /// The law that permits the question.
        pub legal_basis: Text,
        /// How much is asked.
        pub level: Level,
        /// The line of level L0.
        pub line: Option<Line>,
        /// The oldest module release that may answer.
        pub module_minimum: ReleaseNumber,
        /// Who together can open the answer.
        pub opening_groups: Vec<Vec<SealingKey>>,
        /// How tokens are made.
        pub prf: PrfName,
        /// What the answer is for.
        pub purpose: Text,
        /// Rises with each roster to this institution.
        pub serial: u64,
        /// Slots of the answer: a size class.
        pub slot_count: u32,
        /// Bytes of a slot.
        pub slot_size: u32,
        /// How matching is done.
        pub suite: SuiteName,
        /// The centre's own note (SPEC §6.3).
        pub ticket: Base64,
        /// The token key, sealed to the institution (SPEC §6.2).
        pub token_key: Base64,
    }
}

impl Header for Roster {
    const TYPE: &'static str = "hedui/roster/v1";

    fn body(&self) -> Option<(u64, Digest)> {
        Some((self.body_bytes, self.body_sha256))
    }

    fn validate(&self) -> Result<(), DecodeError> {
        let member =
            |good: bool, name: &str| if good { Ok(()) } else { Err(DecodeError::Member(name.to_owned())) };
        member(is_size_class(self.slot_count), "slot_count")?;
        member(usize::try_from(self.slot_size) == Ok(slot::size(self.level)), "slot_size")?;
        member((1..=LARGEST_CLASS / 4 * 5).contains(&self.entry_count), "entry_count")?;
        member(self.body_bytes == u64::from(self.entry_count) * 24, "body_bytes")?;
        member(
            self.issued < self.expires && self.expires.unix() - self.issued.unix() <= MAX_LIFE,
            "expires",
        )?;
        member(rising(&self.fields) && self.fields.iter().all(|f| f.allowed_at(self.level)), "fields")?;
        member(
            self.income_from.is_some() == self.income_to.is_some() && self.income_from <= self.income_to,
            "income_to",
        )?;
        member(self.line.is_none() || self.level == Level::L0, "line")?;
        let groups = &self.opening_groups;
        member(
            (1..=6).contains(&groups.len()) && groups.iter().all(|g| (1..=3).contains(&g.len())),
            "opening_groups",
        )?;
        member(self.serial >= 1, "serial")?;
        member(self.token_key.0.len() == 80, "token_key")?;
        member(self.ticket.0.len() <= 1024, "ticket")
    }
}

/// Whether `count` is 64·2^k, 0 ≤ k ≤ 14.
pub(crate) fn is_size_class(count: u32) -> bool {
    count.is_power_of_two() && (SMALLEST_CLASS..=LARGEST_CLASS).contains(&count)
}

/// The smallest size class with room for `people`.
pub fn size_class(people: u32) -> Option<u32> {
    let class = people.max(SMALLEST_CLASS).checked_next_power_of_two()?;
    is_size_class(class).then_some(class)
}

/// One entry of the body. Tokens are looked up in a table, so they compare as bytes do; printing shows the place only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What a subject's token is compared with.
    pub token: [u8; 16],
    /// Where in the answer the subject's slot is.
    pub slot: u32,
    /// Tag of the folded name.
    pub folded_tag: [u8; 2],
    /// Tag of the trimmed name.
    pub exact_tag: u8,
    /// Which of the slot's numbers this is, 0 the current one.
    pub ordinal: u8,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry(slot {}, ordinal {}, ..)", self.slot, self.ordinal)
    }
}

impl Entry {
    /// The 24 bytes of the entry.
    pub fn to_bytes(&self) -> [u8; ENTRY_BYTES] {
        let mut out = [0; ENTRY_BYTES];
        let parts =
            [&self.token[..], &self.slot.to_be_bytes(), &self.folded_tag, &[self.exact_tag, self.ordinal]];
        out.iter_mut().zip(parts.concat()).for_each(|(o, b)| *o = b);
        out
    }

    /// Whether this is the entry of `token`, which stands in `slot` as its current number; in constant time.
    pub fn is_of(&self, token: &[u8; 16], slot: u32) -> bool {
        (self.token.ct_eq(token) & self.slot.ct_eq(&slot) & self.ordinal.ct_eq(&0)).into()
    }

    /// Whether two bodies have the same entries, in constant time: whoever made one of them made up its tokens.
    pub fn same(ours: &[Self], theirs: &[Self]) -> bool {
        ours.len() == theirs.len()
            && ours
                .iter()
                .zip(theirs)
                .fold(subtle::Choice::from(1), |same, (a, b)| same & a.to_bytes().ct_eq(&b.to_bytes()))
                .into()
    }

    fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader(bytes);
        Ok(Self {
            token: reader.array("entries")?,
            slot: u32::from_be_bytes(reader.array("entries")?),
            folded_tag: reader.array("entries")?,
            exact_tag: reader.array::<1>("entries")?[0],
            ordinal: reader.array::<1>("entries")?[0],
        })
    }
}

/// Reads the entries of a body and checks their order and their slots.
///
/// # Errors
/// [`DecodeError::Malformed`] when tokens do not strictly rise, a slot or ordinal lies outside its range, or a slot has no entry.
pub fn read_entries(roster: &Roster, body: &[u8]) -> Result<Vec<Entry>, DecodeError> {
    let entries = body.chunks(ENTRY_BYTES).map(Entry::read).collect::<Result<Vec<_>, _>>()?;
    if !entries.is_sorted_by(|a, b| a.token < b.token) {
        return Err(DecodeError::Malformed("entries.token"));
    }
    // Every slot has an entry, and every entry a slot.
    let mut empty = vec![true; usize::try_from(roster.slot_count).unwrap_or(0)];
    for entry in &entries {
        let slot = usize::try_from(entry.slot).ok().and_then(|slot| empty.get_mut(slot));
        *slot.ok_or(DecodeError::Malformed("entries.slot"))? = false;
    }
    if empty.contains(&true) {
        return Err(DecodeError::Malformed("entries.slot"));
    }
    if entries.iter().any(|e| e.ordinal > 7) {
        return Err(DecodeError::Malformed("entries.ordinal"));
    }
    Ok(entries)
}

/// A roster that its agreement permits, for this institution, to be answered now.
#[derive(Debug, Clone)]
pub struct AcceptedRoster {
    /// The header.
    pub roster: Roster,
    /// Its document digest: answers name it.
    pub digest: Digest,
    /// The entries.
    pub entries: Vec<Entry>,
}

/// What the answering (or carrying) side knows when it judges a roster.
#[derive(Debug, Clone, Copy)]
pub struct RosterContext {
    /// Now.
    pub now: Time,
    /// The highest serial answered before, 0 for none.
    pub last_serial: u64,
    /// The release of the module that will answer; `None` where nobody answers yet (the host).
    pub release: Option<ReleaseNumber>,
}

impl Document<Roster> {
    /// # Errors
    /// [`CheckError`] for the first of: signer, co-signer, institution, agreement, permission, time, replay, release.
    pub fn check(
        self,
        agreement: &AgreementInForce,
        context: &RosterContext,
    ) -> Result<AcceptedRoster, RosterError> {
        let Self { header, digest, signers, body } = self;
        judge(&header, &signers, agreement, context)?;
        let entries = read_entries(&header, &body)?;
        Ok(AcceptedRoster { roster: header, digest, entries })
    }
}

fn judge(
    roster: &Roster,
    signers: &[PublicKey],
    agreement: &AgreementInForce,
    context: &RosterContext,
) -> Result<(), CheckError> {
    let terms = &agreement.terms;
    if signers.first() != Some(&terms.centre.signing_key) {
        return Err(CheckError::Signer("roster"));
    }
    if terms.cosigner_key.is_some_and(|key| !signers.iter().skip(1).any(|signer| *signer == key)) {
        return Err(CheckError::MissingSignature("roster"));
    }
    if roster.institution != terms.institution.code {
        return Err(CheckError::WrongInstitution("roster"));
    }
    if roster.agreement != agreement.digest {
        return Err(CheckError::WrongAgreement);
    }
    if roster.level > terms.level {
        return Err(CheckError::NotPermitted("roster.level"));
    }
    if !roster.fields.iter().all(|f| terms.fields.contains(f)) {
        return Err(CheckError::NotPermitted("roster.fields"));
    }
    if !terms.prfs.contains(&roster.prf) {
        return Err(CheckError::NotPermitted("roster.prf"));
    }
    if !terms.suites.contains(&roster.suite) {
        return Err(CheckError::NotPermitted("roster.suite"));
    }
    if context.now < roster.issued {
        return Err(CheckError::NotYet("roster"));
    }
    if context.now >= roster.expires {
        return Err(CheckError::Expired("roster"));
    }
    if roster.serial < context.last_serial {
        return Err(CheckError::Replayed);
    }
    if context.release.is_some_and(|release| release < roster.module_minimum) {
        return Err(CheckError::ModuleTooOld(roster.module_minimum.to_string()));
    }
    Ok(())
}

/// Why a roster is refused: malformed, or not to be answered here and now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// It can't be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It may not be used.
    #[error(transparent)]
    Check(#[from] CheckError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_classes() {
        for (people, class) in [(0, 64), (1, 64), (64, 64), (65, 128), (10_000, 16_384), (1 << 20, 1 << 20)] {
            assert_eq!(size_class(people), Some(class));
        }
        assert_eq!(size_class((1 << 20) + 1), None);
    }
}

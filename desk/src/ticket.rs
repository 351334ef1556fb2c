//! The ticket: the centre's note to itself inside a roster (SPEC §6.3). All that is random about a
//! roster's slots, entries and token key grows from its seed, so that the centre can rebuild them; so can a second
//! organisation that is given it (SPEC §6.8).

use protocol::error::CheckError;
use protocol::hedge::{Stream, Use};
use protocol::label::Label;
use protocol::roster::Roster;
use protocol::seal;
use protocol::secret::{Entropy, OpeningKey};
use protocol::value::{Digest, RosterId, SealingKey};
use zeroize::Zeroizing;

/// What the ticket of roster `id` holds.
pub(crate) struct Ticket {
    id: RosterId,
    agreement: Digest,
    seed: Entropy,
    /// Slots that stand for someone.
    pub(crate) real_count: u32,
    /// All slots.
    pub(crate) slot_count: u32,
}

/// What is drawn from the seed; each part has a stream of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The token key.
    TokenKey,
    /// The encapsulation of the token key for the institution.
    TokenKeySeal,
    /// Which slot stands for whom.
    Permutation,
    /// Salts of the authorisation commitments.
    Salts,
    /// Entries that stand for nobody.
    Decoys,
    /// Name tags where names are not asked.
    Tags,
}

impl Part {
    fn name(self) -> &'static [u8] {
        match self {
            Self::TokenKey => b"token-key",
            Self::TokenKeySeal => b"token-key-seal",
            Self::Permutation => b"permutation",
            Self::Salts => b"salts",
            Self::Decoys => b"decoys",
            Self::Tags => b"tags",
        }
    }
}

impl Ticket {
    /// A ticket with a seed from `stream`.
    pub(crate) fn make(
        id: RosterId,
        agreement: Digest,
        real_count: u32,
        slot_count: u32,
        stream: &mut Stream,
    ) -> Result<Self, CheckError> {
        let seed = Entropy::new(&*Zeroizing::new(stream.array::<32>()))?;
        Ok(Self { id, agreement, seed, real_count, slot_count })
    }

    /// `Seal(centre sealing_key, LABEL("ticket", id ‖ agreement digest), seed (32) ‖ real count u32 ‖ slot_count u32)`
    pub(crate) fn seal(&self, to: &SealingKey, stream: &mut Stream) -> Result<Vec<u8>, CheckError> {
        self.seal_as(to, &info(&self.id, &self.agreement), stream, "ticket")
    }

    /// Opens the ticket of `roster`, which [`Ticket::seal`] made.
    pub(crate) fn open(roster: &Roster, key: &OpeningKey) -> Result<Self, CheckError> {
        Self::open_as(roster, &roster.ticket.0, &info(&roster.id, &roster.agreement), key, "ticket")
    }

    /// `Seal(to, info, seed (32) ‖ real count u32 ‖ slot_count u32)`
    pub(crate) fn seal_as(
        &self,
        to: &SealingKey,
        info: &[u8],
        stream: &mut Stream,
        what: &'static str,
    ) -> Result<Vec<u8>, CheckError> {
        let counts = [self.real_count.to_be_bytes(), self.slot_count.to_be_bytes()].concat();
        // EXPOSE: the seed is what is sealed: for the centre, or for whoever signs beside it.
        let clear = Zeroizing::new([self.seed.expose().as_slice(), &counts].concat());
        seal::seal(to, info, &clear, stream, what)
    }

    /// Opens what [`Ticket::seal_as`] made of the ticket of `roster`.
    pub(crate) fn open_as(
        roster: &Roster,
        sealed: &[u8],
        info: &[u8],
        key: &OpeningKey,
        what: &'static str,
    ) -> Result<Self, CheckError> {
        let clear = seal::open(key, info, sealed, what)?;
        let bad = CheckError::Seal(what);
        let (seed, counts) = clear.split_first_chunk::<32>().ok_or(bad.clone())?;
        let &[a, b, c, d, e, f, g, h] = counts else { return Err(bad) };
        let (real_count, slot_count) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
        if slot_count != roster.slot_count || real_count > slot_count {
            return Err(bad);
        }
        let (id, agreement) = (roster.id, roster.agreement);
        Ok(Self { id, agreement, seed: Entropy::new(seed)?, real_count, slot_count })
    }

    /// The roster's token key, `K`.
    pub(crate) fn token_key(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.stream(Part::TokenKey).array())
    }

    /// `token_key = Seal(institution sealing_key, LABEL("token-key", id ‖ agreement digest), K)`, its encapsulated key
    /// drawn from the seed as well: whoever knows the seed sees that the institution is given this `K` and no other.
    pub(crate) fn sealed_token_key(&self, institution: &SealingKey) -> Result<Vec<u8>, CheckError> {
        let info = Label::TokenKey.bytes(&[self.id.as_bytes(), self.agreement.as_bytes()]);
        seal::seal(institution, &info, &*self.token_key(), &mut self.stream(Part::TokenKeySeal), "token_key")
    }

    /// The stream of one part.
    pub(crate) fn stream(&self, part: Part) -> Stream {
        let context = Label::Ticket.bytes(&[self.id.as_bytes(), self.agreement.as_bytes(), part.name()]);
        Stream::new(Use::Roster, &self.seed, &Digest::of(&context), &[])
    }
}

/// `LABEL("ticket", id ‖ agreement digest)`
fn info(id: &RosterId, agreement: &Digest) -> Vec<u8> {
    Label::Ticket.bytes(&[id.as_bytes(), agreement.as_bytes()])
}

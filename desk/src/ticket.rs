//! The ticket: the centre's note to itself inside a roster (SPEC §6.3). All that is random about a
//! roster's slots and entries grows from its seed, so that the centre can rebuild them.

use protocol::error::CheckError;
use protocol::hedge::{Stream, Use};
use protocol::label::Label;
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
        let counts = [self.real_count.to_be_bytes(), self.slot_count.to_be_bytes()].concat();
        // EXPOSE: the seed is what the ticket keeps, for the centre alone.
        let clear = Zeroizing::new([self.seed.expose().as_slice(), &counts].concat());
        seal::seal(to, &info(&self.id, &self.agreement), &clear, stream, "ticket")
    }

    /// Opens what [`Ticket::seal`] made.
    pub(crate) fn open(
        sealed: &[u8],
        id: RosterId,
        agreement: Digest,
        key: &OpeningKey,
    ) -> Result<Self, CheckError> {
        let clear = seal::open(key, &info(&id, &agreement), sealed, "ticket")?;
        let bad = CheckError::Seal("ticket");
        let (seed, counts) = clear.split_first_chunk::<32>().ok_or(bad.clone())?;
        let &[a, b, c, d, e, f, g, h] = counts else { return Err(bad) };
        let (real_count, slot_count) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
        Ok(Self { id, agreement, seed: Entropy::new(seed)?, real_count, slot_count })
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

//! Tokens: what stands in a roster instead of a person (SPEC §3.4), and the tags that compare names (§3.5).

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::lanes;
use crate::name::{Name, NameFlag};
use crate::roster::PrfName;
use crate::secret::TokenKey;
use crate::subject::{Kind, ResidentNumber, Subject};

/// 16 bytes that stand for a subject under one roster's key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub [u8; 16]);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl FromStr for Token {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).map(|()| Self(bytes))
    }
}

/// How many tokens [`Prf::resident_tokens`] makes at once.
pub const LANES: usize = lanes::LANES;

/// A pseudorandom function under a roster's key.
pub struct Prf {
    key: TokenKey,
    /// The key once more, as keyed BLAKE3 takes it in [`lanes`].
    words: Zeroizing<[u32; 8]>,
    name: PrfName,
}

impl Prf {
    /// The function `name` under `key`.
    pub fn new(name: PrfName, key: TokenKey) -> Self {
        // EXPOSE: the same key in another form, wiped as well.
        let words = Zeroizing::new(lanes::key_words(key.expose()));
        Self { key, words, name }
    }

    /// `PRF(K, k ‖ n)` cut to 16 bytes.
    pub fn token(&self, subject: &Subject) -> Token {
        self.token_of(subject.kind(), subject.number().as_bytes())
    }

    /// The same for a resident's number that was never made a [`Subject`].
    pub fn resident_token(&self, number: &ResidentNumber) -> Token {
        self.token_of(Kind::Resident, number)
    }

    /// The same for several at once: with keyed BLAKE3 a lane of a vector each.
    #[inline]
    pub fn resident_tokens(&self, numbers: &[&ResidentNumber; LANES]) -> [Token; LANES] {
        match self.name {
            PrfName::Blake3 => {
                let messages = numbers.map(resident_message);
                lanes::keyed_hash_16(&self.words, &messages, 19).map(Token)
            }
            PrfName::HmacSha256 => numbers.map(|number| self.resident_token(number)),
        }
    }

    /// The same, for a canonical number that was never made a [`Subject`].
    pub fn token_of(&self, kind: Kind, number: &[u8]) -> Token {
        Token(cut(&self.evaluate(&[&[kind as u8], number])))
    }

    /// The tags of an applicant's name in the entry of `token`.
    pub fn name_tags(&self, token: &Token, name: &Name) -> NameTags {
        NameTags {
            folded: cut(&self.evaluate(&[&[0xF0], &token.0, name.folded().as_bytes()])),
            exact: cut(&self.evaluate(&[&[0xF1], &token.0, name.trimmed().as_bytes()])),
        }
    }

    fn evaluate(&self, parts: &[&[u8]]) -> [u8; 32] {
        // EXPOSE: the PRF is keyed with it.
        let key = self.key.expose();
        match self.name {
            PrfName::Blake3 => {
                let mut hasher = blake3::Hasher::new_keyed(key);
                for part in parts {
                    hasher.update(part);
                }
                hasher.finalize().into()
            }
            PrfName::HmacSha256 => {
                #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104)")]
                let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length");
                for part in parts {
                    mac.update(part);
                }
                mac.finalize().into_bytes().into()
            }
        }
    }
}

impl fmt::Debug for Prf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prf({:?}, ..)", self.name)
    }
}

/// `k ‖ n` as little-endian words, zeros behind.
#[inline(always)]
fn resident_message(number: &ResidentNumber) -> [u32; 5] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r] = *number;
    [[Kind::Resident as u8, a, b, c], [d, e, f, g], [h, i, j, k], [l, m, n, o], [p, q, r, 0]]
        .map(u32::from_le_bytes)
}

fn cut<const N: usize>(bytes: &[u8; 32]) -> [u8; N] {
    let mut out = [0; N];
    out.iter_mut().zip(bytes).for_each(|(o, b)| *o = *b);
    out
}

/// What a roster entry holds of a name: enough for a flag, too little for a name. Tags are compared in constant time,
/// by [`NameTags::compare`]; they are PRF outputs under the roster's key, so they do not print either.
#[derive(Clone, Copy)]
pub struct NameTags {
    /// Of the folded name.
    pub folded: [u8; 2],
    /// Of the trimmed name; says something only where `folded` agrees.
    pub exact: [u8; 1],
}

impl NameTags {
    /// Compares a customer's name, `theirs` made under the same key and token. `None` is a wild name.
    pub fn compare(&self, theirs: Option<NameTags>) -> NameFlag {
        let Some(theirs) = theirs else { return NameFlag::NotCompared };
        let (folded, exact) = (self.folded.ct_eq(&theirs.folded), self.exact.ct_eq(&theirs.exact));
        // Both are known before either is looked at.
        match (bool::from(folded), bool::from(folded & exact)) {
            (false, _) => NameFlag::Different,
            (true, true) => NameFlag::Same,
            (true, false) => NameFlag::SameFolded,
        }
    }
}

impl fmt::Debug for NameTags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NameTags(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::{self, Hint, Outcome};
    use hex_literal::hex;

    fn subject(cell: &str) -> Subject {
        match subject::read(cell, Hint::None).0 {
            Outcome::Subjects((s, _)) => s,
            other => panic!("{other:?}"),
        }
    }

    fn prf(name: PrfName) -> Prf {
        Prf::new(name, TokenKey::from_bytes(&std::array::from_fn(|i| i as u8)))
    }

    /// Figures from other programs: Python's hmac module and the b3sum reference (`blake3` on PyPI).
    #[test]
    fn known_answers() {
        let someone = subject("11010519491231002X");
        assert_eq!(prf(PrfName::HmacSha256).token(&someone).0, hex!("31a082c11d37334e101d40611bd95e3b"));
        assert_eq!(prf(PrfName::Blake3).token(&someone).0, hex!("cea4bd80a87c294fab921143702b2ef1"));
    }

    #[test]
    fn several_at_once_are_the_same() {
        let numbers =
            ["11010519491231002X", "440524188001010014", "110105199003072311", "11010519491231002X"];
        let numbers = numbers.map(|n| <[u8; 18]>::try_from(n.as_bytes()).unwrap());
        for name in [PrfName::Blake3, PrfName::HmacSha256] {
            let prf = prf(name);
            assert_eq!(prf.resident_tokens(&numbers.each_ref()), numbers.map(|n| prf.resident_token(&n)));
        }
    }

    #[test]
    fn flags() {
        let prf = prf(PrfName::Blake3);
        let token = prf.token(&subject("11010519491231002X"));
        let tags = |name: &str| Name::read(name).map(|n| prf.name_tags(&token, &n));
        let ours = tags("阿依古丽·买买提").unwrap();
        assert_eq!(ours.compare(tags("阿依古丽·买买提")), NameFlag::Same);
        assert_eq!(ours.compare(tags("阿依古丽・买买提")), NameFlag::SameFolded);
        assert_eq!(ours.compare(tags("买买提")), NameFlag::Different);
        assert_eq!(ours.compare(tags("阿依古丽?买买提")), NameFlag::NotCompared);
    }
}

//! Sign-in by key: a challenge, a signature over it, a token for ten minutes (SPEC §9).
//!
//! A challenge is 32 bytes that authenticate themselves: the host remembers none, so that asking for
//! challenges costs it nothing, and a key it does not know gets one like any other.
//!
//! ```text
//! challenge = u64 expires ‖ nonce (8) ‖ HMAC-SHA256(secret, public key ‖ expires ‖ nonce) cut to 16 bytes
//! ```
//!
//! It is used up by standing in the table of sessions, whose rows live longer than challenges.

use axum::extract::State as Host;
use axum::response::{IntoResponse as _, Response};
use hmac::{Hmac, KeyInit as _, Mac as _};
use protocol::secret::verify_sign_in;
use protocol::value::Base64;
use protocol::{Code, Digest, PublicKey, Time};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::body::Json;
use crate::clock::Randomness;
use crate::party::{Role, who_is};
use crate::problem::{Fault, Refusal};
use crate::state::State;
use crate::store::integer;

/// Two minutes to sign a challenge.
const CHALLENGE_SECONDS: u64 = 120;

/// Ten minutes to use a token. Longer than a challenge lives, see above.
const TOKEN_SECONDS: u64 = 600;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChallengeRequest {
    #[serde(default)]
    key: String,
}

#[derive(Serialize)]
struct ChallengeReply {
    challenge: Base64,
    expires: Time,
    host: Code,
}

/// `POST /api/v1/sign-in/challenge`
pub(crate) async fn challenge(
    Host(state): Host<State>,
    Json(request): Json<ChallengeRequest>,
) -> Result<Response, Refusal> {
    let key: PublicKey = request.key.parse().map_err(|_| Refusal::Field("key"))?;
    let expires = later(state.now()?, CHALLENGE_SECONDS)?;
    let challenge = state.challenges.derive(&key, expires.unix(), state.random()?);
    let challenge = Base64(challenge.to_vec());
    Ok(axum::Json(ChallengeReply { challenge, expires, host: state.config.code.clone() }).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignInRequest {
    #[serde(default)]
    key: String,
    #[serde(default)]
    challenge: String,
    #[serde(default)]
    signature: String,
}

#[derive(Serialize)]
struct SignInReply {
    token: String,
    expires: Time,
    role: Role,
    code: Code,
}

/// `POST /api/v1/sign-in`
pub(crate) async fn sign_in(
    Host(state): Host<State>,
    Json(request): Json<SignInRequest>,
) -> Result<Response, Refusal> {
    let key: PublicKey = request.key.parse().map_err(|_| Refusal::Field("key"))?;
    let challenge: [u8; 32] = array(&request.challenge, "challenge")?;
    let signature: [u8; 64] = array(&request.signature, "signature")?;
    let now = state.now()?;

    // One refusal for all that follows, and the signature first: nobody learns which keys are known here
    // without holding one.
    let fresh = state.challenges.expires(&key, &challenge).is_some_and(|expires| now.unix() < expires);
    if !fresh || !verify_sign_in(&key, &state.config.code, &challenge, &signature) {
        return Err(Refusal::SignIn);
    }
    let party = who_is(&state, &key).await?.ok_or(Refusal::SignIn)?;

    let token: [u8; 32] = state.random()?;
    let expires = later(now, TOKEN_SECONDS)?;
    let mut write = state.store.write().await?;
    sqlx::query("DELETE FROM sessions WHERE expires <= ?")
        .bind(integer(now.unix()))
        .execute(write.connection())
        .await?;
    let inserted = sqlx::query(
        "INSERT INTO sessions (token_sha256, challenge, key, expires) VALUES (?, ?, ?, ?) \
         ON CONFLICT (challenge) DO NOTHING",
    )
    .bind(Digest::of(&token).as_bytes().as_slice())
    .bind(challenge.as_slice())
    .bind(key.as_bytes().as_slice())
    .bind(integer(expires.unix()))
    .execute(write.connection())
    .await?;
    if inserted.rows_affected() == 0 {
        return Err(Refusal::SignIn);
    }
    write.commit().await?;
    let reply = SignInReply { token: hex::encode(token), expires, role: party.role, code: party.code };
    Ok(axum::Json(reply).into_response())
}

/// The key that signed in with `token`, if it still holds at `now`.
pub(crate) async fn holder(state: &State, token: &str, now: Time) -> Result<Option<PublicKey>, Fault> {
    let mut bytes = [0; 32];
    if hex::decode_to_slice(token, &mut bytes).is_err() {
        return Ok(None);
    }
    let key: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT key FROM sessions WHERE token_sha256 = ? AND expires > ?")
            .bind(Digest::of(&bytes).as_bytes().as_slice())
            .bind(integer(now.unix()))
            .fetch_optional(state.store.read())
            .await?;
    key.map(|key| key.try_into().map(PublicKey).map_err(|_| Fault::Stored("key"))).transpose()
}

/// What makes and recognises challenges. The secret is drawn at each start.
pub(crate) struct Challenges(Zeroizing<[u8; 32]>);

impl Challenges {
    pub(crate) fn new(randomness: &dyn Randomness) -> Option<Self> {
        let mut secret = Zeroizing::new([0; 32]);
        randomness.fill(&mut *secret)?;
        Some(Self(secret))
    }

    fn derive(&self, key: &PublicKey, expires: u64, nonce: [u8; 8]) -> [u8; 32] {
        let mut challenge = [0; 32];
        let (stated, tag) = challenge.split_at_mut(16);
        stated.copy_from_slice(&[expires.to_be_bytes(), nonce].concat());
        if let Some(mac) = self.mac(key, stated) {
            tag.iter_mut().zip(mac.finalize().into_bytes()).for_each(|(out, byte)| *out = byte);
        }
        challenge
    }

    /// When this challenge to `key` expires; `None` when it was not made here, or for another key.
    fn expires(&self, key: &PublicKey, challenge: &[u8; 32]) -> Option<u64> {
        let (stated, tag) = challenge.split_at(16);
        self.mac(key, stated)?.verify_truncated_left(tag).ok()?;
        stated.first_chunk().map(|expires| u64::from_be_bytes(*expires))
    }

    fn mac(&self, key: &PublicKey, stated: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.0).ok()?;
        mac.update(key.as_bytes());
        mac.update(stated);
        Some(mac)
    }
}

fn later(now: Time, seconds: u64) -> Result<Time, Fault> {
    Time::from_unix(now.unix() + seconds).ok_or(Fault::Clock)
}

fn array<const N: usize>(text: &str, name: &'static str) -> Result<[u8; N], Refusal> {
    let bytes = text.parse::<Base64>().ok().and_then(|bytes| bytes.0.try_into().ok());
    bytes.ok_or(Refusal::Field(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandomness;

    #[test]
    fn a_challenge_is_for_one_key_and_unforgeable() {
        let challenges = Challenges::new(&SystemRandomness).unwrap();
        let (key, other) = (PublicKey([1; 32]), PublicKey([2; 32]));
        let challenge = challenges.derive(&key, 1_800_000_000, [7; 8]);
        assert_eq!(challenges.expires(&key, &challenge), Some(1_800_000_000));
        assert_eq!(challenges.expires(&other, &challenge), None);
        for i in 0..32 {
            let mut changed = challenge;
            changed[i] ^= 1;
            assert_eq!(challenges.expires(&key, &changed), None, "byte {i}");
        }
        let restarted = Challenges::new(&SystemRandomness).unwrap();
        assert_eq!(restarted.expires(&key, &challenge), None);
    }
}

//! One-time codes (RFC 6238): six digits, 30 seconds, one step to either side, each step once.

use protocol::Time;
use totp_rs::{Builder, Secret};

use crate::store::Fault;

/// Bytes of a secret: what RFC 4226 §4 recommends.
pub(crate) const SECRET: usize = 20;

/// The step of the code, when it fits and is later than `last_step`.
pub(crate) fn check(secret: &[u8], code: &str, now: Time, last_step: i64) -> Result<Option<i64>, Fault> {
    let totp = Builder::new().with_secret(Secret::new(secret.into())).build();
    let totp = totp.map_err(|_| Fault::Stored("staff.totp"))?;
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let step = totp.check(&code, now.unix()).and_then(|step| i64::try_from(step).ok());
    Ok(step.filter(|step| *step > last_step))
}

/// The code of a moment, for tests and for the demo's accounts.
///
/// # Panics
/// Never for a secret of [`SECRET`] bytes.
#[must_use]
pub fn code_at(secret: &[u8], at: Time) -> String {
    let totp = Builder::new().with_secret(Secret::new(secret.into())).build_noncompliant();
    totp.generate(at.unix()).to_string()
}

/// The secret in groups of four characters, to be typed into an authenticator.
pub(crate) fn spelled(secret: &[u8]) -> String {
    let text: Vec<char> = Secret::new(secret.into()).to_base32().chars().filter(|c| *c != '=').collect();
    text.chunks(4).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// The secret of what [`spelled`] shows: how an authenticator reads it.
pub fn secret_of(spelled: &str) -> Option<Vec<u8>> {
    let text: String = spelled.chars().filter(|c| !c.is_whitespace()).collect();
    Secret::try_from_base32(text).ok().map(|secret| secret.as_bytes().to_vec())
}

/// What an authenticator scans.
pub(crate) fn address(secret: &[u8], code: &str) -> String {
    let secret = spelled(secret).replace(' ', "");
    format!("otpauth://totp/Hedui:{code}?secret={secret}&issuer=Hedui")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, the first row cut to six digits.
    #[test]
    fn the_code_of_the_rfc_is_taken_once_and_near_its_time() {
        let secret = b"12345678901234567890";
        let at = |seconds| Time::from_unix(seconds).unwrap();
        assert_eq!(code_at(secret, at(59)), "287082");
        assert_eq!(check(secret, "287 082", at(59), 0).unwrap(), Some(1));
        assert_eq!(check(secret, "287082", at(59), 1).unwrap(), None, "used");
        assert_eq!(check(secret, "287082", at(61), 0).unwrap(), Some(1), "one step late");
        assert_eq!(check(secret, "287082", at(91), 0).unwrap(), None, "two steps late");
        assert_eq!(check(secret, "287083", at(59), 0).unwrap(), None);
        assert_eq!(check(secret, "", at(59), 0).unwrap(), None);
        assert!(check(b"short", "287082", at(59), 0).is_err());
        assert_eq!(spelled(secret), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert_eq!(secret_of(&spelled(secret)).unwrap(), secret);
    }
}

//! Passwords: Argon2id, then a keyed digest under the data key, so that a stolen file alone is nothing to
//! guess against.

use subtle::ConstantTimeEq as _;

use crate::store::{Cost, Fault, Vault};

/// Characters at least. A one-time code is asked beside it, always.
pub const SHORTEST: usize = 8;
/// Bytes at most: a password is no file.
pub const LONGEST: usize = 256;

/// `u32 m ‖ u32 t ‖ u32 p ‖ BLIND("password", Argon2id(password, salt))`
pub(crate) fn hash(vault: &Vault, password: &str, salt: &[u8], cost: Cost) -> Result<Vec<u8>, Fault> {
    let derived = cost.derive(password.as_bytes(), salt)?;
    let mut out: Vec<u8> = [cost.m_kib, cost.t, cost.p].iter().flat_map(|n| n.to_be_bytes()).collect();
    out.extend(vault.blind("password", &*derived));
    Ok(out)
}

/// Whether `password` is the one that `stored` was made from.
pub(crate) fn holds(vault: &Vault, password: &str, salt: &[u8], stored: &[u8]) -> Result<bool, Fault> {
    let mut numbers = stored.chunks_exact(4).filter_map(|c| c.try_into().ok()).map(u32::from_be_bytes);
    let mut next = || numbers.next().ok_or(Fault::Stored("password"));
    let cost = Cost { m_kib: next()?, t: next()?, p: next()? };
    Ok(hash(vault, password, salt, cost)?.ct_eq(stored).into())
}

/// What is wrong with a new password, by its key in the dictionary.
pub(crate) fn weakness(password: &str, code: &str) -> Option<&'static str> {
    let characters = password.chars().count();
    if characters < SHORTEST {
        return Some("password.short");
    }
    if password.len() > LONGEST {
        return Some("password.long");
    }
    let lower = password.to_lowercase();
    let first = lower.chars().next();
    let distinct = lower.chars().collect::<std::collections::BTreeSet<_>>().len();
    let run = lower.as_bytes().windows(2).all(|w| matches!(w, [a, b] if b.wrapping_sub(*a) <= 1));
    if distinct < 4
        || run
        || lower.contains(&code.to_lowercase())
        || first.is_none()
        || COMMON.contains(&lower.as_str())
    {
        return Some("password.weak");
    }
    None
}

/// Those that lists of stolen passwords begin with, of eight characters and more.
const COMMON: &[&str] = &[
    "password",
    "password1",
    "passw0rd",
    "12345678",
    "123456789",
    "1234567890",
    "qwertyuiop",
    "qwerty123",
    "1q2w3e4r",
    "1qaz2wsx",
    "iloveyou",
    "a123456789",
    "admin123",
    "admin888",
    "abc12345",
    "woaini1314",
    "5201314520",
    "zxcvbnm123",
    "asdfghjkl",
    "88888888",
    "66666666",
    "00000000",
    "11111111",
    "woaini520",
    "qq123456",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::SystemRandomness;

    #[test]
    fn a_password_is_held_against_its_hash() {
        let vault = |_| Vault::make(b"correct horse battery", Cost::LEAST, &SystemRandomness).unwrap().0;
        let (one, other) = (vault(1), vault(2));
        let stored = hash(&one, "tuesday-lamp", b"salt of 16 bytes", Cost::LEAST).unwrap();
        assert!(holds(&one, "tuesday-lamp", b"salt of 16 bytes", &stored).unwrap());
        assert!(!holds(&one, "tuesday-lamb", b"salt of 16 bytes", &stored).unwrap());
        assert!(!holds(&one, "tuesday-lamp", b"other, 16 bytes.", &stored).unwrap());
        assert!(!holds(&other, "tuesday-lamp", b"salt of 16 bytes", &stored).unwrap(), "another data key");
        assert!(holds(&one, "x", b"salt", &stored[..8]).is_err());
    }

    #[test]
    fn weak_passwords_are_named() {
        assert_eq!(weakness("seven77", "jb01"), Some("password.short"));
        assert_eq!(weakness("一二三四五六七", "jb01"), Some("password.short"));
        assert_eq!(weakness(&"x1y2".repeat(100), "jb01"), Some("password.long"));
        for weak in ["aaaaaaaa", "12345678", "Password", "admin888", "xxJB01xx", "abababab", "abcdefgh"] {
            assert_eq!(weakness(weak, "jb01"), Some("password.weak"), "{weak}");
        }
        assert_eq!(weakness("tuesday-lamp", "jb01"), None);
    }
}

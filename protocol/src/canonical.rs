//! Canonical JSON (SPEC §2.1): one way to write a header, and a reader that refuses every other.

use std::cell::Cell;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;
use serde_json::{Map, Value};

use crate::error::DecodeError;

/// Integers above this lose digits in other programs' JSON (RFC 8785, RFC 7493 §2.2).
const MAX_INTEGER: u64 = (1 << 53) - 1;

/// How deep objects and lists may nest, the outermost counted as one.
const MAX_DEPTH: usize = 8;

/// Writes `value` canonically.
///
/// # Errors
/// [`DecodeError::NotCanonical`] when the value has no canonical form (a fraction, a negative or too
/// large number, a member name outside ASCII).
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, DecodeError> {
    let value = serde_json::to_value(value).map_err(|_| DecodeError::NotCanonical)?;
    let mut out = Vec::new();
    write(&value, 0, &mut out)?;
    Ok(out)
}

/// Reads a `T` from bytes that must be canonical.
///
/// # Errors
/// [`DecodeError::NotCanonical`], or [`DecodeError::Member`] with the name of the member of the
/// outermost object that is missing, unknown or malformed.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|_| DecodeError::NotCanonical)?;
    let mut again = Vec::with_capacity(bytes.len());
    write(&value, 0, &mut again)?;
    if again != bytes {
        return Err(DecodeError::NotCanonical);
    }
    let Value::Object(members) = &value else { return Err(DecodeError::Member("(header)".to_owned())) };
    let current = Cell::new("(header)");
    let read = members.iter().map(|(name, member)| {
        current.set(name);
        (name.as_str(), member)
    });
    T::deserialize(MapDeserializer::<_, serde_json::Error>::new(read))
        .map_err(|error| DecodeError::Member(member_at_fault(current.get(), &error)))
}

/// `serde_json`'s own map may or may not keep insertion order (a feature that any crate of a build can
/// switch on), so the sorting is done here.
fn write(value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    if depth >= MAX_DEPTH && (value.is_array() || value.is_object()) {
        return Err(DecodeError::NotCanonical);
    }
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => write_scalar(value, out)?,
        Value::Number(n) => match n.as_u64() {
            Some(n) if n <= MAX_INTEGER => write_scalar(value, out)?,
            _ => return Err(DecodeError::NotCanonical),
        },
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(item, depth + 1, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let members = sorted(members);
            out.push(b'{');
            for (i, (name, member)) in members.into_iter().enumerate() {
                if !name.is_ascii() {
                    return Err(DecodeError::NotCanonical);
                }
                if i > 0 {
                    out.push(b',');
                }
                serde_json::to_writer(&mut *out, name).map_err(|_| DecodeError::NotCanonical)?;
                out.push(b':');
                write(member, depth + 1, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn sorted(members: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut sorted: Vec<(&String, &Value)> = Vec::with_capacity(members.len());
    for member in members {
        sorted.insert(sorted.partition_point(|(name, _)| *name < member.0), member);
    }
    sorted
}

fn write_scalar(value: &Value, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    serde_json::to_writer(out, value).map_err(|_| DecodeError::NotCanonical)
}

/// Names the outermost member an error is about, without repeating anything of its value: serde's own
/// message may quote the input. `current` is the member that was being read.
fn member_at_fault(current: &str, error: &serde_json::Error) -> String {
    let message = error.to_string();
    if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        return name.to_owned();
    }
    if message.starts_with("unknown field") { "(unknown)".to_owned() } else { current.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Probe {
        count: u64,
        name: String,
    }

    #[test]
    fn ok_only_one_spelling_is_read() {
        assert_eq!(decode::<Probe>(br#"{"count":1,"name":"\u0001\n"}"#).unwrap().name, "\u{1}\n");
        for bad in [
            r#"{"name":"a","count":1}"#,
            r#"{"count":1, "name":"a"}"#,
            r#"{"count":1,"count":1,"name":"a"}"#,
            r#"{"count":1,"name":"\u0061"}"#,
            r#"{"count":1,"name":"a"} "#,
            r#"{"count":1.0,"name":"a"}"#,
            r#"{"count":-1,"name":"a"}"#,
            r#"{"count":9007199254740992,"name":"a"}"#,
            "[[[[[[[[[[1]]]]]]]]]]",
            "",
        ] {
            assert_eq!(decode::<Probe>(bad.as_bytes()), Err(DecodeError::NotCanonical), "{bad}");
        }
    }

    #[test]
    fn bad_member_is_named_and_its_value_is_not() {
        let fault = |text: &str| match decode::<Probe>(text.as_bytes()) {
            Err(DecodeError::Member(name)) => name,
            other => panic!("{other:?}"),
        };
        assert_eq!(fault(r#"{"count":1}"#), "name");
        assert_eq!(fault(r#"{"count":"geheim","name":"a"}"#), "count");
        assert_eq!(fault(r#"{"count":1,"name":["geheim"]}"#), "name");
        assert_eq!(fault(r#"{"count":1,"geheim":2,"name":"a"}"#), "(unknown)");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(count in 0..MAX_INTEGER, name in any::<String>()) {
            let probe = Probe { count, name };
            prop_assert_eq!(decode::<Probe>(&encode(&probe).unwrap()).unwrap(), probe);
        }

        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode::<Probe>(&bytes);
        }
    }
}

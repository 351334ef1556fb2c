//! Canonical JSON (SPEC §2.1): one way to write a header, and a reader that refuses every other.

use serde_json::{Map, Value};

use crate::error::DecodeError;
use crate::json::{self, Object, ToJson};

/// Integers above this lose digits in other programs' JSON (RFC 8785, RFC 7493 §2.2).
const MAX_INTEGER: u64 = (1 << 53) - 1;

/// How deep objects and lists may nest, the outermost counted as one.
pub const MAX_DEPTH: usize = 8;

/// Writes `value` canonically.
///
/// # Errors
/// [`DecodeError::NotCanonical`] when the value has no canonical form (a fraction, a negative or too
/// large number, a member name outside ASCII).
pub fn encode(value: &impl ToJson) -> Result<Vec<u8>, DecodeError> {
    write(&value.to_json(), MAX_DEPTH)
}

/// As [`encode`], with at most `levels` levels: a reply that shows a header is deeper than a header.
///
/// # Errors
/// As [`encode`].
pub fn write(value: &Value, levels: usize) -> Result<Vec<u8>, DecodeError> {
    let mut out = Vec::new();
    put(value, levels, &mut out).ok_or(DecodeError::NotCanonical)?;
    Ok(out)
}

/// Reads a `T` from bytes that must be canonical.
///
/// # Errors
/// [`DecodeError::NotCanonical`], or [`DecodeError::Member`] with the name of the member of the
/// outermost object that is missing, unknown or malformed.
pub fn decode<T: Object>(bytes: &[u8]) -> Result<T, DecodeError> {
    json::read(&parse(bytes)?)
}

/// Reads an object of whatever members from bytes that must be canonical.
///
/// # Errors
/// [`DecodeError::NotCanonical`], or [`DecodeError::Member`] when it is no object.
pub fn parse(bytes: &[u8]) -> Result<Value, DecodeError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|_| DecodeError::NotCanonical)?;
    match value {
        _ if write(&value, MAX_DEPTH)? != bytes => Err(DecodeError::NotCanonical),
        Value::Object(_) => Ok(value),
        _ => Err(DecodeError::Member("(header)".to_owned())),
    }
}

/// `levels` are those that `value` may have.
fn put(value: &Value, levels: usize, out: &mut Vec<u8>) -> Option<()> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Number(n) => {
            let n = n.as_u64().filter(|n| *n <= MAX_INTEGER)?;
            out.extend_from_slice(n.to_string().as_bytes());
        }
        Value::String(text) => put_text(text, out),
        Value::Array(items) => {
            let levels = levels.checked_sub(1)?;
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                put(item, levels, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let levels = levels.checked_sub(1)?;
            out.push(b'{');
            for (i, (name, member)) in sorted(members).into_iter().enumerate() {
                if !name.is_ascii() {
                    return None;
                }
                if i > 0 {
                    out.push(b',');
                }
                put_text(name, out);
                out.push(b':');
                put(member, levels, out)?;
            }
            out.push(b'}');
        }
    }
    Some(())
}

/// Every byte that stands for itself costs the same: the length of a text is public, what it says need not be.
fn put_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        let plain = (byte >= 0x20) & (byte != b'"') & (byte != b'\\');
        if plain {
            out.push(byte);
        } else {
            put_escaped(byte, out);
        }
    }
    out.push(b'"');
}

#[cold]
fn put_escaped(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0C => b'f',
        b'\r' => b'r',
        0x00..=0x1F => {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(hex::encode([byte]).as_bytes());
            return;
        }
        itself => itself,
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// `serde_json`'s own map may or may not keep insertion order (a feature that any crate of a build can
/// switch on), so the sorting is done here.
fn sorted(members: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut sorted: Vec<(&String, &Value)> = Vec::with_capacity(members.len());
    for member in members {
        sorted.insert(sorted.partition_point(|(name, _)| *name < member.0), member);
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    crate::json_object! {
        #[derive(Debug, PartialEq)]
        struct Probe {
            count: u64,
            name: String,
        }
    }

    crate::json_words! {
        #[derive(Debug, Clone, Copy, PartialEq)]
        enum Word {
            Bank = "bank",
        }
    }

    crate::json_object! {
        #[derive(Debug, PartialEq)]
        struct Nest {
            kind: Option<Word>,
            party: Probe,
            r#type: Vec<bool>,
        }
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
    fn every_escape_is_that_of_the_specification() {
        let text: String = (0..=0x80).map(char::from).collect();
        assert_eq!(encode(&text).unwrap(), serde_json::to_vec(&text).unwrap());
    }

    #[test]
    fn eight_levels_and_no_more() {
        let nest =
            |levels: usize| (1..levels).fold(Value::Array(vec![]), |inner, _| Value::Array(vec![inner]));
        assert!(encode(&nest(8)).is_ok());
        assert_eq!(encode(&nest(9)), Err(DecodeError::NotCanonical));
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

    #[test]
    fn bad_forms_that_say_the_same() {
        let read = |text: &str| decode::<Nest>(text.as_bytes());
        let good = r#"{"kind":"bank","party":{"count":1,"name":"a"},"type":[true]}"#;
        assert_eq!(encode(&read(good).unwrap()).unwrap(), good.as_bytes());
        assert_eq!(read(&good.replace("\"bank\"", "null")).unwrap().kind, None);
        for (from, to, name) in [
            (r#""bank""#, r#"{"bank":null}"#, "kind"),
            (r#""bank""#, "0", "kind"),
            (r#""kind":"bank","#, "", "kind"),
            (r#"{"count":1,"name":"a"}"#, r#"[1,"a"]"#, "party"),
            (r#","name":"a""#, "", "party"),
            (r#","name":"a""#, r#","name":"a","none":1"#, "party"),
            ("[true]", "true", "type"),
            ("[true]", r#"{"0":true}"#, "type"),
            ("[true]", "[null]", "type"),
            (good, r#"["bank",[1,"a"],[true]]"#, "(header)"),
        ] {
            assert_eq!(read(&good.replace(from, to)), Err(DecodeError::Member(name.to_owned())), "{to}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(count in 0..MAX_INTEGER, name in any::<String>()) {
            let probe = Probe { count, name };
            prop_assert_eq!(decode::<Probe>(&encode(&probe).unwrap()).unwrap(), probe);
        }

        #[test]
        fn texts_are_those_of_serde_json(text in any::<String>()) {
            prop_assert_eq!(encode(&text).unwrap(), serde_json::to_vec(&text).unwrap());
        }

        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode::<Probe>(&bytes);
        }
    }
}

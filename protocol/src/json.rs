//! What documents hold, as JSON (SPEC §2.1): every value has one spelling, every object its members and no other.
//!
//! serde_json parses; what stands here reads its [`Value`]. Readers that serde derives would take a word written as
//! an object and an object written as a list as well (docs/decisions/0003). [`json_object!`](crate::json_object)
//! declares an object, [`json_words!`](crate::json_words) an enumeration; `json_options!` and `json_reply!` declare
//! what the matcher module takes and gives (SPEC §10).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Map;

#[doc(hidden)]
pub use serde;
pub use serde_json::Value;

use crate::error::DecodeError;

/// What can be read from JSON.
pub trait FromJson: Sized {
    /// Nothing when `value` is not spelled as SPEC says.
    fn from_json(value: &Value) -> Option<Self>;
}

/// What can be written as JSON.
pub trait ToJson {
    /// The one spelling of it.
    fn to_json(&self) -> Value;
}

/// An object: its members are read by name, in the order they are declared in.
pub trait Object: Sized {
    /// Names of the members, in this order.
    const NAMES: &'static [&'static str];
    /// Whether a member that is not there counts as `null`. No document does that, only options (SPEC §10).
    const ABSENT_IS_NULL: bool = false;

    /// Takes one member after the other.
    fn take(members: &mut Members<'_>) -> Option<Self>;
}

/// Reads an object.
///
/// # Errors
/// [`DecodeError::Member`] with the name of the member that is missing, unknown or malformed.
pub fn read<T: Object>(value: &Value) -> Result<T, DecodeError> {
    let mut members = Members::of(value, T::NAMES, T::ABSENT_IS_NULL)?;
    T::take(&mut members).ok_or_else(|| at_fault(members.current))
}

fn at_fault(name: &str) -> DecodeError {
    DecodeError::Member(name.to_owned())
}

/// The members of an object, handed out one by one.
#[derive(Debug)]
pub struct Members<'a> {
    map: &'a Map<String, Value>,
    names: std::slice::Iter<'static, &'static str>,
    current: &'static str,
}

impl<'a> Members<'a> {
    fn of(
        value: &'a Value,
        names: &'static [&'static str],
        absent_is_null: bool,
    ) -> Result<Self, DecodeError> {
        let Value::Object(map) = value else { return Err(at_fault("(header)")) };
        if let Some(missing) = names.iter().find(|name| !absent_is_null && !map.contains_key(**name)) {
            return Err(at_fault(missing));
        }
        if map.keys().any(|name| !names.contains(&name.as_str())) {
            return Err(at_fault("(unknown)"));
        }
        Ok(Self { map, names: names.iter(), current: "(header)" })
    }

    fn value(&mut self) -> Option<&'a Value> {
        self.current = self.names.next()?;
        Some(self.map.get(self.current).unwrap_or(&Value::Null))
    }

    /// The next member.
    pub fn member<T: FromJson>(&mut self) -> Option<T> {
        T::from_json(self.value()?)
    }
}

/// An object of these members.
pub fn object(names: &[&str], values: Vec<Value>) -> Value {
    let mut map = Map::new();
    for (name, value) in names.iter().zip(values) {
        map.insert((*name).to_owned(), value);
    }
    Value::Object(map)
}

/// The place of a word among `words`.
#[doc(hidden)]
pub fn place(value: &Value, words: &[&str]) -> Option<usize> {
    let word = value.as_str()?;
    words.iter().position(|w| *w == word)
}

/// The name of a member whose identifier is a raw one, such as `r#type`.
#[doc(hidden)]
pub const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', rest @ ..] => match std::str::from_utf8(rest) {
            Ok(name) => name,
            Err(_) => name,
        },
        _ => name,
    }
}

/// Declares a structure that stands as an object of a document: a member for each field, none of which may be absent.
#[macro_export]
macro_rules! json_object {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$doc:meta])* $seen:vis $member:ident: $type:ty,)*
    }) => {
        $(#[$meta])* $vis struct $name { $($(#[$doc])* $seen $member: $type,)* }
        $crate::json_object!(@read $name false $($member)*);
        $crate::json_object!(@write ($name) $($member)*);
        $crate::json_serde!($name);
    };
    (@names $($member:ident)*) => { &[$(const { $crate::json::plain(stringify!($member)) },)*] };
    (@read $name:ident $absent_is_null:literal $($member:ident)*) => {
        impl $crate::json::Object for $name {
            const NAMES: &'static [&'static str] = $crate::json_object!(@names $($member)*);
            const ABSENT_IS_NULL: bool = $absent_is_null;

            fn take(members: &mut $crate::json::Members<'_>) -> Option<Self> {
                Some(Self { $($member: members.member()?,)* })
            }
        }
        impl $crate::json::FromJson for $name {
            fn from_json(value: &$crate::json::Value) -> Option<Self> {
                $crate::json::read(value).ok()
            }
        }
    };
    (@write ($name:ident $($life:lifetime)?) $($member:ident)*) => {
        impl $(<$life>)? $crate::json::ToJson for $name $(<$life>)? {
            fn to_json(&self) -> $crate::json::Value {
                const NAMES: &[&str] = $crate::json_object!(@names $($member)*);
                $crate::json::object(NAMES, vec![$($crate::json::ToJson::to_json(&self.$member),)*])
            }
        }
    };
}

/// Declares a structure of options: a member that is not there counts as `null`.
#[macro_export]
macro_rules! json_options {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$doc:meta])* $seen:vis $member:ident: $type:ty,)*
    }) => {
        $(#[$meta])* $vis struct $name { $($(#[$doc])* $seen $member: $type,)* }
        $crate::json_object!(@read $name true $($member)*);
    };
}

/// Declares a structure that is only written.
#[macro_export]
macro_rules! json_reply {
    ($(#[$meta:meta])* $vis:vis struct $name:ident $(<$life:lifetime>)? {
        $($(#[$doc:meta])* $seen:vis $member:ident: $type:ty,)*
    }) => {
        $(#[$meta])* $vis struct $name $(<$life>)? { $($(#[$doc])* $seen $member: $type,)* }
        $crate::json_object!(@write ($name $($life)?) $($member)*);
    };
}

/// Declares an enumeration whose variants stand as one word each.
#[macro_export]
macro_rules! json_words {
    ($(#[$meta:meta])* $vis:vis enum $name:ident {
        $($(#[$doc:meta])* $variant:ident = $word:literal,)*
    }) => {
        $(#[$meta])* $vis enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)*];
            const WORDS: &'static [&'static str] = &[$($word,)*];

            /// The word, as documents spell it.
            $vis fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
        impl $crate::json::FromJson for $name {
            fn from_json(value: &$crate::json::Value) -> Option<Self> {
                Self::ALL.get($crate::json::place(value, Self::WORDS)?).copied()
            }
        }
        impl $crate::json::ToJson for $name {
            fn to_json(&self) -> $crate::json::Value {
                $crate::json::ToJson::to_json(self.word())
            }
        }
        $crate::json_serde!($name);
    };
}

/// A value that stands as the text it prints and parses.
macro_rules! json_text {
    ($($name:ty),*) => {$(
        impl $crate::json::FromJson for $name {
            fn from_json(value: &$crate::json::Value) -> Option<Self> {
                value.as_str()?.parse().ok()
            }
        }
        impl $crate::json::ToJson for $name {
            fn to_json(&self) -> $crate::json::Value {
                $crate::json::Value::String(self.to_string())
            }
        }
        $crate::json_serde!($name);
    )*};
}
pub(crate) use json_text;

/// serde's traits by way of ours, for the programs around the module: there is one definition of a spelling.
#[doc(hidden)]
#[macro_export]
macro_rules! json_serde {
    ($name:ty) => {
        impl $crate::json::serde::Serialize for $name {
            fn serialize<S: $crate::json::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                $crate::json::serialize(self, to)
            }
        }
        impl<'de> $crate::json::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::json::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::json::deserialize(from)
            }
        }
    };
}

#[doc(hidden)]
pub fn serialize<S: Serializer>(value: &impl ToJson, to: S) -> Result<S::Ok, S::Error> {
    value.to_json().serialize(to)
}

#[doc(hidden)]
pub fn deserialize<'de, T: FromJson, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let value = Value::deserialize(from)?;
    T::from_json(&value).ok_or_else(|| de::Error::custom("not as the specification spells it"))
}

impl FromJson for Value {
    fn from_json(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

impl ToJson for Value {
    fn to_json(&self) -> Value {
        self.clone()
    }
}

impl FromJson for bool {
    fn from_json(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

impl ToJson for bool {
    fn to_json(&self) -> Value {
        Value::Bool(*self)
    }
}

/// Whole numbers; one that the type does not hold is malformed.
macro_rules! json_integer {
    ($($type:ty),*) => {$(
        impl FromJson for $type {
            fn from_json(value: &Value) -> Option<Self> {
                Self::try_from(value.as_u64()?).ok()
            }
        }
        impl ToJson for $type {
            fn to_json(&self) -> Value {
                Value::from(*self)
            }
        }
    )*};
}
json_integer!(u32, u64, usize);

impl FromJson for String {
    fn from_json(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl ToJson for String {
    fn to_json(&self) -> Value {
        self.as_str().to_json()
    }
}

impl ToJson for str {
    fn to_json(&self) -> Value {
        Value::String(self.to_owned())
    }
}

/// `null` for nothing.
impl<T: FromJson> FromJson for Option<T> {
    fn from_json(value: &Value) -> Option<Self> {
        if value.is_null() { Some(None) } else { T::from_json(value).map(Some) }
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn to_json(&self) -> Value {
        match self {
            Some(value) => value.to_json(),
            None => Value::Null,
        }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: &Value) -> Option<Self> {
        let items = value.as_array()?;
        let mut list = Self::with_capacity(items.len());
        for item in items {
            list.push(T::from_json(item)?);
        }
        Some(list)
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(&self) -> Value {
        self.as_slice().to_json()
    }
}

impl<T: ToJson> ToJson for [T] {
    fn to_json(&self) -> Value {
        let mut list = Vec::with_capacity(self.len());
        for item in self {
            list.push(item.to_json());
        }
        Value::Array(list)
    }
}

impl<T: ToJson + ?Sized> ToJson for &T {
    fn to_json(&self) -> Value {
        (**self).to_json()
    }
}

/// Counts by name.
impl FromJson for BTreeMap<String, u64> {
    fn from_json(value: &Value) -> Option<Self> {
        let mut counts = Self::new();
        for (name, count) in value.as_object()? {
            counts.insert(name.clone(), count.as_u64()?);
        }
        Some(counts)
    }
}

impl ToJson for BTreeMap<String, u64> {
    fn to_json(&self) -> Value {
        let mut counts = Map::new();
        for (name, count) in self {
            counts.insert(name.clone(), Value::from(*count));
        }
        Value::Object(counts)
    }
}

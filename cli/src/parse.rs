//! From words on a command line to the protocol's types, and back.

use protocol::roster::Line;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads one of an enumeration's words, as documents spell them.
pub(crate) fn one_of<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(Value::String(text.to_owned())).map_err(|_| "no such word; see --help".to_owned())
}

/// The word of an enumeration's variant, as documents spell it.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text,
        _ => String::new(),
    }
}

/// `CNY:3600000`: a currency, and an amount in its minor unit.
pub(crate) fn line(text: &str) -> Result<Line, String> {
    let parts = text.split_once(':').and_then(|(currency, minor)| {
        Some(Line { currency: currency.parse().ok()?, minor: minor.parse().ok()? })
    });
    parts.ok_or_else(|| "write CURRENCY:MINOR, for example CNY:3600000 for 36,000 yuan".to_owned())
}

//! Documents that are signed and wrong: what an honest writer would not make.

use protocol::envelope::Head;
use protocol::secret::SigningKey;
use protocol::value::Digest;
use serde_json::{Value, json};

/// The header of a document.
pub fn header(document: &[u8]) -> Value {
    serde_json::from_slice(Head::parse(document).unwrap().header_json()).unwrap()
}

/// The body of a document.
pub fn body(document: &[u8]) -> &[u8] {
    &document[Head::parse(document).unwrap().length..]
}

/// An envelope with whatever type, header and body, signed by `keys` in this order. Where the header speaks of a
/// body's digest, it is put right.
pub fn document(kind: &str, mut header: Value, body: &[u8], keys: &[&SigningKey]) -> Vec<u8> {
    if header["body_sha256"].is_string() {
        header["body_bytes"] = json!(body.len());
        header["body_sha256"] = json!(Digest::of(body));
    }
    signed(kind, &header, body, keys)
}

/// The same with the header as it is.
pub fn signed(kind: &str, header: &Value, body: &[u8], keys: &[&SigningKey]) -> Vec<u8> {
    envelope(kind, &protocol::canonical::encode(header).unwrap(), body, keys)
}

/// An envelope written by hand, so that anything in it may be wrong.
pub fn envelope(kind: &str, header: &[u8], body: &[u8], keys: &[&SigningKey]) -> Vec<u8> {
    let pae = [format!("DSSEv1 {} {kind} {} ", kind.len(), header.len()).as_bytes(), header].concat();
    let mut out = [kind.as_bytes(), b"\n"].concat();
    out.extend(u32::try_from(header.len()).unwrap().to_be_bytes());
    out.extend(header);
    out.push(u8::try_from(keys.len()).unwrap());
    for key in keys {
        out.extend(key.public().as_bytes());
        out.extend(key.sign(&pae));
    }
    out.extend(u64::try_from(body.len()).unwrap().to_be_bytes());
    out.extend(body);
    out
}

/// The document with one member changed, signed anew.
pub fn with(document: &[u8], member: &str, value: Value, keys: &[&SigningKey]) -> Vec<u8> {
    let mut header = header(document);
    header[member] = value;
    self::document(Head::parse(document).unwrap().kind(), header, body(document), keys)
}

/// The document as one of version 2, signed anew.
pub fn version_2(document: &[u8], keys: &[&SigningKey]) -> Vec<u8> {
    let kind = Head::parse(document).unwrap().kind().replace("/v1", "/v2");
    self::document(&kind, header(document), body(document), keys)
}

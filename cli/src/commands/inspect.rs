//! `hedui inspect`: what a file is.

use std::path::PathBuf;

use clap::Args;
use protocol::DecodeError;
use protocol::canonical;
use protocol::envelope::Head;
use protocol::key_file::KeyFile;
use protocol::value::Digest;
use serde_json::{Value, json};

use crate::commands::key;
use crate::failure::Failure;
use crate::files;
use crate::output::Output;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hedui inspect bank-1-7.roster.hedui")]
pub(crate) struct Arguments {
    /// A document or key file.
    file: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let bytes = files::read_document(&arguments.file)?;
    if let Ok(file) = KeyFile::read(&bytes) {
        let json = key::describe(&file);
        output.say(&format!("{json:#}"), &json);
        return Ok(());
    }
    let json = describe(&bytes).map_err(|e| Failure::from(e).of(&arguments.file))?;
    output.say(&text(&json), &json);
    Ok(())
}

/// What a document says. Framing, signatures and body must hold; whether the signers are the right ones
/// is not known here.
fn describe(bytes: &[u8]) -> Result<Value, DecodeError> {
    let head = Head::parse(bytes)?;
    let signers = head.signers()?;
    let header = canonical::parse(head.header_json())?;
    let body = bytes.get(head.length..).unwrap_or_default();
    let length = u64::try_from(body.len()).map_err(|_| DecodeError::TooLarge("body"))?;
    if length < head.body_bytes() {
        return Err(DecodeError::Truncated("body"));
    }
    if length > head.body_bytes() {
        return Err(DecodeError::Trailing("body"));
    }
    let expected = header.get("body_sha256").and_then(Value::as_str);
    if expected.map_or(length > 0, |digest| digest != Digest::of(body).to_string()) {
        return Err(DecodeError::Body);
    }
    Ok(json!({
        "body_bytes": length,
        "digest": Digest::of(&head.pae()),
        "header": header,
        "signers": signers,
        "type": head.kind(),
    }))
}

fn text(json: &Value) -> String {
    let member = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default();
    let signers = json.get("signers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut out = format!("type    {}\ndigest  {}\n", member("type"), member("digest"));
    for signer in signers {
        out.push_str(&format!("signer  {}\n", signer.as_str().unwrap_or_default()));
    }
    let (body, header) =
        (json.get("body_bytes").unwrap_or(&Value::Null), json.get("header").unwrap_or(&Value::Null));
    out + &format!("body    {body} bytes\n{header:#}")
}

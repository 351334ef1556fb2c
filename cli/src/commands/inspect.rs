//! `hedui inspect`: what a file is.

use std::fs;
use std::path::{Path, PathBuf};

use audit::manifest::{self, Manifest};
use audit::signatures;
use clap::Args;
use desk::papers;
use protocol::DecodeError;
use protocol::Document;
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
    /// A document, a key file, the manifest of a release (`release.json`), or the folder of a closed file.
    file: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let file = if arguments.file.is_dir() { arguments.file.join(LIST) } else { arguments.file.clone() };
    let bytes = files::read_document(&file)?;
    if let Ok(file) = KeyFile::read(&bytes) {
        let json = key::describe(&file);
        output.say(&format!("{json:#}"), &json);
        return Ok(());
    }
    if let Ok(release) = Manifest::read(&bytes) {
        let signatures = signatures_beside(&arguments.file);
        let json = json!({ "manifest": release, "signatures": signatures, "type": manifest::TYPE });
        output.say(&release_text(&release, &signatures), &json);
        return Ok(());
    }
    let mut json = describe(&bytes).map_err(|e| Failure::from(e).of(&file))?;
    let mut told = text(&json);
    let beside = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Some(found) = papers_beside(&json, &bytes, beside)? {
        told.push_str(&format!("\npapers  {found} beside it, each as the list says"));
        if let Some(object) = json.as_object_mut() {
            object.insert("papers".to_owned(), json!(found));
        }
    }
    output.say(&told, &json);
    Ok(())
}

/// The signed list within the folder of a closed file (SPEC §4.9).
const LIST: &str = "archive.hedui";

/// Of the list of a closed file: how many papers lie beside it, each as the list says. Of a report: whether the
/// paper does, when one of its name is there. Nothing for other documents.
fn papers_beside(json: &Value, bytes: &[u8], folder: &Path) -> Result<Option<usize>, Failure> {
    let header = |member: &str| json.pointer(&format!("/header/{member}"));
    let wrong = |name: &str, code: &'static str, what: &str| {
        Err(Failure::new(code, "file", what.to_owned()).of(&folder.join(name)))
    };
    match json.get("type").and_then(Value::as_str) {
        Some("hedui/archive/v1") => {
            let list = Document::<papers::Archive>::read(bytes)?;
            let listed = list.header.listed(&list.body)?;
            for paper in &listed {
                let lies = Digest::of(&files::read(&folder.join(&paper.name), files::PAPER)?);
                if lies != paper.sha256 {
                    return wrong(&paper.name, "paper_differs", "differs from what was closed");
                }
            }
            Ok(Some(listed.len()))
        }
        Some("hedui/report/v1") => {
            let text = |member: &str| header(member).and_then(Value::as_str).unwrap_or_default();
            let version = header("version").and_then(Value::as_u64).unwrap_or_default();
            let name = format!("{}-{version}.pdf", text("number").to_lowercase());
            let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
            if !plain || !folder.join(&name).is_file() {
                return Ok(None);
            }
            if Digest::of(&files::read(&folder.join(&name), files::PAPER)?).to_string() != text("pdf_sha256")
            {
                return wrong(&name, "paper_differs", "is not the paper of this report");
            }
            Ok(Some(1))
        }
        _ => Ok(None),
    }
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
    let named: Vec<Value> = signers
        .iter()
        .map(|key| {
            let key = key.to_string();
            json!({ "key": key, "named_as": owner(&header, &key) })
        })
        .collect();
    Ok(json!({
        "body_bytes": length,
        "digest": Digest::of(&head.pae()),
        "header": header,
        "signed_by": named,
        "signers": signers,
        "type": head.kind(),
    }))
}

/// As whom a header names the owner of a signing key: a party by code and name, or the member that lists the key.
fn owner(header: &Value, key: &str) -> Option<String> {
    let is_key = |value: &Value| value.as_str() == Some(key);
    let party = |value: &Value| {
        value.get("signing_key").filter(|value| is_key(value))?;
        let text = |member: &str| value.get(member).and_then(Value::as_str).unwrap_or_default();
        Some(format!("{} {}", text("code"), text("name")))
    };
    if let Some(itself) = party(header) {
        return Some(itself);
    }
    header.as_object()?.iter().find_map(|(member, value)| match value {
        Value::Object(_) => Some(format!("{member}: {}", party(value)?)),
        Value::Array(keys) => keys.iter().any(is_key).then(|| member.clone()),
        _ => is_key(value).then(|| member.clone()),
    })
}

/// The files that sign a manifest, with the numbers of their keys. Whether they hold, `hedui audit` says.
fn signatures_beside(file: &Path) -> Vec<(String, String)> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut found: Vec<(String, String)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let own = name.starts_with(manifest::NAME) && name.ends_with(signatures::SUFFIX);
            let bytes = files::read(&entry.path(), files::SMALL).ok().filter(|_| own)?;
            Some((name, signatures::key_id(std::str::from_utf8(&bytes).ok()?)?))
        })
        .collect();
    found.sort();
    found
}

fn release_text(release: &Manifest, signatures: &[(String, String)]) -> String {
    let mut out = format!(
        "type        {}\nrelease     {}\nissued      {}\ntoolchain   {}\nsources     {}\n",
        manifest::TYPE,
        release.release,
        release.issued,
        release.toolchain,
        release.source_sha256
    );
    for file in &release.files {
        out.push_str(&format!("file        {}, {} bytes, {}\n", file.name, file.bytes, file.sha256));
    }
    for (name, key) in signatures {
        out.push_str(&format!("signature   {name}, by the key {key}\n"));
    }
    out
}

fn text(json: &Value) -> String {
    let member = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default();
    let signers = json.get("signed_by").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut out = format!("type    {}\ndigest  {}\n", member("type"), member("digest"));
    for signer in signers {
        let said = |member: &str| signer.get(member).and_then(Value::as_str);
        let owner = said("named_as").unwrap_or("a key that this document does not name");
        out.push_str(&format!("signer  {} ({owner})\n", said("key").unwrap_or_default()));
    }
    let (body, header) =
        (json.get("body_bytes").unwrap_or(&Value::Null), json.get("header").unwrap_or(&Value::Null));
    out + &format!("body    {body} bytes\n{header:#}")
}

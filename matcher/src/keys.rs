//! Operations that need a key but no session: make one, sign in, co-sign, and look at a document.

use protocol::agreement::{Agreement, AgreementInForce};
use protocol::answer::Answer;
use protocol::canonical;
use protocol::envelope::{self, Head, Verified};
use protocol::joining::{InstitutionKind, JoiningRequest};
use protocol::json::{self, Object, ToJson, Value};
use protocol::key_file::{KeyFile, Keys, Role};
use protocol::secret::Entropy;
use protocol::value::{Code, Date, Digest, PublicKey, Text, Time};
use protocol::{CheckError, Document};

use crate::error::ModuleError;
use crate::request;

protocol::json_options! {
    /// Options of `new key`.
    #[derive(Debug)]
    struct NewKey {
        code: Code,
        kind: Option<InstitutionKind>,
        name: Text,
        now: u64,
        role: Role,
    }
}

/// Parses an options part; the message never repeats the input.
pub fn options<T: Object>(json: &[u8]) -> Result<T, ModuleError> {
    let value = serde_json::from_slice(json).ok();
    value.and_then(|value| json::read(&value).ok()).ok_or_else(|| {
        ModuleError::new("bad_option", "options", "an option is missing, unknown or malformed")
    })
}

/// Unix seconds from an option.
pub fn time(now: u64) -> Result<Time, ModuleError> {
    Time::from_unix(now).ok_or_else(|| ModuleError::new("bad_option", "now", "outside 1970 to 2199"))
}

/// Makes a key file and, for an institution, its joining request.
pub fn new_key(bytes: &[u8]) -> Result<Vec<u8>, ModuleError> {
    let [passphrase, entropy, json] = request::parts(bytes)?;
    let NewKey { code, kind, name, now, role } = options(json)?;
    let (file, keys) = KeyFile::make(role, code, name, passphrase, &Entropy::new(entropy)?)?;
    let malformed = |e| ModuleError::decode("key file", &e);
    let joining = match (role, kind) {
        (Role::Institution, Some(kind)) => {
            let header = JoiningRequest {
                code: file.code.clone(),
                issued: time(now)?,
                kind,
                name: file.name.clone(),
                sealing_key: file.sealing_key,
                signing_key: file.signing_key,
            };
            envelope::write(&header, b"", &[&keys.signing]).map_err(malformed)?
        }
        (Role::Institution, None) => {
            return Err(ModuleError::new("bad_option", "kind", "an institution needs its kind"));
        }
        _ => Vec::new(),
    };
    Ok(request::join(&[&file.write().map_err(malformed)?, &joining]))
}

/// Opens a key file.
pub fn unlock(file: &[u8], passphrase: &[u8]) -> Result<(KeyFile, Keys), ModuleError> {
    let file = KeyFile::read(file).map_err(|e| ModuleError::decode("key file", &e))?;
    let keys = file.unlock(passphrase)?;
    Ok((file, keys))
}

/// Reads an agreement and checks that it is in force on a day.
pub fn agreement(bytes: &[u8], day: Date) -> Result<AgreementInForce, ModuleError> {
    let agreement = Document::<Agreement>::read(bytes).map_err(|e| ModuleError::decode("agreement", &e))?;
    Ok(agreement.check(day)?)
}

/// Answers a host's challenge.
pub fn sign_in(bytes: &[u8]) -> Result<Vec<u8>, ModuleError> {
    let [file, passphrase, host, challenge] = request::parts(bytes)?;
    let bad = |field| ModuleError::new("bad_request", field, format!("the {field} is malformed"));
    let host: Code =
        std::str::from_utf8(host).ok().and_then(|h| h.parse().ok()).ok_or_else(|| bad("host code"))?;
    let challenge = challenge.try_into().map_err(|_| bad("challenge"))?;
    let (_, keys) = unlock(file, passphrase)?;
    Ok([keys.signing.public().as_bytes().as_slice(), &keys.signing.sign_in(&host, challenge)].concat())
}

/// Signs a document once more. The document's own signatures must hold.
pub fn co_sign(bytes: &[u8]) -> Result<Vec<u8>, ModuleError> {
    let [file, passphrase, document] = request::parts(bytes)?;
    let malformed = |e| ModuleError::decode("document", &e);
    let head = Head::parse(document).map_err(malformed)?;
    head.signers().map_err(malformed)?;
    let (_, keys) = unlock(file, passphrase)?;
    Ok([keys.signing.public().as_bytes().as_slice(), &keys.signing.sign(&head.pae())].concat())
}

/// Approves an answer: it comes back with the approver's signature. The agreement must have been in force when the answer
/// was made, and must name the key. An answer that ends before its body comes back so.
pub fn approve(bytes: &[u8]) -> Result<Vec<u8>, ModuleError> {
    let [file, passphrase, agreement, answer] = request::parts(bytes)?;
    let malformed = |e| ModuleError::decode("answer", &e);
    let mut head = Head::parse(answer).map_err(malformed)?;
    let Verified { header, signers, .. } = head.verify::<Answer>().map_err(malformed)?;
    let body = answer.get(head.length..).unwrap_or_default();
    if !body.is_empty() {
        head.check_body(&header, body).map_err(malformed)?;
    }
    let terms = self::agreement(agreement, header.created.date())?.terms;
    if signers.first() != Some(&terms.institution.signing_key) {
        return Err(CheckError::Signer("answer").into());
    }
    if header.institution != terms.institution.code {
        return Err(CheckError::WrongInstitution("answer").into());
    }
    let (_, keys) = unlock(file, passphrase)?;
    let approver = keys.signing.public();
    if !terms.approver_keys.contains(&approver) {
        let message = "the agreement does not name this key as an approver's";
        return Err(ModuleError::new("not_an_approver", "key file", message));
    }
    head.add_signature(approver, keys.signing.sign(&head.pae())).map_err(malformed)?;
    let head = head.encode().map_err(malformed)?;
    let mut approved = Vec::with_capacity(head.len() + body.len() + 1); // and the status of the reply
    approved.extend_from_slice(&head);
    approved.extend_from_slice(body);
    Ok(approved)
}

protocol::json_reply! {
    struct Inspection<'a> {
        r#type: &'a str,
        digest: Digest,
        header: Value,
        signers: Vec<PublicKey>,
    }
}

/// Says what a document is and who signed it. The signatures must hold.
pub fn inspect(bytes: &[u8]) -> Result<Vec<u8>, ModuleError> {
    let [document] = request::parts(bytes)?;
    let malformed = |e| ModuleError::decode("document", &e);
    let head = Head::parse(document).map_err(malformed)?;
    let signers = head.signers().map_err(malformed)?;
    let header = canonical::parse(head.header_json()).map_err(malformed)?;
    let digest = Digest::of(&head.pae());
    Ok(reply(&Inspection { r#type: head.kind(), digest, header, signers }))
}

/// A JSON result; [`inspect`]'s holds a whole header.
pub fn reply(value: &impl ToJson) -> Vec<u8> {
    canonical::write(&value.to_json(), canonical::MAX_DEPTH + 1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_header_can_be_shown() {
        let key = protocol::secret::SigningKey::from_seed(&[1; 32]);
        let header = format!("{{\"a\":{}{}}}", "[".repeat(7), "]".repeat(7));
        let pae = format!("DSSEv1 14 hedui/other/v1 {} {header}", header.len());
        let mut document =
            format!("hedui/other/v1\n\0\0\0{}{header}\u{1}", char::from(header.len() as u8)).into_bytes();
        document.extend([key.public().as_bytes().as_slice(), &key.sign(pae.as_bytes()), &[0; 8]].concat());
        let shown = inspect(&request::join(&[&document])).unwrap();
        assert!(shown.windows(header.len()).any(|part| part == header.as_bytes()));
    }
}

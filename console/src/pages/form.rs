//! What a form sends: fields by name, some several times, and files. Kept in memory, never in a file.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use protocol::value::Date;
use zeroize::{Zeroize, Zeroizing};

use super::problem::{Refusal, refuse};
use crate::console::Console;
use crate::staff::{Clerk, sign_in};

/// Characters of a line of text at most.
pub const LINE: usize = 200;

/// The fields of a form.
#[derive(Debug, Default)]
pub struct Fields {
    text: BTreeMap<String, Vec<String>>,
    files: BTreeMap<String, Bytes>,
}

impl Fields {
    /// Takes the one-time code with which a clerk confirms what can't be taken back.
    ///
    /// # Errors
    /// `one_time.wrong`, and faults of the store.
    pub async fn confirm(&self, console: &Console, clerk: &Clerk) -> Result<(), Refusal> {
        if sign_in::confirm(console.store(), clerk, self.line("one_time"), console.now()?).await? {
            Ok(())
        } else {
            refuse("one_time.wrong")
        }
    }

    /// A line of text without what surrounds it; empty when the field is not there.
    pub fn line(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// A field as it was typed: for passwords.
    pub fn raw(&self, name: &str) -> &str {
        self.text.get(name).and_then(|all| all.first()).map_or("", String::as_str)
    }

    /// A passphrase, as it was typed; wiped when it is dropped.
    pub fn secret(&self, name: &str) -> Zeroizing<String> {
        Zeroizing::new(self.raw(name).to_owned())
    }

    /// All values of a field.
    pub fn all(&self, name: &str) -> &[String] {
        self.text.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether a box is ticked.
    pub fn ticked(&self, name: &str) -> bool {
        !self.line(name).is_empty()
    }

    /// A day as a date field sends it.
    pub fn day(&self, name: &str) -> Option<Date> {
        self.line(name).parse().ok()
    }

    /// A number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.line(name).parse().ok()
    }

    /// A line that has something in it, no more than [`LINE`] characters and none that control.
    pub fn text(&self, name: &str) -> Option<&str> {
        let line = self.line(name);
        let good = !line.is_empty() && line.chars().count() <= LINE && !line.chars().any(char::is_control);
        good.then_some(line)
    }

    /// A file, when one was chosen.
    pub fn file(&self, name: &str) -> Option<&Bytes> {
        self.files.get(name).filter(|bytes| !bytes.is_empty())
    }
}

/// What was typed is wiped. (The server's own buffers, which the bytes came in, are not: they are gone with the
/// request.)
impl Drop for Fields {
    fn drop(&mut self) {
        self.text.values_mut().flatten().for_each(Zeroize::zeroize);
    }
}

impl FromRequest<Console> for Fields {
    type Rejection = Refusal;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Refusal> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
        let mut fields = Self::default();
        if kind.starts_with("multipart/form-data") {
            let mut parts =
                Multipart::from_request(request, console).await.map_err(|_| Refusal::Malformed)?;
            while let Some(part) = parts.next_field().await.map_err(|_| Refusal::Key("refused.too_large"))? {
                let name = part.name().unwrap_or("").to_owned();
                let is_file = part.file_name().is_some();
                let bytes = part.bytes().await.map_err(|_| Refusal::Key("refused.too_large"))?;
                if is_file {
                    fields.files.insert(name, bytes);
                } else {
                    let text = String::from_utf8(bytes.to_vec()).map_err(|_| Refusal::Malformed)?;
                    fields.text.entry(name).or_default().push(text);
                }
            }
            return Ok(fields);
        }
        let pairs = axum::Form::<Vec<(String, String)>>::from_request(request, console).await;
        for (name, value) in pairs.map_err(|_| Refusal::Malformed)?.0 {
            fields.text.entry(name).or_default().push(value);
        }
        Ok(fields)
    }
}

//! Secrets looked for in linear memory after a session (security of the module, THREAT-MODEL "Module").
//!
//! A session of the vectors is played; its secrets are known here: the passphrase, the entropy, both private
//! keys, the token key, and every number, name and account of the customers' file. While the session is open
//! some of them stand in memory, which shows that looking finds; once its answer has been read none may.

use crate::Finding;
use crate::vectors::{Session, Step};
use memchr::memmem;
use protocol::key_file::KeyFile;
use protocol::label::Label;
use protocol::roster::Roster;
use protocol::secret::OpeningKey;
use protocol::{Digest, Document, seal};
use sandbox::Module;
use serde::Serialize;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// What was looked for, and what was found.
#[derive(Debug, Default, Serialize)]
pub struct Canary {
    /// Sessions whose memory was searched.
    pub sessions: usize,
    /// Secrets of them.
    pub secrets: usize,
    /// How many stood in memory while their session was open.
    pub seen_open: usize,
    /// How many still stood there when it had ended.
    pub left: usize,
}

/// The shortest text of a customers' file that is looked for, in bytes: shorter ones stand anywhere by chance.
const SHORTEST: usize = 6;

/// A secret and what it is.
struct Secret {
    what: &'static str,
    bytes: Zeroizing<Vec<u8>>,
}

/// Plays every session that reads a customers' file in UTF-8, and every operation with a key, and searches memory
/// after each. One finding for each kind of secret that is left in a session.
pub(crate) fn check(name: &str, module: &Module, sessions: &[Session]) -> (Canary, Vec<Finding>) {
    let mut canary = Canary::default();
    let mut findings = Vec::new();
    let own = |session: &&Session| session.name.starts_with("ok_") && has_secrets(session);
    for session in sessions.iter().filter(own) {
        let place = format!("{name}, vector {}", session.name);
        let Some((looked_for, seen, left)) = search(module, session) else {
            findings.push(Finding::new(
                "canary",
                place,
                "the session could not be played to search its memory",
            ));
            continue;
        };
        canary.sessions += 1;
        canary.secrets += looked_for;
        canary.seen_open += seen;
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for what in &left {
            *kinds.entry(what).or_default() += 1;
        }
        canary.left += left.len();
        findings.extend(kinds.into_iter().map(|(what, count)| {
            let message = format!("{count} × {what} still in linear memory after the session ended");
            Finding::new("secret_left", place.clone(), message)
        }));
    }
    if canary.secrets == 0 {
        findings.push(Finding::new("canary", name, "no vector has a secret to look for"));
    } else if canary.seen_open == 0 {
        let message = "no secret was seen in memory even while a session was open: the search shows nothing";
        findings.push(Finding::new("canary", name, message));
    }
    (canary, findings)
}

fn has_secrets(session: &Session) -> bool {
    session.steps.iter().any(|step| step.parts.contains_key("passphrase"))
}

/// How many secrets were looked for, how many stood in memory before the last steps, and what is left at the end.
fn search(module: &Module, session: &Session) -> Option<(usize, usize, Vec<&'static str>)> {
    let mut instance = module.session().ok()?;
    let mut secrets = secrets(&session.steps);
    // What the module says of itself, in its own tables of names, and what both sides may know anyway, is no secret.
    let public: Vec<&[u8]> = session
        .steps
        .iter()
        .flat_map(|step| ["agreement", "roster"].map(|part| step.parts.get(part)))
        .flatten()
        .map(Vec::as_slice)
        .collect();
    instance.abi_version().ok()?;
    secrets.retain(|secret| {
        let known = |text: &[u8]| memmem::find(text, &secret.bytes).is_some();
        !known(instance.memory()) && !public.iter().any(|text| known(text))
    });
    let standing = |memory: &[u8]| -> Vec<&'static str> {
        let standing = secrets.iter().filter(|secret| memmem::find(memory, &secret.bytes).is_some());
        standing.map(|secret| secret.what).collect()
    };
    let mut seen = 0;
    for step in &session.steps {
        if step.op == "finish" {
            seen = standing(instance.memory()).len();
        }
        for request in &step.requests {
            instance.call(request.clone()).ok()?;
        }
    }
    Some((secrets.len(), seen, standing(instance.memory())))
}

/// The secrets of a session's steps.
fn secrets(steps: &[Step]) -> Vec<Secret> {
    let mut secrets = Vec::new();
    let mut add = |what: &'static str, bytes: &[u8]| {
        let known = |secret: &Secret| secret.bytes.as_slice() == bytes;
        if bytes.len() >= SHORTEST && !secrets.iter().any(known) {
            secrets.push(Secret { what, bytes: Zeroizing::new(bytes.to_vec()) });
        }
    };
    for step in steps {
        let part = |name: &str| step.parts.get(name).map(Vec::as_slice);
        if let Some(passphrase) = part("passphrase") {
            add("passphrase", passphrase);
            let keys = part("key_file")
                .and_then(|file| KeyFile::read(file).ok())
                .and_then(|file| file.unlock(passphrase).ok());
            if let Some(keys) = keys {
                // EXPOSE: to look for them.
                add("private signing key", keys.signing.expose());
                // EXPOSE: the same.
                add("private opening key", keys.opening.expose());
                if let Some(key) = part("roster")
                    .zip(part("agreement"))
                    .and_then(|(roster, agreement)| token_key(roster, agreement, &keys.opening))
                {
                    add("token key", &key);
                }
            }
        }
        if let Some(entropy) = part("entropy") {
            add("entropy", entropy);
        }
        for (what, text) in
            part("file").and_then(|file| std::str::from_utf8(file).ok()).into_iter().flat_map(texts)
        {
            add(what, text.as_bytes());
        }
    }
    secrets
}

fn token_key(roster: &[u8], agreement: &[u8], key: &OpeningKey) -> Option<Zeroizing<Vec<u8>>> {
    let roster = Document::<Roster>::read(roster).ok()?.header;
    let agreement: Digest = Document::<protocol::agreement::Agreement>::read(agreement).ok()?.digest;
    let info = Label::TokenKey.bytes(&[&roster.id.0, agreement.as_bytes()]);
    seal::open(key, &info, &roster.token_key.0, "roster.token_key").ok()
}

/// Numbers and names of a customers' file. The first row is the heading.
fn texts(file: &str) -> impl Iterator<Item = (&'static str, &str)> {
    file.lines().skip(1).flat_map(|line| line.split([',', '\t', '|'])).filter_map(|cell| {
        let cell = cell.trim_matches(['"', '=', ' ', '\'']);
        let digits = cell.bytes().filter(u8::is_ascii_digit).count();
        let han = cell.chars().filter(|c| ('\u{4E00}'..='\u{9FFF}').contains(c)).count();
        match (digits, han) {
            (9.., 0) => Some(("customer's number", cell)),
            (0, 2..=4) if han == cell.chars().count() => Some(("customer's name", cell)),
            _ => None,
        }
    })
}

//! `hedui post`, `hedui fetch` and `hedui send`: documents to a host and from it.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use protocol::Document;
use protocol::answer::Answer;
use protocol::envelope::Head;
use protocol::key_file::Role;
use protocol::receipt::Receipt;
use protocol::value::{Code, Digest};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::files::{self, NewFile};
use crate::keys;
use crate::output::Output;
use crate::relay::{Place, Relay};

/// Who signs in, and where.
#[derive(Debug, Args)]
struct Session {
    /// The host's address: http://HOST:PORT.
    #[arg(long)]
    host: String,
    /// The key file to sign in with.
    #[arg(long)]
    key: PathBuf,
    /// A file whose first line is the passphrase; else it is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
}

impl Session {
    fn sign_in(&self, roles: &[Role]) -> Result<(Role, Relay), Failure> {
        let (file, keys) = keys::unlock(&self.key, self.passphrase_file.as_ref(), roles)?;
        Ok((file.role, Relay::sign_in(&self.host, &keys)?))
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hedui post --host http://127.0.0.1:8642 --key centre.key.hedui \
                        bank.agreement.hedui rosters/bank-1-7.roster.hedui")]
pub(crate) struct Post {
    #[command(flatten)]
    session: Session,
    /// Agreements, then the rosters made under them.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  hedui fetch --host http://127.0.0.1:8642 --key bank.key.hedui --out inbox"
)]
pub(crate) struct Fetch {
    #[command(flatten)]
    session: Session,
    /// The folder to write to, made when it is not there. What is there already stays.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hedui send --host http://127.0.0.1:8642 --key bank.key.hedui \
                        --receipt bank-1-7.receipt.hedui bank-1-7.approved.hedui")]
pub(crate) struct Send {
    #[command(flatten)]
    session: Session,
    /// Where to write the host's receipt.
    #[arg(long)]
    receipt: PathBuf,
    /// Replace a receipt that is there.
    #[arg(long)]
    force: bool,
    /// The answer, with its approver's signature where the agreement asks for one.
    answer: PathBuf,
}

pub(crate) fn post(arguments: &Post, output: &Output) -> Result<(), Failure> {
    let mut documents = Vec::new();
    for path in &arguments.files {
        let document = files::read_document(path)?;
        let head = Head::parse(&document).map_err(|e| Failure::from(e).of(path))?;
        let place = match head.kind() {
            "hedui/agreement/v1" => Place::Agreements,
            "hedui/roster/v1" => Place::Rosters,
            _ => return Err(Failure::new("wrong_type", "type", "neither an agreement nor a roster").of(path)),
        };
        documents.push((path, place, Digest::of(&head.pae()), document));
    }
    let (_, relay) = arguments.session.sign_in(&[Role::Centre])?;
    let (mut lines, mut posted) = (Vec::new(), Vec::new());
    for (path, place, digest, document) in documents {
        relay.post(&place, document).map_err(|failure| failure.of(path))?;
        lines.push(format!("{}: taken, {digest}", path.display()));
        posted.push(json!({ "digest": digest, "file": path }));
    }
    output.say(&lines.join("\n"), &json!({ "posted": posted }));
    Ok(())
}

pub(crate) fn send(arguments: &Send, output: &Output) -> Result<(), Failure> {
    let out = NewFile::create(&arguments.receipt, arguments.force)?;
    let answer = files::read_document(&arguments.answer)?;
    let named = |e| Failure::from(e).of(&arguments.answer);
    let verified = Head::parse(&answer).and_then(|head| head.verify::<Answer>()).map_err(named)?;
    let (_, relay) = arguments.session.sign_in(&[Role::Institution])?;
    let reply =
        relay.send(&verified.header.roster, &answer).map_err(|failure| failure.of(&arguments.answer))?;
    let receipt = Document::<Receipt>::read(&reply)?;
    if receipt.header.answer != verified.digest {
        return Err(Failure::new("wrong_receipt", "receipt.answer", "the receipt is for another answer"));
    }
    out.fill(&reply)?;
    let text = format!(
        "sent {}\nreceived {}, log position {}\nreceipt {}",
        verified.digest,
        receipt.header.received,
        receipt.header.log_position,
        arguments.receipt.display()
    );
    let json = json!({
        "answer": verified.digest,
        "receipt": arguments.receipt,
        "received": receipt.header.received,
        "signers": receipt.signers,
    });
    output.say(&text, &json);
    Ok(())
}

/// What a list says of a roster.
#[derive(Deserialize)]
struct RosterRow {
    digest: Digest,
    agreement: Digest,
    institution: Code,
    serial: u64,
}

/// What a list says of an answer.
#[derive(Deserialize)]
struct AnswerRow {
    digest: Digest,
    version: u64,
}

pub(crate) fn fetch(arguments: &Fetch, output: &Output) -> Result<(), Failure> {
    let (role, relay) = arguments.session.sign_in(&[Role::Centre, Role::Institution])?;
    fs::create_dir_all(&arguments.out).map_err(|error| files::io_failure(&arguments.out, &error))?;
    let mut inbox = Inbox { relay: &relay, folder: &arguments.out, files: Vec::new() };
    for RosterRow { digest, agreement, institution, serial } in relay.list::<RosterRow>(&Place::Rosters)? {
        if role == Role::Centre {
            for answer in relay.list::<AnswerRow>(&Place::Answers(&digest))? {
                let name = format!("{institution}-{serial}-v{}.answer.hedui", answer.version);
                inbox.take("answers", &answer.digest, &name)?;
            }
        } else {
            let short: String = agreement.to_string().chars().take(8).collect();
            inbox.take("agreements", &agreement, &format!("{institution}-{short}.agreement.hedui"))?;
            inbox.take("rosters", &digest, &format!("{institution}-{serial}.roster.hedui"))?;
        }
    }
    let lines: Vec<String> = inbox.files.iter().map(|file| file.display().to_string()).collect();
    let nothing = "nothing new".to_owned();
    let text = if lines.is_empty() { nothing } else { lines.join("\n") };
    output.say(&text, &json!({ "fetched": inbox.files.iter().map(|f| json!(f)).collect::<Vec<Value>>() }));
    Ok(())
}

/// A folder that documents come into.
struct Inbox<'a> {
    relay: &'a Relay,
    folder: &'a Path,
    files: Vec<PathBuf>,
}

impl Inbox<'_> {
    fn take(&mut self, kind: &str, digest: &Digest, name: &str) -> Result<(), Failure> {
        let path = self.folder.join(name);
        if path.exists() {
            return Ok(());
        }
        let document = self.relay.document(kind, digest).map_err(|failure| failure.of(&path))?;
        NewFile::create(&path, false)?.fill(&document)?;
        self.files.push(path);
        Ok(())
    }
}

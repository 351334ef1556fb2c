//! `hedui cosign`: a second signature on an answer. One on a roster is `hedui roster cosign`, which looks first.

use std::path::PathBuf;

use clap::Args;
use protocol::envelope::{self, Head};
use protocol::key_file::Role;
use protocol::value::Digest;
use serde_json::json;

use crate::failure::Failure;
use crate::files::{self, NewFile};
use crate::keys;
use crate::output::Output;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hedui cosign --document bank-1-7.answer.hedui --key approver.key.hedui \
                        --out bank-1-7.approved.hedui")]
pub(crate) struct Arguments {
    /// The answer. Agreements are signed with `hedui agreement countersign`, rosters with `hedui roster cosign`.
    #[arg(long)]
    document: PathBuf,
    /// Key file of the approver.
    #[arg(long)]
    key: PathBuf,
    /// Where to write the document with both signatures.
    #[arg(long)]
    out: PathBuf,
    /// A file whose first line is the passphrase; else it is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let out = NewFile::create(&arguments.out, arguments.force)?;
    let document = files::read_document(&arguments.document)?;
    let named = |e| Failure::from(e).of(&arguments.document);
    let head = Head::parse(&document).map_err(named)?;
    let no_answer = match head.kind() {
        "hedui/answer/v1" => None,
        "hedui/roster/v1" => Some("a roster is signed with `hedui roster cosign`, which rebuilds it first"),
        _ => Some("this document has no second signature"),
    };
    if let Some(message) = no_answer {
        return Err(Failure::new("wrong_type", "type", message).of(&arguments.document));
    }
    let (_, keys) = keys::unlock(&arguments.key, arguments.passphrase_file.as_ref(), &[Role::Approver])?;
    out.fill(&envelope::co_sign(&document, &keys.signing).map_err(named)?)?;
    let digest = Digest::of(&head.pae());
    output
        .say(&format!("signed {} {digest}", head.kind()), &json!({ "digest": digest, "type": head.kind() }));
    Ok(())
}

//! `hedui cosign`: a second signature on a roster or an answer.

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
    /// The document. Agreements are signed with `hedui agreement countersign`.
    #[arg(long)]
    document: PathBuf,
    /// Key file of the co-signer (of a roster) or approver (of an answer).
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
    let role = match head.kind() {
        "hedui/roster/v1" => Role::Cosigner,
        "hedui/answer/v1" => Role::Approver,
        _ => {
            return Err(Failure::new("wrong_type", "type", "this document has no second signature")
                .of(&arguments.document));
        }
    };
    let (_, keys) = keys::unlock(&arguments.key, arguments.passphrase_file.as_ref(), &[role])?;
    out.fill(&envelope::co_sign(&document, &keys.signing).map_err(named)?)?;
    let digest = Digest::of(&head.pae());
    output
        .say(&format!("signed {} {digest}", head.kind()), &json!({ "digest": digest, "type": head.kind() }));
    Ok(())
}

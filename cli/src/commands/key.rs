//! `hedui key`: make keys, show their public half.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use protocol::cosigning::CosignerJoining;
use protocol::envelope;
use protocol::joining::{InstitutionKind, JoiningRequest};
use protocol::key_file::{KeyFile, Role};
use protocol::secret::SigningKey;
use protocol::value::{Code, Text};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::files::NewFile;
use crate::output::Output;
use crate::parse::{one_of, word};
use crate::{edge, keys};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a key file and, for an institution or a co-signer, its joining request.
    #[command(
        after_help = "Example:\n  hedui key new --role institution --kind bank --code bank-1 --name 第一银行 \
                            --out bank.key.hedui --joining bank.joining.hedui"
    )]
    New(New),
    /// Show a key file's owner and public keys.
    #[command(after_help = "Example:\n  hedui key show bank.key.hedui")]
    Show {
        /// The key file.
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// centre, institution, officer, approver, compliance, cosigner, host or publisher.
    #[arg(long, value_parser = one_of::<Role>)]
    role: Role,
    /// The owner's code: letters, digits, `.`, `_`, `-`.
    #[arg(long)]
    code: Code,
    /// The owner's full name.
    #[arg(long)]
    name: Text,
    /// Of an institution: bank, securities, insurance, payment or department.
    #[arg(long, value_parser = one_of::<InstitutionKind>)]
    kind: Option<InstitutionKind>,
    /// Where to write the key file.
    #[arg(long)]
    out: PathBuf,
    /// Where to write the joining request of an institution or a co-signer.
    #[arg(long)]
    joining: Option<PathBuf>,
    /// A file whose first line is the passphrase; else it is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// Replace files that are there.
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::New(arguments) => new(&arguments, output),
        Command::Show { file } => {
            let key = keys::read(&file)?;
            output.say(&text(&key), &describe(&key));
            Ok(())
        }
    }
}

fn new(arguments: &New, output: &Output) -> Result<(), Failure> {
    let joins = matches!(arguments.role, Role::Institution | Role::Cosigner);
    if arguments.joining.is_some() && !joins {
        return Err(Failure::option("joining", "only an institution or a co-signer has a joining request"));
    }
    if arguments.joining.is_some() && arguments.role == Role::Institution && arguments.kind.is_none() {
        return Err(Failure::option("kind", "a joining request says what the institution is"));
    }
    let out = NewFile::create(&arguments.out, arguments.force)?;
    let joining =
        arguments.joining.as_ref().map(|path| NewFile::create(path, arguments.force)).transpose()?;

    let passphrase = keys::new_passphrase(arguments.passphrase_file.as_ref())?;
    let (code, name) = (arguments.code.clone(), arguments.name.clone());
    let (file, keys) = KeyFile::make(arguments.role, code, name, &passphrase, &edge::entropy()?)?;
    if let Some(joining) = joining {
        joining.fill(&join(&file, &keys.signing, arguments.kind)?)?;
    }
    out.fill(&file.write()?)?;
    output.say(&text(&file), &describe(&file));
    Ok(())
}

/// The joining request of an institution, which is of a kind, or else of a co-signer.
fn join(file: &KeyFile, key: &SigningKey, kind: Option<InstitutionKind>) -> Result<Vec<u8>, Failure> {
    let (code, name, issued) = (file.code.clone(), file.name.clone(), edge::now()?);
    let (sealing_key, signing_key) = (file.sealing_key, file.signing_key);
    let written = match kind.filter(|_| file.role == Role::Institution) {
        Some(kind) => {
            let request = JoiningRequest { code, issued, kind, name, sealing_key, signing_key };
            envelope::write(&request, b"", &[key])
        }
        None => {
            envelope::write(&CosignerJoining { code, issued, name, sealing_key, signing_key }, b"", &[key])
        }
    };
    Ok(written?)
}

fn text(key: &KeyFile) -> String {
    let KeyFile { code, name, signing_key, sealing_key, .. } = key;
    format!("{} {code} {name}\nsigning key  {signing_key}\nsealing key  {sealing_key}", word(&key.role))
}

pub(crate) fn describe(key: &KeyFile) -> Value {
    json!({
        "code": key.code,
        "name": key.name,
        "role": key.role,
        "sealing_key": key.sealing_key,
        "signing_key": key.signing_key,
        "type": "hedui/key/v1",
    })
}

//! `hedui desk`: the centre's console, its data folder, its backups.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use console::edge::{Clock as _, Modules, SystemClock, SystemRandomness};
use console::nightly::{self, Plan};
use console::staff::account::{self, New};
use console::staff::{Role as StaffRole, Roles};
use console::store::backup::{self, BackupError};
use console::store::{Cost, Fault, verify};
use console::{Centre, Config, Console, Store};
use protocol::Code;
use protocol::key_file::Role;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;
use crate::modules::DeskModules;
use crate::output::Output;
use crate::{edge, keys, modules};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a data folder, and the first administrator's account.
    #[command(after_help = "Example:\n  hedui desk init --data /var/lib/hedui-desk --admin admin1 \
                            --admin-name 王敏 --admin-number 1001")]
    Init(Init),
    /// Serve the console until it is told to stop.
    #[command(after_help = "Example:\n  hedui desk serve --data /var/lib/hedui-desk --key centre.key.hedui \
                            --host http://127.0.0.1:8642")]
    Serve(Box<Serve>),
    /// Seal the whole database to a public key, whether the desk runs or not.
    #[command(after_help = "Example:\n  hedui desk backup --data /var/lib/hedui-desk --to backup.key.hedui \
                            --out desk-2026-11-26.backup.hedui")]
    Backup(Backup),
    /// Open a backup into an empty folder, and check it.
    #[command(after_help = "Example:\n  hedui desk restore --backup desk-2026-11-26.backup.hedui \
                            --key backup.key.hedui --data /var/lib/hedui-desk")]
    Restore(Restore),
    /// Check the log: the hash chain, what its entries speak of, the signed checkpoints.
    #[command(after_help = "Example:\n  hedui desk verify --data /var/lib/hedui-desk")]
    Verify(Verify),
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Where everything is kept; must have no desk yet.
    #[arg(long)]
    data: PathBuf,
    /// A file whose first line is the new passphrase of the data key (12 bytes or more); else it is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// The administrator's account.
    #[arg(long)]
    admin: Code,
    /// The administrator's name.
    #[arg(long)]
    admin_name: String,
    /// The administrator's staff number.
    #[arg(long)]
    admin_number: String,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The data folder.
    #[arg(long)]
    data: PathBuf,
    /// A file whose first line is the passphrase of the data key; else it is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// Address and port; port 0 takes a free one. Beyond this computer only with TLS.
    #[arg(long, default_value = "127.0.0.1:8650")]
    listen: SocketAddr,
    /// Further names that browsers ask by.
    #[arg(long = "name")]
    names: Vec<String>,
    /// Certificate chain, PEM.
    #[arg(long, requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key, PEM.
    #[arg(long, requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The centre's key file; without, nothing is dispatched from here.
    #[arg(long)]
    key: Option<PathBuf>,
    /// A file whose first line is the passphrase of the centre's key file; else it is asked.
    #[arg(long)]
    key_passphrase_file: Option<PathBuf>,
    /// The host that carries rosters and answers: http://HOST:PORT.
    #[arg(long)]
    host: Option<String>,
    /// The matcher module; unless given, as `hedui match` finds it.
    #[arg(long)]
    module: Option<PathBuf>,
    /// The module that reads spreadsheets; unless given, as `hedui match` finds it.
    #[arg(long)]
    reader: Option<PathBuf>,
    /// Make a sealed backup every night, to whom: an officer's key file, or 64 hexadecimal digits. Its secret half
    /// belongs somewhere else.
    #[arg(long, requires = "backup_folder")]
    backup_to: Option<String>,
    /// The folder for it, on another disk or a share.
    #[arg(long, requires = "backup_to")]
    backup_folder: Option<PathBuf>,
    /// From which hour and minute in China; a night that was missed is made up for at the start.
    #[arg(long, default_value = "02:30", value_parser = minute_of_day)]
    backup_at: u64,
    /// Backups that are kept there.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    backup_keep: u16,
}

/// The minute of the day of `HH:MM`.
fn minute_of_day(word: &str) -> Result<u64, String> {
    let two = |part: &str, below: u64| {
        let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<u64>().ok().filter(|n| digits && *n < below)
    };
    let read = word.split_once(':').and_then(|(hour, minute)| Some(two(hour, 24)? * 60 + two(minute, 60)?));
    read.ok_or_else(|| "write HH:MM, 02:30 for example".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The data folder.
    #[arg(long)]
    data: PathBuf,
    /// To whom: an officer's key file, or 64 hexadecimal digits. Its secret half belongs somewhere else.
    #[arg(long)]
    to: String,
    /// The file to write.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup.
    #[arg(long)]
    backup: PathBuf,
    /// The key file it was sealed to.
    #[arg(long)]
    key: PathBuf,
    /// A file whose first line is the key file's passphrase; else it is asked.
    #[arg(long)]
    passphrase_file: Option<PathBuf>,
    /// Where to; empty or not there.
    #[arg(long)]
    data: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The data folder.
    #[arg(long)]
    data: PathBuf,
}

pub(crate) fn run(command: Command, output: &Output) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new("start", "desk", error.kind().to_string()))?;
    match command {
        Command::Init(arguments) => runtime.block_on(init(arguments, output)),
        Command::Serve(arguments) => runtime.block_on(serve(*arguments, output)),
        Command::Backup(arguments) => runtime.block_on(back_up(arguments, output)),
        Command::Restore(arguments) => runtime.block_on(restore(arguments, output)),
        Command::Verify(arguments) => runtime.block_on(check(arguments, output)),
    }
}

async fn init(arguments: Init, output: &Output) -> Result<(), Failure> {
    let passphrase = keys::new_passphrase(arguments.passphrase_file.as_ref())?;
    let random = Arc::new(SystemRandomness);
    let store = Store::init(&arguments.data, &passphrase, Cost::FULL, random).await.map_err(failed)?;
    let roles = Roles::new(&[StaffRole::Administrator]);
    let new = New {
        code: arguments.admin.clone(),
        name: arguments.admin_name,
        number: arguments.admin_number,
        roles: roles.ok_or_else(|| Failure::option("admin", "there is no such role"))?,
        officer_key: None,
    };
    let now = SystemClock.now().ok_or_else(|| failed(Fault::Clock))?;
    let mut write = store.write().await.map_err(failed)?;
    let first = account::add(&mut write, &new, Cost::FULL, &arguments.admin, now).await.map_err(failed)?;
    write.commit().await.map_err(failed)?;
    store.close().await;
    let text = format!("account {}\nfirst password {first}", arguments.admin);
    output.say(&text, &json!({ "account": arguments.admin, "first_password": first }));
    Ok(())
}

async fn serve(arguments: Serve, output: &Output) -> Result<(), Failure> {
    // Where it stopped, and never over what: a library's own message may quote a cell.
    std::panic::set_hook(Box::new(|stopped| {
        if let Some(place) = stopped.location() {
            eprintln!("hedui desk: stopped at {}:{}", place.file(), place.line());
        }
    }));
    let passphrase = keys::passphrase(&arguments.data, arguments.passphrase_file.as_ref())?;
    let centre = match &arguments.key {
        None => None,
        Some(path) => {
            let (file, keys) = keys::unlock(path, arguments.key_passphrase_file.as_ref(), &[Role::Centre])?;
            Some(Centre { code: file.code, name: file.name, keys })
        }
    };
    let modules = modules(&arguments)?;
    let random = Arc::new(SystemRandomness);
    let store = Store::open(&arguments.data, &passphrase, random).await.map_err(failed)?;
    let config = Config {
        listen: arguments.listen,
        names: arguments.names,
        tls: arguments.tls_cert.zip(arguments.tls_key),
        centre,
        relay: arguments.host,
        modules,
        cost: Cost::FULL,
    };
    let nightly = match arguments.backup_to.zip(arguments.backup_folder) {
        None => None,
        Some((to, folder)) => Some(Plan {
            data: arguments.data,
            to: keys::sealing_key(&to, &[Role::Officer])?,
            folder,
            at_minute: arguments.backup_at,
            keep: usize::from(arguments.backup_keep),
        }),
    };
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let console = Console::new(store, Arc::new(SystemClock), config);
    let start = |error: &dyn std::fmt::Display| Failure::new("start", "desk", error.to_string());
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| start(&error))?;
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    if let Some(plan) = nightly {
        console.plan_backups(plan.clone());
        tokio::spawn(nightly::every_night(console.clone(), plan));
    }
    let running = console::serve::serve(console, shutdown).await.map_err(|error| start(&error))?;
    let url = format!("{scheme}://{}", running.address());
    output.say(&url, &json!({ "url": url }));
    running.finished().await.map_err(|error| start(&error.kind()))
}

/// The two modules: those named, or found; without both, the desk does without.
fn modules(arguments: &Serve) -> Result<Option<Arc<dyn Modules>>, Failure> {
    let place = |named: Option<&PathBuf>, name: &str, option: &str| match named {
        Some(path) if path.is_file() => Ok(Some(path.clone())),
        Some(path) => Err(Failure::option(option, "there is no such file").of(path)),
        None => Ok(modules::find(name)),
    };
    let matcher = place(arguments.module.as_ref(), "matcher.wasm", "module")?;
    let reader = place(arguments.reader.as_ref(), "reader.wasm", "reader")?;
    let Some((matcher, reader)) = matcher.zip(reader) else {
        eprintln!(
            "hedui desk: no matcher.wasm and reader.wasm: spreadsheets are not read here, nor a department's data"
        );
        return Ok(None);
    };
    Ok(Some(Arc::new(DeskModules::new(matcher, reader))))
}

async fn back_up(arguments: Backup, output: &Output) -> Result<(), Failure> {
    let to = keys::sealing_key(&arguments.to, &[Role::Officer])?;
    if arguments.out.exists() {
        return Err(Failure::new("exists", "out", "the file is there already").of(&arguments.out));
    }
    let done = backup::back_up(&arguments.data, &to, &arguments.out, &edge::entropy()?).await;
    done.map_err(|error| backup_failed(error, &arguments.data, &arguments.out))?;
    output.say(&arguments.out.display().to_string(), &json!({ "file": arguments.out }));
    Ok(())
}

async fn restore(arguments: Restore, output: &Output) -> Result<(), Failure> {
    let (_, keys) = keys::unlock(&arguments.key, arguments.passphrase_file.as_ref(), &[Role::Officer])?;
    let verified = backup::restore(&arguments.backup, &keys.opening, &arguments.data).await;
    tell(verified.map_err(|error| backup_failed(error, &arguments.data, &arguments.backup))?, output);
    Ok(())
}

async fn check(arguments: Verify, output: &Output) -> Result<(), Failure> {
    let verified = verify::verify(&arguments.data).await;
    let verified =
        verified.map_err(|error| Failure::new("log", "log", error.to_string()).of(&arguments.data));
    tell(verified?, output);
    Ok(())
}

fn tell(verified: verify::Verified, output: &Output) {
    let verify::Verified { entries, head, checkpoints } = verified;
    let text = format!(
        "{entries} log entries follow from each other, {checkpoints} signed checkpoints agree\nhead {head}"
    );
    output.say(&text, &json!(verified));
}

fn failed(fault: Fault) -> Failure {
    let (code, field) = match fault {
        Fault::Passphrase | Fault::WeakPassphrase => ("passphrase", "passphrase"),
        Fault::Exists | Fault::Absent => ("data", "data"),
        _ => ("desk", "data"),
    };
    Failure::new(code, field, fault.to_string())
}

/// Of the data folder, or else of the backup.
fn backup_failed(error: BackupError, data: &Path, backup: &Path) -> Failure {
    match error {
        BackupError::Fault(fault @ (Fault::Exists | Fault::Absent)) => failed(fault).of(data),
        other => Failure::new("backup", "backup", other.to_string()).of(backup),
    }
}

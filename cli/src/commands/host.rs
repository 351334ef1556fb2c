//! `hedui host`: the relay, until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;

use ::host::{Config, StartError};
use clap::Args;
use protocol::Code;
use protocol::key_file::Role;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;
use crate::keys;
use crate::output::Output;

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  hedui host --data /var/lib/hedui --listen 127.0.0.1:8642 --code relay-1 \
                        --centre centre.key.hedui --web web --artifact target/artifact"
)]
pub(crate) struct Arguments {
    /// Where everything is kept; made when it is not there.
    #[arg(long)]
    data: PathBuf,
    /// Address and port; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8642")]
    listen: SocketAddr,
    /// The host's own code, which sign-ins are bound to.
    #[arg(long)]
    code: Code,
    /// Centres that may hand in rosters and fetch answers: key files or 64 hexadecimal digits.
    #[arg(long, required = true, num_args = 1..)]
    centre: Vec<String>,
    /// The institution's page.
    #[arg(long)]
    web: Option<PathBuf>,
    /// The folder with `matcher.wasm` and `matcher.js`.
    #[arg(long)]
    artifact: Option<PathBuf>,
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<(), Failure> {
    let centre_keys =
        arguments.centre.iter().map(|key| keys::signing_key(key, Role::Centre)).collect::<Result<_, _>>()?;
    let config = Config {
        data_dir: arguments.data,
        listen: arguments.listen,
        code: arguments.code,
        centre_keys,
        web_dir: arguments.web,
        artifact_dir: arguments.artifact,
    };
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new("start", "host", error.kind().to_string()))?;
    runtime.block_on(serve(config, output))
}

async fn serve(config: Config, output: &Output) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new("start", "host", error.to_string());
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| failed(&error))?;
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    let running = ::host::serve(config, shutdown).await.map_err(|error: StartError| failed(&error))?;
    let (address, key) = (running.address(), running.key());
    let url = format!("http://{address}");
    output.say(&format!("{url} {key}"), &json!({ "key": key, "url": url }));
    running.finished().await.map_err(|error| failed(&error))
}

//! `hedui-host`: the host as a program of its own, without what the rest of Hedui links.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use host::Config;
use protocol::PublicKey;
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
hedui-host --data DIR --code CODE --centre KEY [--centre KEY …]
           [--listen ADDRESS:PORT] [--web DIR] [--artifact DIR]

  --data      where everything is kept; made when it is not there
  --code      the host's own code, which sign-ins are bound to
  --centre    a centre's Ed25519 public key, 64 hexadecimal digits
  --listen    default 127.0.0.1:8642; port 0 takes a free one
  --web       the institution's page
  --artifact  matcher.wasm and matcher.js
";

#[tokio::main]
async fn main() -> ExitCode {
    let config = match parse(std::env::args().skip(1)) {
        Ok(config) => config,
        Err(wrong) => {
            eprintln!("hedui-host: {wrong}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hedui-host: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    let running = host::serve(config, shutdown).await?;
    // For whoever started it, perhaps with port 0.
    writeln!(std::io::stdout(), "http://{} {}", running.address(), running.key())?;
    running.finished().await?;
    Ok(())
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Config, String> {
    let (mut data, mut code, mut web, mut artifact) = (None, None, None, None);
    let mut listen = "127.0.0.1:8642".to_owned();
    let mut centres: Vec<PublicKey> = Vec::new();
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--data" => data = Some(PathBuf::from(value)),
            "--code" => code = Some(value),
            "--centre" => centres.push(value.parse().map_err(|_| "--centre is no public key")?),
            "--listen" => listen = value,
            "--web" => web = Some(PathBuf::from(value)),
            "--artifact" => artifact = Some(PathBuf::from(value)),
            _ => return Err("there is an option that is not known".to_owned()),
        }
    }
    if centres.is_empty() {
        return Err("--centre is missing".to_owned());
    }
    Ok(Config {
        data_dir: data.ok_or("--data is missing")?,
        listen: listen.parse().map_err(|_| "--listen is no address and port")?,
        code: code.ok_or("--code is missing")?.parse().map_err(|_| "--code is no code")?,
        centre_keys: centres,
        web_dir: web,
        artifact_dir: artifact,
    })
}

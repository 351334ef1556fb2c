//! The desk of the browser's stories: what `hedui desk serve` does, with a clock that a test turns. Takes the folder
//! that all of it lies in, and the host's address.

#![expect(clippy::unwrap_used, reason = "it stops at the first surprise")]

#[allow(dead_code, reason = "the commands find the modules; here their place is known")]
#[path = "../../../cli/src/modules.rs"]
mod modules;

use std::path::PathBuf;
use std::sync::Arc;

use console::edge::{Clock, SystemRandomness};
use console::store::Cost;
use console::{Config, Console, Store};
use e2e::module::artifact_dir;
use modules::DeskModules;
use protocol::Time;
use protocol::key_file::KeyFile;

/// Of the data folder, and of the centre's key file.
const PASSPHRASE: &[u8] = b"the desk's own passphrase";
const KEY_PASSPHRASE: &str = "correct horse battery";

/// A clock whose hands are a file: seconds since 1970.
struct Hands(PathBuf);

impl Clock for Hands {
    fn now(&self) -> Option<Time> {
        Time::from_unix(std::fs::read_to_string(&self.0).ok()?.parse().ok()?)
    }
}

/// `hedui desk serve`, until standard input ends.
fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap());
    let host = arguments.next().unwrap().into_string().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let data = folder.join("kept/data");
        let store = Store::open(&data, PASSPHRASE, Arc::new(SystemRandomness)).await.unwrap();
        let file = KeyFile::read(&std::fs::read(folder.join("centre.key.hedui")).unwrap()).unwrap();
        let keys = file.unlock(KEY_PASSPHRASE.as_bytes()).unwrap();
        let artifact = |name: &str| artifact_dir().join(name);
        let modules = DeskModules::new(artifact("matcher.wasm"), artifact("reader.wasm"));
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            names: Vec::new(),
            tls: None,
            centre: Some(console::Centre {
                code: file.code.clone(),
                name: "富顺县居民家庭经济状况核对中心".parse().unwrap(),
                keys,
            }),
            relay: Some(host),
            modules: Some(Arc::new(modules)),
            cost: Cost::FULL,
        };
        let console = Console::new(store, Arc::new(Hands(folder.join("clock"))), config);
        let (told, ends) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            let _ = told.send(());
        });
        let shutdown = async {
            let _ = ends.await;
        };
        let running = console::serve::serve(console, shutdown).await.unwrap();
        std::fs::write(folder.join("address.next"), format!("http://{}", running.address())).unwrap();
        std::fs::rename(folder.join("address.next"), folder.join("address")).unwrap();
        running.finished().await.unwrap();
    });
}

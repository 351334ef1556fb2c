//! The desk as a process of its own (`tests/src/bin/desk.rs`). All that the desk
//! may write is below one folder, `kept`: its data, its temporary folder, and what it prints.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use console::Store;
use console::edge::SystemRandomness;
use console::staff::account::{self, New};
use console::staff::{Role, Roles, totp};
use console::store::{Cost, verify};
use e2e::exchange::{Centre, Setup};
use e2e::world::{Sizes, World};
use protocol::{Date, Time};
use tempfile::TempDir;

const PASSPHRASE: &[u8] = b"the desk's own passphrase";
/// The passphrase of the centre's key file, and of everybody else's.
pub(crate) const KEY_PASSPHRASE: &str = "correct horse battery";
/// Longest wait for the process.
const PATIENCE: Duration = Duration::from_secs(120);

/// A desk that runs, the host it talks to, and the world it asks about.
pub(crate) struct Desk {
    pub(crate) url: String,
    pub(crate) host: String,
    pub(crate) centre: Centre,
    pub(crate) world: World,
    folder: TempDir,
    now: AtomicU64,
    process: Child,
}

impl Desk {
    /// A new desk with its administrator, and the administrator's first password. It is two hours ago there, and time
    /// stands still between one step and the next, however long a computer takes.
    pub(crate) async fn open(sizes: Sizes) -> (Self, String) {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() - 7_200;
        for name in ["kept/tmp", "clerk", "host"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let centre = Centre::new(Setup { officers: 3, ..Setup::default() });
        let host = host::Config {
            data_dir: folder.path().join("host"),
            listen: "127.0.0.1:0".parse().unwrap(),
            code: "host-1".parse().unwrap(),
            centre_keys: vec![centre.party.keys.signing.public()],
            web_dir: None,
            artifact_dir: None,
        };
        let host = host::serve(host, std::future::pending()).await.unwrap();
        let host = format!("http://{}", host.address());
        std::fs::write(folder.path().join("centre.key.hedui"), &centre.party.file).unwrap();
        std::fs::write(folder.path().join("clock"), now.to_string()).unwrap();
        let first = init(&folder.path().join("kept/data"), Time::from_unix(now).unwrap()).await;
        let process = start(folder.path(), &host);
        let world = World::new(7, sizes);
        let now = AtomicU64::new(now);
        let mut desk = Self { url: String::new(), host, centre, world, folder, now, process };
        desk.url = desk.address().await;
        (desk, first)
    }

    /// Where it says that it listens.
    async fn address(&mut self) -> String {
        let (place, begun) = (self.folder.path().join("address"), Instant::now());
        loop {
            if let Ok(address) = std::fs::read_to_string(&place) {
                return address;
            }
            assert!(self.process.try_wait().unwrap().is_none(), "the desk has ended: {}", self.said());
            assert!(begun.elapsed() < PATIENCE, "the desk does not start: {}", self.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.kept().join("log")).unwrap_or_default()
    }

    /// All that the desk may have written.
    pub(crate) fn kept(&self) -> PathBuf {
        self.folder.path().join("kept")
    }

    /// The temporary folder of its process.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.kept().join("tmp")
    }

    /// What the host has.
    pub(crate) fn host_folder(&self) -> PathBuf {
        self.folder.path().join("host")
    }

    /// Where clerks find and save files.
    pub(crate) fn clerk(&self) -> PathBuf {
        self.folder.path().join("clerk")
    }

    /// Puts a file where clerks find it.
    pub(crate) fn save(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.clerk().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Lets time go by.
    pub(crate) fn forward(&self, seconds: u64) {
        let now = self.now.fetch_add(seconds, Ordering::SeqCst) + seconds;
        // Under another name first: who reads it meanwhile finds the old one, whole.
        let next = self.folder.path().join("clock.next");
        std::fs::write(&next, now.to_string()).unwrap();
        std::fs::rename(next, self.folder.path().join("clock")).unwrap();
    }

    pub(crate) fn now(&self) -> Time {
        Time::from_unix(self.now.load(Ordering::SeqCst)).unwrap()
    }

    /// The day in China, so many days from now.
    pub(crate) fn day(&self, from_now: u64) -> Date {
        let seconds = self.now().unix() + from_now * 86_400;
        Time::from_unix(seconds).unwrap().date()
    }

    /// What an authenticator shows; each code counts once, so the clock goes on.
    pub(crate) fn one_time(&self, secret: &[u8]) -> String {
        self.forward(30);
        totp::code_at(secret, self.now())
    }

    /// Tells the process to end, waits for it, and checks its log.
    pub(crate) async fn close(&mut self) {
        drop(self.process.stdin.take());
        let begun = Instant::now();
        let ended = loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "the desk does not end: {}", self.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert!(ended.success(), "{}", self.said());
        verify::verify(&self.kept().join("data")).await.unwrap();
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `hedui desk init`.
async fn init(data: &Path, now: Time) -> String {
    let store = Store::init(data, PASSPHRASE, Cost::FULL, Arc::new(SystemRandomness)).await.unwrap();
    let new = New {
        code: "gl01".parse().unwrap(),
        name: "王管理".to_owned(),
        number: "1001".to_owned(),
        roles: Roles::new(&[Role::Administrator]).unwrap(),
        officer_key: None,
    };
    let mut write = store.write().await.unwrap();
    let first = account::add(&mut write, &new, Cost::FULL, &new.code, now).await.unwrap();
    write.commit().await.unwrap();
    store.close().await;
    first
}

fn start(folder: &Path, host: &str) -> Child {
    let log = std::fs::File::create(folder.join("kept/log")).unwrap();
    Command::new(env!("CARGO_BIN_EXE_desk"))
        .arg(folder)
        .arg(host)
        .env("TMPDIR", folder.join("kept/tmp"))
        .stdin(Stdio::piped())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

//! What every request shares: the configuration, the store, the blobs, the host's key, clock and dice.

use std::fmt;
use std::fs::{DirBuilder, File};
use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use protocol::secret::SigningKey;
use protocol::{Code, PublicKey, Time};

use crate::blobs::Blobs;
use crate::clock::{Clock, Randomness, SystemClock, SystemRandomness};
use crate::pages::Pages;
use crate::partial::Partials;
use crate::problem::Fault;
use crate::sign_in::Challenges;
use crate::store::Store;
use crate::upload::Uploads;
use crate::{host_key, log};

/// What an operator decides.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything is kept; made when it is not there, readable by its owner alone.
    pub data_dir: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The host's own code, which sign-ins are bound to.
    pub code: Code,
    /// The centres' signing keys: who may hand in agreements and rosters, and fetch answers.
    pub centre_keys: Vec<PublicKey>,
    /// The institution's page, served at `/`.
    pub web_dir: Option<PathBuf>,
    /// The audited module, served at `/artifact/`.
    pub artifact_dir: Option<PathBuf>,
}

/// How long the host waits for a client.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the head of a request, also between two requests of one connection.
    pub head: Duration,
    /// For the next piece of a body.
    pub piece: Duration,
    /// For a whole body, beyond what it takes at [`Patience::bytes_per_second`].
    pub body: Duration,
    /// The slowest body that is still waited for.
    pub bytes_per_second: u32,
    /// For the rest of a body that was refused, so that the client reads the reply.
    pub linger: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(20),
            piece: Duration::from_secs(30),
            body: Duration::from_secs(60),
            bytes_per_second: 4096,
            linger: Duration::from_secs(5),
        }
    }
}

/// What a test replaces.
pub struct Fittings {
    /// Tells the time.
    pub clock: Box<dyn Clock>,
    /// Draws tokens, nonces and the host's key.
    pub randomness: Box<dyn Randomness>,
    /// How long to wait for clients.
    pub patience: Patience,
}

impl Default for Fittings {
    fn default() -> Self {
        Self {
            clock: Box::new(SystemClock),
            randomness: Box::new(SystemRandomness),
            patience: Patience::default(),
        }
    }
}

impl fmt::Debug for Fittings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fittings").field("patience", &self.patience).finish_non_exhaustive()
    }
}

/// The host, shared by all requests; cheap to clone.
#[derive(Clone)]
pub struct State(Arc<Inner>);

/// Fields that handlers reach through [`State`].
pub struct Inner {
    pub(crate) config: Config,
    pub(crate) fittings: Fittings,
    pub(crate) key: SigningKey,
    pub(crate) challenges: Challenges,
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    pub(crate) partials: Partials,
    pub(crate) pages: Pages,
    pub(crate) uploads: Uploads,
    /// Held as long as the host runs: two hosts on one directory would sweep each other's uploads.
    _lock: File,
}

impl Deref for State {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("config", &self.config).finish_non_exhaustive()
    }
}

impl State {
    /// Opens the data directory (or makes it), checks the log's chain, and clears what a crash left behind.
    ///
    /// # Errors
    /// [`StartError`] with what to look at.
    pub async fn open(config: Config) -> Result<Self, StartError> {
        Self::open_with(config, Fittings::default()).await
    }

    /// [`State::open`] with another clock, other dice and other patience.
    ///
    /// # Errors
    /// [`StartError`] with what to look at.
    pub async fn open_with(config: Config, fittings: Fittings) -> Result<Self, StartError> {
        let directory = |error| StartError::File("data_dir", error);
        DirBuilder::new().recursive(true).mode(0o700).create(&config.data_dir).map_err(directory)?;
        let lock = File::create(config.data_dir.join("host.lock")).map_err(directory)?;
        lock.try_lock().map_err(|_| StartError::Running)?;

        let key = host_key::load_or_make(&config.data_dir, &*fittings.randomness)?;
        let challenges = Challenges::new(&*fittings.randomness).ok_or(StartError::Randomness)?;
        let pages = Pages::read(config.web_dir.as_deref(), config.artifact_dir.as_deref())
            .map_err(|error| StartError::File("web_dir or artifact_dir", error))?;
        let store = Store::open(&config.data_dir).await.map_err(Fault::from)?;
        let blobs = Blobs::open(&config.data_dir)?;
        let partials = Partials::open(&Blobs::root(&config.data_dir))?;
        log::check(&store).await?;
        let uploads = Uploads::default();
        let inner =
            Inner { config, fittings, key, challenges, store, blobs, partials, pages, uploads, _lock: lock };
        Ok(Self(Arc::new(inner)))
    }

    /// The key that signs this host's receipts.
    pub fn public_key(&self) -> PublicKey {
        self.key.public()
    }

    /// The address it was configured to listen on.
    pub fn listen(&self) -> SocketAddr {
        self.config.listen
    }

    /// Closes the store. Requests after it are refused with an internal error.
    pub async fn close(&self) {
        self.store.close().await;
    }

    pub(crate) fn now(&self) -> Result<Time, Fault> {
        self.fittings.clock.now().ok_or(Fault::Clock)
    }

    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        self.fittings.randomness.fill(&mut bytes).ok_or(Fault::Randomness)?;
        Ok(bytes)
    }
}

/// Why a host does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another host runs on this data directory.
    #[error("another host is running on this data directory")]
    Running,
    /// A file or directory can't be read or written.
    #[error("{0}: {1}")]
    File(&'static str, io::Error),
    /// The address can't be listened on.
    #[error("cannot listen: {0}")]
    Listen(io::Error),
    /// `host.key` is readable by others.
    #[error("host.key may be read by others: chmod 600, and think about making a new one")]
    KeyOpenToOthers,
    /// `host.key` is not 64 hexadecimal digits.
    #[error("host.key is malformed")]
    KeyMalformed,
    /// The operating system gives no random bytes.
    #[error("no randomness")]
    Randomness,
    /// The log was changed: this entry does not follow from those before it.
    #[error("the log was changed: entry {0} does not follow from those before it")]
    Log(u64),
    /// The log ends before a document that it must have recorded.
    #[error("the log was cut short: entry {0} is missing")]
    LogCut(u64),
    /// The store or the blobs can't be opened.
    #[error("{0}")]
    Store(#[from] Fault),
}

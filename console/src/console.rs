//! What every request shares: the store, the clock, the centre's keys, and how it is served.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use protocol::Time;
use protocol::key_file::Keys;
use protocol::value::{Code, Date, Text};
use tokio::sync::Semaphore;

use crate::edge::{Clock, Modules};
use crate::jobs::Jobs;
use crate::nightly::Plan;
use crate::review::opening::Unlocks;
use crate::store::{Cost, Fault, Store};

/// Handed to every handler; cheap to clone.
#[derive(Clone)]
pub struct Console(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    config: Config,
    jobs: Jobs,
    unlocks: Unlocks,
    backups: OnceLock<Plan>,
    sandbox: Semaphore,
}

/// How the console is served, and what it has beside its data.
pub struct Config {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Names and addresses that a browser may ask by, without port; the address listened on is always one.
    pub names: Vec<String>,
    /// Certificate chain and key, PEM. Without, plain HTTP, which only this computer should reach.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The centre's keys. Without, nothing can be dispatched or signed here.
    pub centre: Option<Centre>,
    /// The host that carries rosters and answers, `http://HOST:PORT`.
    pub relay: Option<String>,
    /// The modules. Without, no spreadsheet is read here, and no department's data.
    pub modules: Option<Arc<dyn Modules>>,
    /// What a password costs.
    pub cost: Cost,
}

/// The centre, with its keys.
pub struct Centre {
    /// Its code.
    pub code: Code,
    /// Its name.
    pub name: Text,
    /// Its keys.
    pub keys: Keys,
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Console(..)")
    }
}

impl Console {
    /// Puts it together.
    pub fn new(store: Store, clock: Arc<dyn Clock>, config: Config) -> Self {
        let (jobs, unlocks, backups) = (Jobs::default(), Unlocks::default(), OnceLock::new());
        let sandbox = Semaphore::new(1);
        Self(Arc::new(Inner { store, clock, config, jobs, unlocks, backups, sandbox }))
    }

    /// Says that a backup is made every night; whoever serves runs [`crate::nightly::every_night`].
    pub fn plan_backups(&self, plan: Plan) {
        let _ = self.0.backups.set(plan);
    }

    /// The backup of every night, when there is one.
    pub fn backups(&self) -> Option<&Plan> {
        self.0.backups.get()
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// How it is served.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Long work.
    pub fn jobs(&self) -> &Jobs {
        &self.0.jobs
    }

    /// Officers' keys that wait for a second one.
    pub fn unlocks(&self) -> &Unlocks {
        &self.0.unlocks
    }

    /// Does `work` with the modules, off the threads that serve requests, and one such work at a time: an instance may
    /// take hundreds of megabytes. `None` when there are no modules, or the work stopped.
    pub async fn with_modules<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Modules) -> T + Send + 'static,
    ) -> Option<T> {
        let modules = Arc::clone(self.0.config.modules.as_ref()?);
        let _turn = self.0.sandbox.acquire().await.ok()?;
        tokio::task::spawn_blocking(move || work(&*modules)).await.ok()
    }

    /// Now.
    ///
    /// # Errors
    /// [`Fault::Clock`].
    pub fn now(&self) -> Result<Time, Fault> {
        self.0.clock.now().ok_or(Fault::Clock)
    }

    /// The day in China.
    ///
    /// # Errors
    /// [`Fault::Clock`].
    pub fn today(&self) -> Result<Date, Fault> {
        self.now().map(Time::date)
    }

    /// Whether browsers reach it by TLS.
    pub fn is_secure(&self) -> bool {
        self.0.config.tls.is_some()
    }
}

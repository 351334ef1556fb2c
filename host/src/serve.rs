//! The loop that takes connections: how many at once, how long each may take, and how it ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use protocol::PublicKey;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{sleep, timeout};

use crate::state::{Config, StartError, State};

/// Connections at once; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 1024;

/// Requests under way at a shutdown get this long to end.
const LAST_CALL: Duration = Duration::from_secs(20);

/// A host that takes connections.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    key: PublicKey,
    task: JoinHandle<()>,
}

impl Running {
    /// Where it listens; the port is the real one.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The key that signs its receipts.
    pub fn key(&self) -> PublicKey {
        self.key
    }

    /// Waits until the shutdown is complete: requests answered, store closed.
    ///
    /// # Errors
    /// When the task died.
    pub async fn finished(self) -> Result<(), JoinError> {
        self.task.await
    }
}

/// Opens the host and takes connections until `shutdown` is ready.
///
/// # Errors
/// [`StartError`] when it can't be opened or can't listen.
pub async fn serve(
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Running, StartError> {
    serve_state(State::open(config).await?, shutdown).await
}

/// [`serve`] with a host that is open already.
///
/// # Errors
/// [`StartError::Listen`].
pub async fn serve_state(
    state: State,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Running, StartError> {
    let listener = TcpListener::bind(state.listen()).await.map_err(StartError::Listen)?;
    let address = listener.local_addr().map_err(StartError::Listen)?;
    let key = state.public_key();
    let task = tokio::spawn(take_connections(listener, state, shutdown));
    Ok(Running { address, key, task })
}

async fn take_connections(listener: TcpListener, state: State, shutdown: impl Future<Output = ()> + Send) {
    let service = TowerToHyperService::new(crate::app(state.clone()));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(state.fittings.patience.head);
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut shutdown = std::pin::pin!(shutdown);

    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = http.serve_connection(TokioIo::new(stream), service.clone());
                let connection = graceful.watch(connection);
                tokio::spawn(async move {
                    // A client that breaks off is no news.
                    let _ = connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                eprintln!("hedui-host: accept cause={error}");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    let _ = timeout(LAST_CALL, graceful.shutdown()).await;
    state.close().await;
}

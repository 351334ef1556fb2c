//! Taking connections: plain HTTP on this computer, or TLS 1.2 and 1.3 with the certificate that was configured.

use std::net::SocketAddr;
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;

use crate::console::Console;
use crate::pages;

/// Requests under way at a shutdown get this long to end.
const LAST_CALL: Duration = Duration::from_secs(20);

/// Why it does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Beyond this computer, pages and passwords would go in clear.
    #[error("beyond this computer the desk is served by TLS only: give a certificate and its key")]
    Plain,
    /// The address can't be taken.
    #[error("can't listen: {}", .0.kind())]
    Listen(std::io::Error),
    /// Certificate or key can't be read.
    #[error("the certificate or its key can't be used: {}", .0.kind())]
    Certificate(std::io::Error),
}

/// A desk that takes connections.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// Where it listens; the port is the real one.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the shutdown is complete.
    ///
    /// # Errors
    /// When serving failed.
    pub async fn finished(self) -> std::io::Result<()> {
        self.task.await.map_err(std::io::Error::other)?
    }
}

/// Serves until `shutdown` is ready.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(
    console: Console,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Running, ServeError> {
    let listen = console.config().listen;
    if !listen.ip().is_loopback() && !console.is_secure() {
        return Err(ServeError::Plain);
    }
    let listener = std::net::TcpListener::bind(listen).map_err(ServeError::Listen)?;
    listener.set_nonblocking(true).map_err(ServeError::Listen)?;
    let address = listener.local_addr().map_err(ServeError::Listen)?;
    let service = pages::app(&console).into_make_service();
    let handle = Handle::new();
    let ending = handle.clone();
    let store = console.store().clone();
    tokio::spawn(async move {
        shutdown.await;
        ending.graceful_shutdown(Some(LAST_CALL));
    });
    let task = match &console.config().tls {
        None => {
            let server = axum_server::from_tcp(listener).map_err(ServeError::Listen)?.handle(handle);
            tokio::spawn(async move {
                let served = server.serve(service).await;
                store.close().await;
                served
            })
        }
        Some((certificate, key)) => {
            // One provider for the whole program; whoever came first has set the same.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let tls = RustlsConfig::from_pem_file(certificate, key).await.map_err(ServeError::Certificate)?;
            let server =
                axum_server::from_tcp_rustls(listener, tls).map_err(ServeError::Listen)?.handle(handle);
            tokio::spawn(async move {
                let served = server.serve(service).await;
                store.close().await;
                served
            })
        }
    };
    Ok(Running { address, task })
}

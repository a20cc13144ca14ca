use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::{Process, StartError};

/// Listens on an address, or says in one line which one was not to be had.
///
/// # Errors
/// When the address is taken, or is none of this machine's.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| StartError::new(format!("cannot listen on {address}"), error))
}

/// Serves `/livez`, `/readyz` and `/metrics` on a port of their own, for processes that serve nothing else.
/// Goes on through the drain, ends with the process.
pub async fn serve_health(listener: TcpListener, process: &Process) {
    if let Err(error) = axum::serve(listener, process.health.router()).await {
        tracing::error!(%error, "health endpoints ended");
    }
}

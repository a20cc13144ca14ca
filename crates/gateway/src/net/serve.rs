use std::{io, sync::Arc, time::Duration};

use axum::{Router, body::Body, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;
use tracing::{debug, warn};

use super::{Connection, Transports, io::Io, messages::Frames};
use crate::metrics::GatewayMetrics;

/// How long a connection may wait for its next request. Google's load balancer keeps idle ones for 600 s,
/// and takes a backend that closes them earlier for a failing one.
const IDLE_DEADLINE: Duration = Duration::from_secs(620);
/// The pause after the machine had no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections and serves HTTP/1.1 on them, until it is stopped.
pub(crate) struct Server {
    pub(crate) listener: TcpListener,
    pub(crate) router: Router,
    pub(crate) transports: Arc<Transports>,
    pub(crate) metrics: GatewayMetrics,
    pub(crate) max_connections: u32,
    /// Ends the accepting, and every connection after the response that it is at.
    pub(crate) leave: CancellationToken,
    /// Ends everything at once.
    pub(crate) abort: CancellationToken,
    /// Counts what is open.
    pub(crate) open: TaskTracker,
}

impl Server {
    /// Accepts until `leave`. Connections go on by themselves.
    pub(crate) async fn run(self) {
        let permits = Arc::new(Semaphore::new(self.max_connections as usize));
        while let Some(accepted) = self.leave.run_until_cancelled(self.listener.accept()).await {
            match accepted {
                Ok((stream, peer)) => {
                    let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
                        self.metrics.connections_refused.inc();
                        continue;
                    };
                    self.metrics.connections.inc();
                    let connection = Arc::new(Connection::new(peer));
                    let io = Io {
                        stream: without_delay(stream),
                        frames: Frames::default(),
                        connection: Arc::clone(&connection),
                        transports: Arc::clone(&self.transports),
                        open: self.metrics.connections.clone(),
                        _permit: permit,
                        _tracked: self.open.token(),
                    };
                    tokio::spawn(serve_connection(io, connection, self.router.clone(), self.leave.clone(), self.abort.clone()));
                }
                Err(error) if is_about_one_connection(&error) => debug!(%error, "a connection was gone before it was accepted"),
                Err(error) => {
                    warn!(%error, "cannot accept connections");
                    // Ends early when it is time to leave; either way the loop looks again.
                    let _ = timeout(ACCEPT_PAUSE, self.leave.cancelled()).await;
                }
            }
        }
    }
}

async fn serve_connection(io: Io, connection: Arc<Connection>, router: Router, leave: CancellationToken, abort: CancellationToken) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Arc::clone(&connection));
        router.clone().oneshot(request.map(Body::new))
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_DEADLINE)
        .serve_connection(TokioIo::new(io), service)
        .with_upgrades();
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = leave.cancelled() => {
            serving.as_mut().graceful_shutdown();
            tokio::select! {
                ended = serving => ended,
                () = abort.cancelled() => Ok(()),
            }
        }
    };
    if let Err(error) = ended {
        debug!(%error, "connection ended");
    }
}

fn without_delay(stream: TcpStream) -> TcpStream {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "cannot set TCP_NODELAY");
    }
    stream
}

fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

//! One port for gRPC and REST.

use crate::{broker::Broker, clock::Clock, grpc, rest, settings::EmulatorSettings};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, ToSocketAddrs},
    task::JoinHandle,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{
    service::Routes,
    transport::{Server, server::TcpIncoming},
};

/// How long open connections get to close by themselves on shutdown. Streams are ended at once.
const CLOSING: Duration = Duration::from_millis(500);

/// A client that does not answer a ping is gone, and its streams with it.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// An emulator that is not listening yet.
#[derive(Debug, Clone)]
pub struct Emulator {
    memory_bytes: usize,
    clock: Clock,
}

impl Emulator {
    /// With the memory limit of `settings`.
    #[must_use]
    pub fn new(settings: &EmulatorSettings) -> Self {
        Self { memory_bytes: settings.memory_bytes(), clock: Clock::new() }
    }

    /// With another limit for all retained messages together.
    #[must_use]
    pub fn with_memory_bytes(self, memory_bytes: usize) -> Self {
        Self { memory_bytes, ..self }
    }

    /// With a clock that the caller can put forward.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Binds an address; port 0 lets the system choose one, see [`Bound::local_addr`].
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(self, address: impl ToSocketAddrs) -> io::Result<Bound> {
        self.listen_on(TcpListener::bind(address).await?)
    }

    /// Uses a listener that the caller has bound.
    ///
    /// # Errors
    /// When the listener does not know its address.
    pub fn listen_on(self, listener: TcpListener) -> io::Result<Bound> {
        let local_addr = listener.local_addr()?;
        Ok(Bound { broker: Arc::new(Broker::new(self.memory_bytes, self.clock)), listener, local_addr })
    }
}

impl Default for Emulator {
    /// With [`EmulatorSettings::default`].
    fn default() -> Self {
        Self::new(&EmulatorSettings::default())
    }
}

/// An emulator with a port. Connections wait until it serves.
#[derive(Debug)]
pub struct Bound {
    broker: Arc<Broker>,
    listener: TcpListener,
    local_addr: SocketAddr,
}

impl Bound {
    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` completes. Then streams end with `UNAVAILABLE`, and open connections get half a second.
    ///
    /// Dropping the future stops the emulator too.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), tonic::transport::Error> {
        let stopping = self.broker.shutdown.clone();
        // Also when this future is dropped.
        let _guard = stopping.clone().drop_guard();
        self.broker.keep_clean();
        let routes = grpc::add_to(Routes::from(rest::router(&self.broker)), &self.broker);
        let server = Server::builder()
            .accept_http1(true)
            .http2_keepalive_interval(Some(PING_INTERVAL))
            .http2_keepalive_timeout(Some(PING_TIMEOUT))
            .add_routes(routes)
            .serve_with_incoming_shutdown(TcpIncoming::from(self.listener).with_nodelay(Some(true)), stopping.clone().cancelled_owned());
        let close = async {
            shutdown.await;
            stopping.cancel();
            tokio::time::sleep(CLOSING).await;
        };
        tokio::select! {
            result = server => result,
            () = close => Ok(()),
        }
    }

    /// Serves in a task of its own, inside another process.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    #[must_use = "the emulator stops when this is dropped"]
    pub fn spawn(self) -> Running {
        let local_addr = self.local_addr;
        let stop = CancellationToken::new();
        let task = tokio::spawn(self.serve(stop.clone().cancelled_owned()));
        Running { local_addr, stop: stop.drop_guard(), task }
    }
}

/// An emulator at work in this process. It stops when this is dropped.
#[derive(Debug)]
pub struct Running {
    local_addr: SocketAddr,
    stop: DropGuard,
    task: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What goes into `PUBSUB_EMULATOR_HOST`.
    #[must_use]
    pub fn host(&self) -> String {
        self.local_addr.to_string()
    }

    /// Stops it, and returns when its port is free.
    pub async fn stop(self) {
        drop(self.stop);
        // An error has nobody left to interest.
        let _ = self.task.await;
    }
}

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use socketioxide::{TransportType, extract::SocketRef};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    allowance::Allowance,
    identity::Caller,
    metrics::GatewayMetrics,
    net::{Connection, Link},
    relay::Told,
};

/// A connected socket, beside what socket.io knows of it.
pub(crate) struct Client {
    caller: Mutex<Arc<Caller>>,
    pub(crate) allowance: Arc<Allowance>,
    pub(crate) told: Told,
    link: Link,
    connection: OnceLock<Arc<Connection>>,
    closed: AtomicBool,
    turned_away: AtomicBool,
    /// Requests that are not answered yet.
    pending: AtomicUsize,
    /// Ends the client's stay when its token has ended.
    pub(super) expiry: OnceLock<AbortOnDropHandle<()>>,
    metrics: GatewayMetrics,
}

/// One request that is not answered yet.
pub(crate) struct Pending(Arc<Client>);

impl Client {
    pub(crate) fn new(caller: Caller, allowance: Arc<Allowance>, link: Link, metrics: GatewayMetrics) -> Self {
        metrics.sockets.inc();
        Self {
            caller: Mutex::new(Arc::new(caller)),
            allowance,
            told: Told::nothing(),
            link,
            connection: OnceLock::new(),
            closed: AtomicBool::new(false),
            turned_away: AtomicBool::new(false),
            pending: AtomicUsize::new(0),
            expiry: OnceLock::new(),
            metrics,
        }
    }

    /// Who it is, by its last token.
    pub(crate) fn caller(&self) -> Arc<Caller> {
        Arc::clone(&self.lock_caller())
    }

    /// Gives it the rights of a new token.
    pub(super) fn become_caller(&self, caller: Caller) {
        *self.lock_caller() = Arc::new(caller);
    }

    /// Closes it because its token has ended.
    pub(super) fn expire(&self) {
        if self.close() {
            self.metrics.expired_clients_closed.inc();
        }
    }

    fn lock_caller(&self) -> MutexGuard<'_, Arc<Caller>> {
        self.caller.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the transport, so that the client comes back by itself. Tells whether it was open until now.
    pub(crate) fn close(&self) -> bool {
        self.link.close();
        !self.closed.swap(true, Ordering::AcqRel)
    }

    /// It was refused something because this gateway is leaving.
    pub(super) fn turn_away(&self) {
        self.turned_away.store(true, Ordering::Release);
    }

    /// Whether another gateway would be of more use to it.
    pub(crate) fn is_turned_away(&self) -> bool {
        self.turned_away.load(Ordering::Acquire)
    }

    /// The connection that everything goes through; none while the client polls.
    pub(crate) fn connection(&self, socket: &SocketRef) -> Option<Arc<Connection>> {
        if let Some(connection) = self.connection.get() {
            return Some(Arc::clone(connection));
        }
        // Only once the upgrade is complete: before that, polling requests still carry what was queued.
        if socket.transport_type() != TransportType::Websocket {
            return None;
        }
        let connection = self.link.connection()?;
        Some(Arc::clone(self.connection.get_or_init(|| connection)))
    }

    /// Whether answers are due.
    pub(crate) fn is_busy(&self) -> bool {
        self.pending.load(Ordering::Acquire) > 0
    }

    /// An answer is due until the result is dropped.
    pub(crate) fn pending(self: &Arc<Self>) -> Pending {
        self.pending.fetch_add(1, Ordering::AcqRel);
        Pending(Arc::clone(self))
    }
}

impl Pending {
    pub(super) fn client(&self) -> &Client {
        &self.0
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.metrics.sockets.dec();
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.pending.fetch_sub(1, Ordering::AcqRel);
    }
}

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use shared::{Timestamp, WireError};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    allowance::Allowance,
    history::Since,
    identity::Caller,
    metrics::GatewayMetrics,
    net::{Link, Outbound},
    relay::Told,
};

/// A connected socket, beside what socket.io knows of it.
pub(crate) struct Client {
    caller: Mutex<Arc<Caller>>,
    pub(crate) allowance: Arc<Allowance>,
    pub(crate) told: Told,
    /// When it connected, by Pub/Sub's clock and a little less.
    connected_at: Timestamp,
    link: Link,
    closed: AtomicBool,
    /// Requests that are not answered yet.
    pending: AtomicUsize,
    /// Ends the client's stay when its token has ended.
    pub(super) expiry: OnceLock<AbortOnDropHandle<()>>,
    metrics: GatewayMetrics,
}

/// One request that is not answered yet.
pub(crate) struct Pending(Arc<Client>);

impl Client {
    pub(crate) fn new(caller: Caller, allowance: Arc<Allowance>, connected_at: Timestamp, link: Link, metrics: GatewayMetrics) -> Self {
        metrics.sockets.inc();
        Self {
            caller: Mutex::new(Arc::new(caller)),
            allowance,
            told: Told::nothing(),
            connected_at,
            link,
            closed: AtomicBool::new(false),
            pending: AtomicUsize::new(0),
            expiry: OnceLock::new(),
            metrics,
        }
    }

    /// Who it is, by its last token.
    pub(crate) fn caller(&self) -> Arc<Caller> {
        Arc::clone(&self.lock_caller())
    }

    /// Whether an event could be known before this client came, so that it was told elsewhere or asks.
    pub(crate) fn came_after(&self, since: Since) -> bool {
        match since {
            Since::Now => false,
            Since::Published(at) => at < self.connected_at,
            Since::Before => true,
        }
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

    /// A request of its was refused.
    pub(super) fn refused(&self, error: &WireError) {
        self.metrics.refused(error.code.clone());
    }

    fn lock_caller(&self) -> MutexGuard<'_, Arc<Caller>> {
        self.caller.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the transport, so that the client comes back by itself. Tells whether it was open until now.
    pub(crate) fn close(&self) -> bool {
        self.link.close();
        !self.closed.swap(true, Ordering::AcqRel)
    }

    /// What waits for it.
    pub(crate) fn outbound(&self) -> &Outbound {
        self.link.outbound()
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

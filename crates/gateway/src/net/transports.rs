use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::response::Response;
use hyper::body::Body;
use socketioxide::socket::Sid;
use tokio_util::sync::CancellationToken;

use super::{Connection, Outbound};

/// Which connections belong to sessions that began with HTTP polling: they have many, or have moved to one.
#[derive(Debug, Default)]
pub(crate) struct Transports {
    polling: Mutex<HashMap<Sid, Arc<Poller>>>,
    upgraded: Mutex<HashMap<Sid, Arc<Connection>>>,
}

/// A session whose client asks for what waits for it, one request after the other.
#[derive(Debug, Default)]
pub(crate) struct Poller {
    closed: CancellationToken,
    outbound: Arc<Outbound>,
}

/// What a socket hangs on.
#[derive(Debug)]
pub(crate) enum Link {
    /// It began as a websocket.
    Websocket(Arc<Connection>),
    /// It began with polling.
    Polling { sid: Sid, poller: Arc<Poller>, transports: Arc<Transports> },
}

impl Transports {
    /// A session began with polling.
    pub(crate) fn polling(self: &Arc<Self>, sid: Sid) -> Link {
        let poller = Arc::<Poller>::default();
        lock(&self.polling).insert(sid, Arc::clone(&poller));
        Link::Polling { sid, poller, transports: Arc::clone(self) }
    }

    /// The polling session of this id, for its requests.
    pub(crate) fn poller(&self, sid: Sid) -> Option<Arc<Poller>> {
        lock(&self.polling).get(&sid).cloned()
    }

    /// A connection asks to take a polling session over.
    pub(crate) fn upgrade(&self, sid: Sid, connection: &Arc<Connection>) {
        if connection.upgraded.set(sid).is_ok() {
            lock(&self.upgraded).insert(sid, Arc::clone(connection));
        }
    }

    pub(super) fn connection_gone(&self, connection: &Arc<Connection>) {
        let Some(sid) = connection.upgraded.get() else { return };
        let mut upgraded = lock(&self.upgraded);
        if upgraded.get(sid).is_some_and(|current| Arc::ptr_eq(current, connection)) {
            upgraded.remove(sid);
        }
    }
}

impl Poller {
    /// Waits for what a request is answered with; none if the session is closed before.
    pub(crate) async fn answer(&self, answer: impl Future<Output = Response>) -> Option<Response> {
        let answer = self.closed.run_until_cancelled(answer).await?;
        self.outbound.left(answer.size_hint().exact().and_then(|bytes| bytes.try_into().ok()).unwrap_or_default());
        Some(answer)
    }
}

impl Link {
    /// Closes the transport, so that the client comes back by itself.
    pub(crate) fn close(&self) {
        match self {
            Self::Websocket(connection) => connection.close(),
            Self::Polling { poller, .. } => {
                poller.closed.cancel();
                if let Some(connection) = self.connection() {
                    connection.close();
                }
            }
        }
    }

    /// What waits for the client's next request.
    pub(crate) fn polled(&self) -> Arc<Outbound> {
        match self {
            Self::Websocket(connection) => Arc::clone(&connection.outbound),
            Self::Polling { poller, .. } => Arc::clone(&poller.outbound),
        }
    }

    /// The one connection that everything goes through, if there is one.
    pub(crate) fn connection(&self) -> Option<Arc<Connection>> {
        match self {
            Self::Websocket(connection) => Some(Arc::clone(connection)),
            Self::Polling { sid, transports, .. } => lock(&transports.upgraded).get(sid).cloned(),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Self::Polling { sid, transports, .. } = self {
            lock(&transports.polling).remove(sid);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

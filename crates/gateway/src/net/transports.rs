use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use socketioxide::socket::Sid;
use tokio_util::sync::CancellationToken;

use super::Connection;

/// Which connections belong to sessions that began with HTTP polling: they have many, or have moved to one.
#[derive(Debug, Default)]
pub(crate) struct Transports {
    polling: Mutex<HashMap<Sid, CancellationToken>>,
    upgraded: Mutex<HashMap<Sid, Arc<Connection>>>,
}

/// What a socket hangs on.
#[derive(Debug)]
pub(crate) enum Link {
    /// It began as a websocket.
    Websocket(Arc<Connection>),
    /// It began with polling.
    Polling { sid: Sid, closed: CancellationToken, transports: Arc<Transports> },
}

impl Transports {
    /// A session began with polling.
    pub(crate) fn polling(self: &Arc<Self>, sid: Sid) -> Link {
        let closed = CancellationToken::new();
        lock(&self.polling).insert(sid, closed.clone());
        Link::Polling { sid, closed, transports: Arc::clone(self) }
    }

    /// What tells the requests of a polling session that it is closed.
    pub(crate) fn closing_of(&self, sid: Sid) -> Option<CancellationToken> {
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

impl Link {
    /// Closes the transport, so that the client comes back by itself.
    pub(crate) fn close(&self) {
        match self {
            Self::Websocket(connection) => connection.close(),
            Self::Polling { closed, .. } => {
                closed.cancel();
                if let Some(connection) = self.connection() {
                    connection.close();
                }
            }
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

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{body::to_bytes, response::Response};
use socketioxide::socket::Sid;
use tokio_util::sync::CancellationToken;

use super::{Connection, Outbound, messages};

/// Which connections belong to sessions that began with HTTP polling: they have many, or have moved to one.
#[derive(Debug, Default)]
pub(crate) struct Transports {
    polling: Mutex<HashMap<Sid, Arc<Poller>>>,
    upgraded: Mutex<HashMap<Sid, Arc<Connection>>>,
}

/// A session whose client asks for what waits for it, one request after the other.
#[derive(Debug)]
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
        let mut polling = lock(&self.polling);
        // Stock clients ask for the move and for entry at the same time: whoever is second shares what waits with the first.
        let outbound = lock(&self.upgraded).get(&sid).map(|connection| Arc::clone(connection.outbound())).unwrap_or_default();
        let poller = Arc::new(Poller { closed: CancellationToken::new(), outbound });
        polling.insert(sid, Arc::clone(&poller));
        Link::Polling { sid, poller, transports: Arc::clone(self) }
    }

    /// The polling session of this id, for its requests.
    pub(crate) fn poller(&self, sid: Sid) -> Option<Arc<Poller>> {
        lock(&self.polling).get(&sid).cloned()
    }

    /// A connection asks to take a polling session over.
    pub(crate) fn upgrade(&self, sid: Sid, connection: &Arc<Connection>) {
        if connection.upgraded.set(sid).is_ok() {
            let polling = lock(&self.polling);
            if let Some(poller) = polling.get(&sid) {
                // It carries nothing yet, so this is what it has from now on.
                let _ = connection.outbound.set(Arc::clone(&poller.outbound));
            }
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
        let (head, body) = self.closed.run_until_cancelled(answer).await?.into_parts();
        // It is all here already.
        let body = to_bytes(body, usize::MAX).await.ok()?;
        self.outbound.left(messages::polled(&body));
        Some(Response::from_parts(head, body.into()))
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

    /// What waits for the client, whatever it will leave by.
    pub(crate) fn outbound(&self) -> &Outbound {
        match self {
            Self::Websocket(connection) => connection.outbound(),
            Self::Polling { poller, .. } => &poller.outbound,
        }
    }

    /// The one connection that everything goes through, if there is one.
    fn connection(&self) -> Option<Arc<Connection>> {
        match self {
            Self::Websocket(connection) => Some(Arc::clone(connection)),
            Self::Polling { sid, transports, .. } => lock(&transports.upgraded).get(sid).cloned(),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Self::Polling { sid, poller, transports } = self {
            let mut polling = lock(&transports.polling);
            // A client may have left the namespace and come in again by the same session.
            if polling.get(sid).is_some_and(|current| Arc::ptr_eq(current, poller)) {
                polling.remove(sid);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Arc<Connection> {
        Arc::new(Connection::new(([127, 0, 0, 1], 80).into()))
    }

    #[test]
    fn what_waits_is_the_same_before_and_after_the_move_whichever_was_asked_for_first() {
        let transports = Arc::<Transports>::default();
        for enters_first in [true, false] {
            let (sid, connection) = (Sid::new(), connection());
            let link = if enters_first {
                let link = transports.polling(sid);
                transports.upgrade(sid, &connection);
                link
            } else {
                transports.upgrade(sid, &connection);
                transports.polling(sid)
            };
            assert!(std::ptr::eq(link.outbound(), &**connection.outbound()));
        }
    }

    #[test]
    fn a_client_that_leaves_the_namespace_and_comes_in_again_is_still_found() {
        let transports = Arc::<Transports>::default();
        let sid = Sid::new();
        let first = transports.polling(sid);
        let second = transports.polling(sid);
        drop(first);
        assert!(transports.poller(sid).is_some());
        drop(second);
        assert!(transports.poller(sid).is_none());
    }
}

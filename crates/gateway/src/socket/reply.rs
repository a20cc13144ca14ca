use std::sync::Arc;

use serde::{Serialize, Serializer, ser::SerializeMap};
use shared::WireError;
use socketioxide::{
    SendError, SocketError,
    adapter::LocalAdapter,
    extract::{AckSender, SocketRef},
    socket::Socket,
};
use tracing::debug;

use super::{Client, client::Pending};

/// Answers one client event, if the client asked for an answer.
pub(super) struct Reply {
    ack: AckSender,
    pub(super) socket: SocketRef,
    pending: Pending,
}

/// `{ ok: true, ... }` or `{ ok: false, error }`.
pub(super) struct Answer<'a, T>(pub(super) &'a Result<T, WireError>);

impl Reply {
    pub(super) fn new(ack: AckSender, socket: Arc<Socket<LocalAdapter>>, client: &Arc<Client>) -> Self {
        Self { ack, socket: socket.into(), pending: client.pending() }
    }

    /// Sends `{ ok: true }` with the fields of `T`, or `{ ok: false, error }`.
    pub(super) fn answer<T: Serialize>(self, result: &Result<T, WireError>) {
        self.send(&Answer(result));
    }

    /// Sends anything. A client that has no room for an answer is closed: it will ask again when it is back.
    pub(super) fn send(self, answer: &impl Serialize) {
        match self.ack.send(answer) {
            Ok(()) | Err(SendError::Socket(SocketError::Closed)) => {}
            Err(SendError::Socket(SocketError::InternalChannelFull)) => {
                self.pending.client().close();
            }
            Err(SendError::Serialize(error)) => debug!(%error, "an answer cannot be written for socket.io"),
        }
    }
}

impl<T: Serialize> Serialize for Answer<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Accepted<'a, T> {
            ok: bool,
            #[serde(flatten)]
            fields: &'a T,
        }

        match self.0 {
            Ok(fields) => Accepted { ok: true, fields }.serialize(serializer),
            Err(error) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("ok", &false)?;
                map.serialize_entry("error", error)?;
                map.end()
            }
        }
    }
}

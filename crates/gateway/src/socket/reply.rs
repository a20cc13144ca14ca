use std::sync::Arc;

use serde::{Serialize, Serializer, ser::SerializeMap};
use shared::WireError;
use socketioxide::{
    adapter::LocalAdapter,
    extract::{AckSender, SocketRef},
    socket::Socket,
};

use super::{Client, client::Pending};
use crate::relay::{Courier, Urgency};

/// Answers one client event, if the client asked for an answer.
pub(super) struct Reply {
    ack: Option<AckSender>,
    pub(super) socket: SocketRef,
    pending: Pending,
    courier: Arc<Courier>,
}

/// About what an answer takes around the data in it.
const ENVELOPE: usize = 250;

/// An answer that says no more than `{ ok: true }`.
#[derive(Serialize)]
pub(super) struct Done {}

/// `{ ok: true, ... }` or `{ ok: false, error }`.
struct Answer<'a, T>(&'a Result<T, WireError>);

impl Reply {
    pub(super) fn new(ack: Option<AckSender>, socket: Arc<Socket<LocalAdapter>>, client: &Arc<Client>, courier: &Arc<Courier>) -> Self {
        Self { ack, socket: socket.into(), pending: client.pending(), courier: Arc::clone(courier) }
    }

    /// Sends `{ ok: true }` with the fields of `T`, or `{ ok: false, error }`.
    pub(super) fn answer<T: Serialize>(self, result: &Result<T, WireError>) {
        self.answer_with(result, 0);
    }

    /// The same with about `weight` bytes of data in it.
    pub(super) fn answer_with<T: Serialize>(self, result: &Result<T, WireError>, weight: usize) {
        if let Err(refusal) = result {
            self.pending.client().refused(refusal);
        }
        self.send(&Answer(result), ENVELOPE + weight);
    }

    /// Sends anything of about `weight` bytes. A client that has no room for an answer is closed: it will ask again when it is back.
    pub(super) fn send(self, answer: &impl Serialize, weight: usize) {
        let Self { ack, pending, courier, .. } = self;
        let Some(ack) = ack else { return };
        courier.deliver(pending.client(), Urgency::Durable, weight, || ack.send(answer));
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

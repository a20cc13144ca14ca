use std::sync::{Arc, OnceLock};

use shared::Audience;
use socketioxide::{SendError, SocketError, SocketIo, extract::SocketRef};
use tracing::debug;

use super::wire::{Packet, Urgency};
use crate::{metrics::GatewayMetrics, socket::Client};

/// How much may wait for a client that is sent something perishable, in bytes: one that is further behind would see it too late,
/// and the rest of its room is for results. Some 2,000 of the smallest messages, a quarter of those that may wait.
const MAX_PERISHABLE: usize = 256 << 10;

/// Sends to the sockets of this gateway. Never waits: a client that is too slow loses what is perishable,
/// and is closed before it could lose anything else.
pub(crate) struct Courier {
    io: OnceLock<SocketIo>,
    metrics: GatewayMetrics,
    max_outbound: usize,
}

impl Courier {
    pub(crate) fn new(metrics: GatewayMetrics, max_outbound: usize) -> Self {
        Self { io: OnceLock::new(), metrics, max_outbound }
    }

    /// Gives it the sockets. Until then there are none.
    pub(crate) fn serve(&self, io: SocketIo) {
        // Only the one who builds the gateway calls this, once.
        let _ = self.io.set(io);
    }

    /// All connected sockets.
    pub(crate) fn sockets(&self) -> Vec<SocketRef> {
        self.io.get().map(SocketIo::sockets).unwrap_or_default()
    }

    /// The sockets of this audience.
    pub(crate) fn audience(&self, audience: &Audience) -> Vec<SocketRef> {
        self.io.get().map(|io| io.within(audience.to_string()).sockets()).unwrap_or_default()
    }

    /// Sends to all of them.
    pub(crate) fn send_all(&self, sockets: &[SocketRef], packet: &Packet) {
        for socket in sockets {
            self.send(socket, packet);
        }
    }

    /// Sends to one, unless it tells of a job what this socket was told already, or what is too old for it, see [`Since`](super::Since).
    pub(crate) fn send(&self, socket: &SocketRef, packet: &Packet) {
        let Some(client) = socket.extensions.get::<Arc<Client>>() else { return };
        let send = || self.deliver(&client, packet.urgency, packet.weight, || socket.emit(packet.event, packet));
        match packet.news {
            Some(news) => client.told.tell(news, client.came_after(packet.since), send),
            None => {
                send();
            }
        }
    }

    /// Does `send`, which queues about `weight` bytes, unless the client is too far behind. Tells whether it did.
    pub(crate) fn deliver(&self, client: &Client, urgency: Urgency, weight: usize, send: impl FnOnce() -> Result<(), SendError>) -> bool {
        let outbound = client.outbound();
        let room = match urgency {
            Urgency::Durable => self.max_outbound,
            Urgency::Perishable => self.max_outbound.min(MAX_PERISHABLE),
        };
        let has_room = outbound.bytes() <= room;
        let sent = if has_room { outbound.queue(weight, send) } else { Err(SendError::Socket(SocketError::InternalChannelFull)) };
        match &sent {
            Ok(()) => {}
            Err(SendError::Socket(SocketError::InternalChannelFull)) => self.too_slow(client, urgency),
            Err(SendError::Socket(SocketError::Closed)) => {}
            Err(SendError::Serialize(error)) => debug!(%error, "a message cannot be written for socket.io"),
        }
        sent.is_ok()
    }

    fn too_slow(&self, client: &Client, urgency: Urgency) {
        self.metrics.messages_dropped.inc();
        if urgency == Urgency::Durable && client.close() {
            self.metrics.slow_clients_closed.inc();
            debug!(session = ?client.caller().session, "closed a client that was too slow for a result");
        }
    }
}

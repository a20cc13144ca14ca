use std::sync::{Arc, Mutex, PoisonError};

use shared::Notification;
use tokio::task::yield_now;
use tracing::warn;

use super::{
    courier::Courier,
    recent::Recent,
    wire::{Packet, Urgency},
};
use crate::metrics::GatewayMetrics;

/// How many notifications are remembered: minutes of redeliveries at hundreds a second.
const REMEMBERED: usize = 16_384;
/// How many sockets are served in one go before others get their turn.
const BATCH: usize = 256;

/// Passes notifications on to this gateway's sockets: each once, by whichever way it comes first.
pub(crate) struct Announcer {
    courier: Arc<Courier>,
    seen: Mutex<Recent<String, ()>>,
    metrics: GatewayMetrics,
}

impl Announcer {
    pub(crate) fn new(courier: Arc<Courier>, metrics: GatewayMetrics) -> Self {
        Self { courier, seen: Mutex::new(Recent::new(REMEMBERED)), metrics }
    }

    /// Sends it to its audience, unless it was here before.
    pub(crate) async fn announce(&self, notification: &Notification, urgency: Urgency) {
        if !self.is_new(&notification.id) {
            return;
        }
        self.metrics.notifications.inc();
        match Packet::of_notification(notification, urgency) {
            Ok(packet) => {
                for sockets in self.courier.audience(&notification.audience).chunks(BATCH) {
                    self.courier.send_all(sockets, &packet);
                    yield_now().await;
                }
            }
            Err(error) => warn!(id = notification.id, %error, "a notification's data cannot be written for socket.io"),
        }
    }

    /// Never sends the one of this id, should it come again.
    pub(super) fn leave_out(&self, id: &str) {
        self.is_new(id);
    }

    /// Whether it was not here before, as far as is remembered; from now on it was.
    fn is_new(&self, id: &str) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), ())
    }
}

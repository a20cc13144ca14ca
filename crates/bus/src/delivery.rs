use std::fmt;

use google_cloud_pubsub::{model::Message as ClientMessage, subscriber::handler::Handler};
use opentelemetry::Context;
use prometheus_client::metrics::counter::Counter;
use shared::Timestamp;

use crate::{Message, trace};

/// One message, delivered to this process for a while. Dropping it hands it back.
#[derive(Debug)]
pub struct Delivery {
    /// What was published.
    pub message: Message,
    /// The server's id for it, the same with every delivery.
    pub message_id: String,
    /// When the server accepted it.
    pub published_at: Timestamp,
    /// How often it was delivered, this time included: 1 and up.
    ///
    /// Counted only where dead letters have a place to go; elsewhere it is always 1.
    pub delivery_attempt: u32,
    /// The right to work on it, and the duty to say what became of it.
    pub lease: Lease,
}

/// The exclusive right to work on a delivery, extended in the background until it is settled.
///
/// It outlives the [`crate::Consumer`]'s pulling, but not its process: whoever is killed loses it when the last extension ends.
/// Dropping it hands the delivery back.
#[must_use = "dropping a lease hands the delivery back"]
pub struct Lease {
    handler: Option<Handler>,
    counters: Counters,
}

/// Where a lease counts what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Counters {
    pub(crate) acked: Counter,
    pub(crate) handed_back: Counter,
}

impl Delivery {
    pub(crate) fn new(message: ClientMessage, handler: Handler, counters: Counters) -> Self {
        let published_at = message.publish_time.and_then(|at| Timestamp::new(at.seconds(), at.nanos()).ok());
        Self {
            message: Message { attributes: message.attributes, body: message.data },
            message_id: message.message_id,
            published_at: published_at.unwrap_or_else(Timestamp::now),
            delivery_attempt: handler.delivery_attempt().and_then(|attempt| attempt.try_into().ok()).unwrap_or(1).max(1),
            lease: Lease { handler: Some(handler), counters },
        }
    }

    /// It is done with. The server learns of it within 100 ms, unless it is away: then the message comes again.
    pub fn ack(self) {
        self.lease.ack();
    }

    /// Hands it back, to be delivered again, here or elsewhere. Counts as a delivery, so only for what has not been started.
    pub fn nack(self) {
        self.lease.nack();
    }

    /// The publisher's trace context, to be the parent of the span that works on this.
    #[must_use]
    pub fn span_context(&self) -> Context {
        trace::extract(&self.message.attributes)
    }
}

impl Lease {
    /// See [`Delivery::ack`].
    pub fn ack(mut self) {
        if let Some(handler) = self.handler.take() {
            self.counters.acked.inc();
            handler.ack();
        }
    }

    /// See [`Delivery::nack`].
    pub fn nack(self) {
        drop(self);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(handler) = self.handler.take() {
            self.counters.handed_back.inc();
            handler.nack();
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("settled", &self.handler.is_none()).finish()
    }
}

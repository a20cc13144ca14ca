//! One stream, from its opening to its end.
//!
//! What the client library does, and what follows from it:
//!
//! - `next()` opens the stream when it is first polled, and starts all over if it is dropped before that is done.
//!   So one task awaits it and nothing else; it is given up only to end the stream.
//! - One response brings many messages, and `next()` yields them one by one without waiting. When it is pending, none is left inside;
//!   hence polling it *before* looking at the end signal means that nothing is forgotten in there. Forgotten messages would be neither
//!   handed back nor left to expire: their leases would be extended until the last other delivery is settled.
//! - `NackImmediately` hands back everything as soon as the stream is dropped, also what is being worked on, and later acks go nowhere.
//!   With `WaitForProcessing` leases are extended and acks sent after the drop too, until the last handler is gone.
//!   So it is the latter, and handing back what has not been started is up to us.
//! - The gRPC stream is closed by dropping it, not by the shutdown token. A nack that overtakes the closing is answered
//!   by a delivery into the closed stream.

use std::time::Duration;

use google_cloud_pubsub::{
    Error as RpcError,
    client::Subscriber,
    subscriber::{MessageStream, ShutdownBehavior, ShutdownToken},
};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::supervisor::Supervisor;
use crate::Delivery;

/// A stream that is no more.
pub(super) struct Ended {
    pub(super) why: Why,
    /// Whether it brought anything.
    pub(super) worked: bool,
    /// Deliveries that nobody was given, to be dropped when the server has noticed the end.
    unstarted: Vec<Delivery>,
    token: ShutdownToken,
}

pub(super) enum Why {
    /// It was told to.
    Told,
    /// It brought nothing for too long.
    Silent,
    /// The server, or the library, ended it without an error.
    Closed,
    /// The server will not have it.
    Failed(RpcError),
}

impl Supervisor {
    /// Streams until told to end, or until nothing came for so long that the connection may be dead.
    pub(super) async fn stream(&self, subscriber: &Subscriber, end: &CancellationToken) -> Ended {
        let mut stream = self.open(subscriber);
        let token = stream.shutdown_token();
        let mut unstarted = Vec::new();
        let mut worked = false;
        let why = loop {
            let item = tokio::select! {
                biased;
                item = stream.next() => item,
                () = end.cancelled() => break Why::Told,
                () = sleep(self.silence) => break Why::Silent,
            };
            let (message, handler) = match item {
                Some(Ok(received)) => received,
                Some(Err(error)) => break Why::Failed(error),
                None => break Why::Closed,
            };
            let delivery = Delivery::new(message, handler, self.counters.clone());
            worked = true;
            self.link.heard();
            self.metrics.received(&self.subscription, delivery.delivery_attempt > 1);
            if let Some(refused) = hand_over(&self.deliveries, delivery, end).await {
                unstarted.push(refused);
            }
        };
        drop(stream);
        Ended { why, worked, unstarted, token }
    }

    fn open(&self, subscriber: &Subscriber) -> MessageStream {
        subscriber
            .subscribe(self.subscription.path())
            .set_max_outstanding_messages(i64::from(self.options.max_messages.max(1)))
            .set_max_outstanding_bytes(i64::from(self.options.max_bytes))
            .set_max_lease(self.options.max_lease)
            .set_max_lease_extension(self.lease_extension)
            .set_shutdown_behavior(ShutdownBehavior::WaitForProcessing)
            .build()
    }
}

impl Ended {
    /// Hands back what was not started, then waits for the rest to be settled; at the latest when it can no longer be.
    pub(super) async fn settle(self, pause: Duration, at_most: Duration) {
        sleep(pause).await;
        drop(self.unstarted);
        // Out of time means that a handler was leaked or the server is gone for good; in both cases there is nothing left to wait for.
        let _ = timeout(at_most, self.token.shutdown()).await;
    }
}

/// Gives the delivery back if nobody takes it before the end.
async fn hand_over(deliveries: &mpsc::Sender<Delivery>, delivery: Delivery, end: &CancellationToken) -> Option<Delivery> {
    if end.is_cancelled() {
        return Some(delivery);
    }
    tokio::select! {
        biased;
        permit = deliveries.reserve() => match permit {
            Ok(permit) => {
                permit.send(delivery);
                None
            }
            Err(_) => Some(delivery),
        },
        () = end.cancelled() => Some(delivery),
    }
}

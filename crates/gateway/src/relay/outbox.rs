use std::{borrow::Cow, sync::Arc};

use bus::{Bus, Message};
use cache::{Cache, Published};
use shared::Notification;
use tokio::sync::{mpsc, oneshot};
use tracing::debug;

use super::{announcer::Announcer, wire::Urgency};

/// What clients say that may wait for Redis: most of a second of it at 5,000 messages a second.
const QUEUE: usize = 4_096;

/// Spreads what clients say in channels, in the order in which they say it: first to the members here, then by Redis to the
/// other gateways, or without it by Pub/Sub, which keeps no order.
pub(crate) struct Outbox(mpsc::Sender<Saying>);

/// How far something was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Redis,
    Pubsub,
    /// Neither way was open: the other gateways' members have not heard it.
    ThisGateway,
}

impl From<Reach> for Cow<'static, str> {
    fn from(reach: Reach) -> Self {
        match reach {
            Reach::Redis => "redis",
            Reach::Pubsub => "pubsub",
            Reach::ThisGateway => "this_gateway",
        }
        .into()
    }
}

/// There is more to say than can be said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

struct Saying {
    notification: Notification,
    heard: oneshot::Sender<Reach>,
}

impl Outbox {
    /// Begins to send, until it is dropped.
    pub(crate) fn start(announcer: Arc<Announcer>, cache: Cache, bus: Bus) -> Self {
        let (sayings, mut queue) = mpsc::channel::<Saying>(QUEUE);
        tokio::spawn(async move {
            while let Some(Saying { notification, heard }) = queue.recv().await {
                announcer.announce(&notification, Urgency::Perishable).await;
                match cache.publish_notification(&notification).await {
                    Published::Redis => tell(heard, Reach::Redis),
                    Published::Unsettled => drop(tokio::spawn(publish(bus.clone(), notification, heard, Reach::Redis))),
                    Published::Unavailable => drop(tokio::spawn(publish(bus.clone(), notification, heard, Reach::ThisGateway))),
                }
            }
        });
        Self(sayings)
    }

    /// Takes its place in the queue at once; how far it was heard is known within Redis' and Pub/Sub's deadlines.
    pub(crate) fn say(&self, notification: Notification) -> Result<oneshot::Receiver<Reach>, Full> {
        let (heard, reach) = oneshot::channel();
        self.0.try_send(Saying { notification, heard }).map_err(|_| Full)?;
        Ok(reach)
    }
}

/// `otherwise` is how far it was heard if Pub/Sub does not take it.
async fn publish(bus: Bus, notification: Notification, heard: oneshot::Sender<Reach>, otherwise: Reach) {
    let message = Message::from(notification.to_message());
    let reach = match bus.publish(&bus.names().events(), message).await {
        Ok(_) => Reach::Pubsub,
        Err(error) => {
            debug!(id = notification.id, %error, "cannot publish a channel's message");
            otherwise
        }
    };
    tell(heard, reach);
}

fn tell(heard: oneshot::Sender<Reach>, reach: Reach) {
    // Nobody waits for it when the client is gone.
    let _ = heard.send(reach);
}

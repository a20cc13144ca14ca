use std::{borrow::Cow, sync::Arc, time::Duration};

use bus::{Bus, Message};
use cache::{Cache, Published};
use shared::Notification;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tracing::debug;

use super::{announcer::Announcer, wire::Urgency};

/// What clients say that may wait for Redis: most of a second of it at 5,000 messages a second.
const QUEUE: usize = 4_096;
/// How much is said to Redis in one go: what was said while it was answering, but no more than this.
const BATCH: usize = 32;

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
    at: Instant,
    heard: oneshot::Sender<Reach>,
}

/// When Redis has kept everybody waiting, the last time that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct HoldUp {
    from: Instant,
    to: Instant,
}

impl HoldUp {
    /// How long somebody was held up who has been waiting since then.
    fn of(self, since: Instant) -> Duration {
        self.to.saturating_duration_since(since.max(self.from))
    }

    /// A short one does not make forget a long one, as long as there is somebody who was in that.
    fn note(&mut self, latest: Self, oldest: Instant) {
        if self.of(oldest).is_zero() || latest.to - latest.from >= self.to - self.from {
            *self = latest;
        }
    }
}

impl Outbox {
    /// Begins to send, until it is dropped.
    pub(crate) fn start(announcer: Arc<Announcer>, cache: Cache, bus: Bus) -> Self {
        let (sayings, mut queue) = mpsc::channel::<Saying>(QUEUE);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(BATCH);
            let mut hold_up = HoldUp { from: Instant::now(), to: Instant::now() };
            while queue.recv_many(&mut batch, BATCH).await > 0 {
                let Some(oldest) = batch.first().map(|saying| saying.at) else { continue };
                for Saying { notification, .. } in &batch {
                    announcer.announce(notification, Urgency::Perishable).await;
                }
                let notifications: Vec<_> = batch.iter().map(|saying| &saying.notification).collect();
                let asked = Instant::now();
                let published = cache.publish_notifications(&notifications, hold_up.of(oldest)).await;
                hold_up.note(HoldUp { from: asked, to: Instant::now() }, oldest);
                for Saying { notification, heard, .. } in batch.drain(..) {
                    match published {
                        Published::Redis => tell(heard, Reach::Redis),
                        Published::Unsettled => drop(tokio::spawn(publish(bus.clone(), notification, heard, Reach::Redis))),
                        Published::Unavailable => drop(tokio::spawn(publish(bus.clone(), notification, heard, Reach::ThisGateway))),
                    }
                }
            }
        });
        Self(sayings)
    }

    /// Takes its place in the queue at once; how far it was heard is known within Redis' and Pub/Sub's deadlines.
    pub(crate) fn say(&self, notification: Notification) -> Result<oneshot::Receiver<Reach>, Full> {
        let (heard, reach) = oneshot::channel();
        self.0.try_send(Saying { notification, at: Instant::now(), heard }).map_err(|_| Full)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_held_up_twice_however_many_wait() {
        let begin = Instant::now();
        let at = |ms| begin + Duration::from_millis(ms);
        let mut hold_up = HoldUp { from: at(0), to: at(50) };
        assert_eq!(hold_up.of(at(10)), Duration::from_millis(40));
        // Redis is not asked for those who have waited; others of them are still in the queue.
        hold_up.note(HoldUp { from: at(50), to: at(51) }, at(10));
        assert_eq!(hold_up.of(at(20)), Duration::from_millis(30));
        // Whoever came later has not waited.
        assert_eq!(hold_up.of(at(60)), Duration::ZERO);
        hold_up.note(HoldUp { from: at(60), to: at(62) }, at(60));
        assert_eq!(hold_up, HoldUp { from: at(60), to: at(62) });
    }
}

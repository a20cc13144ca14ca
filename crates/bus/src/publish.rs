use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use google_cloud_pubsub::model::Message as ClientMessage;
use prometheus_client::metrics::gauge::Gauge;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout, timeout_at},
};
use tokio_util::task::TaskTracker;

use crate::{Message, PublishError, TopicName, ensure::Declared, link::Link, metrics::BusMetrics, trace};

/// Publishes within a deadline and a bound.
///
/// The client takes messages without limit and goes on sending after its future is dropped, so the bound counts messages
/// until the client is done with them, whether or not anybody still waits.
#[derive(Debug)]
pub(crate) struct PublishQueue {
    link: Arc<Link>,
    declared: Arc<Declared>,
    slots: Arc<Semaphore>,
    deadline: Duration,
    overdue: Overdue,
    metrics: BusMetrics,
    running: TaskTracker,
}

/// When a publish was given up since the last one was confirmed.
///
/// A busy machine is late now and then, and taking the link down for that would cost every stream its leases. But if what began
/// after a first one was given up is late as well, its connection is dead, whatever others say.
#[derive(Debug, Default)]
struct Overdue(Mutex<Option<Instant>>);

/// A place in the queue.
struct Slot {
    _permit: OwnedSemaphorePermit,
    in_flight: Gauge,
}

impl PublishQueue {
    pub(crate) fn new(link: Arc<Link>, declared: Arc<Declared>, slots: u32, deadline: Duration, metrics: BusMetrics) -> Self {
        let slots = Arc::new(Semaphore::new(slots as usize));
        Self { link, declared, slots, deadline, overdue: Overdue::default(), metrics, running: TaskTracker::new() }
    }

    pub(crate) async fn publish(self: &Arc<Self>, topic: &TopicName, mut message: Message) -> Result<String, PublishError> {
        let since = Instant::now();
        trace::inject(&mut message.attributes);
        let result = match message.check().and_then(|()| self.slot()) {
            Ok(slot) => {
                let (queue, topic) = (Arc::clone(self), topic.clone());
                let publish = self.running.spawn(async move {
                    let _slot = slot;
                    queue.send(&topic, message, since + queue.deadline).await
                });
                // A panic of the client; it took the message with it.
                publish.await.unwrap_or(Err(PublishError::Unavailable))
            }
            Err(refusal) => Err(refusal),
        };
        self.metrics.published(&result, since.elapsed());
        result
    }

    /// Waits until everything in flight is confirmed or given up; tells whether that happened within the budget.
    pub(crate) async fn flush(&self, budget: Duration) -> bool {
        self.running.close();
        let flushed = timeout(budget, self.running.wait()).await.is_ok();
        self.running.reopen();
        flushed
    }

    /// While the server is away, waiting for it would only use up the caller's time: the link looks for it.
    fn slot(&self) -> Result<Slot, PublishError> {
        if !self.link.is_up() {
            return Err(PublishError::Unavailable);
        }
        let permit = Arc::clone(&self.slots).try_acquire_owned().map_err(|_| PublishError::Full)?;
        let in_flight = self.metrics.in_flight().clone();
        in_flight.inc();
        Ok(Slot { _permit: permit, in_flight })
    }

    async fn send(&self, topic: &TopicName, message: Message, deadline: Instant) -> Result<String, PublishError> {
        let message = ClientMessage::new().set_data(message.body).set_attributes(message.attributes);
        let result = self.attempt(topic, message.clone(), deadline).await;
        if result == Err(PublishError::TopicMissing)
            && let Ok(true) = timeout_at(deadline, self.declared.restore_topic(topic)).await
        {
            return self.attempt(topic, message, deadline).await;
        }
        result
    }

    async fn attempt(&self, topic: &TopicName, message: ClientMessage, deadline: Instant) -> Result<String, PublishError> {
        let (clients, began) = (self.link.clients(), Instant::now());
        let confirmed = timeout_at(deadline, clients.publisher(topic).publish(message)).await;
        let result = confirmed.map_or(Err(PublishError::Deadline), |result| result.map_err(PublishError::from));
        match &result {
            Err(PublishError::Deadline) if self.overdue.is_first(began) => self.link.suspect(),
            Err(error) if error.is_outage() => self.link.lost(&clients),
            _ => {
                self.overdue.clear();
                self.link.heard();
            }
        }
        result
    }
}

impl Overdue {
    /// Whether a publish that began then, and is given up now, began before any other one was.
    fn is_first(&self, began: Instant) -> bool {
        began <= *self.lock().get_or_insert_with(Instant::now)
    }

    fn clear(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.in_flight.dec();
    }
}

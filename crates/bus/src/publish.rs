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

use crate::{Message, PublishError, TopicName, clients::Clients, ensure::Declared, link::Link, metrics::BusMetrics, trace};

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
    overdue: Overdue<Clients>,
    metrics: BusMetrics,
    running: TaskTracker,
}

/// When a publish was given up since the last one was confirmed.
///
/// A busy machine is late now and then, and taking the link down for that would cost every stream its leases. But if what began
/// after a first one was given up is late as well, on the same clients, then their connection is dead, whatever others say.
#[derive(Debug)]
struct Overdue<C>(Mutex<Option<(Instant, Arc<C>)>>);

/// A place in the queue.
struct Slot {
    _permit: OwnedSemaphorePermit,
    in_flight: Gauge,
}

impl PublishQueue {
    pub(crate) fn new(link: Arc<Link>, declared: Arc<Declared>, slots: u32, deadline: Duration, metrics: BusMetrics) -> Self {
        let slots = Arc::new(Semaphore::new(slots as usize));
        Self { link, declared, slots, deadline, overdue: Overdue::new(), metrics, running: TaskTracker::new() }
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
        let Ok(settled) = timeout_at(deadline, self.declared.settled()).await else { return Err(PublishError::Unavailable) };
        let message = ClientMessage::new().set_data(message.body).set_attributes(message.attributes);
        let result = self.attempt(topic, message.clone(), deadline).await;
        if result == Err(PublishError::TopicMissing)
            && self.declared.misses_topic(topic, settled)
            && timeout_at(deadline, self.declared.settled()).await.is_ok()
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
            Err(PublishError::Deadline) if self.overdue.is_first(began, &clients) => self.link.suspect(&clients),
            Err(error) if error.is_outage() => self.link.lost(&clients),
            _ => {
                self.overdue.clear();
                self.link.heard();
            }
        }
        result
    }
}

impl<C> Overdue<C> {
    fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Whether a publish that began then, and is given up now, began before any other one on these clients was.
    fn is_first(&self, began: Instant, on: &Arc<C>) -> bool {
        let mut first = self.lock();
        match &*first {
            Some((at, clients)) if Arc::ptr_eq(clients, on) => began <= *at,
            _ => {
                *first = Some((Instant::now(), Arc::clone(on)));
                true
            }
        }
    }

    fn clear(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Instant, Arc<C>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.in_flight.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_second_in_a_row_on_the_same_clients_is_one_too_many() {
        let (overdue, clients, fresh) = (Overdue::new(), Arc::new("old"), Arc::new("new"));
        let began = Instant::now();
        tokio::time::advance(Duration::from_millis(800)).await;
        assert!(overdue.is_first(began, &clients));
        assert!(overdue.is_first(began, &clients), "they were all waiting for the same");
        tokio::time::advance(Duration::from_millis(1)).await;
        let later = Instant::now();
        assert!(!overdue.is_first(later, &clients));
        assert!(overdue.is_first(later, &fresh), "a new connection is not to blame for the old one");
        overdue.clear();
        assert!(overdue.is_first(later, &clients));
    }
}

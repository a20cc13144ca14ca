//! A subscription at work: its queue, behind a lock, with somebody to wake when there is something to do.

use crate::{
    clock::{Clock, Time},
    config,
    error::Error,
    message::Message,
    names::DELETED_TOPIC,
    proto,
    queue::{AckId, ConsumerId, DeadLetter, Delivery, Limits, Queue},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, futures::Notified};
use tokio_util::sync::CancellationToken;

/// See the module. The lock is held for the queue's work only, never over an await.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) name: String,
    clock: Clock,
    state: Mutex<State>,
    /// There may be something to deliver.
    deliverable: Notify,
    /// The timekeeper sleeps too long.
    earlier: Notify,
    ended: CancellationToken,
    end: OnceLock<Error>,
}

#[derive(Debug)]
struct State {
    config: proto::Subscription,
    topic_retention: Option<Duration>,
    queue: Queue,
    /// Until when the timekeeper sleeps.
    asleep_until: Option<Time>,
    last_used: Time,
}

impl State {
    fn follow_config(&mut self) {
        self.queue.set_policy(config::subscription::policy(&self.config, self.topic_retention));
    }
}

impl Subscription {
    pub(crate) fn new(config: proto::Subscription, topic_retention: Option<Duration>, clock: Clock) -> Self {
        let queue = Queue::new(config::subscription::policy(&config, topic_retention));
        let last_used = clock.now();
        Self {
            name: config.name.clone(),
            clock,
            state: Mutex::new(State { config, topic_retention, queue, asleep_until: None, last_used }),
            deliverable: Notify::new(),
            earlier: Notify::new(),
            ended: CancellationToken::new(),
            end: OnceLock::new(),
        }
    }

    /// The settings as clients see them.
    pub(crate) fn config(&self) -> proto::Subscription {
        let state = self.lock();
        let topic_message_retention_duration = state.topic_retention.and_then(|retention| prost_types::Duration::try_from(retention).ok());
        proto::Subscription { topic_message_retention_duration, ..state.config.clone() }
    }

    pub(crate) fn set_config(&self, config: proto::Subscription) {
        self.use_queue(|state, _| {
            state.config = config;
            state.follow_config();
        });
    }

    pub(crate) fn set_topic_retention(&self, retention: Option<Duration>) {
        let mut state = self.lock();
        state.topic_retention = retention;
        state.follow_config();
    }

    /// The backlog stays, and nothing is added any more.
    pub(crate) fn topic_deleted(&self) {
        let mut state = self.lock();
        state.config.topic = DELETED_TOPIC.into();
        state.topic_retention = None;
        state.follow_config();
    }

    pub(crate) fn ack_deadline(&self) -> Duration {
        let seconds = self.lock().config.ack_deadline_seconds;
        Duration::from_secs(seconds.unsigned_abs().into())
    }

    pub(crate) fn publish(&self, messages: &[Arc<Message>]) {
        self.change(|state, _| messages.iter().for_each(|message| state.queue.push(Arc::clone(message))));
    }

    pub(crate) fn join(&self, limits: Limits) -> ConsumerId {
        self.use_queue(|state, _| state.queue.join(limits))
    }

    pub(crate) fn leave(&self, consumer: ConsumerId) {
        self.use_queue(|state, _| state.queue.leave(consumer));
    }

    /// Returns when there may be something to lease, if it was [enabled](Notified::enable) before the last attempt.
    pub(crate) fn deliverable(&self) -> Notified<'_> {
        self.deliverable.notified()
    }

    /// Leases what `consumer` may take. Nobody else is woken when there was nothing: two hungry consumers would wake each
    /// other for ever.
    pub(crate) fn lease(&self, consumer: ConsumerId, deadline: Duration) -> Vec<Delivery> {
        let now = self.clock.now();
        let mut state = self.lock();
        let batch = state.queue.lease(consumer, deadline, now);
        if !batch.is_empty() {
            state.last_used = now;
            self.notify(state);
        }
        batch
    }

    pub(crate) fn acknowledge(&self, ack_ids: &[AckId]) {
        self.use_queue(|state, _| ack_ids.iter().for_each(|ack_id| state.queue.ack(*ack_id)));
    }

    /// Changes deadlines, counted from now; zero gives the message back.
    pub(crate) fn modify_ack_deadlines(&self, changes: &[(AckId, Duration)]) -> Vec<DeadLetter> {
        self.use_queue(|state, now| {
            let mut dead = Vec::new();
            for (ack_id, deadline) in changes {
                if deadline.is_zero() {
                    dead.extend(state.queue.nack(*ack_id, now));
                } else {
                    state.queue.extend(*ack_id, *deadline, now);
                }
            }
            dead
        })
    }

    pub(crate) fn seek(&self, moment: Time, log: impl IntoIterator<Item = Arc<Message>>) {
        self.use_queue(|state, now| state.queue.seek(moment, log, now));
    }

    /// What has run out by now, and how long the caller may sleep.
    pub(crate) fn tick(&self) -> (Vec<DeadLetter>, Option<Time>) {
        self.change(|state, now| {
            let dead = state.queue.tick(now);
            state.asleep_until = state.queue.next_timer();
            (dead, state.asleep_until)
        })
    }

    /// Returns when [`Self::tick`] should be called before the time it has named. Cancel-safe.
    pub(crate) fn earlier(&self) -> Notified<'_> {
        self.earlier.notified()
    }

    /// Whether the dead letter topic has taken a message.
    pub(crate) fn forwarded(&self, letter: &DeadLetter, taken: bool) {
        self.change(|state, now| state.queue.forwarded(letter.message.id, taken, now));
    }

    /// Lets go of messages that are past their retention.
    pub(crate) fn prune(&self) {
        self.change(|state, now| state.queue.prune(now));
    }

    /// Whether nobody has used it for longer than its expiration policy allows.
    pub(crate) fn has_expired(&self) -> bool {
        let now = self.clock.now();
        let state = self.lock();
        let ttl = config::subscription::expires_after(&state.config);
        !state.queue.has_consumers() && ttl.is_some_and(|ttl| state.last_used + ttl <= now)
    }

    /// Forgets the backlog, for good.
    pub(crate) fn detach(&self) {
        let mut state = self.lock();
        state.config.detached = true;
        state.queue.clear();
        drop(state);
        self.end(Error::FailedPrecondition(format!("Subscription is detached (resource={}).", self.name)));
    }

    /// Stops deliveries; every later use gets `reason`.
    pub(crate) fn end(&self, reason: Error) {
        // The first reason stays.
        let _ = self.end.set(reason);
        self.ended.cancel();
    }

    /// Returns when the subscription stops. Cancel-safe.
    pub(crate) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// # Errors
    /// The reason, if it has ended.
    pub(crate) fn check_active(&self) -> Result<(), Error> {
        self.end.get().map_or(Ok(()), |reason| Err(reason.clone()))
    }

    /// Work that a client has asked for.
    fn use_queue<T>(&self, work: impl FnOnce(&mut State, Time) -> T) -> T {
        self.change(|state, now| {
            state.last_used = now;
            work(state, now)
        })
    }

    fn change<T>(&self, work: impl FnOnce(&mut State, Time) -> T) -> T {
        let now = self.clock.now();
        let mut state = self.lock();
        let result = work(&mut state, now);
        self.notify(state);
        result
    }

    /// Wakes those whom a change concerns, after letting go of the lock they will want.
    fn notify(&self, state: MutexGuard<'_, State>) {
        let deliverable = state.queue.has_ready() && state.queue.has_consumers();
        let earlier = match (state.queue.next_timer(), state.asleep_until) {
            (Some(next), Some(until)) => next < until,
            (Some(_), None) => true,
            (None, _) => false,
        };
        drop(state);
        if deliverable {
            self.deliverable.notify_waiters();
        }
        if earlier {
            self.earlier.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The messages of one subscription: who holds which, until when, and what happens then.
//!
//! Pure: no I/O, no clock, no locks. Time comes in as an argument, effects go out as return values.

mod ack_id;
mod consumers;
mod entry;
mod policy;
mod retention;
#[cfg(test)]
mod tests;

pub(crate) use self::{
    ack_id::AckId,
    consumers::{ConsumerId, Limits},
    policy::{Backoff, Policy},
};

use self::{
    consumers::Consumers,
    entry::{Entry, Lease, State},
};
use crate::{
    clock::Time,
    message::{Message, MessageId},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

/// For how long a nacked message is kept from the stream that nacked it, unless another stream takes it first.
///
/// A subscriber that shuts down nacks what it holds and closes its stream, in any order and on different connections.
/// Handing such a message back to the dying stream would make it wait for a whole lease.
const NACK_PAUSE: Duration = Duration::from_millis(50);

/// The most messages and bytes in one delivery.
const BATCH_MESSAGES: usize = 1000;
const BATCH_BYTES: usize = 1024 * 1024;

/// A message under lease.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) ack_id: AckId,
    pub(crate) message: Arc<Message>,
    /// Counted from one; `None` unless there is a dead letter policy.
    pub(crate) attempt: Option<u32>,
}

/// A message that has used up its deliveries. The queue keeps it until [`Queue::forwarded`].
#[derive(Debug, Clone)]
#[must_use = "the queue waits for the outcome"]
pub(crate) struct DeadLetter {
    pub(crate) message: Arc<Message>,
    pub(crate) attempts: u32,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Queue {
    policy: Policy,
    entries: BTreeMap<MessageId, Entry>,
    /// In the order of delivery. May name messages that are no longer ready: they are skipped.
    ready: VecDeque<MessageId>,
    /// Likewise, for [`State::HandedBack`].
    handed_back: VecDeque<(MessageId, ConsumerId)>,
    /// [`State::timer`] of every entry that has one.
    timers: BTreeSet<(Time, MessageId)>,
    consumers: Consumers,
    leases: u64,
}

impl Queue {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            policy,
            entries: BTreeMap::new(),
            ready: VecDeque::new(),
            handed_back: VecDeque::new(),
            timers: BTreeSet::new(),
            consumers: Consumers::default(),
            leases: 0,
        }
    }

    pub(crate) fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// A newly published message.
    pub(crate) fn push(&mut self, message: Arc<Message>) {
        self.ready.push_back(message.id);
        self.entries.insert(message.id, Entry::new(message));
    }

    pub(crate) fn join(&mut self, limits: Limits) -> ConsumerId {
        self.consumers.join(limits)
    }

    /// The consumer takes no more. What it holds stays leased: it may still acknowledge it by other means.
    pub(crate) fn leave(&mut self, consumer: ConsumerId) {
        self.consumers.leave(consumer);
    }

    pub(crate) fn has_consumers(&self) -> bool {
        !self.consumers.is_empty()
    }

    /// Whether a consumer could be served now.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty() || !self.handed_back.is_empty()
    }

    /// When [`Self::tick`] has something to do.
    pub(crate) fn next_timer(&self) -> Option<Time> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Leases a fair share of what is ready to `consumer`, within its limits.
    pub(crate) fn lease(&mut self, consumer: ConsumerId, deadline: Duration, now: Time) -> Vec<Delivery> {
        self.prune(now);
        let entries = &self.entries;
        self.handed_back
            .retain(|(id, by)| matches!(entries.get(id), Some(Entry { state: State::HandedBack { by: latest, .. }, .. }) if latest == by));
        let waiting = self.ready.len() + self.handed_back.len();
        let share = waiting.div_ceil(self.consumers.hungry().max(1)).min(BATCH_MESSAGES);
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < share && bytes < BATCH_BYTES && self.consumers.is_hungry(consumer) {
            let Some(id) = self.next_for(consumer) else { break };
            let Some(entry) = self.entries.get_mut(&id) else { break };
            self.leases += 1;
            entry.attempts = entry.attempts.saturating_add(1);
            self.consumers.take(consumer, entry.message.size());
            bytes += entry.message.size();
            batch.push(Delivery {
                ack_id: AckId { message: id, lease: self.leases },
                message: Arc::clone(&entry.message),
                attempt: self.policy.max_delivery_attempts.map(|_| entry.attempts),
            });
            self.enter(id, State::Leased(Lease { number: self.leases, consumer, expires: now + deadline }));
        }
        batch
    }

    /// The message is done. A late acknowledgement counts too: the work has been done, and a second run helps nobody.
    pub(crate) fn ack(&mut self, ack_id: AckId) {
        if self.entries.get(&ack_id.message).is_some_and(|entry| entry.state != State::Forwarding) {
            self.finish(ack_id.message);
        }
    }

    /// Lets the lease run until `deadline` from now, unless it has ended already.
    pub(crate) fn extend(&mut self, ack_id: AckId, deadline: Duration, now: Time) {
        let lease = self.entries.get(&ack_id.message).and_then(|entry| entry.lease(ack_id));
        if let Some(lease) = lease {
            self.timers.remove(&(lease.expires, ack_id.message));
            let expires = now + deadline;
            if let Some(entry) = self.entries.get_mut(&ack_id.message) {
                entry.state = State::Leased(Lease { expires, ..lease });
            }
            self.timers.insert((expires, ack_id.message));
        }
    }

    /// The consumer does not want the message, unless its lease has ended already.
    pub(crate) fn nack(&mut self, ack_id: AckId, now: Time) -> Option<DeadLetter> {
        let lease = self.entries.get(&ack_id.message)?.lease(ack_id)?;
        let pause = self.consumers.contains(lease.consumer).then_some(lease.consumer);
        self.fail(ack_id.message, pause, now)
    }

    /// Ends the leases and the waits whose time has come.
    pub(crate) fn tick(&mut self, now: Time) -> Vec<DeadLetter> {
        self.prune(now);
        let mut dead = Vec::new();
        while let Some(&(at, id)) = self.timers.first()
            && at <= now
        {
            self.timers.pop_first();
            match self.entries.get(&id).map(|entry| entry.state) {
                Some(State::Leased(_)) => dead.extend(self.fail(id, None, now)),
                _ => self.enter(id, State::Ready),
            }
        }
        dead
    }

    /// Whether the dead letter topic has taken the message. If not, it is delivered again.
    pub(crate) fn forwarded(&mut self, id: MessageId, taken: bool, now: Time) {
        let Some(entry) = self.entries.get(&id).filter(|entry| entry.state == State::Forwarding) else { return };
        let attempts = entry.attempts;
        if taken {
            self.finish(id);
        } else {
            let state = self.after_failure(attempts, None, now);
            self.enter(id, state);
        }
    }

    /// A delivery has come to nothing.
    fn fail(&mut self, id: MessageId, by: Option<ConsumerId>, now: Time) -> Option<DeadLetter> {
        let entry = self.entries.get(&id)?;
        let attempts = entry.attempts;
        let message = Arc::clone(&entry.message);
        if self.policy.max_delivery_attempts.is_some_and(|most| attempts >= most) {
            self.enter(id, State::Forwarding);
            return Some(DeadLetter { message, attempts });
        }
        let state = self.after_failure(attempts, by, now);
        self.enter(id, state);
        None
    }

    fn after_failure(&self, attempts: u32, by: Option<ConsumerId>, now: Time) -> State {
        match (self.policy.retry, by) {
            (Some(backoff), _) => State::Delayed { until: now + backoff.after(attempts) },
            (None, Some(by)) => State::HandedBack { by, until: now + NACK_PAUSE },
            (None, None) => State::Ready,
        }
    }

    /// Done: forgotten, or kept for a seek.
    fn finish(&mut self, id: MessageId) {
        if self.policy.retain_acked {
            self.enter(id, State::Acked);
        } else {
            self.remove(id);
        }
    }

    fn remove(&mut self, id: MessageId) {
        if let Some(entry) = self.entries.remove(&id) {
            self.left(&entry.message, entry.state);
        }
    }

    /// Every change of state goes through here, so that lists, timers and limits follow.
    fn enter(&mut self, id: MessageId, state: State) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let before = std::mem::replace(&mut entry.state, state);
        let message = Arc::clone(&entry.message);
        self.left(&message, before);
        match state {
            State::Ready => self.ready.push_back(id),
            State::HandedBack { by, .. } => self.handed_back.push_back((id, by)),
            State::Delayed { .. } | State::Leased(_) | State::Forwarding | State::Acked => {}
        }
        if let Some(at) = state.timer() {
            self.timers.insert((at, id));
        }
    }

    fn left(&mut self, message: &Message, state: State) {
        if let Some(at) = state.timer() {
            self.timers.remove(&(at, message.id));
        }
        if let State::Leased(lease) = state {
            self.consumers.release(lease.consumer, message.size());
        }
    }

    fn next_for(&mut self, consumer: ConsumerId) -> Option<MessageId> {
        if let Some(at) = self.handed_back.iter().position(|(_, by)| *by != consumer) {
            return self.handed_back.remove(at).map(|(id, _)| id);
        }
        while let Some(id) = self.ready.pop_front() {
            if self.entries.get(&id).is_some_and(|entry| entry.state == State::Ready) {
                return Some(id);
            }
        }
        None
    }
}

//! A topic at work: who subscribes, and what it keeps.

use crate::{
    clock::{Clock, Time},
    config,
    error::Error,
    message::Message,
    proto,
    subscription::Subscription,
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// See the module. Lock order: the registry, a topic, a subscription.
#[derive(Debug)]
pub(crate) struct Topic {
    name: String,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    config: proto::Topic,
    subscriptions: Vec<Arc<Subscription>>,
    /// Empty unless the topic has a retention.
    log: VecDeque<Arc<Message>>,
    deleted: bool,
}

impl State {
    fn prune(&mut self, now: Time) {
        let Some(retention) = config::topic::retention(&self.config) else { return self.log.clear() };
        while self.log.front().is_some_and(|message| message.published < now - retention) {
            self.log.pop_front();
        }
    }
}

impl Topic {
    pub(crate) fn new(config: proto::Topic, clock: Clock) -> Self {
        let state = State { config, subscriptions: Vec::new(), log: VecDeque::new(), deleted: false };
        Self { name: state.config.name.clone(), clock, state: Mutex::new(state) }
    }

    pub(crate) fn config(&self) -> proto::Topic {
        self.lock().config.clone()
    }

    /// Replaces the settings by what `update` makes of them.
    pub(crate) fn update(&self, update: impl FnOnce(&proto::Topic) -> Result<proto::Topic, Error>) -> Result<proto::Topic, Error> {
        let now = self.clock.now();
        let mut state = self.lock();
        state.config = update(&state.config)?;
        state.prune(now);
        let retention = config::topic::retention(&state.config);
        state.subscriptions.iter().for_each(|subscription| subscription.set_topic_retention(retention));
        Ok(state.config.clone())
    }

    /// Creates a subscription with what it needs to know of its topic, and attaches it.
    pub(crate) fn subscribe(&self, config: proto::Subscription) -> Result<Arc<Subscription>, Error> {
        let mut state = self.lock();
        self.check_not_deleted(&state)?;
        let retention = config::topic::retention(&state.config);
        let subscription = Arc::new(Subscription::new(config, retention, self.clock.clone()));
        state.subscriptions.push(Arc::clone(&subscription));
        Ok(subscription)
    }

    pub(crate) fn unsubscribe(&self, name: &str) {
        self.lock().subscriptions.retain(|subscription| subscription.name != name);
    }

    pub(crate) fn subscriptions(&self) -> Vec<Arc<Subscription>> {
        self.lock().subscriptions.clone()
    }

    /// Hands the messages to every subscription, in one piece.
    pub(crate) fn publish(&self, messages: &[Arc<Message>]) -> Result<(), Error> {
        let now = self.clock.now();
        let mut state = self.lock();
        self.check_not_deleted(&state)?;
        if state.config.message_retention_duration.is_some() {
            state.log.extend(messages.iter().cloned());
            state.prune(now);
        }
        state.subscriptions.iter().for_each(|subscription| subscription.publish(messages));
        Ok(())
    }

    /// Seeks a subscription of this topic to a moment, with the help of what the topic keeps.
    pub(crate) fn seek(&self, subscription: &Subscription, moment: Time) {
        let now = self.clock.now();
        let mut state = self.lock();
        state.prune(now);
        subscription.seek(moment, state.log.iter().cloned());
    }

    /// Lets go of messages that are past their retention.
    pub(crate) fn prune(&self) {
        let now = self.clock.now();
        self.lock().prune(now);
    }

    /// Publishing fails from now on; subscriptions keep their backlog.
    pub(crate) fn delete(&self) {
        let mut state = self.lock();
        state.deleted = true;
        state.log.clear();
        state.subscriptions.drain(..).for_each(|subscription| subscription.topic_deleted());
    }

    fn check_not_deleted(&self, state: &State) -> Result<(), Error> {
        if state.deleted { Err(Error::NotFound(self.name.clone())) } else { Ok(()) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

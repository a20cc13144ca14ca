use std::{collections::BTreeMap, time::Duration};

use shared::Kind;

use crate::{Names, SubscriptionName, TopicName};

/// The topics and subscriptions that must exist, as data; [`crate::Bus::ensure`] makes it true.
#[derive(Debug, Clone)]
pub struct Topology {
    names: Names,
    /// Each with its retention, which is what a new gateway seeks back into.
    pub(crate) topics: BTreeMap<TopicName, Duration>,
    pub(crate) subscriptions: BTreeMap<SubscriptionName, SubscriptionSpec>,
}

/// What a subscription is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionSpec {
    /// Where its messages come from.
    pub topic: TopicName,
    /// How long unacknowledged messages are kept: 10 minutes to 31 days.
    pub retention: Duration,
    /// After how long without a subscriber it is deleted, at least a day; `None` is never.
    pub expires_after: Option<Duration>,
    /// Where messages go that nobody could process.
    pub dead_letter: Option<DeadLetter>,
    /// How long a message rests before it is delivered again: least and most, growing with every delivery.
    ///
    /// It delays what is handed back on shutdown just as what failed. `None` is not at all.
    pub backoff: Option<(Duration, Duration)>,
}

/// When to give up on a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Where it goes.
    pub topic: TopicName,
    /// After how many deliveries, 5 to 100.
    pub attempts: u32,
}

impl Topology {
    /// How long a topic keeps everything, which is what a new gateway can fill its history from, and how long the subscription of one
    /// process keeps what that does not take. The least that Pub/Sub accepts.
    pub const RETENTION: Duration = Duration::from_mins(10);
    /// How long jobs wait for a worker of their kind.
    const BACKLOG: Duration = Duration::from_hours(7 * 24);
    /// Deliveries, not failures: every hand-back by a worker that is shut down counts as one.
    const ATTEMPTS: u32 = 20;
    /// Enough to keep a job that kills its workers from spinning, little enough that a job handed back starts elsewhere within a second.
    const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

    /// Nothing yet.
    #[must_use]
    pub fn new(names: &Names) -> Self {
        Self { names: names.clone(), topics: BTreeMap::new(), subscriptions: BTreeMap::new() }
    }

    /// A kind's topic and its workers' subscription, and where its dead letters go.
    #[must_use]
    pub fn jobs(self, kind: &Kind) -> Self {
        let topic = self.names.jobs(kind);
        let dead_letter = DeadLetter { topic: self.names.dead_letter(), attempts: Self::ATTEMPTS };
        let spec = SubscriptionSpec { dead_letter: Some(dead_letter), ..SubscriptionSpec::shared(topic.clone()) };
        let name = self.names.job_subscription(kind);
        self.dead_letter().topic(topic).subscription(name, spec)
    }

    /// The events topic. Each gateway makes its own subscription, see [`crate::Bus::instance_subscription`].
    #[must_use]
    pub fn events(self) -> Self {
        let topic = self.names.events();
        self.topic(topic)
    }

    /// The control topic. Each worker makes its own subscription.
    #[must_use]
    pub fn control(self) -> Self {
        let topic = self.names.control();
        self.topic(topic)
    }

    /// The dead-letter topic, its workers' subscription and the archive; without these, dead letters would vanish.
    #[must_use]
    pub fn dead_letter(self) -> Self {
        let topic = self.names.dead_letter();
        let (workers, archive) = (self.names.dead_letter_subscription(), self.names.dead_letter_archive());
        let spec = SubscriptionSpec::shared(topic.clone());
        self.topic(topic).subscription(workers, spec.clone()).subscription(archive, spec)
    }

    /// A topic of any name.
    #[must_use]
    pub fn topic(mut self, name: TopicName) -> Self {
        self.topics.insert(name, Self::RETENTION);
        self
    }

    /// A subscription of any name; its topic must be declared too, or exist already.
    #[must_use]
    pub fn subscription(mut self, name: SubscriptionName, spec: SubscriptionSpec) -> Self {
        self.subscriptions.insert(name, spec);
        self
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.topics.extend(other.topics.clone());
        self.subscriptions.extend(other.subscriptions.clone());
    }
}

impl SubscriptionSpec {
    /// One that many processes share and that must wait for them: a week of backlog, never expiring, handing back quickly.
    #[must_use]
    pub fn shared(topic: TopicName) -> Self {
        Self { topic, retention: Topology::BACKLOG, expires_after: None, dead_letter: None, backoff: Some(Topology::BACKOFF) }
    }

    /// One that dies with its process: ten minutes of backlog, gone a day after its owner was killed.
    #[must_use]
    pub fn instance(topic: TopicName) -> Self {
        let day = Duration::from_hours(24);
        Self { topic, retention: Topology::RETENTION, expires_after: Some(day), dead_letter: None, backoff: None }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_kind_brings_its_dead_letters_along() {
        let names = Names::new("shop", "mayfly-");
        let echo = "echo".parse().unwrap();
        let topology = Topology::new(&names).jobs(&echo);
        assert!(topology.topics.contains_key(&names.dead_letter()));
        assert!(topology.subscriptions.contains_key(&names.dead_letter_subscription()));
        assert!(topology.subscriptions.contains_key(&names.dead_letter_archive()));
        let workers = &topology.subscriptions[&names.job_subscription(&echo)];
        assert_eq!(workers.dead_letter, Some(DeadLetter { topic: names.dead_letter(), attempts: 20 }));
    }

    #[test]
    fn what_is_handed_back_never_rests_for_more_than_a_second() {
        assert!(SubscriptionSpec::shared(Names::new("shop", "").events()).backoff.unwrap().1 <= Duration::from_secs(1));
    }
}

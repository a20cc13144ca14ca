use std::{
    collections::BTreeSet,
    future::Future,
    sync::{Arc, Mutex as StdMutex, PoisonError},
    time::Duration,
};

use futures::future::try_join_all;
use google_cloud_gax::{error::Error as RpcError, options::RequestOptionsBuilder};
use google_cloud_pubsub::model::{DeadLetterPolicy, ExpirationPolicy, RetryPolicy, Subscription};
use google_cloud_wkt as wkt;
use tokio::{
    sync::{Mutex, watch},
    time::{Instant, sleep, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    BusError, SubscriptionName, SubscriptionSpec, TopicName, Topology,
    error::{already_exists, is_missing, is_outage},
    link::Link,
};

/// What this process counts on, and how to create it.
#[derive(Debug)]
pub(crate) struct Declared {
    link: Arc<Link>,
    /// Off in production, where a missing topic is a mistake that must not be papered over.
    enabled: bool,
    deadline: Duration,
    topology: StdMutex<Topology>,
    /// This process's own subscriptions, which nobody else would create again.
    own: StdMutex<Topology>,
    /// Topics that did not exist before this process created them.
    created: StdMutex<BTreeSet<TopicName>>,
    /// One at a time: when a topic is gone, every publish and every stream finds out at once.
    restoring: Mutex<Option<Instant>>,
    restorations: watch::Sender<u64>,
    /// How often something was declared.
    declarations: watch::Sender<u64>,
    /// The last time that all of it was looked for.
    settled: watch::Sender<Option<Settled>>,
}

/// What a look at the whole topology has led to.
#[derive(Debug, Clone, Copy)]
struct Settled {
    /// The outage after which it was, 0 being the start.
    outage: u64,
    declarations: u64,
    /// All is there; else the server has said no.
    is_complete: bool,
}

/// What a subscription reads as its topic after that was deleted.
const DELETED_TOPIC: &str = "_deleted-topic_";

impl Declared {
    /// The longest that one administrative request may take.
    pub(crate) const ATTEMPT: Duration = Duration::from_secs(5);
    /// Between two attempts at a server that is not there.
    const PAUSE: Duration = Duration::from_millis(200);
    /// Between two rounds of attempts, for those who do not give up.
    const AGAIN: Duration = Duration::from_secs(1);
    /// Whoever asks again so soon after a restoration asks about the same loss.
    const RESTORED: Duration = Duration::from_millis(500);

    pub(crate) fn new(link: Arc<Link>, empty: Topology, enabled: bool, deadline: Duration) -> Self {
        let topology = StdMutex::new(empty.clone());
        Self {
            link,
            enabled,
            deadline,
            topology,
            own: StdMutex::new(empty),
            created: StdMutex::default(),
            restoring: Mutex::new(None),
            restorations: watch::Sender::new(0),
            declarations: watch::Sender::new(0),
            settled: watch::Sender::new(None),
        }
    }

    /// Creates what is missing, and remembers all of it for [`Self::keep`] and [`Self::restore`].
    pub(crate) async fn ensure(&self, topology: &Topology) -> Result<(), BusError> {
        self.declare(topology);
        if !self.enabled {
            return Ok(());
        }
        let _alone = self.restoring.lock().await;
        self.create(topology, Instant::now() + self.deadline).await.map(drop)
    }

    /// Remembers what [`Self::keep`] is to create, and waits until it has.
    pub(crate) async fn ensured(&self, topology: &Topology) {
        let declarations = self.declare(topology);
        if self.enabled {
            let is_there = |settled: &Settled| settled.is_complete && settled.declarations >= declarations;
            // We hold the sender, so this cannot fail.
            let _ = self.settled.subscribe().wait_for(|settled| settled.as_ref().is_some_and(is_there)).await;
        }
    }

    /// Creates what is missing of everything declared: at the start, after every outage, and when there is more of it.
    pub(crate) async fn keep(self: Arc<Self>, end: CancellationToken) {
        if !self.enabled {
            return;
        }
        let (mut outages, mut declarations) = (self.link.outages(), self.declarations.subscribe());
        end.run_until_cancelled(async {
            let mut reported = false;
            loop {
                let (outage, declared) = (*outages.borrow_and_update(), *declarations.borrow_and_update());
                self.link.up().await;
                let filled = tokio::select! {
                    filled = self.fill(outage) => filled,
                    // What was asked on the old connections may never be answered.
                    _ = outages.changed() => continue,
                };
                if !matches!(filled, Err(BusError::Unreachable { .. })) {
                    self.settled.send_replace(Some(Settled { outage, declarations: declared, is_complete: filled.is_ok() }));
                }
                let Err(error) = filled else {
                    reported = false;
                    tokio::select! {
                        _ = outages.changed() => {}
                        _ = declarations.changed() => {}
                    }
                    continue;
                };
                if !reported {
                    tracing::warn!(error = &error as &dyn std::error::Error, "cannot create the topology yet; trying until it works");
                    reported = true;
                }
                sleep(Self::AGAIN).await;
            }
        })
        .await;
    }

    /// Waits, after the start and after every outage, until all is there that may be created: somebody else may have created a topic
    /// already and its subscription not yet, and what is published in between reaches nobody. Cancellation safe.
    pub(crate) async fn settled(&self) {
        if self.enabled {
            let (outage, declarations) = (*self.link.outages().borrow(), *self.declarations.borrow());
            let is_recent = |settled: &Settled| settled.outage >= outage && settled.declarations >= declarations;
            // We hold the sender, so this cannot fail.
            let _ = self.settled.subscribe().wait_for(|settled| settled.as_ref().is_some_and(is_recent)).await;
        }
    }

    async fn fill(&self, outage: u64) -> Result<(), BusError> {
        let mut restored = self.restoring.lock().await;
        if self.create(&self.restorable(), Instant::now() + self.deadline).await? && outage > 0 {
            self.restorations.send_modify(|times| *times += 1);
            *restored = Some(Instant::now());
        }
        Ok(())
    }

    /// Tells whenever something had vanished and was created again.
    pub(crate) fn restored(&self) -> watch::Receiver<u64> {
        self.restorations.subscribe()
    }

    /// Remembers what [`Self::keep`] is to create; tells how many declarations that makes.
    pub(crate) fn declare(&self, topology: &Topology) -> u64 {
        self.topology.lock().unwrap_or_else(PoisonError::into_inner).merge(topology);
        let mut declarations = 0;
        self.declarations.send_modify(|number| {
            *number += 1;
            declarations = *number;
        });
        declarations
    }

    /// Creates a subscription of this process's own, whatever the setting says: nobody else can.
    ///
    /// Not, if there is one by this name: it may be another process's, with which we would share the messages.
    pub(crate) async fn create_own(&self, name: &SubscriptionName, spec: SubscriptionSpec) -> Result<bool, BusError> {
        let created = self.create_subscription(name, &spec, Instant::now() + self.deadline).await?;
        if created {
            self.own.lock().unwrap_or_else(PoisonError::into_inner).subscriptions.insert(name.clone(), spec);
        }
        Ok(created)
    }

    pub(crate) fn forget_own(&self, name: &SubscriptionName) {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).subscriptions.remove(name);
    }

    /// The topic is gone: creates it again if the settings allow, and tells whether that worked.
    pub(crate) async fn restore_topic(&self, missing: &TopicName) -> bool {
        self.restore(|topology| topology.topics.contains_key(missing)).await
    }

    /// The subscription is gone, or its topic: creates both again as far as the settings allow, and tells whether that worked.
    pub(crate) async fn restore_subscription(&self, missing: &SubscriptionName) -> bool {
        self.restore(|topology| topology.subscriptions.contains_key(missing)).await
    }

    /// Everything at once: a server that lost one thing has in all likelihood lost them all.
    async fn restore(&self, covers: impl Fn(&Topology) -> bool) -> bool {
        let mut restored = self.restoring.lock().await;
        let topology = self.restorable();
        if !covers(&topology) {
            return false;
        }
        if restored.is_some_and(|at| at.elapsed() < Self::RESTORED) {
            return true;
        }
        match self.create(&topology, Instant::now() + self.deadline).await {
            Ok(_) => {
                tracing::warn!("topics or subscriptions were gone and have been created again");
                self.restorations.send_modify(|times| *times += 1);
                *restored = Some(Instant::now());
                true
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "topics or subscriptions are gone and cannot be created");
                false
            }
        }
    }

    fn restorable(&self) -> Topology {
        let mut topology = self.own.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if self.enabled {
            topology.merge(&self.topology.lock().unwrap_or_else(PoisonError::into_inner));
        }
        topology
    }

    /// Tells whether a subscription was missing.
    async fn create(&self, topology: &Topology, deadline: Instant) -> Result<bool, BusError> {
        try_join_all(topology.topics.iter().map(|(name, retention)| self.topic(name, *retention, deadline))).await?;
        let created = try_join_all(topology.subscriptions.iter().map(|(name, spec)| self.subscription(name, spec, deadline))).await?;
        Ok(created.contains(&true))
    }

    async fn topic(&self, name: &TopicName, retention: Duration, deadline: Instant) -> Result<(), BusError> {
        let result = self
            .admin("create topic", name.id(), deadline, || {
                let clients = self.link.clients();
                let request = clients.topics.create_topic().set_name(name.path()).set_message_retention_duration(proto(retention));
                async move { request.with_attempt_timeout(Self::ATTEMPT).send().await.map(drop) }
            })
            .await;
        if absorb(already_exists, result)? {
            self.created.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        }
        Ok(())
    }

    /// Whether this process created the topic, lately or long ago.
    pub(crate) fn has_created(&self, topic: &TopicName) -> bool {
        self.created.lock().unwrap_or_else(PoisonError::into_inner).contains(topic)
    }

    /// Tells whether it was missing.
    async fn subscription(&self, name: &SubscriptionName, spec: &SubscriptionSpec, deadline: Instant) -> Result<bool, BusError> {
        if self.create_subscription(name, spec, deadline).await? {
            return Ok(true);
        }
        // A subscription outlives its topic but never hears of a new one by the same name.
        if self.topic_of(name, deadline).await?.is_some_and(|topic| topic != DELETED_TOPIC) {
            return Ok(false);
        }
        self.delete_subscription(name, deadline).await?;
        self.create_subscription(name, spec, deadline).await
    }

    /// Whether it was created now; not, if there is one by this name.
    async fn create_subscription(&self, name: &SubscriptionName, spec: &SubscriptionSpec, deadline: Instant) -> Result<bool, BusError> {
        let result = self
            .admin("create subscription", name.id(), deadline, || {
                let clients = self.link.clients();
                let request = clients.subscriptions.create_subscription().with_request(request(name, spec));
                async move { request.with_attempt_timeout(Self::ATTEMPT).send().await.map(drop) }
            })
            .await;
        absorb(already_exists, result)
    }

    async fn topic_of(&self, name: &SubscriptionName, deadline: Instant) -> Result<Option<String>, BusError> {
        let result = self
            .admin("look up subscription", name.id(), deadline, || {
                let clients = self.link.clients();
                let request = clients.subscriptions.get_subscription().set_subscription(name.path());
                async move { request.with_attempt_timeout(Self::ATTEMPT).send().await.map(|subscription| subscription.topic) }
            })
            .await;
        match result {
            Ok(topic) => Ok(Some(topic)),
            Err(BusError::Refused { source, .. }) if is_missing(&source) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn delete_subscription(&self, name: &SubscriptionName, deadline: Instant) -> Result<(), BusError> {
        let result = self
            .admin("delete subscription", name.id(), deadline, || {
                let clients = self.link.clients();
                let request = clients.subscriptions.delete_subscription().set_subscription(name.path());
                async move { request.with_attempt_timeout(Self::ATTEMPT).send().await }
            })
            .await;
        absorb(is_missing, result).map(drop)
    }

    /// Repeats a request until the server answers, or the deadline passes.
    pub(crate) async fn admin<T, F>(
        &self,
        action: &'static str,
        name: &str,
        deadline: Instant,
        mut request: impl FnMut() -> F,
    ) -> Result<T, BusError>
    where
        F: Future<Output = Result<T, RpcError>>,
    {
        let mut last = None;
        loop {
            match timeout_at(deadline, request()).await {
                Ok(Ok(answer)) => {
                    self.link.heard();
                    return Ok(answer);
                }
                Ok(Err(error)) if !is_outage(&error) => {
                    self.link.heard();
                    return Err(BusError::Refused { action, name: name.to_owned(), source: Box::new(error) });
                }
                Ok(Err(error)) => last = Some(Box::new(error)),
                Err(_) => return Err(BusError::Unreachable { action, name: name.to_owned(), source: last }),
            }
            if timeout_at(deadline, sleep(Self::PAUSE)).await.is_err() {
                return Err(BusError::Unreachable { action, name: name.to_owned(), source: last });
            }
        }
    }
}

/// Takes one kind of refusal for an answer: whether the request did what it says, or found it done.
fn absorb(done: fn(&RpcError) -> bool, result: Result<(), BusError>) -> Result<bool, BusError> {
    match result {
        Ok(()) => Ok(true),
        Err(BusError::Refused { source, .. }) if done(&source) => Ok(false),
        Err(error) => Err(error),
    }
}

fn request(name: &SubscriptionName, spec: &SubscriptionSpec) -> Subscription {
    let expiration = ExpirationPolicy::new().set_or_clear_ttl(spec.expires_after.map(proto));
    Subscription::new()
        .set_name(name.path())
        .set_topic(spec.topic.path())
        .set_message_retention_duration(proto(spec.retention))
        // Only until the stream takes over, which extends leases by itself. The least that Pub/Sub accepts.
        .set_ack_deadline_seconds(10)
        .set_expiration_policy(expiration)
        .set_or_clear_dead_letter_policy(spec.dead_letter.as_ref().map(|dead_letter| {
            DeadLetterPolicy::new()
                .set_dead_letter_topic(dead_letter.topic.path())
                .set_max_delivery_attempts(i32::try_from(dead_letter.attempts).unwrap_or(i32::MAX))
        }))
        .set_or_clear_retry_policy(
            spec.backoff.map(|(least, most)| RetryPolicy::new().set_minimum_backoff(proto(least)).set_maximum_backoff(proto(most))),
        )
}

/// Our durations are far below the 10,000 years at which this would clamp.
pub(crate) fn proto(duration: Duration) -> wkt::Duration {
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    wkt::Duration::clamp(seconds, i32::try_from(duration.subsec_nanos()).unwrap_or(0))
}

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::join_all;
use tokio::{
    sync::{Mutex, watch},
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{BusError, SubscriptionName, SubscriptionSpec, TopicName, Topology, admin::Admin, link::Link};

/// What this process counts on, and how to create it.
///
/// One task looks after it, see [`Declared::keep`]. Whoever needs something that may not be there waits for it to have looked.
#[derive(Debug)]
pub(crate) struct Declared {
    link: Arc<Link>,
    admin: Admin,
    /// Off in production, where a missing topic is a mistake that must not be papered over.
    enabled: bool,
    deadline: Duration,
    topology: StdMutex<Topology>,
    /// This process's own subscriptions, which nobody else would create again.
    own: StdMutex<Topology>,
    /// Topics that did not exist before this process created them.
    created: StdMutex<BTreeSet<TopicName>>,
    /// One at a time: two that both find a subscription without a topic would delete each other's new one.
    creating: Mutex<()>,
    /// How often one of our own subscriptions had vanished and was created again.
    restorations: watch::Sender<u64>,
    /// How often there was a reason to look: something was declared, or found missing.
    reasons: watch::Sender<u64>,
    looked: watch::Sender<Option<Looked>>,
}

/// The last look at the whole topology, and what it was for.
#[derive(Debug, Clone, Copy)]
struct Looked {
    /// The outage before it, 0 being the start.
    outage: u64,
    reason: u64,
    /// All is there; else the server has said no.
    is_complete: bool,
}

/// What a subscription reads as its topic after that was deleted.
const DELETED_TOPIC: &str = "_deleted-topic_";

impl Declared {
    /// Between two looks, after one that came to nothing.
    const AGAIN: Duration = Duration::from_secs(1);
    /// How often it is asked whether subscriptions still have their topics, where anybody may delete them...
    const WATCH: Duration = Duration::from_secs(2);
    /// ...and in production, where only an operator could, and requests have a quota.
    const WATCH_PRODUCTION: Duration = Duration::from_secs(30);

    pub(crate) fn new(link: Arc<Link>, empty: Topology, enabled: bool, deadline: Duration) -> Self {
        let topology = StdMutex::new(empty.clone());
        Self {
            admin: Admin::new(Arc::clone(&link)),
            link,
            enabled,
            deadline,
            topology,
            own: StdMutex::new(empty),
            created: StdMutex::default(),
            creating: Mutex::default(),
            restorations: watch::Sender::new(0),
            reasons: watch::Sender::new(0),
            looked: watch::Sender::new(None),
        }
    }

    pub(crate) fn admin(&self) -> &Admin {
        &self.admin
    }

    /// Creates what is missing, and remembers all of it for [`Self::keep`].
    pub(crate) async fn ensure(&self, topology: &Topology) -> Result<(), BusError> {
        self.declare(topology);
        if !self.enabled {
            return Ok(());
        }
        let _alone = self.creating.lock().await;
        self.create(topology, Instant::now() + self.deadline).await
    }

    /// Remembers what [`Self::keep`] is to create, and waits until it has.
    pub(crate) async fn ensured(&self, topology: &Topology) {
        let reason = self.declare(topology);
        if self.enabled {
            self.looked(|looked| looked.reason >= reason && looked.is_complete).await;
        }
    }

    /// Remembers what [`Self::keep`] is to create; returns the number of that reason to look.
    pub(crate) fn declare(&self, topology: &Topology) -> u64 {
        self.topology.lock().unwrap_or_else(PoisonError::into_inner).merge(topology);
        self.doubt(None)
    }

    /// Creates what is missing: at the start, after every outage, and whenever there is a reason.
    pub(crate) async fn keep(self: Arc<Self>, end: CancellationToken) {
        let (mut outages, mut reasons) = (self.link.outages(), self.reasons.subscribe());
        end.run_until_cancelled(async {
            let mut is_reported = false;
            loop {
                let (outage, reason) = (*outages.borrow_and_update(), *reasons.borrow_and_update());
                self.link.up().await;
                let result = tokio::select! {
                    result = self.create_all() => result,
                    // What was asked on the old connections may never be answered.
                    _ = outages.changed() => continue,
                };
                if !matches!(result, Err(BusError::Unreachable { .. })) {
                    self.looked.send_replace(Some(Looked { outage, reason, is_complete: result.is_ok() }));
                }
                if let Err(error) = result {
                    if !is_reported {
                        tracing::warn!(error = &error as &dyn std::error::Error, "cannot create the topology yet; trying until it works");
                    }
                    is_reported = true;
                    sleep(Self::AGAIN).await;
                    continue;
                }
                is_reported = false;
                tokio::select! {
                    _ = outages.changed(), if self.enabled => {}
                    _ = reasons.changed() => {}
                    () = self.deafened() => drop(self.doubt(None)),
                }
            }
        })
        .await;
    }

    /// Waits until all is there that may be created, as far as anybody knows: somebody else may have created a topic already and its
    /// subscription not yet, and what is published in between reaches nobody. Cancellation safe.
    ///
    /// Returns the number of the last reason to look.
    pub(crate) async fn settled(&self) -> u64 {
        let (outage, reason) = (*self.link.outages().borrow(), *self.reasons.borrow());
        if self.enabled {
            self.looked(|looked| looked.outage >= outage && looked.reason >= reason).await;
        }
        reason
    }

    /// A topic is gone that was there when all was `settled`: tells whether it may be created, which is what [`Self::settled`] then waits for.
    pub(crate) fn misses_topic(&self, missing: &TopicName, settled: u64) -> bool {
        let covers = self.restorable().topics.contains_key(missing);
        if covers {
            self.doubt(Some(settled));
        }
        covers
    }

    /// A subscription is gone, or its topic: has both created again as far as the settings allow, and tells whether that worked.
    pub(crate) async fn restore_subscription(&self, missing: &SubscriptionName) -> bool {
        if !self.restorable().subscriptions.contains_key(missing) {
            return false;
        }
        let reason = self.doubt(None);
        timeout(self.deadline, self.looked(|looked| looked.reason >= reason)).await.is_ok_and(|looked| looked.is_complete)
    }

    /// Tells whenever one of this process's own subscriptions had vanished and was created again.
    pub(crate) fn restored(&self) -> watch::Receiver<u64> {
        self.restorations.subscribe()
    }

    /// Whether this process created the topic, lately or long ago.
    pub(crate) fn has_created(&self, topic: &TopicName) -> bool {
        self.created.lock().unwrap_or_else(PoisonError::into_inner).contains(topic)
    }

    /// Creates a subscription of this process's own, whatever the setting says: nobody else can.
    ///
    /// Not, if there is one by this name: it may be another process's, with which we would share the messages.
    pub(crate) async fn create_own(&self, name: &SubscriptionName, spec: SubscriptionSpec) -> Result<bool, BusError> {
        let created = self.admin.create_subscription(name, &spec, Instant::now() + self.deadline).await?;
        if created {
            self.own().subscriptions.insert(name.clone(), spec);
        }
        Ok(created)
    }

    pub(crate) fn forget_own(&self, name: &SubscriptionName) {
        self.own().subscriptions.remove(name);
    }

    /// Deletes a subscription of this process's own for good: nobody is just about to create it again.
    pub(crate) async fn delete_own(&self, name: &SubscriptionName, deadline: Instant) -> Result<(), BusError> {
        self.forget_own(name);
        let _alone = timeout_at(deadline, self.creating.lock()).await;
        self.admin.delete_subscription(name, deadline).await
    }

    /// There is a reason to look, unless there was another one since the last that the caller knows of. Returns the number of the last one.
    fn doubt(&self, since: Option<u64>) -> u64 {
        let mut last = 0;
        self.reasons.send_if_modified(|reasons| {
            let is_new = since.is_none_or(|since| since == *reasons);
            *reasons += u64::from(is_new);
            last = *reasons;
            is_new
        });
        last
    }

    /// Waits until a subscription is gone, or its topic. No stream is told of the latter, and once somebody else has created the topic
    /// again, no publish either.
    async fn deafened(&self) {
        loop {
            sleep(if self.enabled { Self::WATCH } else { Self::WATCH_PRODUCTION }).await;
            for name in self.restorable().subscriptions.keys() {
                if self.admin.topic_of(name, Instant::now() + Admin::ATTEMPT).await.is_ok_and(|topic| is_lost(topic.as_deref())) {
                    return;
                }
            }
        }
    }

    async fn looked(&self, is_enough: impl Fn(&Looked) -> bool) -> Looked {
        let mut looks = self.looked.subscribe();
        let enough = looks.wait_for(|looked| looked.as_ref().is_some_and(&is_enough)).await;
        // We hold the sender, so this cannot fail; and it was just seen that there is one.
        enough.ok().and_then(|looked| *looked).unwrap_or(Looked { outage: 0, reason: 0, is_complete: false })
    }

    /// Everything at once: a server that lost one thing has in all likelihood lost them all.
    async fn create_all(&self) -> Result<(), BusError> {
        let _alone = self.creating.lock().await;
        self.create(&self.restorable(), Instant::now() + self.deadline).await
    }

    fn restorable(&self) -> Topology {
        let mut topology = self.own().clone();
        if self.enabled {
            topology.merge(&self.topology.lock().unwrap_or_else(PoisonError::into_inner));
        }
        topology
    }

    /// As much of it as possible, though some of it may be refused.
    async fn create(&self, topology: &Topology, deadline: Instant) -> Result<(), BusError> {
        let topics = join_all(topology.topics.iter().map(|(name, retention)| self.topic(name, *retention, deadline))).await;
        let subscriptions = join_all(topology.subscriptions.iter().map(|(name, spec)| self.subscription(name, spec, deadline))).await;
        topics.into_iter().chain(subscriptions).collect()
    }

    async fn topic(&self, name: &TopicName, retention: Duration, deadline: Instant) -> Result<(), BusError> {
        if self.admin.create_topic(name, retention, deadline).await? {
            self.created.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        }
        Ok(())
    }

    async fn subscription(&self, name: &SubscriptionName, spec: &SubscriptionSpec, deadline: Instant) -> Result<(), BusError> {
        let mut is_new = self.admin.create_subscription(name, spec, deadline).await?;
        // A subscription outlives its topic but never hears of a new one by the same name.
        if !is_new && is_lost(self.admin.topic_of(name, deadline).await?.as_deref()) {
            self.admin.delete_subscription(name, deadline).await?;
            is_new = self.admin.create_subscription(name, spec, deadline).await?;
        }
        // At once, since nobody who looks again would see it.
        if is_new && self.own().subscriptions.contains_key(name) {
            tracing::warn!(subscription = %name, "a subscription of this process had vanished and was created again");
            self.restorations.send_modify(|times| *times += 1);
        }
        Ok(())
    }

    fn own(&self) -> MutexGuard<'_, Topology> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a subscription that reads this topic will never hear anything again.
fn is_lost(topic: Option<&str>) -> bool {
    topic.is_none_or(|topic| topic == DELETED_TOPIC)
}

use std::{sync::Arc, time::Duration};

use service::{Component, Metrics, State};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    Abandoned, BusError, BusSettings, ConsumeOptions, Consumer, InstanceSubscription, Message, Names, PublishError, SeekBack,
    SubscriptionName, TopicName, Topology, clients::Endpoint, ensure::Declared, garbage, link::Link, metrics::BusMetrics,
    publish::PublishQueue,
};

/// This process's way to Pub/Sub. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Bus(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: BusSettings,
    names: Names,
    link: Arc<Link>,
    declared: Arc<Declared>,
    queue: Arc<PublishQueue>,
    metrics: BusMetrics,
    end: CancellationToken,
    _end_on_drop: DropGuard,
}

impl Bus {
    /// Builds the clients and begins to watch the server, without waiting for it: it may be away, now and later.
    ///
    /// # Errors
    /// When there is no project, or endpoint or credentials cannot be used at all.
    pub async fn connect(settings: &BusSettings, metrics: &Metrics) -> Result<Self, BusError> {
        let names = settings.names()?;
        let metrics = BusMetrics::new(metrics);
        let endpoint = Endpoint::new(settings)?;
        let clients = endpoint.connect().await?;
        let link = Arc::new(Link::new(endpoint, clients, metrics.clone()));
        let declared =
            Arc::new(Declared::new(Arc::clone(&link), Topology::new(&names), settings.ensures_topology(), settings.pubsub_ensure_deadline));
        let queue = Arc::new(PublishQueue::new(
            Arc::clone(&link),
            Arc::clone(&declared),
            settings.publish_queue,
            settings.publish_deadline,
            metrics.clone(),
        ));
        let end = CancellationToken::new();
        tokio::spawn(Arc::clone(&link).watch(names.events(), settings.pubsub_probe_interval, end.clone()));
        tokio::spawn(Arc::clone(&declared).keep(end.clone()));
        let settings = settings.clone();
        let _end_on_drop = end.clone().drop_guard();
        Ok(Self(Arc::new(Inner { settings, names, link, declared, queue, metrics, end, _end_on_drop })))
    }

    /// The names of everything that this installation has on Pub/Sub.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.0.names
    }

    /// Whether the server is there: [`State::Up`] until shown otherwise, then as last seen; an outage and a return show within seconds.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<State> {
        self.0.link.state()
    }

    /// Keeps a component of the process's health at [`Self::status`], for as long as the bus lives.
    pub fn report(&self, component: Component) {
        let (mut status, end) = (self.status(), self.0.end.clone());
        tokio::spawn(end.run_until_cancelled_owned(async move {
            loop {
                component.set(*status.borrow_and_update());
                if status.changed().await.is_err() {
                    return;
                }
            }
        }));
    }

    /// Creates what is missing of the topology, as often and by as many processes as you like. What exists is left as it is.
    ///
    /// Waits for a server that is not there yet, up to the setting's deadline. Where the settings leave the topology to the operator,
    /// it does nothing. What was asked for once is created again when it vanishes.
    ///
    /// # Errors
    /// [`BusError::Unreachable`] when the deadline passes, [`BusError::Refused`] when the server says no.
    pub async fn ensure(&self, topology: Topology) -> Result<(), BusError> {
        self.0.declared.ensure(&topology).await
    }

    /// [`Self::ensure`] for those who have nothing to do without it: tries until it works, and says once that it does not yet.
    ///
    /// Begin to consume after this: a stream that is opened too early is told that there is no such subscription. Cancellation safe.
    pub async fn ensured(&self, topology: Topology) {
        self.0.declared.ensured(&topology).await;
    }

    /// [`Self::ensured`] for those who must not wait: goes on in the background, until it works or the bus is gone. Nothing is published
    /// before, where the settings allow to create.
    pub fn ensure_eventually(&self, topology: &Topology) {
        self.0.declared.declare(topology);
    }

    /// Publishes within the setting's deadline, retries included, and returns the server's id of the message.
    ///
    /// The current span becomes the trace context that the message carries.
    /// While the server is known to be away this refuses at once. Cancelling does not recall the message.
    ///
    /// # Errors
    /// See [`PublishError`]; every way to fail has its name.
    pub async fn publish(&self, topic: &TopicName, message: Message) -> Result<String, PublishError> {
        self.0.queue.publish(topic, message).await
    }

    /// Waits until every publish so far is confirmed or given up, and tells whether that took no longer than `budget`.
    pub async fn flush(&self, budget: Duration) -> bool {
        self.0.queue.flush(budget).await
    }

    /// Takes deliveries from a subscription; it need not exist yet.
    #[must_use]
    pub fn consume(&self, subscription: &SubscriptionName, options: ConsumeOptions) -> Consumer {
        let inner = &self.0;
        Consumer::start(
            Arc::clone(&inner.link),
            Arc::clone(&inner.declared),
            inner.metrics.clone(),
            subscription.clone(),
            options,
            &inner.settings,
        )
    }

    /// Creates a subscription for this process alone; the topic must exist. `instance` should be unique among processes, past ones included;
    /// if it is not, the subscription gets another name, so that no two processes ever share one.
    ///
    /// # Errors
    /// When the server does not answer within the setting's deadline (as for [`Self::ensure`]), or refuses.
    pub async fn instance_subscription(&self, topic: &TopicName, instance: &str, back: SeekBack) -> Result<InstanceSubscription, BusError> {
        let inner = &self.0;
        InstanceSubscription::create(&inner.link, &inner.declared, &inner.names, topic, instance, back, &inner.settings).await
    }

    /// The instance subscriptions of this installation whose process has not said for `idle` that it is alive; by name.
    ///
    /// Never shared ones, nor those of other installations. `idle` must be several times the interval at which processes say so.
    ///
    /// # Errors
    /// When the server does not answer within the setting's deadline (as for [`Self::ensure`]), or refuses.
    pub async fn abandoned(&self, idle: Duration) -> Result<Vec<Abandoned>, BusError> {
        let inner = &self.0;
        garbage::abandoned(inner.declared.admin(), &inner.names, idle, inner.settings.pubsub_ensure_deadline).await
    }

    /// Deletes one of [`Self::abandoned`]; that it is gone already is fine.
    ///
    /// # Errors
    /// As for [`Self::abandoned`].
    pub async fn delete_abandoned(&self, abandoned: &Abandoned) -> Result<(), BusError> {
        self.0.declared.admin().delete_subscription(&abandoned.name, Instant::now() + self.0.settings.pubsub_ensure_deadline).await
    }

    /// Waits until the server is there, and tells whether that took no longer than `budget`.
    pub async fn wait_up(&self, budget: Duration) -> bool {
        timeout(budget, self.status().wait_for(|state| *state == State::Up)).await.is_ok_and(|up| up.is_ok())
    }
}

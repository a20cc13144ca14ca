use std::{pin::pin, sync::Arc, time::Duration};

use bus::{Bus, ConsumeOptions, Consumer, Delivery, InstanceSubscription, Rewound, SeekBack, Topology};
use cache::{Cache, PerishableEvents};
use futures::{FutureExt, future::Fuse};
use service::State;
use shared::{EventMessage, client::HistoryState};
use tokio::time::{Instant, interval, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::{
    announcer::Announcer,
    attention::{Attention, EDGE},
    backlog::WarmUp,
    ledger::Ledger,
    pubsub_clock::PubsubClock,
    wire::Urgency,
};
use crate::{history::Since, metrics::GatewayMetrics};

/// How far back a new gateway looks: as far as the topic keeps.
const LOOK_BACK: Duration = Topology::RETENTION;
/// Silence that long after some of the backlog means that it has been delivered.
const QUIET: Duration = Duration::from_millis(250);
/// Silence that long from the beginning means that there is no backlog: the stream has to open first.
const NOTHING: Duration = Duration::from_millis(750);
/// The pause before another attempt to subscribe.
const RETRY: Duration = Duration::from_secs(1);
/// How often the history is tidied, and looked at whether anything can have been missed.
const TIDY: Duration = Duration::from_secs(1);

/// Brings events to this gateway's clients, for as long as the gateway lives.
pub(crate) struct Relay {
    pub(crate) bus: Bus,
    pub(crate) cache: Cache,
    pub(crate) instance: String,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) announcer: Arc<Announcer>,
    pub(crate) warm_up: WarmUp,
    pub(crate) clock: Arc<PubsubClock>,
    pub(crate) metrics: GatewayMetrics,
}

impl Relay {
    /// Runs until `stop`, then gives the subscription back within `budget()`.
    pub(crate) async fn run(self, stop: CancellationToken, budget: impl Fn() -> Duration) {
        let mut perishable = self.cache.events();
        let Some(subscription) = stop.run_until_cancelled(self.subscribe(&mut perishable)).await else { return };
        let consumer = self.bus.consume(subscription.name(), ConsumeOptions::default());
        self.relay(consumer, &mut perishable, &subscription, &stop).await;
        // Nobody else gets what is left, so there is nothing to hand back.
        let name = subscription.name().clone();
        match subscription.delete(budget()).await {
            Ok(()) => debug!(subscription = %name, "deleted the events subscription"),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                warn!(subscription = %name, error, "the events subscription stays behind until it expires");
            }
        }
    }

    /// Subscribes, however long Pub/Sub is away. What comes by Redis is passed on meanwhile.
    async fn subscribe(&self, perishable: &mut PerishableEvents) -> InstanceSubscription {
        let subscribed = async {
            let topic = self.bus.names().events();
            self.bus.ensured(Topology::new(self.bus.names()).events()).await;
            let mut is_reported = false;
            loop {
                match self.bus.instance_subscription(&topic, &self.instance, SeekBack(Some(LOOK_BACK))).await {
                    Ok(subscription) => break subscription,
                    Err(error) if is_reported => debug!(error = &error as &dyn std::error::Error, "still not subscribed"),
                    Err(error) => warn!(error = &error as &dyn std::error::Error, "cannot subscribe to events yet; trying until it works"),
                }
                is_reported = true;
                sleep(RETRY).await;
            }
        };
        tokio::pin!(subscribed);
        loop {
            tokio::select! {
                subscription = &mut subscribed => return self.subscribed(subscription),
                message = perishable.next() => self.hear(message).await,
            }
        }
    }

    fn subscribed(&self, subscription: InstanceSubscription) -> InstanceSubscription {
        info!(subscription = %subscription.name(), rewound = ?subscription.rewound(), "subscribed to events");
        match subscription.rewound() {
            Rewound::To(since) => {
                self.ledger.listen_since(since + EDGE);
                if !subscription.may_have_backlog() {
                    self.warm_up.finish(HistoryState::Warm);
                }
            }
            // Jobs may have been accepted, and have ended, before there was a subscription.
            Rewound::No | Rewound::Impossible => {
                self.ledger.lose_track();
                self.warm_up.finish(HistoryState::Cold);
            }
        }
        subscription
    }

    async fn relay(
        &self,
        mut consumer: Consumer,
        perishable: &mut PerishableEvents,
        subscription: &InstanceSubscription,
        stop: &CancellationToken,
    ) {
        let mut is_warming_up = subscription.may_have_backlog();
        let mut restored = consumer.restored();
        let mut looking = pin!(Fuse::terminated());
        let mut tidy = interval(TIDY);
        let (mut attention, pubsub) = (Attention::begin(), self.bus.status());
        let mut warm_at = Instant::now() + NOTHING;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                delivery = consumer.next() => match delivery {
                    Some(delivery) => {
                        if self.warm_up.is_backlog(delivery.published_at) {
                            warm_at = Instant::now() + QUIET;
                        }
                        self.pass_on(delivery).await;
                    }
                    None => return,
                },
                message = perishable.next() => self.hear(message).await,
                () = sleep_until(warm_at), if is_warming_up => {
                    is_warming_up = false;
                    self.warm_up.finish(HistoryState::Warm);
                }
                // The consumer lives, and so does the other end.
                Ok(()) = restored.changed() => {
                    self.ledger.lose_track();
                    looking.set(self.look_again(subscription).fuse());
                }
                () = &mut looking => {}
                _ = tidy.tick() => {
                    self.attend(&mut attention, *pubsub.borrow() == State::Up);
                    self.ledger.tidy();
                }
            }
        }
    }

    /// What Pub/Sub has thrown away meanwhile never comes.
    fn attend(&self, attention: &mut Attention, is_connected: bool) {
        if attention.is_lost(is_connected) {
            self.ledger.lose_track();
            if is_connected {
                warn!("events were not taken for longer than Pub/Sub keeps them; where unfinished jobs are is uncertain");
            }
        }
    }

    /// The subscription is a new one: what was published before that, it has to look for, and may not find.
    async fn look_again(&self, subscription: &InstanceSubscription) {
        while let Err(error) = subscription.rewind(LOOK_BACK).await {
            debug!(error = &error as &dyn std::error::Error, "cannot look for the events that were missed yet");
            sleep(RETRY).await;
        }
    }

    async fn pass_on(&self, delivery: Delivery) {
        let Delivery { message, message_id, published_at, lease, .. } = delivery;
        self.clock.observe(published_at, Instant::now().into_std());
        let is_backlog = self.warm_up.is_backlog(published_at);
        match EventMessage::parse(&message.attributes, message.body, &message_id, published_at) {
            Ok(EventMessage::Job(event)) => self.ledger.take(event, Since::Published(published_at)),
            Ok(EventMessage::Notification(notification)) if is_backlog => {
                // Those who are connected now were told by another gateway, or were not there.
                self.announcer.leave_out(&notification.id);
            }
            Ok(EventMessage::Notification(notification)) => self.announcer.announce(&notification, Urgency::Durable).await,
            Err(error) => {
                self.metrics.malformed_events.inc();
                warn!(message_id, %error, "a message on the events topic cannot be understood");
            }
        }
        lease.ack();
    }

    /// Takes what came by Redis.
    async fn hear(&self, message: EventMessage) {
        match message {
            EventMessage::Job(event) => self.ledger.take(event, Since::Now),
            EventMessage::Notification(notification) => self.announcer.announce(&notification, Urgency::Perishable).await,
        }
    }
}

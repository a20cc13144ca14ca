use std::time::Duration;

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
};
use service::Metrics;

use crate::{PublishError, SubscriptionName};

/// What the bus counts; the names are here and nowhere else.
#[derive(Debug, Clone)]
pub(crate) struct BusMetrics {
    publishes: Family<Publish, Counter>,
    publish_seconds: Histogram,
    in_flight: Gauge,
    up: Gauge,
    received: Family<Subscription, Counter>,
    redelivered: Family<Subscription, Counter>,
    settled: Family<Settled, Counter>,
    restarts: Family<Restart, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Publish {
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "the variants are label values")]
enum Outcome {
    ok,
    full,
    deadline,
    unavailable,
    topic_missing,
    rejected,
    refused,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Subscription {
    subscription: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Settled {
    subscription: String,
    how: How,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "the variants are label values")]
pub(crate) enum How {
    acked,
    handed_back,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Restart {
    subscription: String,
    reason: Reason,
}

/// Why a stream was built anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "the variants are label values")]
pub(crate) enum Reason {
    outage,
    silence,
    missing,
    error,
    end,
}

impl BusMetrics {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        metrics.register(|registry| {
            let new = Self {
                publishes: Family::default(),
                // 1 ms to 1 s: the deadline is 800 ms.
                publish_seconds: Histogram::new(exponential_buckets(0.001, 2.0, 11)),
                in_flight: Gauge::default(),
                up: Gauge::default(),
                received: Family::default(),
                redelivered: Family::default(),
                settled: Family::default(),
                restarts: Family::default(),
            };
            registry.register("bus_publishes", "Publishes, by outcome", new.publishes.clone());
            registry.register("bus_publish_seconds", "From publish to confirmation", new.publish_seconds.clone());
            registry.register("bus_publishes_in_flight", "Publishes not yet confirmed", new.in_flight.clone());
            registry.register("bus_up", "Whether Pub/Sub is thought to be there", new.up.clone());
            registry.register("bus_received", "Deliveries", new.received.clone());
            registry.register("bus_redelivered", "Deliveries that were not the message's first", new.redelivered.clone());
            registry.register("bus_settled", "What became of deliveries", new.settled.clone());
            registry.register("bus_stream_restarts", "Streams that were built anew, by reason", new.restarts.clone());
            new
        })
    }

    pub(crate) fn published<T>(&self, result: &Result<T, PublishError>, after: Duration) {
        let outcome = match result {
            Ok(_) => Outcome::ok,
            Err(PublishError::Full) => Outcome::full,
            Err(PublishError::Deadline) => Outcome::deadline,
            Err(PublishError::Unavailable) => Outcome::unavailable,
            Err(PublishError::TopicMissing) => Outcome::topic_missing,
            Err(PublishError::Rejected(_)) => Outcome::rejected,
            Err(PublishError::Refused(_)) => Outcome::refused,
        };
        self.publishes.get_or_create(&Publish { outcome }).inc();
        if result.is_ok() {
            self.publish_seconds.observe(after.as_secs_f64());
        }
    }

    pub(crate) fn in_flight(&self) -> &Gauge {
        &self.in_flight
    }

    pub(crate) fn up(&self, up: bool) {
        self.up.set(up.into());
    }

    pub(crate) fn received(&self, subscription: &SubscriptionName, redelivered: bool) {
        let label = Subscription { subscription: subscription.label().to_owned() };
        self.received.get_or_create(&label).inc();
        if redelivered {
            self.redelivered.get_or_create(&label).inc();
        }
    }

    /// A counter that a lease can hold on to.
    pub(crate) fn settled(&self, subscription: &SubscriptionName, how: How) -> Counter {
        self.settled.get_or_create_owned(&Settled { subscription: subscription.label().to_owned(), how })
    }

    pub(crate) fn restarted(&self, subscription: &SubscriptionName, reason: Reason) {
        self.restarts.get_or_create(&Restart { subscription: subscription.label().to_owned(), reason }).inc();
    }
}

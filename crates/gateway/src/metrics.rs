//! Every figure of the gateway, in one place.

use std::{borrow::Cow, time::Duration};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use shared::EventType;

/// The gateway's figures; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct GatewayMetrics {
    pub(crate) connections: Gauge,
    pub(crate) sockets: Gauge,
    handshakes: Family<Outcome, Counter>,
    submits: Family<Outcome, Counter>,
    submit_seconds: Histogram,
    events: Family<Event, Counter>,
    pub(crate) notifications: Counter,
    channel_messages: Family<Outcome, Counter>,
    pub(crate) malformed_events: Counter,
    pub(crate) messages_dropped: Counter,
    pub(crate) slow_clients_closed: Counter,
    pub(crate) expired_clients_closed: Counter,
    pub(crate) connections_refused: Counter,
    refusals: Family<Outcome, Counter>,
    pub(crate) history_evicted: Counter,
    pub(crate) history_jobs: Gauge,
    pub(crate) history_bytes: Gauge,
}

/// How a handshake ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// A client whose session token was good.
    Returning,
    /// A client without a session, or with one that is no longer good.
    New,
    /// A client whose user token was not good.
    Unauthorized,
}

/// What became of an event that reached the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relayed {
    /// Passed on to whoever is here.
    Delivered,
    /// Not newer than what was passed on before, or after the job's end.
    Stale,
    /// From before this gateway began: for the history only.
    Backlog,
    /// Waits for its submit's ack.
    Held,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: Cow<'static, str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Event {
    r#type: &'static str,
    outcome: &'static str,
}

impl GatewayMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix("gateway");
        let metrics = Self {
            connections: Gauge::default(),
            sockets: Gauge::default(),
            handshakes: Family::default(),
            submits: Family::default(),
            submit_seconds: Histogram::new([0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0]),
            events: Family::default(),
            notifications: Counter::default(),
            channel_messages: Family::default(),
            malformed_events: Counter::default(),
            messages_dropped: Counter::default(),
            slow_clients_closed: Counter::default(),
            expired_clients_closed: Counter::default(),
            connections_refused: Counter::default(),
            refusals: Family::default(),
            history_evicted: Counter::default(),
            history_jobs: Gauge::default(),
            history_bytes: Gauge::default(),
        };
        registry.register("connections", "Open TCP connections", metrics.connections.clone());
        registry.register("sockets", "Connected socket.io clients", metrics.sockets.clone());
        registry.register("handshakes", "Clients that asked to connect", metrics.handshakes.clone());
        registry.register("submits", "Submits by what they were answered with", metrics.submits.clone());
        registry.register_with_unit("submit", "From a submit to its answer", Unit::Seconds, metrics.submit_seconds.clone());
        registry.register("events", "Job events that reached the relay", metrics.events.clone());
        registry.register("notifications", "Notifications passed on", metrics.notifications.clone());
        registry.register("channel_messages", "Messages to channels by how far they went", metrics.channel_messages.clone());
        registry.register("malformed_events", "Messages on the events topic that nobody can read", metrics.malformed_events.clone());
        registry.register("messages_dropped", "Messages that found no room at slow clients", metrics.messages_dropped.clone());
        registry.register("slow_clients_closed", "Clients closed because a result found no room", metrics.slow_clients_closed.clone());
        registry.register("expired_clients_closed", "Clients closed because their token has ended", metrics.expired_clients_closed.clone());
        registry.register("connections_refused", "Connections above the limit", metrics.connections_refused.clone());
        registry.register("refusals", "Requests over sockets that were refused, by code", metrics.refusals.clone());
        registry.register("history_evicted", "Jobs forgotten before their time for want of room", metrics.history_evicted.clone());
        registry.register("history_jobs", "Jobs in the recent history", metrics.history_jobs.clone());
        registry.register_with_unit("history", "Size of the recent history", Unit::Bytes, metrics.history_bytes.clone());
        metrics
    }

    pub(crate) fn handshake(&self, outcome: Handshake) {
        let outcome = match outcome {
            Handshake::Returning => "returning",
            Handshake::New => "new",
            Handshake::Unauthorized => "unauthorized",
        };
        self.handshakes.get_or_create(&Outcome { outcome: outcome.into() }).inc();
    }

    /// `outcome` is `accepted`, `duplicate`, or the code of the refusal.
    pub(crate) fn submitted(&self, outcome: Cow<'static, str>, after: Duration) {
        self.submits.get_or_create(&Outcome { outcome }).inc();
        self.submit_seconds.observe(after.as_secs_f64());
    }

    pub(crate) fn refused(&self, code: Cow<'static, str>) {
        self.refusals.get_or_create(&Outcome { outcome: code }).inc();
    }

    /// `outcome` is the way that a channel's message went, or the code of the refusal.
    pub(crate) fn said(&self, outcome: Cow<'static, str>) {
        self.channel_messages.get_or_create(&Outcome { outcome }).inc();
    }

    pub(crate) fn relayed(&self, event_type: EventType, outcome: Relayed) {
        let outcome = match outcome {
            Relayed::Delivered => "delivered",
            Relayed::Stale => "stale",
            Relayed::Backlog => "backlog",
            Relayed::Held => "held",
        };
        self.events.get_or_create(&Event { r#type: event_type.as_str(), outcome }).inc();
    }
}

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue},
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// What Redis did for this process, and what it did not.
#[derive(Clone, Default)]
pub(crate) struct CacheMetrics {
    commands: Family<Labels, Counter>,
    dropped: Family<DropLabels, Counter>,
}

/// What was asked of Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Command {
    PublishEvent,
    RecordEvent,
    ReadHistory,
    Claim,
    Release,
    RecordCancellation,
    RecordTrial,
    ReadTrials,
    Allow,
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Outcome {
    Done,
    Refused,
    TimedOut,
    /// Every connection owes as many answers as it may.
    Full,
    Away,
}

/// Which bounded queue was full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Queue {
    /// Events and submits waiting to be written to the history.
    History,
    /// Perishable events waiting for the relay.
    Perishable,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    command: Command,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DropLabels {
    queue: Queue,
}

impl CacheMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("redis_commands", "Commands to Redis by what came of them", metrics.commands.clone());
        registry.register("redis_dropped_events", "Events dropped because a queue to or from Redis was full", metrics.dropped.clone());
        metrics
    }

    pub(crate) fn count(&self, command: Command, outcome: Outcome) {
        self.commands.get_or_create(&Labels { command, outcome }).inc();
    }

    pub(crate) fn full(&self, queue: Queue) {
        self.dropped.get_or_create(&DropLabels { queue }).inc();
    }
}

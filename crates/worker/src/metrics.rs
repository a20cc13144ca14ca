use std::time::Duration;

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use shared::Kind;

/// What workers count; the names are here and nowhere else.
#[derive(Debug, Clone)]
pub(crate) struct WorkerMetrics {
    jobs: Family<JobLabels, Counter>,
    attempts: Family<AttemptLabels, Counter>,
    attempt_seconds: Family<KindLabel, Histogram, fn() -> Histogram>,
    gauges: Family<StateLabels, Gauge>,
    incidents: Family<IncidentLabels, Counter>,
}

/// How a job left this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "the variants are label values")]
pub(crate) enum JobOutcome {
    succeeded,
    failed,
    cancelled,
    handed_back,
    dead_lettered,
}

/// How one run of a handler ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "the variants are label values")]
pub(crate) enum AttemptOutcome {
    succeeded,
    retryable,
    failed,
    timeout,
    panicked,
    cancelled,
    interrupted,
}

/// What a job that is here does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "the variants are label values")]
pub(crate) enum JobActivity {
    queued,
    running,
    waiting,
}

/// What happens beside the straight road.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "the variants are label values")]
pub(crate) enum Incident {
    /// A message for a job that runs here already, or has ended.
    duplicate,
    /// A hint that a later one overtook.
    hint_conflated,
    /// A hint that neither Redis nor Pub/Sub took.
    hint_lost,
    /// A terminal event that had to be published again.
    publish_repeated,
    /// A job that was run though an earlier delivery of it had come to nothing.
    trial,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobLabels {
    kind: String,
    outcome: JobOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    kind: String,
    outcome: AttemptOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    kind: String,
    state: JobActivity,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IncidentLabels {
    kind: String,
    incident: Incident,
}

/// Counts one job in for as long as it lives.
#[derive(Debug)]
pub(crate) struct Counted(Gauge);

impl WorkerMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        // 1 ms to 70 minutes in steps of four: attempts are anything from an echo to the longest timeout.
        let histogram: fn() -> Histogram = || Histogram::new(exponential_buckets(0.001, 4.0, 12));
        let metrics = Self {
            jobs: Family::default(),
            attempts: Family::default(),
            attempt_seconds: Family::new_with_constructor(histogram),
            gauges: Family::default(),
            incidents: Family::default(),
        };
        registry.register("worker_jobs", "Jobs that left this process, by outcome", metrics.jobs.clone());
        registry.register("worker_attempts", "Runs of handlers, by outcome", metrics.attempts.clone());
        registry.register("worker_attempt_seconds", "How long runs of handlers took", metrics.attempt_seconds.clone());
        registry.register("worker_jobs_here", "Jobs that are here, by what they do", metrics.gauges.clone());
        registry.register("worker_incidents", "What happened beside the straight road", metrics.incidents.clone());
        metrics
    }

    pub(crate) fn job(&self, kind: &Kind, outcome: JobOutcome) {
        self.jobs.get_or_create(&JobLabels { kind: kind.to_string(), outcome }).inc();
    }

    pub(crate) fn attempt(&self, kind: &Kind, outcome: AttemptOutcome, took: Duration) {
        self.attempts.get_or_create(&AttemptLabels { kind: kind.to_string(), outcome }).inc();
        self.attempt_seconds.get_or_create(&KindLabel { kind: kind.to_string() }).observe(took.as_secs_f64());
    }

    pub(crate) fn count_in(&self, kind: &Kind, state: JobActivity) -> Counted {
        let gauge = self.gauges.get_or_create_owned(&StateLabels { kind: kind.to_string(), state });
        gauge.inc();
        Counted(gauge)
    }

    pub(crate) fn incident(&self, kind: &Kind, incident: Incident) {
        self.incidents.get_or_create(&IncidentLabels { kind: kind.to_string(), incident }).inc();
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

use std::{sync::Arc, time::Duration};

use bus::Bus;
use cache::Cache;
use service::{Lifecycle, Process};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

use super::{docket::Docket, ledger::Ledger, past::Past, tombstones::Tombstones};
use crate::{WorkerSettings, backoff::Backoff, metrics::WorkerMetrics};

/// What all jobs of a process share.
pub(crate) struct Core {
    pub(crate) bus: Bus,
    pub(crate) cache: Cache,
    pub(crate) lifecycle: Lifecycle,
    /// This process's name among all, past ones included.
    pub(crate) instance: String,
    pub(crate) settings: WorkerSettings,
    pub(crate) metrics: WorkerMetrics,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) docket: Docket,
    pub(crate) past: Past,
    tombstones: Mutex<Tombstones>,
}

impl Core {
    /// What the end of a drain is kept free for: handing back, which takes a publish each, and closing the streams.
    const RESERVE: Duration = Duration::from_millis(2_500);

    /// What the process needs after its workers have left: flushing traces, ending its runtime.
    const MARGIN: Duration = Duration::from_millis(500);

    /// Between attempts at something that must be said while Pub/Sub is away.
    pub(crate) const INSIST: Backoff = Backoff { base: Duration::from_millis(200), most: Duration::from_secs(5) };

    pub(crate) fn new(process: &Process, bus: Bus, cache: Cache, settings: WorkerSettings) -> Arc<Self> {
        Arc::new(Self {
            bus,
            cache,
            lifecycle: process.lifecycle.clone(),
            instance: process.instance.clone(),
            settings,
            metrics: process.metrics.register(WorkerMetrics::register),
            ledger: Arc::default(),
            docket: Docket::new(),
            past: Past::new(),
            tombstones: Mutex::default(),
        })
    }

    /// Resolves when what still runs must be handed back: some time after the drain began. Cancellation safe.
    pub(crate) async fn time_is_up(&self) {
        self.lifecycle.draining().cancelled().await;
        let reserve = Self::RESERVE.min(self.lifecycle.budget() / 3);
        sleep(self.lifecycle.remaining().saturating_sub(reserve)).await;
    }

    /// What closing may take at most, so that a Pub/Sub that is away does not keep us until the process is ended by force.
    pub(crate) fn closing_time(&self) -> Duration {
        self.lifecycle.remaining().saturating_sub(Self::MARGIN)
    }

    /// Obeys a cancellation, now or when its job comes.
    pub(crate) async fn cancel(&self, cancellation: shared::Cancellation) {
        // In this order: a job enters the ledger before it looks for tombstones, so it is found by one or the other.
        self.tombstones.lock().await.add(cancellation.clone(), Instant::now());
        self.ledger.cancel(&cancellation);
    }

    /// Whether a job was cancelled before it came here.
    pub(crate) async fn is_cancelled(&self, job: &shared::JobMessage) -> bool {
        self.tombstones.lock().await.cover(job.id, &job.audience)
    }
}

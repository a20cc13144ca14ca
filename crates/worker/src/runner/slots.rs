use std::sync::Arc;

use shared::Kind;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::{Counted, JobActivity, WorkerMetrics};

/// How many jobs of one kind run at a time, and how many may wait for their next attempt beside them.
#[derive(Clone)]
pub(crate) struct Slots {
    kind: Kind,
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    metrics: WorkerMetrics,
}

/// A job's place; dropping it makes room.
pub(crate) struct Slot {
    _permit: OwnedSemaphorePermit,
    _counted: Counted,
}

impl Slots {
    pub(crate) fn new(kind: Kind, running: usize, waiting: usize, metrics: WorkerMetrics) -> Self {
        let semaphore = |places: usize| Arc::new(Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS)));
        Self { kind, running: semaphore(running), waiting: semaphore(waiting), metrics }
    }

    /// A place to run in, as soon as there is one. Cancellation safe; first come, first served.
    pub(crate) async fn running(&self) -> Slot {
        let _counted = self.metrics.count_in(&self.kind, JobActivity::queued);
        let permit = Arc::clone(&self.running).acquire_owned().await.expect("the semaphore is never closed");
        Slot { _permit: permit, _counted: self.metrics.count_in(&self.kind, JobActivity::running) }
    }

    /// A place to wait in; none if all are taken: then a pausing job keeps its place among the running.
    pub(crate) fn waiting(&self) -> Option<Slot> {
        let permit = Arc::clone(&self.waiting).try_acquire_owned().ok()?;
        Some(Slot { _permit: permit, _counted: self.metrics.count_in(&self.kind, JobActivity::waiting) })
    }
}

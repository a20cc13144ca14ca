use std::{sync::Arc, time::Duration};

use bus::{ConsumeOptions, Consumer};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{core::Core, intake::take_in, slots::Slots};
use crate::{registered::Registered, settings::KindLimits};

/// Where the jobs of one kind are taken in.
pub(crate) struct Station {
    pub(crate) core: Arc<Core>,
    pub(crate) registered: Registered,
    pub(crate) limits: KindLimits,
    pub(crate) slots: Slots,
    /// Fires when, in a drain, our stream is closed: what is handed back from now on is delivered elsewhere.
    pub(crate) stopped: CancellationToken,
}

/// For how long a lease is extended: the longest pause and the longest attempt, and some more.
pub(crate) const MAX_LEASE: Duration = Duration::from_mins(70);

/// Runs the jobs of one kind until the drain, then leaves within its budget.
pub(crate) async fn serve(core: Arc<Core>, registered: Registered) {
    let station = Arc::new(Station::new(core, registered));
    let core = &station.core;
    let mut consumer = core.bus.consume(&core.bus.names().job_subscription(&station.registered.kind), station.options());
    let running = TaskTracker::new();
    let KindLimits { concurrency, timeout, max_attempts, .. } = station.limits;
    tracing::info!(kind = %station.registered.kind, concurrency, ?timeout, max_attempts, "taking jobs");
    core.lifecycle.draining().run_until_cancelled(take_jobs(&station, &mut consumer, &running)).await;
    consumer.stop_pulling().await;
    station.stopped.cancel();
    running.close();
    tracing::info!(kind = %station.registered.kind, running = running.len(), "no longer taking jobs");
    // Each of them looks at the time by itself.
    running.wait().await;
    consumer.close(core.closing_time()).await;
}

/// Gives every delivery a task of its own; how many there can be is the server's business. May be dropped at any point.
async fn take_jobs(station: &Arc<Station>, consumer: &mut Consumer, running: &TaskTracker) {
    while let Some(delivery) = consumer.next().await {
        running.spawn(take_in(Arc::clone(station), delivery));
    }
}

impl Station {
    fn new(core: Arc<Core>, registered: Registered) -> Self {
        let limits = core.settings.limits(&registered.kind, registered.limits);
        let slots = Slots::new(registered.kind.clone(), limits.concurrency, limits.waiting, core.metrics.clone());
        Self { core, registered, limits, slots, stopped: CancellationToken::new() }
    }

    /// What waits for its next attempt must not keep as many others as may run from coming here.
    fn options(&self) -> ConsumeOptions {
        let most = self.limits.concurrency.saturating_add(self.limits.waiting);
        ConsumeOptions { max_messages: u16::try_from(most).unwrap_or(u16::MAX), max_lease: MAX_LEASE, ..ConsumeOptions::default() }
    }
}

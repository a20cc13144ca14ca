mod stream;
mod supervisor;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{
    BusSettings, Delivery, SubscriptionName,
    delivery::Counters,
    ensure::Declared,
    link::Link,
    metrics::{BusMetrics, How},
};
use supervisor::Supervisor;

/// How much of a subscription one process takes at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsumeOptions {
    /// Deliveries not yet settled; the server sends no more. At least 1.
    pub max_messages: u16,
    /// Bytes not yet settled; the server sends no more.
    pub max_bytes: u32,
    /// How long a delivery may be held before its lease is no longer extended.
    pub max_lease: Duration,
    /// How far ahead leases are extended, 10 to 600 s; `None` is the setting's.
    pub lease_extension: Option<Duration>,
}

impl Default for ConsumeOptions {
    fn default() -> Self {
        let hour = Duration::from_hours(1);
        Self { max_messages: 1_000, max_bytes: 100 << 20, max_lease: hour, lease_extension: None }
    }
}

/// The deliveries of one subscription, for as long as the process wants them.
///
/// It heals itself: a stream that fails, ends, or hangs is replaced, as is a subscription that vanished (where the settings allow).
/// To leave without loss: [`Self::stop_pulling`], finish or drop what is running, [`Self::close`].
/// Merely dropping it stops pulling too, but what it hands back may then wait out its lease.
#[derive(Debug)]
pub struct Consumer {
    deliveries: mpsc::Receiver<Delivery>,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
    stopped: CancellationToken,
    /// The streams of which some deliveries are still leased.
    leases: TaskTracker,
    restored: watch::Receiver<u64>,
}

/// How a consumer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// Every delivery is settled and the server knows.
    Clean,
    /// Some are not, or the server did not confirm in time: they will be delivered again when their leases run out.
    OutOfTime,
}

/// How long the server takes to notice that a stream is gone.
///
/// What is handed back sooner may be delivered into the dead stream, where it waits out its lease.
const SETTLE: Duration = Duration::from_millis(150);

impl Consumer {
    pub(crate) fn start(
        link: Arc<Link>,
        declared: Arc<Declared>,
        metrics: BusMetrics,
        subscription: SubscriptionName,
        options: ConsumeOptions,
        settings: &BusSettings,
    ) -> Self {
        let (sender, deliveries) = mpsc::channel(usize::from(options.max_messages.max(1)));
        let (stop, stopped, leases) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
        let counters =
            Counters { acked: metrics.settled(&subscription, How::acked), handed_back: metrics.settled(&subscription, How::handed_back) };
        let restored = declared.restored();
        let supervisor = Supervisor {
            link,
            declared,
            metrics,
            counters,
            subscription,
            options,
            lease_extension: options.lease_extension.unwrap_or(settings.pubsub_lease_extension),
            silence: settings.stream_silence(),
            deliveries: sender,
            stop: stop.clone(),
            leases: leases.clone(),
        };
        let guard = stopped.clone().drop_guard();
        tokio::spawn(async move {
            supervisor.run().await;
            drop(guard);
        });
        Self { deliveries, _stop_on_drop: stop.clone().drop_guard(), stop, stopped, leases, restored }
    }

    /// The next delivery; `None` only after [`Self::stop_pulling`]. Cancel-safe.
    pub async fn next(&mut self) -> Option<Delivery> {
        if self.stop.is_cancelled() { None } else { self.deliveries.recv().await }
    }

    /// Tells whenever a subscription of this process's own had vanished and was created again: what was published in between will not be
    /// delivered.
    #[must_use]
    pub fn restored(&self) -> watch::Receiver<u64> {
        self.restored.clone()
    }

    /// Stops taking deliveries and hands back at once those that [`Self::next`] has not yielded.
    ///
    /// What it has yielded stays leased and may be finished in peace. Once this returns, which takes about 150 ms and needs no server,
    /// anything else handed back starts elsewhere at once too; before, it might be delivered into our own dead stream.
    pub async fn stop_pulling(&mut self) {
        if self.stop.is_cancelled() && self.deliveries.is_closed() && self.deliveries.is_empty() {
            return;
        }
        self.stop.cancel();
        self.stopped.cancelled().await;
        self.deliveries.close();
        let mut unstarted = Vec::new();
        while let Ok(delivery) = self.deliveries.try_recv() {
            unstarted.push(delivery);
        }
        sleep(SETTLE).await;
        drop(unstarted);
    }

    /// Stops pulling, then waits until every delivery that was yielded is settled and the server knows.
    ///
    /// Settling them is the caller's business: one that is neither settled nor dropped keeps this waiting for the whole budget.
    pub async fn close(mut self, budget: Duration) -> Closed {
        let closing = async {
            self.stop_pulling().await;
            self.leases.close();
            self.leases.wait().await;
        };
        if timeout(budget, closing).await.is_ok() { Closed::Clean } else { Closed::OutOfTime }
    }
}

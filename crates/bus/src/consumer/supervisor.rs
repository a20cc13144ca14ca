use std::{error::Error, pin::pin, sync::Arc, time::Duration};

use tokio::{sync::mpsc, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    ConsumeOptions, SETTLE,
    stream::{Ended, Why},
};
use crate::{
    Delivery, SubscriptionName,
    delivery::Counters,
    ensure::Declared,
    error::is_missing,
    link::Link,
    metrics::{BusMetrics, Reason},
};

/// Keeps one stream open until it is told to stop.
pub(super) struct Supervisor {
    pub(super) link: Arc<Link>,
    pub(super) declared: Arc<Declared>,
    pub(super) metrics: BusMetrics,
    pub(super) counters: Counters,
    pub(super) subscription: SubscriptionName,
    pub(super) options: ConsumeOptions,
    pub(super) lease_extension: Duration,
    pub(super) silence: Duration,
    pub(super) deliveries: mpsc::Sender<Delivery>,
    pub(super) stop: CancellationToken,
    pub(super) leases: TaskTracker,
}

impl Supervisor {
    pub(super) async fn run(self) {
        let mut outages = self.link.outages();
        let mut trouble = Trouble::default();
        loop {
            outages.mark_unchanged();
            if self.stop.run_until_cancelled(self.link.up()).await.is_none() {
                return;
            }
            let pause = match self.link.endpoint().subscriber().await {
                Ok(subscriber) => {
                    let end = self.stop.child_token();
                    let mut stream = pin!(self.stream(&subscriber, &end));
                    let ended = tokio::select! {
                        ended = &mut stream => ended,
                        _ = outages.changed() => {
                            end.cancel();
                            stream.await
                        }
                    };
                    let pause = self.assess(&ended, &mut trouble).await;
                    self.leases.spawn(ended.settle(SETTLE, self.options.max_lease + self.lease_extension));
                    pause
                }
                Err(error) => {
                    trouble.report(&self.subscription, &error);
                    trouble.pause()
                }
            };
            if self.stop.run_until_cancelled(sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    /// Counts and reports the end, repairs what can be repaired, and says how long to wait before the next stream.
    async fn assess(&self, ended: &Ended, trouble: &mut Trouble) -> Duration {
        if ended.worked {
            *trouble = Trouble::default();
        }
        let (reason, restored) = match &ended.why {
            Why::Told if self.stop.is_cancelled() => return Duration::ZERO,
            Why::Told => (Reason::outage, true),
            Why::Silent => (Reason::silence, true),
            Why::Closed => (Reason::end, false),
            Why::Failed(error) if is_missing(error) => {
                trouble.report(&self.subscription, error);
                let restoring = self.declared.restore_subscription(&self.subscription);
                (Reason::missing, self.stop.run_until_cancelled(restoring).await.unwrap_or(false))
            }
            Why::Failed(error) => {
                trouble.report(&self.subscription, error);
                (Reason::error, false)
            }
        };
        self.metrics.restarted(&self.subscription, reason);
        if restored { Duration::ZERO } else { trouble.pause() }
    }
}

/// What went wrong since a stream last brought something.
#[derive(Default)]
struct Trouble {
    reported: Option<String>,
    pause: Duration,
}

impl Trouble {
    const LEAST: Duration = Duration::from_millis(50);
    const MOST: Duration = Duration::from_secs(2);

    /// Once, however often it happens.
    fn report(&mut self, subscription: &SubscriptionName, error: &(dyn Error + 'static)) {
        let text = error.to_string();
        if self.reported.as_ref() != Some(&text) {
            tracing::warn!(%subscription, error, "the stream failed; opening another until one works");
            self.reported = Some(text);
        }
    }

    fn pause(&mut self) -> Duration {
        self.pause = (self.pause * 2).clamp(Self::LEAST, Self::MOST);
        self.pause
    }
}

use std::{convert::Infallible, sync::Arc};

use bus::PublishError;
use cache::Published;
use shared::{ErrorCode, EventType, JobEvent, JobMessage, Payload, Timestamp, WireError, seq::seq};
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    core::Core,
    hints::{Hint, Latest, Pace},
};
use crate::metrics::Incident;

/// Tells a job's audience what happens, in ascending numbers.
pub(crate) struct Reporter {
    core: Arc<Core>,
    job: Arc<JobMessage>,
    delivery: u32,
    step: u32,
    pace: Pace,
}

/// How a job ends.
#[derive(Debug, Clone)]
pub(crate) struct End {
    pub(crate) event_type: EventType,
    pub(crate) attempt: u32,
    pub(crate) data: Option<Payload>,
    pub(crate) error: Option<WireError>,
}

impl Reporter {
    /// `delivery` counts all of the job's deliveries, under whatever message.
    pub(crate) fn new(core: Arc<Core>, job: Arc<JobMessage>, delivery: u32) -> Self {
        Self { core, job, delivery, step: 0, pace: Pace::starting(Instant::now()) }
    }

    /// Passes hints on as they come, conflating what comes too fast: by Redis if it is up, otherwise by Pub/Sub.
    ///
    /// Numbers are given here and not where hints are made, so that only what is sent uses them up. Cancellation safe:
    /// at worst a hint is lost or a number left out.
    pub(crate) async fn pass_on(&mut self, latest: &Latest) -> Infallible {
        loop {
            latest.waiting().await;
            sleep_until(self.pace.redis()).await;
            let Some(hint) = latest.take() else { continue };
            let event = self.event(hint.clone());
            if self.core.cache.publish_event(&event).await == Published::Redis {
                self.pace.went_by_redis(Instant::now());
                continue;
            }
            let event = if Instant::now() < self.pace.pubsub() {
                latest.put_back(hint);
                sleep_until(self.pace.pubsub()).await;
                let Some(later) = latest.take() else { continue };
                self.event(later)
            } else {
                event
            };
            if self.publish(&event).await.is_err() {
                self.core.metrics.incident(&self.job.kind, Incident::hint_lost);
            }
            self.pace.went_by_pubsub(Instant::now());
        }
    }

    /// Publishes the end until it is confirmed, however long Pub/Sub is away; none if the time of the drain is up first.
    /// What is confirmed goes into Redis' history, which outlives every gateway's.
    ///
    /// An end that Pub/Sub will never take is replaced by one that it can.
    pub(crate) async fn announce(&self, mut event: JobEvent) -> Option<JobEvent> {
        let core = Arc::clone(&self.core);
        let mut attempt = 0;
        loop {
            let Err(error) = self.publish(&event).await else {
                core.cache.record(&event);
                return Some(event);
            };
            attempt += 1;
            core.metrics.incident(&self.job.kind, Incident::publish_repeated);
            if let PublishError::Rejected(reason) = &error {
                tracing::error!(job = %self.job.id, %reason, "Pub/Sub will not take the job's terminal event");
                event.event_type = EventType::Failed;
                event.data = None;
                event.error = Some(ErrorCode::Internal.error("the result could not be delivered"));
            } else if attempt == 1 {
                tracing::warn!(job = %self.job.id, %error, "the job's terminal event is not confirmed yet; trying until it is");
            }
            tokio::select! {
                () = sleep(Core::INSIST.pause(attempt)) => {}
                () = core.time_is_up() => return None,
            }
        }
    }

    async fn publish(&self, event: &JobEvent) -> Result<(), PublishError> {
        let bus = &self.core.bus;
        bus.publish(&bus.names().events(), event.to_message().into()).await.map(drop)
    }

    /// The next event, with its number.
    pub(crate) fn event(&mut self, hint: Hint) -> JobEvent {
        let number = seq(self.delivery, self.step);
        self.step = self.step.saturating_add(1);
        JobEvent {
            job_id: self.job.id,
            kind: self.job.kind.clone(),
            audience: self.job.audience.clone(),
            seq: number,
            attempt: hint.attempt,
            event_type: hint.event_type,
            at: Timestamp::now(),
            data: hint.data,
            error: hint.error,
        }
    }
}

impl From<End> for Hint {
    fn from(end: End) -> Self {
        Self { event_type: end.event_type, attempt: end.attempt, data: end.data, error: end.error }
    }
}

use std::time::Duration;

use bus::{Bus, ConsumeOptions, Delivery, PublishError, Topology};
use cache::Cache;
use service::{Lifecycle, Process};
use shared::JobEvent;
use tokio::time::sleep;
use tracing::{Instrument, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::DeadLetter;

/// Tells the clients of jobs that nobody could process.
pub struct DeadLetterWorker {
    bus: Bus,
    cache: Cache,
    lifecycle: Lifecycle,
}

/// How much of a body is logged: collectors cut or refuse lines above 256 KB. The archive has all of it.
const LOGGED_BYTES: usize = 128 << 10;
/// Between attempts to tell a client while Pub/Sub is away.
const INSIST: Duration = Duration::from_secs(1);

/// What the process needs after this worker has left: flushing traces, ending its runtime.
const MARGIN: Duration = Duration::from_millis(500);

impl DeadLetterWorker {
    /// A worker that does not run yet.
    #[must_use]
    pub fn new(process: &Process, bus: Bus, cache: Cache) -> Self {
        Self { bus, cache, lifecycle: process.lifecycle.clone() }
    }

    /// Takes dead letters until the drain, then leaves well within its budget. Pub/Sub may be away, now or later.
    pub async fn run(self) {
        let names = self.bus.names();
        let draining = self.lifecycle.draining();
        if draining.run_until_cancelled(self.bus.ensured(Topology::new(names).dead_letter().events())).await.is_none() {
            return;
        }
        let options = ConsumeOptions { max_messages: 16, ..ConsumeOptions::default() };
        let mut consumer = self.bus.consume(&names.dead_letter_subscription(), options);
        tracing::info!("taking dead letters");
        while let Some(Some(delivery)) = draining.run_until_cancelled(consumer.next()).await {
            // One that is not told in time is handed back by being dropped.
            let Some(lease) = draining.run_until_cancelled(self.tell(delivery)).await else { break };
            lease.ack();
        }
        consumer.close(self.lifecycle.remaining().saturating_sub(MARGIN)).await;
    }

    /// Logs a letter and tells whoever waits, until that is confirmed. What nobody can be told is told to the log only.
    async fn tell(&self, delivery: Delivery) -> bus::Lease {
        let letter = DeadLetter::read(&delivery, self.bus.names());
        log(&letter);
        if let Some(event) = letter.event() {
            let span = info_span!("dead letter", otel.kind = "consumer", message = letter.message_id);
            // Fails where nothing records traces, which is not our business.
            let _ = span.set_parent(delivery.span_context());
            self.publish(&event).instrument(span).await;
        }
        delivery.lease
    }

    async fn publish(&self, event: &JobEvent) {
        let mut is_reported = false;
        loop {
            match self.bus.publish(&self.bus.names().events(), event.to_message().into()).await {
                Ok(_) => return self.cache.record(event),
                Err(PublishError::Rejected(reason)) => {
                    tracing::error!(job = %event.job_id, %reason, "Pub/Sub will not take the end of a dead-lettered job");
                    return;
                }
                Err(error) if is_reported => tracing::debug!(job = %event.job_id, %error, "still not confirmed"),
                Err(error) => {
                    tracing::warn!(job = %event.job_id, %error, "the end of a dead-lettered job is not confirmed yet; trying until it is");
                    is_reported = true;
                }
            }
            sleep(INSIST).await;
        }
    }
}

fn log(letter: &DeadLetter) {
    let mut body = letter.readable_body();
    body.truncate(body.floor_char_boundary(LOGGED_BYTES));
    let attributes = serde_json::to_string(&letter.attributes).unwrap_or_default();
    tracing::error!(
        message = letter.message_id,
        job = letter.job_id.map(tracing::field::display),
        kind = letter.kind.as_ref().map(tracing::field::display),
        deliveries = letter.deliveries,
        reason = letter.reason,
        attributes,
        bytes = letter.body.len(),
        body,
        "nobody could process this message"
    );
}

use std::time::Duration;

use shared::{Payload, PayloadError};
use worker::{Job, JobError, JobHandle};

use crate::{Delivered, Sender, Webhook, WebhookError};

/// What is left of the attempt's time to report that there was no answer.
const TO_REPORT: Duration = Duration::from_millis(200);

impl Job for Webhook {
    const KIND: &'static str = "webhook";
    type Context = Sender;
    type Output = Delivered;
    const TIMEOUT: Duration = Duration::from_mins(1);
    /// With pauses that double from a second, that is about two minutes of trying.
    const MAX_ATTEMPTS: u32 = 8;
    /// They wait for others most of the time.
    const CONCURRENCY: usize = 64;

    fn decode(payload: &Payload) -> Result<Self, PayloadError> {
        Self::from_payload(payload)
    }

    async fn run(self, job: &JobHandle, sender: &Sender) -> Result<Delivered, JobError> {
        tokio::select! {
            // What has arrived has arrived, also when the job is cancelled at the same moment.
            biased;
            delivered = self.deliver(job, sender) => delivered.map_err(failed),
            () = job.cancelled() => Err(JobError::retry("stopped before the receiver answered")),
        }
    }
}

impl Webhook {
    async fn deliver(self, job: &JobHandle, sender: &Sender) -> Result<Delivered, WebhookError> {
        let patience = self.timeout(sender.timeout)?.min(job.remaining().saturating_sub(TO_REPORT));
        let letter = self.into_letter(job.id().to_string())?;
        let answer = sender.deliver(&letter, patience).await?;
        Ok(Delivered {
            status: answer.status.as_u16(),
            attempt: job.attempt(),
            duration_ms: answer.duration.as_millis().try_into().unwrap_or(u64::MAX),
            response_preview: answer.preview,
        })
    }
}

fn failed(error: WebhookError) -> JobError {
    let (code, message) = (error.code(), error.to_string());
    match error {
        WebhookError::Unavailable { retry_after: Some(pause), .. } => JobError::retry_after(pause, message).with_code(code),
        error if error.is_passing() => JobError::retry(message).with_code(code),
        _ => JobError::fail(code, message),
    }
}

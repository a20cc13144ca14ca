use std::{convert::Infallible, time::Duration};

use cache::Claim;
use shared::{JobEvent, JobMessage};
use tokio::time::sleep;

use super::core::Core;

/// How long a claim outlives a worker that was killed: less than the lease of its messages, so that nobody waits for it.
const TTL: Duration = Duration::from_secs(9);
/// Renewals must come well before the end of the claim, and survive one that fails.
const RENEWAL: Duration = Duration::from_secs(3);
/// Between two questions whether another worker is done with a job.
const POLL: Duration = Duration::from_millis(500);

/// Whether another worker runs the job, as far as Redis can tell; if not, others will be told that we do.
///
/// Obeys on the way who has cancelled the job, perhaps so long ago that the control topic has forgotten.
pub(crate) async fn is_taken(core: &Core, job: &JobMessage) -> bool {
    // Boxed: a conversation with Redis is large, and every job would carry it for its whole life.
    match Box::pin(core.cache.claim(job.id, &core.instance, TTL)).await {
        Claim::Won | Claim::Unknown => false,
        Claim::Held => true,
        Claim::Cancelled(cancellations) => {
            for cancellation in cancellations {
                core.cancel(cancellation).await;
            }
            false
        }
    }
}

/// Waits until no other worker runs the job.
pub(crate) async fn free(core: &Core, job: &JobMessage) {
    tracing::info!(job = %job.id, kind = %job.kind, "another worker runs this job: waiting for it");
    while is_taken(core, job).await {
        sleep(POLL).await;
    }
}

/// Keeps the claim for as long as it is polled.
pub(crate) async fn keep(core: &Core, job: &JobMessage) -> Infallible {
    loop {
        sleep(RENEWAL).await;
        // Lost or unknown: the job goes on, and the gateways drop what comes twice.
        let _ = is_taken(core, job).await;
    }
}

/// Lets others run the job.
pub(crate) async fn release(core: &Core, job: &JobMessage) {
    Box::pin(core.cache.release(job.id, &core.instance)).await;
}

/// How the job ended under an earlier delivery of this message, if Redis knows. Ends from before `first_seq` do not count:
/// a dead letter that is sent again shall run again.
pub(crate) async fn known_end(core: &Core, job: &JobMessage, first_seq: u64) -> Option<JobEvent> {
    let history = Box::pin(core.cache.history(job.id, first_seq.saturating_sub(1))).await?;
    history.into_iter().rev().find(|event| event.event_type.is_terminal() && event.audience == job.audience)
}

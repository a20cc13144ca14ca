//! Tells jobs that kill their worker from those that merely were near.
//!
//! A delivery that is not its message's first is a suspect: an earlier one came to nothing, perhaps because its process died.
//! That alone condemns nobody, since hand-backs count as deliveries, and so do deaths that a neighbour caused. So before a
//! suspect starts, a [`Trial`] is published and confirmed; if the process dies of it, the trial is what its successors know.
//!
//! - No trial is known: it runs beside others. Most processes that die do so with their machine, and what they ran should not queue.
//! - One is known: that process died as well. It runs in the dock, alone among the suspects of its process; other jobs go on.
//! - Two are known, one of them in the dock: it is not run again. With the delivery before the first trial that makes three deaths.
//!
//! A suspect that ends is acknowledged, and one that is handed back alive goes on in a new message: nothing is held against either.
//! Where a new worker cannot look back (no Redis, and a server that cannot seek, as Google's emulator), it hears of trials from the
//! living; a lone worker that is restarted has nobody to hear from, and only the bound on deliveries holds.

use std::collections::HashMap;

use bus::PublishError;
use shared::{JobMessage, Trial};
use tokio::time::sleep;

use super::core::Core;

/// What is held against a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing: it is its message's first.
    Innocent,
    /// An earlier delivery came to nothing.
    Suspect,
    /// And a worker did not survive trying it again.
    Accused,
    /// Twice, and the second time nothing else was to blame.
    Condemned,
}

/// Why a condemned job is put aside.
pub(crate) const REASON: &str = "its worker died 3 times while running it";

/// How a delivery stands, as far as anybody remembers. Costs a message's first delivery nothing.
pub(crate) async fn standing(core: &Core, job: &JobMessage, message_id: &str, delivery_attempt: u32) -> Standing {
    if delivery_attempt < 2 {
        return Standing::Innocent;
    }
    judge(&known(core, job, message_id).await)
}

/// The trials of a message in other processes, by worker, and whether alone.
async fn known(core: &Core, job: &JobMessage, message_id: &str) -> HashMap<String, bool> {
    let mut trials = core.docket.trials(&job.kind, message_id);
    let remembered = Box::pin(core.cache.trials(&job.kind, message_id)).await.unwrap_or_default();
    trials.extend(remembered.into_iter().map(|trial| (trial.worker, trial.alone)));
    // What we tried ourselves we have survived.
    trials.remove(&core.instance);
    trials
}

fn judge(trials: &HashMap<String, bool>) -> Standing {
    match trials.len() {
        0 => Standing::Suspect,
        1 => Standing::Accused,
        _ if trials.values().any(|alone| *alone) => Standing::Condemned,
        _ => Standing::Accused,
    }
}

/// Says that a suspect is about to be run; returns when that is confirmed, however long Pub/Sub is away. Cancellation safe.
///
/// Says again what is known of it: so others hear all of it from the living, who cannot look back far enough, or not at all.
pub(crate) async fn record(core: &Core, job: &JobMessage, message_id: &str, standing: Standing) {
    let alone = standing == Standing::Accused;
    tracing::info!(job = %job.id, kind = %job.kind, alone, "an earlier delivery of this job came to nothing: noting that it is run again");
    let trial = |worker, alone| Trial { kind: job.kind.clone(), message_id: message_id.to_owned(), worker, alone };
    let ours = trial(core.instance.clone(), alone);
    Box::pin(core.cache.record_trial(&ours)).await;
    for (worker, alone) in known(core, job, message_id).await {
        publish(core, job, &trial(worker, alone)).await;
    }
    publish(core, job, &ours).await;
}

async fn publish(core: &Core, job: &JobMessage, trial: &Trial) {
    let mut attempt = 0;
    loop {
        match core.bus.publish(&core.bus.names().control(), trial.to_message().into()).await {
            Ok(_) => return,
            Err(PublishError::Rejected(reason)) => return tracing::error!(job = %job.id, %reason, "Pub/Sub will not take the job's trial"),
            Err(_) => attempt += 1,
        }
        sleep(Core::INSIST.pause(attempt)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(alone: &[bool]) -> Standing {
        judge(&alone.iter().enumerate().map(|(worker, alone)| (worker.to_string(), *alone)).collect())
    }

    #[test]
    fn only_who_was_tried_twice_and_once_alone_is_condemned() {
        assert_eq!(tried(&[]), Standing::Suspect);
        assert_eq!(tried(&[false]), Standing::Accused);
        assert_eq!(tried(&[true]), Standing::Accused);
        assert_eq!(tried(&[false, false]), Standing::Accused, "two who knew nothing of each other");
        assert_eq!(tried(&[false, true]), Standing::Condemned);
    }
}

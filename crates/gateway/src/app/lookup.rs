use std::time::Duration;

use futures::{StreamExt, stream};
use shared::{ErrorCode, JobId, WireError};

use super::App;
use crate::{history::JobRecord, identity::Caller};

/// How many jobs one client has looked up in Redis at a time.
const LOOKUPS: usize = 16;
/// How long a client that comes back waits for a gateway that has only just begun.
const WARM_UP_PATIENCE: Duration = Duration::from_secs(2);

impl App {
    /// What is known of a job, here or in Redis. What belongs to others is as unknown as what does not exist.
    pub(crate) async fn get(&self, caller: &Caller, id: JobId) -> Result<JobRecord, WireError> {
        caller.check_expiry()?;
        self.recall([id].into_iter()).await;
        let job = self.ledger.job(id).filter(|job| caller.is_among(&job.audience));
        job.ok_or_else(|| ErrorCode::NotFound.error("no such job, or too long ago"))
    }

    /// Takes from Redis what this gateway does not know of these jobs, or cannot be sure of.
    pub(crate) async fn recall(&self, ids: impl Iterator<Item = JobId>) {
        let is_uncertain = |id: &JobId| self.ledger.job(*id).is_none_or(|job| !job.is_certain);
        let mut uncertain = ids.filter(is_uncertain).collect::<Vec<_>>();
        if uncertain.is_empty() {
            return;
        }
        self.warm_up.done(WARM_UP_PATIENCE).await;
        uncertain.retain(is_uncertain);
        let stories = stream::iter(uncertain).map(|id| self.cache.story(id)).buffer_unordered(LOOKUPS);
        let remember = |story: Option<_>| {
            if let Some(story) = story {
                self.ledger.remember(story);
            }
            futures::future::ready(())
        };
        stories.for_each(remember).await;
    }
}

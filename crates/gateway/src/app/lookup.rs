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

    /// Takes from Redis what this gateway does not know of these jobs.
    pub(crate) async fn recall(&self, ids: impl Iterator<Item = JobId>) {
        let is_unknown = |id: &JobId| self.ledger.job(*id).is_none();
        let mut unknown = ids.filter(is_unknown).collect::<Vec<_>>();
        if unknown.is_empty() {
            return;
        }
        self.warm_up.done(WARM_UP_PATIENCE).await;
        unknown.retain(is_unknown);
        let histories = stream::iter(unknown).map(|id| self.cache.history(id, 0)).buffer_unordered(LOOKUPS);
        let remember = |history: Option<Vec<_>>| {
            history.into_iter().flatten().for_each(|event| self.ledger.remember(event));
            futures::future::ready(())
        };
        histories.for_each(remember).await;
    }
}

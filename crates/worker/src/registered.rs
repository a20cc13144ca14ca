use std::{future::Future, pin::Pin, sync::Arc};

use shared::{Kind, Payload};

use crate::{Job, JobError, JobHandle, settings::KindLimits};

/// A job type as the runner sees it: a name, limits, and a handler from payload to payload.
#[derive(Clone)]
pub(crate) struct Registered {
    pub(crate) kind: Kind,
    pub(crate) limits: KindLimits,
    handler: Handler,
}

type Handler = Arc<dyn Fn(Payload, JobHandle) -> Attempt + Send + Sync>;

/// One run of a handler.
pub(crate) type Attempt = Pin<Box<dyn Future<Output = Result<Payload, JobError>> + Send>>;

/// The code of a payload that is not what the job type expects.
pub(crate) const INVALID_PAYLOAD: &str = "invalid_payload";

impl Registered {
    /// # Panics
    /// When [`Job::KIND`] is not a kind's name: a mistake in the program, found at its start.
    pub(crate) fn new<J: Job>(context: Arc<J::Context>) -> Self {
        let kind = J::KIND.parse().unwrap_or_else(|error| panic!("`{}`: {error}", J::KIND));
        let limits =
            KindLimits { concurrency: J::CONCURRENCY, waiting: J::CONCURRENCY, timeout: J::TIMEOUT, max_attempts: J::MAX_ATTEMPTS };
        let handler = Arc::new(move |payload, handle| -> Attempt { Box::pin(run::<J>(payload, handle, Arc::clone(&context))) });
        Self { kind, limits, handler }
    }

    /// Begins an attempt; it runs when the future is polled.
    pub(crate) fn attempt(&self, payload: Payload, handle: JobHandle) -> Attempt {
        (self.handler)(payload, handle)
    }
}

async fn run<J: Job>(payload: Payload, handle: JobHandle, context: Arc<J::Context>) -> Result<Payload, JobError> {
    let job = J::decode(&payload).map_err(|error| JobError::fail(INVALID_PAYLOAD, error.to_string()))?;
    drop(payload);
    let output = job.run(&handle, &context).await?;
    J::encode(output).map_err(|error| JobError::fail("invalid_result", error.to_string()))
}

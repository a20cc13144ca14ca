use std::{future::Future, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use shared::{Payload, PayloadError};

use crate::{JobError, JobHandle};

/// A job type: the struct is the payload, [`Job::run`] does the work. A handler never sees Pub/Sub.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use worker::{Job, JobError, JobHandle};
///
/// #[derive(Deserialize)]
/// struct Greet { name: String }
///
/// #[derive(Serialize)]
/// struct Greeting { text: String }
///
/// impl Job for Greet {
///     const KIND: &'static str = "greet";
///     type Context = ();
///     type Output = Greeting;
///
///     async fn run(self, job: &JobHandle, _: &()) -> Result<Greeting, JobError> {
///         job.progress(0.5);
///         if self.name.is_empty() {
///             return Err(JobError::fail("nameless", "there is nobody to greet"));
///         }
///         Ok(Greeting { text: format!("Hello, {}!", self.name) })
///     }
/// }
/// ```
///
/// A job may run more than once, also after it succeeded: a machine can die between the work and its confirmation.
/// What a handler does to the outside must bear that, for instance by passing [`JobHandle::id`] on as an idempotency key.
pub trait Job: DeserializeOwned + Send + 'static {
    /// The kind's name: a lower-case letter, then up to 39 letters, digits and dashes.
    const KIND: &'static str;

    /// Resources that all jobs of this kind share, built once per process.
    type Context: Send + Sync + 'static;

    /// What the client gets as `data` of `succeeded`.
    type Output: Serialize + Send;

    /// How long one attempt may take, unless the message or a setting says otherwise; at most [`shared::limits::MAX_TIMEOUT`].
    const TIMEOUT: Duration = Duration::from_mins(5);

    /// How often the handler may run for one job, unless the message or a setting says otherwise; at most
    /// [`shared::limits::MAX_ATTEMPTS`].
    const MAX_ATTEMPTS: u32 = 5;

    /// How many jobs of this kind one process runs at a time, unless a setting says otherwise.
    const CONCURRENCY: usize = 16;

    /// Reads the payload. Override it to accept raw bytes.
    ///
    /// # Errors
    /// A payload of another form; the job then fails for good with the code `invalid_payload`.
    fn decode(payload: &Payload) -> Result<Self, PayloadError> {
        payload.decode()
    }

    /// Writes the result. Override it to return raw bytes.
    ///
    /// # Errors
    /// A result that has no wire form; the job then fails for good with the code `invalid_result`.
    fn encode(output: Self::Output) -> Result<Payload, PayloadError> {
        Payload::encode(&output)
    }

    /// Does the work: one attempt.
    ///
    /// The future is dropped at its next await when the time is up, when this process must leave, and when a cancelled
    /// handler does not return by itself; see [`JobHandle::cancelled`].
    fn run(self, job: &JobHandle, context: &Self::Context) -> impl Future<Output = Result<Self::Output, JobError>> + Send;
}

use std::{fmt, sync::Arc, time::Duration};

use serde::Serialize;
use shared::{JobId, Kind, Payload};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A handler's line to whoever waits for the job. Cheap to clone, also into closures for [`crate::cpu::run`].
#[derive(Clone)]
pub struct JobHandle(Arc<Inner>);

struct Inner {
    id: JobId,
    kind: Kind,
    attempt: u32,
    deadline: Instant,
    stop: CancellationToken,
    progress: Box<dyn Fn(Payload) + Send + Sync>,
}

/// The data of a `progress` event. What comes with it is merged if it has named fields, and under `data` otherwise.
#[derive(Serialize)]
struct Merged<'a, T> {
    progress: f32,
    #[serde(flatten)]
    data: &'a T,
}

#[derive(Serialize)]
struct Nested<'a, T> {
    progress: f32,
    data: &'a T,
}

impl JobHandle {
    pub(crate) fn new(
        id: JobId,
        kind: Kind,
        attempt: u32,
        deadline: Instant,
        stop: CancellationToken,
        progress: impl Fn(Payload) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner { id, kind, attempt, deadline, stop, progress: Box::new(progress) }))
    }

    /// The job's id: the same in every attempt, on every machine.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.0.id
    }

    /// The job's kind.
    #[must_use]
    pub fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// Which run of the handler this is, from 1. After a machine died it may count from 1 again.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// Tells how far the work is, 0 to 1.
    ///
    /// Never waits and may be called as often as one likes: what comes faster than it can be passed on is conflated,
    /// the latest winning.
    pub fn progress(&self, progress: f32) {
        self.progress_with(progress, ());
    }

    /// Tells how far the work is, with something to show: the fields of `data` arrive beside `progress`.
    pub fn progress_with(&self, progress: f32, data: impl Serialize) {
        let progress = if progress.is_nan() { 0.0 } else { progress.clamp(0.0, 1.0) };
        let payload = Payload::encode(&Merged { progress, data: &data }).or_else(|_| Payload::encode(&Nested { progress, data: &data }));
        match payload {
            Ok(payload) => (self.0.progress)(payload),
            Err(error) => tracing::warn!(job = %self.0.id, %error, "progress cannot be written"),
        }
    }

    /// Resolves when this attempt should stop: somebody cancelled the job, its time is up, or this process must leave.
    ///
    /// A cancelled handler has a few seconds (a setting) to tidy up and return; what it returns by then as an error
    /// does not matter, a success still counts. In the other cases its future is dropped at once. Cancellation safe.
    pub async fn cancelled(&self) {
        self.0.stop.cancelled().await;
    }

    /// Whether this attempt should stop; for loops that do not await.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.stop.is_cancelled()
    }

    /// What is left of this attempt's time.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.0.deadline.saturating_duration_since(Instant::now())
    }
}

impl fmt::Debug for JobHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobHandle").field("id", &self.0.id).field("kind", &self.0.kind).field("attempt", &self.0.attempt).finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::sync::Mutex;

    use super::*;

    fn reported(report: impl FnOnce(&JobHandle)) -> String {
        let said = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&said);
        let handle = JobHandle::new(JobId::new(), "echo".parse().unwrap(), 1, Instant::now(), CancellationToken::new(), move |payload| {
            sink.lock().unwrap().push(payload);
        });
        report(&handle);
        let said = said.lock().unwrap();
        assert_eq!(said.len(), 1);
        said[0].json().unwrap().get().to_owned()
    }

    #[test]
    fn progress_is_a_number_from_0_to_1() {
        assert_eq!(reported(|job| job.progress(0.5)), r#"{"progress":0.5}"#);
        assert_eq!(reported(|job| job.progress(7.0)), r#"{"progress":1.0}"#);
        assert_eq!(reported(|job| job.progress(f32::NAN)), r#"{"progress":0.0}"#);
    }

    #[test]
    fn what_comes_with_progress_stands_beside_it_if_it_has_names() {
        assert_eq!(reported(|job| job.progress_with(0.5, serde_json::json!({"page": 3}))), r#"{"progress":0.5,"page":3}"#);
        assert_eq!(reported(|job| job.progress_with(0.5, "page 3")), r#"{"progress":0.5,"data":"page 3"}"#);
    }
}

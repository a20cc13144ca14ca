//! Runs a handler by itself, for its author's tests.
//!
//! ```
//! # use serde::Deserialize;
//! # use worker::{Job, JobError, JobHandle};
//! # #[derive(Deserialize)]
//! # struct Double { number: u32 }
//! # impl Job for Double {
//! #     const KIND: &'static str = "double";
//! #     type Context = ();
//! #     type Output = u32;
//! #     async fn run(self, job: &JobHandle, _: &()) -> Result<u32, JobError> { job.progress(0.5); Ok(self.number * 2) }
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let run = worker::testing::run(Double { number: 21 }, &()).await;
//! assert_eq!(run.result, Ok(42));
//! assert_eq!(run.progress(), [0.5]);
//! # });
//! ```

use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use shared::{JobId, Payload};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{Job, JobError, JobHandle};

/// How to run a handler.
#[derive(Debug, Clone)]
pub struct Testing {
    attempt: u32,
    cancel: CancellationToken,
}

/// What a handler did.
#[derive(Debug)]
pub struct Run<T> {
    /// What it returned.
    pub result: Result<T, JobError>,
    /// The data of every progress event, in order; nothing is conflated here.
    pub reports: Vec<Payload>,
}

/// Runs a handler's first attempt.
pub async fn run<J: Job>(job: J, context: &J::Context) -> Run<J::Output> {
    Testing::default().run(job, context).await
}

/// Runs a handler's first attempt from payload to payload, as it travels.
pub async fn run_payload<J: Job>(payload: &Payload, context: &J::Context) -> Result<Payload, JobError> {
    let job = J::decode(payload)?;
    Ok(J::encode(run(job, context).await.result?)?)
}

impl Default for Testing {
    fn default() -> Self {
        Self { attempt: 1, cancel: CancellationToken::new() }
    }
}

impl Testing {
    /// As the `attempt`th run of the handler, from 1.
    #[must_use]
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// With a token that tells the handler to stop when it fires.
    #[must_use]
    pub fn cancelled_by(mut self, token: CancellationToken) -> Self {
        self.cancel = token;
        self
    }

    /// Runs one attempt of the handler.
    ///
    /// # Panics
    /// When the handler does, or when [`Job::KIND`] is no kind's name.
    pub async fn run<J: Job>(self, job: J, context: &J::Context) -> Run<J::Output> {
        let reports = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&reports);
        let kind = J::KIND.parse().unwrap_or_else(|error| panic!("`{}`: {error}", J::KIND));
        let handle = JobHandle::new(JobId::new(), kind, self.attempt, Instant::now() + J::TIMEOUT, self.cancel, move |data| {
            sink.lock().unwrap_or_else(PoisonError::into_inner).push(data);
        });
        let result = job.run(&handle, context).await;
        let reports = std::mem::take(&mut *reports.lock().unwrap_or_else(PoisonError::into_inner));
        Run { result, reports }
    }
}

impl<T> Run<T> {
    /// How far the handler said it was, each time it did.
    #[must_use]
    pub fn progress(&self) -> Vec<f32> {
        #[derive(Deserialize)]
        struct Progress {
            progress: f32,
        }
        self.reports.iter().filter_map(|data| data.decode().ok()).map(|Progress { progress }| progress).collect()
    }
}

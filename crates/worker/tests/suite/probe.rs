//! A job that does what its payload says and keeps book of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{sync::Semaphore, time::sleep};
use worker::{Job, JobError, JobHandle};

/// One act per attempt; the last is repeated.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Probe {
    pub acts: Vec<Act>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Act {
    Succeed,
    Retry,
    RetryAfter(u64),
    Fail(String),
    Panic(String),
    /// Until the book's gate is opened, or told to stop.
    Wait,
    /// Until the book's gate is opened, whatever anybody says.
    WaitDeaf,
    /// Reports progress every 10 ms, this many times.
    Chatter(u32),
    Return(String),
}

/// What the probes of all workers of a story did.
#[derive(Debug, Clone)]
pub struct Book(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    runs: AtomicU32,
    gate: Semaphore,
}

impl Book {
    pub fn new() -> Self {
        Self(Arc::new(Inner { runs: AtomicU32::new(0), gate: Semaphore::new(0) }))
    }

    pub fn runs(&self) -> u32 {
        self.0.runs.load(Ordering::SeqCst)
    }

    /// Lets everybody who waits go, now and later.
    pub fn open(&self) {
        self.0.gate.close();
    }

    async fn wait(&self) {
        let _ = self.0.gate.acquire().await;
    }
}

impl Job for Probe {
    const KIND: &'static str = "probe";
    type Context = Book;
    type Output = String;
    const MAX_ATTEMPTS: u32 = 3;
    const CONCURRENCY: usize = 4;

    async fn run(self, job: &JobHandle, book: &Book) -> Result<String, JobError> {
        book.0.runs.fetch_add(1, Ordering::SeqCst);
        let nth = usize::try_from(job.attempt()).unwrap();
        match self.acts.get(nth - 1).or(self.acts.last()).unwrap().clone() {
            Act::Succeed => Ok(format!("attempt {}", job.attempt())),
            Act::Retry => Err(JobError::retry("not this time").with_code("busy")),
            Act::RetryAfter(millis) => Err(JobError::retry_after(Duration::from_millis(millis), "later")),
            Act::Fail(code) => Err(JobError::fail(code, "never")),
            Act::Panic(message) => panic!("{message}"),
            Act::Wait => tokio::select! {
                () = book.wait() => Ok("waited".to_owned()),
                () = job.cancelled() => Err(JobError::retry("stopped")),
            },
            Act::WaitDeaf => {
                book.wait().await;
                Ok("waited".to_owned())
            }
            Act::Chatter(times) => {
                for _ in 0..times {
                    job.progress(0.5);
                    sleep(Duration::from_millis(10)).await;
                }
                Ok("chattered".to_owned())
            }
            Act::Return(text) => Ok(text),
        }
    }
}

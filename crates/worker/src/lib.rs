//! The job SDK: one trait to write, one runner that keeps the promises.
//!
//! - [`Job`] is what a job's author writes: a payload, and a handler from it to a result. [`JobHandle`] and [`JobError`] are
//!   all it needs to know; [`cpu::run`] is where pixels go; [`testing`] runs it without anything around it.
//! - [`main`] makes a binary of a job type, [`main_with`] of several; [`Worker`] runs them inside another process.
//! - The runner owns everything else: concurrency, timeouts, retries, leases, duplicates, progress, cancellation, hand-back.

mod backoff;
pub mod cpu;
mod entry;
mod error;
mod handle;
mod health;
mod job;
mod metrics;
mod registered;
mod runner;
mod settings;
pub mod testing;
mod worker;

pub use bytes;
pub use entry::{main, main_with};
pub use error::JobError;
pub use handle::JobHandle;
pub use health::HealthSettings;
pub use job::Job;
pub use settings::{InvalidPerKind, PerKind, WorkerSettings};
pub use shared::{Payload, PayloadError};
pub use worker::{Builder, Worker};

//! The bounds that every part agrees on. Settings may narrow them, never widen them.

use std::time::Duration;

/// The largest payload of a job or a result, in bytes: Pub/Sub takes 10 MB a message; the rest is left to attributes and framing.
pub const MAX_PAYLOAD: usize = 9_000_000;
/// The longest user id or channel name, in bytes.
pub const MAX_AUDIENCE_NAME: usize = 200;
/// How often a handler may run for one job.
pub const MAX_ATTEMPTS: u32 = 20;
/// How long one attempt may take: Pub/Sub leases are extended for an hour at most.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(50 * 60);
/// The shortest timeout that makes sense for an attempt.
pub const MIN_TIMEOUT: Duration = Duration::from_millis(10);
/// The longest pause that a handler may ask for before the next attempt.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);
/// How many jobs one `job:resume` may name.
pub const MAX_RESUMED_JOBS: usize = 1_000;
/// How many bytes a text in an error message may have: messages go into attributes and logs.
pub const MAX_ERROR_MESSAGE: usize = 1_000;

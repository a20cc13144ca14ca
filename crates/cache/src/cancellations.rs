use std::time::Duration;

use deadpool_redis::redis::{Script, Value};
use shared::{Attributes, Cancellation, JobId, attributes};

use crate::{metrics::Command, redis::Redis};

/// How long a cancellation is kept: as long as Pub/Sub keeps a job that waits for a worker.
const TTL: Duration = Duration::from_hours(7 * 24);
/// How many are kept of one job: different people may try to cancel it.
const MOST_PER_JOB: usize = 8;

/// One set a job: recording a cancellation twice changes nothing.
const RECORD: &str = "
if redis.call('SCARD', KEYS[1]) < tonumber(ARGV[2]) then redis.call('SADD', KEYS[1], ARGV[1]) end
return redis.call('EXPIRE', KEYS[1], ARGV[3])";

pub(crate) async fn record(redis: &Redis, cancellation: &Cancellation) {
    let (key, (_, body)) = (key(redis, cancellation.job_id), cancellation.to_message());
    // The control topic knows too, for a while.
    let _ = redis
        .run(Command::RecordCancellation, async |mut connection| {
            Script::new(RECORD).key(&key).arg(&body[..]).arg(MOST_PER_JOB).arg(TTL.as_secs()).invoke_async::<Value>(&mut connection).await
        })
        .await;
}

/// What a job's set says. Leaves out what another version of Mayfly may have written.
pub(crate) fn read(job_id: JobId, set: &[Vec<u8>]) -> Vec<Cancellation> {
    let attributes = Attributes::from([(attributes::ID.into(), job_id.to_string())]);
    set.iter().filter_map(|body| Cancellation::parse(&attributes, body).ok()).collect()
}

pub(crate) fn key(redis: &Redis, job_id: JobId) -> String {
    redis.key(format_args!("cancelled:{job_id}"))
}

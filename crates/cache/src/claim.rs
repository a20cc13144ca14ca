use std::time::Duration;

use deadpool_redis::redis::{Script, Value};
use shared::{Cancellation, JobId};

use crate::{cancellations, metrics::Command, redis::Redis};

/// Whether one may run a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Nobody else is at it; the claim holds until it is released or its time is over.
    Won,
    /// The same; and it was cancelled, if one of these covers its audience.
    Cancelled(Vec<Cancellation>),
    /// Somebody else is at it.
    Held,
    /// Redis cannot say: run it, and let the gateways drop the second result.
    Unknown,
}

/// Takes the claim, or renews the owner's own, and tells of cancellations, in one step.
const CLAIM: &str = "
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return {0, {}} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {1, redis.call('SMEMBERS', KEYS[2])}";

/// Gives the claim back if it is still the owner's.
const RELEASE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

pub(crate) async fn claim(redis: &Redis, job_id: JobId, owner: &str, ttl: Duration) -> Claim {
    let (key, cancelled) = (key(redis, job_id), cancellations::key(redis, job_id));
    let answer = redis.run(Command::Claim, async |mut connection| {
        let millis = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        Script::new(CLAIM).key(&key).key(&cancelled).arg(owner).arg(millis).invoke_async::<(bool, Vec<Vec<u8>>)>(&mut connection).await
    });
    match answer.await {
        Some((true, set)) if set.is_empty() => Claim::Won,
        Some((true, set)) => Claim::Cancelled(cancellations::read(job_id, &set)),
        Some((false, _)) => Claim::Held,
        None => Claim::Unknown,
    }
}

pub(crate) async fn release(redis: &Redis, job_id: JobId, owner: &str) {
    let key = key(redis, job_id);
    // A claim that could not be given back ends with its time.
    let _ = redis
        .run(Command::Release, async |mut connection| {
            Script::new(RELEASE).key(&key).arg(owner).invoke_async::<Value>(&mut connection).await
        })
        .await;
}

fn key(redis: &Redis, job_id: JobId) -> String {
    redis.key(format_args!("claim:{job_id}"))
}

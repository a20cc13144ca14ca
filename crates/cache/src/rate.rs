use std::{num::NonZeroU32, time::Duration};

use deadpool_redis::redis::Script;

use crate::{metrics::Command, redis::Redis};

/// What a rate limit that all processes share says of one more request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// Go ahead; it has been counted.
    Yes,
    /// Too many. One request could be made after this long, if nobody else makes it first.
    After(Duration),
}

/// The generic cell rate algorithm, by Redis' clock, in microseconds. The key holds when the bucket will be full again;
/// it is gone by then, so idle keys cost nothing. Returns how long to wait, 0 if allowed.
const ALLOW: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1])) or now, now) + interval
local wait = full_at - now - interval * burst
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000))
return 0";

pub(crate) async fn allow(redis: &Redis, key: &str, per_second: NonZeroU32, burst: NonZeroU32) -> Option<Allowed> {
    let key = redis.key(format_args!("rate:{key}"));
    let interval = 1_000_000.0 / f64::from(per_second.get());
    let wait: u64 = redis
        .run(Command::Allow, async |mut connection| {
            Script::new(ALLOW).key(&key).arg(interval).arg(burst.get()).invoke_async(&mut connection).await
        })
        .await?;
    Some(if wait == 0 { Allowed::Yes } else { Allowed::After(Duration::from_micros(wait)) })
}

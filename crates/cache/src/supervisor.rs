use std::{sync::atomic::Ordering, time::Duration};

use deadpool_redis::{PoolError, redis::cmd};
use service::{Lifecycle, State};
use tokio::{
    join,
    time::{Instant, timeout},
};
use tracing::{debug, info, warn};

use crate::redis::Redis;

/// How often Redis is looked at: often enough that clients learn of its return within a second.
const PERIOD: Duration = Duration::from_millis(500);
/// How long an answer may take before Redis counts as away.
const PROBE_DEADLINE: Duration = Duration::from_millis(750);
/// How long after Redis came back the last process has noticed and listens again: a look, and a new subscription.
const SETTLING: Duration = Duration::from_secs(2);
/// How long the probe's key lives.
const PROBE_TTL_S: u64 = 60;

/// Keeps the component true and the connections alive: Redis is up while it takes a write. A server that is frozen, full, or refuses the password is down.
///
/// Ends with the process, not with the drain, which still wants to know.
pub(crate) async fn supervise(redis: Redis, lifecycle: Lifecycle) {
    let mut reason = None;
    let mut down_at = Instant::now();
    while lifecycle.remaining() > Duration::ZERO {
        let now = probe(&redis).await;
        match (&reason, &now) {
            (None, Some(reason)) => warn!(%reason, "Redis is away; going on without it"),
            (Some(before), Some(reason)) if before != reason => debug!(%reason, "Redis is still away"),
            (Some(_), None) => info!("Redis is there"),
            _ => {}
        }
        if now.is_some() {
            down_at = Instant::now();
        }
        redis.is_settled.store(down_at.elapsed() >= SETTLING, Ordering::Relaxed);
        redis.component.set(if now.is_none() { State::Up } else { State::Down });
        reason = now;
        // Either a command failed and somebody wants to know, or it is time to look again.
        let doubtful = timeout(PERIOD, redis.doubt.notified()).await.is_ok();
        if doubtful && redis.component.get() == State::Down {
            tokio::time::sleep(PERIOD).await;
        }
    }
}

/// Why Redis is of no use, if it is not.
async fn probe(redis: &Redis) -> Option<String> {
    let look = async { join!(write(redis), redis.connections.refresh()) };
    match timeout(PROBE_DEADLINE, look).await {
        Ok((Ok(()), Ok(()))) => None,
        Ok((Err(error), _) | (_, Err(error))) => Some(error.to_string()),
        Err(_) => Some(format!("no answer within {} ms", PROBE_DEADLINE.as_millis())),
    }
}

async fn write(redis: &Redis) -> Result<(), PoolError> {
    let mut connection = redis.connections.probe().await?;
    Ok(cmd("SET").arg(redis.key("probe")).arg(1).arg("EX").arg(PROBE_TTL_S).query_async(&mut connection).await?)
}

use std::{collections::HashMap, time::Duration};

use deadpool_redis::redis::{cmd, pipe};
use shared::{Kind, Trial};

use crate::{metrics::Command, redis::Redis};

/// How long trials are kept after the last one: much longer than a worker that crashes again and again is kept from restarting.
const TTL: Duration = Duration::from_hours(24);

/// One hash a message, by worker: recording a trial twice changes nothing.
pub(crate) async fn record(redis: &Redis, trial: &Trial) {
    let key = key(redis, &trial.kind, &trial.message_id);
    // The control topic knows too.
    let _ = redis
        .run(Command::RecordTrial, async |mut connection| {
            pipe()
                .add_command(cmd("HSET").arg(&key).arg(&trial.worker).arg(u8::from(trial.alone)).take())
                .add_command(cmd("EXPIRE").arg(&key).arg(TTL.as_secs()).take())
                .query_async::<()>(&mut connection)
                .await
        })
        .await;
}

/// All trials of a message, in any order. Nothing if Redis cannot say.
pub(crate) async fn read(redis: &Redis, kind: &Kind, message_id: &str) -> Option<Vec<Trial>> {
    let key = key(redis, kind, message_id);
    let recorded: HashMap<String, u8> =
        redis.run(Command::ReadTrials, async |mut connection| cmd("HGETALL").arg(&key).query_async(&mut connection).await).await?;
    let trial = |(worker, alone)| Trial { kind: kind.clone(), message_id: message_id.to_owned(), worker, alone: alone != 0 };
    Some(recorded.into_iter().map(trial).collect())
}

fn key(redis: &Redis, kind: &Kind, message_id: &str) -> String {
    redis.key(format_args!("trials:{kind}:{message_id}"))
}

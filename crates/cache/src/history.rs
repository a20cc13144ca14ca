use std::time::Duration;

use deadpool_redis::redis::{cmd, pipe};
use shared::{EventMessage, JobEvent, JobId};
use tokio::sync::mpsc;

use crate::{
    frame,
    metrics::{Command, Queue},
    redis::Redis,
};

/// Events that wait to be written; at 10,000 events a second this is most of a frozen second.
const QUEUE: usize = 4096;
/// How many events of one job are kept: the newest, which hold the outcome.
const EVENTS_PER_JOB: isize = 32;

/// Writes events to the history, in order and behind everybody's back.
#[derive(Clone)]
pub(crate) struct Recorder {
    events: mpsc::Sender<JobEvent>,
    redis: Redis,
}

impl Recorder {
    pub(crate) fn start(redis: Redis, keep: Duration) -> Self {
        let (events, mut receiver) = mpsc::channel(QUEUE);
        let writer = redis.clone();
        tokio::spawn(async move {
            while let Some(event) = receiver.recv().await {
                record(&writer, &event, keep).await;
            }
        });
        Self { events, redis }
    }

    pub(crate) fn record(&self, event: &JobEvent) {
        if self.events.try_send(event.clone()).is_err() {
            self.redis.metrics.full(Queue::History);
        }
    }
}

/// One sorted set a job, by `seq`: writing an event twice changes nothing.
async fn record(redis: &Redis, event: &JobEvent, keep: Duration) {
    let key = key(redis, event.job_id);
    let frame = frame::encode(event.to_message());
    let written = redis.run(Command::RecordEvent, async |mut connection| {
        pipe()
            .add_command(cmd("ZADD").arg(&key).arg(event.seq).arg(frame).take())
            .add_command(cmd("ZREMRANGEBYRANK").arg(&key).arg(0).arg(-EVENTS_PER_JOB - 1).take())
            .add_command(cmd("EXPIRE").arg(&key).arg(keep.as_secs()).take())
            .query_async::<()>(&mut connection)
            .await
    });
    // An event that was not written is still in the gateways' rings; Redis only stretches them.
    let _ = written.await;
}

/// The events of a job after `seq`, oldest first. Nothing if Redis cannot say; empty if it knows of none.
pub(crate) async fn read(redis: &Redis, job_id: JobId, after_seq: u64) -> Option<Vec<JobEvent>> {
    let key = key(redis, job_id);
    let frames: Vec<Vec<u8>> = redis
        .run(Command::ReadHistory, async |mut connection| {
            cmd("ZRANGEBYSCORE").arg(&key).arg(format!("({after_seq}")).arg("+inf").query_async(&mut connection).await
        })
        .await?;
    let event = |frame: &Vec<u8>| match frame::decode(frame)? {
        EventMessage::Job(event) => Some(event),
        EventMessage::Notification(_) => None,
    };
    Some(frames.iter().filter_map(event).collect())
}

fn key(redis: &Redis, job_id: JobId) -> String {
    redis.key(format_args!("job:{job_id}"))
}

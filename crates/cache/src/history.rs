use std::{mem, time::Duration};

use bytes::Bytes;
use deadpool_redis::redis::{Pipeline, cmd, pipe};
use shared::{Attributes, EventMessage, JobEvent, JobId, Submitted};
use tokio::sync::mpsc;

use crate::{
    frame,
    metrics::{Command, Queue},
    redis::Redis,
};

/// What Redis knows of a job.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Story {
    /// The first time that a gateway accepted it, if one did.
    pub submitted: Option<Submitted>,
    /// Oldest first.
    pub events: Vec<JobEvent>,
}

/// A part of a job's story.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Submitted(Submitted),
    Event(JobEvent),
}

/// Parts that wait to be written; at 10,000 events a second this is most of a frozen second.
const QUEUE: usize = 4096;
/// How many are written in one go, and about how many bytes: it has to be over within a command's deadline.
const BATCH: usize = 64;
const BATCH_BYTES: usize = 256 << 10;
/// How many events of one job are kept: the newest, which hold the outcome.
const EVENTS_PER_JOB: isize = 32;

/// Writes stories down, in order and behind everybody's back.
#[derive(Clone)]
pub(crate) struct Recorder {
    parts: mpsc::Sender<Part>,
    redis: Redis,
}

impl Recorder {
    pub(crate) fn start(redis: Redis, keep: Duration) -> Self {
        let (parts, mut receiver) = mpsc::channel(QUEUE);
        let writer = redis.clone();
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(BATCH);
            while receiver.recv_many(&mut batch, BATCH).await > 0 {
                record_all(&writer, &mut batch, keep).await;
            }
        });
        Self { parts, redis }
    }

    pub(crate) fn record(&self, part: Part) {
        if self.parts.try_send(part).is_err() {
            self.redis.metrics.full(Queue::History);
        }
    }
}

impl Part {
    fn job_id(&self) -> JobId {
        match self {
            Self::Submitted(submitted) => submitted.job_id,
            Self::Event(event) => event.job_id,
        }
    }

    /// Its place: a job's events count from more than 0.
    fn seq(&self) -> u64 {
        match self {
            Self::Submitted(_) => 0,
            Self::Event(event) => event.seq,
        }
    }

    fn to_message(&self) -> (Attributes, Bytes) {
        match self {
            Self::Submitted(submitted) => submitted.to_message(),
            Self::Event(event) => event.to_message(),
        }
    }
}

/// One sorted set a job, by `seq`: writing a part twice changes nothing, and none takes another's place, whichever comes first.
async fn record_all(redis: &Redis, parts: &mut Vec<Part>, keep: Duration) {
    let (mut writes, mut bytes) = (pipe(), 0);
    for part in parts.drain(..) {
        let (key, frame) = (key(redis, part.job_id()), frame::encode(part.to_message()));
        bytes += frame.len();
        writes
            .add_command(cmd("ZADD").arg(&key).arg(part.seq()).arg(frame).take())
            .add_command(cmd("ZREMRANGEBYRANK").arg(&key).arg(0).arg(-EVENTS_PER_JOB - 1).take())
            .add_command(cmd("EXPIRE").arg(&key).arg(keep.as_secs()).take());
        if bytes >= BATCH_BYTES {
            write(redis, &mem::replace(&mut writes, pipe())).await;
            bytes = 0;
        }
    }
    write(redis, &writes).await;
}

async fn write(redis: &Redis, writes: &Pipeline) {
    if !writes.is_empty() {
        let written = redis.run(Command::RecordEvent, async |mut connection| writes.query_async::<()>(&mut connection).await);
        // An event that was not written is still in the gateways' rings; Redis only stretches them.
        let _ = written.await;
    }
}

/// The events of a job after `seq`, oldest first. Nothing if Redis cannot say; empty if it knows of none.
pub(crate) async fn read(redis: &Redis, job_id: JobId, after_seq: u64) -> Option<Vec<JobEvent>> {
    let messages = messages(redis, job_id, &format!("({after_seq}")).await?;
    Some(messages.into_iter().filter_map(job_event).collect())
}

/// All that is known of a job, likewise.
pub(crate) async fn read_story(redis: &Redis, job_id: JobId) -> Option<Story> {
    let mut story = Story::default();
    for message in messages(redis, job_id, "0").await? {
        match Submitted::parse(&message.0) {
            // Two gateways may have accepted it at about the same time.
            Ok(submitted) if story.submitted.as_ref().is_some_and(|first| first.at <= submitted.at) => {}
            Ok(submitted) => story.submitted = Some(submitted),
            Err(_) => story.events.extend(job_event(message)),
        }
    }
    Some(story)
}

async fn messages(redis: &Redis, job_id: JobId, from: &str) -> Option<Vec<(Attributes, Bytes)>> {
    let key = key(redis, job_id);
    let frames: Vec<Vec<u8>> = redis
        .run(Command::ReadHistory, async |mut connection| {
            cmd("ZRANGEBYSCORE").arg(&key).arg(from).arg("+inf").query_async(&mut connection).await
        })
        .await?;
    Some(frames.iter().filter_map(|frame| frame::message(frame)).collect())
}

fn job_event(message: (Attributes, Bytes)) -> Option<JobEvent> {
    match frame::event(message)? {
        EventMessage::Job(event) => Some(event),
        EventMessage::Notification(_) => None,
    }
}

fn key(redis: &Redis, job_id: JobId) -> String {
    redis.key(format_args!("job:{job_id}"))
}

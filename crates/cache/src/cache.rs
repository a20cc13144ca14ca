use std::{
    num::NonZeroU32,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use deadpool_redis::redis::pipe;
use service::{Process, State};
use shared::{Attributes, Cancellation, EventType, JobEvent, JobId, Kind, Notification, Submitted, Trial};

use crate::{
    Allowed, CacheSettings, Claim, InvalidRedisUrl, PerishableEvents, Story, cancellations, claim, frame, history,
    history::{Part, Recorder},
    metrics::{CacheMetrics, Command},
    rate,
    redis::Redis,
    subscriber,
    supervisor::supervise,
    trials,
};

/// What Redis adds, or, without it, what is lost. Cheap to clone.
#[derive(Clone)]
pub struct Cache(Backend);

#[derive(Clone)]
enum Backend {
    Present(Arc<Present>),
    /// No Redis. Lost: history beyond the gateways' rings, progress finer than once a second, claims, cancellations that the control topic has forgotten.
    Absent,
}

struct Present {
    redis: Redis,
    recorder: Recorder,
}

/// What became of a perishable event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// Redis passed it on to whoever listens.
    Redis,
    /// Redis passed it on, but came back so recently that not everybody listens again; send it another way as well.
    Unsettled,
    /// Redis is away; send it another way, if it is worth it.
    Unavailable,
}

impl Cache {
    /// Connects in the background, now and whenever Redis comes back; shows its state as the component `redis`.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the address is nonsense. Redis being away is no error.
    pub fn connect(settings: &CacheSettings, process: &Process) -> Result<Self, InvalidRedisUrl> {
        let Some(client) = settings.client()? else {
            process.health.component(COMPONENT, State::Off);
            return Ok(Self::absent());
        };
        let component = process.health.component(COMPONENT, State::Down);
        let redis = Redis::new(settings, client, component, process.metrics.register(CacheMetrics::register))?;
        tokio::spawn(supervise(redis.clone(), process.lifecycle.clone()));
        let recorder = Recorder::start(redis.clone(), settings.redis_history);
        Ok(Self(Backend::Present(Arc::new(Present { redis, recorder }))))
    }

    /// What stands in when there is no Redis.
    #[must_use]
    pub fn absent() -> Self {
        Self(Backend::Absent)
    }

    /// How Redis is.
    #[must_use]
    pub fn state(&self) -> State {
        match &self.0 {
            Backend::Present(present) => present.redis.component.get(),
            Backend::Absent => State::Off,
        }
    }

    /// Tells every gateway of a perishable event.
    pub async fn publish_event(&self, event: &JobEvent) -> Published {
        self.publish(vec![event.to_message()], Duration::ZERO).await
    }

    /// Tells every gateway of perishable notifications, in this order; what becomes of one becomes of all.
    ///
    /// `waited` is how long one of them has waited for Redis before: nothing waits for it longer than the deadline in all.
    pub async fn publish_notifications(&self, notifications: &[&Notification], waited: Duration) -> Published {
        let messages = notifications.iter().map(|notification| notification.to_message()).collect();
        match (self.publish(messages, waited).await, &self.0) {
            (Published::Redis, Backend::Present(present)) if !present.redis.is_settled.load(Ordering::Relaxed) => Published::Unsettled,
            (published, _) => published,
        }
    }

    async fn publish(&self, messages: Vec<(Attributes, Bytes)>, waited: Duration) -> Published {
        let Backend::Present(present) = &self.0 else { return Published::Unavailable };
        let channel = subscriber::channel(&present.redis);
        let mut publishes = pipe();
        for message in messages {
            publishes.cmd("PUBLISH").arg(&channel).arg(frame::encode(message)).ignore();
        }
        let published = present
            .redis
            .run_after(waited, Command::PublishEvent, async |mut connection| publishes.query_async::<()>(&mut connection).await);
        if published.await.is_some() { Published::Redis } else { Published::Unavailable }
    }

    /// Perishable events from every worker and gateway.
    #[must_use]
    pub fn events(&self) -> PerishableEvents {
        match &self.0 {
            Backend::Present(present) => PerishableEvents::subscribe(present.redis.clone()),
            Backend::Absent => PerishableEvents::never(),
        }
    }

    /// Adds an event to its job's history, some time soon, if Redis is there and the queue to it is not full.
    /// Progress is not history: only the latest counts, and it is stale by the time anybody asks.
    pub fn record(&self, event: &JobEvent) {
        if let Backend::Present(present) = &self.0
            && event.event_type != EventType::Progress
        {
            present.recorder.record(Part::Event(event.clone()));
        }
    }

    /// Adds to a job's history that it was accepted, just as [`Self::record`] does.
    pub fn record_submitted(&self, submitted: Submitted) {
        if let Backend::Present(present) = &self.0 {
            present.recorder.record(Part::Submitted(submitted));
        }
    }

    /// A job's events after `after_seq`, oldest first. Nothing if Redis cannot say; empty if it knows of none.
    pub async fn history(&self, job_id: JobId, after_seq: u64) -> Option<Vec<JobEvent>> {
        match &self.0 {
            Backend::Present(present) => history::read(&present.redis, job_id, after_seq).await,
            Backend::Absent => None,
        }
    }

    /// All that is known of a job. Nothing if Redis cannot say; empty if it knows of none.
    pub async fn story(&self, job_id: JobId) -> Option<Story> {
        match &self.0 {
            Backend::Present(present) => history::read_story(&present.redis, job_id).await,
            Backend::Absent => None,
        }
    }

    /// Asks to be the only one who runs a job for `ttl`; the owner may ask again to hold it longer.
    pub async fn claim(&self, job_id: JobId, owner: &str, ttl: Duration) -> Claim {
        match &self.0 {
            Backend::Present(present) => claim::claim(&present.redis, job_id, owner, ttl).await,
            Backend::Absent => Claim::Unknown,
        }
    }

    /// Gives a claim back; one that is somebody else's by now stays theirs.
    pub async fn release(&self, job_id: JobId, owner: &str) {
        if let Backend::Present(present) = &self.0 {
            claim::release(&present.redis, job_id, owner).await;
        }
    }

    /// Remembers a cancellation for as long as its job may wait: whoever claims the job will be told.
    pub async fn record_cancellation(&self, cancellation: &Cancellation) {
        if let Backend::Present(present) = &self.0 {
            cancellations::record(&present.redis, cancellation).await;
        }
    }

    /// Remembers a trial for a day.
    pub async fn record_trial(&self, trial: &Trial) {
        if let Backend::Present(present) = &self.0 {
            trials::record(&present.redis, trial).await;
        }
    }

    /// What was tried with a message, in any order. Nothing if Redis cannot say; empty if it knows of no trial.
    pub async fn trials(&self, kind: &Kind, message_id: &str) -> Option<Vec<Trial>> {
        match &self.0 {
            Backend::Present(present) => trials::read(&present.redis, kind, message_id).await,
            Backend::Absent => None,
        }
    }

    /// Counts one request against a limit that all processes share: `per_second` in the long run, `burst` of them at once after a rest.
    /// What is refused is not counted. Nothing if Redis cannot say: fall back on a limit of your own.
    pub async fn allow(&self, key: &str, per_second: NonZeroU32, burst: NonZeroU32) -> Option<Allowed> {
        match &self.0 {
            Backend::Present(present) => rate::allow(&present.redis, key, per_second, burst).await,
            Backend::Absent => None,
        }
    }
}

/// Redis' name in the health of its process.
const COMPONENT: &str = "redis";

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use shared::{EventType, Payload, WireError};
use tokio::{sync::Notify, time::Instant};

/// A perishable event that has no number yet: of several waiting hints only the latest counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hint {
    pub(crate) event_type: EventType,
    pub(crate) attempt: u32,
    pub(crate) data: Option<Payload>,
    pub(crate) error: Option<WireError>,
}

/// Where a job's latest hint waits to be passed on. Putting one never waits.
#[derive(Debug, Default)]
pub(crate) struct Latest {
    hint: Mutex<Option<Hint>>,
    changed: Notify,
}

/// When the next hint may go, by each way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    by_redis: Instant,
    by_pubsub: Instant,
}

impl Latest {
    /// Replaces the waiting hint, if there is one, and tells whether there was.
    pub(crate) fn put(&self, hint: Hint) -> bool {
        let conflated = self.lock().replace(hint).is_some();
        self.changed.notify_one();
        conflated
    }

    /// Puts back what could not go, unless something later is waiting.
    pub(crate) fn put_back(&self, hint: Hint) {
        self.lock().get_or_insert(hint);
        self.changed.notify_one();
    }

    pub(crate) fn take(&self) -> Option<Hint> {
        self.lock().take()
    }

    /// Resolves while a hint is waiting. Cancellation safe, for one caller at a time.
    pub(crate) async fn waiting(&self) {
        while self.lock().is_none() {
            self.changed.notified().await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Hint>> {
        self.hint.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pace {
    /// Between two hints by Redis: twenty a second look smooth.
    const REDIS: Duration = Duration::from_millis(50);
    /// Between two hints by Pub/Sub, where every one costs money.
    const PUBSUB: Duration = Duration::from_secs(1);
    /// A job that ends sooner sends no hint by Pub/Sub at all: quick jobs are one publish in and one out.
    const PUBSUB_FIRST: Duration = Duration::from_millis(250);

    pub(crate) fn starting(now: Instant) -> Self {
        Self { by_redis: now, by_pubsub: now + Self::PUBSUB_FIRST }
    }

    /// When Redis may be tried.
    pub(crate) fn redis(&self) -> Instant {
        self.by_redis
    }

    /// When Pub/Sub may be used.
    pub(crate) fn pubsub(&self) -> Instant {
        self.by_pubsub
    }

    pub(crate) fn went_by_redis(&mut self, now: Instant) {
        self.by_redis = now + Self::REDIS;
    }

    pub(crate) fn went_by_pubsub(&mut self, now: Instant) {
        self.by_pubsub = now + Self::PUBSUB;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn progress(attempt: u32) -> Hint {
        Hint { event_type: EventType::Progress, attempt, data: None, error: None }
    }

    #[tokio::test]
    async fn the_latest_wins() {
        let latest = Latest::default();
        assert!(!latest.put(progress(1)));
        assert!(latest.put(progress(2)));
        latest.waiting().await;
        assert_eq!(latest.take(), Some(progress(2)));
        assert_eq!(latest.take(), None);
    }

    #[test]
    fn what_comes_back_does_not_replace_what_is_newer() {
        let latest = Latest::default();
        latest.put(progress(2));
        latest.put_back(progress(1));
        assert_eq!(latest.take(), Some(progress(2)));
        latest.put_back(progress(1));
        assert_eq!(latest.take(), Some(progress(1)));
    }
}

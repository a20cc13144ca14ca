//! Time, as the emulator sees it.

use std::{
    ops::{Add, Sub},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{sync::watch, time::Instant};

/// The emulator's clock: real time plus whatever a test has added with [`Clock::advance`].
///
/// Deadlines, backoff and retention all follow it, so a test need not wait for them.
/// Clones share their time. Setting the system's clock does not disturb it.
#[derive(Debug, Clone)]
pub struct Clock {
    started: Instant,
    started_at: Time,
    advanced: Arc<watch::Sender<Duration>>,
}

impl Clock {
    /// A clock that shows the system's time.
    #[must_use]
    pub fn new() -> Self {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), started_at: Time(since_epoch), advanced: Arc::new(watch::Sender::new(Duration::ZERO)) }
    }

    /// Puts the clock forward and wakes whoever waits for a moment that has now come.
    pub fn advance(&self, by: Duration) {
        self.advanced.send_modify(|advanced| *advanced += by);
    }

    pub(crate) fn now(&self) -> Time {
        let advanced = *self.advanced.borrow();
        self.started_at + self.started.elapsed() + advanced
    }

    /// Returns at `moment`, or at once if it has passed. Cancel-safe.
    pub(crate) async fn sleep_until(&self, moment: Time) {
        let mut advanced = self.advanced.subscribe();
        loop {
            let left = moment - self.now();
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                // Never an error: `self` holds the sender.
                _ = advanced.changed() => {}
            }
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// A moment: the time since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Time(Duration);

impl Time {
    /// In microseconds since the Unix epoch.
    pub(crate) fn as_micros(self) -> u64 {
        u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX)
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        Self(self.0.saturating_add(later))
    }
}

impl Sub<Duration> for Time {
    type Output = Self;

    fn sub(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(earlier))
    }
}

impl Sub for Time {
    type Output = Duration;

    /// How much later `self` is than `other`; zero if it is not.
    fn sub(self, other: Self) -> Duration {
        self.0.saturating_sub(other.0)
    }
}

impl From<Time> for prost_types::Timestamp {
    fn from(time: Time) -> Self {
        Self {
            seconds: i64::try_from(time.0.as_secs()).unwrap_or(i64::MAX),
            nanos: i32::try_from(time.0.subsec_nanos()).expect("a nanosecond count fits"),
        }
    }
}

impl From<prost_types::Timestamp> for Time {
    /// A moment before the epoch becomes the epoch: nothing was published before either.
    fn from(timestamp: prost_types::Timestamp) -> Self {
        Self(SystemTime::try_from(timestamp).ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_clock_is_put_forward() {
        let clock = Clock::new();
        let moment = clock.now() + Duration::from_secs(3600);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(moment).await }
        });
        clock.advance(Duration::from_secs(1800));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1800));
        sleeper.await.expect("the sleeper does not panic");
        assert!(clock.now() >= moment);
    }

    #[test]
    fn a_moment_survives_the_wire() {
        let now = Clock::new().now();
        assert_eq!(Time::from(prost_types::Timestamp::from(now)), now);
    }

    #[test]
    fn a_moment_before_the_epoch_is_the_epoch() {
        assert_eq!(Time::from(prost_types::Timestamp { seconds: -1, nanos: 0 }), Time::default());
    }
}

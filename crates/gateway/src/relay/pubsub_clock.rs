use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use shared::Timestamp;

/// For how long at least a delivery says what time it is. Pub/Sub's clock never goes back, but that of a development machine may:
/// then what was learnt before is forgotten after twice as long.
const MEMORY: Duration = Duration::from_secs(60);

/// By how much the clocks of Pub/Sub's own machines may differ. Stock clients take twice as long to come back.
const MARGIN: Duration = Duration::from_millis(500);

/// What time it is at Pub/Sub: the only clock that can tell whether something was published before a client came. This machine's
/// may be wrong by an hour; it only measures how long ago a delivery was.
#[derive(Debug)]
pub(crate) struct PubsubClock {
    epoch: Instant,
    seen: Mutex<Seen>,
}

/// Each offset is Pub/Sub's time of day at `epoch`, as the delivery that was fastest has it, so never later than it was.
#[derive(Debug, Default)]
struct Seen {
    since: Duration,
    before: Option<Offset>,
    lately: Option<Offset>,
}

/// Nanoseconds since 1970, which a timestamp holds as this type.
type Offset = i128;

impl PubsubClock {
    pub(crate) fn new() -> Self {
        Self { epoch: Instant::now(), seen: Mutex::default() }
    }

    /// Something that was published then is here now.
    pub(super) fn observe(&self, published_at: Timestamp, now: Instant) {
        let elapsed = now.saturating_duration_since(self.epoch);
        let offset = published_at.as_nanosecond() - nanoseconds(elapsed);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if elapsed.saturating_sub(seen.since) > MEMORY {
            (seen.since, seen.before, seen.lately) = (elapsed, seen.lately, None);
        }
        seen.lately = seen.lately.max(Some(offset));
    }

    /// The time that it certainly is there by now: what deliveries prove, or this machine's own if that is less, and a little less.
    pub(crate) fn now(&self) -> Timestamp {
        self.at(Instant::now(), Timestamp::now())
    }

    fn at(&self, now: Instant, of_this_machine: Timestamp) -> Timestamp {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = nanoseconds(now.saturating_duration_since(self.epoch));
        let proven = seen.before.max(seen.lately).and_then(|offset| Timestamp::from_nanosecond(offset + elapsed).ok());
        proven.map_or(of_this_machine, |proven| proven.min(of_this_machine)) - MARGIN
    }
}

fn nanoseconds(duration: Duration) -> Offset {
    // Five centuries fit.
    Offset::try_from(duration.as_nanos()).unwrap_or(Offset::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Pub/Sub's time, so many seconds after the clock was made.
    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000_000 + seconds).unwrap_or_default()
    }

    #[test]
    fn it_is_as_late_as_the_fastest_delivery_proves() {
        let clock = PubsubClock::new();
        let (start, ahead) = (clock.epoch, at(3_600));
        clock.observe(at(0), start + 5 * SECOND);
        assert_eq!(clock.at(start + 7 * SECOND, ahead), at(2) - MARGIN);
        clock.observe(at(6), start + 8 * SECOND);
        clock.observe(at(1), start + 9 * SECOND);
        assert_eq!(clock.at(start + 9 * SECOND, ahead), at(7) - MARGIN);
    }

    #[test]
    fn it_is_no_later_than_here() {
        let clock = PubsubClock::new();
        assert_eq!(clock.at(clock.epoch, at(5)), at(5) - MARGIN);
        clock.observe(at(9), clock.epoch);
        assert_eq!(clock.at(clock.epoch, at(5)), at(5) - MARGIN);
    }

    #[test]
    fn a_clock_that_was_set_back_is_believed_in_the_end() {
        let clock = PubsubClock::new();
        let (start, ahead) = (clock.epoch, at(7_200));
        clock.observe(at(3_600), start);
        clock.observe(at(2), start + 2 * SECOND);
        assert_eq!(clock.at(start + 2 * SECOND, ahead), at(3_602) - MARGIN);
        for seconds in [70, 140] {
            clock.observe(at(seconds), start + SECOND * u32::try_from(seconds).unwrap_or_default());
        }
        assert_eq!(clock.at(start + 140 * SECOND, ahead), at(140) - MARGIN);
    }
}

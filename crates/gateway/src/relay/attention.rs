use std::time::Duration;

use bus::Topology;
use shared::Timestamp;
use tokio::time::Instant;

/// How much sooner than Pub/Sub this gateway gives events up: clocks differ, an outage takes seconds to show, and so does its end.
pub(super) const EDGE: Duration = Duration::from_mins(1);

/// For how long events certainly wait for a gateway that does not take them.
const KEPT: Duration = Topology::RETENTION.saturating_sub(EDGE);

/// Whether this gateway takes what is published in time. It may be cut off, and it may stand still without knowing: stopped by a
/// signal, or with its whole machine.
#[derive(Debug)]
pub(super) struct Attention(Moment);

/// One clock goes on while a process is stopped, whatever is done to the time of day; the other one goes on while a machine is.
#[derive(Debug, Clone, Copy)]
struct Moment {
    steady: Instant,
    time_of_day: Timestamp,
}

impl Attention {
    pub(super) fn begin() -> Self {
        Self(Moment::now())
    }

    /// To be asked every now and then, which shows that the process runs. Tells whether it was not so, or not connected, for so long
    /// that Pub/Sub has thrown events away.
    pub(super) fn is_lost(&mut self, is_connected: bool) -> bool {
        self.is_lost_at(Moment::now(), is_connected)
    }

    fn is_lost_at(&mut self, now: Moment, is_connected: bool) -> bool {
        let is_lost = now.since(self.0) >= KEPT;
        if is_connected {
            self.0 = now;
        }
        is_lost
    }
}

impl Moment {
    fn now() -> Self {
        Self { steady: Instant::now(), time_of_day: Timestamp::now() }
    }

    fn since(self, earlier: Self) -> Duration {
        // A clock that was set back says nothing.
        let by_day = Duration::try_from(self.time_of_day.duration_since(earlier.time_of_day)).unwrap_or_default();
        by_day.max(self.steady.saturating_duration_since(earlier.steady))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// What the clocks say when the process has run for so long, and the machine stood still beside.
    fn at(begin: Moment, running: Duration, suspended: Duration) -> Moment {
        Moment { steady: begin.steady + running, time_of_day: begin.time_of_day + running + suspended }
    }

    #[test]
    fn a_short_outage_loses_nothing_however_often_it_comes() {
        let begin = Moment::now();
        let mut attention = Attention(begin);
        let mut ask = |seconds: u32, is_connected| attention.is_lost_at(at(begin, SECOND * seconds, Duration::ZERO), is_connected);
        assert!([(500, false), (530, true), (1_060, false), (1_069, true), (1_600, true)].iter().all(|(at, up)| !ask(*at, *up)));
    }

    #[test]
    fn a_long_outage_loses_events_until_it_is_over() {
        let begin = Moment::now();
        let mut attention = Attention(begin);
        let mut ask = |seconds: u32, is_connected| attention.is_lost_at(at(begin, SECOND * seconds, Duration::ZERO), is_connected);
        let asked = [(1, true), (540, false), (541, false), (700, false), (701, true), (702, true)];
        assert_eq!(asked.map(|(at, up)| ask(at, up)), [false, false, true, true, true, false]);
    }

    #[test]
    fn a_process_or_a_machine_that_stood_still_was_not_there() {
        let begin = Moment::now();
        assert!(Attention(begin).is_lost_at(at(begin, KEPT, Duration::ZERO), true));
        assert!(Attention(begin).is_lost_at(at(begin, SECOND, KEPT), true));
        let set_back = Moment { steady: begin.steady + SECOND, time_of_day: begin.time_of_day - KEPT * 2 };
        assert!(!Attention(begin).is_lost_at(set_back, true));
    }
}

use std::time::Duration;

/// Pauses that double with every attempt, with full jitter: anything from nothing to the bound, so that jobs which
/// failed together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backoff {
    /// The bound of the first pause.
    pub(crate) base: Duration,
    /// The bound that no pause exceeds.
    pub(crate) most: Duration,
}

impl Backoff {
    /// The pause after the `attempt`th failure, from 1.
    pub(crate) fn pause(&self, attempt: u32) -> Duration {
        self.bound(attempt).mul_f64(rand::random())
    }

    fn bound(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        self.base.saturating_mul(1 << doublings).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { base: Duration::from_secs(1), most: Duration::from_secs(60) };

    #[test]
    fn bounds_double_up_to_the_most() {
        let bounds: Vec<u64> = (1..=8).map(|attempt| BACKOFF.bound(attempt).as_secs()).collect();
        assert_eq!(bounds, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(BACKOFF.bound(u32::MAX), BACKOFF.most);
    }

    #[test]
    fn pauses_are_spread_over_all_of_the_bound() {
        let pauses: Vec<Duration> = (0..1000).map(|_| BACKOFF.pause(4)).collect();
        assert!(pauses.iter().all(|pause| *pause <= BACKOFF.bound(4)));
        assert!(pauses.iter().any(|pause| *pause < Duration::from_secs(2)));
        assert!(pauses.iter().any(|pause| *pause > Duration::from_secs(6)));
    }
}
